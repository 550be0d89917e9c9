"""`drgcore audit`: signals of what an auditor should look at, and the cases behind them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from drgcore.audit import SIGNAL_NAMES, Audit, Limits, audit_cases
from drgcore.cases.pseudonyms import pseudonymise, read_key
from drgcore.cli.indicators import KeyOption
from drgcore.cli.reading import CasesArgument, SheetOption, read_cases
from drgcore.errors import DrgcoreError
from drgcore.workbooks import write_tables

app = typer.Typer(add_completion=False)

_ROWS = 5
_ALIASES = {"doctor": "doctor_id"}


@app.command()
def audit(
    cases: CasesArgument,
    out: Annotated[
        Path | None, typer.Option(help="All tables: .xlsx, .csv or .parquet (one file a table).")
    ] = None,
    signals: Annotated[
        str, typer.Option(help=f"Comma-separated: {', '.join(SIGNAL_NAMES)}; all without it.")
    ] = "",
    by: Annotated[
        str, typer.Option(help="What is compared: hospital; or hospital,department; or doctor.")
    ] = "hospital",
    peers: Annotated[str, typer.Option(help="Compare with the region, or the level.")] = "region",
    fdr: Annotated[
        float, typer.Option(help="Share of false signals that is borne.", min=0.0, max=1.0)
    ] = 0.05,
    per_case: Annotated[
        bool, typer.Option("--cases", help="Write the list of cases too; needs --out.")
    ] = False,
    sheet: SheetOption = None,
    key: KeyOption = None,
) -> None:
    """Signals (线索), not verdicts: what differs from peers by more than chance, and the cases."""
    if per_case and out is None:
        raise DrgcoreError("--cases needs --out", hint="rows of patients are not printed")
    table = read_cases(cases, sheet=sheet)
    if key is not None:
        table = pseudonymise(table, read_key(key))
    found = audit_cases(
        table,
        _listed(signals),
        by=[_ALIASES.get(name, name) for name in _listed(by)],
        peers=peers,
        limits=Limits(fdr=fdr),
    )
    if out is not None:
        tables = {"summary": found.summary, "units": found.units}
        if per_case:
            tables["cases"] = found.cases
        write_tables(out, tables)
    _print(found)
    if out is not None:
        typer.echo(f"written {out}, {len(tables)} tables")


def _print(found: Audit) -> None:
    typer.echo(found.caution)
    for row in found.summary.to_dict("records"):
        typer.echo(f"\n{row['name']} ({row['signal']})：{row['definition']}")
        if row["not_run"]:
            typer.echo(f"  not run: {row['not_run']}")
            continue
        typer.echo(f"  {row['signals']} of {row['units']:,} units, {row['cases']:,} cases to see")
        units = found.units
        own = units[(units["signal"] == row["signal"]) & units["is_signal"]]
        for unit in own.head(_ROWS).to_dict("records"):
            typer.echo(_line(unit, [n for n in units.columns[1:] if n in _NAMES]))
        if len(own) > _ROWS:
            typer.echo(f"  … {len(own) - _ROWS} more")


_NAMES = ("hospital", "department", "doctor_id")


def _line(unit: dict[Any, Any], names: list[str]) -> str:
    who = " ".join(str(unit[name]) for name in names if not pd.isna(unit[name]))
    ratio = "–" if pd.isna(unit["ratio"]) else f"{unit['ratio']:.2f}"
    limits = "" if pd.isna(unit["lower"]) else f" ({unit['lower']:.2f}–{unit['upper']:.2f})"
    return (
        f"  {who:<12} observed {unit['observed']:>6,}  expected {unit['expected']:>8,.1f}"
        f"  ratio {ratio}{limits}"
    )


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]

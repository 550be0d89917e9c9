"""`drgcore audit`: signals of what an auditor should look at, and the cases behind them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from drgcore.audit import SIGNAL_NAMES, Audit, Limits, audit_cases
from drgcore.cases.pseudonyms import pseudonymise, read_key
from drgcore.cli.indicators import KeyOption
from drgcore.cli.options import MappingOption, SchemeOption
from drgcore.cli.reading import CasesArgument, SheetOption, read_coded
from drgcore.errors import DrgcoreError
from drgcore.language import _
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
    past: Annotated[
        Path | None,
        typer.Option(help="Grouped cases of an earlier period, with which each is compared."),
    ] = None,
    limits: Annotated[
        Path | None,
        typer.Option(help="Limits (.toml): split_days = 15, low_cost = 0.5, high_outliers = [3] …"),
    ] = None,
    fdr: Annotated[
        float | None,
        typer.Option(help="Share of false signals that is borne.", min=0.0, max=1.0),
    ] = None,
    per_case: Annotated[
        bool, typer.Option("--cases", help="Write the list of cases too; needs --out.")
    ] = False,
    scheme: SchemeOption = "chs-drg-3.0",
    mapping: MappingOption = "canonical",
    sheet: SheetOption = None,
    key: KeyOption = None,
) -> None:
    """Signals (线索), not verdicts: what differs from peers by more than chance, and the cases."""
    if per_case and out is None:
        raise DrgcoreError(_("--cases needs --out"), hint=_("rows of patients are not printed"))
    chosen = Limits() if limits is None else Limits.load(limits)
    if fdr is not None:
        chosen = chosen.model_copy(update={"fdr": fdr})
    secret = None if key is None else read_key(key)
    tables = [
        read_coded(path, mapping, sheet) for path in ((cases,) if past is None else (cases, past))
    ]
    if secret is not None:
        tables = [pseudonymise(table, secret) for table in tables]
    found = audit_cases(
        tables[0],
        _listed(signals),
        by=[_ALIASES.get(name, name) for name in _listed(by)],
        peers=peers,
        limits=chosen,
        scheme=scheme,
        past=None if past is None else tables[1],
    )
    written = {"summary": found.summary, "units": found.units}
    if per_case:
        written["cases"] = found.cases
    if out is not None:
        write_tables(out, written)
    _print(found)
    if out is not None:
        typer.echo(_("written {out}, {count} tables", out=out, count=len(written)))


def _print(found: Audit) -> None:
    typer.echo(found.caution)
    for row in found.summary.to_dict("records"):
        typer.echo(f"\n{row['name']} ({row['signal']}): {row['definition']}")
        if row["not_run"]:
            typer.echo("  " + _("not run: {reason}", reason=row["not_run"]))
            continue
        typer.echo(
            "  "
            + _(
                "{signals} of {units:,} units, {cases:,} cases to see",
                signals=row["signals"],
                units=row["units"],
                cases=row["cases"],
            )
        )
        units = found.units
        own = units[(units["signal"] == row["signal"]) & units["is_signal"]]
        for unit in own.head(_ROWS).to_dict("records"):
            typer.echo(_line(unit, [n for n in units.columns[1:] if n in _NAMES]))
        if len(own) > _ROWS:
            typer.echo("  " + _("… {count} more", count=len(own) - _ROWS))


_NAMES = ("hospital", "department", "doctor_id")


def _line(unit: dict[Any, Any], names: list[str]) -> str:
    who = " ".join(str(unit[name]) for name in names if not pd.isna(unit[name]))
    ratio = "–" if pd.isna(unit["ratio"]) else f"{unit['ratio']:.2f}"
    limits = "" if pd.isna(unit["lower"]) else f" ({unit['lower']:.2f}–{unit['upper']:.2f})"
    return (
        f"  {who:<12} "
        + _("observed {n:>6,}  expected {m:>8,.1f}", n=unit["observed"], m=unit["expected"])
        + "  "
        + _("ratio {ratio}{limits}", ratio=ratio, limits=limits)
    )


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]

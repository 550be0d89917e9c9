"""`drgcore indicators`: what a DRG office watches, by any keys."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from drgcore.cases.folders import are_several, find_files
from drgcore.cases.pseudonyms import pseudonymise, read_key
from drgcore.cli.options import MappingOption
from drgcore.cli.reading import CasesArgument, SheetOption, read_cases
from drgcore.cli.tables import plain_text
from drgcore.errors import DrgcoreError
from drgcore.indicators import INDICATORS, Indicators, compute_indicators
from drgcore.indicators.columns import checked_keys
from drgcore.language import _, heading
from drgcore.workbooks import write_tables

app = typer.Typer(add_completion=False)

SHOWN = ("cases", "cmi", "cost_index", "time_index", "average_stay", "low_risk_mortality")
_ROWS = 20

ByOption = Annotated[
    list[str],
    typer.Option(
        help="Keys, comma-separated: hospital, department, doctor, mdc, adrg, drg, month, level, "
        "pool; several times for several tables."
    ),
]
OutlierOption = Annotated[
    str,
    typer.Option(
        help="Multiples of the DRG's mean cost that make an outlier, as 0.4,3; without it the "
        "column case_class says it."
    ),
]

KeyOption = Annotated[
    Path | None,
    typer.Option(help="File of a secret: ids of doctors and patients become keyed hashes."),
]


@app.command()
def indicators(
    cases: CasesArgument,
    by: ByOption = ["hospital"],  # noqa: B006
    norms: Annotated[
        Path | None,
        typer.Option(help="Weights and means by DRG: relative_weight, mean_cost, mean_stay, …"),
    ] = None,
    last_year: Annotated[
        Path | None, typer.Option(help="Grouped cases of the same period of last year.")
    ] = None,
    outliers: OutlierOption = "",
    mapping: MappingOption = "canonical",
    sheet: SheetOption = None,
    key: KeyOption = None,
    show: Annotated[str, typer.Option(help="Indicators to print, comma-separated.")] = ",".join(
        SHOWN
    ),
    interval: Annotated[
        str,
        typer.Option(
            help="Intervals of means, indices and shares of fees: formula, or bootstrap, which "
            "draws the cases of each unit again and again."
        ),
    ] = "formula",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(help="All indicators with intervals and comparisons: .xlsx, .csv, .parquet."),
    ] = None,
) -> None:
    """CMI, cost and time index, mortality, rates and shares of hospitals, doctors, groups …"""
    wanted = [name.strip() for name in show.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in INDICATORS]
    if unknown:
        raise DrgcoreError(
            _("--show {unknown} is no indicator", unknown=unknown[0]),
            hint=_("it is one of {indicators}", indicators=", ".join(INDICATORS)),
        )
    source = source_of(cases, mapping, sheet, key)
    earlier = None if last_year is None else source_of(last_year, mapping, None, key)
    tables: dict[str, pd.DataFrame] = {}
    for text in by:
        keys = checked_keys([key.strip() for key in text.split(",") if key.strip()])
        found = compute_indicators(
            source,
            keys,
            norms=norms,
            last_year=earlier,
            outliers=multiples(outliers),
            interval=interval,
            seed=seed,
        )
        name = "-".join(keys) or "all"
        tables[name] = found.table
        tables[f"{name}-long"] = found.long()
        tables["norms"] = found.norms
        _print(name, found, wanted)
    if out is not None:
        write_tables(out, tables, keys=1)
        typer.echo(
            _(
                "written {out}{tables}",
                out=out,
                tables=_(", {count} tables", count=len(tables)) if len(tables) > 1 else "",
            )
        )


def source_of(cases: Path, mapping: str, sheet: str | None, key: Path | None) -> Any:
    """Parquet is read batch by batch; anything else, mapped or with pseudonyms, whole."""
    paths = [file.path for file in find_files(cases).files] if are_several(cases) else [cases]
    only_parquet = all(path.suffix == ".parquet" for path in paths)
    if only_parquet and mapping == "canonical" and key is None:
        return cases
    table = read_cases(cases, mapping, sheet)
    return table if key is None else pseudonymise(table, read_key(key))


def multiples(text: str) -> tuple[float, float] | None:
    """Read two multiples, as 0.4,3."""
    if not text:
        return None
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise DrgcoreError(
            _("--outliers {text!r} cannot be read", text=text), hint=_("write 0.4,3")
        ) from None
    return low, high


def _print(name: str, found: Indicators, wanted: list[str]) -> None:
    typer.echo(
        _(
            "{count:,} by {name}",
            count=len(found.table),
            name=_(", ").join(map(heading, name.split("-"))),
        )
    )
    table = found.table[[*found.by, *wanted]].head(_ROWS).copy()
    for column in wanted:
        table[column] = [number(column, value) for value in table[column]]
    if len(table):
        typer.echo(plain_text(table.fillna("–")))
    if len(found.table) > _ROWS:
        typer.echo(_("… {count:,} more", count=len(found.table) - _ROWS))
    long = found.long(*wanted)
    empty = (
        long[long["reason"] != ""]
        .groupby(["indicator", "reason"], sort=False, observed=True)
        .size()
    )
    for row in empty.rename("units").reset_index().to_dict("records"):
        typer.echo(
            _(
                "{indicator} is empty in {units:,}: {reason}",
                indicator=heading(row["indicator"]),
                units=row["units"],
                reason=row["reason"],
            )
        )


def number(name: str, value: float) -> str:
    """Write an indicator as people do; a dash for none."""
    if pd.isna(value):
        return "–"
    if name in ("cases", "grouped_cases", "groups"):
        return f"{value:,.0f}"
    if name.endswith(("_rate", "_share", "mortality")):
        return f"{value:.2%}"
    return f"{value:,.3f}" if name in ("cmi", "cost_index", "time_index") else f"{value:,.2f}"

"""`drgcore in-stay`: patients in house, their likely groups and warnings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from drgcore.cases import open_cases
from drgcore.cases.guessing import mapping_for
from drgcore.cli.options import ClinicalOption, HighOption, LowOption, MappingOption, SchemeOption
from drgcore.cli.reading import FILES, SheetOption, read_side
from drgcore.estimate import WARNINGS, estimate_in_stay, fit_likely_groups
from drgcore.language import _
from drgcore.workbooks import write_tables

app = typer.Typer(add_completion=False)

_SHOWN = 20


@app.command()
def in_stay(
    patients: Annotated[Path, typer.Argument(help=f"Patients in house: {FILES}.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help=".xlsx, .csv or .parquet.")],
    history: Annotated[Path, typer.Option(help=f"Finished cases of the past: {FILES}.")],
    payments: Annotated[
        Path | None, typer.Option(help="Expected payment by DRG [yuan]: drg, weight.")
    ] = None,
    high: HighOption = None,
    low: LowOption = None,
    scheme: SchemeOption = "chs-drg-3.0",
    mapping: MappingOption = "canonical",
    sheet: SheetOption = None,
    clinical: ClinicalOption = False,
    id_column: Annotated[str, typer.Option(help="Name of the id column.")] = "case_id",
) -> None:
    """Estimate group, payment and limits of patients in house from the codes and costs so far."""
    likely = fit_likely_groups(history, scheme, mapping=mapping, clinical_codes=clinical)
    where = mapping_for(mapping, patients, sheet=sheet)
    with open_cases(patients, sheet=sheet) as source:
        table = estimate_in_stay(
            source,
            likely,
            mapping=where,
            clinical_codes=clinical,
            case_id=id_column,
            payments=read_side(payments),
            high=high,
            low=low,
        )
    tables = {"patients": table, "calibration": likely.calibration}
    write_tables(out, tables)
    accuracy = likely.accuracy
    typer.echo(
        _(
            "{count:,} patients; of {cases:,.0f} finished cases held "
            "back the likeliest group came true in {first:.0%}, one of "
            "three in {first_three:.0%}",
            count=len(table),
            cases=accuracy["cases"],
            first=accuracy["first"],
            first_three=accuracy["first_three"],
        )
    )
    for reason, cases in table["warning"].value_counts().items():
        typer.echo(f"  {cases:>6,} {reason}: {WARNINGS[str(reason)]}")

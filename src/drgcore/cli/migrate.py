"""`drgcore scheme migrate`: the same cases by two schemes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import pyarrow.csv as pacsv
import typer

from drgcore.cli.reading import FILES, SheetOption, read_cases
from drgcore.files import whole_file
from drgcore.migration import migrate, migration_effect

_EFFECT = ("cases_after", "weight_before", "weight_after", "cmi_before", "cmi_after")


app = typer.Typer(add_completion=False)


@app.command()
def migrate_cases(
    cases: Annotated[Path, typer.Argument(help=f"Cases: {FILES}.")],
    before: Annotated[str, typer.Option(help="The scheme before.")] = "chs-drg-1.1",
    after: Annotated[str, typer.Option(help="The scheme after.")] = "chs-drg-3.0",
    mapping: Annotated[
        str, typer.Option(help="Where the columns are: canonical, hqms, or a .toml file.")
    ] = "canonical",
    sheet: SheetOption = None,
    clinical: Annotated[
        bool, typer.Option("--clinical", help="Codes are 国临版: translate them to 医保版 first.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for all tables as .csv.")] = None,
    case_id: Annotated[str, typer.Option(help="Column with the id of a case.")] = "case_id",
    cost: Annotated[str, typer.Option(help="Column with the cost of a case.")] = "total_cost",
    effect: Annotated[
        bool,
        typer.Option(
            "--effect", help="Also each hospital's weight; needs the columns hospital and cost."
        ),
    ] = False,
    threads: Annotated[int | None, typer.Option(help="All processors by default.")] = None,
) -> None:
    """Group the same cases by two schemes; show what moves, where to and why."""
    moved = migrate(
        cases,
        before,
        after,
        mapping=mapping,
        clinical_codes=clinical,
        sheet=sheet,
        case_id=case_id,
        cost=cost,
        threads=threads,
    )
    typer.echo(moved)
    tables: dict[str, Any] = dict(moved.tables())
    if effect:
        table = read_cases(cases, mapping, sheet, ["hospital", "hospital_level", "pool", cost])
        weighed = migration_effect(table, moved, cost=cost)
        shown = weighed.hospitals[["hospital", *_EFFECT]]
        typer.echo("weights of hospitals, by the mean costs of these cases")
        typer.echo(shown.to_string(index=False, float_format=lambda v: f"{v:,.4f}"))
        tables |= {f"effect_{name}": table for name, table in weighed.tables().items()}
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            with whole_file(out / f"{name}.csv") as part:
                if isinstance(table, pd.DataFrame):
                    table.to_csv(part, index=False)
                else:
                    pacsv.write_csv(table, str(part))
        typer.echo(f"{len(tables)} tables in {out}")

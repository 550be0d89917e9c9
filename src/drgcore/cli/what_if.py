"""`drgcore what-if`: the groups that a case would have if it were coded otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from drgcore.cases import open_cases
from drgcore.cases.guessing import mapping_for
from drgcore.cli.options import ClinicalOption, MappingOption, SchemeOption
from drgcore.cli.reading import FILES, SheetOption, read_side, values_by_pool
from drgcore.cli.select import one_case
from drgcore.cli.tables import plain_text
from drgcore.errors import DrgcoreError
from drgcore.estimate import pivotal_codes, pivotal_summary
from drgcore.estimate import what_if as group_otherwise
from drgcore.estimate.what_if import VARIANT_KINDS
from drgcore.language import _
from drgcore.points import Policy
from drgcore.workbooks import write_tables

app = typer.Typer(add_completion=False)


@app.command()
def what_if(
    src: Annotated[Path, typer.Argument(metavar="IN", help=f"Cases: {FILES}.")],
    row: Annotated[int | None, typer.Option(help="Number of the row, the first is 1.")] = None,
    case_id: Annotated[str | None, typer.Option("--id", help="Value of the id column.")] = None,
    id_column: Annotated[str, typer.Option(help="Name of the id column.")] = "case_id",
    pivotal: Annotated[
        Path | None,
        typer.Option(
            help="Instead of one case: of all of them those whose group hangs on one code, with "
            "that code; .xlsx, .csv or .parquet."
        ),
    ] = None,
    scheme: SchemeOption = "chs-drg-3.0",
    other: Annotated[list[str] | None, typer.Option(help="Another scheme, repeatable.")] = None,
    add_dx: Annotated[list[str] | None, typer.Option(help="A diagnosis to add.")] = None,
    add_proc: Annotated[list[str] | None, typer.Option(help="A procedure to add.")] = None,
    weights: Annotated[
        Path | None, typer.Option(help="Weights: drg, and relative_weight or base_points.")
    ] = None,
    policy: Annotated[str | None, typer.Option(help="Policy file or preset, for points.")] = None,
    value: Annotated[
        list[str] | None, typer.Option(help="Value of a point: pool=yuan, repeatable.")
    ] = None,
    by: Annotated[str, typer.Option(help="Order: record or payment.")] = "record",
    mapping: MappingOption = "canonical",
    sheet: SheetOption = None,
    clinical: ClinicalOption = False,
    out: Annotated[
        Path | None, typer.Option(help="All columns of the table: .xlsx, .csv or .parquet.")
    ] = None,
) -> None:
    """Group a case as it is coded and with one code otherwise; coding follows the record."""
    if by not in ("record", "payment"):
        raise DrgcoreError(_("--by {by!r} is no order", by=by), hint=_("it is record or payment"))
    known = read_side(weights)
    where = mapping_for(mapping, src, sheet=sheet)
    common: dict[str, Any] = {"mapping": where, "clinical_codes": clinical, "weights": known}
    if pivotal is not None:
        with open_cases(src, sheet=sheet) as source:
            table = pivotal_codes(source, scheme, case_id=id_column, **common)
        write_tables(pivotal, {"pivotal_codes": table})
        typer.echo(
            _(
                "{cases:,} cases hang on one code, {count:,} codes",
                cases=table["row"].nunique(),
                count=len(table),
            )
        )
        most = pivotal_summary(table).head(20)
        kinds = [VARIANT_KINDS[kind] for kind in most["kind"]]
        typer.echo(plain_text(most.assign(kind=kinds)))
        return
    found = group_otherwise(
        one_case(src, row=row, case_id=case_id, id_column=id_column, mapping=where, sheet=sheet),
        scheme,
        schemes=other or (),
        add_diagnoses=add_dx or (),
        add_procedures=add_proc or (),
        policy=None if policy is None else Policy.load(policy),
        values=values_by_pool(value),
        by=cast(Any, by),
        **common,
    )
    if out is not None:
        write_tables(out, {"what_if": found.table})
    typer.echo(found)

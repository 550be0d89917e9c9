"""`drgcore settle compare-returned`: the bureau's returned statement against ours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import typer

from drgcore.budget import Month, MonthSettlement, YearSettlement, settle_month
from drgcore.cli.options import MappingOption
from drgcore.cli.reading import FILES, DecisionsOption, SheetOption, read_side, values_by_pool
from drgcore.cli.settle import OutOption, PolicyOption, with_points
from drgcore.cli.tables import plain_text, write_all
from drgcore.errors import BudgetError
from drgcore.language import _
from drgcore.points import Policy
from drgcore.trial import (
    case_amounts,
    compare_returned,
    hospital_amounts,
    settle_trial,
    valued_cases,
)
from drgcore.trial.returned import is_by_case

app = typer.Typer(add_completion=False)

_SHOWN = 20


@app.command(name="compare-returned")
def returned(
    statement: Annotated[
        Path,
        typer.Argument(help=f"The returned statement, by case or by hospital: {FILES}."),
    ],
    cases: Annotated[Path, typer.Option(help=f"Our grouped cases: {FILES}.")],
    policy: PolicyOption,
    month: Annotated[str | None, typer.Option(help="The month, for example 2027-01.")] = None,
    year: Annotated[int | None, typer.Option(help="Or the year.")] = None,
    value: Annotated[
        list[str] | None,
        typer.Option(help="Value of a point, pool=yuan: for a hospital that has its own cases."),
    ] = None,
    hospital: Annotated[str | None, typer.Option(help="Only this hospital's.")] = None,
    quality: Annotated[Path | None, typer.Option(help="κ or scores, with --year.")] = None,
    decisions: DecisionsOption = None,
    mapping: MappingOption = "canonical",
    sheet: SheetOption = None,
    out: OutOption = None,
) -> None:
    """Compare groups, points, values, deductions and amounts, to the case and the fen."""
    if (month is None) == (year is None):
        raise BudgetError(_("say of what: either --month or --year"))
    rules = Policy.load(policy)
    earned = with_points(cases, rules, decisions, mapping, sheet)
    theirs = read_side(statement)
    assert theirs is not None
    by_case = is_by_case(theirs)
    values = values_by_pool(value)
    when = None if month is None else Month.parse(month)
    if values is not None:
        ours = _valued(earned, values, when, year, by_case)
    else:
        settled = _settled(earned, rules, when, year, quality, mapping)
        ours = case_amounts(earned, settled, rules) if by_case else hospital_amounts(settled)
    if hospital is not None:
        ours = ours[ours["hospital"] == hospital]
        if ours.empty:
            raise BudgetError(_("ours has no cases of hospital {hospital}", hospital=hospital))
    found = compare_returned(ours, theirs)
    said = []
    if out is not None:
        write_all({"by_kind": found.by_kind, "rows": _in_yuan(found.rows)}, out)
        said.append(_("{count} tables in {out}", count=2, out=out))
    typer.echo(found)
    if len(found.differing):
        shown = _in_yuan(found.differing.head(_SHOWN)).astype(object).fillna("")
        typer.echo(plain_text(shown))
    if len(found.differing) > _SHOWN:
        typer.echo(_("… {count:,} more; --out writes all", count=len(found.differing) - _SHOWN))
    for text in said:
        typer.echo(text)


def _settled(
    earned: pa.Table,
    rules: Policy,
    when: Month | None,
    year: int | None,
    quality: Path | None,
    mapping: str,
) -> MonthSettlement | YearSettlement:
    if when is None:
        assert year is not None
        return settle_trial(earned, rules, year, read_side(quality, mapping)).year
    before = None
    for month in Month.of_year(when.year)[: when.number - 1]:
        before = settle_month(earned, rules, month, before)
    return settle_month(earned, rules, when, before)


def _valued(
    earned: pa.Table,
    values: dict[str, str],
    when: Month | None,
    year: int | None,
    by_case: bool,
) -> pd.DataFrame:
    """Our cases of the period at the values that were published."""
    days = pc.cast(earned.column("discharge_date"), pa.date32())
    inside = pc.equal(pc.year(days), when.year if when is not None else year)
    if when is not None:
        inside = pc.and_(inside, pc.equal(pc.month(days), when.number))
    ours = valued_cases(earned.filter(inside), values)
    if by_case:
        return ours
    sums = ours.groupby(["hospital", "pool"], as_index=False, observed=True)
    return sums.agg(
        points=("points", "sum"),
        value=("value", "first"),
        deduction_fen=("deduction_fen", "sum"),
        amount_fen=("amount_fen", "sum"),
    )


def _in_yuan(rows: pd.DataFrame) -> pd.DataFrame:
    fen = [name for name in rows if str(name).endswith("_fen")]
    table = rows.assign(**{str(name): rows[name] / 100 for name in fen})
    return table.rename(columns={name: str(name).removesuffix("_fen") for name in fen})

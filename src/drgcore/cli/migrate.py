"""`drgcore scheme migrate`: the same cases by two schemes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import pyarrow.csv as pacsv
import typer

from drgcore.cli.options import ClinicalOption, MappingOption
from drgcore.cli.reading import FILES, SheetOption, read_cases
from drgcore.cli.tables import plain_text
from drgcore.errors import BudgetError
from drgcore.files import whole_file
from drgcore.language import _
from drgcore.migration import migrate, migration_effect
from drgcore.progress import tracked

_EFFECT = ("cases_after", "weight_before", "weight_after", "cmi_before", "cmi_after")
_MONEY = ("before", "after", "difference")
_LARGEST = 15


app = typer.Typer(add_completion=False)


@app.command()
def migrate_cases(
    cases: Annotated[Path, typer.Argument(help=f"Cases: {FILES}.")],
    before: Annotated[str, typer.Option(help="The scheme before.")] = "chs-drg-2.0",
    after: Annotated[str, typer.Option(help="The scheme after.")] = "chs-drg-3.0",
    mapping: MappingOption = "canonical",
    sheet: SheetOption = None,
    clinical: ClinicalOption = False,
    out: Annotated[Path | None, typer.Option(help="Folder for all tables as .csv.")] = None,
    case_id: Annotated[str, typer.Option(help="Column with the id of a case.")] = "case_id",
    cost: Annotated[str, typer.Option(help="Column with the cost of a case.")] = "total_cost",
    effect: Annotated[
        bool,
        typer.Option(
            "--effect",
            help="Also weights of hospitals, departments and MDC; needs hospital and cost.",
        ),
    ] = False,
    budget: Annotated[
        list[str] | None,
        typer.Option(
            metavar="POOL=YUAN",
            help="Budget of a pool, split by weight; once for each pool. Means --effect.",
        ),
    ] = None,
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
    if effect or budget:
        columns = ["hospital", "hospital_level", "department", "pool", cost]
        table = read_cases(cases, mapping, sheet, columns)
        budgets = dict(map(_pool_budget, budget)) if budget else None
        weighed = migration_effect(table, moved, budgets=budgets, cost=cost)
        typer.echo(_("weights of hospitals, by the mean costs of these cases"))
        _show(weighed.hospitals[["hospital", *_EFFECT]])
        typer.echo("MDC")
        _show(weighed.mdcs[["mdc", *_EFFECT]])
        if weighed.departments["department"].any():
            _show_largest(
                _("departments"), weighed.departments, ["hospital", "department", *_EFFECT]
            )
        if weighed.money is not None and weighed.money_departments is not None:
            typer.echo(_("money of hospitals [yuan]"))
            _show(_yuan(weighed.money)[["pool", "hospital", *_MONEY]])
            if weighed.departments["department"].any():
                parts = _yuan(weighed.money_departments)
                _show_largest(
                    _("money of departments [yuan]"),
                    parts,
                    ["pool", "hospital", "department", *_MONEY],
                )
        tables |= {f"effect_{name}": table for name, table in weighed.tables().items()}
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        writing = tracked(list(tables.items()), _("writing {name}", name=out.name), _("tables"))
        for name, table in writing:
            with whole_file(out / f"{name}.csv") as part:
                if isinstance(table, pd.DataFrame):
                    table.to_csv(part, index=False)
                else:
                    pacsv.write_csv(table, str(part))
        typer.echo(_("{count} tables in {out}", count=len(tables), out=out))


def _pool_budget(text: str) -> tuple[str, str]:
    pool, sign, amount = text.partition("=")
    if not (pool and sign and amount):
        raise BudgetError(
            _("{text!r} is no budget of a pool", text=text),
            hint=_("Write it as --budget employee=9000000."),
        )
    return pool, amount


def _yuan(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(**{name: table[f"{name}_fen"] / 100 for name in _MONEY})


def _show(table: pd.DataFrame) -> None:
    typer.echo(plain_text(table, float_format=lambda v: f"{v:,.2f}"))


def _show_largest(title: str, table: pd.DataFrame, columns: list[str]) -> None:
    """The rows that change most; the others are in the files of --out."""
    last = columns[-1] if columns[-1] == "difference" else None
    change = table[last] if last else table["weight_after"] - table["weight_before"]
    order = change.abs().sort_values(ascending=False, kind="stable").index
    typer.echo(
        _(
            "{title}: the {largest} of {count} that change most",
            title=title,
            largest=min(_LARGEST, len(table)),
            count=len(table),
        )
    )
    _show(table.loc[order[:_LARGEST], columns])

"""`drgcore scenario`: what other policies would mean for the same cases."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from drgcore.cli.options import MappingOption
from drgcore.cli.reading import (
    CasesArgument,
    DecisionsOption,
    SheetOption,
    read_cases,
    read_side,
)
from drgcore.cli.settle import ItemsOption
from drgcore.cli.tables import print_table, table_console
from drgcore.errors import PolicyError
from drgcore.language import _
from drgcore.points import Policy
from drgcore.scenarios import compare as compare_policies
from drgcore.scenarios.tables import in_yuan

app = typer.Typer(no_args_is_help=True, add_completion=False)

_SHOWN = {
    "pools": ["pool", "policy", "points", "point_value", "limited", "money", "difference"],
    "winners": ["policy", "hospital", "level", "money", "difference", "relative_difference"],
    "losers": ["policy", "hospital", "level", "money", "difference", "relative_difference"],
}


@app.callback()
def _scenario() -> None:
    # With a callback, a single command keeps its name.
    pass


@app.command()
def compare(
    cases: CasesArgument,
    policy: Annotated[
        list[str],
        typer.Option(help="Policy file (.toml) or preset; once for each policy."),
    ],
    year: Annotated[int, typer.Option(help="The year.")],
    decisions: DecisionsOption = None,
    items: ItemsOption = None,
    mapping: MappingOption = "canonical",
    sheet: SheetOption = None,
    out: Annotated[Path | None, typer.Option(help="Folder for all tables as .csv.")] = None,
    excel: Annotated[Path | None, typer.Option(help="Workbook (.xlsx) for the round.")] = None,
) -> None:
    """Set policies side by side; all are compared with the first."""
    if len(set(policy)) < len(policy):
        raise PolicyError(_("a policy is given twice"), hint=_("name each file once"))
    stems = [Path(path).stem for path in policy]
    labels = stems if len(set(stems)) == len(stems) else policy
    policies = {label: Policy.load(path) for label, path in zip(labels, policy, strict=True)}
    found = compare_policies(
        read_cases(cases, mapping, sheet),
        policies,
        year=year,
        decisions=read_side(decisions, mapping),
        items=read_side(items, mapping),
    )
    console = table_console()
    for name, columns in _SHOWN.items():
        table = in_yuan(getattr(found, name), found.places)
        # Of what had no money before there is no share.
        shares = table["relative_difference"]
        table["relative_difference"] = shares.map("{:+.2%}".format).where(shares.notna(), "")
        print_table(console, name, pd.DataFrame({c: map(_text, table[c]) for c in columns}))
    if out is not None:
        found.to_csv(out)
        typer.echo(_("all tables in {out}", out=out))
    if excel is not None:
        found.to_excel(excel)
        typer.echo(_("workbook {excel}", excel=excel))


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.6f}"
    return f"{value:,}" if isinstance(value, Decimal | int) else str(value)

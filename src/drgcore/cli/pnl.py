"""`drgcore pnl`: profit and loss of hospitals, departments, doctors and groups."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from rich.cells import cell_len

from drgcore.cases.pseudonyms import pseudonymise, read_key
from drgcore.cli.indicators import KeyOption
from drgcore.cli.options import MappingOption
from drgcore.cli.reading import CasesArgument, DecisionsOption, SheetOption, read_cases, read_side
from drgcore.cli.tables import plain_text
from drgcore.errors import DrgcoreError
from drgcore.indicators import fee_structure, profit_and_loss, quadrants
from drgcore.language import _, get_language, heading, word
from drgcore.points import Policy
from drgcore.points.tables import read_table
from drgcore.workbooks import write_tables

app = typer.Typer(add_completion=False)

_ROWS = 20


@app.command()
def pnl(
    cases: CasesArgument,
    by: Annotated[
        list[str],
        typer.Option(help="Keys, comma-separated: drg, department, doctor, month, case_class …"),
    ] = ["hospital"],  # noqa: B006
    policy: Annotated[str | None, typer.Option(help="Policy file (.toml) or preset.")] = None,
    value: Annotated[
        str, typer.Option(help="Yuan a point: 64.5, or by pool: employee=64.5,resident=58.")
    ] = "",
    weights: Annotated[
        Path | None,
        typer.Option(help="Without a policy: drg and base_points or relative_weight."),
    ] = None,
    rate: Annotated[
        str, typer.Option(help="Without a policy: yuan a point or for weight 1, as --value.")
    ] = "",
    basis: Annotated[
        str, typer.Option(help="Without a policy: the price covers total_cost, or the fund part.")
    ] = "total_cost",
    cost: Annotated[str, typer.Option(help="Column of the cost [yuan].")] = "total_cost",
    norms: Annotated[
        Path | None,
        typer.Option(help="The region's drg and mean_cost, where these cases are one hospital's."),
    ] = None,
    decisions: DecisionsOption = None,
    mapping: MappingOption = "canonical",
    sheet: SheetOption = None,
    key: KeyOption = None,
    per_case: Annotated[
        bool, typer.Option("--cases", help="Write one row a case too; needs --out.")
    ] = False,
    groups: Annotated[
        bool, typer.Option("--groups", help="Also quadrants of the DRGs and fees beside peers.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="The tables [yuan]: .xlsx, .csv or .parquet.")
    ] = None,
) -> None:
    """What cases are paid against what they cost, and why it differs; parts add up to the fen."""
    if per_case and out is None:
        raise DrgcoreError(_("--cases needs --out"), hint=_("rows of patients are not printed"))
    table = read_cases(cases, mapping, sheet)
    if key is not None:
        table = pseudonymise(table, read_key(key))
    found = profit_and_loss(
        table,
        None if policy is None else Policy.load(policy),
        _values("--value", value),
        weights=None if weights is None else read_table(weights),
        rate=_values("--rate", rate),
        basis=basis,
        cost=cost,
        norms=None if norms is None else read_table(norms),
        decisions=read_side(decisions),
    )
    tables: dict[str, pd.DataFrame] = {"total": in_yuan(found.by())}
    for text in by:
        keys = [key.strip() for key in text.split(",") if key.strip()]
        if keys:
            tables["-".join(keys)] = in_yuan(found.by(keys))
    for name, shown in tables.items():
        _print(name, shown)
    for row in found.left_out.to_dict("records"):
        typer.echo(
            _("left out: {cases:,} cases, {reason}", cases=row["cases"], reason=row["reason"])
        )
    if groups:
        units = [k for k in ("hospital",) if k in table.column_names]
        tables["quadrants"] = quadrants(table, units)
        tables["fees"] = fee_structure(table, [*units, "drg"])
        counted = tables["quadrants"]["quadrant"].value_counts()
        typer.echo(
            _(
                "quadrants: {items}",
                items=_(", ").join(f"{n:,} {word(str(name))}" for name, n in counted.items()),
            )
        )
    if per_case:
        tables["cases"] = in_yuan(found.cases())
    if out is not None:
        write_tables(out, tables)
        typer.echo(_("written {out}, {count} tables", out=out, count=len(tables)))


def in_yuan(table: pd.DataFrame) -> pd.DataFrame:
    """Amounts of fen as yuan with two decimals."""
    shown = table.copy()
    amounts = [name for name in table.columns if name.endswith("_fen")]
    for name in amounts:
        shown[name] = table[name] / 100
    shown = shown.rename(columns=lambda name: name.removesuffix("_fen"))
    # Said with the table, since a part such as `value` is no amount in other tables.
    shown.attrs["money"] = [name.removesuffix("_fen") for name in amounts]
    return shown


def _values(option: str, text: str) -> float | dict[str, float] | None:
    """Read one number, or one for each pool."""
    if not text:
        return None
    try:
        if "=" not in text:
            return float(text)
        pairs = [part.split("=") for part in text.split(",")]
        return {pool.strip(): float(number) for pool, number in pairs}
    except ValueError:
        raise DrgcoreError(
            _("{option} {text!r} cannot be read", option=option, text=text),
            hint=_("write 64.5 or employee=64.5,resident=58"),
        ) from None


def _print(name: str, table: pd.DataFrame) -> None:
    keys = [c for c in table.columns if table[c].dtype == object]
    amounts = [c for c in table.columns if c not in (*keys, "cases")]
    unit = _("yuan") if not keys else _("10,000 yuan")
    typer.echo(f"{_(', ').join(map(heading, name.split('-')))} [{unit}]")
    # A part that is nothing anywhere is left out of what is printed.
    amounts = [c for c in amounts if (table[c] != 0).any()]
    if not keys and len(table):
        for column in ("cases", *amounts):
            amount = f"{table[column].iloc[0]:,.{0 if column == 'cases' else 2}f}"
            title = heading(column) if get_language() == "zh" else column
            typer.echo(f"  {title}{amount:>{36 - cell_len(title)}}")
        return
    # Payment and cost are in the file; here their difference and why.
    amounts = [c for c in amounts if c not in ("payment", "cost")]
    shown = table.sort_values("surplus", kind="stable").head(_ROWS)[[*keys, "cases", *amounts]]
    for column in amounts:
        shown[column] = (shown[column] / 10_000).map("{:,.1f}".format)
    typer.echo(plain_text(shown.fillna("–")))
    if len(table) > _ROWS:
        typer.echo(_("… {count:,} more, with a greater surplus", count=len(table) - _ROWS))

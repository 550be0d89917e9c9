"""`drgcore forecast`: each month's share of a coming year, with a backtest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from drgcore.cli.options import MappingOption
from drgcore.cli.reading import SheetOption, read_together
from drgcore.cli.tables import plain_text
from drgcore.errors import DrgcoreError
from drgcore.files import whole_file
from drgcore.forecast import (
    METHODS,
    backtest_shares,
    backtest_summary,
    forecast_shares,
    monthly_totals,
)
from drgcore.language import _

app = typer.Typer(no_args_is_help=True, add_completion=False)

_COMPARED = ("uniform", "last_year", "seasonal_mean")
_SHOWN: dict[str, Callable[..., Any]] = {
    "misplaced": "{:.2%}".format,
    "rmse": "{:.3%}".format,
    "coverage": "{:.0%}".format,
    "worst_error": "{:.2%}".format,
    "to_uniform": "{:.2f}".format,
    "to_last_year": "{:.2f}".format,
}


@app.callback()
def _group() -> None:
    """Forecast from history."""


@app.command()
def shares(
    cases: Annotated[
        list[Path], typer.Argument(help="Cases of two years or more, in one file or several.")
    ],
    year: Annotated[int, typer.Option(help="The year to forecast.")],
    value: Annotated[
        str, typer.Option(help="What is shared: points, total_cost, cases, or a column.")
    ] = "points",
    by: Annotated[str, typer.Option(help="Column of the groups; empty for none.")] = "pool",
    method: Annotated[str, typer.Option(help=f"One of {', '.join(METHODS)}.")] = "calendar",
    level: Annotated[float, typer.Option(help="Probability of the intervals.")] = 0.9,
    monthly: Annotated[
        bool, typer.Option("--monthly", help="The files hold monthly totals: pool, month, value.")
    ] = False,
    leave_out: Annotated[
        bool, typer.Option("--leave-out", help="Leave out months and years that are not whole.")
    ] = False,
    mapping: MappingOption = "canonical",
    sheet: SheetOption = None,
    out: Annotated[Path | None, typer.Option(help="The shares as .csv.")] = None,
) -> None:
    """Forecast each month's share of a year, and what that was worth in earlier years."""
    group = by or None
    decision: Literal["error", "leave_out"] = "leave_out" if leave_out else "error"
    names = ["month", "value"] if monthly else ["discharge_date", "case_id", value]
    table = read_together(cases, [*names, *([group] if group else [])], mapping, sheet)
    totals = table if monthly else monthly_totals(table, value, group, incomplete=decision)
    forecast = forecast_shares(totals, year, method, by=group, level=level, incomplete=decision)
    typer.echo(forecast)
    if group:
        typer.echo(f"\n{forecast.to_toml()}")
    try:
        tried = backtest_shares(
            totals,
            list(dict.fromkeys([*_COMPARED, method])),
            before=year,
            by=group,
            level=level,
            incomplete=decision,
        )
    except DrgcoreError as error:
        typer.echo("\n" + _("no backtest: {message}", message=error.message))
    else:
        typer.echo("\n" + _("backtest: each year from the years before it"))
        summary = backtest_summary(tried, group)
        typer.echo(plain_text(summary, formatters=_SHOWN))
    if out is not None:
        with whole_file(out) as part:
            forecast.table.to_csv(part, index=False)
        typer.echo("\n" + _("shares in {out}", out=out))

"""`drgcore weights`: base points, statistics, performance, coefficients and local groups."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from drgcore.cases import open_cases
from drgcore.cases.guessing import mapping_for
from drgcore.cli.options import MappingOption
from drgcore.cli.reading import CasesArgument, SheetOption, read_cases, read_side
from drgcore.cli.tables import plain_text
from drgcore.errors import DrgcoreError
from drgcore.files import whole_file
from drgcore.language import _, word
from drgcore.schemes import load_scheme
from drgcore.schemes.store import find_base
from drgcore.subdivision import SplitCandidates, SplitLimits, subdivide
from drgcore.weights import (
    Credibility,
    History,
    Trimming,
    base_points,
    compare_groupings,
    group_statistics,
    grouping_performance,
    hospital_coefficients,
    hospital_group_coefficients,
    level_coefficients,
    level_cost_coefficients,
    read_history,
    trim_iqr,
    trim_multiples,
    trim_none,
    trim_norm,
    trim_percentiles,
)

app = typer.Typer(no_args_is_help=True, add_completion=False)

_SHOWN = 20

TrimOption = Annotated[
    str,
    typer.Option(
        help="none, iqr, iqr-log, norm, multiples:LOW,HIGH or percentiles:LOW,HIGH: "
        "which cases are left out of means."
    ),
]
OutOption = Annotated[Path | None, typer.Option(help="The table as .csv.")]


@app.command("statistics")
def statistics(
    cases: CasesArgument,
    by: Annotated[str, typer.Option(help="Keys, comma-separated: drg, hospital_level, …")] = "drg",
    trim: TrimOption = "none",
    mapping: MappingOption = "canonical",
    sheet: SheetOption = None,
    out: OutOption = None,
) -> None:
    """Cases, mean, spread, quantiles and stay of groups."""
    history = read_history(read_cases(cases, mapping, sheet))
    table = group_statistics(history, by.split(","), trimming=_trimming(trim)(history))
    _show(table, out, history)


@app.command("base-points")
def base_points_(
    cases: CasesArgument,
    scale: Annotated[float, typer.Option(help="Points of relative weight 1, usually 100.")],
    out: Annotated[Path, typer.Option(help="The table that a policy reads (.csv).")],
    trim: TrimOption = "none",
    year_weights: Annotated[
        str, typer.Option(help="How much each year counts, for example 2024:1,2025:2,2026:7.")
    ] = "",
    smooth: Annotated[
        float | None,
        typer.Option(help="Cases with which a group's history and its ADRG's count the same."),
    ] = None,
    scheme: Annotated[str, typer.Option(help="Scheme that all cases must be grouped by.")] = "",
    national: Annotated[
        Path | None, typer.Option(help="National weights: drg, relative_weight.")
    ] = None,
    n_min: Annotated[int, typer.Option(help="Least cases of a stable group.")] = 5,
    cv_max: Annotated[float, typer.Option(help="Greatest CV of a stable group.")] = 1.0,
    mapping: MappingOption = "canonical",
    sheet: SheetOption = None,
) -> None:
    """Relative weights and base points of the DRGs, as a policy reads them."""
    history = read_history(read_cases(cases, mapping, sheet))
    trimming = _trimming(trim)(history)
    known = read_side(national, mapping)
    found = base_points(
        history,
        scale=scale,
        trimming=trimming,
        n_min=n_min,
        cv_max=cv_max,
        year_weights=years_of(year_weights),
        credibility=None if smooth is None else Credibility("adrg", smooth),
        national=known,
        absent=() if known is None else ("national",),
        scheme=scheme or None,
    )
    found.write(out)
    table = found.table
    typer.echo(
        f"{trimming}\n"
        + _(
            "mean cost {mean_cost:,.2f} yuan (base_points.mean_cost of a "
            "policy); mean weight {mean_relative_weight:.4f}",
            mean_cost=found.mean_cost,
            mean_relative_weight=found.mean_relative_weight,
        )
    )
    for source, number in table["source"].value_counts().items():
        typer.echo("  " + _("{number:,} DRG from {source}", number=number, source=source))
    typer.echo("  " + _("{count:,} stable", count=int(table["stable"].sum())))
    if found.without:
        typer.echo(_("no base points, and no row: {without}", without=", ".join(found.without)))
    _tell_left_out(history)
    typer.echo(_("written {out}", out=out))


@app.command("performance")
def performance(
    cases: CasesArgument,
    against: Annotated[
        Path | None, typer.Option(help="The same cases in the same order, grouped otherwise.")
    ] = None,
    trim: TrimOption = "none",
    mapping: MappingOption = "canonical",
    sheet: SheetOption = None,
    out: OutOption = None,
) -> None:
    """RIV, CV below 1, grouping rate, with intervals; or two groupings of the same cases."""
    history = read_history(read_cases(cases, mapping, sheet))
    trimming = _trimming(trim)(history)
    if against is None:
        table = grouping_performance(history, trimming=trimming)
    else:
        table = compare_groupings(history, read_cases(against, mapping), trimming=trimming)
    _show(table, out, history)


@app.command("coefficients")
def coefficients(
    cases: CasesArgument,
    of: Annotated[str, typer.Option(help="level, level-drg, hospital or hospital-drg.")],
    trim: TrimOption = "none",
    mapping: MappingOption = "canonical",
    sheet: SheetOption = None,
    out: OutOption = None,
) -> None:
    """Coefficients from history, as the components of a policy take them."""
    table, methods = read_cases(cases, mapping, sheet), {
        "level": level_coefficients,
        "level-drg": level_cost_coefficients,
        "hospital": hospital_coefficients,
        "hospital-drg": hospital_group_coefficients,
    }  # fmt: skip
    if of not in methods:
        raise DrgcoreError(
            _("--of {of} must be one of {methods}", of=of, methods=", ".join(methods))
        )
    history = read_history(table)
    _show(methods[of](table, trimming=_trimming(trim)(history)), out, history)


@app.command("subdivide")
def subdivide_(
    cases: Annotated[Path, typer.Argument(help="Cases to group, with total_cost.")],
    out: Annotated[Path, typer.Option(help="Folder for the scheme and the report.")],
    name: Annotated[str, typer.Option(help="Short name of the new scheme.")],
    scheme: Annotated[str, typer.Option(help="The base.")] = "chs-drg-3.0",
    mapping: MappingOption = "canonical",
    sheet: SheetOption = None,
    cost: Annotated[str, typer.Option(help="The column of cost.")] = "total_cost",
    trim: TrimOption = "none",
    min_cases: Annotated[int, typer.Option(help="Least cases of a new group.")] = 30,
    min_difference: Annotated[float, typer.Option(help="Least relative difference.")] = 0.2,
    stay: Annotated[str, typer.Option(help="Limits of days in hospital to try, as 3,30.")] = "",
    icu: Annotated[str, typer.Option(help="Limits of hours in intensive care to try.")] = "",
    merge: Annotated[bool, typer.Option(help="Also merge DRGs that do not differ.")] = True,
) -> None:
    """Propose local DRGs: a scheme that groups like any other, and the reason of each cut."""
    base = load_scheme(scheme)
    # The overlay names its base, which must be there: said now, not after the search.
    find_base(base.name, out)
    where = mapping_for(mapping, cases, sheet=sheet)
    with open_cases(cases, sheet=sheet) as source:
        found = subdivide(
            source,
            base,
            candidates=SplitCandidates(stay_days=_numbers(stay), icu_hours=_numbers(icu)),
            limits=SplitLimits(min_cases=min_cases, min_difference=min_difference, merge=merge),
            trim=_trimming(trim),
            name=name,
            mapping=where,
            cost=cost,
        )
    typer.echo(found)
    report = out / f"{name}-report"
    found.write(report)
    compiled = found.compile(out)
    typer.echo(_("scheme in {folder}, report in {report}", folder=compiled.folder, report=report))


def _trimming(text: str) -> Callable[[History], Trimming]:
    """Turn the option into a method of trimming."""
    method, _other, limits = text.partition(":")
    plain: dict[str, Callable[[History], Trimming]] = {
        "none": trim_none,
        "iqr": trim_iqr,
        "iqr-log": lambda history: trim_iqr(history, log=True),
        "norm": trim_norm,
    }
    if method in plain and not limits:
        return plain[method]
    between = {"multiples": trim_multiples, "percentiles": trim_percentiles}
    try:
        low, high = (float(part) for part in limits.split(","))
        chosen = between[method]
    except (KeyError, ValueError):
        raise DrgcoreError(
            _("--trim {text!r} is no method of trimming", text=text),
            hint=_(
                "{plain}, or {between} with limits, as multiples:0.4,2.5",
                plain=", ".join(plain),
                between=" or ".join(between),
            ),
        ) from None
    return lambda history: chosen(history, low, high)


def years_of(text: str) -> dict[int, float] | None:
    """Read how much each year counts, as ``2025:1,2026:2``; None for an empty text."""
    if not text:
        return None
    try:
        pairs = [part.split(":") for part in text.split(",")]
        return {int(year): float(weight) for year, weight in pairs}
    except ValueError:
        raise DrgcoreError(
            _("--year-weights {text!r} cannot be read", text=text),
            hint=_("write 2024:1,2025:2,2026:7"),
        ) from None


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(",") if part)
    except ValueError:
        raise DrgcoreError(
            _("{text!r} is no list of whole numbers", text=text), hint=_("write 3,30")
        ) from None


def _show(table: pd.DataFrame, out: Path | None, history: History) -> None:
    text = plain_text(table.head(_SHOWN), float_format=lambda v: f"{v:,.4f}")
    typer.echo(text)
    if len(table) > _SHOWN:
        typer.echo(_("… {count:,} more rows", count=len(table) - _SHOWN))
    _tell_left_out(history)
    if out is not None:
        with whole_file(out) as part:
            table.to_csv(part, index=False)
        typer.echo(_("written {out}", out=out))


def _tell_left_out(history: History) -> None:
    for reason, number in history.left_out.to_numpy().tolist():
        typer.echo(_("left out: {number:,} cases, {reason}", number=number, reason=word(reason)))

"""A policy from grouped cases of the past: what they give is filled in, all else stays open."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import tomlkit

from drgcore.cases.attributes import dates_of, select_columns
from drgcore.errors import CaseSchemaError, DrgcoreError, PolicyError
from drgcore.forecast import forecast_shares, monthly_totals
from drgcore.language import _
from drgcore.points.policy import build
from drgcore.points.policy_file import find_policy, named_files, read_toml
from drgcore.points.problems import ASKED
from drgcore.rounding import round_half_up
from drgcore.trial.drafts import Draft, HistoryPolicy
from drgcore.trial.history_coefficients import COEFFICIENTS, component_numbers, new_component
from drgcore.weights import (
    GroupWeights,
    History,
    Trimming,
    base_points,
    read_history,
    trim_iqr,
    trim_none,
    trim_norm,
)

HISTORY_COLUMNS = (
    *("case_id", "drg", "status", "scheme", "total_cost", "patient_paid", "hospital"),
    *("hospital_level", "pool", "discharge_date"),
)
"""Columns of grouped cases that a policy may be made from; drg and total_cost must be there."""

TRIMS: Mapping[str, Callable[[History], Trimming]] = {
    "none": trim_none,
    "iqr": trim_iqr,
    "iqr-log": lambda history: trim_iqr(history, log=True),
    "norm": trim_norm,
}
"""Methods of trimming by name."""


def policy_from_history(
    cases: Any,
    preset: str | Path = "blank",
    *,
    year: int,
    name: str,
    trim: str | None = None,
    year_weights: Mapping[int, float] | None = None,
    scale: float | None = None,
    coefficients: str | None = None,
    method: str = "calendar",
    document: str | None = None,
) -> HistoryPolicy:
    """Start a policy from grouped cases of the past.

    Of cases with a day of discharge those of earlier years are taken. Where there are none, a year
    is tried by its own cases: all are taken, and the months' shares are what they were.

    Base points and means of the DRGs are always taken from the cases. Coefficients and monthly
    shares are filled in where the preset leaves them empty, or has invented ones. What cases cannot
    give, budgets and every rule, stays as the preset has it: stated, or asked for.

    Parameters
    ----------
    cases : DataFrame or Arrow table
        Grouped cases: `drg`, `total_cost` [yuan]; `hospital_level` or `hospital` for coefficients;
        `pool` and `discharge_date` for monthly shares.
    preset : str or Path, default "blank"
        A preset, or a policy file, for example last year's.
    year : int
        The year that the policy is for; it applies from its 1 January.
    name : str
        Name of the policy, and of the tables beside it.
    trim : {"none", "iqr", "iqr-log", "norm"}, optional
        Cases that the means leave out; else as the preset's `calibration` says, else none.
    year_weights : mapping of int to float, optional
        How much each year counts; else as the preset says, else all cases alike.
    scale : float, optional
        Points of relative weight 1; else the preset's. Where neither has it, the table holds
        relative weights and the scale is asked for.
    coefficients : str, optional
        For a preset without components: the one that there shall be, one of `COEFFICIENTS`.
    method : str, default "calendar"
        How months are forecast, see `forecast_shares`; not where all cases are of the year itself.
    document : str, optional
        What the policy names as the source of these numbers; else grouped cases.

    Returns
    -------
    HistoryPolicy
        Text and tables, not yet written.

    Raises
    ------
    CaseSchemaError
        For cases without drg or total_cost, or of which none is usable.
    PolicyError
        For an unknown preset, or a policy file with amendments.
    DrgcoreError
        For an unknown method, or weights of other years than the cases have.

    Examples
    --------
    >>> import drgcore
    >>> past = drgcore.group(drgcore.sample_cases(2000, "chs-drg-3.0", seed=1, year=2026))
    >>> made = policy_from_history(past, "jinhua-2017", year=2027, name="mine")
    >>> sorted(made.tables)
    ['mine-base-points.csv', 'mine-hospital-drg.csv']
    >>> all(problem.missing for problem in made.problems)
    True
    """
    origin = find_policy(preset)
    data = read_toml(origin)
    _check(data, origin, trim, coefficients)
    cases, own_year = _before(cases, year)
    history = read_history(cases)
    rules = data.get("calibration") or {}
    trimming = TRIMS[trim or rules.get("trim") or "none"](history)
    weights = year_weights or _weights_by_year(rules.get("year_weights") or (), history)
    draft = Draft(name, tomlkit.parse(origin.read_text("utf-8-sig")), not data.get("fictitious"))
    draft.left += own_year
    _base_points(draft, data, history, trimming, weights, scale)
    _coefficients(draft, data, cases, trimming, coefficients)
    _months(draft, data, cases, year, "" if own_year else method)
    source = document or _("grouped cases")
    if history.year is not None:
        years = ", ".join(history.key("year").names)
        source = _("{document} of {years}", document=source, years=years)
    _head(draft, year, _("{document}; trimming: {trimming}", document=source, trimming=trimming))
    text = tomlkit.dumps(draft.document)
    made = tomllib.loads(text, parse_float=Decimal)
    _other, problems = build(made)
    kept = {file: origin.parent / file for file in named_files(made) if file not in draft.tables}
    kept = {file: place for file, place in kept.items() if place.is_file()}
    return HistoryPolicy(
        text, draft.tables, kept, tuple(draft.filled), tuple(draft.left), tuple(problems)
    )


def _check(
    data: Mapping[str, Any], origin: Path, trim: str | None, coefficients: str | None
) -> None:
    if data.get("amendments"):
        raise PolicyError(
            _("it has amendments, and history fills in one set of parameters"),
            where=str(origin),
            hint=_("give a copy in which they are worked in and [[amendments]] is left out"),
        )
    for option, value, known in (
        ("trim", trim, TRIMS),
        ("coefficients", coefficients, COEFFICIENTS),
    ):
        if value is not None and value not in known:
            raise DrgcoreError(
                _(
                    "{option} {value!r} is not one of {known}",
                    option=option,
                    value=value,
                    known=", ".join(known),
                )
            )


def _before(cases: Any, year: int) -> tuple[Any, list[str]]:
    """The cases of the years before; all of them, with a note, where there are none."""
    table = select_columns(cases, HISTORY_COLUMNS)
    if "discharge_date" not in table.column_names:
        return table, []
    days = dates_of(table, "discharge_date")
    earlier = days < np.datetime64(f"{year}-01-01")
    if not earlier.any():
        return table, [_("no case is of a year before {year}: all cases were taken", year=year)]
    return table.filter(pa.array(earlier)), []


def _weights_by_year(weights: Any, history: History) -> dict[int, float] | None:
    """The preset's weights, the oldest year first, for the years of the cases."""
    if not weights:
        return None
    years = [int(text) for text in history.key("year").names]
    if len(years) != len(weights):
        raise DrgcoreError(
            _(
                "the preset weighs {count} years ({weights}), and the cases are of {years}",
                count=len(weights),
                weights=":".join(map(str, weights)),
                years=", ".join(map(str, years)),
            ),
            hint=_("give cases of as many years, or --year-weights, as 2025:1,2026:1"),
        )
    return {year: float(weight) for year, weight in zip(years, weights, strict=True)}


def _base_points(
    draft: Draft,
    data: Mapping[str, Any],
    history: History,
    trimming: Trimming,
    weights: Mapping[int, float] | None,
    scale: float | None,
) -> None:
    table: Any = draft.document["base_points"]
    stability = data.get("stability", {})
    n_min, cv_max = (_number(stability.get(name)) for name in ("n_min", "cv_max"))
    points = scale if scale is not None else data["base_points"].get("scale") or None
    found = base_points(
        history,
        scale=float(points or 1),
        trimming=trimming,
        year_weights=weights,
        n_min=5 if n_min is None else int(n_min),
        cv_max=1.0 if cv_max is None else cv_max,
    )
    file = f"{draft.name}-base-points.csv"
    draft.tables[file] = _table(found, relative=points is None, stable=None not in (n_min, cv_max))
    table["holds"] = "relative_weight" if points is None else "base_points"
    table["file"] = file
    table["mean_cost"] = str(round_half_up(found.mean_cost, 2))
    table["group_means"] = "column"
    table.pop("groups", None)
    if scale is not None:
        table["scale"] = scale if scale % 1 else int(scale)
        draft.given.append("base_points.scale")
    draft.given += [f"base_points.{key}" for key in ("holds", "file", "mean_cost", "group_means")]
    _absent(draft, data, table)
    used = int(found.table["cases"].sum())
    draft.filled.append(
        _(
            "{drgs:,} DRG from {cases:,} cases ({trimming}); mean cost {mean:,.2f} yuan",
            drgs=len(draft.tables[file]),
            cases=used,
            trimming=trimming,
            mean=found.mean_cost,
        )
    )
    draft.left += [
        _("{count:,} cases are left out: {why}", count=n, why=why)
        for why, n in found.left_out.to_numpy()
    ]
    if points is None:
        draft.left.append(
            _("scale: neither the preset nor --scale has it; the table holds weights")
        )


def _absent(draft: Draft, data: Mapping[str, Any], table: Any) -> None:
    """What applies to a DRG that history does not have: 0 cases are fewer than n_min."""
    if not draft.is_open(data["base_points"].get("missing")):
        return
    unstable = data.get("by_cost", {}).get("unstable", {})
    tested = data.get("stability", {}).get("rule") == "test"
    rule, rate = unstable.get("rule"), _number(unstable.get("rate"))
    if not tested or rule not in ("by_cost", "outside") or (rule == "by_cost" and rate is None):
        table["missing"] = ASKED
        return
    table["missing"] = rule
    draft.given.append("base_points.missing")
    if rule == "by_cost":
        table["missing_rate"] = str(unstable["rate"])
        draft.given.append("base_points.missing_rate")
    draft.filled.append(_("a DRG without cases is paid as unstable groups are, for 0 < n_min"))


def _number(value: Any) -> float | None:
    return None if value in (None, "", ASKED) else float(value)


def _table(found: GroupWeights, *, relative: bool, stable: bool) -> pd.DataFrame:
    table = found.policy_table()
    if relative:
        table.insert(1, "relative_weight", table.pop("base_points"))
    # Without the policy's limits nothing says which groups are stable.
    return table if stable else table.drop(columns="stable")


def _coefficients(
    draft: Draft, data: Mapping[str, Any], cases: Any, trimming: Trimming, kind: str | None
) -> None:
    part: Any = draft.document["coefficients"]
    parts = data["coefficients"].get("components") or []
    if not isinstance(parts, list):
        parts = []
    if not parts and kind is None:
        draft.left.append(
            _("coefficients: the preset has no components, and --coefficients chooses none")
        )
        return
    if not parts:
        part.pop("components", None)
        listed = tomlkit.aot()
        listed.append(tomlkit.item(new_component(str(kind))))
        part.append("components", listed)
        parts = [dict(new_component(str(kind)))]
    for number, component in enumerate(parts, 1):
        path = f"coefficients.components.{number}"
        try:
            found = component_numbers(component, cases, trimming)
        except CaseSchemaError as error:
            draft.left.append(f"{path} ({component.get('name')}): {error.message}")
            continue
        if found is None:
            name = component.get("name")
            draft.left.append(
                _("{path} ({name}): history does not say what it is", path=path, name=name)
            )
            continue
        key, value = found
        if not draft.is_open(component.get(key)):
            draft.left.append(_("{path} is given already, and stays", path=f"{path}.{key}"))
            continue
        target = part["components"][number - 1]
        if isinstance(value, pd.DataFrame):
            target[key] = f"{draft.name}-{component['method'].replace('_', '-')}.csv"
            draft.tables[str(target[key])] = value
        else:
            line = tomlkit.inline_table()
            line.update(value)
            target[key] = line
        draft.given.append(f"{path}.{key}")
        draft.filled.append(_("{path} of {name}", path=f"{path}.{key}", name=component.get("name")))


def _months(draft: Draft, data: Mapping[str, Any], cases: Any, year: int, method: str) -> None:
    budget: Any = draft.document["budget"]
    common = data["budget"].get("months")
    try:
        totals = monthly_totals(cases, "total_cost", "pool")
        # Where the cases are those of the year itself, its months' shares are what they were.
        forecast = forecast_shares(totals, year + (not method), method or "last_year")
        shares = forecast.shares_for_policy()
    except DrgcoreError as error:
        hint = f" ({' '.join(error.hint.split())})" if error.hint else ""
        draft.left.append(_("monthly shares: {error}", error=error.message + hint))
        return
    pools = data["budget"].get("pools", {})
    for pool, months in shares.items():
        own = pools.get(pool, {})
        if "value" in own:
            continue
        if not draft.is_open(own.get("months", common)) and own.get("months", common) != "forecast":
            draft.left.append(_("monthly shares of {pool} are given already, and stay", pool=pool))
            continue
        if pool not in pools:
            budget["pools"][pool] = {"budget": ""}
            draft.left.append(
                _("pool {pool} of the cases is not in the preset: its budget is asked", pool=pool)
            )
        budget["pools"][pool]["months"] = [float(share) for share in months]
        draft.given.append(f"budget.pools.{pool}.months")
        draft.filled.append(
            _(
                "monthly shares of {pool} for {year}, by {method}",
                pool=pool,
                year=year,
                method=method,
            )
            if method
            else _("monthly shares of {pool} as they were in its own cases", pool=pool)
        )
    if all("months" in pool or "value" in pool for pool in budget["pools"].values()):
        budget.pop("months", None)


def _head(draft: Draft, year: int, document: str) -> None:
    head: Any = draft.document
    head["name"] = draft.name
    head["effective_from"] = tomlkit.date(f"{year}-01-01")
    if "effective_to" in head:
        head["effective_to"] = tomlkit.date(f"{year}-12-31")
    source = tomlkit.table()
    source.add("document", document)
    source.add("kind", "computed")
    given = tomlkit.array()
    given.extend(draft.given)
    source.add("of", given.multiline(True))
    source.add(tomlkit.nl())
    if "sources" in head:
        head["sources"].insert(0, source)
    else:
        listed = tomlkit.aot()
        listed.append(source)
        head.append("sources", listed)

"""A case's points as a person checks them by hand, and points added up by class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa

from drgcore.language import _, use_language, word
from drgcore.points.case_rules import PointsTier
from drgcore.points.class_reasons import reason_in_words
from drgcore.points.compiled import multiples_of
from drgcore.points.outlier_rules import Piece
from drgcore.points.pieces import piece_formula, piece_points, piece_texts
from drgcore.points.policy import Policy
from drgcore.points.records import CLASSES
from drgcore.points.segments import tier_of
from drgcore.points.tables import GroupTable, group_table
from drgcore.points.wording import number
from drgcore.rounding import round_half_up


def explain_points(case: Mapping[str, Any], policy: Policy) -> str:
    """Write how the points of one case come about, line by line, with the policy's numbers.

    Parameters
    ----------
    case : mapping
        One row of what `compute_points` returns.
    policy : Policy
        The policy.

    Returns
    -------
    str
        Class and reason, the group's base points, mean and limits, the formula with its numbers.

    Examples
    --------
    >>> row = {"case_id": "2", "hospital": "H12", "drg": "ES23", "total_cost": 70000.0,
    ...        "discharge_date": pd.Timestamp("2027-02-01"),
    ...        "case_class": "high_cost", "class_reason": "C > hi·m: P·k and the added part",
    ...        "base_points": 143.25, "coefficient": 0.88, "multiple": 4.8866,
    ...        "added_points": 341.875, "points": 467.935}
    >>> print(explain_points(row, Policy.load("example")))
    case 2, hospital H12, ES23, cost 70,000.00 yuan
    class high_cost: C > hi·m: P·k and the added part
    group: base points P = 143.25, mean cost m = 14,325.00 yuan, stable; lo·m = 5,730.00, \
hi·m = 35,812.50 yuan
    points = base · coefficient + added = 143.25 × 0.88 + 341.875 = 467.935
    """
    policy = policy.at(pd.Timestamp(case["discharge_date"]).date())
    drg = case.get("drg")
    shown = str(drg) if isinstance(drg, str) and drg else _("no DRG")
    lines = [
        _(
            "case {case}, hospital {hospital}, {shown}, cost {cost:,.2f} yuan",
            case=case["case_id"],
            hospital=case["hospital"],
            shown=shown,
            cost=float(case["total_cost"]),
        ),
        _(
            "class {case}: {reason}",
            case=word(case["case_class"]),
            reason=reason_in_words(case["class_reason"], policy),
        ),
    ]
    kind, level = case["case_class"], _level(case, policy)
    tier = tier_of(policy, str(case["hospital"]), level)
    table = group_table(policy, tier)
    grouped = ("normal", "high_cost", "low_cost", "unstable")
    by_item = kind == "outside" and "·m" in str(case["class_reason"])
    if drg in table.drgs and (kind in grouped or by_item):
        lines.append(_group(policy, table, table.drgs.index(str(drg)), level, tier))
    if kind not in ("outside", "normal", "fixed_price"):
        deducted = float(case.get("unreasonable_cost") or 0.0)
        if policy.costs.unreasonable == "deducted" and deducted:
            lines.append(
                _(
                    "unreasonable cost U = {deducted:,.2f} yuan, C − U = {case:,.2f} yuan",
                    deducted=deducted,
                    case=float(case["total_cost"]) - deducted,
                )
            )
    lines += [_formula(case, policy), *_factors(case, policy)]
    return "\n".join(lines)


def points_by_class(table: Any, by: Sequence[str] = ()) -> pd.DataFrame:
    """Add up cases and points by class; a class without cases stays, with zeros.

    Parameters
    ----------
    table : pandas.DataFrame or anything with the Arrow PyCapsule interface
        What `compute_points` returns.
    by : sequence of str
        Further columns to add up by, for example pool and hospital.

    Returns
    -------
    pandas.DataFrame
        Columns `by`, `case_class`, `cases`, `points`, in the order of `CLASSES`.

    Examples
    --------
    >>> table = pd.DataFrame({"case_class": ["normal", "normal"], "points": [10.5, 20.25]})
    >>> points_by_class(table).head(2)
      case_class  cases  points
    0     normal      2   30.75
    1  high_cost      0    0.00
    """
    names = [*by, "case_class", "points"]
    frame = (
        table[names]
        if isinstance(table, pd.DataFrame)
        else pa.table(table).select(names).to_pandas()
    )
    classes = pd.Categorical(frame["case_class"].astype(str), categories=CLASSES, ordered=True)
    frame = frame.assign(case_class=classes, **{name: frame[name].astype(str) for name in by})
    grouped = frame.groupby([*by, "case_class"], observed=False)["points"].agg(["size", "sum"])
    return grouped.reset_index().rename(columns={"size": "cases", "sum": "points"})


def _level(case: Mapping[str, Any], policy: Policy) -> str | None:
    """Give the level of a case's hospital, its own or that of the policy's list."""
    own = case.get("hospital_level")
    if isinstance(own, str) and own:
        return own
    listed = policy.hospitals.get(str(case["hospital"]))
    return listed.level if listed else None


def _group(
    policy: Policy, table: GroupTable, index: int, level: str | None, tier: PointsTier | None
) -> str:
    points, mean = float(table.base_points[index]), float(table.mean_cost[index])
    stable = _("stable") if table.stable[index] else _("not stable")
    hi, lo = multiples_of(policy.outliers, level)
    limits = []
    for name, bands in (("lo", lo), ("hi", hi if policy.outliers.high.multiples else None)):
        if bands is not None:
            limits.append(f"{name}·m = {float(bands.apply(points)) * mean:,.2f}")
    of = _(" of {name}", name=tier.name) if tier else ""
    text = _(
        "group: base points{of} P = {points:g}, mean cost m = {mean:,.2f} yuan, {stable}",
        of=of,
        points=points,
        mean=mean,
        stable=stable,
    )
    return _("{text}; {limits} yuan", text=text, limits=", ".join(limits)) if limits else text


def _formula(case: Mapping[str, Any], policy: Policy) -> str:
    """Write the formula of the case's class, see `compute_points`."""
    base, k, points = case["base_points"], case["coefficient"], _before_factors(case, policy)
    multiple, added, kind = case["multiple"], case["added_points"], case["case_class"]
    reason = str(case["class_reason"])
    if kind == "outside":
        return _("points = 0; paid by item outside the points")
    texts = _piece_reasons(policy)
    if reason in texts and "by cost" not in reason:
        return _piece(case, policy.outliers.pieces[texts.index(reason)], points)
    with_k = reason not in texts and (kind == "normal" or "P·k" in reason)
    if kind == "high_cost" and with_k:
        return _(
            "points = base · coefficient + added = {digits} × {digits_2} + {digits_3} = {digits_4}",
            digits=_digits(base),
            digits_2=_digits(k),
            digits_3=_digits(added),
            digits_4=_digits(points),
        )
    if with_k:
        return _(
            "points = base · coefficient = {digits} × {digits_2} = {digits_3}",
            digits=_digits(base),
            digits_2=_digits(k),
            digits_3=_digits(points),
        )
    if kind == "fixed_price" and k != 1:
        return _(
            "points = share of P = {digits} × {digits_2} = {digits_3}",
            digits=_digits(base),
            digits_2=_digits(k),
            digits_3=_digits(points),
        )
    if pd.isna(multiple):
        return _("points = base = {digits}", digits=_digits(points))
    if kind == "bed_day":
        return _bed_day(case, policy, points)
    if kind == "low_cost" and "by cost" not in reason:
        return _(
            "points = base · multiple = {digits} × {ratio} = {digits_2}",
            digits=_digits(base),
            ratio=_ratio(multiple),
            digits_2=_digits(points),
        )
    return _(
        "points = base · multiple · coefficient = {digits} × {ratio} × {digits_2} = {digits_3}",
        digits=_digits(base),
        ratio=_ratio(multiple),
        digits_2=_digits(k),
        digits_3=_digits(points),
    )


def _piece_reasons(policy: Policy) -> list[str]:
    """Write the reasons of the policy's pieces as results hold them."""
    with use_language("en"):
        return piece_texts(policy.outliers.pieces)


def _before_factors(case: Mapping[str, Any], policy: Policy) -> float:
    """Compute what a case earns before its factors, from its own columns."""
    if not case.get("factor_reason"):
        return float(case["points"])
    base, k, multiple = case["base_points"], case["coefficient"], case["multiple"]
    kind, reason, added = case["case_class"], str(case["class_reason"]), case["added_points"]
    places = policy.rounding.points
    texts = _piece_reasons(policy)
    if reason in texts and "by cost" not in reason:
        value = piece_points(
            policy.outliers.pieces[texts.index(reason)], base, k, multiple, added, places
        )
    elif kind == "low_cost" and "by cost" not in reason:
        value = base * k if "above P·k" in reason else base * multiple
    elif kind == "bed_day":
        value = base * multiple + added
    elif reason not in texts and (kind == "normal" or (kind == "high_cost" and "P·k" in reason)):
        return round(float(round_half_up(base * k, places)) + added, places)
    elif kind == "fixed_price":
        value = base * k
    elif pd.isna(multiple):
        value = base
    else:
        value = base * multiple * k
    return float(round_half_up(value, places))


def _piece(case: Mapping[str, Any], piece: Piece, points: float) -> str:
    base, k, x = case["base_points"], case["coefficient"], case["multiple"]
    a, b = float(piece.a or 0), float(piece.b or 0)
    inner = f"{_digits(base)} × ({_digits(a)} + {_digits(b)} × {_ratio(x)})"
    if piece.k == "plus":
        inner = f"{_digits(base)} × {_digits(k)} + {inner}"
    elif piece.k == "times":
        inner = f"{inner} × {_digits(k)}"
    cap = ""
    what = _("what is added at") if piece.k == "plus" else _("at")
    if base * (a + b * x) < 0:
        cap = _(", {what} least 0", what=what)
    elif piece.cap != "none":
        of = base * (k if piece.cap == "P·k" else 1.0) * float(piece.cap_multiple)
        cap = _(", {what} most {digits}", what=what, digits=_digits(of))
    return _(
        "points = {piece_formula} = {inner}{cap} = {digits}",
        piece_formula=piece_formula(piece).split(",")[0],
        inner=inner,
        cap=cap,
        digits=_digits(points),
    )


def _bed_day(case: Mapping[str, Any], policy: Policy, points: float) -> str:
    base, stay = case["base_points"], case["multiple"]
    name = str(case["class_reason"]).removeprefix("bed-day: ")
    unit = 10.0 ** -int(policy.rounding.points)
    # Several rules may bear one name: the one whose days give these points is meant.
    for rule in policy.bed_day:
        if rule.name != name or rule.tiers == "whole":
            continue
        parts, before, total = [], 0.0, 0.0
        limits = (*rule.points_per_day.limits, stay)
        for limit, rate in zip(limits, rule.points_per_day.values, strict=True):
            days = min(limit, stay) - before
            if days > 0:
                parts.append(
                    _("{digits} days × {digits_2}", digits=_digits(days), digits_2=_digits(rate))
                )
                total += days * float(rate)
            before = max(before, min(limit, stay))
        if abs(total - points) <= unit:
            return _("points = {parts} = {digits}", parts=" + ".join(parts), digits=_digits(points))
    return _(
        "points = base · multiple · coefficient = {digits} × {ratio} × 1 = {digits_2}",
        digits=_digits(base),
        ratio=_ratio(stay),
        digits_2=_digits(points),
    )


def _factors(case: Mapping[str, Any], policy: Policy) -> list[str]:
    """Write the step of the factors, if the case has any."""
    reason = case.get("factor_reason")
    if not isinstance(reason, str) or not reason or policy.factors is None:
        return []
    low, high = policy.factors.minimum, policy.factors.maximum
    limits = [_("at least {number}", number=number(low))] if low is not None else []
    limits += [_("at most {number}", number=number(high))] if high is not None else []
    within = _(" ({limits})", limits=_(" and ").join(limits)) if limits else ""
    before, points = _before_factors(case, policy), case["points"]
    return [
        _(
            "factors: {reason}{within} = {digits}",
            reason=reason,
            within=within,
            digits=_digits(case["factor"]),
        ),
        _(
            "points = {digits} × {digits_2} = {digits_3}",
            digits=_digits(before),
            digits_2=_digits(case["factor"]),
            digits_3=_digits(points),
        ),
    ]


def _digits(value: float) -> str:
    """Write a number with all the digits that count."""
    return f"{value:.12g}"


def _ratio(value: float) -> str:
    """Write a quotient with six decimals, or twelve where six do not say it exactly."""
    return f"{value:.6f}" if round(value, 6) == value else f"{value:.12f}"

"""Policies side by side once more: case by case in fractions, from the plain points and budgets.

It shares no code with `drgcore.scenarios`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from drgcore.budget.terms import PoolTerms, Terms
from drgcore.points.policy import Policy
from tests.reference.plain_budget import entitlements, split
from tests.reference.plain_points import plain_points

Row = dict[str, Any]


class NearTie(Exception):
    """A case's exact points lie so near a half that floats may round the other way."""


def earned(cases: Sequence[Row], policy: Policy, decisions: Mapping[str, Any]) -> list[Row]:
    """The cases with class and points."""
    rows = []
    for case in cases:
        found = plain_points(case, policy, decisions.get(case["case_id"]))
        if found.near_tie:
            raise NearTie
        rows.append({**case, "case_class": found.case_class, "points": Fraction(found.points)})
    return rows


def by_item(row: Row) -> Fraction:
    """What is paid by item for a case outside the points [fen]."""
    if row["case_class"] != "outside":
        return Fraction(0)
    return Fraction(str(row["total_cost"])) * 100 - Fraction(str(row["patient_paid"])) * 100


def worth(
    rows: Sequence[Row],
    pool: PoolTerms,
    terms: Terms,
    keys: Sequence[str],
    key: Callable[[Row], str],
) -> dict[str, Row]:
    """Cases, points, money and payments by item of a pool's cases by a key."""
    sums: dict[str, Row] = {
        name: {"cases": 0, "outside_cases": 0, "points": Fraction(0), "borne": Fraction(0),
               "outside": Fraction(0)} for name in keys
    }  # fmt: skip
    for row in rows:
        if row["pool"] != pool.pool:
            continue
        one = sums[key(row)]
        outside = row["case_class"] == "outside"
        one["cases"] += 1
        one["outside_cases"] += outside
        one["points"] += row["points"]
        one["borne"] += 0 if outside else Fraction(str(row["patient_paid"])) * 100
        one["outside"] += by_item(row)
    reserve = split(
        pool.budget_fen, {"a": 1 - pool.reserve_share, "b": Fraction(pool.reserve_share)}
    )["b"]
    money, _ = entitlements(terms, pool, pool.budget_fen - reserve, sums, reserve)
    for name, one in sums.items():
        one["money"] = money[name]
    return sums


def side_by_side(
    sides: Sequence[tuple[Policy, Terms]],
    cases: Sequence[Row],
    decisions: Mapping[str, Any],
    keys: Sequence[str],
    key: Callable[[Row], str],
) -> dict[tuple[str, str], list[Row]]:
    """For each pool and key its amounts under each policy, with the difference to the first."""
    table: dict[tuple[str, str], list[Row]] = {}
    for policy, terms in sides:
        rows = earned(cases, policy, decisions)
        for pool in terms.pools:
            for name, one in worth(rows, pool, terms, keys, key).items():
                table.setdefault((pool.pool, name), []).append(one)
    for row in table.values():
        for one in row:
            one["difference"] = one["money"] - row[0]["money"]
            one["points_difference"] = one["points"] - row[0]["points"]
    return table

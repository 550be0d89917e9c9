"""The settlement once more, case by case in fractions: slow, plain, and written from the formulas.

It shares no code with `drgcore.budget` apart from the types that carry the parameters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from drgcore.budget.terms import PoolTerms, Terms


def split(amount: int, weights: Mapping[str, Fraction]) -> dict[str, int]:
    """Largest remainders, ties to the smaller name; a negative amount mirrored."""
    if amount < 0:
        return {name: -part for name, part in split(-amount, weights).items()}
    total = sum(weights.values())
    parts = dict.fromkeys(weights, 0)
    if amount == 0 and total == 0:
        return parts
    quotas = {name: amount * weight / total for name, weight in weights.items()}
    parts = {name: quota.numerator // quota.denominator for name, quota in quotas.items()}
    while sum(parts.values()) < amount:
        # The part that is furthest below its quota gets the next fen.
        name = min(sorted(parts), key=lambda n: parts[n] - quotas[n])
        parts[name] += 1
    return parts


def in_fen(yuan: Any) -> int:
    """A case's amount as fen."""
    return int((Decimal(repr(float(yuan))) * 100).to_integral_value())


def refused(case: Mapping[str, Any], terms: Terms) -> int:
    """D times the multiple of the violation, halves of a fen up."""
    multiple = terms.violation_multiples.get(case["violation"] or "", Fraction(1))
    amount = in_fen(case["refused_amount"]) * multiple
    return (amount + Fraction(1, 2)).numerator // (amount + Fraction(1, 2)).denominator


def by_hospital(cases: Iterable[Mapping[str, Any]], terms: Terms) -> dict[str, dict[str, Any]]:
    """Q, B, X, F and what is paid by item, of every hospital."""
    names = ("points", "borne", "refused", "item", "outside")
    sums = {h: dict.fromkeys(names, Fraction(0)) for h in terms.hospitals}
    for case in cases:
        row = sums[case["hospital"]]
        row["points"] += Fraction(repr(float(case["points"])))
        if case["case_class"] == "outside":
            by_item = in_fen(case["total_cost"]) - in_fen(case["patient_paid"])
            row["outside"] += max(by_item - refused(case, terms), 0)
        else:
            row["borne"] += in_fen(case["patient_paid"])
            row["refused"] += refused(case, terms)
            row["item"] += in_fen(case["total_cost"]) - in_fen(case["patient_paid"])
    return sums


def entitlements(
    terms: Terms, pool: PoolTerms, budget: int, sums: Mapping[str, Mapping[str, Any]], reserve: int
) -> tuple[dict[str, int], int]:
    """E of every hospital, and what moves to the reserve (less what the floor takes)."""
    if terms.outside_from_budget:
        budget -= int(sum(row["outside"] for row in sums.values()))
    borne = sum(row["borne"] for row in sums.values()) if pool.basis == "total_cost" else 0
    pot = raw = int(budget + borne)
    points = sum(row["points"] for row in sums.values())
    if pool.last_value is not None and points:
        last = pool.last_value * 100 * points
        most = last * pool.ceiling if pool.ceiling is not None else None
        least = last * pool.floor if pool.floor is not None else None
        if most is not None and raw > most.numerator // most.denominator:
            pot = most.numerator // most.denominator
        elif least is not None and raw < least:
            pot = raw + min(max(reserve, 0), -(-least.numerator // least.denominator) - raw)
    gross = split(pot, {h: row["points"] for h, row in sums.items()})
    less = {h: row["borne"] if pool.basis == "total_cost" else 0 for h, row in sums.items()}
    return {h: int(gross[h] - less[h]) for h in gross}, raw - pot


def settle(
    terms: Terms,
    pool: PoolTerms,
    cases: Sequence[Mapping[str, Any]],
    kappas: Mapping[str, Fraction],
) -> dict[str, dict[str, int]]:
    """All months and the year of one pool whose cases did not change after the closings."""
    reserve = start = split(
        pool.budget_fen, {"a": 1 - pool.reserve_share, "b": pool.reserve_share}
    )["b"]
    months = split(pool.budget_fen - start, {f"{i:02d}": s for i, s in enumerate(pool.shares)})
    sums = dict.fromkeys(terms.hospitals, 0)
    out = {h: {"prepaid": 0, "held": 0, "carried": 0, "monthly": 0} for h in sums}
    numbers = sorted({case["discharge_date"].month for case in cases})
    for number in numbers:
        part = by_hospital([c for c in cases if c["discharge_date"].month == number], terms)
        worth, moved = entitlements(terms, pool, months[f"{number - 1:02d}"], part, reserve)
        reserve += moved
        for h, row in out.items():
            due = worth[h] - int(part[h]["refused"]) + row["carried"]
            paid = split(max(due, 0), {"a": pool.prepayment, "b": 1 - pool.prepayment})
            row["prepaid"] += paid["a"]
            row["held"] += paid["b"]
            row["carried"] = min(due, 0)
    whole = by_hospital(cases, terms)
    worth, moved = entitlements(terms, pool, pool.budget_fen - start, whole, start)
    held = sum(row["held"] for row in out.values())
    weights = {h: kappas[h] * max(worth[h], 0) for h in out}
    shares = split(held, weights) if any(weights.values()) else dict.fromkeys(out, 0)
    rest = 0
    if terms.pool_rule == "cap":
        assert terms.pool_cap is not None
        limits = {h: terms.pool_cap * row["held"] for h, row in out.items()}
        shares = {
            h: min(s, limits[h].numerator // limits[h].denominator) for h, s in shares.items()
        }
        rest = held - sum(shares.values())
    return _finish(terms, out, worth, whole, shares, start + moved + rest)


def _finish(
    terms: Terms,
    out: dict[str, dict[str, int]],
    worth: Mapping[str, int],
    whole: Mapping[str, Mapping[str, Any]],
    shares: Mapping[str, int],
    reserve: int,
) -> dict[str, dict[str, int]]:
    """Bands per hospital (no consortia here), then the final amounts."""
    claims: dict[str, Fraction] = {}
    for h, row in out.items():
        cost = int(whole[h]["item"])
        row["returned"] = claim = 0
        if cost > 0 and (terms.surplus is not None or terms.deficit is not None):
            ratio = float(Fraction(worth[h], cost))
            bands, default = (terms.surplus, 1) if worth[h] >= cost else (terms.deficit, 0)
            share = Fraction(repr(float(bands.apply([ratio])[0]))) if bands else Fraction(default)
            parts = split(abs(worth[h] - cost), {"a": share, "b": 1 - share})
            if worth[h] >= cost:
                row["returned"] = parts["b"]
            else:
                claim = parts["a"]
        claims[h] = Fraction(claim)
    reserve += sum(row["returned"] for row in out.values())
    granted = split(min(max(reserve, 0), int(sum(claims.values()))), claims)
    for h, row in out.items():
        row["share"], row["borne"], row["entitlement"] = shares[h], granted[h], worth[h]
        net = worth[h] - int(whole[h]["refused"]) - row["held"]
        due = net + shares[h] - row["returned"] + granted[h]
        row["final"], row["carried_out"] = max(due, 0), min(due, 0)
    return out

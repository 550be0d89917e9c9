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


def at_given_value(case: Mapping[str, Any], terms: Terms) -> int:
    """min(v·Q, claim) of a case of a pool with a given value, to the fen."""
    pool = terms.pool(case["pool"])
    if pool.value is None:
        return 0
    claim = in_fen(case["total_cost"])
    if pool.basis == "fund":
        claim -= in_fen(case["patient_paid"])
    if terms.on_top_from is not None:
        claim -= in_fen(case["on_top_amount"])
    if case["case_class"] == "outside":
        claim = 0
    return min(half_up(pool.value * 100 * Fraction(repr(float(case["points"])))), max(claim, 0))


def half_up(amount: Fraction) -> int:
    """Whole fen, halves up."""
    return (amount + Fraction(1, 2)).numerator // (amount + Fraction(1, 2)).denominator


def by_hospital(cases: Iterable[Mapping[str, Any]], terms: Terms) -> dict[str, dict[str, Any]]:
    """Q, B, X, F and what is paid by item, of every hospital."""
    names = ("points", "borne", "refused", "item", "outside", "top", "given")
    sums = {h: dict.fromkeys(names, Fraction(0)) for h in terms.hospitals}
    for case in cases:
        row = sums[case["hospital"]]
        row["points"] += Fraction(repr(float(case["points"])))
        if terms.on_top_from is not None:
            row["top"] += in_fen(case["on_top_amount"])
        row["given"] += at_given_value(case, terms)
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


def month_worth(
    terms: Terms, pool: PoolTerms, budget: int, part: Mapping[str, Mapping[str, Any]], reserve: int
) -> tuple[dict[str, int], int]:
    """E of a month by the rule of its payment, and what moves to the reserve."""
    total = pool.basis == "total_cost"
    if pool.value is not None:
        gross = {h: int(row["given"]) for h, row in part.items()}
    elif pool.month_payment == "claims":
        claims = {h: max(row["item"] - row["top"], Fraction(0)) for h, row in part.items()}
        gross = {h: int(claims[h] + (row["borne"] if total else 0)) for h, row in part.items()}
    elif pool.month_payment == "given_value":
        assert pool.month_value is not None
        whole = sum(row["points"] for row in part.values())
        pot = half_up(pool.month_value * 100 * whole)
        gross = split(pot, {h: row["points"] for h, row in part.items()})
    else:
        return entitlements(terms, pool, budget, part, reserve)
    return {h: int(gross[h] - (part[h]["borne"] if total else 0)) for h in gross}, 0


def month_plan(pool: PoolTerms) -> list[int]:
    """The months' budgets: what is left of the budget in force, over the months that are left."""
    plan: list[int] = []
    last: tuple[Any, ...] | None = None
    parts: dict[str, int] = {}
    for number in range(12):
        now = [p for start, p in pool.periods if start <= number + 1][-1:] or [pool]
        rules = now[0]
        key = (rules.budget_fen, rules.reserve_share, rules.shares)
        if key != last:
            shares = {"a": 1 - rules.reserve_share, "b": rules.reserve_share}
            rest = split(rules.budget_fen, shares)["a"] - sum(plan)
            parts = split(rest, {f"{i:02d}": rules.shares[i] for i in range(number, 12)})
        last = key
        plan.append(parts[f"{number:02d}"])
    return plan


def set_aside(rules: PoolTerms) -> int:
    """The reserve of a budget."""
    return split(rules.budget_fen, {"a": 1 - rules.reserve_share, "b": rules.reserve_share})["b"]


def settle(
    terms: Terms,
    pool: PoolTerms,
    cases: Sequence[Mapping[str, Any]],
    kappas: Mapping[str, Fraction],
    results: Mapping[str, Fraction] | None = None,
) -> dict[str, dict[str, int]]:
    """All months and the year of one pool whose cases did not change after the closings."""
    months = month_plan(pool)
    sums = dict.fromkeys(terms.hospitals, 0)
    names = ("prepaid", "held", "quality", "carried", "top_paid")
    out = {h: dict.fromkeys(names, 0) for h in sums}
    other = {name: holds.get(pool.pool, 0) for name, holds in terms.accounts.items()}
    reserve, before = 0, 0
    for number in sorted({case["discharge_date"].month for case in cases}):
        rules = ([p for start, p in pool.periods if start <= number] or [pool])[-1]
        reserve += set_aside(rules) - before
        before = set_aside(rules)
        part = by_hospital([c for c in cases if c["discharge_date"].month == number], terms)
        tops = {h: Fraction(row["top"]) for h, row in part.items()}
        budget = months[number - 1]
        if terms.on_top_from == "budget":
            budget -= int(sum(tops.values()))
        worth, moved = month_worth(terms, rules, budget, part, reserve)
        reserve += moved
        paid_tops = {h: int(top) for h, top in tops.items()}
        if terms.on_top_from in ("reserve", *other):
            holds = reserve if terms.on_top_from == "reserve" else other[terms.on_top_from]
            paid_tops = split(min(int(sum(tops.values())), max(holds, 0)), tops)
            if terms.on_top_from == "reserve":
                reserve -= sum(paid_tops.values())
            else:
                other[terms.on_top_from] -= sum(paid_tops.values())
        for h, row in out.items():
            due = worth[h] - int(part[h]["refused"]) + row["carried"]
            theta = rules.prepayment
            paid = split(max(due, 0), {"a": theta, "b": 1 - theta})
            row["prepaid"] += paid["a"]
            row["held"] += paid["b"]
            if terms.quality_money is not None and paid["b"]:
                share = terms.quality_money.share
                share = 1 - theta if share is None else min(share, 1 - theta)
                row["quality"] += split(paid["b"], {"a": share, "b": 1 - theta - share})["a"]
            row["carried"] = min(due, 0)
            row["top_paid"] += paid_tops[h]
    return _year(terms, pool, cases, kappas, results or {}, out)


def _year(
    terms: Terms,
    pool: PoolTerms,
    cases: Sequence[Mapping[str, Any]],
    kappas: Mapping[str, Fraction],
    results: Mapping[str, Fraction],
    out: dict[str, dict[str, int]],
) -> dict[str, dict[str, int]]:
    """The year's value, what was held back, bands, money on top and the final amounts."""
    whole = by_hospital(cases, terms)
    other = {name: holds.get(pool.pool, 0) for name, holds in terms.accounts.items()}
    reserve = set_aside(pool)
    budget = pool.budget_fen - reserve
    costs = {h: max(int(row["item"] - row["top"]), 0) for h, row in whole.items()}
    if terms.on_top_from == "budget":
        budget -= int(sum(row["top"] for row in whole.values()))
    if pool.fund_sharing is not None:
        rule = pool.fund_sharing
        left = budget - int(sum(r["outside"] for r in whole.values())) * terms.outside_from_budget
        gap = left - sum(costs.values())
        share = rule.surplus if gap >= 0 else rule.deficit
        fund = split(abs(gap), {"a": share, "b": 1 - share})["b"]
        if gap >= 0:
            reserve, budget = reserve + fund, budget - fund
        elif rule.paid_from == "reserve":
            given = min(fund, reserve)
            reserve, budget = reserve - given, budget + given
        else:
            given = min(fund, other[rule.paid_from])
            other[rule.paid_from] -= given
            budget += given
    if pool.value is not None:
        worth, moved = month_worth(terms, pool, 0, whole, 0)
    else:
        worth, moved = entitlements(terms, pool, budget, whole, reserve)
    reserve += moved
    held = {h: row["held"] - row["quality"] for h, row in out.items()}
    weights = {h: kappas[h] * max(worth[h], 0) for h in out}
    pot = sum(held.values())
    shares = split(pot, weights) if any(weights.values()) else dict.fromkeys(out, 0)
    if terms.pool_rule == "cap":
        assert terms.pool_cap is not None
        limits = {h: terms.pool_cap * held[h] for h in out}
        shares = {
            h: min(s, limits[h].numerator // limits[h].denominator) for h, s in shares.items()
        }
        reserve += pot - sum(shares.values())
    if terms.quality_money is not None:
        back = {h: half_up(row["quality"] * results[h]) for h, row in out.items()}
        rest = sum(row["quality"] for row in out.values()) - sum(back.values())
        full = {h: kappas[h] * max(worth[h], 0) for h in out if results[h] == 1}
        more = dict.fromkeys(out, 0)
        if terms.quality_money.rest == "shared" and any(full.values()):
            more |= split(rest, full)
        else:
            reserve += rest
        shares = {h: s + back[h] + more[h] for h, s in shares.items()}
    return _finish(terms, pool, cases, out, (worth, costs, shares), whole, reserve, other)


def by_marginal(rule: Any, difference: int, base: int) -> Fraction:
    """Σ sᵢ · overlap(difference, bandᵢ)."""
    limits = [Fraction(repr(float(x))) * base for x in rule.bands.limits]
    edges = [Fraction(0), *limits, Fraction(max(difference, 0)) + max([0, *limits])]
    return sum(
        (
            Fraction(repr(float(share))) * max(min(difference, top) - low, 0)
            for share, low, top in zip(rule.bands.values, edges, edges[1:], strict=False)
        ),
        Fraction(0),
    )


def by_class(
    terms: Terms, pool: PoolTerms, cases: Sequence[Mapping[str, Any]], h: str, v: Fraction
) -> Fraction:
    """The share of a surplus that is kept: of each class with a surplus its own."""
    rule: Any = terms.surplus
    own: dict[str, Fraction] = {}
    for case in cases:
        if case["hospital"] == h:
            kind = case["case_class"]
            worth = v * Fraction(repr(float(case["points"])))
            if kind != "outside":
                worth -= in_fen(case["total_cost"]) - in_fen(case["patient_paid"])
                worth -= in_fen(case["patient_paid"]) if pool.basis == "total_cost" else 0
            worth += in_fen(case["on_top_amount"]) if terms.on_top_from is not None else 0
            own[kind] = own.get(kind, Fraction(0)) + worth
    surplus = {kind: half_up(amount) for kind, amount in own.items() if half_up(amount) > 0}
    shares = {k: Fraction(rule.classes.get(k, rule.otherwise)) for k in surplus}
    whole = sum(surplus.values())
    if not whole:
        return Fraction(rule.otherwise)
    return sum((shares[k] * amount for k, amount in surplus.items()), Fraction(0)) / whole


def _finish(
    terms: Terms,
    pool: PoolTerms,
    cases: Sequence[Mapping[str, Any]],
    out: dict[str, dict[str, int]],
    amounts: tuple[Mapping[str, int], Mapping[str, int], Mapping[str, int]],
    whole: Mapping[str, Mapping[str, Any]],
    reserve: int,
    other: dict[str, int],
) -> dict[str, dict[str, int]]:
    """Bands per hospital (no consortia here), then the final amounts."""
    worth, costs, shares = amounts
    points = sum(row["points"] for row in whole.values())
    borne = {h: row["borne"] if pool.basis == "total_cost" else 0 for h, row in whole.items()}
    v = (sum(worth.values()) + sum(borne.values())) / points if points else Fraction(0)
    claims, kept = {h: Fraction(0) for h in out}, {}
    with_rule = pool.value is None and (terms.surplus is not None or terms.deficit is not None)
    for h, row in out.items():
        row["returned"] = 0
        gap, cost = worth[h] - costs[h], costs[h]
        if cost <= 0 or not with_rule:
            continue
        rule: Any = terms.surplus if gap >= 0 else terms.deficit
        base = {"entitlement": max(worth[h], 0), "cost": cost}.get(getattr(rule, "of", ""), 0)
        if getattr(rule, "rule", "") == "marginal":
            share = by_marginal(rule, abs(gap), base) / abs(gap) if gap else Fraction(1)
        elif getattr(rule, "rule", "") == "by_class":
            share = by_class(terms, pool, cases, h, v)
        elif rule is None:
            share = Fraction(int(gap >= 0))
        else:
            share = Fraction(repr(float(rule.apply([float(Fraction(worth[h], cost))])[0])))
        parts = split(abs(gap), {"a": share, "b": 1 - share})
        if gap < 0:
            claims[h] = Fraction(parts["a"])
        elif gap > 0:
            kept[h] = parts["a"]
            row["returned"] = parts["b"]
    for rule, mine in ((terms.deficit, claims), (terms.surplus, kept)):
        cap = getattr(rule, "cap", None)
        if cap is not None and with_rule:
            most = int(Fraction(cap) * pool.budget_fen)
            if sum(mine.values()) > most:
                cut = split(most, {h: Fraction(fen) for h, fen in mine.items()})
                for h, fen in cut.items():
                    if mine is claims:
                        claims[h] = Fraction(fen)
                    else:
                        out[h]["returned"] = worth[h] - costs[h] - fen
    reserve += sum(row["returned"] for row in out.values())
    tops = {h: Fraction(row["top"]) for h, row in whole.items()}
    paid = {h: int(top) for h, top in tops.items()}
    if terms.on_top_from in ("reserve", *other):
        holds = reserve if terms.on_top_from == "reserve" else other[terms.on_top_from]
        paid = split(min(int(sum(tops.values())), max(holds, 0)), tops)
        reserve -= sum(paid.values()) if terms.on_top_from == "reserve" else 0
    granted = split(min(max(reserve, 0), int(sum(claims.values()))), claims)
    for h, row in out.items():
        row["share"], row["borne"], row["entitlement"] = shares[h], granted[h], worth[h]
        row["top"] = paid[h]
        net = worth[h] - int(whole[h]["refused"]) - row["held"]
        due = net + shares[h] - row["returned"] + granted[h]
        row["final"], row["carried_out"] = max(due, 0), min(due, 0)
        row["balance"] = row["final"] - row["prepaid"] - pool.advances_fen.get(h, 0)
    return out

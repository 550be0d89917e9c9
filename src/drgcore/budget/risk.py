"""Surplus kept and deficit shared, by settlement unit; capitated consortia."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import floor

import numpy as np

from drgcore.budget.allocate import allocate
from drgcore.budget.terms import Shares, Terms, exact
from drgcore.points.payment_rules import ByClass, Marginal


@dataclass(frozen=True)
class UnitResult:
    """What the bands say for one settlement unit in one pool.

    Parameters
    ----------
    unit : str
        Its name; a hospital outside any consortium is a unit by itself.
    hospitals : tuple of str
        Its members.
    entitlement_fen, item_cost_fen : int
        E and F of its members [fen].
    ratio : Fraction or None
        E / F; for a capitated unit its budget over what its insured used. None without cost.
    share : Fraction or None
        The band's share: of a surplus kept, or of a deficit borne by the reserve.
    capitation_fen, charged_fen : int or None
        A capitated unit's budget, and the value of the points of its insured [fen].
    returned_fen : int
        Surplus that goes back to the reserve [fen].
    claim_fen, granted_fen : int
        What the unit may claim of the reserve, and what the reserve could give [fen].
    borne_fen : int
        A capitated unit's own part of its deficit, paid to the reserve [fen].
    """

    unit: str
    hospitals: tuple[str, ...]
    entitlement_fen: int
    item_cost_fen: int
    ratio: Fraction | None = None
    share: Fraction | None = None
    capitation_fen: int | None = None
    charged_fen: int | None = None
    returned_fen: int = 0
    claim_fen: int = 0
    granted_fen: int = 0
    borne_fen: int = 0


def share_at(bands: Shares | None, ratio: Fraction, default: Fraction) -> Fraction:
    """Look up a band's share for an exact ratio.

    Parameters
    ----------
    bands : Shares or None
        The bands; None gives `default`.
    ratio : Fraction
        The ratio. Its nearest float decides the band, which for a ratio on a limit is the limit.
    default : Fraction
        The share where the policy has no bands.

    Returns
    -------
    Fraction
        The share.

    Examples
    --------
    >>> share_at(None, Fraction(11, 10), Fraction(1))
    Fraction(1, 1)
    """
    if bands is None:
        return default
    return exact(float(bands.apply(np.array([float(ratio)]))[0]))


def apply_bands(
    terms: Terms,
    pool: str,
    hospitals: Sequence[str],
    entitlement: Mapping[str, int],
    item_cost: Mapping[str, int],
    charged: Mapping[str, int],
    by_class: Mapping[str, Mapping[str, Fraction]] | None = None,
) -> list[UnitResult]:
    """Say for each settlement unit what it keeps, returns, may claim and bears.

    A unit with E > F keeps ``share(E/F) · (E − F)`` and returns the rest to the reserve; with
    E < F the reserve bears ``share(E/F) · (F − E)``. A capitated unit has budget K and is charged
    with what its insured used, V: it keeps ``share(K/V) · (K − V)``, or bears of V − K what the
    reserve does not. A unit without cost by item has no ratio and is left as it is.

    Parameters
    ----------
    terms : Terms
        The parameters of the year.
    pool : str
        The pool.
    hospitals : sequence of str
        All hospitals.
    entitlement, item_cost : mapping of str to int
        E_h, and F_h = Σ(C − B) [fen].
    charged : mapping of str to int
        V of every capitated unit [fen].
    by_class : mapping of str to mapping of str to Fraction, optional
        E − F of every hospital by case class [fen], for a surplus kept by class.

    Returns
    -------
    list of UnitResult
        The units by name; nothing is granted yet, see `grant`.

    Examples
    --------
    >>> from drgcore.budget.terms import PoolTerms, Unit
    >>> unit = Unit("county", ("H1",), {"p": 1000})
    >>> terms = Terms(2026, (PoolTerms("p", 0),), units=(unit,))
    >>> apply_bands(terms, "p", ["H1"], {"H1": 5}, {"H1": 5}, {"county": 900})[0].claim_fen
    100
    """
    members: dict[str, list[str]] = {unit.name: [] for unit in terms.units}
    for hospital in hospitals:
        members.setdefault(terms.unit_of(hospital), []).append(hospital)
    capitated = {unit.name: unit.capitation_fen.get(pool) for unit in terms.units}
    results = []
    for name in sorted(members):
        e = sum(entitlement[h] for h in members[name])
        f = sum(item_cost[h] for h in members[name])
        result = UnitResult(name, tuple(sorted(members[name])), e, f)
        budget = capitated.get(name)
        if budget is not None:
            used = charged.get(name, 0)
            result = replace(result, capitation_fen=budget, charged_fen=used)
            results.append(_divide(terms, result, budget, used, capitated=True))
        elif terms.surplus is None and terms.deficit is None:
            results.append(result)
        else:
            own = own_surplus(members[name], by_class or {})
            results.append(_divide(terms, result, e, f, capitated=False, own=own))
    return cap_of(terms, results, terms.pool(pool).budget_fen)


def own_surplus(
    hospitals: Sequence[str], by_class: Mapping[str, Mapping[str, Fraction]]
) -> dict[str, Fraction]:
    """Add up E − F by case class over some hospitals.

    Parameters
    ----------
    hospitals : sequence of str
        The hospitals.
    by_class : mapping of str to mapping of str to Fraction
        E − F by hospital and class [fen].

    Returns
    -------
    dict of str to Fraction
        E − F by class, in the order of their names [fen].

    Examples
    --------
    >>> own_surplus(["A", "B"], {"A": {"normal": Fraction(5)}, "B": {"normal": Fraction(-2)}})
    {'normal': Fraction(3, 1)}
    """
    own: dict[str, Fraction] = {}
    for hospital in hospitals:
        for kind, amount in by_class.get(hospital, {}).items():
            own[kind] = own.get(kind, Fraction(0)) + amount
    return dict(sorted(own.items()))


def grant(results: Sequence[UnitResult], available_fen: int) -> list[UnitResult]:
    """Meet the units' claims out of the reserve, in proportion where it does not reach.

    Parameters
    ----------
    results : sequence of UnitResult
        The units with their claims.
    available_fen : int
        What the reserve holds, returned surpluses included [fen].

    Returns
    -------
    list of UnitResult
        The units with what is granted.

    Examples
    --------
    >>> claims = [UnitResult(u, (u,), 0, 0, claim_fen=100) for u in "ab"]
    >>> [unit.granted_fen for unit in grant(claims, 101)]
    [51, 50]
    """
    claims = [result.claim_fen for result in results]
    given = min(sum(claims), max(available_fen, 0))
    granted = allocate(given, claims, [result.unit for result in results])
    return [replace(r, granted_fen=fen) for r, fen in zip(results, granted, strict=True)]


def to_members(amount_fen: int, unit: UnitResult, entitlement: Mapping[str, int]) -> dict[str, int]:
    """Split a unit's amount over its members by their entitlements, equally if none has one.

    Parameters
    ----------
    amount_fen : int
        The amount [fen].
    unit : UnitResult
        The unit.
    entitlement : mapping of str to int
        E_h [fen].

    Returns
    -------
    dict of str to int
        The members' parts [fen].

    Examples
    --------
    >>> to_members(-10, UnitResult("u", ("a", "b"), 0, 0), {"a": 300, "b": 100})
    {'a': -8, 'b': -2}
    """
    weights = [max(entitlement[h], 0) for h in unit.hospitals]
    if not any(weights):
        weights = [1] * len(weights)
    parts = allocate(amount_fen, weights, unit.hospitals)
    return dict(zip(unit.hospitals, parts, strict=True))


def _divide(
    terms: Terms,
    result: UnitResult,
    income: int,
    cost: int,
    *,
    capitated: bool,
    own: Mapping[str, Fraction] | None = None,
) -> UnitResult:
    """Divide the difference of a unit's income and cost between it and the reserve."""
    if cost <= 0:
        return replace(result, claim_fen=max(income - cost, 0)) if capitated else result
    ratio = Fraction(income, cost)
    if income >= cost:
        share = surplus_share(terms.surplus, income, cost, own or {})
        kept, returned = allocate(income - cost, [share, 1 - share])
        if capitated:
            return replace(result, ratio=ratio, share=share, claim_fen=kept)
        return replace(result, ratio=ratio, share=share, returned_fen=returned)
    share = deficit_share(terms.deficit, income, cost)
    by_reserve, own_part = allocate(cost - income, [share, 1 - share])
    if capitated:
        return replace(result, ratio=ratio, share=share, borne_fen=own_part)
    return replace(result, ratio=ratio, share=share, claim_fen=by_reserve)


def surplus_share(
    rule: Shares | Marginal | ByClass | None, income: int, cost: int, own: Mapping[str, Fraction]
) -> Fraction:
    """Give the share of a surplus that is kept.

    Parameters
    ----------
    rule : Shares, Marginal, ByClass or None
        Bands by E/F of the whole surplus, marginal bands, shares by case class, or all of it.
    income, cost : int
        E and F [fen].
    own : mapping of str to Fraction
        E − F of each case class, for shares by class; the surplus is divided over the classes that
        have one, in proportion.

    Returns
    -------
    Fraction
        The share, 1 where there is no surplus.

    Examples
    --------
    >>> bands = [{"up_to": 0.1, "value": 1}, {"up_to": 0.3, "value": 0.6}, {"value": 0}]
    >>> rule = Marginal(rule="marginal", of="cost", bands=bands)
    >>> float(surplus_share(rule, 60_000_00, 54_054_05, {}) * 5945_95)
    572973.2
    """
    if isinstance(rule, Marginal):
        difference = income - cost
        base = income if rule.of == "entitlement" else cost
        if not difference:
            return Fraction(1)
        return rule.part(Fraction(difference), Fraction(base)) / difference
    if isinstance(rule, ByClass):
        positive = {name: amount for name, amount in own.items() if amount > 0}
        shares = {name: exact(rule.classes.get(name, rule.otherwise)) for name in positive}
        whole = sum(positive.values(), Fraction(0))
        kept = sum((shares[n] * amount for n, amount in positive.items()), Fraction(0))
        return kept / whole if whole else exact(rule.otherwise)
    return share_at(rule, Fraction(income, cost), Fraction(1))


def deficit_share(rule: Shares | Marginal | None, income: int, cost: int) -> Fraction:
    """Give the share of a deficit that the reserve bears.

    Parameters
    ----------
    rule : Shares, Marginal or None
        Bands by E/F of the whole deficit, marginal bands, or none of it.
    income, cost : int
        E and F, which is greater [fen].

    Returns
    -------
    Fraction
        The share.

    Examples
    --------
    >>> rule = Marginal(rule="marginal", of="entitlement",
    ...                 bands=[{"up_to": 0.1, "value": 0.6}, {"value": 0}])
    >>> deficit_share(rule, 60_000_00, 78_000_00) * 18_000_00
    Fraction(360000, 1)
    """
    if isinstance(rule, Marginal):
        base = max(income, 0) if rule.of == "entitlement" else cost
        return rule.part(Fraction(cost - income), Fraction(base)) / (cost - income)
    return share_at(rule, Fraction(income, cost), Fraction(0))


def cap_of(terms: Terms, results: Sequence[UnitResult], budget_fen: int) -> list[UnitResult]:
    """Cut what all units together keep of surpluses, or claim for deficits, to the policy's cap.

    Parameters
    ----------
    terms : Terms
        The parameters of the year.
    results : sequence of UnitResult
        The units.
    budget_fen : int
        A, the year's budget [fen].

    Returns
    -------
    list of UnitResult
        The units; without a cap as they were.

    Examples
    --------
    >>> from drgcore.budget.terms import PoolTerms
    >>> cap_of(Terms(2026, (PoolTerms("p", 0),)), [], 0)
    []
    """
    found = list(results)
    if isinstance(terms.deficit, Marginal) and terms.deficit.cap is not None:
        at = [i for i, r in enumerate(found) if r.capitation_fen is None and r.claim_fen]
        most = floor(exact(terms.deficit.cap) * budget_fen)
        claims = [found[i].claim_fen for i in at]
        if sum(claims) > most:
            for i, fen in zip(at, allocate(most, claims, [found[i].unit for i in at]), strict=True):
                found[i] = replace(found[i], claim_fen=fen)
    if isinstance(terms.surplus, Marginal) and terms.surplus.cap is not None:
        at = [
            i
            for i, r in enumerate(found)
            if r.capitation_fen is None and r.ratio is not None and r.ratio > 1
        ]
        most = floor(exact(terms.surplus.cap) * budget_fen)
        surplus = [found[i].entitlement_fen - found[i].item_cost_fen for i in at]
        kept = [s - found[i].returned_fen for s, i in zip(surplus, at, strict=True)]
        if sum(kept) > most:
            parts = allocate(most, kept, [found[i].unit for i in at])
            for i, s, fen in zip(at, surplus, parts, strict=True):
                found[i] = replace(found[i], returned_fen=s - fen)
    return found

"""Surplus kept and deficit shared, by settlement unit; capitated consortia."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from drgcore.budget.allocate import allocate
from drgcore.budget.terms import Shares, Terms, exact


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
            results.append(_divide(terms, result, e, f, capitated=False))
    return results


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
    terms: Terms, result: UnitResult, income: int, cost: int, *, capitated: bool
) -> UnitResult:
    """Divide the difference of a unit's income and cost between it and the reserve."""
    if cost <= 0:
        return replace(result, claim_fen=max(income - cost, 0)) if capitated else result
    ratio = Fraction(income, cost)
    if income >= cost:
        share = share_at(terms.surplus, ratio, Fraction(1))
        kept, returned = allocate(income - cost, [share, 1 - share])
        if capitated:
            return replace(result, ratio=ratio, share=share, claim_fen=kept)
        return replace(result, ratio=ratio, share=share, returned_fen=returned)
    share = share_at(terms.deficit, ratio, Fraction(0))
    by_reserve, own = allocate(cost - income, [share, 1 - share])
    if capitated:
        return replace(result, ratio=ratio, share=share, borne_fen=own)
    return replace(result, ratio=ratio, share=share, claim_fen=by_reserve)

"""The incentive pool: what was held back, shared out by quality."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import floor

from drgcore.budget.allocate import allocate
from drgcore.budget.terms import Terms
from drgcore.errors import BudgetError
from drgcore.language import _


def share_pool(
    terms: Terms,
    pool: str,
    held: Mapping[str, int],
    entitlement: Mapping[str, int],
    kappas: Mapping[str, Fraction],
) -> tuple[dict[str, int], int]:
    """Share the incentive pool (激励机制基金池) out in proportion to κ_h·E_h.

    A negative entitlement takes no part. With the rule `cap` a hospital gets at most
    ``cap · held_h``, and what the caps leave is returned to the reserve.

    Parameters
    ----------
    terms : Terms
        The parameters of the year.
    pool : str
        The pool, for messages.
    held : mapping of str to int
        What was held back from each hospital over the year [fen].
    entitlement : mapping of str to int
        E_h of the year [fen].
    kappas : mapping of str to Fraction
        κ, the encouragement coefficient (鼓励系数) of each hospital.

    Returns
    -------
    shares : dict of str to int
        Each hospital's share [fen].
    rest : int
        What is not shared out [fen].

    Raises
    ------
    BudgetError
        If there is money in the pool and a hospital with an entitlement has no κ.

    Examples
    --------
    >>> from drgcore.budget.terms import PoolTerms
    >>> terms = Terms(2026, (PoolTerms("p", 0),))
    >>> held, kappas = {"a": 50, "b": 50}, {"a": Fraction(3, 2), "b": Fraction(1, 2)}
    >>> share_pool(terms, "p", held, {"a": 500, "b": 500}, kappas)
    ({'a': 75, 'b': 25}, 0)
    """
    total = sum(held.values())
    hospitals = sorted(held)
    if total == 0:
        return dict.fromkeys(hospitals, 0), 0
    missing = [h for h in hospitals if entitlement[h] > 0 and h not in kappas]
    if missing:
        raise BudgetError(
            _(
                "{count} hospitals with an entitlement have no encouragement "
                "coefficient: {missing}",
                count=len(missing),
                missing=", ".join(missing[:5]),
            ),
            where=_("incentive pool {pool}", pool=pool),
            hint=_("give κ or the scores of every hospital as quality (--quality)"),
        )
    weights = [kappas.get(h, Fraction(0)) * max(entitlement[h], 0) for h in hospitals]
    if not any(weights):
        return dict.fromkeys(hospitals, 0), total
    shares = dict(zip(hospitals, allocate(total, weights, hospitals), strict=True))
    if terms.pool_rule == "cap" and terms.pool_cap is not None:
        shares = {h: min(fen, floor(terms.pool_cap * held[h])) for h, fen in shares.items()}
    return shares, total - sum(shares.values())


def return_quality_money(
    terms: Terms,
    pool: str,
    held: Mapping[str, int],
    entitlement: Mapping[str, int],
    results: Mapping[str, Fraction],
    kappas: Mapping[str, Fraction],
) -> tuple[dict[str, int], dict[str, int], int]:
    """Return quality money (质量保证金) by each hospital's own result: ``held_h · ρ_h``.

    Parameters
    ----------
    terms : Terms
        The parameters of the year.
    pool : str
        The pool, for messages.
    held : mapping of str to int
        Quality money held back from each hospital over the year [fen].
    entitlement : mapping of str to int
        E_h of the year [fen].
    results : mapping of str to Fraction
        ρ, from 0 to 1.
    kappas : mapping of str to Fraction
        κ, where what is not returned is shared by κ·E among the hospitals with ρ = 1.

    Returns
    -------
    returned : dict of str to int
        Each hospital's own money that it gets back, a half of a fen rounded up [fen].
    shared : dict of str to int
        Its part of what others did not get back [fen].
    rest : int
        What is left, for the reserve [fen].

    Raises
    ------
    BudgetError
        If a hospital from which money was held has no result; or a κ is missing for the sharing.

    Examples
    --------
    >>> from drgcore.budget.terms import PoolTerms, QualityTerms
    >>> terms = Terms(2026, (PoolTerms("p", 0),), quality_money=QualityTerms())
    >>> held = {"a": 150_000, "b": 100_000, "c": 50_000}
    >>> results = {"a": Fraction(1), "b": Fraction(9, 10), "c": Fraction(1, 2)}
    >>> return_quality_money(terms, "p", held, dict.fromkeys("abc", 1), results, {})[::2]
    ({'a': 150000, 'b': 90000, 'c': 25000}, 35000)
    """
    missing = [h for h in sorted(held) if held[h] and h not in results]
    if missing:
        raise BudgetError(
            _(
                "{count} hospitals with quality money have no result: {missing}",
                count=len(missing),
                missing=", ".join(missing[:5]),
            ),
            where=_("quality money {pool}", pool=pool),
            hint=_(
                "give the column result, or the scores, of every hospital as quality (--quality)"
            ),
        )
    half = Fraction(1, 2)
    returned = {h: floor(fen * results[h] + half) if fen else 0 for h, fen in held.items()}
    rest = sum(held.values()) - sum(returned.values())
    shared = dict.fromkeys(held, 0)
    if terms.quality_money is None or terms.quality_money.rest == "reserve" or not rest:
        return returned, shared, rest
    full = [h for h in sorted(held) if results.get(h) == 1 and entitlement[h] > 0]
    without = [h for h in full if h not in kappas]
    if without:
        raise BudgetError(
            _(
                "{without} have no encouragement coefficient for what others lost",
                without=", ".join(without[:5]),
            ),
            where=_("quality money {pool}", pool=pool),
            hint=_("give κ or the scores of every hospital as quality (--quality)"),
        )
    weights = [kappas[h] * entitlement[h] for h in full]
    if not any(weights):
        return returned, shared, rest
    shared |= dict(zip(full, allocate(rest, weights, full), strict=True))
    return returned, shared, 0

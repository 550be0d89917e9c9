"""Cases of pools with a given point value, as those of other regions (异地就医)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from drgcore.budget.terms import Terms


def given_value(
    terms: Terms,
    names: Sequence[str],
    codes: np.ndarray,
    points: np.ndarray,
    item_cost: np.ndarray,
    borne: np.ndarray,
    on_top: np.ndarray | None = None,
) -> np.ndarray | None:
    """Value the cases of pools with a given value: min(v·Q, claim), each to the fen.

    What a case is paid on top of its points is a part of its claim, so v·Q pays at most the rest.

    Parameters
    ----------
    terms : Terms
        The parameters of the year.
    names : sequence of str
        The pools of the batch.
    codes : ndarray of int64
        The pool of each case.
    points : ndarray of int64
        Points in units of the last decimal place.
    item_cost, borne : ndarray of int64
        C − B and B [fen]; the claim is C − B with basis fund, C with basis total_cost.
    on_top : ndarray of int64, optional
        Money on top of points [fen], taken off the claim.

    Returns
    -------
    ndarray of int64 or None
        The amounts, 0 in other pools [fen], halves rounded up; None if no pool has a given value.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from drgcore.budget.pool_terms import PoolTerms
    >>> terms = Terms(2026, (PoolTerms("p", 0, value=Fraction(64)),), point_places=0)
    >>> case = np.array([0, 0]), np.array([10, 10]), np.array([70000, 5000]), np.array([0, 0])
    >>> given_value(terms, ["p"], *case).tolist()
    [64000, 5000]
    >>> given_value(terms, ["p"], *case, np.array([20000, 6000])).tolist()
    [50000, 0]
    """
    pools = {p.pool: p for p in terms.pools if p.value is not None}
    if not pools:
        return None
    given = np.zeros(len(points), np.int64)
    for code, name in enumerate(names):
        if name not in pools:
            continue
        at = np.flatnonzero(codes == code)
        value, basis = pools[name].value, pools[name].basis
        assert value is not None
        # Python's integers: points times a value of many decimals may pass 64 bits.
        unit = value * 100 / 10**terms.point_places
        worth = points[at].astype(object) * unit.numerator * 2 + unit.denominator
        claim = item_cost[at] + (borne[at] if basis == "total_cost" else 0)
        claim = claim - (0 if on_top is None else on_top[at])
        limited = np.minimum(worth // (2 * unit.denominator), np.maximum(claim, 0).astype(object))
        given[at] = limited.astype(np.int64)
    return given

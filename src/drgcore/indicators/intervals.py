"""Intervals that say how little a small number of cases tells."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from drgcore.errors import DrgcoreError
from drgcore.indicators.kernel import beta_quantiles, gamma_quantiles
from drgcore.language import _

Floats = NDArray[np.float64]

_BLOCKS = 2000


def proportion_interval(events: Any, cases: Any, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Exact interval of a proportion by Clopper and Pearson.

    Parameters
    ----------
    events, cases : array-like of numbers, shape (n,)
        Numerator and denominator, 0 ≤ events ≤ cases.
    confidence : float, default 0.95
        Probability with which the interval holds the true proportion, at least.

    Returns
    -------
    lower, upper : ndarray of float64, shape (n,)
        NaN where there are no cases.

    Notes
    -----
    ``lower`` is the α/2 quantile of Beta(x, n − x + 1), 0 for x = 0; ``upper`` the 1 − α/2
    quantile of Beta(x + 1, n − x), 1 for x = n.

    References
    ----------
    C. J. Clopper, E. S. Pearson, "The use of confidence or fiducial limits illustrated in the
    case of the binomial", Biometrika 26 (1934), 404–413.

    Examples
    --------
    >>> low, high = proportion_interval([0, 2], [10, 10])
    >>> low.round(4).tolist(), high.round(4).tolist()
    ([0.0, 0.0252], [0.3085, 0.5561])
    """
    x, n = np.broadcast_arrays(np.asarray(events, np.float64), np.asarray(cases, np.float64))
    # Small units have few distinct pairs, and each limit costs some thousand operations.
    pairs, at = np.unique(x + 1j * n, return_inverse=True)
    lower, upper = _clopper_pearson(pairs.real, pairs.imag, _tail(confidence))
    return lower[at.reshape(x.shape)], upper[at.reshape(x.shape)]


def poisson_interval(events: Any, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Exact interval of the mean of a number of events by Garwood.

    Parameters
    ----------
    events : array-like of numbers, shape (n,)
        Events counted, 0 or more.
    confidence : float, default 0.95
        Probability with which the interval holds the true mean, at least.

    Returns
    -------
    lower, upper : ndarray of float64, shape (n,)

    Notes
    -----
    ``lower`` is the α/2 quantile of Gamma(x), 0 for x = 0; ``upper`` the 1 − α/2 quantile of
    Gamma(x + 1). Divided by the expected number they are the limits of a standardised ratio.

    References
    ----------
    F. Garwood, "Fiducial limits for the Poisson distribution", Biometrika 28 (1936), 437–442.

    Examples
    --------
    >>> low, high = poisson_interval([0, 10])
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.0, 4.795], [3.689, 18.39])
    """
    x = np.asarray(events, np.float64)
    tail = _tail(confidence)
    distinct, at = np.unique(x, return_inverse=True)
    lower, upper = np.zeros(len(distinct)), np.empty(len(distinct))
    some = distinct > 0
    found = np.empty(int(some.sum()))
    gamma_quantiles(np.full(len(found), tail), distinct[some], found)
    lower[some] = found
    gamma_quantiles(np.full(len(distinct), 1 - tail), distinct + 1.0, upper)
    return lower[at.reshape(x.shape)], upper[at.reshape(x.shape)]


def mean_interval(
    total: Any, squares: Any, cases: Any, confidence: float = 0.95
) -> tuple[Floats, Floats]:
    """Interval of a mean by Student's t.

    Parameters
    ----------
    total, squares, cases : array-like of float, shape (n,)
        Sum, sum of squares and number of the values.
    confidence : float, default 0.95
        Probability with which the interval holds the mean.

    Returns
    -------
    lower, upper : ndarray of float64, shape (n,)
        NaN where there are fewer than two values: one value says nothing of its spread.

    Notes
    -----
    ``mean ± t · s/√n`` with n − 1 degrees of freedom. Costs and stays are skewed, so with a
    handful of cases it is too short on the upper side; `bootstrap_interval` is for those.

    Examples
    --------
    >>> low, high = mean_interval([6.0], [14.0], [3])
    >>> low.round(4).tolist(), high.round(4).tolist()
    ([-0.4841], [4.4841])
    """
    s, q, n = (np.asarray(a, np.float64) for a in (total, squares, cases))
    s, q, n = np.broadcast_arrays(s, q, n)
    lower, upper = np.full(s.shape, np.nan), np.full(s.shape, np.nan)
    there = n >= 2
    if there.any():
        mean, degrees = s[there] / n[there], n[there] - 1
        spread = np.sqrt(np.maximum(q[there] - mean * s[there], 0.0) / degrees / n[there])
        # Many units have the same number of cases.
        distinct, at = np.unique(degrees, return_inverse=True)
        x = _quantile(2 * _tail(confidence), distinct / 2, np.full(len(distinct), 0.5))
        t = np.sqrt(distinct * (1 - x) / x)[at]
        lower[there], upper[there] = mean - t * spread, mean + t * spread
    return lower, upper


def ratio_interval(
    top: Any, below: Any, squares: Any, cases: Any, confidence: float = 0.95
) -> tuple[Floats, Floats]:
    """Interval of a quotient of two sums over cases, by the delta method.

    Parameters
    ----------
    top, below : array-like of float, shape (n,)
        Sums ``Σ x`` and ``Σ y`` of not negative numbers.
    squares : array-like of float, shape (n,)
        Sum of the squares of the residuals, ``Σ (x − r y)²`` with ``r = Σ x / Σ y``.
    cases : array-like of float, shape (n,)
        Number of cases.
    confidence : float, default 0.95
        Probability with which the interval holds the quotient.

    Returns
    -------
    lower, upper : ndarray of float64, shape (n,)
        NaN where there are fewer than two cases or the denominator is 0.

    Notes
    -----
    ``r ± t · √(n / (n − 1) · Σ (x − r y)²) / Σ y`` with n − 1 degrees of freedom; below 0 it ends.
    With a handful of cases one dear case decides both sums, and it is too short.

    References
    ----------
    W. G. Cochran, Sampling Techniques, 3rd ed. 1977, sections 2.11 and 6.4: the ratio estimate.

    Examples
    --------
    >>> low, high = ratio_interval([30.0], [100.0], [50.0], [4])
    >>> low.round(4).tolist(), high.round(4).tolist()
    ([0.0402], [0.5598])
    """
    n, y = np.asarray(cases, np.float64), np.asarray(below, np.float64)
    # The residuals add up to 0, so their mean has the interval of any mean, and r is about it.
    low, high = mean_interval(np.zeros(len(n)), squares, n, confidence)
    ratio, scale = (
        np.divide(a, y, out=np.full(len(n), np.nan), where=y > 0)
        for a in (np.asarray(top, np.float64), n)
    )
    return np.maximum(ratio + low * scale, 0.0), ratio + high * scale


def bootstrap_interval(
    values: Any, weights: Any = None, *, confidence: float = 0.95, draws: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """Percentile interval of a mean, or of a ratio of two sums, by resampling cases.

    Parameters
    ----------
    values : array-like of float, shape (n,)
        The numerator of each case.
    weights : array-like of float, shape (n,), optional
        The denominator of each case; 1 by default, which makes it a mean.
    confidence : float, default 0.95
        Share of the draws within the interval.
    draws : int, default 2000
        Number of resamples.
    seed : int, default 0
        The same seed gives the same interval, in any order of the cases.

    Returns
    -------
    lower, upper : float
        NaN where there are fewer than two cases.

    Notes
    -----
    More than 2,000 cases are dealt to 2,000 random blocks, which are drawn in their place: the
    variance is the same but for one part in 2,000, and the cost is bounded.

    References
    ----------
    B. Efron, R. Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.

    Examples
    --------
    >>> low, high = bootstrap_interval([1.0, 2.0, 3.0, 40.0])
    >>> low, high
    (1.5, 30.5)
    """
    top = np.asarray(values, np.float64)
    below = np.ones_like(top) if weights is None else np.asarray(weights, np.float64)
    if len(top) < 2:
        return float("nan"), float("nan")
    order = np.lexsort((below, top))
    top, below = top[order], below[order]
    rng = np.random.default_rng(seed)
    if len(top) > _BLOCKS:
        block_of = rng.permutation(len(top)) % _BLOCKS
        top, below = (np.bincount(block_of, a, _BLOCKS).astype(np.float64) for a in (top, below))
    # Of a mean every draw has the same denominator.
    alike = bool((below == 1).all())
    found = np.empty(draws)
    block = max(1, 4_000_000 // len(top))
    for start in range(0, draws, block):
        picks = rng.integers(len(top), size=(min(block, draws - start), len(top)))
        base = np.full(len(picks), len(below)) if alike else below[picks].sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            found[start : start + len(picks)] = np.where(
                base != 0, top[picks].sum(axis=1) / base, np.nan
            )
    tail = _tail(confidence)
    low, high = np.nanquantile(found, [tail, 1 - tail])
    return float(low), float(high)


def _clopper_pearson(x: Floats, n: Floats, tail: float) -> tuple[Floats, Floats]:
    lower, upper = np.full(x.shape, np.nan), np.full(x.shape, np.nan)
    lower[(n > 0) & (x <= 0)] = 0.0
    upper[(n > 0) & (x >= n)] = 1.0
    inner = (n > 0) & (x > 0)
    lower[inner] = _quantile(tail, x[inner], n[inner] - x[inner] + 1)
    inner = (n > 0) & (x < n)
    upper[inner] = _quantile(1 - tail, x[inner] + 1, n[inner] - x[inner])
    return lower, upper


def _tail(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise DrgcoreError(
            _("confidence={confidence} is not between 0 and 1", confidence=confidence),
            hint=_("give 0.95"),
        )
    return (1 - confidence) / 2


def _quantile(p: float, a: Floats, b: Floats) -> Floats:
    out = np.empty(len(a))
    beta_quantiles(np.full(len(a), p), a, np.ascontiguousarray(b), out)
    return out

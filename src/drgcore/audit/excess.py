"""More events than the peers have: standardised ratios, their chance, false discoveries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drgcore.indicators.intervals import poisson_interval
from drgcore.indicators.kernel import beta_values, gamma_values

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_MEDIAN_OF_NORMAL = 0.6744897501960817
# Fewer units than this say nothing of how much honest units differ.
_LEAST_UNITS = 8
_LEAST_INFORMATION = 5.0
_LARGEST_SPREAD = 4.0


@dataclass(frozen=True, eq=False)
class Excess:
    """Events of units beside those that their peers would have had, one entry a unit.

    Attributes
    ----------
    cases, observed : ndarray of float64
        Cases that could be compared, and the events among them.
    expected : ndarray of float64
        Events if every stratum had the rate of the unit's peers (indirect standardisation).
    lower, upper : ndarray of float64
        Exact 95 % limits of observed / expected by Garwood.
    chance : ndarray of float64
        Probability of so many events, or (``side="fewer"``) so few, in a unit like its peers.
    spread : float
        Standard deviation of the log odds between units that is not chance, which `chance` allows
        for.
    """

    cases: Floats
    observed: Floats
    expected: Floats
    lower: Floats
    upper: Floats
    chance: Floats
    spread: float


def excess(
    event: Any, stratum: Any, unit: Any, units: int, *, side: str = "more", dispersion: float = 1.0
) -> Excess:
    """Compare the events of each unit with its peers, stratum by stratum.

    Parameters
    ----------
    event : array-like of bool, shape (n,)
        What is counted.
    stratum, unit : array-like of int, shape (n,)
        Numbers from 0; -1 leaves a case out.
    units : int
        Number of units.
    side : {"more", "fewer"}, default "more"
        Which tail is the signal.
    dispersion : float, default 1
        Variance of a unit's events over that of cases which are independent: above 1 where a
        limit that the unit's cases share was itself estimated from them.

    Returns
    -------
    Excess

    Notes
    -----
    Strata of n_s cases and x_s events of which the unit has n_us cases. The expected number is
    ``Σ n_us (x_s − x_us) / (n_s − n_us)``; strata without peers are left out.

    The chance is conditional on the events of each stratum, so chance in the peers' rate is part of
    it: without a difference the unit's events are hypergeometric, with mean
    ``m = Σ n_us x_s / n_s`` and variance
    ``v = Σ n_us (n_s − n_us) x_s (n_s − x_s) / (n_s² (n_s − 1))`` (Mantel and Haenszel). Of them
    ``l = Σ max(n_us + x_s − n_s, 0)`` must be the unit's and ``u = Σ min(n_us, x_s)`` may be; those
    beyond l are a sum of u − l independent trials, whose tail is at most that of as many equal ones
    (Hoeffding). So the tail is that of the binomial distribution with u − l trials and mean m − l,
    which is above the true one for anything that is a signal. Honest units differ too: with the log
    odds of units normal with standard deviation τ, ``τ² v²`` is added to its variance, which
    `dispersion` multiplies before; where that makes it greater than the mean, the distribution is
    the negative binomial. The centre of the log
    odds ``(x − m) / v`` (weighted median, so that units that report too much do not make the others
    look low) and τ (from the median of the deviations) bear up to half of the units being odd.

    References
    ----------
    N. Mantel, W. Haenszel, J. Natl. Cancer Inst. 22 (1959), 719–748.
    W. Hoeffding, "On the distribution of the number of successes in independent trials", Ann. Math.
    Statist. 27 (1956), 713–721.
    D. J. Spiegelhalter, "Funnel plots for comparing institutional performance", Statistics in
    Medicine 24 (2005), 1185–1202: overdispersion.

    Examples
    --------
    >>> unit = np.repeat([0, 1, 2], 100)
    >>> event = np.tile(np.arange(100), 3) < np.repeat([10, 12, 40], 100)
    >>> found = excess(event, np.zeros(300), unit, 3)
    >>> found.expected.tolist(), found.chance.round(4).tolist()
    ([26.0, 25.0, 11.0], [0.9993, 0.995, 0.0])
    """
    return _compared(*_cells(event, stratum, unit, units), units, side, dispersion)


def change(event: Any, stratum: Any, unit: Any, later: Any, units: int) -> Excess:
    """Compare the events of each unit with its own earlier ones, stratum by stratum.

    Parameters
    ----------
    event : array-like of bool, shape (n,)
        What is counted.
    stratum, unit : array-like of int, shape (n,)
        Numbers from 0; -1 leaves a case out.
    later : array-like of bool, shape (n,)
        Whether a case is of the later period.
    units : int
        Number of units.

    Returns
    -------
    Excess
        `cases` and `observed` are of the later period, where the unit had cases of the stratum
        before; `expected` are the events at its own earlier rates. The limits of the ratio take
        these rates as known; `chance` does not.

    Notes
    -----
    As `excess`, with each stratum of each unit for itself, and the later cases in the place of the
    unit, the earlier ones in that of its peers. What rose or fell everywhere is the centre of the
    log odds, so that only what rose more than elsewhere is unlikely; it takes eight units to tell.

    Examples
    --------
    >>> later = np.tile(np.repeat([False, True], 100), 2)
    >>> event = np.tile(np.arange(100), 4) < np.repeat([10, 12, 10, 40], 100)
    >>> found = change(event, np.zeros(400), np.repeat([0, 1], 200), later, 2)
    >>> found.expected.tolist(), found.chance.round(4).tolist()
    ([10.0, 10.0], [0.4159, 0.0])
    """
    e, now = np.asarray(event, bool), np.asarray(later, bool)
    s, u = np.asarray(stratum, np.int64), np.asarray(unit, np.int64)
    kept = (s >= 0) & (u >= 0)
    e, now = e[kept], now[kept]
    cells, at = np.unique(s[kept] * units + u[kept], return_inverse=True)
    n, x, n_now, x_now = (
        np.bincount(at, hits, len(cells)).astype(np.float64)
        for hits in (np.ones(len(at)), e, now, e & now)
    )
    both = (n_now > 0) & (n_now < n)
    of = cells[both] % max(units, 1)
    return _compared(x[both], n[both], x_now[both], n_now[both], of, units, "more")


def _compared(
    x_s: Floats,
    n_s: Floats,
    x_us: Floats,
    n_us: Floats,
    of: Ints,
    units: int,
    side: str,
    dispersion: float = 1.0,
) -> Excess:
    """Add up cells of a stratum (all, and the unit's own part of it) to what each unit shows."""
    peers = n_s - n_us
    rate = (x_s - x_us) / peers
    mean = n_us * x_s / n_s
    variance = n_us * peers * x_s * (n_s - x_s) / (n_s**2 * np.maximum(n_s - 1, 1))

    def added(values: Floats) -> Floats:
        return np.bincount(of, values, units).astype(np.float64)

    observed, expected = added(x_us), added(n_us * rate)
    m, v = added(mean), added(variance)
    centre, spread = _between(observed, m, v, dispersion)
    # Of the events so many must be the unit's, and so many may be.
    least, room = added(np.maximum(n_us + x_s - n_s, 0)), added(np.minimum(n_us, x_s))
    room -= least
    free = np.maximum(m - least, 0.0)
    some = free > 0
    moved = np.exp(np.divide(centre * v, free, out=np.zeros(units), where=some))
    free = np.minimum(free * moved, room)
    widest = free * (1.0 - np.divide(free, room, out=np.ones(units), where=room > 0))
    chance = tail(observed - least, free, widest * dispersion + spread**2 * v**2, side=side)
    chance[v <= 1e-9] = 1.0
    low, high = poisson_interval(observed)
    over = np.where(expected > 0, expected, np.nan)
    return Excess(added(n_us), observed, expected, low / over, high / over, chance, spread)


def tail(observed: Any, mean: Any, variance: Any, *, side: str = "more") -> Floats:
    """Probability of at least (or at most) so many events, from a mean and a variance.

    Parameters
    ----------
    observed, mean, variance : array-like of float, shape (n,)
        The events, and the mean and variance of their number.
    side : {"more", "fewer"}, default "more"
        ``P(X ≥ observed)``, or ``P(X ≤ observed)``.

    Returns
    -------
    ndarray of float64, shape (n,)

    Notes
    -----
    Binomial for a variance below the mean (also with a number of trials that is not whole), Poisson
    for equal ones, negative binomial above.

    Examples
    --------
    >>> tail([3, 3, 3], [1, 1, 1], [0.9, 1, 2]).round(4).tolist()
    [0.0702, 0.0803, 0.125]
    """
    o, m, v = (np.asarray(a, np.float64) for a in np.broadcast_arrays(observed, mean, variance))
    if side == "fewer":
        return 1.0 - tail(o + 1.0, m, v)
    found = np.where(o <= 0, 1.0, 0.0)
    open_ = (o > 0) & (m > 0)
    difference = v - m
    poisson = open_ & (np.abs(difference) <= 1e-9 * m)
    below = open_ & ~poisson & (difference < 0)
    above = open_ & ~poisson & (difference > 0)
    if poisson.any():
        found[poisson] = _filled(gamma_values, o[poisson], m[poisson])
    if below.any():
        p = np.minimum(1.0 - v[below] / m[below], 1.0)
        trials = m[below] / p
        # More events than trials cannot be.
        left = trials - o[below] + 1.0
        found[below] = np.where(
            left > 0, _filled(beta_values, p, o[below], np.maximum(left, 1e-12)), 0.0
        )
    if above.any():
        size = m[above] ** 2 / difference[above]
        found[above] = _filled(beta_values, difference[above] / v[above], o[above], size)
    return np.clip(found, 0.0, 1.0)


def false_discovery(chance: Any) -> Floats:
    """Share of false ones among all that are at least as unlikely, by Benjamini and Hochberg.

    Parameters
    ----------
    chance : array-like of float, shape (n,)
        Probabilities of what was seen if nothing is odd; NaN where nothing was tested.

    Returns
    -------
    ndarray of float64, shape (n,)
        Take those at most 0.05, and the expected share of false ones among them is at most 5 %;
        where nothing is odd, at least one is taken in at most 5 % of all audits.

    References
    ----------
    Y. Benjamini, Y. Hochberg, "Controlling the false discovery rate", J. R. Statist. Soc. B 57
    (1995), 289–300.

    Examples
    --------
    >>> false_discovery([0.01, 0.04, 0.03, 0.5]).round(4).tolist()
    [0.04, 0.0533, 0.0533, 0.5]
    """
    p = np.asarray(chance, np.float64)
    found = np.full(p.shape, np.nan)
    there = np.flatnonzero(~np.isnan(p))
    if not len(there):
        return found
    order = there[np.argsort(p[there], kind="stable")]
    scaled = p[order] * len(order) / np.arange(1, len(order) + 1)
    found[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return found


def _cells(
    event: Any, stratum: Any, unit: Any, units: int
) -> tuple[Floats, Floats, Floats, Floats, Ints]:
    """Events and cases of each stratum and of each unit in it, where there are peers."""
    e, s, u = np.asarray(event, bool), np.asarray(stratum, np.int64), np.asarray(unit, np.int64)
    kept = (s >= 0) & (u >= 0)
    e, s, u = e[kept], s[kept], u[kept]
    size = int(s.max(initial=-1)) + 1
    n, x = np.bincount(s, minlength=size), np.bincount(s, e, size)
    cells, at = np.unique(s * units + u, return_inverse=True)
    n_us, x_us = np.bincount(at, minlength=len(cells)), np.bincount(at, e, len(cells))
    of_stratum, of_unit = cells // max(units, 1), cells % max(units, 1)
    n_s, x_s = n[of_stratum].astype(np.float64), x[of_stratum]
    some = n_s > n_us
    return x_s[some], n_s[some], x_us[some], n_us[some].astype(np.float64), of_unit[some]


def _between(
    observed: Floats, mean: Floats, variance: Floats, dispersion: float
) -> tuple[float, float]:
    """Centre and spread of the units' log odds that chance does not make."""
    told = variance >= _LEAST_INFORMATION
    if int(told.sum()) < _LEAST_UNITS:
        return 0.0, 0.0
    o, m, v = observed[told], mean[told], variance[told]
    odds = (o - m) / v
    order = np.argsort(odds, kind="stable")
    upto = np.cumsum(v[order])
    centre = float(odds[order][np.searchsorted(upto, upto[-1] / 2)])
    z = np.abs(o - m - centre * v) / np.sqrt(v * dispersion)

    def typical(spread: float) -> float:
        return float(np.median(z / np.sqrt(1.0 + spread**2 * v / dispersion)))

    low, high = 0.0, _LARGEST_SPREAD
    if typical(low) <= _MEDIAN_OF_NORMAL:
        return centre, 0.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if typical(middle) > _MEDIAN_OF_NORMAL else (low, middle)
    return centre, 0.5 * (low + high)


def _filled(function: Any, *arguments: Floats) -> Floats:
    """Values of a compiled function of columns."""
    out = np.empty(len(arguments[0]))
    function(*(np.ascontiguousarray(a) for a in arguments), out)
    return out

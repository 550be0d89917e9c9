"""Whether two groups differ by more than chance makes them."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray


def z_of_difference(
    first: Any, second: Any, apart: Any, squares: Any, fitted: Any = 0
) -> NDArray[np.float64]:
    """Student's t of the difference of two means, on the scale of the normal distribution.

    Parameters
    ----------
    first, second : int or ndarray of int
        Cases of the two groups, each at least 1 and together at least 3.
    apart : float or ndarray of float
        Mean of the first less mean of the second.
    squares : float or ndarray of float
        Squared deviations of the cases from the mean of their group, both groups added up.
    fitted : int or ndarray of int, default 0
        Means that were taken off the values before, beside that of all: each makes deviations
        smaller than chance alone does.

    Returns
    -------
    ndarray of float64
        z; infinite where the groups differ and no case deviates from its group's mean; 0 where
        fitted means leave nothing to tell chance by.

    Notes
    -----
    The variance is that of both groups together: of ten cases alone it is too uncertain for a test
    among many thousands. t becomes z by Wallace, D. L. (1959), Annals of Mathematical Statistics
    30, 1121–1130.

    Examples
    --------
    >>> z_of_difference(20, 30, 0.5, 12.0).round(3)
    np.float64(3.256)
    >>> z_of_difference(20, 30, 0.0, 0.0), z_of_difference(20, 30, -1.0, 0.0)
    (np.float64(0.0), np.float64(-inf))
    """
    n, m, difference = (np.asarray(values, np.float64) for values in (first, second, apart))
    freedom = n + m - 2 - np.asarray(fitted)
    known = freedom > 0
    freedom = np.where(known, freedom, 1.0)
    variance = np.asarray(squares, np.float64) / freedom * (1 / n + 1 / m)
    return np.asarray(np.where(known, _as_z(difference, variance, freedom), 0.0))[()]


def z_of_parts(
    first: int, second: int, apart: float, squares: tuple[float, float] | NDArray[np.float64]
) -> float:
    """Test the difference of two parts of a group, whose spreads may differ as well.

    Parameters
    ----------
    first, second : int
        Cases of the two parts, together at least 3.
    apart : float
        Mean of the first less mean of the second.
    squares : two floats
        Squared deviations from the mean of each part.

    Returns
    -------
    float
        z, the one closer to 0 of `z_of_difference` and of Welch's t, which takes each part's own
        variance: where a small part is spread more widely than a large one, the variance of both
        together makes its mean look far more certain than it is. A part of one case has no
        variance of its own, and the first is given.

    Examples
    --------
    >>> round(z_of_parts(30, 3000, 0.4, (29.0, 480.0)), 2)
    2.09
    >>> round(float(z_of_difference(30, 3000, 0.4, 509.0)), 2)
    5.3
    """
    pooled = float(z_of_difference(first, second, apart, sum(squares)))
    if min(first, second) < 2:
        return pooled
    of_mean = [q / (n - 1) / n for q, n in zip(squares, (first, second), strict=True)]
    variance = sum(of_mean)
    if variance <= 0:
        return pooled
    parts = (v**2 / (n - 1) for v, n in zip(of_mean, (first, second), strict=True))
    apart_only = float(_as_z(np.asarray(apart), np.asarray(variance), variance**2 / sum(parts)))
    return min(pooled, apart_only, key=abs)


def _as_z(
    difference: NDArray[np.float64], variance: NDArray[np.float64], freedom: Any
) -> NDArray[np.float64]:
    with np.errstate(divide="ignore", invalid="ignore"):
        t_squared = np.where(difference == 0, 0.0, difference**2 / variance)
        size = (
            (8 * freedom + 1) / (8 * freedom + 3) * np.sqrt(freedom * np.log1p(t_squared / freedom))
        )
    return np.asarray(np.sign(difference) * size)


def threshold(alpha: float, tests: int) -> float:
    """Give the z that chance exceeds in any of so many two-sided tests with probability `alpha`.

    Parameters
    ----------
    alpha : float
        Over all tests together (Bonferroni).
    tests : int
        How many there are.

    Returns
    -------
    float

    Examples
    --------
    >>> round(threshold(0.05, 1), 3), round(threshold(0.01, 50_000), 3)
    (1.96, 5.199)
    """
    return NormalDist().inv_cdf(1 - alpha / (2 * max(1, tests)))

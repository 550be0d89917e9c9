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
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.asarray(squares, np.float64) / freedom * (1 / n + 1 / m)
        t_squared = np.where(difference == 0, 0.0, difference**2 / variance)
        size = (
            (8 * freedom + 1) / (8 * freedom + 3) * np.sqrt(freedom * np.log1p(t_squared / freedom))
        )
    return np.asarray(np.where(known, np.sign(difference) * size, 0.0))[()]


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

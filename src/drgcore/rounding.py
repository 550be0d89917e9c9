"""Rounding as policies write it: halves up, and decimals that add up to exactly one."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def round_half_up(values: Any, places: int) -> NDArray[np.float64]:
    """Round to decimals with halves up (四舍五入), as the decimals are written.

    A product of decimals such as 120.5 × 1.0001 may come out a hair below its exact value; a number
    within four units of the last binary place below a half counts as the half.

    Parameters
    ----------
    values : array-like of float
        Numbers, not negative.
    places : int
        Decimals.

    Returns
    -------
    ndarray of float64
        The nearest float to each rounded decimal.

    Examples
    --------
    >>> round_half_up([1.00005, 2.00004, 1.005], 4).tolist()
    [1.0001, 2.0, 1.005]
    """
    import numpy as np

    scale = 10.0**places
    scaled = np.asarray(values, np.float64) * scale
    return np.floor(scaled * (1 + 2.0**-50) + 0.5) / scale


def decimal_shares(shares: Sequence[float], places: int) -> tuple[Decimal, ...]:
    """Write shares as decimals that add up to exactly 1, by largest remainders (最大余额法).

    Parameters
    ----------
    shares : sequence of float
        Shares of any whole, none negative and not all 0.
    places : int
        Decimals.

    Returns
    -------
    tuple of Decimal
        Of equal remainders the earlier share gets the unit of the last decimal place that is left.

    Examples
    --------
    >>> [str(share) for share in decimal_shares([1, 1, 1], 4)]
    ['0.3334', '0.3333', '0.3333']
    """
    exact = [Fraction(float(share)) for share in shares]
    units = 10**places
    quotas = [share * units / sum(exact) for share in exact]
    whole = [quota.numerator // quota.denominator for quota in quotas]
    ranking = sorted(range(len(exact)), key=lambda i: (whole[i] - quotas[i], i))
    for i in ranking[: units - sum(whole)]:
        whole[i] += 1
    return tuple(Decimal(number).scaleb(-places) for number in whole)

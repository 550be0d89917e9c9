"""Bands (分段): a value that depends on which interval a number lies in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import ConfigDict, model_validator

from drgcore.language import _
from drgcore.points.parameters import Model


class Bands(Model):
    """Intervals that follow each other without gap, each with one value.

    A number on a limit belongs to the band below it, as ``P ≤ 100`` says. The same type serves
    multiples by base points, points per day by days, encouragement coefficients by score and
    shares by the ratio of entitlement to cost.

    Parameters
    ----------
    limits : tuple of float
        Upper limits of all bands but the last, increasing.
    values : tuple of float
        The bands' values, one more than limits.

    Notes
    -----
    In a policy file bands are a list, ``[{up_to = 100, value = 3}, {up_to = 200, value = 2.5},
    {value = 2}]``; the last has no `up_to`. A band may repeat the limit below it as `above`, which
    is then checked against the band before; a single number is one band without limits.

    Examples
    --------
    >>> multiples = Bands(limits=(100, 200), values=(3, 2.5, 2))
    >>> multiples.apply([50, 100, 100.5, 1000]).tolist()
    [3.0, 3.0, 2.5, 2.0]
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    limits: tuple[float, ...] = ()
    values: tuple[float, ...]

    @model_validator(mode="before")
    @classmethod
    def _from_list(cls, data: Any) -> Any:
        if isinstance(data, Mapping | Bands):
            return data
        if isinstance(data, Sequence) and not isinstance(data, str):
            return _read(data)
        return {"values": (data,)}

    @model_validator(mode="after")
    def _check(self) -> Bands:
        if len(self.values) != len(self.limits) + 1:
            raise ValueError(
                _(
                    "{count} limits need {row} values",
                    count=len(self.limits),
                    row=len(self.limits) + 1,
                )
            )
        for low, high in zip(self.limits, self.limits[1:], strict=False):
            if high <= low:
                raise ValueError(
                    _(
                        "the bands overlap: a band up to {digits} follows one to {digits_2}",
                        digits=_digits(high),
                        digits_2=_digits(low),
                    )
                )
        return self

    def apply(self, values: ArrayLike) -> NDArray[np.float64]:
        """Give the value of the band that each number lies in.

        Parameters
        ----------
        values : array-like of float
            Numbers in the unit of `limits`.

        Returns
        -------
        ndarray of float64
            The bands' values; NaN for NaN.

        Examples
        --------
        >>> Bands(values=(0.4,)).apply([1.0, float("nan")]).tolist()
        [0.4, nan]
        """
        numbers = np.asarray(values, np.float64)
        index = np.searchsorted(np.asarray(self.limits), numbers, side="left")
        result = np.asarray(self.values)[np.minimum(index, len(self.limits))]
        return np.where(np.isnan(numbers), np.nan, result)

    def __str__(self) -> str:
        pairs = zip(self.limits, self.values, strict=False)
        parts = [
            _("{value} up to {limit}", value=_digits(value), limit=_digits(limit))
            for limit, value in pairs
        ]
        last = _digits(self.values[-1])
        return _(", ").join([*parts, _("{value} above", value=last) if parts else last])


def _digits(value: float) -> str:
    """Write a number with all the digits that tell it from any other."""
    return f"{Decimal(repr(value)).normalize():f}"


def _read(rows: Sequence[Any]) -> dict[str, Any]:
    """Turn the list of a policy file into limits and values."""
    limits: list[Any] = []
    values: list[Any] = []
    for number, row in enumerate(rows, 1):
        if not isinstance(row, Mapping) or "value" not in row:
            raise ValueError(
                _("band {number} has no value; write {{ up_to = …, value = … }}", number=number)
            )
        unknown = sorted(set(row) - {"above", "up_to", "value"})
        if unknown:
            raise ValueError(
                _(
                    "band {number} has the unknown key {unknown}",
                    number=number,
                    unknown=", ".join(unknown),
                )
            )
        below = limits[-1] if limits else None
        if "above" in row and below is not None and float(row["above"]) != float(below):
            fault = _("overlap") if float(row["above"]) < float(below) else _("leave a gap")
            raise ValueError(
                _(
                    "the bands {fault}: band {number} begins above {row}, the band "
                    "before it goes up to {below}",
                    fault=fault,
                    number=number,
                    row=row["above"],
                    below=below,
                )
            )
        if "up_to" not in row and number < len(rows):
            raise ValueError(
                _(
                    "the bands overlap: band {number} has no up_to and is not the last",
                    number=number,
                )
            )
        if "up_to" in row and number == len(rows):
            raise ValueError(
                _("the last band must have no up_to, so that every number has a value")
            )
        if "up_to" in row:
            limits.append(row["up_to"])
        values.append(row["value"])
    return {"limits": tuple(limits), "values": tuple(values)}

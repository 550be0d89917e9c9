"""What a signal looks at in each case, before units are compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from drgcore.audit.frame import AuditFrame
from drgcore.language import _
from drgcore.points.parameters import parameter
from drgcore.points.toml_model import TomlModel


class Limits(TomlModel):
    """The numbers that signals depend on; a .toml file has some of them.

    Examples
    --------
    >>> Limits.read("split_days = 10").split_days, Limits().split_days
    (10, 15)
    """

    fdr: float = parameter(
        "share of false signals among the signals of one kind", default=0.05, ge=0, le=1
    )
    least_excess: float = parameter(
        "least events beyond the expected ones of a unit with a signal", "cases", default=3.0, ge=0
    )
    split_days: int = parameter(
        "days after a discharge within which the same patient's next stay counts as follow-up stay",
        "days",
        default=15,
        ge=0,
    )
    short_stay: int = parameter(
        "longest stay of a low-indication admission", "days", default=2, ge=0
    )
    low_cost: float = parameter(
        "highest cost of a low-indication admission, as a share of its DRG's mean",
        default=0.5,
        gt=0,
    )
    low_outlier: float = parameter(
        "share of the mean of DRG and level below which payment falls", default=0.4, ge=0
    )
    few_services: float = parameter(
        "share of the mean of DRG and level below which services are few", default=0.6, gt=0
    )
    outside_share: float = parameter(
        "quantile of the DRG above which a case's cost before admission or outside is much",
        default=0.95,
        gt=0,
        lt=1,
    )
    high_outliers: tuple[Annotated[float, Field(gt=0)], ...] = parameter(
        "multiples of the mean of the DRG beyond which a case is a high-cost outlier",
        default=(3.0,),
        min_length=1,
    )
    long_stay: int = parameter("longest stay that the points pay", "days", default=60, ge=1)

    @model_validator(mode="after")
    def _apart(self) -> Limits:
        if self.low_outlier >= self.few_services:
            raise ValueError(_("low_outlier must be below few_services, or nothing is between"))
        return self


@dataclass(frozen=True, eq=False)
class Marked:
    """What a signal sees in each case.

    Attributes
    ----------
    event : ndarray of bool, shape (n,)
        What is counted.
    stratum : ndarray of int64, shape (n,)
        Cases with the same number are compared; -1 leaves a case out.
    money : ndarray of float64, shape (n,)
        What hangs on the event [yuan]; NaN where it is not known.
    note : callable
        Text for the list, of each of some rows.
    listed : ndarray of bool, shape (n,), optional
        What the list shows of a unit with a signal; the events by default.
    around : ndarray of int64, shape (n,), optional
        Of signals beside limits: twice the number of the limit, and one more beyond it, of the
        cases that tell the density; -1 for others.
    reach : float
        The width of the windows beside the limit over the distance of those that tell the density.
    dispersion : float
        Variance of a unit's events over that of cases which are independent, see `excess`.
    """

    event: NDArray[np.bool_]
    stratum: NDArray[np.int64]
    money: NDArray[np.float64]
    note: Callable[[NDArray[np.int64]], list[str]]
    listed: NDArray[np.bool_] | None = None
    around: NDArray[np.int64] | None = None
    reach: float = 0.0
    dispersion: float = 1.0


Mark = Callable[[AuditFrame, Limits], Marked]
"""Marks the cases for a signal."""


@dataclass(frozen=True)
class Rate:
    """A signal that compares how often something happens.

    Attributes
    ----------
    needs : tuple of str
        Columns without which it cannot be looked at.
    mark : callable
        Marks the cases.
    side : str
        ``more`` or ``fewer`` events than the peers.
    """

    needs: tuple[str, ...]
    mark: Mark
    side: str = "more"


def numbered(text: str, *values: NDArray[Any]) -> Callable[[NDArray[np.int64]], list[str]]:
    """Make texts of rows by a message and columns, in its order.

    Examples
    --------
    >>> numbered("{} d", np.array([3, 5]))(np.array([1]))
    ['5 d']
    """

    def note(rows: NDArray[np.int64]) -> list[str]:
        taken = [value[rows].tolist() for value in values]
        return [text.format(*parts) for parts in zip(*taken, strict=True)]

    return note


def names_of(names: Sequence[str], codes: NDArray[Any]) -> NDArray[Any]:
    """Texts of codes; an empty one for -1."""
    return np.array([*names, ""], object)[codes]

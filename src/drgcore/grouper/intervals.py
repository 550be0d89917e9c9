"""The numbers of a case cut into intervals in which no comparison of a scheme changes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drgcore.cases.values import (
    MAX_AGE_DAYS,
    MAX_AGE_YEARS,
    MAX_ICU_HOURS,
    MAX_LEAVING_WAY,
    MAX_LENGTH_OF_STAY,
    MAX_NEWBORN_WEIGHT_G,
    MIN_LEAVING_WAY,
    MIN_NEWBORN_WEIGHT_G,
)
from drgcore.schemes.rules import FRACTIONAL, VARIABLES, Compare

VARIABLE_ORDER = tuple(VARIABLES)
COMPARE: Mapping[str, np.ufunc] = MappingProxyType(
    {
        "=": np.equal,
        ">=": np.greater_equal,
        ">": np.greater,
        "<=": np.less_equal,
        "<": np.less,
    }
)
"""The comparisons of the rule language on arrays."""

NUMBER_RANGES: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "XB": (1, 2),
        "NL": (0, MAX_AGE_YEARS),
        "XSRTL": (0, MAX_AGE_DAYS),
        "XSRTZ": (MIN_NEWBORN_WEIGHT_G, MAX_NEWBORN_WEIGHT_G),
        "ZYTS": (0, MAX_LENGTH_OF_STAY),
        "LYFS": (MIN_LEAVING_WAY, MAX_LEAVING_WAY),
        "ICUSC": (0, MAX_ICU_HOURS),
        "ZYZLZB": (0, 1),
        "CSTZ": (MIN_NEWBORN_WEIGHT_G, MAX_NEWBORN_WEIGHT_G),
        "RJSS": (0, 1),
        "DBW": (0, 1),
        "XJS": (0, 1),
        "ZZJH": (0, 1),
    }
)
"""The lowest and the highest number that a case can have, as the readers of cases see to."""


class Intervals:
    """Intervals of each number, one sample for each; the first is that of a missing number.

    Parameters
    ----------
    comparisons : sequence of Compare
        All comparisons of a scheme, each once.

    Attributes
    ----------
    cuts : dict of str to ndarray of int64
        Lowest number of each interval but the first two; of float64 where a value need not be
        whole.
    samples : dict of str to ndarray of float64
        A number of each interval. That of a missing number is NaN, for which every comparison is
        false.
    width : int
        The greatest number of intervals that a number has.
    """

    def __init__(self, comparisons: Sequence[Compare]) -> None:
        self._comparisons = comparisons
        self.cuts: dict[str, NDArray[Any]] = {}
        self.samples: dict[str, NDArray[np.float64]] = {}
        for variable, (lowest, highest) in NUMBER_RANGES.items():
            cuts: set[float] = set()
            for atom in comparisons:
                if atom.variable == variable:
                    below, above = _ends(atom)
                    cuts.update({"<": {below}, ">=": {below}}.get(atom.operator, {above}))
                    if atom.operator == "=":
                        cuts.add(below)
            # Each interval holds a number that a case can have; a bound beyond parts nothing.
            ordered = sorted(c for c in cuts if lowest < c <= highest)
            kind: type[np.generic] = np.float64 if variable in FRACTIONAL else np.int64
            self.cuts[variable] = np.array(ordered, dtype=kind)
            self.samples[variable] = np.array([np.nan, lowest, *ordered])
        self.width = max(len(s) for s in self.samples.values())

    def truth(self, atom: Compare) -> NDArray[np.bool_]:
        """Whether a comparison holds in each interval of its number."""
        with np.errstate(invalid="ignore"):
            return COMPARE[atom.operator](self.samples[atom.variable], atom.number)

    def table(self, members: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Truth of all comparisons by interval; below, that of memberships by class.

        What is asked of departments, shape (memberships, classes), is looked up as a comparison is,
        so that the kernel need not know of it.
        """
        width = max(self.width, members.shape[1])
        table = np.zeros((len(self._comparisons) + len(members), width), dtype=np.bool_)
        for row, atom in enumerate(self._comparisons):
            truth = self.truth(atom)
            table[row, : len(truth)] = truth
        table[len(self._comparisons) :, : members.shape[1]] = members
        return table


def _ends(atom: Compare) -> tuple[float, float]:
    """The lowest value that is not below the number of a comparison, and the lowest above it."""
    if atom.variable in FRACTIONAL:
        return atom.number, math.nextafter(atom.number, math.inf)
    return math.ceil(atom.number), math.floor(atom.number) + 1


def whole_comparison(operator: str, number: float) -> tuple[str, int]:
    """The comparison of a whole number with `number` as one with a whole number."""
    if number == int(number):
        return operator, int(number)
    if operator == "=":
        return "<", 0
    if operator in ("<", "<="):
        return "<=", math.floor(number)
    return ">=", math.ceil(number)

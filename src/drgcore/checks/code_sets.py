"""Sets of codes as tables over dense ids: whether a code is in a set costs one look-up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from drgcore.cases import FIRST_CODE, CodeIndex
from drgcore.checks.language import Codes, read_ranges
from drgcore.checks.mdc import MdcTables
from drgcore.errors import DrgcoreError
from drgcore.language import _
from drgcore.schemes import Scheme
from drgcore.schemes.lists import code_lists

Members = npt.NDArray[np.bool_]

LISTS: Mapping[str, str] = {
    "no_principal_diagnosis": "diagnosis",
    "no_part_procedures": "procedure",
    "gray_diagnoses": "diagnosis",
    "gray_procedures": "procedure",
}
"""Sets that a scheme or the dictionary brings → their system; see `drgcore.schemes.lists`."""

SCHEME_SETS: Mapping[str, str] = {"grouping_procedures": "procedure"}
"""Sets that follow from a scheme's rules: procedures that some ADRG asks for as principal."""


@dataclass(frozen=True)
class CodeSet:
    """A set of codes of a check file.

    Attributes
    ----------
    name : str
    system : str
        "diagnosis" or "procedure".
    ranges, without : tuple of pairs of str
        First and last code of each range; those that are left out again.
    source : str
    """

    name: str
    system: str
    ranges: tuple[tuple[str, str], ...]
    without: tuple[tuple[str, str], ...] = ()
    source: str = ""

    def members(self, codes: npt.NDArray[np.str_]) -> Members:
        """Which of the codes are in the set.

        Examples
        --------
        >>> CodeSet("x", "diagnosis", (("C51", "C58"),), (("C55", "C55"),)).members(
        ...     np.array(["C50.900", "C53.000", "C55.x00", "C58.x00"])).tolist()
        [False, True, False, True]
        """
        return _within(codes, self.ranges) & ~_within(codes, self.without)


def _within(codes: npt.NDArray[np.str_], ranges: tuple[tuple[str, str], ...]) -> Members:
    found = np.zeros(len(codes), bool)
    for first, last in ranges:
        # Cutting the codes to the length of the bounds makes a range of categories hold all that
        # stands under them.
        head = codes.astype(f"<U{len(first)}")
        found |= (head >= first) & (head <= last)
    return found


class CodeSets:
    """All sets that checks name, as truth over the ids of an index.

    Parameters
    ----------
    scheme : Scheme
    diagnoses, procedures : CodeIndex
    mdc : MdcTables
    sets : mapping of str to CodeSet
    """

    def __init__(
        self,
        scheme: Scheme,
        diagnoses: CodeIndex,
        procedures: CodeIndex,
        mdc: MdcTables,
        sets: Mapping[str, CodeSet],
    ) -> None:
        self._index = {"diagnosis": diagnoses, "procedure": procedures}
        self._codes = {
            system: np.array(index.codes.to_pylist(), dtype=np.str_)
            for system, index in self._index.items()
        }
        self._sets, self._mdc = sets, mdc
        self._lists = code_lists(scheme)
        self._made: dict[Codes, Members] = {}

    def unknown_lists(self) -> tuple[str, ...]:
        """Lists that are not known for the scheme; a check that names one cannot be run."""
        return tuple(name for name in LISTS if name not in self._lists.source)

    def members(self, codes: Codes) -> Members:
        """Truth for every id of the set's index."""
        if codes not in self._made:
            self._made[codes] = self._make(codes)
        return self._made[codes]

    def _make(self, codes: Codes) -> Members:
        if not codes.named:
            system, _other, text = codes.text.partition(":")
            made = CodeSet("", system, read_ranges(text, "")).members(self._codes[system])
        elif codes.text in self._sets:
            found = self._sets[codes.text]
            system, made = found.system, found.members(self._codes[found.system])
        elif codes.text in LISTS:
            system = LISTS[codes.text]
            made = np.isin(self._codes[system], sorted(getattr(self._lists, codes.text)))
        elif codes.text == "grouping_procedures":
            return self._mdc.procedures != 0
        else:
            raise DrgcoreError(_("there is no set of codes {text!r}", text=codes.text))
        return np.concatenate([np.zeros(FIRST_CODE, bool), made])

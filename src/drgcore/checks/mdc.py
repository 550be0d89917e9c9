"""Which MDC take a principal diagnosis, and where a procedure counts as the principal one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from drgcore.cases import FIRST_CODE, CodeIndex
from drgcore.schemes import GroupKind, Scheme
from drgcore.schemes.rules import And, Compare, Literal, Member, Not, Or, Rule, atoms

Bits = npt.NDArray[np.uint64]

# An age of the case stands for all ages that no comparison of the schemes tells from it.
_AGES: tuple[tuple[float | None, float | None], ...] = (
    *((0.0, float(days)) for days in (0, 28, 29, 90, 365)),
    *((float(years), None) for years in (1, 6, 18, 60)),
)


@dataclass(frozen=True)
class MdcTables:
    """Bits of MDC for codes.

    An MDC *takes* a principal diagnosis when its rule holds for a case that has nothing but this
    diagnosis, a sex and an age. A procedure *counts* in an MDC when a rule of one of its ADRG, but
    the ambiguous one, asks for it as principal procedure. MDC without a rule (先期分组) take every
    diagnosis, but do not make one acceptable.

    Attributes
    ----------
    scheme : Scheme
    diagnoses : CodeIndex
    procedures : ndarray of uint64, shape (ids of procedures,)
    """

    scheme: Scheme
    diagnoses: CodeIndex
    procedures: Bits

    @classmethod
    def of(cls, scheme: Scheme, diagnoses: CodeIndex, procedures: CodeIndex) -> MdcTables:
        """Tables of a scheme over these ids."""
        counted = np.zeros(len(procedures), np.uint64)
        place = {mdc.code: i for i, mdc in enumerate(scheme.mdcs)}
        ids = _ids_of_sets(scheme, procedures)
        for adrg in scheme.adrgs:
            if adrg.kind is not GroupKind.NAMED:
                continue
            for atom in atoms(adrg.rule):
                if isinstance(atom, Member) and "ZYSS" in atom.fields and not atom.negated:
                    for set_id in atom.sets:
                        counted[ids.get(set_id, [])] |= np.uint64(1 << place[adrg.mdc])
        counted[:FIRST_CODE] = 0
        return cls(scheme, diagnoses, counted)

    @cached_property
    def always(self) -> int:
        """Bits of the MDC whose rule is empty."""
        return sum(1 << i for i, m in enumerate(self.scheme.mdcs) if m.rule == Literal(True))

    @property
    def ruled(self) -> np.uint64:
        """Bits of all other MDC."""
        return np.uint64((2**64 - 1) ^ self.always)

    def taken(
        self,
        diagnosis: npt.NDArray[np.int32],
        sex: npt.NDArray[np.int8],
        years: npt.NDArray[np.int32],
        days: npt.NDArray[np.int32],
    ) -> Bits:
        """Bits of the MDC that take each case by its principal diagnosis, sex and age.

        Parameters
        ----------
        diagnosis, sex, years, days : ndarray, shape (n,)
            As `CaseArrays` has them; a negative number is missing.

        Returns
        -------
        ndarray of uint64, shape (n,)
        """
        found = np.full(len(diagnosis), self.always, np.uint64)
        for place, mdc in enumerate(self.scheme.mdcs):
            if mdc.rule == Literal(True):
                continue
            holds = self._holds(mdc.rule, diagnosis, {"XB": sex, "NL": years, "XSRTL": days})
            found[holds] |= np.uint64(1 << place)
        return found

    @cached_property
    def ever(self) -> Bits:
        """Bits of the MDC that take each diagnosis for its own sake at some sex and age."""
        found = np.zeros(len(self.diagnoses), np.uint64)
        for sex in (1, 2):
            found |= self.at_some_age(sex)
        return found

    def at_some_age(self, sex: int) -> Bits:
        """The same for one sex."""
        ids = np.arange(len(self.diagnoses), dtype=np.int32)
        found = np.zeros(len(ids), np.uint64)
        for years, days in _AGES:
            at_age = self.taken(
                ids,
                np.full(len(ids), sex, np.int8),
                np.full(len(ids), -1 if years is None else years, np.int32),
                np.full(len(ids), -1 if days is None else days, np.int32),
            )
            # An MDC that takes newborns with whatever diagnosis says nothing of a diagnosis.
            found |= at_age & ~at_age[0]
        found[:FIRST_CODE] = 0
        return found & self.ruled

    @cached_property
    def by_sex(self) -> tuple[Bits, Bits]:
        """`at_some_age` of men and of women."""
        return self.at_some_age(1), self.at_some_age(2)

    @cached_property
    def _sets(self) -> Mapping[str, npt.NDArray[np.bool_]]:
        named = {
            set_id
            for mdc in self.scheme.mdcs
            for atom in atoms(mdc.rule)
            if isinstance(atom, Member) and "ZYZD" in atom.fields
            for set_id in atom.sets
        }
        ids = _ids_of_sets(self.scheme, self.diagnoses)
        found = {}
        for set_id in named:
            member = np.zeros(len(self.diagnoses), bool)
            member[ids.get(set_id, [])] = True
            member[:FIRST_CODE] = False
            found[set_id] = member
        return found

    def _holds(
        self,
        rule: Rule,
        diagnosis: npt.NDArray[np.int32],
        numbers: Mapping[str, npt.NDArray[np.int8] | npt.NDArray[np.int32]],
    ) -> npt.NDArray[np.bool_]:
        n = len(diagnosis)
        if isinstance(rule, Literal):
            return np.full(n, rule.value)
        if isinstance(rule, Not):
            return ~self._holds(rule.part, diagnosis, numbers)
        if isinstance(rule, And | Or):
            parts = [self._holds(part, diagnosis, numbers) for part in rule.parts]
            join = np.logical_and if isinstance(rule, And) else np.logical_or
            whole: npt.NDArray[np.bool_] = join.reduce(parts)
            return whole
        if isinstance(rule, Member):
            held = np.zeros(n, bool)
            if "ZYZD" in rule.fields:
                for set_id in rule.sets:
                    if set_id in self._sets:
                        held |= self._sets[set_id][diagnosis]
            return ~held if rule.negated else held
        if isinstance(rule, Compare) and rule.variable in numbers:
            value = numbers[rule.variable]
            return (value >= 0) & _COMPARE[rule.operator](value, rule.number)
        # A count or a number that a case with nothing but its diagnosis does not have.
        return np.zeros(n, bool)


_COMPARE = {
    "=": np.equal,
    ">=": np.greater_equal,
    ">": np.greater,
    "<=": np.less_equal,
    "<": np.less,
}


def _ids_of_sets(scheme: Scheme, index: CodeIndex) -> dict[str, npt.NDArray[np.int32]]:
    """Ids of the codes of every set."""
    table = scheme.tables["sets"].combine_chunks()
    ids = index.encode(table["code"])
    words = table["set_id"].combine_chunks().dictionary_encode()
    of_row = words.indices.to_numpy()
    order = np.argsort(of_row, kind="stable")
    names = words.dictionary.to_pylist()
    pieces = np.split(ids[order], np.cumsum(np.bincount(of_row, minlength=len(names)))[:-1])
    return dict(zip(names, pieces, strict=True))

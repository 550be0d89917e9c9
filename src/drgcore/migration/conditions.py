"""Rules evaluated from their trees over many cases at once, with the codes that meet them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from drgcore.cases import FIRST_CODE, CaseArrays, CodeIndex
from drgcore.grouper.intervals import COMPARE
from drgcore.grouper.kernel_tables import GrouperTables
from drgcore.schemes.rules import (
    COMPLICATIONS,
    DIAGNOSIS_FIELDS,
    LOCAL_FIELDS,
    LOCAL_VARIABLES,
    And,
    Atom,
    Compare,
    Count,
    Literal,
    Member,
    Not,
    Or,
    Rule,
    SetsMet,
)

Bools: TypeAlias = NDArray[np.bool_]
Indices: TypeAlias = NDArray[np.int64]


class SchemeCodes:
    """The sets, complications and exclusion tables of a scheme, by code id.

    Parameters
    ----------
    tables : GrouperTables
        The compiled scheme, whose code ids the cases have.
    """

    def __init__(self, tables: GrouperTables) -> None:
        self.scheme = tables.scheme
        diagnoses, procedures = _places(tables.diagnoses), _places(tables.procedures)
        self._ids = {
            "ZYZD": diagnoses,
            "QTZD": diagnoses,
            "ZYSS": procedures,
            "QTSS": procedures,
            "CYKB": _places(tables.departments),
        }
        self._members: dict[tuple[str, str], Bools] = {}

    def members(self, set_id: str, name: str) -> Bools:
        """Whether each code id of a field is in a set; a set without a row holds none."""
        key = (set_id, name)
        if key not in self._members:
            self._members[key] = self._flags(self.scheme.sets.get(set_id, frozenset()), name)
        return self._members[key]

    @cached_property
    def types(self) -> NDArray[np.int8]:
        """Of each diagnosis: 0 where the CC sheet does not list it, else 1 + its place in
        `COMPLICATIONS`."""
        types = np.zeros(len(self._ids["ZYZD"]) + FIRST_CODE, np.int8)
        for code, row in self.scheme.complications.items():
            if row.type in COMPLICATIONS:
                types[self._ids["ZYZD"][code]] = 1 + COMPLICATIONS.index(row.type)
        return types

    @cached_property
    def exclusion_of(self) -> NDArray[np.int32]:
        """Of each diagnosis the row of `excluding`; 0 for a table that the sheet lacks."""
        places = {table: i for i, table in enumerate(self.exclusion_tables)}
        rows = np.zeros(len(self._ids["ZYZD"]) + FIRST_CODE, np.int32)
        for code, row in self.scheme.complications.items():
            rows[self._ids["ZYZD"][code]] = places.get(row.exclusion, 0)
        return rows

    @cached_property
    def exclusion_tables(self) -> tuple[str, ...]:
        """The names of the rows of `excluding`."""
        return ("", *sorted(self.scheme.exclusions))

    @cached_property
    def excluding(self) -> Bools:
        """Whether each exclusion table (row) holds each principal diagnosis (column)."""
        sets = [self.scheme.exclusions.get(t, frozenset()) for t in self.exclusion_tables]
        return np.vstack([self._flags(codes, "ZYZD") for codes in sets])

    def _flags(self, codes: frozenset[str], name: str) -> Bools:
        places = self._ids[name]
        flags = np.zeros(len(places) + FIRST_CODE, np.bool_)
        flags[[places[c] for c in codes if c in places]] = True
        return flags


def _places(index: CodeIndex) -> dict[str, int]:
    return {code: FIRST_CODE + i for i, code in enumerate(index.codes.to_pylist())}


@dataclass(frozen=True, eq=False)
class Cases:
    """Some cases as one scheme sees them.

    Attributes
    ----------
    codes : SchemeCodes
    arrays : CaseArrays
        With the code ids of that scheme.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from drgcore.cases import CaseMapping
    >>> from drgcore.grouper.batch import BatchGrouper
    >>> from drgcore.schemes import parse_rule
    >>> batch = pa.table({
    ...     "principal_diagnosis": ["I21.000", "J18.900"], "other_diagnoses": [["J96.000"], []],
    ...     "principal_procedure": [None, None], "other_procedures": [[], []], "sex": [1, 2],
    ...     "age_years": [60, 70], "age_days": [None, None]})
    >>> grouper = BatchGrouper.of("chs-drg-3.0", clinical_codes=False)
    >>> arrays = grouper.encode(batch, CaseMapping.preset("canonical").resolve(batch.schema))
    >>> cases = Cases(SchemeCodes(grouper.tables), arrays)
    >>> cases.holds(parse_rule("ZYZD in DI_E00 and NL >= 70")).tolist()
    [False, True]
    >>> cases.counted().tolist()
    [True]
    """

    codes: SchemeCodes
    arrays: CaseArrays
    _positions: dict[str, tuple[Indices, NDArray[np.int32]]] = field(default_factory=dict)

    def __len__(self) -> int:
        """Number of cases."""
        return len(self.arrays)

    def positions(self, name: str) -> tuple[Indices, NDArray[np.int32]]:
        """Row and code id of each code of a field of the rule language, in the order of rows."""
        if name not in self._positions:
            a = self.arrays
            single = {"ZYZD": a.principal_diagnosis, "ZYSS": a.principal_procedure}
            if name in single or name in LOCAL_FIELDS:
                ids = single[name] if name in single else a.local[LOCAL_FIELDS[name]]
                rows = np.arange(len(self))
            elif name == "QTZD":
                ids = a.other_diagnoses
                rows = np.repeat(np.arange(len(self)), np.diff(a.other_diagnosis_offsets))
            else:
                ids = a.other_procedures
                rows = np.repeat(np.arange(len(self)), np.diff(a.other_procedure_offsets))
            self._positions[name] = rows, ids
        return self._positions[name]

    def hits(self, set_id: str, name: str) -> Bools:
        """Whether each code of a field is in a set, or counts as MCC or CC."""
        if set_id in COMPLICATIONS:
            return self.counted() & (self.listed() == 1 + COMPLICATIONS.index(set_id))
        _, ids = self.positions(name)
        return self.codes.members(set_id, name)[ids]

    def listed(self) -> NDArray[np.int8]:
        """Type of each other diagnosis in the CC sheet (`SchemeCodes.types`)."""
        _, ids = self.positions("QTZD")
        return self.codes.types[ids]

    def counted(self) -> Bools:
        """Whether each other diagnosis is a complication that is not excluded."""
        rows, ids = self.positions("QTZD")
        principal = self.arrays.principal_diagnosis[rows]
        excluded = self.codes.excluding[self.codes.exclusion_of[ids], principal]
        return (self.codes.types[ids] > 0) & ~excluded

    def truth(self, atom: Atom) -> Bools:
        """Whether one condition holds of each case."""
        if isinstance(atom, Literal):
            return np.full(len(self), atom.value)
        if isinstance(atom, Compare):
            return self._compared(atom)
        if isinstance(atom, Count):
            return COMPARE[atom.operator](self.count(atom), atom.number)
        if isinstance(atom, SetsMet):
            return COMPARE[atom.operator](self.sets_met(atom), atom.number)
        found = np.zeros(len(self), np.bool_)
        for name in atom.fields:
            rows, _ = self.positions(name)
            for set_id in atom.sets:
                found[rows[self.hits(set_id, name)]] = True
        return ~found if atom.negated else found

    def holds(self, rule: Rule, atom_truth: Callable[[Atom], Bools] | None = None) -> Bools:
        """Whether a rule holds of each case.

        Parameters
        ----------
        rule : Rule
        atom_truth : callable, optional
            Truth of a condition, where it is not that of these cases. It is asked for the
            conditions from left to right, each once.
        """
        truth = self.truth if atom_truth is None else atom_truth
        if isinstance(rule, And):
            return np.logical_and.reduce([self.holds(p, truth) for p in rule.parts])
        if isinstance(rule, Or):
            return np.logical_or.reduce([self.holds(p, truth) for p in rule.parts])
        if isinstance(rule, Not):
            return ~self.holds(rule.part, truth)
        return truth(rule)

    def _compared(self, atom: Compare) -> Bools:
        a = self.arrays
        if atom.variable in LOCAL_VARIABLES:
            values = a.local[LOCAL_VARIABLES[atom.variable]]
        else:
            values = {
                "XB": a.sex.astype(np.int32),
                "NL": a.age_years,
                "XSRTL": a.age_days,
                "XSRTZ": a.newborn_weight_g,
            }[atom.variable]
        return (values >= 0) & COMPARE[atom.operator](values, atom.number)

    def count(self, atom: Count) -> NDArray[np.int32]:
        """How many different codes of the set each case has; a procedure is no diagnosis."""
        keys = []
        for name in dict.fromkeys(atom.fields):
            rows, ids = self.positions(name)
            hits = self.hits(atom.set_id, name)
            sign = 1 if name in DIAGNOSIS_FIELDS else -1
            keys.append(np.column_stack([rows[hits], sign * ids[hits].astype(np.int64)]))
        found = np.unique(np.vstack(keys), axis=0)
        return np.bincount(found[:, 0], minlength=len(self)).astype(np.int32)

    def sets_met(self, atom: SetsMet) -> NDArray[np.int32]:
        """How many of the sets have a code among the fields of each case."""
        met = [self.truth(Member(atom.fields, (name,))) for name in atom.sets]
        return np.sum(met, axis=0, dtype=np.int32)

    def take(self, rows: Indices) -> Cases:
        """Some of the cases, in that order."""
        return Cases(self.codes, self.arrays.take(rows))

    @classmethod
    def joined(cls, blocks: Sequence[Cases]) -> Cases:
        """Several blocks of cases of one scheme, one after the other."""
        return cls(blocks[0].codes, CaseArrays.joined([block.arrays for block in blocks]))

"""A scheme compiled into arrays of numbers that the kernel reads.

All ADRG rules are laid out in one order, MDC by MDC, each joined with its MDC's rule: the first
that holds is the case's ADRG, which is the official order of evaluation. The order is the bit order
of *masks*. For each class of principal diagnoses (those that stand in the same sets), of principal
procedures, and for each interval of sex, age, age in days and newborn's weight, a mask says which
rules are still possible. The intersection of a case's six masks leaves a handful of candidates;
what a mask cannot decide (other diagnoses and procedures, and what only local schemes ask for) is
short-circuit code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import product

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drgcore.cases.arrow_arrays import text_array
from drgcore.cases.codes import FIRST_CODE, CodeIndex
from drgcore.grouper.intervals import VARIABLE_ORDER, Intervals, whole_comparison
from drgcore.grouper.kernel_tables import DEPARTMENT, Compiled, GrouperTables, KernelTables
from drgcore.grouper.lowering import (
    FIELD_OPS,
    Op,
    Program,
    Truth,
    any_of,
    bounds,
    dimensions,
    is_complication,
    normalise,
    residual,
)
from drgcore.grouper.packing import (
    KeyedCodes,
    Pool,
    classes_of,
    flat,
    ids_of,
    pack,
    starts_of,
    word_count,
)
from drgcore.schemes import Scheme, load_dictionary
from drgcore.schemes.model import GroupKind
from drgcore.schemes.rules import (
    DIAGNOSIS_FIELDS,
    OPERATORS,
    Compare,
    Count,
    Member,
    Rule,
    SetsMet,
    atoms,
    conjunction,
)
from drgcore.schemes.store import CodeKind

# The order of the bits of a length() atom.
COUNTED = ("ZYZD", "ZYSS", "QTZD", "QTSS")
_DIAGNOSED = (*DIAGNOSIS_FIELDS, "CC")


@lru_cache(maxsize=8)
def compile_tables(scheme: Scheme) -> GrouperTables:
    """Compile a scheme for the kernel.

    Parameters
    ----------
    scheme : Scheme

    Returns
    -------
    GrouperTables
        Cached by the identity of `scheme`.

    Raises
    ------
    RuleSyntaxError
        When a rule of the scheme is not in the rule language.
    """
    return _Compiler(scheme).tables()


class _Compiler:
    def __init__(self, scheme: Scheme) -> None:
        self.scheme = scheme
        self.mdc_rules = {m.code: normalise(m.rule) for m in scheme.mdcs}
        # Flat: an ADRG holds when its MDC's rule and its own hold.
        self.adrg_rules = [
            normalise(conjunction(self.mdc_rules[a.mdc], a.rule)) for a in scheme.adrgs
        ]
        self.drg_rules = [normalise(d.rule) for d in scheme.drgs]
        self.diagnosed = any_of(
            [r for r in self.mdc_rules.values() if not dimensions(r).isdisjoint(_DIAGNOSED)]
        )
        self.all_rules = [
            self.diagnosed,
            *self.mdc_rules.values(),
            *self.adrg_rules,
            *self.drg_rules,
        ]
        self.tests = self._tests()
        # Where the kernel keeps a case's interval of each number, or its class of departments.
        compared = (*VARIABLE_ORDER, *scheme.local_columns)
        self.places = {name: place for place, name in enumerate(compared)}
        self.set_codes = KeyedCodes(scheme.tables["sets"])
        self.diagnoses = CodeIndex(self._universe("diagnoses", DIAGNOSIS_FIELDS))
        self.procedures = CodeIndex(self._universe("procedures", ("ZYSS", "QTSS")))
        self.departments = CodeIndex(self._named_codes((DEPARTMENT,)))
        self.words = word_count(len(self.adrg_rules))

    def tables(self) -> GrouperTables:
        scheme = self.scheme
        mdc_place = {m.code: i for i, m in enumerate(scheme.mdcs)}
        return GrouperTables(
            scheme,
            self.diagnoses,
            self.procedures,
            self.departments,
            tuple(m.code for m in scheme.mdcs),
            tuple(a.code for a in scheme.adrgs),
            tuple(d.code for d in scheme.drgs),
            np.array([mdc_place[a.mdc] for a in scheme.adrgs], dtype=np.int16),
            self.compile,
        )

    def compile(self) -> Compiled:
        scheme = self.scheme
        self.membership = {field: self._membership(field) for field in (*FIELD_OPS, DEPARTMENT)}
        classes = {field: classes_of(bits) for field, bits in self.membership.items()}
        self.intervals = Intervals(list(self.comparisons))
        program = Program(self._operands)
        adrg_program = [program.add(residual(rule)) for rule in self.adrg_rules]
        drg_program = [program.add(rule) for rule in self.drg_rules]
        diagnosis_program = program.add(self.diagnosed)
        place = {a.code: i for i, a in enumerate(scheme.adrgs)}
        owners = np.array([place[d.adrg] for d in scheme.drgs], dtype=np.int64)
        complication, exclusion_class, exclusion_bits = self._complications()
        requires = [any(v in dimensions(r) for r in self.all_rules) for v in VARIABLE_ORDER]
        words, ints = Pool(np.uint64), Pool(np.int32)
        field = {
            "principal_row": ints.put(
                words.rows(
                    classes["ZYZD"][0],
                    self._field_masks("ZYZD", classes["ZYZD"][1]),
                    pack(classes["ZYZD"][1]),
                )
            ),
            "procedure_row": ints.put(
                words.rows(
                    classes["ZYSS"][0],
                    self._field_masks("ZYSS", classes["ZYSS"][1]),
                    pack(classes["ZYSS"][1]),
                )
            ),
            "other_diagnosis_row": ints.put(
                words.rows(classes["QTZD"][0], pack(classes["QTZD"][1]))
            ),
            "other_procedure_row": ints.put(
                words.rows(classes["QTSS"][0], pack(classes["QTSS"][1]))
            ),
            "exclusion_row": ints.put(words.rows(exclusion_class, exclusion_bits)),
            "complication": ints.put(complication),
            "cuts": ints.put(np.concatenate([self.intervals.cuts[v] for v in VARIABLE_ORDER])),
            "cut_start": ints.put(starts_of([len(self.intervals.cuts[v]) for v in VARIABLE_ORDER])),
            "variable_masks": words.put(
                np.vstack([self._variable_masks(v) for v in VARIABLE_ORDER])
            ),
            "mask_start": ints.put(
                starts_of([len(self.intervals.samples[v]) for v in VARIABLE_ORDER])
            ),
            "compare_truth": ints.put(compared := self.intervals.table(classes[DEPARTMENT][1].T)),
            "counts": ints.put(counts := self._counts()),
            "code": ints.put(program.code()),
            "adrg_program": ints.put(np.array(adrg_program)),
            "adrg_first_drg": ints.put(np.searchsorted(owners, np.arange(len(place) + 1))),
            "adrg_status": ints.put(np.array([_STATUS_OF_KIND[a.kind] for a in scheme.adrgs])),
            "drg_program": ints.put(np.array(drg_program)),
            "mask_words": self.words,
            "other_diagnosis_words": word_count(classes["QTZD"][1].shape[1]),
            "other_procedure_words": word_count(classes["QTSS"][1].shape[1]),
            "intervals": compared.shape[1],
            "diagnosis_program": diagnosis_program,
            # The kernel keeps one code more than the largest number that a count is compared
            # with, and both principal codes before it looks.
            "seen_codes": max(0, int(counts[:, 5].max(initial=0))) + 3,
            "requires_sex": requires[0],
            "requires_age": requires[1],
            "requires_days": requires[2],
        }
        layout = np.array([tuple(field.values())], dtype=[(name, np.int64) for name in field])
        kernel = KernelTables(layout[0], ints.array(), words.array())
        return Compiled(
            kernel,
            {**{f: c for f, (c, _) in classes.items()}, "exclusion": exclusion_class},
            complication,
            self.intervals.cuts,
        )

    def _tests(self) -> dict[str, dict[tuple[str, ...], int]]:
        """For each field the unions of sets that some rule asks it for, numbered."""
        tests: dict[str, dict[tuple[str, ...], int]] = {f: {} for f in (*FIELD_OPS, DEPARTMENT)}
        self.comparisons: dict[Compare, int] = {}
        self.count_atoms: dict[Rule, int] = {}
        for rule in self.all_rules:
            for atom in atoms(rule):
                if isinstance(atom, Member) and not is_complication(atom):
                    of_field = tests[atom.fields[0]]
                    of_field.setdefault(atom.sets, len(of_field))
                elif isinstance(atom, Count | SetsMet):
                    if isinstance(atom, Count):
                        self.count_atoms.setdefault(atom, len(self.count_atoms))
                    for field, set_id in product(atom.fields, atom.sets):
                        tests[field].setdefault((set_id,), len(tests[field]))
                elif isinstance(atom, Compare):
                    self.comparisons.setdefault(atom, len(self.comparisons))
        return tests

    def _universe(self, dictionary: CodeKind, fields: Iterable[str]) -> pa.Array:
        """Codes of the official dictionary, then those that only the scheme has."""
        parts = [flat(load_dictionary(dictionary)["code"]), self._named_codes(fields)]
        if "ZYZD" in fields:
            parts += [flat(self.scheme.tables[t]["code"]) for t in ("cc", "exclusions")]
        return pc.unique(pa.concat_arrays(parts))

    def _named_codes(self, fields: Iterable[str]) -> pa.Array:
        """Codes of the sets that some rule asks these fields for, each once."""
        named = {s for field in fields for sets in self.tests[field] for s in sets}
        parts = [self.set_codes.codes(s) for s in sorted(named) if s in self.set_codes.slices]
        return pc.unique(pa.concat_arrays([text_array([]), *parts]))

    def _index(self, field: str) -> CodeIndex:
        if field == DEPARTMENT:
            return self.departments
        return self.diagnoses if field in DIAGNOSIS_FIELDS else self.procedures

    def _membership(self, field: str) -> NDArray[np.bool_]:
        """Which test of the field each code id passes, shape (ids, tests)."""
        index = self._index(field)
        member = np.zeros((len(index), len(self.tests[field])), dtype=bool)
        ids = self.set_codes.ids(index)
        for sets, test in self.tests[field].items():
            for set_id in sets:
                if set_id in self.set_codes.slices:
                    member[ids[self.set_codes.slices[set_id]], test] = True
        member[:FIRST_CODE] = False
        return member

    def _field_masks(self, field: str, members: NDArray[np.bool_]) -> NDArray[np.uint64]:
        def truth(atom: Rule) -> NDArray[np.bool_] | None:
            if isinstance(atom, Member) and atom.fields == (field,) and not is_complication(atom):
                return members[:, self.tests[field][atom.sets]]
            return None

        return self._possible(len(members), truth)

    def _possible(self, size: int, truth: Truth) -> NDArray[np.uint64]:
        """Mask of the ADRG rules that each class of a dimension leaves possible."""
        possible = np.zeros((size, len(self.adrg_rules)), dtype=bool)
        for i, rule in enumerate(self.adrg_rules):
            possible[:, i] = bounds(rule, size, truth)[0]
        return pack(possible)

    def _variable_masks(self, variable: str) -> NDArray[np.uint64]:
        def truth(atom: Rule) -> NDArray[np.bool_] | None:
            if isinstance(atom, Compare) and atom.variable == variable:
                return self.intervals.truth(atom)
            return None

        return self._possible(len(self.intervals.samples[variable]), truth)

    def _counts(self) -> NDArray[np.int32]:
        rows = []
        for atom in self.count_atoms:
            assert isinstance(atom, Count)
            bits = [self.tests[f][(atom.set_id,)] if f in atom.fields else -1 for f in COUNTED]
            # A count is whole: `> 2.5` is `>= 3`, `= 2.5` never holds. And it cannot be more than
            # the set has: the kernel makes room for as many codes as the number says.
            operator, number = whole_comparison(atom.operator, atom.number)
            most = sum(
                int(self.membership[f][:, bit].sum())
                for f, bit in zip(COUNTED, bits, strict=True)
                if bit >= 0
            )
            rows.append([*bits, OPERATORS.index(operator), min(number, most + 1)])
        return np.array(rows, dtype=np.int32).reshape(-1, 6)

    def _operands(self, atom: Rule) -> tuple[int, int, int]:
        if isinstance(atom, Compare):
            return Op.COMPARE, self.comparisons[atom], self.places[atom.variable]
        if isinstance(atom, Count):
            return Op.COUNT, self.count_atoms[atom], 0
        assert isinstance(atom, Member)
        if is_complication(atom):
            return (Op.MCC if atom.sets[0] == "MCC" else Op.CC), 0, 0
        if atom.fields[0] == DEPARTMENT:
            row = len(self.comparisons) + self.tests[DEPARTMENT][atom.sets]
            return Op.COMPARE, row, self.places[DEPARTMENT]
        return FIELD_OPS[atom.fields[0]], self.tests[atom.fields[0]][atom.sets], 0

    def _complications(
        self,
    ) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.uint64]]:
        cc = self.scheme.tables["cc"]
        excluding = KeyedCodes(self.scheme.tables["exclusions"])
        number = {table: i for i, table in enumerate(excluding.slices)}
        holds = np.zeros((len(self.diagnoses), max(1, len(number))), dtype=bool)
        ids = excluding.ids(self.diagnoses)
        for table, i in number.items():
            holds[ids[excluding.slices[table]], i] = True
        # A row that names no table of the sheet ('无', '999') is never excluded: table 0 of the
        # packed value.
        packed = [
            (2 if kind == "MCC" else 1) + 4 * (number.get(table, -1) + 1)
            for kind, table in zip(cc["type"].to_pylist(), cc["exclusion"].to_pylist(), strict=True)
        ]
        complication = np.zeros(len(self.diagnoses), dtype=np.int32)
        if packed:
            complication[ids_of(self.diagnoses, flat(cc["code"]))] = packed
        classes, members = classes_of(holds)
        return complication, classes, pack(members)


_STATUS_OF_KIND: Mapping[GroupKind, int] = {
    GroupKind.NAMED: 0,
    GroupKind.AMBIGUOUS: 1,
    GroupKind.CATCH_ALL: 2,
}

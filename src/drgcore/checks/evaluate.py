"""Expressions evaluated over a batch of cases, through Arrow and tables of ids.

Three-valued: a comparison with a missing or unreadable value is neither true nor false, and so is
what depends on it. A code that is missing or unknown is in no set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from drgcore.cases import FIRST_CODE, UNKNOWN
from drgcore.cases.text import tidy
from drgcore.checks.code_sets import CodeSets
from drgcore.checks.fields import FIELDS
from drgcore.checks.frame import Flags, Frame, Ids, read_texts
from drgcore.checks.language import Call, Codes, Name, Node, Value
from drgcore.checks.mdc import MdcTables

Counts = npt.NDArray[np.int64]

_COMPUTE: Mapping[str, Callable[..., Any]] = {
    "and": pc.and_kleene,
    "or": pc.or_kleene,
    "not": pc.invert,
    "<": pc.less,
    "<=": pc.less_equal,
    ">": pc.greater,
    ">=": pc.greater_equal,
    "==": pc.equal,
    "!=": pc.not_equal,
    "+": pc.add,
    "-": pc.subtract,
    "*": pc.multiply,
    "/": pc.divide,
    "abs": pc.abs,
}

# The longest expression of a check has a few calls that others have too.
_KEPT = ("any", "count", "in", "missing", "days_between", "suits")


class Evaluator:
    """Evaluates expressions over batches.

    Parameters
    ----------
    sets : CodeSets
    mdc : MdcTables
    """

    def __init__(self, sets: CodeSets, mdc: MdcTables) -> None:
        self._sets, self._mdc = sets, mdc
        self._seen: dict[str, npt.NDArray[np.uint64]] = {}
        self._taken: tuple[Frame, npt.NDArray[np.uint64]] | None = None

    def truth(self, node: Node, frame: Frame, kept: dict[Node, Any]) -> pa.BooleanArray:
        """What an expression says of each case: true, false, or null for neither.

        Parameters
        ----------
        node : Node
            Of kind "bool".
        frame : Frame
        kept : dict
            What was evaluated over this frame already; it is added to.
        """
        value = self._value(node, frame, kept)
        if isinstance(value, pa.Scalar | bool):
            return pa.array(np.full(len(frame), bool(value)))
        return value

    def _value(self, node: Node, frame: Frame, kept: dict[Node, Any]) -> Any:
        if node in kept:
            return kept[node]
        if isinstance(node, Value):
            return pa.scalar(node.value)
        if isinstance(node, Name):
            value = self._field(node, frame)
        else:
            assert isinstance(node, Call)
            value = self._call(node, frame, kept)
            if node.op not in _KEPT:
                return value
        kept[node] = value
        return value

    def _field(self, node: Name, frame: Frame) -> Any:
        if node.kind == "number":
            return frame.number(node.name)[0]
        if node.kind == "day":
            return frame.day(node.name)[0]
        if node.kind == "text":
            return frame.text(node.name)
        if node.kind == "bool" and FIELDS[node.name].read:
            return pc.equal(frame.number(node.name)[0], 1.0)
        if node.kind == "bool":
            return pa.array(self._accepted(node.name, frame))
        raise AssertionError(node)

    def _call(self, node: Call, frame: Frame, kept: dict[Node, Any]) -> Any:
        op = node.op
        if op in _OVER_FIELDS:
            return _OVER_FIELDS[op](self, node, frame)
        args = [self._value(arg, frame, kept) for arg in node.args]
        if op in ("and", "or"):
            value = args[0]
            for other in args[1:]:
                value = _COMPUTE[op](value, other)
            return value
        if op == "days_between":
            return pc.subtract(pc.cast(args[0], pa.float64()), pc.cast(args[1], pa.float64()))
        if op == "years":
            return _years(*args)
        if node.kind == "day":
            return pc.cast(_COMPUTE[op](pc.cast(args[0], pa.float64()), args[1]), pa.int32(), False)
        if op == "/":
            args[1] = pc.if_else(pc.equal(args[1], 0.0), pa.scalar(None, pa.float64()), args[1])
        return _COMPUTE[op](*args)

    # --- codes ---------------------------------------------------------------------------------

    def counted(self, codes: Codes, field: str, frame: Frame) -> Counts:
        """How many codes of a field are in a set, for each case."""
        members = self._sets.members(codes)
        whole = np.zeros(len(frame), np.int64)
        for offsets, ids in frame.parts(field):
            whole += per_case(members[ids], offsets)
        return whole

    def _in(self, node: Call, frame: Frame) -> pa.Array:
        return pa.array(self._count(node, frame) > 0)

    def _count(self, node: Call, frame: Frame) -> Counts:
        field, codes = node.args
        assert isinstance(field, Name)
        assert isinstance(codes, Codes)
        return self.counted(codes, field.name, frame)

    def _number(self, node: Call, frame: Frame) -> pa.Array:
        return pa.array(self._count(node, frame).astype(float))

    def _distinct(self, node: Call, frame: Frame) -> pa.Array:
        field, codes = node.args
        assert isinstance(field, Name)
        assert isinstance(codes, Codes)
        members = self._sets.members(codes)
        rows, ids = rows_and_ids(frame, field.name)
        inside = members[ids]
        pairs = np.unique(rows[inside] * len(members) + ids[inside])
        return pa.array(np.bincount(pairs // len(members), minlength=len(frame)).astype(float))

    def _unknown(self, node: Call, frame: Frame) -> pa.Array:
        whole = np.zeros(len(frame), bool)
        for offsets, ids in frame.parts(_name(node)):
            whole |= per_case(ids == UNKNOWN, offsets) > 0
        return pa.array(whole)

    def _repeated(self, node: Call, frame: Frame) -> pa.Array:
        rows, ids = rows_and_ids(frame, _name(node))
        known = ids >= FIRST_CODE
        pairs = np.sort(rows[known] * (1 << 31) + ids[known])
        twice = pairs[1:][pairs[1:] == pairs[:-1]] >> 31
        whole = np.zeros(len(frame), bool)
        whole[twice] = True
        return pa.array(whole)

    def _size(self, node: Call, frame: Frame) -> pa.Array:
        name = _name(node)
        whole = np.zeros(len(frame))
        if node.args[0].kind == "days":  # type: ignore[union-attr]
            for days, _ in frame.days(name):
                whole += days.is_valid().to_numpy(zero_copy_only=False)
        else:
            for offsets, ids in frame.parts(name):
                whole += per_case(ids != 0, offsets)
        return pa.array(whole)

    def _suits(self, node: Call, frame: Frame) -> pa.Array:
        taken = self.taken(frame)
        whole = np.zeros(len(frame), bool)
        for offsets, ids in frame.parts(_name(node)):
            own = taken if offsets is None else np.repeat(taken, np.diff(offsets))
            whole |= per_case(self._mdc.procedures[ids] & own != 0, offsets) > 0
        return pa.array(whole)

    def taken(self, frame: Frame) -> npt.NDArray[np.uint64]:
        """Bits of the MDC that take each case."""
        if self._taken is None or self._taken[0] is not frame:
            cases = frame.cases
            bits = self._mdc.taken(
                cases.principal_diagnosis, cases.sex, cases.age_years, cases.age_days
            )
            self._taken = (frame, bits)
        return self._taken[1]

    def _accepted(self, name: str, frame: Frame) -> Flags:
        ids, sex = frame.cases.principal_diagnosis, frame.cases.sex
        if name == "accepted_ever":
            return self._mdc.ever[ids] != 0
        if name == "accepted":
            return self.taken(frame) & self._mdc.ruled != 0
        now = self.taken(frame) & self._mdc.ruled != 0
        if name == "accepted_otherwise_sexed":
            cases = frame.cases
            flipped = self._mdc.taken(
                ids, (3 - sex).astype(np.int8), cases.age_years, cases.age_days
            )
            return (sex > 0) & ~now & (flipped & self._mdc.ruled != 0)
        of_men, of_women = (bits[ids] != 0 for bits in self._mdc.by_sex)
        return (sex > 0) & ~now & np.where(sex == 1, of_men, of_women)

    # --- values --------------------------------------------------------------------------------

    def _missing(self, node: Call, frame: Frame) -> pa.Array:
        name, kind = _name(node), node.args[0].kind  # type: ignore[union-attr]
        if kind in ("number", "bool"):
            numbers, wrong = frame.number(name)
            return pa.array(numbers.is_null().to_numpy(zero_copy_only=False) & ~wrong)
        if kind == "day":
            days, wrong = frame.day(name)
            return pa.array(days.is_null().to_numpy(zero_copy_only=False) & ~wrong)
        if kind == "days":
            whole = np.ones(len(frame), bool)
            for days, wrong in frame.days(name):
                whole &= days.is_null().to_numpy(zero_copy_only=False) & ~wrong
            return pa.array(whole)
        if kind == "text":
            return frame.text(name).is_null()
        return pc.equal(self._size(node, frame), 0.0)

    def _unreadable(self, node: Call, frame: Frame) -> pa.Array:
        name, kind = _name(node), node.args[0].kind  # type: ignore[union-attr]
        if kind in ("number", "bool"):
            return pa.array(frame.number(name)[1])
        if kind == "day":
            return pa.array(frame.day(name)[1])
        return pa.array(np.logical_or.reduce([wrong for _, wrong in frame.days(name)]))

    def _matches(self, node: Call, frame: Frame) -> pa.Array:
        pattern = node.args[1]
        assert isinstance(pattern, Value)
        name = _name(node)
        texts = read_texts(frame.raw(name))
        if node.args[0].kind == "code":  # type: ignore[union-attr]
            texts = pc.utf8_upper(tidy(texts))
        return pc.match_substring_regex(texts, str(pattern.value))

    def _end(self, node: Call, frame: Frame) -> pa.Array:
        parts = [days for days, _ in frame.days(_name(node))]
        join = pc.min_element_wise if node.op == "first" else pc.max_element_wise
        return join(*parts)

    def _total(self, node: Call, frame: Frame) -> pa.Array:
        parts = frame.numbers(_name(node))
        none = np.logical_and.reduce([p.is_null().to_numpy(zero_copy_only=False) for p in parts])
        whole = sum(p.fill_null(0.0).to_numpy() for p in parts)
        return pa.array(whole, mask=none)

    def _seen_before(self, node: Call, frame: Frame) -> pa.Array:
        name = _name(node)
        own = frame.text(name)
        # One id may be given by several hospitals.
        if name == "case_id" and frame.layout.columns_of("hospital"):
            hospital = pc.fill_null(frame.text("hospital"), "")
            own = pc.binary_join_element_wise(hospital, own, "\x1f")
        import pandas as pd

        there = own.is_valid().to_numpy(zero_copy_only=False)
        words = own.dictionary_encode()
        of_word = pd.util.hash_array(
            words.dictionary.to_numpy(zero_copy_only=False), categorize=False
        )
        places = words.indices.fill_null(0).to_numpy(zero_copy_only=False)
        hashes = of_word[places] if len(of_word) else np.zeros(len(own), np.uint64)
        before = self._seen.get(name, np.empty(0, np.uint64))
        at = np.minimum(np.searchsorted(before, hashes), max(len(before) - 1, 0))
        found = before[at] == hashes if len(before) else np.zeros(len(own), bool)
        order = np.argsort(hashes, kind="stable")
        again = np.zeros(len(own), bool)
        again[order[1:]] = hashes[order][1:] == hashes[order][:-1]
        self._seen[name] = np.sort(np.concatenate([before, np.unique(hashes[there])]))
        return pa.array((found | again) & there)


def _name(node: Call) -> str:
    field = node.args[0]
    assert isinstance(field, Name)
    return field.name


def per_case(flags: Flags, offsets: npt.NDArray[np.int64] | None) -> Counts:
    """How many of each case's codes are flagged."""
    if offsets is None:
        return flags.astype(np.int64)
    # Few codes of a file are in the set of a check.
    there = np.flatnonzero(flags)
    rows = np.searchsorted(offsets, there, side="right") - 1
    return np.bincount(rows, minlength=len(offsets) - 1)


def rows_and_ids(frame: Frame, name: str) -> tuple[Counts, Ids]:
    """Every code of a field with its row."""
    rows, ids = [], []
    for offsets, part in frame.parts(name):
        n = np.arange(len(frame))
        rows.append(n if offsets is None else np.repeat(n, np.diff(offsets)))
        ids.append(part)
    return np.concatenate(rows), np.concatenate(ids)


def _years(born: pa.Array, at: pa.Array) -> pa.Array:
    """Completed years between two days."""
    born, at = (pc.cast(day.view(pa.date32()), pa.timestamp("s")) for day in (born, at))
    years = pc.subtract(pc.year(at), pc.year(born))
    place = [
        pc.add(pc.multiply(pc.month(day), pa.scalar(100, pa.int64())), pc.day(day))
        for day in (born, at)
    ]
    early = pc.cast(pc.less(place[1], place[0]), pa.int64())
    return pc.cast(pc.subtract(years, early), pa.float64())


_OVER_FIELDS: Mapping[str, Callable[[Evaluator, Call, Frame], pa.Array]] = {
    "in": Evaluator._in,
    "any": Evaluator._in,
    "count": Evaluator._number,
    "distinct": Evaluator._distinct,
    "unknown": Evaluator._unknown,
    "repeated": Evaluator._repeated,
    "size": Evaluator._size,
    "suits": Evaluator._suits,
    "missing": Evaluator._missing,
    "unreadable": Evaluator._unreadable,
    "matches": Evaluator._matches,
    "first": Evaluator._end,
    "last": Evaluator._end,
    "total": Evaluator._total,
    "seen_before": Evaluator._seen_before,
}

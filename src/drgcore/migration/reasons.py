"""What can be the reason that a case changes its group, and columns of reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drgcore.language import N_, Texts

Indices: TypeAlias = NDArray[np.int64]


class ReasonKind(StrEnum):
    """What differs between two schemes for a case."""

    CODE_UNKNOWN = "code_unknown"
    NUMBER_ASKED = "number_asked"
    WEIGHT_ASKED = "weight_asked"
    CODE_LEFT_SET = "code_left_set"
    CODE_ENTERED_SET = "code_entered_set"
    COMPLICATION_DROPPED = "complication_dropped"
    COMPLICATION_ADDED = "complication_added"
    COMPLICATION_LOWERED = "complication_lowered"
    COMPLICATION_RAISED = "complication_raised"
    COMPLICATION_EXCLUDED = "complication_excluded"
    COMPLICATION_COUNTED = "complication_counted"
    RULE_CHANGED = "rule_changed"
    LIMIT_CHANGED = "limit_changed"
    SUBDIVISION_CHANGED = "subdivision_changed"
    GROUP_GONE = "group_gone"
    GROUP_NEW = "group_new"
    CODE_REUSED = "code_reused"
    ORDER_CHANGED = "order_changed"
    RENAMED = "renamed"


REASON_KINDS: Mapping[str, str] = Texts(
    {
        ReasonKind.CODE_UNKNOWN: N_("the principal diagnosis is a code of one scheme only"),
        ReasonKind.NUMBER_ASKED: N_(
            "one scheme only asks for a number that is missing or unreadable"
        ),
        ReasonKind.WEIGHT_ASKED: N_(
            "in one scheme only the group depends on the newborn's weight, "
            "which is missing or unreadable"
        ),
        ReasonKind.CODE_LEFT_SET: N_("a code left a set that the rule asks for"),
        ReasonKind.CODE_ENTERED_SET: N_("a code entered a set that the rule asks for"),
        ReasonKind.COMPLICATION_DROPPED: N_("the CC sheet no longer lists the diagnosis"),
        ReasonKind.COMPLICATION_ADDED: N_("the CC sheet newly lists the diagnosis"),
        ReasonKind.COMPLICATION_LOWERED: N_("the diagnosis was MCC and is CC"),
        ReasonKind.COMPLICATION_RAISED: N_("the diagnosis was CC and is MCC"),
        ReasonKind.COMPLICATION_EXCLUDED: N_(
            "the principal diagnosis now excludes the complication"
        ),
        ReasonKind.COMPLICATION_COUNTED: N_(
            "the principal diagnosis no longer excludes the complication"
        ),
        ReasonKind.RULE_CHANGED: N_("the rule of the group says something else"),
        ReasonKind.LIMIT_CHANGED: N_(
            "the rule of the group has another limit of age, weight or another number"
        ),
        ReasonKind.SUBDIVISION_CHANGED: N_("the ADRG is cut into other DRG"),
        ReasonKind.GROUP_GONE: N_("the group is gone"),
        ReasonKind.GROUP_NEW: N_("the group is new"),
        ReasonKind.CODE_REUSED: N_("the code of the group stands for another group"),
        ReasonKind.ORDER_CHANGED: N_("both groups hold, and the other one comes first"),
        ReasonKind.RENAMED: N_("the same group has another code"),
    }
)
"""Kind of reason → what it means, in the language that is spoken."""

PARTED: Mapping[str, str] = Texts(
    {
        "status": N_("valid in one scheme only"),
        "mdc": N_("another MDC"),
        "adrg": N_("another ADRG"),
        "drg": N_("another DRG of the same ADRG"),
        "code": N_("the same group under another code"),
    }
)
"""Where two paths part → what that means, in the language that is spoken."""

KINDS = tuple(ReasonKind)
NUMBER_OF = {kind: i for i, kind in enumerate(KINDS)}

SIDES = ("before", "after")
"""The scheme whose group a cause names."""

LEVELS = ("case", "MDC", "ADRG", "DRG")
"""Where the rule stands that differs; `case` for what is asked of every case."""


class Names:
    """Texts as numbers, numbered as they come."""

    def __init__(self, first: tuple[str, ...] = ("",)) -> None:
        self._numbers = {name: i for i, name in enumerate(first)}

    def number(self, name: str) -> int:
        """Number of a text, the same each time."""
        return self._numbers.setdefault(name, len(self._numbers))

    def column(self, numbers: NDArray[np.int32]) -> pa.DictionaryArray:
        """Numbers as a dictionary of texts; null for the empty text."""
        return pa.DictionaryArray.from_arrays(
            pa.array(numbers, mask=numbers == 0), pa.array(list(self._numbers), pa.string())
        )


class Causes:
    """One cause for each of n cases, or none: columns that are filled part by part.

    Parameters
    ----------
    size : int
        Number of cases.
    names : Names
        Numbers of groups and sets, shared by all columns that are to be joined.
    code_names : pyarrow.Array of str
        The codes, by the numbers with which they are put.
    side : {"before", "after"}
        The scheme whose groups the causes name.
    """

    def __init__(self, size: int, names: Names, code_names: pa.Array, side: str) -> None:
        self.side = np.full(size, SIDES.index(side), np.int8)
        self.kind = np.full(size, -1, np.int8)
        self.level = np.zeros(size, np.int8)
        self.group = np.zeros(size, np.int32)
        self.set = np.zeros(size, np.int32)
        self._names = names
        self._code_names = code_names
        self._code_rows: list[Indices] = []
        self._codes: list[Indices] = []

    def put(
        self,
        rows: Indices,
        kind: ReasonKind | NDArray[np.int8],
        level: str,
        group: str = "",
        set_id: str | NDArray[np.int32] = "",
    ) -> None:
        """Set the cause of some cases; kinds and sets may be numbers, one a case."""
        self.kind[rows] = NUMBER_OF[kind] if isinstance(kind, ReasonKind) else kind
        self.level[rows] = LEVELS.index(level)
        self.group[rows] = self._names.number(group)
        self.set[rows] = self._names.number(set_id) if isinstance(set_id, str) else set_id

    def put_codes(self, rows: Indices, codes: Indices) -> None:
        """Add codes to the causes, in their order; a case may occur several times."""
        self._code_rows.append(rows)
        self._codes.append(codes)

    @classmethod
    def in_order(cls, first: Causes, second: Causes) -> tuple[Causes, Causes]:
        """The same with the second cause of a case put first where it is the only one."""
        size = len(first.kind)
        alone = first.kind < 0
        merged, rest = (cls(size, first._names, first._code_names, SIDES[1]) for _ in range(2))
        for name in ("side", "kind", "level", "group", "set"):
            one, other = getattr(first, name), getattr(second, name)
            setattr(merged, name, np.where(alone, other, one))
            setattr(rest, name, np.where(alone, getattr(rest, name), other))
        for causes in (first, second):
            for rows, codes in zip(causes._code_rows, causes._codes, strict=True):
                leads = alone[rows] == (causes is second)
                merged.put_codes(rows[leads], codes[leads])
                rest.put_codes(rows[~leads], codes[~leads])
        return merged, rest

    def columns(self, prefix: str = "") -> dict[str, pa.Array]:
        """The columns kind, side, level, group, set_id, codes (joined by ``|``); null for none."""

        def words(numbers: NDArray[np.int8], texts: Sequence[str]) -> pa.DictionaryArray:
            indices = pa.array(numbers.astype(np.int32), mask=self.kind < 0)
            return pa.DictionaryArray.from_arrays(indices, pa.array(texts, pa.string()))

        return {
            f"{prefix}kind": words(self.kind, KINDS),
            f"{prefix}side": words(self.side, SIDES),
            f"{prefix}level": words(self.level, LEVELS),
            f"{prefix}group": self._names.column(self.group),
            f"{prefix}set_id": self._names.column(self.set),
            f"{prefix}codes": self._joined_codes(),
        }

    def _joined_codes(self) -> pa.Array:
        size = len(self.kind)
        rows = np.concatenate([np.empty(0, np.int64), *self._code_rows])
        codes = np.concatenate([np.empty(0, np.int64), *self._codes])
        # Each code once a case, at the place where it comes first.
        key = rows * max(1, len(self._code_names)) + codes
        first = np.sort(np.unique(key, return_index=True)[1])
        rows, codes = rows[first], codes[first]
        order = np.argsort(rows, kind="stable")
        starts = np.searchsorted(rows[order], np.arange(size + 1))
        lists = pa.LargeListArray.from_arrays(
            pa.array(starts, pa.int64()), self._code_names.take(pa.array(codes[order]))
        )
        joined = pc.binary_join(lists, "|")
        return pc.if_else(pc.equal(joined, ""), None, joined).dictionary_encode()

"""Findings of a batch: which cases, by which check, and what stands in the fields concerned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from drgcore.cases import FIRST_CODE, UNKNOWN
from drgcore.cases.nearest import nearest_codes
from drgcore.checks.catalogue import Check
from drgcore.checks.code_sets import CodeSets
from drgcore.checks.evaluate import rows_and_ids
from drgcore.checks.fields import FIELDS
from drgcore.checks.frame import Frame, read_texts

_KEYS = ("case_id", "hospital", "department", "doctor_id")

FINDINGS_SCHEMA: pa.Schema = pa.schema(
    [
        ("row", pa.int64()),
        *((name, pa.string()) for name in _KEYS),
        ("check", pa.dictionary(pa.int32(), pa.string())),
        ("level", pa.dictionary(pa.int32(), pa.string())),
        ("fields", pa.dictionary(pa.int32(), pa.string())),
        ("values", pa.string()),
        ("message", pa.dictionary(pa.int32(), pa.string())),
        ("message_en", pa.dictionary(pa.int32(), pa.string())),
    ]
)
"""Columns of findings: number of the row in the data (the first is 1), who it is, the check, its
level, the fields concerned, what stands in them, and what is wrong in Chinese and English."""

Rows = npt.NDArray[np.int64]


class FindingsOf:
    """Makes findings of batches.

    Parameters
    ----------
    checks : sequence of Check
    sets : CodeSets
    labels : {"en", "zh"}
        Language of the fields' names in `values` and `fields`; in English the columns' names.
    """

    def __init__(self, checks: Sequence[Check], sets: CodeSets, labels: str = "en") -> None:
        self._checks, self._sets = list(checks), sets
        self._label = {
            name: field.chinese if labels == "zh" else name for name, field in FIELDS.items()
        }
        self._columns = {
            "check": [check.code for check in checks],
            "level": [check.level for check in checks],
            "fields": ["|".join(self._label[n] for n in check.fields) for check in checks],
            "message": [check.zh for check in checks],
            "message_en": [check.en for check in checks],
        }

    def table(self, frame: Frame, found: Mapping[int, Rows]) -> pa.Table:
        """The findings of a frame, ordered by row and check.

        Parameters
        ----------
        frame : Frame
        found : mapping of int to ndarray of int64
            Number of a check → the rows of the frame that have the fault.
        """
        hits = [(number, rows) for number, rows in found.items() if len(rows)]
        if not hits:
            return FINDINGS_SCHEMA.empty_table()
        rows = np.concatenate([rows for _, rows in hits])
        numbers = np.concatenate([np.full(len(rows), number) for number, rows in hits])
        values = pa.concat_arrays([self._values(frame, self._checks[n], r) for n, r in hits])
        order = np.lexsort((numbers, rows))
        rows, numbers = rows[order], numbers[order].astype(np.int32)
        at = pa.array(rows)
        columns: dict[str, pa.Array] = {"row": pa.array(rows + frame.first_row + 1)}
        for name in _KEYS:
            there = frame.layout.columns_of(name)
            columns[name] = (
                read_texts(frame.raw(name).take(at)) if there else pa.nulls(len(rows), pa.string())
            )
        for name, texts in self._columns.items():
            columns[name] = pa.DictionaryArray.from_arrays(
                pa.array(numbers), pa.array(texts, pa.string())
            )
        columns["values"] = values.take(pa.array(order))
        return pa.table([columns[f.name] for f in FINDINGS_SCHEMA], schema=FINDINGS_SCHEMA)

    def _values(self, frame: Frame, check: Check, rows: Rows) -> pa.Array:
        parts = []
        for name in check.fields:
            field = FIELDS[name]
            if field.kind in ("codes", "code"):
                texts = self._codes(frame, check, name, rows)
            elif len(frame.layout.columns_of(name)) == 1 and not field.kind.endswith("s"):
                texts = pc.fill_null(read_texts(frame.raw(name).take(pa.array(rows))), "")
            elif field.kind == "numbers":
                total = sum(part.fill_null(0.0).to_numpy()[rows] for part in frame.numbers(name))
                texts = pc.cast(pa.array(np.round(total, 2)), pa.string())
            else:
                texts = _joined_days(frame, name, rows)
            if texts is not None:
                parts.append(pc.binary_join_element_wise(f"{self._label[name]}=", texts, ""))
        if not parts:
            return pa.array([""] * len(rows), pa.string())
        return parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, "; ")

    def _codes(self, frame: Frame, check: Check, name: str, rows: Rows) -> pa.Array | None:
        """The codes of a field that a check is about, joined; of one code the text."""
        field = FIELDS[name]
        unknown = any(call.args[0].name == name for call in check.calls("unknown"))  # type: ignore[union-attr]
        if field.kind == "code":
            texts = pc.fill_null(read_texts(frame.raw(name).take(pa.array(rows))), "")
            if not unknown:
                return texts
            ids = frame.code(name)[rows]
            return _with_nearest(texts, field.codes, ids == UNKNOWN)
        if unknown:
            return self._unknown(frame, name, rows)
        of_row, ids = rows_and_ids(frame, name)
        wanted = np.zeros(len(ids), bool)
        concerned = [codes for of, codes in check.memberships if of == name]
        for codes in concerned:
            wanted |= self._sets.members(codes)[ids]
        if any(call.args[0].name == name for call in check.calls("repeated")):  # type: ignore[union-attr]
            concerned = concerned or [None]  # type: ignore[list-item]
            pairs = of_row * (1 << 31) + ids
            _, place, count = np.unique(pairs, return_inverse=True, return_counts=True)
            wanted |= (count[place] > 1) & (ids >= FIRST_CODE)
        if not concerned:
            wanted = ids >= FIRST_CODE
        return _joined(of_row, ids, wanted, rows, frame, name)

    def _unknown(self, frame: Frame, name: str, rows: Rows) -> pa.Array:
        """The texts of a list that are no code, with the codes that are near."""
        index = frame.layout.index(name)
        columns = [
            frame.batch.column(column).take(pa.array(rows))
            for canonical in FIELDS[name].columns
            for column in frame.layout.columns_of(canonical)
        ]
        separator = frame.layout.mapping.separator
        cells = [
            dict.fromkeys(text for cell in row for text in _texts(cell, separator))
            for row in zip(*(column.to_pylist() for column in columns), strict=True)
        ]
        words = list(dict.fromkeys(text for texts in cells for text in texts))
        ids = index.encode(pa.array(words, pa.string()))
        told = {
            word: _told(word.strip(), FIELDS[name].codes)
            for word, known in zip(words, ids, strict=True)
            if known == UNKNOWN
        }
        found = [" ".join(told[text] for text in texts if text in told) for texts in cells]
        return pa.array(found, pa.string())


def _texts(cell: object, separator: str) -> list[str]:
    if cell is None:
        return []
    if isinstance(cell, str):
        return cell.split(separator)
    return [str(t) for t in cell if t is not None] if isinstance(cell, list) else []


def _joined(
    of_row: Rows,
    ids: npt.NDArray[np.int32],
    wanted: npt.NDArray[np.bool_],
    rows: Rows,
    frame: Frame,
    name: str,
) -> pa.Array:
    place = np.full(len(frame), -1, np.int64)
    place[rows] = np.arange(len(rows))
    wanted &= place[of_row] >= 0
    at, kept = place[of_row[wanted]], ids[wanted]
    order = np.argsort(at, kind="stable")
    counts = np.bincount(at, minlength=len(rows))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    texts = frame.layout.index(name).decode(kept[order])
    return pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), texts), " ")


def _joined_days(frame: Frame, name: str, rows: Rows) -> pa.Array:
    parts = [days.take(pa.array(rows)) for days, _ in frame.days(name)]
    texts = [pc.fill_null(pc.cast(part.view(pa.date32()), pa.string()), "") for part in parts]
    return pc.utf8_trim_whitespace(pc.binary_join_element_wise(*texts, " "))


def _with_nearest(texts: pa.Array, system: str, unknown: npt.NDArray[np.bool_]) -> pa.Array:
    told = [
        _told(text, system) if is_unknown else text
        for text, is_unknown in zip(texts.to_pylist(), unknown.tolist(), strict=True)
    ]
    return pa.array(told, pa.string())


@lru_cache(maxsize=10_000)
def _told(text: str, system: str) -> str:
    """A text that is no code, with the codes that are near."""
    kind = "diagnosis" if system == "diagnosis" else "procedure"
    near = nearest_codes([text], kind)[0]  # type: ignore[arg-type]
    return f"{text}(→{'/'.join(near)}?)" if near else text

"""What runs in a worker process: batches of one partition in, batches of results out.

Nothing here knows Spark, so tests need no Java: a partition is an iterator of record batches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from drgcore.cases.attributes import refuse_rows
from drgcore.cases.days import DAY_FORMS, read_days
from drgcore.cases.hashes import hash_strings
from drgcore.cases.text import is_text, stripped
from drgcore.errors import CaseSchemaError
from drgcore.grouper.batch import BATCH_ROWS
from drgcore.grouper.extras import Extras
from drgcore.language import _
from drgcore.scale.parcels import SchemeParcel, grouper_in


def joined(batches: Iterable[pa.RecordBatch], rows: int = BATCH_ROWS) -> Iterator[pa.RecordBatch]:
    """Join small batches to larger ones: an engine's have some thousand rows.

    Parameters
    ----------
    batches : iterable of pyarrow.RecordBatch
        Of one schema; those without rows are left out.
    rows : int
        Rows from which on a batch is given.

    Yields
    ------
    pyarrow.RecordBatch
        Each of one piece.

    Examples
    --------
    >>> one = pa.RecordBatch.from_pydict({"a": [1, 2]})
    >>> [batch.num_rows for batch in joined([one, one, one], rows=4)]
    [4, 2]
    """
    waiting: list[pa.RecordBatch] = []
    held = 0
    for batch in batches:
        if not batch.num_rows:
            continue
        waiting.append(batch)
        held += batch.num_rows
        if held >= rows:
            yield pa.concat_batches(waiting)
            waiting, held = [], 0
    if waiting:
        yield pa.concat_batches(waiting)


def plain(column: Any) -> Any:
    """Give a dictionary's texts themselves: Spark's columns have no dictionaries.

    Examples
    --------
    >>> plain(pa.array(["a", None, "a"]).dictionary_encode()).type
    DataType(string)
    """
    return column.cast(text_type(column.type))


def text_type(kind: pa.DataType) -> pa.DataType:
    """Give the type of what `plain` gives for a column of a type."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def refuse_guess(mapping: object) -> None:
    """Refuse the mapping ``"auto"``: an engine has no first rows from which to guess.

    Raises
    ------
    CaseSchemaError
        For ``"auto"``.

    Examples
    --------
    >>> refuse_guess("canonical")
    """
    if mapping == "auto":
        raise CaseSchemaError(
            _("a mapping cannot be guessed where no rows come first"),
            hint=_("guess one from a sample with 'drgcore mapping guess', look at it, and pass it"),
        )


def group_batches(
    batches: Iterable[pa.RecordBatch],
    *,
    parcel: SchemeParcel,
    resolved: Any,
    keep: Sequence[str],
    prefix: str,
    clinical_codes: bool,
    restore_zeros: bool,
    extras: Extras,
) -> Iterator[pa.RecordBatch]:
    """Group the cases of a partition.

    Parameters
    ----------
    batches : iterable of pyarrow.RecordBatch
        The cases.
    parcel : SchemeParcel
        The scheme.
    resolved : ResolvedMapping or DatedMapping
        Which column holds what, as the grouper of this scheme resolved it.
    keep : sequence of str
        Columns to keep.
    prefix, clinical_codes, restore_zeros, extras
        As for `group_spark`.

    Yields
    ------
    pyarrow.RecordBatch
        The columns kept and the results; texts are strings.
    """
    grouper = None
    for batch in joined(batches):
        # Not before there is a case: an empty partition need not load the scheme.
        grouper = grouper or grouper_in(parcel, clinical_codes, restore_zeros, extras)
        found = grouper.columns(grouper.group(batch, resolved))
        results = {prefix + name: plain(found[name]) for name in grouper.result_columns}
        columns = [*(batch.column(name) for name in keep), *results.values()]
        yield pa.RecordBatch.from_arrays(columns, names=[*keep, *results])


def with_days(table: pa.Table, names: Sequence[str]) -> pa.Table:
    """Read columns of days that are texts, each value by itself.

    A file's column of five-digit numbers is read as days of Excel because all of it are such
    numbers. A partition cannot know that of the others, so here such a text is no day.

    Parameters
    ----------
    table : pyarrow.Table
        Cases.
    names : sequence of str
        Columns of days; those that are not there, or are no texts, stay as they are.

    Returns
    -------
    pyarrow.Table

    Raises
    ------
    CaseSchemaError
        Names the cases of which a text is no day, or one with two readings.

    Examples
    --------
    >>> cases = pa.table({"case_id": ["a", "b"], "day": ["2027年1月7日", "46394"]})
    >>> with_days(cases.slice(0, 1), ["day"])["day"].to_pylist()
    [datetime.date(2027, 1, 7)]
    >>> with_days(cases, ["day"])
    Traceback (most recent call last):
    drgcore.errors.CaseSchemaError: column day: 1 cases have a text that is no day: b...
    """
    for name in names:
        if name in table.column_names and is_text(table.schema.field(name).type):
            days, wrong = read_days(table.column(name), name=name)
            hint = _("Forms that are read: {day_forms}.", day_forms=_(DAY_FORMS))
            refuse_rows(table, wrong, _("have a text that is no day"), name, hint)
            table = table.set_column(table.column_names.index(name), name, days)
    return table


def by_batches(
    table: pa.Table, *, work: Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]
) -> pa.Table:
    """Run a function of batches over the cases of a group, all of them in one batch."""
    return pa.Table.from_batches(list(work(table.combine_chunks().to_batches())))


def with_ids(batches: Iterable[pa.RecordBatch], *, ids: pa.Array) -> Iterator[pa.RecordBatch]:
    """Give the cases of a partition that have one of some ids.

    Parameters
    ----------
    batches : iterable of pyarrow.RecordBatch
        Cases with the column `case_id`.
    ids : pyarrow.Array
        The ids.

    Yields
    ------
    pyarrow.RecordBatch

    Examples
    --------
    >>> batch = pa.RecordBatch.from_pydict({"case_id": ["a", "b ", "c"]})
    >>> [found["case_id"].to_pylist() for found in with_ids([batch], ids=pa.array(["b"]))]
    [['b ']]
    """
    wanted = ids.cast(pa.large_string())
    for batch in batches:
        own = stripped(batch.column("case_id")).cast(pa.large_string())
        yield batch.filter(pc.is_in(own, value_set=wanted))


def hashes_of(texts: pa.Array) -> pa.Array:
    """Hash texts without the blanks at their ends to numbers that an engine can compare.

    Parameters
    ----------
    texts : pyarrow.Array
        n texts, or what can be cast to texts.

    Returns
    -------
    pyarrow.Array of int64
        n hashes; that of a null is that of an empty text.
    """
    return pa.array(hash_strings(stripped(texts)).view(np.int64))


def id_hashes(batches: Iterable[pa.RecordBatch], *, texts: bool) -> Iterator[pa.RecordBatch]:
    """Hash the ids of a partition's cases, to find those that come twice.

    Parameters
    ----------
    batches : iterable of pyarrow.RecordBatch
        One column: the ids.
    texts : bool
        Give the ids themselves, too.

    Yields
    ------
    pyarrow.RecordBatch
        `hash` (int64), null where there is no id; `id` where wanted.

    Examples
    --------
    >>> batch = pa.RecordBatch.from_pydict({"case_id": ["a", "a ", None]})
    >>> [found] = id_hashes([batch], texts=False)
    >>> found["hash"][0] == found["hash"][1], found["hash"].null_count
    (True, 1)
    """
    for batch in joined(batches):
        ids = stripped(batch.column(0)).cast(pa.string())
        columns = {"hash": pc.if_else(pc.is_valid(ids), hashes_of(ids), None)}
        if texts:
            columns["id"] = ids
        yield pa.RecordBatch.from_pydict(columns)

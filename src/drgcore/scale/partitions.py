"""What runs in a worker process: batches of one partition in, batches of results out.

Nothing here knows Spark, so tests need no Java: a partition is an iterator of record batches.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from drgcore.grouper.batch import BATCH_ROWS
from drgcore.grouper.extras import Extras
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


def plain(column: Any) -> pa.Array:
    """Give a dictionary's texts themselves: Spark's columns have no dictionaries.

    Examples
    --------
    >>> plain(pa.array(["a", None, "a"]).dictionary_encode()).type
    DataType(string)
    """
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


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

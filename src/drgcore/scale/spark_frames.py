"""Frames of Spark: their schema as Arrow's, their columns by name, what workers complained of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from drgcore import errors
from drgcore.language import _
from drgcore.scale.partitions import hashes_of, joined

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.types import StructType

# The last lines of what Spark tells of an exception in a worker; a hint follows on lines of its
# own, and then a blank one or Java's part.
_RAISED = re.compile(r"^drgcore\.errors\.(\w+): (.*?)\s*(?:\n\s*\n|\n\s+at |\Z)", re.M | re.S)


def arrow_schema(df: DataFrame) -> pa.Schema:
    """Give the Arrow schema in which a worker sees the rows of a frame.

    Raises
    ------
    CaseSchemaError
        For a frame that is not Spark's.
    """
    try:
        from pyspark.errors import PySparkTypeError
        from pyspark.sql.pandas.types import to_arrow_schema

        zone = df.sparkSession.conf.get("spark.sql.session.timeZone")
    except ImportError as error:
        raise errors.DrgcoreError(
            _("pyspark is not installed"), hint=_("pip install 'drgcore[spark]'")
        ) from error
    except AttributeError as error:
        raise errors.CaseSchemaError(
            _("the cases are no DataFrame of Spark but {kind}", kind=type(df).__name__)
        ) from error
    try:
        return to_arrow_schema(df.schema, timezone=zone)
    except PySparkTypeError as error:
        raise errors.CaseSchemaError(
            _("a column is of a type that Arrow does not have: {error}", error=error)
        ) from error


def map_batches(
    df: DataFrame,
    names: Sequence[str],
    work: Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]],
    schema: StructType,
) -> DataFrame:
    """Run a function over the batches of each partition, with some columns of the frame.

    Parameters
    ----------
    df : pyspark.sql.DataFrame
    names : sequence of str
        The columns that the function sees, under their own names.
    work : callable
        From the batches of a partition to batches of results. It travels to the workers, so it is
        a function of a module, or a `functools.partial` of one.
    schema : StructType
        Of the results.
    """
    # By position: Spark takes no name apart that holds a dot or a grave accent, and calls two
    # names one that differ only in capitals.
    place = {name: f"c{at}" for at, name in enumerate(df.columns)}
    sent = df.toDF(*place.values()).select(*(place[name] for name in names))
    return sent.mapInArrow(partial(_named, names=tuple(names), work=work), schema)


def _named(
    batches: Iterable[pa.RecordBatch],
    *,
    names: tuple[str, ...],
    work: Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]],
) -> Iterator[pa.RecordBatch]:
    return work(batch.rename_columns(list(names)) for batch in batches)


def map_groups(
    df: DataFrame, name: str, work: Callable[[pa.Table], pa.Table], schema: StructType
) -> DataFrame:
    """Run a function over the rows that have one text in a column, all of them in one worker.

    Parameters
    ----------
    df : pyspark.sql.DataFrame
    name : str
        The column; blanks at the ends of texts make no difference, and those of a few rare pairs of
        texts may meet.
    work : callable
        From the rows of a group to its results, see `map_batches`.
    schema : StructType
        Of the results.
    """
    from pyspark.sql.types import LongType, StructField, StructType

    names = tuple(df.columns)
    sent = df.toDF(*(f"c{at}" for at in range(len(names))))
    placed = sent.mapInArrow(
        partial(_placed, at=names.index(name)),
        StructType([*sent.schema.fields, StructField("place", LongType())]),
    )

    # Spark looks at the types of a function's arguments, which a partial does not show.
    def of_group(table: pa.Table) -> pa.Table:
        return work(table.drop_columns(["place"]).rename_columns(list(names)))

    return placed.groupBy("place").applyInArrow(of_group, schema)


def _placed(batches: Iterable[pa.RecordBatch], *, at: int) -> Iterator[pa.RecordBatch]:
    for batch in joined(batches):
        yield batch.append_column("place", hashes_of(batch.column(at)))


def fields_of(df: DataFrame, names: Sequence[str]) -> list[Any]:
    """Give the fields of some columns, which a worker passes through."""
    of = {field.name: field for field in df.schema.fields}
    return [of[name] for name in names]


def with_fields(kept: Sequence[Any], results: pa.Schema) -> StructType:
    """Give the schema of columns passed through and of results."""
    from pyspark.sql.pandas.types import from_arrow_schema
    from pyspark.sql.types import StructType

    return StructType([*kept, *from_arrow_schema(results).fields])


@contextmanager
def clear_errors() -> Iterator[None]:
    """Raise what a worker complained of as the library's own error.

    Spark runs when a result is asked for, and tells of an exception in a worker with the trails of
    Python and Java. Around such an action this gives the error that one machine would have raised.
    """
    from pyspark.errors import PySparkException

    try:
        yield
    except PySparkException as error:
        found = _RAISED.search(str(error))
        kind = getattr(errors, found[1], None) if found else None
        if found is None or not (isinstance(kind, type) and issubclass(kind, errors.DrgcoreError)):
            raise
        message, _line, hint = found[2].partition("\n")
        raise kind(message, hint=hint.strip() or None) from error

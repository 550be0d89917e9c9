"""`tally_spark`: the sums of a settlement, and ids that come twice."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from drgcore.budget.caserows import case_table
from drgcore.budget.policy_terms import terms_of
from drgcore.budget.tally import KEYS, Tally
from drgcore.budget.terms import Terms
from drgcore.cases.attributes import some_of
from drgcore.errors import CaseSchemaError
from drgcore.language import _
from drgcore.points.policy import Policy
from drgcore.scale.partition_money import SUM_SCHEMA, tally_batches, tally_of
from drgcore.scale.partitions import id_hashes
from drgcore.scale.spark_frames import arrow_schema, clear_errors, map_batches, with_fields

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def tally_spark(df: DataFrame, policy: Policy | Terms, year: int, *, checks: bool = True) -> Tally:
    """Add cases with points up by pool, hospital, month and class, exactly.

    Points are whole numbers of their last decimal and money is whole fen, so that the sums are the
    same for any partitioning. What comes to the driver is one row a cell; from there on
    `drgcore.settle_month` and `drgcore.settle_year` take the tally in the place of the cases.

    Parameters
    ----------
    df : pyspark.sql.DataFrame
        Cases with points, as `compute_points_spark` gives them, and the columns that the policy
        asks for, see `drgcore.budget.tally.tally`.
    policy : Policy or Terms
        The policy.
    year : int
        The settlement year.
    checks : bool, default True
        Refuse ids that occur twice. That asks for the rows a second time: where `df` is not read
        from files, write it first, or compare the ids of the frame that it is made from
        (`repeated_ids_spark`).

    Returns
    -------
    Tally
        Without the ids of the cases, so it is not added to another.

    Raises
    ------
    CaseSchemaError
        As for `drgcore.budget.tally.tally`.
    """
    terms = terms_of(policy, year)
    schema = arrow_schema(df)
    needed = case_table(schema.empty_table(), terms).column_names
    if checks:
        refuse_repeated_ids(df)
    parts = map_batches(
        df, needed, partial(tally_batches, terms=terms), with_fields([], SUM_SCHEMA)
    )
    keys = [*KEYS, "unit"]
    sums = [name for name in SUM_SCHEMA.names if name not in keys]
    whole = parts.groupBy(*keys).sum(*sums).toDF(*keys, *sums)
    with clear_errors():
        found = whole.toArrow()
    return tally_of(found.select(SUM_SCHEMA.names).cast(SUM_SCHEMA), terms)


def repeated_ids_spark(
    df: DataFrame, column: str = "case_id", most: int = 5
) -> tuple[int, list[str]]:
    """Find the ids that occur more than once.

    Hashes of ids are shuffled, 8 bytes a row; the ids themselves only where two hashes agree.

    Parameters
    ----------
    df : pyspark.sql.DataFrame
        The cases.
    column : str, default "case_id"
        The column of ids; blanks at their ends make no difference.
    most : int, default 5
        How many ids to give.

    Returns
    -------
    count : int
        How many ids occur more than once.
    ids : list of str
        The first of them in their order.

    Raises
    ------
    CaseSchemaError
        When there is no such column, or a case has no id.
    """
    schema = arrow_schema(df)
    if column not in schema.names:
        raise CaseSchemaError(_("the cases have no column {missing}", missing=column))
    number, text = ("hash", pa.int64()), ("id", pa.string())

    def hashed(*fields: Any) -> DataFrame:
        work = partial(id_hashes, texts=len(fields) > 1)
        return map_batches(df, [column], work, with_fields([], pa.schema(fields)))

    with clear_errors():
        twice = hashed(number).groupBy("hash").count().filter("count > 1 or hash is null").cache()
        try:
            none = twice.filter("hash is null").collect()
            if none:
                raise CaseSchemaError(
                    _("{count} cases have no id", count=none[0]["count"]),
                    where=_("column {name}", name=column),
                )
            if twice.isEmpty():
                return 0, []
            suspects = hashed(number, text).join(twice.select("hash"), "hash", "left_semi")
            found = suspects.groupBy("id").count().filter("count > 1").cache()
            try:
                first = found.orderBy("id").limit(most).collect()
                return found.count(), [row["id"] for row in first]
            finally:
                found.unpersist()
        finally:
            twice.unpersist()


def refuse_repeated_ids(df: DataFrame) -> None:
    """Raise if a case id occurs twice, and name the first ids.

    Raises
    ------
    CaseSchemaError
        For ids that occur twice, and for cases without one.
    """
    count, first = repeated_ids_spark(df)
    if count:
        more = count - len(first)
        raise CaseSchemaError(
            _(
                "{count} case ids occur more than once: {twice}",
                count=count,
                twice=some_of(first) + (_(" and {count} more", count=more) if more else ""),
            ),
            where=_("column case_id"),
            hint=_("a case is paid once; remove the repeated rows"),
        )

"""`compute_points_spark`: points of the cases of a Spark frame, quotas of the dearest included."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from drgcore.cases.attributes import select_columns
from drgcore.cases.repeated import CaseWarning
from drgcore.cases.text import stripped
from drgcore.errors import PolicyError
from drgcore.language import _
from drgcore.points.compute import POINT_COLUMNS, compute_points
from drgcore.points.decisions import DECISIONS, warn_of_unmatched, warn_of_unused
from drgcore.points.policy import Policy
from drgcore.points.records import GRANTED
from drgcore.scale.parcels import PolicyParcel
from drgcore.scale.partition_money import score_batches, score_table
from drgcore.scale.partitions import by_batches, text_type, with_ids
from drgcore.scale.spark_frames import (
    arrow_schema,
    clear_errors,
    fields_of,
    map_batches,
    map_groups,
    with_fields,
)
from drgcore.scale.spark_sums import refuse_repeated_ids

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

SAMPLE_ROWS = 20_000
"""Cases whose points the driver computes first, so that what is wrong with all is said early."""


def compute_points_spark(
    df: DataFrame,
    policy: Policy,
    *,
    year: int | None = None,
    decisions: Any = None,
    checks: bool = True,
) -> DataFrame:
    """Classify the grouped cases of a Spark frame and compute their points.

    Each case has the points that `drgcore.compute_points` gives it among all the others, for any
    partitioning. The frame is lazy.

    Parameters
    ----------
    df : pyspark.sql.DataFrame
        Grouped cases, as for `drgcore.compute_points`. A text that stands for a day must be one by
        itself: Excel's numbers of days are refused where they are texts.
    policy : Policy
        The policy. It travels to the workers with the files that it names.
    year, decisions
        As for `drgcore.compute_points`. Decisions are a table of the driver.
    checks : bool, default True
        Look at the cases before: that no id occurs twice, which reads the column of ids and
        shuffles 8 bytes a case; and the points of some 20,000 cases, so that costs in fen or a
        policy that lacks a group are noticed at once. `tally_spark` compares ids again. Without
        checks, ids are compared within a batch only.

    Returns
    -------
    pyspark.sql.DataFrame
        The cases with the columns that `drgcore.compute_points` adds; texts are strings.

    Raises
    ------
    CaseSchemaError
        For columns that are not there, and repeated ids. What is wrong with the values of a case is
        raised by Spark when a result is asked for, with the case's id.
    PolicyError
        For a policy that must not be asked so: one whose quota of high-cost cases
        (`outliers.high.quota`) counts those of a hospital in one period and those of a DRG in
        another.

    Warns
    -----
    CaseWarning
        If costs of the sample look like fen, or decisions concern no case.

    Notes
    -----
    With a quota of high-cost cases, those of one hospital, or of one DRG, meet in one worker, which
    must hold the largest of them.
    """
    schema = arrow_schema(df)
    after = compute_points(schema.empty_table(), policy, year=year)
    decided = None
    if decisions is not None and len(decisions):
        decided = select_columns(decisions, ["case_id", "decision", "points"])
        with warnings.catch_warnings():
            # Here only what is wrong with the table itself: there are no cases yet.
            warnings.simplefilter("ignore", CaseWarning)
            compute_points(schema.empty_table(), policy, year=year, decisions=decided)
    parcel = PolicyParcel.of(policy)
    owner = _owner_of_quota(policy)
    if checks:
        refuse_repeated_ids(df)
        with clear_errors():
            sample = df.limit(SAMPLE_ROWS).toArrow()
        score_table(sample, policy, year, None)
    first = after.column_names.index(POINT_COLUMNS[0])
    results = pa.schema(
        [(field.name, text_type(field.type)) for field in list(after.schema)[first:]]
    )
    whole = with_fields(fields_of(df, after.column_names[:first]), results)
    work = partial(score_batches, parcel=parcel, year=year, decisions=decided)
    if owner is None:
        scored = map_batches(df, schema.names, work, whole)
    else:
        scored = map_groups(df, owner, partial(by_batches, work=work), whole)
    if decided is not None:
        ids = decided.column("case_id").combine_chunks()
        only = partial(with_ids, ids=ids)
        found = scored
        if owner is None:
            of_ids = map_batches(df, schema.names, only, df.schema)
            found = map_batches(of_ids, schema.names, work, whole)
        _warn_of_decisions(found, only, decided)
    return scored


def _owner_of_quota(policy: Policy) -> str | None:
    """Give the column whose cases a quota counts together; None without a quota."""
    quotas = [period.outliers.high.quota for period in policy.periods()]
    owners = {quota.among for quota in quotas if quota is not None}
    if len(owners) > 1:
        raise PolicyError(
            _("outliers.high.quota.among changes between the periods of the policy"),
            where=_("policy {name}", name=policy.name),
            hint=_("compute the points of each period by itself"),
        )
    return owners.pop() if owners else None


def _warn_of_decisions(
    scored: DataFrame,
    only: Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]],
    decided: pa.Table,
) -> None:
    """Say which decisions concern no case, and which grant what a case cannot get."""
    from pyspark.sql.types import StructType

    names = ["case_id", "case_class"]
    with clear_errors():
        found = map_batches(scored, names, only, StructType(fields_of(scored, names))).toArrow()
    classes = pa.table(
        {
            "case_id": stripped(found.column("case_id")).cast(pa.string()),
            "case_class": found.column("case_class"),
        }
    )
    decided = decided.select(["case_id", "decision"]).cast(
        pa.schema([("case_id", pa.string()), ("decision", pa.string())])
    )
    both = decided.join(classes, "case_id", join_type="inner")
    warn_of_unmatched(len(decided) - len(both))
    granted = pc.and_(
        pc.equal(both.column("decision"), DECISIONS[GRANTED]),
        pc.not_equal(both.column("case_class"), "high_cost"),
    )
    warn_of_unused(pc.sum(granted).as_py() or 0)

"""`weights_spark` and `statistics_spark`: what history says, from a Spark frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from drgcore.errors import CaseSchemaError, DrgcoreError
from drgcore.language import _
from drgcore.scale.partition_history import (
    FACT_SCHEMA,
    MOMENT_SCHEMA,
    NOTHING,
    Trim,
    fact_batches,
    kept_batches,
    moment_batches,
    moments_in,
    statistic_batches,
    statistic_schema,
    usable_batches,
)
from drgcore.scale.spark_frames import arrow_schema, clear_errors, map_batches, with_fields
from drgcore.weights import GroupWeights, base_points, group_statistics, read_history
from drgcore.weights.history import KEYS
from drgcore.weights.history_checks import refuse_several_schemes, warn_of_strange_counts
from drgcore.weights.history_columns import NO_YEAR, REASONS
from drgcore.weights.moments import join_moments

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_READ = (
    *("drg", "status", "hospital", "hospital_level", "pool", "discharge_date"),
    *("length_of_stay", "scheme", "case_id"),
)
_OF_KEY = {"adrg": "drg", "mdc": "drg", "year": "discharge_date"}


def weights_spark(
    df: DataFrame,
    *,
    scale: float,
    trim: Trim | None = None,
    cost: str = "total_cost",
    year_weights: Mapping[int, float] | None = None,
    **options: Any,
) -> GroupWeights:
    """Compute relative weights and base points from the grouped cases of a Spark frame.

    The costs of one DRG meet in one worker, which sorts them before it adds them up, as one machine
    does: limits of trimming, means and spreads are the same to the last bit for any partitioning.
    To the driver comes one row a DRG.

    Parameters
    ----------
    df : pyspark.sql.DataFrame
        Grouped cases, see `drgcore.read_history`.
    scale, year_weights, **options
        As for `drgcore.base_points`.
    trim : callable, optional
        One of `drgcore.trim_iqr`, `trim_multiples`, `trim_percentiles`, `trim_norm`, or a
        `functools.partial` of it with its limits.
    cost : str, default "total_cost"
        As for `drgcore.read_history`.

    Returns
    -------
    GroupWeights

    Raises
    ------
    CaseSchemaError, DrgcoreError
        As for `drgcore.base_points`.

    Warns
    -----
    HistoryWarning
        As for `drgcore.read_history`.
    """
    names = _kept(df, cost, ["drg", "hospital_level", "discharge_date"])
    if year_weights is not None and "discharge_date" not in names:
        raise CaseSchemaError(
            _("the cases have no column {missing}", missing="discharge_date"), where="year_weights"
        )
    left_out, drgs = _facts(df, cost)
    usable = _usable(df, cost, names, ["drg"])
    work = partial(moment_batches, trim=trim, year_weights=year_weights)
    whole = usable.repartition("place").drop("place")
    with clear_errors():
        found = whole.mapInArrow(work, with_fields([], MOMENT_SCHEMA)).toArrow()
    lacking = sorted(set(drgs) - set(found.column("drg").to_pylist()))
    moments = join_moments(moments_in(found.cast(MOMENT_SCHEMA), left_out, lacking))
    return base_points(moments, scale=scale, year_weights=year_weights, **options)


def statistics_spark(
    df: DataFrame,
    by: str | Sequence[str] = "drg",
    *,
    trim: Trim | None = None,
    cost: str = "total_cost",
    **options: Any,
) -> pd.DataFrame:
    """Describe the cost and stay of groups of the cases of a Spark frame.

    The cases of one group meet in one worker, so that medians and other quantiles are exact, and
    all numbers those of `drgcore.group_statistics` to the last bit, for any partitioning. A worker
    must hold its groups: few keys, such as ``mdc`` alone, make few large ones, of 30 bytes a case.

    Parameters
    ----------
    df : pyspark.sql.DataFrame
        Grouped cases, see `drgcore.read_history`.
    by, **options
        As for `drgcore.group_statistics`; `trim` takes the place of `trimming`.
    trim, cost
        As for `weights_spark`.

    Returns
    -------
    pandas.DataFrame
        The table of `drgcore.group_statistics`.

    Raises
    ------
    CaseSchemaError, DrgcoreError
        As for `drgcore.group_statistics`.
    """
    keys = [by] if isinstance(by, str) else list(by)
    if wrong := [key for key in keys if key not in KEYS]:
        raise CaseSchemaError(
            _("statistics cannot be broken down by {name!r}", name=wrong[0]),
            hint=_("by: {keys}", keys=", ".join(KEYS)),
        )
    if "trimming" in options:
        raise DrgcoreError(_("give the function as trim: its marks belong to the rows of a table"))
    asked = {_OF_KEY.get(key, key) for key in keys} | {"drg", "length_of_stay"}
    names = _kept(df, cost, [*sorted(asked), *(["hospital_level"] if trim else [])])
    if missing := sorted(asked - {"length_of_stay"} - set(names)):
        raise CaseSchemaError(
            _("the cases have no column {missing}", missing=", ".join(missing)), where="history"
        )
    # One case says what is wrong with the options, and what columns the table will have.
    one = pd.DataFrame({**{name: ["1"] for name in names}, "total_cost": [1.0]})
    if "discharge_date" in names:
        one["discharge_date"] = "2027-01-01"
    table = group_statistics(read_history(one), keys, **options)
    _facts(df, cost)
    usable = _usable(df, cost, names, ["drg"] if trim else keys)
    if trim is not None:
        schema = usable.drop("place").schema
        kept = usable.repartition("place").drop("place")
        kept = kept.mapInArrow(partial(kept_batches, trim=trim), schema)
        usable = _usable(kept, "total_cost", names, keys, again=True)
    schema = statistic_schema(keys, list(table.columns))
    work = partial(statistic_batches, by=keys, options=options)
    whole = usable.repartition("place").drop("place")
    with clear_errors():
        found = whole.mapInArrow(work, with_fields([], schema)).toArrow()
    return _ordered(found, keys)


def _kept(df: DataFrame, cost: str, names: Sequence[str]) -> list[str]:
    """Those of the columns that the frame has; drg and cost must be there."""
    there = arrow_schema(df).names
    missing = [name for name in ("drg", cost) if name not in there]
    if missing:
        raise CaseSchemaError(
            _("the cases have no column {missing}", missing=", ".join(missing)),
            where="history",
            hint=_("group the cases first; costs are yuan in total_cost"),
        )
    return list(dict.fromkeys(name for name in names if name in there))


def _facts(df: DataFrame, cost: str) -> tuple[pd.DataFrame, list[str]]:
    """Cases left out by reason, and the DRGs; refuse several schemes, warn of strange years."""
    names = [name for name in arrow_schema(df).names if name in {*_READ, cost}]
    facts = map_batches(df, names, partial(fact_batches, cost=cost), with_fields([], FACT_SCHEMA))
    with clear_errors():
        found = facts.groupBy("kind", "name", "year").sum("cases").toPandas()
    found.columns = pd.Index(FACT_SCHEMA.names)
    of = {kind: found[found["kind"] == kind] for kind in ("reason", "scheme", "drg")}
    refuse_several_schemes(sorted(of["scheme"]["name"]))
    dated = of["drg"][(of["drg"]["year"] != NO_YEAR) & (of["drg"]["cases"] > 0)]
    table = dated.pivot_table("cases", "year", "name", "sum", fill_value=0).sort_index()
    if len(table) > 1:
        warn_of_strange_counts([str(year) for year in table.index], table.to_numpy(np.int64))
    counts = dict(zip(of["reason"]["name"], of["reason"]["cases"], strict=True))
    left_out = [(reason, int(counts[reason])) for reason in REASONS if reason in counts]
    return pd.DataFrame(left_out, columns=["reason", "cases"]), sorted(set(of["drg"]["name"]))


def _usable(
    df: DataFrame, cost: str, names: Sequence[str], by: Sequence[str], *, again: bool = False
) -> DataFrame:
    """The usable cases with the place at which those of a group meet."""
    read = [name for name in arrow_schema(df).names if name in {*_READ, cost}]
    kinds = {"discharge_date": pa.date32(), "length_of_stay": pa.float64()}
    schema = [(name, kinds.get(name, pa.string())) for name in names]
    schema += [("total_cost", pa.float64()), ("place", pa.int64())]
    work = partial(usable_batches, cost=cost, names=tuple(names), by=tuple(by), again=again)
    return map_batches(df, read, work, with_fields([], pa.schema(schema)))


def _ordered(found: pa.Table, keys: Sequence[str]) -> pd.DataFrame:
    """The rows in the order of their keys, None first, as one machine gives them."""
    columns = {
        name: [None if value == NOTHING else value for value in found.column(name).to_pylist()]
        for name in keys
    }
    for name, values in columns.items():
        if name in ("hospital", "hospital_level", "pool") and not any(values):
            raise CaseSchemaError(
                _("the cases have no column {column}, or nothing in it", column=name),
                where=_("statistics by {key}", key=name),
            )
    rows = list(zip(*columns.values(), strict=True))
    order = sorted(range(len(rows)), key=lambda at: [(v is not None, v) for v in rows[at]])
    table = found.drop_columns(list(keys)).to_pandas().iloc[order].reset_index(drop=True)
    for place, name in enumerate(keys):
        values = [columns[name][at] for at in order]
        table.insert(place, name, pd.Series(values, dtype=object) if None in values else values)
    return table

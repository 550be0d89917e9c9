"""`indicators_spark`: the indicators that a DRG office watches, from a Spark frame."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from drgcore.errors import CaseSchemaError
from drgcore.indicators import Indicators, Tally, compute_indicators
from drgcore.indicators.columns import Limits, checked_keys, columns_for
from drgcore.indicators.compute import finest_keys
from drgcore.indicators.tally import counted_columns, mean_costs_of
from drgcore.language import _
from drgcore.scale.partition_indicators import (
    cell_batches,
    cell_schema,
    last_days,
    patient_batches,
    tally_of_cells,
)
from drgcore.scale.spark_frames import (
    arrow_schema,
    clear_errors,
    fields_of,
    map_batches,
    with_fields,
)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_STAYS = ("patient_id", "admission_date", "discharge_date")


def indicators_spark(
    df: DataFrame,
    by: str | Sequence[str] = "hospital",
    *,
    norms: pd.DataFrame | str | Path | None = None,
    outliers: tuple[float, float] | None = None,
    confidence: float = 0.95,
) -> Indicators:
    """Compute indicators of the grouped cases of a Spark frame: CMI, indices of cost and stay, …

    Parameters
    ----------
    df : pyspark.sql.DataFrame
        Grouped cases of a region, see `drgcore.tally_cases`.
    by, norms, outliers, confidence
        As for `drgcore.compute_indicators`.

    Returns
    -------
    Indicators
        As `drgcore.compute_indicators` makes them of a tally: without intervals of shares of fees,
        which look at the cases again.

    Raises
    ------
    CaseSchemaError
        For a key or column that is not there, or values that cannot be read.
    """
    keys = finest_keys(arrow_schema(df).empty_table(), checked_keys(by))
    tally = tally_cases_spark(df, keys, outliers=outliers)
    return compute_indicators(tally, by, norms=norms, confidence=confidence)


def tally_cases_spark(
    df: DataFrame, by: str | Sequence[str] = (), *, outliers: tuple[float, float] | None = None
) -> Tally:
    """Add the grouped cases of a Spark frame up by keys and DRG.

    Amounts are whole fen, so that their sums are the same for any partitioning below 2**53 fen
    (90 trillion yuan) a cell. Squares of costs and stays, which only the intervals of means need,
    may pass that and then differ in the last bit.

    Parameters
    ----------
    df : pyspark.sql.DataFrame
        Grouped cases, see `drgcore.tally_cases`. Where they have `patient_id`, `admission_date` and
        `discharge_date`, the stays of a patient meet in one worker.
    by, outliers
        As for `drgcore.tally_cases`.

    Returns
    -------
    Tally

    Raises
    ------
    CaseSchemaError
        As for `drgcore.tally_cases`.
    """
    keys = checked_keys(by)
    there = arrow_schema(df).names
    columns = columns_for(keys, there)
    limits = None
    if outliers is not None:
        limits = Limits(*outliers, _mean_costs(df, there))
    back = set(_STAYS) <= set(there)
    last = _last_day(df) if back else None
    had = counted_columns(columns, there, last is not None, limits)
    names = list(dict.fromkeys([*columns, *(_STAYS if last is not None else ())]))
    return _tally(df, names, keys, had, limits, last)


def _tally(
    df: DataFrame,
    names: Sequence[str],
    keys: tuple[str, ...],
    had: frozenset[str],
    limits: Limits | None = None,
    last: int | None = None,
) -> Tally:
    # MDC and ADRG are the beginning of the DRG, which every cell has.
    keys = tuple(key for key in keys if key not in ("mdc", "adrg", "drg"))
    schema = cell_schema(keys)
    work = partial(cell_batches, keys=keys, had=had, limits=limits, last=last)
    if last is None:
        parts = map_batches(df, names, work, with_fields([], schema))
    else:
        placed = map_batches(
            df,
            names,
            patient_batches,
            with_fields(fields_of(df, names), pa.schema([("place", pa.int64())])),
        )
        parts = placed.repartition("place").drop("place").mapInArrow(work, with_fields([], schema))
    cells = [*keys, "drg", "status"]
    sums = [name for name in schema.names if name not in cells]
    with clear_errors():
        found = parts.groupBy(*cells).sum(*sums).toDF(*cells, *sums).toArrow()
    return tally_of_cells(found.cast(schema), keys, had)


def _mean_costs(df: DataFrame, there: Sequence[str]) -> dict[str, float]:
    """Mean cost of each DRG [yuan], by a first pass over the cases."""
    if "total_cost" not in there:
        raise CaseSchemaError(
            _("the cases have no column total_cost"), hint=_("outliers are multiples of mean costs")
        )
    names = [name for name in ("drg", "status", "total_cost") if name in there]
    return mean_costs_of(_tally(df, names, (), frozenset(names)))


def _last_day(df: DataFrame) -> int | None:
    """The last day of discharge [days since 1970-01-01]; None without any."""
    schema = with_fields([], pa.schema([("last", pa.int32())]))
    with clear_errors():
        found = (
            map_batches(df, ["discharge_date"], last_days, schema).agg({"last": "max"}).collect()
        )
    return found[0][0]

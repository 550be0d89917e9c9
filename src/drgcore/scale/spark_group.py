"""`group_spark`: cases of a Spark frame grouped where they lie."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from drgcore.cases import CaseMapping
from drgcore.grouper.extras import Extras
from drgcore.grouper.group import kept_columns
from drgcore.grouper.result import check_free, result_fields
from drgcore.scale.parcels import SchemeParcel, grouper_in
from drgcore.scale.partitions import group_batches, refuse_guess
from drgcore.scale.spark_frames import arrow_schema, fields_of, map_batches, with_fields
from drgcore.schemes import Scheme
from drgcore.schemes.calendar import SchemeCalendar

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def group_spark(
    df: DataFrame,
    scheme: str | Path | Scheme | SchemeCalendar = "chs-drg-3.0",
    *,
    mapping: str | Path | CaseMapping = "canonical",
    columns: Sequence[str] | None = None,
    prefix: str = "",
    clinical_codes: bool = False,
    restore_zeros: bool = False,
    names: bool = False,
    severity_codes: bool = False,
    stamp: bool = False,
) -> DataFrame:
    """Assign the cases of a Spark frame to MDC, ADRG and DRG.

    Every case is decided by itself, so the results are those of `drgcore.group` for any
    partitioning. The frame is lazy, as Spark's are: columns are checked now, cases are grouped when
    a result is asked for.

    Parameters
    ----------
    df : pyspark.sql.DataFrame
        One row a case. Lists of codes are array columns of strings, or columns as the mapping says.
    scheme, columns, prefix, clinical_codes, restore_zeros, names, severity_codes, stamp
        As for `drgcore.group`. The workers need drgcore in the version of the driver, but no file
        of it: a scheme that is not shipped travels with its tables. The schemes of a calendar are
        loaded by each worker by their names.
    mapping : str, Path or CaseMapping, default "canonical"
        As for `drgcore.group`, but not ``"auto"``: what is guessed must not depend on which rows
        come first.

    Returns
    -------
    pyspark.sql.DataFrame
        The columns kept and the result columns of `drgcore.group`: strings, and arrays of strings.

    Raises
    ------
    CaseSchemaError
        When a column is missing or of a wrong type, or a result would replace an input column.
    SchemeError
        When there is no such scheme.

    Notes
    -----
    `drgcore.group` warns of repeated ids. To find those, all rows must be compared, which costs a
    shuffle; `repeated_ids_spark` does it when it is called.
    """
    refuse_guess(mapping)
    extras = Extras(names, severity_codes, stamp)
    parcel = SchemeParcel.of(scheme)
    grouper = grouper_in(parcel, clinical_codes, restore_zeros, extras)
    schema = arrow_schema(df)
    keep = kept_columns(schema.names, columns)
    check_free(keep, prefix, "columns=", grouper.result_columns)
    resolved = grouper.resolve(CaseMapping.of(mapping), schema)
    results = pa.schema(result_fields(prefix, grouper.result_columns))
    needed = [name for name in schema.names if name in {*keep, *resolved.columns()}]
    work = partial(
        group_batches,
        parcel=parcel,
        resolved=resolved,
        keep=keep,
        prefix=prefix,
        clinical_codes=clinical_codes,
        restore_zeros=restore_zeros,
        extras=extras,
    )
    return map_batches(df, needed, work, with_fields(fields_of(df, keep), results))

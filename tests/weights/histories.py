"""Random histories, hostile rows included, in every form in which they may come."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from hypothesis import strategies as st

DRGS = ("AA11", "AA13", "AA15", "BR11", "BR13", "ES2A", "GB19", "基层1")
HOSPITALS = ("H1", "H2", "县人民医院")
LEVELS = ("1", "2", "3")
POOLS = ("employee", "resident")
STATUSES = ("grouped", "ambiguous", "ungrouped", "invalid")
FORMS = ("pandas", "category", "arrow", "chunks", "polars", "timestamps", "decimals", "text")

# Costs repeat and lie on multiples of each other, so that cases fall on limits.
ROUND = st.sampled_from([1000.0, 1000.0, 2000.0, 2500.0, 3000.0, 400.0, 6000.0, 10.1, 10.3, 10.6])
COSTS = st.one_of(ROUND, st.integers(1, 5_000_000).map(lambda fen: fen / 100))
FAULTS = st.sampled_from([None, math.nan, math.inf, -math.inf, 0.0, -0.0, -1.0, -250.5])
DAYS = st.integers(0, 3 * 365).map(lambda day: date(2024, 1, 1) + timedelta(day))


@st.composite
def case(draw: st.DrawFn, hostile: bool) -> dict[str, Any]:
    def perhaps(values: st.SearchStrategy[Any], nothing: tuple[Any, ...] = (None,)) -> Any:
        empty = hostile and draw(st.integers(0, 11)) == 0
        return draw(st.sampled_from(nothing) if empty else values)

    ill = hostile and draw(st.integers(0, 4)) == 0
    cost = draw(FAULTS if ill and draw(st.booleans()) else COSTS)
    return {
        "drg": perhaps(st.sampled_from(DRGS), (None, "")),
        "status": perhaps(st.sampled_from(STATUSES), (None, "")) if ill else "grouped",
        "total_cost": cost,
        "hospital": perhaps(st.sampled_from(HOSPITALS), (None, "")),
        "hospital_level": perhaps(st.sampled_from(LEVELS)),
        "pool": perhaps(st.sampled_from(POOLS)),
        "discharge_date": perhaps(DAYS),
        "length_of_stay": perhaps(st.integers(0, 40).map(float), (None, math.nan, math.inf)),
    }


@st.composite
def histories(
    draw: st.DrawFn, hostile: bool = True, least: int = 0, most: int = 24
) -> pd.DataFrame:
    """Cases of which some DRGs have many, some one, and some the same cost throughout."""
    rows = draw(st.lists(case(hostile), min_size=least, max_size=most))
    if rows and draw(st.booleans()):
        twin = draw(st.sampled_from(rows))
        rows += [dict(twin)] * draw(st.integers(1, 6))
    columns = ["drg", "status", "total_cost", "hospital", "hospital_level", "pool",
               "discharge_date", "length_of_stay"]  # fmt: skip
    frame = pd.DataFrame(rows, columns=columns, dtype=object)
    for name in ("total_cost", "length_of_stay"):
        frame[name] = frame[name].astype(float)
    return frame


def clean(least: int = 1, most: int = 24) -> st.SearchStrategy[pd.DataFrame]:
    return histories(hostile=False, least=least, most=most)


def in_form(cases: pd.DataFrame, form: str) -> Any:
    """Give the same cases as another kind of table, or with other types."""
    texts = ["drg", "status", "hospital", "hospital_level", "pool"]
    if form == "pandas":
        return cases
    if form == "category":
        # Categories in an order that is neither that of rows nor alphabetical, some unused.
        kinds = {name: pd.CategoricalDtype([*sorted(set(cases[name].dropna()), reverse=True), "zz"])
                 for name in texts if name != "status"}  # fmt: skip
        return cases.astype(kinds)
    if form == "timestamps":
        days = pd.to_datetime(cases["discharge_date"]) + pd.Timedelta(hours=23, minutes=59)
        return cases.assign(discharge_date=days)
    if form == "text":
        written = {
            name: cases[name].map(lambda v: None if pd.isna(v) else repr(float(v))).astype(object)
            for name in ("total_cost", "length_of_stay")
        }
        days = cases["discharge_date"].map(lambda d: None if d is None else d.isoformat())
        return cases.assign(discharge_date=days.astype(object), **written)
    table = pa.table({
        **{name: pa.array(cases[name].tolist(), pa.string()) for name in texts},
        "total_cost": pa.array(cases["total_cost"].to_numpy()),
        "discharge_date": pa.array(cases["discharge_date"].tolist(), pa.date32()),
        "length_of_stay": pa.array(cases["length_of_stay"].to_numpy()),
    })  # fmt: skip
    if form == "decimals":
        finite = np.isfinite(cases["total_cost"].to_numpy()).all()
        if not finite:
            return table
        column = pa.array(cases["total_cost"].map(lambda c: f"{c:.2f}").tolist(), pa.string())
        return table.set_column(
            table.column_names.index("total_cost"), "total_cost", column.cast(pa.decimal128(14, 2))
        )
    if form == "polars":
        return pl.from_arrow(table).with_columns(pl.col("drg", "hospital").cast(pl.Categorical))
    if form == "chunks":
        # Each chunk with a dictionary of its own.
        cut = len(table) // 2
        parts = [table.slice(0, cut), table.slice(cut)]
        for name in texts:
            chunks = [part[name].combine_chunks().dictionary_encode() for part in parts]
            chunks = [c.combine_chunks() if isinstance(c, pa.ChunkedArray) else c for c in chunks]
            place = table.column_names.index(name)
            parts = [part.set_column(place, name, chunk)
                     for part, chunk in zip(parts, chunks, strict=True)]  # fmt: skip
        return pa.concat_tables(parts)
    return table

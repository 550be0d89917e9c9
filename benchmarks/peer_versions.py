"""The versions of each question of `peers.py`: drgcore's own, and polars, DuckDB and pyarrow.

Each takes the folder of the files and how many cases they have, reads, and gives what is compared.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

import drgcore

sys.path.insert(0, str(Path(__file__).parent))
from settlement import YEAR, groups, policy_for

CODES = (
    *("sex", "age_years", "age_days", "newborn_weight_g", "principal_diagnosis"),
    *("other_diagnoses", "principal_procedure", "other_procedures"),
)
_HAIR = 1e-12


# Group statistics and weights.


def weights_drgcore(folder: Path, _count: int) -> pd.DataFrame:
    """Read, trim by the interquartile fence on log cost, describe, weigh."""
    history = drgcore.read_history(folder / "history.parquet")
    trimming = drgcore.trim_iqr(history, log=True)
    table = drgcore.group_statistics(history, trimming=trimming)
    weights = drgcore.base_points(history, scale=100, trimming=trimming)
    fences = trimming.table.set_index("drg")[["low", "high"]]
    table = table.join(fences, on="drg").drop(columns=["cv", "total_cost", "stable"])
    own = weights.table.set_index("drg")["relative_weight"].rename("weight")
    return table.join(own, on="drg")


def weights_polars(folder: Path, _count: int) -> pd.DataFrame:
    """The same in polars: one gathering by group, all else within it."""
    import polars as pl

    log, cost, stay = pl.col("log"), pl.col("total_cost"), pl.col("length_of_stay")
    quarter, three = log.quantile(0.25, "linear"), log.quantile(0.75, "linear")
    fence = 1.5 * (three - quarter)
    fences = [(quarter - fence).exp().alias("low"), (three + fence).exp().alias("high")]
    cases = (
        pl.scan_parquet(folder / "history.parquet")
        .filter(pl.col("status") == "grouped", cost > 0)
        .select("drg", "total_cost", "length_of_stay", cost.log().alias("log"))
    )
    inside = (cost >= fences[0] * (1 - _HAIR)) & (cost <= fences[1] * (1 + _HAIR))
    kept, days = cost.filter(inside), stay.filter(inside)
    table = cases.group_by("drg").agg(
        *fences,
        kept.len().alias("cases"),
        kept.mean().alias("mean_cost"),
        kept.std(ddof=0).alias("sd"),
        kept.min().alias("min"),
        *(kept.quantile(q / 100, "linear").alias(f"q{q}") for q in (25, 50, 75)),
        kept.max().alias("max"),
        days.mean().alias("mean_stay"),
        days.median().alias("median_stay"),
    )
    found = table.collect(engine="streaming").to_pandas()
    return _weighed(found)


WEIGHTS = """
with used as (
  select drg, total_cost as c, length_of_stay as l from read_parquet('{path}')
  where status = 'grouped' and total_cost > 0
), quarters as (
  select drg, quantile_cont(ln(c), [0.25, 0.75]) as q from used group by drg
), fences as (
  select drg, exp(q[1] - 1.5 * (q[2] - q[1])) as low, exp(q[2] + 1.5 * (q[2] - q[1])) as high
  from quarters
), kept as (
  select used.*, low, high from used join fences using (drg)
  where c >= low * (1 - 1e-12) and c <= high * (1 + 1e-12)
)
select drg, any_value(low) as low, any_value(high) as high, count(*) as cases,
  avg(c) as mean_cost, stddev_pop(c) as sd, min(c) as min,
  quantile_cont(c, [0.25, 0.5, 0.75]) as q, max(c) as max,
  avg(l) as mean_stay, quantile_cont(l, 0.5) as median_stay
from kept group by drg
"""


def weights_duckdb(folder: Path, _count: int) -> pd.DataFrame:
    """The same in DuckDB."""
    import duckdb

    table = duckdb.sql(WEIGHTS.format(path=folder / "history.parquet")).df()
    quantiles = np.array(table.pop("q").tolist())
    for place, name in enumerate(("q25", "q50", "q75")):
        table[name] = quantiles[:, place]
    return _weighed(table)


def _weighed(table: pd.DataFrame) -> pd.DataFrame:
    region = (table["cases"] * table["mean_cost"]).sum() / table["cases"].sum()
    return table.assign(weight=table["mean_cost"] / region)


# Points of every case by the shipped fictitious policy, added up; a year's end.

SUMS = ("cases", "points", "patient_paid", "refused_amount")


def sums_drgcore(folder: Path, count: int) -> pd.DataFrame:
    """Points and amounts by pool, hospital and month."""
    cells = drgcore.tally_points(folder / "cases.parquet", policy_for(count), YEAR).cells
    table = cells.groupby(["pool", "hospital", "month"], as_index=False).sum(numeric_only=True)
    return pd.DataFrame(
        {
            "pool": table["pool"],
            "hospital": table["hospital"],
            "month": table["month"] % 12 + 1,
            "cases": table["cases"],
            "points": table["points"] / 10**4,
            "patient_paid": table["patient_paid_fen"] / 100,
            "refused_amount": table["refused_fen"] / 100,
        }
    )


def sums_polars(folder: Path, _count: int) -> pd.DataFrame:
    """The same in polars, streaming."""
    import polars as pl

    c = pl.col
    cost, drg, stay, base = c("total_cost"), c("drg"), c("length_of_stay"), c("base_points")
    level = c("hospital_level").replace_strict({"3": 1.08, "2": 0.98, "1": 0.85}, default=None)
    k = (0.8 * level.cast(pl.Float64) + 0.2).clip(0.75, 1.2).round(4)
    k = pl.when(drg.str.slice(0, 3).is_in(["GD2", "CB6", "EW1"])).then(1.0).otherwise(k)
    hi = pl.when(base <= 100).then(3.0).when(base <= 200).then(2.5).otherwise(2.0)
    grouped = c("status") == "grouped"
    psychiatric = (drg.str.slice(0, 1) == "T") | drg.str.slice(0, 3).is_in(["XR1", "XR2", "XR3"])
    rate = pl.when(stay <= 60).then(4.5).otherwise(3.8)
    points = (
        pl.when((stay > 180) | (cost - c("patient_paid") <= 0)).then(0.0)
        .when(grouped & (drg.str.slice(0, 3) == "CB6") & (stay <= 1)).then(55.0)
        .when(grouped & psychiatric & (stay > 30)).then(rate * stay)
        .when(~grouped).then(cost / 10_000 * 100 * 0.8)
        .when(~((c("cases") >= 5) & (c("cv") <= 1))).then(cost / 10_000 * 100)
        .when(cost > hi * c("mean_cost")).then(base * k + base * (cost / c("mean_cost") - hi))
        # Not 0.4·m: a cost of exactly that is no low-cost case, and 0.4 has no exact double.
        .when(cost * 5 < c("mean_cost") * 2)
        .then(pl.min_horizontal(base * cost / c("mean_cost"), base * k))
        .otherwise(base * k)
        .round(4).alias("points")
    )  # fmt: skip
    table = (
        pl.scan_parquet(folder / "cases.parquet")
        .join(pl.from_pandas(groups()).lazy(), on="drg", how="left")
        .with_columns(points, c("discharge_date").dt.month().alias("month"))
        .group_by("pool", "hospital", "month")
        .agg(pl.len().alias("cases"), *(c(name).sum() for name in SUMS[1:]))
    )
    return table.collect(engine="streaming").to_pandas()


POINTS = """
with priced as (
  select c.*, g.base_points as p, g.mean_cost as m, g.cases as n, g.cv as cv,
    case when g.base_points <= 100 then 3.0 when g.base_points <= 200 then 2.5 else 2.0 end as hi,
    case when c.drg[1:3] in ('GD2', 'CB6', 'EW1') then 1.0 else round(least(1.2, greatest(0.75, 0.2
      + 0.8 * case hospital_level when '3' then 1.08 when '2' then 0.98 else 0.85 end)), 4)
    end::double as k
  from read_parquet('{path}') c left join base g using (drg)
), earned as (
  select pool, hospital, month(discharge_date) as month, patient_paid, refused_amount,
    round(case
      when length_of_stay > 180 or total_cost - patient_paid <= 0 then 0
      when status = 'grouped' and drg[1:3] = 'CB6' and length_of_stay <= 1 then 55
      when status = 'grouped' and (drg[1] = 'T' or drg[1:3] in ('XR1', 'XR2', 'XR3'))
        and length_of_stay > 30
        then case when length_of_stay <= 60 then 4.5 else 3.8 end::double * length_of_stay
      when status <> 'grouped' then total_cost / 10000 * 100 * 0.8::double
      when not (n >= 5 and cv <= 1) then total_cost / 10000 * 100
      when total_cost > hi * m then p * k + p * (total_cost / m - hi)
      when total_cost * 5 < m * 2 then least(p * total_cost / m, p * k)
      else p * k end, 4) as points
  from priced
)
select pool, hospital, month, count(*) as cases, sum(points) as points,
  sum(patient_paid) as patient_paid, sum(refused_amount) as refused_amount
from earned group by all
"""


def sums_duckdb(folder: Path, _count: int) -> pd.DataFrame:
    """The same in DuckDB."""
    import duckdb

    base = groups()
    duckdb.register("base", base)
    return duckdb.sql(POINTS.format(path=folder / "cases.parquet")).df()


def year_drgcore(folder: Path, count: int) -> pd.DataFrame:
    """From the file to the settled year: points, ids, twelve months, year end, every fen."""
    from drgcore.budget import Month, settle_month, settle_year, terms_of

    policy = policy_for(count)
    terms = terms_of(policy, YEAR)
    sums = drgcore.tally_points(folder / "cases.parquet", policy, YEAR)
    months = []
    for month in Month.of_year(YEAR):
        months.append(settle_month(sums, terms, month, months[-1] if months else None))
    year = settle_year(sums, months, terms, dict.fromkeys(sums.cells["hospital"].unique(), "1"))
    left = year.reconciliation.query("item == 'unaccounted'")["amount_fen"].abs().sum()
    assert left == 0, left
    table = year.statement
    return pd.DataFrame(
        {"pool": table["pool"], "hospital": table["hospital"], "points": table["points"] / 10**4}
    )


# `group_file` against reading and writing.


def file_ids_drgcore(folder: Path, _count: int) -> pd.DataFrame:
    """Group a file, keep the id."""
    drgcore.group_file(folder / "ask.parquet", folder / "own.parquet", columns=["case_id"])
    return _counted(folder / "own.parquet")


def file_all_drgcore(folder: Path, _count: int) -> pd.DataFrame:
    """Group a file, keep all columns."""
    drgcore.group_file(folder / "ask.parquet", folder / "own.parquet")
    return _counted(folder / "own.parquet")


def _limit_pyarrow(folder: Path, columns: list[str] | None, result: str) -> pd.DataFrame:
    """Read what grouping needs, write what it writes; the result itself is in memory before."""
    answer = _held(folder / result)
    start = time.perf_counter(), time.process_time()
    with pq.ParquetFile(folder / "ask.parquet") as file:
        for _batch in file.iter_batches(batch_size=1 << 17, columns=columns):
            pass
    with pq.ParquetWriter(folder / "limit.parquet", answer.schema) as writer:
        for batch in answer.to_batches(max_chunksize=1 << 17):
            writer.write_table(pa.Table.from_batches([batch]))
    return _counted(folder / "limit.parquet").assign(started=start[0], busy=start[1])


def _limit_polars(folder: Path, columns: list[str] | None, result: str) -> pd.DataFrame:
    import polars as pl

    answer = pl.read_parquet(folder / result)
    start = time.perf_counter(), time.process_time()
    pl.read_parquet(folder / "ask.parquet", columns=columns)
    answer.write_parquet(folder / "limit.parquet")
    return _counted(folder / "limit.parquet").assign(started=start[0], busy=start[1])


def _held(path: Path) -> pa.Table:
    """A result as grouping holds it: the texts that repeat are dictionaries."""
    names = [n for n in pq.read_schema(path).names if n != "case_id"]
    table = pq.read_table(path, read_dictionary=names)
    return table.combine_chunks()


def _counted(path: Path) -> pd.DataFrame:
    """What is compared: how many cases each group has."""
    groups_found = pq.read_table(path, columns=["drg"])["drg"].cast(pa.string()).to_pandas()
    return groups_found.rename("drg").value_counts().reset_index()


def file_ids_pyarrow(folder: Path, _count: int) -> pd.DataFrame:
    """The limit of pyarrow for the id."""
    return _limit_pyarrow(folder, ["case_id", *CODES], "ids.parquet")


def file_ids_polars(folder: Path, _count: int) -> pd.DataFrame:
    """The limit of polars for the id."""
    return _limit_polars(folder, ["case_id", *CODES], "ids.parquet")


def file_all_pyarrow(folder: Path, _count: int) -> pd.DataFrame:
    """The limit of pyarrow for all columns."""
    return _limit_pyarrow(folder, None, "all.parquet")


def file_all_polars(folder: Path, _count: int) -> pd.DataFrame:
    """The limit of polars for all columns."""
    return _limit_polars(folder, None, "all.parquet")


def memory_drgcore(folder: Path, _count: int) -> pd.DataFrame:
    """Group a table of plain strings on one thread; reading it is not counted."""
    cases = pq.read_table(folder / "ask.parquet", columns=list(CODES))
    start = time.perf_counter(), time.process_time()
    found = drgcore.group(cases, threads=1)
    ended = time.perf_counter(), time.process_time()
    table = found.select(["drg"]).to_pandas().astype(str).value_counts().reset_index()
    spent = time.perf_counter() - ended[0], time.process_time() - ended[1]
    return table.assign(started=start[0] + spent[0], busy=start[1] + spent[1])


# A text file of many columns in the Chinese encoding.


def text_drgcore(folder: Path, _count: int) -> pd.DataFrame:
    """Read the file with drgcore."""
    from drgcore.cases import read_table

    return _filled(read_table(folder / "gb18030.csv"))


def text_polars(folder: Path, _count: int) -> pd.DataFrame:
    """The same in polars, which reads UTF-8: Python's decoder is the fastest way there."""
    import polars as pl

    text = (folder / "gb18030.csv").read_bytes().decode("gb18030")
    return _filled(pl.read_csv(text.encode(), infer_schema=False).to_arrow())


def _filled(table: pa.Table) -> pd.DataFrame:
    filled = [len(column) - column.null_count for column in table.columns]
    return pd.DataFrame({"column": table.column_names, "filled": filled})

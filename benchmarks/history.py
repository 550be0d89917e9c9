"""What history says: statistics and weights of ten million cases, subdivision of three million.

    python benchmarks/history.py [cases] [cases to subdivide] [noise regions]

Statistics and weights: history is read, trimmed by the interquartile fence on log cost, described
by DRG, and made into base points with year weights and smoothing; plain pandas does the same with
groupby. Subdivision: `subdivide` with its defaults against plain pandas that only makes
the comparisons of its first round (complications, ages, listed codes), finds no lists, cuts
nothing and groups nothing anew. Each runs in a process of its own, the first part twice, of which
the better time counts. Goals on two cores: 8 seconds and 60 seconds.

Noise: regions in which cost hangs on the ADRG alone. What is split there is split falsely.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

import drgcore

YEAR_WEIGHTS = {2024: 1.0, 2025: 2.0, 2026: 7.0}
SLICE = 1 << 20
GOAL_WEIGHTS, GOAL_SUBDIVISION = 8, 60
NOISE_CASES = 200_000


def write_history(path: Path, count: int) -> None:
    """Write random grouped cases of three years."""
    groups = pa.array([drg.code for drg in drgcore.load_scheme().drgs])
    draw = np.random.default_rng(1)
    means = draw.lognormal(9, 0.7, len(groups))
    share = draw.lognormal(0, 1, len(groups))
    first = np.datetime64("2024-01-01").astype(int)
    writer = None
    for start in range(0, count, SLICE):
        size = min(SLICE, count - start)
        drg = draw.choice(len(groups), size, p=share / share.sum()).astype("i4")
        status = draw.choice(3, size, p=[0.97, 0.02, 0.01]).astype("i4")
        names = pa.array(["grouped", "ambiguous", "ungrouped"])
        batch = pa.table(
            {
                "drg": pa.DictionaryArray.from_arrays(pa.array(drg, mask=status > 0), groups),
                "status": pa.DictionaryArray.from_arrays(pa.array(status), names),
                "discharge_date": pa.array(
                    (first + draw.integers(0, 1096, size)).astype("i4")
                ).cast(pa.date32()),
                "length_of_stay": pa.array(1 + draw.geometric(0.12, size).astype("i4")),
                "total_cost": np.round(means[drg] * draw.lognormal(-0.18, 0.6, size), 2),
            }
        )
        writer = writer or pq.ParquetWriter(path, batch.schema, compression="lz4")
        writer.write_table(batch)
    if writer:
        writer.close()


def weights_drgcore(path: Path) -> dict[str, float]:
    """Statistics and weights."""
    cases = pq.read_table(path)
    started = time.perf_counter()
    history = drgcore.read_history(cases)
    trimming = drgcore.trim_iqr(history, log=True)
    statistics = drgcore.group_statistics(history, trimming=trimming)
    weights = drgcore.base_points(
        history,
        scale=100,
        trimming=trimming,
        year_weights=YEAR_WEIGHTS,
        credibility=drgcore.Credibility("adrg", k=50),
    )
    seconds = time.perf_counter() - started
    return {
        "seconds": seconds,
        "median": float(statistics["q50"].sum()),
        "points": float(weights.table["base_points"].sum()),
    }


def weights_pandas(path: Path) -> dict[str, float]:
    """The same in plain pandas."""
    cases = pq.read_table(path).to_pandas()
    started = time.perf_counter()
    used = cases[(cases["status"] == "grouped") & (cases["total_cost"] > 0)].copy()
    used["log"] = np.log(used["total_cost"])
    by = used.groupby("drg", observed=True)["log"]
    quarters = by.quantile([0.25, 0.75]).unstack()
    fence = 1.5 * (quarters[0.75] - quarters[0.25])
    low, high = quarters[0.25] - fence, quarters[0.75] + fence
    drg = used["drg"]
    inside = used["log"].ge(drg.map(low).astype(float)) & used["log"].le(
        drg.map(high).astype(float)
    )
    kept = used[inside]
    groups = kept.groupby("drg", observed=True)
    statistics = groups["total_cost"].agg(["size", "sum", "mean", "min", "max"])
    statistics["sd"] = groups["total_cost"].std(ddof=0)
    quantiles = groups["total_cost"].quantile([0.25, 0.5, 0.75]).unstack()
    groups["length_of_stay"].agg(["mean", "median"])
    kept = kept.assign(year=pd.to_datetime(kept["discharge_date"]).dt.year)
    yearly = kept.groupby(["year", "drg"], observed=True)["total_cost"].mean().unstack("year")
    weight = pd.Series(YEAR_WEIGHTS)
    mean = (yearly * weight).sum(axis=1) / yearly.notna().mul(weight).sum(axis=1)
    region = (kept.groupby("year")["total_cost"].mean() * weight).sum() / weight.sum()
    own = mean / region
    kept = kept.assign(adrg=kept["drg"].astype(str).str[:3])
    of_adrg = kept.groupby(["year", "adrg"])["total_cost"].mean().unstack("year")
    target = (of_adrg * weight).sum(axis=1) / of_adrg.notna().mul(weight).sum(axis=1) / region
    z = statistics["size"] / (statistics["size"] + 50)
    smooth = z * own + (1 - z) * target.reindex(own.index.astype(str).str[:3]).to_numpy()
    seconds = time.perf_counter() - started
    points = np.floor(smooth * 100 * 1e4 + 0.5) / 1e4
    return {
        "seconds": seconds,
        "median": float(quantiles[0.5].sum()),
        "points": float(points.sum()),
    }


def subdivision_drgcore(path: Path) -> dict[str, float]:
    """The whole of `subdivide`."""
    cases = pq.read_table(path)
    started = time.perf_counter()
    found = drgcore.subdivide(cases)
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "changed": float((found.decisions["action"] != "kept").sum())}


def subdivision_pandas(path: Path) -> dict[str, float]:
    """The comparisons of the first round, in plain pandas."""
    table = pq.read_table(path)
    grouped = drgcore.group(table, columns=["age_years", "total_cost"]).to_pandas()
    lists = table.select(
        ["principal_diagnosis", "principal_procedure", "other_diagnoses", "other_procedures"]
    ).to_pandas()
    started = time.perf_counter()
    used = (grouped["status"] == "grouped") & (grouped["total_cost"] > 0)
    frame = grouped[used].reset_index(drop=True)
    codes = lists[used].reset_index(drop=True)
    frame["log"] = np.log(frame["total_cost"])
    strata = frame.groupby(["drg", "severity"], observed=True)["log"]
    frame["residual"] = frame["log"] - strata.transform("mean")
    compared = 0
    for part in (
        codes["principal_diagnosis"],
        codes["other_diagnoses"].explode(),
        pd.concat([codes["principal_procedure"], codes["other_procedures"].explode()]),
    ):
        pairs = part.dropna().rename("code").reset_index().drop_duplicates()
        pairs = pairs.join(frame[["adrg", "residual"]], on="index")
        counted = pairs.groupby(["adrg", "code"], observed=True)["residual"].agg(["size", "var"])
        compared += int((counted["size"] >= 10).sum())
    truths = {"mcc": frame["severity"] == "MCC", "cc": frame["severity"] != "none"}
    truths |= {f"age {a}": frame["age_years"] >= a for a in (1, 7, 18, 60, 70, 80)}
    for truth in truths.values():
        by = frame.groupby(["drg", truth.rename("holds")], observed=True)
        compared += len(by["total_cost"].agg(["size", "mean", "var"]))
        by["log"].agg(["mean", "var"])
    return {"seconds": time.perf_counter() - started, "changed": float(compared)}


def noise(regions: int) -> tuple[int, int, int]:
    """Regions, ADRG looked at, and ADRG that were split though cost hangs on the ADRG alone."""
    looked_at = split = with_split = 0
    for seed in range(regions):
        cases = drgcore.sample_cases(NOISE_CASES, seed=seed)
        draw = np.random.default_rng(seed)
        adrg = drgcore.group(cases, columns=[])["adrg"].combine_chunks().indices
        place = adrg.fill_null(0).to_numpy()
        means = draw.lognormal(9, 0.6, int(place.max()) + 1)
        cost = pa.array(np.round(means[place] * draw.lognormal(-0.32, 0.8, len(place)), 2))
        at = cases.column_names.index("total_cost")
        found = drgcore.subdivide(cases.set_column(at, "total_cost", cost), bootstrap=0)
        looked_at += int((found.decisions["cases"] > 0).sum())
        falsely = int(found.decisions["action"].isin(["split", "recut"]).sum())
        split += falsely
        with_split += falsely > 0
    return looked_at, split, with_split


VERSIONS: dict[str, Callable[[Path], dict[str, float]]] = {
    "weights drgcore": weights_drgcore,
    "weights pandas": weights_pandas,
    "subdivision drgcore": subdivision_drgcore,
    "subdivision pandas": subdivision_pandas,
}


def measure(what: str, path: Path, runs: int) -> dict[str, float]:
    """Run one version in processes of its own; the better time counts."""
    results = []
    for _ in range(runs):
        command = [sys.executable, __file__, "--run", what, str(path)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        results.append(json.loads(done.stdout.splitlines()[-1]))
    best = min(results, key=lambda run: run["seconds"])
    print(f"{what:20} {best['seconds']:7.2f} s  {best['bytes'] / 1e9:5.2f} GB peak")
    return best


def main() -> None:
    """Write the cases, run all versions, print times, ratios and what noise does."""
    if sys.argv[1:2] == ["--run"]:
        result = VERSIONS[sys.argv[2]](Path(sys.argv[3]))
        result["bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps(result))
        return
    defaults = [10_000_000, 3_000_000, 20]
    given = [int(argument) for argument in sys.argv[1:]]
    count, to_subdivide, regions = [*given, *defaults[len(given) :]]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cases.parquet"
        write_history(path, count)
        print(f"statistics and weights of {count:,} cases")
        own = measure("weights drgcore", path, 2)
        plain = measure("weights pandas", path, 1)
        print(f"pandas / drgcore: {plain['seconds'] / own['seconds']:.1f}")
        print(f"sum of base points {own['points']:.2f} and {plain['points']:.2f}", end="; ")
        print(f"of medians {own['median']:.2f} and {plain['median']:.2f}")
        print(f"goal {GOAL_WEIGHTS} s: {'met' if own['seconds'] <= GOAL_WEIGHTS else 'MISSED'}")
        path.unlink()
        drgcore.write_sample(path, to_subdivide, seed=1)
        print(f"\nsubdivision of {to_subdivide:,} cases")
        own = measure("subdivision drgcore", path, 1)
        plain = measure("subdivision pandas", path, 1)
        print(f"pandas, which does less, / drgcore: {plain['seconds'] / own['seconds']:.1f}")
        met = own["seconds"] <= GOAL_SUBDIVISION
        print(f"goal {GOAL_SUBDIVISION} s: {'met' if met else 'MISSED'}")
    if regions:
        looked_at, split, with_split = noise(regions)
        print(f"\nnoise: {regions} regions of {NOISE_CASES:,} cases, {looked_at:,} ADRG")
        print(f"split falsely: {split} ADRG, in {with_split} regions; alpha allows 0.01 a region")


if __name__ == "__main__":
    main()

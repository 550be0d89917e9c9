"""A year of ten million cases: case points, twelve months, year end, against plain pandas.

    python benchmarks/settlement.py [cases] [hospitals]

Both versions read the same parquet file and pay by the shipped fictitious policy. Each runs in a
process of its own, twice; the better time counts, reading and compiling are not part of it. The
plain version is what an analyst would write: the same classes and point values in float64, but no
ledger, no split to the fen, no adjustments, no incentive pool or bands. Goal on two cores: 15
seconds and 3 GB for 10**7 cases of 500 hospitals in 2 pools.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

YEAR = 2027
SLICE = 1 << 20
GOAL_SECONDS, GOAL_BYTES = 15, 3_000_000_000


def groups() -> pd.DataFrame:
    """The fictitious policy's DRGs."""
    from drgcore.points.policy import Policy

    policy = Policy.load("example")
    file = policy.path_of(policy.base_points.file or "")
    return pd.read_csv(file, comment="#", dtype={"drg": str})


def write_cases(path: Path, count: int, hospitals: int) -> None:
    """Write random cases: lognormal costs around the mean of their DRG."""
    table = groups()
    names = pa.array(table["drg"])
    means = table["mean_cost"].to_numpy()
    hospital_names = pa.array([f"H{i:03d}" for i in range(1, hospitals + 1)])
    draw = np.random.default_rng(1)
    levels = draw.choice(3, hospitals, p=[0.5, 0.35, 0.15])
    writer = None
    for start in range(0, count, SLICE):
        size = min(SLICE, count - start)
        drg = draw.integers(0, len(table), size)
        hospital = np.minimum(draw.geometric(6 / hospitals, size) - 1, hospitals - 1)
        cost = np.round(means[drg] * draw.lognormal(-0.18, 0.6, size), 2)
        stay = 1 + draw.geometric(0.12, size)
        day = draw.integers(0, 365, size) + np.datetime64(f"{YEAR}-01-01").astype(int)
        status = draw.choice(3, size, p=[0.97, 0.02, 0.01])

        def texts(codes: np.ndarray, values: pa.Array, null: np.ndarray | None = None) -> pa.Array:
            return pa.DictionaryArray.from_arrays(pa.array(codes.astype("i4"), mask=null), values)

        batch = pa.table(
            {
                "case_id": pa.array([f"C{i}" for i in range(start, start + size)]),
                "hospital": texts(hospital, hospital_names),
                "hospital_level": texts(levels[hospital], pa.array(["1", "2", "3"])),
                "pool": texts(draw.integers(0, 2, size), pa.array(["employee", "resident"])),
                "admission_date": pa.array((day - stay).astype("i4")).cast(pa.date32()),
                "discharge_date": pa.array(day.astype("i4")).cast(pa.date32()),
                "length_of_stay": pa.array(stay.astype("i4")),
                "total_cost": pa.array(cost),
                "patient_paid": pa.array(np.round(cost * draw.uniform(0.1, 0.5, size), 2)),
                "refused_amount": pa.array(np.where(draw.random(size) < 0.01, 50.0, 0.0)),
                "mdc": texts(drg, pa.array(table["drg"].str[0].map("MDC{}".format)), status > 0),
                "adrg": texts(drg, pa.array(table["drg"].str[:3]), status > 0),
                "drg": texts(drg, names, status > 0),
                "status": texts(status, pa.array(["grouped", "ambiguous", "ungrouped"])),
            }
        )
        writer = writer or pq.ParquetWriter(path, batch.schema, compression="lz4")
        writer.write_table(batch)
    if writer:
        writer.close()


def policy_for(count: int) -> object:
    """The fictitious policy, with budgets that fit the number of cases."""
    from drgcore.points.policy import Policy, find_policy, merge, read_toml

    file = find_policy("example")
    budget = f"{count // 2 * 8000}.00"
    change = {"budget": {"pools": {p: {"budget": budget} for p in ("employee", "resident")}}}
    return Policy.from_data(merge(read_toml(file), change), folder=file.parent)


def run_drgcore(path: Path, count: int) -> dict[str, float]:
    """Case points slice by slice, twelve months, year end."""
    from drgcore.budget import Month, add_tallies, settle_month, settle_year, tally, terms_of
    from drgcore.points.compute import compute_points

    cases = pq.read_table(path)
    policy = policy_for(count)
    started = time.perf_counter()
    terms = terms_of(policy, YEAR)
    parts = []
    points_seconds = 0.0
    for start in range(0, len(cases), SLICE):
        before = time.perf_counter()
        earned = compute_points(cases.slice(start, SLICE), policy)
        points_seconds += time.perf_counter() - before
        parts.append(tally(earned, terms))
    sums = add_tallies(parts)
    before = time.perf_counter()
    months = []
    for month in Month.of_year(YEAR):
        months.append(settle_month(sums, terms, month, months[-1] if months else None))
    after = time.perf_counter()
    kappas = dict.fromkeys(cases["hospital"].chunk(0).dictionary.to_pylist(), "1")
    year = settle_year(sums, months, terms, kappas)
    ended = time.perf_counter()
    left = year.reconciliation.query("item == 'unaccounted'")["amount_fen"].abs().sum()
    return {
        "seconds": ended - started,
        "points": points_seconds,
        "tally": before - started - points_seconds,
        "months": after - before,
        "year": ended - after,
        "unaccounted fen": float(left),
        "value": float(year.value("employee").yuan),
    }


def run_pandas(path: Path, count: int) -> dict[str, float]:
    """The same payment, as plain pandas."""
    cases = pq.read_table(path).to_pandas()
    table = groups().set_index("drg")
    started = time.perf_counter()
    frame = cases.merge(table, left_on="drg", right_index=True, how="left")
    drg = frame["drg"].astype(str)
    level = frame["hospital_level"].astype(str).map({"3": 1.08, "2": 0.98, "1": 0.85})
    history = frame["hospital"].astype(str).map({}).fillna(1.0)
    k = (0.8 * level + 0.2 * history).clip(0.75, 1.2)
    k = k.where(~drg.str[:3].isin(["GD2", "CB6", "EW1"]), 1.0).round(4)
    base, mean, cost = frame["base_points"], frame["mean_cost"], frame["total_cost"]
    hi = np.select([base <= 100, base <= 200], [3.0, 2.5], 2.0)
    by_cost = cost / 10_000 * 100
    stable = (frame["cases"] >= 5) & (frame["cv"] <= 1)
    grouped = frame["status"].astype(str) == "grouped"
    stay = frame["length_of_stay"]
    psychiatric = (drg.str[0] == "T") | drg.str[:3].isin(["XR1", "XR2", "XR3"])
    bed = grouped & psychiatric & (stay > 30)
    fixed = grouped & (drg.str[:3] == "CB6") & (stay <= 1)
    points = np.select(
        [
            stay > 180,
            cost - frame["patient_paid"] <= 0,
            fixed,
            bed,
            ~grouped,
            ~stable,
            cost > hi * mean,
            cost < 0.4 * mean,
        ],
        [
            0.0,
            0.0,
            55.0,
            np.where(stay <= 60, 4.5, 3.8) * stay,
            by_cost * 0.8,
            by_cost,
            base * k + base * (cost / mean - hi),
            np.minimum(base * cost / mean, base * k),
        ],
        base * k,
    )
    frame["points"] = np.round(points, 4)
    frame["month"] = pd.to_datetime(frame["discharge_date"]).dt.month
    keys = ["pool", "hospital", "month"]
    amounts = ["points", "patient_paid", "refused_amount"]
    sums = frame.groupby(keys, observed=True)[amounts].sum().reset_index()
    policy = policy_for(count)
    budgets = {pool: float(p.budget) * 0.95 for pool, p in policy.budget.pools.items()}
    shares = {pool: list(map(float, p.months)) for pool, p in policy.budget.pools.items()}
    prepaid = []
    for (pool, month), part in sums.groupby(["pool", "month"], observed=True):
        budget = budgets[pool] * shares[pool][month - 1] + part["patient_paid"].sum()
        worth = part["points"] * budget / part["points"].sum()
        prepaid.append(0.95 * (worth - part["patient_paid"] - part["refused_amount"]))
    values = {}
    for pool, part in sums.groupby("pool", observed=True):
        values[pool] = (budgets[pool] + part["patient_paid"].sum()) / part["points"].sum()
    return {"seconds": time.perf_counter() - started, "value": values["employee"]}


def measure(what: str, path: Path, count: int) -> dict[str, float]:
    """Run one version in its own process."""
    command = [sys.executable, __file__, "--run", what, str(path), str(count)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Write the cases, run both versions, print times, ratio and memory."""
    if sys.argv[1:2] == ["--run"]:
        what, path, count = sys.argv[2:]
        versions = {"drgcore": run_drgcore, "pandas": run_pandas}
        result = versions[what](Path(path), int(count))
        result["bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps(result))
        return
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    hospitals = int(sys.argv[2]) if len(sys.argv) > 2 else 500
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cases.parquet"
        write_cases(path, count, hospitals)
        print(f"{count:,} cases, {hospitals} hospitals, 2 pools, 12 months")
        best: dict[str, dict[str, float]] = {}
        for what in ("drgcore", "pandas"):
            runs = [measure(what, path, count) for _ in range(2)]
            best[what] = min(runs, key=lambda run: run["seconds"])
            memory = max(run["bytes"] for run in runs)
            best[what]["bytes"] = memory
            print(f"{what:8} {best[what]['seconds']:7.2f} s  {memory / 1e9:5.2f} GB peak")
    own = best["drgcore"]
    steps = ", ".join(f"{step} {own[step]:.2f} s" for step in ("points", "tally", "months", "year"))
    print(f"drgcore: {steps}; unaccounted {own['unaccounted fen']:.0f} fen")
    print(f"pandas / drgcore: time {best['pandas']['seconds'] / own['seconds']:.1f}, ", end="")
    print(f"memory {best['pandas']['bytes'] / own['bytes']:.1f}")
    print(f"value of a point: {own['value']:.6f} and {best['pandas']['value']:.6f} yuan")
    met = own["seconds"] <= GOAL_SECONDS and own["bytes"] <= GOAL_BYTES
    print(f"goal {GOAL_SECONDS} s and {GOAL_BYTES / 1e9:.0f} GB: {'met' if met else 'MISSED'}")


if __name__ == "__main__":
    main()

"""Signals of an audit on planted conduct and on noise: precision, recall, false signals, time.

    python benchmarks/audit.py [CASES [REGIONS [NOISE]]]

Each kind is planted into six of 80 hospitals (copied lists: six doctors) of REGIONS synthetic
regions of CASES cases, as `drgcore.synthetic.planted` describes. Units are those with a signal of
this kind; rows are the cases listed for them. Then NOISE regions without anything planted: in how
many a kind of signal shows at all. The docs say: at most 5 % of them.
"""

from __future__ import annotations

import resource
import sys
import time

import numpy as np
import pyarrow as pa

import drgcore
from drgcore.audit import SIGNALS, Limits
from drgcore.synthetic.planted import PLANTED, plant

HOSPITALS, UNITS, GOAL = 80, 6, 20.0


def region(cases: int, seed: int) -> pa.Table:
    """Grouped cases of a region."""
    return drgcore.group(drgcore.sample_cases(cases, seed=seed, hospitals=HOSPITALS))


def counts(grouped: pa.Table, kind: str, seed: int) -> np.ndarray:
    """Planted, found and rightly found units; the same of rows."""
    made = plant(grouped, kind, units=UNITS, seed=seed)
    found = drgcore.audit_cases(made.cases, [kind], past=made.past)
    unit = "doctor_id" if kind == "copied_lists" else "hospital"
    units = found.units[found.units["is_signal"]][unit]
    rows = found.cases["row"].to_numpy(np.int64) - 1 if len(found.cases) else np.empty(0, int)
    if "code" in found.cases:
        # What a reviewer opens first: cases that hang on a code that the hospital has too often.
        rows = rows[(found.cases["code_chance"] <= 0.05).to_numpy()]
    right = len(made.units & set(units))
    rows_right = len(np.intersect1d(rows, made.rows))
    return np.array([len(made.units), len(units), right, len(made.rows), len(rows), rows_right])


def share(part: float, whole: float) -> str:
    """A share in percent; a dash where there is nothing."""
    return f"{part / whole:>6.0%}" if whole else f"{'–':>6}"


def noise_of(cases: int, seed: int) -> dict[str, int]:
    """Signals of each kind in a region where nothing is planted."""
    grouped = region(cases, seed)
    found = drgcore.audit_cases(grouped).summary.set_index("signal")["signals"]
    result = {kind: int(found[kind]) for kind in SIGNALS if found.notna()[kind]}
    for kind in ("rise", "shifted", "long_stay_edge"):
        # These need an earlier period, costs before admission, and long stays, which a sample does
        # not have.
        made = plant(grouped, kind, units=0, seed=seed)
        summary = drgcore.audit_cases(made.cases, [kind], past=made.past).summary
        result[kind] = int(summary["signals"].fillna(0).iloc[0])
    return result


def main(cases: int, regions: int, noise: int) -> None:
    """Print all of it."""
    print(
        f"planted into {UNITS} units of {regions} regions of {cases:,} cases, seeds 1 to {regions}"
    )
    print(f"{'':<16}{'units':>14}{'':>10}{'rows':>12}")
    print(f"{'':<16}{'precision':>10}{'recall':>8}{'precision':>12}{'recall':>8}")
    totals = {kind: np.zeros(6) for kind in PLANTED}
    last = None
    for seed in range(1, regions + 1):
        last = region(cases, seed)
        for kind in PLANTED:
            totals[kind] += counts(last, kind, seed)
    for kind, n in totals.items():
        print(
            f"{kind:<16}{share(n[2], n[1]):>10}{share(n[2], n[0]):>8}"
            f"{share(n[5], n[4]) if n[3] else '–':>12}{share(n[5], n[3]):>8}"
        )
    if last is not None:
        drgcore.audit_cases(last.slice(0, 2000))
        start = time.perf_counter()
        drgcore.audit_cases(plant(last, "shifted", units=0).cases)
        taken = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(
            f"all signals of {cases:,} cases: {taken:.1f} s (goal {GOAL:.0f} s), peak {peak:.1f} GB"
        )
    shown: dict[str, int] = {}
    for seed in range(1000, 1000 + noise):
        for kind, number in noise_of(cases // 4, seed).items():
            shown[kind] = shown.get(kind, 0) + (number > 0)
    print(f"noise, {noise} regions of {cases // 4:,} cases: regions with a signal (stated: 5 %)")
    for kind, number in shown.items():
        print(f"{kind:<16}{number:>4}  {share(number, noise)}")
    every = sum(shown.values())
    print(f"{'all kinds':<16}{every:>4}  {share(every, noise * len(shown))}")


if __name__ == "__main__":
    given = [int(text) for text in sys.argv[1:]]
    assert Limits().fdr == 0.05
    main(*(given + [200_000, 2, 40][len(given) :]))

"""What each signal marks, and what is expected, against the plain way case by case."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import drgcore
from drgcore.audit import Limits
from drgcore.audit.edges import EDGES, compare_edges
from drgcore.audit.excess import change, tail
from drgcore.audit.frame import AuditFrame
from drgcore.audit.patterns import copied_lists
from drgcore.audit.rates import RATES
from tests.grouper.helpers import dictionary, twin
from tests.reference import plain_audit

DRGS = st.sampled_from(["BR11", "BR15", "ES21"])
MONEY = st.integers(0, 40).map(lambda n: n * 250.0)


def marks(name: str, frame: pd.DataFrame, **limits: Any) -> list[bool | None]:
    """What a signal counts; None where a case is not compared."""
    marked = RATES[name].mark(AuditFrame(frame), Limits(**limits))
    return [bool(e) if s >= 0 else None for e, s in zip(marked.event, marked.stratum, strict=True)]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(-1, 2), st.integers(-1, 2), st.booleans()),
        max_size=60,
    )
)
def test_change_is_that_of_fractions(rows: list[tuple[bool, int, int, bool]]) -> None:
    events, strata, units, later = ([r[i] for r in rows] for i in range(4))
    found = change(np.array(events, bool), np.array(strata, int), np.array(units, int), later, 3)
    for unit in range(3):
        cases, seen, by_past, cells = plain_audit.change(events, strata, units, later, unit)
        assert (found.cases[unit], found.observed[unit]) == (cases, seen)
        assert found.expected[unit] == pytest.approx(float(by_past))
        _, bound, _ = plain_audit.chances(cells, seen)
        assert found.chance[unit] == pytest.approx(bound, abs=1e-9)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.tuples(DRGS, MONEY, st.none() | MONEY, st.none() | MONEY.map(lambda m: m - 250)),
        min_size=1,
        max_size=40,
    ),
    st.sampled_from([0.5, 0.8, 0.95]),
)
def test_shifted_costs_are_those_of_the_plain_way(
    cases: list[tuple[str, float, float | None, float | None]], level: float
) -> None:
    frame = pd.DataFrame(cases, columns=["drg", "total_cost", "pre_admission_cost", "out"])
    frame = frame.rename(columns={"out": "outpatient_cost"}).astype({"total_cost": float})
    frame[["pre_admission_cost", "outpatient_cost"]] = frame[
        ["pre_admission_cost", "outpatient_cost"]
    ].astype(float)
    found = marks("shifted", frame, outside_share=level)
    assert found == plain_audit.shifted(cases, level)
    alone = [(drg, cost, before, None) for drg, cost, before, _ in cases]
    found = marks("shifted", frame.drop(columns="outpatient_cost"), outside_share=level)
    assert found == plain_audit.shifted(alone, level)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.tuples(
            DRGS,
            st.sampled_from(["2", "3"]),
            st.sampled_from(["H1", "H2", "H3"]),
            # Odd numbers, so that no share lies on a limit but for rounding.
            st.integers(0, 10_000).map(lambda n: n * 0.97),
        ),
        min_size=1,
        max_size=40,
    )
)
def test_few_services_are_those_of_the_plain_way(cases: list[tuple[str, str, str, float]]) -> None:
    frame = pd.DataFrame(cases, columns=["drg", "hospital_level", "hospital", "total_cost"])
    assert marks("few_services", frame) == plain_audit.few_services(cases, 0.4, 0.6)
    found = RATES["few_services"].mark(AuditFrame(frame), Limits()).dispersion
    assert found == pytest.approx(plain_audit.few_services_dispersion(cases, 0.4, 0.6), rel=1e-9)


def _noise(rng: np.random.Generator, hospitals: int, mean_cases: int) -> pd.DataFrame:
    """A region whose hospitals differ in size and in level of cost, not in conduct."""
    size = rng.lognormal(0, 0.8, hospitals)
    hospital = rng.choice(hospitals, hospitals * mean_cases, p=size / size.sum())
    level = rng.lognormal(0, 0.1, hospitals)
    drg = rng.integers(0, 4, len(hospital))
    cost = rng.lognormal(9.0, 0.4, len(hospital)) * level[hospital] * (1 + drg)
    return pd.DataFrame(
        {
            "drg": np.array(["BR11", "BR15", "ES21", "ES25"])[drg],
            "hospital": [f"H{h}" for h in hospital],
            "hospital_level": "3",
            "total_cost": cost,
        }
    )


def test_events_below_an_estimated_limit_vary_as_much_as_is_said() -> None:
    rng = np.random.default_rng(8)
    frame = _noise(rng, 1500, 200)
    # Alike in size, so that one variance holds for all.
    frame["hospital"] = [f"H{h}" for h in np.arange(len(frame)) % 1500]
    frame["total_cost"] = rng.lognormal(9.0, 0.4, len(frame))
    marked = RATES["few_services"].mark(AuditFrame(frame), Limits())
    events = np.bincount(np.arange(len(frame)) % 1500, marked.event)
    p = marked.event.mean()
    seen = events.var(ddof=1) / (200 * p * (1 - p))
    assert seen == pytest.approx(marked.dispersion, rel=0.15)
    assert seen > 1.3


def test_few_services_of_noise_are_signals_in_at_most_the_stated_share_of_regions() -> None:
    rng = np.random.default_rng(9)
    shown = [
        drgcore.audit_cases(_noise(rng, 60, 100), ["few_services"], scheme=None).summary["signals"]
        for _ in range(40)
    ]
    # With a true share of 5 % more than 7 of 40 would be seen once in a thousand.
    assert sum(int(s[0]) > 0 for s in shown) <= 7


def _edges(rng: np.random.Generator, signal: str) -> tuple[pd.DataFrame, Limits, list[Any]]:
    n = 3000
    limits = Limits(high_outliers=(2.0, 3.0), long_stay=30)
    frame = pd.DataFrame(
        {
            "drg": rng.choice(["BR11", "ES21"], n),
            "total_cost": np.round(rng.lognormal(9, 0.6, n), 2),
            "length_of_stay": rng.integers(1, 55, n),
        }
    )
    if signal == "long_stay_edge":
        # The last day paid is on the paid side: the limit lies behind it.
        away = [30.5 - stay for stay in frame["length_of_stay"]]
        return frame, limits, [(0, abs(d) < 5, 5 <= abs(d) < 20, d >= 0) for d in away]
    mean = frame.groupby("drg")["total_cost"].transform("mean")
    shares = (frame["total_cost"] / mean).tolist()
    return (
        frame,
        limits,
        plain_audit.beside_limits(shares, [2.0, 3.0], math.log(1.05), math.log(1.2)),
    )


@pytest.mark.parametrize("signal", ["outlier_edge", "long_stay_edge"])
@pytest.mark.parametrize("seed", [1, 2])
def test_edges_are_those_of_the_plain_way(signal: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    frame, limits, seen = _edges(rng, signal)
    marked = EDGES[signal][1](AuditFrame(frame), limits)
    assert marked.event.tolist() == [close and beyond for _, close, _, beyond in seen]
    assert marked.stratum.tolist() == [at if close else -1 for at, close, _, _ in seen]
    unit = rng.integers(-1, 4, len(frame))
    found = compare_edges(marked, unit, 4)
    windows = (5.0, 20.0) if signal == "long_stay_edge" else (math.log(1.05), math.log(1.2))
    assert found.cases.sum() > 20
    for u in range(4):
        cases, beyond, expected, variance = plain_audit.edge(seen, unit.tolist(), u, *windows)
        assert (found.cases[u], found.observed[u]) == (cases, beyond)
        assert found.expected[u] == pytest.approx(expected)
        assert found.chance[u] == pytest.approx(float(tail(beyond, expected, variance)))


@pytest.mark.parametrize("seed", range(6))
def test_copied_lists_are_those_of_the_plain_way(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 300
    codes = np.array(["E11.900", "I10.x00", "J98.400", "N18.900", "I50.900"])
    # Few sets, so that units have some of them five times and more.
    sets = [frozenset(rng.choice(codes, rng.integers(2, 5), replace=False)) for _ in range(5)]
    which = rng.integers(0, 5, n)
    unit = rng.integers(-1, 5, n)
    drg = rng.choice(["BR11", "ES21", "ES25"], n)
    frame = AuditFrame(
        pd.DataFrame(
            {
                "drg": drg,
                # The order of a list, and a code that stands twice, say nothing.
                "other_diagnoses": [
                    [*rng.permutation(sorted(sets[w])), next(iter(sets[w]))] for w in which
                ],
            }
        )
    )
    marked, found = copied_lists(frame, Limits(), unit, 5)
    cases = [(u, d[:3], sets[w]) for u, d, w in zip(unit.tolist(), drg, which, strict=True)]
    for u in range(5):
        number, lists, distinct = plain_audit.copied([c for c in cases if c[0] >= 0], u)
        assert found.cases[u] == number
        if not lists:
            assert found.observed[u] == 0
            continue
        chances = {s: float(tail(x, float(e), float(e))) for s, (x, e) in lists.items()}
        least = min(chances.values())
        rows = np.flatnonzero(marked.event & (unit == u))
        chosen = {cases[row][2] for row in rows.tolist()}
        assert len(chosen) == 1
        (own,) = chosen
        times, expected = lists[own]
        assert chances[own] == pytest.approx(least)
        assert found.observed[u] == times == len(rows)
        assert found.expected[u] == pytest.approx(float(expected))
        assert found.chance[u] == pytest.approx(min(least * distinct, 1.0))


def test_mismatch_is_that_of_the_rules_read_plainly() -> None:
    rng = np.random.default_rng(3)
    scheme = drgcore.load_scheme("chs-drg-3.0")
    cases = pd.DataFrame(
        {
            "drg": rng.choice(scheme.tables["drg"].column("code").to_pylist(), 150),
            "status": "grouped",
            "principal_diagnosis": rng.choice(dictionary("diagnoses"), 150),
            "principal_procedure": rng.choice(dictionary("procedures"), 150),
            "total_cost": 9000.0,
        }
    )
    cases.loc[cases.index % 10 == 0, "status"] = "ambiguous"
    frame = AuditFrame(cases, scheme)
    marked = RATES["mismatch"].mark(frame, Limits())
    grouper = twin("chs-drg-3.0")
    wanted = []
    for row in cases.to_dict("records"):
        asking = plain_audit.asking_mdcs(grouper, row["principal_procedure"])
        fitting = plain_audit.fitting_mdcs(grouper, row["principal_diagnosis"])
        own = {m["code"] for m in grouper.mdcs if m["code"].endswith(str(row["drg"])[:1])}
        foreign = bool(asking) and not asking & (fitting | own)
        wanted.append(row["status"] == "ambiguous" or foreign)
    assert marked.event.tolist() == wanted
    # Both kinds are there, and without a scheme only ambiguous cases are known.
    assert 25 < sum(wanted) < 125
    alone = RATES["mismatch"].mark(AuditFrame(cases), Limits())
    assert alone.event.tolist() == [s == "ambiguous" for s in cases["status"]]

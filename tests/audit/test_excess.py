"""Excess over peers against plain fractions and scipy; what is found on noise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from drgcore.audit import excess, false_discovery
from drgcore.audit.excess import tail
from drgcore.indicators import poisson_interval
from tests.reference import plain_audit

ROWS = st.lists(
    st.tuples(st.booleans(), st.integers(-1, 4), st.integers(-1, 3)), min_size=0, max_size=80
)


@settings(max_examples=150, deadline=None)
@given(ROWS)
def test_excess_is_that_of_fractions(rows: list[tuple[bool, int, int]]) -> None:
    events, strata, units = ([r[i] for r in rows] for i in range(3))
    found = excess(np.array(events, bool), np.array(strata, int), np.array(units, int), 4)
    for unit in range(4):
        cases, seen, peers, cells = plain_audit.expected(events, strata, units, unit)
        assert found.cases[unit] == cases
        assert found.observed[unit] == seen
        assert found.expected[unit] == pytest.approx(float(peers))
        # Four units are too few to say how much honest ones differ.
        assert found.spread == 0
        exact, bound, mean = plain_audit.chances(cells, seen)
        assert found.chance[unit] == pytest.approx(bound, abs=1e-9)
        if seen >= mean + 1:
            assert exact <= found.chance[unit] + 1e-12


def test_one_stratum_is_hypergeometric_but_for_caution() -> None:
    unit = np.repeat([0, 1], [60, 540])
    for hits in range(2, 25, 3):
        event = np.zeros(600, bool)
        event[:hits] = True
        event[60 : 60 + 54] = True
        found = excess(event, np.zeros(600), unit, 2)
        exact = stats.hypergeom.sf(hits - 1, 600, hits + 54, 60)
        if hits >= (hits + 54) / 10 + 1:
            # Never too small, and not far from it.
            assert exact <= found.chance[0] <= exact**0.8


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 60), st.floats(0.05, 60), st.floats(0.05, 3))
def test_tail_is_that_of_scipy(observed: int, mean: float, spread: float) -> None:
    got = float(tail(observed, mean, mean * spread))
    if abs(spread - 1) < 1e-6:
        wanted = stats.poisson.sf(observed - 1, mean)
    elif spread > 1:
        size = mean / (spread - 1)
        wanted = stats.nbinom.sf(observed - 1, size, 1 / spread)
    else:
        p = 1 - spread
        trials = mean / p
        left = trials - observed + 1
        inside = observed > 0 and left > 0
        wanted = stats.beta.cdf(p, observed, left) if inside else float(observed == 0)
    assert got == pytest.approx(wanted, rel=1e-6, abs=1e-12)
    both = got + float(tail(observed - 1, mean, mean * spread, side="fewer"))
    assert both == pytest.approx(1.0) or observed == 0


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 100_000))
def test_poisson_interval_is_that_of_chi_square(events: int) -> None:
    low, high = poisson_interval([events])
    assert low[0] == pytest.approx(stats.chi2.ppf(0.025, 2 * events) / 2 if events else 0.0)
    assert high[0] == pytest.approx(stats.chi2.ppf(0.975, 2 * events + 2) / 2)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=25))
def test_false_discovery_is_that_of_the_definition(chances: list[float]) -> None:
    got = false_discovery(chances)
    assert got.tolist() == pytest.approx(plain_audit.benjamini_hochberg(chances))
    with_gap = false_discovery([np.nan, *chances])
    assert np.isnan(with_gap[0])
    assert with_gap[1:].tolist() == pytest.approx(got.tolist())


def _region(
    rng: np.random.Generator, odds: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    unit = rng.integers(0, len(odds), 20_000)
    stratum = rng.integers(0, 40, 20_000)
    base = rng.normal(-1.5, 1.0, 40)
    return rng.random(20_000) < 1 / (1 + np.exp(-(base[stratum] + odds[unit]))), stratum, unit


@pytest.mark.parametrize("spread", [0.0, 0.2])
def test_noise_gives_few_false_signals(spread: float) -> None:
    rng = np.random.default_rng(5)
    any_signal = []
    for _ in range(150):
        event, stratum, unit = _region(rng, rng.normal(0, spread, 40))
        found = excess(event, stratum, unit, 40)
        any_signal.append((false_discovery(found.chance) <= 0.05).any())
    # With a true share of 5 % more than 17 of 150 would be seen once in a thousand.
    assert sum(any_signal) <= 17


def test_cases_that_are_not_independent_need_their_dispersion() -> None:
    rng = np.random.default_rng(11)
    shown = {1.0: 0, 2.0: 0}
    for _ in range(60):
        # Units small and large, whose every case is there twice.
        unit = np.repeat(rng.choice(40, 8000, p=np.repeat([0.04, 0.01], [14, 26]) / 0.82), 2)
        event = np.repeat(rng.random(8000) < 0.1, 2)
        for dispersion in shown:
            found = excess(event, np.zeros(16_000), unit, 40, dispersion=dispersion)
            shown[dispersion] += bool((false_discovery(found.chance) <= 0.05).any())
    assert shown[2.0] <= 9
    assert shown[1.0] > shown[2.0]


def test_odd_units_are_found_and_do_not_hide_or_accuse_others() -> None:
    rng = np.random.default_rng(6)
    odds = rng.normal(0, 0.1, 40)
    odds[:6] += 1.0
    event, stratum, unit = _region(rng, odds)
    more = false_discovery(excess(event, stratum, unit, 40).chance) <= 0.05
    fewer = false_discovery(excess(event, stratum, unit, 40, side="fewer").chance) <= 0.05
    assert more[:6].all()
    assert not more[6:].any()
    assert not fewer.any()


def test_order_of_rows_changes_nothing() -> None:
    rng = np.random.default_rng(7)
    event, stratum, unit = _region(rng, np.zeros(40))
    order = rng.permutation(len(event))
    one, two = (
        excess(event, stratum, unit, 40),
        excess(event[order], stratum[order], unit[order], 40),
    )
    assert np.array_equal(one.chance, two.chance)
    assert np.array_equal(one.expected, two.expected)

"""Indicators equal their plain definitions, by any keys, in any order and any number of batches."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from scipy import stats

from drgcore.errors import CaseSchemaError
from drgcore.indicators import (
    INDICATORS,
    compute_indicators,
    death_risk,
    mean_interval,
    proportion_interval,
    readmissions,
    tally_cases,
)
from drgcore.indicators import cells as cells_module
from drgcore.indicators import tally as tally_module
from drgcore.indicators.columns import KEYS
from tests.indicators.random_cases import case_rows
from tests.reference import plain_indicators as plain

random_cases = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    # Shrinking a table of cases takes minutes and says little more.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
SOME = ["H1", "H2"]


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return frame.astype(object).where(frame.notna(), None).to_dict("records")


@random_cases
@given(
    frame=case_rows(),
    by=st.lists(st.sampled_from(KEYS), max_size=4, unique=True),
    seed=st.integers(0, 99),
)
def test_every_indicator_is_its_definition(frame: pd.DataFrame, by: list[str], seed: int) -> None:
    found = compute_indicators(frame, by)
    expected = plain.indicators(records(frame), by)
    units = [tuple(row[name] for name in by) for row in found.table.to_dict("records")]
    assert set(units) == set(expected)
    assert len(units) == len(expected)
    for unit, row in zip(units, found.table.to_dict("records"), strict=True):
        for name in INDICATORS:
            value = expected[unit][name]
            if value is None:
                assert np.isnan(row[name]), (unit, name)
            else:
                assert row[name] == pytest.approx(float(value), rel=1e-9), (unit, name)
    # What has no value says why, and nothing that is shown is infinite.
    long = found.long()
    assert ((long["reason"] != "") == long["value"].isna()).all()
    assert not np.isinf(long[["value", "lower", "upper"]]).any(axis=None)
    inside = long.dropna(subset=["value", "lower", "upper"])
    assert (inside["lower"] <= inside["value"] + 1e-9).all()
    assert (inside["value"] <= inside["upper"] + 1e-9).all()
    # The order of the cases changes nothing, to the last bit.
    again = compute_indicators(frame.sample(frac=1, random_state=seed), by)
    pd.testing.assert_frame_equal(again.table, found.table, check_exact=True)


@random_cases
@given(frame=case_rows(30))
def test_the_same_from_a_file_in_pieces(frame: pd.DataFrame, tmp_path_factory: Any) -> None:
    path = tmp_path_factory.mktemp("cases") / "cases.parquet"
    frame.to_parquet(path, row_group_size=7)
    whole = compute_indicators(frame, ["hospital", "month"])
    pd.testing.assert_frame_equal(
        compute_indicators(path, ["hospital", "month"]).table, whole.table
    )
    pd.testing.assert_frame_equal(
        compute_indicators(pa.table(pq.read_table(path)), ["hospital", "month"]).table, whole.table
    )


@pytest.mark.parametrize("direct", [0, 200_000, 1 << 23])
def test_cells_have_slots_of_their_own_or_are_hashed(
    direct: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More cells than there is room for at first, of names that come late: in the first pieces of
    the file there are few, so that with the middle limit the tables begin direct and end hashed."""
    for module in (cells_module, tally_module):
        monkeypatch.setattr(module, "DIRECT", direct)
    draw = np.random.default_rng(5)
    rows = 400_000
    ever_more = (draw.random(rows) * np.linspace(5, 700, rows)).astype(int)
    frame = pd.DataFrame(
        {
            "doctor_id": [f"D{d}" for d in ever_more],
            "drg": [f"A{g:03d}" for g in draw.integers(0, 60, rows)],
            "total_cost": draw.integers(-100, 100_000, rows) / 100,
            "leaving_way": draw.choice([1.0, 5.0, np.nan], rows),
        }
    )
    frame.to_parquet(tmp_path / "cases.parquet", row_group_size=50_000)
    found = tally_cases(tmp_path / "cases.parquet", "doctor_id")
    cells = frame.assign(
        fen=(frame["total_cost"].clip(lower=0) * 100).round(),
        died=(frame["leaving_way"] == 5).astype(float),
        priced=(frame["total_cost"] > 0).astype(float),
    ).groupby(["doctor_id", "drg"])
    expected = cells[["fen", "priced", "died"]].sum()
    expected["known"] = cells["leaving_way"].count()
    names = [found.names[key] for key in ("doctor_id", "drg")]
    assert list(expected.index) == [(names[0][d], names[1][g]) for d, g in found.codes[:, :2]]
    sums = [found.measure(name) for name in ("cost", "cost_n", "died", "died_n")]
    np.testing.assert_array_equal(np.column_stack(sums), expected.to_numpy())


@random_cases
@given(frame=case_rows())
def test_the_region_and_the_peers_are_units_of_their_own(frame: pd.DataFrame) -> None:
    long = compute_indicators(frame, ["hospital", "department"]).long("cmi", "mcc_rate", "cases")
    region = compute_indicators(frame, "department").table.set_index("department")
    for row in long.to_dict("records"):
        expected = region.loc[row["department"], row["indicator"]] if row["department"] else None
        if expected is not None:
            assert row["region"] == pytest.approx(expected, nan_ok=True)
    peers = compute_indicators(frame, ["hospital_level", "department"]).table
    level = frame.astype(object).where(frame.notna() & (frame != ""), None)
    levels = level.groupby(["hospital", "department"], dropna=False)["hospital_level"]
    for (hospital, department), own in levels:
        row = long[(long["indicator"] == "cases")]
        row = row[[h == hospital or (h is None and hospital != hospital) for h in row["hospital"]]]
        row = row[
            [d == department or (d is None and department != department) for d in row["department"]]
        ]
        found = own.unique().tolist()
        if len(found) > 1 or found == [None]:
            assert row["level_peers"].isna().all()
        elif department == department and department is not None:
            at = (peers["hospital_level"] == found[0]) & (peers["department"] == department)
            assert row["level_peers"].tolist() == peers.loc[at, "cases"].tolist()


def test_last_year_is_the_same_unit_and_the_month_a_year_before() -> None:
    now = pd.DataFrame(
        {
            "drg": ["A", "A", "B"],
            "hospital": ["H1", "H2", "H2"],
            "total_cost": [2.0, 4.0, 6.0],
            "discharge_date": pd.to_datetime(["2027-01-31", "2027-01-01", "2027-02-01"]),
        }
    )
    before = now.assign(
        discharge_date=pd.to_datetime(["2026-01-05"] * 3), total_cost=[1.0, 1.0, 3.0]
    )
    long = compute_indicators(now, ["hospital", "month"], last_year=before).long("mean_cost")
    assert long["month"].tolist() == ["2027-01", "2027-01", "2027-02"]
    assert long["last_year"].fillna(-1).tolist() == [1.0, 2.0, -1.0]


def test_outliers_by_multiples_of_the_mean() -> None:
    frame = pd.DataFrame({"drg": ["A"] * 4, "total_cost": [1.0, 10.0, 10.0, 39.0]})
    found = compute_indicators(frame, [], outliers=(0.4, 2.0)).table
    assert found[["high_outlier_share", "low_outlier_share"]].values.tolist() == [[0.25, 0.25]]


def test_given_norms_are_taken_whole() -> None:
    frame = pd.DataFrame({"drg": ["A", "B"], "total_cost": [1.0, 10.0]})
    norms = pd.DataFrame({"drg": ["A"], "relative_weight": [2.0], "mean_cost": [0.5]})
    row = compute_indicators(frame, [], norms=norms).table.iloc[0]
    assert (row["cmi"], row["total_weight"], row["cost_index"]) == (2.0, 2.0, 2.0)


@pytest.mark.parametrize(
    ("by", "words"),
    [("nothing", "cannot be broken down by nothing"), (["drg", "drg"], "twice")],
)
def test_a_wrong_key_is_named(by: Any, words: str) -> None:
    with pytest.raises(CaseSchemaError, match=words):
        compute_indicators(pd.DataFrame({"drg": ["A"]}), by)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(CaseSchemaError, match="no column hospital"):
        compute_indicators(pd.DataFrame({"drg": ["A"]}), "hospital")
    with pytest.raises(CaseSchemaError, match="no column total_cost"):
        tally_cases(pd.DataFrame({"drg": ["A"]}), outliers=(0.4, 3))


def test_no_cases_at_all() -> None:
    frame = pd.DataFrame({"drg": pd.Series([], dtype=str), "hospital": pd.Series([], dtype=str)})
    assert len(compute_indicators(frame, "hospital").table) == 0
    assert len(compute_indicators(frame, "hospital").long()) == 0


@given(st.integers(1, 5000), st.floats(0, 1), st.sampled_from([0.8, 0.95, 0.99]))
def test_shares_have_the_interval_of_clopper_and_pearson(n: int, p: float, level: float) -> None:
    x = round(n * p)
    low, high = proportion_interval([x], [n], level)
    exact = stats.binomtest(x, n).proportion_ci(level, "exact")
    assert (low[0], high[0]) == pytest.approx((exact.low, exact.high), rel=1e-7, abs=1e-12)


@given(st.lists(st.integers(0, 1_000_000), min_size=2, max_size=50))
def test_means_have_the_interval_of_student(values: list[int]) -> None:
    # Whole numbers, as fen are: their squares add up exactly.
    array = np.array(values, np.float64)
    low, high = mean_interval([array.sum()], [(array**2).sum()], [len(array)])
    spread = array.std(ddof=1) / np.sqrt(len(array))
    half = stats.t.ppf(0.975, len(array) - 1) * spread
    assert (high[0] - low[0]) / 2 == pytest.approx(half, rel=1e-4, abs=1e-2)


def test_equal_costs_have_no_spread() -> None:
    frame = pd.DataFrame({"drg": ["A"] * 4, "total_cost": [100.6] * 4})
    row = compute_indicators(frame, []).long("mean_cost").iloc[0]
    assert row[["lower", "upper"]].tolist() == pytest.approx([100.6, 100.6], abs=1e-4)


def test_risk_of_death_by_hand() -> None:
    # ln of 1, 10, 100 per thousand: mean ln 0.01, sd 1.88; only 0.1 per thousand lies below it.
    assert death_risk([1, 10, 100, 0], [1000, 1000, 1000, 5]).tolist() == [1, 3, 4, 0]
    assert death_risk([2, 2], [10, 10]).tolist() == [4, 4]
    assert death_risk([0, 0], [10, 0]).tolist() == [0, -1]


@pytest.mark.parametrize(
    ("gap", "marks"), [(1, [0, -1]), (2, [1, -1]), (31, [1, -1]), (32, [0, -1])]
)
def test_the_second_to_the_thirty_first_day(gap: int, marks: list[int]) -> None:
    first = pd.Timestamp("2027-01-10")
    again = first + pd.Timedelta(days=gap)
    frame = pd.DataFrame(
        {
            "patient_id": ["a", "a"],
            "admission_date": [pd.Timestamp("2027-01-01"), again],
            "discharge_date": [first, again + pd.Timedelta(days=40)],
        }
    )
    assert readmissions(pa.Table.from_pandas(frame)).tolist() == marks


def test_keys_of_every_pair_are_accepted(tmp_path: Path) -> None:
    frame = pd.DataFrame({key: ["x", "y"] for key in KEYS if key not in ("mdc", "adrg", "month")})
    frame["drg"], frame["discharge_date"] = ["AA11", "AB11"], pd.Timestamp("2027-03-01")
    for one, other in product(KEYS, KEYS):
        if one != other:
            assert compute_indicators(frame, [one, other]).table["cases"].sum() == 2


def test_groups_that_only_a_dictionary_names_are_none(tmp_path: Path) -> None:
    codes = pa.array([0, 2, 0], pa.int32())
    drg = pa.DictionaryArray.from_arrays(codes, ["BR13", "BR23", "AA19"])
    pq.write_table(pa.table({"drg": drg, "total_cost": [1.0, 2.0, 3.0]}), tmp_path / "a.parquet")
    found = compute_indicators(tmp_path / "a.parquet", "drg")
    assert found.norms["drg"].tolist() == found.table["drg"].tolist() == ["AA19", "BR13"]

"""Samples: the same for the same seed, plausible in shape, each case in its template's group."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from drgcore.errors import DrgcoreError, SchemeError
from drgcore.grouper import group
from drgcore.schemes import load_scheme
from drgcore.synthetic import sample, sample_cases, write_sample
from drgcore.synthetic.people import people_of
from drgcore.synthetic.region import LEVELS, POOLS, region_of
from drgcore.synthetic.sample import BLOCK_ROWS, SAMPLE_SCHEMA
from drgcore.synthetic.templates import templates_of

DEFAULTS: dict[str, Any] = {"seed": 0, "year": 2027, "hospitals": 12, "dirty": 0.0}


@pytest.fixture(scope="module")
def frame(clean: pa.Table) -> pd.DataFrame:
    """The clean sample with the MDC of each case."""
    cases = clean.append_column("mdc", group(clean, columns=[])["mdc"].cast(pa.string()))
    return cases.to_pandas()


# --- The same cases again ---------------------------------------------------------------------


def test_the_same_seed_gives_the_same_file_and_another_seed_another(tmp_path: Path) -> None:
    files = [tmp_path / f"{name}.parquet" for name in ("a", "b", "c")]
    for path, seed in zip(files, (3, 3, 4), strict=True):
        write_sample(path, 2000, seed=seed, dirty=0.1)
    assert files[0].read_bytes() == files[1].read_bytes()
    one, other = (pq.read_table(path) for path in (files[0], files[2]))
    for name in ("hospital", "principal_diagnosis", "total_cost", "discharge_date"):
        assert not one[name].equals(other[name])


def test_a_file_holds_what_memory_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample, "BLOCK_ROWS", 1000)
    told: list[tuple[int, int]] = []
    write_sample(
        tmp_path / "cases.parquet",
        2500,
        seed=9,
        dirty=0.1,
        progress=lambda done, total: told.append((done, total)),
    )
    whole = sample_cases(2500, seed=9, dirty=0.1)
    assert pq.read_table(tmp_path / "cases.parquet").equals(whole)
    assert told == [(1000, 2500), (2000, 2500), (2500, 2500)]


def test_a_block_does_not_depend_on_how_many_follow() -> None:
    rows = BLOCK_ROWS + 700
    whole = sample_cases(rows, "chs-drg-1.1", seed=9)
    assert whole.slice(0, BLOCK_ROWS).equals(sample_cases(BLOCK_ROWS, "chs-drg-1.1", seed=9))
    # The next one does not repeat it.
    assert not whole["total_cost"].slice(BLOCK_ROWS).equals(whole["total_cost"].slice(0, 700))
    assert pc.count_distinct(whole["case_id"]).as_py() == rows


def test_year_hospitals_and_scheme_change_what_they_name() -> None:
    table = sample_cases(500, "wuhan-2022", year=2024, hospitals=3)
    assert set(pc.unique(pc.year(table["discharge_date"])).to_pylist()) == {2024}
    assert set(pc.unique(table["hospital"]).to_pylist()) <= {"H01", "H02", "H03"}
    assert table["case_id"][0].as_py() == "C2024000000000"
    statuses = pc.unique(group(table, "wuhan-2022")["status"].cast(pa.string())).to_pylist()
    assert "invalid" not in statuses


# --- What is in them --------------------------------------------------------------------------


def test_the_schema_is_the_one_promised(clean: pa.Table, soiled: pa.Table) -> None:
    assert clean.schema.equals(SAMPLE_SCHEMA)
    assert soiled.schema.equals(SAMPLE_SCHEMA)
    assert sample_cases(0).schema.equals(SAMPLE_SCHEMA)
    assert sample_cases(0).num_rows == 0
    assert sample_cases(1).num_rows == 1


@pytest.mark.parametrize("name", ["chs-drg-3.0", "chs-drg-1.0r", "suzhou-2023"])
def test_every_case_falls_into_its_templates_group(name: str) -> None:
    scheme = load_scheme(name)
    templates = templates_of(scheme)
    region = region_of(templates, 12)
    block = sample._Block(templates, region, 2027, 0, 20_000, np.random.default_rng(1))
    people = people_of(templates, 12)
    batch = block.batch(people, np.random.default_rng(2))
    result = group(pa.Table.from_batches([batch]), scheme)
    meant = np.array(templates.tables.drg_codes)[templates.drg[block.template]]
    assert result["drg"].cast(pa.string()).to_pylist() == meant.tolist()
    assert "invalid" not in result["status"].to_pylist()


def test_hospitals_have_levels_and_third_grade_care_is_dearer(frame: pd.DataFrame) -> None:
    levels = frame.groupby("hospital")["hospital_level"].nunique()
    assert len(levels) == 12
    assert levels.eq(1).all()
    assert set(frame["hospital_level"]) == set(LEVELS)
    size = frame["hospital_level"].value_counts(normalize=True)
    assert size["3"] > size["2"] > size["1"]
    cost = frame.groupby("hospital_level")["total_cost"].mean()
    assert cost["3"] > cost["2"] > cost["1"]


def test_pools_part_by_age(frame: pd.DataFrame) -> None:
    assert set(frame["pool"]) == set(POOLS)
    resident = frame["pool"].eq("resident")
    assert 0.3 < resident.mean() < 0.8
    assert resident[frame["age_years"] < 18].mean() > resident[frame["age_years"] >= 18].mean()
    paid = frame["patient_paid"] / frame["total_cost"]
    assert paid[resident].mean() > paid[~resident].mean()


def test_months_have_seasons_and_respiratory_cases_a_winter_peak(frame: pd.DataFrame) -> None:
    month = pd.to_datetime(frame["discharge_date"]).dt.month
    share = month.value_counts(normalize=True)
    assert set(share.index) == set(range(1, 13))
    assert share.between(0.05, 0.12).all()
    winter = month.isin([12, 1, 2])
    respiratory = frame["mdc"].eq("MDCE")
    assert respiratory.sum() > 300
    assert winter[respiratory].mean() > 0.28
    assert winter[~respiratory].mean() < 0.27


def test_days_add_up_within_the_year(frame: pd.DataFrame) -> None:
    admitted = pd.to_datetime(frame["admission_date"])
    discharged = pd.to_datetime(frame["discharge_date"])
    assert ((discharged - admitted).dt.days == frame["length_of_stay"]).all()
    assert frame["length_of_stay"].between(1, 365).all()
    assert discharged.dt.year.eq(2027).all()
    assert discharged.min() < pd.Timestamp("2027-01-05")
    assert discharged.max() > pd.Timestamp("2027-12-27")


def test_money_is_positive_exact_to_the_fen_and_skewed(frame: pd.DataFrame) -> None:
    cost, paid = frame["total_cost"], frame["patient_paid"]
    assert cost.min() >= 50
    assert (paid > 0).all()
    assert (paid < cost).all()
    for money in (cost, paid):
        np.testing.assert_allclose(money * 100, np.rint(money * 100), rtol=0, atol=1e-5)
    # Log-normal: the mean lies above the median, and logarithms are near symmetric.
    assert cost.mean() > 1.15 * cost.median()
    assert abs(np.log(cost).skew()) < 0.5
    assert np.log(cost).corr(np.log(frame["length_of_stay"])) > 0.3


def test_cost_depends_on_the_group(clean: pa.Table) -> None:
    drg = group(clean, columns=[])["drg"].cast(pa.string()).to_pandas()
    cost = np.log(clean["total_cost"].to_pandas())
    within = cost.groupby(drg).transform("mean")
    assert np.var(within) > 0.4 * np.var(cost)


def test_diagnoses_number_one_to_fifteen(frame: pd.DataFrame) -> None:
    number = 1 + frame["other_diagnoses"].map(len)
    assert set(range(1, 12)) <= set(number) <= set(range(1, 16))
    assert 3 < number.mean() < 6
    assert frame["principal_diagnosis"].notna().all()
    assert frame["principal_procedure"].notna().mean() > 0.3
    assert frame["other_procedures"].map(len)[frame["principal_procedure"].isna()].max() <= 2


def test_ages_and_weights_belong_together(frame: pd.DataFrame) -> None:
    infant = frame["age_years"].eq(0)
    assert (frame["age_days"].notna() == infant).all()
    assert frame["age_years"].between(0, 95).all()
    assert frame.loc[infant, "age_days"].between(0, 364).all()
    weighed = frame["newborn_weight_g"].notna()
    assert weighed.any()
    assert (frame.loc[weighed, "age_days"] < 29).all()
    assert set(frame["sex"]) == {1, 2}


# --- What cannot be drawn or written ----------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "options"),
    [
        (-1, {}),
        (5, {"seed": -1}),
        (5, {"year": 1989}),
        (5, {"year": 2201}),
        (5, {"hospitals": 0}),
        (5, {"hospitals": 10_001}),
        (5, {"dirty": -0.01}),
        (5, {"dirty": 1.01}),
        (5, {"dirty": float("nan")}),
    ],
)
def test_a_number_out_of_range_is_named(
    rows: int, options: dict[str, float], tmp_path: Path
) -> None:
    name, value = next(iter((options or {"rows": rows}).items()))
    with pytest.raises(DrgcoreError, match=f"^{name}={value} is out of range$"):
        sample_cases(rows, **{**DEFAULTS, **options})
    with pytest.raises(DrgcoreError, match=f"^{name}={value} is out of range$"):
        write_sample(tmp_path / "x.parquet", rows, **{**DEFAULTS, **options})
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_scheme_a_missing_folder_another_ending(tmp_path: Path) -> None:
    with pytest.raises(SchemeError, match="no scheme 'nope'"):
        write_sample(tmp_path / "x.parquet", 5, "nope")
    with pytest.raises(DrgcoreError, match="is no folder"):
        write_sample(tmp_path / "none" / "x.parquet", 5)
    with pytest.raises(DrgcoreError, match=r"written as parquet, not as '\.csv'"):
        write_sample(tmp_path / "x.csv", 5)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "seen"),
    [
        (OSError(28, "No space left on device"), "No space left on device"),
        (RuntimeError("stop"), "stop"),
        (KeyboardInterrupt(), None),
    ],
)
def test_nothing_half_written_stays(
    error: BaseException, seen: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "cases.parquet"
    target.write_text("the older one")
    monkeypatch.setattr(sample, "BLOCK_ROWS", 100)
    real = sample._Block.batch

    def fails_later(block: sample._Block, *others: Any) -> pa.RecordBatch:
        if block.start >= 200:
            raise error
        return real(block, *others)

    monkeypatch.setattr(sample._Block, "batch", fails_later)
    expected = DrgcoreError if isinstance(error, OSError) else type(error)
    with pytest.raises(expected, match=seen):
        write_sample(target, 500, "chs-drg-1.1")
    assert [path.name for path in tmp_path.iterdir()] == ["cases.parquet"]
    assert target.read_text() == "the older one"

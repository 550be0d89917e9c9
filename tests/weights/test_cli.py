"""`drgcore weights`: the library's answers on the command line."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import drgcore
from drgcore.errors import CaseSchemaError, DrgcoreError, SchemeError
from tests.cli.conftest import run, run_alone

ROWS = 8_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cases of two years, and the same grouped."""
    place = tmp_path_factory.mktemp("history")
    years = [drgcore.sample_cases(ROWS // 2, seed=y, year=y, dirty=0.02) for y in (2025, 2026)]
    # Ids of the two years differ by themselves.
    cases = pa.concat_tables(years)
    pq.write_table(cases, place / "cases.parquet")
    pq.write_table(drgcore.group(cases), place / "grouped.parquet")
    return place


def test_base_points_are_those_of_the_library(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "base-points.csv"
    text = run(
        "weights", "base-points", folder / "grouped.parquet", "--scale", "100", "--out", out,
        "--trim", "iqr-log", "--year-weights", "2025:1,2026:3", "--smooth", "30",
        "--scheme", "chs-drg-3.0",
    )  # fmt: skip
    history = drgcore.read_history(pq.read_table(folder / "grouped.parquet"))
    weights = drgcore.base_points(
        history,
        scale=100,
        trimming=drgcore.trim_iqr(history, log=True),
        year_weights={2025: 1, 2026: 3},
        credibility=drgcore.Credibility("adrg", 30),
        scheme="chs-drg-3.0",
    )
    written = pd.read_csv(out, dtype={"drg": str})
    pd.testing.assert_frame_equal(written, weights.policy_table(), check_dtype=False)
    assert f"mean cost {weights.mean_cost:,.2f} yuan" in text
    assert ", ".join(weights.without) in text.replace("\n", " ")
    for reason, number in weights.left_out.to_numpy():
        assert f"left out: {number:,} cases, {reason}" in text
    policy = drgcore.Policy.load("example").with_base_points(written)
    assert len(policy.base_points.groups or {}) == len(written)


def test_national_weights_fill_what_history_lacks(folder: Path, tmp_path: Path) -> None:
    national = tmp_path / "national.csv"
    codes = [drg.code for drg in drgcore.load_scheme().drgs]
    pd.DataFrame({"drg": codes, "relative_weight": 0.5}).to_csv(national, index=False)
    out = tmp_path / "base-points.csv"
    text = run(
        "weights", "base-points", folder / "grouped.parquet", "--scale", "100", "--out", out,
        "--scheme", "chs-drg-3.0", "--national", national,
    )  # fmt: skip
    written = pd.read_csv(out)
    assert len(written) == 825
    assert (written.loc[written["cases"] == 0, "base_points"] == 50).all()
    assert f"{(written['cases'] == 0).sum()} DRG from national" in text


@pytest.mark.parametrize("by", ["drg", "hospital_level,adrg", "year"])
def test_statistics_are_those_of_the_library(folder: Path, tmp_path: Path, by: str) -> None:
    out = tmp_path / "statistics.csv"
    run("weights", "statistics", folder / "grouped.parquet", "--by", by, "--out", out)
    table = drgcore.group_statistics(pq.read_table(folder / "grouped.parquet"), by.split(","))
    written = pd.read_csv(out, dtype={"hospital_level": str})
    pd.testing.assert_frame_equal(written, table, check_dtype=False, rtol=1e-12)


def test_performance_of_one_and_of_two_groupings(folder: Path, tmp_path: Path) -> None:
    grouped = folder / "grouped.parquet"
    text = run("weights", "performance", grouped)
    riv = drgcore.grouping_performance(pq.read_table(grouped))["value"][0]
    assert f"{riv:.4f}" in text
    other = tmp_path / "other.parquet"
    cases = pq.read_table(folder / "cases.parquet")
    pq.write_table(drgcore.group(cases, "chs-drg-1.1"), other)
    text = run("weights", "performance", grouped, "--against", other, "--out", tmp_path / "p.csv")
    assert "before" in text
    assert "after" in text
    assert len(pd.read_csv(tmp_path / "p.csv")) == 8


@pytest.mark.parametrize(
    ("of", "method"),
    [
        ("level", drgcore.level_coefficients),
        ("level-drg", drgcore.level_cost_coefficients),
        ("hospital", drgcore.hospital_coefficients),
    ],
)
def test_coefficients_are_those_of_the_library(folder, tmp_path, of, method) -> None:
    out = tmp_path / "k.csv"
    run("weights", "coefficients", folder / "grouped.parquet", "--of", of, "--out", out)
    written = pd.read_csv(out, dtype={"level": str})
    expected = method(pq.read_table(folder / "grouped.parquet"))
    pd.testing.assert_frame_equal(written, expected, check_dtype=False, rtol=1e-12)


def test_a_local_scheme_is_written_and_groups(folder: Path, tmp_path: Path) -> None:
    text = run(
        "weights", "subdivide", folder / "cases.parquet", "--out", tmp_path, "--name", "city",
        "--trim", "percentiles:1,99", "--min-difference", "0.3",
    )  # fmt: skip
    assert "city, cut from chs-drg-3.0" in text
    history = drgcore.read_history(pq.read_table(folder / "grouped.parquet"))
    for reason, cases in history.left_out.to_numpy().tolist():
        assert f"left out: {cases:,} cases, {reason}" in text
    assert "cases, trimmed" in text
    report = {path.name for path in (tmp_path / "city-report").iterdir()}
    assert {"decisions.csv", "steps.csv", "groups.csv", "hospitals.csv"} <= report
    out = tmp_path / "grouped.parquet"
    scheme = tmp_path / "city"
    assert "by city" in run("group", folder / "cases.parquet", out, "--scheme", scheme)
    # A base that the overlay could not name is refused before the search, not after it.
    elsewhere = tmp_path / "elsewhere"
    with pytest.raises(SchemeError, match="no scheme 'city' to be the base"):
        run(
            "weights", "subdivide", folder / "cases.parquet", "--scheme", scheme,
            "--out", elsewhere, "--name", "next",
        )  # fmt: skip
    assert not elsewhere.exists()


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        (["statistics", "--trim", "magic"], DrgcoreError, "'magic' is no method"),
        (["statistics", "--trim", "multiples:1"], DrgcoreError, "is no method of trimming"),
        (["statistics", "--trim", "iqr:1,2"], DrgcoreError, "is no method of trimming"),
        (["statistics", "--trim", "percentiles:99,1"], DrgcoreError, "must lie below"),
        (["statistics", "--by", "colour"], CaseSchemaError, "cannot be broken down by 'colour'"),
        (
            ["subdivide", "--out", "nowhere", "--name", "chs-drg-3.0"],
            SchemeError,
            "cannot be its own base",
        ),
        (["coefficients", "--of", "nothing"], DrgcoreError, "--of nothing must be one of"),
        (
            ["base-points", "--scale", "100", "--out", "x.csv", "--year-weights", "2025"],
            DrgcoreError,
            "cannot be read",
        ),
        (
            ["base-points", "--scale", "100", "--out", "x.csv", "--year-weights", "2025:1"],
            CaseSchemaError,
            "no weight is given for year 2026",
        ),
        (["base-points", "--scale", "0", "--out", "x.csv"], DrgcoreError, "scale=0"),
    ],
)
def test_bad_input_is_one_message(folder, tmp_path, monkeypatch, arguments, error, said) -> None:
    monkeypatch.chdir(tmp_path)
    command, *options = arguments
    with pytest.raises(error, match=said):
        run("weights", command, folder / "grouped.parquet", *options)
    assert list(tmp_path.iterdir()) == []


def test_an_error_ends_with_code_2(tmp_path: Path) -> None:
    done = run_alone("weights", "statistics", "missing.parquet", cwd=tmp_path)
    assert done.code == 2
    assert done.out == ""
    assert "no such file" in done.err

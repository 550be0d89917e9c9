"""A policy from history: what cases give is filled in, the rest is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import drgcore
from drgcore.cli.app import app
from drgcore.errors import CaseSchemaError, DrgcoreError, PolicyError
from drgcore.points import Policy, check_policy, group_table
from drgcore.points.policy_file import find_policy, read_toml
from drgcore.points.sources import sources_without_parameter, stated, without_source
from drgcore.trial import HistoryPolicy, policy_from_history


@pytest.fixture(scope="module")
def past() -> pd.DataFrame:
    parts = [drgcore.sample_cases(3000, seed=year, year=year) for year in (2025, 2026)]
    return drgcore.group(pa.concat_tables(parts)).to_pandas()


def made_of(past: Any, preset: str = "example", **options: Any) -> HistoryPolicy:
    return policy_from_history(past, preset, year=2027, name="mine", **options)


def loaded(made: HistoryPolicy, folder: Path) -> Policy:
    made.write(folder / "mine.toml")
    return Policy.load(folder / "mine.toml")


def test_base_points_and_means_are_those_of_the_cases(past: pd.DataFrame, tmp_path: Path) -> None:
    policy = loaded(made_of(past), tmp_path)
    table = group_table(policy.at(policy.effective_from))
    used = past[(past["status"] == "grouped") & (past["total_cost"] > 0)]
    mean, means = used["total_cost"].mean(), used.groupby("drg", observed=True)["total_cost"].mean()
    assert float(policy.base_points.mean_cost) == pytest.approx(mean, abs=0.006)
    assert list(table.drgs) == sorted(means.index)
    for drg, points, m in zip(table.drgs, table.base_points, table.mean_cost, strict=True):
        assert points == pytest.approx(means[drg] / mean * 100, abs=6e-5)
        assert m == pytest.approx(means[drg], abs=0.006)
    # A DRG that the cases do not have has n = 0 < n_min: the rule of unstable groups.
    assert (policy.base_points.missing, policy.base_points.missing_rate) == ("by_cost", 1)


def test_coefficients_and_months(past: pd.DataFrame, tmp_path: Path) -> None:
    policy = loaded(made_of(past, method="seasonal_mean"), tmp_path)
    level, own = policy.coefficients.components
    expected = drgcore.level_coefficients(past).set_index("level")["coefficient"]
    assert {k: float(v) for k, v in level.levels.items()} == pytest.approx(
        expected.to_dict(), abs=6e-5
    )
    assert sorted(own.hospitals) == sorted(past["hospital"].unique())
    totals = drgcore.monthly_totals(past, "total_cost")
    shares = drgcore.forecast_shares(totals, 2027, "seasonal_mean").shares_for_policy()
    assert {name: pool.months for name, pool in policy.budget.pools.items()} == shares
    data = read_toml(tmp_path / "mine.toml")
    assert (without_source(data), sources_without_parameter(data)) == ([], [])
    assert stated(data)["base_points.mean_cost"].kind == "computed"
    assert stated(data)["budget.pools.employee.budget"].kind == "invented"


@pytest.mark.parametrize("preset", drgcore.points.PRESETS)
def test_what_a_preset_states_stays(preset: str, past: pd.DataFrame, tmp_path: Path) -> None:
    """No stated parameter changes, what is asked grows by nothing but what a new table needs."""
    weights = {2025: 1.0, 2026: 1.0}
    made = made_of(past, preset, year_weights=weights)
    assert all(problem.missing for problem in made.problems), made.problems
    made.write(tmp_path / "mine.toml")
    before, after = read_toml(find_policy(preset)), read_toml(tmp_path / "mine.toml")
    if preset != "example":
        at_head = {"effective_from"}
        kept = {path: source.document for path, source in stated(before).items()}
        now = {path: source.document for path, source in stated(after).items()}
        for path, document in kept.items():
            if path not in at_head | {"coefficients.components.1.file"}:
                assert now.get(path) == document or path.startswith("budget.months"), path
    asked = {p.path for p in check_policy(preset).problems}
    left = {p.path for p in check_policy(tmp_path / "mine.toml").problems}
    new = left - asked - {"base_points.missing"}
    # What stood once for all pools is asked of each when its months are its own.
    assert all(path.startswith("budget.") for path in new), new
    assert not {"base_points.file", "base_points.mean_cost", "base_points.holds",
                "base_points.group_means", "effective_from"} & left  # fmt: skip
    assert not any(path.endswith("months") for path in left)
    assert left < asked | {"base_points.missing"} | new or preset == "example"


def test_without_a_scale_the_table_holds_weights(past: pd.DataFrame, tmp_path: Path) -> None:
    made = made_of(past, "blank")
    assert list(made.tables) == ["mine-base-points.csv"]
    table = made.tables["mine-base-points.csv"]
    assert "relative_weight" in table
    assert "stable" not in table
    asked = {problem.path for problem in made.problems}
    assert {"base_points.scale", "base_points.missing", "coefficients.components"} <= asked
    assert any("--coefficients" in text for text in made.left)
    scaled = made_of(past, "blank", scale=100)
    points = scaled.tables["mine-base-points.csv"]["base_points"].to_numpy()
    assert points == pytest.approx(table["relative_weight"].to_numpy() * 100, abs=0.011)


@pytest.mark.parametrize(
    ("kind", "key"), [("level", "levels"), ("hospital", "hospitals"), ("hospital-drg", "file"),
                      ("level-drg", "file")],
)  # fmt: skip
def test_a_component_is_chosen(kind: str, key: str, past: pd.DataFrame) -> None:
    made = made_of(past, "shanwei", coefficients=kind)
    asked = {problem.path for problem in made.problems if "coefficients" in problem.path}
    assert asked == ({"coefficients.components.1.otherwise"} if key == "file" else set())
    assert f"coefficients.components.1.{key}" in made.text or f"{key} = " in made.text
    assert len(made.tables) == (2 if key == "file" else 1)


def test_the_rules_of_calibration_are_followed(past: pd.DataFrame) -> None:
    with pytest.raises(DrgcoreError, match=r"weighs 3 years \(2:3:5\)") as error:
        made_of(past, "zhejiang-2025")
    assert "--year-weights" in str(error.value)
    made = made_of(past, "zhejiang-2025", year_weights={2025: 2.0, 2026: 5.0})
    assert any("IQR fence" in text for text in made.filled)
    other = made_of(past, "zhejiang-2025", year_weights={2025: 2.0, 2026: 5.0}, trim="none")
    assert not any("IQR fence" in text for text in other.filled)


def test_cases_of_the_year_itself_take_no_part(past: pd.DataFrame) -> None:
    whole = policy_from_history(past, "example", year=2026, name="mine")
    days = pd.to_datetime(past["discharge_date"])
    first = policy_from_history(past[days.dt.year == 2025], "example", year=2026, name="mine")
    one, two = (p.tables["mine-base-points.csv"] for p in (whole, first))
    pd.testing.assert_frame_equal(one, two)
    assert any("two whole years" in text for text in first.left)
    none = policy_from_history(past, "example", year=2025, name="mine")
    assert any("no case is of a year before 2025" in text for text in none.left)


def test_last_years_policy_is_a_preset(past: pd.DataFrame, tmp_path: Path) -> None:
    """Its own coefficients and months stay; its base points are replaced."""
    made_of(past).write(tmp_path / "mine.toml")
    text = (tmp_path / "mine.toml").read_text("utf-8").replace("fictitious = true\n", "")
    (tmp_path / "last.toml").write_text(text, "utf-8")
    made = policy_from_history(past, tmp_path / "last.toml", year=2028, name="next")
    assert any("levels is given already, and stays" in text for text in made.left)
    assert any("shares of employee are given already" in text for text in made.left)
    made.write(tmp_path / "next.toml")
    before, after = Policy.load(tmp_path / "mine.toml"), Policy.load(tmp_path / "next.toml")
    assert after.coefficients == before.coefficients
    assert after.effective_from.year == 2028
    (tmp_path / "changed.toml").write_text(f"{text}\n[[amendments]]\nfrom = 2027-07-01\n", "utf-8")
    with pytest.raises(PolicyError, match="has amendments"):
        policy_from_history(past, tmp_path / "changed.toml", year=2028, name="next")


def test_bad_history(past: pd.DataFrame, tmp_path: Path) -> None:
    for column in ("drg", "total_cost"):
        with pytest.raises(CaseSchemaError, match=column):
            made_of(past.drop(columns=column))
    with pytest.raises(CaseSchemaError, match="no case can be used"):
        made_of(past.assign(total_cost=0.0))
    with pytest.raises(PolicyError, match="no such policy file"):
        made_of(past, "hangzhou-1999")
    with pytest.raises(DrgcoreError, match="trim 'iqr2'"):
        made_of(past, trim="iqr2")
    with pytest.raises(DrgcoreError, match="coefficients 'city'"):
        made_of(past, coefficients="city")


@pytest.mark.parametrize(
    ("column", "words"),
    [("pool", "monthly shares: the cases have no column pool"),
     ("discharge_date", "monthly shares: the cases have no column discharge_date"),
     ("hospital_level", "coefficients.components.1 (level)"),
     ("hospital", "coefficients.components.2 (own history)")],
)  # fmt: skip
def test_what_a_column_would_have_given_is_left(
    column: str, words: str, past: pd.DataFrame
) -> None:
    made = made_of(past.drop(columns=column))
    assert any(text.startswith(words) for text in made.left), made.left
    kept = read_toml(find_policy("example"))
    if column == "hospital_level":
        assert Policy.load("example").coefficients.components[0].levels["3"] == pytest.approx(
            kept["coefficients"]["components"][0]["levels"]["3"]
        )


def test_three_commands(tmp_path: Path) -> None:
    """As the README has them: group, policy new --from-history, settle trial."""
    cases, grouped = tmp_path / "cases.parquet", tmp_path / "grouped.parquet"
    pq.write_table(drgcore.sample_cases(3000, seed=7, year=2027), cases)
    scores = tmp_path / "scores.csv"
    hospitals = "".join(f"H{number:02d},96,92,90\n" for number in range(1, 13))
    scores.write_text(f"hospital,record quality,readmission,patient burden\n{hospitals}", "utf-8")
    policy, out = tmp_path / "region" / "my-region.toml", tmp_path / "trial"
    commands = [
        ["group", cases, grouped],
        ["policy", "new", "--from-history", grouped, policy, "--preset", "example",
         "--year", "2027"],
        ["settle", "trial", grouped, "--policy", policy, "--year", "2027", "--quality", scores,
         "--out", out],
    ]  # fmt: skip
    for command in commands:
        done = CliRunner().invoke(app, list(map(str, command)))
        assert done.exit_code == 0, (done.output, done.exception)
    closed = pd.read_csv(out / "reconciliation.csv")
    assert closed[closed.iloc[:, 1] == "unaccounted"].iloc[:, -1].tolist() == [0, 0]
    # A year by its own cases: its months are those of its cases.
    totals = drgcore.monthly_totals(pq.read_table(grouped), "total_cost")
    employee = totals[totals["pool"] == "employee"]["value"]
    months = Policy.load(policy).budget.pools["employee"].months
    assert [float(share) for share in months] == pytest.approx(
        (employee / employee.sum()).tolist(), abs=1e-4
    )
    # A second run overwrites nothing, and a name of a table that is there is refused as well.
    again = CliRunner().invoke(app, list(map(str, commands[1])))
    assert isinstance(again.exception, PolicyError)
    assert "it is there already" in str(again.exception)
    text = policy.read_bytes()
    policy.unlink()
    # What a run that was stopped has left is no other's.
    again = CliRunner().invoke(app, list(map(str, commands[1])))
    assert (again.exit_code, policy.read_bytes()) == (0, text)
    policy.unlink()
    (policy.parent / "my-region-base-points.csv").write_text("another's", "utf-8")
    again = CliRunner().invoke(app, list(map(str, commands[1])))
    assert "my-region-base-points.csv" in str(again.exception)
    assert not policy.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["mine.toml"], "no preset is given"),
     (["a", "b", "mine.toml"], "3 names are given"),
     (["example", "mine.toml", "--preset", "shanwei"], "given twice"),
     (["mine.toml", "--from-history", "grouped.parquet"], "needs --year"),
     (["mine.toml", "--from-history", "none.parquet", "--year", "2027"], "none.parquet")],
)  # fmt: skip
def test_wrong_arguments(arguments: list[str], words: str, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as at:
        at.chdir(tmp_path)
        done = CliRunner().invoke(app, ["policy", "new", *arguments])
    assert isinstance(done.exception, DrgcoreError)
    assert words in str(done.exception)
    assert not list(tmp_path.iterdir())

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from drgcore.errors import PolicyError
from drgcore.points import (
    Policy,
    check_policy,
    compute_points,
    group_table,
    policy_sentences,
)
from drgcore.points.policy import build
from drgcore.points.policy_file import merge
from tests.points.regions import SMALL, cases, small


def problems(change: dict[str, Any]) -> dict[str, str]:
    return {p.path: p.message for p in build(merge(SMALL, change))[1]}


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        (
            {"budget": {"months": ["0.08"] * 12}},
            "budget",
            "monthly shares add up to 0.96, not to 1",
        ),
        ({"budget": {"months": ["0.5", "0.5"]}}, "budget", "2 monthly shares"),
        (
            {"budget": {"pools": {"employee": {"budget": "-1"}}}},
            "budget.pools.employee.budget",
            "but it is -1 (A, the fund's budget of the year",
        ),
        ({"budget": {"pools": {"employee": {"budget": "1.005"}}}}, "budget.pools.employee.budget",
         "it has at most 2 decimals"),
        ({"budget": {"reserve_share": "1.2"}}, "budget.reserve_share",
         "it must be at most 1"),
        ({"budget": {"reference": "last_year", "floor": "0.9"}},
         "budget.pools.employee.last_value", "not filled in, and reference is last_year"),
        ({"budget": {"floor": "0.9"}}, "budget", "need a reference"),
        ({"budget": {"reference": "mean_cost", "floor": 2, "ceiling": 1}},
         "budget", "floor lies above the ceiling"),
        ({"outliers": {"high": {"multiples": [{"up_to": 200, "value": 3},
                                              {"up_to": 100, "value": 2}, {"value": 1}]}}},
         "outliers.high.multiples", "bands overlap: a band up to 100 follows one to 200"),
        ({"outliers": {"low": {"multiples": 2}}}, "outliers",
         "a multiple lo is not below every multiple hi"),
        ({"outliers": {"high": {"rule": "added_capped"}}}, "outliers.high.cap",
         "[multiple of P]"),
        ({"coefficients": {"components": [{"name": "a", "weight": "0.5", "method": "constant",
                                           "value": 1}]}},
         "coefficients", "add up to 0.5, not to 1"),
        ({"coefficients": {"components": [{"name": "a", "weight": 1, "method": "level",
                                           "levels": {"3": "-1"}}]}},
         "coefficients.components.1.levels.3", "it must be at least 0"),
        ({"quality": {"rule": "scored", "indicators": [{"name": "a", "weight": "0.9"}],
                      "coefficients": 1}}, "quality", "add up to 0.9"),
        ({"sharing": {"deficit": [{"value": "1.5"}]}}, "sharing", "not between 0 and 1"),
        ({"incentive_pool": {"rule": "cap"}}, "incentive_pool.cap", "not filled in"),
        ({"exclusions": [{"reason": "all"}]}, "exclusions.1", "would exclude every case"),
        ({"units": [{"name": "a", "hospitals": ["H1"]}, {"name": "b", "hospitals": ["H1"]}]},
         "units", "H1 is a member of two settlement units"),
        ({"rounding": {"pionts": 2}}, "rounding.pionts", "no such parameter"),
        ({"base_points": {"scale": ""}}, "base_points.scale", "not filled in: points of a case"),
        ({"base_points": {"missing": "by_cost"}}, "base_points.missing_rate", "not filled in"),
        ({"effective_to": date(2025, 1, 1)}, "effective_to", "effective_to lies before"),
        ({"amendments": [{"from": date(2025, 1, 1)}]}, "amendments.1.from", "does not lie after"),
        ({"amendments": [{"from": date(2027, 1, 1), "rounding": {"points": -1}}]},
         "amendments.1 (2027-01-01).rounding.points", "it must be at least 0"),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_named(change: dict[str, Any], path: str, words: str) -> None:
    found = problems(change)
    assert path in found, found
    assert words in found[path]


def test_every_parameter_that_is_required_is_asked_for() -> None:
    """Each leaf of the small policy that is left out is asked for by its path, or optional."""
    optional = {"stability.n_min", "stability.cv_max"}

    def leaves(data: dict[str, Any], path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
        found = []
        for key, value in data.items():
            if isinstance(value, dict) and key not in ("groups", "pools"):
                found += leaves(value, (*path, key))
            else:
                found.append((*path, key))
        return found

    paths = leaves(SMALL)
    assert len(paths) > 30
    for path in paths:
        change: Any = ""
        for key in reversed(path):
            change = {key: change}
        found = [p for p in build(merge(SMALL, change))[1] if p.missing]
        last = path[-1]
        name = "file" if last == "groups" else last
        assert any(p.path.endswith(name) for p in found), path
    assert optional <= {".".join(path) for path in paths}


def test_parameters_change_on_their_day() -> None:
    policy = small({
        "effective_to": date(2027, 12, 31),
        "amendments": [
            {"from": date(2026, 7, 1),
             "coefficients": {"components": [{"name": "c", "weight": 1, "method": "constant",
                                              "value": 2}]}},
            {"from": date(2027, 1, 1), "budget": {"pools": {"resident": {"budget": "7"}}}},
        ],
    })  # fmt: skip
    assert policy.for_year(2026).budget.pools["resident"].budget == Decimal("500000.55")
    assert policy.for_year(2027).budget.pools["resident"].budget == 7
    assert policy.for_year(2027).budget.pools["employee"].budget == 1000000
    assert policy.at(date(2026, 6, 30)).effective_to == date(2026, 6, 30)
    assert policy.at(date(2027, 6, 30)).coefficients.components[0].method == "constant"
    assert len(policy.periods()) == 3
    with pytest.raises(PolicyError, match="from 2026-01-01 to 2027-12-31, not on 2025-12-31"):
        policy.at(date(2025, 12, 31))
    # A case follows the rules of its day of discharge: 80·1 until June, 80·2 from July.
    days = [{"discharge_date": day} for day in ("2026-06-30", "2026-07-01", "2027-03-01")]
    table = cases(*days).astype({"discharge_date": "datetime64[s]"}).drop(columns="admission_date")
    assert compute_points(table, policy)["points"].tolist() == [80.0, 160.0, 160.0]


def test_shares_of_a_forecast_are_filled_in() -> None:
    policy = small({"budget": {"months": "forecast"}})
    filled = policy.with_months({pool: ["0.05"] * 11 + ["0.45"] for pool in policy.budget.pools})
    assert policy.budget.pools["employee"].months == "forecast"
    assert filled.budget.pools["employee"].months[11] == Decimal("0.45")
    with pytest.raises(PolicyError, match="add up to"):
        policy.with_months({"employee": ["0.05"] * 12})


def test_reference_values() -> None:
    assert small().reference_value("employee") is None
    by_mean = small({"budget": {"reference": "mean_cost", "floor": "0.9"}})
    assert by_mean.reference_value("employee") == 100  # 10,000 yuan / 100 points
    by_year = {"reference": "last_year", "last_value": "98.7", "ceiling": "1.1"}
    assert small({"budget": {"pools": {"resident": by_year}}}).reference_value(
        "resident"
    ) == Decimal("98.7")


def test_the_text_tells_policies_apart(tmp_path: Path) -> None:
    source = Policy.load("example").path_of("example-base-points.csv").read_text("utf-8")
    (tmp_path / "p.csv").write_text(source, "utf-8")
    change = {"base_points": {"file": "p.csv", "groups": ""}}
    before = small(change, tmp_path).text
    assert before == small(change, tmp_path).text
    assert json.loads(before)["policy"]["name"] == "small"
    (tmp_path / "p.csv").write_text(source.replace("1317.58", "1317.59"), "utf-8")
    assert small(change, tmp_path).text != before
    assert small().text != small({"rounding": {"points": 3}}).text


def test_files_that_are_no_policy(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="no such policy file"):
        Policy.load(tmp_path / "none.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("name = ", "utf-8")
    with pytest.raises(PolicyError, match="no TOML"):
        Policy.load(broken)
    broken.write_bytes("name = '汕尾'".encode("gb18030"))
    with pytest.raises(PolicyError, match="no TOML"):
        Policy.load(broken)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("drg,points\nBR15,80\n", "there is no column base_points"),
        ("drg,base_points,mean_cost,cases,cv\nBR15,80,8000,9,1\nBR15,80,8000,9,1\n", "repeat"),
        ("drg,base_points,mean_cost,cases,cv\nBR15,,8000,9,1\n", "missing, negative or no number"),
        ("drg,base_points,mean_cost,cases,cv\nBR15,-1,8000,9,1\n", "missing, negative"),
        ("drg,base_points,mean_cost,cases,cv\nBR15,inf,8000,9,1\n", "missing, negative"),
        ("drg,base_points,mean_cost,cases,cv\nBR15,80,0,9,1\n", "mean cost of BR15 is 0"),
        ("drg,base_points,mean_cost,cases,cv\n,80,8000,9,1\n", "has no drg"),
        ("drg,base_points,mean_cost\nBR15,80,8000\n", "there is no column cases"),
    ],
)
def test_a_wrong_table_of_base_points(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "p.csv").write_text(text, "utf-8")
    policy = small({"base_points": {"file": "p.csv", "groups": ""}}, tmp_path)
    with pytest.raises(PolicyError, match=words):
        compute_points(cases({}), policy)


def test_the_check_warns_of_another_unit(tmp_path: Path) -> None:
    folder = tmp_path
    source = Policy.load("example").path_of("example-base-points.csv")
    (folder / "example-base-points.csv").write_bytes(source.read_bytes())
    text = source.with_name("example.toml").read_text("utf-8")
    odd = folder / "odd.toml"
    odd.write_text(
        text.replace('mean_cost = "10000"', 'mean_cost = "1000000"')
        .replace('budget = "150000000.00"', 'budget = "20000.00"')
        .replace('budget = "140000000.00"', 'budget = "16.00"'),
        "utf-8",
    )
    report = check_policy(odd)
    assert report.ok
    assert any("another unit" in warning for warning in report.warnings)
    assert any("万元" in warning for warning in report.warnings)
    assert check_policy("example").warnings == ()


AMENDED = {
    "amendments": [
        {
            "from": date(2026, 7, 1),
            "outliers": {"low": {"multiples": "0.3"}},
            "base_points": {"groups": {"BR15": {"base_points": "90"}}},
        }
    ]
}


def test_the_check_warns_of_what_is_given_and_not_used(tmp_path: Path) -> None:
    source = Policy.load("example").path_of("example-base-points.csv")
    (tmp_path / "example-base-points.csv").write_bytes(source.read_bytes())
    text = source.with_name("example.toml").read_text("utf-8")
    text = text.replace('basis = "fund"', 'basis = "fund"\nmonth_value = 64')
    before, after = text.split("surplus = ", 1)
    rule = '{ rule = "by_class", classes = { nromal = 1 }, otherwise = 0 }'
    file = tmp_path / "p.toml"
    file.write_text(before + "surplus = " + rule + "\n" + after.split("\n", 1)[1], "utf-8")
    assert check_policy(file).warnings == (
        "budget.pools.resident.month_value has no effect: "
        "budget.pools.resident.month_payment is month_budget",
        "sharing.surplus names nromal, which no case is classed as",
    )


def test_a_variant_holds_in_every_period() -> None:
    policy = small(AMENDED)
    variant = policy.with_changes({"outliers": {"low": {"multiples": 0.5}}})
    assert [str(p.outliers.low.multiples) for p in policy.periods()] == ["0.4", "0.3"]
    assert [str(p.outliers.low.multiples) for p in variant.periods()] == ["0.5", "0.5"]
    # What is not named stays as each period has it.
    assert [float(group_table(p).base_points[0]) for p in variant.periods()] == [80, 90]
    assert variant.text != policy.text
    assert policy.with_changes({}).periods() == policy.periods()


def test_an_empty_text_takes_a_parameter_away() -> None:
    policy = small({"coefficients": {"minimum": "0.95"}, "amendments": AMENDED["amendments"]})
    assert policy.with_changes({"coefficients": {"minimum": ""}}).coefficients.minimum is None


def test_a_list_is_replaced_as_a_whole() -> None:
    part = {"name": "all", "weight": 1, "method": "constant", "value": 1}
    variant = small().with_changes({"coefficients": {"components": [part]}})
    assert [c.name for c in variant.coefficients.components] == ["all"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"outliers": {"low": {"multiples": 2}}}, "a multiple lo is not below"),
        ({"outliers": {"lo": {}}}, "outliers.lo: a policy has no such parameter"),
        ({"base_points": {"factor": 0}}, "base_points.factor: it must be greater than 0"),
        ({"base_points": {"frozen": {"BR15": -1}}}, "base_points.frozen.BR15: "),
        ({"budget": {"pools": {"employee": {"budget": ""}}}}, "employee.budget: not filled in"),
        ({"amendments": []}, "amendments cannot be changed"),
    ],
)
def test_a_variant_is_checked_by_path(change: dict[str, Any], words: str) -> None:
    with pytest.raises(PolicyError) as raised:
        small().with_changes(change)
    assert words in str(raised.value)


def test_a_computed_table_takes_the_place_of_every_period() -> None:
    table = pd.DataFrame(
        {
            "drg": ["BR15", "ES23"],
            "base_points": [81.25, 150],
            "mean_cost": [8000.5, None],
            "cases": [50, 4],
            "cv": [0.5, 0.1],
            "name": ["not looked at", ""],
        }
    )
    variant = small({**AMENDED, "outliers": {"high": {"rule": "none"}}}).with_base_points(table)
    for period in variant.periods():
        assert list(period.base_points.groups) == ["BR15", "ES23"]
    variant = variant.with_changes({"outliers": {"low": {"rule": "none"}}})
    found = group_table(variant)
    assert found.base_points.tolist() == [81.25, 150]
    assert found.stable.tolist() == [True, False]
    by_weight = small({"base_points": {"holds": "relative_weight", "groups": {
        "BR15": {"relative_weight": "0.8"}}}})  # fmt: skip
    assert group_table(by_weight.with_base_points(table[:1])).base_points.tolist() == [81.25]
    arrow = pa.Table.from_pandas(table)
    assert small().with_base_points(arrow).text == small().with_base_points(table).text


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (pd.DataFrame({"drg": ["BR15"]}), "no column base_points"),
        (pd.DataFrame({"drg": ["BR15", "BR15"], "base_points": [1, 2]}), "BR15 occurs twice"),
        (pd.DataFrame({"drg": [None], "base_points": [1]}), "row 1 has no drg"),
        (pd.DataFrame({"drg": ["BR15"], "base_points": [None]}), "BR15 has no base points"),
        ({}, "it has no rows"),
        ({"BR15": "many"}, "base_points.groups.BR15.base_points"),
        ({"BR15": float("inf")}, "base_points.groups.BR15.base_points"),
        (pd.DataFrame({"drg": ["BR15"], "base_points": [1], "cases": [2.5]}), "BR15.cases"),
    ],
)
def test_a_computed_table_that_is_none(table: Any, words: str) -> None:
    with pytest.raises(PolicyError) as raised:
        small().with_base_points(table)
    assert words in str(raised.value)


def test_frozen_base_points_are_those_agreed() -> None:
    policy = small({"base_points": {"factor": "1.1", "frozen": {"BR15": "85.00005"}}})
    table = group_table(policy)
    # Rounded like all others, and without the factor.
    assert table.base_points.tolist() == [85.0001, 165, 330, 132, 66]
    assert table.mean_cost.tolist() == group_table(small()).mean_cost.tolist()
    sentences = dict(policy_sentences(policy))["Base points"]
    assert "Base points that are not frozen are multiplied by 1.1." in sentences
    assert any("BR15 85.00005" in sentence for sentence in sentences)
    assert '"frozen": {"BR15": "85.00005"}' in policy.text
    free = policy.with_changes({"base_points": {"frozen": {"BR15": ""}, "factor": ""}})
    assert group_table(free).base_points[0] == 80


def test_the_factor_moves_no_mean_that_follows_from_base_points() -> None:
    derived = {"base_points": {"group_means": "derived", "factor": "1.1"}}
    assert group_table(small(derived)).mean_cost.tolist() == [8000, 15000, 30000, 12000, 6000]


def test_a_mean_that_follows_from_no_points_is_an_error() -> None:
    none = {"base_points": {"group_means": "derived", "frozen": {"BR15": 0}}}
    with pytest.raises(PolicyError, match="the mean cost of BR15 is 0"):
        compute_points(cases({}), small(none))


def test_a_frozen_group_must_be_in_the_table(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="of ZZ11 are frozen, but not in the table"):
        group_table(small({"base_points": {"frozen": {"ZZ11": 1}}}))
    source = Policy.load("example").path_of("example-base-points.csv")
    (tmp_path / source.name).write_bytes(source.read_bytes())
    text = source.with_name("example.toml").read_text("utf-8")
    file = tmp_path / "p.toml"
    file.write_text(text + "\n[base_points.frozen]\nZZ98 = 120.5\n", "utf-8")
    report = check_policy(file)
    assert any("ZZ98" in problem.message for problem in report.problems)


def test_the_check_warns_of_frozen_groups_that_are_paid_by_cost(tmp_path: Path) -> None:
    table = "drg,base_points,mean_cost,cases,cv\nBR15,80,8000,9,0.5\nBR13,99,9900,3,0.5\n"
    (tmp_path / "example-base-points.csv").write_text(table, "utf-8")
    text = Policy.load("example").path_of("example-base-points.csv").with_name("example.toml")
    file = tmp_path / "p.toml"
    frozen = "\n[base_points.frozen]\nBR15 = 90\nBR13 = 90\n"
    file.write_text(text.read_text("utf-8") + frozen, "utf-8")
    (warning,) = check_policy(file).warnings
    assert "1 groups with frozen base points are not stable, first BR13" in warning

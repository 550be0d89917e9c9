"""What must hold of a comparison, on random policies and cases, and by hand."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import drgcore.scenarios.sums as sums_module
from drgcore.budget import Month, settle_month, settle_year, terms_of
from drgcore.errors import BudgetError, CaseSchemaError, PolicyError
from drgcore.language import use_language
from drgcore.points import CLASSES, CaseWarning, Policy, compute_points
from drgcore.scenarios import Comparison, coefficient_effect, compare
from tests.points.random_regions import HOSPITAL_TABLE, HOSPITALS, LEVEL_TABLE
from tests.points.regions import cases, small
from tests.reference import plain_scenarios as plain
from tests.scenarios.regions import POOLS, YEAR, compared, of_may, two_policies

Region = tuple[list[dict[str, Any]], pd.DataFrame, pd.DataFrame]
TABLES = ("hospitals", "levels", "mdcs", "classes")
few_regions = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
random_regions = settings(few_regions, max_examples=60)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables of coefficients without rows, so that each case takes what is otherwise."""
    path = tmp_path_factory.mktemp("tables")
    (path / HOSPITAL_TABLE).write_text("hospital,drg,coefficient\nH1,BR15,0.9\n")
    head = "level,drg,level_mean_cost,regional_mean_cost"
    (path / LEVEL_TABLE).write_text(f"{head}\n3,BR15,9100,9000\n")
    return path


def variants(region: Region, folder: Path) -> dict[str, Policy]:
    return {
        label: small(change, folder)
        for label, change in zip(("first", "second"), region[0], strict=True)
    }


def comparison_of(region: Region, folder: Path) -> Comparison | None:
    """The comparison, or None where a pool has a budget and no points."""
    try:
        return compared(region[1], variants(region, folder), region[2])
    except BudgetError:
        # About one region in ten; tests that leave them out have as many others drawn.
        return None


@random_regions
@given(region=two_policies())
def test_random_regions(folder: Path, region: Region) -> None:
    found = comparison_of(region, folder)
    assume(found is not None)
    assert found is not None
    assert set(found.hospitals["hospital"]) == set(region[1]["hospital"])
    check_every_fen_stands_in_each_table(found)
    check_money_is_the_entitlement_of_the_settled_year(found, region, folder)
    check_against_the_plain_table(found, region, folder)


def check_against_the_plain_table(found: Comparison, region: Region, folder: Path) -> None:
    policies = variants(region, folder)
    sides = [(policy, terms_of(policy, YEAR)) for policy in policies.values()]
    rows = region[1].astype(object).where(region[1].notna(), None)
    rows = rows.assign(refused_amount=0, violation=None).to_dict("records")
    decided = {r["case_id"]: ("special", r["points"]) for r in region[2].to_dict("records")}
    mdcs = sorted({row["mdc"] or "" for row in rows} | {""})
    keys: dict[str, tuple[str, list[str], Callable[[Any], str]]] = {
        "hospitals": ("hospital", sorted({r["hospital"] for r in rows}), lambda r: r["hospital"]),
        "mdcs": ("mdc", mdcs, lambda r: r["mdc"] or ""),
        "classes": ("case_class", list(CLASSES), lambda r: r["case_class"]),
    }
    for name, (column, names, key) in keys.items():
        try:
            expected = plain.side_by_side(sides, rows, decided, names, key)
        except plain.NearTie:
            return
        table = getattr(found, name)
        assert len(table) == 2 * len(expected)
        for row in table.to_dict("records"):
            one = expected[row["pool"], row[column]][row["policy"] == "second"]
            unit = 10**found.places
            assert row["cases"] == one["cases"]
            assert row["outside_cases"] == one["outside_cases"]
            assert Fraction(row["points"], unit) == one["points"]
            assert row["money_fen"] == one["money"]
            assert row["outside_fen"] == one["outside"]
            assert row["difference_fen"] == one["difference"]
            assert Fraction(row["points_difference"], unit) == one["points_difference"]


def check_every_fen_stands_in_each_table(found: Comparison) -> None:
    whole = found.pools.set_index(["pool", "policy"])
    names = ["cases", "outside_cases", "points", "money_fen", "outside_fen"]
    for name in TABLES:
        table = getattr(found, name).groupby(["pool", "policy"])[names].sum()
        pd.testing.assert_frame_equal(table.loc[whole.index], whole[names])
    for row in found.pools.to_dict("records"):
        borne = row["patient_paid_fen"] if row["basis"] == "total_cost" else 0
        assert row["money_fen"] == row["numerator_fen"] - borne
        # And the budget becomes what is divided, by the lines that the table has.
        left = row["budget_fen"] - row["reserve_fen"] - row["paid_by_item_fen"]
        moved = row["from_reserve_fen"] - row["to_reserve_fen"]
        if row["points"]:
            assert row["money_fen"] == left + moved


def check_money_is_the_entitlement_of_the_settled_year(
    found: Comparison, region: Region, folder: Path
) -> None:
    for label, policy in variants(region, folder).items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CaseWarning)
            earned = compute_points(region[1], policy, decisions=region[2])
        may = settle_month(earned, policy, Month(YEAR, 5))
        kappas = dict.fromkeys(HOSPITALS, "1")
        year = settle_year(earned, [may], policy, kappas)
        own = found.hospitals[found.hospitals["policy"] == label]
        settled = year.statement.set_index(["pool", "hospital"])
        for row in own.to_dict("records"):
            there = settled.loc[(row["pool"], row["hospital"])]
            assert row["money_fen"] == there["entitlement_fen"]
            assert row["cases"] == there["cases"]
            assert row["outside_fen"] == there["outside_fen"]


@few_regions
@given(region=two_policies(), seed=st.integers(0, 2**31 - 1))
def test_order_of_rows_and_slices_change_nothing(folder: Path, region: Region, seed: int) -> None:
    found = comparison_of(region, folder)
    assume(found is not None)
    changes, table, decisions = region
    mixed = table.sample(frac=1, random_state=seed)
    whole = sums_module._SLICE
    try:
        sums_module._SLICE = 1 + seed % 5
        # With decisions there are no slices; without them both must agree as well.
        again = comparison_of((changes, mixed, decisions), folder)
        few = comparison_of((changes, mixed, None), folder)
    finally:
        sums_module._SLICE = whole
    plain_few = comparison_of((changes, table, None), folder)
    for one, other in ((found, again), (plain_few, few)):
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            for name in (*TABLES, "pools", "differences", "winners", "losers"):
                pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name))


@few_regions
@given(region=two_policies())
def test_a_policy_compared_with_itself_differs_nowhere(folder: Path, region: Region) -> None:
    changes, table, decisions = region
    same = ([changes[0], changes[0]], table, decisions)
    found = comparison_of(same, folder)
    assume(found is not None)
    assert found is not None
    for name in (*TABLES, "pools"):
        rows = getattr(found, name)
        assert not rows[["points_difference", "difference_fen"]].to_numpy().any()
        relative = rows["relative_difference"]
        assert ((relative == 0) | (rows["money_fen"] == 0) & relative.isna()).all()
    assert found.winners.empty
    assert found.losers.empty
    assert found.differences.empty


def ordinary() -> pd.DataFrame:
    """Cases of three hospitals in two pools, one of them outside the points."""
    return cases(
        {"hospital": "H1", "hospital_level": "3"},
        {"hospital": "H1", "hospital_level": "3", "drg": "GB19", "total_cost": 31000.0},
        {"hospital": "H2", "drg": "ES23", "total_cost": 4000.0, "patient_paid": 500.0},
        {"hospital": "H2", "status": "ungrouped", "drg": None, "pool": "resident"},
        {"hospital": "H3", "hospital_level": "1", "pool": "resident"},
        {"hospital": "H3", "hospital_level": "1", "status": "invalid", "drg": None},
    )


def test_twice_the_budget_is_twice_the_money() -> None:
    once = {"budget": {"pools": {"employee": {"budget": "1000.02"}, "resident": {"budget": "99"}}}}
    twice = {"budget": {"pools": {"employee": {"budget": "2000.04"}, "resident": {"budget": 198}}}}
    nothing = {"budget": {"reserve_share": 0}}
    table = ordinary()
    found = compare(
        table,
        {"once": small(nothing).with_changes(once), "twice": small(nothing).with_changes(twice)},
        year=YEAR,
    )
    assert found.pools["relative_difference"].tolist() == [0, 1, 0, 1]
    assert found.pools["points_difference"].tolist() == [0] * 4
    money = found.hospitals.pivot(index=["pool", "hospital"], columns="policy", values="money_fen")
    # Each is rounded to its own fen.
    assert (money["twice"] - 2 * money["once"]).abs().max() <= 1
    assert len(found.winners) == 3


def test_hospitals_levels_and_cases_outside_by_hand() -> None:
    listed = {"hospitals": {"H9": {"level": "2"}}}
    policy = small(listed)
    lower = policy.with_changes({"outliers": {"low": {"multiples": "0.2"}}})
    found = compare(ordinary(), {"as is": policy, "round 2": lower}, year=YEAR)
    # H9 has no cases, H1 none in the pool of residents: they stand in the table all the same.
    pairs = found.hospitals[["pool", "hospital"]].drop_duplicates().values.tolist()
    assert pairs == [[pool, f"H{i}"] for pool in POOLS for i in (1, 2, 3, 9)]
    rows = found.hospitals.set_index(["pool", "hospital", "policy"])
    # 80·1.1 + 300·1.1 = 418 points; ES23 with 4,000 yuan: 150·4/15 = 40 points, or P = 150.
    assert rows.loc[("employee", "H1", "as is"), "points"] == 418_0000
    assert rows.loc[("employee", "H2", "as is"), "points"] == 40_0000
    assert rows.loc[("employee", "H2", "round 2"), "points"] == 150_0000
    # 950,000 yuan over 458 and 568 points.
    assert rows.loc[("employee", "H1", "as is"), "money_fen"] == 86703057
    assert rows.loc[("employee", "H1", "round 2"), "money_fen"] == 69911972
    third = rows.loc[("employee", "H3", "as is")]
    assert third[["cases", "outside_cases", "points", "money_fen"]].tolist() == [1, 1, 0, 0]
    assert third["outside_fen"] == 800000
    levels = found.levels.set_index(["pool", "level", "policy"])
    assert levels.loc[("employee", "3", "as is"), "money_fen"] == 86703057
    assert found.levels["level"].unique().tolist() == ["1", "2", "3"]
    mdcs = found.mdcs.set_index(["pool", "mdc", "policy"])
    # 0.7 of 8,000 yuan by cost: 56 points without any MDC.
    assert mdcs.loc[("resident", "", "as is"), "points"] == 56_0000
    outside = found.classes.query("case_class == 'outside' and policy == 'as is'")
    assert outside["cases"].tolist() == [1, 0]
    assert found.winners["hospital"].tolist() == ["H2"]
    assert found.losers["hospital"].tolist() == ["H1"]
    assert found.losers["difference_fen"].tolist() == [69911972 - 86703057]
    assert found.differences.values.tolist() == [
        ["round 2", "outliers.low.multiples", "0.4", "0.2", "outliers.low.multiples"]
    ]


def test_a_hospital_with_cases_of_two_levels() -> None:
    table = cases(
        {"hospital_level": "3"}, {"hospital_level": "2"}, {"hospital": "H2", "pool": "resident"}
    )
    found = compare(table, {"a": small()}, year=YEAR)
    own = found.hospitals[found.hospitals["hospital"] == "H1"]
    assert own["level"].tolist() == ["2, 3", "2, 3"]
    levels = found.levels.set_index(["pool", "level"])["money_fen"]
    assert levels["employee", "2"] + levels["employee", "3"] == own["money_fen"].sum()
    assert levels["employee", "2"] == 45238095


def test_the_level_comes_from_the_list_where_cases_have_none() -> None:
    table = ordinary().drop(columns="hospital_level")
    named = {h: {"level": level} for h, level in (("H1", "3"), ("H2", "2"), ("H3", "1"))}
    found = compare(table, {"a": small({"hospitals": named})}, year=YEAR)
    plain_found = compare(ordinary(), {"a": small()}, year=YEAR)
    pd.testing.assert_frame_equal(found.hospitals, plain_found.hospitals)
    pd.testing.assert_frame_equal(found.levels, plain_found.levels)


def test_without_mdcs_the_code_of_the_group_says_it() -> None:
    found = compare(ordinary(), {"a": small()}, year=YEAR)
    assert found.mdcs["mdc"].unique().tolist() == ["", "MDCB", "MDCE", "MDCG"]
    given = ordinary().assign(mdc=["MDCA", "MDCG", "MDCE", None, "MDCB", None])
    assert "MDCA" in compare(given, {"a": small()}, year=YEAR).mdcs["mdc"].tolist()


def test_points_of_other_decimals_are_made_comparable() -> None:
    rough = small({"rounding": {"points": 1}})
    found = compare(ordinary(), {"rough": rough, "fine": small()}, year=YEAR)
    rows = found.hospitals.set_index(["pool", "hospital", "policy"])["points"]
    assert rows["employee", "H1", "rough"] == rows["employee", "H1", "fine"] == 418_0000


def test_every_frame_gives_the_same() -> None:
    policies = {"a": small(), "b": small({"outliers": {"low": {"multiples": "0.3"}}})}
    expected = compare(ordinary(), policies, year=YEAR)
    arrow = pa.Table.from_pandas(ordinary(), preserve_index=False)
    with_points = compute_points(arrow, policies["b"])
    for other in (arrow, arrow.to_reader(max_chunksize=2), with_points):
        pd.testing.assert_frame_equal(
            compare(other, policies, year=YEAR).hospitals, expected.hospitals
        )


def test_differences_of_periods_tables_and_files(tmp_path: Path) -> None:
    (tmp_path / "k.csv").write_text("hospital,drg,coefficient\nH1,BR15,0.9\n")
    part = {"name": "k", "weight": 1, "method": "hospital_drg", "file": "k.csv", "otherwise": 1}
    first = small({"coefficients": {"components": [part]}}, tmp_path)
    later = {"amendments": [{"from": date(2026, 7, 1), "rounding": {"coefficient": 2}}]}
    other_folder = tmp_path / "other"
    other_folder.mkdir()
    (other_folder / "k.csv").write_text("hospital,drg,coefficient\nH1,BR15,0.8\n")
    change = {"base_points": {"groups": {"BR15": {"base_points": "81"}}, "factor": "1.1"}}
    other = small({"coefficients": {"components": [part]}, **later, **change}, other_folder)
    found = compare(cases({"pool": "employee"}, {"pool": "resident"}),
                    {"a": first, "b": other}, year=YEAR).differences  # fmt: skip
    assert found["parameter"].tolist() == found["path"].tolist()
    rows = {row[1]: row[2:4] for row in found.values.tolist()}
    assert rows["rounding.coefficient (from 2026-07-01)"] == ["4", "2"]
    assert rows["base_points.factor"] == ["1", "1.1"]
    assert rows["base points of BR15"] == ["80", "81"]
    before, after = rows["coefficients.components.1.file"]
    assert before.startswith("k.csv (")
    assert before != after
    assert len(rows) == 4


def test_a_difference_that_ends_says_when() -> None:
    def low(multiple: str) -> dict[str, Any]:
        return {"outliers": {"low": {"multiples": multiple}}}

    back = {"from": date(2026, 7, 1), **low("0.4")}
    policies = {"a": small(), "b": small({**low("0.5"), "amendments": [back]})}
    both = cases({"pool": "employee"}, {"pool": "resident"})
    found = compare(both, policies, year=YEAR).differences
    path = "outliers.low.multiples (from 2026-01-01 to 2026-06-30)"
    assert found[["path", "after"]].values.tolist() == [[path, "0.5"]]
    with use_language("zh"):
        same = compare(both, policies, year=YEAR).differences
    assert same["path"].tolist() == [path]
    assert same["parameter"].tolist() == ["outliers.low.multiples（2026-01-01 至 2026-06-30）"]


def test_decimals_of_base_points_are_one_difference() -> None:
    policies = {"a": small(), "b": small({"rounding": {"base_points": 2}})}
    both = cases({"pool": "employee"}, {"pool": "resident"})
    found = compare(both, policies, year=YEAR).differences
    assert found["path"].tolist() == ["rounding.base_points"]


@pytest.mark.parametrize(
    ("policies", "error", "words"),
    [
        ({}, PolicyError, "no policy to compare"),
        (
            {"a": small(), "b": small({"budget": {"pools": {"third": {"budget": 1}}}})},
            PolicyError,
            "the pools of b are employee, resident, third, those of a employee, resident",
        ),
        (
            {"a": small(), "b": small({"effective_from": date(2027, 1, 1)})},
            PolicyError,
            "b: policy small: it applies from 2027-01-01, not on 2026-12-31",
        ),
        (
            {"a": small(), "b": small().with_base_points(
                {"BR15": {"base_points": 80, "mean_cost": 8000, "cases": 9, "cv": 1}})},
            PolicyError,
            "b: policy small: 2 groups of 2 cases have no base points",
        ),
        (
            {"a": small({"exclusions": [{"reason": "x", "pools": ["resident"]}]})},
            BudgetError,
            "a: resident 2026: pool resident has 47500052 fen to divide and zero points",
        ),
        ({"a": small({"budget": {"months": "forecast"}})}, PolicyError, "to be forecast"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared(policies: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error) as raised:
        compare(ordinary(), policies, year=YEAR)
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (ordinary().drop(columns="hospital"), "the cases have no column hospital"),
        (ordinary().drop(columns="total_cost"), "the cases have no column total_cost"),
        (ordinary().assign(case_id="1"), "1 case ids occur more than once: 1"),
        (ordinary().assign(case_id=None), "6 cases have no id"),
        (ordinary().assign(pool="third"), "no budget for the pool third"),
        (ordinary().assign(discharge_date=pd.Timestamp("2027-03-09")), "outside 2026"),
        (ordinary().assign(total_cost=np.nan), "have no finite total_cost"),
    ],
)
def test_cases_that_cannot_be_compared(table: pd.DataFrame, words: str) -> None:
    with pytest.raises(CaseSchemaError, match=words):
        compare(table, {"a": small()}, year=YEAR)


def test_ids_that_repeat_across_slices_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sums_module, "_SLICE", 2)
    table = ordinary().assign(case_id=["1", "2", "3", "4", "5", "1"])
    with pytest.raises(CaseSchemaError, match="1 case ids occur more than once"):
        compare(table, {"a": small()}, year=YEAR)


def test_the_effect_of_coefficients() -> None:
    policy = of_may({"coefficients": {"same_price": ["GB1"]}})
    table = coefficient_effect(ordinary(), policy, YEAR)
    own = table.set_index(["pool", "hospital"])
    # BR15 with k = 1.1 earns 88 points, GB19 at the same price everywhere 300.
    assert own.loc[("employee", "H1"), ["points", "points_without"]].tolist() == [
        388_0000,
        380_0000,
    ]
    assert own.loc[("resident", "H3"), "points_difference"] == -8_0000
    assert table.groupby("pool")["difference_fen"].sum().tolist() == [0, 0]
    limited = policy.with_changes({"coefficients": {"minimum": "1.2"}})
    again = coefficient_effect(ordinary(), limited, YEAR)
    assert again["points_without"].tolist() == table["points_without"].tolist()
    flat = {"components": [{"name": "1", "weight": 1, "method": "constant", "value": 1}]}
    none = coefficient_effect(ordinary(), of_may({"coefficients": flat}), YEAR)
    assert not none[["points_difference", "difference_fen"]].to_numpy().any()

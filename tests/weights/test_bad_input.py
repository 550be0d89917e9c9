"""What cannot be read or computed is refused with what, where and what to do; a bad row is not."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from drgcore.errors import CaseSchemaError, DrgcoreError
from drgcore.weights import (
    Credibility,
    HistoryWarning,
    base_points,
    group_statistics,
    grouping_performance,
    hospital_coefficients,
    level_coefficients,
    level_cost_coefficients,
    read_history,
    riv,
    standardise_costs,
    trim_iqr,
    trim_multiples,
    trim_none,
    trim_norm,
    trim_percentiles,
)

TWO = pd.DataFrame({
    "drg": ["BR13", "BR15", "ES23"], "total_cost": [4000.0, 6000.0, 2000.0],
    "discharge_date": ["2025-03-01", "2026-03-01", "2026-04-01"],
    "hospital": ["H1", "H1", "H2"], "hospital_level": ["3", "3", "2"],
})  # fmt: skip
NOTHING = TWO.assign(total_cost=[-1.0, 0.0, np.nan])


def says(error: DrgcoreError, what: str, where: str | None, todo: str | None) -> None:
    assert what in error.message
    assert error.where == where
    assert error.hint is None if todo is None else todo in str(error.hint)
    assert str(error).startswith(f"{where}: " if where else error.message)


FILES: list[tuple[Any, str, str | None, str | None]] = [
    (TWO.drop(columns="drg"), "the cases have no column drg", "history", "group the cases first"),
    (TWO[["hospital"]], "no column drg, total_cost", "history", "costs are yuan in total_cost"),
    (TWO.assign(status="PAID"), "the status is PAID; it must be grouped, ambiguous, "
     "ungrouped, invalid", "column status", "入组"),
    (TWO.assign(scheme=["chs-drg-2.0", "chs-drg-3.0", "chs-drg-3.0"]),
     "grouped by 2 schemes: chs-drg-2.0, chs-drg-3.0", "column scheme",
     "group the cases of all years by one scheme"),
    (TWO.assign(total_cost=["4000", "6,000", "x"]), "it holds no numbers", "column total_cost",
     "1,234.50"),
    (TWO.assign(discharge_date=["2025-03-01", "1 March", None]), "holds no date",
     "column discharge_date", "2027年1月7日"),
    (TWO.assign(length_of_stay=["3", "four", None]), "it holds no numbers",
     "column length_of_stay", "1,234.50"),
    (TWO.assign(hospital=pd.Series([1, "H1", 2], dtype=object)),
     "Conversion failed for column hospital", None, "the same type"),
    (TWO.assign(total_cost=pd.Series([1.0, "x", 2], dtype=object)),
     "Conversion failed for column total_cost", None, "the same type"),
    (pd.concat([TWO, TWO[["total_cost"]]], axis=1), "two columns are called total_cost", None,
     "rename one"),
    (pa.table([["A"], [1.0], [2.0]], names=["drg", "total_cost", "total_cost"]),
     "two columns are called total_cost", None, "rename one"),
]  # fmt: skip


@pytest.mark.parametrize(("cases", "what", "where", "todo"), FILES)
def test_files(cases: Any, what: str, where: str | None, todo: str | None) -> None:
    for measure in (read_history, group_statistics, trim_none, grouping_performance):
        with pytest.raises(CaseSchemaError) as caught:
            measure(cases)
        says(caught.value, what, where, todo)


def weights(**options: Any) -> Any:
    return base_points(TWO, **{"scale": 100} | options)


PARAMETERS: list[tuple[Any, dict[str, Any], str]] = [
    *((weights, {"scale": s}, f"scale={s} must be positive") for s in (0, -1, np.nan, np.inf)),
    (weights, {"absent": ["adrg", "guess"]}, "must list 'national', 'adrg' or both"),
    (weights, {"absent": "adrg"}, "must list 'national', 'adrg' or both"),
    (weights, {"absent": ["national"]}, "national weights are asked for and none are given"),
    (weights, {"credibility": Credibility("national", k=50)}, "asked for and none are given"),
    (weights, {"credibility": Credibility("adrg")}, "k cannot be estimated from 3 groups"),
    (weights, {"year_weights": {2025: 1, 2026: -1}}, "must be positive numbers or 0"),
    (weights, {"year_weights": {2025: 1, 2026: np.nan}}, "must be positive numbers or 0"),
    (weights, {"year_weights": {2025: 0, 2026: 0}}, "must be positive numbers or 0"),
    (weights, {"year_weights": {2025: 1, 2026: 1}, "year_method": "mean"},
     "year_method='mean' must be of_means or of_cases"),
    (weights, {"national": {"BR13": 0.0}}, "national weights must be positive: BR13"),
    (weights, {"national": {"BR13": np.nan}}, "national weights must be positive: BR13"),
    (weights, {"national": pd.DataFrame({"drg": ["BR13"], "weight": [1.0]})},
     "the national weights lack relative_weight"),
    (weights, {"national": pd.DataFrame({"drg": ["BR13"] * 2, "relative_weight": [1.0, 2.0]})},
     "the national weights name a DRG twice"),
    (Credibility, {"towards": "mdc"}, "towards='mdc' must be 'adrg' or 'national'"),
    *((Credibility, {"towards": "adrg", "k": k}, "must be a number of cases, not negative")
      for k in (-1, np.nan, "fifty")),
    (trim_iqr, {"cases": TWO, "low": -1}, "low=-1 must be a number"),
    (trim_iqr, {"cases": TWO, "high": np.nan}, "high=nan must be a number"),
    (trim_iqr, {"cases": TWO, "high": np.inf}, "high=inf must be a number"),
    (trim_norm, {"cases": TWO, "high": {}}, "needs a multiple for each hospital level"),
    (riv, {"values": [1.0, 2.0], "groups": [0]}, "one finite value and one group for each case"),
    (riv, {"values": [1.0, 2.0], "groups": [0, -1]}, "groups counted from 0"),
    (riv, {"values": [1.0, np.nan], "groups": [0, 0]}, "one finite value"),
    (read_history, {"cases": read_history(TWO), "cost": "other"}, "a history is read already"),
    (trim_multiples, {"cases": TWO, "low": 3, "high": 0.4}, "low=3 must lie below high=0.4"),
    (trim_multiples, {"cases": TWO, "low": 0.4, "high": np.nan}, "must lie below high=nan"),
    (trim_percentiles, {"cases": TWO, "low": -1, "high": 99}, "low=-1 must be a number"),
    (trim_percentiles, {"cases": TWO, "low": 1, "high": 101}, "a percentile is at most 100"),
    (trim_norm, {"cases": TWO, "high": {"2": 0.1, "3": 3}}, "low=0.3 must lie below high=0.1"),
    (group_statistics, {"cases": TWO, "by": []}, "by=[] must name keys, each once"),
    (group_statistics, {"cases": TWO, "by": ["drg", "drg"]}, "must name keys, each once"),
    (group_statistics, {"cases": TWO, "by": "sex"}, "cannot be broken down by 'sex'"),
    (group_statistics, {"cases": TWO, "quantiles": [50]}, "must lie between 0 and 1"),
    (group_statistics, {"cases": TWO, "quantiles": [np.nan]}, "must lie between 0 and 1"),
    (standardise_costs, {"cases": TWO, "target": {}}, "the target shares add up to 0"),
    (standardise_costs, {"cases": TWO, "target": {"total_cost": 0.9}}, "add up to 0.9"),
    (standardise_costs, {"cases": TWO, "target": {"total_cost": np.nan}},
     "the target share of total_cost is not a number from 0 to 1"),
    (standardise_costs, {"cases": TWO, "target": {"total_cost": 1.5, "drugs": -0.5}},
     "the target share of drugs is not a number from 0 to 1"),
    (standardise_costs, {"cases": TWO, "target": {"total_cost": 0.5, "drugs": 0.5}},
     "the cases have no cost category drugs"),
    (standardise_costs, {"cases": NOTHING, "target": {"total_cost": 1}},
     "category total_cost shall have a share, but costs nothing"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "options", "what"), PARAMETERS)
def test_parameters(call: Any, options: dict[str, Any], what: str) -> None:
    with pytest.raises(DrgcoreError) as caught:
        call(**options)
    assert what in str(caught.value)


def test_a_year_without_weight() -> None:
    with pytest.raises(CaseSchemaError) as caught:
        weights(year_weights={2026: 1})
    says(caught.value, "no weight is given for year 2025 (1 cases)", "year_weights",
         "name every year of the cases; 0 leaves one out")  # fmt: skip
    with pytest.raises(CaseSchemaError) as caught:
        base_points(TWO.drop(columns="discharge_date"), scale=100, year_weights={2026: 1})
    says(caught.value, "the cases have no column discharge_date", "statistics by year", None)
    undated = TWO.assign(discharge_date=["2025-03-01", None, None])
    with pytest.raises(CaseSchemaError) as caught:
        base_points(undated, scale=100, year_weights={2025: 1})
    says(caught.value, "2 cases have no discharge date, so no year", "year_weights", None)
    # What is not used for calibration needs no year.
    base_points(undated.assign(status=["grouped", "ungrouped", "invalid"]), scale=100,
                year_weights={2025: 1})  # fmt: skip


@pytest.mark.parametrize("method", ["of_means", "of_cases"])
def test_a_year_of_weight_0_is_left_out(method: Any) -> None:
    table = weights(year_weights={2025: 0, 2026: 1}, year_method=method)
    alone = base_points(TWO.iloc[1:], scale=100)
    assert table.mean_cost == alone.mean_cost
    assert table.table.drop(columns="years").equals(alone.table.drop(columns="years"))
    # A DRG that only this year has is without weight, or gets one as the others that are absent.
    plan = weights(year_weights={2025: 0, 2026: 1}, scheme="chs-drg-3.0", absent=["adrg"])
    row = plan.table.set_index("drg").loc["BR13"]
    assert (row["cases"], row["source"], row["relative_weight"]) == (0, "adrg", 1.5)


def test_levels_are_asked_for() -> None:
    lacking = TWO.drop(columns="hospital_level")
    empty = TWO.assign(hospital_level=["3", None, "2"])
    calls: list[tuple[Any, dict[str, Any]]] = [
        (level_coefficients, {}), (level_cost_coefficients, {"n_min": 1}),
    ]  # fmt: skip
    for measure, options in calls:
        with pytest.raises(CaseSchemaError) as caught:
            measure(lacking)
        says(caught.value, "the cases have no column hospital_level",
             "statistics by hospital_level", None)  # fmt: skip
        with pytest.raises(CaseSchemaError) as caught:
            measure(empty)
        says(caught.value, "1 cases have no hospital_level, first in row 2",
             "column hospital_level", "give it for every case")  # fmt: skip
        # A case that is not used needs none.
        assert len(measure(empty.assign(total_cost=[4000.0, -1.0, 2000.0]), **options)) == 2
    with pytest.raises(CaseSchemaError, match="no column hospital_level"):
        trim_norm(lacking)
    with pytest.raises(CaseSchemaError) as caught:
        trim_norm(TWO.assign(hospital_level=["3", None, "1"]))
    says(caught.value, "level none (1 cases), 1 (1 cases)", "trim_norm", "give one for each level")
    with pytest.raises(CaseSchemaError) as caught:
        hospital_coefficients(TWO.assign(hospital=["H1", "H1", ""]))
    says(caught.value, "1 cases have no hospital, first in row 3", "column hospital", "every case")


@pytest.mark.parametrize("paid", [[1.0, np.nan, 1.0], [1.0, -0.5, 1.0], [1.0, 6000.01, 1.0]])
def test_what_patients_paid(paid: list[float]) -> None:
    with pytest.raises(CaseSchemaError) as caught:
        hospital_coefficients(TWO.assign(patient_paid=paid))
    says(caught.value, "1 cases have no patient_paid between 0 and their cost, first in row 2",
         "column patient_paid", None)  # fmt: skip


def test_no_case_to_calibrate_with() -> None:
    for cases in (NOTHING, TWO.iloc[:0], TWO.assign(drg=None), TWO.assign(status="invalid")):
        for measure in (weights, level_coefficients, level_cost_coefficients,
                        hospital_coefficients):  # fmt: skip
            with pytest.raises(CaseSchemaError) as caught:
                base_points(cases, scale=100) if measure is weights else measure(cases)
            says(caught.value, "no case can be used for calibration", "history", None)
        # Tables of nothing are empty, not errors, and have their columns.
        assert len(group_statistics(cases)) == 0
        assert {"drg", "mean_cost", "stable"} <= set(group_statistics(cases))
        for trimming in (trim_none(cases), trim_iqr(cases), trim_multiples(cases, 0.4, 3)):
            assert not trimming.keep.any()
            assert len(trimming.table) == 0
        table = grouping_performance(cases, bootstrap=5).set_index("metric")["value"]
        assert np.isnan(table["riv"])
        assert table["groups"] == 0


def test_every_case_left_out_is_counted_once() -> None:
    cases = pd.DataFrame({
        "drg": ["A", "A", None, "A", "A", "A", "A", "A", "", None],
        "status": ["grouped", None, "grouped", "invalid", "ambiguous", "grouped", "grouped",
                   "grouped", "grouped", "invalid"],
        "total_cost": [1.0, 1.0, 1.0, -1.0, np.nan, np.inf, -5.0, 0.0, 1.0, 1.0],
    })  # fmt: skip
    assert read_history(cases).left_out.to_numpy().tolist() == [
        ["ambiguous", 1], ["ungrouped", 3], ["invalid", 2], ["cost_missing", 1],
        ["cost_negative", 1], ["cost_zero", 1],
    ]  # fmt: skip
    weights = base_points(cases, scale=100)
    assert weights.left_out["cases"].sum() == 9
    assert weights.table["cases"].tolist() == [1]


@pytest.mark.parametrize("status", [None, ""])
def test_an_empty_status_is_ungrouped_with_or_without_others(status: str | None) -> None:
    cases = pd.DataFrame({"drg": ["A", "A"], "total_cost": 1.0, "status": [status, status]})
    assert not read_history(cases).usable.any()
    assert read_history(cases.assign(status=[status, "grouped"])).usable.tolist() == [False, True]
    assert read_history(cases.drop(columns="status")).usable.all()


def test_scheme_column_of_one_scheme() -> None:
    """One name, with gaps, is one scheme; so are cases without the column."""
    assert len(read_history(TWO.assign(scheme=["x", None, "x"]))) == 3


def two_years(strange: float, n: int = 1000) -> pd.DataFrame:
    """The second year has this share of its cases in groups that the first lacks."""
    other = round(strange * n)
    return pd.DataFrame({
        "drg": ["AA11"] * n + ["AA11"] * (n - other) + ["ZZ11"] * other, "total_cost": 1.0,
        "discharge_date": ["2025-01-01"] * n + ["2026-01-01"] * n,
    })  # fmt: skip


def test_a_year_that_looks_like_another_scheme() -> None:
    with pytest.warns(
        HistoryWarning, match="201 of 1,000 cases of 2026 are in groups that no"
    ) as w:
        read_history(two_years(0.201))
    assert "another scheme?" in str(w[0].message)
    assert w[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_history(two_years(0.2))
        read_history(two_years(1.0, 499))
        read_history(two_years(1.0).assign(discharge_date="2025-01-01"))
        read_history(two_years(1.0).drop(columns="discharge_date"))
        read_history(two_years(1.0).assign(discharge_date=["2025-01-01"] * 1000 + [None] * 1000))


def test_a_drg_that_the_scheme_lacks() -> None:
    cases = pd.DataFrame({"drg": ["BR13", "BR99", "XX01", "XX01"], "total_cost": 1.0})
    with pytest.raises(CaseSchemaError) as caught:
        base_points(cases, scale=100, scheme="chs-drg-3.0")
    says(caught.value, "2 DRGs of 3 cases are not in chs-drg-3.0: BR99, XX01", "history",
         "group the cases of all years by this scheme")  # fmt: skip
    # Cases that are not used may be of any group.
    unused = cases.assign(total_cost=[1.0, 0.0, np.nan, -1.0])
    assert base_points(unused, scale=100, scheme="chs-drg-3.0").mean_cost == 1


def test_absent_groups_have_no_weight_unless_a_source_is_named() -> None:
    cases = pd.DataFrame({"drg": ["ES11", "ES23"], "total_cost": [3000.0, 1000.0]})
    national = {"ES13": 1.7, "BR29": 9.0, "ES23": 5.0}
    bare = base_points(cases, scale=100, scheme="chs-drg-3.0", national=national)
    table = bare.table.set_index("drg")
    absent = table[table["cases"] == 0]
    assert len(table) > 600
    assert (
        absent[["relative_weight", "base_points", "mean_cost", "own_weight"]].isna().all(axis=None)
    )
    assert (absent["source"] == "none").all()
    assert (absent["why_unstable"] == "few_cases").all()
    assert bare.without == absent.index.tolist()
    assert bare.policy_table()["drg"].tolist() == ["ES11", "ES23"]

    for order, of_es13 in ((["national", "adrg"], 1.7), (["adrg", "national"], 1.5)):
        filled = base_points(
            cases, scale=100, scheme="chs-drg-3.0", national=national, absent=order
        )
        table = filled.table.set_index("drg")
        assert table.loc["ES13", "relative_weight"] == of_es13
        assert table.loc["ES13", "source"] == order[0]
        assert table.loc["ES15", ["relative_weight", "source"]].tolist() == [1.5, "adrg"]
        assert table.loc["BR29", ["relative_weight", "source"]].tolist() == [9.0, "national"]
        # Groups with cases keep their own weight.
        assert table.loc["ES23", ["relative_weight", "source"]].tolist() == [0.5, "history"]
        assert not set(filled.without) & {"ES13", "ES15", "BR29"}
        assert not (filled.policy_table()["base_points"] == 0).any()
        rows = filled.policy_table().set_index("drg")
        assert rows.loc["BR29"].tolist() == [900.0, 18000.0, 0, 0.0, False]


def test_many_keys_need_little_memory() -> None:
    """A product of keys with more combinations than would fit into memory."""
    n = 3000
    cases = pd.DataFrame({
        "drg": [f"{chr(65 + i % 26)}A{i % 977:03d}" for i in range(n)], "total_cost": 1.0,
        "hospital": [f"H{i}" for i in range(n)], "hospital_level": [str(i % 3) for i in range(n)],
        "pool": [f"P{i % 7}" for i in range(n)],
    })  # fmt: skip
    by = ["mdc", "adrg", "drg", "hospital", "hospital_level", "pool"]
    table = group_statistics(cases, by)
    assert len(table) == n
    assert table["cases"].eq(1).all()
    few = group_statistics(cases.iloc[:5], by)
    some = table[table["hospital"].isin(few["hospital"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(some, few)


def test_what_stands_in_a_cell_is_not_repeated() -> None:
    secret = "Zhang San"
    for column, row in (("total_cost", 2), ("discharge_date", 3)):
        cells = ["4000", "4000", "4000"] if column == "total_cost" else ["2025-03-01"] * 3
        cells[row - 1] = secret
        with pytest.raises(
            CaseSchemaError, match=f"row {row} (is the first|holds no date)"
        ) as caught:
            read_history(TWO.assign(**{column: cells}))
        assert secret not in str(caught.value)


def test_a_year_beside_cases_without_date_is_a_whole_number() -> None:
    cases = TWO.assign(discharge_date=pd.to_datetime(["2025-03-01", None, "2026-04-01"]))
    assert group_statistics(cases, "year")["year"].tolist() == [None, 2025, 2026]


@pytest.mark.parametrize("form", ["mapping", "pandas", "arrow", "polars"])
def test_national_weights_come_in_any_form(form: str) -> None:
    frame = pd.DataFrame({"drg": ["BR13", "ES23"], "relative_weight": [1.5, 0.5]})
    national = {
        "mapping": {"BR13": 1.5, "ES23": 0.5},
        "pandas": frame,
        "arrow": pa.Table.from_pandas(frame),
        "polars": pl.from_pandas(frame),
    }[form]
    found = base_points(
        TWO, scale=100, national=national, credibility=Credibility("national", k=10)
    )
    targets = dict(zip(found.table["drg"], found.table["target"], strict=True))
    assert targets["BR13"] == 1.5
    assert targets["ES23"] == 0.5

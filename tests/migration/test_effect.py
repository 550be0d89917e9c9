"""Weights and money of hospitals before and after, against plain pandas and exact fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from drgcore.errors import BudgetError, CaseSchemaError
from drgcore.migration import Migration, migrate, migration_effect
from drgcore.rounding import round_half_up
from drgcore.synthetic import sample_cases
from tests.grouper.helpers import scheme

BUDGETS = {"employee": "12345678.91", "resident": 7000000}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Cases of a made-up region, some of them with faults."""
    cases = sample_cases(3000, scheme("chs-drg-1.1"), seed=6, dirty=0.05)
    return cases.to_pandas()


@pytest.fixture(scope="module")
def moved(frame: pd.DataFrame) -> Migration:
    """Them by both schemes."""
    return migrate(frame, scheme("chs-drg-1.1"), scheme("chs-drg-3.0"))


def _plain_weights(frame: pd.DataFrame, moved: Migration, side: str) -> pd.Series:
    """Weight of each case by plain pandas, NaN for none."""
    results = moved.results.to_pandas()
    grouped = results[f"{side}_status"] == "grouped"
    drg = results[f"{side}_drg"].astype(object).where(grouped)
    cost = frame["total_cost"]
    mean = cost[grouped.to_numpy()].mean()
    by_drg = cost.groupby(drg.to_numpy()).mean() / mean
    rounded = pd.Series(round_half_up(by_drg.to_numpy(), 4), by_drg.index)
    return drg.map(rounded).astype(float)


def test_weights_from_the_cases_themselves(frame: pd.DataFrame, moved: Migration) -> None:
    effect = migration_effect(frame, moved, budgets=BUDGETS)
    for side in ("before", "after"):
        weight = _plain_weights(frame, moved, side)
        for table, name in ((effect.hospitals, "hospital"), (effect.levels, "hospital_level")):
            sums = weight.groupby(frame[name]).agg(["sum", "count"])
            found = table.set_index(name)
            assert list(found.index) == sorted(sums.index)
            assert found[f"cases_{side}"].to_dict() == sums["count"].to_dict()
            assert found[f"weight_{side}"].to_numpy() == pytest.approx(sums["sum"].to_numpy())
            cmi = (sums["sum"] / sums["count"]).to_numpy()
            assert found[f"cmi_{side}"].to_numpy() == pytest.approx(cmi)
            assert found[f"share_{side}"].sum() == pytest.approx(1)
        without = effect.without_weight[effect.without_weight["side"] == side]
        assert without["cases"].sum() == weight.isna().sum()
        assert set(without["status"]) <= {"ambiguous", "ungrouped", "invalid"}
        mdc = effect.mdcs.set_index("mdc")[f"weight_{side}"]
        by_mdc = weight.groupby(moved.results[f"{side}_mdc"].to_pandas().astype(str)).sum()
        assert mdc[mdc > 0].to_dict() == pytest.approx(by_mdc[by_mdc > 0].to_dict())


def test_money_adds_up_and_follows_the_weight(frame: pd.DataFrame, moved: Migration) -> None:
    money = migration_effect(frame, moved, budgets=BUDGETS).money
    assert money is not None
    for pool, total in (("employee", 1234567891), ("resident", 700000000)):
        part = money[money["pool"] == pool]
        for side in ("before", "after"):
            assert part[f"{side}_fen"].sum() == total
            units = [Fraction(round(w * 10_000)) for w in part[f"weight_{side}"]]
            quotas = [total * u / sum(units) for u in units]
            assert all(abs(q - f) < 1 for q, f in zip(quotas, part[f"{side}_fen"], strict=True))
        assert part["difference_fen"].sum() == 0


def test_within_a_hospital_money_adds_up_by_department_and_mdc(
    frame: pd.DataFrame, moved: Migration
) -> None:
    cases = frame.assign(department=frame["department"].where(frame.index % 50 != 0))
    effect = migration_effect(cases, moved, budgets=BUDGETS)
    assert effect.money is not None
    whole = effect.money.set_index(["pool", "hospital"])
    for name, table in (("department", effect.money_departments), ("mdc", effect.money_mdcs)):
        assert table is not None
        assert not table.duplicated(["pool", "hospital", name]).any()
        sums = table.groupby(["pool", "hospital"]).sum(numeric_only=True)
        for side in ("before", "after"):
            assert sums[f"{side}_fen"].to_dict() == whole[f"{side}_fen"].to_dict()
            assert sums[f"weight_{side}"].to_numpy() == pytest.approx(
                whole.loc[sums.index, f"weight_{side}"].to_numpy()
            )
        assert (table["difference_fen"] == table["after_fen"] - table["before_fen"]).all()
    for side in ("before", "after"):
        weight = _plain_weights(frame, moved, side)
        sums = weight.groupby([cases["hospital"], cases["department"].fillna("")]).sum()
        found = effect.departments.set_index(["hospital", "department"])[f"weight_{side}"]
        assert found.to_dict() == pytest.approx(sums.to_dict())
    without = migration_effect(frame.drop(columns="department"), moved)
    assert set(without.departments["department"]) == {""}
    assert without.money_departments is None


def test_neither_the_order_of_rows_nor_the_unit_of_cost_matters(
    frame: pd.DataFrame, moved: Migration
) -> None:
    one = migration_effect(frame, moved, budgets=BUDGETS)
    order = np.random.default_rng(7).permutation(len(frame))
    shuffled = frame.iloc[order].reset_index(drop=True)
    again = migrate(shuffled, scheme("chs-drg-1.1"), scheme("chs-drg-3.0"))
    other = migration_effect(shuffled, again, budgets=BUDGETS)
    doubled = frame.assign(total_cost=frame["total_cost"] * 2)
    twice = migration_effect(doubled, moved, budgets=BUDGETS)
    for name, table in one.tables().items():
        pd.testing.assert_frame_equal(table, other.tables()[name], check_exact=True)
        pd.testing.assert_frame_equal(table, twice.tables()[name])


def test_given_weights_and_groups_that_have_none(frame: pd.DataFrame, moved: Migration) -> None:
    counts = moved.results["before_drg"].to_pandas().value_counts()
    common = counts.index[0]
    weights = pd.DataFrame({"drg": [common], "relative_weight": [1.23455]})
    effect = migration_effect(frame, moved, weights, weights)
    assert effect.hospitals["weight_before"].sum() == pytest.approx(1.2346 * counts.iloc[0])
    without = effect.without_weight[effect.without_weight["side"] == "before"]
    assert without["cases"].sum() == len(frame) - counts.iloc[0]
    assert common not in set(without["drg"])
    # Every hospital is there, also one without any weight.
    assert list(effect.hospitals["hospital"]) == sorted(frame["hospital"].unique())
    assert effect.money is None


def test_a_scheme_to_itself_moves_no_money(frame: pd.DataFrame) -> None:
    same = migrate(frame, scheme("chs-drg-1.1"), scheme("chs-drg-1.1"))
    effect = migration_effect(frame, same, budgets=BUDGETS)
    assert effect.money is not None
    assert not effect.money["difference_fen"].any()


def test_what_is_refused(frame: pd.DataFrame, moved: Migration) -> None:
    with pytest.raises(CaseSchemaError, match="2,999 cases, the migration has 3,000"):
        migration_effect(frame.iloc[1:], moved)
    with pytest.raises(CaseSchemaError, match="no column hospital"):
        migration_effect(frame.drop(columns="hospital"), moved)
    with pytest.raises(CaseSchemaError, match="no column total_cost"):
        migration_effect(frame.drop(columns="total_cost"), moved)
    with pytest.raises(BudgetError, match="no budget is given for the pool resident"):
        migration_effect(frame, moved, budgets={"employee": 1})
    with pytest.raises(BudgetError, match="the cases of the pool third have no weight"):
        migration_effect(frame, moved, budgets={**BUDGETS, "third": 1})
    twice = pd.DataFrame({"drg": ["A", "A"], "relative_weight": [1, 1]})
    with pytest.raises(CaseSchemaError, match="weights before: a DRG occurs twice: A"):
        migration_effect(frame, moved, twice)
    wrong = pd.DataFrame({"drg": ["A", "B"], "relative_weight": [1, "x"]})
    with pytest.raises(CaseSchemaError, match="weights after: the relative weight of B"):
        migration_effect(frame, moved, None, wrong)
    with pytest.raises(CaseSchemaError, match="no column relative_weight"):
        migration_effect(frame, moved, pd.DataFrame({"drg": ["A"]}))

"""The bureau's returned statement against ours: every difference has its kinds and its fen."""

from __future__ import annotations

import random

import numpy as np
import pandas as pd
import pytest

from drgcore.errors import BudgetError, CaseSchemaError
from drgcore.trial import compare_returned, valued_cases
from tests.reference.plain_returned import plain_comparison


def ours(**columns: object) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "case_id": ["1", "2", "3", "4"],
            "hospital": "H1",
            "pool": "p",
            "drg": ["AA11", "BB11", "CC11", None],
            "points": [100.0, 50.0, 80.0, 20.0],
            "value": 64.0,
            "deduction_fen": 0,
            "amount_fen": [640_000, 320_000, 512_000, 128_000],
        }
    )
    return frame.assign(**columns)


def returned(**columns: object) -> pd.DataFrame:
    """The same as the bureau would write it."""
    frame = pd.DataFrame(
        {
            "case_id": ["1", "2", "3", "4"],
            "drg": ["AA11", "BB11", "CC11", "0000"],
            "points": ["100", "50", "80", "20"],
            "value": ["64"] * 4,
            "deduction": ["0"] * 4,
            "amount": ["6400.00", "3200.00", "5120.00", "1280.00"],
        }
    )
    return frame.assign(**columns)


def test_what_agrees_agrees() -> None:
    same = compare_returned(ours(), returned())
    assert same.agreement == 1
    assert same.differing.empty
    assert same.by_kind["difference_fen"].tolist() == [0] * 7


def test_each_kind_has_its_part() -> None:
    theirs = returned(
        drg=["AA13", "BB11", "CC11", "0000"],
        points=["90", "50", "80", "20"],
        deduction=["0", "100.00", "0", "0"],
        amount=["5760.00", "3100.00", "5120.07", "1280.00"],
    )
    found = compare_returned(ours(), theirs)
    rows = found.rows.set_index("case_id")
    assert rows["kinds"].tolist() == ["group", "deduction", "other", ""]
    assert rows.loc["1", "group_fen"] == -64_000
    assert rows.loc["2", "deduction_fen"] == -10_000
    assert rows.loc["3", "other_fen"] == 7
    assert found.agreement == 0.25
    assert found.differing["case_id"].tolist() == ["1", "2", "3"]


def test_another_value_and_other_points_of_one_case_are_told_apart() -> None:
    # 110 points at 60 instead of 100 at 64: + 640.00 by points, − 440.00 by value.
    theirs = returned(
        points=["110", "50", "80", "20"],
        value=["60"] * 4,
        amount=["6600.00", "3000.00", "4800.00", "1200.00"],
    )
    rows = compare_returned(ours(), theirs).rows
    assert rows["points_fen"].tolist() == [64_000, 0, 0, 0]
    assert rows["value_fen"].tolist() == [-44_000, -20_000, -32_000, -8_000]
    assert rows["kinds"].tolist() == ["points;value", "value", "value", "value"]


def test_a_value_that_is_not_named_is_the_usual_one() -> None:
    theirs = returned(amount=["6000.00", "3000.00", "4800.00", "1199.00"])
    found = compare_returned(ours(), theirs.drop(columns=["value", "deduction"]))
    assert found.rows["value_fen"].tolist() == [-40_000, -20_000, -32_000, -8_000]
    assert found.rows["other_fen"].tolist() == [0, 0, 0, -100]


def test_what_is_on_one_side_only() -> None:
    theirs = pd.concat([returned().iloc[:3], returned().iloc[[3]].assign(case_id="9")])
    found = compare_returned(ours(), theirs)
    rows = found.rows.set_index("case_id")
    assert rows.loc["4", ["kinds", "difference_fen"]].tolist() == ["missing_returned", -128_000]
    assert rows.loc["9", ["kinds", "difference_fen"]].tolist() == ["missing_ours", 128_000]
    kinds = found.by_kind.set_index("kind")
    assert kinds.loc[["missing_returned", "missing_ours"], "rows"].tolist() == [1, 1]


def test_chinese_headings_and_padded_ids() -> None:
    theirs = returned(case_id=[" 1", "2 ", "3", "4"]).rename(
        columns={
            "case_id": "结算ID",
            "drg": "病组编码",
            "points": "点数",
            "value": "点值",
            "deduction": "扣款金额",
            "amount": "支付金额",
        }
    )
    assert compare_returned(ours(), theirs).agreement == 1


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"case_id": ["1", "1", "3", "4"]}, "occur more than once: rows 1, 2"),
        ({"case_id": ["1", None, "3", "4"]}, "row 2 has no case_id"),
        ({"amount": ["1", None, "3", "4"]}, "row 2 has no amount"),
        ({"amount": ["1", "2", "three", "4"]}, "row 3 is the first that cannot be read"),
    ],
)
def test_a_statement_that_cannot_be_compared(columns: dict[str, object], message: str) -> None:
    with pytest.raises(CaseSchemaError, match=message):
        compare_returned(ours(), returned(**columns))


def test_a_statement_without_its_columns() -> None:
    with pytest.raises(CaseSchemaError, match="no column amount"):
        compare_returned(ours(), returned().drop(columns="amount"))
    with pytest.raises(CaseSchemaError, match="neither a column case_id nor hospital"):
        compare_returned(ours(), returned().drop(columns="case_id"))
    with pytest.raises(CaseSchemaError, match="both the amount"):
        compare_returned(ours(), returned(支付金额=["1"] * 4))


def test_hospitals_are_compared_where_there_are_no_cases() -> None:
    mine = pd.DataFrame({"hospital": ["A", "B"], "pool": "p", "points": [3.0, 4.0]})
    mine = mine.assign(value=10.0, deduction_fen=0, amount_fen=[3_000, 4_000])
    theirs = pd.DataFrame({"医疗机构编码": ["A", "B"], "险种": "p", "点数": [3.0, 5.0]})
    found = compare_returned(mine, theirs.assign(支付金额=[30.0, 50.0]))
    assert found.rows["kinds"].tolist() == ["", "points"]
    two = pd.concat([mine, mine.assign(pool="q")])
    with pytest.raises(CaseSchemaError, match="no column pool"):
        compare_returned(two, theirs.drop(columns="险种").assign(支付金额=[30.0, 50.0]))


def test_random_statements_equal_the_plain_comparison() -> None:
    for seed in range(200):
        draw = random.Random(seed)
        mine, theirs = [], []
        for number in range(draw.randint(1, 12)):
            points = draw.randint(0, 2_000_000) / 10_000
            row = {"case_id": str(number), "drg": draw.choice(["AA11", "AA13", None])}
            row |= {"points": points, "value": 64.25, "deduction_fen": draw.choice([0, 0, 500])}
            row["amount_fen"] = round(points * 6425) - row["deduction_fen"]
            other = {"case_id": str(number), "drg": draw.choice([row["drg"], "BB11", "0000"])}
            other["points"] = draw.choice([points, points / 2, points + 1])
            other["value"] = draw.choice([64.25, 60.0])
            other["deduction"] = draw.choice([0, 5.0, 7.01])
            exact = other["points"] * other["value"] - other["deduction"]
            other["amount"] = round(exact + draw.choice([0, 0, 1.23]), 2)
            mine += [row] * (draw.random() < 0.9)
            theirs += [other] * (draw.random() < 0.9)
        if not mine or not theirs:
            continue
        found = compare_returned(pd.DataFrame(mine), pd.DataFrame(theirs))
        rows = found.rows.to_dict("records")
        expected = plain_comparison(mine, theirs)
        assert [row["case_id"] for row in rows] == sorted(expected)
        for row in rows:
            kinds, parts = expected[row["case_id"]]
            assert row["kinds"] == kinds
            assert {name: row[f"{name}_fen"] for name in parts} == parts
            if "missing" not in kinds:
                assert sum(parts.values()) == row["difference_fen"]
        total = sum(row["difference_fen"] for row in rows)
        assert found.by_kind["difference_fen"].sum() == total


def test_cases_valued_at_a_given_value() -> None:
    cases = pd.DataFrame({"case_id": ["1"], "hospital": ["H"], "pool": ["p"]})
    cases = cases.assign(drg="AA11", points=[174_098.0])
    assert valued_cases(cases, {"p": 64})["amount_fen"].tolist() == [1_114_227_200]
    with pytest.raises(BudgetError, match="no point value of pool p"):
        valued_cases(cases, {"q": 64})
    assert np.isclose(valued_cases(cases, {"p": "64.5"})["value"], 64.5).all()

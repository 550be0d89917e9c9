"""Tables of a settlement as rows and as frames say the same."""

from __future__ import annotations

import pickle
from dataclasses import fields

import pandas as pd
from hypothesis import given, settings

from drgcore.budget.frames import FLOW_COLUMNS, MOVE_COLUMNS, records
from drgcore.budget.month_end import MonthSettlement
from drgcore.budget.sheets import Sheet
from drgcore.budget.tables import MONTH_TABLES, YEAR_TABLES, plain, plain_table

from .test_more_rules import SEEDS, settled


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_rows_are_those_of_the_frames(seed: int) -> None:
    found = settled(seed)
    assert found is not None
    _, months, year = found
    for settlement, names in (*((month, MONTH_TABLES) for month in months), (year, YEAR_TABLES)):
        rows = {name: settlement.records(name) for name in names}
        columns = {name: settlement.columns(name) for name in names}
        before = plain(settlement)
        for name in names:
            frame = getattr(settlement, name)
            assert rows[name] == records(frame) == settlement.records(name)
            assert list(columns[name]) == list(frame.columns)
            assert columns[name] == settlement.columns(name)
            pd.testing.assert_frame_equal(before[name], plain_table(settlement, name))


def test_a_frame_that_is_out_is_what_the_table_says() -> None:
    sheet = Sheet([("p", "closing", 5)], MOVE_COLUMNS)
    assert sheet.records()[0]["amount_fen"] == 5
    sheet.frame.loc[0, "amount_fen"] = 7
    assert sheet.records() == [{"pool": "p", "item": "closing", "amount_fen": 7}]
    assert sheet.columns()["amount_fen"] == [7]
    sheet.records()[0]["amount_fen"] = 9
    assert sheet.records()[0]["amount_fen"] == 7


def test_a_settlement_without_flows_has_their_columns_and_can_be_stored() -> None:
    found = settled(1)
    assert found is not None
    month = found[1][0]
    frames = (month.point_values, month.statement, month.classes, month.reserve)
    short = MonthSettlement(month.month, *frames)
    assert tuple(short.flows.columns) == FLOW_COLUMNS
    assert short.records("flows") == []
    again = pickle.loads(pickle.dumps(short))
    for field in fields(MonthSettlement):
        if field.name not in ("month", "other_cases"):
            pd.testing.assert_frame_equal(getattr(again, field.name), getattr(short, field.name))

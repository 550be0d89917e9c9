"""Small schemes that differ in one known thing: the reason is exactly that."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from drgcore.errors import CaseSchemaError
from drgcore.migration import Migration, migrate
from tests.grouper.helpers import Row, case_row, table_of
from tests.schemes.conftest import Rows, make_scheme

pytestmark = pytest.mark.usefixtures("small_dictionaries")

EPILEPSY, BLEEDING, ARREST, HYPERTENSION = "G40.900", "I61.900", "I46.900", "I10.x00"
CRANIOTOMY = "01.2400"


def case(
    principal: str | None, others: list[str], procedure: str | None = None, **more: Any
) -> Row:
    """A grown man, or whatever else is said."""
    return case_row(principal, others, procedure, **{"sex": 1, "age_years": 50, **more})


def moved_by(before: Rows, after: Rows, *cases: Row) -> Migration:
    """Migrate cases between two small schemes."""
    return migrate(table_of(cases), make_scheme(before, "old"), make_scheme(after, "new"))


def reason(moved: Migration) -> dict[str, str | None]:
    """The reason of the only changed case, without what is none."""
    (row,) = moved.changed.to_pylist()
    names = ("kind", "side", "level", "group", "set_id", "codes")
    return {n: row[n] for n in (*names, *(f"then_{n}" for n in names)) if row[n] is not None}


def copied(rows: Rows) -> Rows:
    """Rows to be changed."""
    return {table: [list(row) for row in listed] for table, listed in rows.items()}


def test_a_procedure_that_left_a_set(rows: Rows) -> None:
    after = copied(rows)
    after["sets"].remove(["OP_BB1", CRANIOTOMY])
    moved = moved_by(rows, after, case(EPILEPSY, [], CRANIOTOMY), case(EPILEPSY, [], "01.2500"))
    assert reason(moved) == {
        "kind": "code_left_set",
        "side": "before",
        "level": "ADRG",
        "group": "BB1",
        "set_id": "OP_BB1",
        "codes": CRANIOTOMY,
    }
    assert moved.changed["row"].to_pylist() == [1]
    assert moved.changed["after_adrg"].to_pylist() == ["BQY"]
    assert "01.2400 left OP_BB1 (ADRG BB1)" in str(moved)


def test_a_procedure_that_went_from_one_set_to_another(rows: Rows) -> None:
    after = copied(rows)
    after["sets"].remove(["OP_BB1", CRANIOTOMY])
    after["sets"].append(["OP_AA1", CRANIOTOMY])
    assert reason(moved_by(rows, after, case(EPILEPSY, [], CRANIOTOMY))) == {
        "kind": "code_left_set",
        "side": "before",
        "level": "ADRG",
        "group": "BB1",
        "set_id": "OP_BB1",
        "codes": CRANIOTOMY,
        "then_kind": "code_entered_set",
        "then_side": "after",
        "then_level": "ADRG",
        "then_group": "AA1",
        "then_set_id": "OP_AA1",
        "then_codes": CRANIOTOMY,
    }


def test_a_principal_diagnosis_that_left_an_mdc(rows: Rows) -> None:
    # It stays a code that both schemes know.
    rows["exclusions"].append(["EX_2", EPILEPSY])
    after = copied(rows)
    after["sets"].remove(["DI_B00", EPILEPSY])
    assert reason(moved_by(rows, after, case(EPILEPSY, [], "01.2500"))) == {
        "kind": "code_left_set",
        "side": "before",
        "level": "MDC",
        "group": "MDCB",
        "set_id": "DI_B00",
        "codes": EPILEPSY,
    }


CRANIOTOMY_CASE = case(EPILEPSY, [ARREST, HYPERTENSION], CRANIOTOMY)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ([["I46.900", "EX_1", "CC"]], ("complication_lowered", "BB11", "MCC")),
        ([], ("complication_dropped", "BB11", "MCC")),
        ([["I46.900", "EX_2", "MCC"]], ("complication_excluded", "BB11", "EX_2")),
    ],
)
def test_a_complication_that_is_less(
    rows: Rows, change: list[list[str]], expected: tuple[str, str, str]
) -> None:
    after = copied(rows)
    after["exclusions"].append(["EX_2", EPILEPSY])
    rows["exclusions"].append(["EX_2", EPILEPSY])
    after["cc"] = [row for row in after["cc"] if row[0] != ARREST] + change
    kind, group, set_id = expected
    wanted = {
        "kind": kind,
        "side": "before",
        "level": "DRG",
        "group": group,
        "set_id": set_id,
        "codes": ARREST,
    }
    assert reason(moved_by(rows, after, CRANIOTOMY_CASE)) == wanted
    # The other way round the case enters what it left.
    back = {"lowered": "raised", "dropped": "added", "excluded": "counted"}
    turned = reason(moved_by(after, rows, CRANIOTOMY_CASE))
    assert turned == {
        **wanted,
        "kind": f"complication_{back[kind.removeprefix('complication_')]}",
        "side": "after",
    }


def test_a_complication_that_is_excluded_by_another_row_of_its_table(rows: Rows) -> None:
    after = copied(rows)
    after["exclusions"].append(["EX_1", EPILEPSY])
    assert reason(moved_by(rows, after, CRANIOTOMY_CASE)) == {
        "kind": "complication_excluded",
        "side": "before",
        "level": "DRG",
        "group": "BB11",
        "set_id": "EX_1",
        "codes": ARREST,
    }


@pytest.mark.parametrize(
    ("rule", "kind"),
    [("QTZD in CC and NL >= 60", "limit_changed"), ("QTZD in CC and XB = 2", "rule_changed")],
)
def test_a_rule_that_says_something_else(rows: Rows, rule: str, kind: str) -> None:
    after = copied(rows)
    after["drg"][2][2] = rule
    moved = moved_by(rows, after, case(EPILEPSY, [HYPERTENSION], CRANIOTOMY))
    assert reason(moved) == {"kind": kind, "side": "before", "level": "DRG", "group": "BB13"}
    cause = moved.causes.iloc[0]
    assert cause["rule_before"] == "QTZD in CC and NL >= 17"
    assert cause["rule_after"] == rule


def test_a_set_is_blamed_and_not_a_rule_that_says_the_same_otherwise(rows: Rows) -> None:
    after = copied(rows)
    after["adrg"][1][2] = "{QTSS, ZYSS} in OP_BB1 and 1"
    after["sets"].remove(["OP_BB1", CRANIOTOMY])
    found = reason(moved_by(rows, after, case(EPILEPSY, [], CRANIOTOMY)))
    assert (found["kind"], found["set_id"]) == ("code_left_set", "OP_BB1")


def test_a_group_that_is_gone_and_one_that_is_new(rows: Rows) -> None:
    after = copied(rows)
    after["adrg"][3] = ["BZ1", "脑病", "ZYZD in DI_B00", "MDCB", 3]
    after["drg"][5] = ["BZ19", "脑病", "", "BZ1", "MDCB", 1]
    # Of three diagnoses of the one group the other has one: too few to be the same.
    after["sets"].append(["DI_B00", "G41.900"])
    found = reason(moved_by(rows, after, case(BLEEDING, [])))
    assert found == {
        "kind": "group_gone",
        "side": "before",
        "level": "ADRG",
        "group": "BR1",
        "then_kind": "group_new",
        "then_side": "after",
        "then_level": "ADRG",
        "then_group": "BZ1",
    }


def test_a_code_that_stands_for_another_group(rows: Rows) -> None:
    after = copied(rows)
    after["adrg"][3] = ["BR1", "癫痫", "ZYZD in DI_BR1", "MDCB", 3]
    after["sets"].remove(["DI_BR1", BLEEDING])
    after["sets"].append(["DI_BR1", EPILEPSY])
    moved = moved_by(rows, after, case(BLEEDING, []), case(EPILEPSY, []))
    kinds = moved.changed.select(["kind", "then_kind", "before_adrg", "after_adrg"]).to_pylist()
    assert [tuple(row.values()) for row in kinds] == [
        ("code_reused", None, "BR1", "B00"),
        ("code_reused", None, "B00", "BR1"),
    ]
    assert moved.pairs.adrgs.get("BR1") is None


def test_a_group_that_has_another_code(rows: Rows) -> None:
    after = copied(rows)
    after["adrg"][3] = ["BR2", "颅内 出血", "ZYZD in DI_BR2", "MDCB", 3]
    after["drg"][5] = ["BR29", "颅内出血", "", "BR2", "MDCB", 1]
    after["sets"][-1][0] = "DI_BR2"
    moved = moved_by(rows, after, case(BLEEDING, []), case(EPILEPSY, []))
    assert reason(moved) == {"kind": "renamed", "side": "after", "level": "ADRG", "group": "BR2"}
    adrg = moved.flows[moved.flows["level"] == "adrg"]
    assert adrg.set_index("before")["relation"].to_dict() == {"B00": "kept", "BR1": "renamed"}
    # Its set went by its new code: what leaves it is found there.
    after["sets"].pop()
    found = reason(moved_by(rows, after, case(BLEEDING, [])))
    assert (found["kind"], found["set_id"], found["group"]) == ("code_left_set", "DI_BR1", "BR1")


def test_another_order(rows: Rows) -> None:
    rows["adrg"].append(["BS1", "脑病", "ZYZD in DI_B00", "MDCB", 4])
    rows["drg"].append(["BS19", "脑病", "", "BS1", "MDCB", 1])
    after = copied(rows)
    after["adrg"][-1][-1] = 2
    assert reason(moved_by(rows, after, case(BLEEDING, []))) == {
        "kind": "order_changed",
        "side": "after",
        "level": "ADRG",
        "group": "BS1",
    }


def test_an_adrg_that_is_cut_otherwise(rows: Rows) -> None:
    after = copied(rows)
    after["drg"][5:6] = [
        ["BR11", "颅内出血，伴严重并发症", "QTZD in MCC", "BR1", "MDCB", 1],
        ["BR15", "颅内出血", "", "BR1", "MDCB", 2],
    ]
    found = reason(moved_by(rows, after, case(BLEEDING, [ARREST])))
    assert (found["kind"], found["group"], found["then_group"]) == (
        "subdivision_changed",
        "BR19",
        "BR11",
    )


def test_a_complication_that_decides_in_another_cut(rows: Rows) -> None:
    before, after = copied(rows), copied(rows)
    by_end = {
        "BR11": ("QTZD in MCC", 1), "BR13": ("QTZD in {MCC, CC}", 2), "BR15": ("", 3),
    }  # fmt: skip
    for table, ends in ((before, ("BR11", "BR15")), (after, ("BR13", "BR15"))):
        table["drg"][5:6] = [
            [drg, f"颅内出血{drg}", by_end[drg][0], "BR1", "MDCB", by_end[drg][1]] for drg in ends
        ]
    # What is cut otherwise is all there is, as long as the complication counts.
    kept = reason(moved_by(before, after, case(BLEEDING, [ARREST])))
    assert (kept["kind"], kept["group"], kept["then_group"]) == (
        *("subdivision_changed", "BR11", "BR13"),
    )
    after["cc"] = [row for row in after["cc"] if row[0] != ARREST]
    found = reason(moved_by(before, after, case(BLEEDING, [ARREST])))
    assert found == {
        "kind": "subdivision_changed",
        "side": "before",
        "level": "DRG",
        "group": "BR11",
        "then_kind": "complication_dropped",
        "then_side": "after",
        "then_level": "DRG",
        "then_group": "BR13",
        "then_set_id": "MCC",
        "then_codes": ARREST,
    }


def test_a_number_that_only_one_scheme_asks_for(rows: Rows) -> None:
    after = copied(rows)
    after["adrg"][1][2] += " and XB = 1"
    assert reason(moved_by(rows, after, case(EPILEPSY, [], CRANIOTOMY, sex=None))) == {
        "kind": "number_asked",
        "side": "after",
        "level": "case",
        "set_id": "XB",
    }


def test_a_code_that_only_one_scheme_knows(rows: Rows) -> None:
    after = copied(rows)
    after["sets"].append(["DI_B00", "X99.new"])
    assert reason(moved_by(rows, after, case("X99.new", []))) == {
        "kind": "code_unknown",
        "side": "before",
        "level": "case",
        "codes": "X99.new",
    }


def test_groups_say_what_became_of_them(rows: Rows) -> None:
    after = copied(rows)
    after["sets"].append(["DI_BR1", EPILEPSY])
    cases = [case(EPILEPSY, [])] * 3 + [case(BLEEDING, [])] * 2 + [case(EPILEPSY, [], CRANIOTOMY)]
    groups = moved_by(rows, after, *cases).groups
    adrg = groups[groups["level"] == "adrg"].set_index("before")
    assert adrg["relation"].to_dict() == {
        "AA1": "kept",
        "BB1": "kept",
        "BQY": "kept",
        "BR1": "merged",
        "B00": "merged",
    }
    assert adrg.loc["B00", ["after", "cases", "cases_after"]].tolist() == ["BR1", 3, 5]
    assert adrg.loc["B00", "share_of_after"] == pytest.approx(0.6)


def test_costs_and_what_has_none(rows: Rows) -> None:
    table = table_of([case(EPILEPSY, [])] * 6).append_column(
        "total_cost", [["100.10", "0.2", None, "-5", "x", ""]]
    )
    moved = migrate(table, make_scheme(rows), make_scheme(rows))
    assert moved.without_cost == 4
    assert moved.flows.groupby("level")["cost"].sum().tolist() == pytest.approx([100.3] * 3)


def test_no_cases_and_a_level_that_is_none(rows: Rows) -> None:
    moved = migrate(table_of([]), make_scheme(rows), make_scheme(rows))
    assert moved.results.num_rows == moved.changed.num_rows == 0
    assert moved.flows.empty
    assert len(moved.groups) == len(rows["adrg"]) + len(rows["drg"])
    assert str(moved).startswith("0 cases, small → small: 0 changed")
    assert moved.matrix("drg").empty
    with pytest.raises(CaseSchemaError, match="no level 'ccd'"):
        moved.matrix("ccd")


def test_a_frame_of_pandas_and_its_ids(rows: Rows) -> None:
    after = copied(rows)
    after["sets"].remove(["OP_BB1", CRANIOTOMY])
    frame = pd.DataFrame([case(EPILEPSY, []), case(EPILEPSY, [], CRANIOTOMY)])
    frame["case_id"] = ["a", "b"]
    moved = migrate(frame, make_scheme(rows), make_scheme(after))
    assert moved.changed["case_id"].to_pylist() == ["b"]


@pytest.mark.parametrize(
    ("condition", "column", "values", "kind"),
    [
        ("ZYTS <= 3", "length_of_stay", [2, 9], "limit_changed"),
        ("CYKB in DEPT_X", "department", ["04.01", "03.05"], "rule_changed"),
    ],
)
def test_a_local_condition_is_a_reason(rows: Rows, condition, column, values, kind) -> None:
    after = copied(rows)
    after["adrg"][1][2] += f" and {condition}"
    after["sets"].append(["DEPT_X", "04.01"])
    cases = table_of([case(EPILEPSY, [], CRANIOTOMY)] * 2)
    schemes = make_scheme(rows, "old"), make_scheme(after, "new")
    moved = migrate(cases.append_column(column, [values]), *schemes)
    assert moved.changed["row"].to_pylist() == [2]
    found = reason(moved)
    assert (found["kind"], found["level"], found["group"]) == (kind, "ADRG", "BB1")
    with pytest.raises(CaseSchemaError, match=column):
        migrate(cases, *schemes)

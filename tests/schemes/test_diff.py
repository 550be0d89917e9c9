"""Comparing two schemes."""

from __future__ import annotations

from drgcore.schemes import diff_schemes

from .conftest import SMALL, Rows, make_scheme


def test_equal_schemes_do_not_differ() -> None:
    diff = diff_schemes(make_scheme(SMALL, "a"), make_scheme(SMALL, "b"))
    assert all(not any(counts.values()) for counts in diff.summary().values())
    assert str(diff) == "a → b"


def test_another_spelling_of_a_rule_is_no_change(rows: Rows) -> None:
    rows["drg"][2][2] = "((qtzd IN CC)and(NL≥17))"
    diff = diff_schemes(make_scheme(SMALL), make_scheme(rows))
    assert diff.rows["drg"] == ()


def test_every_kind_of_change_is_told(rows: Rows) -> None:
    rows["mdc"][1][1] = "神经系统"
    rows["adrg"][1][2] = "ZYSS in OP_BB1"
    rows["drg"][1:4] = [["BB19", "开颅术", "", "BB1", "MDCB", 1]]
    rows["sets"].remove(["OP_BB1", "01.2500"])
    rows["sets"] += [["OP_BB1", "01.3900"], ["OP_NEW", "02.0100"]]
    rows["cc"][1][2] = "MCC"
    rows["exclusions"] = [["EX_2", "I46.900"], ["EX_2", "I46.100"]]
    diff = diff_schemes(make_scheme(SMALL, "before"), make_scheme(rows, "after"))
    assert diff.summary() == {
        "mdc": {"added": 0, "removed": 0, "changed": 1},
        "adrg": {"added": 0, "removed": 0, "changed": 1},
        "drg": {"added": 1, "removed": 3, "changed": 0},
        "sets": {"added": 1, "removed": 0, "changed": 1},
        "cc": {"added": 0, "removed": 0, "changed": 1},
        "exclusions": {"added": 1, "removed": 1, "changed": 0},
    }
    assert str(diff).split("\n") == [
        "before → after",
        "mdc: 1 changed",
        "  ~ MDCB name: 神经系统疾病及功能障碍 → 神经系统",
        "adrg: 1 changed",
        "  ~ BB1 rule: {ZYSS, QTSS} in OP_BB1 → ZYSS in OP_BB1",
        "drg: 1 added, 3 removed",
        "  - BB11 开颅术，伴严重并发症",
        "  - BB13 开颅术，伴并发症",
        "  - BB15 开颅术",
        "  + BB19 开颅术",
        "sets: 1 added, 1 changed",
        "  ~ OP_BB1 +01.3900 -01.2500",
        "  + OP_NEW +02.0100",
        "cc: 1 changed",
        "  ~ I10.x00 type: CC → MCC",
        "exclusions: 1 added, 1 removed",
        "  - EX_1 -I46.100 -I46.900",
        "  + EX_2 +I46.100 +I46.900",
    ]


def test_changes_come_as_tables(rows: Rows) -> None:
    rows["drg"][1][1], rows["drg"][1][5] = "开颅术，MCC", 4
    rows["sets"][9][1] = "I60.900"
    tables = diff_schemes(make_scheme(SMALL), make_scheme(rows)).to_tables()
    assert tables["drg"].to_pylist() == [
        {"code": "BB11", "change": "changed", "field": field, "before": before, "after": after}
        for field, before, after in [
            ("name", "开颅术，伴严重并发症", "开颅术，MCC"),
            ("sort", "1", "4"),
        ]
    ]
    assert tables["sets"].to_pylist() == [
        {"set_id": "DI_BR1", "change": "changed", "code": code, "member": member}
        for code, member in [("I60.900", "added"), ("I61.900", "removed")]
    ]
    assert tables["mdc"].num_rows == 0
    assert set(tables) == set(SMALL)


def test_long_lists_are_cut_in_the_text_and_whole_in_the_data(rows: Rows) -> None:
    rows["sets"] += [["OP_BB1", f"02.{i:04}"] for i in range(30)]
    rows["exclusions"] += [[f"EX_{i}", "I46.900"] for i in range(10, 30)]
    diff = diff_schemes(make_scheme(SMALL), make_scheme(rows))
    assert len(diff.members["sets"][0].added) == 30
    assert "… 20 more" in str(diff)
    assert "… and 10 more" in str(diff)
    assert len(str(diff).split("\n")) < 20

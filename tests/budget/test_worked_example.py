"""The worked example of docs/worked_example.md: every number here was derived on paper.

Three hospitals (A of level 3, k = 1.1; B of level 2, k = 1; C of level 1, k = 0.9), two pools
(employee with basis fund, resident with basis total_cost), three months, 41 cases and one late.
BB11 is on the same-price list (k = 1 everywhere); mean cost / scale = 100 yuan a point.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from drgcore.budget import (
    ClosedMonth,
    Month,
    YearSettlement,
    adjustments_of_sanctions,
    close_month,
    explain_payment,
    settle_month,
    settle_year,
    show,
)
from drgcore.points import Policy, compute_points, sanction_points

DOCS = Path(__file__).parents[2] / "docs"
FOLDER = DOCS / "worked_example"
POLICY = Policy.load(FOLDER / "policy.toml")


def points_of(name: str, decisions: str) -> pd.DataFrame:
    text = {"hospital_level": str, "drg": str, "violation": str}
    cases = pd.read_csv(FOLDER / name, dtype=text, parse_dates=["discharge_date"])
    panel = pd.read_csv(FOLDER / decisions)
    return compute_points(cases, POLICY, year=2027, decisions=panel)


@pytest.fixture(scope="module")
def months() -> list[ClosedMonth]:
    cases = points_of("cases.csv", "decisions.csv")
    closed: list[ClosedMonth] = []
    for month in Month.of_year(2027)[:3]:
        settled = settle_month(cases, POLICY, month, closed[-1] if closed else None)
        closed.append(close_month(settled, cases, POLICY, "fictitious"))
    return closed


@pytest.fixture(scope="module")
def year(months: list[ClosedMonth]) -> YearSettlement:
    # 40 points of E01 of A were coded too high; they are withdrawn twice over: −80.
    cases = points_of("cases_year.csv", "decisions_year.csv")
    upcoding = sanction_points(cases, pd.read_csv(FOLDER / "sanctions.csv"), POLICY)
    decided = adjustments_of_sanctions(upcoding, POLICY)
    return settle_year(cases, months, POLICY, adjustments=decided)


def statement(settled: object, pool: str, *columns: str) -> list[list[str]]:
    table = show(settled)["statement"]  # type: ignore[arg-type]
    return table.loc[table["pool"] == pool, list(columns)].values.tolist()


def test_points_of_every_class() -> None:
    table = points_of("cases.csv", "decisions.csv").set_index("case_id")
    expected = {
        "E01": ("normal", 110),  # 100 · 1.1
        "E03": ("normal", 50),  # same price: 50 · 1
        # 42,000 − 2,000 unreasonable = 4 · 10,000; hi = 3: 100 · 1.1 + 100 · (4 − 3)
        "E04": ("high_cost", 210),
        "E06": ("low_cost", 40),  # 4,000 < 0.4 · 20,000: 200 · 4,000 / 20,000, below 200 · 1
        "E07": ("unstable", 80),  # 3 calibration cases: 8,000 / 10,000 · 100 · 1
        "E10": ("ambiguous", 60),  # 7,500 / 100 · 0.8
        "E11": ("fixed_price", 55),  # day surgery, one day
        "E13": ("special_review", 135),  # the panel's points
        "E14": ("bed_day", 160),  # 40 days · 4
        "E15": ("ungrouped", 40),  # 5,000 / 100 · 0.8
        "E16": ("no_base_points", 70),  # 10,000 / 100 · 0.7
        "E17": ("invalid", 10),  # 2,000 / 100 · 0.5
        "E21": ("outside", 0),  # 70 days; 5,000 − 1,000 is paid by item
        "E31": ("low_cost", 15),  # 1,500 < 0.4 · 5,000: 50 · 1,500 / 5,000
    }
    for case, (kind, points) in expected.items():
        assert (table.loc[case, "case_class"], table.loc[case, "points"]) == (kind, points)
    # Every class is among them.
    assert {kind for kind, _ in expected.values()} == set(table["case_class"])


def test_point_values_with_basis_fund(months: list[ClosedMonth]) -> None:
    # (400,000 − 5 %) · 0.3, 0.3, 0.4 = 114,000, 114,000, 152,000; February pays 4,000 by item.
    # ΣQ: 480 + 320 + 200 = 1000; 300 + 200 + 300 = 800; 435 + 350 + 165 = 950.
    # 114,000 / 1000 = 114; 110,000 / 800 = 137.5; 152,000 / 950 = 160.
    values = [show(m.settlement)["point_values"].iloc[0] for m in months]
    assert [v["numerator"] for v in values] == ["114,000.00", "110,000.00", "152,000.00"]
    assert [v["points"] for v in values] == ["1000.0000", "800.0000", "950.0000"]
    assert [v["point_value"] for v in values] == ["114.000000", "137.500000", "160.000000"]


def test_months_of_the_pool_with_basis_fund(months: list[ClosedMonth]) -> None:
    columns = ("gross", "refused", "prepaid", "held")
    january, february, march = (statement(m.settlement, "employee", *columns) for m in months)
    assert january == [
        # 480 · 114 = 54,720; · 0.95 = 51,984
        ["54,720.00", "0.00", "51,984.00", "2,736.00"],
        # 320 · 114 = 36,480; 300 refused for splitting, twice = 600; 35,880 · 0.95 = 34,086
        ["36,480.00", "600.00", "34,086.00", "1,794.00"],
        # 200 · 114 = 22,800; · 0.95 = 21,660
        ["22,800.00", "0.00", "21,660.00", "1,140.00"],
    ]
    assert february == [
        ["41,250.00", "0.00", "39,187.50", "2,062.50"],  # 300 · 137.5
        ["27,500.00", "0.00", "26,125.00", "1,375.00"],  # 200 · 137.5
        ["41,250.00", "0.00", "39,187.50", "2,062.50"],  # 300 · 137.5
    ]
    assert march == [
        ["69,600.00", "0.00", "66,120.00", "3,480.00"],  # 435 · 160
        ["56,000.00", "0.00", "53,200.00", "2,800.00"],  # 350 · 160
        ["26,400.00", "0.00", "25,080.00", "1,320.00"],  # 165 · 160
    ]


def test_months_of_the_pool_with_basis_total_cost(months: list[ClosedMonth]) -> None:
    columns = ("gross", "patient_paid", "entitlement", "carried_in", "prepaid", "held")
    columns += ("carried_out",)
    january, february, march = (statement(m.settlement, "resident", *columns) for m in months)
    # (100,000 − 5 %) · 0.3 = 28,500, and patients paid 10,500: 39,000 / 300 points = 130
    assert january == [
        ["14,300.00", "3,000.00", "11,300.00", "0.00", "10,735.00", "565.00", "0.00"],
        ["13,000.00", "4,000.00", "9,000.00", "0.00", "8,550.00", "450.00", "0.00"],
        ["11,700.00", "3,500.00", "8,200.00", "0.00", "7,790.00", "410.00", "0.00"],
    ]
    # (28,500 + 17,500) / 210 = 219.047619…; 110, 50, 50 points are 24,095.238095…,
    # 10,952.380952…, 10,952.380952…: rounded down a fen is missing, and A has the largest fraction.
    # C: 10,952.38 − 13,000 is negative, so nothing is paid and −2,047.62 is carried forward.
    # A: 21,095.24 · 0.95 = 20,040.478 and 1,054.762: the fen goes to 0.8, the prepayment.
    # B: 9,452.38 · 0.95 = 8,979.761 and 472.619: the fen goes to 0.9, what is held.
    assert february == [
        ["24,095.24", "3,000.00", "21,095.24", "0.00", "20,040.48", "1,054.76", "0.00"],
        ["10,952.38", "1,500.00", "9,452.38", "0.00", "8,979.76", "472.62", "0.00"],
        ["10,952.38", "13,000.00", "-2,047.62", "0.00", "0.00", "0.00", "-2,047.62"],
    ]
    # (38,000 + 10,000) / 400 = 120; C: 7,600 − 2,047.62 = 5,552.38, · 0.95 = 5,274.761
    assert march == [
        ["26,400.00", "6,000.00", "20,400.00", "0.00", "19,380.00", "1,020.00", "0.00"],
        ["12,000.00", "2,000.00", "10,000.00", "0.00", "9,500.00", "500.00", "0.00"],
        ["9,600.00", "2,000.00", "7,600.00", "-2,047.62", "5,274.76", "277.62", "0.00"],
    ]


def test_point_values_of_the_year(year: YearSettlement) -> None:
    values = show(year)["point_values"]
    # employee: A 480 + 300 + 435 − 60 (E22 re-grouped, 110 → 50) − 80 (upcoding) = 1,075;
    # B 870 + 100 (E42, late) = 970; C 665 + 40 (E20, panel: 80 → 120) = 705; ΣQ = 2,750.
    # 380,000 − 4,000 by item = 376,000; / 2,750 = 136.7272…
    # resident: (95,000 + 38,000) / 910 = 146.153846…
    assert values["points"].tolist() == ["2750.0000", "910.0000"]
    assert values["numerator"].tolist() == ["376,000.00", "133,000.00"]
    assert values["point_value"].tolist() == ["136.727273", "146.153846"]


def test_year_end_of_the_pool_with_basis_fund(year: YearSettlement) -> None:
    columns = ("gross", "prepaid", "held", "adjustments", "pool_share", "surplus_returned")
    assert statement(year, "employee", *columns) == [
        # 1,075 · 136.7272… = 146,981.8181…, 970 → 132,625.4545…, 705 → 96,392.7272…; rounded down
        # two fen are missing: A (0.81) and C (0.72) get them.
        # adjustments: 146,981.82 − (54,720 + 41,250 + 69,600) = −18,588.18, and so on.
        # pool: 8,278.50 + 5,969.00 + 4,522.50 = 18,770.00, shared by κ·E:
        # 1 · 146,981.82, 1.1 · 132,625.45 = 145,887.995, 0.9 · 96,392.73 = 86,753.457, together
        # 379,623.272 → 7,267.333…, 7,213.250…, 4,289.416…; the last fen goes to C.
        # A: E / F = 146,981.82 / 135,500 = 1.0847, all of the surplus is kept.
        ["146,981.82", "157,291.50", "8,278.50", "-18,588.18", "7,267.33", "0.00"],
        # B: 132,625.45 / 98,000 = 1.353, of the surplus of 34,625.45 40 % return: 13,850.18
        ["132,625.45", "113,411.00", "5,969.00", "12,645.45", "7,213.25", "13,850.18"],
        # C: 96,392.73 / 76,000 = 1.268 (without the case outside); 20,392.73 · 0.4 = 8,157.092
        ["96,392.73", "85,927.50", "4,522.50", "5,942.73", "4,289.42", "8,157.09"],
    ]
    assert statement(year, "employee", "final", "balance") == [
        ["145,970.65", "-11,320.85"],  # 157,291.50 − 18,588.18 + 7,267.33
        ["119,419.52", "6,008.52"],  # 113,411.00 + 12,645.45 + 7,213.25 − 13,850.18
        ["88,002.56", "2,075.06"],  # 85,927.50 + 5,942.73 + 4,289.42 − 8,157.09
    ]


def test_year_end_of_the_pool_with_basis_total_cost(year: YearSettlement) -> None:
    columns = ("entitlement", "prepaid", "adjustments", "pool_share", "surplus_returned")
    columns += ("deficit_borne",)
    assert statement(year, "resident", *columns) == [
        # 440 · 146.153846… − 12,000 = 52,307.692…; F = 72,000 − 12,000; E / F = 0.8718: the reserve
        # bears half of 7,692.31, 3,846.155, a tie, of which the first part is the reserve's.
        [
            "52,307.69",
            "50,155.48",
            "-487.55",
            "2,573.71",
            "0.00",
            "3,846.16",
        ],
        # 36,538.46 − 7,500 = 29,038.46; F = 21,500; 1.3506: 40 % of 7,538.46 return, 3,015.384
        [
            "29,038.46",
            "27,029.76",
            "586.08",
            "1,571.66",
            "3,015.38",
            "0.00",
        ],
        # 32,153.846… − 18,500, the last fen of the numerator: 13,653.85; F = 13,500; 1.011
        ["13,653.85", "13,064.76", "-98.53", "604.63", "0.00", "0.00"],
    ]
    assert statement(year, "resident", "final", "balance") == [
        ["56,087.80", "5,932.32"],  # 50,155.48 − 487.55 + 2,573.71 + 3,846.16
        ["26,172.12", "-857.64"],  # 27,029.76 + 586.08 + 1,571.66 − 3,015.38
        ["13,570.86", "506.10"],  # 13,064.76 − 98.53 + 604.63
    ]


def test_adjustments_name_their_month(year: YearSettlement) -> None:
    table = show(year)["adjustments"]
    later = table.loc[table["kind"] != "value", ["hospital", "month", "kind", "points", "amount"]]
    # Points · 136.7272…, rounded so that A's, B's and C's items add up to their v·Q:
    # −60 → −8,203.636…, −80 → −10,938.181…, 100 → 13,672.727…, 40 → 5,469.0909…
    assert later.values.tolist() == [
        ["A", "2027-03", "regrouped", "-60.0000", "-8,203.63"],
        ["A", "2027-01", "upcoding", "-80.0000", "-10,938.18"],
        ["B", "2027-01", "late", "100.0000", "13,672.73"],
        ["C", "2027-02", "reviewed", "40.0000", "5,469.09"],
    ]


def test_every_fen_of_both_budgets_has_its_place(year: YearSettlement) -> None:
    table = show(year)["reconciliation"]
    account = {(r.pool, r.item): r.amount for r in table.itertuples() if r.amount != "0.00"}
    assert account == {
        ("employee", "budget of the year"): "400,000.00",
        ("employee", "paid in advance"): "356,630.00",  # 157,291.50 + 113,411.00 + 85,927.50
        (
            "employee",
            "balance paid at the year end",
        ): "-3,237.27",  # −11,320.85 + 6,008.52 + 2,075.06
        ("employee", "refused by audit"): "600.00",
        ("employee", "paid by item outside the points"): "4,000.00",
        ("employee", "reserve"): "42,007.27",  # 20,000 + 13,850.18 + 8,157.09
        ("resident", "budget of the year"): "100,000.00",
        ("resident", "paid in advance"): "90,250.00",
        ("resident", "balance paid at the year end"): "5,580.78",
        ("resident", "reserve"): "4,169.22",  # 5,000 + 3,015.38 − 3,846.16
    }
    assert table.iloc[-1].tolist() == ["resident", "unaccounted", "0.00"]


def test_the_document_shows_what_the_library_prints(
    months: list[ClosedMonth], year: YearSettlement
) -> None:
    text = (DOCS / "worked_example.md").read_text(encoding="utf-8")
    for hospital, period in (("C", months[1]), ("A", year)):
        assert explain_payment(hospital, period, POLICY, months) in text
    for name in ("point_values", "statement", "reconciliation"):
        for row in show(year)[name].itertuples(index=False):
            amounts = [str(v) for v in row if "." in str(v) and str(v) != "0.00"]
            assert all(amount in text for amount in amounts)

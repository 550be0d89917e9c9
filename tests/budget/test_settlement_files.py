"""Grouped cases and side tables in the files that users have: one settlement, or one error."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from drgcore.budget import Month, settle_month
from drgcore.cli.reading import read_cases, read_side
from drgcore.cli.settle import with_points
from drgcore.errors import CaseSchemaError, DrgcoreError, PolicyError
from drgcore.points import Policy, compute_points

DATA = Path(__file__).parents[1] / "data"
POLICY = Policy.load("example")


def cases_of(path: Path) -> dict[tuple[str, str], int]:
    """Cases of January by pool and hospital."""
    settled = settle_month(with_points(path, POLICY, None), POLICY, Month(2027, 1), None)
    rows = settled.statement[["pool", "hospital", "cases"]].itertuples(index=False)
    return {(pool, hospital): cases for pool, hospital, cases in rows if cases}


@pytest.mark.parametrize("path", sorted((DATA / "dates").glob("*")), ids=lambda path: path.stem)
def test_a_day_is_the_same_in_every_form(path: Path) -> None:
    assert cases_of(path) == {("employee", "H01"): 1, ("resident", "H01"): 1}


@pytest.mark.parametrize("text", ["07/01/2027", "1/7/27", "7 Jan 2027", "2027-13-01", "270107"])
def test_a_day_with_two_readings_or_none_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    path.write_text((DATA / "dates" / "iso.csv").read_text().replace("2027-01-07", text))
    with pytest.raises(CaseSchemaError, match="discharge_date: row 1 holds no date") as caught:
        cases_of(path)
    assert "2027年1月7日" in str(caught.value.hint)
    assert text not in str(caught.value.message)


@pytest.mark.parametrize("path", sorted((DATA / "timezone").glob("*")), ids=lambda path: path.name)
def test_a_month_is_that_of_china(path: Path) -> None:
    assert cases_of(path) == {("employee", "H01"): 2, ("resident", "H01"): 2}


@pytest.mark.parametrize(
    "name",
    [
        *("UPPER.PARQUET", "bom.csv", "gbk.csv", "hospital-space.csv", "innerquote.csv"),
        *("leadingzero.csv", "q.xlsx", "tab.csv", "thousands.csv", "utf8.csv", "x.xlsx"),
        *("yen.csv", "z.csv.gz"),
    ],
)
def test_files_of_one_hospital(name: str) -> None:
    hospital = "H01" if name == "innerquote.csv" else "市一医院"
    expected = {("employee", hospital): 6, ("resident", hospital): 2}
    assert cases_of(DATA / "settle-files" / name) == expected


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("broken.parquet", "truncated"),
        ("dupid.csv", "1 case ids occur more than once: T0"),
        ("dupid-space.csv", "1 case ids occur more than once: T0"),
        ("empty.csv", "0 bytes"),
        ("headonly.csv", "zero points"),
        ("negative.csv", "1 cases have a negative total_cost: T3"),
        ("openquote.csv", "quote in row 7"),
        ("openquote-employee.csv", "quote in row 7"),
        ("ragged.csv", "row 4 has 14 values"),
        ("unknown-drg.csv", r"XX99 \(1 cases\)"),
        ("status-cn.csv", r"no DRG \(1 cases\)"),
    ],
)
def test_files_that_are_refused(name: str, words: str) -> None:
    with pytest.raises(DrgcoreError, match=words) as caught:
        cases_of(DATA / "settle-files" / name)
    assert "8000" not in str(caught.value)


@pytest.mark.parametrize("name", ["q.csv", "q-gbk.csv"])
def test_quality_in_any_encoding(name: str) -> None:
    table = read_side(DATA / "settle-files" / name)
    assert table is not None
    assert table.to_pylist() == [{"hospital": "市一医院", "kappa": "0.98"}]


def test_decisions_under_another_name(tmp_path: Path) -> None:
    mapping = tmp_path / "mine.toml"
    mapping.write_text('case_id = "病例"\n', encoding="utf-8")
    path = DATA / "settle-files" / "dec-gbk.csv"
    with pytest.raises(CaseSchemaError, match="no column case_id"):
        with_points(DATA / "settle-files" / "utf8.csv", POLICY, path)
    table = read_side(path, str(mapping))
    assert table is not None
    assert table.column_names == ["case_id", "decision", "points"]


OWN = "病例号;医院;级别;险种;出院日期;总费用;自付;病组;结果\n"
MAPPING = """
case_id = "病例号"
hospital = "医院"
hospital_level = "级别"
pool = "险种"
discharge_date = "出院日期"
total_cost = "总费用"
patient_paid = "自付"
drg = "病组"
status = "结果"
"""


@pytest.mark.parametrize(
    ("drg", "status"),
    [("ES43", "入组"), ("ES43", "分组成功"), ("EQY", "歧义"), ("EQY", "EQY"), ("0000", "0000")],
)
def test_own_headings_and_official_statuses(drg: str, status: str, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(MAPPING, encoding="utf-8")
    rows = [
        f"T{i};H01;3;{pool};2027年1月7日;￥8,000.00;2000元;{drg};{status}\n"
        for i, pool in enumerate(("employee", "resident"))
    ]
    path = tmp_path / "cases.csv"
    path.write_text(OWN + "".join(rows), encoding="gbk")
    table = read_cases(path, str(tmp_path / "mine.toml"))
    table = table.append_column("length_of_stay", pa.array([5, 5]))
    points = compute_points(table, POLICY).to_pandas()
    words = {"ES43": {"normal", "high_cost", "low_cost"}, "EQY": {"ambiguous"}}
    assert set(points["case_class"]) <= words.get(drg, {"ungrouped"})
    (tmp_path / "wrong.toml").write_text('total_cost = "总费"\n', encoding="utf-8")
    with pytest.raises(CaseSchemaError, match="no column '总费'") as caught:
        read_cases(path, str(tmp_path / "wrong.toml"))
    assert "总费用" in str(caught.value.hint)


def test_a_status_that_is_none() -> None:
    table = read_cases(DATA / "settle-files" / "utf8.csv")
    place = table.column_names.index("status")
    with pytest.raises(CaseSchemaError, match="the status is paid"):
        compute_points(table.set_column(place, "status", pa.array(["paid"] * 8)), POLICY)
    without = table.drop_columns(["status"])
    assert len(compute_points(without, POLICY)) == 8
    with pytest.raises((CaseSchemaError, PolicyError)):
        compute_points(
            without.set_column(
                without.column_names.index("drg"), "drg", pa.array([None] * 8, pa.string())
            ),
            POLICY,
        )

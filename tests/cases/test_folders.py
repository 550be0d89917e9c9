"""Files of a folder or of a pattern, and as one source."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from drgcore.cases import open_cases, read_table
from drgcore.cases.folders import are_several, find_files
from drgcore.cases.source import CaseSource
from drgcore.errors import CaseSchemaError


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def names_of(found: object) -> list[str]:
    return [file.name for file in find_files(found).files]


def test_a_folder_is_all_files_of_cases_below_it(tmp_path: Path) -> None:
    touch(tmp_path, "b.csv", "a/x.parquet", "a/y.CSV.gz", "notes.md", "_SUCCESS", ".c.csv")
    touch(tmp_path, "_old/x.csv", ".git/x.csv", "a/_metadata.parquet", "a/z.xlsx")
    assert names_of(tmp_path) == ["a/x.parquet", "a/y.CSV.gz", "a/z.xlsx", "b.csv"]
    assert find_files(tmp_path).root == tmp_path


def test_a_pattern_begins_below_its_first_sign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, "in/2027-01/cases_a.csv", "in/2027-02/cases_b.csv", "in/2027-02/other.csv")
    touch(tmp_path, "in/2028-01/cases_c.csv", "in/2027-01/cases_notes.md")
    found = find_files(tmp_path / "in" / "2027-*" / "cases_*")
    assert found.root == tmp_path / "in"
    assert [f.name for f in found.files] == ["2027-01/cases_a.csv", "2027-02/cases_b.csv"]
    monkeypatch.chdir(tmp_path)
    assert names_of("in/**/cases_*.csv")[-1] == "2028-01/cases_c.csv"
    # What a pattern finds may be folders, and a list of paths a mixture.
    assert len(names_of("in/2027-*")) == 3
    assert names_of(["in/2027-01/cases_a.csv", "in/2027-02"]) == [
        "2027-01/cases_a.csv",
        "2027-02/cases_b.csv",
        "2027-02/other.csv",
    ]


def test_names_of_folders_give_columns(tmp_path: Path) -> None:
    touch(tmp_path, "lake/year=2027/month=03/hospital=A%2FB/x.csv")
    touch(tmp_path, "lake/year=2027/month=__HIVE_DEFAULT_PARTITION__/x.csv")
    first, second = find_files(tmp_path / "lake" / "year=2027").files
    # A folder that gives a column is never above the root, or its column would be lost.
    assert first.name == "year=2027/month=03/hospital=A%2FB/x.csv"
    assert first.partitions == {"year": "2027", "month": "03", "hospital": "A/B"}
    assert second.partitions == {"year": "2027", "month": None}
    assert names_of(tmp_path / "lake/year=2027/month=0*/hospital=*/x.csv") == [first.name]


def test_one_file_is_one_file_whatever_its_name(tmp_path: Path) -> None:
    touch(tmp_path, "cases[1].csv")
    assert not are_several(tmp_path / "cases[1].csv")
    assert are_several(tmp_path)
    assert are_several(str(tmp_path / "*.csv"))
    assert not are_several([{"sex": 1}])
    assert not are_several([])
    assert not are_several(None)


@pytest.mark.parametrize("source", ["", "*.csv", "none/**/x"])
def test_no_file_is_an_error(tmp_path: Path, source: str) -> None:
    touch(tmp_path, "notes.md")
    with pytest.raises(CaseSchemaError, match="there is no file of cases"):
        find_files(tmp_path / source)
    with pytest.raises(CaseSchemaError, match="there is no file of cases"):
        open_cases(tmp_path / source)


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """Three months whose files differ in the order of columns and in the width of numbers."""
    for month, kind, order in (("01", pa.int32(), 1), ("02", pa.int64(), -1), ("03", pa.null(), 1)):
        folder = tmp_path / "lake" / f"month={month}"
        folder.mkdir(parents=True)
        values = [None] * 3 if kind == pa.null() else [1, 2, int(month)]
        columns = {"case_id": [f"{month}-{i}" for i in range(3)], "age": pa.array(values, kind)}
        pq.write_table(pa.table(dict(list(columns.items())[::order])), folder / "part.parquet")
    return tmp_path / "lake"


def test_several_files_are_one_source(lake: Path) -> None:
    with open_cases(lake) as source:
        assert source.num_rows == 9
        assert source.partition_columns == ("month",)
        table = source.table()
    assert table.schema.types == [pa.string(), pa.int64(), pa.string()]
    assert table["month"].to_pylist() == ["01"] * 3 + ["02"] * 3 + ["03"] * 3
    assert table["case_id"].to_pylist()[3] == "02-0"
    assert table["age"].to_pylist() == [1, 2, 1, 1, 2, 2, None, None, None]
    with open_cases(lake, columns=["month", "age"], dictionary_columns=["case_id"]) as source:
        assert source.table().column_names == ["month", "age"]
        assert next(iter(source.batches())).num_rows == 9


def test_a_folder_is_read_as_a_table_under_canonical_names(lake: Path) -> None:
    table = read_table(lake, columns=["case_id", "month"])
    assert table.column_names == ["case_id", "month"]
    assert len(table) == 9


def test_notes_of_all_files_are_told(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / f"{name}.csv").write_text("case_id,age\n1,2\n,\n", encoding="utf-8")
    with open_cases(tmp_path) as source:
        assert source.table().num_rows == 2
        assert source.notes == [f"{n}.csv: row 3 without any value left out" for n in "ab"]
    assert isinstance(source, CaseSource)


def test_a_file_with_other_columns_is_named(lake: Path) -> None:
    pq.write_table(pa.table({"case_id": ["x"], "alter": [1]}), lake / "month=03" / "part.parquet")
    with pytest.raises(CaseSchemaError, match=r"not those of month=01/part.parquet: \+alter, -age"):
        open_cases(lake)
    # What is not asked for need not be everywhere.
    with open_cases(lake, columns=["case_id"]) as source:
        assert source.table().num_rows == 7
    pq.write_table(pa.table({"case_id": ["x"], "age": [[1]]}), lake / "month=03" / "part.parquet")
    with pytest.raises(CaseSchemaError, match=r"month=03.*its columns are not those of"):
        open_cases(lake)


def test_a_column_in_the_file_goes_before_the_folders_name(tmp_path: Path) -> None:
    (tmp_path / "year=2027").mkdir()
    pq.write_table(pa.table({"year": [2026]}), tmp_path / "year=2027" / "a.parquet")
    with open_cases(tmp_path) as source:
        assert source.table().to_pylist() == [{"year": 2026}]
        assert source.partition_columns == ()

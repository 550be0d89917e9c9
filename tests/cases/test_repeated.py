"""Rows whose id another row has are said, wherever they stand."""

from __future__ import annotations

import errno
import warnings
from collections import Counter

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drgcore import group, group_file
from drgcore.cases import CaseMapping, hash_runs
from drgcore.cases.hash_runs import HashRuns, Run
from drgcore.cases.repeated import CaseWarning, RepeatedIds
from drgcore.errors import DrgcoreError

CASE = {
    "principal_diagnosis": "K80.101",
    "other_diagnoses": "",
    "principal_procedure": "",
    "other_procedures": "",
    "sex": "1",
    "age_years": "45",
}


@given(st.lists(st.lists(st.sampled_from(["1", " 1", "2 ", "03", "3", "", None]), max_size=8)))
def test_as_counted_one_by_one(batches):
    schema = pa.schema([("case_id", pa.string())])
    ids = RepeatedIds(CaseMapping.preset("canonical"), schema)
    counts: Counter[str] = Counter()
    for values in batches:
        ids.add(pa.RecordBatch.from_pydict({"case_id": values}, schema))
        counts.update(value.strip() for value in values if value and value.strip())
    assert ids.rows() == sum(number - 1 for number in counts.values())


@given(
    st.lists(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 9).map(lambda n: n << 60))),
    st.integers(1, 9),
)
def test_runs_in_a_file_count_as_one_by_one(tmp_path_factory, arrays, held):
    counts = Counter(value for values in arrays for value in values)
    folder = tmp_path_factory.getbasetemp()
    before = sorted(folder.iterdir())
    runs, all_held = HashRuns(folder), HashRuns()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(hash_runs, "HELD", held)
        patched.setattr(hash_runs, "_TOGETHER", held)
        for values in arrays:
            runs.add(Run.of(np.array(values, np.uint64)))
            all_held.add(Run.of(np.array(values, np.uint64)))
        # Asked twice, it says the same.
        found = {runs.repeated(), runs.repeated(), all_held.repeated(), all_held.repeated(2)}
    runs.close()
    assert found == {counts.total() - len(counts)}
    assert sorted(folder.iterdir()) == before


def test_hashes_that_find_no_space_stop_the_run_and_leave_nothing(tmp_path, monkeypatch):
    rows = [{"case_id": str(i), **CASE} for i in range(9)]
    pd.DataFrame(rows).to_csv(tmp_path / "cases.csv", index=False)
    monkeypatch.setattr(hash_runs, "HELD", 4)
    said = group_file(tmp_path / "cases.csv", tmp_path / "out.csv", batch_rows=2).warnings
    assert said == ()
    (tmp_path / "out.csv").unlink()

    def no_space(**_options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(hash_runs.tempfile, "TemporaryFile", no_space)
    with pytest.raises(DrgcoreError, match=r"cannot write .*out\.csv: No space left on device"):
        group_file(tmp_path / "cases.csv", tmp_path / "out.csv", batch_rows=2)
    assert [path.name for path in tmp_path.iterdir()] == ["cases.csv"]


@pytest.mark.parametrize("batch_rows", [2, 1000])
def test_rows_apart_from_each_other(batch_rows, tmp_path):
    rows = [{"case_id": str(i % 60), **CASE} for i in range(61)]
    pd.DataFrame(rows).to_csv(tmp_path / "cases.csv", index=False)
    summary = group_file(tmp_path / "cases.csv", tmp_path / "out.csv", batch_rows=batch_rows)
    assert any("1 row repeats the case_id" in said for said in summary.warnings)
    # Also where the id is not among the columns kept.
    options = {"columns": ["sex"], "batch_rows": batch_rows}
    summary = group_file(tmp_path / "cases.csv", tmp_path / "out.csv", **options)
    assert any("1 row repeats the case_id" in said for said in summary.warnings)


@pytest.mark.parametrize(
    ("columns", "repeated"),
    [
        # A record's number is the patient's: two stays are two cases.
        ({"病案号": ["1", "1"], "出院日期": ["2027-01-09", "2027-02-09"]}, 0),
        ({"病案号": ["1", "1"], "出院日期": ["2027-01-09", "2027-01-09"]}, 1),
        ({"病案号": ["1", "1"], "医疗机构": ["a", "b"]}, 0),
        ({"结算ID": ["1", "1"], "出院日期": ["2027-01-09", "2027-02-09"]}, 1),
        ({"备注": ["1", "1"]}, 0),
    ],
)
def test_what_an_id_is(columns, repeated):
    batch = pa.RecordBatch.from_pydict(columns)
    ids = RepeatedIds(CaseMapping.preset("chinese"), batch.schema)
    ids.add(batch)
    assert ids.rows() == repeated


def test_ids_of_numbers_and_of_dictionaries():
    for column in (pa.array([7, 8, 7]), pa.array(["7", "8", "7"]).dictionary_encode()):
        batch = pa.RecordBatch.from_arrays([column], ["setl_id"])
        ids = RepeatedIds(CaseMapping.preset("canonical"), batch.schema)
        ids.add(batch)
        assert ids.rows() == 1


def test_rows_without_an_id_are_counted(tmp_path):
    rows = [{"case_id": text, **CASE} for text in ("1", " ", "", "2", "1 ")]
    pd.DataFrame(rows).to_csv(tmp_path / "cases.csv", index=False)
    summary = group_file(tmp_path / "cases.csv", tmp_path / "out.csv")
    assert summary.notes == ()
    assert "\n  warning: 1 row repeats the case_id of another row" in str(summary)
    assert str(summary).endswith("\n  warning: 2 rows have no case_id")


def test_in_memory_too():
    frame = pd.DataFrame([{"case_id": text, **CASE} for text in ("1", None, "1 ")])
    with pytest.warns(CaseWarning) as caught:
        group(frame)
    said = [str(one.message) for one in caught]
    assert said[0].startswith("1 row repeats the case_id of another row")
    assert said[1:] == ["1 row has no case_id"]
    assert {one.filename for one in caught} == {__file__}
    with warnings.catch_warnings():
        warnings.simplefilter("error", CaseWarning)
        group(frame.iloc[:1])
        group(frame.drop(columns="case_id"))

"""Samples as exports: read by the mapping of their layout they are the same cases."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from drgcore import CaseMapping, group, group_file, sample_cases
from drgcore.errors import DrgcoreError
from drgcore.synthetic import EXPORT_LAYOUTS, as_export, write_export
from tests.cli.conftest import run

RESULT = ["mdc", "adrg", "drg", "status", "reason", "severity"]


@pytest.fixture(scope="module")
def cases() -> pa.Table:
    return sample_cases(400, seed=8, dirty=0.05)


@pytest.mark.parametrize("layout", EXPORT_LAYOUTS)
@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_an_export_holds_the_same_cases(
    cases: pa.Table, layout: str, ending: str, tmp_path: Path
) -> None:
    write_export(tmp_path / f"export.{ending}", cases, layout)
    out = tmp_path / "grouped.parquet"
    group_file(tmp_path / f"export.{ending}", out, mapping=CaseMapping.preset(layout))
    wanted = group(cases).select(RESULT).to_pandas().astype(object)
    found = pq.read_table(out).select(RESULT).to_pandas().astype(object)
    pd.testing.assert_frame_equal(found, wanted)


def test_what_a_layout_has_no_place_for_keeps_its_name(cases: pa.Table) -> None:
    export = as_export(cases, "hqms")
    assert {"A12C", "C03C", "C06x01C", "C35x40C", "pool"} <= set(export.column_names)
    assert "other_diagnoses" not in export.column_names


def test_the_command_and_what_it_refuses(tmp_path: Path, cases: pa.Table) -> None:
    run("sample", tmp_path / "hqms.csv", "--rows", "20", "--layout", "hqms")
    read = pd.read_csv(tmp_path / "hqms.csv", encoding="gb18030", dtype=str)
    assert (len(read), read.columns[0]) == (20, "A48")
    assert "科" in read["B16C"][0]
    with pytest.raises(DrgcoreError, match="layout"):
        as_export(cases, "n041")
    with pytest.raises(DrgcoreError, match=r"\.csv or \.xlsx"):
        write_export(tmp_path / "cases.parquet", cases)
    assert not (tmp_path / "cases.parquet").exists()

"""Columns on request: names, the diagnoses that counted, what made the result."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import drgcore
from drgcore import group, group_file, load_scheme, unknown_codes
from drgcore.cases import read_table
from drgcore.grouper.extras import NAME_COLUMNS, STAMP_COLUMNS

SCHEME = load_scheme("chs-drg-3.0")
LISTED = sorted(SCHEME.complications)
# Principal diagnoses of exclusion tables, and diagnoses that exclude nothing.
PRINCIPALS = sorted({min(table) for table in SCHEME.exclusions.values() if table})[:200]
PRINCIPALS += ["K80.101", "G11.900"]
CASE = {
    "principal_diagnosis": "K80.101",
    "other_diagnoses": ["I50.900", "I50.900", "I10.x00", "nonsense"],
    "principal_procedure": "51.2300",
    "other_procedures": [],
    "sex": 1,
    "age_years": 45,
    "discharge_date": "2027-01-09",
}
ALL = {"names": True, "severity_codes": True, "stamp": True}


def counted(principal: str, others: list[str]) -> list[str]:
    """The diagnoses that count, from the sheets as they are written."""
    found = []
    for code in dict.fromkeys(others):
        row = SCHEME.complications.get(code)
        if row and principal not in SCHEME.exclusions.get(row.exclusion, ()):
            found.append(code)
    return found


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(PRINCIPALS),
            st.lists(st.sampled_from([*LISTED[:400], "K80.101", "nonsense", ""]), max_size=6),
            st.sampled_from([1, 2, None]),
        ),
        max_size=20,
    )
)
def test_the_diagnoses_that_counted_are_those_of_the_sheets(cases):
    columns = {
        "principal_diagnosis": [p for p, _, _ in cases],
        "other_diagnoses": ["|".join(o) for _, o, _ in cases],
        "principal_procedure": [""] * len(cases),
        "other_procedures": [""] * len(cases),
        "sex": [str(s or "") for _, _, s in cases],
        "age_years": ["45"] * len(cases),
    }
    frame = pd.DataFrame(columns, dtype=object)
    result = group(frame, severity_codes=True)
    for (principal, others, _), row in zip(cases, result.itertuples(), strict=True):
        if row.status == "invalid":
            assert row.severity_codes is None
        else:
            assert list(row.severity_codes) == counted(principal, others)
            kinds = {SCHEME.complications[code].type for code in row.severity_codes}
            worst = next((k for k in ("MCC", "CC") if k in kinds), "none")
            assert row.severity == worst


def test_names_and_stamp_say_what_a_group_is_and_what_made_it():
    [row] = group(CASE, **ALL).to_pylist()
    assert row["drg"] == "HC43"
    assert [row[c] for c in NAME_COLUMNS] == [SCHEME.name_of(c) for c in ("MDCH", "HC4", "HC43")]
    made_by = ("chs-drg-3.0", SCHEME.metadata["digest"], drgcore.__version__)
    assert tuple(row[c] for c in STAMP_COLUMNS) == made_by
    assert row["severity_codes"] == ["I50.900"]
    [plain] = group(CASE).to_pylist()
    assert not {*NAME_COLUMNS, *STAMP_COLUMNS, "severity_codes"} & plain.keys()


def test_a_case_without_group_has_no_name():
    [row] = group({**CASE, "sex": None}, **ALL).to_pylist()
    assert [row[c] for c in NAME_COLUMNS] == [None] * 3
    assert row["scheme"] == "chs-drg-3.0"


def test_by_date_every_row_says_its_own_scheme():
    days = ["2027-01-09", "2024-06-01", ""]
    frame = pd.DataFrame([{**CASE, "discharge_date": day} for day in days])
    result = group(frame, "by-date", **ALL)
    schemes = [None if s != s else s for s in result["scheme"]]
    assert schemes[0] == "chs-drg-3.0"
    assert schemes[1] not in (None, "chs-drg-3.0")
    assert schemes[2] is None
    digests = [None if d != d else d for d in result["scheme_digest"]]
    assert digests == [s and load_scheme(s).metadata["digest"] for s in schemes]
    assert list(result["drgcore_version"]) == [drgcore.__version__] * 3
    assert result["severity_codes"][2] is None
    names = [None if n != n else n for n in result["drg_name"]]
    drgs = list(result["drg"])
    assert names[:2] == [load_scheme(s).name_of(d) for s, d in zip(schemes[:2], drgs, strict=False)]


@pytest.mark.parametrize("scheme", ["chs-drg-3.0", "by-date"])
@pytest.mark.parametrize("ending", [".parquet", ".csv", ".xlsx"])
def test_files_hold_what_memory_holds(ending, scheme, tmp_path):
    frame = drgcore.sample_cases(300, seed=3).to_pandas()
    frame["discharge_date"] = "2027-01-09"
    source, out = tmp_path / "cases.parquet", tmp_path / f"out{ending}"
    frame.to_parquet(source)
    group_file(source, out, scheme, columns=[], batch_rows=64, **ALL)
    in_memory = group(frame, scheme, columns=[], **ALL)
    found = pq.read_table(out) if ending == ".parquet" else read_table(out)
    assert found.column_names == list(in_memory.columns)
    for name in (*NAME_COLUMNS, *STAMP_COLUMNS):
        expected = [None if v != v else v for v in in_memory[name]]
        assert found[name].to_pylist() == expected
    lists = found["severity_codes"].to_pylist()
    if ending != ".parquet":
        lists = [(text or "").split("|") if text else [] for text in lists]
    expected = [[] if v is None else list(v) for v in in_memory["severity_codes"]]
    assert [v or [] for v in lists] == expected


def test_a_column_of_the_input_is_not_replaced():
    with pytest.raises(drgcore.DrgcoreError, match="already has a column scheme"):
        group({**CASE, "scheme": "mine"}, stamp=True)
    [row] = group({**CASE, "scheme": "mine"}, stamp=True, prefix="new_").to_pylist()
    assert (row["scheme"], row["new_scheme"]) == ("mine", "chs-drg-3.0")


def test_unknown_codes_as_a_table():
    frame = pd.DataFrame([CASE, {**CASE, "principal_procedure": "51.23"}])
    found = unknown_codes(frame)
    assert list(found.columns) == ["column", "code", "count", "near"]
    assert found["code"].tolist() == ["nonsense", "51.23"]
    assert found["count"].tolist() == [2, 1]
    assert list(found["near"][1]) == ["51.2300"]
    assert len(unknown_codes({**CASE, "other_diagnoses": []}, "by-date")) == 0


def test_days_beyond_the_calendar_of_a_sheet_are_text(tmp_path: Path) -> None:
    far = pa.array([2**31 - 1, -(2**31), -25_568, 20_000, None], pa.int32()).view(pa.date32())
    times = pa.array([2**63 - 1, -(2**63), -(10**12), 0, None], pa.int64())
    cases = pa.table(
        {
            "principal_diagnosis": ["K80.101"] * 5,
            "other_diagnoses": [[]] * 5,
            "principal_procedure": [""] * 5,
            "other_procedures": [[]] * 5,
            "sex": ["1"] * 5,
            "age_years": [45] * 5,
            "day": far,
            "time": times.view(pa.timestamp("ms")),
        }
    )
    pq.write_table(cases, tmp_path / "cases.parquet")
    group_file(tmp_path / "cases.parquet", tmp_path / "out.xlsx", threads=1)
    table = read_table(tmp_path / "out.xlsx")
    assert table["day"].to_pylist()[:3] == [
        "<value out of range: 2147483647>",
        "<value out of range: -2147483648>",
        "1899-12-31",
    ]
    assert [str(day)[:10] for day in table["day"].to_pylist()[3:]] == ["2024-10-04", "None"]
    assert [str(time)[:13] for time in table["time"].to_pylist()] == [
        "<value out of",
        "<value out of",
        "1938-04-24 22",
        "1970-01-01",
        "None",
    ]

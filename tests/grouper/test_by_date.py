"""Each case by the scheme that holds on its day of discharge."""

from __future__ import annotations

import random
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import drgcore
from drgcore.cases import CANONICAL_SCHEMA
from drgcore.cli.app import app
from drgcore.errors import CaseSchemaError, SchemeError
from drgcore.grouper import RESULT_COLUMNS, explain, group, group_file
from drgcore.schemes.calendar import NATIONAL_CALENDAR, Period, SchemeCalendar, load_calendar
from tests.grouper.helpers import Row, case_row, table_of, twin
from tests.grouper.strategies import near_witness
from tests.reference import plain_by_date

NATIONAL = (
    ("chs-drg-1.1", None),
    ("chs-drg-2.0", date(2025, 1, 1)),
    ("chs-drg-3.0", date(2027, 1, 1)),
)
SCHEMA = CANONICAL_SCHEMA.append(pa.field("discharge_date", pa.string()))
COLUMNS = (*RESULT_COLUMNS, "scheme")
PNEUMONIA = case_row("J18.900", sex=1, age_years=60)

DATES = (
    *("2024-12-31", "2025-01-01", "2026/12/31", "2027/1/1", "20261231", "2026年12月31日"),
    *("2026-12-31 23:59:59", "2027-01-01 00:00", " ２０２６-12-31 ", "1999-01-01", "2099-01-01"),
    *(None, "", "-", "无", "x", "46388", "2026-02-29", "2026-13-01", "01/02/2027", "2026-1", "0"),
)


def _days(*days: Any, kind: pa.DataType | None = None) -> pa.Table:
    rows = [{**PNEUMONIA, "discharge_date": None} for _ in days]
    return table_of(rows, SCHEMA).set_column(
        len(SCHEMA) - 1, "discharge_date", pa.array(days, kind or pa.string())
    )


def _schemes(table: pa.Table, calendar: Any = "by-date") -> list[str | None]:
    found: list[str | None] = group(table, calendar, columns=[])["scheme"].to_pylist()
    return found


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32), st.lists(st.sampled_from(DATES), min_size=1, max_size=60))
def test_the_plain_twin_agrees(seed: int, dates: list[str | None]) -> None:
    draw = random.Random(seed)
    cases: list[Row] = [
        {**near_witness(draw.choice(NATIONAL)[0], draw), "discharge_date": d} for d in dates
    ]
    found = group(table_of(cases, SCHEMA), "by-date", columns=[], threads=2)
    expected = [
        plain_by_date.group(case, NATIONAL, lambda name, row: twin(name).group(row))
        for case in cases
    ]
    for got, wanted, case in zip(found.select(COLUMNS).to_pylist(), expected, cases, strict=True):
        # Results may have columns beside these; those that are told here agree.
        assert got == {c: wanted.get(c, got[c]) for c in COLUMNS}, case


def test_new_years_eve_in_every_type_of_column() -> None:
    new = ["chs-drg-2.0", "chs-drg-3.0", None]
    assert _schemes(_days("2026-12-31", "2027-01-01", None)) == new
    days = date(2026, 12, 31), date(2027, 1, 1), None
    assert _schemes(_days(*days, kind=pa.date32())) == new
    times = datetime(2026, 12, 31, 23, 59), datetime(2027, 1, 1), None
    assert _schemes(_days(*times, kind=pa.timestamp("us"))) == new
    # 16:30 of Greenwich is the next day in China.
    utc = datetime(2026, 12, 31, 15, 59), datetime(2026, 12, 31, 16, 30), None
    assert _schemes(_days(*utc, kind=pa.timestamp("us", "UTC"))) == new
    assert _schemes(_days(46387, 46388, None, kind=pa.int64())) == new
    assert _schemes(_days(kind=pa.date32())) == []


def test_a_case_without_a_scheme_says_why() -> None:
    calendar = SchemeCalendar("city", (Period("chs-drg-2.0", date(2025, 1, 1)),))
    found = group(_days("2024-12-31", "", "2027-02-30", "2026-05-05"), calendar, columns=[])
    assert found.select(["drg", "status", "reason", "severity", "scheme"]).to_pylist()[:3] == [
        {"drg": None, "status": "invalid", "reason": r, "severity": None, "scheme": None}
        for r in ("discharge_date_early", "discharge_date_missing", "discharge_date_invalid")
    ]
    assert found["status"][3].as_py() == "grouped"


def test_frames_and_files_have_the_same_groups(tmp_path: Path) -> None:
    parts = [
        drgcore.sample_cases(300, name, seed=1, year=year)
        for name, year in (("chs-drg-2.0", 2026), ("chs-drg-3.0", 2027))
    ]
    table = pa.concat_tables(parts).combine_chunks()
    order = list(range(600))
    random.Random(1).shuffle(order)
    table = table.take(order)
    expected = group(table, "by-date", columns=["case_id"], prefix="by_")
    assert {*expected["by_scheme"].to_pylist()} == {"chs-drg-2.0", "chs-drg-3.0"}
    for name, year in (("chs-drg-2.0", 2026), ("chs-drg-3.0", 2027)):
        of_year = [d.year == year for d in table["discharge_date"].to_pylist()]
        alone = group(table.filter(pa.array(of_year)), name, columns=[])
        dated = expected.filter(pa.array(of_year))
        for column in RESULT_COLUMNS:
            assert dated[f"by_{column}"].to_pylist() == alone[column].to_pylist()
    frame = group(table.to_pandas(), "by-date", columns=["case_id"], prefix="by_")
    assert isinstance(frame, pd.DataFrame)
    assert frame["by_drg"].astype(object).tolist() == expected["by_drg"].to_pylist()
    pq.write_table(table, tmp_path / "in.parquet")
    for batch_rows in (7, 131_072):
        summary = group_file(
            tmp_path / "in.parquet",
            tmp_path / "out.csv",
            "by-date",
            columns=["case_id"],
            prefix="by_",
            batch_rows=batch_rows,
        )
        assert summary.schemes == {"chs-drg-2.0": 300, "chs-drg-3.0": 300}
        assert "  chs-drg-3.0                   300" in str(summary)
        read = pa_csv.read_csv(tmp_path / "out.csv").to_pylist()
        told = [
            {k: "|".join(v) if isinstance(v, list) else v or "" for k, v in row.items()}
            for row in expected.to_pylist()
        ]
        assert [{k: row[k] or "" for k in told[0]} for row in read] == told


def test_a_calendar_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "city.toml"
    path.write_text(
        '[[scheme]]\nname = "suzhou-2023"\nfrom = 2023-01-01\n'
        '[[scheme]]\nname = "chs-drg-3.0"\nfrom = 2027-01-01\n'
    )
    table = _days("2022-12-31", "2026-12-31", "2027-01-01")
    expected = [None, "suzhou-2023", "chs-drg-3.0"]
    assert _schemes(table, path) == _schemes(table, str(path)) == expected
    assert _schemes(table, load_calendar(path)) == expected
    assert str(load_calendar(path)).splitlines()[1] == "  from  2023-01-01  suzhou-2023"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "names no scheme"),
        ("scheme = 3", "names no scheme"),
        ("[[scheme]]\nnam = 'x'", "a name, a from and nothing else"),
        ("[[scheme]]\nfrom = 2027-01-01", "has no name"),
        ("[[scheme]]\nname = 'a'\nfrom = '2027-01-01'", "is not a date"),
        ("[[scheme]]\nname = 'a'\nfrom = 2027-01-01T00:00:00", "is not a date"),
        ("[[scheme]]\nname = 'a'\n[[scheme]]\nname = 'b'", "b has no first day after that of a"),
        (
            "[[scheme]]\nname = 'a'\nfrom = 2027-01-01\n[[scheme]]\nname = 'b'\nfrom = 2026-01-01",
            "b has no first day after that of a",
        ),
        ("other = 1\n[[scheme]]\nname = 'a'", "unknown key 'other'"),
        ("[[scheme", "no TOML"),
    ],
)
def test_a_wrong_calendar_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "city.toml"
    path.write_text(text)
    with pytest.raises(SchemeError, match=message):
        group(_days("2027-01-01"), path)
    with pytest.raises(SchemeError, match="cannot be read"):
        load_calendar(tmp_path / "none.toml")


def test_a_scheme_that_is_not_there_and_a_column_that_is_not(tmp_path: Path) -> None:
    path = tmp_path / "city.toml"
    path.write_text('[[scheme]]\nname = "chs-drg-9.9"\n')
    with pytest.raises(SchemeError, match=r"no scheme 'chs-drg-9\.9'"):
        group(_days("2027-01-01"), path)
    with pytest.raises(CaseSchemaError, match=r"by the day of discharge.*no such column"):
        group(table_of([PNEUMONIA]), "by-date")
    with pytest.raises(CaseSchemaError, match="already has a column scheme"):
        group(_days("2027-01-01").append_column("scheme", pa.array(["x"])), "by-date")


def test_where_the_day_stands_in_other_data() -> None:
    hqms = pa.table(
        {
            "C03C": ["J18.900"] * 2,
            "C06x01C": [""] * 2,
            "C14x01C": [""] * 2,
            "C35x01C": [""] * 2,
            "A12C": ["1"] * 2,
            "A14": ["60"] * 2,
            "B15": ["2026-12-31 08:00:00", "2027/01/01"],
        }
    )
    found = group(hqms, "by-date", mapping="hqms", columns=[])
    assert found["scheme"].to_pylist() == ["chs-drg-2.0", "chs-drg-3.0"]


def test_an_explanation_is_by_the_scheme_of_the_day() -> None:
    for day, name in (("2026-12-31", "chs-drg-2.0"), ("2027-01-01", "chs-drg-3.0")):
        why = explain({**PNEUMONIA, "discharge_date": day}, "by-date")
        assert why.scheme.name == name
        assert why.result == explain(PNEUMONIA, name).result
    for case, reason in (
        (PNEUMONIA, "discharge_date_missing"),
        ({**PNEUMONIA, "discharge_date": "x"}, "discharge_date_invalid"),
    ):
        why = explain(case, "by-date")
        assert (why.result.status, why.result.reason) == ("invalid", reason)
        assert why.mdcs == ()
        assert str(why).splitlines()[0] == "no group    [invalid; by-date]"
        assert "出院日期" in why.text("zh")


def test_the_command(tmp_path: Path) -> None:
    pq.write_table(_days("2026-12-31", "2027-01-01", None), tmp_path / "in.parquet")
    done = CliRunner().invoke(
        app,
        ["group", str(tmp_path / "in.parquet"), str(tmp_path / "o.csv"), "--scheme", "by-date"],
    )
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("3 cases by by-date\n  chs-drg-2.0 ")
    assert "discharge_date_missing" in done.stdout
    done = CliRunner().invoke(
        app,
        ["explain", str(tmp_path / "in.parquet"), "--row", "2", "--scheme", "by-date"],
    )
    assert "; chs-drg-3.0]" in done.stdout


def test_the_national_calendar() -> None:
    told = tuple((p.scheme, p.first_day) for p in NATIONAL_CALENDAR.periods)
    assert told == NATIONAL

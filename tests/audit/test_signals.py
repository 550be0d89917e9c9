"""`audit_cases` and the command: what each signal counts, what is not run, what is written."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import drgcore
from drgcore.audit import SIGNALS, Limits
from drgcore.audit.frame import AuditFrame
from drgcore.audit.rates import RATES
from drgcore.cli.app import app
from tests.reference import plain_audit

DAY = date(2027, 1, 1)


def region(hospitals: int = 12, cases: int = 200, **odd: Any) -> pd.DataFrame:
    """Alike hospitals."""
    rng = np.random.default_rng(1)
    n = hospitals * cases
    came = rng.integers(0, 300, n)
    stay = rng.integers(3, 12, n)
    drg = rng.choice(["BR11", "BR15", "ES21", "ES25"], n)
    frame = pd.DataFrame(
        {
            "case_id": [f"C{i:05d}" for i in range(n)],
            "hospital": np.repeat([f"H{h:02d}" for h in range(hospitals)], cases),
            "patient_id": [f"P{i:05d}" for i in range(n)],
            "admission_date": [DAY + timedelta(int(d)) for d in came],
            "discharge_date": [DAY + timedelta(int(d)) for d in came + stay],
            "length_of_stay": stay,
            "principal_procedure": None,
            "total_cost": np.round(rng.lognormal(9, 0.3, n), 2),
            "drg": drg,
            "status": "grouped",
            "severity": np.where(np.char.endswith(drg.astype(str), "1"), "MCC", "none"),
            "age_years": rng.integers(20, 90, n),
            "leaving_way": 1,
        }
    )
    return frame.assign(**odd)


STAYS = st.lists(
    st.tuples(
        st.sampled_from(["P1", "P2", ""]),
        st.sampled_from(["H1", "H2"]),
        st.sampled_from(["B", "E"]),
        st.integers(0, 40),
        st.integers(0, 9),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(STAYS, st.integers(0, 20))
def test_split_stays_are_those_of_the_plain_way(
    stays: list[tuple[str, str, str, int, int]], days: int
) -> None:
    frame = pd.DataFrame(
        {
            "patient_id": [s[0] for s in stays],
            "hospital": [s[1] for s in stays],
            "drg": [s[2] + "R15" for s in stays],
            "admission_date": [DAY + timedelta(s[3]) for s in stays],
            "discharge_date": [DAY + timedelta(s[3] + s[4]) for s in stays],
        }
    )
    marked = RATES["split_stays"].mark(AuditFrame(frame), Limits(split_days=days))
    known = [i for i, s in enumerate(stays) if s[0]]
    plain = plain_audit.followed([(*s[:3], s[3], s[3] + s[4]) for s in stays if s[0]], days)
    assert marked.event[known].tolist() == plain
    assert not (marked.event & ~np.isin(np.arange(len(stays)), known)).any()


def test_a_hospital_of_complications_is_the_signal() -> None:
    cases = region()
    odd = (cases["hospital"] == "H03") & (np.arange(len(cases)) % 2 == 0)
    cases.loc[odd, ["drg", "severity"]] = ["BR11", "MCC"]
    found = drgcore.audit_cases(cases, ["upcoding"])
    signals = found.units[found.units["is_signal"]]
    assert signals["hospital"].tolist() == ["H03"]
    assert set(found.cases["hospital"]) == {"H03"}
    own = cases[(cases["hospital"] == "H03") & (cases["severity"] == "MCC")]
    assert set(found.cases["case_id"]) == set(own["case_id"])
    assert (cases["case_id"].to_numpy()[found.cases["row"] - 1] == found.cases["case_id"]).all()
    assert found.cases["money"].is_monotonic_decreasing


def test_a_hospital_of_small_stays_is_the_signal() -> None:
    cases = region()
    odd = (cases["hospital"] == "H05") & (np.arange(len(cases)) % 8 == 0)
    cases.loc[odd, ["length_of_stay", "total_cost"]] = [1, 900.0]
    found = drgcore.audit_cases(cases, ["low_indication"])
    assert set(found.cases["case_id"]) == set(cases[odd]["case_id"])
    # Who died or went on to another hospital was not admitted for nothing.
    cases.loc[odd, "leaving_way"] = 2
    assert len(drgcore.audit_cases(cases, ["low_indication"]).cases) == 0


def test_what_lacks_columns_is_not_run_and_says_so() -> None:
    cases = region().drop(columns=["patient_id"])
    found = drgcore.audit_cases(cases)
    reasons = dict(zip(found.summary["signal"], found.summary["not_run"], strict=True))
    assert reasons["split_stays"] == "no column patient_id"
    assert reasons["upcoding"] == ""
    assert list(found.summary["signal"]) == list(SIGNALS)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"signals": ["fraud"]}, "no signal"),
        ({"by": "town"}, "no unit"),
        ({"by": ["hospital", "hospital"]}, "twice"),
        ({"peers": "me"}, "no kind of peers"),
        ({"by": "department"}, "no column department"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, Any], error: str) -> None:
    with pytest.raises(drgcore.DrgcoreError, match=error):
        drgcore.audit_cases(region(2, 5), **arguments)


@pytest.mark.parametrize("hospitals", [0, 1, 2])
def test_few_or_no_cases_are_no_error(hospitals: int) -> None:
    found = drgcore.audit_cases(region(hospitals, 5) if hospitals else region(1, 1).head(0))
    assert len(found.cases) == 0


def test_the_command_writes_patients_only_when_asked(tmp_path: Path) -> None:
    cases = region()
    odd = (cases["hospital"] == "H03") & (np.arange(len(cases)) % 2 == 0)
    cases.loc[odd, ["drg", "severity"]] = ["BR11", "MCC"]
    path = tmp_path / "grouped.parquet"
    cases.to_parquet(path)
    runner = CliRunner()
    done = runner.invoke(app, ["audit", str(path), "--out", str(tmp_path / "a.csv")])
    assert done.exit_code == 0, done.output
    assert "signals, not verdicts" in done.output
    assert "H03" in done.output
    assert "违规" not in done.output
    assert {p.name for p in tmp_path.glob("a*.csv")} == {"a-summary.csv", "a-units.csv"}
    done = runner.invoke(app, ["audit", str(path), "--out", str(tmp_path / "b.csv"), "--cases"])
    assert len(pd.read_csv(tmp_path / "b-cases.csv")) > 50
    assert runner.invoke(app, ["audit", str(path), "--cases"]).exit_code == 1


def test_a_hospital_that_began_to_code_more_is_the_signal(tmp_path: Path) -> None:
    past, cases = region(), region()
    # Everyone codes some more than before; one hospital far more.
    rise = np.arange(len(cases)) % 10 == 0
    rise |= (cases["hospital"] == "H03").to_numpy() & (np.arange(len(cases)) % 2 == 0)
    cases.loc[rise, "severity"] = "MCC"
    found = drgcore.audit_cases(cases, ["rise"], past=past)
    assert found.units[found.units["is_signal"]]["hospital"].tolist() == ["H03"]
    own = cases[(cases["hospital"] == "H03") & (cases["severity"] == "MCC")]
    assert set(found.cases["case_id"]) == set(own["case_id"])
    # Beside its own past a hospital that always coded much is not odd.
    assert not drgcore.audit_cases(cases, ["rise"], past=cases).summary["signals"].any()
    assert (
        drgcore.audit_cases(cases, ["rise"]).summary["not_run"][0]
        == "no cases of an earlier period"
    )
    for name, frame in (("now", cases), ("past", past)):
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    files = [str(tmp_path / "now.csv"), "--past", str(tmp_path / "past.csv")]
    done = CliRunner().invoke(app, ["audit", *files, "--signals", "rise"])
    assert done.exit_code == 0, done.output
    assert "1 of 12 units" in done.output


def test_earlier_cases_must_be_alike() -> None:
    with pytest.raises(drgcore.DrgcoreError, match="no column severity"):
        drgcore.audit_cases(region(), ["rise"], past=region().drop(columns="severity"))
    now, before = (
        pa.Table.from_pandas(region()).replace_schema_metadata({"drgcore.scheme": name})
        for name in ("chs-drg-3.0", "chs-drg-2.0")
    )
    with pytest.raises(drgcore.DrgcoreError, match=r"grouped by chs-drg-2\.0, these by chs-drg-3"):
        drgcore.audit_cases(now, ["rise"], past=before)


def test_limits_are_read_from_a_file_and_wrong_ones_named(tmp_path: Path) -> None:
    cases = region()
    odd = (cases["hospital"] == "H05") & (np.arange(len(cases)) % 8 == 0)
    cases.loc[odd, ["length_of_stay", "total_cost"]] = [3, 900.0]
    cases.to_csv(tmp_path / "cases.csv", index=False)
    limits = tmp_path / "limits.toml"
    runner = CliRunner()
    arguments = ["audit", str(tmp_path / "cases.csv"), "--signals", "low_indication"]
    done = runner.invoke(app, arguments)
    assert "0 of 12 units" in done.output
    limits.write_text("short_stay = 3\n", encoding="utf-8")
    done = runner.invoke(app, [*arguments, "--limits", str(limits)])
    assert "1 of 12 units" in done.output, done.output
    for text, error in (
        ("long_stays = 9", "long_stays"),
        ("fdr = 2", "fdr"),
        ("few_services = 0.3", "low_outlier must be below few_services"),
        ("fdr =", "no TOML"),
    ):
        with pytest.raises(drgcore.DrgcoreError, match=error):
            Limits.read(text)
    assert Limits.read("high_outliers = [2, 3.5]").high_outliers == (2.0, 3.5)


def test_columns_are_where_a_mapping_says(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    cases = region()
    codes = ["E11.900", "I10.x00", "J98.400", "N18.900"]
    copied = (cases["hospital"] == "H01") & (np.arange(len(cases)) % 3 == 0)
    for i, code in enumerate(codes):
        cases[f"C06x0{i + 1}C"] = np.where(copied, code, rng.permutation(len(cases)).astype(str))
    cases = cases.assign(医师=cases["hospital"], C03C="K35.900", A12C="1", A14=cases["age_years"])
    cases["C35x01C"] = None
    cases = cases.rename(columns={"principal_procedure": "C14x01C"}).drop(columns="age_years")
    cases.to_csv(tmp_path / "cases.csv", index=False)
    mapping = tmp_path / "mine.toml"
    mapping.write_text('preset = "hqms"\ndoctor_id = "医师"\n', encoding="utf-8")
    runner = CliRunner()
    arguments = ["audit", str(tmp_path / "cases.csv"), "--signals", "copied_lists,low_indication"]
    done = runner.invoke(app, arguments)
    assert "not run: no column other_diagnoses, doctor_id" in done.output
    done = runner.invoke(app, [*arguments, "--mapping", str(mapping)])
    assert done.exit_code == 0, done.output
    assert "not run" not in done.output
    assert "1 of 12 units" in done.output
    # Codes that are not where the mapping says are missed aloud.
    cases.drop(columns="C03C").to_csv(tmp_path / "cases.csv", index=False)
    done = runner.invoke(app, [*arguments, "--mapping", str(mapping)])
    assert "codes are not read" in done.output

"""Scores by a sheet, each explained; ids of people as keyed hashes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from drgcore.cases.pseudonyms import pseudonymise, read_key
from drgcore.cli import score
from drgcore.errors import CaseSchemaError, DrgcoreError
from drgcore.indicators import ScoreSheet, compute_indicators, score_units
from tests.indicators.random_cases import case_rows

SHEET = """
of = ["department"]
min_cases = 2
missing = "left_out"

[[indicators]]
name = "cmi"
weight = 0.6
zero = 0.5
target = 1.5

[[indicators]]
name = "drug_share"
weight = 0.4
zero = 0.5
target = 0.2
"""


def test_by_hand() -> None:
    frame = pd.DataFrame(
        {
            "drg": ["A", "A", "B", "B", "B"],
            "department": ["x", "x", "y", "y", "z"],
            "total_cost": [10.0, 10.0, 20.0, 20.0, 15.0],
            "drug_cost": [2.6, 2.6, None, None, 1.0],
        }
    )
    # The mean is 15; B costs 18.33 on average, so weights are 0.6667 and 1.2222.
    scores = score_units(compute_indicators(frame, "department"), ScoreSheet.read(SHEET))
    table = scores.table.set_index("department")
    x = 0.6 * 16.67 + 0.4 * (0.5 - 0.26) / 0.3 * 100
    assert table.loc["x", "score"] == pytest.approx(x)
    # Without a share of drugs, the CMI counts alone.
    assert table.loc["y", "score"] == pytest.approx(72.22)
    assert table["rank"].tolist() == [2, 1, pd.NA]
    assert table.loc["z", "reason"] == "fewer than 2 cases"
    assert np.isnan(table.loc["z", "score"])
    assert set(scores.details["department"]) == {"x", "y"}
    lines = scores.details.query("department == 'y'")["explanation"].tolist()
    assert "its weight goes to the others" in lines[1]
    zero = ScoreSheet.read(SHEET.replace("left_out", "zero"))
    table = score_units(compute_indicators(frame, "department"), zero).table
    assert table.loc[1, "score"] == pytest.approx(0.6 * 72.22)


@given(frame=case_rows(20))
def test_points_add_up_to_the_score(frame: pd.DataFrame) -> None:
    scores = score_units(compute_indicators(frame, "department"), ScoreSheet.read(SHEET))
    added = scores.details.groupby("department", dropna=False)["points"].sum()
    for row in scores.table.to_dict("records"):
        assert (row["reason"] == "") == (row["score"] == row["score"])
        if row["reason"] == "":
            own = added[[d == row["department"] or (d != d and not row["department"])
                         for d in added.index]]  # fmt: skip
            assert own.iloc[0] == pytest.approx(row["score"], abs=1e-5)
            assert 0 <= row["score"] <= 100


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("weight = 0.4", "weight = 0.5", "weights of the indicators"),
        ('"cmi"', '"cmj"', "there is no indicator cmj"),
        ('"cmi"', '"drug_share"', "named twice"),
        ("zero = 0.5\ntarget = 1.5", "zero = 1\ntarget = 1", "nothing between"),
        ('missing = "left_out"', "", "missing"),
        ('["department"]', '["ward"]', "told by ward"),
        ("of =", "of ", "no TOML"),
        ("min_cases = 2", "min_cases = 0", "min_cases"),
    ],
)
def test_what_is_wrong_with_a_sheet_is_named(old: str, new: str, words: str) -> None:
    assert old in SHEET
    with pytest.raises(DrgcoreError, match=words):
        ScoreSheet.read(SHEET.replace(old, new))


def test_the_command(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "drg": ["A", "B"] * 4,
            "department": ["骨科"] * 4 + ["=外科"] * 4,
            "doctor_id": ["d1", "d2"] * 4,
            "total_cost": range(1, 9),
        }
    )
    cases, sheet, key = (tmp_path / n for n in ("g.parquet", "s.toml", "key"))
    frame.to_parquet(cases)
    sheet.write_text(SHEET, "utf-8")
    key.write_text("0123456789abcdef")
    run = CliRunner()
    done = run.invoke(score.app, [str(cases), "--by", str(sheet)], catch_exceptions=False)
    assert done.exit_code == 0
    assert "骨科" in done.output
    arguments = [str(cases), "--by", str(sheet), "--explain", "骨科"]
    done = run.invoke(score.app, arguments, catch_exceptions=False)
    assert "no column drug_cost" in done.output
    out = tmp_path / "scores.csv"
    sheet.write_text(SHEET.replace('"department"', '"doctor"'), "utf-8")
    arguments = [str(cases), "--by", str(sheet), "--key", str(key), "--out", str(out)]
    done = run.invoke(score.app, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    written = pd.read_csv(tmp_path / "scores-scores.csv")
    assert written["doctor_id"].str.fullmatch("[0-9a-f]{20}").all()


def test_a_formula_does_not_become_one(tmp_path: Path) -> None:
    from drgcore.workbooks import write_tables

    table = pd.DataFrame({"department": ['=HYPERLINK("http://x")', "骨科"], "x": [-1.5, np.nan]})
    write_tables(tmp_path / "a.csv", {"t": table})
    assert (tmp_path / "a.csv").read_text("utf-8-sig").splitlines()[1].startswith("\"'=HYPER")
    write_tables(tmp_path / "a.xlsx", {"t": table})
    read = pd.read_excel(tmp_path / "a.xlsx", engine="calamine")
    assert read["department"].tolist() == table["department"].tolist()
    with pytest.raises(DrgcoreError, match="tables are not written"):
        write_tables(tmp_path / "a.txt", {"t": table})


KEY = b"0123456789abcdef"


@given(st.lists(st.one_of(st.none(), st.sampled_from(["", "a", "b", "刘"])), min_size=1))
def test_pseudonyms_keep_who_is_who(ids: list[str | None]) -> None:
    column = pa.array(ids, pa.string())
    table = pa.table({"patient_id": column, "doctor_id": column.dictionary_encode()})
    found = pseudonymise(table, KEY)
    new = found["patient_id"].to_pylist()
    assert [n is None for n in new] == [not i for i in ids]
    pairs = {(i, n) for i, n in zip(ids, new, strict=True) if i}
    assert len(pairs) == len({i for i in ids if i}) == len({n for n in new if n})
    # The same id of a doctor is another person, and another key gives other pseudonyms.
    others = [found["doctor_id"].to_pylist(), pseudonymise(table, KEY[::-1])["patient_id"]]
    for other in others:
        assert not {n for n in new if n} & set(other)
    frame = pseudonymise(table.to_pandas(), KEY)
    assert [n if isinstance(n, str) else None for n in frame["patient_id"]] == new


def test_a_short_key_and_no_ids(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("short\n")
    with pytest.raises(DrgcoreError, match="5 bytes; it needs at least 16"):
        read_key(tmp_path / "key")
    with pytest.raises(DrgcoreError, match="cannot be read"):
        read_key(tmp_path / "none")
    with pytest.raises(CaseSchemaError, match="no column patient_id, doctor_id"):
        pseudonymise(pa.table({"x": [1]}), KEY)

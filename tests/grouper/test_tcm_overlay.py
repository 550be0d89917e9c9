"""The made-up overlay with a group of Chinese medicine: what is in it and what is not."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

import drgcore
from drgcore.grouper import cover, explain, group, group_file
from drgcore.schemes import Scheme, check_scheme
from drgcore.schemes.model import TABLE_SCHEMAS
from drgcore.schemes.overlay import ADD, CHANGE, lay_on
from tests.grouper.helpers import dictionary, scheme, twin_of

FOLDER = Path(__file__).parents[2] / "data" / "examples" / "tcm-overlay"
HEADER = (
    "case_id,principal_diagnosis,other_diagnoses,principal_procedure,other_procedures,"
    "sex,age_years,length_of_stay"
)
CASES = """\
three kinds 12 d,M51.202,,17.91100,17.92100|17.91310,1,45,12
two kinds 12 d,M51.202,,17.91100,17.91310,1,45,12
three kinds 8 d,M51.202,,17.91100,17.92100|17.91310,1,45,8
three kinds no stay,M51.202,,17.91100,17.92100|17.91310,1,45,
three kinds 12天,M51.202,,17.91100,17.92100|17.91310,1,45,12天
two of one kind,M51.202,,17.91100,17.91110|17.91310,1,45,12
four kinds,M51.202,,17.95110,17.92100|17.91310|17.91100,1,45,10
an operation,M51.202,,80.5100x008,17.92100|17.91310|17.91100,1,45,12
another diagnosis,M54.500,,17.91100,17.92100|17.91310,1,45,12
"""


@cache
def overlay() -> Scheme:
    base = scheme((FOLDER / "base.txt").read_text().strip())
    changes = {}
    for file in FOLDER.glob("*.csv"):
        fields = {f.name: f.type for f in TABLE_SCHEMAS[file.stem]}
        rows = pa_csv.read_csv(
            file, convert_options=pa_csv.ConvertOptions(column_types=fields)
        ).cast(TABLE_SCHEMAS[file.stem])
        changes[file.stem] = rows.append_column(CHANGE, pa.array([ADD] * len(rows)))
    return Scheme("tcm-example", lay_on(base.tables, changes), {"base": base.name})


def test_who_is_in_the_group(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text(f"{HEADER}\n{CASES}", encoding="utf-8")
    summary = group_file(tmp_path / "c.csv", tmp_path / "out.csv", overlay())
    assert summary.rows_with_unreadable_local == 0
    rows = pa_csv.read_csv(tmp_path / "out.csv").to_pylist()
    within = [row["case_id"] for row in rows if row["drg"] == "IY19"]
    assert within == ["three kinds 12 d", "three kinds 12天", "four kinds"]
    # Without the group all but the operation go where the national scheme has them.
    assert {row["adrg"] for row in rows if row["case_id"].startswith("two")} == {"IU2"}


def test_it_says_that_it_is_fictitious() -> None:
    for code in ("IY1", "IY19"):
        assert overlay().name_of(code).startswith("（虚构示例）")
    assert "Fictitious" in (FOLDER / "README.md").read_text(encoding="utf-8")


def test_the_checks_find_nothing_in_it() -> None:
    national = {str(f) for f in check_scheme(scheme("chs-drg-3.0")).warnings}
    report = check_scheme(overlay())
    assert report.ok
    assert {str(f) for f in report.warnings} <= national


def test_every_group_is_still_reached_and_samples_are_in_it() -> None:
    found = cover(overlay())
    assert "IY19" in found.witnesses
    assert found.open == ()
    cases = drgcore.sample_cases(20_000, overlay(), seed=5)
    drgs = group(cases, overlay(), columns=["length_of_stay"])
    stays = drgs.filter(pc.equal(drgs["drg"].cast(pa.string()), "IY19"))["length_of_stay"]
    assert len(stays)
    assert min(stays.to_pylist()) >= 10


def test_the_twin_agrees() -> None:
    slow = twin_of(overlay(), dictionary("diagnoses"), dictionary("procedures"))
    columns = HEADER.split(",")[1:]
    for line in CASES.splitlines():
        row = dict(zip(columns, (v or None for v in line.split(",")[1:]), strict=True))
        why = explain({n: _listed(n, v) for n, v in row.items()}, overlay()).result
        assert slow.group(row)["drg"] == (None if why.drg is None else why.drg.code)


def _listed(name: str, value: str | None) -> object:
    return (value or "").split("|") if name.startswith("other") and value else value


def test_the_explanation_shows_which_kinds_were_met() -> None:
    case = {
        "principal_diagnosis": "M51.202",
        "principal_procedure": "17.91100",
        "other_procedures": ["17.92100", "17.91310"],
        "sex": 1,
        "age_years": 45,
        "length_of_stay": "12天",
    }
    text = explain(case, overlay()).text("zh")
    assert "住院天数 12" in text
    assert "毫针治疗" in text.split("count({OP_IY1_SF")[2]
    assert "✓ IY1 （虚构示例）" in text

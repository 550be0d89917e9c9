"""The shipped tables: what they hold, what SOURCES.md says of them, and how they are built."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from drgcore.cases import dictionary
from drgcore.errors import SchemeError
from drgcore.schemes import (
    check_scheme,
    list_schemes,
    load_dictionary,
    load_scheme,
    load_translation,
    store,
)
from drgcore.schemes.compile import content_digest
from drgcore.schemes.overlay import CHANGE
from drgcore.schemes.store import MANIFEST, read_source_beside, tables_folder

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
NATIONAL = ("chs-drg-1.0r", "chs-drg-1.1", "chs-drg-2.0", "chs-drg-3.0")
CITIES = (
    "anyang-2021",
    "beijing-2022",
    "changsha-2023",
    "chongqing-2022",
    "fuzhou-2022",
    "guangxi-2022",
    "haerbin-2022",
    "lanzhou-2023",
    "linfen-2022",
    "nanping-2023",
    "qingdao-2023",
    "taizhou-2022",
    "wlmq-2022",
    "wuxi-2022",
    "xjbt-2022",
    "yancheng-2023",
    "yantai-2023",
    "yunnan-2022",
    "yunnan-2023",
)
NAMES = (*NATIONAL, "suzhou-2023", "wuhan-2022", *CITIES)

needs_sources = pytest.mark.skipif(
    not (SHARED / "schemes").is_dir(), reason="the sources of the tables are not here"
)


def _markdown_tables() -> Iterator[list[list[str]]]:
    text = (tables_folder() / "SOURCES.md").read_text(encoding="utf-8")
    for block in re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE):
        rows = [[cell.strip(" `") for cell in line.split("|")[1:-1]] for line in block.splitlines()]
        yield [rows[0], *rows[2:]]


def _number(cell: str) -> int:
    return int(cell.replace(",", ""))


def test_the_default_scheme_has_the_published_counts() -> None:
    counts = load_scheme().counts()
    assert counts == {
        "mdc": 26,
        "adrg": 492,
        "adrg_ambiguous": 21,
        "adrg_catch_all": 24,
        "drg": 825,
        "drg_rows": 870,
        "sets": 634,
        "set_rows": 106_950,
        "set_members": 106_830,
        "mcc": 1_581,
        "cc": 6_337,
        "exclusion_tables": 148,
        "exclusion_rows": 21_043,
    }


def test_the_counts_in_the_sources_file_are_those_of_the_tables() -> None:
    header, *rows = next(t for t in _markdown_tables() if t[0][0] == "count")
    schemes = {name: load_scheme(name).counts() for name in header[2:] if "published" not in name}
    assert sorted(schemes) == sorted(set(NAMES) - set(CITIES))
    assert [row[0] for row in rows] == list(schemes["chs-drg-3.0"])
    for row in rows:
        for name, cell in zip(header[2:], row[2:], strict=True):
            if "published" not in name:
                assert _number(cell) == schemes[name][row[0]]
            elif cell != "not stated":
                # The seven rows that the workbook lacks are not in the published number.
                more = 7 if (name, row[0]) == ("3.0 published", "exclusion_rows") else 0
                found = schemes[f"chs-drg-{name.split()[0]}"][row[0]]
                assert _number(cell) + more == found


def test_the_counts_of_local_versions_are_those_of_the_tables() -> None:
    _, *rows = next(t for t in _markdown_tables() if t[0][0] == "local version")
    keys = ("adrg", "adrg_ambiguous", "drg", "drg_rows", "sets", "set_members", "mcc", "cc")
    assert [row[0] for row in rows] == list(CITIES)
    infos = {info.name: info for info in list_schemes()}
    for name, *cells in rows:
        assert [_number(cell) for cell in cells] == [infos[name].counts[key] for key in keys]
        assert infos[name].region
        assert name.endswith(f"-{infos[name].year}")


def test_the_version_in_force_has_the_published_counts() -> None:
    counts = load_scheme("chs-drg-2.0").counts()
    published = {"mdc": 26, "adrg": 409, "adrg_ambiguous": 21, "drg": 634}
    assert {name: counts[name] for name in published} == published


def test_the_overlays_in_the_sources_file_are_those_of_the_tables() -> None:
    header, *rows = next(t for t in _markdown_tables() if t[0][0] == "overlay")
    for row in rows:
        told = dict(zip(header[1:], map(_number, row[1:]), strict=True))
        found = dict.fromkeys(told, 0)
        for path in (tables_folder() / row[0]).glob("*.parquet"):
            for change in pq.read_table(path)[CHANGE].to_pylist():
                key = f"{path.stem} `{change}"  # the cell's backquotes are stripped at its ends
                found[key] = found.get(key, 0) + 1
        assert found == told


def test_the_documents_in_the_sources_file_are_those_of_the_tables() -> None:
    header, *rows = next(t for t in _markdown_tables() if t[0][0] == "scheme")
    assert header[3:] == ["in force from", "kept as"]
    told = {row[0]: row for row in rows}
    assert sorted(told) == sorted(NAMES)
    for info in list_schemes():
        assert told[info.name][3] == (info.in_force_from or "not stated")
        assert told[info.name][4] == (f"overlay on {info.base}" if info.base else "whole")


def test_the_repairs_in_the_sources_file_are_those_made() -> None:
    text = (tables_folder() / "SOURCES.md").read_text(encoding="utf-8")
    listed = re.findall(r"^- `(\w+)` \((\d+)\): ((?:.|\n  )*)", text, re.MULTILINE)
    manifest = json.loads((tables_folder() / "chs-drg-3.0" / MANIFEST).read_text("utf-8"))
    assert manifest["repairs"] == {"sets: repeated row": sum(int(n) for _, n, _ in listed)}
    for set_id, count, codes in listed:
        members = codes.replace("\n", " ").split(", ")
        assert len(members) == int(count)
        assert load_scheme().sets[set_id] >= {code.strip() for code in members}


@pytest.mark.parametrize("name", [*NATIONAL, "suzhou-2023", "beijing-2022"])
def test_the_findings_file_is_what_the_check_finds(name: str) -> None:
    text = (tables_folder() / "FINDINGS.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (\S+)\n\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    assert sorted(sections) == sorted(NAMES)
    dictionaries = {kind: load_dictionary(kind) for kind in ("diagnoses", "procedures")}
    report = check_scheme(load_scheme(name), dictionaries)
    assert report.errors == ()
    base = load_scheme(name).metadata.get("base", "")
    told = sections[name] + sections.get(base, "")
    for finding in report.warnings:
        (_line,) = {
            line
            for line in told.splitlines()
            if line.startswith(f"- {finding.where}: ")
            and line.endswith(f"[{finding.code}]")
            and all(code in line for code in finding.items)
            and finding.message.partition(" … and ")[0] in line
        }
    own = [line for line in sections[name].splitlines() if line.startswith("- ")]
    assert len(own) == len(report.warnings) if not base else len(own) <= len(report.warnings)


def test_groups_that_no_case_reaches() -> None:
    unreachable = {
        name: [f.where for f in check_scheme(load_scheme(name)).warnings if f.code == "unreachable"]
        for name in ("chs-drg-3.0", "chs-drg-1.0r", "suzhou-2023", "wuhan-2022")
    }
    assert unreachable["chs-drg-3.0"] == ["ADRG W00", "ADRG Y00"]
    assert unreachable["suzhou-2023"] == ["ADRG PV1"]
    assert unreachable["wuhan-2022"] == unreachable["chs-drg-1.0r"]
    assert len(unreachable["chs-drg-1.0r"]) == 14


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_scheme_is_what_was_compiled(name: str) -> None:
    scheme = load_scheme(name)
    assert content_digest(scheme.tables) == scheme.metadata["digest"]
    manifest = json.loads((tables_folder() / name / MANIFEST).read_text("utf-8"))
    assert manifest["counts"] == scheme.counts()
    assert load_scheme(name) is scheme


def test_every_set_is_named_and_every_name_is_a_set() -> None:
    for name in NAMES:
        scheme = load_scheme(name)
        assert scheme.named_sets() == scheme.sets.keys()


def test_schemes_are_listed_without_being_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "read_table", None)
    found = {info.name: info.base for info in list_schemes()}
    assert {name: found.pop(name) for name in set(NAMES) - set(CITIES)} == {
        "chs-drg-1.0r": None,
        "chs-drg-1.1": None,
        "chs-drg-2.0": None,
        "chs-drg-3.0": None,
        "suzhou-2023": "chs-drg-1.1",
        "wuhan-2022": "chs-drg-1.0r",
    }
    assert sorted(found) == sorted(CITIES)
    assert {found.pop("chongqing-2022"), *found.values()} == {"chs-drg-1.0r", "chs-drg-1.1"}


def test_dictionaries_and_translations() -> None:
    diagnoses, procedures = load_dictionary("diagnoses"), load_dictionary("procedures")
    assert diagnoses.column_names == procedures.column_names == ["code", "name"]
    assert (diagnoses.num_rows, procedures.num_rows) == (33_304, 13_686)
    names = dict(zip(diagnoses["code"].to_pylist(), diagnoses["name"].to_pylist(), strict=True))
    assert names["A00.000x001"] == "古典生物型霍乱"
    for kind, rows in (("diagnoses", 4_389), ("procedures", 560)):
        table = load_translation(kind)
        assert table.column_names == ["clinical_code", "insurance_code"]
        assert table.num_rows == rows
        assert set(table["insurance_code"].to_pylist()) <= set(
            load_dictionary(kind)["code"].to_pylist()
        )
    with pytest.raises(SchemeError, match="no dictionary 'drugs'"):
        load_dictionary("drugs")  # type: ignore[arg-type]


def test_an_installation_without_tables_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dictionary, "__file__", str(tmp_path / "src/drgcore/cases/d.py"))
    monkeypatch.setattr(dictionary.resources, "files", lambda _: tmp_path / "drgcore")
    with pytest.raises(SchemeError, match="shipped grouping tables are missing"):
        tables_folder()
    (tmp_path / "drgcore" / "data" / "grouper_tables").mkdir(parents=True)
    assert tables_folder() == tmp_path / "drgcore" / "data" / "grouper_tables"


@needs_sources
def test_building_again_gives_the_shipped_files(tmp_path: Path) -> None:
    builder = tmp_path / "data" / "build_grouper_tables.py"
    builder.parent.mkdir()
    shutil.copy(ROOT / "data" / builder.name, builder)
    done = subprocess.run(
        [sys.executable, str(builder), str(SHARED)],
        env={"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    built = builder.parent / "grouper_tables"
    shipped = tables_folder()
    files = sorted(p.relative_to(shipped) for p in shipped.rglob("*.*") if p.is_file())
    files.remove(Path("SOURCES.md"))
    # Pairs of groups are read and mended by hand.
    files = [file for file in files if file.parts[0] != "pairs"]
    assert sorted(p.relative_to(built) for p in built.rglob("*.*") if p.is_file()) == files
    for file in files:
        if file.suffix == ".parquet":
            # Another pyarrow may write other bytes for the same table.
            assert pq.read_table(built / file).equals(pq.read_table(shipped / file))
        else:
            assert (built / file).read_bytes() == (shipped / file).read_bytes()


@needs_sources
@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_scheme_holds_every_row_of_its_source(name: str) -> None:
    folder = SHARED / "schemes" / ("cities" if name in CITIES else "")
    source, _ = read_source_beside(folder / name, folder)
    scheme = load_scheme(name)
    assert dict(scheme.source_rows) == dict(source.source_rows)
    for table, rows in source.tables.items():
        order = [(column, "ascending") for column in rows.column_names]
        assert scheme.tables[table].sort_by(order).equals(rows.sort_by(order))

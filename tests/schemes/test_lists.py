"""Lists of codes beside the rules: what is shipped, and for which scheme each holds."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from drgcore.errors import SchemeError
from drgcore.schemes import Scheme, code_lists, lists, load_dictionary, load_scheme
from drgcore.schemes.lists import LIST_NAMES
from drgcore.schemes.store import tables_folder


def test_the_lists_in_the_sources_file_are_those_shipped() -> None:
    text = (tables_folder() / "SOURCES.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| (\w+) \| ([\w.-]+) \| ([\d,]+) \|", text, re.MULTILINE)
    found: dict[tuple[str, str], int] = {}
    for row in pq.read_table(tables_folder() / "lists" / "codes.parquet").to_pylist():
        key = (row["list"], row["scheme"] or "all")
        found[key] = found.get(key, 0) + 1
    assert {(name, of): int(n.replace(",", "")) for name, of, n in told} == found
    assert {name for name, _ in found} == set(LIST_NAMES)


def test_codes_are_in_the_dictionary() -> None:
    diagnoses, procedures = (
        set(load_dictionary(kind)["code"].to_pylist()) for kind in ("diagnoses", "procedures")
    )
    for name in ("chs-drg-3.0", "chs-drg-2.0"):
        found = code_lists(name)
        assert found.no_principal_diagnosis | found.gray_diagnoses <= diagnoses
        assert found.gray_procedures <= procedures
        unknown = found.no_part_procedures - procedures
        assert len(unknown) == {"chs-drg-3.0": 0, "chs-drg-2.0": 5}[name]


def test_no_rule_names_a_procedure_that_takes_no_part_but_those_of_robots() -> None:
    # So a principal procedure among them counts as none without any word of the evaluation.
    for name, robots in (("chs-drg-3.0", 5), ("chs-drg-2.0", 0)):
        none = code_lists(name).no_part_procedures
        held = {set_id: codes & none for set_id, codes in load_scheme(name).sets.items()}
        named = {set_id: codes for set_id, codes in held.items() if codes}
        assert {set_id: len(codes) for set_id, codes in named.items()} == (
            {"OP_ARB": robots} if robots else {}
        )


def test_basic_groups_are_groups_of_the_scheme() -> None:
    drgs = {drg.code for drg in load_scheme("chs-drg-3.0").drgs}
    assert code_lists("chs-drg-3.0").basic_groups <= drgs
    assert not code_lists("chs-drg-2.0").basic_groups
    assert "basic_groups" not in code_lists("chs-drg-2.0").source


def test_an_overlay_has_the_lists_of_its_base() -> None:
    tables = load_scheme("chs-drg-3.0").tables
    city = Scheme("my-city", tables, {"base": "chs-drg-3.0"})
    assert code_lists(city) is code_lists(city)
    assert code_lists(city).no_part_procedures == code_lists("chs-drg-3.0").no_part_procedures
    alone = code_lists(Scheme("my-city", tables))
    assert alone.no_part_procedures == frozenset()
    assert sorted(alone.source) == ["gray_diagnoses", "gray_procedures"]
    assert code_lists("suzhou-2023").gray_diagnoses == code_lists("chs-drg-1.1").gray_diagnoses


def test_what_is_no_scheme_has_no_lists() -> None:
    with pytest.raises(SchemeError, match="there is no scheme 'nope'"):
        code_lists("nope")


def test_a_damaged_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "lists.json").write_text("{", encoding="utf-8")
    monkeypatch.setattr(lists, "tables_folder", lambda: tmp_path)
    lists._sources.cache_clear()
    with pytest.raises(SchemeError, match=r"lists\.json.*damaged"):
        lists._sources()
    lists._sources.cache_clear()

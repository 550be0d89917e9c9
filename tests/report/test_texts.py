"""A report says everything in both languages."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import drgcore.report
from drgcore.errors import DrgcoreError
from drgcore.report.columns import COLUMNS, heading
from drgcore.report.texts import Words

FOLDER = Path(drgcore.report.__file__).parent


def test_what_is_said_are_literals_so_that_the_catalogue_has_them() -> None:
    said = 0
    for path in sorted(FOLDER.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args:
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if name in ("say", "_say"):
                    # What is marked elsewhere has a name in capitals.
                    marked = re.match(r"[A-Z_]+(\[|$)", ast.unparse(node.args[0]))
                    assert isinstance(node.args[0], ast.Constant) or marked, (path, node.lineno)
                    said += 1
    assert said > 200


def test_columns_have_both_headings() -> None:
    same = {name for name in COLUMNS if heading(name, "zh") == heading(name, "en")}
    assert same == {"mdc", "adrg", "drg", "cmi"}
    assert heading("round 2: money", "zh") == "round 2: 金额"


def test_words_of_tables_are_translated() -> None:
    assert Words("zh").word("no_base_points") == "无基准点数"
    assert Words("en").word("no_base_points") == "no base points"
    assert Words("zh").word("few_services") == "服务不足线索"
    assert Words("en").word("few_services") == "few services"
    assert Words("zh").word("held back in 2027-03") == "2027年3月预留"
    assert Words("zh").word("H_01") == Words("en").word("H_01") == "H_01"


def test_a_language_that_is_not_there() -> None:
    with pytest.raises(DrgcoreError, match="no language 'fr'"):
        Words("fr")  # type: ignore[arg-type]

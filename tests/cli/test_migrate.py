"""`drgcore scheme migrate`."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from drgcore.errors import SchemeError
from tests.cli.conftest import ROWS, plain, run


def test_tables_and_summary(cases: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder"
    shown = plain(run("scheme", "migrate", cases, "--after", "suzhou-2023", "--out", out))
    assert f"{ROWS} cases, chs-drg-1.1 → suzhou-2023:" in shown
    assert "subdivision_changed" in shown
    assert "6 tables in" in shown
    tables = {path.stem: pd.read_csv(path) for path in out.iterdir()}
    assert set(tables) == {"flows", "groups", "reasons", "causes", "statuses", "changed"}
    assert tables["statuses"]["cases"].sum() == ROWS
    assert len(tables["changed"]) == tables["causes"]["cases"].sum() > 0
    assert f"{len(tables['changed'])} changed" in shown


def test_a_scheme_that_is_none(cases: Path) -> None:
    with pytest.raises(SchemeError, match="no scheme 'chs-drg-9'"):
        run("scheme", "migrate", cases, "--after", "chs-drg-9")

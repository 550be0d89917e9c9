"""Code columns of numbers, and of numbers and text, as pandas writes them into workbooks."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from drgcore import group, group_file
from drgcore.errors import CaseSchemaError
from tests.cli.conftest import run

DATA = Path(__file__).parent / "data"


@pytest.mark.parametrize("name", ["allnum", "int", "mixed"])
def test_a_number_in_a_code_column_is_refused_in_file_and_frame(name, tmp_path):
    path = DATA / f"numbers_{name}.xlsx"
    message = "'principal_procedure' holds a number where a code belongs, first in row"
    with pytest.raises(CaseSchemaError, match=message):
        group_file(path, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
    frame = pd.read_excel(path, engine="calamine")
    with pytest.raises(CaseSchemaError, match="principal_procedure"):
        group(frame)


@pytest.mark.parametrize("name", ["allnum", "int", "mixed"])
@pytest.mark.parametrize(
    "words",
    [
        "check CASES OUT.csv",
        "explain CASES --row 1",
        "what-if CASES --row 1",
        "what-if CASES --pivotal OUT.csv",
        "in-stay CASES OUT.csv --history CASES",
        "compare-groups CASES CASES",
        "scheme migrate CASES",
    ],
)
def test_by_every_command_that_groups(words, name, tmp_path):
    words = words.replace("CASES", str(DATA / f"numbers_{name}.xlsx"))
    with pytest.raises(CaseSchemaError, match="a number where a code belongs"):
        run(*words.replace("OUT", str(tmp_path / "out")).split())
    assert list(tmp_path.iterdir()) == []

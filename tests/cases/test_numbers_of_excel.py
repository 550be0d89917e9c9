"""Code columns of numbers, and of numbers and text, as pandas writes them into workbooks."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from drgcore import group, group_file
from drgcore.errors import CaseSchemaError

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

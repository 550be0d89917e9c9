"""What a process imports for its first grouping: neither pandas nor scipy, which take longer."""

from __future__ import annotations

import subprocess
import sys

import pyarrow as pa
import pytest

import drgcore
from drgcore.grouper.stream import write_table

GROUP = """
import sys
import pyarrow.parquet as pq
import drgcore
source, result = sys.argv[1:]
drgcore.group_file(source, result)
if source.endswith(".parquet"):
    drgcore.group(pq.ParquetFile(source).read())
print(*({"pandas", "scipy"} & set(sys.modules)))
"""


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_neither_pandas_nor_scipy(kind, tmp_path):
    source = tmp_path / f"cases.{kind}"
    write_table(pa.table(drgcore.sample_cases(400, seed=3)), source)
    command = [sys.executable, "-c", GROUP, str(source), str(tmp_path / f"grouped.{kind}")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, [], "")


def test_scipy_is_there_for_those_who_want_it_after_numba():
    code = "import drgcore.compiling, scipy.linalg; print(drgcore.compiling.nb.__name__)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("numba\n", "")

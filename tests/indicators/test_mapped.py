"""An export of another layout is looked at as the same cases under canonical names are."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from drgcore import group_file, sample_cases
from drgcore.synthetic import write_export
from tests.cli.conftest import run

SHEET = """of = ["department"]
min_cases = 5
missing = "left_out"
[[indicators]]
name = "cmi"
weight = 1
zero = 0.5
target = 1.2
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same grouped cases twice, and a score sheet."""
    made = tmp_path_factory.mktemp("mapped")
    cases = sample_cases(1500, seed=6, hospitals=3)
    pq.write_table(cases, made / "cases.parquet")
    write_export(made / "hqms.csv", cases)
    group_file(made / "cases.parquet", made / "plain.parquet")
    group_file(made / "hqms.csv", made / "hqms.parquet", mapping="hqms")
    (made / "sheet.toml").write_text(SHEET, encoding="utf-8")
    return made


@pytest.mark.parametrize(
    "command",
    [
        ("indicators", "--by", "department,doctor", "--by", "month"),
        ("pnl", "--policy", "example", "--value", "employee=64,resident=58", "--by", "department"),
        ("score", "--by", "sheet.toml"),
    ],
)
def test_both_say_the_same(
    command: tuple[str, ...], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    name, *options = command
    said = run(name, "plain.parquet", *options)
    assert run(name, "hqms.parquet", *options, "--mapping", "hqms") == said


def test_last_year_is_read_by_the_same_mapping(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    for name, mapping in (("plain", "canonical"), ("hqms", "hqms")):
        run("indicators", f"{name}.parquet", "--last-year", f"{name}.parquet", "--mapping", mapping,
            "--out", f"{name}.csv")  # fmt: skip
    long = "hospital-long.csv"
    assert Path(f"plain-{long}").read_bytes() == Path(f"hqms-{long}").read_bytes()

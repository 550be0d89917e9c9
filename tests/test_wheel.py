"""The wheel: what it holds, and that it works where there is nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# No compiler may be asked for, and nothing of the checkout may be found.
ALONE = {
    **{
        name: text for name, text in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}
    },
    "CC": "/bin/false",
    "CXX": "/bin/false",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
}


def ran(*command: str | Path, cwd: Path) -> str:
    """What a command prints; it must end well."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=ALONE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    ran(
        sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, ROOT, cwd=folder
    )
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_has_the_package_and_its_data(wheel: Path) -> None:
    assert wheel.name.endswith("-py3-none-any.whl")
    held = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("drgcore/")}
    source = ROOT / "src"
    wanted = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    data = ROOT / "data"
    wanted |= {
        f"drgcore/data/{path.relative_to(data).as_posix()}"
        for folder in ("grouper_tables", "examples")
        for path in (data / folder).rglob("*")
        if path.is_file()
    }
    assert wanted <= held


def test_it_installs_without_a_compiler_and_works(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    binaries = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    ran(
        *(binaries / "python", "-m", "pip", "install", "--quiet", "--only-binary", ":all:"),
        wheel,
        cwd=tmp_path,
    )
    program = binaries / "drgcore"
    case = ("--pdx", "K80.101", "--dx", "I50.900", "--proc", "51.2300", "--sex", "1", "--age", "45")
    assert "HC4" in ran(program, "group-one", *case, cwd=tmp_path)
    ran(program, "sample", "cases.parquet", "--rows", "200", cwd=tmp_path)
    ran(program, "group", "cases.parquet", "groups.csv", cwd=tmp_path)
    assert len((tmp_path / "groups.csv").read_text(encoding="utf-8-sig").splitlines()) == 201

"""The wheel: what it holds, and that it works where there is nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
OWN = f"{sys.version_info.major}.{sys.version_info.minor}"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CLAIMED = [
    kind.rpartition(" ")[2]
    for kind in PROJECT["classifiers"]
    if kind.startswith("Programming Language :: Python :: 3.")
]
WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"
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


def found(minor: str) -> str | None:
    """The program of this minor version of Python, where it is there and runs."""
    if minor == OWN:
        return sys.executable
    program = shutil.which(f"python{minor}")
    if program is None:
        return None
    # A name on the path may be a stub of a version manager that runs nothing.
    asked = [program, "-c", "import ensurepip, venv"]
    tried = subprocess.run(asked, env=ALONE, capture_output=True, check=False)
    return program if tried.returncode == 0 else None


@pytest.mark.parametrize(
    "minor",
    [OWN, *(pytest.param(minor, marks=pytest.mark.long) for minor in CLAIMED if minor != OWN)],
)
def test_it_installs_without_a_compiler_and_works(minor: str, wheel: Path, tmp_path: Path) -> None:
    python = found(minor)
    if python is None:
        pytest.skip(f"no python{minor} on this machine")
    ran(python, "-m", "venv", tmp_path / "venv", cwd=tmp_path)
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
    month = ("--month", "2027-01", "--policy", "example", "--ledger", "book.sqlite", "--close")
    ran(program, "settle", "month", "groups.csv", *month, cwd=tmp_path)
    assert "1 entries" in ran(program, "ledger", "verify", "book.sqlite", cwd=tmp_path)


@pytest.mark.skipif(not WORKFLOW.exists(), reason="a source distribution has no workflow")
def test_every_version_that_is_claimed_is_tried() -> None:
    """The workflow runs the tests on each Python that the package says it is for."""
    jobs = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]
    assert PROJECT["requires-python"] == f">={CLAIMED[0]}"
    assert jobs["test"]["strategy"]["matrix"]["python"] == CLAIMED
    edges = jobs["versions"]["strategy"]["matrix"]["include"]
    assert [(edge["which"], edge["python"]) for edge in edges] == [
        ("oldest", CLAIMED[0]),
        ("newest", CLAIMED[-1]),
    ]

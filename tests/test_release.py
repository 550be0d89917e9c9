"""The benchmark of releases never passes what it could not ask about."""

from __future__ import annotations

import io
import json
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from benchmarks.release import UNKNOWN, WELL, WRONG, audit, faults_of, read_audit

GOOD = {"name": "numpy", "version": "2.1", "vulns": []}
SKIPPED = {"name": "pyarrow", "skip_reason": "Dependency not found on PyPI"}
OWN = {"name": "drgcore", "skip_reason": "distribution marked as editable"}
WEAK = {
    "name": "jinja2",
    "version": "3.0",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["3.1"], "aliases": [], "description": ""}],
}


@pytest.mark.parametrize(
    ("packages", "verdict", "said"),
    [
        ([GOOD, OWN], WELL, "asked about 1 packages, 0 known weaknesses"),
        ([GOOD, SKIPPED], UNKNOWN, "NOT AUDITED: 1 of 2 packages; pyarrow: Dependency not found"),
        ([SKIPPED], UNKNOWN, "NOT AUDITED: 1 of 1"),
        ([OWN], UNKNOWN, "NOT AUDITED: no package was asked about"),
        ([GOOD, WEAK, SKIPPED], WRONG, "weak: jinja2 3.0: PYSEC-1, mended in 3.1"),
    ],
)
def test_an_audit_is_judged_by_what_was_asked(packages, verdict, said):
    found = read_audit({"dependencies": packages, "fixes": []})
    assert found.verdict == verdict
    assert said in found.told()


@pytest.mark.parametrize(
    ("program", "verdict", "said"),
    [
        # It ends well and finds nothing, as it does where the service knows no package.
        (f"print({json.dumps(json.dumps({'dependencies': [SKIPPED]}))})", UNKNOWN, "NOT AUDITED"),
        ("raise SystemExit('ConnectionError: the service does not answer')", UNKNOWN, "not answer"),
        ("raise SystemExit(1)", UNKNOWN, "ended with 1"),
        (f"print({json.dumps(json.dumps({'dependencies': [GOOD]}))})", WELL, "asked about 1"),
    ],
)
def test_a_service_that_does_not_answer_is_said_to_be_so(program, verdict, said):
    found = audit((sys.executable, "-c", program))
    assert found.verdict == verdict
    assert said in found.told()


def test_without_the_program_nothing_is_audited():
    assert audit(("no-such-program",)).verdict == UNKNOWN


def test_what_is_built_is_held_against_the_checkout(tmp_path: Path):
    root = tmp_path / "root"
    for name in ("src/drgcore/a.py", "src/drgcore/__pycache__/a.pyc", "data/fonts/x.ttf"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("")
    wheel, sdist = tmp_path / "w.whl", tmp_path / "s.tar.gz"

    def built(inside: list[str], source: list[str]) -> list[str]:
        with zipfile.ZipFile(wheel, "w") as archive:
            for name in inside:
                archive.writestr(name, "")
        with tarfile.open(sdist, "w:gz") as packed:
            for name in source:
                packed.addfile(tarfile.TarInfo(f"drgcore-1/{name}"), io.BytesIO())
        return faults_of(sdist, wheel, root)

    whole = ["drgcore/a.py", "drgcore/data/fonts/x.ttf", "drgcore-1.dist-info/METADATA"]
    needed = ["pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "SECURITY.md"]
    assert built(whole, needed) == []
    assert built(whole[1:], needed[1:]) == [
        "the wheel lacks drgcore/a.py",
        "the source distribution lacks pyproject.toml",
    ]
    assert built([*whole, "tests/x.py", "drgcore/b.pyc"], [*needed, "token.key"]) == [
        "the wheel holds drgcore/b.pyc",
        "the source distribution holds token.key",
        "the wheel holds tests/x.py",
    ]

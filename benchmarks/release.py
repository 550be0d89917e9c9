"""Whether a release may go out: what is built is whole, and no weakness of what it needs is known.

    python benchmarks/release.py [--folder build/release] [--no-audit]

Builds the source distribution, and from it the wheel; has `twine` check both; holds the files of
the wheel against the checkout. Then `pip-audit` asks the vulnerability service about every
installed package. Ends with 0 only where all of this was done and is well: with 1 where something
is wrong, and with 2 where the service could not be asked about every package, because what was not
asked about is not known to be safe.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
OWN = "drgcore"
WELL, WRONG, UNKNOWN = 0, 1, 2
_SECONDS = 900
# Folders of the checkout that hold what a user gets, and where the wheel has it.
_SHIPPED = {
    "src/drgcore": "drgcore",
    "data/grouper_tables": "drgcore/data/grouper_tables",
    "data/examples": "drgcore/data/examples",
    "data/fonts": "drgcore/data/fonts",
}


@dataclass(frozen=True)
class Audit:
    """What the vulnerability service says.

    Parameters
    ----------
    asked : int
        Packages that it knows and was asked about.
    unasked : dict of str to str
        Others, with the reason.
    weak : list of str
        A line for each known weakness.
    """

    asked: int
    unasked: dict[str, str]
    weak: list[str]

    @property
    def verdict(self) -> int:
        """`WRONG` with a weakness, `UNKNOWN` where something was not asked about, else `WELL`."""
        if self.weak:
            return WRONG
        return UNKNOWN if self.unasked or not self.asked else WELL

    def told(self) -> str:
        """The same as people read it."""
        lines = [f"weak: {line}" for line in self.weak]
        if self.unasked:
            name, why = next(iter(self.unasked.items()))
            lines.append(
                f"NOT AUDITED: {len(self.unasked)} of {self.asked + len(self.unasked)} packages; "
                f"{name}: {why}"
            )
        elif not self.asked:
            lines.append("NOT AUDITED: no package was asked about")
        lines.append(f"asked about {self.asked} packages, {len(self.weak)} known weaknesses")
        return "\n".join(lines)


def read_audit(report: dict[str, Any]) -> Audit:
    """Read what ``pip-audit --format json`` writes.

    It says that nothing is known and ends well, too, where it could ask about no package at all.
    """
    packages = [one for one in report["dependencies"] if one["name"] != OWN]
    weak = [
        f"{one['name']} {one['version']}: {found['id']}, mended in "
        f"{', '.join(found['fix_versions']) or 'no version yet'}"
        for one in packages
        for found in one.get("vulns", ())
    ]
    unasked = {one["name"]: one.get("skip_reason", "") for one in packages if "vulns" not in one}
    return Audit(len(packages) - len(unasked), unasked, weak)


def audit(command: Sequence[str] = (sys.executable, "-m", "pip_audit")) -> Audit:
    """Ask the vulnerability service about all installed packages."""
    options = ["--skip-editable", "--progress-spinner", "off", "--format", "json"]
    try:
        done = subprocess.run(
            [*command, *options], capture_output=True, text=True, check=False, timeout=_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Audit(0, {"pip-audit": type(error).__name__}, [])
    try:
        return read_audit(json.loads(done.stdout))
    except (ValueError, KeyError):
        said = done.stderr.strip().splitlines()
        return Audit(0, {"pip-audit": said[-1] if said else f"ended with {done.returncode}"}, [])


def build(folder: Path) -> tuple[Path, Path]:
    """Build the source distribution, and the wheel from it; have their metadata checked."""
    for old in folder.glob(f"{OWN}-*"):
        old.unlink()
    run = [sys.executable, "-m"]
    subprocess.run([*run, "build", "--outdir", str(folder), str(ROOT)], check=True)
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    subprocess.run([*run, "twine", "check", "--strict", str(sdist), str(wheel)], check=True)
    return sdist, wheel


def faults_of(sdist: Path, wheel: Path, root: Path = ROOT) -> list[str]:
    """What the two lack of the checkout, and what they hold that is nobody's to get."""
    held = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        f"{inside}/{path.relative_to(root / place).as_posix()}": f"{place}/{path.name}"
        for place, inside in _SHIPPED.items()
        for path in (root / place).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    faults = [f"the wheel lacks {name}" for name in sorted(wanted.keys() - held)]
    with tarfile.open(sdist) as archive:
        source = {name.partition("/")[2] for name in archive.getnames()}
    needed = {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "SECURITY.md"}
    faults += [f"the source distribution lacks {name}" for name in sorted(needed - source)]
    for kind, names in (("wheel", held), ("source distribution", source)):
        stray = [n for n in sorted(names) if n.endswith((".pyc", ".env", ".sqlite", ".key"))]
        faults += [f"the {kind} holds {name}" for name in stray]
    faults += [
        f"the wheel holds {name}"
        for name in sorted(held)
        if not name.startswith((f"{OWN}/", f"{OWN}-"))
    ]
    return faults


def main() -> int:
    """Build, check, audit; print and judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "release")
    parser.add_argument("--no-audit", action="store_true", help="build and check only")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    try:
        sdist, wheel = build(asked.folder)
    except subprocess.CalledProcessError as error:
        print(f"{' '.join(map(str, error.cmd[1:4]))} ended with {error.returncode}")
        return WRONG
    faults = faults_of(sdist, wheel)
    for built in (sdist, wheel):
        print(f"{built.name}: {built.stat().st_size / 1e6:.1f} MB")
    print("\n".join(faults) or "both are whole")
    if asked.no_audit:
        print("NOT AUDITED, as was asked")
        return WRONG if faults else UNKNOWN
    found = audit()
    print(found.told())
    return WRONG if faults else found.verdict


if __name__ == "__main__":
    sys.exit(main())

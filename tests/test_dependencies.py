"""Every library that the package imports is one that its installation brings."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


# pydantic brings them, in the versions that it works with.
BROUGHT = {"pydantic_core": "pydantic", "typing_extensions": "pydantic"}


def plain(name: str) -> str:
    """The name of a distribution in the one form in which names are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def named(requirements: list[str]) -> set[str]:
    """The names of the distributions of a list of requirements."""
    return {plain(re.match(r"[\w.-]+", line)[0]) for line in requirements}  # type: ignore[index]


def imported(folder: Path) -> dict[str, set[str]]:
    """Each library that a module of a folder imports, with the modules that do."""
    found: dict[str, set[str]] = {}
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            for name in names:
                top = name.partition(".")[0]
                if top not in sys.stdlib_module_names and top != "drgcore":
                    found.setdefault(top, set()).add(str(path.relative_to(ROOT)))
    return found


def undeclared(folder: Path, declared: set[str]) -> dict[str, set[str]]:
    """The imports of a folder that none of the declared distributions provides."""
    provided = packages_distributions()
    return {
        name: where
        for name, where in imported(folder).items()
        if not {plain(owner) for owner in provided.get(BROUGHT.get(name, name), [name])} & declared
        and not (ROOT / folder / f"{name}.py").exists()
    }


def test_every_import_of_the_package_is_declared() -> None:
    extras = PROJECT["optional-dependencies"]
    declared = named(PROJECT["dependencies"]).union(
        *(named(lines) for extra, lines in extras.items() if extra != "dev")
    )
    assert undeclared(ROOT / "src", declared) == {}


def test_every_import_of_tests_and_benchmarks_is_declared() -> None:
    extras = PROJECT["optional-dependencies"]
    declared = named(PROJECT["dependencies"]).union(*map(named, extras.values()))
    for folder in ("tests", "benchmarks"):
        found = undeclared(ROOT / folder, declared)
        assert set(found) <= {"tests", "benchmarks"}, folder


def test_an_import_that_is_not_declared_is_found() -> None:
    declared = named(PROJECT["dependencies"]) - {"dbfread"}
    assert "dbfread" in undeclared(ROOT / "src", declared)

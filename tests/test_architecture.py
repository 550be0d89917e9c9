"""The map is true, imports go one way, modules are short, and the public names are documented."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import drgcore
from drgcore import errors

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "drgcore"
MAP = ROOT / "ARCHITECTURE.md"
# What belongs to no room and may be imported by all.
COMMON = {
    "compiling",
    "errors",
    "files",
    "dates",
    "formulas",
    "language",
    "progress",
    "rounding",
    "validation",
    "workbooks",
}
# The package's front door knows all rooms; who comes in by it stands behind the last one.
ENTRANCES = {"__init__", "__main__"}
MODULES = sorted(PACKAGE.rglob("*.py"))


def fenced(text: str) -> list[tuple[str, list[str]]]:
    """The fenced blocks of a page, each with the last line of text before it."""
    blocks = []
    for found in re.finditer(r"^([^\n`]+)\n+```[^\n]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        blocks.append((found[1].strip(), found[2].splitlines()))
    return blocks


def rooms_of(text: str) -> list[str]:
    """The order of the rooms that the map gives."""
    lines = [
        line
        for title, block in fenced(text)
        if title == "Rooms, in the direction of imports"
        for line in block
    ]
    assert len(lines) == 1, "the map gives the order of the rooms once, in one line"
    return [room.strip() for room in lines[0].split("→")]


def tree_of(text: str) -> list[str]:
    """Every folder (with a slash at its end) and module that the map names."""
    trees = [block for _, block in fenced(text) if block and block[0] == "src/drgcore/"]
    assert len(trees) == 1, "the map has one tree, which begins with src/drgcore/"
    entries = []
    for line in trees[0][1:]:
        entry = re.fullmatch(r" {4}(\S+) +\S.*", line)
        assert entry, f"not of the form 'path   what it is': {line!r}"
        entries.append(entry[1])
    return entries


def real_tree() -> list[str]:
    """The same of the package itself."""
    modules = [path.relative_to(PACKAGE).as_posix() for path in MODULES]
    folders = {f"{Path(module).parent.as_posix()}/" for module in modules if "/" in module}
    return sorted([*modules, *folders])


def room_of(module: str) -> str:
    """The room of a dotted name under drgcore; the package itself is `__init__`."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def imports_of(path: Path, source: str) -> Iterator[tuple[int, str]]:
    """Line and dotted name of every import from drgcore, wherever in the module it stands."""
    inside = list(path.relative_to(PACKAGE.parent).parts[:-1])
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = inside[: len(inside) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            # `from drgcore import cases` names a room, `from drgcore.cases import X` is in one.
            names = (
                [f"{module}.{alias.name}" for alias in node.names]
                if module == "drgcore"
                else [module]
            )
        else:
            continue
        yield from ((node.lineno, n) for n in names if n.split(".")[0] == "drgcore")


def arrows_back(path: Path, source: str, rooms: list[str]) -> list[str]:
    """Imports of a module that go against the order of the rooms."""
    inner = path.relative_to(PACKAGE).with_suffix("").parts
    own = inner[0]
    if own in ENTRANCES:
        return []
    wrong = []
    for line, name in imports_of(path, source):
        room = room_of(name)
        if room in COMMON:
            continue
        if room not in rooms:
            # A name of the front door, which leads to any room: for the last one only.
            allowed = own == rooms[-1]
        else:
            allowed = own in rooms and rooms.index(room) <= rooms.index(own)
        if not allowed:
            wrong.append(f"{'/'.join(inner)}.py:{line} imports {name}")
    return wrong


# --- The map ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def text() -> str:
    """The map."""
    return MAP.read_text(encoding="utf-8")


def test_the_map_names_the_rooms_that_there_are(text: str) -> None:
    rooms = rooms_of(text)
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert sorted(rooms) == sorted(folders)


def test_imports_go_one_way(text: str) -> None:
    rooms = rooms_of(text)
    wrong = [w for p in MODULES for w in arrows_back(p, p.read_text(encoding="utf-8"), rooms)]
    assert wrong == []


@pytest.mark.parametrize(
    ("module", "line", "wrong"),
    [
        ("cases/codes.py", "from drgcore.schemes import Scheme", 1),
        ("cases/codes.py", "import drgcore.grouper.kernel", 1),
        ("cases/codes.py", "from ..grouper.kernel import group_rows", 1),
        ("cases/codes.py", "from drgcore import schemes", 1),
        ("cases/codes.py", "def f():\n    from drgcore.cli import app", 1),
        ("grouper/batch.py", "from drgcore.synthetic import sample_cases", 1),
        ("grouper/batch.py", "import drgcore", 1),
        ("errors.py", "from drgcore.cases import CodeIndex", 1),
        ("errors.py", "from drgcore import files", 0),
        ("grouper/batch.py", "from drgcore.schemes import Scheme", 0),
        ("grouper/batch.py", "from .kernel import group_rows", 0),
        ("cases/codes.py", "from drgcore.errors import DrgcoreError", 0),
        ("cli/app.py", "import drgcore", 0),
        ("cases/codes.py", "import numpy.drgcore", 0),
    ],
)
def test_an_arrow_back_is_found(module: str, line: str, wrong: int, text: str) -> None:
    assert len(arrows_back(PACKAGE / module, line, rooms_of(text))) == wrong


def circles_of(imports: dict[str, set[str]]) -> list[list[str]]:
    """The modules that know each other, each circle once."""
    order = TopologicalSorter(imports)
    try:
        order.prepare()
    except CycleError as error:
        circle = error.args[1]
        # One arrow of the circle is taken away, and the rest looked at again.
        rest = {name: set(known) for name, known in imports.items()}
        rest[circle[1]].discard(circle[0])
        return [sorted(set(circle)), *circles_of(rest)]
    return []


def module_imports() -> dict[str, set[str]]:
    """Each module with those it imports, also for type checkers alone."""
    names = {
        ".".join(("drgcore", *path.relative_to(PACKAGE).with_suffix("").parts)): path
        for path in MODULES
    }
    return {
        name: {known for _, known in imports_of(path, path.read_text("utf-8")) if known in names}
        for name, path in names.items()
    }


def test_no_modules_know_each_other() -> None:
    assert circles_of(module_imports()) == []


def test_a_circle_is_found() -> None:
    arrows = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}
    assert circles_of(arrows) == [["a", "b", "c"]]


def test_the_tree_is_the_real_one(text: str) -> None:
    assert sorted(tree_of(text)) == real_tree()


def test_what_the_map_names_beside_the_package_exists(text: str) -> None:
    named = re.findall(r"`((?:data|benchmarks|tests|docs|src)/[\w./-]*)`", text)
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


# --- The modules ------------------------------------------------------------------------------


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_a_module_is_short_and_says_what_it_is(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 400
    if source.strip():
        assert ast.get_docstring(ast.parse(source))


# --- The public names -------------------------------------------------------------------------


def public_names() -> dict[str, str]:
    """The room of each public name, by the stub in which they stand."""
    stub = ast.parse((PACKAGE / "__init__.pyi").read_text(encoding="utf-8"))
    lines = [node for node in stub.body if isinstance(node, ast.ImportFrom)]
    pairs = [(alias.name, str(node.module)) for node in lines for alias in node.names]
    assert len(dict(pairs)) == len(pairs), "a public name stands in the stub once"
    return dict(pairs)


ROOM_OF = public_names()


def test_public_names_are_those_of_the_stub() -> None:
    assert set(drgcore.__all__) == set(ROOM_OF)
    assert set(drgcore.__all__) <= set(dir(drgcore))
    # A room of the same name would hide a public name once it is imported.
    assert set(ROOM_OF).isdisjoint(rooms_of(MAP.read_text(encoding="utf-8")))


def test_errors_can_be_caught_without_importing_a_room() -> None:
    named = {name for name, room in ROOM_OF.items() if room == "errors"}
    assert named == {name for name, value in vars(errors).items() if inspect.isclass(value)}
    assert named <= set(vars(drgcore))


@pytest.mark.parametrize("name", sorted(ROOM_OF))
def test_a_public_name_resolves_and_is_documented(name: str) -> None:
    value = getattr(drgcore, name)
    if ROOM_OF[name] != "errors":
        room = importlib.import_module(f"drgcore.{ROOM_OF[name]}")
        assert getattr(room, name) is value
        assert name in room.__all__
        defined = getattr(value, "__module__", None)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert f"{defined}.".startswith(f"{room.__name__}.")
    if inspect.isclass(value) or inspect.isfunction(value):
        assert value.__doc__
    if inspect.isfunction(value):
        headings = re.findall(r"^ *(\w+)\n *-+$", value.__doc__ or "", re.MULTILINE)
        assert "Examples" in headings
        assert ">>> " in (value.__doc__ or "")


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="No drgcore attribute nope"):
        _ = drgcore.nope  # type: ignore[attr-defined]


def test_importing_the_package_imports_nothing_slow() -> None:
    code = "import sys, drgcore; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600
    )
    loaded = set(done.stdout.split())
    assert "drgcore" in loaded
    assert loaded.isdisjoint({"numba", "llvmlite", "pandas", "pyarrow", "numpy", "rich", "typer"})


def loaded_by(*arguments: str) -> set[str]:
    """The modules that a command has imported when it is done."""
    code = (
        f"import sys; sys.argv = {['drgcore', *arguments]!r}\n"
        "from drgcore.cli.app import main\n"
        "try:\n    main()\nfinally:\n    print(*sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600
    )
    return set(done.stderr.split())


def test_the_list_of_commands_imports_no_room() -> None:
    loaded = loaded_by("--help")
    assert "drgcore.cli.app" in loaded
    assert loaded.isdisjoint({"numba", "pandas", "pyarrow", "numpy", "drgcore.cases.readers"})


def test_small_commands_import_neither_pandas_nor_what_they_do_not_need(tmp_path: Path) -> None:
    cases = {
        "case_id": ["1"],
        "sex": [2],
        "age_years": [69],
        "age_days": [None],
        "newborn_weight_g": [None],
    }
    codes = {"principal_diagnosis": ["G11.900"], "principal_procedure": [""]}
    lists = {"other_diagnoses": [["S52.804"]], "other_procedures": [[""]]}
    path = str(tmp_path / "cases.parquet")
    pq.write_table(pa.table({**cases, **codes, **lists}), path)
    explained = loaded_by("explain", path, "--row", "1")
    assert "drgcore.grouper.explain" in explained
    unneeded = {"pandas", "openpyxl", "xlsxwriter", "dbfread", "drgcore.schemes.code_search"}
    assert explained.isdisjoint({*unneeded, "numba"})
    for out in ("out.parquet", "out.csv"):
        grouped = loaded_by("group", path, str(tmp_path / out))
        assert "drgcore.grouper.kernel" in grouped
        assert grouped.isdisjoint(unneeded)


def test_pyarrow_without_pandas_still_makes_frames() -> None:
    code = (
        "from drgcore.cli.lazy import spare_pandas; spare_pandas()\n"
        "import sys, pyarrow as pa; before = 'pandas' in sys.modules\n"
        "frame = pa.table({'a': [1, None]}).to_pandas(); import pandas as pd\n"
        "nothing = pa.array(pd.Series([float('nan')]))[0].as_py()\n"
        "print(before, type(frame) is pd.DataFrame, nothing)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600
    )
    assert done.stdout.split() == ["False", "True", "None"]


# --- The repository ---------------------------------------------------------------------------

# Of a machine, not of the project. Tests may make up such paths.
_LOCAL = re.compile(r"(?<![\w.~:/-])/(?:home|tmp|work|root|Users)/\w")


def tracked() -> list[Path]:
    """The files of the repository, where there is one."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, timeout=600
    )
    if listed.returncode:
        pytest.skip("no git repository")
    return [ROOT / name for name in listed.stdout.split("\0") if name]


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    found = []
    for path in tracked():
        inner = path.relative_to(ROOT)
        if inner.parts[0] == "tests" or not path.is_file():
            continue
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        found += [f"{inner}:{i}" for i, line in enumerate(lines, 1) if _LOCAL.search(line)]
    assert found == []


@pytest.mark.parametrize(
    ("line", "is_local"),
    [
        ("see /home/someone/x", True),
        ("open('/tmp/x.parquet')", True),
        ("file=/Users/x", True),
        ("https://example.org/home/page", False),
        ("build/tmp/x", False),
        ("~/work/x", False),
    ],
)
def test_local_paths_are_told_from_others(line: str, is_local: bool) -> None:
    assert bool(_LOCAL.search(line)) == is_local

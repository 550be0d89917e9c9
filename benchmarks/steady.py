"""Tests with other draws, in another order, on a busy machine: none may pass or fail by luck.

Each run has a seed of its own, from which hypothesis draws other examples, texts are hashed
otherwise, and the modules and the tests in each are shuffled, while other processes keep the cores
busy. It prints what each run gave and keeps the output of those that failed; a seed given again
repeats its run.

    python benchmarks/steady.py --runs 10
    python benchmarks/steady.py --runs 10 --drawing
    python benchmarks/steady.py --runs 1 --seed 1234 -- tests/grouper
"""

from __future__ import annotations

import argparse
import ast
import inspect
import os
import random
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "build" / "steady"
SEED, DRAWING = "DRGCORE_STEADY_SEED", "DRGCORE_STEADY_DRAWING"
# Generators with a seed of their own draw the same in every run.
_GIVEN = re.compile(r"\bgiven\(")


class Outcome(NamedTuple):
    """What one run of the tests gave."""

    passed: int
    skipped: int
    failed: list[str]
    """Names of tests that failed or broke off; "the run" where pytest itself did not end well."""


# --- as a plugin of pytest ----------------------------------------------------------------------


@cache
def drawing_functions(path: Path) -> frozenset[str]:
    """The functions of a module of tests that let hypothesis draw, by name."""
    tree = ast.parse(path.read_text("utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return frozenset(node.name for node in functions if _GIVEN.search(ast.unparse(node)))


def draws(item: pytest.Item) -> bool:
    """Whether a test draws otherwise in each run, itself or by a function of its module."""
    if not isinstance(item, pytest.Function) or not item.path.is_relative_to(ROOT / "tests"):
        return False
    # What stands behind a decorator of hypothesis is the test as it was written, its name too.
    written = inspect.getsource(inspect.unwrap(item.function))
    return not drawing_functions(item.path).isdisjoint(re.findall(r"\w+", written))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Shuffle the modules and the tests in each; leave out those that do not draw, if asked."""
    draw = random.Random(int(os.environ[SEED]))
    modules: dict[Path, list[pytest.Item]] = {}
    for item in items:
        modules.setdefault(item.path, []).append(item)
    if os.environ.get(DRAWING):
        config.hook.pytest_deselected(items=[item for item in items if not draws(item)])
        modules = {path: [item for item in own if draws(item)] for path, own in modules.items()}
    paths = sorted(modules)
    draw.shuffle(paths)
    for path in paths:
        draw.shuffle(modules[path])
    items[:] = [item for path in paths for item in modules[path]]


# --- the runs -----------------------------------------------------------------------------------


@contextmanager
def busy(count: int) -> Iterator[None]:
    """Keep so many processes computing."""
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def outcome(report: Path, code: int) -> Outcome:
    """Read what pytest wrote of a run."""
    passed, skipped, failed = 0, 0, []
    if report.exists():
        for case in ET.parse(report).getroot().iter("testcase"):
            kinds = {child.tag for child in case}
            if kinds & {"failure", "error"}:
                failed.append(f"{case.get('classname')}::{case.get('name')}")
            elif "skipped" in kinds:
                skipped += 1
            else:
                passed += 1
    if not failed and (code or not passed):
        failed.append(f"the run (pytest ended with {code})")
    return Outcome(passed, skipped, sorted(set(failed)))


def run(seed: int, drawing: bool, workers: int, more: list[str]) -> Outcome:
    """Run the tests with a seed; keep their output where any failed."""
    environment = {k: v for k, v in os.environ.items() if k != "CI"}
    environment |= {SEED: str(seed), "PYTHONHASHSEED": str(seed), DRAWING: "1" if drawing else ""}
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-p", "benchmarks.steady", "--tb=short"]
        command += ["-p", "no:cacheprovider", f"--hypothesis-seed={seed}", f"--junitxml={report}"]
        command += ["-m", "not spark and not long"]
        command += ["-n", str(workers), "--dist", "loadfile"] if workers > 1 else []
        done = subprocess.run(
            [*command, *more],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        found = outcome(report, done.returncode)
    if found.failed:
        KEPT.mkdir(parents=True, exist_ok=True)
        (KEPT / f"{seed}.log").write_bytes(done.stdout)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--seed", type=int, help="of the first run; each next one has one more")
    parser.add_argument(
        "--drawing", action="store_true", help="only tests that draw otherwise in each run"
    )
    parser.add_argument("--busy", type=int, default=2, help="processes beside the tests")
    parser.add_argument("--workers", type=int, default=1, help="processes of the tests")
    parser.add_argument("more", nargs="*", help="what pytest is told besides")
    said = parser.parse_args()
    first = random.SystemRandom().randrange(2**31) if said.seed is None else said.seed
    bad = 0
    with busy(said.busy):
        for number in range(said.runs):
            start = time.perf_counter()
            found = run(first + number, said.drawing, said.workers, said.more)
            bad += bool(found.failed)
            print(
                f"seed {first + number}: {found.passed} passed, {found.skipped} skipped,"
                f" {len(found.failed)} failed in {time.perf_counter() - start:.0f} s",
                flush=True,
            )
            for name in found.failed:
                print(f"  {name}", flush=True)
    print(f"{said.runs - bad} of {said.runs} runs were clean")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())

"""Does the compiled kernel say what the rules say, case by case?

For every shipped scheme, random cases are grouped by the kernel and one by one by the plain
evaluator, which walks the rules' syntax trees and shares neither tables nor loop with the kernel.
Half of the cases are a synthetic sample with faults, half are drawn without any plan from the
dictionaries, with unknown and missing codes, hundreds of diagnoses in a row, and numbers at and
beyond the bounds of rules.

Prints how many agree, how many groups were reached, and the speed of both on one core. Exits with
1 when a case differs, naming the numbers of the rows. The reader of codes and numbers is common to
both; it has tests of its own.

    python benchmarks/agreement.py [--rows 200000] [--seed 0] [--scheme chs-drg-3.0 ...]
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import drgcore
from drgcore.cases import (
    CANONICAL_SCHEMA,
    FIRST_CODE,
    UNKNOWN,
    CaseMapping,
    CodeIndex,
    encode_cases,
)
from drgcore.grouper.plain import PlainCase, group_plainly
from drgcore.grouper.tables import compile_tables
from drgcore.schemes import Scheme
from drgcore.schemes.rules import Compare, atoms

COMPARED = ("mdc", "adrg", "drg", "status", "reason", "severity")

Row = tuple[str | None, ...]

PIECE = 5_000
SHOWN_ROWS = 20
# What a case may have, beside the numbers around the bounds of the rules; and what it may not.
NUMBERS = {
    "sex": ("XB", [1, 2], [0, 3, 9, -1, None]),
    "age_years": ("NL", [0, 0, 0, 1, 40, 150], [151, -1, None]),
    "age_days": ("XSRTL", [0, 1, 200, 365], [366, -1, None]),
    "newborn_weight_g": ("XSRTZ", [1, 3200, 20_000], [0, 20_001, -1, None, None, None]),
}
WRONG_SHARE = {"sex": 0.02, "age_years": 0.03, "age_days": 0.1, "newborn_weight_g": 0.3}


def hostile_cases(scheme: Scheme, rows: int, rng: np.random.Generator) -> pa.Table:
    """Cases without any plan, in the canonical columns."""
    tables = compile_tables(scheme)
    diagnoses = tables.diagnoses.codes.to_numpy(zero_copy_only=False)
    procedures = tables.procedures.codes.to_numpy(zero_copy_only=False)
    members = sorted(set().union(*scheme.sets.values()))
    in_rules = np.array(members, dtype=object)
    begins_with_letter = np.array([code[0].isalpha() for code in members])
    listed = np.array(sorted(scheme.complications), dtype=object)
    # Mostly codes that some rule asks for, some that none does, and some that are no codes.
    of_diagnoses = (in_rules[begins_with_letter], diagnoses, listed, NO_CODES)
    of_procedures = (in_rules[~begins_with_letter], procedures, NO_CODES)
    columns = {
        "principal_diagnosis": _draw(of_diagnoses, (0.7, 0.22, 0.05, 0.03), rows, rng),
        "other_diagnoses": _lists(of_diagnoses, (0.3, 0.2, 0.45, 0.05), rows, rng),
        "principal_procedure": _draw(of_procedures, (0.55, 0.05, 0.4), rows, rng),
        "other_procedures": _lists(of_procedures, (0.8, 0.1, 0.1), rows, rng),
    }
    for name, (variable, right, wrong) in NUMBERS.items():
        near = [n for n in _around_bounds(scheme, variable) if min(right) <= n <= max(right)]
        pools = (np.array([*right, *near], object), np.array(wrong, object))
        columns[name] = _draw(pools, (1 - WRONG_SHARE[name], WRONG_SHARE[name]), rows, rng)
    return pa.table({f.name: pa.array(columns[f.name], f.type) for f in CANONICAL_SCHEMA})


NO_CODES = np.array(
    [None, None, None, "", "-", "Z99.999x999", "99.9999x999", "x" * 200, "A"], object
)


def _draw(
    pools: tuple[np.ndarray, ...], shares: tuple[float, ...], number: int, rng: np.random.Generator
) -> np.ndarray:
    """Values, each out of a pool that is chosen by its share."""
    drawn = np.empty(number, dtype=object)
    pool_of = rng.choice(len(pools), number, p=shares)
    for i, pool in enumerate(pools):
        here = pool_of == i
        drawn[here] = pool[rng.integers(len(pool), size=int(here.sum()))]
    return drawn


def _lists(
    pools: tuple[np.ndarray, ...], shares: tuple[float, ...], rows: int, rng: np.random.Generator
) -> pa.Array:
    """Lists of codes: most are short, one in a thousand has hundreds, one in a hundred is null."""
    lengths = rng.poisson(rng.choice([0.3, 2.0, 6.0], rows))
    lengths = np.where(rng.random(rows) < 0.001, rng.integers(100, 501, rows), lengths)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    values = pa.array(_draw(pools, shares, int(offsets[-1]), rng), pa.string())
    starts = pa.array(offsets, pa.int32(), mask=np.append(rng.random(rows) < 0.01, False))
    return pa.ListArray.from_arrays(starts, values)


def _around_bounds(scheme: Scheme, variable: str) -> list[int]:
    """The numbers below, at and above each bound of the rules."""
    rules = [group.rule for group in (*scheme.mdcs, *scheme.adrgs, *scheme.drgs)]
    bounds = {
        atom.number
        for rule in rules
        for atom in atoms(rule)
        if isinstance(atom, Compare) and atom.variable == variable
    }
    return sorted({math.floor(bound) + step for bound in bounds for step in (-1, 0, 1)})


def group_piece(piece: tuple[str, str, int]) -> tuple[int, list[Row], float]:
    """Group some rows of a file plainly; gives their start, the results, and the seconds."""
    path, scheme_name, start = piece
    scheme = drgcore.load_scheme(scheme_name)
    cases = list(plain_cases(scheme, _table(path).slice(start, PIECE)))
    began = time.perf_counter()
    results = [group_plainly(scheme, case) for case in cases]
    spent = time.perf_counter() - began
    rows: list[Row] = [
        (
            r.mdc and r.mdc.code,
            r.adrg and r.adrg.code,
            r.drg and r.drg.code,
            r.status,
            r.reason,
            r.severity,
        )
        for r in results
    ]
    return start, rows, spent


@lru_cache(maxsize=1)
def _table(path: str) -> pa.Table:
    return pq.read_table(path)


def plain_cases(scheme: Scheme, table: pa.Table) -> Iterator[PlainCase]:
    """Each row as the plain evaluator takes it."""
    tables = compile_tables(scheme)
    mapping = CaseMapping.preset("canonical").resolve(table.schema)
    batch = table.combine_chunks().to_batches()[0]
    arrays = encode_cases(batch, mapping, tables.diagnoses, tables.procedures)
    diagnosis, procedure = _names(tables.diagnoses), _names(tables.procedures)

    def known(name: Callable[[int], str | None], ids: np.ndarray) -> tuple[str, ...]:
        return tuple(code for i in ids.tolist() if (code := name(i)) is not None)

    for row in range(batch.num_rows):
        others = slice(*arrays.other_diagnosis_offsets[row : row + 2])
        operations = slice(*arrays.other_procedure_offsets[row : row + 2])
        yield PlainCase(
            diagnosis(int(arrays.principal_diagnosis[row])),
            known(diagnosis, arrays.other_diagnoses[others]),
            procedure(int(arrays.principal_procedure[row])),
            known(procedure, arrays.other_procedures[operations]),
            int(arrays.sex[row]) or None,
            _number(arrays.age_years[row]),
            _number(arrays.age_days[row]),
            _number(arrays.newborn_weight_g[row]),
            principal_diagnosis_unknown=int(arrays.principal_diagnosis[row]) == UNKNOWN,
        )


def _names(index: CodeIndex) -> Callable[[int], str | None]:
    codes = [*[None] * FIRST_CODE, *index.codes.to_pylist()]
    return codes.__getitem__


def _number(value: np.integer) -> int | None:
    return None if value == -1 else int(value)


def compare(
    name: str, rows: int, seed: int, folder: Path, pool: multiprocessing.pool.Pool
) -> list[int]:
    """Compare both on the cases of one scheme and print the figures; gives the rows that differ."""
    scheme = drgcore.load_scheme(name)
    sample = drgcore.sample_cases(rows // 2, scheme, seed=seed, dirty=0.05)
    hostile = hostile_cases(scheme, rows - rows // 2, np.random.default_rng(seed))
    cases = pa.concat_tables([sample.select(CANONICAL_SCHEMA.names), hostile])
    path = str(folder / f"{name}.parquet")
    pq.write_table(cases, path)
    drgcore.group(cases.slice(0, 100), scheme)
    fast = math.inf
    for _ in range(3):
        began = time.perf_counter()
        result = drgcore.group(cases, scheme, columns=[], threads=1)
        fast = min(fast, time.perf_counter() - began)
    columns = [result[c].cast(pa.string()).to_pylist() for c in COMPARED]
    by_kernel: list[Row] = list(zip(*columns, strict=True))
    slow = 0.0
    differing: list[int] = []
    pieces = [(path, name, start) for start in range(0, rows, PIECE)]
    for start, plainly, spent in pool.imap_unordered(group_piece, pieces):
        slow += spent
        pairs = zip(by_kernel[start : start + PIECE], plainly, strict=True)
        differing += [start + i for i, (left, right) in enumerate(pairs) if left != right]
    reached = {row[2] for row in by_kernel} - {None}
    statuses = {s: columns[3].count(s) for s in drgcore.STATUSES}
    print(
        f"{name:<14} {rows - len(differing):>10,} of {rows:,} agree; "
        f"{len(reached)} of {len(scheme.drgs)} DRG reached; "
        + ", ".join(f"{n:,} {s}" for s, n in statuses.items())
    )
    print(
        f"{'':<14} group() on one thread {rows / fast:,.0f} cases/s, "
        f"plain {rows / slow:,.0f} cases/s: {slow / fast:,.0f} ×",
        flush=True,
    )
    return sorted(differing)


def main() -> int:
    """Compare all schemes."""
    shipped = [info.name for info in drgcore.list_schemes()]
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scheme", nargs="*", choices=shipped, default=shipped)
    options = parser.parse_args()
    failed = False
    # Fresh processes: a forked one would inherit threads of Arrow that do not run in it.
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder, context.Pool(os.cpu_count()) as pool:
        for name in options.scheme:
            differing = compare(name, options.rows, options.seed, Path(folder), pool)
            if differing:
                failed = True
                more = "" if len(differing) <= SHOWN_ROWS else " …"
                print(f"  differ: rows {', '.join(map(str, differing[:SHOWN_ROWS]))}{more}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())

"""What the tests of grouping share: schemes, their coverage and twins, and ways to compare."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from drgcore.cases import CANONICAL_SCHEMA, LOCAL_SCHEMA
from drgcore.grouper import RESULT_COLUMNS, Coverage, cover, group
from drgcore.grouper.explain import Explanation
from drgcore.grouper.plain import PlainCase, PlainResult
from drgcore.schemes import Scheme, load_dictionary
from drgcore.schemes import load_scheme as _load_scheme
from drgcore.schemes.model import TABLE_SCHEMAS
from tests.reference.plain_grouper import PlainGrouper

SCHEMES = ("chs-drg-3.0", "chs-drg-2.0", "chs-drg-1.1", "chs-drg-1.0r", "wuhan-2022", "suzhou-2023")
RESULT = ("mdc", "adrg", "drg", "status", "reason", "severity", "reasons", "code_flags")
DATA = Path(__file__).parent / "data"
Row = dict[str, Any]

CASE_COLUMNS = tuple(CANONICAL_SCHEMA.names)
CODE_LISTS = ("other_diagnoses", "other_procedures")
# Every column as text, so that a case may hold whatever a file can hold.
TEXT_SCHEMA = pa.schema(
    [pa.field(n, pa.list_(pa.string()) if n in CODE_LISTS else pa.string()) for n in CASE_COLUMNS]
)


@lru_cache
def scheme(name: str) -> Scheme:
    """One object for each shipped scheme, because compiled tables are cached by identity."""
    return _load_scheme(name)


@lru_cache
def dictionary(kind: str) -> tuple[str, ...]:
    """The codes of an official dictionary."""
    return tuple(load_dictionary(kind)["code"].to_pylist())


@lru_cache
def twin(name: str) -> PlainGrouper:
    """The slow twin of a shipped scheme."""
    return twin_of(scheme(name), dictionary("diagnoses"), dictionary("procedures"))


def twin_of(
    of: Scheme, diagnoses: Iterable[str] = (), procedures: Iterable[str] = ()
) -> PlainGrouper:
    """The slow twin of any scheme."""
    tables = {table: of.tables[table].to_pylist() for table in TABLE_SCHEMAS}
    return PlainGrouper(tables, diagnoses, procedures)


@lru_cache
def coverage(name: str) -> Coverage:
    """What can be reached in a shipped scheme."""
    return cover(scheme(name))


def case_row(
    principal_diagnosis: str | None = None,
    other_diagnoses: Sequence[str | None] | None = (),
    principal_procedure: str | None = None,
    other_procedures: Sequence[str | None] | None = (),
    **numbers: Any,
) -> Row:
    """A case as a dict; sex, age and weight by name."""
    return {
        "principal_diagnosis": principal_diagnosis,
        "other_diagnoses": None if other_diagnoses is None else list(other_diagnoses),
        "principal_procedure": principal_procedure,
        "other_procedures": None if other_procedures is None else list(other_procedures),
        **{n: numbers.get(n) for n in ("sex", "age_years", "age_days", "newborn_weight_g")},
    }


def row_of(case: PlainCase) -> Row:
    """A plain evaluator's case as a dict, without what only local schemes ask for."""
    return {n: list(v) if isinstance(v := getattr(case, n), tuple) else v for n in CASE_COLUMNS}


def table_of(rows: Sequence[Mapping[str, Any]], schema: pa.Schema = CANONICAL_SCHEMA) -> pa.Table:
    """Cases as an Arrow table of the canonical types, or of another schema."""
    return pa.table({f.name: pa.array([r[f.name] for r in rows], f.type) for f in schema})


def local_schema(kind: pa.DataType | None = None) -> pa.Schema:
    """The canonical columns and the local ones, whose numbers are of this type."""
    fields = [
        f if kind is None or f.name == "department" else pa.field(f.name, kind)
        for f in LOCAL_SCHEMA
    ]
    return pa.schema([*CANONICAL_SCHEMA, *fields])


def by_kernel(
    rows: Sequence[Mapping[str, Any]], of: Scheme, schema: pa.Schema | None = None, **options: Any
) -> list[Row]:
    """Group by the compiled tables and loop; the result columns only."""
    table = table_of(rows, schema or CANONICAL_SCHEMA)
    return plain_rows(group(table, of, columns=[], **options))


def plain_rows(result: pa.Table) -> list[Row]:
    """The result columns of a grouped table as dicts of strings."""
    return result.select(RESULT_COLUMNS).to_pylist()


def by_plain(result: PlainResult | Explanation) -> Row:
    """The plain evaluator's result in the form of the others."""
    found = result.result if isinstance(result, Explanation) else result
    groups = {n: getattr(found, n) for n in ("mdc", "adrg", "drg")}
    return {
        **{n: None if g is None else g.code for n, g in groups.items()},
        "status": found.status,
        "reason": found.reason,
        "severity": found.severity,
        "reasons": list(found.reasons) or None,
    }


def assert_same(
    kernel: Sequence[Row], other: Sequence[Row], cases: Sequence[Mapping[str, Any]], what: str = ""
) -> None:
    """Fail with the first case on which two ways differ."""
    assert len(kernel) == len(other) == len(cases)
    for left, right, case in zip(kernel, other, cases, strict=True):
        # The plain evaluator sees known codes only, so it has no flags.
        columns = [c for c in RESULT_COLUMNS if c in left and c in right]
        assert len(columns) >= len(RESULT_COLUMNS) - 1
        assert {c: left[c] for c in columns} == {c: right[c] for c in columns}, f"{what}: {case}"


def read_samples(path: Path) -> list[Row]:
    """Cases with expected groups from a CSV file whose lists are joined by `|`."""
    with path.open(encoding="utf-8", newline="") as file:
        rows: list[Row] = []
        for row in csv.DictReader(file):
            case: Row = {n: row[n] or None for n in CASE_COLUMNS}
            for name in CODE_LISTS:
                case[name] = row[name].split("|") if row[name] else []
            for name in ("sex", "age_years", "age_days", "newborn_weight_g"):
                case[name] = int(row[name]) if row[name] else None
            rows.append({**case, **{n: row[n] or None for n in ("mdc", "adrg", "drg")}})
    return rows

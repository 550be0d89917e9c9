"""Rows of grouped cases, searched, part by part; each can be opened on the page of one case."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drgcore.cases import CaseMapping, open_cases
from drgcore.cases.canonical import with_canonical_codes
from drgcore.cases.renaming import canonical_names
from drgcore.cases.values import parse_age_days, parse_newborn_weight, parse_sex
from drgcore.errors import CaseSchemaError
from drgcore.serve.tables import Row

PART = 50
"""Rows of a part."""

_BESIDE = ("hospital", "department", "drg", "drg_name", "status", "reason", "severity")
_CODES = (
    ("d", "principal_diagnosis"),
    ("o", "other_diagnoses"),
    ("p", "principal_procedure"),
    ("q", "other_procedures"),
)
_ROOM = 60


@dataclass(frozen=True)
class Wanted:
    """Which cases are looked for; what is empty does not matter.

    Parameters
    ----------
    case_id : str
        A part of the id, in whatever case.
    drg : str
        A DRG, or what codes begin with: an ADRG, or an MDC as ``F`` or ``MDCF``.
    status, hospital, department : str
        As the cases have them.
    month : str
        Of discharge, as ``2027-01``.
    """

    case_id: str = ""
    drg: str = ""
    status: str = ""
    hospital: str = ""
    department: str = ""
    month: str = ""

    def of(self, batch: pa.RecordBatch, columns: dict[str, str]) -> pa.Array:
        """Tell which rows of a batch are meant, whose `columns` are named by canonical name."""
        kept = pa.array([True] * len(batch))
        code = self.drg.strip().upper()
        for name, wanted, test in (
            ("case_id", self.case_id.strip(), _holds),
            ("drg", code[3:] if code.startswith("MDC") else code, pc.starts_with),
            ("status", self.status, pc.equal),
            ("hospital", self.hospital, pc.equal),
            ("department", self.department, pc.equal),
            ("discharge_date", self.month, pc.starts_with),
        ):
            if wanted and name not in columns:
                return pa.array([False] * len(batch))
            if wanted:
                # Days are written as people would write them: 2027-01-31.
                values = batch.column(columns[name]).cast(pa.string())
                kept = pc.and_(kept, pc.fill_null(test(values, wanted), False))
        return kept


def _holds(values: pa.Array, part: str) -> pa.Array:
    return pc.match_substring(values, part, ignore_case=True)


def browse(
    path: Path,
    wanted: Wanted,
    part: int = 1,
    mapping: str | os.PathLike[str] | CaseMapping = "canonical",
    link: dict[str, str] | None = None,
) -> Row:
    """Give a part of the cases of a file that are looked for.

    Parameters
    ----------
    path : Path
        Grouped cases.
    wanted : Wanted
    part : int
        Of `PART` rows, from 1.
    mapping : str, path or CaseMapping
        Where the columns are.
    link : dict, optional
        What else the address of a case on the page of one case says: scheme, clinical codes.

    Returns
    -------
    dict
        ``found``, how many there are; ``parts``; ``rows``, each with ``row``, its number in the
        file from 1, what is known of it, and ``case``: the address of its codes, sex and age behind
        a ``#``, empty where the file lacks their columns.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp(), "grouped.csv")
    >>> _ = file.write_text("case_id,principal_diagnosis,other_diagnoses,principal_procedure,"
    ...     "other_procedures,sex,age_years,drg\\n"
    ...     "a,I10.x00,,,,1,60,FT15\\nb,J18.900,I10.x00|E11.900,,,2,50,ES15\\n")
    >>> found = browse(file, Wanted(drg="MDCE"))
    >>> found["found"], found["rows"][0]["row"], found["rows"][0]["case"]
    (1, 2, '/case#d=J18.900&o=I10.x00%2CE11.900&s=2&a=50')
    """
    mapping = CaseMapping.of(mapping)
    first, found, kept = (part - 1) * PART, 0, []
    numbers: list[int] = []
    with open_cases(path) as source:
        names = list(source.schema.names)
        changes = canonical_names(names, mapping, lenient=True)
        columns = {changes.get(name, name): name for name in names}
        for seen, batch in _numbered(source.batches()):
            places = pc.indices_nonzero(wanted.of(batch, columns))
            mine = places.slice(max(first - found, 0), max(first + PART - max(found, first), 0))
            found += len(places)
            if len(mine):
                kept.append(batch.take(mine))
                numbers += [seen + place + 1 for place in mine.to_pylist()]
        table = pa.Table.from_batches(kept, source.schema)
    rows = _rows(table, mapping, columns, link or {})
    shown = [{"row": number, **row} for number, row in zip(numbers, rows, strict=True)]
    return {"found": found, "part": part, "parts": max(-(-found // PART), 1), "rows": shown}


def _numbered(batches: Iterator[pa.RecordBatch]) -> Iterator[tuple[int, pa.RecordBatch]]:
    seen = 0
    for batch in batches:
        yield seen, batch
        seen += len(batch)


def _rows(
    table: pa.Table, mapping: CaseMapping, columns: dict[str, str], link: dict[str, str]
) -> list[Row]:
    names = [name for name in ("case_id", *_BESIDE) if name in columns]
    texts = [table.column(columns[name]).cast(pa.string()).to_pylist() for name in names]
    rows: list[Row] = [dict(zip(names, one, strict=True)) for one in zip(*texts, strict=True)]
    cases: list[Row] = [{}] * len(table)
    with suppress(CaseSchemaError):
        # Cases that were grouped elsewhere may have no codes.
        cases = _cases(table, mapping)
    rows = rows or [{} for _ in cases]
    for row, case in zip(rows, cases, strict=True):
        for _key, name in _CODES[:1] + _CODES[2:3]:
            row[name] = (case.get(name) or "")[:_ROOM] or None
        row["case"] = _address(case, link) if case else ""
    return rows


def _cases(table: pa.Table, mapping: CaseMapping) -> list[Row]:
    """What the page of one case takes of each row."""
    found = mapping.resolve(table.schema)
    plain = with_canonical_codes(table, mapping)
    wanted = plain.select([*(name for _key, name in _CODES), "age_years"]).to_pylist()
    numbers: dict[str, NDArray[Any]] = {"sex": parse_sex(plain.column("sex"))}
    if found.age_days is not None:
        numbers["age_days"] = parse_age_days(table.column(found.age_days))
    if found.newborn_weight_g is not None:
        numbers["newborn_weight_g"] = parse_newborn_weight(table.column(found.newborn_weight_g))
    for name, values in numbers.items():
        for row, value in zip(wanted, values.tolist(), strict=True):
            # Below zero is what is missing or cannot be read.
            row[name] = value if value >= 0 else None
    return wanted


def _address(case: Row, link: dict[str, str]) -> str:
    """The page of one case with this case: behind the ``#``, which no server is sent."""
    said: dict[str, Any] = {}
    for key, name in _CODES:
        value = case[name]
        said[key] = ",".join(value) if isinstance(value, list) else value
    said |= {"s": case["sex"] or None, "a": case["age_years"]}
    if case["age_years"] in (0, None):
        # Of adults many files give the days too, with which nothing is decided.
        said["n"], said["w"] = case.get("age_days"), case.get("newborn_weight_g")
    said |= link
    return "/case#" + urlencode({k: v for k, v in said.items() if v not in (None, "")})

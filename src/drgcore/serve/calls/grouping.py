"""Grouping of cases from JSON and from Arrow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from drgcore.cases.guessing import AUTO, guess_mapping
from drgcore.errors import CaseSchemaError
from drgcore.grouper import group
from drgcore.language import _
from drgcore.schemes.calendar import BY_DATE
from drgcore.serve.calls.cases import Case, CasesAsked, table_of
from drgcore.serve.calls.direct import DirectGrouper, Read, direct_grouper, ready_grouper
from drgcore.serve.calls.library import Library, known_mapping


def group_cases(asked: CasesAsked, library: Library) -> dict[str, Any]:
    """Group cases.

    Returns
    -------
    dict
        ``scheme``, and ``results``: of each case in its order mdc, adrg, drg, their names, status,
        reason, severity, reasons and code_flags (`drgcore.group` says what they mean).

    Examples
    --------
    >>> case = Case(principal_diagnosis="G11.900", other_diagnoses=["S52.804"], sex=2, age_years=69)
    >>> answer = group_cases(CasesAsked(cases=[case]), Library())
    >>> answer["results"][0]["drg"], answer["results"][0]["severity"]
    ('BU23', 'CC')
    """
    place = library.scheme_place(asked.scheme)
    if asked.clinical_codes or place == BY_DATE or len(asked.cases) > _FEW:
        return {"scheme": asked.scheme, "results": _by_table(asked.cases, asked, library)}
    direct = direct_grouper(place)
    reads = [direct.read(case) for case in asked.cases]
    plain = [read for read in reads if read is not None]
    left = [case for case, read in zip(asked.cases, reads, strict=True) if read is None]
    short = iter(direct.group(plain) if plain else ())
    long = iter(_by_table(left, asked, library) if left else ())
    return {
        "scheme": asked.scheme,
        "results": [next(long) if read is None else next(short) for read in reads],
    }


# From here on a table costs less than one case after the other.
_FEW = 64
_AT_ONCE = 8


@dataclass(frozen=True)
class ReadCases:
    """Cases of one question that take the short way, read already.

    Parameters
    ----------
    scheme : str
        As it was asked for.
    direct : DirectGrouper
    reads : list of Read
        Of all cases in their order.
    """

    scheme: str
    direct: DirectGrouper
    reads: list[Read]


def read_at_once(asked: CasesAsked, library: Library) -> ReadCases | None:
    """Read a few cases that all take the short way by a scheme that is compiled; else None.

    It takes so little time that an event loop may wait for it. What it leaves, and what it finds
    wrong, is for `group_cases`.
    """
    if asked.clinical_codes or len(asked.cases) > _AT_ONCE:
        return None
    direct = ready_grouper(library.scheme_place(asked.scheme))
    if direct is None:
        return None
    reads = [direct.read(case) for case in asked.cases]
    plain = [read for read in reads if read is not None]
    return None if len(plain) < len(reads) else ReadCases(asked.scheme, direct, plain)


def _by_table(cases: Sequence[Case], asked: CasesAsked, library: Library) -> list[dict[str, Any]]:
    # Of the same table, columns apart, whatever stands beside them in one request.
    table: Any = group(
        table_of(cases),
        library.scheme_place(asked.scheme),
        columns=[],
        clinical_codes=asked.clinical_codes,
        names=True,
        threads=1,
    )
    found: list[dict[str, Any]] = table.to_pylist()
    return found


def group_stream(
    body: bytes,
    library: Library,
    *,
    scheme: str,
    mapping: str,
    columns: Sequence[str],
    clinical_codes: bool,
    names: bool,
    most_rows: int,
) -> tuple[bytes, int]:
    """Group an Arrow stream.

    Parameters
    ----------
    body : bytes
        An Arrow IPC stream of cases.
    library : Library
    scheme, mapping : str
        Names.
    columns : sequence of str
        Columns of the cases to keep beside the results.
    clinical_codes, names : bool
        As for `drgcore.group`.
    most_rows : int
        Refuse more.

    Returns
    -------
    stream : bytes
        An Arrow IPC stream, one row a case in its order.
    rows : int

    Raises
    ------
    CaseSchemaError
        The body is no such stream, or has too many rows.

    Examples
    --------
    >>> sink = pa.BufferOutputStream()
    >>> cases = table_of([Case(principal_diagnosis="G11.900", sex=2, age_years=69)])
    >>> with pa.ipc.new_stream(sink, cases.schema) as writer:
    ...     writer.write_table(cases)
    >>> stream, rows = group_stream(sink.getvalue().to_pybytes(), Library(), columns=[],
    ...     scheme="chs-drg-3.0", mapping="canonical", clinical_codes=False, names=False,
    ...     most_rows=10)
    >>> pa.ipc.open_stream(stream).read_all()["drg"].to_pylist()
    ['BU25']
    """
    try:
        with pa.ipc.open_stream(body) as reader:
            batches, rows = [], 0
            for batch in reader:
                rows += batch.num_rows
                if rows > most_rows:
                    raise CaseSchemaError(
                        _("there are more than {most:,} cases", most=most_rows),
                        hint=_("Use POST /batch."),
                    )
                batch.validate(full=True)
                batches.append(batch)
            table = pa.Table.from_batches(batches, reader.schema)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise CaseSchemaError(
            _("the body is no Arrow stream: {kind}", kind=type(error).__name__),
            hint=_("Send application/vnd.apache.arrow.stream, an IPC stream."),
        ) from None
    # `group` would tell a guessed mapping, with samples of the data, to whoever reads the log.
    known: Any = known_mapping(mapping)
    grouped: Any = group(
        table,
        library.scheme_place(scheme),
        mapping=guess_mapping(table).mapping if known == AUTO else known,
        columns=list(columns),
        clinical_codes=clinical_codes,
        names=names,
    )
    sink = pa.BufferOutputStream()
    # One dictionary for all batches: a stream repeats it whenever it changes.
    whole = grouped.unify_dictionaries().combine_chunks()
    with pa.ipc.new_stream(sink, whole.schema) as writer:
        writer.write_table(whole)
    return sink.getvalue().to_pybytes(), rows

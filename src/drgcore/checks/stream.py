"""`check_file`: cases of any number checked into a file of findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from drgcore.cases import CaseMapping, open_cases
from drgcore.cases.guessing import mapping_for
from drgcore.checks.catalogue import Catalogue
from drgcore.checks.check import BATCH_ROWS, CheckRun
from drgcore.checks.findings import FINDINGS_SCHEMA
from drgcore.checks.report import CaseChecks
from drgcore.checks.workbook import workbook_writer
from drgcore.errors import DrgcoreError
from drgcore.files import whole_file
from drgcore.formulas import guarded_column
from drgcore.language import _, get_language
from drgcore.schemes import Scheme

Progress = Callable[[int, int | None], None]


def check_file(
    src: str | Path,
    dst: str | Path,
    scheme: str | Path | Scheme = "chs-drg-3.0",
    *,
    mapping: str | Path | CaseMapping = "canonical",
    checks: str | Path | Catalogue | None = None,
    profile: str | Path | None = None,
    clinical_codes: bool = False,
    batch_rows: int = BATCH_ROWS,
    progress: Progress | None = None,
    sheet: str | int | None = None,
) -> CaseChecks:
    """Check a file of cases, with memory that does not grow with the rows.

    Parameters
    ----------
    src : str or Path
        Cases, as `open_cases` reads them.
    dst : str or Path
        Where the findings go, by the ending: ``.parquet``, ``.csv`` (with a byte order mark), or
        ``.xlsx``, a workbook for coders with Chinese headings, the checks and the profile.
    scheme, mapping, checks, clinical_codes
        As for `check_cases`.
    profile : str or Path, optional
        A further file, ``.parquet`` or ``.csv``, for the profile by hospital and department.
    batch_rows : int, default 131072
        Rows read and checked at a time. The findings do not depend on it.
    progress : callable, optional
        Called after every batch with the rows done and the number of all rows, where it is known.
    sheet : str or int, optional
        The sheet of a workbook: its name, or its number from 1.

    Returns
    -------
    CaseChecks
        Without the findings.

    Raises
    ------
    CaseSchemaError
        `src` cannot be read as cases.
    DrgcoreError
        The file of checks is wrong, or a file cannot be written; nothing is left of it.

    Examples
    --------
    >>> import drgcore, pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> drgcore.write_sample(folder / "cases.parquet", rows=1000, seed=7, dirty=0.1)
    >>> found = drgcore.check_file(folder / "cases.parquet", folder / "findings.csv")
    >>> found.rows, (folder / "findings.csv").exists()
    (1000, True)
    """
    source_path, target = Path(src), Path(dst)
    beside = None if profile is None else Path(profile)
    for path in (target, beside):
        if (
            path is not None
            and path.exists()
            and source_path.exists()
            and (path.samefile(source_path))
        ):
            raise DrgcoreError(
                _("{path} is the input itself", path=path), hint=_("Name another output file.")
            )
    if beside is not None and beside == target:
        raise DrgcoreError(
            _("{target} is named for the findings and for the profile", target=target)
        )
    writer_of = _writer_for(target, ("parquet", "csv", "xlsx"))
    profile_writer = None if beside is None else _writer_for(beside, ("parquet", "csv"))
    # A workbook is for people; what programs read has the names of the columns.
    labels = get_language() if target.suffix.lower() == ".xlsx" else "en"
    run = CheckRun(scheme, checks, clinical_codes)
    case_mapping = mapping_for(mapping, source_path, sheet=sheet)
    with open_cases(source_path, batch_rows=batch_rows, sheet=sheet) as plain:
        layout = run.layout(plain.schema, case_mapping)
    with (
        open_cases(
            source_path,
            columns=layout.columns(),
            dictionary_columns=layout.mapping.code_columns(),
            batch_rows=batch_rows,
            sheet=sheet,
        ) as source,
        whole_file(target) as part,
        writer_of(part, FINDINGS_SCHEMA) as writer,
    ):
        for table in run.tables(source, case_mapping, labels):
            writer.write(table)
            if progress is not None:
                progress(run.tally.rows, source.num_rows)
        report = run.report()
        writer.finish(report)
    if beside is not None and profile_writer is not None:
        with (
            whole_file(beside) as part,
            profile_writer(part, report.profile.schema) as writer,
        ):
            writer.write(report.profile)
    return report


class _ParquetWriter:
    def __init__(self, writer: pq.ParquetWriter, schema: pa.Schema) -> None:
        self._writer, self._schema = writer, schema

    def write(self, table: pa.Table) -> None:
        if len(table):
            self._writer.write_table(table.cast(self._schema))

    def finish(self, report: CaseChecks) -> None:
        """A file of findings has no place for the rest; the summary says it."""


@contextmanager
def _parquet_writer(path: Path, schema: pa.Schema) -> Iterator[_ParquetWriter]:
    plain = _plain(schema)
    with pq.ParquetWriter(path, plain) as writer:
        yield _ParquetWriter(writer, plain)


class _CsvWriter:
    def __init__(self, writer: pa_csv.CSVWriter, schema: pa.Schema) -> None:
        self._writer, self._schema = writer, schema

    def write(self, table: pa.Table) -> None:
        plain = table.cast(self._schema)
        columns = [guarded_column(plain.column(i)) for i in range(plain.num_columns)]
        self._writer.write_table(pa.table(columns, schema=self._schema))

    def finish(self, report: CaseChecks) -> None:
        """As for parquet."""


@contextmanager
def _csv_writer(path: Path, schema: pa.Schema) -> Iterator[_CsvWriter]:
    plain = _plain(schema)
    # With a byte order mark, so that Excel takes the file for UTF-8.
    with path.open("wb") as file:
        file.write(b"\xef\xbb\xbf")
        with pa_csv.CSVWriter(file, plain) as writer:
            yield _CsvWriter(writer, plain)


def _plain(schema: pa.Schema) -> pa.Schema:
    """The same columns with texts instead of dictionaries of texts."""
    kinds = [f.type.value_type if pa.types.is_dictionary(f.type) else f.type for f in schema]
    return pa.schema([(f.name, kind) for f, kind in zip(schema, kinds, strict=True)])


def _writer_for(path: Path, kinds: tuple[str, ...]) -> Callable[[Path, pa.Schema], Any]:
    writers = {"parquet": _parquet_writer, "csv": _csv_writer, "xlsx": workbook_writer}
    kind = path.suffix.lower().lstrip(".")
    if kind not in kinds:
        raise DrgcoreError(
            _("{path}: unknown kind of output {suffix!r}", path=path, suffix=path.suffix),
            hint=_("Name it with the ending {kinds}.", kinds=" or ".join("." + k for k in kinds)),
        )
    return writers[kind]

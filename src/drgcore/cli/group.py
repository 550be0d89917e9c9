"""`drgcore group`: every case of a file."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

import drgcore
from drgcore.cases.notes import ReadingNotes
from drgcore.cli.options import AnySchemeOption, ClinicalOption, MappingOption
from drgcore.cli.reading import FILES, SheetOption
from drgcore.errors import DrgcoreError, UnfinishedError
from drgcore.files import whole_file
from drgcore.formulas import guarded_text
from drgcore.grouper.stream import becomes_folder
from drgcore.language import _

app = typer.Typer(add_completion=False)


@app.command()
def group(
    src: Annotated[
        list[Path],
        typer.Argument(
            metavar="IN...", help=f"Cases: {FILES}; or a folder, a pattern, several files."
        ),
    ],
    dst: Annotated[
        Path,
        typer.Argument(
            metavar="OUT", help="Result: .xlsx, .csv or .parquet; or a folder, file by file."
        ),
    ],
    scheme: AnySchemeOption = "chs-drg-3.0",
    mapping: MappingOption = "canonical",
    sheet: SheetOption = None,
    columns: Annotated[
        str | None, typer.Option(help="Input columns to keep, comma-separated; all by default.")
    ] = None,
    prefix: Annotated[str, typer.Option(help="Put before the result columns' names.")] = "",
    clinical: ClinicalOption = False,
    restore_zeros: Annotated[
        bool, typer.Option("--restore-zeros", help="Read 51.23 as 51.2300, where only that fits.")
    ] = False,
    unknown_codes: Annotated[
        Path | None, typer.Option(help="Write all unknown codes, with near ones, to this .csv.")
    ] = None,
    names: Annotated[
        bool, typer.Option("--names", help="Add mdc_name, adrg_name, drg_name.")
    ] = False,
    severity_codes: Annotated[
        bool,
        typer.Option("--severity-codes", help="Add the diagnoses that counted as MCC or CC."),
    ] = False,
    stamp: Annotated[
        bool, typer.Option("--stamp", help="Add scheme, scheme_digest, drgcore_version.")
    ] = False,
    threads: Annotated[int | None, typer.Option(help="All processors by default.")] = None,
    kind: Annotated[
        str | None, typer.Option(help="Kind of a folder's results: .parquet, .csv or .xlsx.")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Make every result of a folder anew.")
    ] = False,
    stop_at_first_error: Annotated[
        bool,
        typer.Option("--stop-at-first-error", help="Of a folder: stop at a file that is bad."),
    ] = False,
) -> None:
    """Group every case of a file and write it with mdc, adrg, drg, status, reason, severity.

    A folder, or a pattern such as '2027-*/cases_*.parquet', becomes a folder of results with the
    same names. Where that was stopped the same command goes on: what is whole and unchanged stays.
    """
    cases = src[0] if len(src) == 1 else src
    if unknown_codes is not None and becomes_folder(cases, dst):
        raise DrgcoreError(
            _("--unknown-codes is for one result"),
            hint=_("Name one file as the output: it may hold the cases of a whole folder."),
        )
    kept = None if columns is None else [c.strip() for c in columns.split(",") if c.strip()]
    with _said_in_any_case():
        summary = drgcore.group_file(
            cases,
            dst,
            scheme,
            mapping=mapping,
            columns=kept,
            prefix=prefix,
            clinical_codes=clinical,
            restore_zeros=restore_zeros,
            names=names,
            severity_codes=severity_codes,
            stamp=stamp,
            threads=threads,
            sheet=sheet,
            kind=kind,
            fresh=fresh,
            stop_at_first_error=stop_at_first_error,
        )
    # What the reader left out was said, as of every file, on the error stream.
    typer.echo(replace(summary, notes=()))
    if unknown_codes is not None and summary.reading is not None:
        typer.echo(
            "  "
            + _(
                "{count:,} in {file}",
                count=write_unknown(summary.reading, unknown_codes),
                file=unknown_codes,
            )
        )


@contextmanager
def _said_in_any_case() -> Iterator[None]:
    """Show what became of the files that are done, though others are not."""
    try:
        yield
    except UnfinishedError as error:
        typer.echo(error.summary)
        raise


def write_unknown(notes: ReadingNotes, path: Path) -> int:
    """Write every unknown code as .csv that Excel opens; how many."""
    found = notes.unknown_codes()
    with whole_file(path) as part, part.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("column", "code", "count", "near"))
        # A text that begins like a formula must not become one.
        writer.writerows(
            (code.column, guarded_text(code.text), code.count, "|".join(code.near))
            for code in found
        )
    return len(found)

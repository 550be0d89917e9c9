"""The `drgcore` command: parses arguments, calls the library, shows progress and errors.

Exit codes: 0 done; 1 a check found errors; 2 bad input (arguments, a file, a scheme);
130 interrupted.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

import drgcore
from drgcore.cli import forecast, ledger, policy, scenario, scheme, settle, weights
from drgcore.cli.demo import run_demo
from drgcore.cli.migrate import migrate_cases
from drgcore.cli.select import one_case

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="CHS-DRG grouping and point-based payment.",
    epilog="Exit codes: 0 done, 1 a check found errors, 2 bad input, 130 interrupted.",
)
scheme.app.command("migrate")(migrate_cases)
app.add_typer(scheme.app, name="scheme")
app.add_typer(policy.app, name="policy")
app.add_typer(settle.app, name="settle")
app.add_typer(ledger.app, name="ledger")
app.add_typer(weights.app, name="weights")
app.add_typer(forecast.app, name="forecast")
app.add_typer(scenario.app, name="scenario")

SchemeOption = Annotated[
    str, typer.Option(help="Shipped scheme (`drgcore scheme list`) or path of a compiled one.")
]
MappingOption = Annotated[
    str, typer.Option(help="Where the columns are: canonical, hqms, or a .toml file.")
]
ClinicalOption = Annotated[
    bool, typer.Option("--clinical", help="Codes are 国临版: translate them to 医保版 first.")
]


@contextmanager
def _progress(show: bool, what: str) -> Iterator[Callable[[int, int | None], None] | None]:
    """A callback (done, total) that draws a bar on the error stream, or None."""
    if not show:
        yield None
        return
    columns = (
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("cases"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=None)

        def update(done: int, total: int | None) -> None:
            bar.update(task, completed=done, total=total)

        yield update


@app.command()
def group(
    src: Annotated[Path, typer.Argument(metavar="IN", help="Cases: .parquet or .csv.")],
    dst: Annotated[Path, typer.Argument(metavar="OUT", help="Result: .parquet or .csv.")],
    scheme: SchemeOption = "chs-drg-3.0",
    mapping: MappingOption = "canonical",
    columns: Annotated[
        str | None, typer.Option(help="Input columns to keep, comma-separated; all by default.")
    ] = None,
    prefix: Annotated[str, typer.Option(help="Put before the result columns' names.")] = "",
    clinical: ClinicalOption = False,
    threads: Annotated[int | None, typer.Option(help="All processors by default.")] = None,
    progress: Annotated[bool, typer.Option("--progress", help="Show a progress bar.")] = False,
) -> None:
    """Group every case of a file and write it with mdc, adrg, drg, status, reason, severity."""
    kept = None if columns is None else [c.strip() for c in columns.split(",") if c.strip()]
    with _progress(progress, "group") as callback:
        summary = drgcore.group_file(
            src,
            dst,
            scheme,
            mapping=mapping,
            columns=kept,
            prefix=prefix,
            clinical_codes=clinical,
            threads=threads,
            progress=callback,
        )
    typer.echo(summary)


@app.command()
def explain(
    src: Annotated[Path, typer.Argument(metavar="IN", help="Cases: .parquet or .csv.")],
    row: Annotated[int | None, typer.Option(help="Number of the row, the first is 1.")] = None,
    case_id: Annotated[str | None, typer.Option("--id", help="Value of the id column.")] = None,
    id_column: Annotated[str, typer.Option(help="Name of the id column.")] = "case_id",
    scheme: SchemeOption = "chs-drg-3.0",
    mapping: MappingOption = "canonical",
    clinical: ClinicalOption = False,
) -> None:
    """Show the whole path by which one case of a file comes to its group."""
    case = one_case(src, row=row, case_id=case_id, id_column=id_column)
    typer.echo(drgcore.explain(case, scheme, mapping=mapping, clinical_codes=clinical))


@app.command()
def sample(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Parquet file to write.")],
    rows: Annotated[int, typer.Option(help="Number of cases.")] = 100_000,
    scheme: SchemeOption = "chs-drg-3.0",
    seed: Annotated[int, typer.Option(help="The same seed gives the same cases.")] = 0,
    year: Annotated[int, typer.Option(help="Year of discharge.")] = 2027,
    hospitals: Annotated[int, typer.Option(help="Number of hospitals.")] = 12,
    dirty: Annotated[float, typer.Option(help="Share of rows with a fault, 0 to 1.")] = 0.0,
    progress: Annotated[bool, typer.Option("--progress", help="Show a progress bar.")] = False,
) -> None:
    """Write synthetic cases: plausible in shape, true of nobody."""
    with _progress(progress, "sample") as callback:
        drgcore.write_sample(
            out,
            rows,
            scheme,
            seed=seed,
            year=year,
            hospitals=hospitals,
            dirty=dirty,
            progress=callback,
        )
    typer.echo(f"{rows:,} synthetic cases in {out}")


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the files it makes.")] = Path("build/demo"),
    rows: Annotated[int, typer.Option(help="Number of cases.")] = 20_000,
) -> None:
    """Make a sample, group it, explain three cases, settle its year."""
    run_demo(out, rows, Console())


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    if version:
        typer.echo(f"drgcore {drgcore.__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command; known errors become one message on the error stream and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        # A console without Chinese characters shows question marks, which is better than nothing.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        app()
    except drgcore.DrgcoreError as error:
        _fail(str(error))
    except OSError as error:
        # What the system refuses: a name that is too long, a folder without the right to read.
        place = "" if error.filename is None else f"{error.filename}: "
        _fail(f"{place}{error.strerror or type(error).__name__}")
    except KeyboardInterrupt:
        sys.exit(130)


def _fail(message: str) -> NoReturn:
    typer.echo(f"error: {message}", err=True)
    sys.exit(2)

"""The `drgcore` command: which commands there are; errors as one message.

Exit codes: 0 done; 1 a check found errors; 2 bad input (arguments, a file, a scheme);
130 interrupted.
"""

from __future__ import annotations

import io
import sys
from typing import Annotated, NoReturn

import typer

import drgcore
from drgcore.cases.telling import telling
from drgcore.cli.lazy import Lazy, lazy_group
from drgcore.cli.streams import stopping_when_told, survive_closed_pipes
from drgcore.language import Language, _, reason_of

COMMANDS = {
    "group": Lazy(
        "group",
        "Group every case of a file: mdc, adrg, drg, status, reason and severity.",
        frames=False,
        lasts=True,
    ),
    "group-one": Lazy("group_one", "Group one case given on the command line.", frames=False),
    "cases": Lazy("cases", "Bring cases that lie in several tables into one.", lasts=True),
    "mapping": Lazy(
        "mapping", "Find out which columns of a file hold what.", frames=False, lasts=True
    ),
    "check": Lazy(
        "check", "Check the front page of every case of a file: what is wrong, where.", lasts=True
    ),
    "explain": Lazy(
        "explain",
        "Show the whole path by which one case of a file gets its group.",
        frames=False,
        lasts=True,
    ),
    "sample": Lazy(
        "sample", "Write synthetic cases: plausible in shape, true of nobody.", lasts=True
    ),
    "demo": Lazy(
        "demo",
        "Make a sample, group it, explain three cases, settle its year, report on it.",
        lasts=True,
    ),
    "scheme": Lazy("scheme", "Compile, show, check and compare grouping schemes.", lasts=True),
    "codes": Lazy(
        "codes", "Find diagnoses and procedures by code, name or pinyin initials.", frames=False
    ),
    "policy": Lazy("policy", "Check, show and start payment policies.", lasts=True),
    "points": Lazy(
        "points", "What cases earn, one case by hand, readmissions, special reviews.", lasts=True
    ),
    "settle": Lazy("settle", "Settle months and years, explain payments.", lasts=True),
    "ledger": Lazy("ledger", "Closed months and years, and later corrections.", lasts=True),
    "weights": Lazy("weights", "What history says: base points, groups, spread.", lasts=True),
    "forecast": Lazy("forecast", "Forecast from history.", lasts=True),
    "scenario": Lazy("scenario", "Compare policies on the same cases.", lasts=True),
    "score": Lazy("score", "Scores of departments and doctors, each explained.", lasts=True),
    "pnl": Lazy("pnl", "Profit and loss by DRG, department, doctor, …, and why.", lasts=True),
    "indicators": Lazy(
        "indicators", "CMI, indices, rates and shares of any hospital, doctor, …", lasts=True
    ),
    "audit": Lazy(
        "audit", "Signals for auditors: what differs from peers, and the cases behind.", lasts=True
    ),
    "report": Lazy(
        "report", "Reports as page, workbook and PDF: of a month, a hospital, …", lasts=True
    ),
    "what-if": Lazy(
        "what_if", "Group a case with one code otherwise; cases that hang on a code.", lasts=True
    ),
    "in-stay": Lazy("in_stay", "Patients in house: likely groups, payment, warnings.", lasts=True),
    "serve": Lazy("serve", "The workbench: pages for a browser and an API, on this machine."),
    "mcp": Lazy("mcp", "The read-only calls as tools of the Model Context Protocol."),
    "compare-groups": Lazy(
        "compare_groups", "Compare our groups with the official ones.", lasts=True
    ),
}
"""Every command: its module in `drgcore.cli`, and one sentence about it."""

app = typer.Typer(
    cls=lazy_group(COMMANDS),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="CHS-DRG grouping and point-based payment.",
    epilog="Exit codes: 0 done, 1 a check found errors, 2 bad input, 130 interrupted.",
)


@app.callback(invoke_without_command=True)
def _root(
    ctx: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
    lang: Annotated[
        Language | None,
        typer.Option(
            envvar="DRGCORE_LANG",
            help="Language: zh for Chinese, en for English; else that of the environment.",
        ),
    ] = None,
) -> None:
    if version:
        typer.echo(f"drgcore {drgcore.__version__}")
        raise typer.Exit
    # Whatever file a command reads, and in however many ways: here it is said what was left out.
    ctx.with_resource(
        telling(lambda file, note: typer.echo(_("note: {note}", note=f"{file}: {note}"), err=True))
    )


def main() -> None:
    """Run the command; known errors become one message on the error stream and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        # A console without Chinese characters shows question marks, which is better than nothing.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        survive_closed_pipes()
        with stopping_when_told():
            app()
    except drgcore.DrgcoreError as error:
        _fail(str(error))
    except OSError as error:
        # What the system refuses: a name that is too long, a folder without the right to read.
        place = "" if error.filename is None else f"{error.filename}: "
        _fail(f"{place}{reason_of(error)}")
    except KeyboardInterrupt:
        sys.exit(130)


def _fail(message: str) -> NoReturn:
    typer.echo(_("error: {message}", message=message), err=True)
    sys.exit(2)

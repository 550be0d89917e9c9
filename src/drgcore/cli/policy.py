"""`drgcore policy`: check a policy file, print it as sentences, start one from a preset."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from drgcore.cli.streams import table_console
from drgcore.errors import PolicyError
from drgcore.points import (
    PRESETS,
    check_policy,
    list_presets,
    policy_sentences,
    unfinished_sentences,
)
from drgcore.points.policy_file import find_policy, read_toml

app = typer.Typer(no_args_is_help=True, add_completion=False)

PolicyFile = Annotated[str, typer.Argument(help="A policy file (.toml) or the name of a preset.")]


@app.command("list")
def list_() -> None:
    """List the presets: region, year, what each states and what it asks for."""
    table = Table("Preset", "Region", "Year", box=None, pad_edge=False)
    for column in ("Stated", "In words", "Asked"):
        table.add_column(column, justify="right")
    for preset in list_presets():
        year = "" if preset.year is None else str(preset.year)
        numbers = (preset.stated, preset.sentences, preset.asked)
        table.add_row(preset.name, escape(preset.region), year, *map(str, numbers))
    table_console(highlight=False).print(table)
    say("Stated: parameters that a source gives; in words: what it says beside them.")


@app.command()
def check(file: PolicyFile) -> None:
    """Say what is wrong or not filled in; exit with 1 if anything is."""
    report = check_policy(file)
    wrong = [problem for problem in report.problems if not problem.missing]
    asked = [problem for problem in report.problems if problem.missing]
    for title, colour, problems in (("wrong", "red", wrong), ("to fill in", "yellow", asked)):
        if problems:
            say(f"[{colour}]{title}: {len(problems)}[/{colour}]")
            for problem in problems:
                say(f"[bold]{escape(problem.path)}[/bold]", 2)
                say(escape(problem.message), 4)
    for warning in report.warnings:
        say(f"[yellow]warning[/yellow]: {escape(warning)}")
    say(f"{escape(file)}: {'complete' if report.ok else 'cannot be used yet'}")
    raise typer.Exit(0 if report.ok else 1)


@app.command()
def show(
    file: PolicyFile,
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day on which it applies.")
    ] = None,
) -> None:
    """Print a policy as sentences; of an unfinished one, what its source states and it asks for."""
    report = check_policy(file)
    if report.policy is None:
        data = read_toml(report.path)
        say(f"[bold]{escape(str(data.get('title') or data.get('name') or file))}[/bold]")
        _show(unfinished_sentences(data, report.problems))
        return
    day: date = on.date() if on else report.policy.effective_from
    _show(policy_sentences(report.policy.at(day)))
    for amendment in report.policy.amendments:
        say(f"It changes on {amendment['from']}; see --on {amendment['from']}.")


@app.command()
def new(
    preset: Annotated[str, typer.Argument(help=f"One of {', '.join(PRESETS)}.")],
    file: Annotated[Path, typer.Argument(help="The policy file to write.")],
) -> None:
    """Start a policy file from a preset; the tables that it names are copied beside it."""
    source = find_policy(preset)
    report = check_policy(preset)
    tables = report.policy.files if report.policy else ()
    targets = [file, *(file.parent / name for name in tables)]
    there = [target for target in targets if target.exists()]
    if there:
        raise PolicyError("it is there already", where=str(there[0]), hint="take another name")
    file.parent.mkdir(parents=True, exist_ok=True)
    for origin, target in zip([source, *(source.parent / t for t in tables)], targets, strict=True):
        part = target.with_name(target.name + ".part")
        part.write_bytes(origin.read_bytes())
        part.replace(target)
        say(f"written {escape(str(target))}")


def _show(parts: Sequence[tuple[str, Sequence[str]]]) -> None:
    for heading, sentences in parts:
        say(f"[bold]{escape(heading)}[/bold]")
        for sentence in sentences:
            say(escape(sentence), 2)


def say(text: str, indent: int = 0) -> None:
    """Print a line: broken at the terminal's width, whole in a pipe or a file."""
    # A console of its own for each line: typer's test runner exchanges the output stream.
    shown = table_console(highlight=False)
    if shown.is_terminal:
        shown.print(Padding.indent(text, indent))
    else:
        shown.print(" " * indent + text, soft_wrap=True)

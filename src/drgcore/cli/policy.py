"""`drgcore policy`: check a policy file, print it as sentences, start one from a preset."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from drgcore.cli.streams import table_console
from drgcore.errors import PolicyError
from drgcore.points import PRESETS, check_policy, policy_sentences
from drgcore.points.policy_file import find_policy, read_toml

app = typer.Typer(no_args_is_help=True, add_completion=False)

PolicyFile = Annotated[str, typer.Argument(help="A policy file (.toml) or the name of a preset.")]


@app.command("list")
def list_() -> None:
    """List the presets and what each must be filled in with."""
    table = Table("Preset", "Title", "Still to fill in", box=None, pad_edge=False)
    for name in PRESETS:
        report = check_policy(name)
        asked = sum(problem.missing for problem in report.problems)
        title = str(read_toml(report.path)["title"])
        table.add_row(name, escape(title), f"{asked} parameters" if asked else "nothing")
    _print(table)


@app.command()
def check(file: PolicyFile) -> None:
    """Say what is wrong or not filled in; exit with 1 if anything is."""
    report = check_policy(file)
    wrong = [problem for problem in report.problems if not problem.missing]
    asked = [problem for problem in report.problems if problem.missing]
    for title, colour, problems in (("wrong", "red", wrong), ("to fill in", "yellow", asked)):
        if problems:
            _print(f"[{colour}]{title}: {len(problems)}[/{colour}]")
            for problem in problems:
                _print(f"  [bold]{escape(problem.path)}[/bold]\n    {escape(problem.message)}")
    for warning in report.warnings:
        _print(f"[yellow]warning[/yellow]: {escape(warning)}")
    _print(f"{escape(file)}: {'complete' if report.ok else 'cannot be used yet'}")
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
        _print(f"[bold]{escape(str(data.get('title') or data.get('name') or file))}[/bold]")
        for key, words in (("states", "The source states"), ("fill_in", "The user fills in")):
            for text in data.get(key, []):
                _print(f"  {words}: {escape(str(text))}.")
        _print(
            f"  It asks for {len(report.problems)} parameters; `drgcore policy check` names them."
        )
        return
    day: date = on.date() if on else report.policy.effective_from
    for heading, sentences in policy_sentences(report.policy.at(day)):
        _print(f"[bold]{heading}[/bold]")
        for sentence in sentences:
            _print(f"  {escape(sentence)}")
    for amendment in report.policy.amendments:
        _print(f"It changes on {amendment['from']}; see --on {amendment['from']}.")


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
        _print(f"written {escape(str(target))}")


def _print(what: str | Table) -> None:
    # A console of its own for each line: typer's test runner exchanges the output stream.
    table_console(highlight=False, soft_wrap=isinstance(what, str)).print(what)

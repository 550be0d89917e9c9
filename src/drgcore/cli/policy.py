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

from drgcore.cli.options import MappingOption
from drgcore.cli.reading import SheetOption, read_together
from drgcore.cli.streams import table_console
from drgcore.cli.weights import years_of
from drgcore.errors import PolicyError
from drgcore.files import whole_file
from drgcore.language import _, heading
from drgcore.points import (
    PRESETS,
    check_policy,
    list_presets,
    policy_sentences,
    unfinished_sentences,
)
from drgcore.points.policy_file import find_policy, read_toml
from drgcore.points.wording import told
from drgcore.trial import HISTORY_COLUMNS, policy_from_history

app = typer.Typer(no_args_is_help=True, add_completion=False)

PolicyFile = Annotated[str, typer.Argument(help="A policy file (.toml) or the name of a preset.")]


@app.command("list")
def list_() -> None:
    """List the presets: region, year, what each states and what it asks for."""
    table = Table(*map(heading, ("Preset", "Region", "Year")), box=None, pad_edge=False)
    for column in ("Stated", "In words", "Asked"):
        table.add_column(heading(column), justify="right")
    for preset in list_presets():
        year = "" if preset.year is None else str(preset.year)
        numbers = (preset.stated, preset.sentences, preset.asked)
        table.add_row(preset.name, escape(preset.region), year, *map(str, numbers))
    table_console(highlight=False).print(table)
    say(_("Stated: parameters that a source gives; in words: what it says beside them."))


@app.command()
def check(file: PolicyFile) -> None:
    """Say what is wrong or not filled in; exit with 1 if anything is."""
    report = check_policy(file)
    wrong = [problem for problem in report.problems if not problem.missing]
    asked = [problem for problem in report.problems if problem.missing]
    for title, colour, problems in ((_("wrong"), "red", wrong), (_("to fill in"), "yellow", asked)):
        if problems:
            say(f"[{colour}]{title}: {len(problems)}[/{colour}]")
            for problem in problems:
                say(f"[bold]{escape(problem.path)}[/bold]", 2)
                say(escape(problem.message), 4)
    for warning in report.warnings:
        say(_("[yellow]warning[/yellow]: {warning}", warning=escape(warning)))
    say(f"{escape(file)}: {_('complete') if report.ok else _('cannot be used yet')}")
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
        say(f"[bold]{escape(told(str(data.get('title') or data.get('name') or file)))}[/bold]")
        _show(unfinished_sentences(data, report.problems))
        return
    day: date = on.date() if on else report.policy.effective_from
    _show(policy_sentences(report.policy.at(day)))
    for amendment in report.policy.amendments:
        say(_("It changes on {day}; see --on {day}.", day=amendment["from"]))


@app.command()
def new(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="[PRESET] FILE", help="A preset, and the policy file to write; see --preset."
        ),
    ],
    preset: Annotated[
        str, typer.Option(help="With --from-history: a preset, or a policy file of yours.")
    ] = "",
    from_history: Annotated[
        list[Path] | None,
        typer.Option(help="Grouped cases of past years; several times for several files."),
    ] = None,
    year: Annotated[int | None, typer.Option(help="The year that the policy is for.")] = None,
    scale: Annotated[
        float | None, typer.Option(help="Points of relative weight 1, usually 100.")
    ] = None,
    trim: Annotated[
        str | None,
        typer.Option(
            help="none, iqr, iqr-log or norm: cases left out of means. [preset's, or none]"
        ),
    ] = None,
    year_weights: Annotated[
        str, typer.Option(help="How much each year counts, as 2025:1,2026:2. [preset's, or alike]")
    ] = "",
    coefficients: Annotated[
        str | None,
        typer.Option(
            help="Where the preset has no components: level, level-drg, hospital or hospital-drg."
        ),
    ] = None,
    method: Annotated[str, typer.Option(help="How months are forecast.")] = "calendar",
    mapping: MappingOption = "canonical",
    sheet: SheetOption = None,
) -> None:
    """Start a policy file from a preset, and from what grouped cases of the past give."""
    if len(names) > 2:
        raise PolicyError(
            _("{count} names are given", count=len(names)), hint=_("write [PRESET] FILE")
        )
    if len(names) == 2 and preset:
        raise PolicyError(
            _("the preset is given twice"), hint=_("as PRESET or as --preset, not both")
        )
    chosen, file = names[0] if len(names) == 2 else preset, Path(names[-1])
    if not from_history:
        _copy(chosen, file)
        return
    if year is None:
        raise PolicyError(_("--from-history needs --year, the year that the policy is for"))
    _refuse([file])
    made = policy_from_history(
        read_together(from_history, HISTORY_COLUMNS, mapping, sheet),
        chosen or "blank",
        year=year,
        name=file.stem,
        trim=trim,
        year_weights=years_of(year_weights),
        scale=scale,
        coefficients=coefficients,
        method=method,
        document=f"grouped cases {', '.join(path.name for path in from_history)}",
    )
    written = made.write(file)
    for title, texts in (
        (_("filled in"), made.filled),
        (_("not filled in"), made.left),
    ):
        if texts:
            say(f"[bold]{title}[/bold]")
        for text in texts:
            say(escape(text), 2)
    for target in written:
        say(escape(_("written {out}", out=target)))
    asked = len(made.problems)
    more = _(
        "{count} more to fill in; `drgcore policy check {file}` names each", count=asked, file=file
    )
    done = _("{file} is complete; `drgcore settle trial` can use it", file=file)
    say(escape(more if asked else done))


def _copy(preset: str, file: Path) -> None:
    """Copy a preset with the tables that it names."""
    if not preset:
        raise PolicyError(
            _("no preset is given"),
            hint=_("one of {presets}; or --from-history", presets=", ".join(PRESETS)),
        )
    source = find_policy(preset)
    report = check_policy(preset)
    tables = report.policy.files if report.policy else ()
    targets = [file, *(file.parent / name for name in tables)]
    _refuse(targets)
    file.parent.mkdir(parents=True, exist_ok=True)
    for origin, target in zip([source, *(source.parent / t for t in tables)], targets, strict=True):
        with whole_file(target) as part:
            part.write_bytes(origin.read_bytes())
        say(f"written {escape(str(target))}")


def _refuse(targets: Sequence[Path]) -> None:
    """Overwrite nothing."""
    there = [target for target in targets if target.exists()]
    if there:
        raise PolicyError(
            _("it is there already"), where=str(there[0]), hint=_("take another name")
        )


def _show(parts: Sequence[tuple[str, Sequence[str]]]) -> None:
    for title, sentences in parts:
        say(f"[bold]{escape(title)}[/bold]")
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

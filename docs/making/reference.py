"""Pages of the reference: the public names of each room, and every command with its options."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from typer.main import get_command

import drgcore
from drgcore.cli.app import app
from drgcore.cli.lazy import translate_command
from drgcore.language import Language, use_language

# The rooms that people import from; `serve` and `cli` are entered by commands.
ROOMS = (
    *("cases", "schemes", "checks", "grouper", "synthetic", "weights", "subdivision", "forecast"),
    *("points", "budget", "trial", "scenarios", "migration", "indicators", "estimate", "audit"),
    "report",
)
WORDS = {
    "en": ("The command line", "Arguments", "Options", "default", "required", "several times"),
    "zh": ("命令行", "参数", "选项", "默认", "必填", "可重复"),
}


def room_page(room: str) -> str:
    """The page of a room: its docstring's first line, and every public name from its docstring."""
    module = importlib.import_module(f"drgcore.{room}")
    lines = [f"# drgcore.{room}", "", str(module.__doc__).strip().splitlines()[0], ""]
    for name in module.__all__:
        lines += [f"::: drgcore.{room}.{name}", ""]
    return "\n".join(lines)


def homes() -> dict[str, str]:
    """Each public name of the package and the module of the reference where it is described."""
    found = {}
    for name in sorted(drgcore.__all__):
        rooms = [r for r in ROOMS if name in importlib.import_module(f"drgcore.{r}").__all__]
        found[name] = rooms[0] if rooms else ""
    return found


def package_page() -> str:
    """The page of the package: every public name with the first line of its docstring."""
    lines = [
        "# drgcore",
        "",
        "`import drgcore` gives these names; each is imported when first used.",
        "",
    ]
    lines += ["| name | |", "| --- | --- |"]
    rest = []
    for name, room in homes().items():
        doc = str(getattr(drgcore, name).__doc__ or "").strip().splitlines()
        plain = room == "" and isinstance(getattr(drgcore, name), type | type(drgcore.group))
        if plain:
            rest.append(name)
        target = f"{room}.md#drgcore.{room}.{name}" if room else f"#drgcore.{home_of(name)}.{name}"
        shown = f"[`{name}`]({target})" if room or plain else f"`{name}`"
        # A constant has the docstring of its type, which says nothing of it.
        first = doc[0] if doc and (plain or callable(getattr(drgcore, name))) else ""
        lines.append(f"| {shown} | {first.replace('|', chr(92) + '|')} |")
    lines.append("")
    for name in rest:
        lines += [f"::: drgcore.{home_of(name)}.{name}", ""]
    return "\n".join(lines)


def home_of(name: str) -> str:
    """The module, below the package, that defines a class or function."""
    return str(getattr(drgcore, name).__module__).partition(".")[2]


def commands_of(group: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each command below a group with the words that call it, depth first."""
    context = typer.Context(group)
    for name in group.list_commands(context):
        # What is imported when it is called is imported now.
        lazy = getattr(group, "lazy", {}).get(name)
        command = lazy.load(name) if lazy else group.get_command(context, name)
        if hasattr(command, "list_commands"):
            yield from commands_of(command, (*path, name))
        else:
            yield (*path, name), command


def command_page(language: Language) -> str:
    """Every command with its arguments and options, as the program itself describes them."""
    title, arguments, options, default, required, several = WORDS[language]
    lines = [f"# {title}", ""]
    with use_language(language):
        for path, command in commands_of(translate_command(get_command(app)), ("drgcore",)):
            lines += [f"## {' '.join(path)}", "", cell(command.help or ""), ""]
            given = [p for p in command.params if p.param_type_name == "argument"]
            others = [p for p in command.params if p.param_type_name == "option"]
            for head, parameters in ((arguments, given), (options, others)):
                if not parameters:
                    continue
                lines += [f"| {head} | |", "| --- | --- |"]
                for p in parameters:
                    name = p.metavar or p.name if p in given else ", ".join(p.opts)
                    notes = [required] if p.required else []
                    if getattr(p, "multiple", False):
                        notes.append(several)
                    shown = p.default
                    if (
                        p not in given
                        and shown not in (None, False, "", ())
                        and not callable(shown)
                    ):
                        shown = ", ".join(shown) if isinstance(shown, list | tuple) else shown
                        notes.append(f"{default} `{shown}`")
                    told = cell(getattr(p, "help", None) or "")
                    lines.append(
                        f"| `{name}` | {told}{' (' + '; '.join(notes) + ')' if notes else ''} |"
                    )
                lines.append("")
    return "\n".join(lines)


def cell(text: str) -> str:
    """A help text as one line of a table."""
    return re.sub(r"([|\[*_])", r"\\\1", " ".join(text.split()))


def forward(page: str) -> str:
    """A Chinese page that leads on to the English one: docstrings are English."""
    url = f"../../reference/{page}.html"
    return (
        f"# {'drgcore' if page == 'index' else f'drgcore.{page}'}\n\n"
        f'<meta http-equiv="refresh" content="0; url={url}">\n\n'
        f'函数与类的说明为英文：<a href="{url}">{page}</a>\n'
    )


def write_reference(made: Path) -> None:
    """Write all pages of the reference."""
    folder = made / "reference"
    folder.mkdir()
    for page in ("index", *ROOMS):
        (folder / f"{page}.zh.md").write_text(forward(page), "utf-8")
    (folder / "index.md").write_text(package_page(), "utf-8")
    for room in ROOMS:
        (folder / f"{room}.md").write_text(room_page(room), "utf-8")
    (made / "commands.md").write_text(command_page("en"), "utf-8")
    (made / "commands.zh.md").write_text(command_page("zh"), "utf-8")

"""Commands that are imported when they are called, not when the program starts."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise, takewhile
from typing import Annotated, Any, get_args

import typer.main
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

from drgcore.cli.help_texts import texts_of, translate_command, translate_usage_error
from drgcore.language import Language, _, set_language


@dataclass(frozen=True)
class Lazy:
    """A command that stands in a module of its own.

    Parameters
    ----------
    module : str
        The module of `drgcore.cli` whose `app` it is. An `app` of one command without a callback
        is that command, any other is a group.
    help : str
        One sentence for the list of commands; for a group also the head of its own help.
    frames : bool, default True
        Whether it works with frames of pandas.
    lasts : bool, default False
        Whether its work may last, so that it shows how far it is and can be interrupted: it and
        all below it get ``--progress``.
    """

    module: str
    help: str
    frames: bool = True
    lasts: bool = False

    def load(self, name: str) -> Any:
        """Import the module and make the command, in the language that is spoken."""
        if not self.frames:
            spare_pandas()
        return translate_command(self.make(name))

    def make(self, name: str) -> Any:
        """Import the module and make the command as the code has it."""
        command = typer.main.get_command(import_module(f"drgcore.cli.{self.module}").app)
        command.name = name
        if isinstance(command, TyperGroup):
            command.help = self.help
        if self.lasts:
            with_progress(command)
        return command


def spare_pandas() -> None:
    """Keep pyarrow from importing pandas, which takes it as long as all else of a small command.

    With its first array pyarrow imports pandas, to know a frame when it sees one, and does without
    when pandas is not there; it asks again when it is to make a frame itself.
    """
    if "pandas" in sys.modules:
        return
    sys.meta_path.insert(0, _NoPandas)
    try:
        import pyarrow as pa

        pa.array([0])
    finally:
        sys.meta_path.remove(_NoPandas)


class _NoPandas:
    """A finder of modules by which there is no pandas."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name=name)


def with_progress(command: Any) -> None:
    """Let a command, or each of a group, show how far it is, and say what an interruption left."""
    if isinstance(command, TyperGroup):
        for own in command.commands.values():
            with_progress(own)
        return
    work = command.callback

    def shown(**arguments: Any) -> Any:
        from drgcore.cli.progress import shown_progress

        try:
            with shown_progress(arguments.pop("progress"), command.name or ""):
                return work(**arguments)
        except KeyboardInterrupt as stop:
            whole = _("interrupted; every file that is there is whole")
            how = getattr(stop, "__notes__", [_("the same command again makes what is missing")])
            typer.echo("\n".join([whole, *how]), err=True)
            raise typer.Exit(130) from stop

    command.callback = shown
    donor = typer.Typer(add_completion=False)
    donor.command()(_only_progress)
    command.params += typer.main.get_command(donor).params


def _only_progress(
    progress: Annotated[
        bool | None,
        typer.Option(
            "--progress/--no-progress", help="Show how far it is; by default on a terminal."
        ),
    ] = None,
) -> None:
    """Lend its option to other commands."""


def lazy_group(entries: Mapping[str, Lazy]) -> type[TyperGroup]:
    """A class for `typer.Typer(cls=…)` whose group has these commands beside its own.

    Examples
    --------
    >>> app = typer.Typer(cls=lazy_group({"scheme": Lazy("scheme", "Grouping schemes.")}))
    """

    class LazyGroup(TyperGroup):
        lazy = entries

        def parse_args(self, ctx: Any, args: list[str]) -> Any:
            if ctx.parent is None:
                # The language is known first: it is that of the help, of errors in the arguments.
                set_language(_asked_language(args))
                translate_command(self)
            return super().parse_args(ctx, args)

        def make_context(self, *args: Any, **options: Any) -> Any:
            with _translated():
                return super().make_context(*args, **options)

        def invoke(self, ctx: Any) -> Any:
            with _translated():
                return super().invoke(ctx)

        def list_commands(self, ctx: Any) -> list[str]:
            return [*entries, *(n for n in super().list_commands(ctx) if n not in entries)]

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            # What a list of commands shows: their names and one sentence.
            if cmd_name in entries:
                return TyperCommand(cmd_name, help=_(entries[cmd_name].help))
            return super().get_command(ctx, cmd_name)

        def resolve_command(self, ctx: Any, args: list[str]) -> Any:
            name, command, rest = super().resolve_command(ctx, args)
            lazy = entries.get(name or "")
            return name, command if lazy is None else lazy.load(str(name)), rest

    return LazyGroup


def help_texts(command: TyperGroup) -> Iterator[str]:
    """The help texts of a group and of everything below it, as the code has them.

    Parameters
    ----------
    command : TyperGroup
        A group that is not translated.

    Yields
    ------
    str
        Each text.
    """
    yield from texts_of(command)
    for name, entry in getattr(command, "lazy", {}).items():
        below = entry.make(name)
        yield entry.help
        yield from help_texts(below)


@contextmanager
def _translated() -> Iterator[None]:
    """What typer says of wrong arguments, in the language that is spoken."""
    try:
        yield
    except TyperException as error:
        translate_usage_error(error)
        raise


def _asked_language(args: list[str]) -> Language | None:
    """What ``--lang`` says before the command; None without it, or where it is refused later."""
    options = list(takewhile(lambda text: text.startswith("-") or text in ("zh", "en"), args))
    for language in get_args(Language):
        if f"--lang={language}" in options or ("--lang", language) in pairwise(options):
            return language
    return None

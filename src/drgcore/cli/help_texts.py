"""Help texts in the language that is spoken: the one place where they are translated.

In the code they are English literals. A command is translated when it is made, and the list of
commands when it is shown; `make messages` walks the same texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from drgcore.language import N_, _

_OF_COMMAND = ("help", "short_help", "epilog")

_FRAME = {
    "ARGUMENTS_PANEL_TITLE": N_("Arguments"),
    "OPTIONS_PANEL_TITLE": N_("Options"),
    "COMMANDS_PANEL_TITLE": N_("Commands"),
    "ERRORS_PANEL_TITLE": N_("Error"),
    "DEFAULT_STRING": N_("[default: {}]"),
    "ENVVAR_STRING": N_("[env var: {}]"),
    "REQUIRED_LONG_STRING": N_("[required]"),
    "ABORTED_TEXT": N_("Aborted."),
    "RICH_HELP": N_("Try [blue]'{command_path} {help_option}'[/] for help."),
}
"""The words that typer puts around help texts and errors, by their names in `typer.rich_utils`."""

# What typer and pydantic say of wrong arguments. The longer ones stand before those that would
# take them for their own.
_USAGE_ERRORS = (
    N_("No such option: {name} (Possible options: {others})"),
    N_("No such option: {name}"),
    N_("No such command {name}. Did you mean {others}?"),
    N_("No such command {name}."),
    N_("Missing command."),
    N_("Missing option {name}. {words}"),
    N_("Missing option {name}."),
    N_("Missing argument {name}. {words}"),
    N_("Missing argument {name}."),
    N_("Invalid value for {name}: {words}"),
    N_("Option {name} requires an argument."),
    N_("Option {name} does not take a value."),
    N_("Got unexpected extra argument(s) ({names})"),
    N_("File {path} does not exist."),
    N_("Directory {path} does not exist."),
    N_("Path {path} does not exist."),
    N_("File {path} is a directory."),
    N_("Directory {path} is a file."),
    N_("Input should be a valid integer, unable to parse string as an integer"),
    N_("Input should be a valid number, unable to parse string as a number"),
    N_("Input should be greater than or equal to {number}"),
    N_("Input should be greater than {number}"),
    N_("Input should be less than or equal to {number}"),
    N_("Input should be less than {number}"),
    N_("Input should be {choices}"),
    N_("Value error, {words}"),
    N_("{value} is not one of {choices}."),
)


def translate_command(command: Any) -> Any:
    """Translate a command's help texts, those of its parameters and of the commands below it.

    Parameters
    ----------
    command : typer.core.TyperCommand or typer.core.TyperGroup
        The command, which is changed.

    Returns
    -------
    TyperCommand or TyperGroup
        The same.
    """
    for holder, name in _texts(command):
        # A unit in brackets is no markup of rich's.
        setattr(holder, name, re.sub(r"\[(?=[a-z#/@])", r"\\[", _(getattr(holder, name))))
    for below in getattr(command, "commands", {}).values():
        translate_command(below)
    # What typer writes of its own: the usage, the option --help, the titles of the frames.
    help_option = command.get_help_option(command.context_class(command))
    if help_option is not None:
        help_option.help = _("Show this message and exit.")
    command.options_metavar = _("[OPTIONS]")
    if hasattr(command, "subcommand_metavar"):
        command.subcommand_metavar = _("COMMAND [ARGS]...")
    get_usage, format_help = command.get_usage, command.format_help

    def usage(context: Any) -> str:
        return str(get_usage(context)).replace("Usage:", _("Usage:"), 1)

    def in_frames(context: Any, formatter: Any) -> None:
        _translate_frames()
        format_help(context, formatter)

    command.get_usage, command.format_help = usage, in_frames
    return command


def translate_usage_error(error: Any) -> None:
    """Translate what typer says of wrong arguments.

    Parameters
    ----------
    error : typer.exceptions.TyperException
        The error, which is changed.
    """
    _translate_frames()
    if hasattr(error, "format_message"):
        words = _usage_words(str(error.format_message()))
        error.format_message = lambda: words


def texts_of(command: Any) -> Iterator[str]:
    """The help texts of a command, its parameters and the commands below, as the code has them.

    Parameters
    ----------
    command : typer.core.TyperCommand or typer.core.TyperGroup
        A command that is not translated.
    """
    yield from (getattr(holder, name) for holder, name in _texts(command))
    for below in getattr(command, "commands", {}).values():
        yield from texts_of(below)


def _texts(command: Any) -> Iterator[tuple[Any, str]]:
    for name in _OF_COMMAND:
        if getattr(command, name, None):
            yield command, name
    for parameter in command.params:
        if getattr(parameter, "help", None):
            yield parameter, "help"


def _translate_frames() -> None:
    from typer import rich_utils

    for name, text in _FRAME.items():
        setattr(rich_utils, name, _(text))


def _usage_words(text: str) -> str:
    for message in _USAGE_ERRORS:
        parts = re.split(r"\{(\w+)\}", message)
        pattern = "".join(
            f"(?P<{part}>.+)" if place % 2 else re.escape(part) for place, part in enumerate(parts)
        )
        if found := re.fullmatch(pattern, text, re.DOTALL):
            values = found.groupdict()
            if "words" in values:
                values["words"] = _usage_words(values["words"])
            return _(message, **values)
    return text

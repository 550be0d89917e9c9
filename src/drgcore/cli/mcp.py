"""`drgcore mcp`: the read-only calls as tools for an assistant, by standard input and output."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from drgcore.errors import DrgcoreError
from drgcore.language import _

app = typer.Typer(add_completion=False)


@app.command()
def mcp(
    data: Annotated[
        list[Path] | None, typer.Option(help="Folder with schemes and policies, repeatable.")
    ] = None,
) -> None:
    """Speak the Model Context Protocol: group, explain, what-if, check, estimate, search."""
    try:
        from drgcore.serve.tools import make_tools
    except ModuleNotFoundError as error:
        raise DrgcoreError(
            _("the tools need {name}", name=error.name), hint=_("pip install 'drgcore[mcp]'")
        ) from None
    from drgcore.serve.calls.library import Library
    from drgcore.serve.logs import start_log

    start_log()
    make_tools(Library(tuple(data or ()))).run()

"""`drgcore serve`: the workbench in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from drgcore.errors import DrgcoreError
from drgcore.language import _

app = typer.Typer(add_completion=False)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen at.")] = 8765,
    token_file: Annotated[
        Path | None,
        typer.Option(help="File with a token; needed where other machines reach the address."),
    ] = None,
    data: Annotated[
        list[Path] | None, typer.Option(help="Folder with files to look at, repeatable.")
    ] = None,
    work: Annotated[
        Path | None, typer.Option(help="Folder for batches; else in the first --data.")
    ] = None,
    name: Annotated[
        list[str] | None, typer.Option(help="Another name of the server, e.g. a proxy's.")
    ] = None,
    lang: Annotated[
        str | None, typer.Option(help="Language: zh or en; else the browser's.")
    ] = None,
) -> None:
    """Open the workbench for browsers and programs of this machine; stop with Ctrl+C."""
    try:
        from drgcore.serve.run import run
    except ModuleNotFoundError as error:
        raise DrgcoreError(
            _("the workbench needs {name}", name=error.name), hint=_("pip install 'drgcore[serve]'")
        ) from None
    from drgcore.serve.settings import Settings, read_token

    settings = Settings(
        host=host,
        port=port,
        token=None if token_file is None else read_token(token_file),
        names=tuple(name or ()),
        data=tuple(data or ()),
        work=work,
        lang=cast(Any, lang),
    )
    shown = f"[{host}]" if ":" in host else host
    typer.echo(f"http://{shown}:{port}/  (Ctrl+C stops the server)", err=True)
    run(settings)

"""`drgcore serve`: the workbench in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from drgcore.cli.options import ClinicalOption, HighOption, LowOption, MappingOption
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
    ledger: Annotated[
        list[str] | None,
        typer.Option(help="Ledger on PostgreSQL to look at, as postgresql://…, repeatable."),
    ] = None,
    work: Annotated[
        Path | None, typer.Option(help="Folder for batches; else in the first --data.")
    ] = None,
    in_house: Annotated[
        str | None,
        typer.Option(help="Patients in house: a file, or a database as postgresql://…#table."),
    ] = None,
    history: Annotated[
        Path | None, typer.Option(help="With --in-house: finished cases of the past.")
    ] = None,
    payments: Annotated[
        Path | None,
        typer.Option(help="With --in-house: drg, and weight or base_points."),
    ] = None,
    rate: Annotated[
        float, typer.Option(help="With --payments: yuan for weight 1, or for a point.")
    ] = 1.0,
    high: HighOption = None,
    low: LowOption = None,
    mapping: MappingOption = "canonical",
    clinical: ClinicalOption = False,
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

    if in_house is not None and history is None:
        raise DrgcoreError(
            _("patients in house are estimated from past cases, and there are none"),
            where="--in-house",
            hint=_("Add --history FILE."),
        )
    ward = None
    if in_house is not None and history is not None:
        from drgcore.serve.ward import InHouse

        ward = InHouse(
            source=in_house,
            history=history,
            payments=payments,
            rate=rate,
            high=high,
            low=low,
            mapping=mapping,
            clinical_codes=clinical,
        )
    if name and token_file is None:
        raise DrgcoreError(
            _("--name lets others reach the server through a proxy, and it has no token"),
            hint=_("Give a file with a token (--token-file)."),
        )
    settings = Settings(
        host=host,
        port=port,
        token=None if token_file is None else read_token(token_file),
        names=tuple(name or ()),
        data=tuple(data or ()),
        ledgers=tuple(ledger or ()),
        work=work,
        lang=cast(Any, lang),
        in_house=ward,
    )
    shown = f"[{host}]" if ":" in host else host
    typer.echo(f"http://{shown}:{port}/  (Ctrl+C stops the server)", err=True)
    run(settings)

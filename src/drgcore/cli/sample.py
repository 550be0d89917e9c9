"""`drgcore sample`: synthetic cases."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import drgcore
from drgcore.cli.options import SchemeOption
from drgcore.language import _
from drgcore.synthetic.export import write_export

app = typer.Typer(add_completion=False)


@app.command()
def sample(
    out: Annotated[
        Path,
        typer.Argument(metavar="OUT", help="Parquet file to write; with --layout .csv or .xlsx."),
    ],
    rows: Annotated[int, typer.Option(help="Number of cases.")] = 100_000,
    scheme: SchemeOption = "chs-drg-3.0",
    seed: Annotated[int, typer.Option(help="The same seed gives the same cases.")] = 0,
    year: Annotated[int, typer.Option(help="Year of discharge.")] = 2027,
    hospitals: Annotated[int, typer.Option(help="Number of hospitals.")] = 12,
    dirty: Annotated[float, typer.Option(help="Share of rows with a fault, 0 to 1.")] = 0.0,
    layout: Annotated[
        str | None,
        typer.Option(help="Headings of an export: hqms, chinese or settlement-list."),
    ] = None,
) -> None:
    """Write synthetic cases: plausible in shape, true of nobody."""
    if layout is not None:
        cases = drgcore.sample_cases(
            rows, scheme, seed=seed, year=year, hospitals=hospitals, dirty=dirty
        )
        write_export(out, cases, layout)
        typer.echo(_("{rows:,} synthetic cases in {out}", rows=rows, out=out))
        return
    drgcore.write_sample(
        out,
        rows,
        scheme,
        seed=seed,
        year=year,
        hospitals=hospitals,
        dirty=dirty,
    )
    typer.echo(_("{rows:,} synthetic cases in {out}", rows=rows, out=out))

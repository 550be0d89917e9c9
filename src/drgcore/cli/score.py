"""`drgcore score`: departments and doctors by chosen indicators with weights and targets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from drgcore.cli.indicators import KeyOption, OutlierOption, multiples, source_of
from drgcore.cli.options import MappingOption
from drgcore.cli.reading import CasesArgument, SheetOption
from drgcore.cli.tables import plain_text
from drgcore.indicators import ScoreSheet, compute_indicators, score_units
from drgcore.language import _
from drgcore.workbooks import write_tables

app = typer.Typer(add_completion=False)

_ROWS = 20


@app.command()
def score(
    cases: CasesArgument,
    by: Annotated[Path, typer.Option(help="The score sheet (.toml): units, indicators, weights.")],
    norms: Annotated[
        Path | None, typer.Option(help="Weights and means by DRG, see `drgcore indicators`.")
    ] = None,
    outliers: OutlierOption = "",
    explain: Annotated[
        str | None, typer.Option(help="A unit whose score to explain, as 骨科 or H01,骨科.")
    ] = None,
    mapping: MappingOption = "canonical",
    sheet: SheetOption = None,
    key: KeyOption = None,
    out: Annotated[
        Path | None, typer.Option(help="Scores and explanations: .xlsx, .csv or .parquet.")
    ] = None,
) -> None:
    """Score departments, doctors or hospitals, and explain each score."""
    rules = ScoreSheet.load(by)
    source = source_of(cases, mapping, sheet, key)
    found = compute_indicators(source, rules.of, norms=norms, outliers=multiples(outliers))
    scores = score_units(found, rules)
    keys = list(found.by)
    table = scores.table.sort_values("rank", kind="stable", na_position="last")
    if explain is not None:
        wanted = [text.strip() for text in explain.split(",")]
        own = (scores.details[keys].astype(str) == wanted).all(axis=1)
        for line in scores.details.loc[own, "explanation"]:
            typer.echo(line)
        rows = table[(table[keys].astype(str) == wanted).all(axis=1)]
        for row in rows.to_dict("records"):
            typer.echo(
                _("no score: {reason}", reason=row["reason"])
                if row["reason"]
                else f"= {row['score']:.2f}"
            )
        if rows.empty:
            typer.echo(_("there is no unit {unit}", unit=explain))
    else:
        shown = table.head(_ROWS).copy()
        shown["score"] = shown["score"].map("{:.2f}".format).where(shown["score"].notna(), "–")
        shown["rank"] = shown["rank"].astype(object).where(shown["rank"].notna(), "–")
        typer.echo(plain_text(shown.fillna("–")))
        if len(table) > _ROWS:
            typer.echo(_("… {count:,} more", count=len(table) - _ROWS))
    if out is not None:
        write_tables(out, {"scores": scores.table, "details": scores.details}, keys=len(keys))
        typer.echo(_("written {out}", out=out))

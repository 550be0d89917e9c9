"""`drgcore codes`: find diagnoses and procedures; what the dictionaries are."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from drgcore.cli.streams import table_console
from drgcore.errors import DrgcoreError
from drgcore.language import N_, _, heading
from drgcore.schemes import about_dictionaries, search_codes
from drgcore.schemes.store import CodeKind

app = typer.Typer(no_args_is_help=True, add_completion=False)

_KINDS: dict[str, CodeKind] = {"diagnoses": "diagnoses", "procedures": "procedures"}


@app.command()
def search(
    text: Annotated[
        list[str], typer.Argument(help="Of a code, a name or the initials of its pinyin.")
    ],
    kind: Annotated[str | None, typer.Option(help="diagnoses or procedures; both by default.")] = (
        None
    ),
    limit: Annotated[int, typer.Option(help="Most codes to show.")] = 20,
) -> None:
    """Find codes of the insurance version (医保版); exit with 1 when there is none."""
    if kind is not None and kind not in _KINDS:
        raise DrgcoreError(_("there are diagnoses and procedures, not {kind!r}", kind=kind))
    found = search_codes(" ".join(text), kind=_KINDS.get(kind or ""), limit=limit)
    if not found:
        typer.echo(_("no code fits {text!r}", text=" ".join(text)))
        raise typer.Exit(1)
    table = Table(heading("Code"), heading("Name"), "", box=None, pad_edge=False)
    for hit in found:
        table.add_row(hit.code, escape(hit.name), _("置灰 (heading)") if hit.gray else "")
    table_console(highlight=False).print(table)


_TOLD = (
    N_("医疗保障疾病诊断分类与代码 (insurance version of ICD-10)"),
    N_("医疗保障手术操作分类与代码 (insurance version of ICD-9-CM-3)"),
    N_("not stated in the source"),
)
"""What the file of the dictionaries says of them, for the catalogue."""


@app.command()
def about() -> None:
    """Say of what version the dictionaries are and what is known of later codes."""
    for told in about_dictionaries():
        typer.echo(
            _(
                "{kind}: {system}, {codes:,} codes",
                kind=_(told["kind"]),
                system=_(told["system"]),
                codes=told["codes"],
            )
        )
        typer.echo(
            "  "
            + _(
                "version: {version}; date: {date}",
                version=_(told["version"]),
                date=_(told["date"]),
            )
        )
        for key, what in (
            ("newer", N_("newer codes, which the schemes in force name and the dictionary lacks")),
            ("removed_2026", N_("removed from the code system by the revision of 2026")),
        ):
            if told[key]:
                typer.echo(f"  {_(what)} ({len(told[key])}): {', '.join(told[key])}")

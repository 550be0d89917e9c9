"""`drgcore scheme`: compile, show, check and compare grouping schemes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import pyarrow.compute as pc
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from drgcore.cases.nearest import Kind, nearest_codes
from drgcore.cli.lazy import Lazy, lazy_group
from drgcore.language import N_, _, heading
from drgcore.schemes import (
    DEFAULT_SCHEME,
    Adrg,
    Drg,
    Finding,
    Mdc,
    Scheme,
    check_scheme,
    code_lists,
    compile_scheme,
    diff_schemes,
    export_scheme,
    list_schemes,
    load_dictionary,
    load_scheme,
    load_translation,
)
from drgcore.schemes.rules import TRUE
from drgcore.schemes.store import CodeKind

app = typer.Typer(
    cls=lazy_group(
        {"migrate": Lazy("migrate", "Group the same cases by two schemes.", lasts=True)}
    ),
    no_args_is_help=True,
    add_completion=False,
)

_SHOWN = 20
_COUNTS = {
    "mdc": "MDC",
    "adrg": "ADRG",
    "adrg_ambiguous": N_("ADRG, ambiguous (QY)"),
    "adrg_catch_all": N_("ADRG, catch-all"),
    "drg": "DRG",
    "drg_rows": N_("DRG, all rows"),
    "sets": N_("sets"),
    "set_rows": N_("sets, rows in the source"),
    "set_members": N_("sets, different members"),
    "mcc": "MCC",
    "cc": "CC",
    "exclusion_tables": N_("exclusion tables"),
    "exclusion_rows": N_("exclusion tables, rows"),
}

_LISTS = {
    "no_principal_diagnosis": N_("不作为主要诊断: is no principal diagnosis for grouping"),
    "no_part_procedures": N_("不参与分组: as a procedure it counts as none"),
    "gray_diagnoses": N_("置灰: a heading, not to be used on a settlement list"),
    "gray_procedures": N_("置灰: a heading, not to be used on a settlement list"),
    "basic_groups": N_("基层病组: the same price at every level of hospital"),
}

SchemeName = Annotated[
    str, typer.Argument(help="A shipped scheme, a compiled folder, a workbook or a .csv folder.")
]


@app.command("list")
def list_() -> None:
    """List the shipped schemes: where each is from, when it is in force, how many groups it has."""
    table = Table(heading("Scheme"), box=None, pad_edge=False)
    for column in ("Region", "Year", "Base", "In force"):
        table.add_column(heading(column))
    for column in ("ADRG", "DRG"):
        table.add_column(column, justify="right")
    # The national schemes first, the newest before the others; then the local ones by name.
    infos = list_schemes()
    national = sorted((i for i in infos if i.base is None), key=lambda i: i.name, reverse=True)
    for info in (*national, *(i for i in infos if i.base is not None)):
        region = info.region or ("" if info.base else _("national"))
        counts = (str(info.counts[level]) for level in ("adrg", "drg"))
        year, base, since = info.year or "", info.base or "", info.in_force_from or ""
        table.add_row(info.name, region, year, base, since, *counts)
    _print(table)
    _print(
        "\n"
        + _(
            "DRG without the ambiguous (QY) and the catch-all groups; all local ones "
            "are historical."
        )
    )


@app.command()
def compile(
    source: Annotated[Path, typer.Argument(help="Official workbook (.xlsx) or folder of .csv.")],
    out: Annotated[Path, typer.Argument(help="Folder under which the scheme's folder goes.")],
    name: Annotated[str, typer.Option(help="Short name, e.g. my-city-2027.")],
    base: Annotated[
        str | None, typer.Option(help="Write only what differs from this scheme.")
    ] = None,
    title: Annotated[str | None, typer.Option(help="Title of the plan.")] = None,
) -> None:
    """Compile a workbook into tables that the grouper reads at once."""
    with Console(stderr=True).status(_("read")) as status:
        report = compile_scheme(
            source, out, name=name, title=title, base=base, progress=status.update
        )
    table = _counts(report.counts)
    for what, count in (report.changes or {}).items():
        told = _("rows of {table} that differ from {base}", table=what, base=base)
        table.add_row(told, f"{count:,}")
    _print(table)
    if report.repairs:
        _print("\n" + _("repairs: {count:,}", count=len(report.repairs)))
        for repair in report.repairs[:_SHOWN]:
            place = _("{sheet}, row {row}", sheet=repair.sheet, row=repair.row)
            place += f", {repair.column}"
            _print(
                escape(f"  {place}: {_(repair.kind.value)}: {repair.before!r} → {repair.after!r}")
            )
        _more(len(report.repairs))
    _findings(N_("warnings"), report.warnings)
    _print("\n" + _("written to {folder}", folder=report.folder))


@app.command()
def show(
    name: SchemeName = DEFAULT_SCHEME,
    group: Annotated[str | None, typer.Option(help="An MDC, ADRG or DRG.")] = None,
    set_: Annotated[
        str | None, typer.Option("--set", help="A set of codes or an exclusion table.")
    ] = None,
    code: Annotated[str | None, typer.Option(help="A diagnosis or procedure code.")] = None,
) -> None:
    """Show a scheme, one of its groups or sets, or where a code takes part."""
    scheme = load_scheme(name)
    if group is not None:
        _show_group(scheme, group)
    if set_ is not None:
        _show_set(scheme, set_)
    if code is not None:
        _show_code(scheme, code)
    if group is set_ is code is None:
        _show_scheme(scheme)


@app.command()
def export(
    name: SchemeName,
    out: Annotated[Path, typer.Argument(help="A new folder for .csv sheets, or a name in .xlsx.")],
    changes: Annotated[
        bool, typer.Option("--changes", help="Of an overlay, only what differs from its base.")
    ] = False,
) -> None:
    """Write a scheme as the official sheets, to start a local version from it."""
    for file in export_scheme(load_scheme(name), out, changes=changes):
        _print(escape(f"{file}"))


@app.command()
def check(name: SchemeName) -> None:
    """Check a scheme; exit with 1 when it has errors."""
    kinds: tuple[CodeKind, ...] = ("diagnoses", "procedures")
    report = check_scheme(
        load_scheme(name, check=False), {kind: load_dictionary(kind) for kind in kinds}
    )
    _findings(N_("errors"), report.errors)
    _findings(N_("warnings"), report.warnings)
    _print(
        "\n"
        + _(
            "{scheme}: errors {errors:,}, warnings {warnings:,}; {without_table} "
            "diagnoses of the CC sheet have no exclusion table",
            scheme=report.scheme,
            errors=len(report.errors),
            warnings=len(report.warnings),
            without_table=report.without_table,
        )
    )
    raise typer.Exit(0 if report.ok else 1)


@app.command()
def diff(
    before: SchemeName,
    after: SchemeName,
    out: Annotated[
        Path | None, typer.Option(help="Folder for one .csv of every change for each table.")
    ] = None,
) -> None:
    """Compare two schemes."""
    found = diff_schemes(load_scheme(before), load_scheme(after))
    table = Table(heading("Table"), box=None, pad_edge=False)
    for kind in ("added", "removed", "changed"):
        table.add_column(_(kind), justify="right")
    for name, counts in found.summary().items():
        table.add_row(name, *(f"{count:,}" for count in counts.values()))
    _print(table)
    _print(escape(f"\n{found}"))
    if out is not None:
        found.to_csv(out)
        _print(escape("\n" + _("every change is in {out}", out=out)))


def _show_scheme(scheme: Scheme) -> None:
    for key, value in {"name": scheme.name, **scheme.metadata}.items():
        _print(f"{heading(key)}: {escape(value)}")
    for variable, column in scheme.local_columns.items():
        _print(
            _(
                "local variable {variable}: cases must have the column {column}",
                variable=variable,
                column=column,
            )
        )
    _print("")
    _print(_counts(scheme.counts()))
    table = Table("MDC", heading("Name"), box=None, pad_edge=False)
    for level in ("ADRG", "DRG"):
        table.add_column(level, justify="right")
    for mdc in scheme.mdcs:
        counts = (len(scheme.adrgs_of(mdc.code)), len(scheme.drgs_of(mdc.code)))
        table.add_row(mdc.code, mdc.name, *map(str, counts))
    _print("")
    _print(table)


def _show_group(scheme: Scheme, code: str) -> None:
    group = scheme.group(code)
    _print(f"[bold]{group.code}[/bold] {escape(scheme.name_of(code))}")
    _print(_("rule: {rule}", rule=escape(_rule(group))))
    if code in code_lists(scheme).basic_groups:
        _print(_(_LISTS["basic_groups"]))
    if isinstance(group, Mdc):
        below: tuple[Adrg | Drg, ...] = scheme.adrgs_of(code)
    elif isinstance(group, Adrg):
        _print(f"MDC: {group.mdc} {escape(scheme.name_of(group.mdc))}")
        below = scheme.drgs_of(code)
    else:
        _print(f"ADRG: {group.adrg} {escape(scheme.name_of(group.adrg))}")
        below = ()
    if below:
        table = Table(*map(heading, ("Group", "Name", "Rule")), box=None, pad_edge=False)
        for child in below:
            table.add_row(child.code, child.name, escape(_rule(child)))
        _print("")
        _print(table)


def _rule(group: Mdc | Adrg | Drg) -> str:
    return _("always") if group.rule == TRUE else str(group.rule)


def _show_set(scheme: Scheme, name: str) -> None:
    names = _names()
    table = Table(heading("Code"), heading("Name"), box=None, pad_edge=False)
    codes = scheme.codes_of(name)
    for code in codes:
        table.add_row(code, names.get(code, ""))
    _print(_("[bold]{name}[/bold] {count:,} codes", name=escape(name), count=len(codes)) + "\n")
    _print(table)


def _show_code(scheme: Scheme, code: str) -> None:
    _print(f"[bold]{escape(code)}[/bold] {_names().get(code, '')}\n")
    uses = scheme.uses_of(code)
    lists = code_lists(scheme)
    for kind in lists.about(code):
        note = _(_LISTS[kind])
        if kind == "no_part_procedures" and any(use.level != "exclusion" for use in uses):
            note += _("; here a rule names it, so it counts there")
        _print(f"{note} ({escape(lists.source[kind])})")
    if code not in _names():
        _print(_whereabouts(code))
    if not uses:
        _print(_("no rule of {name} names it", name=scheme.name))
        return
    table = Table(*map(heading, ("Level", "Group", "Set", "As", "Name")), box=None, pad_edge=False)
    for use in uses:
        name = scheme.name_of(use.group) if use.level in ("MDC", "ADRG", "DRG") else ""
        table.add_row(use.level, use.group, use.set_id, " ".join(use.fields), name)
    _print(table)


def _whereabouts(code: str) -> str:
    """Of a code of no dictionary: whether it is a clinical one, and what is near to it."""
    tables: tuple[CodeKind, ...] = ("diagnoses", "procedures")
    for table in tables:
        pairs = load_translation(table)
        meant = pairs.filter(pc.equal(pairs["clinical_code"], code))["insurance_code"]
        if len(meant):
            return _(
                "a clinical code (国临版); the insurance version (医保版) has {code}", code=meant[0]
            )
    kinds: tuple[Kind, ...] = ("diagnosis", "procedure")
    near = [c for kind in kinds for c in nearest_codes([code], kind)[0]]
    return _("in no dictionary") + (_("; near: {codes}", codes=", ".join(near)) if near else "")


def _names() -> dict[str, str]:
    names: dict[str, str] = {}
    for kind in ("diagnoses", "procedures"):
        table = load_dictionary(kind)
        names.update(zip(table["code"].to_pylist(), table["name"].to_pylist(), strict=True))
    return names


def _counts(counts: Mapping[str, int]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for key, label in _COUNTS.items():
        table.add_row(_(label), f"{counts[key]:,}")
    return table


def _findings(kind: Literal["errors", "warnings"], findings: tuple[Finding, ...]) -> None:
    if not findings:
        return
    colour = "red" if kind == "errors" else "yellow"
    _print(f"\n[{colour}]{_(kind)}: {len(findings):,}[/{colour}]")
    table = Table(box=None, pad_edge=False, show_header=False)
    for finding in findings[:_SHOWN]:
        table.add_row(escape(finding.where), escape(f"{finding.message} [{finding.code}]"))
    _print(table)
    _more(len(findings))


def _more(count: int) -> None:
    if count > _SHOWN:
        _print("  " + _("… and {count:,} more", count=count - _SHOWN))


def _print(what: str | Table) -> None:
    # A console of its own for each line: typer's test runner exchanges the output stream.
    Console(highlight=False).print(what)

"""`drgcore report`: what people look at, as workbook, page and PDF."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import typer

from drgcore.cases.pseudonyms import pseudonymise, read_key
from drgcore.cli.indicators import KeyOption
from drgcore.cli.options import MappingOption
from drgcore.cli.reading import CasesArgument, SheetOption, read_cases, values_by_pool
from drgcore.errors import DrgcoreError
from drgcore.language import Language, _, get_language
from drgcore.points import Policy
from drgcore.points.tables import read_table
from drgcore.report import ReportInputs, Settled, make_report, write_report
from drgcore.report.settled import only_year, read_tables

app = typer.Typer(no_args_is_help=True, add_completion=False)

# Lists of single cases, which reports do not show.
_NO_CASES = ("cases", "changed")

OutOption = Annotated[Path, typer.Option(help="Folder for the files.")]
LangOption = Annotated[
    Language | None, typer.Option(help="Language of the report; else that of the command.")
]
FormatOption = Annotated[
    str, typer.Option("--format", help="Comma-separated: html, xlsx, pdf (by Chromium).")
]
LedgerOption = Annotated[
    str, typer.Option(help="Ledger that has the months: an SQLite file, or postgresql://…")
]
SettledOption = Annotated[
    Path | None, typer.Option(help="Instead: what `drgcore settle … --out` wrote.")
]
PolicyOption = Annotated[
    str | None, typer.Option(help="Policy file (.toml) or preset; the ledger's without it.")
]
ValueOption = Annotated[
    list[str] | None,
    typer.Option(metavar="POOL=YUAN", help="Value of a point, once for each pool."),
]
NormsOption = Annotated[
    Path | None, typer.Option(help="The region's drg, relative_weight, mean_cost …")
]
SchemeOption = Annotated[
    str, typer.Option(help="Scheme, for the groups' names; the ledger's without it.")
]


HospitalOption = Annotated[str, typer.Option(help="The hospital, as in the cases.")]
PeriodOption = Annotated[
    str, typer.Option(help="A month 2027-01 or a year 2027; else the ledger's year, or all cases.")
]
TablesArgument = Annotated[
    Path, typer.Argument(metavar="TABLES", help="What the command wrote: a folder or a workbook.")
]


@app.command()
def month(
    cases: CasesArgument,
    month: Annotated[str, typer.Option(help="The month, for example 2027-01.")],
    out: OutOption,
    ledger: LedgerOption = "",
    settled: SettledOption = None,
    policy: PolicyOption = None,
    value: ValueOption = None,
    norms: NormsOption = None,
    scheme: SchemeOption = "",
    lang: LangOption = None,
    form: FormatOption = "html,xlsx",
    mapping: MappingOption = "canonical",
    sheet: SheetOption = None,
) -> None:
    """A month of a region: point value, prepayments, indicators, groups, profit and loss."""
    money = _money(month, ledger, settled, policy, value, norms, scheme)
    table = read_cases(cases, mapping, sheet)
    _write("month", ReportInputs(cases=table, **money), out, lang, form)


@app.command()
def year(
    cases: CasesArgument,
    year: Annotated[str, typer.Option(help="The year, for example 2027.")],
    out: OutOption,
    ledger: LedgerOption = "",
    settled: SettledOption = None,
    policy: PolicyOption = None,
    value: ValueOption = None,
    norms: NormsOption = None,
    scheme: SchemeOption = "",
    lang: LangOption = None,
    form: FormatOption = "html,xlsx",
    mapping: MappingOption = "canonical",
    sheet: SheetOption = None,
) -> None:
    """A year of a region: also the pool, the balances and where the budget went."""
    money = _money(year, ledger, settled, policy, value, norms, scheme)
    table = read_cases(cases, mapping, sheet)
    _write("year", ReportInputs(cases=table, **money), out, lang, form)


@app.command()
def hospital(
    cases: CasesArgument,
    hospital: HospitalOption,
    out: OutOption,
    period: PeriodOption = "",
    ledger: LedgerOption = "",
    settled: SettledOption = None,
    policy: PolicyOption = None,
    value: ValueOption = None,
    norms: NormsOption = None,
    scheme: SchemeOption = "",
    lang: LangOption = None,
    form: FormatOption = "html,xlsx",
    mapping: MappingOption = "canonical",
    sheet: SheetOption = None,
    key: KeyOption = None,
) -> None:
    """One hospital beside its region: statement, departments, groups, profit and loss."""
    money = _money(period, ledger, settled, policy, value, norms, scheme)
    table = _hashed(read_cases(cases, mapping, sheet), key)
    inputs = ReportInputs(cases=table, hospital=hospital, **money)
    _write("hospital", inputs, out, lang, form)


@app.command()
def department(
    cases: CasesArgument,
    department: Annotated[str, typer.Option(help="The department, as in the cases.")],
    out: OutOption,
    hospital: HospitalOption = "",
    period: PeriodOption = "",
    ledger: LedgerOption = "",
    settled: SettledOption = None,
    policy: PolicyOption = None,
    value: ValueOption = None,
    norms: NormsOption = None,
    scheme: SchemeOption = "",
    lang: LangOption = None,
    form: FormatOption = "html,xlsx",
    mapping: MappingOption = "canonical",
    sheet: SheetOption = None,
    key: KeyOption = None,
) -> None:
    """One department, of a hospital or of all: doctors, groups, profit and loss."""
    money = _money(period, ledger, settled, policy, value, norms, scheme)
    table = _hashed(read_cases(cases, mapping, sheet), key)
    inputs = ReportInputs(cases=table, hospital=hospital, department=department, **money)
    _write("department", inputs, out, lang, form)


@app.command()
def grouping(
    cases: CasesArgument,
    out: OutOption,
    period: PeriodOption = "",
    hospital: HospitalOption = "",
    scheme: SchemeOption = "chs-drg-3.0",
    lang: LangOption = None,
    form: FormatOption = "html,xlsx",
    mapping: MappingOption = "canonical",
    sheet: SheetOption = None,
) -> None:
    """What grouping made of the cases: status, reasons, rates, groups."""
    table = read_cases(cases, mapping, sheet)
    inputs = ReportInputs(cases=table, period=period, hospital=hospital, scheme=scheme)
    _write("grouping", inputs, out, lang, form)


@app.command()
def migration(
    tables: TablesArgument,
    out: OutOption,
    before: Annotated[str, typer.Option(help="The scheme before.")] = "chs-drg-2.0",
    after: Annotated[str, typer.Option(help="The scheme after.")] = "chs-drg-3.0",
    lang: LangOption = None,
    form: FormatOption = "html,xlsx",
) -> None:
    """What `drgcore scheme migrate … --out` found: flows, reasons, weights."""
    inputs = ReportInputs(tables=read_tables(tables, _NO_CASES), scheme=after, before=before)
    _write("migration", inputs, out, lang, form)


@app.command()
def audit(
    tables: TablesArgument,
    out: OutOption,
    lang: LangOption = None,
    form: FormatOption = "html,xlsx",
) -> None:
    """What `drgcore audit … --out` found: signals and how sure they are."""
    inputs = ReportInputs(tables=read_tables(tables, _NO_CASES))
    _write("audit", inputs, out, lang, form)


@app.command()
def negotiation(
    tables: TablesArgument,
    out: OutOption,
    lang: LangOption = None,
    form: FormatOption = "html,xlsx",
) -> None:
    """What `drgcore scenario compare … --out` found: who gains, who loses."""
    _write("negotiation", ReportInputs(tables=read_tables(tables)), out, lang, form)


def _hashed(table: pa.Table, key: Path | None) -> pa.Table:
    return table if key is None else pseudonymise(table, read_key(key))


def _money(
    period: str,
    ledger: str,
    settled: Path | None,
    policy: str | None,
    value: list[str] | None,
    norms: Path | None,
    scheme: str,
) -> dict[str, Any]:
    """What was settled, and by what cases are paid."""
    if ledger and settled is not None:
        raise DrgcoreError(
            _("--ledger and --settled are two sources of one thing"), hint=_("give one")
        )
    if ledger and not period:
        # What is paid is of one year, so the cases are of that year too.
        period = only_year(ledger)
    inputs = ReportInputs(period=period)
    found = None
    if ledger:
        found = Settled.from_ledger(ledger, inputs.year)
    elif settled is not None:
        found = Settled.from_files(settled, inputs.month)
    return {
        "period": period,
        "settled": found,
        "policy": None if policy is None else Policy.load(policy),
        "values": {pool: float(text) for pool, text in (values_by_pool(value) or {}).items()},
        "norms": None if norms is None else read_table(norms),
        "scheme": scheme or (found.scheme if found else "") or "chs-drg-3.0",
    }


def _write(kind: str, inputs: ReportInputs, out: Path, lang: Language | None, form: str) -> None:
    """Compose a report, write it, and name its files."""
    report = make_report(kind, inputs, lang or get_language())
    formats = [part.strip() for part in form.split(",") if part.strip()]
    for path in write_report(report, out, formats).values():
        typer.echo(_("written {path}", path=path))
    for note in report.notes:
        typer.echo(_("note: {note}", note=note), err=True)

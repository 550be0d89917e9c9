"""`drgcore report`: what people look at, as workbook, page and PDF."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from drgcore.cases.pseudonyms import pseudonymise, read_key
from drgcore.cli.indicators import KeyOption
from drgcore.cli.options import MappingOption
from drgcore.cli.reading import FILES, SheetOption, read_cases, values_by_pool
from drgcore.errors import DrgcoreError
from drgcore.language import _
from drgcore.points import Policy
from drgcore.points.tables import read_table
from drgcore.report import ReportInputs, Settled, make_report, write_report

app = typer.Typer(no_args_is_help=True, add_completion=False)

CasesOption = Annotated[Path, typer.Argument(help=f"Grouped cases: {FILES}.")]
OutOption = Annotated[Path, typer.Option(help="Folder for the files.")]
LangOption = Annotated[str, typer.Option(help="Language: zh for 中文, or en.")]
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


@app.callback()
def _report() -> None:
    # With a callback, a single command keeps its name.
    pass


@app.command()
def month(
    cases: CasesOption,
    month: Annotated[str, typer.Option(help="The month, for example 2027-01.")],
    out: OutOption,
    ledger: LedgerOption = "",
    settled: SettledOption = None,
    policy: PolicyOption = None,
    value: ValueOption = None,
    norms: NormsOption = None,
    scheme: SchemeOption = "",
    lang: LangOption = "zh",
    form: FormatOption = "html,xlsx",
    mapping: MappingOption = "canonical",
    sheet: SheetOption = None,
    key: KeyOption = None,
) -> None:
    """A month: point value, prepayments, groups, indicators, profit and loss."""
    table = _cases(cases, mapping, sheet, key)
    money = _money(month, ledger, settled, policy, value, norms, scheme)
    _write("month", ReportInputs(cases=table, **money), out, lang, form)


def _cases(path: Path, mapping: str, sheet: str | None, key: Path | None) -> Any:
    table = read_cases(path, mapping, sheet)
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


def _write(kind: str, inputs: ReportInputs, out: Path, lang: str, form: str) -> None:
    """Compose a report, write it, and name its files."""
    report = make_report(kind, inputs, cast(Any, lang))
    formats = [part.strip() for part in form.split(",") if part.strip()]
    for path in write_report(report, out, formats).values():
        typer.echo(f"written {path}")
    for note in report.notes:
        typer.echo(f"note: {note}", err=True)

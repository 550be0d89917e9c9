"""`drgcore demo`: the main job on a sample, with visible results."""

from __future__ import annotations

import shlex
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

import drgcore
from drgcore.language import _, get_language, heading
from drgcore.points import Policy
from drgcore.progress import tracked
from drgcore.weights import Credibility

_SCHEME = "chs-drg-3.0"
_POLICY = "example"
_SEED = 2027
_YEAR = 2027
_OF_GROUPING = ["mdc", "adrg", "drg", "status", "reason", "severity", "reasons", "code_flags"]
_TEXTS = (
    *("pool", "hospital", "unit", "item", "month", "case_class", "metric", "drg", "source"),
    *("signal", "level"),
)
# The year before has so many times as many cases, so that few groups are absent from it.
_HISTORY_ROWS = 3


app = typer.Typer(add_completion=False)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the files it makes.")] = Path("build/demo"),
    rows: Annotated[int, typer.Option(help="Number of cases.")] = 20_000,
) -> None:
    """Make a sample, group it, explain three cases, settle its year, report on it."""
    run_demo(out, rows, Console())


def run_demo(folder: Path, rows: int, console: Console) -> None:
    """Make a sample, group it, explain three cases; calibrate on the year before, settle."""
    folder.mkdir(parents=True, exist_ok=True)
    shown = escape(str(folder))
    cases, grouped = folder / "cases.parquet", folder / "grouped.parquet"
    drgcore.write_sample(cases, rows, _SCHEME, seed=_SEED, dirty=0.01)
    console.rule(_("{n:,} synthetic cases", n=rows) + f" → {shown}/{cases.name}")
    summary = drgcore.group_file(cases, grouped, _SCHEME)
    console.print(str(summary), highlight=False, markup=False)
    frame = pq.read_table(grouped).to_pandas()
    console.rule(_("Grouped cases") + f" → {shown}/{grouped.name}")
    console.print(_by_mdc(frame))
    for title, row in _to_explain(frame).items():
        console.rule(title)
        explanation = drgcore.explain(pq.read_table(cases).slice(row, 1), _SCHEME)
        console.print(str(explanation), highlight=False, markup=False, soft_wrap=True)
    _watch(pq.read_table(grouped), console)
    policy = _calibrate(folder, _HISTORY_ROWS * rows, console)
    _settle(folder, pq.read_table(grouped), policy, console)
    _report(folder, grouped, console)


def _report(folder: Path, grouped: Path, console: Console) -> None:
    """Write the year's report, and say how to open the workbench on the files."""
    console.rule(_("The report of the year"))
    missing = [name for name in ("matplotlib", "jinja2") if find_spec(name) is None]
    if missing:
        console.print(_("not written without {names}: pip install 'drgcore[report]'",
                        names=", ".join(missing)), markup=False)  # fmt: skip
    else:
        settled = drgcore.Settled.from_ledger(str(folder / "ledger.sqlite"), _YEAR)
        inputs = drgcore.ReportInputs(
            pq.read_table(grouped), settled, period=str(_YEAR), scheme=_SCHEME
        )
        report = drgcore.make_report("year", inputs, get_language())
        for path in drgcore.write_report(report, folder / "report").values():
            console.print(str(path), markup=False, highlight=False, soft_wrap=True)
    console.rule(_("The workbench on these files"))
    command = "drgcore" if shutil.which("drgcore") else f"{sys.executable} -m drgcore"
    console.print(
        f"{command} serve --data {shlex.quote(str(folder))}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def _watch(grouped: pa.Table, console: Console) -> None:
    """Indicators, profit and loss, audit signals, and groups of another version, in a few lines."""
    console.rule(_("What a DRG office watches"))
    found = drgcore.compute_indicators(grouped, "hospital")
    shown = found.table[["hospital", "cases", "cmi", "cost_index", "average_stay"]].head(3)
    console.print(_plain(_("Indicators of three hospitals"), shown))
    rate = float(np.nanmean(grouped["total_cost"].to_numpy()))
    weights = found.norms[["drg", "relative_weight"]].dropna()
    paid = drgcore.profit_and_loss(grouped, weights=weights, rate=rate).by("hospital").head(3)
    columns = ["hospital", "surplus_fen", "case_mix_fen", "cost_per_case_fen"]
    yuan = paid[columns].assign(**{name: paid[name] / 100 for name in columns[1:]})
    yuan.columns = [name.removesuffix("_fen") for name in columns]
    console.print(_plain(_("Paid by weight, in yuan"), yuan))
    signals = drgcore.audit_cases(grouped, ["upcoding", "low_indication", "few_services"])
    summary = signals.summary[["signal", "units", "signals"]]
    console.print(_plain(_("Signals"), summary))
    some = grouped.slice(0, 500)
    official: pa.Table = drgcore.group(some.drop_columns(_OF_GROUPING), "chs-drg-2.0")
    agreed = drgcore.compare_groups(some, official.select(["case_id", "drg"]), _SCHEME)
    console.print(_plain(_("Beside groups of version 2.0"), agreed.agreement))


def _calibrate(folder: Path, rows: int, console: Console) -> Policy:
    """Take base points and monthly shares of the fictitious region from the year before."""
    past = drgcore.sample_cases(rows, _SCHEME, seed=_SEED - 1, year=_YEAR - 1)
    grouped = drgcore.group(past, _SCHEME)
    history = drgcore.read_history(grouped)
    trimming = drgcore.trim_iqr(history, log=True)
    weights = drgcore.base_points(
        history, scale=100, trimming=trimming, scheme=_SCHEME, credibility=Credibility("adrg")
    )
    weights.write(folder / "base-points.csv")
    console.rule(
        _(
            "{rows:,} cases of {year} → {file}",
            rows=rows,
            year=_YEAR - 1,
            file=f"{escape(str(folder))}/base-points.csv",
        )
    )
    console.print(str(trimming), highlight=False)
    table = drgcore.grouping_performance(history, trimming=trimming)
    console.print(_plain(_("Grouping performance, with 95 % intervals"), table))
    shown = weights.table.nlargest(5, "cases")
    shown = shown.assign(mean_cost=shown["mean_cost"].map("{:,.2f}".format))
    columns = ["drg", "cases", "mean_cost", "cv", "relative_weight", "base_points", "source"]
    console.print(_plain(_("Base points of the five largest groups"), shown[columns]))
    monthly = drgcore.monthly_totals(grouped, "total_cost", by="pool")
    shares = drgcore.forecast_shares(monthly, _YEAR, "last_year").shares_for_policy()
    change = {"mean_cost": f"{weights.mean_cost:.2f}", "missing": "by_cost", "missing_rate": "1"}
    policy = drgcore.Policy.load(_POLICY).with_base_points(weights.policy_table())
    return policy.with_changes({"base_points": change}).with_months(shares)


def _settle(folder: Path, grouped: pa.Table, policy: Policy, console: Console) -> None:
    """Settle the year month by month under the fictitious region's policy, into a ledger."""
    cases = drgcore.compute_points(grouped, policy, year=_YEAR)
    console.print(_plain(_("Points by class of case"), drgcore.points_by_class(cases)))
    book_file = folder / "ledger.sqlite"
    # A ledger refuses other facts about a closed month; each demonstration starts a new one.
    for old in folder.glob(f"{book_file.name}*"):
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    values: list[list[str]] = []
    with drgcore.Ledger.open(book_file) as book:
        for number in tracked(range(1, 13), _("settle the months"), _("months")):
            month = drgcore.Month(_YEAR, number)
            settled = drgcore.settle_month(cases, policy, month, book.before(month))
            book.close_month(drgcore.close_month(settled, cases, policy, _SCHEME))
            of_pools = drgcore.show(settled)["point_values"].set_index("pool")["point_value"]
            values.append([str(month), *of_pools])
            pools = list(of_pools.index)
        hospitals = sorted(set(cases["hospital"].to_pylist()))
        year = drgcore.settle_year(cases, book.closed_months(_YEAR), policy, _scores(hospitals))
        book.close_year(drgcore.close_year(year, cases, policy, _SCHEME))
        faults = book.verify()
    console.print(_plain(_("Point value in yuan"), pd.DataFrame(values, columns=["month", *pools])))
    tables = drgcore.show(year)
    chosen = [hospitals[0], hospitals[len(hospitals) // 2], hospitals[-1]]
    statement = tables["statement"]
    columns = ["pool", "hospital", "points", "entitlement", "prepaid", "pool_share"]
    mine = statement[statement["hospital"].isin(chosen)].sort_values(["pool", "hospital"])
    console.print(_plain(_("Year-end statement of three hospitals, in yuan"), mine[columns]))
    units = tables["units"]
    console.print(
        _plain(
            _("What is still to be paid (−: recovered), by settlement unit"),
            units[["pool", "unit", "item_cost", "final", "balance"]],
        )
    )
    console.print(_plain(_("Where every fen of the budget is"), tables["reconciliation"]))
    console.rule(_("{hospital}, as one would check it by hand", hospital=chosen[0]))
    text = drgcore.explain_payment(chosen[0], year, policy)
    console.print(text, highlight=False, markup=False, soft_wrap=True)
    state = _("sound") if not faults else _("NOT sound: {faults}", faults="; ".join(faults))
    file = escape(str(book_file))
    console.rule(_("Ledger → {file}, verified: {state}", file=file, state=state))


def _scores(hospitals: list[str]) -> pd.DataFrame:
    """Made-up scores of the quality assessment that the fictitious policy asks for."""
    place = np.arange(len(hospitals))
    return pd.DataFrame(
        {
            "hospital": hospitals,
            "record quality": 96 - 2 * place,
            "readmission": 92 - place,
            "patient burden": 90 - 2 * place,
        }
    )


def _plain(title: str, frame: pd.DataFrame) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in frame.columns:
        number = name not in _TEXTS
        table.add_column(heading(name), justify="right" if number else "left")
    for row in frame.itertuples(index=False):
        table.add_row(*(f"{v:,.4f}" if isinstance(v, float) else str(v) for v in row))
    return table


def _by_mdc(frame: pd.DataFrame) -> Table:
    scheme = drgcore.load_scheme(_SCHEME)
    table = Table(title=_("Cases by MDC"), title_justify="left", box=None, pad_edge=False)
    for name in ("MDC", "", "cases", "DRG", "mean cost", "mean days", "MCC", "CC"):
        left = name in ("MDC", "")
        # Chinese names have no spaces to break them at.
        shown = heading(name) if name else ""
        table.add_column(shown, justify="left" if left else "right", overflow="fold")
    for mdc, part in frame.groupby("mdc", sort=True, observed=True):
        table.add_row(
            str(mdc),
            scheme.name_of(str(mdc)),
            f"{len(part):,}",
            str(part["drg"].nunique()),
            f"{part['total_cost'].mean():,.0f}",
            f"{part['length_of_stay'].mean():.1f}",
            f"{(part['severity'] == 'MCC').mean():.0%}",
            f"{(part['severity'] == 'CC').mean():.0%}",
        )
    without = int(frame["mdc"].isna().sum())
    table.add_row("—", _("no MDC"), f"{without:,}", "", "", "", "", "")
    return table


def _to_explain(frame: pd.DataFrame) -> dict[str, int]:
    """Rows worth a look: a complication that counts, one of ambiguous group, an invalid one."""
    operated = frame["principal_procedure"].notna()
    picks = {
        _("A surgical case with a major complication"): (frame["severity"] == "MCC")
        & operated
        & (frame["status"] == "grouped")
        & (frame["mdc"] != "MDCA"),
        _("An ambiguous case"): frame["status"] == "ambiguous",
        _("A case that cannot be grouped"): frame["status"] == "invalid",
    }
    return {title: int(mask.to_numpy().argmax()) for title, mask in picks.items() if mask.any()}

"""`drgcore demo`: the main job on a sample, with visible results."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
from rich.console import Console
from rich.markup import escape
from rich.table import Table

import drgcore

_SCHEME = "chs-drg-3.0"
_SEED = 2027


def run_demo(folder: Path, rows: int, console: Console) -> None:
    """Make a sample, group it, print the distribution by MDC and three explained cases."""
    folder.mkdir(parents=True, exist_ok=True)
    shown = escape(str(folder))
    cases, grouped = folder / "cases.parquet", folder / "grouped.parquet"
    drgcore.write_sample(cases, rows, _SCHEME, seed=_SEED, dirty=0.01)
    console.rule(f"{rows:,} synthetic cases → {shown}/{cases.name}")
    summary = drgcore.group_file(cases, grouped, _SCHEME)
    console.print(str(summary), highlight=False, markup=False)
    frame = pq.read_table(grouped).to_pandas()
    console.print(_by_mdc(frame))
    for title, row in _to_explain(frame).items():
        console.rule(title)
        explanation = drgcore.explain(pq.read_table(cases).slice(row, 1), _SCHEME)
        console.print(str(explanation), highlight=False, markup=False)
    console.rule(f"Grouped cases → {shown}/{grouped.name}")


def _by_mdc(frame: pd.DataFrame) -> Table:
    scheme = drgcore.load_scheme(_SCHEME)
    table = Table(title="Cases by MDC", title_justify="left", box=None, pad_edge=False)
    for name in ("MDC", "", "cases", "DRG", "mean cost", "mean days", "MCC", "CC"):
        table.add_column(name, justify="left" if name in ("MDC", "") else "right")
    for mdc, part in frame.groupby("mdc", sort=True):
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
    table.add_row("—", "no group (ungrouped or invalid)", f"{without:,}", "", "", "", "", "")
    return table


def _to_explain(frame: pd.DataFrame) -> dict[str, int]:
    """Rows worth a look: a complication that counts, one of ambiguous group, an invalid one."""
    operated = frame["principal_procedure"].notna()
    picks = {
        "A surgical case with a major complication": (frame["severity"] == "MCC")
        & operated
        & (frame["status"] == "grouped")
        & (frame["mdc"] != "MDCA"),
        "An ambiguous case": frame["status"] == "ambiguous",
        "A case that cannot be grouped": frame["status"] == "invalid",
    }
    return {title: int(mask.to_numpy().argmax()) for title, mask in picks.items() if mask.any()}

"""Sections about what an auditor should look at: signals, never verdicts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from drgcore.audit import DEFINITIONS
from drgcore.report.bars import counted
from drgcore.report.changes import wanted
from drgcore.report.places import ranges
from drgcore.report.section import Section
from drgcore.report.texts import Words

_ROWS = 30
_EACH = 3
_UNITS = ("hospital", "department", "doctor_id")


def summary(say: Words, tables: Mapping[str, pd.DataFrame]) -> Section:
    """Which signals were looked for, and how many were found."""
    table = wanted(tables, "summary", "signal", "definition", "units", "signals", "cases")
    table = table.drop(columns=[c for c in ("name",) if c in table.columns])
    # Whoever wrote the tables may have spoken another language.
    table = table.assign(definition=[say(DEFINITIONS[name]) for name in table["signal"]])
    found = table["signals"].fillna(0)
    run = int(table["signals"].notna().sum())
    sentence = say(
        "{run} of {all} kinds were looked for; {kinds} show signals, {n} in all, with {cases} "
        "cases to see.",
        run=run,
        all=len(table),
        kinds=int((found > 0).sum()),
        n=f"{found.sum():,.0f}",
        cases=f"{table['cases'].fillna(0).sum():,.0f}",
    )
    names, counts = list(map(say.word, table["signal"])), found.astype(int).tolist()
    return Section(
        "signals",
        say("Signals by kind"),
        table,
        sentence,
        (lambda: counted(names, counts)) if len(table) else None,
        say("Bars of the signals of each kind."),
    )


def units(say: Words, tables: Mapping[str, pd.DataFrame]) -> Section:
    """Who differs from peers, by how much, and how sure that is."""
    table = wanted(tables, "units", "signal", "observed", "expected", "ratio", "fdr", "is_signal")
    chosen = table["is_signal"].astype(str).str.lower().isin(["true", "1", "1.0"])
    keys = [name for name in _UNITS if name in table.columns]
    table = table.assign(is_signal=np.where(chosen, "yes", "no"))
    table = pd.concat([table[chosen], table[~chosen]], ignore_index=True)
    title = say("Units beside their peers")
    if table.empty:
        return Section("units", title, table, say("Nothing can be compared."))
    number = int(chosen.sum())
    known = table[table["ratio"].notna() & table["lower"].notna()]
    if number:
        first = table.iloc[0]
        sentence = say(
            "{n} signals (filled marks); the first: {unit}, {signal}: {observed} cases where "
            "{expected} are expected.",
            n=number,
            unit=_unit(first, keys),
            signal=say.word(first["signal"]),
            observed=f"{first['observed']:,.0f}",
            expected=f"{first['expected']:,.1f}",
        )
        drawn = known[known["is_signal"] == "yes"].head(_ROWS)
    else:
        sentence = say(
            "No unit differs by more than chance may make it; shown are the least likely ones."
        )
        likely = known.sort_values("chance", kind="stable")
        drawn = likely.groupby("signal", sort=False, observed=True).head(_EACH).head(_ROWS)
    drawn = drawn.sort_values("signal", kind="stable")
    rows = [
        (
            say.word(row["signal"]),
            _unit(row, keys),
            float(row["ratio"]),
            float(row["lower"]),
            float(row["upper"]),
            row["is_signal"] == "yes",
        )
        for _, row in drawn.iterrows()
    ]
    label = say("observed beside expected, with 95 % limits; 1: as its peers")
    return Section(
        "units",
        title,
        table,
        sentence,
        (lambda: ranges(rows, label)) if rows else None,
        say("Ratios of units with their limits, on a scale of factors."),
        (
            "signal",
            *keys,
            "cases",
            "observed",
            "expected",
            "ratio",
            "lower",
            "upper",
            "fdr",
            "money",
        ),
        keys=2,
    )


def _unit(row: pd.Series, keys: list[str]) -> str:
    return " ".join(str(row[name]) for name in keys if not pd.isna(row[name]))

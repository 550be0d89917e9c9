"""Sections about cases: what became of them, how hospitals and departments work, which groups."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from drgcore.cases.attributes import text_codes
from drgcore.grouper.result import REASONS
from drgcore.indicators import Tally, compute_indicators, quadrants, tally_cases
from drgcore.language import use_language
from drgcore.report.bars import counted, funnel, stacked_bars
from drgcore.report.inputs import group_name, name_of
from drgcore.report.lines import small_multiples
from drgcore.report.places import bubbles, concentration
from drgcore.report.section import Section
from drgcore.report.texts import Words
from drgcore.schemes import Scheme

_SHOWN = (
    *("cases", "grouping_rate", "cmi", "cost_index", "time_index", "mean_cost", "average_stay"),
    *("mcc_cc_rate", "low_risk_mortality", "drug_share", "consumable_share", "groups"),
)
_GROUPS = 16
_PANELS = 12


def status_funnel(say: Words, cases: pa.Table) -> Section:
    """How many cases are left after each step to a group."""
    rows = len(cases)
    status = _counts(cases, "status")
    invalid = status.get("invalid", 0)
    reasons = _counts(cases, "reason")
    with_mdc = rows - (cases.column("mdc").null_count if "mdc" in cases.column_names else invalid)
    grouped, ambiguous = status.get("grouped", 0), status.get("ambiguous", 0)
    steps = [
        (say("all cases"), rows, ""),
        (say("with all data"), rows - invalid, say("{n} invalid", n=f"{invalid:,}")),
        (
            say("in an MDC"),
            min(with_mdc, rows - invalid),
            say("{n} in no MDC", n=f"{max(rows - invalid - with_mdc, 0):,}"),
        ),
        (
            say("grouped"),
            grouped,
            say(
                "{ambiguous} ambiguous, {rest} not grouped",
                ambiguous=f"{ambiguous:,}",
                rest=f"{max(min(with_mdc, rows - invalid) - grouped - ambiguous, 0):,}",
            ),
        ),
    ]
    table = pd.DataFrame(
        [(name, n, n / rows if rows else np.nan) for name, n, _ in steps],
        columns=["step", "cases", "share"],
    )
    first = next(iter(reasons), "")
    sentence = say(
        "{grouped} of {all} cases are grouped ({share}).",
        grouped=f"{grouped:,}",
        all=f"{rows:,}",
        share=say.share(grouped / rows if rows else np.nan),
    )
    if first:
        sentence += say.space + say(
            "The most frequent reason of the others: {reason} ({n}).",
            reason=reason_text(say, first),
            n=f"{reasons[first]:,}",
        )
    names, counts, lost = (list(column) for column in zip(*steps, strict=True))
    return Section(
        "status",
        say("From all cases to grouped cases"),
        table,
        sentence,
        (lambda: funnel(names, counts, lost)) if rows else None,
        say("A funnel of the cases that are left after each step."),
    )


def reasons_section(say: Words, cases: pa.Table) -> Section:
    """Why cases are not grouped."""
    found = _counts(cases, "reason")
    rows = len(cases)
    table = pd.DataFrame(
        [(reason_text(say, code), n, n / rows) for code, n in found.items()],
        columns=["reason", "cases", "share"],
    )
    if table.empty:
        return Section(
            "reasons", say("Why cases are not grouped"), table, say("Every case is grouped.")
        )
    sentence = say(
        "{n} cases have a reason; the first, {reason}, is that of {share} of them.",
        n=f"{table['cases'].sum():,}",
        reason=table["reason"].iloc[0],
        share=say.share(table["cases"].iloc[0] / table["cases"].sum()),
    )
    shown = table.head(_GROUPS)
    return Section(
        "reasons",
        say("Why cases are not grouped"),
        table,
        sentence,
        lambda: counted(shown["reason"].tolist(), shown["cases"].tolist()),
        say("Bars of the cases by reason."),
    )


def grouping_by(say: Words, cases: pa.Table, key: str, title: str) -> Section:
    """Which share of the cases of each unit is grouped."""
    table = compute_indicators(tally_cases(cases, key), key).table
    table = table[table[key].notna()]
    first = [key, "cases", "grouped_cases", "grouping_rate", "ambiguous_rate", "groups"]
    table = table[[*first, *table.columns.difference(first, sort=False)]]
    table = table.sort_values("grouping_rate", kind="stable").reset_index(drop=True)
    name = f"grouping-{key}"
    if table.empty:
        return Section(name, title, table, say("No case names one."))
    low = table.iloc[0]
    sentence = say(
        "The lowest rate: {name} with {share} of {n} cases; look at its reasons first.",
        name=low[key],
        share=say.share(low["grouping_rate"]),
        n=f"{low['cases']:,.0f}",
    )
    drawn = table.head(30)
    names = drawn[key].astype(str).tolist()
    parts = {
        say("grouped"): (100 * drawn["grouping_rate"]).tolist(),
        say("ambiguous"): (100 * drawn["ambiguous_rate"]).tolist(),
    }
    panels = [("", names, parts, ())]
    return Section(
        name,
        title,
        table,
        sentence,
        lambda: stacked_bars(panels, say.language, label="%"),
        say("Bars of the grouped and the ambiguous share of each unit."),
        tuple(first),
    )


def hospitals_by_index(
    say: Words, tally: Tally, norms: pd.DataFrame | None, marked: str = ""
) -> Section:
    """Hospitals by CMI and cost index."""
    title = say("Hospitals by CMI and cost index")
    table = compute_indicators(tally, "hospital", norms=norms).table
    table = _lead(table.sort_values("cases", ascending=False, kind="stable"), "hospital")
    drawn = table[table["cmi"].notna() & table["cost_index"].notna()].head(400)
    if drawn.empty:
        return Section("hospitals", title, table, say("No hospital has a CMI and a cost index."))
    dear = drawn[(drawn["cost_index"] > 1) & (drawn["cmi"] < 1)]
    first = drawn.iloc[int(drawn["cmi"].argmax())]
    sentence = say(
        "The highest CMI is that of {first} ({cmi}). {n} of {all} hospitals stand at the lower "
        "right: simpler cases at higher cost than the region.",
        first=first["hospital"],
        cmi=f"{first['cmi']:.3f}",
        n=len(dear),
        all=len(drawn),
    )
    if marked:
        own = drawn[drawn["hospital"] == marked]
        if len(own):
            sentence = (
                say(
                    "{hospital} (hatched): CMI {cmi}, cost index {cost}.",
                    hospital=marked,
                    cmi=f"{own['cmi'].iloc[0]:.3f}",
                    cost=f"{own['cost_index'].iloc[0]:.3f}",
                )
                + say.space
                + sentence
            )
    labels = (
        say("cost index (1: as dear as the region for the same groups)"),
        say("CMI"),
        say("area: number of cases"),
    )
    columns = ("hospital", "cost_index", "cmi", "cases")
    return Section(
        "hospitals",
        title,
        table,
        sentence,
        lambda: bubbles(drawn, columns, labels, (drawn["hospital"] == marked).tolist()),
        say("Bubbles of hospitals: cost index to the right, CMI upward, area by cases."),
        ("hospital", *_SHOWN[:11]),
    )


def largest_groups(say: Words, tally: Tally, scheme: Scheme) -> Section:
    """Which groups have how many cases."""
    table = quadrants(tally, [])
    table = table[table["drg"].notna()].sort_values(["cases", "drg"], ascending=[False, True])
    table.insert(1, "name", [name_of(scheme, code) for code in table["drg"]])
    total = float(table["cases"].sum())
    table.insert(3, "share", table["cases"] / total)
    table.insert(4, "cumulative_share", table["share"].cumsum())
    table = table.drop(columns=["few_cases", "region_mean_cost", "cost_index", "quadrant"])
    title = say("Distribution of the groups")
    if table.empty:
        return Section("groups", title, table, say("No case is in a group."))
    half = int(np.searchsorted(table["cumulative_share"].to_numpy(), 0.5)) + 1
    few = int((table["cases"] < 5).sum())
    sentence = say(
        "Half of the cases lie in {half} of {all} groups; {few} groups have fewer than five cases, "
        "so that their means say little.",
        half=f"{half:,}",
        all=f"{len(table):,}",
        few=f"{few:,}",
    )
    first = table.head(_GROUPS)
    names = [group_name(scheme, code, say.language) for code in first["drg"]]
    labels = (say("number of cases"), say("number of groups"), say("share of cases [%]"))
    return Section(
        "groups",
        title,
        table,
        sentence,
        lambda: concentration(
            names, first["cases"].tolist(), table["cumulative_share"].tolist(), labels
        ),
        say("Bars of the largest groups, and the curve of the share of cases in the first groups."),
        keys=2,
    )


def by_mdc(say: Words, tally: Tally, scheme: Scheme, norms: pd.DataFrame | None) -> Section:
    """The major categories and their indicators."""
    table = compute_indicators(tally, "mdc", norms=norms).table
    table = _lead(table.sort_values("cases", ascending=False, kind="stable"), "mdc")
    table = table[table["mdc"].notna()]
    table.insert(1, "name", [name_of(scheme, code) for code in table["mdc"]])
    title = say("Cases by MDC")
    if table.empty:
        return Section("mdc", title, table, say("No case is in an MDC."))
    first = table.iloc[0]
    sentence = say(
        "The largest is {mdc} {name} with {n} cases ({share}).",
        mdc=first["mdc"],
        name=first["name"],
        n=f"{first['cases']:,.0f}",
        share=say.share(first["cases"] / table["cases"].sum()),
    )
    names = [f"{m} {n}" for m, n in zip(table["mdc"], table["name"], strict=True)]
    return Section(
        "mdc",
        title,
        table,
        sentence,
        lambda: counted(names, table["cases"].tolist()),
        say("Bars of the cases by MDC."),
        ("mdc", "name", "cases", "cmi", "mean_cost", "average_stay", "mcc_cc_rate", "groups"),
        keys=2,
    )


def units_over_months(
    say: Words, tally: Tally, key: str, norms: pd.DataFrame | None, title: str
) -> Section:
    """Departments or doctors, each a small figure of its indices by month.

    Parameters
    ----------
    say : Words
        The language.
    tally : Tally
        Cases by `key` and month.
    key : str
        ``department`` or ``doctor_id``.
    norms : pandas.DataFrame, optional
        The region's.
    title : str
        The section's.
    """
    whole = compute_indicators(tally, key, norms=norms).table
    table = _lead(whole.sort_values("cases", ascending=False, kind="stable"), key)
    table = table[table[key].notna()]
    name = key.replace("_", "-")
    if table.empty:
        return Section(name, title, table, say("No case names one."))
    monthly = compute_indicators(tally, [key, "month"], norms=norms).table
    months = sorted(m for m in monthly["month"].dropna().unique())
    first = table.head(_PANELS)
    known = first[first["cost_index"].notna()]
    sentence = say(
        "The {n} largest of {all}, on one scale; 1 is the region.", n=len(first), all=len(table)
    )
    if len(known):
        dear = known.iloc[int(known["cost_index"].argmax())]
        sentence += say.space + say(
            "Dearest for its groups: {name} (cost index {cost}).",
            name=dear[key],
            cost=f"{dear['cost_index']:.3f}",
        )
    lines = []
    for unit in first[key]:
        own = monthly[monthly[key] == unit].set_index("month").reindex(months)
        lines.append(
            (
                str(unit),
                {say("cost index"): own["cost_index"], say("CMI"): own["cmi"]},
            )
        )
    ticks = say.months(months)
    return Section(
        name,
        title,
        table,
        sentence,
        lambda: small_multiples(lines, ticks),
        say("Small figures of cost index and CMI by month, one a unit."),
        (key, *_SHOWN[:11]),
    )


def group_quadrants(say: Words, table: pd.DataFrame, scheme: Scheme) -> Section:
    """The groups of one hospital by weight and cost beside the region."""
    title = say("Groups by weight and cost index")
    table = table[table["quadrant"].notna()].sort_values("cases", ascending=False, kind="stable")
    table = _lead(table.drop(columns=[c for c in ("few_cases",) if c in table.columns]), "drg")
    table.insert(1, "name", [name_of(scheme, code) for code in table["drg"]])
    if table.empty:
        return Section("quadrants", title, table, say("No group has a weight and a cost."))
    watch = table[table["quadrant"] == "watch"]
    sentence = say(
        "{n} of {all} groups are heavy and dearer than the region (hatched): look at their costs "
        "first.",
        n=len(watch),
        all=len(table),
    )
    drawn = table.head(150)
    labels = (say("cost index"), say("weight"), say("area: number of cases"))
    columns = ("drg", "cost_index", "weight", "cases")
    watched = (drawn["quadrant"] == "watch").tolist()
    return Section(
        "quadrants",
        title,
        table,
        sentence,
        lambda: bubbles(drawn, columns, labels, watched),
        say("Bubbles of groups: cost index to the right, weight upward, area by cases."),
        (
            "drg",
            "name",
            "cases",
            "weight",
            "mean_cost",
            "region_mean_cost",
            "cost_index",
            "quadrant",
        ),
        keys=2,
    )


def reason_text(say: Words, code: str) -> str:
    """Give what a reason code means in the report's language."""
    with use_language(say.language):
        return REASONS.get(code, code)


def _counts(cases: pa.Table, name: str) -> dict[str, int]:
    """Rows by text, the most frequent first; none for a column that is not there."""
    codes = text_codes(cases, name, optional=True)
    counts = np.bincount(codes.codes[codes.codes >= 0], minlength=len(codes.names)).tolist()
    found = zip(codes.names, counts, strict=True)
    return dict(sorted(((t, n) for t, n in found if n), key=lambda pair: (-pair[1], pair[0])))


def _lead(table: pd.DataFrame, *names: str) -> pd.DataFrame:
    """The keys and what is most looked at come first; then all the rest."""
    order = [*names, *(n for n in _SHOWN if n in table.columns)]
    return table[[*order, *table.columns.difference(order, sort=False)]].reset_index(drop=True)

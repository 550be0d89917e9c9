"""Sections about another scheme: what moves, where to, why, and whom it touches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from drgcore.errors import DrgcoreError
from drgcore.language import _
from drgcore.report.bars import both_sides, counted
from drgcore.report.inputs import group_name, name_of
from drgcore.report.places import flows
from drgcore.report.section import Drawing, Section
from drgcore.report.texts import Words
from drgcore.schemes import Scheme

_BANDS = 18
_BARS = 16


def status_changes(say: Words, tables: Mapping[str, pd.DataFrame]) -> Section:
    """What the status of cases is in either scheme."""
    table = wanted(tables, "statuses", "status_before", "status_after", "cases")
    keys = ["status_before", "status_after"]
    table = table.groupby(keys, observed=True)["cases"].sum().reset_index()
    table = table.sort_values("cases", ascending=False, kind="stable").reset_index(drop=True)
    total = int(table["cases"].sum())
    table["share"] = table["cases"] / max(total, 1)
    same = table["status_before"] == table["status_after"]
    sentence = say(
        "{n} of {all} cases keep their status ({share}).",
        n=f"{table.loc[same, 'cases'].sum():,}",
        all=f"{total:,}",
        share=say.share(table.loc[same, "share"].sum()),
    )
    drawn = table.sort_values(["status_before", "cases"], ascending=[True, False])
    bands = [
        (say.word(row["status_before"]), say.word(row["status_after"]), float(row["cases"]))
        for row in drawn.to_dict("records")
    ]
    kept = (drawn["status_before"] == drawn["status_after"]).tolist()
    heads = (say("scheme before"), say("scheme after"))
    return Section(
        "statuses",
        say("Status before and after"),
        table,
        sentence,
        (lambda: flows(bands, heads, kept)) if total else None,
        say("Bands from the status before to the status after."),
        keys=2,
    )


def group_flows(
    say: Words, tables: Mapping[str, pd.DataFrame], before: Scheme, after: Scheme
) -> Section:
    """Between which groups the most cases move."""
    table = wanted(tables, "flows", "level", "before", "after", "cases", "relation")
    table = table[(table["level"] == "adrg") & ~table["relation"].isin(["kept", "none"])]
    table = table.drop(columns="level").reset_index(drop=True)
    table = table[
        ["before", "after", "cases", "relation", *(c for c in table.columns if "share" in c)]
    ]
    table.insert(1, "name", [name_of(before, code) for code in table["before"]])
    title = say("Flows between ADRG")
    if table.empty:
        return Section("flows", title, table, say("No case changes its ADRG."))
    moved = table[table["relation"] != "renamed"]
    first = table.iloc[0]
    sentence = say(
        "{n} cases change their ADRG, {renamed} keep it under another code. The largest flow: "
        "{before} → {after} ({cases}).",
        n=f"{moved['cases'].sum():,}",
        renamed=f"{table.loc[table['relation'] == 'renamed', 'cases'].sum():,}",
        before=_group(say, before, first["before"]),
        after=_group(say, after, first["after"]),
        cases=f"{first['cases']:,}",
    )
    drawn = table.head(_BANDS).sort_values(["before", "cases"], ascending=[True, False])
    bands = [
        (
            _group(say, before, row["before"]),
            _group(say, after, row["after"]),
            float(row["cases"]),
        )
        for row in drawn.to_dict("records")
    ]
    heads = (before.name, after.name)
    return Section(
        "flows",
        title,
        table,
        sentence,
        lambda: flows(bands, heads),
        say("Bands from the groups before to the groups after, as wide as cases move."),
        keys=3,
    )


def why_moved(say: Words, tables: Mapping[str, pd.DataFrame]) -> tuple[Section, Section]:
    """Where the paths part, and for which kind of reason."""
    reasons = wanted(tables, "reasons", "parted", "kind", "cases")
    sections = []
    for key, title in (
        ("parted", say("Where the paths part")),
        ("kind", say("Reasons of the changes")),
    ):
        table = reasons.groupby(key, observed=True)["cases"].sum().reset_index()
        table = table.sort_values("cases", ascending=False, kind="stable").reset_index(drop=True)
        total = int(table["cases"].sum())
        table["share"] = table["cases"] / max(total, 1)
        name = key if key == "parted" else "reason-kinds"
        if table.empty:
            sections.append(Section(name, title, table, say("No case changes.")))
            continue
        sentence = say(
            "Of {all} changed cases the most: {what} ({share}).",
            all=f"{total:,}",
            what=say.word(table[key].iloc[0]),
            share=say.share(table["share"].iloc[0]),
        )
        words, counts = list(map(say.word, table[key])), table["cases"].tolist()
        sections.append(
            Section(
                name,
                title,
                table,
                sentence,
                _counted(words, counts),
                say("Bars of the changed cases."),
            )
        )
    return sections[0], sections[1]


def causes(say: Words, tables: Mapping[str, pd.DataFrame]) -> Section:
    """Each different cause once: the rule, set or code that made the difference."""
    table = wanted(tables, "causes", "kind", "side", "group", "codes", "cases")
    first = ["kind", "side", "level", "group", "set_id", "codes", "cases"]
    table = table[[*first, *table.columns.drop(first)]]
    if table.empty:
        return Section("causes", say("The single causes"), table, say("No case changes."))
    sentence = say(
        "{n} different causes; the first ten explain {share} of the changed cases.",
        n=f"{len(table):,}",
        share=say.share(table["cases"].head(10).sum() / table["cases"].sum()),
    )
    return Section("causes", say("The single causes"), table, sentence, page=tuple(first), keys=1)


def effect(say: Words, table: pd.DataFrame, key: str, title: str) -> Section:
    """What the change does to the weight of hospitals, departments or MDC."""
    units = [name for name in ("hospital", key) if name in table.columns]
    units = list(dict.fromkeys(units))
    table = table.copy()
    before = table["weight_before"].where(table["weight_before"] > 0)
    table["relative_difference"] = (table["weight_after"] - table["weight_before"]) / before
    table = table.sort_values("relative_difference", kind="stable").reset_index(drop=True)
    known = table[table["relative_difference"].notna()]
    name = f"effect-{key}"
    if known.empty:
        return Section(name, title, table, say("Nothing can be compared."))
    low, high = known.iloc[0], known.iloc[-1]
    sentence = say(
        "From {low} ({low_share}) to {high} ({high_share}) of weight.",
        low=" ".join(map(str, low[units])),
        low_share=f"{low['relative_difference']:+.1%}".replace("-", "−"),
        high=" ".join(map(str, high[units])),
        high_share=f"{high['relative_difference']:+.1%}".replace("-", "−"),
    )
    ends = known if len(known) <= 2 * _BARS else pd.concat([known.head(_BARS), known.tail(_BARS)])
    shares = (100 * ends["relative_difference"]).tolist()
    names = [" ".join(map(str, unit)) for unit in ends[units].itertuples(index=False)]
    return Section(
        name,
        title,
        table,
        sentence,
        lambda: both_sides([("", names, shares)], say.language, say("change of weight [%]")),
        say("Bars: more weight to the right, less to the left."),
        (
            *(*units, "cases_before", "cases_after", "weight_before", "weight_after"),
            *("relative_difference", "cmi_before", "cmi_after"),
        ),
    )


def wanted(tables: Mapping[str, pd.DataFrame], name: str, *columns: str) -> pd.DataFrame:
    """Take a table that another command wrote.

    Raises
    ------
    DrgcoreError
        If it is not there, or lacks a column.
    """
    if name not in tables:
        raise DrgcoreError(
            _("there is no table {name}", name=name),
            hint=_("Name the folder or workbook that the command wrote with --out."),
        )
    missing = [column for column in columns if column not in tables[name].columns]
    if missing:
        where = _("table {name}", name=name)
        raise DrgcoreError(_("there is no column {name}", name=missing[0]), where=where)
    return tables[name]


def _group(say: Words, scheme: Scheme, code: Any) -> str:
    return say("no group") if pd.isna(code) else group_name(scheme, code, say.language)


def _counted(names: list[str], counts: list[int]) -> Drawing:
    return lambda: counted(names, counts)

"""Sections about payment against cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from drgcore.indicators import PARTS, ProfitAndLoss
from drgcore.report.bars import both_sides, waterfall
from drgcore.report.columns import heading
from drgcore.report.inputs import group_name, name_of
from drgcore.report.section import Drawing, Section
from drgcore.report.texts import Words
from drgcore.schemes import Scheme

_ENDS = 10
_AMOUNTS = ("payment", "cost", "surplus", *PARTS)


class Surplus(NamedTuple):
    """A profit and loss, and whose cases of it are shown.

    Parameters
    ----------
    found : ProfitAndLoss
        Of the region's cases.
    whose : mapping of str to str
        Key and value, such as a hospital; empty for all.
    """

    found: ProfitAndLoss
    whose: Mapping[str, str]

    def by(self, key: str) -> pd.DataFrame:
        """Add the cases up by a key, in yuan, the largest loss first."""
        table = self.found.by([*self.whose, key] if key not in self.whose else [*self.whose])
        for name, value in self.whose.items():
            table = table[table[name] == value]
        yuan = {name: table[f"{name}_fen"] / 100 for name in _AMOUNTS}
        table = table[[key, "cases"]].assign(**yuan)
        return table.sort_values("surplus", kind="stable").reset_index(drop=True)


def surplus_of_groups(say: Words, found: Surplus, scheme: Scheme) -> tuple[Section, Section]:
    """Profit and loss by MDC and by DRG: two sections, of which each has its table."""
    mdcs, drgs = found.by("mdc"), found.by("drg")
    sections = []
    for key, table, title in (
        ("mdc", mdcs, say("Profit and loss by MDC")),
        ("drg", drgs, say("Profit and loss by DRG")),
    ):
        table = table[table[key].notna()].reset_index(drop=True)
        table.insert(1, "name", [name_of(scheme, code) for code in table[key]])
        if table.empty:
            sections.append(Section(f"pnl-{key}", title, table, say("No case has a payment.")))
            continue
        names = [group_name(scheme, code, say.language) for code in table[key]]
        labelled = list(zip(names, table["surplus"].tolist(), strict=True))
        lost = [pair for pair in labelled if pair[1] < 0]
        won = [pair for pair in labelled if pair[1] > 0][::-1]
        sentence = say(
            "{n} of {all} lose, together {lost}; the others gain {won}.",
            n=len(lost),
            all=len(table),
            lost=say.money(-sum(amount for _, amount in lost)),
            won=say.money(sum(amount for _, amount in won)),
        )
        if lost:
            sentence += say.space + say(
                "The largest loss: {name} ({amount}).",
                name=lost[0][0],
                amount=say.money(lost[0][1]),
            )
        panels = [
            (title, list(map(str, part_names)), list(amounts))
            for title, part in (
                (say("largest losses"), lost[:_ENDS]),
                (say("largest surpluses"), won[:_ENDS]),
            )
            if part
            for part_names, amounts in [zip(*part, strict=True)]
        ]
        if key == "mdc":
            panels = [("", [n for n, _ in labelled], [a for _, a in labelled])]
        sections.append(
            Section(
                f"pnl-{key}",
                title,
                table,
                sentence,
                _drawing(panels, say) if panels else None,
                say("Bars: gains to the right, losses to the left."),
                (key, "name", "cases", "payment", "cost", "surplus", "case_mix", "cost_per_case"),
                keys=2,
            )
        )
    return sections[0], sections[1]


def surplus_of_units(say: Words, found: Surplus, key: str, title: str) -> Section:
    """Profit and loss of hospitals, departments or doctors."""
    table = found.by(key)
    table = table[table[key].notna()].reset_index(drop=True)
    name = f"pnl-{key.replace('_', '-')}"
    if table.empty:
        return Section(name, title, table, say("No case has a payment."))
    lost = table[table["surplus"] < 0]
    sentence = say("{n} of {all} lose, together {lost}.", n=len(lost), all=len(table),
                   lost=say.money(-lost["surplus"].sum()))  # fmt: skip
    if len(lost):
        sentence += say.space + say(
            "The largest loss: {name} ({amount}).",
            name=lost[key].iloc[0],
            amount=say.money(lost["surplus"].iloc[0]),
        )
    ends = table if len(table) <= 24 else pd.concat([table.head(12), table.tail(12)])
    panels = [("", ends[key].astype(str).tolist(), ends["surplus"].tolist())]
    return Section(
        name,
        title,
        table,
        sentence,
        _drawing(panels, say),
        say("Bars: gains to the right, losses to the left."),
        (key, "cases", "payment", "cost", "surplus", "case_mix", "coefficient", "value",
         "cost_per_case"),
    )  # fmt: skip


def why(say: Words, found: Surplus) -> Section:
    """From cost to payment in the parts that make the difference."""
    table = found.by("case_class")
    total = table.drop(columns="case_class").sum()
    parts = [p for p in PARTS if abs(total[p]) >= 0.005]
    named = {p: heading(p, say.language) for p in parts}
    steps = [*named.values(), heading("surplus", say.language)]
    amounts = [*(total[p] for p in parts), total["surplus"]]
    whole = [*[False] * len(parts), True]
    most = max(parts, key=lambda p: abs(total[p]), default="")
    title = say("From cost to payment")
    if not total["cases"]:
        return Section("pnl-parts", title, table, say("No case has a payment."))
    sentence = say(
        "Cases cost {cost} and are paid {paid}: {difference}.",
        cost=say.money(total["cost"]),
        paid=say.money(total["payment"]),
        difference=say.money(total["surplus"], signed=True),
    )
    if most:
        sentence += say.space + say(
            "Most of the difference is {part} ({amount}).",
            part=named[most],
            amount=say.money(total[most], signed=True),
        )
    return Section(
        "pnl-parts",
        title,
        table,
        sentence,
        lambda: waterfall([("", steps, amounts, whole)], say.language),
        say("A waterfall of the parts that add up to the surplus."),
        (
            "case_class",
            "cases",
            "payment",
            "cost",
            "surplus",
            "case_mix",
            "outliers",
            "other_rules",
        ),
    )


def _drawing(panels: Sequence[tuple[str, Sequence[str], Sequence[float]]], say: Words) -> Drawing:
    return lambda: both_sides(panels, say.language)

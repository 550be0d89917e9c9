"""Sections for a negotiation: policies side by side on the same cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from drgcore.language import use_language
from drgcore.report.bars import both_sides
from drgcore.report.changes import wanted
from drgcore.report.inputs import group_name
from drgcore.report.section import Section
from drgcore.report.texts import Words
from drgcore.scenarios.differences import parameter_in_words
from drgcore.schemes import Scheme

_ENDS = 12


def what_differs(say: Words, tables: Mapping[str, pd.DataFrame]) -> Section:
    """Which parameters the policies have otherwise than the first."""
    table = wanted(tables, "differences", "policy", "path", "before", "after")
    with use_language(say.language):
        called = [parameter_in_words(path) for path in table["path"].astype(str)]
    table = table.assign(parameter=called)[["policy", "parameter", "before", "after"]]
    table = table.rename(columns={"before": "first", "after": "here"}).astype(str)
    counts = table["policy"].value_counts(sort=False)
    sentence = (
        say.joined(
            [say("{policy}: {n} parameters differ.", policy=p, n=n) for p, n in counts.items()]
        )
        if len(table)
        else say("The policies do not differ.")
    )
    return Section("parameters", say("What differs between the policies"), table, sentence, keys=2)


def pools(say: Words, tables: Mapping[str, pd.DataFrame]) -> Section:
    """What each policy makes of the pools and the value of a point."""
    table = wanted(tables, "pools", "pool", "policy", "point_value", "money", "difference")
    first = ["pool", "policy", "budget", "points", "point_value", "money", "difference"]
    table = table[[*first, *table.columns.drop(first)]]
    others = table[table["policy"] != table["policy"].iloc[0]] if len(table) else table
    sentence = say.joined(
        [
            say(
                "{pool}, {policy}: {value} yuan a point, {difference}.",
                pool=say.word(row["pool"]),
                policy=row["policy"],
                value=f"{row['point_value']:,.2f}",
                difference=say.money(row["difference"], signed=True),
            )
            for row in others.head(6).to_dict("records")
        ]
    ) or say("There is one policy.")
    labels = [f"{say.word(row['pool'])} · {row['policy']}" for row in others.to_dict("records")]
    amounts = others["difference"].tolist()
    return Section(
        "pools",
        say("Pools and point values"),
        table,
        sentence,
        (lambda: both_sides([("", labels, amounts)], say.language)) if labels else None,
        say("Bars of the change of money of each pool."),
        (*first, "relative_difference"),
        keys=2,
    )


def units(
    say: Words,
    tables: Mapping[str, pd.DataFrame],
    name: str,
    key: str,
    title: str,
    scheme: Scheme,
) -> Section:
    """Who gains and who loses by each policy, all pools together."""
    given = wanted(tables, name, key, "policy", "money", "difference")
    policies = list(dict.fromkeys(given["policy"]))
    amounts = [c for c in ("cases", "points", "money", "difference") if c in given.columns]
    table = given.groupby(["policy", key], as_index=False, sort=False, dropna=False, observed=True)[
        amounts
    ].sum()
    before = table["money"] - table["difference"]
    table["relative_difference"] = table["difference"] / before.where(before != 0)
    table = table[(table["policy"] != policies[0]) & table[key].notna()] if policies else table
    table = table.sort_values(["policy", "difference"], kind="stable").reset_index(drop=True)
    panels, said = [], []
    for policy in policies[1:3]:
        own = table[table["policy"] == policy]
        said.append(
            say(
                "{policy}: {lost} lose, {won} gain.",
                policy=policy,
                lost=int((own["difference"] < 0).sum()),
                won=int((own["difference"] > 0).sum()),
            )
        )
        ends = own if len(own) <= 2 * _ENDS else pd.concat([own.head(_ENDS), own.tail(_ENDS)])
        names = [
            group_name(scheme, v, say.language) if key == "mdc" else say.word(v) for v in ends[key]
        ]
        panels.append((str(policy), names, ends["difference"].tolist()))
    drawn: Sequence[tuple[str, list[str], list[float]]] = [p for p in panels if p[1]]
    return Section(
        f"by-{key.replace('_', '-')}",
        title,
        table,
        say.joined(said) or say("There is one policy."),
        (lambda: both_sides(drawn, say.language)) if drawn else None,
        say("Bars: gains to the right, losses to the left."),
        keys=2,
    )

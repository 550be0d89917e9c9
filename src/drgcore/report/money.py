"""Sections about money: the value of a point, what hospitals are paid, where the budget went."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from drgcore.report.bars import both_sides, stacked_bars, waterfall
from drgcore.report.columns import heading
from drgcore.report.lines import value_by_month
from drgcore.report.section import Drawing, Section
from drgcore.report.texts import Words

_POOLS = 4
_HOSPITALS = 25


def point_values(say: Words, months: pd.DataFrame) -> Section:
    """What a point was worth each month, and what it was made from.

    Parameters
    ----------
    say : Words
        The language.
    months : pandas.DataFrame
        ``point_values`` of the months one below the other.
    """
    title = say("Point value by month with its parts")
    if months.empty:
        return Section("point-values", title, months, say("No month is settled."))
    pools = _largest(months, "pool", "numerator", _POOLS)
    said, drawn = [], []
    for pool in pools:
        own = months[months["pool"] == pool].sort_values("month")
        values = own["point_value"].to_numpy(float)
        low, high = own.iloc[int(values.argmin())], own.iloc[int(values.argmax())]
        if len(own) > 1:
            said.append(
                say(
                    "{pool}: from {low} yuan ({low_month}) to {high} yuan ({high_month}).",
                    pool=say.word(pool),
                    low=f"{low['point_value']:,.2f}",
                    low_month=say.period(low["month"]),
                    high=f"{high['point_value']:,.2f}",
                    high_month=say.period(high["month"]),
                )
            )
        else:
            said.append(
                say("{pool}: {value} yuan.", pool=say.word(pool), value=f"{values[0]:,.4f}")
            )
        patients = np.where(own["basis"] == "total_cost", own["patient_paid"], 0.0).astype(float)
        reserve = own["from_reserve"].to_numpy(float)
        fund = own["numerator"].to_numpy(float) - patients - reserve
        money = {say("fund"): fund, say("patients"): patients}
        if reserve.any():
            money[say("from the reserve")] = reserve
        drawn.append(
            (
                say.word(pool),
                say.months(own["month"].tolist()),
                *(values, money, own["points"].to_numpy(float)),
            )
        )
    said.append(
        say("The value falls where points grow faster than the money; compare the three columns.")
    )
    words = {
        "value": say("value [yuan]"),
        "money": say("money"),
        "points": say("points [10,000]"),
    }
    return Section(
        "point-values",
        title,
        months,
        say.joined(said),
        lambda: value_by_month(drawn, words, say.language),
        say("Lines of the point value of each pool by month, bars of money and of points."),
        (
            "month",
            "pool",
            "budget",
            "patient_paid",
            "numerator",
            "points",
            "point_value",
            "limited",
        ),
        keys=2,
    )


def prepayments(say: Words, statement: pd.DataFrame) -> Section:
    """What hospitals are prepaid for a month, and what is held back for the pool."""
    title = say("Prepayment by hospital")
    if statement.empty:
        return Section("prepayment", title, statement, say("Nothing is settled for it."))
    total, held = statement["prepaid"].sum(), statement["held"].sum()
    by_hospital = (
        statement.groupby("hospital", observed=True)["prepaid"].sum().sort_values(ascending=False)
    )
    sentence = say(
        "{prepaid} are prepaid and {held} are held back for the pool; the largest hospital, "
        "{first}, gets {share}.",
        prepaid=say.money(total),
        held=say.money(held),
        first=by_hospital.index[0],
        share=say.share(by_hospital.iloc[0] / total if total else 0.0),
    )
    parts = {"prepaid": say("prepaid"), "held": say("held back")}
    page = ("pool", "hospital", "cases", "points", "entitlement", "prepaid", "held")
    return Section(
        "prepayment",
        title,
        statement,
        sentence,
        _by_pool(say, statement, parts),
        say("Bars of prepayment and holding by hospital, a figure for each pool."),
        page,
        keys=2,
    )


def payments(say: Words, statement: pd.DataFrame) -> Section:
    """What hospitals are paid for the year: prepaid, pool, bands."""
    title = say("Prepayment and pool by hospital")
    table = statement.assign(returned=-statement["surplus_returned"].astype(float))
    final, shares = statement["final"].sum(), statement["pool_share"].sum()
    below = statement.groupby("hospital", observed=True)[["final", "item_cost"]].sum()
    short = int((below["final"] < below["item_cost"]).sum())
    sentence = say(
        "The year pays {final}, of which {pool} from the incentive pool; {short} of {all} "
        "hospitals are paid less than their cases cost the fund by item. The black mark is the "
        "final payment.",
        final=say.money(final),
        pool=say.money(shares),
        short=short,
        all=len(below),
    )
    parts = {
        "prepaid": say("prepaid"),
        "pool_share": say("incentive pool"),
        "deficit_borne": say("deficit borne by the fund"),
        "returned": say("surplus returned"),
        "adjustments": say("adjustments"),
    }
    page = ("pool", "hospital", "cases", "prepaid", "adjustments", "pool_share")
    return Section(
        "payments",
        title,
        statement,
        sentence,
        _by_pool(say, table, parts, "final", say("final payment")),
        say("Bars of prepayment, pool and bands by hospital, a figure for each pool."),
        (*page, "surplus_returned", "deficit_borne", "final", "balance"),
        keys=2,
    )


def unit_balances(say: Words, units: pd.DataFrame) -> Section:
    """What is still to be paid, or recovered, at the year end."""
    sums = units.groupby("unit", observed=True)["balance"].sum().sort_values(ascending=False)
    back = sums[sums < 0]
    sentence = say(
        "{paid} are still to be paid to {some} settlement units and {back} to be recovered from "
        "{others}.",
        paid=say.money(sums[sums > 0].sum()),
        some=int((sums > 0).sum()),
        back=say.money(-back.sum()),
        others=len(back),
    )
    ends = _ends(sums)
    return Section(
        "balances",
        say("Balance at the year end by settlement unit"),
        units,
        sentence,
        lambda: both_sides([("", list(map(str, ends.index)), ends.tolist())], say.language),
        say("Bars of the balance: to the right still to be paid, to the left recovered."),
        ("pool", "unit", "hospitals", "entitlement", "item_cost", "ratio", "final", "balance"),
        keys=2,
    )


def reconciliation(say: Words, table: pd.DataFrame) -> Section:
    """From the budget to what was paid: where every fen is."""
    panels, said = [], []
    for pool in dict.fromkeys(table["pool"]):
        own = table[table["pool"] == pool]
        first, last = own.iloc[0], own.iloc[-1]
        middle = own.iloc[1:-1]
        middle = middle[middle["amount"] != 0]
        steps = [say.word(first["item"]), *map(say.word, middle["item"]), say.word(last["item"])]
        amounts = [first["amount"], *(-middle["amount"]), last["amount"]]
        whole = [True, *[False] * len(middle), True]
        panels.append((say.word(pool), steps, amounts, whole))
        said.append(
            say(
                "{pool}: of {budget} {left} are unaccounted.",
                pool=say.word(pool),
                budget=say.money(first["amount"]),
                left=f"{last['amount']:,.2f}",
            )
        )
    return Section(
        "reconciliation",
        say("From the budget to the payments"),
        table,
        say.joined([say("Each step takes its part of the budget until nothing is left."), *said]),
        lambda: waterfall(panels[:_POOLS], say.language),
        say("A waterfall from the budget of each pool to nothing left."),
        keys=2,
    )


def reserve_moves(say: Words, table: pd.DataFrame) -> Section:
    """How the reserve moved within the year."""
    panels, said = [], []
    for pool in dict.fromkeys(table["pool"]):
        own = table[(table["pool"] == pool)]
        own = own[(own["amount"] != 0) | own["item"].isin(["opening", "closing"])]
        whole = own["item"].isin(["opening", "closing"]).tolist()
        panels.append((say.word(pool), list(map(say.word, own["item"])), own["amount"], whole))
        ends = own.set_index("item")["amount"]
        if {"opening", "closing"} <= set(ends.index):
            said.append(
                say(
                    "{pool}: from {opening} to {closing}.",
                    pool=say.word(pool),
                    opening=say.money(ends["opening"]),
                    closing=say.money(ends["closing"]),
                )
            )
    return Section(
        "reserve",
        say("The reserve within the year"),
        table,
        say.joined(said),
        lambda: waterfall(panels[:_POOLS], say.language),
        say("A waterfall from the opening of the reserve to its closing."),
        keys=2,
    )


def hospital_months(say: Words, statement: pd.DataFrame) -> Section:
    """What one hospital was prepaid each month, pool by pool."""
    title = say("Statement by month")
    if statement.empty:
        return Section("statement", title, statement, say("Nothing is settled for it."))
    statement = statement.sort_values(["pool", "month"], kind="stable").reset_index(drop=True)
    panels = []
    for pool in _largest(statement, "pool", "entitlement", 2):
        own = statement[statement["pool"] == pool]
        amounts = {
            say("prepaid"): own["prepaid"].to_numpy(float),
            say("held back"): own["held"].to_numpy(float),
        }
        panels.append((say.word(pool), say.months(own["month"].tolist()), amounts, ()))
    sums = statement.groupby("month", observed=True)["prepaid"].sum()
    sentence = say(
        "{prepaid} were prepaid in {n} months, at most in {month}.",
        prepaid=say.money(sums.sum()),
        n=len(sums),
        month=say.period(sums.idxmax()),
    )
    page = ("month", "pool", "cases", "points", "entitlement", "refused", "prepaid", "held")
    return Section(
        "statement",
        title,
        statement,
        sentence,
        lambda: stacked_bars(panels, say.language),
        say("Bars of prepayment and holding by month, a figure for each pool."),
        page,
        keys=2,
    )


def hospital_year(say: Words, statement: pd.DataFrame) -> Section:
    """From prepayment to the final payment of one hospital."""
    title = say("From prepayment to the final payment")
    if statement.empty:
        return Section("year-end", title, statement, say("Nothing is settled for it."))
    steps = {
        "prepaid": 1,
        "adjustments": 1,
        "pool_share": 1,
        "surplus_returned": -1,
        "deficit_borne": 1,
        "capitation": 1,
    }
    panels, said = [], []
    for row in statement.to_dict("records"):
        used = [n for n in steps if row.get(n)]
        named = [heading(n, say.language) for n in used]
        amounts = [steps[n] * float(row[n]) for n in used]
        pool = say.word(row["pool"])
        panels.append(
            (
                pool,
                [*named, heading("final", say.language)],
                [*amounts, float(row["final"])],
                [n == "prepaid" for n in used] + [True],
            )
        )
        said.append(
            say(
                "{pool}: final payment {final}, of which {balance} are still due.",
                pool=pool,
                final=say.money(row["final"]),
                balance=say.money(row["balance"]),
            )
        )
    return Section(
        "year-end",
        title,
        statement,
        say.joined(said),
        lambda: waterfall(panels[:_POOLS], say.language),
        say("A waterfall from the prepayment to the final payment."),
        (
            *("pool", "prepaid", "adjustments", "kappa", "pool_share", "surplus_returned"),
            *("deficit_borne", "final", "balance"),
        ),
    )


def _by_pool(
    say: Words,
    statement: pd.DataFrame,
    parts: dict[str, str],
    mark: str = "",
    mark_name: str = "",
) -> Drawing:
    panels = []
    for pool in _largest(statement, "pool", "entitlement", 2):
        own = statement[statement["pool"] == pool]
        own = own.sort_values("entitlement", ascending=False, kind="stable").head(_HOSPITALS)
        amounts = {title: own[name].to_numpy(float) for name, title in parts.items()}
        marks = own[mark].to_numpy(float) if mark else ()
        panels.append((say.word(pool), list(map(str, own["hospital"])), amounts, marks))
    return lambda: stacked_bars(panels, say.language, mark_name)


def _largest(table: pd.DataFrame, key: str, amount: str, most: int) -> list[str]:
    """The keys with the largest amounts, in the order of the table."""
    sums = table.groupby(key, observed=True)[amount].sum().astype(float).nlargest(most)
    return [name for name in dict.fromkeys(table[key]) if name in sums.index]


def _ends(sums: pd.Series, most: int = 24) -> pd.Series:
    """The first and the last of sorted amounts, where there are too many to draw."""
    if len(sums) <= most:
        return sums
    return pd.concat([sums.iloc[: most // 2], sums.iloc[-(most // 2) :]])


def of_hospital(table: pd.DataFrame, hospitals: Sequence[str]) -> pd.DataFrame:
    """Take the rows of some hospitals."""
    if table.empty or "hospital" not in table.columns:
        return table
    return table[table["hospital"].isin(list(hospitals))].reset_index(drop=True)

"""Money on top of points for listed items (除外支付): new drugs, materials and techniques."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any

import pandas as pd
import pyarrow as pa

from drgcore.budget.allocate import decimal_text, fen
from drgcore.budget.caserows import listed
from drgcore.errors import CaseSchemaError, PolicyError
from drgcore.language import _
from drgcore.points.payment_rules import OnTop, OnTopList
from drgcore.points.policy import Policy
from drgcore.points.tables import group_table

ON_TOP_COLUMNS = (
    *("case_id", "list", "item", "item_cost", "total_cost", "mean_cost", "kind", "kind_mean"),
    *("amount", "reason"),
)


def on_top_amounts(cases: Any, items: Any, policy: Policy) -> pd.DataFrame:
    """Compute what listed items are paid on top of the points.

    ``add = max(x − the group's mean of that kind of cost, 0)`` where C > a·m and x/C > b, both
    strict, for items of a list that is in force on the day of discharge.

    Parameters
    ----------
    cases : DataFrame or table
        Cases with points: `case_id`, `discharge_date`, `drg`, `total_cost` [yuan], `case_class`.
    items : DataFrame or table
        `case_id`, `item`, `cost` [yuan]: the items that cases used. One line a case and item.
    policy : Policy
        The policy, whose `on_top` has the lists.

    Returns
    -------
    DataFrame
        One row a line of `items`, in its order, `ON_TOP_COLUMNS`: the amount [yuan, text with two
        decimals] and the reason for it, or for none.

    Raises
    ------
    PolicyError
        If the policy has no `on_top`, or no mean of a group that a list looks at.
    CaseSchemaError
        For an item of no case, given twice, or with a cost that is negative or no number.

    Examples
    --------
    >>> rules = {"paid_from": "budget", "means": {"material": {"BR13": "15000"}}}
    >>> rules["lists"] = [{"name": "2025", "items": ["X1"], "valid_from": date(2027, 1, 1),
    ...     "kind": "material", "above_multiple": 2, "above_share": "0.64"}]
    >>> policy = Policy.load("example").with_changes({"on_top": rules})
    >>> case = {"case_id": ["1"], "discharge_date": [date(2027, 3, 1)], "drg": ["BR13"]}
    >>> case |= {"total_cost": ["120000"], "case_class": ["normal"]}
    >>> used = pd.DataFrame({"case_id": ["1"], "item": ["X1"], "cost": ["80000"]})
    >>> on_top_amounts(pd.DataFrame(case), used, policy)["amount"].tolist()
    ['65000.00']
    """
    rules = policy.on_top
    if rules is None:
        raise PolicyError(
            _("there are items on top of points, but no lists of them"),
            where=_("policy {name}", name=policy.name),
            hint=_("add [on_top] with its lists"),
        )
    used = _frame(items, ["case_id", "item", "cost"], "items")
    names = ["case_id", "discharge_date", "drg", "total_cost", "case_class"]
    whole = _frame(cases, names, "cases")
    whole = whole[whole["case_id"].astype(str).isin(set(used["case_id"].astype(str)))]
    by_id = {str(row[0]): row for row in whole[names].itertuples(index=False)}
    unknown = sorted(set(used["case_id"].astype(str)) - set(by_id))
    if unknown:
        raise CaseSchemaError(
            _("items of cases that are not there: {listed}", listed=listed(unknown)), where="items"
        )
    if used.duplicated(["case_id", "item"]).any():
        raise CaseSchemaError(_("a case has an item twice"), where="items")
    means: dict[date, dict[str, float]] = {}
    rows = []
    for case, item, cost in used[["case_id", "item", "cost"]].itertuples(index=False):
        _other, day, drg, total, kind = by_id[str(case)]
        when = pd.Timestamp(day).date()
        of_day = policy.at(when)
        if of_day.effective_from not in means:
            table = group_table(of_day)
            groups = zip(table.drgs, table.mean_cost.tolist(), strict=True)
            means[of_day.effective_from] = dict(groups)
        mean = means[of_day.effective_from].get(str(drg))
        x, c = _yuan(cost, "cost"), _yuan(total, "total_cost")
        assert of_day.on_top is not None
        found = _amount(of_day.on_top, str(item), when, str(drg), x, c, mean, str(kind))
        rows.append(
            (str(case), found[0], str(item), decimal_text(x, 2), decimal_text(c, 2), *found[1:])
        )
    return pd.DataFrame(rows, columns=list(ON_TOP_COLUMNS), dtype=object)


def with_on_top(cases: Any, items: Any, policy: Policy) -> pa.Table:
    """Give the cases with the column that a settlement pays on top of points.

    Parameters
    ----------
    cases, items, policy
        As `on_top_amounts` takes them; without items every case has 0.

    Returns
    -------
    pyarrow.Table
        The cases with `on_top_amount` [yuan], the sum of each case's items.

    Examples
    --------
    >>> with_on_top(pa.table({"case_id": ["1"]}), None, Policy.load("example")).column_names
    ['case_id', 'on_top_amount']
    """
    table = (
        pa.Table.from_pandas(cases, preserve_index=False)
        if isinstance(cases, pd.DataFrame)
        else (cases if isinstance(cases, pa.Table) else pa.table(cases))
    )
    sums: dict[str, int] = {}
    if items is not None:
        found = on_top_amounts(table, items, policy)
        for case, amount in zip(found["case_id"], found["amount"], strict=True):
            sums[case] = sums.get(case, 0) + fen(amount)
    ids = table.column("case_id").to_pylist() if sums else []
    amounts = [sums.get(str(case), 0) / 100 for case in ids] if sums else [0.0] * len(table)
    if "on_top_amount" in table.column_names:
        table = table.drop_columns(["on_top_amount"])
    return table.append_column("on_top_amount", pa.array(amounts, pa.float64()))


def _amount(
    rules: OnTop,
    item: str,
    day: date,
    drg: str,
    x: Fraction,
    total: Fraction,
    mean: float | None,
    kind: str,
) -> tuple[str, ...]:
    """List, mean of the group, kind, its mean, amount and reason of one item of one case."""
    mean_text = "" if mean is None or mean != mean else f"{mean:.2f}"
    one = _list_of(rules, item, day)
    if one is None:
        return "", mean_text, "", "", "0.00", _("no list in force has it")
    start = (one.name, mean_text, one.kind or "")
    if kind == "outside":
        return *start, "", "0.00", _("the case is paid by item")
    if one.above_multiple is not None:
        if not mean_text:
            raise PolicyError(
                _("there is no mean cost of {drg}", drg=drg),
                where=_("on_top list {name}", name=one.name),
            )
        if total <= Fraction(one.above_multiple) * Fraction(repr(mean)):
            return *start, "", "0.00", _("C is not above {times}·m", times=one.above_multiple)
    if one.above_share is not None and x <= Fraction(one.above_share) * total:
        return *start, "", "0.00", _("x/C is not above {share}", share=one.above_share)
    less = Decimal(0)
    if one.kind is not None:
        if drg not in rules.means[one.kind]:
            raise PolicyError(
                _("there is no mean of {drg}", drg=drg),
                where=_("on_top.means.{kind}", kind=one.kind),
            )
        less = rules.means[one.kind][drg]
    amount = floor(max(x - Fraction(less), Fraction(0)) * 100 + Fraction(1, 2))
    return *start, f"{less:.2f}", f"{Decimal(amount).scaleb(-2):.2f}", _("x − the group's mean")


def _list_of(rules: OnTop, item: str, day: date) -> OnTopList | None:
    for one in rules.lists:
        if item in one.items and one.valid_from <= day <= (one.valid_to or date.max):
            return one
    return None


def _yuan(value: Any, name: str) -> Fraction:
    try:
        found = Fraction(str(value))
    except (ValueError, ZeroDivisionError) as error:
        raise CaseSchemaError(
            _("{value!r} is no amount", value=value), where=_("items, column {name}", name=name)
        ) from error
    if found < 0:
        raise CaseSchemaError(
            _("{value} is negative", value=value), where=_("items, column {name}", name=name)
        )
    return found


def _frame(table: Any, names: list[str], what: str) -> pd.DataFrame:
    frame = table if isinstance(table, pd.DataFrame) else None
    if frame is None:
        arrow = table if isinstance(table, pa.Table) else pa.table(table)
        frame = arrow.select([n for n in names if n in arrow.column_names]).to_pandas()
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise CaseSchemaError(
            _("there is no column {missing}", missing=", ".join(missing)), where=what
        )
    return frame

"""What the columns of a report's tables are called, and how their values are written."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from drgcore.language import Language, in_context, use_language
from drgcore.language import heading as usual_heading

Kind = Literal[
    "text", "word", "count", "yuan", "points", "value", "share", "index", "number", "sign"
]

DASH = "–"
"""Stands for a value that there is not."""


class Column(NamedTuple):
    """How a column is shown: its kind of value, and its heading, a message of the catalogue.

    Kinds: ``text`` as it is; ``word`` one of a few words, translated; ``count`` whole numbers;
    ``yuan`` money; ``sign`` money whose sign matters; ``points``; ``value`` yuan a point;
    ``share``; ``index`` around 1; ``number`` with two decimals.
    """

    kind: Kind
    title: str


COLUMNS: dict[str, Column] = {
    # Keys.
    "pool": Column("word", "Pool"),
    "hospital": Column("text", "Hospital"),
    "hospital_level": Column("text", "Hospital level"),
    "level": Column("word", "Level"),
    "department": Column("text", "Department"),
    "doctor_id": Column("text", "Doctor"),
    "unit": Column("text", "Settlement unit"),
    "hospitals": Column("text", "Hospitals"),
    "month": Column("text", "Month"),
    "mdc": Column("text", "MDC"),
    "adrg": Column("text", "ADRG"),
    "drg": Column("text", "DRG"),
    "name": Column("text", "Name"),
    "case_class": Column("word", "Class of case"),
    "step": Column("word", "Step"),
    "status": Column("word", "Status"),
    "reason": Column("word", "Reason"),
    "item": Column("word", "Item"),
    "part": Column("word", "Part"),
    "basis": Column("word", "Basis"),
    "limited": Column("word", "Limited by"),
    "quadrant": Column("word", "Quadrant"),
    "policy": Column("text", "Policy"),
    "parameter": Column("text", "Parameter"),
    "first": Column("text", "In the first policy"),
    "here": Column("text", "Here"),
    "signal": Column("word", "Signal"),
    "definition": Column("word", "What is counted"),
    "not_run": Column("text", "Not run because"),
    "before": Column("text", "Group before"),
    "after": Column("text", "Group after"),
    "status_before": Column("word", "Status before"),
    "status_after": Column("word", "Status after"),
    "relation": Column("word", "Relation"),
    "parted": Column("word", "Where the paths part"),
    "kind": Column("word", "Reason"),
    "side": Column("word", "Side"),
    "group": Column("text", "Group"),
    "set_id": Column("text", "Set"),
    "codes": Column("text", "Codes"),
    "is_signal": Column("word", "Signal?"),
    # Counts.
    "cases": Column("count", "Cases"),
    "grouped_cases": Column("count", "Grouped cases"),
    "groups": Column("count", "Groups"),
    "units": Column("count", "Units compared"),
    "signals": Column("count", "Signals"),
    "observed": Column("count", "Observed"),
    "cases_before": Column("count", "Cases before"),
    "cases_after": Column("count", "Cases after"),
    # Shares.
    "share": Column("share", "Share"),
    "cumulative_share": Column("share", "Cumulative share"),
    "grouping_rate": Column("share", "Grouping rate"),
    "ambiguous_rate": Column("share", "Ambiguous"),
    "mortality": Column("share", "Mortality"),
    "low_risk_mortality": Column("share", "Low-risk mortality"),
    "mcc_cc_rate": Column("share", "MCC or CC"),
    "mcc_rate": Column("share", "MCC"),
    "cc_rate": Column("share", "CC"),
    "high_outlier_share": Column("share", "High outliers"),
    "low_outlier_share": Column("share", "Low outliers"),
    "drug_share": Column("share", "Drugs"),
    "consumable_share": Column("share", "Consumables"),
    "readmission_rate": Column("share", "Readmission"),
    "relative_difference": Column("share", "Relative change"),
    "fdr": Column("share", "False signals"),
    "chance": Column("index", "Chance"),
    "share_of_before": Column("share", "Share of before"),
    "share_of_after": Column("share", "Share of after"),
    # Weights and indices.
    "cmi": Column("index", "CMI"),
    "cost_index": Column("index", "Cost index"),
    "time_index": Column("index", "Time index"),
    "weight": Column("index", "Weight"),
    "total_weight": Column("number", "Total weight"),
    "ratio": Column("index", "Ratio"),
    "lower": Column("index", "Lower limit"),
    "upper": Column("index", "Upper limit"),
    "kappa": Column("index", "κ"),
    "cmi_before": Column("index", "CMI before"),
    "cmi_after": Column("index", "CMI after"),
    "weight_before": Column("number", "Weight before"),
    "weight_after": Column("number", "Weight after"),
    "average_stay": Column("number", "Mean stay [days]"),
    "expected": Column("number", "Expected"),
    "spread": Column("number", "Spread beside chance"),
    # Points and their value.
    "points": Column("points", "Points"),
    "points_difference": Column("points", "Change of points"),
    "point_value": Column("value", "Point value [yuan]"),
    # Money [yuan].
    "mean_cost": Column("yuan", "Mean cost"),
    "region_mean_cost": Column("yuan", "Region's mean cost"),
    "budget": Column("yuan", "Budget"),
    "patient_paid": Column("yuan", "Paid by patients"),
    "numerator": Column("yuan", "Shared by points"),
    "outside": Column("yuan", "Paid by item"),
    "from_reserve": Column("yuan", "From the reserve"),
    "to_reserve": Column("yuan", "To the reserve"),
    "unmet": Column("yuan", "Unmet"),
    "gross": Column("yuan", "Points × value"),
    "entitlement": Column("yuan", "Entitlement"),
    "refused": Column("yuan", "Refused"),
    "carried_in": Column("sign", "Carried in"),
    "carried_out": Column("sign", "Carried out"),
    "prepaid": Column("yuan", "Prepaid"),
    "held": Column("yuan", "Held back"),
    "adjustments": Column("sign", "Adjustments"),
    "pool_share": Column("yuan", "Incentive pool"),
    "surplus_returned": Column("yuan", "Surplus returned"),
    "deficit_borne": Column("yuan", "Deficit borne"),
    "capitation": Column("yuan", "Capitation"),
    "final": Column("yuan", "Final payment"),
    "balance": Column("sign", "Balance due"),
    "item_cost": Column("yuan", "Cost by item"),
    "outside_paid": Column("yuan", "Paid by item outside"),
    "amount": Column("sign", "Amount"),
    "payment": Column("yuan", "Payment"),
    "cost": Column("yuan", "Cost"),
    "surplus": Column("sign", "Surplus"),
    "case_mix": Column("sign", "Case mix"),
    "coefficient": Column("sign", "Coefficient"),
    "value": Column("sign", "Point value"),
    "cost_per_case": Column("sign", "Cost per case"),
    "outliers": Column("sign", "Outliers"),
    "other_rules": Column("sign", "Other rules"),
    "deductions": Column("sign", "Deductions"),
    "money": Column("yuan", "Money"),
    "difference": Column("sign", "Change"),
}
"""Name of a column in the library → how a report shows it. Amounts are in yuan."""

_PLAIN = Column("text", "")
PLACES = {"yuan": 2, "sign": 2, "points": 4, "value": 6, "index": 3, "number": 2}
"""Decimals of each kind."""


def column_of(name: str) -> Column:
    """Give what is known of a column; one that is not listed is text under its own name.

    Examples
    --------
    >>> column_of("cmi").kind, column_of("something_else").title
    ('index', 'something else')
    """
    base = name.rsplit(": ", 1)[-1]
    known = COLUMNS.get(base)
    if known is None:
        words = base.replace("_", " ")
        return _PLAIN._replace(title=words)
    return known


def heading(name: str, language: Language) -> str:
    """Give a column's heading.

    Examples
    --------
    >>> heading("pool_share", "zh"), heading("now: money", "en")
    ('激励池', 'now: Money')
    """
    # A measure of one of several, such as of a policy: "round 2: money".
    base = name.rsplit(": ", 1)[-1]
    with use_language(language):
        known = COLUMNS.get(base)
        title = in_context("column", known.title) if known else usual_heading(base)
        return name.removesuffix(base) + title


def is_missing(value: Any) -> bool:
    """Tell a value that there is not: None, NaN, NA, or a number that is not finite."""
    if value is None or isinstance(value, str):
        return value is None
    if isinstance(value, float | Decimal):
        return not math.isfinite(value)
    return bool(value != value) if isinstance(value, int | bool) else _is_na(value)


def _is_na(value: Any) -> bool:
    import pandas as pd

    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def written(value: Any, kind: Kind) -> str:
    """Write a value as a table shows it.

    Parameters
    ----------
    value : object
        A text or a number; what is missing is a dash.
    kind : str
        The column's kind.

    Returns
    -------
    str

    Examples
    --------
    >>> written(-1234.5, "sign"), written(0.0312, "share"), written(None, "yuan")
    ('−1,234.50', '3.12%', '–')
    """
    if is_missing(value):
        return DASH
    if isinstance(value, str) or kind in ("text", "word"):
        return str(value)
    if kind == "share":
        text = f"{value:,.2%}"
    elif kind == "count":
        text = f"{value:,.0f}"
    else:
        text = f"{value:,.{PLACES[kind]}f}"
    return text.replace("-", "−")

"""What the columns of a report's tables are called, and how their values are written."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from drgcore.language import Language

Kind = Literal[
    "text", "word", "count", "yuan", "points", "value", "share", "index", "number", "sign"
]

DASH = "–"
"""Stands for a value that there is not."""


class Column(NamedTuple):
    """How a column is shown: its kind of value, its heading in English and in Chinese.

    Kinds: ``text`` as it is; ``word`` one of a few words, translated; ``count`` whole numbers;
    ``yuan`` money; ``sign`` money whose sign matters; ``points``; ``value`` yuan a point;
    ``share``; ``index`` around 1; ``number`` with two decimals.
    """

    kind: Kind
    en: str
    zh: str


COLUMNS: dict[str, Column] = {
    # Keys.
    "pool": Column("word", "Pool", "基金池"),
    "hospital": Column("text", "Hospital", "医院"),
    "hospital_level": Column("text", "Level", "医院级别"),
    "level": Column("word", "Level", "级别"),
    "department": Column("text", "Department", "科室"),
    "doctor_id": Column("text", "Doctor", "医师"),
    "unit": Column("text", "Settlement unit", "结算单元"),
    "month": Column("text", "Month", "月份"),
    "mdc": Column("text", "MDC", "MDC"),
    "adrg": Column("text", "ADRG", "ADRG"),
    "drg": Column("text", "DRG", "DRG"),
    "name": Column("text", "Name", "名称"),
    "case_class": Column("word", "Class of case", "病例类型"),
    "step": Column("word", "Step", "步骤"),
    "status": Column("word", "Status", "入组状态"),
    "reason": Column("word", "Reason", "原因"),
    "item": Column("word", "Item", "项目"),
    "part": Column("word", "Part", "构成"),
    "basis": Column("word", "Basis", "点值口径"),
    "limited": Column("word", "Limited by", "限制"),
    "quadrant": Column("word", "Quadrant", "象限"),
    "policy": Column("text", "Policy", "政策"),
    "parameter": Column("text", "Parameter", "参数"),
    "first": Column("text", "In the first policy", "第一方案"),
    "here": Column("text", "Here", "本方案"),
    "signal": Column("word", "Signal", "线索"),
    "definition": Column("word", "What is counted", "口径"),
    "not_run": Column("text", "Not run because", "未运行原因"),
    "before": Column("text", "Group before", "原分组"),
    "after": Column("text", "Group after", "新分组"),
    "status_before": Column("word", "Status before", "原状态"),
    "status_after": Column("word", "Status after", "新状态"),
    "relation": Column("word", "Relation", "关系"),
    "parted": Column("word", "Where the paths part", "分歧层级"),
    "kind": Column("word", "Reason", "原因"),
    "side": Column("word", "Side", "来源方案"),
    "group": Column("text", "Group", "病组"),
    "set_id": Column("text", "Set", "集合"),
    "codes": Column("text", "Codes", "编码"),
    "is_signal": Column("word", "Signal?", "是否线索"),
    # Counts.
    "cases": Column("count", "Cases", "病例数"),
    "grouped_cases": Column("count", "Grouped cases", "入组病例数"),
    "groups": Column("count", "Groups", "病组数"),
    "units": Column("count", "Units compared", "比较单位数"),
    "signals": Column("count", "Signals", "线索数"),
    "observed": Column("count", "Observed", "实际例数"),
    "cases_before": Column("count", "Cases before", "原例数"),
    "cases_after": Column("count", "Cases after", "新例数"),
    # Shares.
    "share": Column("share", "Share", "占比"),
    "cumulative_share": Column("share", "Cumulative share", "累计占比"),
    "grouping_rate": Column("share", "Grouping rate", "入组率"),
    "ambiguous_rate": Column("share", "Ambiguous", "歧义率"),
    "mortality": Column("share", "Mortality", "死亡率"),
    "low_risk_mortality": Column("share", "Low-risk mortality", "低风险组死亡率"),
    "mcc_cc_rate": Column("share", "MCC or CC", "合并症率"),
    "mcc_rate": Column("share", "MCC", "MCC率"),
    "cc_rate": Column("share", "CC", "CC率"),
    "high_outlier_share": Column("share", "High outliers", "高倍率占比"),
    "low_outlier_share": Column("share", "Low outliers", "低倍率占比"),
    "drug_share": Column("share", "Drugs", "药占比"),
    "consumable_share": Column("share", "Consumables", "耗材占比"),
    "readmission_rate": Column("share", "Readmission", "再入院率"),
    "relative_difference": Column("share", "Relative change", "变化率"),
    "fdr": Column("share", "False signals", "误报率"),
    "chance": Column("index", "Chance", "偶然概率"),
    "share_of_before": Column("share", "Share of before", "占原组"),
    "share_of_after": Column("share", "Share of after", "占新组"),
    # Weights and indices.
    "cmi": Column("index", "CMI", "CMI"),
    "cost_index": Column("index", "Cost index", "费用消耗指数"),
    "time_index": Column("index", "Time index", "时间消耗指数"),
    "weight": Column("index", "Weight", "权重"),
    "total_weight": Column("number", "Total weight", "总权重"),
    "ratio": Column("index", "Ratio", "比值"),
    "lower": Column("index", "Lower limit", "下限"),
    "upper": Column("index", "Upper limit", "上限"),
    "kappa": Column("index", "κ", "质量系数κ"),
    "cmi_before": Column("index", "CMI before", "原CMI"),
    "cmi_after": Column("index", "CMI after", "新CMI"),
    "weight_before": Column("number", "Weight before", "原权重"),
    "weight_after": Column("number", "Weight after", "新权重"),
    "average_stay": Column("number", "Mean stay [days]", "平均住院日"),
    "expected": Column("number", "Expected", "期望例数"),
    "spread": Column("number", "Spread beside chance", "单位间离散"),
    # Points and their value.
    "points": Column("points", "Points", "点数"),
    "points_difference": Column("points", "Change of points", "点数变化"),
    "point_value": Column("value", "Point value [yuan]", "点值（元）"),
    # Money [yuan].
    "mean_cost": Column("yuan", "Mean cost", "次均费用"),
    "region_mean_cost": Column("yuan", "Region's mean cost", "区域次均费用"),
    "budget": Column("yuan", "Budget", "预算"),
    "patient_paid": Column("yuan", "Paid by patients", "个人负担"),
    "numerator": Column("yuan", "Shared by points", "按点数分配额"),
    "outside": Column("yuan", "Paid by item", "按项目付费"),
    "from_reserve": Column("yuan", "From the reserve", "动用调剂金"),
    "to_reserve": Column("yuan", "To the reserve", "转入调剂金"),
    "unmet": Column("yuan", "Unmet", "未满足额"),
    "gross": Column("yuan", "Points × value", "点数×点值"),
    "entitlement": Column("yuan", "Entitlement", "应付额"),
    "refused": Column("yuan", "Refused", "审核扣款"),
    "carried_in": Column("sign", "Carried in", "上期结转"),
    "carried_out": Column("sign", "Carried out", "结转下期"),
    "prepaid": Column("yuan", "Prepaid", "预付额"),
    "held": Column("yuan", "Held back", "预留额"),
    "adjustments": Column("sign", "Adjustments", "调整额"),
    "pool_share": Column("yuan", "Incentive pool", "激励池"),
    "surplus_returned": Column("yuan", "Surplus returned", "结余上缴"),
    "deficit_borne": Column("yuan", "Deficit borne", "超支分担"),
    "capitation": Column("yuan", "Capitation", "总额包干"),
    "final": Column("yuan", "Final payment", "清算额"),
    "balance": Column("sign", "Balance due", "应补（扣）"),
    "item_cost": Column("yuan", "Cost by item", "按项目费用"),
    "outside_paid": Column("yuan", "Paid by item outside", "点数外已付"),
    "amount": Column("sign", "Amount", "金额"),
    "payment": Column("yuan", "Payment", "医保支付"),
    "cost": Column("yuan", "Cost", "费用"),
    "surplus": Column("sign", "Surplus", "盈亏"),
    "case_mix": Column("sign", "Case mix", "病组定价"),
    "coefficient": Column("sign", "Coefficient", "医院系数"),
    "value": Column("sign", "Point value", "点值"),
    "cost_per_case": Column("sign", "Cost per case", "次均费用差异"),
    "outliers": Column("sign", "Outliers", "高低倍率"),
    "other_rules": Column("sign", "Other rules", "其他规则"),
    "deductions": Column("sign", "Deductions", "扣款"),
    "money": Column("yuan", "Money", "金额"),
    "difference": Column("sign", "Change", "变化额"),
}
"""Name of a column in the library → how a report shows it. Amounts are in yuan."""

_PLAIN = Column("text", "", "")
PLACES = {"yuan": 2, "sign": 2, "points": 4, "value": 6, "index": 3, "number": 2}
"""Decimals of each kind."""


def column_of(name: str) -> Column:
    """Give what is known of a column; one that is not listed is text under its own name.

    Examples
    --------
    >>> column_of("cmi").kind, column_of("something_else").en
    ('index', 'something else')
    """
    base = name.rsplit(": ", 1)[-1]
    known = COLUMNS.get(base)
    if known is None:
        words = base.replace("_", " ")
        return _PLAIN._replace(en=words, zh=words)
    if base == name:
        return known
    # A measure of one of several, such as of a policy: "round 2: money".
    of = name.removesuffix(base)
    return known._replace(en=of + known.en, zh=of + known.zh)


def heading(name: str, language: Language) -> str:
    """Give a column's heading.

    Examples
    --------
    >>> heading("pool_share", "zh"), heading("now: money", "en")
    ('激励池', 'now: Money')
    """
    known = column_of(name)
    return known.zh if language == "zh" else known.en


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

"""The indicators: one plain function of sums each, with its formula and where it is from.

Sums are arrays of one entry a unit (a hospital, a doctor, a DRG …). A quotient whose denominator is
0 is NaN: it has no value, which is not the same as 0.

References
----------
.. [1] 国家医疗保障疾病诊断相关分组（CHS-DRG）分组与付费技术规范, 医保办发〔2019〕36号.
.. [2] 国家卫生健康委办公厅, 国家三级公立医院绩效考核操作手册 (2023 版).
.. [3] 北京市医院管理研究所, CN-DRGs 分组方案 (DRGs 组数, 总权重, CMI, 费用消耗指数, 时间消耗指数,
       低风险组死亡率).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def quotient(top: Any, below: Any) -> Floats:
    """Divide; NaN where the denominator is 0.

    Examples
    --------
    >>> quotient([1.0, 1.0], [2.0, 0.0]).tolist()
    [0.5, nan]
    """
    t, b = np.broadcast_arrays(np.asarray(top, np.float64), np.asarray(below, np.float64))
    return np.divide(t, b, out=np.full(t.shape, np.nan), where=b != 0)


def case_mix_index(weight: Any, cases: Any) -> Floats:
    """Case-mix index (病例组合指数) ``CMI = W / n`` [1]_.

    W is the total weight (总权重) ``Σ_g RW_g · n_g``, n the cases that have a weight.

    Examples
    --------
    >>> case_mix_index([11.0], [13]).round(4).tolist()
    [0.8462]
    """
    return quotient(weight, cases)


def cost_index(ratios: Any, cases: Any) -> Floats:
    """Cost consumption index (费用消耗指数) ``Σ_g n_g · (C̄_g / m_g) / Σ_g n_g`` [1]_ [3]_.

    C̄_g is the unit's mean cost of DRG g, m_g the region's, n_g the unit's cases of g, so that
    ``n_g · C̄_g`` is what its cases cost. 1 is what the region needs for the same groups.

    Parameters
    ----------
    ratios : array-like of float
        ``Σ C_i / m_g(i)`` over the unit's cases.
    cases : array-like of float
        Their number.

    Examples
    --------
    >>> cost_index([9.0], [10]).tolist()
    [0.9]
    """
    return quotient(ratios, cases)


def time_index(ratios: Any, cases: Any) -> Floats:
    """Time consumption index (时间消耗指数), as `cost_index` with days in hospital [1]_ [3]_.

    Examples
    --------
    >>> time_index([12.0], [10]).tolist()
    [1.2]
    """
    return quotient(ratios, cases)


def mortality(deaths: Any, cases: Any) -> Floats:
    """Mortality: deaths in hospital (离院方式 5) over cases of which the end is known.

    Of the cases in groups of class 1 of `norms.death_risk` it is the low-risk mortality
    (低风险组死亡率) [1]_ [2]_.

    Examples
    --------
    >>> mortality([1], [500]).tolist()
    [0.002]
    """
    return quotient(deaths, cases)


def status_rate(cases: Any, all_cases: Any) -> Floats:
    """Grouping rate (入组率): grouped over all cases; ambiguous rate (歧义率) likewise [1]_.

    Examples
    --------
    >>> status_rate([97], [100]).tolist()
    [0.97]
    """
    return quotient(cases, all_cases)


def severity_rate(cases: Any, grouped: Any) -> Floats:
    """Share of grouped cases with MCC, with CC, with either, after exclusions.

    Examples
    --------
    >>> severity_rate([20], [100]).tolist()
    [0.2]
    """
    return quotient(cases, grouped)


def outlier_share(cases: Any, grouped: Any) -> Floats:
    """Share of high-cost or low-cost outliers (高倍率、低倍率病例) among grouped cases.

    Examples
    --------
    >>> outlier_share([5], [100]).tolist()
    [0.05]
    """
    return quotient(cases, grouped)


def fee_share(part: Any, cost: Any) -> Floats:
    """Share of drugs (药占比) or consumables (耗占比) in the cost of all cases that state it [2]_.

    Examples
    --------
    >>> fee_share([25.0], [100.0]).tolist()
    [0.25]
    """
    return quotient(part, cost)


def average_stay(days: Any, cases: Any) -> Floats:
    """Average length of stay (平均住院日) [days] [2]_; mean cost (次均费用) likewise [yuan].

    Examples
    --------
    >>> average_stay([80], [10]).tolist()
    [8.0]
    """
    return quotient(days, cases)


def readmission_rate(again: Any, cases: Any) -> Floats:
    """2-to-31-day readmission (出院后2–31天再住院率), see `readmission.readmissions` [2]_.

    Examples
    --------
    >>> readmission_rate([3], [100]).tolist()
    [0.03]
    """
    return quotient(again, cases)

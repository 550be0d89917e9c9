"""The categories of fees of the front page (住院费用), as columns of a case."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgcore.cases.attributes import numbers_of

FEE_COLUMNS: dict[str, str] = {
    "service_cost": "综合医疗服务类",
    "diagnosis_cost": "诊断类",
    "treatment_cost": "治疗类",
    "rehabilitation_cost": "康复类",
    "tcm_cost": "中医类",
    "drug_cost": "药品类（西药、中药）",
    "blood_cost": "血液和血液制品类",
    "consumable_cost": "耗材类",
    "other_cost": "其他类",
}
"""Column [yuan] and official name of each category, in the order of the front page.

The ten categories of 住院病案首页 (卫医政发〔2011〕84号), the two of drugs (西药类、中药类) in one.
Together they are the total cost.

Examples
--------
>>> len(FEE_COLUMNS), FEE_COLUMNS["consumable_cost"]
(9, '耗材类')
"""

DIED = 5
"""Way of leaving (离院方式) of a patient who died."""

FEE_PARTS: dict[str, tuple[str, ...]] = {
    "service_cost": ("general_service", "general_treatment", "nursing", "other_service"),
    "diagnosis_cost": ("pathology", "laboratory", "imaging", "clinical_diagnosis"),
    "treatment_cost": ("nonsurgical", "surgical"),
    "rehabilitation_cost": ("rehabilitation",),
    "tcm_cost": ("tcm",),
    "drug_cost": ("western_drugs", "patent_drugs", "herbs"),
    "blood_cost": ("blood", "albumin", "globulin", "clotting", "cytokines"),
    "consumable_cost": ("material_examination", "material_treatment", "material_surgery"),
    "other_cost": ("other",),
}
"""The cost items of `FRONT_PAGE_COSTS` in each category, without the ``cost_`` before them."""


def fee_columns(name: str, there: Collection[str]) -> list[str]:
    """Give the columns whose sum is a category's fees.

    Parameters
    ----------
    name : str
        One of `FEE_COLUMNS`.
    there : collection of str
        The columns that the cases have.

    Returns
    -------
    list of str
        The category's own column, or else those of its items that are there; none at all where
        the cases do not have it.

    Examples
    --------
    >>> fee_columns("drug_cost", ["cost_western_drugs", "cost_herbs"])
    ['cost_western_drugs', 'cost_herbs']
    """
    if name in there:
        return [name]
    return [f"cost_{part}" for part in FEE_PARTS[name] if f"cost_{part}" in there]


def fees_of(table: pa.Table, name: str) -> NDArray[np.float64]:
    """Add up a category's fees.

    Parameters
    ----------
    table : pyarrow.Table
        The cases.
    name : str
        One of `FEE_COLUMNS`.

    Returns
    -------
    ndarray of float64
        Fees [yuan]; NaN for a case that states none; empty where the table has no column of them.

    Examples
    --------
    >>> items = {"cost_western_drugs": [10.0, None], "cost_herbs": [2.5, None]}
    >>> fees_of(pa.table(items), "drug_cost").tolist()
    [12.5, nan]
    """
    columns = fee_columns(name, table.column_names)
    if not columns:
        return np.empty(0)
    if len(columns) == 1:
        return numbers_of(table, columns[0])
    values = np.column_stack([numbers_of(table, column) for column in columns])
    stated = ~np.isnan(values)
    # An item that is left empty was not charged, unless none is filled in.
    total = np.where(stated, values, 0.0).sum(axis=1)
    return np.where(stated.any(axis=1), total, np.nan)

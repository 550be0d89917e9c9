"""The categories of fees of the front page (住院费用), as columns of a case."""

from __future__ import annotations

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

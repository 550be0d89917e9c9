"""Mappings that are known by name: where usual exports have the columns of a case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyarrow.types import is_list

from drgcore.cases.columns import FRONT_PAGE_SCHEMA
from drgcore.cases.front_page import FRONT_PAGE_PRESETS

_BY_OFFICIAL_NAME = {
    field.name: f"{official}?"
    for field in FRONT_PAGE_SCHEMA
    if (official := field.metadata[b"official_name"].decode()) and not is_list(field.type)
}


def _fee_headings() -> dict[str, str]:
    """The front page's fees by their Chinese names, with 费 or 费用 at the end."""
    found = {}
    for field in FRONT_PAGE_SCHEMA:
        if not field.name.startswith("cost_") or is_list(field.type):
            continue
        heading = field.metadata[b"meaning"].decode().rpartition("(")[2].rstrip(")")
        bare = heading.removesuffix("用")
        found[field.name] = f"{bare} or {bare}用?"
    return found


def _either(names: str) -> str:
    """The first of several names that the data have."""
    return " or ".join(names.split())


# The national settlement list (医疗保障基金结算清单, 医保办发〔2020〕20号 and its revision) as one
# table. Of each column: first the list's heading, then usual variants of it, then the field of
# interface 4101 (node setlinfo). The interface has its codes in tables of their own, which
# `join_cases` joins; its only field for one of them, dscg_maindiag_code, is that of 2401 and 2402.
_SETTLEMENT_LIST: Mapping[str, Any] = {
    "principal_diagnosis": _either(
        "主要诊断代码 主要诊断编码 主要诊断疾病代码 主要诊断疾病编码 西医主要诊断代码 "
        "西医主要诊断编码 出院西医主要诊断代码 出院西医主要诊断编码 dscg_maindiag_code"
    ),
    "other_diagnoses": _either(
        "其他诊断代码{1..40} 其他诊断编码{1..40} 其他诊断疾病代码{1..40} 其他诊断疾病编码{1..40} "
        "其他诊断{1..40}代码 其他诊断{1..40}编码 西医其他诊断代码{1..40} 西医其他诊断编码{1..40} "
        "出院西医其他诊断代码{1..40} 其他诊断代码 其他诊断编码 其他诊断疾病代码"
    ),
    "principal_procedure": _either(
        "主要手术及操作代码 主要手术及操作编码 主要手术操作代码 主要手术操作编码"
    ),
    "other_procedures": _either(
        "其他手术及操作代码{1..40} 其他手术及操作编码{1..40} 其他手术操作代码{1..40} "
        "其他手术操作编码{1..40} 其他手术及操作{1..40}代码 其他手术及操作{1..40}编码 "
        "其他手术及操作代码 其他手术及操作编码 其他手术操作代码 其他手术操作编码"
    ),
    "sex": _either("性别 性别代码 gend"),
    "age_years": _either("年龄 年龄(岁) 年龄(周岁) age"),
    "age_days": _either(
        "年龄不足1周岁(天) (年龄不足1周岁)年龄(天) (年龄不足1周岁)年龄 年龄不足1周岁年龄(天) "
        "年龄不足1周岁的年龄(天) (年龄不足1周岁的)年龄(天) 不足1周岁年龄(天) 不足一周岁年龄(天) "
        "年龄不足1周岁年龄 年龄不足1周岁天龄 nwb_age"
    )
    + "?",
    "newborn_weight_g": _either("新生儿入院体重 新生儿入院体重(克) 新生儿入院体重(g) nwb_adm_wt")
    + "?",
    "length_of_stay": _either("实际住院天数 实际住院(天) 住院天数 act_ipt_days") + "?",
    "leaving_way": _either("离院方式 离院方式代码 dscg_way") + "?",
    "department": _either("出院科别 出院科别代码 dscg_caty") + "?",
    "birth_weight_g": _either("新生儿出生体重 新生儿出生体重(克) 新生儿出生体重(g) nwb_bir_wt")
    + "?",
    "front_page": {
        # The number of a record stays with the patient; that of a settlement is the case's own.
        "case_id": _either(
            "结算ID 结算流水号 清单流水号 setl_id 就诊ID 就诊流水号 mdtrt_id 病案号 medcasno"
        )
        + "?",
        "hospital": _either(
            "定点医药机构编码 定点医疗机构编码 定点医疗机构代码 医疗机构代码 fixmedins_code "
            "定点医疗机构名称 fixmedins_name"
        )
        + "?",
        "patient_id": _either("人员编号 psn_no") + "?",
        "birth_date": _either("出生日期 brdy") + "?",
        "admission_date": _either("入院时间 入院日期 adm_time") + "?",
        "discharge_date": _either("出院时间 出院日期 dscg_time") + "?",
        "doctor_id": _either(
            "主治医师代码 主治医生代码 主治医师 主治医生 主治医生姓名 chfpdr_code chfpdr_name"
        )
        + "?",
        "principal_procedure_date": _either("主要手术及操作日期 主要手术操作日期") + "?",
        "other_procedure_dates": _either(
            "其他手术及操作日期{1..40} 其他手术操作日期{1..40} 其他手术及操作{1..40}日期 "
            "其他手术及操作日期 其他手术操作日期"
        )
        + "?",
        "patient_paid": _either("个人自付 个人自付金额 psn_selfpay") + "?",
        "admission_condition": _either("主要诊断入院病情 入院病情") + "?",
        "total_cost": _either("总金额 金额合计 医疗费总额 总费用 medfee_sumamt") + "?",
    },
}

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "canonical": {
        "principal_diagnosis": "principal_diagnosis",
        "other_diagnoses": "other_diagnoses or other_diagnosis_{1..500}",
        "principal_procedure": "principal_procedure",
        "other_procedures": "other_procedures or other_procedure_{1..500}",
        "sex": "sex",
        "age_years": "age_years",
        "age_days": "age_days?",
        "newborn_weight_g": "newborn_weight_g?",
        "length_of_stay": "length_of_stay?",
        "leaving_way": "leaving_way?",
        "icu_hours": "icu_hours?",
        "department": "department?",
        "tcm_share": "tcm_share?",
        "birth_weight_g": "birth_weight_g?",
        "day_surgery": "day_surgery?",
        "several_sites": "several_sites?",
        "new_technique": "new_technique?",
        "intensive_care": "intensive_care?",
        "front_page": FRONT_PAGE_PRESETS["canonical"],
    },
    "hqms": {
        "principal_diagnosis": "C03C",
        "other_diagnoses": "C06x{01..40}C",
        "principal_procedure": "C14x01C",
        "other_procedures": "C35x{01..40}C",
        "sex": "A12C",
        "age_years": "A14",
        "age_days": "A16?",
        "newborn_weight_g": "A17?",
        # The export has no single column of hours in intensive care.
        "length_of_stay": "B20?",
        "leaving_way": "B34C?",
        "department": "B16C?",
        "birth_weight_g": "A18x01?",
        "front_page": FRONT_PAGE_PRESETS["hqms"],
    },
    # The health statistics' front page (卫统4-1 附页). Its BZYZSNL gives months; where birth and
    # admission are there, the days between them are exact.
    "n041": {
        "principal_diagnosis": "JBDM",
        "other_diagnoses": "JBDM{1..40}",
        "principal_procedure": "SSJCZBM1",
        "other_procedures": "SSJCZBM{2..41}",
        "sex": "XB",
        "age_years": "NL",
        "age_days": None,
        "age_months": "BZYZSNL?",
        "newborn_weight_g": "XSERYTZ?",
        "length_of_stay": "SJZYTS?",
        "leaving_way": "LYFS?",
        "department": "CYKB?",
        "birth_weight_g": "XSECSTZ?",
        "front_page": {**_BY_OFFICIAL_NAME, "other_procedure_dates": "SSJCZRQ{2..41}?"},
    },
    "chinese": {
        "principal_diagnosis": _either(
            "主要诊断编码 主要诊断代码 主诊断编码 主诊断代码 出院主要诊断编码"
        ),
        "other_diagnoses": _either(
            "其他诊断编码{1..40} 其他诊断代码{1..40} 出院其他诊断编码{1..40} 其他诊断{1..40}编码 "
            "其他诊断编码 其他诊断代码 其他诊断"
        ),
        "principal_procedure": _either(
            "主要手术操作编码 主要手术操作代码 主要手术编码 主要手术代码 主手术编码 主手术代码"
        ),
        "other_procedures": _either(
            "其他手术操作编码{1..40} 其他手术操作代码{1..40} 其他手术编码{1..40} "
            "其他手术代码{1..40} "
            "其他手术操作编码 其他手术操作代码 其他手术编码 其他手术代码 其他手术"
        ),
        "sex": _either("性别 性别代码"),
        "age_years": _either("年龄 年龄(岁) 年龄(周岁) 周岁"),
        "age_days": _either("年龄不足1周岁的年龄(天) 不足一周岁年龄(天) 新生儿年龄(天) 日龄") + "?",
        "newborn_weight_g": _either("新生儿入院体重 新生儿入院体重(克) 新生儿入院体重(g)") + "?",
        "length_of_stay": _either("实际住院天数 住院天数") + "?",
        "leaving_way": _either("离院方式") + "?",
        "department": _either("出院科别 出院科室") + "?",
        "birth_weight_g": _either("新生儿出生体重 新生儿出生体重(克)") + "?",
        "front_page": {
            **_fee_headings(),
            "doctor_id": _either("主治医师 主治医师代码 主治医师工号 主治医生") + "?",
            "external_cause": _either(
                "损伤中毒外部原因编码 损伤、中毒的外部原因编码 损伤中毒的外部原因编码 "
                "损伤中毒外部原因代码 外部原因编码"
            )
            + "?",
            "pathology_code": _either("病理诊断编码 病理诊断代码") + "?",
            "principal_procedure_date": _either("主要手术操作日期 主要手术日期 主手术日期 手术日期")
            + "?",
            "other_procedure_dates": _either(
                "其他手术操作日期{1..40} 其他手术日期{1..40} 其他手术操作日期 其他手术日期"
            )
            + "?",
            "admission_condition": _either("主要诊断入院病情 入院病情") + "?",
            "patient_paid": _either("自付金额 个人自付金额 个人自付") + "?",
            "case_id": _either("病案号 住院号 就诊ID 结算ID") + "?",
            "hospital": _either("医疗机构代码 医疗机构 机构代码 医院名称") + "?",
            "birth_date": "出生日期?",
            "admission_date": _either("入院时间 入院日期") + "?",
            "discharge_date": _either("出院时间 出院日期") + "?",
            "total_cost": _either("总费用 住院总费用 医疗总费用") + "?",
        },
    },
    "settlement-list": _SETTLEMENT_LIST,
}
"""Name → parameters of `CaseMapping`."""

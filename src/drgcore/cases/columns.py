"""The canonical columns of a case, with meaning, unit and the official name of each."""

from __future__ import annotations

import pyarrow as pa


def _field(name: str, kind: pa.DataType, official: str, unit: str, meaning: str) -> pa.Field:
    return pa.field(
        name, kind, metadata={"official_name": official, "unit": unit, "meaning": meaning}
    )


CANONICAL_SCHEMA: pa.Schema = pa.schema(
    [
        _field(
            "principal_diagnosis",
            pa.string(),
            "ZYZD",
            "ICD-10 insurance version",
            "principal diagnosis (主要诊断)",
        ),
        _field(
            "other_diagnoses",
            pa.list_(pa.string()),
            "QTZD",
            "ICD-10 insurance version",
            "other diagnoses (其他诊断)",
        ),
        _field(
            "principal_procedure",
            pa.string(),
            "ZYSS",
            "ICD-9-CM-3 insurance version",
            "principal procedure (主要手术或操作)",
        ),
        _field(
            "other_procedures",
            pa.list_(pa.string()),
            "QTSS",
            "ICD-9-CM-3 insurance version",
            "other procedures (其他手术或操作)",
        ),
        _field("sex", pa.int8(), "XB", "1 male, 2 female", "sex (性别)"),
        _field("age_years", pa.int32(), "NL", "completed years", "age (年龄)"),
        _field(
            "age_days",
            pa.int32(),
            "XSRTL",
            "completed days",
            "age of a patient under one year (不足一周岁的年龄)",
        ),
        _field(
            "newborn_weight_g",
            pa.int32(),
            "XSRTZ",
            "grams",
            "newborn's weight on admission (新生儿入院体重)",
        ),
    ]
)
"""Arrow schema of a case in the canonical form.

Each field's metadata holds `official_name` (the name in the rules of the official workbook),
`unit` and `meaning`. Further columns (record number, hospital, cost) may stand beside these.

Examples
--------
>>> CANONICAL_SCHEMA.field("age_days").metadata[b"official_name"].decode()
'XSRTL'
"""

LOCAL_SCHEMA: pa.Schema = pa.schema(
    [
        _field(
            "length_of_stay", pa.int32(), "ZYTS", "completed days", "days in hospital (住院天数)"
        ),
        _field(
            "leaving_way",
            pa.int8(),
            "LYFS",
            "code of the front page, 1 to 9",
            "way of leaving (离院方式)",
        ),
        _field(
            "icu_hours",
            pa.int32(),
            "ICUSC",
            "completed hours",
            "time in intensive care (重症监护时长)",
        ),
        _field(
            "tcm_share",
            pa.float64(),
            "ZYZLZB",
            "share from 0 to 1",
            "Chinese medicine's share of the cost of treatment (中医治疗占比)",
        ),
        _field(
            "birth_weight_g",
            pa.int32(),
            "CSTZ",
            "grams",
            "newborn's weight at birth (新生儿出生体重)",
        ),
        _field("day_surgery", pa.bool_(), "RJSS", "yes or no", "day surgery (日间手术)"),
        _field("several_sites", pa.bool_(), "DBW", "yes or no", "several sites (多部位)"),
        _field("new_technique", pa.bool_(), "XJS", "yes or no", "new technique (新技术)"),
        _field("intensive_care", pa.bool_(), "ZZJH", "yes or no", "intensive care (重症监护)"),
        _field(
            "department",
            pa.string(),
            "CYKB",
            "code of the local scheme",
            "department of discharge (出院科别)",
        ),
    ]
)
"""Arrow schema of the columns that only local schemes ask for, with metadata as above.

Examples
--------
>>> LOCAL_SCHEMA.field("department").metadata[b"official_name"].decode()
'CYKB'
"""


def _texts(*fields: tuple[str, str, str, str]) -> list[pa.Field]:
    return [_field(name, pa.string(), *rest) for name, *rest in fields]


def _cost(name: str, official: str, meaning: str) -> pa.Field:
    return _field(f"cost_{name}", pa.float64(), official, "yuan", meaning)


FRONT_PAGE_COSTS: tuple[pa.Field, ...] = (
    _cost("general_service", "YLFUF", "general medical service (一般医疗服务费)"),
    _cost("general_treatment", "ZLCZF", "general treatment (一般治疗操作费)"),
    _cost("nursing", "HLF", "nursing (护理费)"),
    _cost("other_service", "QTFY", "other general service (综合医疗服务类其他费用)"),
    _cost("pathology", "BLZDF", "pathology (病理诊断费)"),
    _cost("laboratory", "SYSZDF", "laboratory (实验室诊断费)"),
    _cost("imaging", "YXXZDF", "imaging (影像学诊断费)"),
    _cost("clinical_diagnosis", "LCZDXMF", "clinical diagnosis (临床诊断项目费)"),
    _cost("nonsurgical", "FSSZLXMF", "non-surgical treatment (非手术治疗项目费)"),
    _cost("surgical", "SSZLF", "surgical treatment (手术治疗费)"),
    _cost("rehabilitation", "KFF", "rehabilitation (康复费)"),
    _cost("tcm", "ZYZLF", "Chinese medicine's treatment (中医治疗费)"),
    _cost("western_drugs", "XYF", "western drugs (西药费)"),
    _cost("patent_drugs", "ZCYF", "Chinese patent drugs (中成药费)"),
    _cost("herbs", "ZCYF1", "Chinese herbs (中草药费)"),
    _cost("blood", "XF", "blood (血费)"),
    _cost("albumin", "BDBLZPF", "albumin (白蛋白类制品费)"),
    _cost("globulin", "QDBLZPF", "globulin (球蛋白类制品费)"),
    _cost("clotting", "NXYZLZPF", "clotting factors (凝血因子类制品费)"),
    _cost("cytokines", "XBYZLZPF", "cytokines (细胞因子类制品费)"),
    _cost("material_examination", "HCYYCLF", "material of examination (检查用一次性医用材料费)"),
    _cost("material_treatment", "YYCLF", "material of treatment (治疗用一次性医用材料费)"),
    _cost("material_surgery", "YCXYYCLF", "material of surgery (手术用一次性医用材料费)"),
    _cost("other", "QTF", "other (其他费)"),
)
"""The cost items of the front page that add up to the total cost."""

FRONT_PAGE_PARTS: tuple[pa.Field, ...] = (
    _cost(
        "physical_therapy", "WLZLF", "physical therapy, part of the non-surgical (临床物理治疗费)"
    ),
    _cost("anaesthesia", "MAF", "anaesthesia, part of the surgical (麻醉费)"),
    _cost("operation", "SSF", "operation, part of the surgical (手术费)"),
    _cost("antibacterials", "KJYWF", "antibacterials, part of the western drugs (抗菌药物费用)"),
)
"""The cost items that are part of another one."""

FRONT_PAGE_SCHEMA: pa.Schema = pa.schema(
    [
        *_texts(
            ("case_id", "BAH", "", "id of the case (病案号)"),
            ("hospital", "YLJGDM", "", "hospital (医疗机构)"),
            ("patient_id", "", "", "id of the patient (患者标识)"),
            ("doctor_id", "ZZYS", "", "doctor in charge (主治医师)"),
            ("external_cause", "WBYY", "ICD-10", "external cause of injury (损伤中毒外部原因)"),
            ("pathology_code", "BLZDBM", "ICD-O", "pathology diagnosis (病理诊断编码)"),
        ),
        _field("birth_date", pa.date32(), "CSRQ", "day", "date of birth (出生日期)"),
        _field("admission_date", pa.date32(), "RYSJ", "day", "admission (入院时间)"),
        _field("discharge_date", pa.date32(), "CYSJ", "day", "discharge (出院时间)"),
        _field(
            "principal_procedure_date",
            pa.date32(),
            "SSJCZRQ1",
            "day",
            "date of the principal procedure (主要手术操作日期)",
        ),
        _field(
            "other_procedure_dates",
            pa.list_(pa.date32()),
            "SSJCZRQ2",
            "day",
            "dates of the other procedures, in their order (其他手术操作日期)",
        ),
        _field(
            "admission_condition",
            pa.int8(),
            "RYBQ",
            "1 present, 2 not certain, 3 unclear, 4 absent",
            "principal diagnosis at admission (主要诊断入院病情)",
        ),
        _field("total_cost", pa.float64(), "ZFY", "yuan", "total cost (总费用)"),
        _field("patient_paid", pa.float64(), "ZFJE", "yuan", "paid by the patient (自付金额)"),
        *FRONT_PAGE_COSTS,
        *FRONT_PAGE_PARTS,
        _field(
            "cost_categories",
            pa.list_(pa.float64()),
            "",
            "yuan",
            "categories of fees that add up to the total cost (费用分类)",
        ),
    ]
)
"""Arrow schema of the columns of the front page that only checks ask for, with metadata as above.

Examples
--------
>>> FRONT_PAGE_SCHEMA.field("birth_date").metadata[b"meaning"].decode()
'date of birth (出生日期)'
"""

NAMED_COLUMNS = (
    *("hospital_level", "pool", "unreasonable_cost", "refused_amount", "violation"),
    *("capitation_unit", "list_item", "scheme", "mdc", "adrg", "drg", "status", "case_class"),
    *("points", "decision", "kind", "kappa", "relative_weight", "month", "value"),
    *("severity", "pre_admission_cost", "outpatient_cost"),
)
"""Columns of grouped cases and side tables that a mapping file can name, as it names codes."""

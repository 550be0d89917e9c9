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

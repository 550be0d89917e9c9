"""Mappings find their columns, or say which ones they did not find and what is near."""

from __future__ import annotations

import dataclasses

import pyarrow as pa
import pytest

from drgcore.cases import CANONICAL_SCHEMA, LOCAL_SCHEMA, CaseMapping
from drgcore.errors import CaseSchemaError

HQMS = ["A12C", "A14", "A16", "A17", "C03C", "C06x01C", "C06x02C", "C14x01C", "C35x01C"]
CANONICAL = CaseMapping.preset("canonical")


def schema_of(names, **other):
    return pa.schema([(name, other.get(name, pa.string())) for name in names])


def canonical_with(**types):
    schema = CANONICAL_SCHEMA
    for name, kind in types.items():
        schema = schema.set(schema.get_field_index(name), pa.field(name, kind))
    return schema


def test_canonical_schema_resolves_to_itself():
    resolved = CANONICAL.resolve(CANONICAL_SCHEMA)
    assert sorted(resolved.columns()) == sorted(CANONICAL_SCHEMA.names)
    assert resolved.code_columns() == (
        "principal_diagnosis",
        "principal_procedure",
        "other_diagnoses.list.element",
        "other_procedures.list.element",
    )
    for field in CANONICAL_SCHEMA:
        assert set(field.metadata) == {b"official_name", b"unit", b"meaning"}


@pytest.mark.parametrize(
    "spell",
    [str, str.upper, str.lower, " {} ".format, "\ufeff{}".format],
    ids=["exact", "upper", "lower", "spaces", "bom"],
)
def test_hqms_names_in_whatever_spelling(spell):
    resolved = CaseMapping.preset("hqms").resolve(schema_of([spell(name) for name in HQMS]))
    assert resolved.principal_diagnosis == spell("C03C")
    assert resolved.other_diagnoses.shape == "numbered"
    assert resolved.other_diagnoses.names == (spell("C06x01C"), spell("C06x02C"))
    assert resolved.code_columns() == tuple(
        spell(n) for n in ("C03C", "C14x01C", "C06x01C", "C06x02C", "C35x01C")
    )


def test_numbered_columns_are_in_the_order_of_their_numbers():
    names = [*HQMS, "C06x40C", "C06x10C", "C06x41C"]
    resolved = CaseMapping.preset("hqms").resolve(schema_of(reversed(names)))
    assert resolved.other_diagnoses.names == ("C06x01C", "C06x02C", "C06x10C", "C06x40C")


def test_the_exact_name_wins_and_an_ambiguous_one_is_an_error():
    hqms = CaseMapping.preset("hqms")
    assert hqms.resolve(schema_of([*HQMS, "c03c"])).principal_diagnosis == "C03C"
    names = [name for name in HQMS if name != "C03C"]
    with pytest.raises(CaseSchemaError, match=r"'C03C' is ambiguous.*'c03C', 'C03c'"):
        hqms.resolve(schema_of([*names, "c03C", "C03c"]))
    with pytest.raises(CaseSchemaError, match="'C03C' is ambiguous"):
        hqms.resolve(pa.schema([*schema_of(HQMS), ("C03C", pa.string())]))


def test_every_missing_column_is_named_with_its_neighbours():
    names = ["principal_diagnose", "other_diagnoses", "principal_procedure", "gender", "age_years"]
    with pytest.raises(CaseSchemaError) as caught:
        CANONICAL.resolve(schema_of(names))
    text = str(caught.value)
    assert "principal_diagnosis: 'principal_diagnosis' (nearest: 'principal_diagnose'" in text
    assert "other_procedures" in text
    assert "sex: 'sex' (nearest: none alike)" in text
    assert "age_days" not in text
    assert "from_file" in text
    assert "'gender'" in text


def test_a_wide_table_is_not_listed_whole():
    with pytest.raises(CaseSchemaError, match="'col19' and 30 more"):
        CANONICAL.resolve(schema_of([f"col{i}" for i in range(50)]))


def test_optional_columns_may_be_absent_and_others_not():
    names = [name for name in HQMS if name not in ("A16", "A17")]
    hqms = CaseMapping.preset("hqms")
    resolved = hqms.resolve(schema_of(names))
    assert (resolved.age_days, resolved.newborn_weight_g) == (None, None)
    with pytest.raises(CaseSchemaError, match="age_days: 'A16'"):
        dataclasses.replace(hqms, age_days="A16").resolve(schema_of(names))
    with pytest.raises(CaseSchemaError, match=r"other_procedures: 'C35x\{01\.\.40\}C'"):
        hqms.resolve(schema_of([name for name in names if name != "C35x01C"]))
    none = dataclasses.replace(hqms, other_procedures=None, principal_procedure=None)
    resolved = none.resolve(schema_of(names[:-2]))
    assert resolved.principal_procedure is None
    assert resolved.other_procedures.shape == "none"


LOCAL = {f.name: f.type for f in LOCAL_SCHEMA}


def test_a_local_column_is_looked_for_only_where_it_is_asked_for():
    # Under the name of a local column a file may hold whatever it likes.
    strange = pa.schema([*CANONICAL_SCHEMA, *((name, pa.list_(pa.bool_())) for name in LOCAL)])
    resolved = CANONICAL.resolve(strange)
    assert resolved.local == {}
    assert sorted(resolved.columns()) == sorted(CANONICAL_SCHEMA.names)
    schema = pa.schema([*CANONICAL_SCHEMA, *LOCAL_SCHEMA])
    resolved = CANONICAL.resolve(schema, ["icu_hours", "department"])
    assert resolved.local == {"icu_hours": "icu_hours", "department": "department"}
    assert set(resolved.columns()) - set(CANONICAL_SCHEMA.names) == {"icu_hours", "department"}
    assert resolved.code_columns()[-1] == "department"
    for name in LOCAL:
        with pytest.raises(CaseSchemaError, match=f"{name}: column '{name}' is list"):
            CANONICAL.resolve(strange, [name])


def test_a_local_column_that_is_asked_for_must_be_there():
    with pytest.raises(CaseSchemaError) as caught:
        CANONICAL.resolve(CANONICAL_SCHEMA, ["length_of_stay", "department"])
    text = str(caught.value)
    assert "length_of_stay: 'length_of_stay' (nearest: none alike)" in text
    assert "rules of the scheme ask for it (ZYTS)" in text
    assert "rules of the scheme ask for it (CYKB)" in text
    assert "from_file" in text
    unmapped = dataclasses.replace(CANONICAL, leaving_way=None)
    with pytest.raises(CaseSchemaError, match=r"leaving_way: the mapping names no column.*LYFS"):
        unmapped.resolve(pa.schema([*CANONICAL_SCHEMA, *LOCAL_SCHEMA]), ["leaving_way"])


def test_local_columns_of_an_hqms_export():
    hqms = CaseMapping.preset("hqms")
    schema = schema_of([*HQMS, "b20", "B34C", "B16C"], b20=pa.float64())
    resolved = hqms.resolve(schema, ["length_of_stay", "leaving_way", "department"])
    assert resolved.local == {
        "length_of_stay": "b20",
        "leaving_way": "B34C",
        "department": "B16C",
    }
    with pytest.raises(CaseSchemaError, match="icu_hours: the mapping names no column"):
        hqms.resolve(schema, ["icu_hours"])


def test_departments_are_text_but_a_column_without_any_may_be_floating():
    schema = pa.schema([*CANONICAL_SCHEMA, ("department", pa.int64())])
    with pytest.raises(CaseSchemaError, match=r"department.*int64; accepted: string"):
        CANONICAL.resolve(schema, ["department"])
    empty = pa.schema([*CANONICAL_SCHEMA, ("department", pa.float64())])
    assert CANONICAL.resolve(empty, ["department"]).local == {"department": "department"}


@pytest.mark.parametrize(
    ("types", "message"),
    [
        ({"principal_diagnosis": pa.float64()}, "principal_diagnosis.* is double; accepted: str"),
        ({"principal_procedure": pa.int64()}, "principal_procedure.* is int64"),
        ({"sex": pa.list_(pa.int8())}, "sex.*list.*accepted: integer"),
        ({"sex": pa.bool_()}, "sex.*bool"),
        ({"age_years": pa.timestamp("s")}, "age_years.*timestamp"),
        ({"other_diagnoses": pa.list_(pa.struct([("a", pa.string())]))}, "other_diagnoses.*struct"),
        ({"other_diagnoses": pa.list_(pa.int64())}, "other_diagnoses.*int64"),
        ({"other_procedures": pa.int64()}, "other_procedures.*int64.*list of strings"),
    ],
)
def test_wrong_types_are_named(types, message):
    with pytest.raises(CaseSchemaError, match=message):
        CANONICAL.resolve(canonical_with(**types))


def test_all_wrong_types_are_named_at_once():
    with pytest.raises(CaseSchemaError, match=r"(?s)principal_diagnosis.*sex"):
        CANONICAL.resolve(canonical_with(sex=pa.date32(), principal_diagnosis=pa.date32()))


def test_wrong_type_of_a_numbered_column():
    names = dict.fromkeys(["C06x02C"], pa.int64())
    with pytest.raises(CaseSchemaError, match="'C06x02C' is int64"):
        CaseMapping.preset("hqms").resolve(schema_of(HQMS, **names))


def test_one_column_cannot_be_two():
    with pytest.raises(CaseSchemaError, match="'sex' is mapped to sex too"):
        dataclasses.replace(CANONICAL, age_years="sex").resolve(CANONICAL_SCHEMA)


def test_a_tuple_names_columns_all_of_which_must_be_there():
    mapping = dataclasses.replace(CANONICAL, other_diagnoses=("d2", "d1"))
    schema = pa.schema([*CANONICAL_SCHEMA, ("d1", pa.null()), ("D2", pa.string())])
    assert mapping.resolve(schema).other_diagnoses.names == ("D2", "d1")
    with pytest.raises(CaseSchemaError, match="other_diagnoses: 'd3'"):
        dataclasses.replace(CANONICAL, other_diagnoses=("d1", "d3")).resolve(schema)


def test_canonical_takes_numbered_columns_and_alternatives():
    index = CANONICAL_SCHEMA.get_field_index("other_diagnoses")
    numbered = CANONICAL_SCHEMA.remove(index).append(pa.field("other_diagnosis_2", pa.string()))
    resolved = CANONICAL.resolve(numbered)
    assert (resolved.other_diagnoses.shape, resolved.other_diagnoses.names) == (
        "numbered",
        ("other_diagnosis_2",),
    )
    renamed = CANONICAL_SCHEMA.set(4, pa.field("性别", pa.string()))
    assert dataclasses.replace(CANONICAL, sex="sex or 性别").resolve(renamed).sex == "性别"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sex": None}, "sex must name a column"),
        ({"sex": ""}, "sex must be a column's name"),
        ({"sex": 3}, "sex must be a column's name"),
        ({"sex": "A12C?"}, "cannot be optional"),
        ({"other_diagnoses": ()}, "or several"),
        ({"other_diagnoses": "C{5..1}"}, "no pattern of numbered columns"),
        ({"other_diagnoses": "C{1..2}{1..2}"}, "no pattern of numbered columns"),
        ({"separator": ""}, "separator"),
    ],
)
def test_a_mapping_is_checked_when_it_is_made(change, message):
    with pytest.raises(CaseSchemaError, match=message):
        dataclasses.replace(CANONICAL, **change)


def test_unknown_preset():
    with pytest.raises(CaseSchemaError, match=r"(?s)'hqm'.*canonical, hqms"):
        CaseMapping.preset("hqm")


def test_mapping_file(tmp_path):
    path = tmp_path / "mapping.toml"
    path.write_text(
        '\ufeffpreset = "hqms"\nother_diagnoses = ["d1", "d2"]\nage_days = ""\nseparator = ";"\n',
        encoding="utf-8",
    )
    hqms = CaseMapping.preset("hqms")
    assert CaseMapping.from_file(path) == dataclasses.replace(
        hqms, other_diagnoses=("d1", "d2"), age_days=None, separator=";"
    )


def test_mapping_file_without_preset_equals_the_mapping_it_spells_out(tmp_path):
    path = tmp_path / "mapping.toml"
    entries = dataclasses.asdict(CANONICAL)
    entries |= entries.pop("front_page") | entries.pop("others")
    text = "".join(f'{key} = "{value}"\n' for key, value in entries.items() if value)
    path.write_text(text, encoding="utf-8")
    assert CaseMapping.from_file(str(path)) == CANONICAL


def test_a_mapping_file_of_before_there_were_local_columns(tmp_path):
    path = tmp_path / "mapping.toml"
    local = LOCAL_SCHEMA.names
    beside = [*local, "front_page", "others"]
    entries = [(k, v) for k, v in dataclasses.asdict(CANONICAL).items() if v and k not in beside]
    path.write_text("".join(f'{key} = "{value}"\n' for key, value in entries), encoding="utf-8")
    old = CaseMapping.from_file(path)
    assert old == dataclasses.replace(CANONICAL, **dict.fromkeys(local))
    path.write_text('preset = "hqms"\nicu_hours = "ICU时长"\ndepartment = ""', encoding="utf-8")
    changed = CaseMapping.from_file(path)
    assert (changed.icu_hours, changed.department, changed.leaving_way) == (
        "ICU时长",
        None,
        "B34C?",
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'preset = "hqms"\nsexx = "a"', r"(?s)unknown key 'sexx'.*Did you mean sex\?"),
        (b'preset = "hqms"\nsex = 3', "sex must be"),
        (b'preset = "hqms"\nsex = ""', "sex must be"),
        (b'preset = "x"', "no mapping preset 'x'"),
        (b'sex = "a"', "lacks principal_diagnosis"),
        (b"sex = \npreset = 1", "no TOML.*line 1"),
        ("sex = '性别'".encode("gb18030"), "not UTF-8"),
    ],
)
def test_wrong_mapping_files(tmp_path, content, message):
    path = tmp_path / "mapping.toml"
    path.write_bytes(content)
    with pytest.raises(CaseSchemaError, match=message):
        CaseMapping.from_file(path)


def test_absent_mapping_file(tmp_path):
    with pytest.raises(CaseSchemaError, match=r"absent\.toml"):
        CaseMapping.from_file(tmp_path / "absent.toml")


def test_a_file_names_columns_of_a_settlement_beside_those_of_codes(tmp_path):
    path = tmp_path / "mapping.toml"
    path.write_text(
        'total_cost = "总费用"\npool = ""\n[columns]\naccident = "外伤"\n', encoding="utf-8"
    )
    mapping = CaseMapping.from_file(path)
    named = dataclasses.replace(mapping, others={}, front_page=CANONICAL.front_page)
    assert named == CANONICAL
    assert mapping.others == {"accident": "外伤"}
    assert mapping.front_page["total_cost"] == "总费用"
    path.write_text('preset = "hqms"\ndischarge_dat = "B15"\n', encoding="utf-8")
    with pytest.raises(CaseSchemaError, match="unknown key 'discharge_dat'") as caught:
        CaseMapping.from_file(path)
    assert "discharge_date" in str(caught.value.hint)

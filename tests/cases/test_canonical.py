"""Codes, sex and age of grouped cases, from every shape under canonical names."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest

from drgcore.cases import CaseMapping
from drgcore.cases.canonical import with_canonical_codes
from drgcore.errors import CaseSchemaError

BASE = {"sex": ["1", "2", "1"], "age_years": ["65岁", None, "?"]}
SHAPES = {
    "list": {"other_diagnoses": [["E11.900", " I50.900 "], None, ["", None]]},
    "joined": {"other_diagnoses": ["E11.900|I50.900", None, ""]},
    "numbered": {
        "other_diagnosis_1": ["E11.900", None, ""],
        "other_diagnosis_2": ["", None, None],
        "other_diagnosis_3": ["I50.900", " ", None],
    },
}


@pytest.mark.parametrize("shape", list(SHAPES))
@pytest.mark.parametrize("chunked", [False, True])
def test_every_shape_gives_the_same_lists(shape: str, chunked: bool) -> None:
    table = pa.table(
        {
            "principal_diagnosis": ["I10.x00", "K80.101", None],
            "principal_procedure": [None, "51.2300", None],
            "other_procedures": [None, [], ["00.0100"]],
            **BASE,
            **SHAPES[shape],
        }
    )
    if chunked:
        table = pa.concat_tables([table.slice(0, 1), table.slice(1)])
    found = with_canonical_codes(table, CaseMapping.preset("canonical"))
    assert found.column("other_diagnoses").to_pylist() == [["E11.900", "I50.900"], [], []]
    assert found.column("other_procedures").to_pylist() == [[], [], ["00.0100"]]
    assert found.column("principal_procedure").to_pylist() == [None, "51.2300", None]
    assert found.column("age_years").to_pylist() == [65, None, None]


def test_the_first_of_all_codes_is_the_principal_one() -> None:
    mapping = replace(
        CaseMapping.preset("canonical"),
        principal_diagnosis=None,
        other_diagnoses=None,
        diagnoses="all",
    )
    table = pa.table(
        {
            "all": ["I10.x00|E11.900", "", "K80.101"],
            "principal_procedure": pa.nulls(3, pa.string()),
            "other_procedures": pa.nulls(3, pa.string()),
            **BASE,
        }
    )
    found = with_canonical_codes(table, mapping)
    assert found.column("principal_diagnosis").to_pylist() == ["I10.x00", None, "K80.101"]
    assert found.column("other_diagnoses").to_pylist() == [["E11.900"], [], []]


def test_columns_that_are_not_there_are_named() -> None:
    with pytest.raises(CaseSchemaError, match="principal_diagnosis"):
        with_canonical_codes(pa.table(BASE), CaseMapping.preset("canonical"))

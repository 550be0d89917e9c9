"""Faults: as many as asked for, of every kind, and each does to a case what it should."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from drgcore.cases import CANONICAL_SCHEMA
from drgcore.grouper import group
from drgcore.synthetic import sample_cases
from drgcore.synthetic.sample import SAMPLE_SCHEMA

from .conftest import ROWS

Row = dict[str, Any]

# Kind of fault → what may become of the case. "same" is what the clean case is.
OUTCOMES = {
    "principal diagnosis absent": {"principal_diagnosis_missing"},
    "principal diagnosis no code": {"principal_diagnosis_unknown"},
    "principal diagnosis lower case": {"same"},
    "principal diagnosis full width": {"same"},
    "principal diagnosis in blanks": {"same"},
    "other diagnoses repeated": {"same"},
    "other diagnoses with blanks": {"same"},
    "other diagnoses with no code": {"same"},
    "principal procedure a dash": {"same", "another group"},
    "other procedures with no code": {"same"},
    "sex absent": {"sex_missing"},
    "sex 9": {"sex_missing"},
    "sex 3": {"sex_invalid"},
    # An infant whose age stands in days as well is still known to be 0 years old.
    "age absent": {"age_missing", "same"},
    "age 999": {"age_invalid"},
    "age -1": {"age_invalid"},
    "age in days absent": {"age_days_missing"},
    "weight absent": {"same", "newborn_weight_missing", "another group"},
}


def kind_of(before: Row, after: Row) -> str | None:
    """Which fault a row got; None where nothing can be seen of it."""
    changed = [name for name in before if before[name] != after[name]]
    assert len(changed) <= 1, changed
    if not changed:
        return None
    old, new = before[changed[0]], after[changed[0]]
    match changed[0]:
        case "principal_diagnosis":
            return f"principal diagnosis {_principal(old, new)}"
        case "other_diagnoses":
            if new == old + old:
                return "other diagnoses repeated"
            if new == [*old, None, "", "-"]:
                return "other diagnoses with blanks"
            return "other diagnoses with no code" if new == [*old, "A00.999x999"] else "?"
        case "principal_procedure":
            return "principal procedure a dash" if new == "-" else "?"
        case "other_procedures":
            return "other procedures with no code" if new == [*old, "99.9999x999"] else "?"
        case "sex" | "age_years" as name:
            return f"{name.removesuffix('_years')} {'absent' if new is None else new}"
        case "age_days" if new is None:
            return "age in days absent"
        case "newborn_weight_g" if new is None:
            return "weight absent"
    return "?"


def _principal(old: str, new: str | None) -> str:
    if new is None:
        return "absent"
    if new == "Z99.999x999":
        return "no code"
    if new == old.lower():
        return "lower case"
    if new.strip() == old:
        return "in blanks"
    return "full width" if unicodedata.normalize("NFKC", new) == old else "?"


@pytest.fixture(scope="module")
def kinds(clean: pa.Table, soiled: pa.Table) -> list[str | None]:
    """The fault of each row of the soiled sample."""
    names = CANONICAL_SCHEMA.names
    pairs = zip(clean.select(names).to_pylist(), soiled.select(names).to_pylist(), strict=True)
    return [kind_of(before, after) for before, after in pairs]


def test_every_fault_occurs_about_as_often(kinds: list[str | None]) -> None:
    counts = Counter(kinds)
    hidden = counts.pop(None)
    assert set(counts) == set(OUTCOMES)
    # A fault cannot be seen where the cell was as empty before.
    assert hidden < 0.15 * ROWS
    rare = {"age in days absent", "weight absent"}
    for kind, count in counts.items():
        assert count <= 1.2 * ROWS / len(OUTCOMES)
        assert count >= (1 if kind in rare else 0.8 * ROWS / len(OUTCOMES))


def test_nothing_but_the_cases_own_columns_is_soiled(clean: pa.Table, soiled: pa.Table) -> None:
    others = [name for name in SAMPLE_SCHEMA.names if name not in CANONICAL_SCHEMA.names]
    assert "total_cost" in others
    assert clean.select(others).equals(soiled.select(others))


def test_each_fault_does_what_it_should(
    clean: pa.Table, soiled: pa.Table, kinds: list[str | None]
) -> None:
    columns = ["mdc", "adrg", "drg", "status", "reason", "severity"]
    before, after = (
        group(table, columns=[]).select(columns).to_pylist() for table in (clean, soiled)
    )
    seen = defaultdict(set)
    for kind, old, new in zip(kinds, before, after, strict=True):
        if new == old:
            seen[kind].add("same")
        elif new["status"] == "invalid":
            assert new["drg"] is None
            seen[kind].add(new["reason"])
        else:
            seen[kind].add("another group")
    assert seen.pop(None) == {"same"}
    for kind, outcomes in OUTCOMES.items():
        assert seen[kind] <= outcomes, kind
    assert "another group" in seen["principal procedure a dash"]
    assert "newborn_weight_missing" in seen["weight absent"]


@pytest.mark.parametrize("share", [0.02, 0.3])
def test_the_share_of_faults_is_about_the_one_asked_for(clean: pa.Table, share: float) -> None:
    dirty = sample_cases(ROWS, seed=5, dirty=share)
    names = CANONICAL_SCHEMA.names
    pairs = zip(clean.select(names).to_pylist(), dirty.select(names).to_pylist(), strict=True)
    faults = np.mean([before != after for before, after in pairs])
    # A tenth of the faults falls on cells that look the same with it.
    assert 0.8 * share < faults < 1.0 * share
    statuses = Counter(group(dirty, columns=[])["status"].to_pylist())
    assert 0.3 * share < statuses["invalid"] / ROWS < 0.6 * share
    assert Counter(group(clean, columns=[])["status"].to_pylist())["invalid"] == 0

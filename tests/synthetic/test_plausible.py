"""A clean sample is clean to the front-page checks, and the faults of a soiled one are found."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from drgcore.checks import check_cases
from drgcore.grouper import group
from drgcore.schemes.lists import code_lists

from .conftest import ROWS


def faulty(cases: pa.Table, level: str) -> set[int]:
    """The rows with a finding of that level."""
    findings = check_cases(cases).findings
    found = findings.filter(pc.equal(findings["level"].cast(pa.string()), level))
    return set(found["row"].to_pylist())


def test_hardly_a_clean_case_has_an_error_or_a_warning(clean: pa.Table) -> None:
    assert len(faulty(clean, "error")) < 0.003 * ROWS
    assert len(faulty(clean, "warning")) < 0.03 * ROWS


def test_no_gray_code_is_drawn_and_few_codes_that_are_no_principal_diagnosis(
    clean: pa.Table,
) -> None:
    lists = code_lists("chs-drg-3.0")
    for column, gray in (
        ("other_diagnoses", lists.gray_diagnoses),
        ("other_procedures", lists.gray_procedures),
    ):
        codes = Counter(clean[column].combine_chunks().flatten().to_pylist())
        assert sum(codes[code] for code in gray) < 0.0005 * ROWS
    principal = Counter(clean["principal_diagnosis"].to_pylist())
    assert sum(principal[code] for code in lists.no_principal_diagnosis) < 0.0005 * ROWS


def test_mothers_are_women_of_an_age_to_be(clean: pa.Table) -> None:
    mdc = group(clean, columns=[])["mdc"].cast(pa.string())
    mothers = clean.filter(pc.equal(mdc, "MDCO"))
    assert len(mothers) > 0.01 * ROWS
    assert np.mean(mothers["sex"].to_numpy() == 2) > 0.99
    ages = mothers["age_years"].to_numpy()
    # The checks ask for an age with codes of pregnancy (O), not with those of contacts (Z).
    assert np.mean((ages >= 10) & (ages <= 60)) > 0.95
    pregnant = pc.starts_with(mothers["principal_diagnosis"], "O").to_numpy()
    assert np.all((ages[pregnant] >= 10) & (ages[pregnant] <= 60))


def test_faults_that_are_none_after_reading_apart_each_is_found(
    clean: pa.Table, soiled: pa.Table
) -> None:
    known = faulty(clean, "error")
    found = faulty(soiled, "error") - known
    for column, bad in (
        ("sex", lambda value: value in (None, 3, 9)),
        ("principal_diagnosis", lambda value: value in (None, "Z99.999x999")),
        ("age_years", lambda value: value in (-1, 999)),
    ):
        rows = {i for i, value in enumerate(soiled[column].to_pylist(), 1) if bad(value)}
        assert len(rows) > 0.01 * ROWS
        assert rows - known <= found, column
    warned = faulty(soiled, "warning")
    for column, unknown in (
        ("other_diagnoses", "A00.999x999"),
        ("other_procedures", "99.9999x999"),
    ):
        lists = soiled[column].to_pylist()
        rows = {i for i, codes in enumerate(lists, 1) if unknown in (codes or ())}
        assert len(rows) > 0.01 * ROWS
        assert rows <= warned, column

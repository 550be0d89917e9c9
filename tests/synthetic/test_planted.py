"""What is planted is where it is said to be, and an audit finds it."""

from __future__ import annotations

import pyarrow as pa
import pytest

import drgcore
from drgcore.synthetic.planted import PLANTED, plant


@pytest.fixture(scope="module")
def grouped() -> pa.Table:
    return drgcore.group(drgcore.sample_cases(20_000, seed=3, hospitals=20))


@pytest.mark.parametrize("kind", list(PLANTED))
def test_planted_rows_are_of_the_units(grouped: pa.Table, kind: str) -> None:
    found = plant(grouped, kind, units=2, seed=1)
    unit = "doctor_id" if kind == "copied_lists" else "hospital"
    assert set(found.cases.take(found.rows)[unit].to_pylist()) <= found.units
    assert (len(found.rows) > 0) == (kind != "refusal")


@pytest.mark.parametrize(
    "kind", ["split_stays", "shifted", "mismatch", "copied_lists", "upcoding", "rise"]
)
def test_an_audit_finds_it(grouped: pa.Table, kind: str) -> None:
    # A small region: more of it than a large one needs.
    made = plant(grouped, kind, units=2, seed=1, share=0.3)
    found = drgcore.audit_cases(made.cases, [kind], past=made.past)
    unit = "doctor_id" if kind == "copied_lists" else "hospital"
    units = set(found.units[found.units["is_signal"]][unit])
    assert made.units & units
    listed = set((found.cases["row"] - 1).tolist())
    assert len(listed & set(made.rows.tolist())) > 0.3 * len(made.rows)
    if kind == "upcoding":
        cases = found.cases
        assert cases["code_observed"].notna().equals(cases["code"].notna())
        first = cases[cases["code_chance"] <= 0.05]
        right = (first["row"] - 1).isin(made.rows)
        assert right.mean() > 0.8
        assert right.sum() > 0.3 * len(made.rows)


def test_what_cannot_be_planted_is_named(grouped: pa.Table) -> None:
    with pytest.raises(drgcore.DrgcoreError, match="cannot be planted"):
        plant(grouped, "theft")

"""Overlays: what is cut from a scheme and laid on its base again is the scheme."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drgcore.errors import SchemeError
from drgcore.schemes import diff_schemes
from drgcore.schemes.compile import content_digest
from drgcore.schemes.model import TABLE_SCHEMAS
from drgcore.schemes.overlay import ADD, CHANGE, KEYED, cut_overlay, lay_on

from .conftest import SMALL, Rows, make_scheme

_RULES = ["", "1", "XB = 1", "XB=1", "(XB = 1)", "ZYZD in DI_A", "zyzd IN DI_A"]
_TEXTS = ["", "甲", "乙", "a b"]


def _table(name: str) -> st.SearchStrategy[list[list[object]]]:
    columns = {
        "code": st.sampled_from(["A", "B", "C", "A B", "B C"]),
        "rule": st.sampled_from(_RULES),
        "sort": st.integers(0, 2),
        "set_id": st.sampled_from(["A", "A B", "S"]),
    }
    row = st.tuples(*(columns.get(c, st.sampled_from(_TEXTS)) for c in TABLE_SCHEMAS[name].names))
    key = (lambda r: r[0]) if name in KEYED else (lambda r: r)
    return st.lists(row.map(list), max_size=5, unique_by=lambda r: key(tuple(r)))


schemes: st.SearchStrategy[Rows] = st.fixed_dictionaries(
    {name: _table(name) for name in TABLE_SCHEMAS}
)


def _sorted(tables: Mapping[str, pa.Table]) -> dict[str, list[tuple[object, ...]]]:
    return {
        name: sorted(zip(*(c.to_pylist() for c in table.columns), strict=True))
        for name, table in tables.items()
    }


@given(schemes, schemes)
def test_an_overlay_on_its_base_is_the_scheme(a: Rows, b: Rows) -> None:
    base, target = make_scheme(a).tables, make_scheme(b).tables
    overlay = cut_overlay(target, base)
    laid = lay_on(base, overlay)
    assert _sorted(laid) == _sorted(target)
    assert all(laid[name].schema == schema for name, schema in TABLE_SCHEMAS.items())
    assert content_digest(laid) == content_digest(target)
    assert all(table.num_rows for table in overlay.values())


@given(schemes)
def test_an_overlay_of_a_scheme_on_itself_is_empty(rows: Rows) -> None:
    tables = make_scheme(rows).tables
    assert cut_overlay(tables, tables) == {}


@given(schemes, schemes)
def test_the_comparison_the_other_way_is_the_inverse(a: Rows, b: Rows) -> None:
    there, back = (
        diff_schemes(make_scheme(x, "x"), make_scheme(y, "y")) for x, y in [(a, b), (b, a)]
    )
    opposite = {"added": "removed", "removed": "added", "changed": "changed"}
    for table in KEYED:
        assert [
            (r.code, opposite[r.kind], [(f.field, f.after, f.before) for f in r.fields])
            for r in there.rows[table]
        ] == [
            (r.code, r.kind, [(f.field, f.before, f.after) for f in r.fields])
            for r in back.rows[table]
        ]
    for table in ("sets", "exclusions"):
        assert [(m.set_id, opposite[m.kind], m.removed, m.added) for m in there.members[table]] == [
            (m.set_id, m.kind, m.added, m.removed) for m in back.members[table]
        ]


@given(schemes, schemes)
def test_a_comparison_finds_what_an_overlay_holds(a: Rows, b: Rows) -> None:
    before, after = make_scheme(a), make_scheme(b)
    overlay, diff = cut_overlay(after.tables, before.tables), diff_schemes(before, after)
    for table in KEYED:
        coming = {r.code for r in diff.rows[table] if r.kind != "removed"}
        changes = overlay.get(table)
        rows = [] if changes is None else changes.to_pylist()
        written = {row["code"] for row in rows if row[CHANGE] == ADD}
        # Another spelling of the same rule is a row of the overlay, but no change.
        assert coming <= written
        old = {row[0]: row for row in a[table]}
        new = {row[0]: row for row in b[table]}
        for code in written - coming:
            differing = {
                i for i, (x, y) in enumerate(zip(old[code], new[code], strict=True)) if x != y
            }
            assert differing == {TABLE_SCHEMAS[table].get_field_index("rule")}
    for table in ("sets", "exclusions"):
        codes = sum(len(m.added) + len(m.removed) for m in diff.members[table])
        assert codes == (overlay[table].num_rows if table in overlay else 0)


def test_an_overlay_holds_only_the_differing_rows(rows: Rows) -> None:
    base = make_scheme(SMALL).tables
    rows["drg"][1][1] = "开颅术，伴极重并发症"
    rows["drg"][2:4] = [["BB19", "开颅术", "", "BB1", "MDCB", 2]]
    rows["sets"].remove(["OP_BB1", "01.2500"])
    overlay = cut_overlay(make_scheme(rows).tables, base)
    assert {t: [(r["code"], r[CHANGE]) for r in c.to_pylist()] for t, c in overlay.items()} == {
        "drg": [("BB11", "+"), ("BB19", "+"), ("BB13", "-"), ("BB15", "-")],
        "sets": [("01.2500", "-")],
    }


def test_an_overlay_that_removes_what_is_not_there_is_refused(rows: Rows) -> None:
    base = make_scheme(SMALL).tables
    del rows["sets"][0]
    target = make_scheme(rows).tables
    overlay = cut_overlay(target, base)
    with pytest.raises(SchemeError, match="removes rows of sets that its base does not have"):
        lay_on(target, overlay)

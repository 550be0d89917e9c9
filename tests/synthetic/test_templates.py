"""Every template falls into its group, and every group that can be reached has templates."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pyarrow as pa
import pytest

from drgcore.cases import CANONICAL_SCHEMA, FIRST_CODE
from drgcore.grouper import cover, group
from drgcore.grouper.coverage import group_drafts, plain_case
from drgcore.schemes import GroupKind, list_schemes, load_scheme
from drgcore.schemes.rules import Count, Member, atoms
from drgcore.synthetic.region import region_of
from drgcore.synthetic.templates import Templates, templates_of

# Of the local versions one on each base.
SCHEMES = [
    *(info.name for info in list_schemes() if info.base is None),
    "wuhan-2022",
    "suzhou-2023",
]


def as_table(templates: Templates) -> pa.Table:
    """The templates as text, which goes the whole way that a user's cases go."""
    rows = [asdict(plain_case(templates.tables, draft)) for draft in templates.drafts]
    return pa.Table.from_pylist(rows, schema=CANONICAL_SCHEMA)


@pytest.mark.parametrize("name", SCHEMES)
def test_templates_reach_their_own_groups_and_all_that_can_be_reached(name: str) -> None:
    scheme = load_scheme(name)
    templates = templates_of(scheme)
    codes = np.array(templates.tables.drg_codes)
    own = codes[templates.drg]
    found = group(as_table(templates), scheme, columns=[])["drg"]
    assert found.cast(pa.string()).to_pylist() == own.tolist()
    # Each number may be varied up to its top.
    highest = [
        type(draft)(
            draft.principal_diagnosis,
            draft.other_diagnoses,
            draft.principal_procedure,
            draft.other_procedures,
            draft.sex,
            *map(int, tops),
        )
        for draft, *tops in zip(
            templates.drafts,
            templates.age_top,
            templates.days_top,
            templates.weight_top,
            strict=True,
        )
    ]
    assert group_drafts(templates.tables, highest).drg.tolist() == templates.drg.tolist()
    assert set(own) == set(cover(scheme).witnesses)


def test_templates_lie_group_by_group() -> None:
    templates = templates_of(load_scheme("chs-drg-1.1"))
    assert templates.count.min() >= 1
    assert templates.count.sum() == len(templates.drafts)
    spans = zip(templates.groups, templates.first, templates.count, strict=True)
    for drg, first, count in spans:
        assert set(templates.drg[first : first + count].tolist()) == {drg}


@pytest.mark.parametrize("name", ["chs-drg-3.0", "chs-drg-1.1"])
def test_neutral_codes_are_asked_by_no_rule(name: str) -> None:
    scheme = load_scheme(name)
    templates = templates_of(scheme)
    rules = [group.rule for group in (*scheme.mdcs, *scheme.adrgs, *scheme.drgs)]
    sets = {
        set_id
        for rule in rules
        for atom in atoms(rule)
        if isinstance(atom, Member | Count) and {"QTZD", "QTSS"} & set(atom.fields)
        for set_id in (atom.sets if isinstance(atom, Member) else (atom.set_id,))
    }
    asked = {code for set_id in sets for code in scheme.sets.get(set_id, ())}
    assert asked
    tables = templates.tables
    for index, ids in (
        (tables.diagnoses, templates.neutral_diagnoses),
        (tables.procedures, templates.neutral_procedures),
    ):
        neutral = {index.codes[int(i) - FIRST_CODE].as_py() for i in ids}
        assert len(neutral) > 50
        assert neutral.isdisjoint(asked)
        assert neutral.isdisjoint(scheme.complications)


@pytest.mark.parametrize("name", SCHEMES)
def test_a_region_gives_every_group_a_share_and_a_cost(name: str) -> None:
    templates = templates_of(load_scheme(name))
    region = region_of(templates, 12)
    assert region.group_share.min() > 0
    assert region.group_share.sum() == pytest.approx(1)
    assert region.hospital_share.sum() == pytest.approx(1)
    np.testing.assert_allclose(region.months.sum(axis=1), 1)
    assert region.mean_cost.min() > 0
    assert region.mean_stay.min() > 1
    rare = np.array([kind != GroupKind.NAMED for kind in templates.kinds()])
    assert region.group_share[rare].sum() < 0.03
    same = region_of(templates, 12)
    np.testing.assert_array_equal(same.mean_cost, region.mean_cost)


@pytest.mark.parametrize("hospitals", [1, 2, 3, 4, 100])
def test_hospitals_are_of_three_levels_as_far_as_they_go(hospitals: int) -> None:
    region = region_of(templates_of(load_scheme("chs-drg-1.1")), hospitals)
    assert set(region.hospital_level.tolist()) == set(range(min(hospitals, 3)))
    assert len(region.hospital_share) == hospitals

"""Pairs of groups that were read by hand: whole, true of the tables, and used."""

from __future__ import annotations

import csv

import drgcore
from drgcore.migration.hand_pairs import PAIRS_FOLDER, hand_pairs
from drgcore.migration.pairing import SAME_CODES, _asked, _similarity, folded, pair_groups
from drgcore.schemes import GroupKind, Scheme, load_scheme
from drgcore.schemes.store import tables_folder

BEFORE, AFTER = load_scheme("chs-drg-2.0"), load_scheme("chs-drg-3.0")
PAIRS = hand_pairs(BEFORE, AFTER)


def test_every_pair_on_which_names_and_code_sets_disagree_was_read() -> None:
    program = pair_groups(BEFORE, AFTER, by_hand=False).adrgs
    disagreeing = set()
    for old in BEFORE.adrgs:
        if old.kind is not GroupKind.NAMED:
            continue
        new = AFTER.group(program[old.code]) if old.code in program else None
        alike = new is not None and (
            folded(old.name) == folded(new.name)
            and _similarity(_asked(BEFORE, old.rule), _asked(AFTER, new.rule)) >= SAME_CODES
        )
        if not alike:
            disagreeing.add(old.code)
    assert disagreeing == PAIRS.keys()
    assert all(pair.by_program == program.get(code) for code, pair in PAIRS.items())
    assert sum(pair.after != pair.by_program for pair in PAIRS.values()) == 14


def test_the_table_names_groups_as_the_schemes_do() -> None:
    path = tables_folder() / PAIRS_FOLDER / "chs-drg-2.0_chs-drg-3.0.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(PAIRS)
    for row in rows:
        assert row["before_name"] == BEFORE.name_of(row["before"])
        assert row["reason"]
        assert row["before"][0] == (row["after"] or row["before"])[0]
        if row["after"]:
            assert row["after_name"] == AFTER.name_of(row["after"])
    taken = [row["after"] for row in rows if row["after"]]
    assert len(set(taken)) == len(taken)


def test_what_was_read_is_what_pairs() -> None:
    pairs = pair_groups(BEFORE, AFTER)
    for code, pair in PAIRS.items():
        assert pairs.adrgs.get(code) == pair.after
    # The bands of weight: 2.0 asks for 1,500 to 1,999 g where 3.0's group of that code does not.
    assert pairs.drgs["PS29"] == "PS39"
    assert len(set(pairs.adrgs.values())) == len(pairs.adrgs)


def test_a_local_scheme_has_the_pairs_of_its_base() -> None:
    city = Scheme("city", BEFORE.tables, {"base": "chs-drg-2.0"})
    assert hand_pairs(city, AFTER) == PAIRS
    assert hand_pairs(AFTER, BEFORE) == {}
    assert hand_pairs(Scheme("city", BEFORE.tables), AFTER) == {}


def test_a_case_that_stays_in_its_band_of_weight_did_not_move_elsewhere() -> None:
    newborn = {
        "principal_diagnosis": "P07.300x001",
        "other_diagnoses": [],
        "principal_procedure": None,
        "other_procedures": [],
        "sex": 1,
        "age_years": 0,
        "age_days": 2,
        "newborn_weight_g": 1700,
    }
    moved = drgcore.migrate([newborn], "chs-drg-2.0", "chs-drg-3.0")
    assert moved.results["before_adrg"].to_pylist() == ["PS2"]
    assert moved.results["after_adrg"].to_pylist() == ["PS3"]
    assert moved.causes["kind"].tolist() == ["renamed"]

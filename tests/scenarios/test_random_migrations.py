"""Random pairs of schemes: each change has a reason, and each reason is a difference there is."""

from __future__ import annotations

import copy
import random
from collections import Counter

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drgcore.grouper import tables
from drgcore.grouper.plain import PlainCase
from drgcore.scenarios import REASON_KINDS, Migration, migrate
from drgcore.schemes import Scheme
from tests.grouper.helpers import Row, table_of
from tests.grouper.strategies import (
    DIAGNOSES,
    PROCEDURES,
    SchemeRows,
    case_of,
    rules,
    scheme_of,
    schemes,
)
from tests.reference.plain_migration import PlainMigration

CASES = 40


def plain_case(of: Scheme, row: Row) -> PlainCase:
    """The case as the rules of a scheme see it."""
    grouper = tables.compile_tables(of)
    diagnoses = set(grouper.diagnoses.codes.to_pylist())
    procedures = set(grouper.procedures.codes.to_pylist())

    def number(value: int | None) -> int | None:
        return -2 if value is not None and value < 0 else value

    principal, procedure = row["principal_diagnosis"], row["principal_procedure"]
    return PlainCase(
        principal if principal in diagnoses else None,
        tuple(c for c in row["other_diagnoses"] if c in diagnoses),
        procedure if procedure in procedures else None,
        tuple(c for c in row["other_procedures"] if c in procedures),
        {1: 1, 2: 2, None: None}.get(row["sex"], -1),
        *(number(row[n]) for n in ("age_years", "age_days", "newborn_weight_g")),
        principal_diagnosis_unknown=principal is not None and principal not in diagnoses,
    )


def revised(rows: SchemeRows, others: list[str], draw: random.Random) -> SchemeRows:
    """The rows with a few changes, as a new issue of a workbook has them."""
    rows = copy.deepcopy(rows)
    for _ in range(draw.randrange(1, 5)):
        change = draw.randrange(9)
        table = draw.choice(("mdc", "adrg", "drg"))
        place = draw.randrange(len(rows[table])) if rows[table] else None
        if change in (0, 1):
            name = draw.choice(("DI_1", "DI_2", "DI_3", "DI_4", "OP_1", "OP_2", "OP_3", "OP_ALL"))
            codes = DIAGNOSES if name.startswith("DI") else PROCEDURES
            member = (name, draw.choice((*codes, "new")))
            if member in rows["sets"]:
                rows["sets"].remove(member)
            else:
                rows["sets"].append(member)
        elif change == 2:
            code = draw.choice(DIAGNOSES)
            rows["cc"] = [r for r in rows["cc"] if r[0] != code]
            if draw.random() < 0.7:
                exclusion = draw.choice(("EX_1", "EX_2", "无"))
                rows["cc"].append((code, exclusion, draw.choice(("MCC", "CC"))))
        elif change == 3:
            member = (draw.choice(("EX_1", "EX_2")), draw.choice(DIAGNOSES))
            if member in rows["exclusions"]:
                rows["exclusions"].remove(member)
            else:
                rows["exclusions"].append(member)
        elif place is not None and change == 4:
            row = list(rows[table][place])
            row[2] = draw.choice(others)
            rows[table][place] = tuple(row)
        elif place is not None and change == 5:
            row = list(rows[table][place])
            row[-1] = draw.randrange(5)
            rows[table][place] = tuple(row)
        elif change == 6 and len(rows["drg"]) > 1:
            del rows["drg"][draw.randrange(len(rows["drg"]))]
        elif change == 7 and len(rows["adrg"]) > 1:
            gone = rows["adrg"].pop(draw.randrange(len(rows["adrg"])))[0]
            rows["drg"] = [r for r in rows["drg"] if r[3] != gone]
        elif change == 8 and rows["adrg"]:
            at = draw.randrange(len(rows["adrg"]))
            code, *rest = rows["adrg"][at]
            new = f"{code[0]}X{at}"
            if code[1:] not in ("00", "QY") and new not in {r[0] for r in rows["adrg"]}:
                rows["adrg"][at] = (new, *rest)
                rows["drg"] = [
                    (new + c.removeprefix(code), n, r, new, *end)
                    if a == code
                    else (c, n, r, a, *end)
                    for c, n, r, a, *end in rows["drg"]
                ]
    return rows


def checked(before: Scheme, after: Scheme, cases: list[Row]) -> Migration:
    """Migrate cases, and hold every case and count against the plain twin."""
    moved = migrate(table_of(cases), before, after, threads=1)
    rows = {r["row"]: r for r in moved.changed.to_pylist()}
    assert list(rows) == sorted(rows)
    for number, case in enumerate(cases, 1):
        plain = PlainMigration(moved.pairs, plain_case(before, case), plain_case(after, case))
        assert (number in rows) == (plain.parted() is not None), case
        if number in rows:
            plain.check(rows[number])
    for level in ("mdc", "adrg", "drg"):
        flows = moved.flows[moved.flows["level"] == level]
        assert flows["cases"].sum() == len(cases)
        names = [f"before_{level}", f"after_{level}"]
        frame = moved.results.select(names).to_pandas().astype(object).fillna("")
        expected = pd.crosstab(frame[names[0]], frame[names[1]])
        found = moved.matrix(level)
        assert found.to_dict() == expected.to_dict()
    for table in (moved.reasons, moved.causes):
        assert table["cases"].sum() == len(rows)
    return moved


def simpler(rows: SchemeRows, draw: random.Random) -> SchemeRows:
    """The rows with names of their own and, for some, the rules that most groups have."""
    rows = {**rows, "adrg": [(c, n and f"组{c}", *r) for c, n, *r in rows["adrg"]]}
    common = ("ZYZD in DI_1", "ZYSS in OP_1", "{ZYSS, QTSS} in OP_2", "ZYZD in DI_2 and NL >= 17")
    by_end = {"1": "QTZD in MCC", "3": "QTZD in {MCC, CC}", "5": ""}
    for table, choose in (
        ("mdc", lambda code: "ZYZD in {DI_1, DI_2, DI_3}"),
        ("adrg", lambda code: draw.choice(common)),
        ("drg", lambda code: by_end.get(code[-1], "")),
    ):
        rows[table] = [
            (c, n, choose(c) if n and draw.random() < 0.6 else rule, *rest)
            for c, n, rule, *rest in rows[table]
        ]
    for code in DIAGNOSES[::2]:
        if code not in {row[0] for row in rows["cc"]}:
            kind = draw.choice(("MCC", "CC"))
            rows["cc"] = [*rows["cc"], (code, draw.choice(("EX_1", "EX_2", "无")), kind)]
    return rows


@pytest.mark.usefixtures("small_dictionaries")
def test_random_pairs() -> None:
    seen: Counter[str] = Counter()
    texts = st.lists(rules, min_size=3, max_size=3)
    whole = st.sampled_from((True, False, False, False))

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(schemes(), schemes(), whole, texts, st.integers(0, 2**32))
    def agree(
        one: SchemeRows, other: SchemeRows, replaced: bool, texts: list[str], seed: int
    ) -> None:
        draw = random.Random(seed)
        one = simpler(one, draw)
        before = scheme_of(one, "before")
        after = scheme_of(other if replaced else revised(one, texts, draw), "after")
        cases = [case_of(draw.choice((before, after)), draw) for _ in range(CASES)]
        for case in cases:
            if draw.random() < 0.05:
                case["principal_diagnosis"] = "new"
        moved = checked(before, after, cases)
        seen.update(dict(moved.reasons.groupby("kind")["cases"].sum()))
        seen["then"] += sum(moved.changed["then_kind"].is_valid().to_pylist())

    agree()
    # A strategy that no longer reaches what it is for must not pass in silence.
    assert {kind: seen[kind] for kind in REASON_KINDS if not seen[kind]} == {}
    assert seen["then"] >= 50


@pytest.mark.usefixtures("small_dictionaries")
def test_a_random_scheme_to_itself_changes_nothing() -> None:
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(schemes(), st.integers(0, 2**32))
    def unchanged(rows: SchemeRows, seed: int) -> None:
        draw = random.Random(seed)
        before, after = scheme_of(rows, "before"), scheme_of(rows, "after")
        cases = [case_of(before, draw) for _ in range(CASES)]
        moved = migrate(table_of(cases), before, after, threads=1)
        assert moved.changed.num_rows == 0
        assert moved.reasons.empty
        assert set(moved.flows["relation"]) <= {"kept", "none"}
        assert set(moved.groups["relation"]) <= {"kept", "gone"}

    unchanged()

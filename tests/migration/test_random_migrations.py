"""Random pairs of schemes: each change has a reason, and each reason is a difference there is."""

from __future__ import annotations

import copy
import random
from collections import Counter
from collections.abc import Iterable

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drgcore.migration import REASON_KINDS, Migration, migrate
from drgcore.migration.reasons import ReasonKind
from drgcore.schemes import Scheme
from drgcore.schemes.model import TABLE_SCHEMAS
from tests.grouper.helpers import Row, table_of
from tests.grouper.kept_schemes import kept_schemes
from tests.grouper.strategies import (
    DIAGNOSES,
    DIAGNOSIS_SETS,
    PROCEDURE_SETS,
    PROCEDURES,
    SchemeRows,
    case_of,
    rules,
    scheme_of,
    schemes,
)
from tests.grouper.test_random_schemes import _plain_case
from tests.reference.plain_migration import PlainMigration

CASES = 40
KINDS_OF_CHANGE = 11


def some_changes(draw: random.Random) -> list[int]:
    """A few numbers of changes."""
    return draw.choices(range(KINDS_OF_CHANGE), k=draw.randrange(1, 4))


def revised(
    rows: SchemeRows, others: list[str], draw: random.Random, changes: Iterable[int]
) -> SchemeRows:
    """The rows with a few changes, as a new issue of a workbook has them."""
    rows = copy.deepcopy(rows)
    for change in changes:
        table = draw.choice(("mdc", "adrg", "drg"))
        place = draw.randrange(len(rows[table])) if rows[table] else None
        if change in (0, 1):
            name = draw.choice(("DI_1", "DI_2", "DI_3", "DI_4", "OP_1", "OP_2", "OP_3", "OP_ALL"))
            codes = DIAGNOSES if name.startswith("DI") else PROCEDURES
            member = (name, draw.choice((*codes, *["new"] * 3)))
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
        elif change == 9 and rows["cc"]:
            at = draw.randrange(len(rows["cc"]))
            code, table, kind = rows["cc"][at]
            rows["cc"][at] = (code, table, "CC" if kind == "MCC" else "MCC")
        elif change == 10:
            rows["adrg"] = [
                (c, n, rule.replace("NL >= 17", "NL >= 60"), *rest)
                for c, n, rule, *rest in rows["adrg"]
            ]
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
        plain = PlainMigration(moved.pairs, _plain_case(before, case), _plain_case(after, case))
        assert (number in rows) == (plain.parted() is not None), case
        if number in rows:
            plain.check(rows[number])
    for level in ("mdc", "adrg", "drg"):
        flows = moved.flows[moved.flows["level"] == level]
        assert flows["cases"].sum() == len(cases)
    frame = moved.results.select(["before_drg", "after_drg"]).to_pandas().astype(object).fillna("")
    expected = pd.crosstab(frame["before_drg"], frame["after_drg"])
    assert moved.matrix("drg").to_dict() == expected.to_dict()
    for table in (moved.reasons, moved.causes):
        assert table["cases"].sum() == len(rows)
    return moved


def usual(draw: random.Random) -> SchemeRows:
    """The rows of a scheme like real ones: most groups ask for one set, most DRG for CC."""
    rows: SchemeRows = {t: [] for t in TABLE_SCHEMAS}
    asked = ("ZYZD in DI_1", "ZYSS in OP_1", "{ZYSS, QTSS} in OP_2", "ZYZD in DI_2 and NL >= 17")
    asked += ("ZYZD in {DI_3, DI_4}", "length(OP_3 ∩ {ZYSS, QTSS}) >= 1", "QTZD not in DI_4")
    weight = ("ZYZD in DI_3 and XSRTZ < 1500",)
    by_end = {"1": "QTZD in MCC", "3": draw.choice(("QTZD in {MCC, CC}", "QTZD in CC")), "5": ""}
    for place, letter in enumerate("ABC"):
        mdc = f"MDC{letter}"
        rule = draw.choice(("ZYZD in {DI_1, DI_2, DI_3}", "NL = 0", "ZYZD in DI_4", ""))
        rows["mdc"].append((mdc, letter, rule, place))
        for kind in "1234":
            adrg = f"{letter}A{kind}"
            rule = draw.choice((*asked, *asked, *weight))
            rows["adrg"].append((adrg, f"组{adrg}", rule, mdc, draw.randrange(5)))
            for end in draw.choice(("135", "15", "9")):
                drg = (adrg + end, f"组{adrg}{end}", by_end.get(end, ""), adrg, mdc, int(end))
                rows["drg"].append(drg)
    for names, codes in ((DIAGNOSIS_SETS, DIAGNOSES), (PROCEDURE_SETS, PROCEDURES)):
        rows["sets"] += [(n, c) for n in names for c in draw.sample(codes, 4)]
    for code in draw.sample(DIAGNOSES, 7):
        table = draw.choice(("EX_1", "EX_2", "无"))
        rows["cc"].append((code, table, draw.choice(("MCC", "CC"))))
    rows["exclusions"] = [(t, c) for t in ("EX_1", "EX_2") for c in draw.sample(DIAGNOSES, 3)]
    return rows


def some_cases(before: Scheme, after: Scheme, draw: random.Random, most: int) -> list[Row]:
    """Random cases of both schemes, some with a diagnosis that only one may know."""
    cases = [case_of(draw.choice((before, after)), draw) for _ in range(most)]
    for case in cases:
        if draw.random() < 0.1:
            case["principal_diagnosis"] = "new"
    return cases


@pytest.mark.usefixtures("small_dictionaries")
def test_revisions_of_usual_schemes() -> None:
    """Seeds and not examples, so that each kind of reason comes as often in every run."""
    seen: Counter[str] = Counter()
    for seed in range(6 * KINDS_OF_CHANGE):
        draw = random.Random(seed)
        rows = usual(draw)
        changes = (seed % KINDS_OF_CHANGE, seed % KINDS_OF_CHANGE, *some_changes(draw))
        other = revised(rows, ["ZYZD in {DI_1, DI_4}", "XB = 1"], draw, changes)
        if seed % 2:
            rows, other = other, rows
        before, after = scheme_of(rows, "before"), scheme_of(other, "after")
        moved = checked(before, after, some_cases(before, after, draw, 120))
        seen.update(dict(moved.reasons.groupby("kind")["cases"].sum()))
        seen["then"] += sum(moved.changed["then_kind"].is_valid().to_pylist())
        kinds = moved.changed.select(["kind", "then_kind"]).to_pydict().values()
        seen["decided in a new cut"] += sum(
            one == ReasonKind.SUBDIVISION_CHANGED and str(then).startswith("complication")
            for one, then in zip(*kinds, strict=True)
        )
    rare = {ReasonKind.NUMBER_ASKED, ReasonKind.WEIGHT_ASKED, ReasonKind.CODE_REUSED}
    assert {kind: seen[kind] for kind in REASON_KINDS if not seen[kind] and kind not in rare} == {}
    assert seen["then"] >= 5
    assert seen["decided in a new cut"] >= 5


@pytest.mark.usefixtures("small_dictionaries")
def test_random_pairs() -> None:
    """Any two schemes of any rules."""
    kinds: set[str] = set()

    def agree(one: SchemeRows, other: SchemeRows, revise: bool, texts: list[str]) -> None:
        draw = random.Random(str(one))
        before = scheme_of(one, "before")
        after = scheme_of(
            revised(one, texts, draw, some_changes(draw)) if revise else other, "after"
        )
        moved = checked(before, after, some_cases(before, after, draw, CASES))
        kinds.update(moved.reasons["kind"])

    kept = kept_schemes()
    for place in range(0, len(kept), 3):
        one, other, third = kept[place : place + 3]
        agree(one, other, bool(place % 2), [row[2] for row in third["adrg"]])
    # Pairs that no longer reach what they are for must not pass in silence.
    assert {"group_gone", "group_new", "rule_changed"} <= kinds
    drawn = schemes(), schemes(), st.booleans(), st.lists(rules, min_size=3, max_size=3)
    new = settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
    new(given(*drawn)(agree))()


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

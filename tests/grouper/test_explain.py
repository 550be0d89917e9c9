"""An explanation tells the path that grouping took, as data and in words."""

from __future__ import annotations

import random
from collections.abc import Sequence
from html.parser import HTMLParser
from typing import Any

import pyarrow as pa
import pytest

from drgcore.errors import CaseSchemaError, DrgcoreError
from drgcore.grouper import REASONS, Explanation, explain
from drgcore.grouper.account import Language, Step, account_of, code_name
from drgcore.grouper.plain import COMPARISONS, Facts
from drgcore.language import use_language
from drgcore.schemes.rules import Compare
from tests.grouper.helpers import (
    SCHEMES,
    assert_same,
    by_kernel,
    by_plain,
    case_row,
    scheme,
    table_of,
)
from tests.grouper.strategies import SchemeRows, near_witness, scheme_of

NAME = "chs-drg-3.0"
CASE = case_row("G11.900", ["S52.804"], sex=2, age_years=69)


def _lines(**change: Any) -> list[str]:
    return str(explain({**CASE, **change}, scheme(NAME))).splitlines()


def _line(lines: list[str], start: str) -> str:
    [found] = [line for line in lines if line.strip().startswith(start)]
    return found.strip()


# --- the path as data -------------------------------------------------------------------------


def _assert_consistent(why: Explanation) -> None:
    of, result = why.scheme, why.result
    facts = Facts(of, why.case)
    if result.status == "invalid":
        assert why.mdcs == why.drgs == ()
        return
    # The MDC are tried from the first on, without a gap.
    assert [m.rule.group for m in why.mdcs] == list(of.mdcs[: len(why.mdcs)])
    *before, last = why.mdcs
    for mdc in before:
        # An MDC before the result did not lead to a group.
        assert not any(a.holds for a in mdc.adrgs)
        tried = [a.group for a in mdc.adrgs]
        assert tried == (list(of.adrgs_of(mdc.rule.group.code)) if mdc.rule.holds else [])
    if result.mdc is None:
        assert len(why.mdcs) == len(of.mdcs)
        assert not any(a.holds for a in last.adrgs)
        assert why.drgs == ()
    else:
        assert last.rule.group is result.mdc
        assert last.rule.holds
        assert [a.holds for a in last.adrgs] == [False] * (len(last.adrgs) - 1) + [True]
        assert last.adrgs[-1].group is result.adrg
        assert result.adrg is not None
        siblings = list(of.drgs_of(result.adrg.code))
        assert [d.group for d in why.drgs] == siblings[: len(why.drgs)]
        if result.drg is None:
            assert len(why.drgs) == len(siblings)
            assert not any(d.holds for d in why.drgs)
        else:
            assert [d.holds for d in why.drgs] == [False] * (len(why.drgs) - 1) + [True]
            assert why.drgs[-1].group is result.drg
    for trace in (*(m.rule for m in why.mdcs), *last.adrgs, *why.drgs):
        assert trace.holds == facts.holds(trace.group.rule)
        for atom in trace.atoms:
            if isinstance(atom.atom, Compare):
                number = facts.number(atom.atom.variable)
                holds = number is not None and COMPARISONS[atom.atom.operator](
                    number, atom.atom.number
                )
                assert atom.holds == holds
            elif hasattr(atom.atom, "negated"):
                assert atom.holds == (bool(atom.found) != atom.atom.negated)
    counted = {c.type for c in why.complications if c.counted}
    assert result.severity == ("MCC" if "MCC" in counted else "CC" if counted else "none")


@pytest.mark.parametrize("name", SCHEMES)
def test_paths_are_consistent_and_end_where_the_kernel_ends(name: str) -> None:
    draw = random.Random(f"explain {name}")
    cases = [near_witness(name, draw) for _ in range(60)]
    explained = [explain(c, scheme(name)) for c in cases]
    for why in explained:
        _assert_consistent(why)
        assert str(why).count("\n") >= 3
    assert_same(by_kernel(cases, scheme(name)), [by_plain(w) for w in explained], cases)


def test_the_codes_that_make_a_condition_hold() -> None:
    why = explain({**CASE, "other_diagnoses": ["S52.804", "S52.804"]}, scheme(NAME))
    [last] = [m for m in why.mdcs if m.rule.group.code == "MDCB"]
    assert [a.found for a in last.rule.atoms] == [("G11.900",)]
    assert last.adrgs[-1].group.code == "BU2"
    decisive = why.drgs[-1]
    assert decisive.group.code == "BU23"
    assert [(str(a.atom), a.found) for a in decisive.atoms if a.holds] == [
        (str(decisive.group.rule), ("S52.804",))
    ]


def test_complications_counted_and_excluded() -> None:
    of = scheme(NAME)
    # An MCC whose exclusion table holds the principal diagnosis, one that no table excludes.
    principal = "I21.900" if "I21.900" in set().union(*of.exclusions.values()) else None
    assert principal is not None
    excluded = next(
        c
        for c in of.complications.values()
        if principal in of.exclusions.get(c.exclusion, ()) and c.type == "MCC"
    )
    counted = next(
        c
        for c in of.complications.values()
        if c.type == "CC" and principal not in of.exclusions.get(c.exclusion, ())
    )
    case = case_row(principal, [excluded.code, "Z99.900", counted.code], sex=1, age_years=60)
    why = explain(case, of)
    assert [(c.code, c.type, c.exclusion, c.counted) for c in why.complications] == [
        (excluded.code, "MCC", excluded.exclusion, False),
        (counted.code, "CC", counted.exclusion, True),
    ]
    assert why.result.severity == "CC"
    text = str(why).splitlines()
    line = _line(text, f"MCC {excluded.code}")
    assert line.endswith(f"excluded: {principal} is in table {excluded.exclusion}")
    assert code_name(excluded.code) in line
    assert _line(text, f"CC  {counted.code}").endswith("counts")


# --- in words ---------------------------------------------------------------------------------


def test_a_grouped_case_reads_well() -> None:
    of = scheme(NAME)
    lines = _lines()
    assert lines[0] == (
        f"MDCB → BU2 → BU23  {of.name_of('BU23')}  [grouped, complications CC; {NAME}]"
    )
    assert lines[1] == "  female, 69 years"
    assert _line(lines, "principal d") == f"principal diagnosis: G11.900 {code_name('G11.900')}"
    assert _line(lines, "other d") == f"other diagnoses: S52.804 {code_name('S52.804')}"
    assert "Complications (QTZD in the CC sheet)" in lines
    assert _line(lines, "CC  S52.804").endswith("counts")
    assert "Rules tried, in order" in lines
    assert _line(lines, "✓ MDCB").startswith(f"✓ MDCB {of.name_of('MDCB')}: ZYZD in")
    assert _line(lines, "✗ MDCP").startswith(f"✗ MDCP {of.name_of('MDCP')}: ")
    assert _line(lines, "✓ BU23").startswith(f"✓ BU23 {of.name_of('BU23')}: ")
    order = [
        next(i for i, s in enumerate(lines) if f"✓ {g} " in s) for g in ("MDCB", "BU2", "BU23")
    ]
    assert order == sorted(order)
    # Nothing of the many groups that were passed over takes a line of its own.
    assert len(lines) < 30
    assert max(map(len, lines)) < 200


def _english(reason: str) -> str:
    return _said(reason, "en")


def _said(reason: str, lang: Language) -> str:
    with use_language(lang):
        return REASONS[reason]


def test_an_ambiguous_case_says_what_that_is() -> None:
    ambiguous = case_row(
        "S82.100x011",
        ["S13.101"],
        "21.4x00",
        sex=1,
        age_years=0,
        age_days=3,
        newborn_weight_g=999,
    )
    lines = str(explain(ambiguous, scheme(NAME))).splitlines()
    assert lines[0] == f"MDCP → PQY → PQY  歧义组  [ambiguous, complications CC; {NAME}]"
    assert lines[1] == "  male, 0 years, 3 days, 999 g"
    assert f"  unrelated_procedure: {_english('unrelated_procedure')}" in lines
    assert "XSRTL < 29: age_days is 3" in "\n".join(lines)
    # The rule of MDCP holds by another part; this one does not, for all that it finds a code.
    assert not [line for line in lines if line.strip().startswith("ZYSS not in OP_ALL:")]


def test_an_invalid_case_gives_the_reason_and_no_path() -> None:
    lines = _lines(sex=None)
    assert lines[0].startswith("no group  ")
    assert lines[0].endswith(f"[invalid; {NAME}]")
    assert f"  sex_missing: {_english('sex_missing')}" in lines
    assert lines[1] == "  sex ?, 69 years"
    assert "Rules tried, in order" not in lines


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"principal_diagnosis": None}, "principal_diagnosis_missing"),
        ({"principal_diagnosis": "nonsense"}, "principal_diagnosis_unknown"),
        ({"age_years": -3}, "age_invalid"),
        ({"age_years": 0}, "age_days_missing"),
    ],
)
def test_every_invalid_case_is_explained(change: dict[str, Any], reason: str) -> None:
    why = explain({**CASE, **change}, scheme(NAME))
    assert (why.result.status, why.result.reason) == ("invalid", reason)
    assert _english(reason) in str(why)
    assert _said(reason, "zh") in why.text("zh")


def test_unknown_codes_are_counted() -> None:
    why = explain({**CASE, "other_diagnoses": ["x", "S52.804"], "other_procedures": ["y"]})
    assert why.unknown_codes == 2
    assert "  unknown codes, which take part in no rule: 2" in str(why).splitlines()
    assert "unknown codes" not in "\n".join(_lines())


def test_many_codes_and_a_long_rule_are_cut_short() -> None:
    codes = sorted(scheme(NAME).complications)[:40]
    lines = _lines(other_diagnoses=codes)
    assert "    … and 34 more" in lines
    long = [a for a in scheme(NAME).adrgs if len(str(a.rule)) > 120]
    assert long
    assert all(len(line) < 200 for line in lines)


def test_an_ungrouped_case_tells_all_that_was_tried() -> None:
    # A newborn of an age that only P00 takes.
    of = scheme(NAME)
    outside = next(
        c
        for c in sorted(of.sets["DI_B00"])
        if by_plain(
            explain(case_row(c, sex=1, age_years=0, age_days=3, newborn_weight_g=3000), of)
        )["reason"]
        == "catch_all"
    )
    why = explain(case_row(outside, sex=1, age_years=0, age_days=3, newborn_weight_g=3000), of)
    assert why.result.drg is not None
    assert why.result.drg.code == "P000"
    text = str(why)
    assert text.splitlines()[0].startswith("MDCP → P00 → P000  未入组  [ungrouped")
    assert _english("catch_all") in text
    # The groups that ask for the same age come close, and are told in full.
    assert "✗ PB1" in text
    assert "✓ P00 未入组" in text


def test_groups_of_which_nothing_holds_are_told_by_code() -> None:
    lines = _lines(principal_diagnosis="I10.x00", other_diagnoses=[])
    start = "✗ no condition holds of "
    told = [line.strip().removeprefix(start) for line in lines if line.strip().startswith(start)]
    numbers = [int(t.split()[0]) for t in told if t.split()[1] == "ADRG:"]
    assert numbers
    assert all(1 <= n < 60 for n in numbers)


# --- in order, in two languages, for pages -----------------------------------------------------


def _codes_in_order(steps: Sequence[Step]) -> list[str]:
    """The groups of an account, from first to last; of those passed over the ones that are told."""
    found = []
    for step in steps:
        told = (
            step.text.split(": ", 1)[1].split()
            if step.state == "passed"
            else [step.text.split()[0]]
        )
        found += [code for code in told if code != "…"]
        found += _codes_in_order(step.steps)
    return found


@pytest.mark.parametrize("seed", range(20))
def test_every_group_stands_where_it_was_tried(seed: int) -> None:
    of = scheme(NAME)
    why = explain(near_witness(NAME, random.Random(seed)), of)
    place = {}
    for mdc in of.mdcs:
        for group in (mdc, *(g for a in of.adrgs_of(mdc.code) for g in (a, *of.drgs_of(a.code)))):
            place.setdefault((type(group).__name__, group.code), len(place))
    told = _codes_in_order(account_of(why, "en").steps)
    kinds = {g.code: type(g).__name__ for g in (*of.drgs, *of.adrgs, *of.mdcs)}
    places = [place[kinds[code], code] for code in dict.fromkeys(told)]
    assert places == sorted(places)
    # The groups that hold are those of the result, and the last MDC told is the one that was found.
    if why.result.drg is not None:
        assert why.result.mdc is not None
        assert [c for c in told if c.startswith("MDC")][-1] == why.result.mdc.code
        assert told[-1] == why.result.drg.code


def test_an_mdc_without_a_group_of_its_own_stands_before_the_one_that_has() -> None:
    # MDCA holds of every case, and none of its ADRG of this one.
    lines = str(explain(case_row("J18.900", sex=1, age_years=60), scheme(NAME))).splitlines()
    at = {
        code: i for i, line in enumerate(lines) for code in ("MDCA", "MDCE") if f"✓ {code}" in line
    }
    assert at["MDCA"] < at["MDCE"]


def test_chinese_has_no_english_words() -> None:
    why = explain(dict(CASE), scheme(NAME), lang="zh")
    assert str(why) == why.text("zh") == explain(dict(CASE), scheme(NAME)).text("zh")
    assert str(why) != why.text("en")
    lines = str(why).splitlines()
    assert lines[0].endswith(f"[已入组，合并症并发症：CC; {NAME}]")
    assert lines[1] == "  女、69岁"
    assert "依次判断的规则" in lines
    for word in ("diagnos", "always", "years", "counts", "condition", "grouped"):
        assert word not in str(why)
    with pytest.raises(DrgcoreError, match="no language 'fr'"):
        why.text("fr")  # type: ignore[arg-type]
    with pytest.raises(DrgcoreError, match="no language"):
        explain(dict(CASE), scheme(NAME), lang="")  # type: ignore[call-overload, arg-type]


class _Page(HTMLParser):
    """Whether every element is closed, which there are, and all that is to be read."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[tuple[str, str]] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen |= {(tag, name) for name, _ in attrs} | {(tag, "")}
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_fragment_for_a_page(lang: Language) -> None:
    why = explain(dict(CASE), scheme(NAME))
    page = _Page()
    page.feed(why.html(lang))
    assert not page.open
    assert {tag for tag, _ in page.seen} == {"section", "p", "ul", "ol", "li", "strong"}
    assert {name for _, name in page.seen} == {"", "class", "lang"}
    # Nothing is told in text alone.
    told = "".join(page.text.split())
    for line in why.text(lang).splitlines():
        for part in line.split(": ", 1):
            assert "".join(part.split()).rstrip(":") in told


def test_what_a_scheme_or_a_case_says_is_no_html() -> None:
    bad = "<script>alert('x')</script>&"
    rows: SchemeRows = {
        "mdc": [("MDCA", bad, "CYKB in DEPT_X", 1)],
        "adrg": [("AA1", bad, "", "MDCA", 1)],
        "drg": [("AA19", bad, "", "AA1", "MDCA", 1)],
        "sets": [("DEPT_X", bad)],
    }
    case = {"principal_diagnosis": "J18.900", "sex": 1, "age_years": 5, "department": bad}
    why = explain(case, scheme_of(rows, "<b>"))
    assert why.result.drg is not None
    page = _Page()
    page.feed(html := why.html("en"))
    assert "script" not in {tag for tag, _ in page.seen}
    assert "<script" not in html
    assert "<b>" not in html
    assert bad in page.text


# --- what it takes ----------------------------------------------------------------------------


def test_one_row_of_whatever_group_takes() -> None:
    expected = explain(CASE, scheme(NAME)).result
    table = table_of([CASE])
    for case in (table, table.to_pandas(), table.to_batches()[0], [dict(CASE)]):
        assert explain(case, scheme(NAME)).result == expected
    hqms = pa.table(
        {
            "C03C": ["G11.900"],
            "C06x01C": ["S52.804"],
            "C14x01C": [""],
            "C35x01C": [""],
            "A12C": ["女"],
            "A14": ["69"],
        }
    )
    assert explain(hqms, scheme(NAME), mapping="hqms").result == expected
    assert explain({"principal_diagnosis": "G11.900", "sex": 2, "age_years": 69}).result.drg


@pytest.mark.parametrize("rows", [0, 2])
def test_not_one_row(rows: int) -> None:
    with pytest.raises(CaseSchemaError, match=f"one case, not {rows} rows"):
        explain(table_of([CASE] * rows), scheme(NAME))


def test_clinical_codes_on_request() -> None:
    why = explain(CASE, scheme(NAME), clinical_codes=True)
    assert why.case.sex == 2
    assert why.scheme is scheme(NAME)

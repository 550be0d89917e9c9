"""The vectorised checks and the plain ones find the same, on hostile cases."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from drgcore.cases import CaseMapping
from drgcore.checks import check_cases
from drgcore.checks.catalogue import Catalogue
from drgcore.checks.check import CheckRun
from drgcore.checks.code_sets import LISTS
from drgcore.schemes import load_scheme
from drgcore.schemes.lists import code_lists
from drgcore.schemes.rules import Member, atoms
from tests.reference import plain_cases
from tests.reference.plain_checks import Plain, in_ranges

SCHEME = load_scheme("chs-drg-3.0")
CATALOGUE = Catalogue.load()
RUN = CheckRun(SCHEME, CATALOGUE)
KNOWN = {
    "diagnosis": set(RUN.diagnoses.codes.to_pylist()),
    "procedure": set(RUN.procedures.codes.to_pylist()),
}
SYSTEMS = {
    "principal_diagnosis": "diagnosis",
    "other_diagnoses": "diagnosis",
    "diagnoses": "diagnosis",
    "external_cause": "diagnosis",
    "principal_procedure": "procedure",
    "other_procedures": "procedure",
    "procedures": "procedure",
}
# Checks that ask what a scheme accepts, or the rows before, are tested by themselves.
LEFT_OUT = ("accepted", "suits", "seen_before")
PLAIN = [c for c in CATALOGUE.checks if not any(word in c.when for word in LEFT_OUT)]


def _ranges(name: str) -> Any:
    code_set = CATALOGUE.sets[name]

    def text(pairs: tuple[tuple[str, str], ...]) -> str:
        return ",".join(f"{first}-{last}" for first, last in pairs)

    def inside(code: str) -> bool:
        without = code_set.without and in_ranges(code, text(code_set.without))
        return in_ranges(code, text(code_set.ranges)) and not without

    return inside


def _counted() -> set[str]:
    found: set[str] = set()
    for adrg in SCHEME.adrgs:
        if adrg.kind == "named":
            for atom in atoms(adrg.rule):
                if isinstance(atom, Member) and "ZYSS" in atom.fields and not atom.negated:
                    found.update(*(SCHEME.sets[s] for s in atom.sets if s in SCHEME.sets))
    return found


SETS = {name: _ranges(name) for name in CATALOGUE.sets}
SETS |= {name: getattr(code_lists(SCHEME), name).__contains__ for name in LISTS}
SETS["grouping_procedures"] = _counted().__contains__

HEADS = [pair for c in CATALOGUE.checks for _, s in c.memberships if not s.named
         for pair in s.text.partition(":")[2].replace(" ", "").split(",")]  # fmt: skip
_SORTED = {kind: sorted(codes) for kind, codes in KNOWN.items()}


def _near_checks(kind: str) -> list[str]:
    """Codes that some check asks for, a few of each."""
    wanted = [h.partition("-")[0] for h in HEADS] + [
        first for s in CATALOGUE.sets.values() for first, _ in s.ranges
    ]
    found = []
    for head in dict.fromkeys(wanted):
        found += [c for c in _SORTED[kind] if c.startswith(head)][:2]
    lists = code_lists(SCHEME)
    for name, system in LISTS.items():
        if system == kind:
            found += sorted(getattr(lists, name) & KNOWN[kind])[:8]
    return found


NEAR = {kind: _near_checks(kind) for kind in KNOWN}
DAYS = st.dates(datetime.date(2026, 12, 1), datetime.date(2027, 3, 1))


def codes(kind: str) -> st.SearchStrategy[str]:
    odd = st.sampled_from(["X99", "M49.0*", "g01.x00*", "A00", "=1+1", "K80.1", "Z99.999x999"])
    return st.one_of(
        st.sampled_from(NEAR[kind]),
        st.sampled_from(NEAR[kind]),
        st.sampled_from(_SORTED[kind]),
        odd,
    )


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), values, values, values)


NUMBER = st.sampled_from([0, 1, 3, 28, 29, 60, 61, 121, 364, 367, 399, 400, 999, 1000, 2500, 4500])
AMOUNT = st.integers(-2, 400).map(lambda n: n / 2)
DIAGNOSIS, PROCEDURE = codes("diagnosis"), codes("procedure")
NUMBERS = {
    "sex": st.sampled_from([1, 2, 2]),
    "age_years": st.sampled_from([0, 0, 1, 9, 10, 30, 61, 121]),
    "age_days": NUMBER,
    "newborn_weight_g": st.sampled_from([100, 399, 400, 3000, 7001]),
    "birth_weight_g": st.sampled_from([100, 999, 1000, 2499, 2500, 4499, 4500]),
    "length_of_stay": NUMBER,
    "leaving_way": st.sampled_from([1, 2, 5, 6, 9]),
    "icu_hours": NUMBER,
    "admission_condition": st.sampled_from([1, 4]),
    **dict.fromkeys(
        [
            *("total_cost", "patient_paid", "cost_anaesthesia", "cost_operation", "cost_surgical"),
            *("cost_physical_therapy", "cost_nonsurgical", "cost_antibacterials"),
            "cost_western_drugs",
        ],
        AMOUNT,
    ),
}
READABLE = ("sex", "age_years", "age_days", "newborn_weight_g", "length_of_stay", "leaving_way",
            "total_cost", "admission_date", "discharge_date", "birth_date")  # fmt: skip
CASE = st.fixed_dictionaries(
    {
        "principal_diagnosis": maybe(DIAGNOSIS),
        "other_diagnoses": st.lists(DIAGNOSIS, max_size=4),
        "principal_procedure": maybe(PROCEDURE),
        "other_procedures": st.lists(PROCEDURE, max_size=3),
        "external_cause": maybe(DIAGNOSIS),
        "pathology_code": maybe(st.sampled_from(["M8000/3", "M8140/0", "M8070/2", "M8/1", "M8/6"])),
        "case_id": maybe(st.just("1")),
        "department": maybe(st.just("内科")),
        **{name: maybe(values) for name, values in NUMBERS.items()},
        **{
            name: maybe(DAYS)
            for name in (
                "birth_date",
                "admission_date",
                "discharge_date",
                "principal_procedure_date",
            )
        },
        "other_procedure_dates": st.lists(maybe(DAYS), min_size=2, max_size=2),
        "cost_categories": st.lists(maybe(AMOUNT), min_size=2, max_size=2),
        "unreadable": st.sets(st.sampled_from(READABLE), max_size=2),
    }
)


def table_of(cases: list[dict[str, Any]]) -> pa.Table:
    """The cases as a file of text would hold them."""
    columns: dict[str, list[Any]] = {}
    for name in cases[0]:
        if name in ("other_procedure_dates", "cost_categories"):
            stem = {"other_procedure_dates": "other_procedure_date"}.get(name, "cost_category")
            for place in range(2):
                columns[f"{stem}_{place + 1}"] = [_text(c[name][place]) for c in cases]
        elif name in ("other_diagnoses", "other_procedures"):
            columns[name] = [c[name] for c in cases]
        elif name != "unreadable":
            columns[name] = ["?" if name in c["unreadable"] else _text(c[name]) for c in cases]
    kinds = {n: pa.list_(pa.string()) for n in ("other_diagnoses", "other_procedures")}
    return pa.table({n: pa.array(v, kinds.get(n, pa.string())) for n, v in columns.items()})


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _ages(case: dict[str, Any]) -> dict[str, int | None]:
    """Both ages as a reader gives them: an infant's age in years may follow from the days."""
    bad = case["unreadable"]
    years, days = ("?" if n in bad else case[n] for n in ("age_years", "age_days"))
    between = (None if n in bad else case[n] for n in ("birth_date", "admission_date"))
    found = dict(
        zip(("age_years", "age_days"), plain_cases.ages(years, days, *between), strict=True)
    )
    return {name: None if value < 0 else value for name, value in found.items()}


@settings(max_examples=25, deadline=None)
@given(st.lists(CASE, min_size=1, max_size=12))
def test_the_fast_checks_find_what_the_plain_ones_find(cases: list[dict[str, Any]]) -> None:
    report = check_cases(table_of(cases), SCHEME, checks=CATALOGUE)
    assert set(report.checks["status"].to_pylist()) == {"run"}
    found = {(f["row"], f["check"]) for f in report.findings.to_pylist()}
    undecided = dict(
        zip(report.checks["check"].to_pylist(), report.checks["undecided"].to_pylist(), strict=True)
    )
    expected, left_open = set(), dict.fromkeys((c.code for c in PLAIN), 0)
    for row, case in enumerate(cases, 1):
        whole = {**case, **dict.fromkeys(case["unreadable"]), **_ages(case)}
        plain = Plain(whole, SETS, CATALOGUE.parameters, KNOWN, SYSTEMS)
        for check in PLAIN:
            truth = plain.holds(check.when)
            left_open[check.code] += truth is None
            if truth:
                expected.add((row, check.code))
    codes_of_plain = {c.code for c in PLAIN}
    assert {f for f in found if f[1] in codes_of_plain} == expected
    assert {code: undecided[code] for code in left_open} == left_open


def test_most_checks_are_compared() -> None:
    assert len(PLAIN) >= 100


@settings(max_examples=8, deadline=None)
@given(st.data())
def test_an_mdc_takes_what_the_rules_say(data: st.DataObject) -> None:
    from drgcore.checks.mdc import MdcTables

    tables = MdcTables.of(SCHEME, RUN.diagnoses, RUN.procedures)
    ids = np.array([RUN.diagnoses.lookup(data.draw(DIAGNOSIS)) for _ in range(20)], np.int32)
    sex = np.array([data.draw(st.sampled_from([0, 1, 2])) for _ in ids], np.int8)
    years = np.array([data.draw(st.sampled_from([-1, 0, 1, 40])) for _ in ids], np.int32)
    days = np.array([data.draw(st.sampled_from([-1, 5, 28, 29, 365, 366])) for _ in ids], np.int32)
    taken = tables.taken(ids, sex, years, days)
    for i, code in enumerate(RUN.diagnoses.decode(ids).to_pylist()):
        for place, mdc in enumerate(SCHEME.mdcs):
            expected = _holds(mdc.rule, code, int(sex[i]), int(years[i]), int(days[i]))
            assert bool(int(taken[i]) >> place & 1) == expected, (mdc.code, code)


def _holds(rule: Any, code: str | None, sex: int, years: int, days: int) -> bool:
    """The rule for a case with nothing but these; 0 and less are missing."""
    kind = type(rule).__name__
    if kind in ("And", "Or"):
        parts = [_holds(part, code, sex, years, days) for part in rule.parts]
        return all(parts) if kind == "And" else any(parts)
    if kind == "Not":
        return not _holds(rule.part, code, sex, years, days)
    if kind == "Literal":
        return bool(rule.value)
    if kind == "Member":
        inside = "ZYZD" in rule.fields and any(code in SCHEME.sets.get(s, ()) for s in rule.sets)
        return inside is not rule.negated
    value = {"XB": sex or -1, "NL": years, "XSRTL": days}.get(getattr(rule, "variable", ""), -1)
    words = {"=": "==", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
    return value >= 0 and bool(eval(f"{value} {words[rule.operator]} {rule.number}"))


def test_columns_that_are_absent_are_said() -> None:
    report = check_cases(
        {"principal_diagnosis": ["A00.000x001"], "sex": [1], "age_years": [30]},
        mapping=CaseMapping(
            "principal_diagnosis", None, None, None, "sex", "age_years", None, None
        ),
    )
    rows = {r["check"]: r for r in report.checks.to_pylist()}
    assert rows["D01"]["status"] == "not_run"
    assert rows["D01"]["why"] == "no column discharge_date, admission_date"
    assert rows["S01"]["why"] == "no column other_diagnoses"
    assert rows["M01"]["status"] == "run"
    assert rows["M01"]["cases"] == 0

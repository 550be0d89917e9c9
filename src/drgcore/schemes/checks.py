"""Whether a scheme is sound: what would make grouping fail, and what looks like a slip."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from drgcore.cases.text import is_missing, tidy
from drgcore.errors import RuleSyntaxError, SchemeError
from drgcore.language import _
from drgcore.schemes.findings import CheckReport, Finding, Severity, error, listed, warning
from drgcore.schemes.implication import Prover, any_of, is_diagnosis, taken_by
from drgcore.schemes.impossible import impossible_findings
from drgcore.schemes.local import department_sets, local_findings
from drgcore.schemes.model import Scheme
from drgcore.schemes.parser import parse_rule
from drgcore.schemes.rules import TRUE, Rule, conjunction, set_ids

NO_TABLE = frozenset({"", "无", "999"})
"""What the CC sheet writes where a diagnosis has no exclusion table (3.0: 无, 1.1: 999)."""

TYPES = ("MCC", "CC")

_PARENTS = {"adrg": ("mdc",), "drg": ("adrg", "mdc")}
_CHILDREN = {"mdc": "adrg", "adrg": "drg"}


def check_scheme(scheme: Scheme, dictionaries: Mapping[str, pa.Table] | None = None) -> CheckReport:
    """Check a scheme for what would make grouping fail and for what looks like a slip.

    Parameters
    ----------
    scheme : Scheme
        The scheme, whose rules may be wrong.
    dictionaries : mapping of str to pyarrow.Table, optional
        ``"diagnoses"`` and ``"procedures"`` → tables with a column ``code``, as `load_dictionary`
        gives them. Without them no code is looked up.

    Returns
    -------
    CheckReport
        Errors, with which `compile_scheme` would refuse the scheme, and warnings.

    Examples
    --------
    >>> from drgcore.schemes import load_scheme
    >>> report = check_scheme(load_scheme("chs-drg-3.0"))
    >>> report.ok, report.without_table
    (True, 14)
    >>> for finding in report.warnings[:2]:
    ...     print(finding)
    ADRG O00: shares sort 18 in MDCO with OS2; being a catch-all, it is tried last [equal-sort]
    ADRG O00: sorts before OT1, OZ1; being a catch-all, it is tried last [catch-all-order]
    """
    checker = _Checker(scheme)
    findings = [
        *checker.rules(),
        *checker.duplicates(),
        *checker.parents(),
        *checker.children(),
        *checker.order(),
        *checker.sets(),
        *checker.local(scheme.metadata.get("base")),
        *checker.reach(),
        *checker.complications(),
        *checker.impossible(),
        *(checker.codes(dictionaries) if dictionaries is not None else ()),
    ]
    return CheckReport(
        scheme.name,
        tuple(f for f in findings if f.severity is Severity.ERROR),
        tuple(f for f in findings if f.severity is Severity.WARNING),
        checker.without_table(),
    )


def refuse_unsound(scheme: Scheme) -> tuple[Finding, ...]:
    """The warnings about a sound scheme.

    Raises
    ------
    SchemeError
        When the scheme has errors, with all of them.
    """
    report = check_scheme(scheme)
    if report.errors:
        listed = "\n".join(f"  {finding}" for finding in report.errors)
        raise SchemeError(
            _("errors in the scheme: {count:,}\n{listed}", count=len(report.errors), listed=listed),
            where=scheme.metadata.get("source", scheme.name),
        )
    return report.warnings


class _Checker:
    """One check after the other, on the plain tables: a wrong scheme has no sound groups yet."""

    def __init__(self, scheme: Scheme) -> None:
        self._groups: dict[str, list[dict[str, Any]]] = {
            level: scheme.tables[level].to_pylist() for level in ("mdc", "adrg", "drg")
        }
        self._cc: list[dict[str, str]] = scheme.tables["cc"].to_pylist()
        self._sets = scheme.sets
        self._exclusions = scheme.exclusions
        self._faulty: list[Finding] = []
        for level, row in self._rows():
            try:
                row["tree"] = parse_rule(row["rule"])
            except RuleSyntaxError as fault:
                row["tree"] = None
                self._faulty.append(error("rule-syntax", _where(level, row), str(fault)))
            row["catch_all"] = level != "mdc" and not row["name"] and row["tree"] == TRUE

    def _rows(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for level, rows in self._groups.items():
            for row in rows:
                yield level, row

    def _trees(self) -> list[Rule]:
        return [row["tree"] for _, row in self._rows() if row["tree"] is not None]

    def rules(self) -> Iterator[Finding]:
        yield from self._faulty
        for level, row in self._rows():
            if row["tree"] is not None:
                for name in sorted(set_ids(row["tree"]) - self._sets.keys()):
                    yield error(
                        "unknown-set",
                        _where(level, row),
                        _("the rule names the set {name}, which the scheme lacks", name=name),
                    )

    def duplicates(self) -> Iterator[Finding]:
        for level, rows in self._groups.items():
            for code, count in Counter(row["code"] for row in rows).items():
                if count > 1:
                    yield error(
                        "duplicate-group",
                        f"{level.upper()} {code}",
                        _("stands {count} times", count=count),
                    )
        mdcs, adrgs = ({row["code"] for row in self._groups[level]} for level in ("mdc", "adrg"))
        # An ambiguous group is its own only DRG (BQY); any other shared code has no one meaning.
        for level, row in self._rows():
            clash = row["code"] in mdcs if level == "adrg" else False
            if level == "drg":
                clash = row["code"] in mdcs or (row["code"] in adrgs and row["code"] != row["adrg"])
            if clash:
                yield error(
                    "duplicate-group",
                    _where(level, row),
                    _("has the code of a group of another level that it is not part of"),
                )

    def parents(self) -> Iterator[Finding]:
        codes = {level: {r["code"] for r in rows} for level, rows in self._groups.items()}
        mdc_of = {row["code"]: row["mdc"] for row in self._groups["adrg"]}
        for level, parents in _PARENTS.items():
            for row in self._groups[level]:
                for parent in parents:
                    if row[parent] in codes[parent]:
                        continue
                    other = next((at for at in codes if row[parent] in codes[at]), None)
                    yield error(
                        "wrong-level" if other else "unknown-parent",
                        _where(level, row),
                        _(
                            "belongs to the {parent} {code}, which {lacking}",
                            parent=parent.upper(),
                            code=row[parent],
                            lacking=_("stands among the {other}", other=other.upper())
                            if other
                            else _("the scheme lacks"),
                        ),
                    )
        for row in self._groups["drg"]:
            expected = mdc_of.get(row["adrg"], row["mdc"])
            if row["mdc"] != expected:
                yield error(
                    "mdc-mismatch",
                    _where("drg", row),
                    _(
                        "is said to be in {mdc}, but its ADRG {adrg} is in {expected}",
                        mdc=row["mdc"],
                        adrg=row["adrg"],
                        expected=expected,
                    ),
                )

    def children(self) -> Iterator[Finding]:
        for level, below in _CHILDREN.items():
            used = {row[level] for row in self._groups[below]}
            for row in self._groups[level]:
                if row["code"] not in used:
                    # No case stops at an empty MDC, but at an empty ADRG it gets no group.
                    make = error if level == "adrg" else warning
                    none = _("has no {below}", below=below.upper())
                    yield make("no-children", _where(level, row), none)

    def order(self) -> Iterator[Finding]:
        for level, scope, rows in self._scopes():
            tried = [row for row in rows if not row["catch_all"]]
            within = _(" in {scope}", scope=scope) if scope else ""
            at: dict[int, str] = {}
            for row in tried:
                if row["sort"] in at:
                    yield warning(
                        "equal-sort",
                        _where(level, row),
                        _(
                            "shares sort {sort}{within} with {at}; the lower code is tried first",
                            sort=row["sort"],
                            within=within,
                            at=at[row["sort"]],
                        ),
                    )
                at.setdefault(row["sort"], row["code"])
            for row in rows:
                if not row["catch_all"]:
                    continue
                last = _("being a catch-all, it is tried last")
                if row["sort"] in at:
                    yield warning(
                        "equal-sort",
                        _where(level, row),
                        _(
                            "shares sort {sort}{within} with {at}; {last}",
                            sort=row["sort"],
                            within=within,
                            at=at[row["sort"]],
                            last=last,
                        ),
                    )
                later = [r["code"] for r in tried if r["sort"] > row["sort"]]
                if later:
                    early = _("sorts before {listed}; {last}", listed=listed(later), last=last)
                    yield warning("catch-all-order", _where(level, row), early, tuple(later))

    def _scopes(self) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
        """Groups that are tried one after the other, in that order."""
        for level, parent in (("mdc", None), ("adrg", "mdc"), ("drg", "adrg")):
            scopes: dict[str, list[dict[str, Any]]] = defaultdict(list)
            for row in self._groups[level]:
                scopes[row[parent] if parent else ""].append(row)
            for scope, rows in scopes.items():
                yield (
                    level,
                    scope,
                    sorted(rows, key=lambda r: (r["catch_all"], r["sort"], r["code"])),
                )

    def sets(self) -> Iterator[Finding]:
        trees = self._trees()
        named = frozenset().union(*map(set_ids, trees))
        departments, _other = department_sets(trees)
        members = sorted(frozenset().union(*self._sets.values()) - {""})
        nothing = is_missing(tidy(pa.array(members, pa.string())))
        marks = {code for code, mark in zip(members, nothing, strict=True) if mark}
        for name, codes in self._sets.items():
            where = _("set {name}", name=name)
            for mark in sorted(codes & marks):
                yield error(
                    "no-code", where, _("holds {mark!r}, which stands for no code", mark=mark)
                )
            if name not in named:
                yield warning("unused-set", where, _("no rule names it"))
            if not codes - {""}:
                yield error("empty-set", where, _("has no member"))
            elif name not in departments and len(set(map(is_diagnosis, codes - {""} - marks))) > 1:
                yield warning("mixed-set", where, _("holds both diagnoses and procedures"))

    def local(self, base: str | None) -> Iterator[Finding]:
        rules = {_where(level, row): row["tree"] for level, row in self._rows() if row["tree"]}
        yield from local_findings(rules, self._sets, base is not None)

    def reach(self) -> Iterator[Finding]:
        prover = Prover(self._sets)
        rules: dict[str, dict[str, Rule]] = {"mdc": {}, "adrg": {}}
        for level, scope, rows in self._scopes():
            if any(row["tree"] is None for row in rows):
                continue
            above = _above(level, rows[0], rules)
            earlier: list[dict[str, Any]] = []
            for row in rows:
                if level != "drg":
                    rules[level][row["code"]] = row["tree"]
                if prover.never(row["tree"]):
                    yield warning("never-true", _where(level, row), _("no case can meet its rule"))
                    continue
                premise = conjunction(*above, row["tree"])
                reason = (
                    _("its rule excludes what the rules above it ask for")
                    if prover.never(premise)
                    else taken_by(prover, premise, earlier)
                )
                # A case that meets an MDC and none of its ADRG goes on to the next MDC.
                if reason and level != "mdc":
                    found = _("no case gets here: {reason}", reason=reason)
                    yield warning("unreachable", _where(level, row), found)
                earlier.append(row)
            if level == "drg" and earlier:
                anything = conjunction(*above)
                if not prover.implies(anything, any_of(row["tree"] for row in earlier)):
                    yield warning(
                        "falls-through",
                        f"ADRG {scope}",
                        _(
                            "its last DRG {drg} has a condition; a case may be left without a DRG",
                            drg=earlier[-1]["code"],
                        ),
                    )

    def complications(self) -> Iterator[Finding]:
        rows: dict[str, list[dict[str, str]]] = defaultdict(list)
        for row in self._cc:
            rows[row["code"]].append(row)
        unknown: dict[str, list[str]] = defaultdict(list)
        for code, found in rows.items():
            if len(found) > 1:
                told = ", ".join(f"{row['type']} {row['exclusion']}".strip() for row in found)
                yield error(
                    "cc-conflict",
                    f"CC {code}",
                    _("stands {count} times: {told}", count=len(found), told=told),
                )
            if found[0]["type"] not in TYPES:
                odd = _("has type {type!r}, not MCC or CC", type=found[0]["type"])
                yield error("unknown-type", f"CC {code}", odd)
            if found[0]["exclusion"] not in self._exclusions.keys() | NO_TABLE:
                unknown[found[0]["exclusion"]].append(code)
        for table, codes in unknown.items():
            yield error(
                "unknown-exclusion",
                f"CC {codes[0]}",
                _(
                    "names the exclusion table {table}, which the scheme lacks ({count} "
                    "diagnoses do)",
                    table=table,
                    count=len(codes),
                ),
                tuple(codes),
            )

    def impossible(self) -> Iterator[Finding]:
        ordered: dict[str, list[dict[str, Any]]] = {level: [] for level in self._groups}
        for level, _other, rows in self._scopes():
            ordered[level] += rows
        yield from impossible_findings(ordered, self._sets)
        named = {row["exclusion"] for row in self._cc}
        for table in sorted(self._exclusions.keys() - named):
            where = _("exclusion table {table}", table=table)
            yield warning("unused-exclusion", where, _("no diagnosis names it"))

    def without_table(self) -> int:
        return sum(
            row["exclusion"] in NO_TABLE and row["exclusion"] not in self._exclusions
            for row in self._cc
        )

    def codes(self, dictionaries: Mapping[str, pa.Table]) -> Iterator[Finding]:
        known = {kind: set(table["code"].to_pylist()) for kind, table in dictionaries.items()}
        trees = self._trees()
        departments, coded = department_sets(trees)
        sets = (c for name, c in self._sets.items() if name not in departments - coded)
        used = {
            "sets": frozenset().union(*sets),
            "cc": frozenset(row["code"] for row in self._cc),
            "exclusions": frozenset().union(*self._exclusions.values()),
        }
        for table, codes in used.items():
            for kind, dictionary in known.items():
                of_kind = {c for c in codes if is_diagnosis(c) == (kind == "diagnoses")}
                missing = tuple(sorted(of_kind - dictionary))
                if missing:
                    yield warning(
                        "unknown-code",
                        _("table {table}", table=table),
                        _(
                            "{count} {kind} are not in the dictionary: {listed}",
                            count=len(missing),
                            kind=_(kind),
                            listed=listed(missing),
                        ),
                        missing,
                    )


def _above(
    level: str, row: Mapping[str, Any], rules: Mapping[str, Mapping[str, Rule]]
) -> tuple[Rule, ...]:
    """The rules that a case has met before it comes to a group."""
    return tuple(rules[up].get(row[up], TRUE) for up in _PARENTS.get(level, ()))


def _where(level: str, row: Mapping[str, Any]) -> str:
    return f"{level.upper()} {row['code']}"

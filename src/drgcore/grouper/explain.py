"""Why a case is in its group: the whole path as data, and readable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from drgcore.cases import (
    CANONICAL_SCHEMA,
    FIRST_CODE,
    LOCAL_SCHEMA,
    MISSING_NUMBER,
    UNKNOWN,
    CaseMapping,
    CodeIndex,
    open_cases,
)
from drgcore.errors import CaseSchemaError
from drgcore.grouper.batch import BatchGrouper
from drgcore.grouper.plain import (
    AtomTrace,
    ComplicationTrace,
    Facts,
    PlainCase,
    PlainResult,
    group_plainly,
)
from drgcore.grouper.result import REASONS
from drgcore.schemes import Scheme, load_dictionary
from drgcore.schemes.model import Adrg, Drg, Mdc
from drgcore.schemes.rules import LOCAL_VARIABLES, TRUE, VARIABLES, Compare, Member, atoms
from drgcore.schemes.store import CodeKind

_SHOWN_CODES = 6


@dataclass(frozen=True)
class RuleTrace:
    """One rule that was tried: whether it holds and each of its conditions."""

    group: Mdc | Adrg | Drg
    holds: bool
    atoms: tuple[AtomTrace, ...]


@dataclass(frozen=True)
class MdcTrace:
    """One MDC that was tried and, where its rule holds, its ADRG up to the first that holds."""

    rule: RuleTrace
    adrgs: tuple[RuleTrace, ...]


@dataclass(frozen=True)
class Explanation:
    """The path of one case through a scheme.

    Attributes
    ----------
    scheme : Scheme
    case : PlainCase
        The case as the rules see it.
    unknown_codes : int
        How many codes of the case the dictionaries do not have; they take part in no rule.
    result : PlainResult
        Group, status, reason and severity.
    complications : tuple of ComplicationTrace
        Each listed other diagnosis; with the exclusion table, where that excluded it.
    mdcs : tuple of MdcTrace
        Each MDC tried, in order; with the ADRG tried in it.
    drgs : tuple of RuleTrace
        The DRG tried in the ADRG that was found.
    """

    scheme: Scheme
    case: PlainCase
    unknown_codes: int
    result: PlainResult
    complications: tuple[ComplicationTrace, ...]
    mdcs: tuple[MdcTrace, ...]
    drgs: tuple[RuleTrace, ...]

    def __str__(self) -> str:
        return "\n".join(_Text(self).lines())


def explain(
    case: Any,
    scheme: str | Path | Scheme = "chs-drg-3.0",
    *,
    mapping: str | Path | CaseMapping = "canonical",
    clinical_codes: bool = False,
) -> Explanation:
    """Give the whole path by which a case comes to its group.

    Parameters
    ----------
    case : mapping, or anything of one row that `group` takes
        The columns of one case. Of a plain mapping (a dict) whatever is absent counts as missing.
    scheme, mapping, clinical_codes
        As for `group`.

    Returns
    -------
    Explanation
        Data; its `str()` is a readable account with the names of codes and groups.

    Raises
    ------
    CaseSchemaError
        When `case` is not one row.

    Notes
    -----
    The path is evaluated from the rules' syntax trees, apart from the compiled tables by which
    `group` works; that both agree is tested.

    Examples
    --------
    >>> import drgcore
    >>> why = drgcore.explain({"principal_diagnosis": "G11.900", "other_diagnoses": ["S52.804"],
    ...                        "sex": 2, "age_years": 69})
    >>> why.result.drg.code, why.result.severity
    ('BU23', 'CC')
    >>> [(t.code, t.type, t.counted) for t in why.complications]
    [('S52.804', 'CC', True)]
    """
    grouper = BatchGrouper.of(scheme, clinical_codes)
    if isinstance(case, Mapping):
        case = _one_row(case, mapping)
    with open_cases(case) as source:
        resolved = grouper.resolve(mapping, source.schema)
        batches = [b for b in source.batches() if b.num_rows]
    if sum(b.num_rows for b in batches) != 1:
        raise CaseSchemaError(
            f"explain takes one case, not {sum(b.num_rows for b in batches)} rows"
        )
    arrays = grouper.encode(batches[0], resolved)
    local = arrays.local
    diagnoses, procedures = grouper.diagnoses, grouper.procedures
    plain = PlainCase(
        principal_diagnosis=_known(diagnoses, arrays.principal_diagnosis).get(0),
        other_diagnoses=tuple(_known(diagnoses, arrays.other_diagnoses).values()),
        principal_procedure=_known(procedures, arrays.principal_procedure).get(0),
        other_procedures=tuple(_known(procedures, arrays.other_procedures).values()),
        sex=int(arrays.sex[0]) or None,
        age_years=_number(arrays.age_years[0]),
        age_days=_number(arrays.age_days[0]),
        newborn_weight_g=_number(arrays.newborn_weight_g[0]),
        **{name: _number(values[0]) for name, values in local.items() if name != "department"},
        department=_known(grouper.tables.departments, local.get("department", ())).get(0),
        principal_diagnosis_unknown=int(arrays.principal_diagnosis[0]) == UNKNOWN,
    )
    unknown = sum(
        int((ids == UNKNOWN).sum())
        for ids in (
            arrays.principal_diagnosis,
            arrays.other_diagnoses,
            arrays.principal_procedure,
            arrays.other_procedures,
        )
    )
    return trace_case(grouper.tables.scheme, plain, unknown)


def trace_case(scheme: Scheme, case: PlainCase, unknown_codes: int = 0) -> Explanation:
    """The path of a case whose codes and numbers are already read."""
    result = group_plainly(scheme, case)
    facts = Facts(scheme, case)
    mdcs: list[MdcTrace] = []
    drgs: list[RuleTrace] = []
    if result.status != "invalid":
        for mdc in scheme.mdcs:
            rule = _trace(facts, mdc)
            tried = _until_holds(facts, scheme.adrgs_of(mdc.code)) if rule.holds else ()
            mdcs.append(MdcTrace(rule, tried))
            if tried and tried[-1].holds:
                drgs.extend(_until_holds(facts, scheme.drgs_of(tried[-1].group.code)))
                break
    return Explanation(
        scheme, case, unknown_codes, result, facts.complications, tuple(mdcs), tuple(drgs)
    )


def _trace(facts: Facts, group: Mdc | Adrg | Drg) -> RuleTrace:
    traced = tuple(facts.trace(a) for a in dict.fromkeys(atoms(group.rule)))
    return RuleTrace(group, facts.holds(group.rule), traced)


def _until_holds(facts: Facts, groups: tuple[Adrg, ...] | tuple[Drg, ...]) -> tuple[RuleTrace, ...]:
    tried: list[RuleTrace] = []
    for group in groups:
        tried.append(_trace(facts, group))
        if tried[-1].holds:
            break
    return tuple(tried)


def _one_row(case: Mapping[str, Any], mapping: str | Path | CaseMapping) -> pa.Table:
    """A dict as a table of one row; canonical columns that it lacks are null."""
    row = {name: [value] for name, value in case.items()}
    if mapping == "canonical":
        for name in (*CANONICAL_SCHEMA.names, *LOCAL_SCHEMA.names):
            row.setdefault(name, [None])
    return pa.table(row)


def _known(index: CodeIndex, ids: Any) -> dict[int, str]:
    """Position → code, of those that are known."""
    return {
        i: index.codes[int(c) - FIRST_CODE].as_py() for i, c in enumerate(ids) if c >= FIRST_CODE
    }


def _number(value: Any) -> int | None:
    """A number of the case arrays, None where it is missing."""
    return None if value == MISSING_NUMBER else int(value)


@lru_cache(maxsize=2)
def _names(kind: CodeKind) -> dict[str, str]:
    table = load_dictionary(kind)
    return dict(zip(table["code"].to_pylist(), table["name"].to_pylist(), strict=True))


def code_name(code: str) -> str:
    """The official name of a diagnosis or procedure code, '' where the dictionaries lack it."""
    return _names("diagnoses").get(code) or _names("procedures").get(code, "")


class _Text:
    """The readable form of an explanation."""

    def __init__(self, explanation: Explanation) -> None:
        self.explanation = explanation
        self.scheme = explanation.scheme

    def lines(self) -> list[str]:
        e, result = self.explanation, self.explanation.result
        lines = [self._headline(), *self._case()]
        if e.unknown_codes:
            lines.append(f"  unknown codes, which take part in no rule: {e.unknown_codes}")
        if result.reason:
            lines.append(f"  {result.reason}: {REASONS[result.reason]}")
        if e.complications:
            lines.append("Complications (QTZD in the CC sheet)")
            lines += [self._complication(c) for c in e.complications]
        if e.mdcs:
            lines.append("Rules tried, in order")
        lines += self._missed(tuple(m.rule for m in e.mdcs), 1)
        for mdc in e.mdcs:
            if mdc.rule.holds:
                lines += self._rule(mdc.rule, 1)
                lines += self._missed(mdc.adrgs, 2)
            for adrg in mdc.adrgs:
                if adrg.holds:
                    lines += self._rule(adrg, 2)
        for drg in e.drgs:
            lines += self._rule(drg, 3)
        return lines

    def _headline(self) -> str:
        result = self.explanation.result
        groups = [g for g in (result.mdc, result.adrg, result.drg) if g is not None]
        path = " → ".join(g.code for g in groups) or "no group"
        name = self.scheme.name_of(groups[-1].code) if groups else ""
        severity = f", complications {result.severity}" if result.severity else ""
        return f"{path}  {name}  [{result.status}{severity}; {self.scheme.name}]"

    def _case(self) -> list[str]:
        case = self.explanation.case
        sex = {1: "男 male", 2: "女 female"}.get(case.sex or 0, "sex ?")
        numbers = [
            sex,
            f"{_shown(case.age_years)} years",
            *([f"{_shown(case.age_days)} days"] if case.age_years == 0 else []),
            *([f"{case.newborn_weight_g} g"] if case.newborn_weight_g is not None else []),
            # What a rule asks for is shown even where the case lacks it.
            *(
                f"{column} {_shown(getattr(case, column))}"
                for column in self.scheme.local_columns.values()
            ),
        ]
        lines = [f"  {', '.join(numbers)}"]
        for label, codes in (
            ("主要诊断 principal diagnosis", (case.principal_diagnosis,)),
            ("其他诊断 other diagnoses", case.other_diagnoses),
            ("主要手术 principal procedure", (case.principal_procedure,)),
            ("其他手术 other procedures", case.other_procedures),
        ):
            present = [c for c in codes if c]
            lines += [f"  {label}: {_coded(c)}" for c in present[:1]]
            lines += [f"    {_coded(c)}" for c in present[1:_SHOWN_CODES]]
            if len(present) > _SHOWN_CODES:
                lines.append(f"    … and {len(present) - _SHOWN_CODES} more")
        return lines

    def _complication(self, trace: ComplicationTrace) -> str:
        state = (
            "counts"
            if trace.counted
            else f"excluded: {self.explanation.case.principal_diagnosis} is in table "
            f"{trace.exclusion}"
        )
        return f"  {trace.type:<3} {_coded(trace.code)}  {state}"

    def _rule(self, trace: RuleTrace, depth: int) -> list[str]:
        group = trace.group
        pad = "  " * depth
        mark = "✓" if trace.holds else "✗"
        text = "always" if group.rule == TRUE else str(group.rule)
        if len(text) > 120:
            text = text[:117] + "…"
        lines = [f"{pad}{mark} {group.code} {self.scheme.name_of(group.code)}: {text}"]
        # Codes that break a `not in` or do not suffice for a count make nothing hold.
        shown = [a for a in trace.atoms if a.found and a.holds]
        if trace.holds:
            shown += [a for a in trace.atoms if a.holds and isinstance(a.atom, Compare)]
        for atom in shown:
            lines.append(f"{pad}    {atom.atom}: {self._evidence(atom)}")
        return lines

    def _evidence(self, trace: AtomTrace) -> str:
        if isinstance(trace.atom, Compare):
            column = {**VARIABLES, **LOCAL_VARIABLES}[trace.atom.variable]
            return f"{column} is {getattr(self.explanation.case, column)}"
        if isinstance(trace.atom, Member) and trace.atom.fields == ("CYKB",):
            # A department may have the code of some diagnosis, of which it is not to get the name.
            return f"department is {self.explanation.case.department}"
        more = f" and {len(trace.found) - 3} more" if len(trace.found) > 3 else ""
        return ", ".join(_coded(c) for c in trace.found[:3]) + more

    def _missed(self, tried: tuple[RuleTrace, ...], depth: int) -> list[str]:
        """Groups whose rule did not hold: in full where a part of the rule did, else by code."""
        near = [t for t in tried if not t.holds and any(a.holds for a in t.atoms)]
        far = [t.group.code for t in tried if not t.holds and t not in near]
        lines = [line for trace in near for line in self._rule(trace, depth)]
        if far:
            level = type(tried[0].group).__name__.upper()
            pad = "  " * depth
            lines.append(f"{pad}✗ no condition holds of {len(far)} {level}: {_listed(far)}")
        return lines


def _listed(codes: list[str]) -> str:
    return " ".join(codes) if len(codes) <= 12 else f"{' '.join(codes[:11])} … {codes[-1]}"


def _coded(code: str) -> str:
    name = code_name(code)
    return f"{code} {name}" if name else code


def _shown(value: int | str | None) -> str:
    return "?" if value is None or (isinstance(value, int) and value < 0) else str(value)

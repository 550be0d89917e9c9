"""Why a case is in its group: the whole path as data, and readable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from drgcore.cases import (
    FIRST_CODE,
    MISSING_NUMBER,
    UNKNOWN,
    CaseMapping,
    CodeIndex,
    open_cases,
)
from drgcore.cases.frames import is_series
from drgcore.cases.guessing import mapping_for
from drgcore.cases.one_case import whole_row
from drgcore.errors import CaseSchemaError
from drgcore.grouper.account import account_of, as_html, as_text, check_language
from drgcore.grouper.batch import BatchGrouper
from drgcore.grouper.dated import DatedGrouper, grouper_of
from drgcore.grouper.path import CasePath, Language, MdcTrace, RuleTrace
from drgcore.grouper.plain import (
    Facts,
    PlainCase,
    PlainResult,
    group_plainly,
)
from drgcore.language import _, get_language
from drgcore.schemes import Scheme
from drgcore.schemes.calendar import SchemeCalendar
from drgcore.schemes.model import Adrg, Drg, Mdc
from drgcore.schemes.rules import atoms


class Explanation(CasePath):
    """The path of one case through a scheme; see `CasePath` for what it holds."""

    def __str__(self) -> str:
        return self.text()

    def text(self, lang: Language | None = None) -> str:
        """The path in the order in which it happens, readable.

        Parameters
        ----------
        lang : {"zh", "en"}, optional
            Chinese or English; that of the explanation by default.
        """
        return as_text(account_of(self, self.lang if lang is None else lang))

    def html(self, lang: Language | None = None) -> str:
        """The same as one fragment of HTML, to be put into a page.

        A ``<section class="drgcore-explanation">`` without style, script or link; every text of
        the case and of the scheme is escaped. Groups are ``<li>`` of the classes ``holds``,
        ``fails`` or ``passed``.

        Parameters
        ----------
        lang : {"zh", "en"}, optional
            Chinese or English; that of the explanation by default.
        """
        return as_html(account_of(self, self.lang if lang is None else lang))


def explain(
    case: Any,
    scheme: str | Path | Scheme | SchemeCalendar = "chs-drg-3.0",
    *,
    mapping: str | Path | CaseMapping = "canonical",
    clinical_codes: bool = False,
    lang: Language | None = None,
) -> Explanation:
    """Give the whole path by which a case comes to its group.

    Parameters
    ----------
    case : mapping, pandas.Series, or anything of one row that `group` takes
        The columns of one case. Of a plain mapping (a dict) whatever is absent counts as missing.
    scheme, mapping, clinical_codes
        As for `group`.
    lang : {"zh", "en"}, optional
        Language of the readable account: Chinese or English; else the language that is set.

    Returns
    -------
    Explanation
        Data; its `str()` is a readable account with the names of codes and groups, in the order in
        which the rules are tried, and its `html()` the same for a page.

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
    lang = get_language() if lang is None else lang
    check_language(lang)
    grouper = grouper_of(scheme, clinical_codes)
    if is_series(case) or isinstance(case, Mapping):
        case = whole_row(case, mapping)
    mapping = mapping_for(mapping, case)
    with open_cases(case) as source:
        where = grouper.resolve(mapping, source.schema)
        source.expect_codes(where.code_names())
        batches = [b for b in source.batches() if b.num_rows]
    if sum(b.num_rows for b in batches) != 1:
        raise CaseSchemaError(
            _("explain takes one case, not {count} rows", count=sum(b.num_rows for b in batches))
        )
    refused, calendar = None, grouper.name
    if isinstance(grouper, DatedGrouper):
        ((_other, grouper, resolved, refused),) = grouper.split(batches[0], where)
    else:
        assert isinstance(grouper, BatchGrouper)
        resolved = where
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
    of = grouper.tables.scheme
    noticed = tuple(grouper.notes.unknown_codes())
    if refused is not None:
        result = PlainResult("invalid", refused)
        return Explanation(of, plain, unknown, result, (), (), (), noticed, lang, calendar)
    return replace(trace_case(of, plain, unknown), lang=lang, unknown=noticed)


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


def _known(index: CodeIndex, ids: Any) -> dict[int, str]:
    """Position → code, of those that are known."""
    return {
        i: index.codes[int(c) - FIRST_CODE].as_py() for i, c in enumerate(ids) if c >= FIRST_CODE
    }


def _number(value: Any) -> Any:
    """A number of the case arrays as Python has it, None where it is missing."""
    return None if value == MISSING_NUMBER else value.item()

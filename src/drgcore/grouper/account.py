"""The path of a case as people read it: in the order in which it happens, as text and as HTML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Literal, get_args

from drgcore.cases.notes import UnknownCode
from drgcore.errors import DrgcoreError
from drgcore.grouper.path import CasePath, Language, RuleTrace
from drgcore.grouper.plain import AtomTrace, ComplicationTrace
from drgcore.grouper.result import REASONS
from drgcore.language import _, heading, use_language, word
from drgcore.schemes import load_dictionary
from drgcore.schemes.rules import LOCAL_VARIABLES, TRUE, VARIABLES, YES_NO, Compare, Member
from drgcore.schemes.store import CodeKind

State = Literal["holds", "fails", "passed"]

_SHOWN_CODES = 6
_LONGEST_RULE = 120


@dataclass(frozen=True)
class Step:
    """A group that was tried, or several in a row of which no condition holds.

    Attributes
    ----------
    state : {"holds", "fails", "passed"}
        The rule holds; it does not, though a part of it does; nothing of it does.
    text : str
    evidence : tuple of str
        What of the case made conditions hold.
    steps : tuple of Step
        The groups that were tried in this one.
    rule : str
        The rule whole, where `text` has only its beginning.
    """

    state: State
    text: str
    evidence: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    rule: str = ""


@dataclass(frozen=True)
class Account:
    """What is to be read of an explanation, in one language.

    Attributes
    ----------
    lang : {"zh", "en"}
    headline : str
    facts : tuple of (str, tuple of str)
        A label, which may be empty, and what stands behind it.
    complications_title : str
    complications : tuple of str
    steps_title : str
    steps : tuple of Step
    """

    lang: Language
    headline: str
    facts: tuple[tuple[str, tuple[str, ...]], ...]
    complications_title: str
    complications: tuple[str, ...]
    steps_title: str
    steps: tuple[Step, ...]


def check_language(lang: str) -> None:
    """Refuse a language that there are no words of.

    Raises
    ------
    DrgcoreError
    """
    if lang not in get_args(Language):
        raise DrgcoreError(
            _("there is no language {lang!r}", lang=lang),
            hint=_("Languages: {words} (zh is 中文).", words=", ".join(get_args(Language))),
        )


def account_of(explanation: CasePath, lang: Language) -> Account:
    """What is to be read of an explanation.

    Parameters
    ----------
    explanation : CasePath
    lang : {"zh", "en"}

    Returns
    -------
    Account

    Raises
    ------
    DrgcoreError
        There are no words of this language.
    """
    check_language(lang)
    with use_language(lang):
        return _Writer(explanation, lang).account()


def as_text(account: Account) -> str:
    """An account as lines of text; what happens within something is indented."""
    lines = [account.headline]
    for label, values in account.facts:
        first, *rest = values
        lines.append(f"  {label}: {first}" if label else f"  {first}")
        lines += [f"    {value}" for value in rest]
    if account.complications:
        lines.append(account.complications_title)
        lines += [f"  {text}" for text in account.complications]
    if account.steps:
        lines.append(account.steps_title)
        lines += _step_lines(account.steps, 1)
    return "\n".join(lines)


def _step_lines(steps: Sequence[Step], depth: int) -> Iterator[str]:
    pad = "  " * depth
    for step in steps:
        yield f"{pad}{'✓' if step.state == 'holds' else '✗'} {step.text}"
        yield from (f"{pad}    {text}" for text in step.evidence)
        yield from _step_lines(step.steps, depth + 1)


def as_html(account: Account) -> str:
    """An account as one fragment of HTML, without style, script or link; every text is escaped."""
    lang = {"zh": "zh-Hans", "en": "en"}[account.lang]
    parts = [
        f'<section class="drgcore-explanation" lang="{lang}">',
        f'<p class="headline">{escape(account.headline)}</p>',
        '<ul class="facts">',
    ]
    for label, values in account.facts:
        shown = "<br>".join(map(escape, values))
        head = f"<strong>{escape(label)}</strong> " if label else ""
        parts.append(f"<li>{head}{shown}</li>")
    parts.append("</ul>")
    if account.complications:
        parts.append(f'<p class="title">{escape(account.complications_title)}</p>')
        listed = "".join(f"<li>{escape(text)}</li>" for text in account.complications)
        parts.append(f'<ul class="complications">{listed}</ul>')
    if account.steps:
        parts.append(f'<p class="title">{escape(account.steps_title)}</p>')
        parts.append(_steps_html(account.steps))
    parts.append("</section>")
    return "\n".join(parts)


def _steps_html(steps: Sequence[Step]) -> str:
    items = []
    for step in steps:
        mark = "✓" if step.state == "holds" else "✗"
        evidence = "".join(f"<li>{escape(text)}</li>" for text in step.evidence)
        within = f'<ul class="evidence">{evidence}</ul>' if evidence else ""
        within += _steps_html(step.steps) if step.steps else ""
        items.append(f'<li class="{step.state}">{mark} {escape(step.text)}{within}</li>')
    return f'<ol class="steps">{"".join(items)}</ol>'


@lru_cache(maxsize=2)
def _names(kind: CodeKind) -> dict[str, str]:
    table = load_dictionary(kind)
    return dict(zip(table["code"].to_pylist(), table["name"].to_pylist(), strict=True))


def code_name(code: str) -> str:
    """The official name of a diagnosis or procedure code, '' where the dictionaries lack it."""
    return _names("diagnoses").get(code) or _names("procedures").get(code, "")


def _coded(code: str) -> str:
    name = code_name(code)
    return f"{code} {name}" if name else code


class _Writer:
    """Puts an explanation into words."""

    def __init__(self, explanation: CasePath, lang: Language) -> None:
        self._explanation = explanation
        self._scheme = explanation.scheme
        self._lang = lang

    def account(self) -> Account:
        e = self._explanation
        return Account(
            self._lang,
            self._headline(),
            tuple(self._facts()),
            _("Complications (QTZD in the CC sheet)"),
            tuple(map(self._complication, e.complications)),
            _("Rules tried, in order"),
            tuple(self._path()),
        )

    def _headline(self) -> str:
        e, result = self._explanation, self._explanation.result
        groups = [g for g in (result.mdc, result.adrg, result.drg) if g is not None]
        path = " → ".join(g.code for g in groups) or _("no group")
        name = self._scheme.name_of(groups[-1].code) if groups else ""
        state = word(result.status)
        if result.severity:
            kind = _("none") if result.severity == "none" else result.severity
            state += _(", complications {kind}", kind=kind)
        return f"{path}  {name}  [{state}; {e.calendar or self._scheme.name}]"

    def _facts(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        e, case = self._explanation, self._explanation.case
        numbers = [
            self._sex(case.sex),
            _("{number} years", number=_shown(case.age_years)),
        ]
        if case.age_years == 0:
            numbers.append(_("{number} days", number=_shown(case.age_days)))
        if case.newborn_weight_g is not None:
            numbers.append(_("{number} g", number=case.newborn_weight_g))
        # What a rule asks for is shown even where the case lacks it.
        for variable, column in self._scheme.local_columns.items():
            value = self._answer(variable, getattr(case, column))
            numbers.append(f"{self._column(column)} {value}")
        yield "", (_(", ").join(numbers),)
        for key, codes in (
            ("principal_diagnosis", (case.principal_diagnosis,)),
            ("other_diagnoses", case.other_diagnoses),
            ("principal_procedure", (case.principal_procedure,)),
            ("other_procedures", case.other_procedures),
        ):
            label = heading(key)
            present = [_coded(c) for c in codes if c]
            if present:
                more = len(present) - _SHOWN_CODES
                rest = [_("… and {number} more", number=more)] if more > 0 else []
                yield label, (*present[:_SHOWN_CODES], *rest)
            if unknown := [self._unknown(u) for u in e.unknown if u.column == key]:
                yield label, tuple(unknown)
        if e.unknown_codes:
            told = _("unknown codes, which take part in no rule: {number}", number=e.unknown_codes)
            yield "", (told,)
        for reason in e.result.reasons:
            yield "", (f"{reason}: {REASONS[reason]}",)

    def _sex(self, sex: int | None) -> str:
        if sex is None or sex not in (1, 2):
            return _("sex ?")
        return _("male") if sex == 1 else _("female")

    def _unknown(self, code: UnknownCode) -> str:
        """An unknown code, with those of the dictionary that it may mean."""
        near = ", ".join(map(_coded, code.near))
        if not near:
            return _("✗ {code} unknown", code=code.text)
        return _("✗ {code} unknown; near: {near}", code=code.text, near=near)

    def _column(self, column: str) -> str:
        """What the case calls it; an English reader knows a column by its name."""
        return heading(column) if self._lang == "zh" else column

    def _answer(self, variable: str, value: float | str | None) -> str:
        if variable in YES_NO and value in (0, 1):
            return word("yes" if value else "no")
        return _shown(value)

    def _complication(self, trace: ComplicationTrace) -> str:
        state = _("counts")
        if not trace.counted:
            principal = self._explanation.case.principal_diagnosis
            state = _("excluded: {code} is in table {table}", code=principal, table=trace.exclusion)
        return f"{trace.type:<3} {_coded(trace.code)}  {state}"

    def _path(self) -> Iterator[Step]:
        """MDC by MDC, in each that holds its ADRG, in the last of those its DRG."""
        e = self._explanation
        drgs = tuple(self._tried(e.drgs, [()] * len(e.drgs)))
        within = []
        for mdc in e.mdcs:
            last = len(mdc.adrgs) - 1 if mdc.adrgs and mdc.adrgs[-1].holds else -1
            below = [drgs if place == last else () for place in range(len(mdc.adrgs))]
            within.append(tuple(self._tried(mdc.adrgs, below)))
        yield from self._tried([mdc.rule for mdc in e.mdcs], within)

    def _tried(
        self, traces: Sequence[RuleTrace], within: Sequence[tuple[Step, ...]]
    ) -> Iterator[Step]:
        """Groups in their order; those in a row of which no condition holds share one step."""
        far: list[RuleTrace] = []
        for trace, steps in zip(traces, within, strict=True):
            if not trace.holds and not any(atom.holds for atom in trace.atoms):
                far.append(trace)
                continue
            if far:
                yield self._passed(far)
                far = []
            yield self._step(trace, steps)
        if far:
            yield self._passed(far)

    def _passed(self, far: Sequence[RuleTrace]) -> Step:
        level = type(far[0].group).__name__.upper()
        codes = [trace.group.code for trace in far]
        listed = " ".join(codes if len(codes) <= 12 else (*codes[:11], "…", codes[-1]))
        text = _(
            "no condition holds of {number} {level}: {codes}",
            number=len(far),
            level=level,
            codes=listed,
        )
        return Step("passed", text)

    def _step(self, trace: RuleTrace, steps: tuple[Step, ...]) -> Step:
        group = trace.group
        whole = text = _("always") if group.rule == TRUE else str(group.rule)
        if len(text) > _LONGEST_RULE:
            text = text[: _LONGEST_RULE - 3] + "…"
        # Codes that break a `not in` or do not suffice for a count make nothing hold.
        shown = [a for a in trace.atoms if a.found and a.holds]
        if trace.holds:
            shown += [a for a in trace.atoms if a.holds and isinstance(a.atom, Compare)]
        return Step(
            "holds" if trace.holds else "fails",
            f"{group.code} {self._scheme.name_of(group.code)}: {text}",
            tuple(f"{atom.atom}: {self._evidence(atom)}" for atom in shown),
            steps,
            "" if whole == text else whole,
        )

    def _evidence(self, trace: AtomTrace) -> str:
        case = self._explanation.case
        if isinstance(trace.atom, Compare):
            column = {**VARIABLES, **LOCAL_VARIABLES}[trace.atom.variable]
            value = self._answer(trace.atom.variable, getattr(case, column))
            return _("{column} is {value}", column=self._column(column), value=value)
        if isinstance(trace.atom, Member) and trace.atom.fields == ("CYKB",):
            # A department may have the code of some diagnosis, of which it is not to get the name.
            return _(
                "{column} is {value}", column=self._column("department"), value=case.department
            )
        rest = len(trace.found) - 3
        more = _(" and {number} more", number=rest) if rest > 0 else ""
        return _(", ").join(map(_coded, trace.found[:3])) + more


def _shown(value: float | str | None) -> str:
    return "?" if value is None or (not isinstance(value, str) and value < 0) else str(value)

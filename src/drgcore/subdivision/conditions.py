"""Conditions by which a group may be cut: what the search tries, as rules and in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from drgcore.errors import DrgcoreError, RuleSyntaxError
from drgcore.language import _
from drgcore.schemes.parser import parse_rule
from drgcore.schemes.rules import COMPLICATIONS, Compare, Member, Rule

Kind = Literal[
    "severity", "age", "procedure", "principal_diagnosis", "other_diagnosis", "stay", "icu"
]

LISTED: Mapping[Kind, tuple[str, ...]] = {
    "procedure": ("ZYSS", "QTSS"),
    "principal_diagnosis": ("ZYZD",),
    "other_diagnosis": ("QTZD",),
}
"""Kinds of listed codes → the fields of the rule language in which they are looked for."""

_SAID: Mapping[Kind, str] = {
    "procedure": "所列手术或操作",
    "principal_diagnosis": "所列主要诊断",
    "other_diagnosis": "所列其他诊断",
}


@dataclass(frozen=True)
class Condition:
    """One way to cut a group in two: the cases for which `rule` holds, and the rest.

    Parameters
    ----------
    kind : str
        What it looks at.
    rule : Rule
        In the rule language of the schemes.
    words : str
        As part of a group's name.
    otherwise : str, default "其他"
        As part of the name of the rest.
    """

    kind: Kind
    rule: Rule
    words: str
    otherwise: str = "其他"


@dataclass(frozen=True)
class SplitCandidates:
    """What `subdivide` may cut groups by.

    Parameters
    ----------
    severity : bool, default True
        By MCC, and by MCC or CC.
    ages : tuple of int, default (1, 7, 18, 60, 70, 80)
        Below or from these ages [years].
    listed : tuple of {"procedure", "principal_diagnosis", "other_diagnosis"}
        Let the search find codes whose cases are dearer than the others of their group, and list
        them; by default all three kinds.
    procedures : mapping of str to sequence of str, default {}
        Lists of procedures to try, by the name that the set shall have in the scheme. The codes are
        those of the insurance version, whatever the cases are coded in.
    diagnoses : mapping of str to sequence of str, default {}
        Lists of other diagnoses to try, likewise.
    stay_days : tuple of int, default ()
        More than so many days in hospital. Payment by length of stay rewards long stays: none by
        default, and a local variable that official schemes do not know (ZYTS).
    icu_hours : tuple of int, default ()
        More than so many hours in intensive care, another local variable (ICUSC).

    Examples
    --------
    >>> [c.words for c in SplitCandidates(ages=(7,)).everywhere()]
    ['伴严重合并症或并发症', '伴合并症或并发症', '小于等于6岁']
    """

    severity: bool = True
    ages: tuple[int, ...] = (1, 7, 18, 60, 70, 80)
    listed: tuple[Kind, ...] = ("procedure", "principal_diagnosis", "other_diagnosis")
    procedures: Mapping[str, Sequence[str]] = field(default_factory=dict)
    diagnoses: Mapping[str, Sequence[str]] = field(default_factory=dict)
    stay_days: tuple[int, ...] = ()
    icu_hours: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name in ("ages", "stay_days", "icu_hours"):
            cuts = getattr(self, name)
            if list(cuts) != sorted(set(cuts)) or any(cut < 0 for cut in cuts):
                raise DrgcoreError(
                    _("{name}={cuts} must ascend and not be negative", name=name, cuts=cuts)
                )
        if 0 in self.ages:
            raise DrgcoreError(_("ages={ages}: nobody is below 0 years", ages=self.ages))
        unknown = sorted(set(self.listed) - set(LISTED))
        if unknown:
            raise DrgcoreError(
                _(
                    "listed={unknown!r} must be one of {listed}",
                    unknown=unknown[0],
                    listed=", ".join(LISTED),
                )
            )
        for name, codes in (*self.procedures.items(), *self.diagnoses.items()):
            _refuse_list(name, codes)
        twice = sorted(self.procedures.keys() & self.diagnoses.keys())
        if twice:
            raise DrgcoreError(
                _("{twice} is a list of procedures and of diagnoses", twice=twice[0]),
                where="SplitCandidates",
                hint=_("a set of a scheme has one name: give the two lists different ones"),
            )

    def everywhere(self) -> tuple[Condition, ...]:
        """Conditions that are tried in every group; lists that the search finds come on top."""
        found: list[Condition] = []
        if self.severity:
            found += [
                Condition("severity", Member(("QTZD",), sets), f"伴{words}", f"不伴{words}")
                for sets, words in (
                    (("MCC",), "严重合并症或并发症"),
                    (("MCC", "CC"), "合并症或并发症"),
                )
            ]
        for age in self.ages:
            # Children are told by the age up to which they are, older people by that from which on.
            if age <= 18:
                rule, words = Compare("NL", "<=", age - 1), f"小于等于{age - 1}岁"
                otherwise = f"大于等于{age}岁"
            else:
                rule, words = Compare("NL", ">=", age), f"大于等于{age}岁"
                otherwise = f"小于{age}岁"
            found.append(Condition("age", rule, words, otherwise))
        # A case whose days or hours are missing is among the rest, which is only called that.
        found += [
            Condition("stay", Compare("ZYTS", ">", days), f"住院大于{days}天")
            for days in self.stay_days
        ]
        found += [
            Condition("icu", Compare("ICUSC", ">", hours), f"重症监护大于{hours}小时")
            for hours in self.icu_hours
        ]
        found += [listed_condition("procedure", name) for name in self.procedures]
        found += [listed_condition("other_diagnosis", name) for name in self.diagnoses]
        return tuple(found)


def _refuse_list(name: str, codes: Sequence[str]) -> None:
    try:
        is_name = parse_rule(f"QTZD in {name}") == Member(("QTZD",), (name,))
    except RuleSyntaxError:
        is_name = False
    if not is_name or name in COMPLICATIONS:
        raise DrgcoreError(
            _("{name!r} cannot be the name of a set", name=name),
            where="SplitCandidates",
            hint=_(
                "use letters, digits and underscores, as OP_ROBOT; MCC and CC mean complications"
            ),
        )
    if isinstance(codes, str) or not codes:
        raise DrgcoreError(
            _("{name} must be a list of one code or more", name=name), where="SplitCandidates"
        )


def listed_condition(kind: Kind, set_id: str) -> Condition:
    """Give the condition that a case has a code of a list.

    Parameters
    ----------
    kind : {"procedure", "principal_diagnosis", "other_diagnosis"}
        Where the code is looked for.
    set_id : str
        Name of the list's set in the scheme.

    Returns
    -------
    Condition

    Examples
    --------
    >>> str(listed_condition("procedure", "OP_ROBOT").rule)
    '{ZYSS, QTSS} in OP_ROBOT'
    """
    words = f"伴{_SAID[kind]}（{set_id}）"
    return Condition(kind, Member(LISTED[kind], (set_id,)), words, f"不{words}")

"""Where the paths of a case through two schemes part, and by which difference of the schemes.

A scheme is a list of groups of which a case gets the first whose rule holds. Say it gets x in the
scheme before and y in the one after, and x' is the group of the scheme after that is paired with x,
'y the one before that is paired with y. Then at least one of these is so:

- x has no x', or the rule of x' does not hold: the case *left* x;
- y has no 'y, or the rule of 'y does not hold: the case *entered* y;
- else all four hold, x comes before 'y and y comes before x': the *order* is another.

So every case that changes has a reason, and each reason is a difference that can be looked up.
Where the only one is that the ADRG is cut otherwise, a complication that changed as well may decide
between the DRG of the new cut; it is the second reason then.
Rules are evaluated for all cases of a group at once, each with its own codes; no case stands for
another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgcore.cases.statuses import STATUSES
from drgcore.grouper.result import REASONS, GroupedRows
from drgcore.language import _
from drgcore.migration.conditions import Bools, Cases, Indices
from drgcore.migration.difference import CodeNumbers, Ruled, find_difference, name_codes
from drgcore.migration.pairing import Pairing
from drgcore.migration.reasons import NUMBER_OF, SIDES, Causes, Names, ReasonKind
from drgcore.progress import Step, step
from drgcore.schemes import Adrg, Drg, Scheme
from drgcore.schemes.rules import COMPLICATIONS, Atom, Member, Rule, atoms

PARTED = ("status", "mdc", "adrg", "drg", "code")
"""Where two results first differ: one is invalid; MDC; ADRG; DRG; only the code of the group."""

_AT_STATUS, _AT_MDC, _AT_ADRG, _AT_DRG, _AT_CODE = range(5)
_INVALID = STATUSES.index("invalid")
_REASON_CODES = ("", *REASONS)
# What was missing or unreadable, by the beginning of the reason.
_ASKED = {"sex": "XB", "age_days": "XSRTL", "age": "NL"}
_NO_PAIR = -2


@dataclass(frozen=True)
class Side:
    """Some cases as one scheme sees them, and what became of them."""

    cases: Cases
    rows: GroupedRows
    numbers: CodeNumbers
    earlier: bool

    @property
    def scheme(self) -> Scheme:
        """The scheme."""
        return self.cases.codes.scheme

    def take(self, rows: Indices) -> Side:
        """Some of the cases."""
        some = GroupedRows(*(values[rows] for values in self.rows.every()))
        return Side(self.cases.take(rows), some, self.numbers, self.earlier)

    @classmethod
    def joined(cls, sides: Sequence[Side]) -> Side:
        """Several blocks of cases of one scheme, one after the other."""
        arrays = zip(*(side.rows.every() for side in sides), strict=True)
        rows = GroupedRows(*(np.concatenate(parts) for parts in arrays))
        cases = Cases.joined([side.cases for side in sides])
        return cls(cases, rows, sides[0].numbers, sides[0].earlier)

    def groups(self, level: str) -> tuple[Sequence[Adrg | Drg], NDArray[np.int16]]:
        """The groups of a level (``"ADRG"``, ``"DRG"``), and each case's place among them."""
        if level == "ADRG":
            return self.scheme.adrgs, self.rows.adrg
        return self.scheme.drgs, self.rows.drg


@dataclass(frozen=True)
class _Places:
    """The pairs of groups as places in the lists of groups, and whether they have one code."""

    pair: Indices
    same_code: Bools

    @classmethod
    def of(
        cls,
        pairs: Mapping[str, str],
        here: Sequence[Adrg | Drg],
        there: Sequence[Adrg | Drg],
    ) -> _Places:
        place = {group.code: i for i, group in enumerate(there)}
        found = [place[pairs[g.code]] if g.code in pairs else _NO_PAIR for g in here]
        same = [pairs.get(g.code, g.code) == g.code for g in here]
        # No group is -1, which finds the -1 behind the last group.
        return cls(np.array([*found, -1], np.int64), np.array([*same, True], np.bool_))


class Parting:
    """Finds where the paths of cases part, and why, block by block.

    Parameters
    ----------
    pairs : Pairing
        The pairs of groups of the two schemes.
    code_names : pyarrow.Array of str
        The codes of both schemes, as `CodeNumbers` numbers them.
    """

    def __init__(self, pairs: Pairing, code_names: pa.Array) -> None:
        self._code_names = code_names
        self._names = Names()
        before, after = pairs.before, pairs.after
        back = [{new: old for old, new in p.items()} for p in (pairs.adrgs, pairs.drgs)]
        # By level and by whether the way is from the scheme before to the one after.
        self._places = {
            ("ADRG", True): _Places.of(pairs.adrgs, before.adrgs, after.adrgs),
            ("DRG", True): _Places.of(pairs.drgs, before.drgs, after.drgs),
            ("ADRG", False): _Places.of(back[0], after.adrgs, before.adrgs),
            ("DRG", False): _Places.of(back[1], after.drgs, before.drgs),
        }
        self._mdc_rules = {
            earlier: {m.code: m.rule for m in scheme.mdcs}
            for earlier, scheme in ((True, before), (False, after))
        }
        place = {m.code: i for i, m in enumerate((*before.mdcs, *after.mdcs))}
        self._mdc_of = [
            np.array([*(place[a.mdc] for a in scheme.adrgs), -1]) for scheme in (before, after)
        ]

    def parted(self, old: GroupedRows, new: GroupedRows) -> NDArray[np.int8]:
        """Where the results of each case first differ, by place in `PARTED`; -1 for nowhere."""
        adrg, drg = self._places["ADRG", True], self._places["DRG", True]
        invalid = old.status == _INVALID, new.status == _INVALID
        at_adrg = adrg.pair[old.adrg] != new.adrg
        at_mdc = self._mdc_of[0][old.adrg] != self._mdc_of[1][new.adrg]
        at_drg = drg.pair[old.drg] != new.drg
        recoded = ~(adrg.same_code[old.adrg] & drg.same_code[old.drg])
        parted: NDArray[np.int8] = np.select(
            [invalid[0] & invalid[1], invalid[0] | invalid[1], at_mdc, at_adrg, at_drg, recoded],
            [-1, _AT_STATUS, _AT_MDC, _AT_ADRG, _AT_DRG, _AT_CODE],
            -1,
        ).astype(np.int8)
        return parted

    def reasons(self, parted: NDArray[np.int8], before: Side, after: Side) -> dict[str, pa.Array]:
        """Why each of some cases changed, all of which did.

        Returns
        -------
        dict of str to pyarrow.Array
            The cause (``kind``, ``level``, ``group``, ``set_id``, ``codes``) and, with the prefix
            ``then_``, what brought the case into its new group where that is another cause, or
            the complication that decided between the DRG of a new cut.
        """
        size = len(parted)
        left, entered = (Causes(size, self._names, self._code_names, s) for s in SIDES)
        at_status = np.flatnonzero(parted == _AT_STATUS)
        self._one_invalid(at_status, before, after, left)
        self._one_invalid(at_status, after, before, entered)
        by_level = {
            "ADRG": np.flatnonzero((parted == _AT_MDC) | (parted == _AT_ADRG)),
            "DRG": np.flatnonzero(parted == _AT_DRG),
        }
        # Each case is looked at from both sides.
        looks = 2 * sum(map(len, by_level.values()))
        with step(_("explaining what moved"), _("comparisons"), looks) as told:
            for level, rows in by_level.items():
                self._one_way(level, rows, before, after, left, told)
                self._one_way(level, rows, after, before, entered, told)
                both_hold = rows[(left.kind[rows] < 0) & (entered.kind[rows] < 0)]
                groups, place = after.groups(level)
                for at, group in _by_group(both_hold, place, groups):
                    for moved in (True, False):
                        part = at[(parted[at] == _AT_MDC) == moved]
                        name, where = (group.mdc, "MDC") if moved else (group.code, level)
                        entered.put(part, ReasonKind.ORDER_CHANGED, where, name)
        renamed = np.flatnonzero(parted == _AT_CODE)
        for at, group in _by_group(renamed, after.rows.adrg, after.scheme.adrgs):
            entered.put(at, ReasonKind.RENAMED, "ADRG", group.code)
        first, then = Causes.in_order(left, entered)
        cut = first.kind == NUMBER_OF[ReasonKind.SUBDIVISION_CHANGED]
        self._complications_too(np.flatnonzero(cut & (then.kind < 0)), before, after, then)
        return {**first.columns(), **then.columns("then_")}

    def _one_invalid(self, rows: Indices, bad: Side, good: Side, causes: Causes) -> None:
        """Cases that one scheme finds invalid, of those that the other one does not."""
        invalid = rows[bad.rows.status[rows] == _INVALID]
        for number in np.unique(bad.rows.reason[invalid]).tolist():
            at = invalid[bad.rows.reason[invalid] == number]
            reason = _REASON_CODES[number]
            if reason.startswith("principal_diagnosis"):
                causes.put(at, ReasonKind.CODE_UNKNOWN, "case")
                ids = good.cases.arrays.principal_diagnosis[at]
                causes.put_codes(at, good.numbers.diagnoses[ids])
            elif reason.startswith("newborn_weight"):
                causes.put(at, ReasonKind.WEIGHT_ASKED, "case", set_id="XSRTZ")
            else:
                variable = next(v for start, v in _ASKED.items() if reason.startswith(start))
                causes.put(at, ReasonKind.NUMBER_ASKED, "case", set_id=variable)

    def _one_way(
        self, level: str, rows: Indices, here: Side, there: Side, causes: Causes, told: Step
    ) -> None:
        """Why the groups that cases have in one scheme are not theirs in the other."""
        groups, place = here.groups(level)
        others = there.groups(level)[0]
        codes = {group.code for group in others}
        pair = self._places[level, here.earlier].pair
        left_out = len(rows)
        for at, group in _by_group(rows, place, groups):
            other = pair[place[at[0]]]
            if other != _NO_PAIR:
                self._compare(level, at, (here, group), (there, others[other]), causes)
            elif level == "DRG":
                # Its ADRG is paired, so that its cases are still there, but cut otherwise.
                causes.put(at, ReasonKind.SUBDIVISION_CHANGED, level, group.code)
            elif group.code in codes:
                causes.put(at, ReasonKind.CODE_REUSED, level, group.code)
            else:
                kind = ReasonKind.GROUP_GONE if here.earlier else ReasonKind.GROUP_NEW
                causes.put(at, kind, level, group.code)
            told.advance(len(at))
            left_out -= len(at)
        told.advance(left_out)

    def _complications_too(self, rows: Indices, before: Side, after: Side, causes: Causes) -> None:
        """Name the complication without whose change the new cut would give another DRG.

        The rules of the new DRG are read once more with the complications of the scheme before.
        The first that holds either way decides.
        """
        for at, adrg in _by_group(rows, after.rows.adrg, after.scheme.adrgs):
            had, has = before.cases.take(at), after.cases.take(at)
            undecided = np.ones(len(at), np.bool_)
            for drg in after.scheme.drgs:
                if drg.adrg != adrg.code:
                    continue
                now = has.holds(drg.rule)
                would = has.holds(drg.rule, partial(_truth_with, had, has))
                decided = undecided & (now != would)
                for atom in atoms(drg.rule):
                    listed = _asking(atom, of_complications=True)
                    if listed is None or not decided.any():
                        continue
                    part = np.flatnonzero(decided & (had.truth(listed) != has.truth(listed)))
                    if len(part):
                        sides = (
                            Ruled(side.cases.take(at[part]), side.numbers, drg.rule, drg.adrg, old)
                            for side, old in ((before, True), (after, False))
                        )
                        one, other = ((ruled, listed) for ruled in sides)
                        name_codes(causes, self._names, at[part], one, other, "DRG", drg.code)
                    decided[part] = False
                undecided &= ~(now | would)

    def _compare(
        self,
        level: str,
        rows: Indices,
        here: tuple[Side, Adrg | Drg],
        there: tuple[Side, Adrg | Drg],
        causes: Causes,
    ) -> None:
        """Why a group's pair does not hold; no cause where it does."""
        (side, group), (other_side, other) = here, there
        cases, other_cases = side.cases.take(rows), other_side.cases.take(rows)

        def compare(
            at: Indices, where: str, name: str, rules: tuple[Rule, Rule], owners: tuple[str, str]
        ) -> None:
            find_difference(
                causes,
                self._names,
                rows[at],
                Ruled(cases.take(at), side.numbers, rules[0], owners[0], side.earlier),
                Ruled(
                    other_cases.take(at),
                    other_side.numbers,
                    rules[1],
                    owners[1],
                    other_side.earlier,
                ),
                where,
                name,
            )

        fails = ~other_cases.holds(other.rule)
        if level == "ADRG":
            rules = (
                self._mdc_rules[side.earlier][group.mdc],
                self._mdc_rules[other_side.earlier][other.mdc],
            )
            outside = ~other_cases.holds(rules[1])
            if outside.any():
                compare(np.flatnonzero(outside), "MDC", group.mdc, rules, (group.mdc, other.mdc))
            fails &= ~outside
        if fails.any():
            owners = (_owner(group), _owner(other))
            compare(np.flatnonzero(fails), level, group.code, (group.rule, other.rule), owners)


def _asking(atom: Atom, *, of_complications: bool) -> Member | None:
    """The part of a condition that asks for complications, or for codes of sets, not negated."""
    if not isinstance(atom, Member):
        return None
    sets = tuple(s for s in atom.sets if (s in COMPLICATIONS) is of_complications)
    return replace(atom, sets=sets, negated=False) if sets else None


def _truth_with(had: Cases, has: Cases, atom: Atom) -> Bools:
    """Whether a condition holds of cases with the complications that they had."""
    listed, other = (_asking(atom, of_complications=which) for which in (True, False))
    if listed is None:
        return has.truth(atom)
    assert isinstance(atom, Member)
    found = had.truth(listed)
    if other is not None:
        found = found | has.truth(other)
    return ~found if atom.negated else found


def _owner(group: Adrg | Drg) -> str:
    """The group after which the sets of a rule are named."""
    return group.code if isinstance(group, Adrg) else group.adrg


def _by_group(
    rows: Indices, place: NDArray[np.int16], groups: Sequence[Adrg | Drg]
) -> Iterator[tuple[Indices, Adrg | Drg]]:
    """The rows of each group, in the order of the groups; rows without one are left out."""
    places = place[rows]
    order = np.argsort(places, kind="stable")
    starts = np.flatnonzero(np.diff(places[order], prepend=-2))
    for at in np.split(rows[order], starts[1:]):
        if len(at) and place[at[0]] >= 0:
            yield at, groups[place[at[0]]]

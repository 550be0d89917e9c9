"""Whether a case changes its group and why, one case at a time and by looking rules up.

The slow twin of `drgcore.scenarios`: it takes the pairs of groups as given, evaluates each rule
with the plain evaluator, and holds every reason against the tables of the two schemes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drgcore.grouper.plain import (
    Facts,
    PlainCase,
    PlainResult,
    _weights,
    asked_variables,
    group_plainly,
)
from drgcore.migration.pairing import Pairing
from drgcore.schemes.model import Adrg, Drg, Scheme
from drgcore.schemes.rules import Compare, atoms

Reason = Mapping[str, Any]


class PlainMigration:
    """One case by two schemes."""

    def __init__(self, pairs: Pairing, before: PlainCase, after: PlainCase) -> None:
        self.facts = {"before": Facts(pairs.before, before), "after": Facts(pairs.after, after)}
        self.results = {s: group_plainly(f.scheme, f.case) for s, f in self.facts.items()}
        self.pairs = {
            "before": {"ADRG": dict(pairs.adrgs), "DRG": dict(pairs.drgs)},
            "after": {
                "ADRG": {new: old for old, new in pairs.adrgs.items()},
                "DRG": {new: old for old, new in pairs.drgs.items()},
            },
        }

    def parted(self) -> str | None:
        """Where the two results first differ; None for nowhere."""
        old, new = self.results["before"], self.results["after"]
        invalid = [r.status == "invalid" for r in (old, new)]
        if all(invalid):
            return None
        if any(invalid):
            return "status"
        if _code(old.mdc) != _code(new.mdc):
            return "mdc"
        for level in ("ADRG", "DRG"):
            groups = [_of(r, level) for r in (old, new)]
            if (groups[0] is None) != (groups[1] is None):
                return level.lower()
            if groups[0] and self.pairs["before"][level].get(groups[0].code) != groups[1].code:
                return level.lower()
        same = (_code(old.adrg), _code(old.drg)) == (_code(new.adrg), _code(new.drg))
        return None if same else "code"

    def fails(self, side: str, level: str) -> str | None:
        """Why the group of one side is not the case's on the other: "none", or the failing rule.

        None where the group's pair holds on the other side, or the case has no group.
        """
        group = _of(self.results[side], level)
        if group is None:
            return None
        other = self.pairs[side][level].get(group.code)
        if other is None:
            return "none"
        facts = self.facts[_other(side)]
        pair = _group(facts.scheme, level, other)
        if level == "ADRG":
            mdc = next(m for m in facts.scheme.mdcs if m.code == pair.mdc)
            if not facts.holds(mdc.rule):
                return "MDC"
        return None if facts.holds(pair.rule) else level

    def check(self, row: Reason) -> None:
        """Fail unless a row of the changed cases says what is so."""
        assert row["parted"] == self.parted()
        causes = [{n: row[p + n] for n in _NAMES} for p in ("", "then_")]
        if row["parted"] == "status":
            assert causes[1]["kind"] is None
            self._check_status(causes[0])
            return
        if row["parted"] == "code":
            assert causes[0]["kind"] == "renamed"
            old, new = self.results["before"].adrg, self.results["after"].adrg
            assert old
            assert new
            assert (causes[0]["group"], causes[0]["side"]) == (new.code, "after")
            assert old.code != new.code
            return
        level = "DRG" if row["parted"] == "drg" else "ADRG"
        why = {side: self.fails(side, level) for side in ("before", "after")}
        expected = [side for side in ("before", "after") if why[side] is not None]
        if not expected:
            self._check_order(causes[0], level, row["parted"])
            return
        if len(expected) == 1 and causes[0]["kind"] == "subdivision_changed":
            self._check_complication(causes.pop())
        found = [c["side"] for c in causes if c["kind"] is not None]
        assert found == expected
        for cause in causes[: len(found)]:
            self._check_cause(cause, level, str(why[cause["side"]]))

    def _check_complication(self, cause: Reason) -> None:
        """Fail unless the complication is named that decides between the DRG of a new cut."""
        old, new = self.facts["before"], self.facts["after"]
        mixed = Facts(new.scheme, new.case)
        object.__setattr__(mixed, "complications", old.complications)
        adrg = self.results["after"].adrg
        assert adrg
        for drg in new.scheme.drgs:
            held = [facts.holds(drg.rule) for facts in (mixed, new)]
            if drg.adrg == adrg.code and any(held):
                break
        else:
            held = [False]
        if all(held) or not any(held):
            assert cause["kind"] is None
            return
        assert (cause["side"], cause["level"], cause["group"]) == ("after", "DRG", drg.code)
        assert cause["kind"].startswith("complication")
        gone = cause["kind"] in _GONE or (cause["kind"] in _RETYPED and self._typed(cause))
        self._check_codes(cause, "before" if gone else "after", ("", ""))

    def _check_status(self, cause: Reason) -> None:
        bad, good = cause["side"], _other(cause["side"])
        reason = self.results[bad].reason
        assert self.results[bad].status == "invalid" != self.results[good].status
        if cause["kind"] == "code_unknown":
            assert reason == "principal_diagnosis_unknown"
            assert self.facts[bad].case.principal_diagnosis is None
            assert cause["codes"] == self.facts[good].case.principal_diagnosis
        elif cause["kind"] == "number_asked":
            assert cause["set_id"] in asked_variables(self.facts[bad].scheme)
            assert cause["set_id"] not in asked_variables(self.facts[good].scheme)
        else:
            assert cause["kind"] == "weight_asked"
            assert str(reason).startswith("newborn_weight")
            assert _weights(self.facts[bad].scheme)

    def _check_order(self, cause: Reason, level: str, parted: str) -> None:
        assert (cause["kind"], cause["side"]) == ("order_changed", "after")
        old, new = (_of(self.results[s], level) for s in ("before", "after"))
        assert old
        assert new
        places = []
        for side, codes in (
            ("before", (old.code, self.pairs["after"][level][new.code])),
            ("after", (self.pairs["before"][level][old.code], new.code)),
        ):
            scheme = self.facts[side].scheme
            order = [g.code for g in (scheme.adrgs if level == "ADRG" else scheme.drgs)]
            places.append(order.index(codes[0]) < order.index(codes[1]))
        assert places == [True, False]
        expected = ("MDC", new.mdc) if parted == "mdc" else (level, new.code)
        assert (cause["level"], cause["group"]) == expected

    def _check_cause(self, cause: Reason, level: str, why: str) -> None:
        side, kind = cause["side"], cause["kind"]
        group = _of(self.results[side], level)
        assert group
        here, there = self.facts[side], self.facts[_other(side)]
        pair = self.pairs[side][level].get(group.code)
        if why == "none":
            assert cause["group"] == group.code
            others = {g.code for g in there.scheme.adrgs}
            if level == "DRG":
                assert kind == "subdivision_changed"
            elif group.code in others:
                assert kind == "code_reused"
            else:
                assert kind == ("group_gone" if side == "before" else "group_new")
            return
        assert pair
        assert cause["level"] == why
        if why == "MDC":
            assert cause["group"] == group.mdc
            rules = [
                next(m for m in f.scheme.mdcs if m.code == group.mdc).rule for f in (here, there)
            ]
            owners = (group.mdc, group.mdc)
        else:
            assert cause["group"] == group.code
            other = _group(there.scheme, level, pair)
            rules = [group.rule, other.rule]
            owners = (_owner(group), _owner(other))
        assert here.holds(rules[0])
        assert not there.holds(rules[1])
        if kind in ("rule_changed", "limit_changed"):
            assert rules[0] != rules[1]
            limits = [{a for a in atoms(r) if isinstance(a, Compare)} for r in rules]
            assert kind == "rule_changed" or limits[0] != limits[1]
            return
        more = "before" if kind in _GONE or (kind in _RETYPED and self._typed(cause)) else "after"
        self._check_codes(cause, more, owners if more == side else owners[::-1])

    def _typed(self, cause: Reason) -> bool:
        """Whether the diagnosis counts before as what the condition asks for."""
        code = cause["codes"].split("|")[0]
        return any(
            c.code == code and c.type == cause["set_id"] and c.counted
            for c in self.facts["before"].complications
        )

    def _check_codes(self, cause: Reason, more: str, owners: tuple[str, str]) -> None:
        have, lack = self.facts[more], self.facts[_other(more)]
        assert cause["codes"]
        for code in cause["codes"].split("|"):
            case = have.case
            assert code in (
                case.principal_diagnosis,
                case.principal_procedure,
                *case.other_diagnoses,
                *case.other_procedures,
            )
            if not cause["kind"].startswith("complication"):
                assert code in have.scheme.sets[cause["set_id"]]
                name = cause["set_id"].replace(*owners)
                assert code not in lack.scheme.sets.get(name, ())
                continue
            counted = next(c for c in have.complications if c.code == code)
            assert counted.counted
            lacking = {c.code: c for c in lack.complications}.get(code)
            kind = cause["kind"].removeprefix("complication_")
            if kind in ("dropped", "added"):
                assert lacking is None
                assert cause["set_id"] == counted.type
            elif kind in ("excluded", "counted"):
                assert lacking is not None
                assert not lacking.counted
                assert cause["set_id"] == lacking.exclusion
            else:
                assert lacking is not None
                assert lacking.counted
                types = {more: counted.type, _other(more): lacking.type}
                was, now = ("MCC", "CC") if kind == "lowered" else ("CC", "MCC")
                assert (types["before"], types["after"]) == (was, now)


_NAMES = ("kind", "side", "level", "group", "set_id", "codes")
_GONE = ("code_left_set", "complication_dropped", "complication_excluded")
_RETYPED = ("complication_lowered", "complication_raised")


def _other(side: str) -> str:
    return "after" if side == "before" else "before"


def _of(result: PlainResult, level: str) -> Adrg | Drg | None:
    return result.adrg if level == "ADRG" else result.drg


def _code(group: Any) -> str | None:
    return None if group is None else group.code


def _group(scheme: Scheme, level: str, code: str) -> Adrg | Drg:
    groups = scheme.adrgs if level == "ADRG" else scheme.drgs
    return next(g for g in groups if g.code == code)


def _owner(group: Adrg | Drg) -> str:
    return group.code if isinstance(group, Adrg) else group.adrg

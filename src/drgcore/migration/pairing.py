"""Which group of one scheme is which of another: by code and name, then by the codes they ask for.

A code is no identity: chs-drg-3.0 gave many codes of 1.1 to other groups (`ES3` was
呼吸系统感染/炎症 and is 呼吸系统非耐药结核). Neither is a name, which may be worded otherwise.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from drgcore.migration.hand_pairs import HandPair, hand_pairs
from drgcore.schemes import Adrg, Drg, GroupKind, Scheme
from drgcore.schemes.implication import is_diagnosis
from drgcore.schemes.rules import COMPLICATIONS, CodeAtom, Member, Rule, atoms

_Asked: TypeAlias = tuple[frozenset[str], frozenset[str]]

SAME_CODES = 0.5
"""Share of the codes that two rules ask for from which on two groups can be one."""

# chs-drg-3.0 words these terms otherwise wherever they occur.
_REWORDED = {"疾患": "疾病", "梗塞": "梗死", "成型": "成形"}


@dataclass(frozen=True)
class Pairing:
    """The pairs of groups of two schemes; what is in no pair is gone, or new.

    Attributes
    ----------
    before, after : Scheme
    adrgs, drgs : mapping of str to str
        Code before → code after, each code once.

    Examples
    --------
    >>> from drgcore.schemes import load_scheme
    >>> pairs = pair_groups(load_scheme("chs-drg-1.1"), load_scheme("chs-drg-3.0"))
    >>> pairs.adrgs["ES3"], pairs.drgs["ES31"], pairs.adrgs.get("GB1")
    ('ES4', 'ES41', None)
    """

    before: Scheme
    after: Scheme
    adrgs: Mapping[str, str]
    drgs: Mapping[str, str]

    @cached_property
    def mdcs(self) -> Mapping[str, str]:
        """MDC of both schemes: their codes are the letters of all groups and stay."""
        there = {m.code for m in self.after.mdcs}
        return {m.code: m.code for m in self.before.mdcs if m.code in there}


def pair_groups(before: Scheme, after: Scheme, *, by_hand: bool = True) -> Pairing:
    """Find which group of the one scheme is which of the other.

    Parameters
    ----------
    before, after : Scheme
    by_hand : bool, default True
        Take the pairs first that were read by hand (`hand_pairs`), where there are any.

    Returns
    -------
    Pairing
        Notes say by which rules.

    Notes
    -----
    ADRG are paired within an MDC, each at most once: as they were read by hand, else by the first
    of these that fits (the last two for named groups only):

    1. the same code and the same name;
    2. the same name, which no other ADRG of the MDC has;
    3. each is the other's most similar: at least half of the diagnoses that their rules ask for is
       asked for by both, and at least half of the procedures;
    4. the same code, where the rules ask for the same codes: at least half of the smaller number of
       diagnoses and of procedures is asked for by both. What only one asks for is left aside.

    DRG are paired within a pair of ADRG by the end of their code, which has a meaning (1 with
    severe complications, 3 with complications, 5 with none, 9 undivided).

    Examples
    --------
    >>> from drgcore.schemes import load_scheme
    >>> pairs = pair_groups(load_scheme("chs-drg-1.1"), load_scheme("suzhou-2023"))
    >>> pairs.adrgs["BR1"], pairs.drgs.get("AH11")
    ('BR1', None)
    """
    adrgs: dict[str, str] = {}
    read = hand_pairs(before, after) if by_hand else {}
    for mdc in before.mdcs:
        adrgs.update(_pair_adrgs(before, after, mdc.code, read))
    drgs: dict[str, str] = {}
    for old, new in adrgs.items():
        ends = {_ending(d): d.code for d in after.drgs_of(new) if d.adrg == new}
        for drg in before.drgs_of(old):
            if drg.adrg == old and _ending(drg) in ends:
                drgs[drg.code] = ends[_ending(drg)]
    return Pairing(before, after, adrgs, drgs)


def folded(name: str) -> str:
    """A name without what only differs in writing: width, spaces, punctuation, terms reworded.

    Examples
    --------
    >>> folded("异体骨髓／造血 干细胞移植") == folded("异体骨髓/造血干细胞移植")
    True
    >>> folded("静脉疾患") == folded("静脉疾病")
    True
    """
    name = re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name))
    for old, new in _REWORDED.items():
        name = name.replace(old, new)
    return name


def _ending(drg: Drg) -> str:
    return drg.code.removeprefix(drg.adrg)


def _pair_adrgs(
    before: Scheme, after: Scheme, mdc: str, read: Mapping[str, HandPair]
) -> dict[str, str]:
    old = {a.code: a for a in before.adrgs_of(mdc)}
    new = {a.code: a for a in after.adrgs_of(mdc)}
    pairs: dict[str, str] = {}

    def pair(found: Iterable[tuple[str, str]]) -> None:
        for one, other in list(found):
            # What an ambiguous group or a catch-all is for, no other group is.
            if one in old and other in new and old[one].kind == new[other].kind:
                pairs[one] = other
                del old[one], new[other]

    pair((p.before, p.after) for p in read.values() if p.after is not None)
    for hand in read.values():
        # What was read to be none of the other scheme's groups is not paired by its name.
        old.pop(hand.before, None)
    pair((c, c) for c in list(old) if c in new and folded(old[c].name) == folded(new[c].name))
    pair(_by_name(old, new))
    named = [
        {c: a for c, a in groups.items() if a.kind is GroupKind.NAMED} for groups in (old, new)
    ]
    asked = {c: _asked(before, a.rule) for c, a in named[0].items()}
    offered = {c: _asked(after, a.rule) for c, a in named[1].items()}
    pair(_most_similar(asked, offered))
    pair(
        (c, c)
        for c in asked
        if c in old and c in new and c in offered and _overlap(asked[c], offered[c]) >= SAME_CODES
    )
    return pairs


def _by_name(old: Mapping[str, Adrg], new: Mapping[str, Adrg]) -> Iterator[tuple[str, str]]:
    names = [_unique_names(groups) for groups in (old, new)]
    yield from ((names[0][n], names[1][n]) for n in names[0] if n in names[1])


def _unique_names(groups: Mapping[str, Adrg]) -> dict[str, str]:
    codes: dict[str, list[str]] = {}
    for code, group in groups.items():
        if folded(group.name):
            codes.setdefault(folded(group.name), []).append(code)
    return {name: found[0] for name, found in codes.items() if len(found) == 1}


def _asked(scheme: Scheme, rule: Rule) -> tuple[frozenset[str], frozenset[str]]:
    """The diagnoses and the procedures of all sets in which a rule wants a code to be."""
    named: set[str] = set()
    for atom in atoms(rule):
        if isinstance(atom, CodeAtom) and not (isinstance(atom, Member) and atom.negated):
            named.update(atom.sets)
    codes: frozenset[str] = frozenset().union(
        *(scheme.sets.get(s, frozenset()) for s in named.difference(COMPLICATIONS))
    )
    diagnoses = frozenset(c for c in codes if is_diagnosis(c))
    return diagnoses, codes - diagnoses


def _overlap(one: _Asked, other: _Asked) -> float:
    """The share of the smaller number that both ask for, of the kind of codes with less."""
    shares = [len(a & b) / min(len(a), len(b)) for a, b in zip(one, other, strict=True) if a and b]
    return min(shares, default=1.0)


def _similarity(one: _Asked, other: _Asked) -> float:
    """The share of all that both ask for, of the kind of codes with less."""
    shares = [len(a & b) / len(a | b) for a, b in zip(one, other, strict=True) if a or b]
    return min(shares, default=0.0)


def _most_similar(
    old: Mapping[str, _Asked], new: Mapping[str, _Asked]
) -> Iterator[tuple[str, str]]:
    if not (old and new):
        return
    # Of equally similar groups the one of the same code, else the first.
    alike = {
        (o, n): (_similarity(old[o], new[n]), o == n) for o in sorted(old) for n in sorted(new)
    }
    best = {n: max(sorted(old), key=lambda o: alike[o, n]) for n in new}
    for o in sorted(old):
        n = max(sorted(new), key=lambda n: alike[o, n])
        if best[n] == o and alike[o, n][0] >= SAME_CODES:
            yield o, n

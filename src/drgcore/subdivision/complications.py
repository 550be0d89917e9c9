"""What rules ask of complications, and rules of merged groups."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from drgcore.schemes.model import Drg
from drgcore.schemes.rules import COMPLICATIONS, TRUE, And, Member, Or, Rule, atoms

MCC, CC, NONE = 4, 2, 1
"""Kinds of cases by their worst complication, as bits."""


def complications_of(origin: Collection[str], drgs: Iterable[Drg]) -> int:
    """Say which cases some DRGs of an ADRG take, told by complications.

    Parameters
    ----------
    origin : collection of str
        Their codes.
    drgs : iterable of Drg
        All of the ADRG in the order in which they are tried. The digit at the end of a code does
        not tell: 3 is "CC" where a DRG of MCC is tried before it, else "MCC or CC".

    Returns
    -------
    int
        `MCC`, `CC` and `NONE` added up; 0 if one of them asks for more than complications.

    Examples
    --------
    >>> from drgcore.schemes import load_scheme
    >>> base = load_scheme("chs-drg-3.0")
    >>> complications_of(["EN13", "EN15"], base.drgs_of("EN1")) == MCC | CC | NONE
    True
    >>> complications_of(["BB23", "BB25"], base.drgs_of("BB2")) == CC | NONE
    True
    """
    taken, left = 0, MCC | CC | NONE
    for drg in drgs:
        alternatives = drg.rule.parts if isinstance(drg.rule, Or) else (drg.rule,)
        pure = [
            part
            for part in alternatives
            if isinstance(part, Member) and not part.negated and _of_complications(part)
        ]
        asked = {name for part in pure for name in part.sets}
        takes = (MCC if "MCC" in asked else 0) | (CC if "CC" in asked else 0)
        if drg.rule == TRUE:
            takes = left
        elif len(pure) < len(alternatives) and drg.code in origin:
            return 0
        if drg.code in origin:
            taken |= takes & left
        left &= ~takes
    return taken


def either(first: Rule, second: Rule) -> Rule:
    """Join by "or"; two tests of the same field become one of both sets.

    Examples
    --------
    >>> from drgcore.schemes import parse_rule
    >>> str(either(parse_rule("QTZD in MCC"), parse_rule("QTZD in CC")))
    'QTZD in {MCC, CC}'
    """
    if (
        isinstance(first, Member)
        and isinstance(second, Member)
        and first.fields == second.fields
        and not (first.negated or second.negated)
    ):
        return Member(first.fields, tuple(dict.fromkeys([*first.sets, *second.sets])))
    flat: list[Rule] = []
    for rule in (first, second):
        flat.extend(rule.parts if isinstance(rule, Or) else (rule,))
    return Or(tuple(dict.fromkeys(flat)))


def family(rule: Rule) -> tuple[Rule, ...]:
    """What a rule asks for besides complications.

    Examples
    --------
    >>> from drgcore.schemes import parse_rule
    >>> [str(part) for part in family(parse_rule("QTZD in MCC and NL >= 70"))]
    ['NL >= 70']
    """
    parts = rule.parts if isinstance(rule, And) else (rule,)
    return tuple(p for p in parts if p != TRUE and not _of_complications(p))


def _of_complications(rule: Rule) -> bool:
    return all(
        isinstance(atom, Member) and set(atom.sets) <= set(COMPLICATIONS) for atom in atoms(rule)
    )


def worst_of(rule: Rule) -> int:
    """The worst complication that a rule asks for: 2 MCC only, 1 CC among them, 0 none.

    Examples
    --------
    >>> from drgcore.schemes import parse_rule
    >>> [worst_of(parse_rule(rule)) for rule in ("QTZD in MCC", "QTZD in {MCC, CC}", "NL >= 70")]
    [2, 1, 0]
    """
    asked = {s for atom in atoms(rule) if isinstance(atom, Member) for s in atom.sets}
    if "CC" in asked:
        return 1
    return 2 if "MCC" in asked else 0

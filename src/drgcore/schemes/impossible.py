"""What a scheme says that no case can bring about, or that two groups cannot be told apart by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from drgcore.language import _
from drgcore.schemes.findings import Finding, listed, warning
from drgcore.schemes.implication import Prover
from drgcore.schemes.rules import COMPLICATIONS, And, Count, Member, Or, Rule, atoms, conjunction

Groups = Mapping[str, Sequence[Mapping[str, Any]]]
"""``"mdc"``, ``"adrg"``, ``"drg"`` → rows with `code`, `name`, `tree` (None where unreadable)."""

_PRINCIPAL = ("ZYZD",)


def impossible_findings(groups: Groups, sets: Mapping[str, frozenset[str]]) -> Iterator[Finding]:
    """Find diagnoses that never reach a group, DRG alike in all, diagnoses of two MDC.

    Parameters
    ----------
    groups : mapping of str to sequence of mappings
        The rows of the three levels, with their rules parsed.
    sets : mapping of str to frozenset of str
        Set id → its codes.

    Yields
    ------
    Finding

    Examples
    --------
    >>> from drgcore.schemes import parse_rule
    >>> groups = {
    ...     "mdc": [{"code": "MDCB", "name": "", "tree": parse_rule("ZYZD in DI_B")}],
    ...     "adrg": [
    ...         {"code": "BB1", "name": "", "mdc": "MDCB", "tree": parse_rule("ZYZD in DI_BB1")}
    ...     ],
    ...     "drg": [],
    ... }
    >>> sets = {"DI_B": frozenset({"G00.000"}), "DI_BB1": frozenset({"G00.000", "S02.100"})}
    >>> for finding in impossible_findings(groups, sets):
    ...     print(finding)
    ADRG BB1: as principal diagnosis no case can bring here, for MDCB does not admit them:
      S02.100 [not-admitted]
    """
    yield from _not_admitted(groups, sets)
    yield from _alike(groups["drg"])
    yield from _two_mdc(groups["mdc"], sets)


def _not_admitted(groups: Groups, sets: Mapping[str, frozenset[str]]) -> Iterator[Finding]:
    """Principal diagnoses that a rule asks for though a rule above it does not let them come."""
    rules = {row["code"]: row["tree"] for level in ("mdc", "adrg") for row in groups[level]}
    admitted: dict[tuple[str, ...], frozenset[str] | None] = {}
    for level, parents in (("adrg", ("mdc",)), ("drg", ("mdc", "adrg"))):
        for row in groups[level]:
            above = tuple(row[parent] for parent in parents)
            if above not in admitted:
                found = [_admits(rule, sets) for up in above if (rule := rules.get(up)) is not None]
                limits = [codes for codes in found if codes is not None]
                admitted[above] = frozenset.intersection(*limits) if limits else None
            limit = admitted[above]
            if limit is None or row["tree"] is None:
                continue
            codes = tuple(sorted(_asked(row["tree"], sets) - limit))
            if codes:
                yield warning(
                    "not-admitted",
                    f"{level.upper()} {row['code']}",
                    _(
                        "as principal diagnosis no case can bring here, for {above} {value} not "
                        "admit them: {listed}",
                        above=_(" and ").join(above),
                        value=_("do") if len(above) > 1 else _("does"),
                        listed=listed(codes),
                    ),
                    codes,
                )


def _admits(rule: Rule, sets: Mapping[str, frozenset[str]]) -> frozenset[str] | None:
    """The principal diagnoses that cases of a rule can have; None where it may be any."""
    if isinstance(rule, Member) and not rule.negated and rule.fields == _PRINCIPAL:
        return _codes(rule, sets)
    if isinstance(rule, And | Or):
        parts = [_admits(part, sets) for part in rule.parts]
        known = [codes for codes in parts if codes is not None]
        if isinstance(rule, And) and known:
            return frozenset.intersection(*known)
        if isinstance(rule, Or) and len(known) == len(parts):
            return frozenset().union(*known)
    return None


def _asked(rule: Rule, sets: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """The principal diagnoses by which a rule lets a case in."""
    if isinstance(rule, Member) and not rule.negated and rule.fields == _PRINCIPAL:
        return _codes(rule, sets) or frozenset()
    if isinstance(rule, And | Or):
        return frozenset().union(*(_asked(part, sets) for part in rule.parts))
    return frozenset()  # what is denied lets nothing in


def _codes(rule: Member, sets: Mapping[str, frozenset[str]]) -> frozenset[str] | None:
    if not set(COMPLICATIONS).isdisjoint(rule.sets):
        return None
    return frozenset().union(*(sets.get(name, frozenset()) for name in rule.sets))


def _alike(drgs: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """DRG of one ADRG that have the same rule, or the same name."""
    same: dict[tuple[object, ...], list[str]] = defaultdict(list)
    for row in drgs:
        if row["tree"] is not None:
            same["same-rule", row["adrg"], row["tree"]].append(row["code"])
        if row["name"]:
            same["same-name", row["adrg"], row["name"]].append(row["code"])
    for (kind, adrg, _other), alike in same.items():
        if len(alike) > 1:
            what = _("rule") if kind == "same-rule" else _("name")
            yield warning(
                str(kind),
                f"ADRG {adrg}",
                _("{listed} have the same {what}", listed=listed(alike), what=what),
                tuple(alike),
            )


def _two_mdc(
    mdcs: Sequence[Mapping[str, Any]], sets: Mapping[str, frozenset[str]]
) -> Iterator[Finding]:
    """Principal diagnoses that two MDC admit; the one that is tried first has them."""
    prover = Prover(sets)
    limits = [
        (row, codes)
        for row in mdcs
        if row["tree"] is not None and (codes := _admits(row["tree"], sets))
    ]
    # An MDC that asks for more, as that of multiple injuries does, takes some of their cases only.
    alone = {row["code"] for row, _ in limits if _asks_no_more(row["tree"])}
    for (first, codes), (second, others) in combinations(limits, 2):
        shared = tuple(sorted(codes & others))
        if (
            first["code"] in alone
            and shared
            and not _exclude(prover, first["tree"], second["tree"])
        ):
            yield warning(
                "two-mdc",
                f"MDC {first['code']}",
                _(
                    "has these principal diagnoses, which {second}, tried after it, admits too: "
                    "{listed}",
                    second=second["code"],
                    listed=listed(shared),
                ),
                shared,
            )


def _asks_no_more(rule: Rule) -> bool:
    """Whether a rule asks for nothing but the principal diagnosis and numbers."""
    return all(
        not isinstance(atom, Member | Count) or atom.fields == _PRINCIPAL for atom in atoms(rule)
    )


def _exclude(prover: Prover, first: Rule, second: Rule) -> bool:
    """Whether two rules exclude each other, as those of men and women do."""
    return prover.never(conjunction(first, second))

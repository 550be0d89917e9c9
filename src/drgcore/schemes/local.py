"""What is to be said of a scheme that uses local variables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from drgcore.language import _
from drgcore.schemes.findings import Finding, warning
from drgcore.schemes.rules import (
    LOCAL_FIELDS,
    LOCAL_NAMES,
    CodeAtom,
    Rule,
    SetsMet,
    atoms,
    local_names,
    set_ids,
)

_SHOWN = 5


def department_sets(rules: Iterable[Rule]) -> tuple[frozenset[str], frozenset[str]]:
    """The sets that rules ask of the department, and those that they ask of other fields.

    Examples
    --------
    >>> from drgcore.schemes import parse_rule
    >>> departments, codes = department_sets([parse_rule("CYKB in DEPT_X and ZYZD in DI_A")])
    >>> sorted(departments), sorted(codes)
    (['DEPT_X'], ['DI_A'])
    """
    departments: set[str] = set()
    codes: set[str] = set()
    for rule in rules:
        for atom in atoms(rule):
            if isinstance(atom, CodeAtom):
                is_code = LOCAL_FIELDS.keys().isdisjoint(atom.fields)
                (codes if is_code else departments).update(set_ids(atom))
    return frozenset(departments), frozenset(codes)


def local_findings(
    rules: Mapping[str, Rule], sets: Mapping[str, frozenset[str]], is_overlay: bool
) -> Iterator[Finding]:
    """Check what a scheme does with local variables.

    Parameters
    ----------
    rules : mapping of str to Rule
        Level and code of each group → its rule.
    sets : mapping of str to frozenset of str
        Set id → its codes.
    is_overlay : bool
        Whether the scheme is kept as the difference from another.

    Yields
    ------
    Finding

    Examples
    --------
    >>> from drgcore.schemes import parse_rule
    >>> for finding in local_findings({"DRG BB11": parse_rule("ZYTS > 3")}, {}, False):
    ...     print(finding)
    variable ZYTS: the official rule language has none of this name, and the scheme is no overlay;
      cases must have the column length_of_stay; asked for by DRG BB11 [local-variable]
    """
    departments, codes = department_sets(rules.values())
    for name in sorted(departments & sets.keys()):
        if name in codes:
            yield warning(
                "mixed-set", _("set {name}", name=name), _("is asked of departments and of codes")
            )
    # A city's overlay is where local variables belong. In what passes for a whole plan they may be
    # a slip, and no other program will understand them.
    if is_overlay:
        return
    asking: dict[str, list[str]] = defaultdict(list)
    counting: list[str] = []
    for where, rule in rules.items():
        for name in local_names(rule):
            asking[name].append(where)
        if any(isinstance(atom, SetsMet) for atom in atoms(rule)):
            counting.append(where)
    unofficial = _(
        "the official rule language has none of this name, and the scheme is no overlay; "
    )
    for name in sorted(asking):
        yield warning(
            "local-variable",
            _("variable {name}", name=name),
            _(
                "{unofficial}cases must have the column {local_names}; asked for by {listed}",
                unofficial=unofficial,
                local_names=LOCAL_NAMES[name],
                listed=_listed(asking[name]),
            ),
            tuple(asking[name]),
        )
    if counting:
        yield warning(
            "local-count",
            _("function count()"),
            _("{unofficial}used by {listed}", unofficial=unofficial, listed=_listed(counting)),
            tuple(counting),
        )


def _listed(groups: list[str]) -> str:
    more = _(" … and {count} more", count=len(groups) - _SHOWN) if len(groups) > _SHOWN else ""
    return ", ".join(groups[:_SHOWN]) + more

"""From cuts to a local scheme: the DRG and set rows of an overlay in the tables of every scheme."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from drgcore.errors import SchemeError
from drgcore.language import _
from drgcore.schemes import Scheme
from drgcore.schemes.model import TABLE_SCHEMAS, Drg
from drgcore.schemes.rules import TRUE
from drgcore.subdivision.complications import CC, MCC, NONE, complications_of
from drgcore.subdivision.partition import Part

# Local schemes write A for "MCC or CC" and B for "no MCC" where the base has all three; the letters
# that 3.0 gives to ages and the digits of complications are not used for anything else.
_WITH_ANY, _WITHOUT_MCC, _UNDIVIDED = "A", "B", "9"
_FREE = "JKLMNPQRSTUVWXZ"


@dataclass(frozen=True)
class LocalGroup:
    """One DRG of an ADRG that was cut anew.

    Parameters
    ----------
    code, name : str
        A group whose cases are not those of one DRG of the base has a code that the base does not
        use: no code means two things.
    part : Part
        Its rule and where it comes from.
    kept : bool
        Whether it is a DRG of the base as it was.
    """

    code: str
    name: str
    part: Part
    kept: bool


def parts_of(base: Scheme, adrg: str) -> list[Part]:
    """Give an ADRG's DRGs as parts, in the order in which they are tried; their cells are empty.

    Examples
    --------
    >>> from drgcore.schemes import load_scheme
    >>> [(*part.origin, str(part.rule)) for part in parts_of(load_scheme("chs-drg-3.0"), "BB2")]
    [('BB21', 'QTZD in MCC'), ('BB23', 'QTZD in CC'), ('BB25', '1')]
    """
    import numpy as np

    none = np.zeros(0, bool)
    return [Part(drg.rule, none, (drg.code,)) for drg in base.drgs_of(adrg)]


def name_groups(base: Scheme, adrg: str, cut: Sequence[Part]) -> list[LocalGroup]:
    """Give the groups of a cut their codes and names.

    Parameters
    ----------
    base : Scheme
    adrg : str
    cut : sequence of Part
        In the order in which they are tried.

    Returns
    -------
    list of LocalGroup

    Raises
    ------
    SchemeError
        If the ADRG has no letters left.

    Examples
    --------
    >>> from drgcore.schemes import load_scheme
    >>> base = load_scheme("chs-drg-3.0")
    >>> mcc, cc, none = parts_of(base, "BB2")
    >>> any_of = Part(cc.rule, cc.cells, ("BB21", "BB23"), merged=True)
    >>> [(g.code, g.name) for g in name_groups(base, "BB2", [any_of, none])]
    [('BB2A', '伴出血诊断的颅脑手术，伴严重或一般合并症或并发症'),
     ('BB25', '伴出血诊断的颅脑手术，不伴合并症或并发症')]
    """
    drgs = {drg.code: drg for drg in base.drgs_of(adrg)}
    taken = {drg.code for drg in base.drgs}
    letters = (letter for letter in _FREE if f"{adrg}{letter}" not in taken)
    groups = []
    for part in cut:
        kept = not part.merged and not part.words
        if kept:
            groups.append(LocalGroup(part.origin[0], drgs[part.origin[0]].name, part, True))
            continue
        code = f"{adrg}{_letter(part, drgs)}"
        if code in taken or part.words:
            letter = next(letters, None)
            if letter is None:
                raise SchemeError(
                    _("no letters are left for the groups of {adrg}", adrg=adrg),
                    where=_("subdivision of {name}", name=base.name),
                    hint=_("lower SplitLimits.max_groups"),
                )
            code = f"{adrg}{letter}"
        taken.add(code)
        groups.append(LocalGroup(code, _name(base, adrg, part, drgs), part, False))
    return groups


def _letter(part: Part, drgs: Mapping[str, Drg]) -> str:
    if len(part.origin) == len(drgs):
        return _UNDIVIDED
    return {MCC | CC: _WITH_ANY, CC | NONE: _WITHOUT_MCC}.get(
        complications_of(part.origin, drgs.values()), _FREE[0]
    )


_MERGED_NAMES = {
    MCC | CC: "伴严重或一般合并症或并发症",
    CC | NONE: "不伴严重合并症或并发症",
    MCC | CC | NONE: "不分合并症或并发症",
}


def _name(base: Scheme, adrg: str, part: Part, drgs: Mapping[str, Drg]) -> str:
    name = drgs[part.origin[0]].name
    if part.merged:
        complications = _MERGED_NAMES.get(complications_of(part.origin, drgs.values()))
        if len(part.origin) == len(drgs):
            name = base.name_of(adrg)
        elif complications is not None:
            name = f"{base.name_of(adrg)}，{complications}"
        else:
            name = "或".join(drgs[code].name for code in part.origin)
    return "，".join([name, *part.words])


def local_tables(
    base: Scheme,
    cuts: Mapping[str, Sequence[LocalGroup]],
    sets: Mapping[str, Sequence[str]],
) -> dict[str, pa.Table]:
    """Give the six tables of the local scheme.

    Parameters
    ----------
    base : Scheme
    cuts : mapping of str to sequence of LocalGroup
        The groups of each ADRG that was cut anew.
    sets : mapping of str to sequence of str
        Sets that the base does not have, with their codes.

    Returns
    -------
    dict of str to pyarrow.Table
        Tables of `TABLE_SCHEMAS`.

    Raises
    ------
    SchemeError
        If the base has a set of the same name with other codes.

    Examples
    --------
    >>> from drgcore.schemes import load_scheme
    >>> base = load_scheme("chs-drg-1.1")
    >>> local_tables(base, {}, {})["drg"].num_rows == base.tables["drg"].num_rows
    True
    """
    tables = dict(base.tables)
    for set_id, codes in sets.items():
        if set_id in base.sets and base.sets[set_id] != frozenset(codes):
            raise SchemeError(
                _("scheme {scheme} has another set {name}", scheme=base.name, name=set_id)
            )
    new = [(s, code) for s, codes in sets.items() if s not in base.sets for code in sorted(codes)]
    if new:
        rows = {"set_id": [s for s, _ in new], "code": [code for _, code in new]}
        added = pa.table(rows, schema=TABLE_SCHEMAS["sets"])
        tables["sets"] = pa.concat_tables([tables["sets"], added]).combine_chunks()
    if cuts:
        kept = tables["drg"].filter(
            pc.invert(pc.is_in(tables["drg"]["adrg"], pa.array(sorted(cuts), pa.string())))
        )
        added = pa.Table.from_pylist(
            [row for adrg in sorted(cuts) for row in _rows(base, adrg, cuts[adrg])],
            schema=TABLE_SCHEMAS["drg"],
        )
        tables["drg"] = pa.concat_tables([kept, added]).combine_chunks()
    return tables


def _rows(base: Scheme, adrg: str, groups: Sequence[LocalGroup]) -> Iterator[dict[str, str | int]]:
    """Rows of an ADRG's DRGs; kept ones keep their place where the order allows it."""
    mdc = next(a.mdc for a in base.adrgs if a.code == adrg)
    for sort, group in enumerate(groups, 1):
        rule = group.part.rule
        yield {
            "code": group.code,
            "name": group.name,
            "rule": "" if rule == TRUE else str(rule),
            "adrg": adrg,
            "mdc": mdc,
            "sort": sort,
        }

"""Pairs of groups that were read and mended by hand, shipped as tables."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from drgcore.schemes import Scheme
from drgcore.schemes.store import tables_folder

PAIRS_FOLDER = "pairs"


@dataclass(frozen=True, slots=True)
class HandPair:
    """An ADRG of one scheme and which it is of the other.

    Attributes
    ----------
    before : str
    after : str or None
        None: it is none of them.
    by_program : str or None
        What names and code sets alone would give.
    reason : str
    """

    before: str
    after: str | None
    by_program: str | None
    reason: str


def hand_pairs(before: Scheme, after: Scheme) -> Mapping[str, HandPair]:
    """The pairs that were read by hand, by ADRG before; none for most schemes.

    Parameters
    ----------
    before, after : Scheme
        A local scheme has the pairs of its base, of groups that still bear their name.

    Notes
    -----
    The table of chs-drg-2.0 and chs-drg-3.0 holds every named ADRG of 2.0 for which names and code
    sets disagree or which neither finds: those that were mended and those that were found right,
    each with the reason.

    Examples
    --------
    >>> from drgcore.schemes import load_scheme
    >>> pairs = hand_pairs(load_scheme("chs-drg-2.0"), load_scheme("chs-drg-3.0"))
    >>> pairs["PS2"].by_program, pairs["PS2"].after, pairs["LA2"].after
    ('PS2', 'PS3', None)
    """
    names = [(s.name, s.metadata.get("base")) for s in (before, after)]
    for old in filter(None, names[0]):
        for new in filter(None, names[1]):
            found = {
                code: pair
                for code, (pair, named) in _read(old, new).items()
                if _still(before, pair.before, named[0])
                and (pair.after is None or _still(after, pair.after, named[1]))
            }
            if found:
                return found
    return {}


def _still(scheme: Scheme, code: str, name: str) -> bool:
    return any(adrg.code == code and adrg.name == name for adrg in scheme.adrgs)


@cache
def _read(before: str, after: str) -> Mapping[str, tuple[HandPair, tuple[str, str]]]:
    path = tables_folder() / PAIRS_FOLDER / f"{before}_{after}.csv"
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return MappingProxyType(
            {
                row["before"]: (
                    HandPair(
                        row["before"],
                        row["after"] or None,
                        row["by_program"] or None,
                        row["reason"],
                    ),
                    (row["before_name"], row["after_name"]),
                )
                for row in csv.DictReader(file)
            }
        )

"""Lists of codes that stand beside a scheme's rules: no principal diagnosis, no part, gray, basic.

The rules of a scheme do not ask for them; they say which codes a settlement list should not carry,
or not in that place, and which groups have one price at every level of hospital.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa
import pyarrow.compute as pc

from drgcore.errors import SchemeError
from drgcore.language import _
from drgcore.schemes.model import Scheme
from drgcore.schemes.store import (
    base_name,
    load_scheme,
    read_manifest,
    read_table,
    shipped_names,
    tables_folder,
)

LISTS_FOLDER = "lists"
LISTS_SCHEMA = pa.schema([("list", pa.string()), ("scheme", pa.string()), ("code", pa.string())])
"""Columns of the compiled lists; `scheme` is '' where a list holds for all."""

LIST_NAMES = (
    "no_principal_diagnosis",
    "no_part_procedures",
    "gray_diagnoses",
    "gray_procedures",
    "basic_groups",
)


@dataclass(frozen=True, slots=True)
class CodeLists:
    """The lists that hold for a scheme.

    Parameters
    ----------
    no_principal_diagnosis : frozenset of str
        Diagnoses that are no principal diagnosis for grouping (不作为主要诊断的编码).
    no_part_procedures : frozenset of str
        Procedures that take no part in grouping (不参与分组的手术操作); a principal procedure among
        them counts as none, except where a rule of the scheme names it.
    gray_diagnoses, gray_procedures : frozenset of str
        Gray codes (置灰) of the insurance dictionary: headings, not for a settlement list.
    basic_groups : frozenset of str
        DRG with the same price at every level of hospital (基层病组).
    source : mapping of str to str
        Name of each list that is known for the scheme → where it is from. A list that is not known
        is empty and has no source.
    """

    no_principal_diagnosis: frozenset[str]
    no_part_procedures: frozenset[str]
    gray_diagnoses: frozenset[str]
    gray_procedures: frozenset[str]
    basic_groups: frozenset[str]
    source: Mapping[str, str]

    def about(self, code: str) -> tuple[str, ...]:
        """The names of the lists that hold a code, in the order of `LIST_NAMES`.

        Examples
        --------
        >>> code_lists("chs-drg-3.0").about("B95.000")
        ('no_principal_diagnosis',)
        """
        return tuple(name for name in LIST_NAMES if code in getattr(self, name))


def code_lists(scheme: str | Scheme) -> CodeLists:
    """The lists that hold for a scheme: its own, else those of its base; gray codes hold for all.

    Parameters
    ----------
    scheme : str or Scheme
        The name of a shipped scheme, or any scheme.

    Returns
    -------
    CodeLists
        Read once per process.

    Raises
    ------
    SchemeError
        When there is no shipped scheme of that name.

    Examples
    --------
    >>> lists = code_lists("chs-drg-3.0")
    >>> len(lists.no_principal_diagnosis), len(lists.no_part_procedures), len(lists.basic_groups)
    (1859, 1942, 31)
    >>> sorted(lists.source) == sorted(LIST_NAMES)
    True
    >>> lists = code_lists("chs-drg-1.1")
    >>> len(lists.no_principal_diagnosis), sorted(lists.source)
    (0, ['gray_diagnoses', 'gray_procedures'])
    """
    if isinstance(scheme, str) and scheme not in shipped_names():
        scheme = load_scheme(scheme)
    return _lists_for(_lineage(scheme))


def _lineage(scheme: str | Scheme) -> tuple[str, ...]:
    """The scheme's name, its base's, and so on as far as that is known."""
    if isinstance(scheme, Scheme):
        names, base = [scheme.name], scheme.metadata.get("base")
    else:
        names, base = [scheme], base_name(read_manifest(tables_folder() / scheme))
    # A base that is not shipped is named in the overlay alone, and its own base is not known here.
    while base is not None and base not in names:
        names.append(base)
        shipped = base in shipped_names()
        base = base_name(read_manifest(tables_folder() / base)) if shipped else None
    return tuple(names)


@cache
def _lists_for(names: tuple[str, ...]) -> CodeLists:
    found: dict[str, frozenset[str]] = {}
    source: dict[str, str] = {}
    told = _sources()
    table = _table()
    for name in LIST_NAMES:
        found[name] = frozenset()
        owner = next((n for n in (*names, "") if (name, n) in told), None)
        if owner is not None:
            of_list = pc.and_(pc.equal(table["list"], name), pc.equal(table["scheme"], owner))
            found[name] = frozenset(table.filter(of_list)["code"].to_pylist())
            source[name] = told[name, owner]
    return CodeLists(**found, source=MappingProxyType(source))


@cache
def _table() -> pa.Table:
    return read_table(_folder(), "codes", LISTS_SCHEMA)


@cache
def _sources() -> Mapping[tuple[str, str], str]:
    path = _folder() / "lists.json"
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return {(row["list"], row["scheme"]): row["source"] for row in told}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SchemeError(
            _("the file is damaged: {error!r}", error=error), where=str(path)
        ) from None


def _folder() -> Path:
    return tables_folder() / LISTS_FOLDER

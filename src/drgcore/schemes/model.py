"""A scheme in memory: its six tables, and the questions one asks of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

import pyarrow as pa

from drgcore.errors import SchemeError
from drgcore.language import _
from drgcore.schemes.parser import parse_rule
from drgcore.schemes.rules import (
    LOCAL_NAMES,
    TRUE,
    CodeAtom,
    Rule,
    atoms,
    local_names,
    set_ids,
)

TABLE_SCHEMAS: Mapping[str, pa.Schema] = {
    "mdc": pa.schema(
        [("code", pa.string()), ("name", pa.string()), ("rule", pa.string()), ("sort", pa.int32())]
    ),
    "adrg": pa.schema(
        [
            ("code", pa.string()),
            ("name", pa.string()),
            ("rule", pa.string()),
            ("mdc", pa.string()),
            ("sort", pa.int32()),
        ]
    ),
    "drg": pa.schema(
        [
            ("code", pa.string()),
            ("name", pa.string()),
            ("rule", pa.string()),
            ("adrg", pa.string()),
            ("mdc", pa.string()),
            ("sort", pa.int32()),
        ]
    ),
    "sets": pa.schema([("set_id", pa.string()), ("code", pa.string())]),
    "cc": pa.schema([("code", pa.string()), ("exclusion", pa.string()), ("type", pa.string())]),
    "exclusions": pa.schema([("set_id", pa.string()), ("code", pa.string())]),
}
"""The tables of a scheme and their columns; `rule` is the workbook's text, '' where empty."""

_AMBIGUOUS = re.compile(r"[A-Z]QY")


class GroupKind(StrEnum):
    """What an ADRG is for."""

    NAMED = "named"
    AMBIGUOUS = "ambiguous"
    CATCH_ALL = "catch_all"


@dataclass(frozen=True, slots=True)
class Mdc:
    """A major diagnostic category (主要诊断大类)."""

    code: str
    name: str
    rule: Rule
    sort: int


@dataclass(frozen=True, slots=True)
class Adrg:
    """An adjacent DRG (核心疾病诊断相关组)."""

    code: str
    name: str
    rule: Rule
    mdc: str
    sort: int

    @property
    def kind(self) -> GroupKind:
        """Named, ambiguous (`?QY`, 歧义组) or the unnamed catch-all of its MDC."""
        if _AMBIGUOUS.fullmatch(self.code):
            return GroupKind.AMBIGUOUS
        return GroupKind.CATCH_ALL if _is_catch_all(self) else GroupKind.NAMED


@dataclass(frozen=True, slots=True)
class Drg:
    """A diagnosis related group (疾病诊断相关组)."""

    code: str
    name: str
    rule: Rule
    adrg: str
    mdc: str
    sort: int


@dataclass(frozen=True, slots=True)
class Complication:
    """How the CC sheet lists a diagnosis: its type and the one exclusion table it names."""

    code: str
    type: str
    exclusion: str


@dataclass(frozen=True, slots=True)
class CodeUse:
    """One place of a scheme in which a code takes part."""

    level: str  # "MDC", "ADRG", "DRG", "CC" or "exclusion"
    group: str
    set_id: str
    fields: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Scheme:
    """A CHS-DRG grouping scheme (分组方案).

    Parameters
    ----------
    name : str
        Short name, e.g. ``"chs-drg-3.0"``.
    tables : mapping of str to pyarrow.Table
        The six tables of `TABLE_SCHEMAS`.
    metadata : mapping of str to str
        Title, source document, dates and the like.
    source_rows : mapping of str to int
        Rows of each table in its source, where that repeats some; the tables hold each row once.

    Examples
    --------
    >>> from drgcore.schemes import load_scheme
    >>> scheme = load_scheme("chs-drg-3.0")
    >>> scheme.name_of("ES4")
    '呼吸系统感染/炎症'
    >>> [a.code for a in scheme.adrgs_of("MDCY")]
    ['YC1', 'YR1', 'Y00']
    """

    name: str
    tables: Mapping[str, pa.Table] = field(repr=False)
    metadata: Mapping[str, str] = field(default_factory=dict, repr=False)
    source_rows: Mapping[str, int] = field(default_factory=dict, repr=False)

    @cached_property
    def mdcs(self) -> tuple[Mdc, ...]:
        """All MDC in the order in which they are tried."""
        return tuple(
            sorted(
                (
                    Mdc(r["code"], r["name"], _rule("MDC", r), r["sort"])
                    for r in self.tables["mdc"].to_pylist()
                ),
                key=lambda m: (m.sort, m.code),
            )
        )

    @cached_property
    def adrgs(self) -> tuple[Adrg, ...]:
        """All ADRG in the order in which they are tried, MDC by MDC, catch-alls last."""
        place = {m.code: i for i, m in enumerate(self.mdcs)}
        groups = (
            Adrg(r["code"], r["name"], _rule("ADRG", r), r["mdc"], r["sort"])
            for r in self.tables["adrg"].to_pylist()
        )
        return tuple(
            sorted(
                groups,
                key=lambda a: (_place(place, a.mdc, a.code), _is_catch_all(a), a.sort, a.code),
            )
        )

    @cached_property
    def drgs(self) -> tuple[Drg, ...]:
        """All DRG in the order in which they are tried, ADRG by ADRG, catch-alls last."""
        place = {a.code: i for i, a in enumerate(self.adrgs)}
        groups = (
            Drg(r["code"], r["name"], _rule("DRG", r), r["adrg"], r["mdc"], r["sort"])
            for r in self.tables["drg"].to_pylist()
        )
        return tuple(
            sorted(
                groups,
                key=lambda d: (_place(place, d.adrg, d.code), _is_catch_all(d), d.sort, d.code),
            )
        )

    @cached_property
    def sets(self) -> Mapping[str, frozenset[str]]:
        """Set id → the codes of the set (sheet 集合)."""
        return _grouped(self.tables["sets"])

    @cached_property
    def exclusions(self) -> Mapping[str, frozenset[str]]:
        """Exclusion table → the principal diagnoses that exclude (sheet 排除表)."""
        return _grouped(self.tables["exclusions"])

    @cached_property
    def complications(self) -> Mapping[str, Complication]:
        """Diagnosis → its row of the CC sheet."""
        cc = self.tables["cc"]
        return {
            code: Complication(code, kind, exclusion)
            for code, kind, exclusion in zip(
                cc["code"].to_pylist(),
                cc["type"].to_pylist(),
                cc["exclusion"].to_pylist(),
                strict=True,
            )
        }

    def counts(self) -> dict[str, int]:
        """How many of everything the scheme has, by the names the official notice uses.

        ``set_rows`` and ``exclusion_rows`` count the rows of the source with their repeats, as the
        official figures do; ``set_members`` counts each member of a set once.
        """
        kinds = [a.kind for a in self.adrgs]
        types = self.tables["cc"]["type"].to_pylist()
        return {
            "mdc": len(self.mdcs),
            "adrg": kinds.count(GroupKind.NAMED),
            "adrg_ambiguous": kinds.count(GroupKind.AMBIGUOUS),
            "adrg_catch_all": kinds.count(GroupKind.CATCH_ALL),
            "drg": sum(1 for d in self.drgs if self._adrg(d.adrg).kind is GroupKind.NAMED),
            "drg_rows": len(self.drgs),
            "sets": len(self.sets),
            "set_rows": self.source_rows.get("sets", self.tables["sets"].num_rows),
            "set_members": self.tables["sets"].num_rows,
            "mcc": types.count("MCC"),
            "cc": types.count("CC"),
            "exclusion_tables": len(self.exclusions),
            "exclusion_rows": self.source_rows.get(
                "exclusions", self.tables["exclusions"].num_rows
            ),
        }

    def group(self, code: str) -> Mdc | Adrg | Drg:
        """The MDC, ADRG or DRG of that code.

        A code that is both an ADRG and a DRG (``BQY``) gives the ADRG.

        Raises
        ------
        SchemeError
            When the scheme has no such group.
        """
        try:
            return self._groups[code]
        except KeyError:
            raise SchemeError(
                _("scheme {name} has no group {code!r}", name=self.name, code=code),
                hint=_("`drgcore scheme show` lists the groups."),
            ) from None

    def name_of(self, code: str) -> str:
        """The official name of a group; an ambiguous or catch-all group says what it is."""
        group = self.group(code)
        if group.name or isinstance(group, Mdc):
            return group.name
        adrg = group if isinstance(group, Adrg) else self._adrg(group.adrg)
        return {"ambiguous": "歧义组", "catch_all": "未入组"}.get(adrg.kind, "")

    def adrgs_of(self, mdc: str) -> tuple[Adrg, ...]:
        """The ADRG of an MDC in the order in which they are tried."""
        return tuple(a for a in self.adrgs if a.mdc == mdc)

    def drgs_of(self, group: str) -> tuple[Drg, ...]:
        """The DRG of an ADRG or of a whole MDC in the order in which they are tried."""
        return tuple(d for d in self.drgs if group in (d.adrg, d.mdc))

    def codes_of(self, set_id: str) -> tuple[str, ...]:
        """The codes of a set or of an exclusion table, sorted.

        Raises
        ------
        SchemeError
            When the scheme has no such set.
        """
        for table in (self.sets, self.exclusions):
            if set_id in table:
                return tuple(sorted(table[set_id]))
        raise SchemeError(_("scheme {name} has no set {set_id!r}", name=self.name, set_id=set_id))

    def uses_of(self, code: str) -> tuple[CodeUse, ...]:
        """Where a diagnosis or procedure takes part: groups whose rule names a set with it.

        Examples
        --------
        >>> from drgcore.schemes import load_scheme
        >>> for use in load_scheme("chs-drg-3.0").uses_of("33.6x00")[:2]:
        ...     print(use.level, use.group, use.set_id)
        MDC MDCP OP_ALL
        ADRG AA1 OP_AA1
        """
        found = []
        for group in self._all_groups():
            level = type(group).__name__.upper()
            for atom in atoms(group.rule):
                if isinstance(atom, CodeAtom):
                    found += [
                        CodeUse(level, group.code, s, atom.fields)
                        for s in atom.sets
                        if code in self.sets.get(s, ())
                    ]
        if code in self.complications:
            row = self.complications[code]
            found.append(CodeUse("CC", row.type, row.exclusion, ("QTZD",)))
        found += [
            CodeUse("exclusion", "", table, ("ZYZD",))
            for table, codes in self.exclusions.items()
            if code in codes
        ]
        return tuple(dict.fromkeys(found))

    def named_sets(self) -> frozenset[str]:
        """Every set that some rule names."""
        return frozenset().union(*(set_ids(g.rule) for g in self._all_groups()))

    @cached_property
    def local_columns(self) -> Mapping[str, str]:
        """Names that only local schemes use and some rule asks for → column that cases must have.

        Examples
        --------
        >>> from drgcore.schemes import load_scheme
        >>> dict(load_scheme("chs-drg-3.0").local_columns)
        {}
        """
        asked = frozenset().union(*(local_names(g.rule) for g in self._all_groups()))
        return {name: column for name, column in LOCAL_NAMES.items() if name in asked}

    def _all_groups(self) -> tuple[Mdc | Adrg | Drg, ...]:
        return (*self.mdcs, *self.adrgs, *self.drgs)

    @cached_property
    def _groups(self) -> Mapping[str, Mdc | Adrg | Drg]:
        return {g.code: g for g in reversed(self._all_groups())}

    def _adrg(self, code: str) -> Adrg:
        group = self._groups[code]
        assert isinstance(group, Adrg)
        return group


def _is_catch_all(group: Adrg | Drg) -> bool:
    """An unnamed group with an empty rule is evaluated last in its scope, whatever its sort."""
    return not group.name and group.rule == TRUE


def _rule(level: str, row: Mapping[str, str]) -> Rule:
    return parse_rule(row["rule"], where=f"{level} {row['code']}")


def _place(places: Mapping[str, int], parent: str, code: str) -> int:
    try:
        return places[parent]
    except KeyError:
        raise SchemeError(
            _("group {code} belongs to {parent}, which the scheme lacks", code=code, parent=parent)
        ) from None


def _grouped(table: pa.Table) -> dict[str, frozenset[str]]:
    members: dict[str, list[str]] = {}
    pairs: Iterable[tuple[str, str]] = zip(
        table["set_id"].to_pylist(), table["code"].to_pylist(), strict=True
    )
    for set_id, code in pairs:
        members.setdefault(set_id, []).append(code)
    return {set_id: frozenset(codes) for set_id, codes in members.items()}

"""What differs between two schemes, as data: groups, sets, complications, exclusion tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa

from drgcore.files import whole_file
from drgcore.language import N_, _
from drgcore.schemes.cells import header
from drgcore.schemes.model import TABLE_SCHEMAS, Scheme
from drgcore.schemes.overlay import KEYED
from drgcore.schemes.parser import parse_rule

Kind = Literal["added", "removed", "changed"]

_SHOWN = 10
_SIGNS: Mapping[str, str] = {N_("added"): "+", N_("removed"): "-", N_("changed"): "~"}
_ROW_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("code", "change", "field", "before", "after")]
)
_MEMBER_SCHEMA = pa.schema([(name, pa.string()) for name in ("set_id", "change", "code", "member")])


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field of a row, before and after; None where the row is not there."""

    field: str
    before: str | int | None
    after: str | int | None


@dataclass(frozen=True, slots=True)
class RowChange:
    """A group, or a row of the CC sheet, that one scheme has otherwise than the other."""

    code: str
    kind: Kind
    fields: tuple[FieldChange, ...]

    def __str__(self) -> str:
        if self.kind == "changed":
            told = "; ".join(f"{f.field}: {f.before} → {f.after}" for f in self.fields)
        else:
            told = " ".join(
                str(f.after if self.kind == "added" else f.before)
                for f in self.fields
                if f.field in ("name", "type")
            )
        return f"{_SIGNS[self.kind]} {self.code} {told}".rstrip()


@dataclass(frozen=True, slots=True)
class MemberChange:
    """A set or exclusion table, with the codes that came and went."""

    set_id: str
    kind: Kind
    added: tuple[str, ...]
    removed: tuple[str, ...]

    def __str__(self) -> str:
        told = [f"+{code}" for code in self.added] + [f"-{code}" for code in self.removed]
        more = _(" … {count} more", count=len(told) - _SHOWN) if len(told) > _SHOWN else ""
        return f"{_SIGNS[self.kind]} {self.set_id} {' '.join(told[:_SHOWN])}{more}"


@dataclass(frozen=True)
class SchemeDiff:
    """What must change in scheme `before` to make it scheme `after`.

    Parameters
    ----------
    before, after : str
        Names of the two schemes.
    rows : mapping of str to tuple of RowChange
        For the tables mdc, adrg, drg and cc, by code.
    members : mapping of str to tuple of MemberChange
        For the tables sets and exclusions, by set.
    """

    before: str
    after: str
    rows: Mapping[str, tuple[RowChange, ...]]
    members: Mapping[str, tuple[MemberChange, ...]]

    def summary(self) -> dict[str, dict[str, int]]:
        """Table → how many rows (or sets) were added, removed and changed."""
        tables: dict[str, tuple[RowChange, ...] | tuple[MemberChange, ...]] = {
            **self.rows,
            **self.members,
        }
        return {
            table: {kind: sum(c.kind == kind for c in tables[table]) for kind in _SIGNS}
            for table in TABLE_SCHEMAS
        }

    def to_tables(self) -> dict[str, pa.Table]:
        """Table → its changes: one row for each changed field, or for each code of a set."""
        tables = {}
        for table in TABLE_SCHEMAS:
            if table in KEYED:
                fields = [
                    (row.code, row.kind, f.field, _text(f.before), _text(f.after))
                    for row in self.rows[table]
                    for f in row.fields
                ]
                tables[table] = _table(fields, _ROW_SCHEMA)
            else:
                codes = [
                    (change.set_id, change.kind, code, kind)
                    for change in self.members[table]
                    for kind, listed in (("added", change.added), ("removed", change.removed))
                    for code in listed
                ]
                tables[table] = _table(codes, _MEMBER_SCHEMA)
        return tables

    def to_csv(self, folder: str | Path) -> None:
        """Write every change, one file for each table, in UTF-8 with a byte order mark.

        Parameters
        ----------
        folder : str or Path
            Made if it is not there.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for name, changes in self.to_tables().items():
            text = io.StringIO(newline="")
            writer = csv.writer(text)
            writer.writerow(changes.column_names)
            writer.writerows(zip(*(c.to_pylist() for c in changes.columns), strict=True))
            with whole_file(folder / f"{name}.csv") as part:
                part.write_text(text.getvalue(), encoding="utf-8-sig", newline="")

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{self.before} → {self.after}"
        for table, counts in self.summary().items():
            changes = self.rows[table] if table in KEYED else self.members[table]
            if changes:
                yield f"{table}: " + ", ".join(f"{n} {_(kind)}" for kind, n in counts.items() if n)
                yield from (f"  {change}" for change in changes[:_SHOWN])
                if len(changes) > _SHOWN:
                    yield "  " + _("… and {count} more", count=len(changes) - _SHOWN)


def diff_schemes(a: Scheme, b: Scheme) -> SchemeDiff:
    """Compare two schemes.

    Parameters
    ----------
    a, b : Scheme
        The scheme before and the scheme after.

    Returns
    -------
    SchemeDiff
        Rules and names are compared by what they say: another spacing, letter case or width of
        punctuation (/ for ／) is no change. The comparison the other way round is the same with
        before and after exchanged.

    Examples
    --------
    >>> from drgcore.schemes import load_scheme
    >>> diff = diff_schemes(load_scheme("chs-drg-1.1"), load_scheme("suzhou-2023"))
    >>> diff.summary()["sets"]
    {'added': 1, 'removed': 0, 'changed': 4}
    >>> print(diff.members["sets"][2])
    ~ OP_FM1 -36.0700
    """
    return SchemeDiff(
        a.name,
        b.name,
        {t: tuple(_row_changes(a.tables[t], b.tables[t])) for t in TABLE_SCHEMAS if t in KEYED},
        {
            "sets": tuple(_member_changes(a.sets, b.sets)),
            "exclusions": tuple(_member_changes(a.exclusions, b.exclusions)),
        },
    )


def _row_changes(before: pa.Table, after: pa.Table) -> Iterator[RowChange]:
    old, new = ({row["code"]: row for row in t.to_pylist()} for t in (before, after))
    for code in sorted(old.keys() | new.keys()):
        was, now = old.get(code, {}), new.get(code, {})
        fields = tuple(
            FieldChange(name, was.get(name), now.get(name))
            for name in after.column_names
            if name != "code" and not _same(name, was.get(name), now.get(name))
        )
        if fields or not (was and now):
            yield RowChange(
                code, "changed" if was and now else "added" if now else "removed", fields
            )


def _member_changes(
    before: Mapping[str, frozenset[str]], after: Mapping[str, frozenset[str]]
) -> Iterator[MemberChange]:
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name, frozenset()), after.get(name, frozenset())
        if old != new:
            kind: Kind = "changed" if old and new else "added" if new else "removed"
            yield MemberChange(name, kind, tuple(sorted(new - old)), tuple(sorted(old - new)))


def _same(field: str, before: str | int | None, after: str | int | None) -> bool:
    if before == after:
        return True
    if field not in ("name", "rule") or before is None or after is None:
        return False
    if field == "name":
        return header(before) == header(after)
    return parse_rule(str(before)) == parse_rule(str(after))


def _text(value: str | int | None) -> str | None:
    return None if value is None else str(value)


def _table(rows: Sequence[tuple[str | None, ...]], schema: pa.Schema) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    return pa.table(dict(zip(schema.names, columns, strict=True)), schema=schema)

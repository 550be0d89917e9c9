"""A scheme as the rows by which it differs from another: cutting an overlay and laying it on.

A city keeps the national plan and cuts some of its groups anew. Kept as an overlay, its tables are
a few hundred rows that a person can read, and the rest follows the base.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from drgcore.errors import SchemeError
from drgcore.language import _
from drgcore.schemes.model import TABLE_SCHEMAS

CHANGE = "change"
"""The column by which an overlay's table says what a row does: `ADD` it, or `REMOVE` it."""

CHANGE_FIELD = pa.field(CHANGE, pa.string())

ADD, REMOVE = "+", "-"

_SHOWN = 5

KEYED = frozenset({"mdc", "adrg", "drg", "cc"})
"""Tables whose rows are known by their code; a row of the others is the pair it holds."""


def cut_overlay(
    tables: Mapping[str, pa.Table], base: Mapping[str, pa.Table]
) -> dict[str, pa.Table]:
    """The rows by which `tables` differ from `base`; a table without any is left out.

    A changed row of a keyed table stands there once, as it is to be; a removed one with its key.
    """
    overlay = {}
    for name, schema in TABLE_SCHEMAS.items():
        added = _without(tables[name], base[name], schema.names)
        key = ["code"] if name in KEYED else schema.names
        gone = _without(base[name], tables[name], key).select(key)
        gone = gone.cast(pa.schema([schema.field(column) for column in key]))
        if not added.num_rows and not gone.num_rows:
            continue
        parts = [_marked(added, ADD), _marked(gone, REMOVE)]
        overlay[name] = pa.concat_tables(parts, promote_options="default").combine_chunks()
    return overlay


def lay_on(base: Mapping[str, pa.Table], overlay: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """The tables that an overlay describes: `lay_on(base, cut_overlay(t, base))` holds `t`'s rows.

    Rows that the overlay adds stand after those of the base.
    """
    tables = dict(base)
    for name, changes in overlay.items():
        schema = TABLE_SCHEMAS[name]
        key = ["code"] if name in KEYED else schema.names
        is_new = pc.equal(changes[CHANGE], ADD)
        added = changes.filter(is_new).select(schema.names)
        gone = changes.filter(pc.invert(is_new))
        hit = _hit(base[name], changes, key)
        strange = _without(gone, base[name].filter(hit), key)
        if strange.num_rows:
            shown = [" ".join(map(str, row.values())) for row in strange.select(key).to_pylist()]
            more = (
                _(" … and {count} more", count=len(shown) - _SHOWN) if len(shown) > _SHOWN else ""
            )
            raise SchemeError(
                _(
                    "the overlay removes rows of {name} that its base does not have: {shown}{more}",
                    name=name,
                    shown=", ".join(shown[:_SHOWN]),
                    more=more,
                )
            )
        both = pc.is_in(_keys(added, key), _keys(gone, key))
        if pc.any(both).as_py():
            raise SchemeError(
                _(
                    "the overlay both removes and adds {added} in {name}",
                    added=added.filter(both)[key[-1]][0],
                    name=name,
                )
            )
        kept = base[name].filter(pc.invert(hit))
        tables[name] = pa.concat_tables([kept, added.cast(schema)]).combine_chunks()
    return tables


def _marked(table: pa.Table, change: str) -> pa.Table:
    return table.append_column(CHANGE, pa.array([change] * table.num_rows, pa.string()))


def _without(table: pa.Table, other: pa.Table, columns: list[str]) -> pa.Table:
    """The rows of `table` whose `columns` occur in no row of `other`."""
    return table.filter(pc.invert(pc.is_in(_keys(table, columns), _keys(other, columns))))


def _hit(table: pa.Table, changes: pa.Table, columns: list[str]) -> pa.Array:
    """Which rows of `table` have a key that occurs in `changes`, which are few."""
    # The last column alone leaves few rows whose whole keys are then made.
    hit = pc.is_in(table[columns[-1]], changes[columns[-1]]).combine_chunks()
    if len(columns) == 1:
        return hit
    found = pc.is_in(_keys(table.filter(hit), columns), _keys(changes, columns))
    return pc.replace_with_mask(hit, hit, found.combine_chunks())


def _keys(table: pa.Table, columns: list[str]) -> pa.ChunkedArray:
    # The unit separator cannot stand in a cell: the reader turns every control character to space.
    texts = [table[column].cast(pa.string()) for column in columns]
    return pc.binary_join_element_wise(*texts, "\x1f")

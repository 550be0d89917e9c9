"""The ledger's tables, described once for SQLite and PostgreSQL, and its hashes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from drgcore.budget.frames import (
    ADJUSTMENT_COLUMNS,
    CLASS_COLUMNS,
    FLOW_COLUMNS,
    MOVE_COLUMNS,
    RESERVE_COLUMNS,
    STATEMENT_COLUMNS,
    UNIT_COLUMNS,
    VALUE_COLUMNS,
    YEAR_COLUMNS,
)

ENTRY_COLUMNS = (
    "seq",
    "kind",
    "period",
    "created_at",
    "policy_digest",
    "scheme",
    "cases_digest",
    "facts_digest",
    "previous_hash",
    "hash",
)
POLICY_COLUMNS = ("digest", "name", "text")
DECISION_COLUMNS = ("month", "pool", "hospital", "kind", "points", "amount_fen", "reason")

LINES: Mapping[str, tuple[str, ...]] = {
    "point_value": VALUE_COLUMNS,
    "month_statement": STATEMENT_COLUMNS,
    "month_reserve": RESERVE_COLUMNS,
    "case_class": CLASS_COLUMNS,
    "year_statement": YEAR_COLUMNS,
    "settlement_unit": UNIT_COLUMNS,
    "year_adjustment": ADJUSTMENT_COLUMNS,
    "pool_line": MOVE_COLUMNS,
    "reserve_line": MOVE_COLUMNS,
    "reconciliation": MOVE_COLUMNS,
    "decision": DECISION_COLUMNS,
    "flow": FLOW_COLUMNS,
    "decision_account": ("account",),
}
"""Tables whose rows belong to an entry; each has `entry` and `line` before these columns."""

PARTS: Mapping[str, Mapping[str, str]] = {
    "month": {
        "point_value": "point_values",
        "month_statement": "statement",
        "month_reserve": "reserve",
        "case_class": "classes",
        "flow": "flows",
    },
    "year": {
        "point_value": "point_values",
        "year_statement": "statement",
        "settlement_unit": "units",
        "year_adjustment": "adjustments",
        "case_class": "classes",
        "pool_line": "pool",
        "reserve_line": "reserve",
        "reconciliation": "reconciliation",
        "flow": "flows",
    },
    "adjustment": {"decision": "decisions", "decision_account": "accounts"},
}
"""For each kind of entry its tables, and the attribute of the settlement that fills them."""

LATER = ("flow", "decision_account")
"""Tables that ledgers did not have from the start: without rows they leave a digest as it was."""

NO_HASH = "0" * 64
"""The `previous_hash` of the first entry."""

Row = dict[str, Any]


class Store(Protocol):
    """A database that holds the tables; the ledger's rules are the same on each."""

    def write(self) -> AbstractContextManager[None]:
        """Open a transaction that excludes other writers; all of it is kept, or nothing."""
        ...

    def insert(self, table: str, rows: Sequence[Row]) -> None:
        """Add rows within a transaction."""
        ...

    def select(self, table: str, **equal: Any) -> list[Row]:
        """Give rows, in the order of `seq` or `line`."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


def is_integer(column: str) -> bool:
    """Tell whether a column holds integers; all others hold text.

    Parameters
    ----------
    column : str
        Name of a column.

    Returns
    -------
    bool
        True for amounts, counts, points and numbers of lines.

    Examples
    --------
    >>> is_integer("held_fen"), is_integer("kappa")
    (True, False)
    """
    return column.endswith("_fen") or column in (
        "cases",
        "points",
        "places",
        "seq",
        "entry",
        "line",
    )


def all_columns(table: str) -> tuple[str, ...]:
    """Give all columns of a table.

    Parameters
    ----------
    table : str
        `entry`, `policy_text` or one of `LINES`.

    Returns
    -------
    tuple of str
        Its columns.

    Examples
    --------
    >>> all_columns("pool_line")
    ('entry', 'line', 'pool', 'item', 'amount_fen')
    """
    fixed = {"entry": ENTRY_COLUMNS, "policy_text": POLICY_COLUMNS}
    return fixed[table] if table in fixed else ("entry", "line", *LINES[table])


def tables() -> Iterator[str]:
    """Name all tables, those that others refer to first.

    Yields
    ------
    str
        Name of a table.

    Examples
    --------
    >>> next(tables())
    'policy_text'
    """
    yield "policy_text"
    yield "entry"
    yield from LINES


def sha256(value: Any) -> str:
    """Give the SHA-256 of a value's canonical JSON.

    Parameters
    ----------
    value : str, int, or lists and dicts of them
        What to hash. Key order has no influence.

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> sha256({"a": 1, "b": 2}) == sha256({"b": 2, "a": 1})
    True
    """
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def facts_digest(header: Mapping[str, Any], lines: Mapping[str, Sequence[Row]]) -> str:
    """Hash what an entry states, apart from when it was written and where it stands.

    Parameters
    ----------
    header : mapping
        Its row of `entry`.
    lines : mapping of str to sequence of dict
        Its rows of every other table.

    Returns
    -------
    str
        Equal for equal facts.

    Examples
    --------
    >>> header = dict.fromkeys(ENTRY_COLUMNS, "")
    >>> facts_digest(header, {}) == facts_digest(header | {"created_at": "later"}, {})
    True
    """
    names = ("kind", "period", "policy_digest", "scheme", "cases_digest")
    body = {
        table: [[row[name] for name in LINES[table]] for row in rows]
        for table, rows in lines.items()
        if rows or table not in LATER
    }
    return sha256({"facts": [header[name] for name in names], "lines": body})


def entry_hash(header: Mapping[str, Any]) -> str:
    """Hash an entry's row with that of the entry before it: a link of the chain.

    Parameters
    ----------
    header : mapping
        Its row of `entry`; `hash` is left out.

    Returns
    -------
    str
        The hash.

    Examples
    --------
    >>> len(entry_hash(dict.fromkeys(ENTRY_COLUMNS, "")))
    64
    """
    return sha256([header[name] for name in ENTRY_COLUMNS if name != "hash"])


def append_entry(store: Store, header: Row, lines: Mapping[str, Sequence[Row]]) -> int:
    """Write lines, and last the entry that seals them.

    Parameters
    ----------
    store : Store
        The ledger's store, in whose `write` this is called.
    header : dict
        The entry, without its number and hashes.
    lines : mapping of str to sequence of dict
        Its lines by table.

    Returns
    -------
    int
        Number of the entry.
    """
    entries = store.select("entry")
    header["seq"] = len(entries) + 1
    header["previous_hash"] = entries[-1]["hash"] if entries else NO_HASH
    header["hash"] = entry_hash(header)
    for table, rows in lines.items():
        numbered = [{"entry": header["seq"], "line": n} | r for n, r in enumerate(rows, 1)]
        store.insert(table, numbered)
    store.insert("entry", [header])
    return int(header["seq"])

"""Checks of a ledger: sums within an entry and between entries, and the chain of hashes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from drgcore.budget.allocate import yuan
from drgcore.budget.ledger_tables import (
    LINES,
    NO_HASH,
    PARTS,
    Row,
    entry_hash,
    facts_digest,
    sha256,
)
from drgcore.budget.month import Month
from drgcore.language import _, word
from drgcore.progress import tracked

Lines = Mapping[str, Sequence[Row]]

_KEYS: Mapping[str, tuple[str, ...]] = {
    "point_value": ("pool",),
    "month_reserve": ("pool",),
    "pool_line": ("pool", "item"),
    "reserve_line": ("pool", "item"),
    "reconciliation": ("pool", "item"),
    "case_class": ("pool", "hospital", "case_class"),
    "flow": ("pool", "hospital", "item", "account"),
    "settlement_unit": ("pool", "unit"),
    "year_adjustment": ("pool", "hospital", "month", "kind"),
}


def check_sums(entry: Row, lines: Lines, months: Mapping[str, Lines]) -> list[str]:
    """Check an entry's sums, and that it continues the months before it.

    Parameters
    ----------
    entry : dict
        Its header.
    lines : mapping of str to sequence of dict
        Its lines by table.
    months : mapping of str to Lines
        The lines of the months closed so far.

    Returns
    -------
    list of str
        What is wrong.

    Examples
    --------
    >>> check_sums({"kind": "adjustment"}, {}, {})
    []
    """
    if entry["kind"] == "month":
        return _check_month(Month.parse(entry["period"]), lines, months)
    return _check_year(entry["period"], lines, months) if entry["kind"] == "year" else []


def differences(old: Row, old_lines: Lines, new: Row, new_lines: Lines) -> list[str]:
    """Say how the facts of two closings of one period differ.

    Parameters
    ----------
    old, new : dict
        Their headers.
    old_lines, new_lines : mapping of str to sequence of dict
        Their lines by table.

    Returns
    -------
    list of str
        The policy, the scheme, the cases, and the first lines that differ.

    Examples
    --------
    >>> header = {"policy_digest": "", "scheme": "a", "cases_digest": ""}
    >>> differences(header, {}, header | {"scheme": "b"}, {})
    ['the grouping scheme was a and is b']
    """
    found = []
    if old["policy_digest"] != new["policy_digest"]:
        found.append(_("the policy's text"))
    if old["scheme"] != new["scheme"]:
        found.append(
            _("the grouping scheme was {old} and is {new}", old=old["scheme"], new=new["scheme"])
        )
    if old["cases_digest"] != new["cases_digest"]:
        found.append(_("the cases"))
    for table, rows in new_lines.items():
        keys = _KEYS.get(table, ("pool", "hospital"))
        before = {tuple(row[k] for k in keys): row for row in old_lines[table]}
        after = {tuple(row[k] for k in keys): row for row in rows}
        changed = [k for k in sorted(before.keys() | after.keys()) if before.get(k) != after.get(k)]
        if changed:
            found.append(_first(table, changed, before, after))
    return found


def _first(
    table: str,
    changed: list[tuple[Any, ...]],
    before: Mapping[tuple[Any, ...], Row],
    after: Mapping[tuple[Any, ...], Row],
) -> str:
    key = changed[0]
    name = _("{table} of {key}", table=table, key=" ".join(key))
    more = _(" and {count} more lines", count=len(changed) - 1) if len(changed) > 1 else ""
    if key not in before:
        return _("{name} is new", name=name) + more
    if key not in after:
        return _("{name} is gone", name=name) + more
    column = next(c for c in LINES[table] if before[key][c] != after[key][c])
    old, new = before[key][column], after[key][column]
    if column.endswith("_fen"):
        old, new = yuan(old), yuan(new)
    changed_to = _("{column} was {old} and is {new}", column=column, old=old, new=new)
    return f"{name}: {changed_to}{more}"


def _check_month(month: Month, lines: Lines, months: Mapping[str, Lines]) -> list[str]:
    found = []
    statement = lines["month_statement"]
    for value in lines["point_value"]:
        rows = [row for row in statement if row["pool"] == value["pool"]]
        for column, total in (("gross_fen", "numerator_fen"), ("points", "points")):
            if sum(row[column] for row in rows) != value[total]:
                text = _("{one} of the hospitals do not add up to {total}", one=column, total=total)
                found.append(f"{value['pool']}: {text}")
        for row in rows:
            borne = row["patient_paid_fen"] if value["basis"] == "total_cost" else 0
            given = row["prepaid_fen"] + row["held_fen"] + row["carried_out_fen"]
            due = row["entitlement_fen"] - row["refused_fen"] + row["carried_in_fen"]
            if row["entitlement_fen"] != row["gross_fen"] - borne or given != due:
                found.append(f"{value['pool']} {row['hospital']}: {_('its amounts do not add up')}")
    before = months.get(str(month.previous)) if month.number > 1 else None
    earlier = [m for m in months if m.startswith(f"{month.year}-") and m != str(month)]
    later = [m for m in earlier if m > str(month)]
    if later:
        found.append(_("{month} is closed already", month=later[0]))
    if before is None:
        if earlier and not later:
            found.append(_("{month} is not closed", month=month.previous))
        return found
    carried = {
        (row["pool"], row["hospital"]): row["carried_out_fen"] for row in before["month_statement"]
    }
    now = {(row["pool"], row["hospital"]): row["carried_in_fen"] for row in statement}
    for key in sorted(carried.keys() | now.keys()):
        if carried.get(key, 0) != now.get(key, 0):
            text = _("carries in other than {month} carried out", month=month.previous)
            found.append(f"{' '.join(key)}: {text}")
    closing = {row["pool"]: row["closing_fen"] for row in before["month_reserve"]}
    for row in lines["month_reserve"]:
        if closing.get(row["pool"]) != row["opening_fen"]:
            text = _("the reserve opens other than {month} closed", month=month.previous)
            found.append(f"{row['pool']}: {text}")
    return found


def _check_year(year: str, lines: Lines, months: Mapping[str, Lines]) -> list[str]:
    found = []
    of_year = [body for period, body in months.items() if period.startswith(f"{year}-")]
    statement = lines["year_statement"]
    advances = {
        (row["pool"], row["hospital"]): row["amount_fen"]
        for row in lines.get("flow", ())
        if row["item"] == "advance"
    }
    for column in ("prepaid_fen", "held_fen"):
        paid: dict[tuple[str, str], int] = {}
        for body in of_year:
            for row in body["month_statement"]:
                key = (row["pool"], row["hospital"])
                paid[key] = paid.get(key, 0) + row[column]
        now = {(row["pool"], row["hospital"]): row[column] for row in statement}
        for key in sorted(paid.keys() | now.keys()):
            if paid.get(key, 0) != now.get(key, 0):
                text = _("{column} is not that of the closed months", column=column)
                found.append(f"{' '.join(key)}: {text}")
    for row in statement:
        made = (
            row["prepaid_fen"]
            + row["adjustments_fen"]
            + row["pool_share_fen"]
            - row["surplus_returned_fen"]
            + row["deficit_borne_fen"]
            + row["capitation_fen"]
        )
        final = row["final_fen"] + row["carried_out_fen"]
        advance = advances.get((row["pool"], row["hospital"]), 0)
        due = row["final_fen"] - row["prepaid_fen"] - advance
        if made != final or row["balance_fen"] != due:
            found.append(f"{row['pool']} {row['hospital']}: {_('its amounts do not add up')}")
    for value in lines["point_value"]:
        pool = value["pool"]
        rows = [row for row in statement if row["pool"] == pool]
        if sum(row["gross_fen"] for row in rows) != value["numerator_fen"]:
            text = _("the hospitals' v·Q do not add up to the numerator")
            found.append(f"{pool}: {text}")
        places = [row["amount_fen"] for row in lines["reconciliation"] if row["pool"] == pool]
        if places[0] != sum(places[1:-1]) or places[-1]:
            found.append(f"{pool}: {_('the places do not add up to the budget')}")
        finals = {
            row["item"]: row["amount_fen"] for row in lines["reconciliation"] if row["pool"] == pool
        }
        paid_out = finals["paid in advance"] + finals["balance paid at the year end"]
        paid_out += finals.get("advance at the start of the year", 0)
        if paid_out != sum(row["final_fen"] for row in rows):
            found.append(f"{pool}: {_('what was paid is not what the hospitals got')}")
    return found


def check_chain(
    entries: Sequence[Row], policies: Sequence[Row], lines_of: Callable[[Row, str], list[Row]]
) -> list[str]:
    """Recompute the hashes of all entries, in order, and the sums of their lines.

    Parameters
    ----------
    entries : sequence of rows
        All entries of the ledger.
    policies : sequence of rows
        The policy texts that it keeps.
    lines_of : callable
        The lines of an entry in one table.

    Returns
    -------
    list of str
        What is wrong, each with its entry.
    """
    problems = [
        _("policy {name}: its text is not what was stored", name=row["name"])
        for row in policies
        if sha256([row["name"], row["text"]]) != row["digest"]
    ]
    known = {row["digest"] for row in policies}
    previous = NO_HASH
    months: dict[str, dict[str, list[Row]]] = {}
    for seq, entry in enumerate(tracked(entries, _("checking"), _("entries")), 1):
        kind = word(entry["kind"])
        where = _("entry {n} ({kind} {of})", n=entry["seq"], kind=kind, of=entry["period"])
        lines = {table: lines_of(entry, table) for table in PARTS[entry["kind"]]}
        if entry["seq"] != seq:
            text = _("entry {n} is missing before it", n=seq)
            problems.append(f"{where}: {text}")
        if entry["previous_hash"] != previous:
            problems.append(f"{where}: {_('it does not follow the entry before it')}")
        if facts_digest(entry, lines) != entry["facts_digest"]:
            problems.append(f"{where}: {_('its lines are not what was closed')}")
        if entry_hash(entry) != entry["hash"]:
            problems.append(f"{where}: {_('its hash is not that of its content')}")
        if entry["policy_digest"] not in known:
            problems.append(f"{where}: {_('its policy is missing')}")
        problems += [f"{where}: {text}" for text in check_sums(entry, lines, months)]
        if entry["kind"] == "month":
            months[entry["period"]] = lines
        previous = entry["hash"]
    return problems

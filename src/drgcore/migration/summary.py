"""A migration as text: what share moved, the largest flows, the most frequent reasons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from drgcore.migration.reasons import REASON_KINDS, ReasonKind
from drgcore.migration.tables import MigrationTables

_SHOWN = 10
_PARTED = {
    "status": "valid in one scheme only",
    "mdc": "another MDC",
    "adrg": "another ADRG",
    "drg": "another DRG of the same ADRG",
    "code": "the same group under another code",
}


def migration_text(migration: MigrationTables, most: int = _SHOWN) -> str:
    """What a migration does, for people.

    Parameters
    ----------
    migration : MigrationTables
    most : int
        How many flows and causes to show.

    Returns
    -------
    str

    Examples
    --------
    >>> import drgcore
    >>> cases = drgcore.sample_cases(1000, "chs-drg-1.1", seed=1)
    >>> print(migration_text(drgcore.migrate(cases, "chs-drg-1.1", "chs-drg-1.1")))
    1,000 cases, chs-drg-1.1 → chs-drg-1.1: 0 changed (0.00%)
    status
      grouped → grouped                                     1,000 100.00%
    """
    return "\n".join(_lines(migration, most))


def _lines(migration: MigrationTables, most: int) -> Iterator[str]:
    pairs, rows = migration.pairs, migration.results.num_rows
    changed = migration.changed.num_rows
    yield (
        f"{rows:,} cases, {pairs.before.name} → {pairs.after.name}: {changed:,} changed"
        f"{_share(changed, rows, ' (', ')')}"
    )
    yield "status"
    statuses = migration.statuses.groupby(["status_before", "status_after"])["cases"].sum()
    ordered = statuses.sort_values(ascending=False, kind="stable").reset_index()
    for row in ordered.itertuples():
        yield _line(f"{row.status_before} → {row.status_after}", row.cases, rows)
    if not changed:
        return
    yield "where the paths part"
    parted = migration.reasons.groupby("parted")["cases"].sum()
    for what in (p for p in _PARTED if p in parted):
        yield _line(_PARTED[what], parted[what], rows)
    yield "largest flows between ADRG"
    flows = migration.flows
    moved = flows[(flows["level"] == "adrg") & ~flows["relation"].isin(["kept", "none"])]
    for flow in moved.head(most).itertuples():
        yield _line(_named(migration, flow), flow.cases, rows)
    yield "reasons"
    kinds = migration.reasons.groupby("kind")["cases"].sum()
    ordered = kinds.sort_values(ascending=False, kind="stable").reset_index()
    for row in ordered.itertuples():
        yield _line(f"{row.kind} {REASON_KINDS[str(row.kind)].split(' ')[0]}", row.cases, rows)
    yield "most frequent causes"
    for cause in migration.causes.head(most).to_dict("records"):
        yield f"  {cause['cases']:>9,}  {cause_text(cause)}"


def cause_text(cause: Mapping[Any, Any]) -> str:
    """A row of `Migration.causes` as a sentence.

    Examples
    --------
    >>> print(cause_text({"kind": "code_left_set", "side": "before", "level": "ADRG",
    ...     "group": "AH1", "set_id": "OP_AH1", "codes": "96.7201", "then_kind": "group_new",
    ...     "then_side": "after", "then_level": "ADRG", "then_group": "AH3",
    ...     "then_set_id": None, "then_codes": None}))
    96.7201 left OP_AH1 (ADRG AH1); ADRG AH3 is new
    """
    if cause["kind"] == cause["then_kind"] == ReasonKind.SUBDIVISION_CHANGED:
        return f"the ADRG is cut otherwise: DRG {cause['group']} is gone, {cause['then_group']} new"
    first, second = _clause(cause, ""), _clause(cause, "then_")
    return f"{first}; {second}" if second else first


def _clause(cause: Mapping[Any, Any], prefix: str) -> str:
    kind, side, level, group, set_id, codes = (
        cause[prefix + name] for name in ("kind", "side", "level", "group", "set_id", "codes")
    )
    if not isinstance(kind, str):
        return ""
    where = f"{level} {group}"
    old = side == "before"
    rule = f"the rule of {where}"
    return {
        "code_unknown": f"only the scheme {'after' if old else 'before'} knows {codes}",
        "number_asked": f"only the scheme {side} asks for {set_id}",
        "weight_asked": f"only in the scheme {side} the group depends on {set_id}",
        "code_left_set": f"{codes} left {set_id} ({where})",
        "code_entered_set": f"{codes} entered {set_id} ({where})",
        "complication_dropped": f"{codes} is no {set_id} any more ({where})",
        "complication_added": f"{codes} became {set_id} ({where})",
        "complication_lowered": f"{codes} was MCC and is CC ({where})",
        "complication_raised": f"{codes} was CC and is MCC ({where})",
        "complication_excluded": f"{codes} is now excluded by table {set_id} ({where})",
        "complication_counted": f"{codes} is no longer excluded by table {set_id} ({where})",
        "rule_changed": f"{rule} says something else",
        "limit_changed": f"{rule} has another limit",
        "subdivision_changed": f"{where} is {'gone' if old else 'new'}, the ADRG is cut otherwise",
        "group_gone": f"{where} is gone",
        "group_new": f"{where} is new",
        "code_reused": f"{where} {'now stands for' if old else 'stood for'} another group",
        "order_changed": f"{where} is tried earlier",
        "renamed": f"the group has the code {group} now",
    }[kind]


def _named(migration: MigrationTables, flow: Any) -> str:
    sides = []
    for side, scheme in (("before", migration.pairs.before), ("after", migration.pairs.after)):
        code = getattr(flow, side)
        status = getattr(flow, f"status_{side}")
        sides.append(status if pd.isna(code) else f"{code} {scheme.name_of(code)}".rstrip())
    return " → ".join(sides)


def _line(text: str, cases: Any, rows: int) -> str:
    # Chinese characters take two columns.
    width = sum(2 if ord(c) > 0x2E7F else 1 for c in text)
    return f"  {text}{' ' * max(1, 50 - width)} {cases:>9,} {cases / rows:7.2%}"


def _share(part: int, whole: int, before: str, after: str) -> str:
    return f"{before}{part / whole:.2%}{after}" if whole else ""

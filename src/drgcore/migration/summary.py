"""A migration as text: what share moved, the largest flows, the most frequent reasons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from drgcore.language import N_, _, word
from drgcore.migration.reasons import PARTED, REASON_KINDS, SIDES, ReasonKind
from drgcore.migration.tables import MigrationTables

_SHOWN = 10


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
    share = f" ({changed / rows:.2%})" if rows else ""
    yield _(
        "{rows:,} cases, {before} → {after}: {changed:,} changed{share}",
        rows=rows,
        before=pairs.before.name,
        after=pairs.after.name,
        changed=changed,
        share=share,
    )
    yield _("status")
    statuses = migration.statuses.groupby(["status_before", "status_after"])["cases"].sum()
    ordered = statuses.sort_values(ascending=False, kind="stable").reset_index()
    for row in ordered.itertuples():
        text = f"{word(str(row.status_before))} → {word(str(row.status_after))}"
        yield _line(text, row.cases, rows)
    if not changed:
        return
    yield _("where the paths part")
    parted = migration.reasons.groupby("parted")["cases"].sum()
    for what in (p for p in PARTED if p in parted):
        yield _line(PARTED[what], parted[what], rows)
    yield _("largest flows between ADRG")
    flows = migration.flows
    moved = flows[(flows["level"] == "adrg") & ~flows["relation"].isin(["kept", "none"])]
    for flow in moved.head(most).itertuples():
        yield _line(_named(migration, flow), flow.cases, rows)
    yield _("reasons")
    kinds = migration.reasons.groupby("kind")["cases"].sum()
    ordered = kinds.sort_values(ascending=False, kind="stable").reset_index()
    for row in ordered.itertuples():
        kind = str(row.kind)
        # What it means may be long, so it comes last.
        yield _line(kind, row.cases, rows) + f"  {REASON_KINDS[kind]}"
    yield _("most frequent causes")
    for cause in migration.causes.head(most).to_dict("records"):
        yield f"  {cause['cases']:>9,}  {cause_text(cause)}"


def cause_text(cause: Mapping[Any, Any]) -> str:
    """A row of `Migration.causes` as a sentence, in the language that is spoken.

    Examples
    --------
    >>> print(cause_text({"kind": "code_left_set", "side": "before", "level": "ADRG",
    ...     "group": "AH1", "set_id": "OP_AH1", "codes": "96.7201", "then_kind": "group_new",
    ...     "then_side": "after", "then_level": "ADRG", "then_group": "AH3",
    ...     "then_set_id": None, "then_codes": None}))
    96.7201 left OP_AH1 (ADRG AH1); ADRG AH3 is new
    """
    if cause["kind"] == cause["then_kind"] == ReasonKind.SUBDIVISION_CHANGED:
        return _(
            "the ADRG is cut otherwise: DRG {gone} is gone, {new} new",
            gone=cause["group"],
            new=cause["then_group"],
        )
    first, second = _clause(cause, ""), _clause(cause, "then_")
    return _("{first}; {second}", first=first, second=second) if second else first


_CLAUSES = {
    "code_left_set": N_("{codes} left {set} ({where})"),
    "code_entered_set": N_("{codes} entered {set} ({where})"),
    "complication_dropped": N_("{codes} is no {set} any more ({where})"),
    "complication_added": N_("{codes} became {set} ({where})"),
    "complication_lowered": N_("{codes} was MCC and is CC ({where})"),
    "complication_raised": N_("{codes} was CC and is MCC ({where})"),
    "complication_excluded": N_("{codes} is now excluded by table {set} ({where})"),
    "complication_counted": N_("{codes} is no longer excluded by table {set} ({where})"),
    "rule_changed": N_("the rule of {where} says something else"),
    "limit_changed": N_("the rule of {where} has another limit"),
    "group_gone": N_("{where} is gone"),
    "group_new": N_("{where} is new"),
    "order_changed": N_("{where} is tried earlier"),
    "renamed": N_("the group has the code {group} now"),
}
_CLAUSES_BY_SIDE = {
    "code_unknown": (
        N_("only the scheme after knows {codes}"),
        N_("only the scheme before knows {codes}"),
    ),
    "number_asked": (
        N_("only the scheme before asks for {set}"),
        N_("only the scheme after asks for {set}"),
    ),
    "weight_asked": (
        N_("only in the scheme before the group depends on {set}"),
        N_("only in the scheme after the group depends on {set}"),
    ),
    "subdivision_changed": (
        N_("{where} is gone, the ADRG is cut otherwise"),
        N_("{where} is new, the ADRG is cut otherwise"),
    ),
    "code_reused": (
        N_("{where} now stands for another group"),
        N_("{where} stood for another group"),
    ),
}
"""Of causes that read otherwise by the scheme whose group they name: before, after."""


def _clause(cause: Mapping[Any, Any], prefix: str) -> str:
    kind, side, level, group, set_id, codes = (
        cause[prefix + name] for name in ("kind", "side", "level", "group", "set_id", "codes")
    )
    if not isinstance(kind, str):
        return ""
    message = _CLAUSES.get(kind) or _CLAUSES_BY_SIDE[kind][SIDES.index(side)]
    return _(message, codes=codes, set=set_id, where=f"{level} {group}", group=group)


def _named(migration: MigrationTables, flow: Any) -> str:
    sides = []
    for side, scheme in (("before", migration.pairs.before), ("after", migration.pairs.after)):
        code = getattr(flow, side)
        status = word(str(getattr(flow, f"status_{side}")))
        sides.append(status if pd.isna(code) else f"{code} {scheme.name_of(code)}".rstrip())
    return " → ".join(sides)


def _line(text: str, cases: Any, rows: int) -> str:
    # Chinese characters take two columns.
    width = sum(2 if ord(c) > 0x2E7F else 1 for c in text)
    return f"  {text}{' ' * max(1, 50 - width)} {cases:>9,} {cases / rows:7.2%}"

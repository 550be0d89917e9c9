"""Counts of cases by their groups in two schemes, and what became of each group."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from drgcore.budget.allocate import FEN_PER_YUAN
from drgcore.migration.pairing import Pairing
from drgcore.schemes import Adrg, Drg, Mdc, Scheme

_RuleOf = Callable[[Scheme, str, str | None], str | None]

LEVELS = ("mdc", "adrg", "drg")

MAIN_SHARE = 0.9
"""Share of its cases that a group must keep together to be called kept, renamed or merged."""

CAUSE = ("kind", "side", "level", "group", "set_id", "codes")
"""The columns of a reason."""


def count_flows(
    results: pa.Table, cost_fen: NDArray[np.int64] | None, pairs: Pairing
) -> pd.DataFrame:
    """Count cases by status and group before and after, for each level.

    Parameters
    ----------
    results : pyarrow.Table
        The results of both schemes, one row a case.
    cost_fen : ndarray of int, optional
        Cost of each case [fen].
    pairs : Pairing

    Returns
    -------
    pandas.DataFrame
        One row a flow that occurs: ``level``, ``status_before``, ``before``, ``status_after``,
        ``after`` (None for no group), ``cases``, ``cost`` [yuan] where there are costs,
        ``share_of_before`` and ``share_of_after`` (of all cases with that status and group), and
        ``relation``: ``kept`` (the paired group, which has the same code), ``renamed`` (the paired
        group, which has another code), ``moved`` (another group, even if it has the same code),
        ``lost`` (no group after), ``gained`` (none before) or ``none`` (none in both).

    Examples
    --------
    >>> import drgcore
    >>> cases = drgcore.sample_cases(1000, "chs-drg-1.1", seed=1)
    >>> flows = drgcore.migrate(cases, "chs-drg-1.1", "chs-drg-1.1").flows
    >>> flows.groupby("level")["cases"].sum().to_dict(), set(flows["relation"])
    ({'adrg': 1000, 'drg': 1000, 'mdc': 1000}, {'kept'})
    """
    parts = [_flows_of(level, results, cost_fen, pairs) for level in LEVELS]
    return pd.concat(parts, ignore_index=True)


def _flows_of(
    level: str, results: pa.Table, cost_fen: NDArray[np.int64] | None, pairs: Pairing
) -> pd.DataFrame:
    keys = [f"before_status before_{level}", f"after_status after_{level}"]
    names = [name for key in keys for name in key.split()]
    table = _counted(results, names, cost_fen)
    flows = table.rename(columns={f"{side}_{level}": side for side in ("before", "after")})
    flows = flows.rename(
        columns={f"{side}_status": f"status_{side}" for side in ("before", "after")}
    )
    for side in ("before", "after"):
        whole = flows.groupby([f"status_{side}", side], dropna=False)["cases"].transform("sum")
        flows[f"share_of_{side}"] = flows["cases"] / whole
    pair: Mapping[str, str] = getattr(pairs, f"{level}s")
    old, new = flows["before"], flows["after"]
    paired = old.map(pair)
    flows["relation"] = np.select(
        [
            old.isna() & new.isna(),
            new.isna(),
            old.isna(),
            (paired == new) & (old == new),
            paired == new,
        ],
        ["none", "lost", "gained", "kept", "renamed"],
        "moved",
    )
    flows.insert(0, "level", level)
    order = ["cases", "before", "after", "status_before", "status_after"]
    return flows.sort_values(order, ascending=[False] + [True] * 4, ignore_index=True)


def _counted(
    table: pa.Table, names: Sequence[str], cost_fen: NDArray[np.int64] | None = None
) -> pd.DataFrame:
    """Rows of a table by some of its columns: each combination that occurs, with its cost."""
    wanted: list[tuple[str | list[str], str]] = [([], "count_all")]
    if cost_fen is not None:
        table = table.append_column("cost_fen", pa.array(cost_fen))
        wanted.append(("cost_fen", "sum"))
    counted = table.group_by(list(names)).aggregate(wanted).to_pandas()
    counted = counted.rename(columns={"count_all": "cases"})
    for name in names:
        counted[name] = _texts(counted[name])
    if cost_fen is not None:
        counted["cost"] = counted.pop("cost_fen_sum") / FEN_PER_YUAN
    return counted


def count_statuses(results: pa.Table) -> pd.DataFrame:
    """Count cases by status and reason before and after.

    Parameters
    ----------
    results : pyarrow.Table
        The results of both schemes, one row a case.

    Returns
    -------
    pandas.DataFrame
        ``status_before``, ``reason_before``, ``status_after``, ``reason_after``, ``cases``; the
        most frequent first.

    Examples
    --------
    >>> row = {"before_status": ["grouped"], "before_reason": [None],
    ...        "after_status": ["ambiguous"], "after_reason": ["unrelated_procedure"]}
    >>> count_statuses(pa.table(row))
      status_before reason_before status_after         reason_after  cases
    0       grouped          None    ambiguous  unrelated_procedure      1
    """
    names = [f"{side}_{what}" for side in ("before", "after") for what in ("status", "reason")]
    counted = _counted(results, names)
    counted.columns = [*("_".join(reversed(name.split("_"))) for name in names), "cases"]
    return _sorted(counted)


def count_reasons(changed: pa.Table) -> pd.DataFrame:
    """Count changed cases by flow and kind of reason.

    Parameters
    ----------
    changed : pyarrow.Table
        One row a changed case.

    Returns
    -------
    pandas.DataFrame
        ``adrg_before``, ``adrg_after``, ``drg_before``, ``drg_after``, ``parted``, ``kind``,
        ``cases``; the most frequent first.

    Examples
    --------
    >>> import drgcore
    >>> cases = drgcore.sample_cases(1000, "chs-drg-1.1", seed=1)
    >>> moved = drgcore.migrate(cases, "chs-drg-1.1", "suzhou-2023")
    >>> int(moved.reasons["cases"].sum()) == moved.changed.num_rows
    True
    """
    names = [f"{side}_{level}" for level in ("adrg", "drg") for side in ("before", "after")]
    counted = _counted(changed, [*names, "parted", "kind"])
    counted.columns = [
        *("_".join(reversed(name.split("_"))) for name in names),
        "parted",
        "kind",
        "cases",
    ]
    return _sorted(counted)


def count_causes(changed: pa.Table, pairs: Pairing) -> pd.DataFrame:
    """Count changed cases by reason, each different one once, with the rules that it is about.

    Parameters
    ----------
    changed : pyarrow.Table
        One row a changed case.
    pairs : Pairing

    Returns
    -------
    pandas.DataFrame
        ``kind``, ``side``, ``level``, ``group``, ``set_id``, ``codes``, the same with ``then_``
        before, and ``cases``; the most frequent first. ``rule_before`` and ``rule_after`` are the
        rules of the group and of its pair, None where there is none.

    Examples
    --------
    >>> import drgcore
    >>> cases = drgcore.sample_cases(1000, "chs-drg-1.1", seed=1)
    >>> moved = drgcore.migrate(cases, "chs-drg-1.1", "suzhou-2023")
    >>> moved.causes.loc[0, ["kind", "level", "group"]].tolist()
    ['subdivision_changed', 'DRG', 'DZ19']
    """
    counted = _sorted(_counted(changed, [*CAUSE, *(f"then_{name}" for name in CAUSE)]))
    named = zip(counted["level"], counted["group"], counted["side"], strict=True)
    # Many causes name one group; its rule is written once.
    rule_of = cache(_rule)
    rules = [_rules(pairs, level, group, side, rule_of) for level, group, side in named]
    for place, side in enumerate(("before", "after")):
        counted[f"rule_{side}"] = pd.Series([found[place] for found in rules], dtype=object)
    return counted


def _rules(
    pairs: Pairing, level: str, group: str | None, side: str, rule_of: _RuleOf
) -> tuple[str | None, str | None]:
    """The rule of a group that a cause names, and that of its pair, as before and after."""
    if group is None:
        return None, None
    there: Mapping[str, str] = getattr(pairs, f"{level.lower()}s")
    if side == "after":
        there = {new: old for old, new in there.items()}
    codes = group, there.get(group)
    old, new = codes if side == "before" else codes[::-1]
    return rule_of(pairs.before, level, old), rule_of(pairs.after, level, new)


def _rule(scheme: Scheme, level: str, code: str | None) -> str | None:
    if code is None:
        return None
    groups: Mapping[str, Sequence[Mdc | Adrg | Drg]] = {
        "MDC": scheme.mdcs,
        "ADRG": scheme.adrgs,
        "DRG": scheme.drgs,
    }
    return str(next(g.rule for g in groups[level] if g.code == code))


def list_groups(flows: pd.DataFrame, pairs: Pairing) -> pd.DataFrame:
    """Say of each ADRG and DRG what became of it.

    Parameters
    ----------
    flows : pandas.DataFrame
        As `count_flows` gives them.
    pairs : Pairing

    Returns
    -------
    pandas.DataFrame
        One row a group before, and one a group after that is paired with none: ``level``,
        ``before``, ``name_before``, ``cases_before``; ``paired``, the group with which it is
        paired; ``after``, its main successor (where most of its cases are; without cases, the
        pair), ``name_after``, ``cases_after`` of that group, ``cases`` that went there,
        ``share_of_before``, ``share_of_after``;
        ``successors``, the number of groups in which its cases are; ``relation``; see Notes.

    Notes
    -----
    ``relation`` is the first of these that fits:

    - ``new``: a group after that is paired with none
    - ``gone``: most of its cases have no group after; or it has no case and no pair
    - ``split``: its main successor has less than nine tenths of its cases
    - ``merged``: less than nine tenths of the cases of its main successor are its own
    - ``kept``: the main successor has the same code
    - ``renamed``: the main successor has another code

    Examples
    --------
    >>> import drgcore
    >>> cases = drgcore.sample_cases(1000, "chs-drg-1.1", seed=1)
    >>> groups = drgcore.migrate(cases, "chs-drg-1.1", "chs-drg-3.0").groups
    >>> groups.loc[groups["before"] == "ES3", ["paired", "after", "relation"]].values.tolist()
    [['ES4', 'ES4', 'renamed']]
    """
    return pd.concat([_groups_of(level, flows, pairs) for level in LEVELS[1:]], ignore_index=True)


def _groups_of(level: str, flows: pd.DataFrame, pairs: Pairing) -> pd.DataFrame:
    old, new = (
        {g.code: g for g in getattr(scheme, f"{level}s")} for scheme in (pairs.before, pairs.after)
    )
    pair: Mapping[str, str] = getattr(pairs, f"{level}s")
    here = flows[flows["level"] == level]
    moved = here.groupby(["before", "after"], dropna=False, as_index=False)["cases"].sum()
    whole = {side: moved.groupby(side)["cases"].sum() for side in ("before", "after")}
    known = moved[moved["before"].notna()]
    # Of equally many the pair, then the first code.
    order = known.assign(other=known["before"].map(pair) != known["after"]).sort_values(
        ["before", "cases", "other", "after"], ascending=[True, False, True, True]
    )
    main = order.groupby("before").head(1).set_index("before")
    successors = known.groupby("before")["after"].nunique()
    table = pd.DataFrame({"level": level, "before": list(old)})
    code = table["before"]
    table["name_before"] = [pairs.before.name_of(c) for c in code]
    table["cases_before"] = code.map(whole["before"]).fillna(0).astype(np.int64)
    table["paired"] = _texts(code.map(pair))
    there = table["cases_before"] > 0
    table["after"] = _texts(code.map(main["after"]).where(there, table["paired"]))
    names = [None if c is None else pairs.after.name_of(c) for c in table["after"]]
    table["name_after"] = pd.Series(names, dtype=object)
    table["cases"] = code.map(main["cases"]).fillna(0).astype(np.int64)
    table["share_of_before"] = table["cases"] / table["cases_before"].where(there)
    table["share_of_after"] = table["cases"] / table["after"].map(whole["after"]).where(there)
    table["successors"] = code.map(successors).fillna(0).astype(np.int64)
    table["relation"] = np.select(
        [
            table["after"].isna(),
            table["share_of_before"] < MAIN_SHARE,
            table["share_of_after"] < MAIN_SHARE,
            table["after"] == table["before"],
        ],
        ["gone", "split", "merged", "kept"],
        "renamed",
    )
    fresh = [c for c in new if c not in set(pair.values())]
    added = pd.DataFrame(
        {
            "level": level,
            "after": fresh,
            "name_after": [pairs.after.name_of(c) for c in fresh],
            "cases_after": [int(whole["after"].get(c, 0)) for c in fresh],
            "relation": "new",
            **dict.fromkeys(("cases_before", "cases", "successors"), 0),
            **dict.fromkeys(("share_of_before", "share_of_after"), np.nan),
        }
    )
    table.insert(8, "cases_after", table["after"].map(whole["after"]).fillna(0).astype(np.int64))
    return pd.concat([table, added], ignore_index=True).astype(
        dict.fromkeys(("cases_before", "cases", "cases_after", "successors"), np.int64)
    )


def _texts(column: pd.Series) -> pd.Series:
    """A column of texts with None for nothing, whatever pandas made of it."""
    column = column.astype(object)
    return column.where(column.notna(), None)


def _sorted(counted: pd.DataFrame) -> pd.DataFrame:
    """The most frequent first, then by the other columns."""
    others = [c for c in counted.columns if c != "cases"]
    return counted.sort_values(
        ["cases", *others], ascending=[False] + [True] * len(others), ignore_index=True
    )

"""`audit_cases`: the signals of grouped cases, with the cases behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drgcore.audit.edges import EDGES, compare_edges
from drgcore.audit.excess import Excess, excess, false_discovery
from drgcore.audit.finding import Limits, Marked
from drgcore.audit.frame import AuditFrame, strata
from drgcore.audit.past import RISE_NEEDS, rise
from drgcore.audit.patterns import COPIED_NEEDS, copied_lists
from drgcore.audit.pivotal import with_pivotal_codes
from drgcore.audit.rates import RATES
from drgcore.audit.wording import CAUTION, DEFINITIONS, SIGNAL_NAMES
from drgcore.errors import DrgcoreError
from drgcore.language import N_, _
from drgcore.progress import tracked
from drgcore.schemes import Scheme

SIGNALS = tuple(SIGNAL_NAMES)
"""The signals, by name."""

UNITS = ("hospital", "department", "doctor_id")
"""What signals may be about."""

_NOTHING = N_("no cases that can be compared")
_SHOWN = ("case_id", "hospital", "department", "doctor_id", "drg", "discharge_date")


@dataclass(frozen=True, eq=False)
class Audit:
    """Signals, the units that have them, and the cases behind them.

    Attributes
    ----------
    summary : pandas.DataFrame
        One row a signal: `signal`, `name`, `definition`, `units` compared, `signals` found, the
        `cases` behind them, `spread` between units beside chance, and `not_run`: why it could not
        be looked at.
    units : pandas.DataFrame
        One row a signal and unit, the least likely first: the unit; `cases` compared, `observed`
        and `expected` events; `ratio` with its exact 95 % limits `lower` and `upper`; `chance`;
        `fdr`, the share of false signals if this one and all before it are taken; `is_signal`;
        `money` of the events beyond the expected ones [yuan].
    cases : pandas.DataFrame
        The list to work through: of each unit with a signal its events, the dearest first:
        `signal`, the unit, `row` from 1, what is known of the case, `money`, `excess_share` (the
        share of the unit's events that its peers would not have had), `note`.
    """

    summary: pd.DataFrame
    units: pd.DataFrame
    cases: pd.DataFrame

    @property
    def caution(self) -> str:
        """What must be said with every list, in the language that is spoken."""
        return _(CAUTION)


def audit_cases(
    cases: Any,
    signals: Sequence[str] = (),
    *,
    by: str | Sequence[str] = "hospital",
    peers: str = "region",
    limits: Limits | None = None,
    scheme: str | Path | Scheme | None = "chs-drg-3.0",
    past: Any = None,
) -> Audit:
    """Look for what an auditor should look at (线索): signals, not verdicts.

    Parameters
    ----------
    cases : path, pandas.DataFrame, pyarrow.Table or stream
        Grouped cases of a region: `drg`, `status`, `severity`, the columns of the units, and what
        each signal needs; a signal whose columns are missing is not run, and the summary says so.
    signals : sequence of str
        Of `SIGNALS`; all by default.
    by : str or sequence of str, default "hospital"
        What is compared: of `UNITS`, one or several together. Copied lists are always of doctors.
    peers : {"region", "level"}, default "region"
        Compare with all units, or with those of the same `hospital_level`.
    limits : Limits, optional
        The numbers that signals depend on.
    scheme : str, Path or Scheme, optional
        The scheme that the cases were grouped by: in units with more complications than their peers
        the code that a case's group hangs on is looked for, where the cases have their codes, and
        where a principal procedure counts is asked of it; None asks nothing.
    past : as `cases`, optional
        Cases of an earlier period, grouped by the same scheme, with which `rise` compares.

    Returns
    -------
    Audit

    Raises
    ------
    DrgcoreError
        For an unknown signal, unit or kind of peers.
    CaseSchemaError
        If the group or the unit's columns are not there, or cannot be read.

    Notes
    -----
    Units are compared as `excess` says; of each signal those are taken whose `fdr` is at most
    ``limits.fdr`` and that have at least ``limits.least_excess`` events more than expected. So on
    cases without anything odd at most 5 % of audits show a signal of one kind.

    Examples
    --------
    >>> cases = pd.DataFrame({"case_id": [str(i) for i in range(300)], "total_cost": 9000.0,
    ...     "hospital": np.repeat(["H1", "H2", "H3"], 100), "drg": "ES25", "status": "grouped",
    ...     "severity": np.where(np.tile(np.arange(100), 3) < np.repeat([10, 12, 40], 100),
    ...         "CC", "none")})
    >>> found = audit_cases(cases, ["upcoding"])
    >>> found.units[["hospital", "observed", "expected", "is_signal"]].values.tolist()[0]
    ['H3', 40, 11.0, True]
    """
    frame = cases if isinstance(cases, AuditFrame) else AuditFrame(cases, scheme)
    before = past if past is None or isinstance(past, AuditFrame) else AuditFrame(past)
    wanted = _checked(_("signal"), signals or SIGNALS, SIGNALS)
    keys = _checked(_("unit"), [by] if isinstance(by, str) else by, UNITS)
    _checked(_("kind of peers"), [peers], ("region", "level"))
    limits = limits or Limits()
    frame.require(["drg", *keys, *(["hospital_level"] if peers == "level" else [])])
    summary, units, lists = [], [], []
    for signal in tracked(wanted, _("looking for signals"), _("signals")):
        row: dict[str, Any] = {
            "signal": signal,
            "name": _(SIGNAL_NAMES[signal]),
            "definition": _(DEFINITIONS[signal]),
        }
        found = _compare(signal, frame, before, keys, peers, limits)
        if isinstance(found, str):
            summary.append({**row, "not_run": found})
            continue
        table = _units(signal, found, limits)
        chosen = np.flatnonzero(table["is_signal"].to_numpy(bool))
        marked = found.marked
        shown = marked.event if marked.listed is None else marked.listed
        events = shown & (marked.stratum >= 0) & np.isin(found.unit, chosen)
        table["money"] = _money(found, table)
        cases_of = _cases(signal, frame, found, table, events)
        if signal in ("upcoding", "rise") and scheme is not None:
            cases_of = with_pivotal_codes(cases_of, frame, scheme, [*map(str, found.names)])
        lists.append(cases_of)
        summary.append(
            {
                **row,
                "units": int((table["cases"] > 0).sum()),
                "signals": len(chosen),
                "cases": int(events.sum()),
                "spread": found.excess.spread,
                "not_run": "",
            }
        )
        units.append(table.sort_values(["chance", *map(str, found.names)], kind="stable"))
    columns = ["signal", "name", "definition", "units", "signals", "cases", "spread", "not_run"]
    return Audit(
        pd.DataFrame(summary, columns=columns).astype(
            {"units": "Int64", "signals": "Int64", "cases": "Int64"}
        ),
        pd.concat(units, ignore_index=True) if units else pd.DataFrame(),
        pd.concat(lists, ignore_index=True) if lists else pd.DataFrame(),
    )


@dataclass(frozen=True, eq=False)
class _Compared:
    """A signal's cases, the units that they belong to, and how these compare."""

    marked: Marked
    excess: Excess
    unit: NDArray[np.int64]
    names: pd.DataFrame
    side: str = "more"


def _compare(
    signal: str,
    frame: AuditFrame,
    past: AuditFrame | None,
    keys: Sequence[str],
    peers: str,
    limits: Limits,
) -> _Compared | str:
    """Compare the units by a signal, or say why it cannot be done."""
    needs = {"copied_lists": COPIED_NEEDS, "rise": RISE_NEEDS}
    needs |= {n: edge[0] for n, edge in EDGES.items()}
    missing = frame.missing(needs[signal] if signal in needs else RATES[signal].needs)
    if missing:
        listed = ", ".join(missing).replace(" or ", _(" or "))
        return _("no column {names}", names=listed)
    if signal == "rise":
        if past is None:
            return _("no cases of an earlier period")
        marked, found, unit, names = rise(frame, past, limits, keys)
        return _Compared(marked, found, unit, names) if found.cases.any() else _(_NOTHING)
    side = "more"
    if signal == "copied_lists":
        # It is about who writes the lists, whatever else is compared.
        keys = [name for name in ("hospital", "doctor_id") if frame.has(name)]
    unit, names = frame.units(keys)
    if signal == "copied_lists":
        marked, found = copied_lists(frame, limits, unit, len(names))
    elif signal in EDGES:
        marked = EDGES[signal][1](frame, limits)
        found = compare_edges(marked, unit, len(names))
    else:
        side, marked = RATES[signal].side, RATES[signal].mark(frame, limits)
        stratum = marked.stratum
        if peers == "level":
            stratum = strata(stratum, frame.codes("hospital_level").codes)
        found = excess(
            marked.event, stratum, unit, len(names), side=side, dispersion=marked.dispersion
        )
    if not found.cases.any():
        return _(_NOTHING)
    return _Compared(marked, found, unit, names, side)


def _units(signal: str, compared: _Compared, limits: Limits) -> pd.DataFrame:
    found, names = compared.excess, compared.names
    tested = np.where(found.cases > 0, found.chance, np.nan)
    fdr = false_discovery(tested)
    more = found.observed - found.expected
    more = more if compared.side == "more" else -more
    over = np.where(found.expected > 0, found.expected, np.nan)
    return pd.DataFrame(
        {
            "signal": signal,
            **{str(name): names[name] for name in names},
            "cases": found.cases.astype(np.int64),
            "observed": found.observed.astype(np.int64),
            "expected": found.expected,
            "ratio": found.observed / over,
            "lower": found.lower,
            "upper": found.upper,
            "chance": tested,
            "fdr": fdr,
            "is_signal": (fdr <= limits.fdr) & (more >= limits.least_excess),
        }
    )


def _money(found: _Compared, table: pd.DataFrame) -> NDArray[np.float64]:
    """Mean money of a unit's events, times the events beyond the expected ones [yuan]."""
    marked, unit = found.marked, found.unit
    used = marked.event & (marked.stratum >= 0) & (unit >= 0) & np.isfinite(marked.money)
    number = np.bincount(unit[used], minlength=len(table))
    total = np.bincount(unit[used], marked.money[used], len(table))
    mean = np.divide(total, number, out=np.full(len(table), np.nan), where=number > 0)
    beyond = table["observed"] - table["expected"]
    return np.round(mean * np.maximum(beyond.to_numpy(np.float64), 0.0), 2)


def _cases(
    signal: str,
    frame: AuditFrame,
    found: _Compared,
    table: pd.DataFrame,
    events: NDArray[np.bool_],
) -> pd.DataFrame:
    unit, money = found.unit, found.marked.money
    rows = np.flatnonzero(events)
    dearest = -np.where(np.isfinite(money[rows]), money[rows], -np.inf)
    rows = rows[np.lexsort((rows, dearest, unit[rows]))]
    of = unit[rows]
    share = 1.0 - table["expected"].to_numpy() / np.maximum(table["observed"].to_numpy(), 1)
    columns: dict[str, Any] = {"signal": signal}
    columns |= {str(name): found.names[name].to_numpy()[of] for name in found.names}
    columns["row"] = rows + 1
    for name in _SHOWN:
        if name not in columns and frame.has(name):
            columns[name] = frame.table.column(name).take(rows).to_pandas().to_numpy()
    columns |= {
        "money": np.round(money[rows], 2),
        "excess_share": np.clip(share[of], 0.0, 1.0),
        "note": found.marked.note(rows),
    }
    return pd.DataFrame(columns)


def _checked(what: str, given: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    unknown = [name for name in given if name not in known]
    if unknown:
        raise DrgcoreError(
            _("{unknown!r} is no {what}", unknown=unknown[0], what=what),
            hint=_("it is one of {known}", known=", ".join(known)),
        )
    if len(set(given)) < len(given) or not given:
        raise DrgcoreError(
            _("a {what} is named twice or none at all", what=what), hint=_("name each once")
        )
    return tuple(given)

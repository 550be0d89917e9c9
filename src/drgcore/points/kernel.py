"""The compiled loop over cases: class, reason and every factor of the points."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numba as nb
import numpy as np

CLASSES = (
    "normal",
    "high_cost",
    "low_cost",
    "unstable",
    "ambiguous",
    "ungrouped",
    "invalid",
    "no_base_points",
    "bed_day",
    "fixed_price",
    "special_review",
    "outside",
)
"""Classes of a case; `outside` is paid by item outside the points."""

REASONS = (
    "lo·m ≤ C ≤ hi·m",
    "C > hi·m: P·k and the added part",
    "C > hi·m: P·k and the added part, capped",
    "C > hi·m: P·k, the added part awaits review",
    "C > hi·m: P·k and the added part that review granted",
    "C > hi·m: P·min((C − U)/m, hi)",
    "C > hi·m: by cost",
    "C < lo·m: P·C/m",
    "C < lo·m: P·C/m is above P·k, so P·k",
    "C < lo·m: by cost",
    "group not stable: by cost",
    "group not stable: outside the points",
    "ambiguous group: by cost",
    "ambiguous group: outside the points",
    "no group: by cost",
    "no group: outside the points",
    "record cannot be grouped: by cost",
    "record cannot be grouped: outside the points",
    "no base points: by cost",
    "no base points: outside the points",
    "panel's points",
    "panel gave no points: by cost",
    "no coefficient",
    "panel's points are missing",
    "no base points",
)
"""Reasons that every policy has; those of its own rules follow them in the order of `Rules`."""

OWN_REASONS = len(REASONS)
NO_COEFFICIENT, NO_PANEL_POINTS, NO_BASE_POINTS = 22, 23, 24
NONE, ADDED, CAPPED, REVIEWED, AT_HI, BY_COST = range(6)
"""Rules for high-cost outliers, in the order of the policy's literal."""
LOW_PROPORTIONAL, LOW_BY_COST = 1, 2
UNKNOWN, UNSTABLE, STABLE = range(3)
SPECIAL, GRANTED = 1, 2
"""Decisions on a case; 0 is none."""


class Rules(NamedTuple):
    """One period's policy as numbers. The last entry along DRGs, pools and items stands for none.

    A rate is NaN where the class is outside the points; `rates` are those of unstable, ambiguous,
    ungrouped, invalid, without base points, special review, high and low by cost.
    """

    state: Any
    points: Any
    mean: Any
    hi: Any
    lo: Any
    site_of: Any
    levels: int
    k: Any
    rates: Any
    region_mean: float
    scale: float
    high_rule: int
    low_rule: int
    cap: float
    unit: float
    missing_is_error: bool
    panel_must_say: bool
    out_days: Any
    out_no_fund: Any
    out_drg: Any
    out_pool: Any
    out_hospital: Any
    out_flag: Any
    fix_points: Any
    fix_days: Any
    fix_drg: Any
    fix_level: Any
    fix_item: Any
    bed_above: Any
    bed_drg: Any
    bed_level: Any
    bed_points: Any


class Rows(NamedTuple):
    """Cases as arrays; `unreasonable`, `patient_paid`, `stay`, `decision` and `granted` may be \
empty where no rule looks at them."""

    hospital: Any
    level: Any
    pool: Any
    drg: Any
    item: Any
    status: Any
    cost: Any
    stay: Any
    unreasonable: Any
    patient_paid: Any
    flags: Any
    decision: Any
    granted: Any


class Factors(NamedTuple):
    """The result, one entry a case."""

    case_class: Any
    reason: Any
    base: Any
    coefficient: Any
    multiple: Any
    added: Any
    points: Any


# Limits are products of decimals: a cost this close to a limit lies on it.
_TIE = 1e-13
# See `tables.round_half_up`.
_NUDGE = 1 + 2.0**-50
_BLOCK = 1 << 18


@nb.njit(cache=True, forceinline=True)
def _round(value: Any, unit: Any) -> Any:
    return np.floor(value * unit * _NUDGE + 0.5) / unit


@nb.njit(cache=True, forceinline=True)
def _excluded(i: Any, rows: Any, rules: Any) -> Any:
    """Give the first exclusion whose conditions all hold, or -1."""
    for e in range(rules.out_days.shape[0]):
        if rules.out_days[e] >= 0 and not rows.stay[i] > rules.out_days[e]:
            continue
        if rules.out_no_fund[e] and rows.cost[i] - rows.patient_paid[i] > 0:
            continue
        if not rules.out_drg[e, rows.drg[i]] or not rules.out_pool[e, rows.pool[i]]:
            continue
        if not rules.out_hospital[e, rows.hospital[i]]:
            continue
        if rules.out_flag[e] >= 0 and not rows.flags[rules.out_flag[e], i]:
            continue
        return e
    return -1


@nb.njit(cache=True, forceinline=True)
def _fixed(i: Any, rows: Any, rules: Any) -> Any:
    """Give the first fixed-price item that fits, or -1."""
    for f in range(rules.fix_points.shape[0]):
        marked = rules.fix_item[f, rows.item[i]]
        if not marked and not rules.fix_drg[f, rows.drg[i]]:
            continue
        if rules.fix_days[f] >= 0 and rows.stay[i] > rules.fix_days[f]:
            continue
        if rules.fix_level[f, rows.level[i]]:
            return f
    return -1


@nb.njit(cache=True, forceinline=True)
def _bed_day(i: Any, rows: Any, rules: Any) -> Any:
    """Give the first bed-day rule that fits, or -1."""
    for b in range(rules.bed_above.shape[0]):
        fits = rules.bed_drg[b, rows.drg[i]] and rules.bed_level[b, rows.level[i]]
        if fits and rows.stay[i] > rules.bed_above[b]:
            return b
    return -1


@nb.njit(cache=True, forceinline=True)
def _by_cost(case_class: Any, reason: Any, rate: Any, net: Any, rules: Any) -> Any:
    """Points by cost; outside, under the reason that follows, where the rate is NaN."""
    if np.isnan(rate):
        return 11, reason + 1, 0.0, np.nan, np.nan, 0.0, 0.0
    multiple = net / rules.region_mean
    points = _round(multiple * rules.scale * rate, rules.unit)
    return case_class, reason, rules.scale, rate, multiple, 0.0, points


@nb.njit(cache=True, forceinline=True)
def _high(i: Any, net: Any, base: Any, k: Any, multiple: Any, rows: Any, rules: Any) -> Any:
    d = rows.drg[i]
    over = net / rules.mean[d]
    if rules.high_rule == BY_COST:
        return _by_cost(1, 6, rules.rates[6], net, rules)
    if rules.high_rule == AT_HI:
        held = min(over, rules.hi[d])
        return 1, 5, base, 1.0, held, 0.0, _round(base * held, rules.unit)
    reason = 1
    added = base * max(over - rules.hi[d], 0.0)
    if rules.high_rule == CAPPED and added > base * rules.cap:
        reason, added = 2, base * rules.cap
    elif rules.high_rule == REVIEWED:
        reviewed = rows.decision.shape[0] > 0 and rows.decision[i] == GRANTED
        reason = 4 if reviewed else 3
        if not reviewed:
            added = 0.0
        elif not np.isnan(rows.granted[i]):
            added = rows.granted[i]
    added = _round(added, rules.unit)
    points = _round(_round(base * k, rules.unit) + added, rules.unit)
    return 1, reason, base, k, multiple, added, points


@nb.njit(cache=True, forceinline=True)
def _one(i: Any, rows: Any, rules: Any) -> Any:
    """Class, reason, base, coefficient, multiple, added part and points of one case."""
    e = _excluded(i, rows, rules)
    if e >= 0:
        return 11, OWN_REASONS + e, 0.0, np.nan, np.nan, 0.0, 0.0
    cost = rows.cost[i]
    net = cost - rows.unreasonable[i] if rows.unreasonable.shape[0] else cost
    d = rows.drg[i]
    if rows.decision.shape[0] and rows.decision[i] == SPECIAL:
        if not np.isnan(rows.granted[i]):
            points = _round(rows.granted[i], rules.unit)
            return 10, 20, points, 1.0, np.nan, 0.0, points
        if rules.panel_must_say:
            return 10, NO_PANEL_POINTS, 0.0, np.nan, np.nan, 0.0, 0.0
        return _by_cost(10, 21, rules.rates[5], net, rules)
    f = _fixed(i, rows, rules)
    own = OWN_REASONS + rules.out_days.shape[0]
    if f >= 0:
        points = _round(rules.fix_points[f], rules.unit)
        return 9, own + f, points, 1.0, np.nan, 0.0, points
    b = _bed_day(i, rows, rules)
    if b >= 0:
        last = rules.bed_points.shape[1] - 1
        # A part of a day counts as a day for the tier, as for a limit it lies above.
        tier = rules.bed_points[b, min(int(np.ceil(rows.stay[i])), last)]
        points = _round(tier * rows.stay[i], rules.unit)
        reason = own + rules.fix_points.shape[0] + b
        return 8, reason, tier, 1.0, rows.stay[i], 0.0, points
    status = rows.status[i]
    if status > 0:
        return _by_cost(3 + status, 10 + 2 * status, rules.rates[status], net, rules)
    state = rules.state[d]
    if state == UNKNOWN:
        if rules.missing_is_error:
            return 7, NO_BASE_POINTS, 0.0, np.nan, np.nan, 0.0, 0.0
        return _by_cost(7, 18, rules.rates[4], net, rules)
    if state == UNSTABLE:
        return _by_cost(3, 10, rules.rates[0], net, rules)
    base = rules.points[d]
    k = rules.k[rules.site_of[rows.hospital[i] * rules.levels + rows.level[i] + 1], d]
    if np.isnan(k):
        return 0, NO_COEFFICIENT, base, k, np.nan, 0.0, 0.0
    multiple = cost / rules.mean[d]
    if rules.high_rule != NONE and cost > rules.hi[d] * rules.mean[d] * (1 + _TIE):
        return _high(i, net, base, k, multiple, rows, rules)
    full = _round(base * k, rules.unit)
    if rules.low_rule != NONE and cost < rules.lo[d] * rules.mean[d] * (1 - _TIE):
        if rules.low_rule == LOW_BY_COST:
            return _by_cost(2, 9, rules.rates[7], net, rules)
        points = _round(base * multiple, rules.unit)
        if points > full:
            return 2, 8, base, k, multiple, 0.0, full
        return 2, 7, base, k, multiple, 0.0, points
    return 0, 0, base, k, multiple, 0.0, full


@nb.njit(cache=True, nogil=True)
def _run(start: int, stop: int, rows: Rows, rules: Rules, out: Factors) -> None:
    for i in range(start, stop):
        found = _one(i, rows, rules)
        out.case_class[i] = found[0]
        out.reason[i] = found[1]
        out.base[i] = found[2]
        out.coefficient[i] = found[3]
        out.multiple[i] = found[4]
        out.added[i] = found[5]
        out.points[i] = found[6]


def run(rows: Rows, rules: Rules, out: Factors) -> None:
    """Fill in the factors of all cases, in blocks on all processors.

    Each row depends on its case alone, so any number of threads gives the same.

    Parameters
    ----------
    rows : Rows
        The cases.
    rules : Rules
        The policy.
    out : Factors
        Filled in.
    """
    total = len(rows.cost)
    starts = range(0, total, _BLOCK)
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        futures = [pool.submit(_run, s, min(s + _BLOCK, total), rows, rules, out) for s in starts]
    for future in futures:
        future.result()

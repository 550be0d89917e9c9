"""The compiled loop over cases: class, reason and every factor of the points."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numba as nb
import numpy as np

from drgcore.points.records import (
    AT_HI,
    BARRED,
    BY_COST,
    BY_ITEM,
    CAP,
    CAP_NONE,
    CAP_PK,
    CAPPED,
    ENDS_HERE,
    GRANTED,
    HIGH_BY_COST,
    HIGH_OUTSIDE,
    K_NONE,
    K_PLUS,
    K_TIMES,
    KIND,
    LOW_BY_COST,
    LOW_BY_ITEM,
    LOW_OUTSIDE,
    NET,
    NO_BASE_POINTS,
    NO_COEFFICIENT,
    NO_PANEL_POINTS,
    NONE,
    NOT_DEAREST,
    OUTSIDE,
    OWN_REASONS,
    PANEL_OUTSIDE,
    RATE,
    REVIEWED,
    RULE,
    SPECIAL,
    TIMES,
    UNKNOWN,
    UNSTABLE,
    UP_TO,
    A,
    B,
    Case,
    Factors,
    Group,
    K,
    Rows,
    Rules,
)

# Limits are products of decimals: a cost this close to a limit lies on it.
_TIE = 1e-13
# See `rounding.round_half_up`.
_NUDGE = 1 + 2.0**-50
_BLOCK = 1 << 18


@nb.njit(cache=True, forceinline=True)
def _round(value: Any, unit: Any) -> Any:
    return np.floor(value * unit * _NUDGE + 0.5) / unit


@nb.njit(cache=True, forceinline=True)
def _excluded(case: Any, rules: Any) -> Any:
    """Give the first exclusion whose conditions all hold, or -1."""
    for e in range(rules.out_days.shape[0]):
        if rules.out_days[e] >= 0 and not case.stay > rules.out_days[e]:
            continue
        if rules.out_no_fund[e] and case.cost - case.patient_paid > 0:
            continue
        if not rules.out_drg[e, case.drg] or not rules.out_pool[e, case.pool]:
            continue
        if not rules.out_hospital[e, case.hospital]:
            continue
        if rules.marks[e] and not rules.marks[e] & case.flags:
            continue
        return e
    return -1


@nb.njit(cache=True, forceinline=True)
def _fixed(case: Any, rules: Any) -> Any:
    """Give the first fixed-price item that fits, or -1."""
    first = rules.out_days.shape[0]
    for f in range(rules.fix_points.shape[1]):
        if not rules.fix_item[f, case.item] and not rules.fix_drg[f, case.drg]:
            continue
        if rules.fix_days[f] >= 0 and case.stay > rules.fix_days[f]:
            continue
        if rules.marks[first + f] and not rules.marks[first + f] & case.flags:
            continue
        if rules.fix_level[f, case.level]:
            return f
    return -1


@nb.njit(cache=True, forceinline=True)
def _bed_day(case: Any, rules: Any) -> Any:
    """Give the first bed-day rule that fits, or -1."""
    first = rules.out_days.shape[0] + rules.fix_points.shape[1]
    for b in range(rules.bed_above.shape[1]):
        fits = rules.bed_drg[b, case.drg] and rules.bed_level[b, case.level]
        if not fits or not case.stay > rules.bed_above[0, b]:
            continue
        if not rules.marks[first + b] or rules.marks[first + b] & case.flags:
            return b
    return -1


@nb.njit(cache=True, forceinline=True)
def _bed_points(b: Any, reason: Any, stay: Any, rules: Any) -> Any:
    """Points of a bed-day case; what days of lower tiers earn beside the last tier's is added."""
    last = rules.bed_points.shape[2] - 1
    # A part of a day counts as a day for the tier, as for a limit it lies above.
    day = min(int(np.ceil(stay)), last)
    tier = rules.bed_points[0, b, day]
    if rules.bed_above[1, b] == 0.0 or day == 0:
        return 8, reason, tier, 1.0, stay, 0.0, _round(tier * stay, rules.unit)
    points = _round(rules.bed_points[1, b, day - 1] + tier * (stay - (day - 1)), rules.unit)
    return 8, reason, tier, 1.0, stay, _round(points - tier * stay, rules.unit), points


@nb.njit(cache=True, forceinline=True)
def _by_cost(case_class: Any, reason: Any, rate: Any, net: Any, rules: Any) -> Any:
    """Points by cost; outside, under the reason that follows, where the rate is NaN."""
    if np.isnan(rate):
        return 11, reason + 1, 0.0, np.nan, np.nan, 0.0, 0.0
    multiple = net / rules.region_mean
    points = _round(multiple * rules.scale * rate, rules.unit)
    return case_class, reason, rules.scale, rate, multiple, 0.0, points


@nb.njit(cache=True, forceinline=True)
def _high(case: Any, group: Any, rules: Any) -> Any:
    """Points of a high-cost outlier."""
    base, over = group.points, case.net / group.mean
    if rules.high_rule == BY_COST:
        return _by_cost(1, HIGH_BY_COST, rules.rates[6], case.net, rules)
    if rules.high_rule == OUTSIDE:
        return 11, HIGH_OUTSIDE, 0.0, np.nan, np.nan, 0.0, 0.0
    if rules.high_rule == AT_HI:
        held = min(over, group.hi)
        return 1, 5, base, 1.0, held, 0.0, _round(base * held, rules.unit)
    reason = 1
    added = base * max(over - group.hi, 0.0)
    if rules.high_rule == CAPPED and added > base * rules.cap:
        reason, added = 2, base * rules.cap
    elif rules.high_rule == REVIEWED:
        reason = 4 if case.decision == GRANTED else 3
        if case.decision != GRANTED:
            added = 0.0
        elif not np.isnan(case.granted):
            added = case.granted
    added = _round(added, rules.unit)
    points = _round(_round(base * group.k, rules.unit) + added, rules.unit)
    return 1, reason, base, group.k, case.cost / group.mean, added, points


@nb.njit(cache=True)
def _piece(case: Any, group: Any, rules: Any) -> Any:
    """Points of a case by the piece that its C/m lies in."""
    table, p = rules.pieces, 0
    while p < table.shape[0] - 1:
        limit = table[p, UP_TO] * group.mean
        if case.cost < limit * (1 - _TIE):
            break
        if table[p, ENDS_HERE] and case.cost <= limit * (1 + _TIE):
            break
        p += 1
    own = OWN_REASONS + rules.out_days.shape[0] + rules.fix_points.shape[1]
    reason = own + rules.bed_above.shape[1] + p
    base, kind = group.points, int(table[p, KIND])
    if table[p, RULE] == 2:
        return 11, reason, 0.0, np.nan, np.nan, 0.0, 0.0
    if table[p, RULE] == 1:
        rate = table[p, RATE]
        multiple = case.net / rules.region_mean
        points = _round(multiple * rules.scale * rate, rules.unit)
        return kind, reason, rules.scale, rate, multiple, 0.0, points
    multiple = (case.net if table[p, NET] else case.cost) / group.mean
    part = base * (table[p, A] + table[p, B] * multiple)
    # A case whose cap has k shows it, though its formula has none.
    k = group.k if table[p, K] != K_NONE or table[p, CAP] == CAP_PK else 1.0
    if table[p, K] == K_TIMES:
        part *= k
    if table[p, CAP] != CAP_NONE:
        part = min(part, table[p, TIMES] * base * (group.k if table[p, CAP] == CAP_PK else 1.0))
    part = _round(max(part, 0.0), rules.unit)
    if table[p, K] != K_PLUS:
        return kind, reason, base, k, multiple, 0.0, part
    points = _round(_round(base * k, rules.unit) + part, rules.unit)
    return kind, reason, base, k, multiple, part, points


@nb.njit(cache=True, forceinline=True)
def _listed(case: Any, rules: Any) -> Any:
    """Points of a case that is excluded, reviewed or on a list; class -1 if it is none of these."""
    e = _excluded(case, rules)
    if e >= 0:
        return 11, OWN_REASONS + e, 0.0, np.nan, np.nan, 0.0, 0.0
    if case.decision == SPECIAL:
        if not np.isnan(case.granted):
            points = _round(case.granted, rules.unit)
            return 10, 20, points, 1.0, np.nan, 0.0, points
        if rules.panel_must_say:
            return 10, NO_PANEL_POINTS, 0.0, np.nan, np.nan, 0.0, 0.0
        return _by_cost(10, 21, rules.rates[5], case.net, rules)
    if case.decision == BY_ITEM:
        return 11, PANEL_OUTSIDE, 0.0, np.nan, np.nan, 0.0, 0.0
    if not case.on_list:
        return -1, 0, 0.0, 0.0, 0.0, 0.0, 0.0
    f = _fixed(case, rules)
    own = OWN_REASONS + rules.out_days.shape[0]
    if f >= 0:
        share = rules.fix_points[1, f]
        if np.isnan(share):
            points = _round(rules.fix_points[0, f], rules.unit)
            return 9, own + f, points, 1.0, np.nan, 0.0, points
        base = rules.points[case.drg]
        if np.isnan(base):
            return 7, NO_BASE_POINTS, 0.0, np.nan, np.nan, 0.0, 0.0
        return 9, own + f, base, share, np.nan, 0.0, _round(base * share, rules.unit)
    b = _bed_day(case, rules)
    if b >= 0:
        return _bed_points(b, own + rules.fix_points.shape[1] + b, case.stay, rules)
    return -1, 0, 0.0, 0.0, 0.0, 0.0, 0.0


@nb.njit(cache=True, forceinline=True)
def _grouped(case: Any, group: Any, rules: Any) -> Any:
    """Points by status, stability and cost of a case that is on no list."""
    status, net = case.status, case.net
    if status > 0:
        return _by_cost(3 + status, 10 + 2 * status, rules.rates[status], net, rules)
    if group.state == UNKNOWN:
        if rules.missing_is_error:
            return 7, NO_BASE_POINTS, 0.0, np.nan, np.nan, 0.0, 0.0
        return _by_cost(7, 18, rules.rates[4], net, rules)
    if group.state == UNSTABLE:
        return _by_cost(3, 10, rules.rates[0], net, rules)
    base, k = group.points, group.k
    if np.isnan(k):
        return 0, NO_COEFFICIENT, base, k, np.nan, 0.0, 0.0
    if rules.has_pieces:
        return _piece(case, group, rules)
    multiple, reason = case.cost / group.mean, 0
    if rules.high_rule != NONE and case.cost > group.hi * group.mean * (1 + _TIE):
        if not case.flags & BARRED:
            return _high(case, group, rules)
        reason = NOT_DEAREST
    full = _round(base * k, rules.unit)
    if rules.low_rule != NONE and case.cost < group.lo * group.mean * (1 - _TIE):
        if rules.low_rule == LOW_BY_COST:
            return _by_cost(2, 9, rules.rates[7], net, rules)
        if rules.low_rule == LOW_BY_ITEM:
            return 11, LOW_OUTSIDE, 0.0, np.nan, np.nan, 0.0, 0.0
        points = _round(base * multiple, rules.unit)
        if points > full:
            return 2, 8, base, k, multiple, 0.0, full
        return 2, 7, base, k, multiple, 0.0, points
    return 0, reason, base, k, multiple, 0.0, full


@nb.njit(cache=True, nogil=True)
def _run(start: int, stop: int, rows: Rows, rules: Rules, out: Factors) -> None:
    hospital, level, pool, drg = rows.hospital, rows.level, rows.pool, rows.drg
    item, status, cost, stay = rows.item, rows.status, rows.cost, rows.stay
    unreasonable, patient_paid, flags = rows.unreasonable, rows.patient_paid, rows.flags
    decision, granted = rows.decision, rows.granted
    state, points, mean, hi, lo = rules.state, rules.points, rules.mean, rules.hi, rules.lo
    k, site_of, levels, listed = rules.k, rules.site_of, rules.levels, rules.listed
    case_class, reason, base, coefficient = out.case_class, out.reason, out.base, out.coefficient
    multiple, added, earned = out.multiple, out.added, out.points
    no_u, no_b, no_stay = len(unreasonable) == 0, len(patient_paid) == 0, len(stay) == 0
    no_flags, no_decision = len(flags) == 0, len(decision) == 0
    for i in range(start, stop):
        d = drg[i]
        case = Case(
            hospital[i],
            level[i],
            pool[i],
            d,
            item[i],
            status[i],
            cost[i],
            cost[i] if no_u else cost[i] - unreasonable[i],
            0.0 if no_stay else stay[i],
            0.0 if no_b else patient_paid[i],
            0 if no_flags else flags[i],
            0 if no_decision else decision[i],
            np.nan if no_decision else granted[i],
            listed[d] or item[i] >= 0,
        )
        found = _listed(case, rules)
        if found[0] < 0:
            at = site_of[case.hospital * levels + case.level + 1]
            group = Group(state[d], points[d], mean[d], hi[d], lo[d], k[at, d])
            found = _grouped(case, group, rules)
        case_class[i] = found[0]
        reason[i] = found[1]
        base[i] = found[2]
        coefficient[i] = found[3]
        multiple[i] = found[4]
        added[i] = found[5]
        earned[i] = found[6]


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

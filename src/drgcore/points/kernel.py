"""The compiled loop over cases: class, reason and every factor of the points."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from drgcore.compiling import loop
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
    Numbers,
    Rows,
    Rules,
)

# Limits are products of decimals: a cost this close to a limit lies on it.
_TIE = 1e-13
# See `rounding.round_half_up`.
_NUDGE = 1 + 2.0**-50
_BLOCK = 1 << 18
_AHEAD = 512


@loop(forceinline=True)
def _round(value: Any, unit: Any) -> Any:
    return np.floor(value * unit * _NUDGE + 0.5) / unit


@loop(forceinline=True)
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


@loop(forceinline=True)
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


@loop(forceinline=True)
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


@loop(forceinline=True)
def _by_cost(case_class: Any, reason: Any, rate: Any, net: Any, numbers: Any) -> Any:
    """Points by cost; outside, under the reason that follows, where the rate is NaN."""
    if np.isnan(rate):
        return 11, reason + 1, 0.0, np.nan, np.nan, 0.0, 0.0
    multiple = net / numbers.region_mean
    points = _round(multiple * numbers.scale * rate, numbers.unit)
    return case_class, reason, numbers.scale, rate, multiple, 0.0, points


@loop(forceinline=True)
def _high(case: Any, group: Any, numbers: Any) -> Any:
    """Points of a high-cost outlier."""
    base, over = group.points, case.net / group.mean
    if numbers.high_rule == BY_COST:
        return _by_cost(1, HIGH_BY_COST, numbers.rates[6], case.net, numbers)
    if numbers.high_rule == OUTSIDE:
        return 11, HIGH_OUTSIDE, 0.0, np.nan, np.nan, 0.0, 0.0
    if numbers.high_rule == AT_HI:
        held = min(over, group.hi)
        return 1, 5, base, 1.0, held, 0.0, _round(base * held, numbers.unit)
    reason = 1
    added = base * max(over - group.hi, 0.0)
    if numbers.high_rule == CAPPED and added > base * numbers.cap:
        reason, added = 2, base * numbers.cap
    elif numbers.high_rule == REVIEWED:
        reason = 4 if case.decision == GRANTED else 3
        if case.decision != GRANTED:
            added = 0.0
        elif not np.isnan(case.granted):
            added = case.granted
    added = _round(added, numbers.unit)
    points = _round(_round(base * group.k, numbers.unit) + added, numbers.unit)
    return 1, reason, base, group.k, case.cost / group.mean, added, points


@loop()
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


@loop(forceinline=True)
def _decided(case: Any, numbers: Any) -> Any:
    """Points of a case that a panel decided; class -1 if it decided nothing of them."""
    if case.decision == SPECIAL:
        if not np.isnan(case.granted):
            points = _round(case.granted, numbers.unit)
            return 10, 20, points, 1.0, np.nan, 0.0, points
        if numbers.panel_must_say:
            return 10, NO_PANEL_POINTS, 0.0, np.nan, np.nan, 0.0, 0.0
        return _by_cost(10, 21, numbers.rates[5], case.net, numbers)
    if case.decision == BY_ITEM:
        return 11, PANEL_OUTSIDE, 0.0, np.nan, np.nan, 0.0, 0.0
    return -1, 0, 0.0, 0.0, 0.0, 0.0, 0.0


@loop()
def _on_list(case: Any, rules: Any) -> Any:
    """Points of a case that may be on a list; class -1 if it is on none."""
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


@loop(forceinline=True)
def _by_status(case: Any, group: Any, numbers: Any) -> Any:
    """Points of a case without a stable group or a coefficient; class -1 if it has both."""
    status, net = case.status, case.net
    if status > 0:
        return _by_cost(3 + status, 10 + 2 * status, numbers.rates[status], net, numbers)
    if group.state == UNKNOWN:
        if numbers.missing_is_error:
            return 7, NO_BASE_POINTS, 0.0, np.nan, np.nan, 0.0, 0.0
        return _by_cost(7, 18, numbers.rates[4], net, numbers)
    if group.state == UNSTABLE:
        return _by_cost(3, 10, numbers.rates[0], net, numbers)
    if np.isnan(group.k):
        return 0, NO_COEFFICIENT, group.points, group.k, np.nan, 0.0, 0.0
    return -1, 0, 0.0, 0.0, 0.0, 0.0, 0.0


@loop(forceinline=True)
def _by_multiple(case: Any, group: Any, numbers: Any) -> Any:
    """Points of a case of a stable group: beyond the multiples of its mean, or between them."""
    base, k, net = group.points, group.k, case.net
    multiple, reason = case.cost / group.mean, 0
    if numbers.high_rule != NONE and case.cost > group.hi * group.mean * (1 + _TIE):
        if not case.flags & BARRED:
            return _high(case, group, numbers)
        reason = NOT_DEAREST
    full = _round(base * k, numbers.unit)
    if numbers.low_rule != NONE and case.cost < group.lo * group.mean * (1 - _TIE):
        if numbers.low_rule == LOW_BY_COST:
            return _by_cost(2, 9, numbers.rates[7], net, numbers)
        if numbers.low_rule == LOW_BY_ITEM:
            return 11, LOW_OUTSIDE, 0.0, np.nan, np.nan, 0.0, 0.0
        points = _round(base * multiple, numbers.unit)
        if points > full:
            return 2, 8, base, k, multiple, 0.0, full
        return 2, 7, base, k, multiple, 0.0, points
    return 0, reason, base, k, multiple, 0.0, full


@loop()
def _run(start: int, stop: int, rows: Rows, rules: Rules, out: Factors, ahead: Any) -> None:
    # Most cases are decided by single numbers and the arrays named here.
    hospital, level, pool, drg = rows.hospital, rows.level, rows.pool, rows.drg
    item, status, cost, stay = rows.item, rows.status, rows.cost, rows.stay
    unreasonable, patient_paid, flags = rows.unreasonable, rows.patient_paid, rows.flags
    decision, granted = rows.decision, rows.granted
    state, points, mean, hi, lo = rules.state, rules.points, rules.mean, rules.hi, rules.lo
    k, site_of, levels, listed = rules.k, rules.site_of, rules.levels, rules.listed
    out_days, out_no_fund, marks = rules.out_days, rules.out_no_fund, rules.marks
    out_drg, out_pool, out_hospital = rules.out_drg, rules.out_pool, rules.out_hospital
    case_class, reason, base, coefficient = out.case_class, out.reason, out.base, out.coefficient
    multiple, added, earned = out.multiple, out.added, out.points
    no_u, no_b, no_stay = len(unreasonable) == 0, len(patient_paid) == 0, len(stay) == 0
    no_flags, no_decision = len(flags) == 0, len(decision) == 0
    has_pieces, every = rules.has_pieces, len(base) > 0
    r = rules.rates
    numbers = Numbers(
        (r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7]),
        rules.region_mean,
        rules.scale,
        rules.high_rule,
        rules.low_rule,
        rules.cap,
        rules.unit,
        rules.missing_is_error,
        rules.panel_must_say,
    )
    for i in range(start, stop):
        if (i - start) % _AHEAD == 0:
            # k lies far apart: many at a time are waited for together, not one after the other.
            for j in range(i, min(i + _AHEAD, stop)):
                ahead[j - i] = k[site_of[hospital[j] * levels + level[j] + 1], drg[j]]
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
        excluded = -1
        for e in range(out_days.shape[0]):
            if (
                (out_days[e] < 0 or case.stay > out_days[e])
                and (not out_no_fund[e] or not case.cost - case.patient_paid > 0)
                and out_drg[e, d]
                and out_pool[e, case.pool]
                and out_hospital[e, case.hospital]
                and (marks[e] == 0 or marks[e] & case.flags)
            ):
                excluded = e
                break
        if excluded >= 0:
            found = 11, OWN_REASONS + excluded, 0.0, np.nan, np.nan, 0.0, 0.0
        else:
            found = _decided(case, numbers)
            if found[0] < 0 and case.on_list:
                found = _on_list(case, rules)
        if found[0] < 0:
            own = ahead[(i - start) % _AHEAD]
            group = Group(state[d], points[d], mean[d], hi[d], lo[d], own)
            found = _by_status(case, group, numbers)
            if found[0] < 0:
                if has_pieces:
                    found = _piece(case, group, rules)
                else:
                    found = _by_multiple(case, group, numbers)
        case_class[i] = found[0]
        reason[i] = found[1]
        earned[i] = found[6]
        if every:
            base[i] = found[2]
            coefficient[i] = found[3]
            multiple[i] = found[4]
            added[i] = found[5]


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
    if total <= _BLOCK:
        _run(0, total, rows, rules, out, np.empty(_AHEAD))
        return
    starts = range(0, total, _BLOCK)
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        futures = [
            pool.submit(_run, s, min(s + _BLOCK, total), rows, rules, out, np.empty(_AHEAD))
            for s in starts
        ]
    for future in futures:
        future.result()

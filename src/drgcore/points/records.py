"""Cases, rules and results as the compiled loop sees them, and what its numbers stand for."""

from __future__ import annotations

from typing import Any, NamedTuple

from drgcore.language import N_

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
    N_("lo·m ≤ C ≤ hi·m"),
    N_("C > hi·m: P·k and the added part"),
    N_("C > hi·m: P·k and the added part, capped"),
    N_("C > hi·m: P·k, the added part awaits review"),
    N_("C > hi·m: P·k and the added part that review granted"),
    N_("C > hi·m: P·min((C − U)/m, hi)"),
    N_("C > hi·m: by cost"),
    N_("C < lo·m: P·C/m"),
    N_("C < lo·m: P·C/m is above P·k, so P·k"),
    N_("C < lo·m: by cost"),
    N_("group not stable: by cost"),
    N_("group not stable: outside the points"),
    N_("ambiguous group: by cost"),
    N_("ambiguous group: outside the points"),
    N_("no group: by cost"),
    N_("no group: outside the points"),
    N_("record cannot be grouped: by cost"),
    N_("record cannot be grouped: outside the points"),
    N_("no base points: by cost"),
    N_("no base points: outside the points"),
    N_("panel's points"),
    N_("panel gave no points: by cost"),
    N_("no coefficient"),
    N_("panel's points are missing"),
    N_("no base points"),
    N_("C > hi·m: outside the points"),
    N_("C < lo·m: outside the points"),
    N_("panel: outside the points"),
    N_("C > hi·m, but not among the dearest of the quota: P·k"),
)
"""Reasons that every policy has; those of its own rules follow them in the order of `Rules`."""

OWN_REASONS = len(REASONS)
NO_COEFFICIENT, NO_PANEL_POINTS, NO_BASE_POINTS = 22, 23, 24
HIGH_BY_COST = 6
HIGH_OUTSIDE, LOW_OUTSIDE, PANEL_OUTSIDE, NOT_DEAREST = 25, 26, 27, 28
NONE, ADDED, CAPPED, REVIEWED, AT_HI, BY_COST, OUTSIDE = range(7)
"""Rules for high-cost outliers, in the order of the policy's literal."""
LOW_PROPORTIONAL, LOW_BY_COST, LOW_BY_ITEM = 1, 2, 3
UNKNOWN, UNSTABLE, STABLE = range(3)
SPECIAL, GRANTED, BY_ITEM, REFUSED = 1, 2, 3, 4
"""Decisions on a case; 0 is none."""
BARRED = 1 << 62
"""The bit of `Rows.flags` of a case that a quota keeps from being high-cost."""
K_TIMES, K_PLUS, K_NONE = range(3)
CAP_NONE, CAP_P, CAP_PK = range(3)
"""What a piece's cap is a multiple of."""


PIECE_COLUMNS = ("up_to", "ends_here", "kind", "rule", "a", "b", "net", "k", "cap", "times", "rate")
"""Columns of `Rules.pieces`: the last is up to infinity; rule 0 formula, 1 by cost, 2 outside."""
UP_TO, ENDS_HERE, KIND, RULE, A, B, NET, K, CAP, TIMES, RATE = range(len(PIECE_COLUMNS))


class Rules(NamedTuple):
    """One period's policy as numbers. The last entry along DRGs, pools and items stands for none.

    A rate is NaN where the class is outside the points; `rates` are those of unstable, ambiguous,
    ungrouped, invalid, without base points, special review, high and low by cost. `marks` has the
    bits of exclusions, fixed prices and bed-day rules, in this order. The first row of
    `fix_points` has points, the second the share of P; that of `bed_above` days, the second
    whether tiers are marginal; the first layer of `bed_points` has points per day, the second
    their sums. Each array costs the loop time, so few of them say much.
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
    listed: Any
    fix_points: Any
    fix_days: Any
    fix_drg: Any
    fix_level: Any
    fix_item: Any
    bed_above: Any
    bed_drg: Any
    bed_level: Any
    bed_points: Any
    marks: Any
    has_pieces: bool
    pieces: Any


class Numbers(NamedTuple):
    """The single numbers of `Rules`, and its rates: handing them on counts no references."""

    rates: tuple[float, ...]
    region_mean: float
    scale: float
    high_rule: int
    low_rule: int
    cap: float
    unit: float
    missing_is_error: bool
    panel_must_say: bool


class Rows(NamedTuple):
    """Cases as arrays, empty where no rule looks at them; `flags` has a bit a marked rule."""

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


class Case(NamedTuple):
    """One case as plain numbers: reading them once spares counting references to arrays."""

    hospital: int
    level: int
    pool: int
    drg: int
    item: int
    status: int
    cost: float
    net: float
    stay: float
    patient_paid: float
    flags: int
    decision: int
    granted: float
    on_list: bool


class Group(NamedTuple):
    """One DRG, and the hospital's coefficient for it."""

    state: int
    points: float
    mean: float
    hi: float
    lo: float
    k: float


class Factors(NamedTuple):
    """The result, one entry a case."""

    case_class: Any
    reason: Any
    base: Any
    coefficient: Any
    multiple: Any
    added: Any
    points: Any

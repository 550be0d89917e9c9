"""What changed after a month was closed: adjustments that name their month."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa

from drgcore.budget.accounts import RESERVE
from drgcore.budget.caserows import points_of
from drgcore.budget.closing import ClosedMonth, snapshot
from drgcore.budget.frames import records
from drgcore.budget.month import Month
from drgcore.budget.month_end import MonthSettlement
from drgcore.budget.policy_terms import terms_of
from drgcore.budget.tally import NUMBERS, Tally
from drgcore.budget.terms import Terms
from drgcore.errors import BudgetError
from drgcore.language import _
from drgcore.progress import tracked

Key = tuple[str, str, Month]
"""Pool, hospital, month."""

LATE = "late"
WITHDRAWN = "withdrawn"
REVIEWED = "reviewed"
REGROUPED = "regrouped"
CHANGED = "changed"
VALUE = "value"
CARRIED = "carried"


@dataclass(frozen=True)
class Adjustment:
    """A correction of a closed month that a person decided: a sanction, an award, a recovery.

    Parameters
    ----------
    month : Month
        The closed month that it concerns.
    pool, hospital : str
        Whom it concerns.
    kind : str
        Its name in the statement, for example `upcoding` (高套), `splitting` (分解住院),
        `refusing` (推诿), `fewer_services`.
    points : int
        Points added, or withdrawn where negative, the multiple included; in units of the last
        decimal place.
    amount_fen : int
        Money added or taken beside the points; the reserve is its other side [fen].
    reason : str
        Why, for the statement.
    account : str
        What the amount is paid from, or goes to where it is negative: `reserve`, or an account that
        the policy names.
    """

    month: Month
    pool: str
    hospital: str
    kind: str
    points: int = 0
    amount_fen: int = 0
    reason: str = ""
    account: str = RESERVE


@dataclass(frozen=True)
class Change:
    """Points and amounts by which a hospital's closed month differs from the year's cases."""

    key: Key
    kind: str
    cases: int
    points: int
    patient_paid_fen: int
    refused_fen: int


def find_changes(
    cases: Any, whole: Tally, closed: Sequence[ClosedMonth | MonthSettlement], terms: Terms
) -> list[Change]:
    """Compare the year's cases with what the months were closed with.

    A month and hospital whose fingerprint is the same is passed over; for the others the cases are
    compared one by one if the closing kept them: not there before, `late`; not there any more,
    `withdrawn`; now decided by a panel, `reviewed`; in another DRG, `regrouped`; else `changed`.

    Parameters
    ----------
    cases : pandas.DataFrame, pyarrow.Table, Arrow stream or Tally
        The year's cases with points.
    whole : Tally
        Their tally.
    closed : sequence of ClosedMonth or MonthSettlement
        The closed months.
    terms : Terms
        The parameters of the year.

    Returns
    -------
    list of Change
        The differences, in order of pool, hospital, month and kind.

    Examples
    --------
    >>> from drgcore.budget.terms import PoolTerms
    >>> terms = Terms(2026, (PoolTerms("p", 0),))
    >>> case = {"case_id": ["1"], "hospital": ["H1"], "pool": ["p"], "case_class": ["normal"]}
    >>> case |= {"discharge_date": pd.to_datetime(["2026-01-31"]), "points": [0.0]}
    >>> from drgcore.budget.month_end import settle_month
    >>> from drgcore.budget.tally import tally
    >>> none = pd.DataFrame(case)[:0]
    >>> january = settle_month(none, terms, Month(2026, 1))
    >>> case = pd.DataFrame(case)
    >>> [change.cases for change in find_changes(case, tally(case, terms), [january], terms)]
    [1]
    """
    none = dict.fromkeys(NUMBERS, 0)
    parts = ("cases", "points", "patient_paid_fen", "refused_fen")
    names = ("pool", "hospital", "fingerprint", *parts)
    changes = []
    for item in tracked(closed, _("comparing with the closed months"), _("months")):
        settlement = item.settlement if isinstance(item, ClosedMonth) else item
        rows = zip(*settlement.columns("statement", *names).values(), strict=True)
        then = {(pool, hospital): (int(mark, 16), old) for pool, hospital, mark, *old in rows}
        now = {
            (pool, hospital): row
            for (pool, index), of_month in whole.sums.items()
            if index == settlement.month.index
            for hospital, row in of_month.items()
        }
        differing = {}
        for pool, hospital in then.keys() | now:
            new = now.get((pool, hospital), none)
            mark, old = then.get((pool, hospital), (0, [0] * len(parts)))
            if new["fingerprint"] != mark:
                key = pool, hospital, settlement.month
                delta = [new[name] - before for name, before in zip(parts, old, strict=True)]
                differing[key] = Change(key, CHANGED, *delta)
        kept = item.cases if isinstance(item, ClosedMonth) else None
        if differing and kept is not None and not isinstance(cases, Tally):
            changes += _by_kind(kept, snapshot(cases, terms, settlement.month), differing)
        else:
            changes += differing.values()
    return sorted(changes, key=lambda c: (c.key, c.kind))


def _by_kind(then: pa.Table, now: pa.Table, differing: dict[Key, Change]) -> list[Change]:
    """Split each hospital's difference by what happened to its cases."""
    month = next(iter(differing))[2]
    touched = pd.MultiIndex.from_tuples([key[:2] for key in differing])
    sides = []
    for table in (then, now):
        frame = table.to_pandas()
        frame = frame[pd.MultiIndex.from_frame(frame[["pool", "hospital"]]).isin(touched)]
        sides.append(frame)
    # A case that moved to another hospital or pool leaves the one and is late at the other.
    joined = sides[0].merge(
        sides[1], on=["case_id", "pool", "hospital"], how="outer", suffixes=("_then", "_now")
    )
    sums: dict[tuple[Key, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for row in records(joined.astype(object).where(joined.notna(), None)):
        kind = _kind(row)
        if kind is None:
            continue
        total = sums[((row["pool"], row["hospital"], month), kind)]
        total[0] += {LATE: 1, WITHDRAWN: -1}.get(kind, 0)
        for i, name in enumerate(("points", "patient_paid_fen", "refused_fen"), 1):
            total[i] += int(row[f"{name}_now"] or 0) - int(row[f"{name}_then"] or 0)
    found = [Change(key, kind, *values) for (key, kind), values in sums.items()]
    for key, change in differing.items():
        parts = [c for c in found if c.key == key]
        if sum(c.points for c in parts) != change.points:
            raise BudgetError(
                _("the cases kept with the closing are not those that it was settled from"),
                where=f"{key[0]} {key[1]} {month}",
            )
    return found


def _kind(row: dict[str, Any]) -> str | None:
    if row["points_then"] is None:
        return LATE
    if row["points_now"] is None:
        return WITHDRAWN
    if row["case_class_now"] == "special_review" != row["case_class_then"]:
        return REVIEWED
    if row["drg_now"] != row["drg_then"]:
        return REGROUPED
    names = ("case_class", "points", "patient_paid_fen", "refused_fen")
    return CHANGED if any(row[f"{n}_now"] != row[f"{n}_then"] for n in names) else None


def adjustments_of_sanctions(withdrawn: Any, policy: Any) -> list[Adjustment]:
    """Make adjustments of the points that sanctions withdraw.

    Parameters
    ----------
    withdrawn : pandas.DataFrame
        What `drgcore.points.sanction_points` gives: `case_id`, `hospital`, `pool`, `month`, `kind`
        and the withdrawn `points`, the multiple included.
    policy : Policy or Terms
        The policy, for the decimals of points.

    Returns
    -------
    list of Adjustment
        One for each sanction, in the months of their cases; the reason names the case.

    Examples
    --------
    >>> from drgcore.budget.terms import PoolTerms
    >>> row = {"case_id": ["7"], "hospital": ["H1"], "pool": ["p"], "kind": ["upcoding"]}
    >>> row |= {"month": pd.to_datetime(["2026-01-01"]), "points": [-81.0]}
    >>> terms = Terms(2026, (PoolTerms("p", 0),))
    >>> adjustments_of_sanctions(pd.DataFrame(row), terms)[0].points
    -810000
    """
    found = []
    for row in records(withdrawn):
        day = pd.Timestamp(row["month"])
        month = Month(day.year, day.month)
        places = terms_of(policy, month.year).point_places
        points = points_of(pa.array([row["points"]]), places)[0]
        names = (str(row["pool"]), str(row["hospital"]), str(row["kind"]))
        found.append(Adjustment(month, *names, int(points), 0, f"case {row['case_id']}"))
    return found


def check_adjustments(adjustments: Iterable[Adjustment], terms: Terms) -> list[Adjustment]:
    """Check decided adjustments and put them in order.

    Parameters
    ----------
    adjustments : iterable of Adjustment
        The decisions.
    terms : Terms
        The parameters of the year.

    Returns
    -------
    list of Adjustment
        In order of pool, hospital, month and kind.

    Raises
    ------
    BudgetError
        For another year, an unknown pool, or a kind that names what only cases can do.

    Examples
    --------
    >>> from drgcore.budget.terms import PoolTerms
    >>> one = Adjustment(Month(2026, 1), "p", "H1", "upcoding", points=-10000)
    >>> check_adjustments([one], Terms(2026, (PoolTerms("p", 0),))) == [one]
    True
    """
    found = sorted(adjustments, key=lambda a: (a.pool, a.hospital, a.month, a.kind, a.points))
    for item in found:
        where = _("adjustment of {hospital} {month}", hospital=item.hospital, month=item.month)
        terms.pool(item.pool)
        if item.month.year != terms.year:
            raise BudgetError(_("it names a month outside {year}", year=terms.year), where=where)
        if item.account != RESERVE and item.account not in terms.accounts:
            raise BudgetError(
                _("the policy has no account {account}", account=item.account),
                where=where,
                hint=_("name one of [accounts] of the policy, or the reserve"),
            )
        if item.kind in (LATE, WITHDRAWN, REGROUPED, CHANGED, VALUE, CARRIED):
            raise BudgetError(
                _("{kind} is what a case does, not a decision", kind=item.kind),
                where=where,
                hint=_("give the changed cases to settle_year"),
            )
    return found

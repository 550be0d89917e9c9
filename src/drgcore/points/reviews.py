"""Special review as a process (特病单议、特例单议): quota and deadline of every hospital."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drgcore.cases.attributes import dates_of, select_columns, text_codes
from drgcore.errors import CaseSchemaError, PolicyError
from drgcore.language import _
from drgcore.points.list_rules import ReviewQuota
from drgcore.points.policy import Policy
from drgcore.points.quotas import MONTHS, period_numbers, quota_of

REVIEW_COLUMNS = (
    "hospital",
    "level",
    "period",
    "cases",
    "share",
    "allowed",
    "filed",
    "granted",
    "refused",
    "over",
    "deadline",
    "late",
)
"""What `review_report` returns."""

_FILED = ("special", "outside", "refused")


def review_report(
    cases: Any, policy: Policy, decisions: Any = None, *, today: date | None = None
) -> pd.DataFrame:
    """Report how many cases each hospital brought to special review, and how many it may.

    Parameters
    ----------
    cases : pandas.DataFrame or anything with the Arrow PyCapsule interface
        What `compute_points` returned under the policy with the decisions: `hospital`, `drg`,
        `discharge_date`, `review`, and `hospital_level` where the quota differs by level.
    policy : Policy
        The policy; each period is judged by the quota in force on its last day.
    decisions : DataFrame or table, optional
        `case_id` and `filed`, the day on which each case was filed, for the column `late`.
    today : datetime.date, optional
        Only periods that end before this day, for one that is not over has more cases to come.

    Returns
    -------
    pandas.DataFrame
        One row a hospital and period: `cases` with a DRG, the `share` and the number `allowed`;
        cases `filed`, `granted` (points or by item) and `refused`; how many are `over` the quota;
        the `deadline` and the cases filed after it, `late` (none without decisions or deadline).

    Raises
    ------
    PolicyError
        If the policy has no quota of special reviews, or none for a hospital's level.
    CaseSchemaError
        For cases without the column `review`, or decisions without `filed`.

    References
    ----------
    浙江省特例单议: every quarter, filed within the first 15 working days of the next, at most 5 ‰
    of the DRG cases.

    Examples
    --------
    >>> quota = {"share": "0.005", "period": "quarter", "rounding": "down", "counts": "filed"}
    >>> policy = Policy.load("example").with_changes({"special_review": {"quota": quota}})
    >>> cases = pd.DataFrame({"hospital": ["H01"] * 200, "hospital_level": "3", "drg": "ES23",
    ...     "discharge_date": pd.Timestamp("2027-02-03"), "review": ["special"] * 2 + [""] * 198})
    >>> review_report(cases, policy)[["hospital", "period", "cases", "allowed", "filed", "over"]]
      hospital   period  cases  allowed  filed  over
    0      H01  2027-Q1    200        1      2     1
    """
    if not any(p.special_review and p.special_review.quota for p in policy.periods()):
        raise PolicyError(
            _("it has no quota of special reviews"),
            where=_("policy {name}, special_review.quota", name=policy.name),
            hint=_("give share, period, rounding and what it counts"),
        )
    names = ["hospital", "drg", "discharge_date", "review", "case_id", "hospital_level"]
    table = select_columns(cases, names)
    lacking = [name for name in names[:4] if name not in table.column_names]
    if lacking:
        raise CaseSchemaError(
            _("the cases have no column {lacking}", lacking=", ".join(lacking)),
            where="cases",
            hint=_("give what compute_points returned under this policy"),
        )
    day = dates_of(table, "discharge_date").cast("int32").to_numpy()
    frame = pd.DataFrame({"hospital": _texts(table, "hospital"), "review": _texts(table, "review")})
    frame["level"] = _texts(table, "hospital_level")
    frame["drg"] = text_codes(table, "drg", optional=True).codes >= 0
    frame["filed_on"] = _filed(table, decisions)
    found = []
    reviews = [p.special_review for p in policy.periods() if p.special_review]
    for kind in sorted({review.quota.period for review in reviews if review.quota}):
        cells: Any = frame.groupby(["hospital", period_numbers(day, kind)], sort=True)
        for (hospital, number), part in cells:
            last = _last_day(int(number), kind)
            rules = policy.at(min(max(last, policy.effective_from), policy.effective_to or last))
            quota = rules.special_review.quota if rules.special_review else None
            if quota is None or quota.period != kind or (today is not None and last >= today):
                continue
            dated = decisions is not None
            found.append(_row(str(hospital), int(number), part, quota, rules, dated))
    report = pd.DataFrame(found, columns=list(REVIEW_COLUMNS)).astype({"late": "Int64"})
    return report.sort_values(["hospital", "period"], ignore_index=True)


def refuse_over_quota(
    cases: Any, policy: Policy, *, period: str = "", today: date | None = None
) -> None:
    """Refuse to go on if any hospital has more special reviews than its quota allows.

    Parameters
    ----------
    cases : pandas.DataFrame or anything with the Arrow PyCapsule interface
        What `compute_points` returned. A policy without quota refuses nothing.
    policy : Policy
        The policy.
    period : str
        Only this period is judged, as `review_report` writes it, for example ``2027-03`` when that
        month is closed: a quarter's cases are not all there before its end.
    today : datetime.date, optional
        Only periods that end before this day are judged.

    Raises
    ------
    PolicyError
        Names the hospitals and periods.

    Examples
    --------
    >>> refuse_over_quota(None, Policy.load("example"))
    """
    if not any(p.special_review and p.special_review.quota for p in policy.periods()):
        return
    report = review_report(cases, policy, today=today)
    if period:
        report = report[report["period"] == period]
    over = report[report["over"] > 0]
    if len(over):
        each = [f"{row.hospital} {row.period}: {row.over} over {row.allowed}"
                for row in over.head(5).itertuples()]  # fmt: skip
        more = _(" and {count} more", count=len(over) - 5) if len(over) > 5 else ""
        raise PolicyError(
            _(
                "{count} hospitals have more special reviews than their quota: {each}{more}",
                count=len(over),
                each=", ".join(each),
                more=more,
            ),
            where=_("policy {name}, special_review.quota", name=policy.name),
            hint=_("refuse the cases that are over it, or correct the decisions"),
        )


def deadline_of(last: date, quota: ReviewQuota) -> date | None:
    """Give the last day on which cases of a period may be filed.

    Parameters
    ----------
    last : datetime.date
        Last day of the period.
    quota : ReviewQuota
        The rule.

    Returns
    -------
    datetime.date or None
        None without a deadline. Working days are Monday to Friday but for `holidays`, and the
        `extra_workdays`.

    Examples
    --------
    >>> quota = ReviewQuota(share="0.005", period="quarter", rounding="down", counts="filed",
    ...     deadline_days=15, deadline_counts="working", holidays=(date(2027, 4, 5),))
    >>> deadline_of(date(2027, 3, 31), quota)
    datetime.date(2027, 4, 22)
    """
    if quota.deadline_days is None:
        return None
    if quota.deadline_counts == "calendar":
        return last + timedelta(days=quota.deadline_days)
    day, left = last, quota.deadline_days
    while left:
        day += timedelta(days=1)
        weekday = day.weekday() < 5 and day not in quota.holidays
        left -= weekday or day in quota.extra_workdays
    return day


def _row(
    hospital: str,
    number: int,
    part: pd.DataFrame,
    quota: ReviewQuota,
    policy: Policy,
    dated: bool,
) -> dict[str, Any]:
    level = next((text for text in part["level"] if text), "")
    if not level and hospital in policy.hospitals:
        level = policy.hospitals[hospital].level or ""
    if isinstance(quota.share, dict) and level not in quota.share:
        raise PolicyError(
            _(
                "there is no share for level {level} of hospital {hospital}",
                level=level or _("none"),
                hospital=hospital,
            ),
            where=_("policy {name}, special_review.quota.share", name=policy.name),
        )
    share = quota.share[level] if isinstance(quota.share, dict) else quota.share
    filed, refused = part["review"].isin(_FILED), part["review"] == "refused"
    cases, granted = int(part["drg"].sum()), int((filed & ~refused).sum())
    allowed = quota_of(cases, share, quota.rounding)
    counted = int(filed.sum()) if quota.counts == "filed" else granted
    deadline = deadline_of(_last_day(number, quota.period), quota)
    late = None
    if dated and deadline is not None:
        late = int((filed & (part["filed_on"] > pd.Timestamp(deadline))).sum())
    return {
        "hospital": hospital,
        "level": level,
        "period": _period_text(number, quota.period),
        "cases": cases,
        "share": float(share),
        "allowed": allowed,
        "filed": int(filed.sum()),
        "granted": granted,
        "refused": int(refused.sum()),
        "over": max(counted - allowed, 0),
        "deadline": deadline,
        "late": late,
    }


def _filed(table: Any, decisions: Any) -> Any:
    """Give the day on which each case was filed, where decisions say it."""
    if decisions is None:
        return pd.NaT
    given = select_columns(decisions, ["case_id", "filed"])
    missing = [name for name in ("case_id", "filed") if name not in given.column_names]
    if "case_id" not in table.column_names:
        missing.append(_("case_id of the cases"))
    if missing:
        raise CaseSchemaError(
            _("there is no column {missing}", missing=", ".join(missing)), where="decisions"
        )
    days = pd.to_datetime(dates_of(given, "filed").to_pandas())
    ids = pd.Series(given.column("case_id").cast("string").to_pylist())
    on = dict(zip(ids, days, strict=True))
    names = table.column("case_id").cast("string").to_pylist()
    return pd.to_datetime(pd.Series([on.get(name) for name in names]))


def _texts(table: Any, name: str) -> NDArray[Any]:
    codes = text_codes(table, name, optional=True)
    return np.array([*codes.names, ""], object)[codes.codes]


def _last_day(number: int, kind: str) -> date:
    month = (number + 1) * MONTHS[kind]
    return date(1970 + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def _period_text(number: int, kind: str) -> str:
    month = number * MONTHS[kind]
    year, of_year = 1970 + month // 12, month % 12 // MONTHS[kind] + 1
    return {
        "month": f"{year}-{of_year:02d}",
        "quarter": f"{year}-Q{of_year}",
        "half_year": f"{year}-H{of_year}",
        "year": str(year),
    }[kind]

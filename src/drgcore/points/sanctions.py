"""Sanctions on points (违规扣点): points withdrawn, times the policy's multiple."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drgcore.cases.attributes import dates_of, numbers_of, select_columns
from drgcore.errors import CaseSchemaError, PolicyError
from drgcore.language import _
from drgcore.points.policy import Policy
from drgcore.points.segments import tier_of
from drgcore.points.tables import group_table
from drgcore.rounding import round_half_up

SANCTION_COLUMNS = (
    "case_id",
    "hospital",
    "pool",
    "month",
    "kind",
    "unlawful_points",
    "multiple",
    "base_multiple",
    "base_points",
    "points",
)


def sanction_points(cases: Any, sanctions: Any, policy: Policy) -> pd.DataFrame:
    """Compute the points that sanctions withdraw: ``−(unlawful points × multiple + n × P)``.

    The multiple and n, how many times the base points P of the case's DRG, are those of the kind.

    Parameters
    ----------
    cases : pandas.DataFrame or anything with the Arrow PyCapsule interface
        Cases with points, as `compute_points` returns them.
    sanctions : pandas.DataFrame or table
        `case_id`, `kind` (upcoding 高套, splitting 分解住院, refusing 推诿, fewer_services, or the
        policy's own) and `points`: the points earned unlawfully, for example what upcoding added;
        none stands for all points of the case.
    policy : Policy
        The policy, whose `violations.points` and `violations.base_points` of the day of discharge
        give the multiple and n. A kind that only the latter has takes the case's points once.

    Returns
    -------
    pandas.DataFrame
        One row a sanction in the order given: `case_id, hospital, pool, month` (first day of the
        month of discharge), `kind, unlawful_points, multiple, base_multiple` (n), `base_points` (P;
        none where n is 0), `points`; the last is not positive and rounded as the policy's points.

    Raises
    ------
    PolicyError
        For a kind without multiple, or a DRG without base points where they are withdrawn.
    CaseSchemaError
        For a case that is not there, two sanctions of one kind on one case, or unlawful points that
        are negative or more than the case has.

    Examples
    --------
    >>> cases = pd.DataFrame({"case_id": ["1"], "hospital": ["H01"], "pool": ["employee"],
    ...     "discharge_date": pd.to_datetime(["2027-03-09"]), "points": [155.283]})
    >>> found = pd.DataFrame({"case_id": ["1"], "kind": ["upcoding"], "points": [40.5]})
    >>> float(sanction_points(cases, found, Policy.load("example")).at[0, "points"])
    -81.0
    """
    listed = _frame(sanctions, ["case_id", "kind", "points"], "sanctions")
    given = listed.to_pandas().assign(points=numbers_of(listed, "points"))
    needed = ["case_id", "hospital", "pool", "discharge_date", "points"]
    ids = set(given["case_id"].astype(str))
    whole = _frame(cases, needed, "cases", ["drg", "hospital_level"])
    concerned = pc.is_in(whole.column("case_id").cast(pa.string()), value_set=pa.array(sorted(ids)))
    whole = whole.filter(concerned)
    days, earned_points = dates_of(whole, "discharge_date"), numbers_of(whole, "points")
    whole = whole.to_pandas().assign(discharge_date=days, points=earned_points)
    whole = whole.set_index("case_id")
    if given.duplicated(["case_id", "kind"]).any():
        raise CaseSchemaError(_("a case has two sanctions of one kind"), where="sanctions")
    unknown = sorted(ids - set(whole.index.astype(str)))
    if unknown:
        raise CaseSchemaError(
            _(
                "{count} sanctions concern none of the cases, first {unknown}",
                count=len(unknown),
                unknown=unknown[0],
            ),
            where="sanctions",
        )
    found = whole.loc[given["case_id"]]
    days = pd.to_datetime(found["discharge_date"]).dt.date
    of_day = {day: policy.at(day) for day in set(days)}
    kinds = given["kind"].astype(str)
    pairs = list(zip(days, kinds, strict=True))
    without = sorted({kind for day, kind in pairs if not _knows(of_day[day], kind)})
    if without:
        raise PolicyError(
            _("there is no multiple for {without}", without=", ".join(without)),
            where=_("policy {name}, violations.points", name=policy.name),
            hint=_("add it to the policy; a multiple is not invented"),
        )
    earned = found["points"].to_numpy(np.float64)
    unlawful = given["points"].to_numpy(np.float64)
    unlawful = np.where(np.isnan(unlawful), earned, unlawful)
    wrong = ~((unlawful >= 0) & (unlawful <= earned))
    if wrong.any():
        first = given["case_id"].to_numpy()[wrong][0]
        raise CaseSchemaError(
            _(
                "{count} sanctions name unlawful points that are negative or "
                "more than the case has, first {first}",
                count=int(wrong.sum()),
                first=first,
            ),
            where="sanctions",
        )
    rules = [(of_day[day].violations, kind) for day, kind in pairs]
    multiple = np.array([float(rule.points.get(kind, 1)) for rule, kind in rules], np.float64)
    times = np.array([float(rule.base_points.get(kind, 0)) for rule, kind in rules], np.float64)
    base = _base_points(found, days, of_day, times)
    month = pd.to_datetime(found["discharge_date"]).dt.to_period("M").dt.to_timestamp()
    columns = (
        given["case_id"].to_numpy(),
        found["hospital"].astype(str).to_numpy(),
        found["pool"].astype(str).to_numpy(),
        month.to_numpy(),
        given["kind"].astype(str).to_numpy(),
        unlawful,
        multiple,
        times,
        base,
        # Zero stays zero rather than becoming −0.
        0.0
        - round_half_up(unlawful * multiple + times * np.nan_to_num(base), policy.rounding.points),
    )
    return pd.DataFrame(dict(zip(SANCTION_COLUMNS, columns, strict=True)))


def _knows(policy: Policy, kind: str) -> bool:
    return kind in policy.violations.points or kind in policy.violations.base_points


def _base_points(
    found: pd.DataFrame, days: Any, of_day: Mapping[Any, Policy], times: Any
) -> NDArray[np.float64]:
    """Give P of each case's DRG for its hospital, where it is withdrawn; NaN elsewhere."""
    base = np.full(len(found), np.nan)
    if not times.any():
        return base
    tables: dict[Any, dict[str, float]] = {}
    rows = found.reset_index()
    for at, day in enumerate(days):
        if not times[at]:
            continue
        row, policy = rows.iloc[at], of_day[day]
        level = row.get("hospital_level")
        if not isinstance(level, str):
            listed = policy.hospitals.get(str(row["hospital"]))
            level = listed.level if listed else None
        tier = tier_of(policy, str(row["hospital"]), level)
        key = (policy.effective_from, None if tier is None else tier.name)
        if key not in tables:
            table = group_table(policy, tier)
            tables[key] = dict(zip(table.drgs, table.base_points.tolist(), strict=True))
        base[at] = tables[key].get(str(row.get("drg")), np.nan)
        if np.isnan(base[at]):
            raise PolicyError(
                _(
                    "case {row} is of a DRG without base points, of which {times:g} "
                    "times are to be withdrawn",
                    row=row["case_id"],
                    times=times[at],
                ),
                where=_("policy {name}, violations.base_points", name=policy.name),
                hint=_("name another kind for it, or give the DRG base points"),
            )
    return base


def _frame(table: Any, names: list[str], what: str, optional: Sequence[str] = ()) -> pa.Table:
    taken = select_columns(table, [*names, *optional])
    missing = [name for name in names if name not in taken.column_names]
    if missing:
        raise CaseSchemaError(
            _("there is no column {missing}", missing=", ".join(missing)), where=what
        )
    return taken

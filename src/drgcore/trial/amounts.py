"""What each case and each hospital of a settlement is worth, to the fen."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from drgcore.budget import Month, MonthSettlement, YearSettlement, allocate
from drgcore.budget.caserows import case_table, points_of, read_rows
from drgcore.budget.frames import records
from drgcore.budget.month_value import CLAIMS, GIVEN
from drgcore.budget.policy_terms import terms_of
from drgcore.cases.attributes import dates_of, numbers_of
from drgcore.errors import BudgetError
from drgcore.language import _
from drgcore.progress import step

CASE_AMOUNTS = ("case_id", "hospital", "pool", "drg", "points", "value", "deduction", "amount_fen")
"""Columns of a table of cases and of hospitals; `case_id`, `drg` only of cases."""


def case_amounts(
    cases: Any, settlement: MonthSettlement | YearSettlement, policy: Any = None
) -> pd.DataFrame:
    """Split every hospital's amount over its cases, to the fen.

    ``v·Q`` of a hospital and pool is split by largest remainders over its cases in the order of
    their ids, so that the cases of a hospital add up to its statement. With basis `total_cost`
    what the patient bore is taken off. A month paid by claims is split by the cases' claims; in a
    pool with a given value each case has min(v·Q, claim).

    Parameters
    ----------
    cases : pandas.DataFrame or pyarrow.Table
        The cases with points from which the settlement was made: `case_id`, `hospital`, `pool`,
        `drg`, `discharge_date`, `points`; `patient_paid` with basis `total_cost`,
        `refused_amount` where it is there [yuan].
    settlement : MonthSettlement or YearSettlement
        The settlement. Cases of other months are left aside.
    policy : Policy or Terms, optional
        The policy that it was made by: its multiples of refused amounts are in the deductions then.
        Needed where a month is paid by claims or a pool has a given value.

    Returns
    -------
    pandas.DataFrame
        `CASE_AMOUNTS`, one row a case: points, value of a point [yuan], what was refused [fen, in
        `deduction_fen`], and what is left of the amount [fen].

    Raises
    ------
    BudgetError
        If the points of the cases are not those of the settlement, or it needs the policy.

    Examples
    --------
    >>> from drgcore.budget import settle_month
    >>> from drgcore.budget.terms import PoolTerms, Terms
    >>> terms = Terms(2026, (PoolTerms("p", 1_200_00),))
    >>> case = pd.DataFrame({"case_id": ["1", "2"], "hospital": "H1", "pool": "p",
    ...     "case_class": "normal", "discharge_date": pd.to_datetime(["2026-01-31"] * 2),
    ...     "points": [100.0, 50.0]})
    >>> january = settle_month(case, terms, Month(2026, 1))
    >>> case_amounts(case, january)["amount_fen"].tolist()
    [6667, 3333]
    """
    table = cases if isinstance(cases, pa.Table) else pa.Table.from_pandas(cases)
    places = max(row["places"] for row in records(settlement.point_values))
    months = pd.Series(dates_of(table, "discharge_date").to_pandas())
    whole = pd.DataFrame(
        {
            "case_id": _texts(table, "case_id"),
            "hospital": _texts(table, "hospital"),
            "pool": _texts(table, "pool"),
            "drg": _texts(table, "drg"),
            "units": points_of(table.column("points"), places),
            "patient_fen": _fen(table, "patient_paid"),
            "deduction_fen": _fen(table, "refused_amount"),
        }
    )
    if policy is not None:
        whole = whole.assign(**_by_policy(table, policy, settlement))
    if isinstance(settlement, MonthSettlement):
        inside = [Month(day.year, day.month) == settlement.month for day in months]
        whole = whole[np.array(inside, bool)]
    whole = whole.sort_values("case_id", kind="stable").reset_index(drop=True)
    statement = {(row["pool"], row["hospital"]): row for row in records(settlement.statement)}
    gross = np.zeros(len(whole), np.int64)
    values = np.full(len(whole), None, object)
    borne = np.zeros(len(whole), np.int64)
    groups = whole.groupby(["pool", "hospital"], sort=True)
    with step(_("amounts of cases"), _("cases"), len(whole)) as told:
        for key, part in groups:
            row = statement.get((str(key[0]), str(key[1])))
            units = part["units"].tolist()
            if row is None or row["points"] != sum(units):
                raise BudgetError(
                    _(
                        "the cases of hospital {hospital}, pool {pool}, do not add up to its "
                        "statement",
                        hospital=key[1],
                        pool=key[0],
                    ),
                    hint=_("give the cases with points that the settlement was made from"),
                )
            value = settlement.value(str(key[0]))
            weights = units
            if value.limited in (GIVEN, CLAIMS):
                name = "given_fen" if value.limited == GIVEN else "claim_fen"
                if name not in part:
                    raise BudgetError(
                        _(
                            "the cases of pool {pool} are not paid by their points alone",
                            pool=key[0],
                        ),
                        where=value.period,
                        hint=_("give the policy, too"),
                    )
                # Months at a given value are paid by points; only a pool without budget is not.
                own = part[name].tolist()
                weights = own if any(own) else units
            gross[part.index] = allocate(row["gross_fen"], weights, signed=True)
            values[part.index] = value.yuan
            if value.basis == "total_cost":
                borne[part.index] = part["patient_fen"]
            told.advance(len(part))
    return _table(whole, places, values, gross - borne - whole["deduction_fen"].to_numpy())


def valued_cases(cases: Any, values: Mapping[str, Any], *, places: int = 4) -> pd.DataFrame:
    """Value cases with points at given point values, as a hospital does that knows no other.

    Parameters
    ----------
    cases : pandas.DataFrame or pyarrow.Table
        As `case_amounts`.
    values : mapping of str to str, int or Decimal
        Value of a point of each pool [yuan].
    places : int
        Decimals of a point.

    Returns
    -------
    pandas.DataFrame
        As `case_amounts`; each case is rounded to the fen by itself, halves up.

    Raises
    ------
    BudgetError
        If a pool has no value.

    Examples
    --------
    >>> case = pd.DataFrame({"case_id": ["1"], "hospital": "H1", "pool": "p", "points": [100.0]})
    >>> valued_cases(case, {"p": "64.005"})["amount_fen"].tolist()
    [640050]
    """
    table = cases if isinstance(cases, pa.Table) else pa.Table.from_pandas(cases)
    exact = {pool: Fraction(Decimal(str(value))) for pool, value in values.items()}
    whole = pd.DataFrame(
        {name: _texts(table, name) for name in ("case_id", "hospital", "pool", "drg")}
    )
    without = sorted(set(whole["pool"].dropna()) - set(exact))
    if without:
        raise BudgetError(
            _("there is no point value of pool {without}", without=", ".join(without))
        )
    whole["units"] = points_of(table.column("points"), places)
    whole["deduction_fen"] = _fen(table, "refused_amount")
    own = [exact[pool] for pool in whole["pool"]]
    amounts = [
        floor(value * units * 100 / 10**places + Fraction(1, 2))
        for value, units in zip(own, whole["units"].tolist(), strict=True)
    ]
    kept = np.array(amounts, np.int64) - whole["deduction_fen"].to_numpy()
    return _table(whole, places, np.array(own, object), kept)


def hospital_amounts(settlement: MonthSettlement | YearSettlement) -> pd.DataFrame:
    """What a settlement gives each hospital, as the bureau's statement shows it.

    Parameters
    ----------
    settlement : MonthSettlement or YearSettlement
        The settlement.

    Returns
    -------
    pandas.DataFrame
        One row a pool and hospital: `hospital`, `pool`, `cases`, `points`, `value` [yuan],
        `deduction_fen`, `amount_fen`. Of a month the amount is the entitlement less what was
        refused and with what was carried in; of a year the final payment.

    Examples
    --------
    >>> from drgcore.budget import settle_month
    >>> from drgcore.budget.terms import PoolTerms, Terms
    >>> case = pd.DataFrame({"case_id": ["1"], "hospital": "H1", "pool": "p", "points": [100.0],
    ...     "case_class": "normal", "discharge_date": pd.to_datetime(["2026-01-31"])})
    >>> january = settle_month(case, Terms(2026, (PoolTerms("p", 1_200_00),)), Month(2026, 1))
    >>> hospital_amounts(january).loc[0, "amount_fen"].item()
    10000
    """
    rows = []
    for row in records(settlement.statement):
        value = settlement.value(row["pool"])
        if isinstance(settlement, MonthSettlement):
            amount = row["entitlement_fen"] - row["refused_fen"] + row["carried_in_fen"]
        else:
            amount = row["final_fen"]
        rows.append(
            {
                "hospital": row["hospital"],
                "pool": row["pool"],
                "cases": row["cases"],
                "points": row["points"] / 10**value.places,
                "value": float(value.yuan) if value.points else float("nan"),
                "deduction_fen": row["refused_fen"],
                "amount_fen": amount,
            }
        )
    return pd.DataFrame(rows)


def _by_policy(
    table: pa.Table, policy: Any, settlement: MonthSettlement | YearSettlement
) -> dict[str, np.ndarray]:
    """Give what only a policy knows of each case: X, min(v·Q, claim), what a month of claims pays.

    All in fen.
    """
    year = settlement.month.year if isinstance(settlement, MonthSettlement) else settlement.year
    terms = terms_of(policy, year)
    chunks = case_table(table, terms).combine_chunks().to_batches()
    if not chunks:
        return {}
    rows = read_rows(chunks[0], terms)
    top = 0 if rows.on_top is None else rows.on_top
    total = np.array([terms.pool(name).basis == "total_cost" for name in rows.pool.names])
    borne = np.where(total[rows.pool.codes], rows.patient_paid, 0)
    given = np.zeros(len(rows.points), np.int64) if rows.given is None else rows.given
    claim = np.maximum(rows.item_cost - top, 0) + borne
    return {"deduction_fen": rows.refused, "given_fen": given, "claim_fen": claim}


def _table(
    whole: pd.DataFrame, places: int, values: np.ndarray, amounts: np.ndarray
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            **{name: whole[name] for name in ("case_id", "hospital", "pool", "drg")},
            "points": whole["units"] / 10**places,
            "value": [float(value) for value in values],
            "deduction_fen": whole["deduction_fen"],
            "amount_fen": amounts,
        }
    )


def _texts(table: pa.Table, name: str) -> pd.Series:
    if name not in table.column_names:
        return pd.Series([None] * len(table), dtype=object)
    return table.column(name).cast(pa.string()).to_pandas().astype(object)


def _fen(table: pa.Table, name: str) -> np.ndarray:
    if name not in table.column_names:
        return np.zeros(len(table), np.int64)
    return np.rint(np.nan_to_num(numbers_of(table, name)) * 100).astype(np.int64)

"""A whole year settled at once, and entered in no ledger (试算)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa

from drgcore.budget import Month, MonthSettlement, YearSettlement, settle_month, settle_year, show
from drgcore.budget.explain import explain_payment
from drgcore.budget.policy_terms import terms_of
from drgcore.budget.tables import plain as as_numbers
from drgcore.budget.tally import tally
from drgcore.errors import CaseSchemaError
from drgcore.language import _
from drgcore.points import Policy, compute_points, points_by_class


@dataclass(frozen=True)
class Trial:
    """A year as it would be settled if these cases were all.

    Parameters
    ----------
    policy : Policy
        The policy.
    cases : pyarrow.Table
        The cases with their points and every factor of them.
    months : tuple of MonthSettlement
        The twelve months.
    year : YearSettlement
        The year end.
    """

    policy: Policy
    cases: pa.Table
    months: tuple[MonthSettlement, ...]
    year: YearSettlement

    def tables(self, *, plain: bool = False) -> dict[str, pd.DataFrame]:
        """Give the tables of the year end, and those of the months as one each.

        Parameters
        ----------
        plain : bool
            Amounts as numbers, as files want them, and not as text for reading.

        Returns
        -------
        dict of str to pandas.DataFrame
            The year's tables by name; `months_point_values`, `months_statement`, `months_reserve`
            and `months_flows` have the months one below the other; `classes` is points by class.
        """
        shown = as_numbers if plain else show
        tables = dict(shown(self.year))
        by_month = [(str(settled.month), shown(settled)) for settled in self.months]
        for name in ("point_values", "statement", "reserve", "flows"):
            parts = [part[name].assign(month=month) for month, part in by_month]
            whole = pd.concat(parts, ignore_index=True)
            tables[f"months_{name}"] = whole[["month", *whole.columns.drop("month")]]
        tables["cases_by_class"] = points_by_class(self.cases)
        return tables

    def explain(self, hospital: str, month: Month | None = None) -> str:
        """Print a hospital's payment of the year, or of one month, step by step.

        Parameters
        ----------
        hospital : str
            The hospital.
        month : Month, optional
            A month of the year.

        Returns
        -------
        str
            See `explain_payment`.
        """
        if month is not None:
            return explain_payment(hospital, self.months[month.number - 1], self.policy)
        return explain_payment(hospital, self.year, self.policy, self.months)


def settle_trial(
    cases: Any, policy: Policy, year: int, quality: Any = None, *, decisions: Any = None
) -> Trial:
    """Settle a whole year in one call: points, twelve months, year end (年度试算).

    Nothing is entered in a ledger, so it can be repeated with other cases or another policy. Each
    step is the one that the real settlement takes, and so is each fen of it, as long as no case
    comes late and nothing is corrected.

    Parameters
    ----------
    cases : pandas.DataFrame, pyarrow.Table or Arrow stream
        Grouped cases of the year, with or without points, see `compute_points`.
    policy : Policy
        The policy.
    year : int
        The year.
    quality : mapping or table, optional
        κ or scores by hospital, see `settle_year`.
    decisions : table, optional
        What panels decided, see `compute_points`.

    Returns
    -------
    Trial
        Cases, months and year end.

    Raises
    ------
    BudgetError, CaseSchemaError, PolicyError
        As the steps do.

    Examples
    --------
    >>> import drgcore
    >>> cases = drgcore.group(drgcore.sample_cases(2000, "chs-drg-3.0", seed=1))
    >>> policy = Policy.load("example")
    >>> scores = pd.DataFrame({"hospital": sorted(set(cases["hospital"].to_pylist()))})
    >>> scores = scores.assign(**{"record quality": 96, "readmission": 92, "patient burden": 90})
    >>> trial = drgcore.settle_trial(cases, policy, 2027, scores)
    >>> len(trial.months), trial.tables()["reconciliation"].iloc[-1].tolist()
    (12, ['resident', 'unaccounted', '0.00'])
    """
    earned = cases
    if "points" in _names(cases):
        if decisions is not None:
            raise CaseSchemaError(
                _("the cases have points already, so that decisions would change nothing"),
                where="decisions",
                hint=_("give cases without points, or none of the decisions"),
            )
    else:
        earned = compute_points(cases, policy, year=year, decisions=decisions)
    table = earned if isinstance(earned, pa.Table) else pa.table(earned)
    terms = terms_of(policy, year)
    whole = tally(table, terms)
    months: list[MonthSettlement] = []
    for month in Month.of_year(year):
        months.append(settle_month(whole, terms, month, months[-1] if months else None))
    return Trial(policy, table, tuple(months), settle_year(whole, months, policy, quality))


def _names(cases: Any) -> list[str]:
    if isinstance(cases, pd.DataFrame):
        return [str(name) for name in cases.columns]
    return list(getattr(getattr(cases, "schema", None), "names", ()))

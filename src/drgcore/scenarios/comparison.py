"""The tables of a comparison of policies."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from drgcore.errors import DrgcoreError
from drgcore.language import _
from drgcore.scenarios.tables import gains, in_yuan, side_by_side

TABLES = ("pools", "hospitals", "winners", "losers", "levels", "mdcs", "classes")
"""The tables in the order in which people look at them."""


@dataclass(frozen=True)
class ComparisonTables:
    """Policies compared on the same cases, as tables.

    Amounts are whole fen and points integers of 10**-places, as in a settlement; `side_by_side`
    shows them in yuan and points. Differences are to the first policy, relative ones its share;
    NaN where it has no money. Money is what the year's points are worth, v·Q, less B where the
    point value is that of the total cost: a hospital's entitlement before audit, incentive pool
    and bands.

    Parameters
    ----------
    year : int
        The year.
    policies : tuple of str
        The policies' labels, the first is the one that the others are compared with.
    places : int
        Decimals of a point.
    hospitals, levels, mdcs, classes : pandas.DataFrame
        One row a pool, hospital (level, MDC, case class) and policy: `cases`, `outside_cases` (of
        them outside the points), `points`, `money_fen`, `outside_fen` (paid by item for those
        outside), `points_difference`, `difference_fen`, `relative_difference`. An MDC or level of
        '' stands for cases without. In each of them money adds up to that of the pools.
    pools : pandas.DataFrame
        One row a pool and policy: how the budget becomes the point value [yuan per point], and
        what reserve, ceiling and floor take and give.
    differences : pandas.DataFrame
        `policy`, `path`, `before`, `after`, `parameter` (the path in words): in what parameters a
        policy differs from the first.
    """

    year: int
    policies: tuple[str, ...]
    places: int
    hospitals: pd.DataFrame
    levels: pd.DataFrame
    mdcs: pd.DataFrame
    classes: pd.DataFrame
    pools: pd.DataFrame
    differences: pd.DataFrame

    @property
    def winners(self) -> pd.DataFrame:
        """Hospitals with more money than under the first policy, pools together, most first."""
        return gains(self.hospitals, self.policies, 1)

    @property
    def losers(self) -> pd.DataFrame:
        """Hospitals with less money than under the first policy, pools together, most first."""
        return gains(self.hospitals, self.policies, -1)

    def side_by_side(self, table: str) -> pd.DataFrame:
        """Give a table with the policies beside each other, as people read it.

        Parameters
        ----------
        table : str
            `hospitals`, `levels`, `mdcs`, `classes`, `pools`, `winners` or `losers`.

        Returns
        -------
        pandas.DataFrame
            One row a hospital and so on with columns for each policy; winners and losers remain
            one row a policy. Amounts in yuan and points are exact decimals.

        Raises
        ------
        DrgcoreError
            If there is no such table.

        Examples
        --------
        >>> import datetime
        >>> from drgcore import Policy, compare
        >>> policy = Policy.load("example").with_changes({"budget": {"pools": {"resident": {
        ...     "budget": 0}}}})
        >>> case = {"case_id": "1", "hospital": "H01", "pool": "employee", "drg": "ES23"}
        >>> case |= {"status": "grouped", "discharge_date": datetime.date(2027, 1, 31)}
        >>> case |= {"length_of_stay": 8, "total_cost": 15000.0, "patient_paid": 4000.0}
        >>> same = compare(pd.DataFrame([case]), {"a": policy, "b": policy}, year=2027)
        >>> table = same.side_by_side("hospitals")
        >>> table.loc[0, ["hospital", "a: points", "b: difference"]].tolist()
        ['H01', Decimal('155.2830'), Decimal('0.00')]
        """
        if table not in TABLES:
            raise DrgcoreError(
                _("there is no table {table!r}", table=table),
                hint=_("take {tables}", tables=", ".join(TABLES)),
            )
        found = getattr(self, table)
        if table in ("winners", "losers"):
            return in_yuan(found, self.places)
        return side_by_side(found, self.policies, self.places)

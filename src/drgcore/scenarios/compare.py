"""The same cases under several policies, side by side (测算对比)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from drgcore.budget.policy_terms import terms_of
from drgcore.budget.terms import Terms
from drgcore.errors import DrgcoreError, PolicyError
from drgcore.language import _
from drgcore.points.policy import Policy
from drgcore.points.records import CLASSES
from drgcore.progress import tracked
from drgcore.scenarios.comparison import ComparisonTables
from drgcore.scenarios.differences import policy_differences
from drgcore.scenarios.export import write_csv, write_excel
from drgcore.scenarios.side import PoolSide, pool_sides
from drgcore.scenarios.sums import add_up, case_columns, labels_of, listed_levels
from drgcore.scenarios.tables import amount_table, pool_table


class Comparison(ComparisonTables):
    """Policies compared on the same cases; see `ComparisonTables` for what it holds."""

    def to_csv(self, folder: str | Path) -> None:
        """Write all tables as .csv, one row a policy, amounts in yuan.

        Parameters
        ----------
        folder : str or Path
            Made if it is not there. Each file is written whole. A text that a spreadsheet would
            take for a formula is written behind an apostrophe.

        Examples
        --------
        >>> import datetime, tempfile
        >>> policy = Policy.load("example").with_changes({"budget": {"pools": {"resident": {
        ...     "budget": 0}}}})
        >>> case = {"case_id": "1", "hospital": "H01", "pool": "employee", "drg": "ES23"}
        >>> case |= {"status": "grouped", "discharge_date": datetime.date(2027, 1, 31)}
        >>> case |= {"length_of_stay": 8, "total_cost": 15000.0, "patient_paid": 4000.0}
        >>> found = compare(pd.DataFrame([case]), {"as is": policy}, year=2027)
        >>> folder = Path(tempfile.mkdtemp())
        >>> found.to_csv(folder)
        >>> sorted(file.stem for file in folder.iterdir())[:3]
        ['classes', 'differences', 'hospitals']
        """
        write_csv(self, Path(folder))

    def to_excel(self, path: str | Path, *, notes: Mapping[str, str] | None = None) -> None:
        """Write a workbook for a round of negotiation.

        Parameters
        ----------
        path : str or Path
            The .xlsx file, written whole.
        notes : mapping of str to str, optional
            What to say of a policy on the first sheet, for example its round and date.

        Raises
        ------
        DrgcoreError
            If XlsxWriter is not installed, or a note is on no policy.

        Examples
        --------
        >>> import datetime, tempfile
        >>> policy = Policy.load("example").with_changes({"budget": {"pools": {"resident": {
        ...     "budget": 0}}}})
        >>> case = {"case_id": "1", "hospital": "H01", "pool": "employee", "drg": "ES23"}
        >>> case |= {"status": "grouped", "discharge_date": datetime.date(2027, 1, 31)}
        >>> case |= {"length_of_stay": 8, "total_cost": 15000.0, "patient_paid": 4000.0}
        >>> found = compare(pd.DataFrame([case]), {"as is": policy}, year=2027)
        >>> path = Path(tempfile.mkdtemp()) / "round 2.xlsx"
        >>> found.to_excel(path, notes={"as is": "2027-03-02, before the second round"})
        >>> path.exists()
        True
        """
        write_excel(self, Path(path), notes or {})


def compare(
    cases: Any,
    policies: Mapping[str, Policy],
    *,
    year: int,
    decisions: Any = None,
    items: Any = None,
) -> Comparison:
    """Compute the same cases under several policies and set what they earn side by side.

    Parameters
    ----------
    cases : pandas.DataFrame or anything with the Arrow PyCapsule interface
        Grouped cases of the year, see `compute_points`; points that they have are not looked at.
        `mdc` where the MDC is not the letter that the DRG begins with.
    policies : mapping of str to Policy
        The policies by label; the first is the one that the others are compared with. See
        `Policy.with_changes` and `Policy.with_base_points` for variants.
    year : int
        The year. Yearly parameters are those of its last day, those of cases of the discharge.
    decisions : DataFrame or table, optional
        What panels decided, see `compute_points`.
    items : DataFrame or table, optional
        Items paid on top of points: `case_id`, `item`, `cost` [yuan]. Each policy looks them up in
        its own lists, in place of the column `on_top_amount`; one without lists pays none of them.

    Returns
    -------
    Comparison
        The tables. No hospital is left out: each pool has every hospital that has cases anywhere
        or that a policy names.

    Raises
    ------
    PolicyError
        For no policy, policies with other pools, one that does not apply in the year or lacks a
        number that a case needs; for items of which no policy has a list.
    BudgetError
        For a pool with money and no points.
    CaseSchemaError
        For cases that cannot be read.

    Examples
    --------
    >>> import datetime
    >>> policy = Policy.load("example").with_changes({"budget": {"pools": {"resident": {
    ...     "budget": 0}}}})
    >>> base = {"pool": "employee", "status": "grouped", "length_of_stay": 8}
    >>> base |= {"discharge_date": datetime.date(2027, 1, 31), "patient_paid": 4000.0}
    >>> cases = pd.DataFrame([
    ...     {"case_id": "1", "hospital": "H01", "drg": "ES23", "total_cost": 15000.0, **base},
    ...     {"case_id": "2", "hospital": "H12", "drg": "GB19", "total_cost": 15000.0, **base}])
    >>> lower = policy.with_changes({"base_points": {"frozen": {"ES23": 100}}})
    >>> found = compare(cases, {"as is": policy, "round 2": lower}, year=2027)
    >>> found.losers[["policy", "hospital"]].values.tolist()
    [['round 2', 'H01']]
    >>> found.differences["path"].tolist()
    ['base_points.frozen.ES23', 'base points of ES23']
    """
    if not policies:
        raise PolicyError(
            _("there is no policy to compare"), hint=_("give at least one, by its label")
        )
    if items is not None and all(policy.on_top is None for policy in policies.values()):
        raise PolicyError(
            _("there are items on top of points, but no policy has lists of them"),
            hint=_("add [on_top] with its lists"),
        )
    labels = list(policies)
    of_year: list[Policy] = []
    terms: list[Terms] = []
    for label in labels:
        with _named(label):
            of_year.append(policies[label].for_year(year))
            terms.append(terms_of(policies[label], year))
    _check_pools(dict(zip(labels, terms, strict=True)))
    table = case_columns(cases, list(policies.values()))
    found = labels_of(table, of_year)
    hospitals = sorted(
        {hospital for hospital, _ in found.sites}
        | {hospital for one in terms for hospital in one.hospitals}
        | {hospital for one in terms for unit in one.units for hospital in unit.hospitals}
    )
    listed = listed_levels(of_year)
    levels = sorted({level for _, level in found.sites} | set(listed.values()))
    sides: list[list[PoolSide]] = []
    for label, one in tracked(
        list(zip(labels, terms, strict=True)), _("comparing policies"), _("policies")
    ):
        with _named(label):
            sums = add_up(table, found, policies[label], one, decisions, items)
            sides.append(pool_sides(sums, found, hospitals, levels, one))
    places = max(one.point_places for one in terms)
    units = [10 ** (places - one.point_places) for one in terms]
    own: dict[str, list[str]] = {}
    for hospital, level in found.sites:
        own.setdefault(hospital, []).append(level)
    level_of = {h: ", ".join(filter(None, own.get(h, [listed.get(h, "")]))) for h in hospitals}
    pools = list(zip(*sides, strict=True))

    def table_of(what: str, column: str, names: Sequence[str]) -> pd.DataFrame:
        rows = (
            ((pool[0].terms.pool, name), [getattr(side, what)[name] for side in pool])
            for pool in pools
            for name in names
        )
        return amount_table(["pool", column], rows, labels, units)

    by_hospital = table_of("hospitals", "hospital", hospitals)
    by_hospital.insert(2, "level", by_hospital["hospital"].map(level_of))
    return Comparison(
        year,
        tuple(labels),
        places,
        by_hospital,
        table_of("levels", "level", levels),
        table_of("mdcs", "mdc", found.mdcs),
        table_of("classes", "case_class", CLASSES),
        pool_table(pools, labels, units),
        policy_differences(policies, year),
    )


def _check_pools(terms: Mapping[str, Terms]) -> None:
    pools = {label: [pool.pool for pool in one.pools] for label, one in terms.items()}
    first = next(iter(pools))
    for label, names in pools.items():
        if names != pools[first]:
            raise PolicyError(
                _(
                    "the pools of {label} are {names}, those of {first} {pools}",
                    label=label,
                    names=", ".join(names),
                    first=first,
                    pools=", ".join(pools[first]),
                ),
                hint=_("compare policies of the same pools; a pool may have a budget of 0"),
            )


@contextmanager
def _named(label: str) -> Iterator[None]:
    """Name the policy in an error: variants of one policy all have its name."""
    try:
        yield
    except DrgcoreError as error:
        error.where = f"{label}: {error.where}" if error.where else label
        raise

"""A region's policy (支付政策): one TOML file in which every number of the payment stands."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import PrivateAttr, ValidationError

from drgcore.errors import PolicyError
from drgcore.language import _
from drgcore.points.amendments import within_year
from drgcore.points.asked import asked_for
from drgcore.points.fund_rules import SHARED, PoolBudget
from drgcore.points.inline_groups import inline_groups, replace_groups
from drgcore.points.policy_file import (
    check_dates,
    check_table,
    file_beside,
    find_policy,
    merge,
    named_files,
    read_toml,
    resolve,
    without_blanks,
)
from drgcore.points.policy_parameters import PolicyParameters
from drgcore.points.problems import Problem, once_for_all_pools, problems_of, refused


class Policy(PolicyParameters):
    """All parameters of a region's payment, as they apply from a date on.

    Examples
    --------
    >>> policy = Policy.load("example")
    >>> policy.for_year(2027).rounding.points
    4
    """

    _data: dict[str, Any] = PrivateAttr(default_factory=dict)
    _folder: Path | None = PrivateAttr(default=None)

    @classmethod
    def load(cls, path: str | Path) -> Policy:
        """Read a policy file, or a preset by its name.

        Parameters
        ----------
        path : str or Path
            A TOML file, or one of `PRESETS`.

        Returns
        -------
        Policy
            The policy, with amendments still dated; `for_year` or `at` resolves them.

        Raises
        ------
        PolicyError
            Lists every parameter that is wrong, with its path, and asks for every one that is
            empty.

        Examples
        --------
        >>> Policy.load("example").fictitious
        True
        """
        file = find_policy(path)
        return cls.from_data(read_toml(file), folder=file.parent, where=str(path))

    @classmethod
    def from_data(
        cls, data: Mapping[str, Any], *, folder: Path | None = None, where: str = "policy"
    ) -> Policy:
        """Make a policy from the nested tables of a file.

        Parameters
        ----------
        data : mapping
            As `tomllib` reads it.
        folder : Path, optional
            Folder that files named in the policy are relative to.
        where : str
            Name for messages.

        Returns
        -------
        Policy
            The policy; errors are those of `load`.

        Examples
        --------
        >>> Policy.from_data({"name": "mine"})
        Traceback (most recent call last):
        drgcore.errors.PolicyError: policy: ... parameters are not filled in, 0 are wrong...
        """
        policy, problems = build(data, folder)
        if policy is None:
            raise refused(problems, where)
        return policy

    def at(self, day: date) -> Policy:
        """Give the policy as it applies on a day, amendments worked in.

        Parameters
        ----------
        day : datetime.date
            The day, for example of discharge.

        Returns
        -------
        Policy
            The policy, whose `amendments` are empty and whose effective dates are those of the
            period in which nothing changes.

        Raises
        ------
        PolicyError
            If the policy does not apply on that day.

        Examples
        --------
        >>> Policy.load("example").at(date(2027, 6, 30)).amendments
        ()
        """
        if day < self.effective_from or (self.effective_to and day > self.effective_to):
            since = self.effective_from
            until = _(" to {day}", day=self.effective_to) if self.effective_to else ""
            raise PolicyError(
                _(
                    "it applies from {since}{until}, not on {day}",
                    since=since,
                    until=until,
                    day=day,
                ),
                where=_("policy {name}", name=self.name),
                hint=_("correct effective_from and effective_to, or take the policy of that day"),
            )
        if not self.amendments:
            return self
        where = _("policy {name} at {day}", name=self.name, day=day)
        return Policy.from_data(resolve(self._data, day), folder=self._folder, where=where)

    def for_year(self, year: int) -> Policy:
        """Give the parameters of a settlement year: those of its last day.

        Parameters of cases may change within the year; `compute_points` resolves them by the day of
        discharge. Those of a month's payment are the ones in force on its first day, see
        `drgcore.terms_of`; the rules of the year end change on 1 January only.

        Parameters
        ----------
        year : int
            The year.

        Returns
        -------
        Policy
            The policy without amendments.

        Examples
        --------
        >>> sorted(Policy.load("example").for_year(2027).budget.pools)
        ['employee', 'resident']
        """
        return self.at(date(year, 12, 31))

    def periods(self) -> tuple[Policy, ...]:
        """Give the policies of all periods in which nothing changes, in order.

        Returns
        -------
        tuple of Policy
            One for the policy itself and one for each amendment.

        Examples
        --------
        >>> len(Policy.load("example").periods())
        1
        """
        days = [self.effective_from, *(amendment["from"] for amendment in self.amendments)]
        return tuple(self.at(day) for day in days)

    def reference_value(self, pool: str) -> Decimal | None:
        """Give the point value that a pool's floor and ceiling are multiples of.

        Parameters
        ----------
        pool : str
            The pool.

        Returns
        -------
        Decimal or None
            Last year's value, or mean cost over scale [yuan per point]; None without reference.

        Examples
        --------
        >>> Policy.load("example").reference_value("employee")
        Decimal('100')
        """
        terms = self.budget.pools[pool]
        if not isinstance(terms, PoolBudget):
            return None
        if terms.reference == "last_year":
            return terms.last_value
        if terms.reference == "mean_cost":
            return self.base_points.mean_cost / self.base_points.scale
        return None

    def with_months(self, shares: Mapping[str, Sequence[Any]]) -> Policy:
        """Fill in monthly shares, for example forecast ones.

        Parameters
        ----------
        shares : mapping of str to sequence
            Twelve shares for each pool named, which add up to exactly 1; decimals, or texts.

        Returns
        -------
        Policy
            The policy with these shares, for every period.

        Examples
        --------
        >>> shares = ["0.08"] * 11 + ["0.12"]
        >>> policy = Policy.load("example").with_months({"employee": shares})
        >>> policy.budget.pools["employee"].months[11]
        Decimal('0.12')
        """
        pools = {pool: {"months": tuple(months)} for pool, months in shares.items()}
        return self.with_changes({"budget": {"pools": pools}})

    def with_changes(self, changes: Mapping[str, Any]) -> Policy:
        """Give a variant of the policy, for example for a round of negotiation.

        Parameters
        ----------
        changes : mapping
            Nested tables as an amendment has them: a table is merged into the one of that name, any
            other value replaces the old one, a list as a whole. An empty text takes a parameter
            away. They hold for every period, whatever amendments say.

        Returns
        -------
        Policy
            The variant; files named in it are those of the policy's folder.

        Raises
        ------
        PolicyError
            Names each parameter that is wrong by its path.

        Examples
        --------
        >>> policy = Policy.load("example")
        >>> variant = policy.with_changes({"outliers": {"low": {"multiples": 0.5}}})
        >>> str(policy.outliers.low.multiples), str(variant.outliers.low.multiples)
        ('0.4', '0.5')
        """
        if "amendments" in changes:
            raise PolicyError(
                _("amendments cannot be changed; the changes themselves hold for every period"),
                where=_("policy {name}", name=self.name),
            )
        data = merge(self._data, changes)
        data["amendments"] = [merge(amendment, changes) for amendment in self.amendments]
        where = _("policy {name}, changed", name=self.name)
        return Policy.from_data(data, folder=self._folder, where=where)

    def with_base_points(self, table: Any) -> Policy:
        """Give a variant of the policy with base points from a computed table.

        Parameters
        ----------
        table : DataFrame, Arrow table or mapping
            `drg`, `base_points` [points], and `mean_cost` [yuan], `cases`, `cv`, `stable` where the
            policy's rules use them; or a mapping of DRG to points or to such a row.

        Returns
        -------
        Policy
            The variant, whose table, for every period, is the one given. What stands beside the
            table stays: scale, mean cost of all cases, factor, frozen base points.

        Raises
        ------
        PolicyError
            For a table that lacks a DRG's code or points, or in which a DRG occurs twice.

        Examples
        --------
        >>> policy = Policy.load("example").with_base_points({"BR13": "120.5"})
        >>> policy.base_points.groups["BR13"].base_points
        Decimal('120.5')
        """
        data = replace_groups(self._data, inline_groups(table))
        where = _("policy {name}, changed", name=self.name)
        return Policy.from_data(data, folder=self._folder, where=where)

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the files that the policy reads, relative to its folder."""
        return tuple(sorted(named_files(self._data)))

    @cached_property
    def text(self) -> str:
        """The policy as one line of JSON, with a digest of each file it names.

        Two policies with the same text pay the same; the ledger stores it with a closing.
        """
        files = {
            name: hashlib.sha256(self.path_of(name).read_bytes()).hexdigest() for name in self.files
        }
        whole = {"policy": self._data, "files": files}
        return json.dumps(whole, ensure_ascii=False, sort_keys=True, default=str)

    def path_of(self, name: str) -> Path:
        """Give the place of a file that the policy names.

        Parameters
        ----------
        name : str
            Name relative to the policy's folder.

        Returns
        -------
        Path
            Where it is.

        Examples
        --------
        >>> Policy.load("example").path_of("example-base-points.csv").name
        'example-base-points.csv'
        """
        return file_beside(self._folder, name, self.name)


def build(
    data: Mapping[str, Any], folder: Path | None = None
) -> tuple[Policy | None, list[Problem]]:
    """Validate the tables of a policy file, each amendment worked in.

    Parameters
    ----------
    data : mapping
        As `tomllib` reads it. An empty string counts as not filled in.
    folder : Path, optional
        Folder that files named in the policy are relative to.

    Returns
    -------
    policy : Policy or None
        None if there are problems.
    problems : list of Problem
        All of them.

    Examples
    --------
    >>> build({"name": ""})[1][0].path
    'name'
    """
    filled = without_blanks(data)
    later = filled.get("amendments", [])
    problems = check_dates(filled, later)
    if problems:
        return None, problems
    policy = None
    try:
        policy = Policy.model_validate(filled)
    except ValidationError as error:
        problems = problems_of(error, Policy)
        problems = list(dict.fromkeys([*check_table(filled), *problems]))
    problems += asked_for(filled, Policy)
    seen = {(problem.path, problem.message) for problem in problems}
    before = policy
    for number, amendment in enumerate(later, 1):
        day = amendment["from"]
        try:
            now = Policy.model_validate(resolve(filled, day))
        except ValidationError as error:
            for problem in problems_of(error, Policy):
                if (problem.path, problem.message) not in seen:
                    place = f"amendments.{number} ({day}).{problem.path}"
                    problems.append(Problem(place, problem.message, problem.missing))
            continue
        if before is not None:
            problems += within_year(before, now, day, f"amendments.{number} ({day})")
        before = now
    if problems or policy is None:
        return None, once_for_all_pools(problems, SHARED)
    policy._data, policy._folder = filled, folder
    return policy, []

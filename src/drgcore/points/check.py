"""Checking a policy file: what is wrong, what is still asked for, what looks odd."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from drgcore.errors import PolicyError
from drgcore.language import _
from drgcore.points.coefficient_rules import HospitalGroupComponent, LevelCostComponent
from drgcore.points.coefficients import basic_groups
from drgcore.points.payment_rules import ByClass, ValuePool
from drgcore.points.policy import Policy, build
from drgcore.points.policy_file import find_policy, read_toml
from drgcore.points.problems import Problem
from drgcore.points.records import CLASSES
from drgcore.points.sources import sources_without_parameter
from drgcore.points.tables import coefficient_rows, group_table
from drgcore.points.unread import unread_parameters


@dataclass(frozen=True)
class PolicyReport:
    """What a check found.

    Parameters
    ----------
    path : Path
        The file.
    problems : tuple of Problem
        Faults and empty parameters.
    warnings : tuple of str
        What is possible but odd.
    policy : Policy or None
        The policy, if it has no problems.
    """

    path: Path
    problems: tuple[Problem, ...]
    warnings: tuple[str, ...] = ()
    policy: Policy | None = None

    @property
    def ok(self) -> bool:
        """Whether the policy can be used."""
        return not self.problems


def check_policy(path: str | Path) -> PolicyReport:
    """Check a policy file or preset with the tables that it names.

    Parameters
    ----------
    path : str or Path
        A TOML file or the name of a preset.

    Returns
    -------
    PolicyReport
        All findings; none is raised, but for a file that is not there or no TOML.

    Examples
    --------
    >>> report = check_policy("shanwei")
    >>> report.ok, all(problem.missing for problem in report.problems)
    (False, True)
    """
    file = find_policy(path)
    data = read_toml(file)
    policy, problems = build(data, file.parent)
    warnings = [
        _("a source is said to give {name}, which the policy does not have", name=name)
        for name in sources_without_parameter(data)
    ]
    if policy is None:
        return PolicyReport(file, tuple(problems), tuple(warnings))
    for period in policy.periods():
        try:
            warnings += [text for text in _check_tables(period) if text not in warnings]
        except PolicyError as error:
            found = Problem(error.where or "", error.message)
            problems += [] if found in problems else [found]
    return PolicyReport(file, tuple(problems), tuple(warnings), None if problems else policy)


def _check_tables(policy: Policy) -> list[str]:
    """Read a period's tables, which raises where they are wrong, and look for oddities."""
    warnings = unread_parameters(policy)
    table = group_table(policy)
    for tier in policy.base_points.tiers:
        group_table(policy, tier)
    basic_groups(policy.coefficients.same_price_lists)
    for part in policy.coefficients.components:
        if isinstance(part, HospitalGroupComponent | LevelCostComponent):
            coefficient_rows(policy, part)
    zero = int((table.base_points == 0).sum())
    if zero:
        warnings.append(_("{zero} DRGs have 0 base points", zero=zero))
    frozen = policy.base_points.frozen
    unstable = [
        drg
        for drg, kept in zip(table.drgs, table.stable, strict=True)
        if drg in frozen and not kept
    ]
    if unstable:
        warnings.append(
            _(
                "{count} groups with frozen base points are not stable, first {names}: they are "
                "paid as unstable groups are, whatever was agreed",
                count=len(unstable),
                names=", ".join(unstable[:5]),
            )
        )
    # P = m / mean × scale by definition; agreed points differ from it, but not by a unit's factor.
    implied = table.base_points / float(policy.base_points.scale)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = table.mean_cost / float(policy.base_points.mean_cost) / implied
    ratio = ratio[np.isfinite(ratio) & (ratio > 0)]
    if len(ratio) and not 0.2 < float(np.median(ratio)) < 5:
        warnings.append(
            _(
                "mean costs are {times:.3g} times what base points, scale and mean cost of all "
                "cases imply: is one of them in another unit?",
                times=float(np.median(ratio)),
            )
        )
    for name, pool in policy.budget.pools.items():
        if isinstance(pool, ValuePool):
            continue
        if pool.months == "forecast":
            warnings.append(
                _(
                    "the months' shares of {name} must be forecast before a settlement; "
                    "see drgcore.forecast_shares, or `drgcore forecast shares`",
                    name=name,
                )
            )
        if 0 < pool.budget < 10000:
            warnings.append(
                _(
                    "the budget of {name} is {budget} yuan: is it in 万元?",
                    name=name,
                    budget=pool.budget,
                )
            )
    surplus = policy.sharing.surplus
    unknown = sorted(set(surplus.classes) - set(CLASSES)) if isinstance(surplus, ByClass) else []
    if unknown:
        warnings.append(
            _(
                "sharing.surplus names {names}, which no case is classed as",
                names=", ".join(unknown),
            )
        )
    if not policy.articles and not policy.fictitious:
        warnings.append(_("no articles are given, so an explained payment cannot name them"))
    return warnings

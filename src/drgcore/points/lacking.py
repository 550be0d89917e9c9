"""Cases for which a policy lacks a number: refused, with what is to be added."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from drgcore.errors import PolicyError
from drgcore.language import _
from drgcore.points.case_columns import CaseColumns, warn_of_magnitudes
from drgcore.points.coefficients import Site, lacking
from drgcore.points.policy import Policy
from drgcore.points.records import (
    NO_BASE_POINTS,
    NO_COEFFICIENT,
    NO_PANEL_POINTS,
    UNKNOWN,
    Factors,
    Rows,
    Rules,
)


def check_numbers(
    columns: CaseColumns,
    rows: Rows,
    rules: Rules,
    factors: Factors,
    policy: Policy,
    sites: Sequence[Site],
) -> None:
    """Refuse cases for which the policy lacks a number, and warn of a wrong unit of cost.

    Parameters
    ----------
    columns : CaseColumns
        All cases.
    rows : Rows
        Those of one segment.
    rules : Rules
        Its rules.
    factors : Factors
        What the loop found.
    policy : Policy
        The policy, resolved to the segment's days.
    sites : sequence of (hospital, level)
        The rows of `rules.k`.

    Raises
    ------
    PolicyError
        For groups without base points, hospitals without coefficient, cases without the panel's
        points.

    Warns
    -----
    CaseWarning
        If costs look like fen.
    """
    where = _("policy {name}", name=policy.name)
    lacking_points = factors.reason == NO_BASE_POINTS
    if lacking_points.any():
        counts = np.bincount(rows.drg[lacking_points] + 1, minlength=len(columns.drg.names) + 1)
        names = ["no DRG", *columns.drg.names]
        order = sorted(np.flatnonzero(counts), key=lambda code: (-counts[code], names[code]))
        groups = [f"{names[code]} ({counts[code]} cases)" for code in order]
        raise PolicyError(
            _(
                "{count} groups of {total} cases have no base points",
                count=len(order),
                total=int(lacking_points.sum()),
            ),
            where=where,
            hint=_(
                "add them to the table, or set base_points.missing: {groups}",
                groups=", ".join(groups),
            ),
        )
    no_k = factors.reason == NO_COEFFICIENT
    if no_k.any():
        at = rules.site_of[rows.hospital * rules.levels + rows.level + 1][no_k]
        width = len(columns.drg.names)
        pairs = np.unique(at * np.int64(width) + rows.drg[no_k])
        without = [(sites[pair // width], columns.drg.names[pair % width]) for pair in pairs]
        (hospital, level), drg = without[0]
        raise PolicyError(
            _(
                "{count} cases have no coefficient, first one of hospital "
                "{hospital} (level {level}) in {drg}",
                count=int(no_k.sum()),
                hospital=hospital,
                level=level,
                drg=drg,
            ),
            where=where,
            hint=_(
                "{without}; add it, or set otherwise or fallbacks",
                without="; ".join(lacking(policy, without)),
            ),
        )
    silent = factors.reason == NO_PANEL_POINTS
    if silent.any():
        raise PolicyError(
            _("the panel gave no points for {count} cases", count=int(silent.sum())),
            where=where,
            hint=_("give points in the decisions, or set special_review.without_points to by_cost"),
        )
    # Some ten thousand cases say as much of the unit of cost as all of them.
    step = max(1, len(rows.cost) // 20_000)
    drg, cost = rows.drg[::step], rows.cost[::step]
    mean = np.where(np.isnan(rules.mean), rules.region_mean, rules.mean)[drg]
    grouped = rules.state[drg] != UNKNOWN
    warn_of_magnitudes(cost[grouped], mean[grouped])

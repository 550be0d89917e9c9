"""What panels decided of single cases (特病单议)."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drgcore.cases.attributes import numbers_of, select_columns
from drgcore.cases.repeated import CaseWarning
from drgcore.errors import CaseSchemaError, PolicyError
from drgcore.language import _
from drgcore.points.case_columns import CaseColumns
from drgcore.points.policy import Policy
from drgcore.points.records import GRANTED, Factors

DECISIONS = ("", "special", "added", "outside", "refused")
"""Decisions in the order of the loop's numbers: points, the added part, by item, none."""


def read_decisions(
    columns: CaseColumns, policy: Policy, decisions: Any
) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    """Give each case's decision and the points granted; empty arrays where there are none.

    Parameters
    ----------
    columns : CaseColumns
        The cases.
    policy : Policy
        The policy.
    decisions : DataFrame or table or None
        `case_id`, `decision` and `points`, see `compute_points`.

    Returns
    -------
    decision : ndarray of int8
        Index into `DECISIONS`.
    granted : ndarray of float64
        Points; NaN where none were given.

    Raises
    ------
    CaseSchemaError
        For a decision that is none of `DECISIONS`, two on one case, or negative points.
    PolicyError
        For a decision that the policy does not know.
    """
    if decisions is None or not len(decisions):
        return np.empty(0, np.int8), np.empty(0)
    table = select_columns(decisions, ["case_id", "decision", "points"])
    for name in ("case_id", "decision", "points"):
        if name not in table.column_names:
            raise CaseSchemaError(
                _("the decisions have no column {name}", name=name), where="decisions"
            )
    frame = table.to_pandas()
    ids, kinds = frame["case_id"].astype(str), frame["decision"].astype(str)
    if ids.duplicated().any():
        twice = ids[ids.duplicated()].iloc[0]
        raise CaseSchemaError(
            _("there are two decisions on case {twice}", twice=twice), where="decisions"
        )
    unknown = sorted(set(kinds) - set(DECISIONS[1:]))
    if unknown:
        raise CaseSchemaError(
            _(
                "the decision is {unknown}; it must be special or added, outside or refused",
                unknown=unknown[0],
            ),
            where="decisions",
        )
    points = numbers_of(table, "points")
    if (~np.isnan(points) & ~(np.isfinite(points) & (points >= 0))).any():
        raise CaseSchemaError(_("points are negative or no number"), where="decisions")
    _check_kinds(policy, set(kinds))
    place = pc.index_in(pc.cast(columns.ids, pa.large_string()), pa.array(ids, pa.large_string()))
    found = pc.fill_null(place, -1).to_numpy()
    warn_of_unmatched(len(ids) - int((found >= 0).sum()))
    code = np.array([*(DECISIONS.index(kind) for kind in kinds), 0], np.int8)
    return code[found], np.append(points, np.nan)[found]


def _check_kinds(policy: Policy, kinds: set[str]) -> None:
    periods = policy.periods()
    if kinds & {"special", "outside", "refused"} and any(p.special_review is None for p in periods):
        raise PolicyError(
            _("there are decisions of a special review, but the policy has no special_review"),
            where=_("policy {name}", name=policy.name),
        )
    if "added" in kinds and all(p.outliers.high.rule != "added_reviewed" for p in periods):
        raise PolicyError(
            _("there are decisions on added points, but outliers.high.rule is not added_reviewed"),
            where=_("policy {name}", name=policy.name),
        )


def warn_of_unmatched(without: int) -> None:
    """Warn of a number of decisions that concern none of the cases."""
    if without:
        warnings.warn(
            _("{without} decisions concern none of the cases", without=without),
            CaseWarning,
            stacklevel=4,
        )


def warn_of_unused_grants(decision: NDArray[np.int8], factors: Factors) -> None:
    """Warn of added points granted to cases that are no high-cost outliers.

    Parameters
    ----------
    decision : ndarray of int8
        What `read_decisions` gives.
    factors : Factors
        The classes of the cases.

    Warns
    -----
    CaseWarning
        With the number of such decisions.
    """
    if not len(decision):
        return
    warn_of_unused(int(((decision == GRANTED) & (factors.case_class != 1)).sum()))


def warn_of_unused(unused: int) -> None:
    """Warn of a number of decisions that grant added points to other cases than high-cost ones."""
    if unused:
        warnings.warn(
            _(
                "{unused} decisions grant added points to cases that are not high_cost",
                unused=unused,
            ),
            CaseWarning,
            stacklevel=4,
        )

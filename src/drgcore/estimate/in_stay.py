"""Patients in house: likely groups, payment, cost and days so far; warnings and their reasons."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from drgcore.cases import CaseMapping, open_cases
from drgcore.cases.attributes import numbers_of
from drgcore.cases.codes import MISSING, UNKNOWN
from drgcore.cases.guessing import mapping_for
from drgcore.errors import CaseSchemaError
from drgcore.estimate.likely import LikelyGroups, contexts_of
from drgcore.estimate.prices import weights_by_drg
from drgcore.grouper.batch import BatchGrouper
from drgcore.language import N_, Texts, _

WARNINGS: Mapping[str, str] = Texts(
    {
        "no_estimate": N_("there is no estimate yet, see `missing`"),
        "beyond_high": N_("the cost is beyond the high-cost limit of the likeliest group"),
        "above_payment": N_("the cost is above the payment to be expected"),
        "near_payment": N_("the cost is above 80 % of the payment to be expected"),
        "long_stay": N_("the stay is longer than 1.5 times the mean of the likeliest group"),
    }
)
"""Reason of a warning → what it means, in the language that is spoken; the gravest first."""

_LEVELS = {
    "beyond_high": "critical",
    "above_payment": "warning",
    "near_payment": "notice",
    "long_stay": "notice",
    "no_estimate": "unknown",
}
IN_STAY_COLUMNS = (
    *("row", "case_id", "drg_now", "status_now", "drg", "probability", "second", "second_share"),
    *("third", "third_share", "expected_payment", "mean_cost", "cost", "cost_ratio"),
    *("high_limit", "low_limit", "mean_days", "days", "level", "warning", "missing"),
)


def estimate_in_stay(
    patients: Any,
    likely: LikelyGroups,
    *,
    mapping: str | Path | CaseMapping = "canonical",
    clinical_codes: bool = False,
    case_id: str = "case_id",
    payments: Any = None,
    high: float | None = None,
    low: float | None = None,
) -> pd.DataFrame:
    """Estimate group and payment of patients who are still in house (在院预估).

    Parameters
    ----------
    patients : anything that `group` takes
        One row a patient: the codes so far, sex and age; `total_cost` so far [yuan] and
        `length_of_stay` so far [days] where they are known.
    likely : LikelyGroups
        What `fit_likely_groups` learned from finished cases.
    mapping, clinical_codes
        As for `group`.
    case_id : str
        Column with the id of a case.
    payments : mapping of str to float, or table, optional
        Expected payment by DRG [yuan]: rate × weight, or base points × expected value. Without it
        there is no expected payment and no warning by it.
    high, low : float, optional
        Multiples of the group's mean at which outliers begin, as the region's policy says. Without
        them costs are compared with no limit.

    Returns
    -------
    pandas.DataFrame
        One row a patient, `IN_STAY_COLUMNS`: the group as coded so far; the three likeliest final
        groups with their shares; the payment to be expected over all groups, ``Σ p·payment``, from
        those that have one; mean cost and days of the likeliest group in history; `cost_ratio` =
        cost ÷ mean; `level` (`critical`, `warning`, `notice`, `none`, `unknown`) and `warning`,
        its reason (`WARNINGS`); `missing`, what is not there yet, separated by ``;``. Without a
        principal diagnosis nothing is estimated.

    Examples
    --------
    >>> import drgcore
    >>> from drgcore.estimate import fit_likely_groups
    >>> likely = fit_likely_groups(drgcore.sample_cases(2000, "chs-drg-3.0", seed=1))
    >>> patient = {"principal_diagnosis": [None], "other_diagnoses": [[]], "sex": [1],
    ...     "principal_procedure": [None], "other_procedures": [[]], "age_years": [50]}
    >>> estimate_in_stay(patient, likely)[["level", "warning", "missing"]].values.tolist()
    [['unknown', 'no_estimate', 'principal_diagnosis;total_cost;length_of_stay']]
    """
    for name, multiple in (("high", high), ("low", low)):
        if multiple is not None and not multiple > 0:
            raise CaseSchemaError(
                _("{name} must be above 0, not {multiple}", name=name, multiple=multiple)
            )
    worth = None if payments is None else weights_by_drg(payments)
    grouper = BatchGrouper.of(likely.scheme, clinical_codes)
    rows: list[dict[str, Any]] = []
    mapping = mapping_for(mapping, patients)
    with open_cases(patients) as source:
        resolved = grouper.resolve(mapping, source.schema)
        source.expect_codes(resolved.code_names())
        for batch in source.batches():
            rows += _of_batch(grouper, batch, resolved, likely, worth, case_id, high, low)
    for number, line in enumerate(rows, 1):
        line["row"] = number
    return pd.DataFrame(rows, columns=list(IN_STAY_COLUMNS))


def _of_batch(
    grouper: BatchGrouper,
    batch: pa.RecordBatch,
    resolved: Any,
    likely: LikelyGroups,
    worth: Mapping[str, float] | None,
    case_id: str,
    high: float | None,
    low: float | None,
) -> list[dict[str, Any]]:
    cases = grouper.encode(batch, resolved)
    results = grouper.group_arrays(cases).columns(grouper.tables)
    now, status = results["drg"].to_pylist(), results["status"].to_pylist()
    table = pa.Table.from_batches([batch])
    cost, days = _numbers(table, "total_cost"), _numbers(table, "length_of_stay")
    ids = [None] * len(table)
    if case_id in table.column_names:
        ids = table.column(case_id).cast(pa.string()).to_pylist()
    value = np.array([np.nan if worth is None else worth.get(g, np.nan) for g in likely.drgs])
    first = cases.principal_diagnosis.tolist()
    history = likely.groups.to_dict("index")
    lines = []
    for at, contexts in enumerate(contexts_of(grouper, cases)):
        line: dict[str, Any] = {"case_id": ids[at], "drg_now": now[at], "status_now": status[at]}
        line |= {"cost": cost[at], "days": days[at], "level": "none", "warning": None}
        line["missing"] = ";".join(
            name
            for name, absent in (
                ("principal_diagnosis", first[at] in (MISSING, UNKNOWN)),
                ("total_cost", np.isnan(cost[at])),
                ("length_of_stay", np.isnan(days[at])),
            )
            if absent
        )
        if first[at] in (MISSING, UNKNOWN):
            lines.append(line | {"level": _LEVELS["no_estimate"], "warning": "no_estimate"})
            continue
        line |= _likeliest(likely, likely.shares(contexts), value, history)
        mean = line["mean_cost"]
        line["cost_ratio"] = cost[at] / mean if mean and mean > 0 else np.nan
        line["high_limit"] = np.nan if high is None else high * mean
        line["low_limit"] = np.nan if low is None else low * mean
        warning = _warning(line)
        if warning is not None:
            line |= {"warning": warning, "level": _LEVELS[warning]}
        lines.append(line)
    return lines


def _likeliest(
    likely: LikelyGroups, share: np.ndarray, value: np.ndarray, history: Mapping[Any, Any]
) -> dict[str, Any]:
    best = np.argsort(-share, kind="stable")[:3].tolist()
    names: list[str | None] = [likely.drgs[at] or None for at in best]
    shares: list[float] = share[best].tolist()
    names += [None] * (3 - len(names))
    shares += [np.nan] * (3 - len(shares))
    known = ~np.isnan(value)
    # Groups without a payment are left out and the rest stands for the whole.
    expected = (
        float((share * np.nan_to_num(value)).sum() / share[known].sum())
        if (share[known].sum() > 0)
        else np.nan
    )
    means = history.get(names[0]) if names[0] else None
    return {
        **dict(zip(("drg", "second", "third"), names, strict=True)),
        **dict(zip(("probability", "second_share", "third_share"), shares, strict=True)),
        "expected_payment": expected,
        "mean_cost": np.nan if means is None else float(means["mean_cost"]),
        "mean_days": np.nan if means is None else float(means["mean_days"]),
    }


def _warning(line: Mapping[str, Any]) -> str | None:
    """The gravest reason that holds; a comparison with what is not known never does."""
    holds = {
        "beyond_high": line["cost"] > line["high_limit"],
        "above_payment": line["cost"] > line["expected_payment"],
        "near_payment": line["cost"] > 0.8 * line["expected_payment"],
        "long_stay": line["days"] > 1.5 * line["mean_days"],
    }
    return next((reason for reason, true in holds.items() if true), None)


def _numbers(table: pa.Table, name: str) -> np.ndarray:
    return numbers_of(table, name) if name in table.column_names else np.full(len(table), np.nan)

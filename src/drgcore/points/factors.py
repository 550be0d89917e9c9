"""Factors of a case: points · Π f, the product within limits, as a step of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drgcore.points.case_columns import CaseColumns
from drgcore.points.list_rules import CaseFactor
from drgcore.points.policy import Policy
from drgcore.points.records import CLASSES
from drgcore.points.records import Factors as Found
from drgcore.points.selection import fulfils
from drgcore.points.wording import number
from drgcore.rounding import round_half_up


def apply_factors(
    columns: CaseColumns, found: Found, period: NDArray[Any], periods: Sequence[Policy]
) -> dict[str, Any]:
    """Multiply points by the factors of each case: ``round(points · Π f)``.

    Parameters
    ----------
    columns : CaseColumns
        The cases.
    found : Factors
        What the loop found; its points are changed.
    period : ndarray of int
        Number of the period of each case.
    periods : sequence of Policy
        The policies of all periods.

    Returns
    -------
    dict of str to column
        `factor`, the product within its limits, and `factor_reason`, the factors by name, such as
        ``TCM 1.05 · key specialty 1.02``; nothing if no policy has factors.
    """
    if all(policy.factors is None for policy in periods):
        return {}
    total = len(columns.cost)
    product, codes = np.ones(total), np.zeros(total, np.int32)
    texts = [""]
    for at, policy in enumerate(periods):
        rows = np.flatnonzero(period == at)
        if policy.factors is None or not len(rows):
            continue
        for factor in policy.factors.each:
            _multiply(factor, columns, found, rows, product, codes, texts)
        low, high = policy.factors.minimum, policy.factors.maximum
        rows = rows[codes[rows] > 0]
        if low is not None:
            product[rows] = np.maximum(product[rows], float(low))
        if high is not None:
            product[rows] = np.minimum(product[rows], float(high))
        places = policy.rounding.points
        found.points[rows] = round_half_up(found.points[rows] * product[rows], places)
    names = pa.DictionaryArray.from_arrays(codes, pa.array(texts))
    return {"factor": product, "factor_reason": names}


def _multiply(
    factor: CaseFactor,
    columns: CaseColumns,
    found: Found,
    rows: NDArray[np.int64],
    product: NDArray[np.float64],
    codes: NDArray[np.int32],
    texts: list[str],
) -> None:
    """Multiply by one factor where it applies, and write its name behind those before it."""
    of_class = np.array([name in factor.classes for name in CLASSES])
    inside = np.zeros(len(product), bool)
    inside[rows] = of_class[found.case_class[rows]]
    inside &= fulfils(factor, columns)
    own = [factor.by_hospital.get(name, factor.value) for name in columns.hospital.names]
    values = np.array([np.nan if value is None else float(value) for value in own])
    inside &= ~np.isnan(values)[columns.hospital.codes]
    at = np.flatnonzero(inside)
    product[at] *= values[columns.hospital.codes[at]]
    # Hospitals with one factor share one text.
    shown = np.array([own.index(value) for value in own], np.int32)
    pair = codes[at] * np.int64(len(own)) + shown[columns.hospital.codes[at]]
    kinds, which = np.unique(pair, return_inverse=True)
    new = []
    for kind in kinds.tolist():
        before, hospital = divmod(kind, len(own))
        text = f"{factor.name} {number(own[hospital])}"
        text = f"{texts[before]} · {text}" if before else text
        if text not in texts:
            texts.append(text)
        new.append(texts.index(text))
    codes[at] = np.array(new, np.int32)[which] if len(at) else codes[at]

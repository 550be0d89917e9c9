"""All indicators of the units of a tally, with numerator, denominator and what spread needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drgcore.indicators import formulas as f
from drgcore.indicators.kernel import MEASURES
from drgcore.indicators.tally import Tally
from drgcore.language import N_

Floats = NDArray[np.float64]


class Kind(NamedTuple):
    """What is to be known of an indicator.

    `column` is what the cases must have for it, `lacking` the reason where the denominator is 0,
    `interval` how its interval is found, `ratio` the formula of numerator and denominator.
    """

    column: str
    lacking: str
    interval: str
    ratio: Callable[[Floats, Floats], Floats] | None


# Up to so many pairs of unit and group have a table of them all.
_TABLE = 1 << 26

_NO_SEVERITY = N_("no grouped case with a severity")

INDICATORS: dict[str, Kind] = {
    "cases": Kind("drg", "", "", None),
    "grouped_cases": Kind("drg", "", "", None),
    "total_weight": Kind("total_cost", N_("no grouped case with a weight"), "", None),
    "groups": Kind("drg", "", "", None),
    "cmi": Kind("total_cost", N_("no grouped case with a weight"), "mean", f.case_mix_index),
    "cost_index": Kind("total_cost", N_("no grouped case with a cost"), "mean", f.cost_index),
    "time_index": Kind("length_of_stay", N_("no grouped case with a stay"), "mean", f.time_index),
    "mean_cost": Kind("total_cost", N_("no case with a cost"), "mean", f.average_stay),
    "average_stay": Kind("length_of_stay", N_("no case with a stay"), "mean", f.average_stay),
    "mortality": Kind("leaving_way", N_("no case with a way of leaving"), "share", f.mortality),
    "low_risk_mortality": Kind("leaving_way", N_("no case of low risk"), "share", f.mortality),
    "grouping_rate": Kind("drg", N_("no case"), "share", f.status_rate),
    "ambiguous_rate": Kind("drg", N_("no case"), "share", f.status_rate),
    "mcc_rate": Kind("severity", _NO_SEVERITY, "share", f.severity_rate),
    "cc_rate": Kind("severity", _NO_SEVERITY, "share", f.severity_rate),
    "mcc_cc_rate": Kind("severity", _NO_SEVERITY, "share", f.severity_rate),
    "high_outlier_share": Kind("case_class", N_("no grouped case"), "share", f.outlier_share),
    "low_outlier_share": Kind("case_class", N_("no grouped case"), "share", f.outlier_share),
    "drug_share": Kind("drug_cost", N_("no case with a cost of drugs"), "ratio", f.fee_share),
    "consumable_share": Kind(
        "consumable_cost", N_("no case with consumables"), "ratio", f.fee_share
    ),
    "readmission_rate": Kind(
        "patient_id", N_("no stay with 31 days of follow-up"), "share", f.readmission_rate
    ),
}
"""The indicators in the order in which they are shown."""


class Measured(NamedTuple):
    """One indicator of all units: value, and what it is the quotient of; squares for a mean."""

    value: Floats
    top: Floats
    below: Floats
    squares: Floats | None


def measure(
    tally: Tally, unit: NDArray[np.int64], units: int, norms: pd.DataFrame
) -> dict[str, Measured]:
    """Compute all indicators of each unit.

    Parameters
    ----------
    tally : Tally
        The cases' sums.
    unit : ndarray of int64, shape (cells,)
        The unit of each cell.
    units : int
        Their number.
    norms : pandas.DataFrame
        Of `norms_of`, one row a DRG of the tally.

    Returns
    -------
    dict of str to Measured
        Those of `INDICATORS`, in their order. An indicator whose column the cases lack is NaN.

    Examples
    --------
    >>> from drgcore.indicators.norms import norms_of
    >>> from drgcore.indicators.tally import tally_cases
    >>> tally = tally_cases(pd.DataFrame({"drg": ["A", "B"], "total_cost": [1.0, 3.0]}))
    >>> found = measure(tally, *tally.units([])[:1], 1, norms_of(tally))
    >>> found["cmi"].value.tolist(), found["groups"].value.tolist()
    ([1.0], [2.0])
    """
    grouped = tally.status == 0

    def add(values: Floats, where: NDArray[np.bool_] | None = None) -> Floats:
        if where is not None:
            values = np.where(where, values, 0.0)
        return np.bincount(unit, values, units).astype(np.float64)

    def of_drg(column: str) -> Floats:
        return np.append(norms[column].to_numpy(np.float64), np.nan)[tally.drg]

    m = {name: tally.measure(name) for name in MEASURES}
    weight, mean_cost, mean_stay = (
        of_drg(c) for c in ("relative_weight", "mean_cost", "mean_stay")
    )
    low_risk = of_drg("death_risk") == 1
    weighted = grouped & ~np.isnan(weight)
    priced, timed = grouped & (mean_cost > 0), grouped & (mean_stay > 0)
    w = np.where(weighted, weight, 0.0)
    c, t = np.where(priced, mean_cost, 1.0), np.where(timed, mean_stay, 1.0)
    cases, grouped_cases = add(m["cases"]), add(m["cases"], grouped)
    any_complication = m["mcc"] + m["cc"]
    groups = _groups(unit[grouped], tally.drg[grouped], units, len(norms))
    sums: dict[str, tuple[Floats, Floats, Floats | None]] = {
        "cases": (cases, cases, None),
        "grouped_cases": (grouped_cases, cases, None),
        "total_weight": (add(w * m["cases"]), add(m["cases"], weighted), None),
        "groups": (groups.astype(np.float64), cases, None),
        "cmi": (add(w * m["cases"]), add(m["cases"], weighted), add(w * w * m["cases"])),
        "cost_index": (
            add(m["cost"] / 100 / c, priced),
            add(m["cost_n"], priced),
            add(m["cost2"] / 1e4 / c**2, priced),
        ),
        "time_index": (
            add(m["stay"] / t, timed),
            add(m["stay_n"], timed),
            add(m["stay2"] / t**2, timed),
        ),
        "mean_cost": (add(m["cost"]) / 100, add(m["cost_n"]), add(m["cost2"]) / 1e4),
        "average_stay": (add(m["stay"]), add(m["stay_n"]), add(m["stay2"])),
        "mortality": (add(m["died"]), add(m["died_n"]), None),
        "low_risk_mortality": (
            add(m["died"], grouped & low_risk),
            add(m["died_n"], grouped & low_risk),
            None,
        ),
        "grouping_rate": (grouped_cases, cases, None),
        "ambiguous_rate": (add(m["cases"], tally.status == 1), cases, None),
        "mcc_rate": (add(m["mcc"], grouped), add(m["severity_n"], grouped), None),
        "cc_rate": (add(m["cc"], grouped), add(m["severity_n"], grouped), None),
        "mcc_cc_rate": (add(any_complication, grouped), add(m["severity_n"], grouped), None),
        "high_outlier_share": (add(m["high"], grouped), add(m["class_n"], grouped), None),
        "low_outlier_share": (add(m["low"], grouped), add(m["class_n"], grouped), None),
        "drug_share": (add(m["drug"]) / 100, add(m["drug_base"]) / 100, None),
        "consumable_share": (add(m["consumable"]) / 100, add(m["consumable_base"]) / 100, None),
        "readmission_rate": (add(m["back"]), add(m["back_n"]), None),
    }
    found = {}
    for name, kind in INDICATORS.items():
        top, below, squares = sums[name]
        if kind.ratio is not None:
            value = kind.ratio(top, below)
        else:
            value = np.where(below > 0, top, np.nan)
        found[name] = Measured(value, top, below, squares)
    return found


def _groups(
    unit: NDArray[np.int64], drg: NDArray[np.int32], units: int, groups: int
) -> NDArray[np.int64]:
    """Number of each unit's groups; each counts once, whatever else its cells are told apart by."""
    pairs = unit * groups + drg
    if units * groups <= _TABLE:
        there = np.zeros(units * groups, np.bool_)
        there[pairs] = True
        return there.reshape(units, groups).sum(axis=1)
    return np.bincount(pd.unique(pairs) // groups, minlength=units)

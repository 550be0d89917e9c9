"""Scores of departments, doctors or hospitals from chosen indicators, each explained (绩效评分)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field, field_validator, model_validator

from drgcore.errors import DrgcoreError
from drgcore.indicators.columns import KEYS, checked_keys
from drgcore.indicators.compute import Indicators
from drgcore.indicators.measure import INDICATORS
from drgcore.language import _, get_language, heading
from drgcore.points.parameters import Model, Share, parameter, sums_to_one
from drgcore.points.toml_model import TomlModel

Number = Annotated[Decimal, Field(allow_inf_nan=False)]


class ScoredIndicator(Model):
    """One indicator of a score."""

    name: str = parameter(f"an indicator: {', '.join(INDICATORS)}")
    weight: Share = parameter("its weight; all weights add up to 1")
    zero: Number = parameter("the value at which it scores 0")
    target: Number = parameter("the value from which it scores 100; below zero if less is better")

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in INDICATORS:
            raise ValueError(_("there is no indicator {name}", name=name))
        return name

    @model_validator(mode="after")
    def _apart(self) -> ScoredIndicator:
        if self.zero == self.target:
            raise ValueError(_("zero and target are the same, so there is nothing between"))
        return self


class ScoreSheet(TomlModel):
    """A file of scores: whose, from what, and what is done where there is no value.

    Examples
    --------
    >>> sheet = ScoreSheet.read('''
    ... of = ["department"]
    ... min_cases = 30
    ... missing = "left_out"
    ... [[indicators]]
    ... name = "cmi"
    ... weight = 1
    ... zero = 0.5
    ... target = 1.0
    ... ''')
    >>> sheet.of, sheet.indicators[0].target
    (('department',), Decimal('1.0'))
    """

    of: tuple[str, ...] = parameter("the units: department, doctor, hospital, …", min_length=1)
    min_cases: int = parameter("least cases of a unit that gets a score", "cases", ge=1)
    missing: Literal["left_out", "zero"] = parameter(
        "an indicator without value: left_out (its weight goes to the others) or zero"
    )
    indicators: tuple[ScoredIndicator, ...] = parameter("the indicators", min_length=1)

    @model_validator(mode="after")
    def _check(self) -> ScoreSheet:
        unknown = [key for key in self.of if key not in (*KEYS, "level", "doctor")]
        if unknown:
            raise ValueError(_("units cannot be told by {unknown}", unknown=unknown[0]))
        names = [indicator.name for indicator in self.indicators]
        if len(set(names)) < len(names):
            raise ValueError(_("an indicator is named twice"))
        sums_to_one(
            [indicator.weight for indicator in self.indicators], _("weights of the indicators")
        )
        return self


@dataclass(frozen=True, eq=False)
class Scores:
    """Scores of units, made by `score_units`.

    Attributes
    ----------
    table : pandas.DataFrame
        The keys, ``cases``, ``score`` (0 to 100; NaN where there is none), ``rank`` (1 is the
        best; equal scores share a rank), ``reason`` why there is no score, else ''.
    details : pandas.DataFrame
        One row a unit and indicator: ``value``, ``score``, ``weight`` as applied, ``points`` =
        score · weight, which add up to the unit's score, and ``explanation`` in words.
    """

    table: pd.DataFrame
    details: pd.DataFrame


def score_units(found: Indicators, sheet: ScoreSheet) -> Scores:
    """Score units by a sheet.

    Parameters
    ----------
    found : Indicators
        Indicators by the sheet's units.
    sheet : ScoreSheet
        What counts how much.

    Returns
    -------
    Scores

    Raises
    ------
    DrgcoreError
        If the indicators are not by the sheet's units.

    Notes
    -----
    An indicator scores ``100 · (value − zero) / (target − zero)``, at least 0 and at most 100.
    With ``missing = "left_out"`` the weights of the others are divided by their sum.

    Examples
    --------
    >>> from drgcore.indicators import compute_indicators
    >>> cases = pd.DataFrame({"drg": ["A", "B"], "department": ["x", "y"], "total_cost": [3.0, 1]})
    >>> sheet = ScoreSheet(of=("department",), min_cases=1, missing="zero", indicators=[
    ...     {"name": "cmi", "weight": 1, "zero": "0.5", "target": "1.25"}])
    >>> scores = score_units(compute_indicators(cases, "department"), sheet)
    >>> scores.table[["department", "score", "rank"]].values.tolist()
    [['x', 100.0, 1], ['y', 0.0, 2]]
    >>> print(scores.details["explanation"][0])
    cmi 1.5: 100.0 of 100 (0 at 0.5, 100 from 1.25), weight 1.0000 → 100.00
    """
    keys = checked_keys(sheet.of)
    if keys != found.by:
        raise DrgcoreError(
            _(
                "the sheet scores {keys}, the indicators are by {by}",
                keys=", ".join(keys),
                by=", ".join(found.by),
            )
        )
    names = [indicator.name for indicator in sheet.indicators]
    values = found.table[names].to_numpy(np.float64)
    zero, target, weight = (
        np.array([float(getattr(i, name)) for i in sheet.indicators])
        for name in ("zero", "target", "weight")
    )
    scores = np.clip(100 * (values - zero) / (target - zero), 0, 100)
    there = ~np.isnan(values)
    scores = np.where(there, scores, 0.0)
    applied = np.broadcast_to(weight, values.shape)
    if sheet.missing == "left_out":
        applied = np.where(there, applied, 0.0)
        whole = applied.sum(axis=1, keepdims=True)
        applied = np.divide(applied, whole, out=np.zeros_like(applied), where=whole > 0)
    points = scores * applied
    cases = found.table["cases"].to_numpy()
    few, nothing = cases < sheet.min_cases, ~there.any(axis=1) | (applied.sum(axis=1) == 0)
    without = few | nothing
    table = found.table[list(keys)].copy()
    table["cases"] = cases.astype(np.int64)
    table["score"] = np.where(without, np.nan, points.sum(axis=1).round(6))
    table["rank"] = table["score"].rank(method="min", ascending=False).astype("Int64")
    too_few = _("fewer than {count:,} cases", count=sheet.min_cases)
    table["reason"] = np.select([few, nothing], [too_few, _("no indicator has a value")], "")
    return Scores(table, _details(found, sheet, scores, applied, points, without))


def _details(
    found: Indicators, sheet: ScoreSheet, scores: Any, applied: Any, points: Any, without: Any
) -> pd.DataFrame:
    parts = []
    reasons = found.long(*(indicator.name for indicator in sheet.indicators))
    for at, indicator in enumerate(sheet.indicators):
        own = reasons[reasons["indicator"] == indicator.name].reset_index(drop=True)
        part = own[[*found.by, "indicator", "value"]].copy()
        part["score"], part["weight"] = scores[:, at], applied[:, at]
        part["points"] = points[:, at]
        part["explanation"] = [
            _without(indicator.name, why, sheet.missing)
            if why
            else _(
                "{name} {value:.6g}: {score:.1f} of 100 (0 at {zero}, 100 from {target}), "
                "weight {share:.4f} → {point:.2f}",
                name=_name(indicator.name),
                value=value,
                score=score,
                zero=indicator.zero,
                target=indicator.target,
                share=share,
                point=point,
            )
            for why, value, score, share, point in zip(
                own["reason"], own["value"], part["score"], part["weight"], part["points"],
                strict=True,
            )
        ]  # fmt: skip
        parts.append(part[~without])
    details = pd.concat(parts)
    return details.sort_index(kind="stable").reset_index(drop=True)


def _without(name: str, why: str, missing: str) -> str:
    if missing == "zero":
        return _("{name} has no value, {why}: it counts 0", name=_name(name), why=why)
    return _("{name} has no value, {why}: its weight goes to the others", name=_name(name), why=why)


def _name(indicator: str) -> str:
    """An indicator as the tables on the screen name it."""
    return heading(indicator) if get_language() == "zh" else indicator

"""What a quality assessment says of each hospital: κ, the result ρ, bonus points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from drgcore.budget.caserows import columns_of, listed
from drgcore.budget.terms import Terms, exact
from drgcore.cases.frames import is_frame
from drgcore.errors import BudgetError
from drgcore.language import _
from drgcore.points.bands import Bands
from drgcore.points.fund_rules import Quality
from drgcore.points.payment_rules import QualityMoney
from drgcore.points.policy import Policy

Numbers = dict[str, Fraction]


@dataclass(frozen=True)
class Assessment:
    """A year's assessment by hospital.

    Parameters
    ----------
    kappas : dict of str to Fraction
        κ, the encouragement coefficient (鼓励系数).
    results : dict of str to Fraction
        ρ, what of its quality money a hospital is returned; from 0 to 1.
    bonus : dict of str to Fraction
        Points added, as a share of the hospital's points; negative where they are taken away.
    """

    kappas: Numbers = field(default_factory=dict)
    results: Numbers = field(default_factory=dict)
    bonus: Numbers = field(default_factory=dict)


def assess(policy: Policy | Terms, quality: Any, year: int) -> Assessment:
    """Read a quality assessment by the policy's rules.

    Parameters
    ----------
    policy : Policy or Terms
        The policy; `quality` and `quality_money` say how κ, ρ and bonus points are found.
    quality : mapping, table or None
        κ by hospital; or a table with `hospital` and what the rules look at: `kappa`, `result`, the
        scores of the indicators, or `score` where there are no indicators.
    year : int
        The year.

    Returns
    -------
    Assessment
        What the table says; nothing of a hospital that it does not name.

    Raises
    ------
    BudgetError
        For a missing column, score or coefficient, a negative κ, a result outside 0 to 1, or a
        hospital given twice.

    Examples
    --------
    >>> from drgcore.budget.terms import PoolTerms
    >>> table = pd.DataFrame({"hospital": ["H1"], "kappa": ["1.02"], "result": ["0.9"]})
    >>> assess(Terms(2026, (PoolTerms("p", 0),)), table, 2026).kappas
    {'H1': Fraction(51, 50)}
    """
    of_year = None if isinstance(policy, Terms) else policy.for_year(year)
    rules = None if of_year is None else of_year.quality
    held = None if of_year is None else of_year.quality_money
    with_results = held is not None or (
        isinstance(policy, Terms) and policy.quality_money is not None
    )
    return Assessment(
        _kappas(rules, quality),
        _results(rules, held, quality) if with_results else {},
        _bonus(rules, quality),
    )


def kappas_of(policy: Policy | Terms, quality: Any, year: int) -> Numbers:
    """Give every hospital's encouragement coefficient κ (鼓励系数).

    Parameters
    ----------
    policy : Policy or Terms
        With the rule `given`, κ comes from `quality` or else from the policy; with `scored` it is
        the value of the band in which Σ weight · score lies; with `linear` it falls with the score.
    quality : mapping, table or None
        Rule `given`: κ by hospital, or a table `hospital`, `kappa`. Other rules: a table `hospital`
        and one column of scores for each indicator of the policy.
    year : int
        The year.

    Returns
    -------
    dict of str to Fraction
        κ by hospital.

    Raises
    ------
    BudgetError
        As `assess`.

    Examples
    --------
    >>> from drgcore.budget.terms import PoolTerms
    >>> kappas_of(Terms(2026, (PoolTerms("p", 0),)), {"H1": 1.02}, 2026)
    {'H1': Fraction(51, 50)}
    """
    return _kappas(None if isinstance(policy, Terms) else policy.for_year(year).quality, quality)


def linear(
    score: Fraction, full_score: Fraction, per_point: Fraction, least: Fraction, most: Fraction
) -> Fraction:
    """Give a coefficient that falls in proportion below a full score.

    Parameters
    ----------
    score, full_score : Fraction
        The score and s0, from which the coefficient is `most`.
    per_point : Fraction
        What it loses for a point of the score.
    least, most : Fraction
        Its limits.

    Returns
    -------
    Fraction
        ``clamp(most − per_point · (full_score − score), least, most)``.

    Examples
    --------
    >>> linear(Fraction(85), Fraction(90), Fraction(2, 100), Fraction(0), Fraction(1))
    Fraction(9, 10)
    """
    return min(max(most - per_point * (full_score - score), least), most)


def _kappas(rules: Quality | None, quality: Any) -> Numbers:
    if rules is not None and rules.rule != "given":
        if quality is None:
            return {}
        totals = _scores(rules, quality)
        if rules.rule == "linear":
            assert rules.full_score is not None
            assert rules.per_point is not None
            line = (rules.full_score, rules.per_point, rules.minimum, rules.maximum)
            kappas = {h: linear(s, *map(exact, line)) for h, s in totals.items()}
        else:
            assert rules.coefficients is not None  # the policy's own check
            kappas = _by_bands(rules.coefficients, totals)
    elif quality is None:
        kappas = {h: exact(k) for h, k in (rules.hospitals if rules else {}).items()}
    elif isinstance(quality, Mapping):
        kappas = {str(h): exact(k) for h, k in quality.items()}
    elif _has(quality, "kappa") or not (_has(quality, "result") or _has(quality, "score")):
        kappas = {h: row[0] for h, row in _numbers(quality, ["kappa"]).items()}
    else:
        # A table of results alone leaves κ to the policy.
        kappas = {h: exact(k) for h, k in (rules.hospitals if rules else {}).items()}
    negative = sorted(h for h, k in kappas.items() if k < 0)
    if negative:
        raise BudgetError(_("κ of {listed} is negative", listed=listed(negative)), where="quality")
    return kappas


def _results(rules: Quality | None, held: QualityMoney | None, quality: Any) -> Numbers:
    table = None if quality is None or isinstance(quality, Mapping) else quality
    if held is None or held.rule == "given":
        found = {h: exact(r) for h, r in (held.hospitals if held else {}).items()}
        if table is not None and (_has(table, "result") or not found):
            found = {h: row[0] for h, row in _numbers(table, ["result"]).items()}
    elif table is None:
        found = {}
    else:
        if rules is not None and rules.indicators:
            totals = _scores(rules, table)
        else:
            totals = {h: row[0] for h, row in _numbers(table, ["score"]).items()}
        if held.rule == "bands":
            assert held.results is not None
            found = _by_bands(held.results, totals)
        else:
            assert held.full_score is not None
            assert held.per_point is not None
            line = exact(held.full_score), exact(held.per_point), Fraction(0), Fraction(1)
            found = {h: linear(s, *line) for h, s in totals.items()}
    wrong = sorted(h for h, r in found.items() if not 0 <= r <= 1)
    if wrong:
        raise BudgetError(
            _("the result of {listed} is not between 0 and 1", listed=listed(wrong)),
            where="quality",
        )
    return found


def _bonus(rules: Quality | None, quality: Any) -> Numbers:
    if rules is None or rules.bonus_points is None or quality is None:
        return {}
    return _by_bands(rules.bonus_points, _scores(rules, quality))


def _scores(rules: Quality, table: Any) -> Numbers:
    """Weigh the scores of the indicators and add the columns of bonus scores."""
    names = [*(indicator.name for indicator in rules.indicators), *rules.bonus]
    weights = [*(exact(i.weight) for i in rules.indicators), *(Fraction(1) for _ in rules.bonus)]
    return {
        hospital: sum((w * s for w, s in zip(weights, row, strict=True)), Fraction(0))
        for hospital, row in _numbers(table, names).items()
    }


def _by_bands(bands: Bands, totals: Numbers) -> Numbers:
    found = bands.apply(np.array([float(total) for total in totals.values()]))
    return dict(zip(totals, map(exact, found.tolist()), strict=True))


def _has(table: Any, name: str) -> bool:
    return name in (table.columns if is_frame(table) else pa.table(table).column_names)


def _numbers(table: Any, names: list[str]) -> dict[str, list[Fraction]]:
    """Read some columns of a table by hospital, exactly as their decimals say."""
    columns = columns_of(table, ["hospital", *names]).to_pydict()
    missing = [name for name in ["hospital", *names] if name not in columns]
    if missing:
        raise BudgetError(_("there is no column {listed}", listed=listed(missing)), where="quality")
    found: dict[str, list[Fraction]] = {}
    for hospital, *values in zip(*(columns[name] for name in ["hospital", *names]), strict=True):
        if str(hospital) in found:
            raise BudgetError(_("{hospital} stands twice", hospital=hospital), where="quality")
        if any(value is None or pd.isna(value) for value in values):
            raise BudgetError(
                _("a value of {hospital} is missing", hospital=hospital), where="quality"
            )
        found[str(hospital)] = [exact(value) for value in values]
    return found

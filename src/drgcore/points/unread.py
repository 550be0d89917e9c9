"""Parameters that are filled in and that the chosen rule does not read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from drgcore.language import _
from drgcore.points.bands import Bands
from drgcore.points.case_rules import BasePoints, CostRule, Stability
from drgcore.points.coefficient_rules import Coefficients, Fallback
from drgcore.points.fund_rules import IncentivePool, PoolBudget, Quality
from drgcore.points.list_rules import ReviewQuota, SpecialReview
from drgcore.points.outlier_rules import HighCost, LowCost, Piece
from drgcore.points.parameters import Model
from drgcore.points.payment_rules import OnTop, QualityMoney
from drgcore.points.policy_parameters import PolicyParameters


class Choice(NamedTuple):
    """A parameter whose value decides which others of its table are read.

    Parameters
    ----------
    model : type
        The table.
    by : str
        The parameter that decides.
    read : mapping of str to tuple
        For each parameter that it decides about, the values with which it is read.
    """

    model: type[Model]
    by: str
    read: Mapping[str, tuple[str | None, ...]]


_HIGH = ("added", "added_capped", "added_reviewed", "capped_at_hi", "by_cost", "outside")
_LOW = ("proportional", "by_cost", "outside")
_FORMULA = ("formula",)
_SCORED = ("scored", "linear")

CHOICES = (
    Choice(
        HighCost,
        "rule",
        {
            "multiples": _HIGH,
            "multiples_by_level": _HIGH,
            "cap": ("added_capped",),
            "rate": ("by_cost",),
        },
    ),
    Choice(
        LowCost,
        "rule",
        {"multiples": _LOW, "multiples_by_level": _LOW, "rate": ("by_cost",)},
    ),
    Choice(
        Piece,
        "rule",
        {
            **dict.fromkeys(("a", "b", "x", "k", "cap", "cap_multiple"), _FORMULA),
            "rate": ("by_cost",),
        },
    ),
    Choice(Piece, "cap", {"cap_multiple": ("P", "P·k")}),
    Choice(BasePoints, "missing", {"missing_rate": ("by_cost",)}),
    Choice(Stability, "rule", {"n_min": ("test",), "cv_max": ("test",)}),
    Choice(CostRule, "rule", {"rate": ("by_cost",)}),
    Choice(SpecialReview, "without_points", {"rate": ("by_cost",)}),
    Choice(
        ReviewQuota,
        "deadline_counts",
        {"holidays": ("working",), "extra_workdays": ("working",)},
    ),
    Choice(Fallback, "take", {"of": ("own_level", "next_higher_level", "next_lower_level")}),
    Choice(PoolBudget, "reference", {"last_value": ("last_year",)}),
    Choice(PoolBudget, "month_payment", {"month_value": ("given_value",)}),
    Choice(
        Quality,
        "rule",
        {
            "hospitals": ("given",),
            "coefficients": ("scored",),
            **dict.fromkeys(("full_score", "per_point", "minimum", "maximum"), ("linear",)),
        },
    ),
    Choice(IncentivePool, "rule", {"cap": ("cap",)}),
    Choice(
        QualityMoney,
        "rule",
        {
            "hospitals": ("given",),
            "results": ("bands",),
            "full_score": ("linear",),
            "per_point": ("linear",),
        },
    ),
)
"""Every parameter of a policy that some value of another one leaves unread."""


def unread_parameters(policy: PolicyParameters) -> list[str]:
    """Name the parameters that are filled in and have no effect, and why.

    Parameters
    ----------
    policy : PolicyParameters
        A policy, or one period of it.

    Returns
    -------
    list of str
        One sentence a parameter, with its path.

    Examples
    --------
    >>> from drgcore.points import Policy
    >>> change = {"incentive_pool": {"rule": "all", "cap": "1.2"}}
    >>> unread_parameters(Policy.load("example").with_changes(change))
    ['incentive_pool.cap has no effect: incentive_pool.rule is all']
    """
    found: dict[str, str] = {}
    for path, model in _tables("", policy):
        for choice in CHOICES:
            if not isinstance(model, choice.model):
                continue
            chosen = getattr(model, choice.by)
            for name, values in choice.read.items():
                if name in model.model_fields_set and chosen not in values and _says(model, name):
                    by = f"{path}.{choice.by}"
                    why = (
                        _("{parameter} is {value}", parameter=by, value=chosen)
                        if chosen
                        else _("{parameter} is not given", parameter=by)
                    )
                    found.setdefault(f"{path}.{name}", why)
    for path, why in _between_tables(policy):
        found.setdefault(path, why)
    return [_("{path} has no effect: {why}", path=path, why=why) for path, why in found.items()]


def _says(model: Model, name: str) -> bool:
    """Whether a parameter differs from one that was left out."""
    return bool(getattr(model, name) != type(model).model_fields[name].default)


def _between_tables(policy: PolicyParameters) -> Iterator[tuple[str, str]]:
    """What a parameter of another table leaves unread."""
    quality, money = policy.quality, policy.quality_money
    by_score = quality.rule in _SCORED or quality.bonus_points is not None
    if not by_score and (money is None or money.rule == "given"):
        for name in ("indicators", "bonus"):
            if getattr(quality, name):
                yield f"quality.{name}", _("nothing is found by scores")
    review = policy.special_review
    if review and review.quota and review.quota.deadline_days is None:
        for name in ("deadline_counts", "holidays", "extra_workdays"):
            if getattr(review.quota, name):
                yield f"special_review.quota.{name}", _("there are no deadline_days")
    yield from _of_levels(policy.coefficients)
    if policy.on_top:
        yield from _of_means(policy.on_top)


def _of_levels(rules: Coefficients) -> Iterator[tuple[str, str]]:
    taken = {fallback.take for part in rules.components for fallback in part.fallbacks}
    if rules.level_order and not taken & {"next_higher_level", "next_lower_level"}:
        yield "coefficients.level_order", _("no fallback takes the next level's coefficient")


def _of_means(rules: OnTop) -> Iterator[tuple[str, str]]:
    for kind in sorted(set(rules.means) - {one.kind for one in rules.lists}):
        yield f"on_top.means.{kind}", _("no list has the kind {kind}", kind=kind)


def _tables(path: str, value: object) -> Iterator[tuple[str, Model]]:
    """Every table of a policy with its path, items of lists counted from 1."""
    if isinstance(value, Bands):
        return
    if isinstance(value, Model):
        yield path, value
        items = [(name, getattr(value, name)) for name in type(value).model_fields]
    elif isinstance(value, Mapping):
        items = [(str(key), item) for key, item in value.items()]
    elif isinstance(value, tuple):
        items = [(str(number), item) for number, item in enumerate(value, 1)]
    else:
        return
    for name, item in items:
        yield from _tables(f"{path}.{name}" if path else name, item)

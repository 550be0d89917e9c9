"""Parameters that a policy fills in and does not read; rules of one name."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, get_args

import pytest

from drgcore.errors import PolicyError
from drgcore.points import Policy
from drgcore.points.catalogue import list_presets
from drgcore.points.check import check_policy
from drgcore.points.payment_rules import Marginal
from drgcore.points.policy_parameters import PolicyParameters
from drgcore.points.reference import parameter_sections
from drgcore.points.sources import stated, without_source
from drgcore.points.unread import CHOICES, unread_parameters
from tests.points.regions import small


@pytest.mark.parametrize(
    ("change", "paths"),
    [
        (
            {"outliers": {"high": {"rule": "outside", "cap": 3, "rate": 1, "multiples": 3}}},
            ["outliers.high.cap", "outliers.high.rate"],
        ),
        ({"outliers": {"high": {"rule": "added_capped", "cap": 3, "multiples": 3}}}, []),
        ({"outliers": {"low": {"rule": "proportional", "rate": 1}}}, ["outliers.low.rate"]),
        ({"outliers": {"high": {"rule": "none", "multiples": 3}}}, ["outliers.high.multiples"]),
        ({"stability": {"rule": "column", "n_min": 5, "cv_max": 1}},
         ["stability.n_min", "stability.cv_max"]),
        ({"by_cost": {"invalid": {"rule": "outside", "rate": 1}}}, ["by_cost.invalid.rate"]),
        ({"base_points": {"missing": "outside", "missing_rate": 1}}, ["base_points.missing_rate"]),
        (
            {"budget": {"pools": {"employee": {"last_value": 64, "month_value": 64}}}},
            ["budget.pools.employee.last_value", "budget.pools.employee.month_value"],
        ),
        (
            {"quality": {"rule": "given", "full_score": 90, "minimum": "0.5", "maximum": 1}},
            ["quality.full_score", "quality.minimum"],
        ),
        (
            {"quality": {"rule": "given", "indicators": [{"name": "a", "weight": 1}]}},
            ["quality.indicators"],
        ),
        (
            {
                "quality": {"rule": "given", "indicators": [{"name": "a", "weight": 1}]},
                "quality_money": {"rule": "bands", "results": 1, "rest": "reserve", "per_point": 1},
            },
            ["quality_money.per_point"],
        ),
        ({"incentive_pool": {"rule": "all", "cap": 1}}, ["incentive_pool.cap"]),
        ({"coefficients": {"level_order": ["1", "2"]}}, ["coefficients.level_order"]),
        (
            {
                "special_review": {
                    "without_points": "error",
                    "rate": 1,
                    "quota": {"share": 1, "period": "year", "rounding": "up", "counts": "filed",
                              "deadline_counts": "calendar", "holidays": ["2026-05-01"]},
                }
            },
            ["special_review.rate", "special_review.quota.holidays",
             "special_review.quota.deadline_counts"],
        ),
        (
            {
                "on_top": {
                    "paid_from": "reserve",
                    "means": {"drug": {"GB19": 1}},
                    "lists": [{"name": "a", "items": ["X"], "valid_from": "2026-01-01"}],
                }
            },
            ["on_top.means.drug"],
        ),
    ],
)  # fmt: skip
def test_what_the_chosen_rule_does_not_read_is_named(
    change: dict[str, Any], paths: list[str]
) -> None:
    before = {text.split(" ")[0] for text in unread_parameters(small())}
    policy = small(change)
    found = [text.split(" ")[0] for text in unread_parameters(policy)]
    assert [path for path in found if path not in before] == paths


def test_every_choice_is_of_parameters_and_values_that_there_are() -> None:
    models = set(parameter_sections().values())
    for choice in CHOICES:
        assert choice.model in models
        fields = choice.model.model_fields
        known = set(get_args(fields[choice.by].annotation))
        known |= {value for each in known for value in get_args(each)}
        for name, values in choice.read.items():
            assert name in fields
            assert not fields[name].is_required(), name
            assert set(values) <= known, (choice.model, name)


def test_every_rate_cap_and_limit_that_may_be_left_out_is_decided_by_a_rule() -> None:
    """A new rule with a parameter of its own cannot pass the list of choices by."""
    decided = {(c.model, name) for c in CHOICES for name in c.read}
    for section, model in parameter_sections().items():
        if "rule" not in model.model_fields or model is PolicyParameters:
            continue
        for name, field in model.model_fields.items():
            read_by_rule = name in ("rate", "cap", "results", "full_score", "per_point")
            if read_by_rule and not field.is_required() and model is not Marginal:
                assert (model, name) in decided, (section, name)


def test_presets_and_the_example_have_no_parameter_without_effect() -> None:
    assert unread_parameters(Policy.load("example")) == []
    for preset in list_presets():
        assert not [w for w in check_policy(preset.name).warnings if "no effect" in w]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (
            {"bed_day": [
                {"name": "a", "groups": "all", "from_days": days, "points_per_day": 1}
                for days in (60, 90)
            ]},
            "bed_day",
        ),
        (
            {"coefficients": {"components": [
                {"name": "a", "weight": "0.5", "method": "constant", "value": value}
                for value in (1, 2)
            ]}},
            "coefficients.components",
        ),
        (
            {"quality": {"rule": "scored", "coefficients": 1, "indicators": [
                {"name": "a", "weight": "0.5"}, {"name": "a", "weight": "0.5"}]}},
            "quality.indicators",
        ),
        (
            {"units": [{"name": "a", "hospitals": [h]} for h in "AB"]},
            "units",
        ),
        (
            {"base_points": {"tiers": [
                {"name": "a", "hospitals": [h], "factor": 2} for h in "AB"]}},
            "base_points.tiers",
        ),
    ],
)  # fmt: skip
def test_two_rules_of_one_name_are_refused(change: dict[str, Any], path: str) -> None:
    with pytest.raises(PolicyError, match=f"{path}.*two of them have the name a"):
        small(change)


def test_a_fixed_price_may_stand_twice_for_other_levels() -> None:
    prices = [{"name": "a", "points": p, "levels": [str(p)]} for p in (2, 3)]
    assert [rule.points for rule in small({"fixed_price": prices}).fixed_price] == [2, 3]


def test_sources_of_thousands_of_parameters_are_found_by_the_first_that_gives_them() -> None:
    groups = {f"BR{number}": {"base_points": number} for number in range(3000)}
    data = {
        "base_points": {"groups": groups, "scale": Decimal(100)},
        "rounding": {"points": 4, "pointsmore": 5},
        "sources": [
            {
                "document": "a",
                "kind": "report",
                "of": ["base_points.groups.BR7", "rounding.points"],
            },
            {"document": "b", "kind": "report", "of": ["base_points"]},
        ],
    }
    assert without_source(data) == ["rounding.pointsmore"]
    found = stated(data)
    assert found["base_points.groups.BR7.base_points"].document == "a"
    assert found["base_points.groups.BR70.base_points"].document == "b"
    assert len(found) == 3002

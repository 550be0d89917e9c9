"""The part of a policy that says what a case earns."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from drgcore.points.bands import Bands
from drgcore.points.parameters import (
    Days,
    Factor,
    Groups,
    Model,
    Places,
    Positive,
    Share,
    ask,
    parameter,
    sums_to_one,
)


class GroupRow(Model):
    """One DRG of an inline table of base points."""

    base_points: Factor | None = parameter("P, base points of the DRG", "points", default=None)
    relative_weight: Factor | None = parameter("RW, relative weight of the DRG", default=None)
    mean_cost: Positive | None = parameter("m, mean cost of the DRG", "yuan", default=None)
    cases: int | None = parameter("n, calibration cases of the DRG", "cases", default=None, ge=0)
    cv: Factor | None = parameter("CV, standard deviation over mean of cost", default=None)
    stable: bool | None = parameter("whether the DRG is a stable group", default=None)


class BasePoints(Model):
    """Base points (基准点数) of every DRG: P = RW × scale."""

    holds: Literal["base_points", "relative_weight"] = parameter(
        "whether the table holds base points or relative weights"
    )
    file: str | None = parameter(
        "CSV or parquet beside the policy: drg, base_points or relative_weight, and mean_cost, "
        "cases, cv, stable where the rules use them",
        default=None,
    )
    groups: dict[str, GroupRow] | None = parameter("the same table inline", default=None)
    scale: Positive = parameter("points of a case with relative weight 1, usually 100", "points")
    mean_cost: Positive = parameter("mean cost of all calibration cases of the region", "yuan")
    group_means: Literal["column", "derived"] = parameter(
        "whether m of a DRG is the table's column mean_cost, or derived as P / scale × mean cost"
    )
    missing: Literal["error", "by_cost", "outside"] = parameter(
        "what applies to a case of a DRG without base points", default="error"
    )
    missing_rate: Factor | None = parameter("rate for missing = by_cost", default=None)
    factor: Positive = parameter(
        "factor on all base points that are not frozen, as a change of the base rate; "
        "m of a DRG does not follow it",
        default=Decimal(1),
    )
    frozen: dict[str, Factor] = parameter(
        "base points agreed with the hospitals, by DRG, in place of what the table says",
        "points",
        default={},
    )

    @model_validator(mode="after")
    def _check(self) -> BasePoints:
        if self.file is None and self.groups is None:
            raise ask("file", "there is no inline table base_points.groups either")
        if self.file is not None and self.groups is not None:
            raise ValueError("give the table as file or as groups, not both")
        if self.missing == "by_cost" and self.missing_rate is None:
            raise ask("missing_rate", "missing is by_cost")
        return self


class Stability(Model):
    """Which groups are stable: n ≥ n_min and CV ≤ cv_max, by the table's word, or all."""

    rule: Literal["test", "column", "all_stable"] = parameter(
        "whether stability is tested by n and CV, stands in the table, or all groups are stable"
    )
    n_min: int | None = parameter("least calibration cases, often 5", "cases", default=None, ge=0)
    cv_max: Factor | None = parameter("greatest CV of cost, often 1", default=None)

    @model_validator(mode="after")
    def _check(self) -> Stability:
        for name in ("n_min", "cv_max"):
            if self.rule == "test" and getattr(self, name) is None:
                raise ask(name, "stability.rule is test")
        return self


class Rounding(Model):
    """Decimals, halves rounded up (四舍五入)."""

    base_points: Places = parameter("decimals of base points, usually 4", "decimals")
    coefficient: Places = parameter("decimals of a hospital's coefficient", "decimals")
    points: Places = parameter("decimals of a case's points and of its added points", "decimals")


class HighCost(Model):
    """High-cost outliers (高倍率): C > hi·m."""

    rule: Literal["none", "added", "added_capped", "added_reviewed", "capped_at_hi", "by_cost"] = (
        parameter(
            "how a high-cost case is paid: none (no such class), added P·k + P·((C − U)/m − hi), "
            "the added part capped, or only as far as a review grants it, capped_at_hi "
            "P·min((C − U)/m, hi), by_cost (C − U)/mean·scale·rate"
        )
    )
    multiples: Bands | None = parameter("hi by base points", "multiple of m", default=None)
    cap: Factor | None = parameter("limit of the added part", "multiple of P", default=None)
    rate: Factor | None = parameter("rate for rule = by_cost", default=None)

    @model_validator(mode="after")
    def _check(self) -> HighCost:
        if self.rule != "none" and self.multiples is None:
            raise ask("multiples", "outliers.high.rule is not none")
        if self.rule == "added_capped" and self.cap is None:
            raise ask("cap", "outliers.high.rule is added_capped")
        if self.rule == "by_cost" and self.rate is None:
            raise ask("rate", "outliers.high.rule is by_cost")
        if self.multiples is not None and min(self.multiples.values) <= 0:
            raise ValueError("a multiple hi is not positive")
        return self


class LowCost(Model):
    """Low-cost outliers (低倍率): C < lo·m."""

    rule: Literal["none", "proportional", "by_cost"] = parameter(
        "how a low-cost case is paid: none (no such class), proportional P·C/m and at most P·k, "
        "by_cost (C − U)/mean·scale·rate"
    )
    multiples: Bands | None = parameter("lo by base points", "multiple of m", default=None)
    rate: Factor | None = parameter("rate for rule = by_cost", default=None)

    @model_validator(mode="after")
    def _check(self) -> LowCost:
        if self.rule != "none" and self.multiples is None:
            raise ask("multiples", "outliers.low.rule is not none")
        if self.rule == "by_cost" and self.rate is None:
            raise ask("rate", "outliers.low.rule is by_cost")
        if self.multiples is not None and min(self.multiples.values) < 0:
            raise ValueError("a multiple lo is negative")
        return self


class Outliers(Model):
    """Outliers by multiples of the DRG's mean cost m."""

    high: HighCost = parameter("the rule for high-cost outliers (高倍率)")
    low: LowCost = parameter("the rule for low-cost outliers (低倍率)")

    @model_validator(mode="after")
    def _check(self) -> Outliers:
        high, low = self.high.multiples, self.low.multiples
        if high is not None and low is not None and min(high.values) <= max(low.values):
            raise ValueError("the bands overlap: a multiple lo is not below every multiple hi")
        return self


class CostRule(Model):
    """Payment by cost, (C − U)/mean·scale·rate, or outside the points."""

    rule: Literal["by_cost", "outside"] = parameter("by_cost, or outside the points")
    rate: Factor | None = parameter("rate of (C − U)/mean·scale", default=None)

    @model_validator(mode="after")
    def _check(self) -> CostRule:
        if self.rule == "by_cost" and self.rate is None:
            raise ask("rate", "the rule is by_cost")
        return self


class ByCost(Model):
    """The classes that have no base points of their own."""

    unstable: CostRule = parameter("the rule for unstable groups (非稳定病组)")
    ambiguous: CostRule = parameter("the rule for ambiguous groups (歧义病组)")
    ungrouped: CostRule = parameter("the rule for cases that no group takes (无法入组)")
    invalid: CostRule = parameter("the rule for cases whose record cannot be grouped")


class _Component(Model):
    name: str = parameter("name of the component, for the explanation")
    weight: Share = parameter("weight of the component; all weights add up to 1")


class ConstantComponent(_Component):
    """The same for every hospital."""

    method: Literal["constant"] = parameter("how the component is found")
    value: Factor = parameter("the coefficient")


class LevelComponent(_Component):
    """A constant per hospital level."""

    method: Literal["level"] = parameter("how the component is found")
    levels: dict[str, Factor] = parameter("the coefficient of each hospital level", min_length=1)


class HospitalComponent(_Component):
    """A constant per hospital, for example case-mix, patient-burden or own history."""

    method: Literal["hospital"] = parameter("how the component is found")
    hospitals: dict[str, Factor] = parameter("the coefficient of each hospital", min_length=1)
    otherwise: Factor | None = parameter("the coefficient of others; none: error", default=None)


class HospitalGroupComponent(_Component):
    """A table by hospital and DRG: columns hospital, drg, coefficient."""

    method: Literal["hospital_drg"] = parameter("how the component is found")
    file: str = parameter("CSV or parquet beside the policy: hospital, drg, coefficient")
    otherwise: Factor | None = parameter(
        "the coefficient of other pairs; none: error", default=None
    )


class LevelCostComponent(_Component):
    """Mean cost of the level over the regional mean, per DRG.

    Columns level, drg, level_mean_cost, regional_mean_cost [yuan].
    """

    method: Literal["level_cost"] = parameter("how the component is found")
    file: str = parameter(
        "CSV or parquet beside the policy: level, drg, level_mean_cost, regional_mean_cost"
    )
    otherwise: Factor | None = parameter(
        "the coefficient of other pairs; none: error", default=None
    )


Component = Annotated[
    ConstantComponent
    | LevelComponent
    | HospitalComponent
    | HospitalGroupComponent
    | LevelCostComponent,
    Field(discriminator="method"),
]


class Coefficients(Model):
    """The hospital's coefficient k (机构系数), a weighted mix of components within limits."""

    components: tuple[Component, ...] = parameter("the components with their weights", min_length=1)
    minimum: Factor | None = parameter("least coefficient", default=None)
    maximum: Factor | None = parameter("greatest coefficient", default=None)
    same_price: Groups = parameter(
        "groups with k = 1 everywhere (基层病组、同城同病同价)", default=()
    )

    @model_validator(mode="after")
    def _check(self) -> Coefficients:
        sums_to_one([c.weight for c in self.components], "weights of the components")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError("minimum lies above maximum")
        return self


class BedDay(Model):
    """Bed-day payment (床日): points per day by length of stay, times L."""

    name: str = parameter("name of the rule")
    groups: Groups = parameter("DRG, ADRG or MDC that it applies to", min_length=1)
    above_days: Days = parameter("it applies to stays of more than this, L > above_days", "days")
    levels: tuple[str, ...] | None = parameter("hospital levels; none: all", default=None)
    points_per_day: Bands = parameter("points per day by L, for the whole stay", "points per day")


class FixedPrice(Model):
    """Fixed points (单病种、日间手术)."""

    name: str = parameter("name of the item; a case is on the list if its list_item says so")
    groups: Groups = parameter("DRG, ADRG or MDC whose cases are on the list too", default=())
    up_to_days: Days | None = parameter("only stays of at most this", "days", default=None)
    levels: tuple[str, ...] | None = parameter("hospital levels; none: all", default=None)
    points: Factor = parameter("the fixed points", "points")


class SpecialReview(Model):
    """Special review (特病单议) by a panel."""

    without_points: Literal["by_cost", "error"] = parameter(
        "what applies where the panel gave no points: by_cost (C − U)/mean·scale·rate, or an error"
    )
    rate: Factor | None = parameter("rate of (C − U)/mean·scale", default=None)

    @model_validator(mode="after")
    def _check(self) -> SpecialReview:
        if self.without_points == "by_cost" and self.rate is None:
            raise ask("rate", "special_review.without_points is by_cost")
        return self


class Exclusion(Model):
    """A case is outside the points, and paid by item, if all conditions given here hold."""

    reason: str = parameter("why, for the case's reason")
    above_days: Days | None = parameter(
        "stays of more than this, L > above_days", "days", default=None
    )
    no_fund_part: bool = parameter("nothing is borne by the fund: C − B ≤ 0", default=False)
    groups: Groups = parameter("DRG, ADRG or MDC", default=())
    pools: tuple[str, ...] = parameter("fund pools", default=())
    hospitals: tuple[str, ...] = parameter("hospitals", default=())
    flag: str | None = parameter("name of a true/false column of the cases", default=None)

    @model_validator(mode="after")
    def _check(self) -> Exclusion:
        given = (self.groups, self.pools, self.hospitals, self.flag, self.no_fund_part)
        if self.above_days is None and not any(given):
            raise ValueError("an exclusion without any condition would exclude every case")
        return self


class Costs(Model):
    """Which cost the rules look at."""

    unreasonable: Literal["deducted", "not_used"] = parameter(
        "whether U, cost found unreasonable, is deducted in the rules that name it; then the cases "
        "must have the column unreasonable_cost"
    )

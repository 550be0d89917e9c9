"""The part of a policy that says what a case earns."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import model_validator

from drgcore.language import _
from drgcore.points.parameters import Factor, Model, Places, Positive, ask, parameter, set_to


class GroupRow(Model):
    """One DRG of an inline table of base points."""

    base_points: Factor | None = parameter("P, base points of the DRG", "points", default=None)
    relative_weight: Factor | None = parameter("RW, relative weight of the DRG", default=None)
    mean_cost: Positive | None = parameter("m, mean cost of the DRG", "yuan", default=None)
    cases: int | None = parameter("n, calibration cases of the DRG", "cases", default=None, ge=0)
    cv: Factor | None = parameter("CV, standard deviation over mean of cost", default=None)
    stable: bool | None = parameter("whether the DRG is a stable group", default=None)


class PointsTier(Model):
    """Base points of their own for some hospitals, for example primary care."""

    name: str = parameter("name of the tier")
    levels: tuple[str, ...] = parameter("hospital levels that it is for", default=())
    hospitals: tuple[str, ...] = parameter("hospitals that it is for", default=())
    file: str | None = parameter(
        "CSV or parquet beside the policy: drg, base_points or relative_weight as in the whole "
        "table, and mean_cost where these hospitals have their own m; other DRGs keep the table's",
        default=None,
    )
    groups: dict[str, GroupRow] | None = parameter("the same table inline", default=None)
    factor: Positive = parameter(
        "factor on the tier's base points that are not frozen; m does not follow it",
        default=Decimal(1),
    )

    @model_validator(mode="after")
    def _check(self) -> PointsTier:
        if not self.levels and not self.hospitals:
            raise ask("levels", _("there are no hospitals either"))
        if self.file is not None and self.groups is not None:
            raise ValueError(_("give the table as file or as groups, not both"))
        if self.file is None and self.groups is None and self.factor == 1:
            raise ask("file", _("there are neither groups nor a factor"))
        return self


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
    tiers: tuple[PointsTier, ...] = parameter(
        "base points of their own for some hospitals; the first that fits",
        source="for example Nanjing, 宁医发〔2024〕40号: primary care",
        default=(),
    )

    @model_validator(mode="after")
    def _check(self) -> BasePoints:
        if self.file is None and self.groups is None:
            raise ask("file", _("there is no inline table base_points.groups either"))
        if self.file is not None and self.groups is not None:
            raise ValueError(_("give the table as file or as groups, not both"))
        if self.missing == "by_cost" and self.missing_rate is None:
            raise ask("missing_rate", set_to("missing", "by_cost"))
        return self


class Calibration(Model):
    """How base points come from cases of past years."""

    trim: Literal["none", "iqr", "iqr-log", "norm"] | None = parameter(
        "which cases the means leave out, as `drgcore weights --trim` has it; none: not said",
        source="for example Zhejiang, notice of 2025: IQR",
        default=None,
    )
    year_weights: tuple[Positive, ...] = parameter(
        "how much each year's mean counts, the oldest year first; none: all cases alike",
        source="for example Zhejiang, notice of 2025: 2:3:5",
        default=(),
    )


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
                raise ask(name, set_to("stability.rule", "test"))
        return self


class Rounding(Model):
    """Decimals, halves rounded up (四舍五入)."""

    base_points: Places = parameter("decimals of base points, usually 4", "decimals")
    coefficient: Places = parameter("decimals of a hospital's coefficient", "decimals")
    points: Places = parameter("decimals of a case's points and of its added points", "decimals")


class CostRule(Model):
    """Payment by cost, (C − U)/mean·scale·rate, or outside the points."""

    rule: Literal["by_cost", "outside"] = parameter("by_cost, or outside the points")
    rate: Factor | None = parameter("rate of (C − U)/mean·scale", default=None)

    @model_validator(mode="after")
    def _check(self) -> CostRule:
        if self.rule == "by_cost" and self.rate is None:
            raise ask("rate", set_to("rule", "by_cost"))
        return self


class ByCost(Model):
    """The classes that have no base points of their own."""

    unstable: CostRule = parameter("the rule for unstable groups (非稳定病组)")
    ambiguous: CostRule = parameter("the rule for ambiguous groups (歧义病组)")
    ungrouped: CostRule = parameter("the rule for cases that no group takes (无法入组)")
    invalid: CostRule = parameter("the rule for cases whose record cannot be grouped")


class Costs(Model):
    """Which cost the rules look at."""

    unreasonable: Literal["deducted", "not_used"] = parameter(
        "whether U, cost found unreasonable, is deducted in the rules that name it; then the cases "
        "must have the column unreasonable_cost"
    )

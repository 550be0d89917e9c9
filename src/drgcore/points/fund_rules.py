"""The part of a policy that says what points are worth and how hospitals are paid."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Tag, model_validator

from drgcore.language import _
from drgcore.points.bands import Bands
from drgcore.points.parameters import (
    Factor,
    Model,
    Positive,
    Share,
    Yuan,
    ask,
    parameter,
    set_to,
    sums_to_one,
)
from drgcore.points.payment_rules import (
    ByClass,
    FundSharing,
    Marginal,
    ValuePool,
    pool_kind,
    sharing_rule,
)

SHARED = (
    *("reserve_share", "months", "basis", "prepayment", "reference", "floor", "ceiling"),
    *("month_payment", "month_value", "fund_sharing"),
)
"""Parameters of a pool that may stand once in [budget] for all pools."""


class PoolBudget(Model):
    """The year's parameters of one fund pool (统筹基金池)."""

    budget: Yuan = parameter(
        "A, the fund's budget of the year; or a pool without budget has a value", "yuan"
    )
    reserve_share: Share = parameter("share of the budget set aside as reserve, often 0.05")
    months: Literal["forecast"] | tuple[Share, ...] = parameter(
        "each month's share of the year, twelve that add up to 1, or forecast"
    )
    basis: Literal["fund", "total_cost"] = parameter(
        "what is divided by the points: fund A, or total_cost A + ΣB"
    )
    prepayment: Share = parameter("θ, share of a month's amount paid at once, often 0.90 to 0.95")
    reference: Literal["none", "last_year", "mean_cost"] = parameter(
        "what floor and ceiling are multiples of: last year's point value, or mean cost / scale"
    )
    last_value: Positive | None = parameter(
        "last year's point value", "yuan per point", default=None
    )
    floor: Factor | None = parameter("least point value", "multiple of reference", default=None)
    ceiling: Factor | None = parameter(
        "greatest point value", "multiple of reference", default=None
    )
    month_payment: Literal["month_budget", "given_value", "claims"] = parameter(
        "what a month's amount is: the month's budget by points, points at the given month_value, "
        "or the hospital's claims less what is paid on top; the year's value settles all of them",
        default="month_budget",
    )
    month_value: Positive | None = parameter(
        "the point value at which months are paid, often last year's",
        "yuan per point",
        default=None,
    )
    advances: dict[str, Yuan] = parameter(
        "what each hospital was paid at the start of the year (预付金), set off at the clearing",
        "yuan",
        source="国家医保局预付金管理, 2024-11: base is the monthly mean of one to three years",
        default={},
    )
    fund_sharing: FundSharing | None = parameter(
        "sharing with the fund before the year's value is formed", default=None
    )

    @model_validator(mode="after")
    def _check(self) -> PoolBudget:
        if not isinstance(self.months, str):
            if len(self.months) != 12:
                raise ValueError(
                    _("there are {count} monthly shares, not 12", count=len(self.months))
                )
            sums_to_one(list(self.months), _("monthly shares"))
        if self.reference == "last_year" and self.last_value is None:
            raise ask("last_value", set_to("reference", "last_year"))
        limited = self.floor is not None or self.ceiling is not None
        if self.reference != "none" and not limited:
            raise ask("floor", _("reference is given; or the ceiling, or both"))
        if limited and self.reference == "none":
            raise ValueError(_("floor and ceiling need a reference: last_year or mean_cost"))
        if self.floor is not None and self.ceiling is not None and self.floor > self.ceiling:
            raise ValueError(_("the floor lies above the ceiling"))
        if self.month_payment == "given_value" and self.month_value is None:
            raise ask("month_value", set_to("month_payment", "given_value"))
        if sum(self.advances.values()) > self.budget:
            raise ValueError(
                _(
                    "the advances of {count:,.2f} yuan are larger than the year's "
                    "budget of {budget:,.2f}",
                    count=sum(self.advances.values()),
                    budget=self.budget,
                )
            )
        return self


Pool = Annotated[
    Annotated[PoolBudget, Tag("[budget]")] | Annotated[ValuePool, Tag("[value]")],
    Discriminator(pool_kind),
]
"""A fund pool: with a budget, or with a given point value."""


class Budget(Model):
    """The year's budget, pool by pool; a parameter given here holds for every pool."""

    pools: dict[str, Pool] = parameter("the fund pools", min_length=1)
    date: Literal["discharge", "settlement"] = parameter(
        "which day of a case decides its month: of discharge, or of the settlement with its "
        "patient (column settlement_date)",
        default="discharge",
    )

    @model_validator(mode="before")
    @classmethod
    def _share_out(cls, data: Any) -> Any:
        if not isinstance(data, Mapping) or not isinstance(data.get("pools"), Mapping):
            return data
        common = {name: data[name] for name in SHARED if name in data}
        pools = {
            name: {
                **{
                    key: value
                    for key, value in common.items()
                    if pool_kind(pool) == "[budget]" or key in ("basis", "prepayment")
                },
                **pool,
            }
            if isinstance(pool, Mapping)
            else pool
            for name, pool in data["pools"].items()
        }
        return {**{k: v for k, v in data.items() if k not in SHARED}, "pools": pools}


class Violations(Model):
    """Multiples for what audit refuses (money) and for points withdrawn, by kind of violation."""

    amount: dict[str, Factor] = parameter(
        "by how much a refused amount is multiplied, by kind", default={}
    )
    points: dict[str, Factor] = parameter(
        "by how much withdrawn points are multiplied, by kind: upcoding (高套), splitting "
        "(分解住院), refusing (推诿), fewer_services, or the policy's own",
        default={},
    )
    base_points: dict[str, Factor] = parameter(
        "how many times P, the base points of the case's DRG, are withdrawn beside its points, by "
        "kind, whatever the case earned; a kind that is not in `points` has the multiple 1 there",
        "multiple of P",
        source="for example Shaoxing, 2023-08-25: 1 for grave split stays, 2 for upcoding, 5 for "
        "fraud",
        default={},
    )


class Indicator(Model):
    """One scored indicator of the quality assessment."""

    name: str = parameter("name of the indicator")
    weight: Share = parameter("its weight; all weights add up to 1")


class Quality(Model):
    """Quality assessment → encouragement coefficient κ (鼓励系数)."""

    rule: Literal["given", "scored", "linear"] = parameter(
        "whether κ comes with the settlement or here per hospital, by bands of the score of the "
        "indicators, or linear maximum − per_point·(full_score − score), within its limits"
    )
    hospitals: dict[str, Factor] = parameter("κ of each hospital, for rule = given", default={})
    indicators: tuple[Indicator, ...] = parameter("the indicators, for rule = scored", default=())
    coefficients: Bands | None = parameter("κ by the weighted score", default=None)
    bonus: tuple[str, ...] = parameter(
        "columns of the scores that are added to the weighted score (加分)", "score", default=()
    )
    full_score: Factor | None = parameter(
        "s0, the score from which κ is the maximum", "score", default=None
    )
    per_point: Factor | None = parameter("what κ loses for a point of the score", default=None)
    minimum: Factor = parameter("least κ, for rule = linear", default=Decimal(0))
    maximum: Factor = parameter("greatest κ, for rule = linear", default=Decimal(1))
    bonus_points: Bands | None = parameter(
        "points of the year added by the score, as a share of the hospital's points; negative: "
        "taken away",
        default=None,
    )

    @model_validator(mode="after")
    def _check(self) -> Quality:
        needed = {
            "given": (),
            "scored": ("indicators", "coefficients"),
            "linear": ("indicators", "full_score", "per_point"),
        }
        for name in needed[self.rule]:
            if not getattr(self, name) and getattr(self, name) != 0:
                raise ask(name, set_to("quality.rule", self.rule))
        if self.bonus_points is not None and not self.indicators:
            raise ask("indicators", _("quality.bonus_points is given"))
        if self.bonus_points is not None and min(self.bonus_points.values) < -1:
            raise ValueError(_("bonus_points take away more than all points"))
        if self.indicators and (self.rule != "given" or self.bonus_points is not None):
            sums_to_one([i.weight for i in self.indicators], _("weights of the indicators"))
        if self.minimum > self.maximum:
            raise ValueError(_("minimum lies above maximum"))
        return self


class IncentivePool(Model):
    """How the incentive pool (激励机制基金池) is shared out, in proportion to κ·E."""

    rule: Literal["all", "cap"] = parameter(
        "all: shared out whole; cap: each share is limited and the rest returns to the reserve"
    )
    cap: Factor | None = parameter(
        "limit of a share", "multiple of what was held back from the hospital", default=None
    )

    @model_validator(mode="after")
    def _check(self) -> IncentivePool:
        if self.rule == "cap" and self.cap is None:
            raise ask("cap", set_to("incentive_pool.rule", "cap"))
        return self


class Sharing(Model):
    """Surplus kept and deficit shared (结余留用、合理超支分担), by E/F."""

    surplus: Annotated[
        Annotated[Literal["all_kept"], Tag("[word]")]
        | Annotated[Bands, Tag("[bands]")]
        | Annotated[Marginal, Tag("[marginal]")]
        | Annotated[ByClass, Tag("[by_class]")],
        Discriminator(sharing_rule),
    ] = parameter(
        "share of a surplus that is kept: all_kept, bands by E/F of the whole surplus, marginal "
        "bands, or by case class"
    )
    deficit: Annotated[
        Annotated[Literal["not_shared"], Tag("[word]")]
        | Annotated[Bands, Tag("[bands]")]
        | Annotated[Marginal, Tag("[marginal]")],
        Discriminator(sharing_rule),
    ] = parameter(
        "share of a deficit that the reserve bears: not_shared, bands by E/F of the whole deficit, "
        "or marginal bands"
    )

    @model_validator(mode="after")
    def _check(self) -> Sharing:
        for name in ("surplus", "deficit"):
            bands = getattr(self, name)
            if isinstance(bands, Bands) and not all(0 <= v <= 1 for v in bands.values):
                raise ValueError(_("a share of {name} is not between 0 and 1", name=name))
        return self


class Outside(Model):
    """Cases outside the points."""

    paid_from: Literal["budget", "elsewhere"] = parameter(
        "whether cases outside the points are paid by item from this budget before it is divided"
    )


class Capitation(Model):
    """A capitated budget (按人头总额预付): heads × rate."""

    heads: int = parameter("people insured with the unit", "people", ge=0)
    rate: Yuan = parameter("budget per head and year", "yuan per head")

    @property
    def budget(self) -> Decimal:
        """The unit's budget [yuan]."""
        return self.heads * self.rate


class SettlementUnit(Model):
    """Hospitals settled together (结算单元), for example a county consortium (医共体)."""

    name: str = parameter("name of the unit; the cases' capitation_unit where it is capitated")
    hospitals: tuple[str, ...] = parameter("its members", min_length=1)
    capitation: dict[str, Capitation] = parameter("its capitated budget in each pool", default={})


class Hospital(Model):
    """A hospital of the region."""

    name: str = parameter("name", default="")
    level: str | None = parameter("its level where the cases have none", default=None)

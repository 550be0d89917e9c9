"""Rules for listed cases: outside the points, reviewed, at fixed prices, by bed-days, factors."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import model_validator

from drgcore.language import _
from drgcore.points.bands import Bands
from drgcore.points.conditions import Conditions
from drgcore.points.outlier_rules import Period, Whole
from drgcore.points.parameters import Days, Factor, Groups, Model, Share, ask, parameter, set_to


class BedDay(Conditions):
    """Bed-day payment (床日): points per day by length of stay, times L."""

    groups: Groups | Literal["all"] = parameter(
        "DRG, ADRG or MDC; all: every case, also one without a group"
    )
    name: str = parameter("name of the rule")
    points_per_day: Bands = parameter("points per day by L", "points per day")
    tiers: Literal["whole", "marginal"] = parameter(
        "whole: the tier that L lies in holds for the whole stay; marginal: each day earns the "
        "points of its own tier",
        default="whole",
    )

    @model_validator(mode="after")
    def _check(self) -> BedDay:
        if not self.groups:
            raise ask("groups", _("a bed-day rule needs them; all stands for every case"))
        if self.above_days is None and self.from_days is None:
            raise ask("above_days", _("from_days is not given either; from_days = 0: any stay"))
        return self


class FixedPrice(Conditions):
    """Fixed points, or a share of P (单病种、日间手术)."""

    name: str = parameter("name of the item; a case is on the list if its list_item says so")
    points: Factor | None = parameter("the fixed points", "points", default=None)
    share_of_base: Factor | None = parameter(
        "share of P, the base points of the case's DRG, in place of points", default=None
    )

    @model_validator(mode="after")
    def _check(self) -> FixedPrice:
        if self.points is None and self.share_of_base is None:
            raise ask("points", _("share_of_base is not given either"))
        if self.points is not None and self.share_of_base is not None:
            raise ValueError(_("give points or share_of_base, not both"))
        return self


class ReviewQuota(Model):
    """How many cases a hospital may bring to special review in a period, and until when."""

    share: Share | dict[str, Share] = parameter(
        "share of the hospital's cases with a DRG in the period, for all hospitals or by level",
        source="for example 浙江省特例单议: 0.005; an unnamed city, 2025: 0.005, 0.003, 0.001",
    )
    period: Period = parameter("the period whose cases are counted, by day of discharge")
    rounding: Whole = parameter("how a part of a case is rounded")
    counts: Literal["filed", "granted"] = parameter(
        "whether every case filed counts, or only those granted (not those refused)"
    )
    deadline_days: Days | None = parameter(
        "days after the end of the period within which a case must be filed",
        "days",
        source="for example 浙江省特例单议: 15 working days",
        default=None,
    )
    deadline_counts: Literal["working", "calendar"] | None = parameter(
        "whether those are working days or all days", default=None
    )
    holidays: tuple[date, ...] = parameter(
        "weekdays that are no working days (法定节假日)", default=()
    )
    extra_workdays: tuple[date, ...] = parameter(
        "Saturdays and Sundays that are working days (调休)", default=()
    )

    @model_validator(mode="after")
    def _check(self) -> ReviewQuota:
        if self.deadline_days is not None and self.deadline_counts is None:
            raise ask("deadline_counts", _("deadline_days is given"))
        return self


class SpecialReview(Model):
    """Special review (特病单议、特例单议) by a panel."""

    without_points: Literal["by_cost", "error"] = parameter(
        "what applies where the panel gave no points: by_cost (C − U)/mean·scale·rate, or an error"
    )
    rate: Factor | None = parameter("rate of (C − U)/mean·scale", default=None)
    quota: ReviewQuota | None = parameter(
        "how many cases may be reviewed; none: any number", default=None
    )

    @model_validator(mode="after")
    def _check(self) -> SpecialReview:
        if self.without_points == "by_cost" and self.rate is None:
            raise ask("rate", set_to("special_review.without_points", "by_cost"))
        return self


class Exclusion(Conditions):
    """A case is outside the points, and paid by item, if all conditions given here hold."""

    reason: str = parameter("why, for the case's reason")
    no_fund_part: bool = parameter("nothing is borne by the fund: C − B ≤ 0", default=False)

    @model_validator(mode="after")
    def _check(self) -> Exclusion:
        if not self.given and not self.no_fund_part:
            raise ValueError(_("an exclusion without any condition would exclude every case"))
        return self


FactorClass = Literal[
    "normal",
    "high_cost",
    "low_cost",
    "unstable",
    "ambiguous",
    "ungrouped",
    "no_base_points",
    "bed_day",
    "fixed_price",
    "special_review",
]


class CaseFactor(Conditions):
    """A factor on the points of the cases for which all its conditions hold."""

    name: str = parameter(
        "name of the factor, for the explanation: TCM (中医优势病种), key specialty (重点专科), …"
    )
    value: Factor | None = parameter("the factor", default=None)
    by_hospital: dict[str, Factor] = parameter(
        "the factor of each hospital, for example as its CMI follows its level's; of others value",
        source="for example Chongqing, DRG version of 2025: the coefficient follows the CMI",
        default={},
    )
    classes: tuple[FactorClass, ...] = parameter(
        "classes of cases that it applies to", min_length=1
    )

    @model_validator(mode="after")
    def _check(self) -> CaseFactor:
        if self.value is None and not self.by_hospital:
            raise ask("value", _("there is no by_hospital either"))
        return self


class Factors(Model):
    """Factors of a case: points · Π f, the product within limits, as a step of its own."""

    each: tuple[CaseFactor, ...] = parameter("the factors; all that apply are multiplied")
    minimum: Factor | None = parameter("least product", default=None)
    maximum: Factor | None = parameter("greatest product", default=None)

    @model_validator(mode="after")
    def _check(self) -> Factors:
        names = [factor.name for factor in self.each]
        if len(set(names)) != len(names):
            raise ValueError(_("two factors have one name"))
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(_("minimum lies above maximum"))
        return self


class Readmission(Model):
    """Stays of one patient that follow each other too soon (再入院、分解住院)."""

    kind: str = parameter("kind of violation; violations.points says what is withdrawn for it")
    within_days: Days = parameter(
        "the later admission is at most this many days after the earlier discharge",
        "days",
        source="for example 浙医保联发〔2019〕21号: 15; Jinhua 2017: 10",
    )
    same: Literal["drg", "adrg", "any"] = parameter(
        "whether both stays are of one DRG, of one ADRG, or of any groups"
    )
    hospital: Literal["same", "any"] = parameter("whether both stays are in one hospital, or any")
    exempt: Groups = parameter(
        "DRG, ADRG or MDC whose stays are not looked at, for example chemo- and radiotherapy",
        default=(),
    )

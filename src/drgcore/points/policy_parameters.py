"""All parameters of a policy: its parts in the order of the file, and what holds between them."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import model_validator

from drgcore.language import _
from drgcore.points.case_rules import BasePoints, ByCost, Calibration, Costs, Rounding, Stability
from drgcore.points.coefficient_rules import Coefficients
from drgcore.points.fund_rules import (
    Budget,
    Hospital,
    IncentivePool,
    Outside,
    PoolBudget,
    Quality,
    SettlementUnit,
    Sharing,
    Violations,
)
from drgcore.points.list_rules import (
    BedDay,
    Exclusion,
    Factors,
    FixedPrice,
    Readmission,
    SpecialReview,
)
from drgcore.points.outlier_rules import Outliers
from drgcore.points.parameters import Model, Yuan, parameter, wrong
from drgcore.points.payment_rules import ByClass, OnTop, QualityMoney
from drgcore.points.sources import Source


class PolicyParameters(Model):
    """The parameters of a region's payment; `Policy` is read from a file and applies on days."""

    name: str = parameter("short name of the policy")
    title: str = parameter("title of the policy", default="")
    fictitious: bool = parameter("whether region and numbers are invented", default=False)
    region: str = parameter("the region, as people call it", default="")
    year: int | None = parameter("year of the rules", default=None)
    source: str = parameter("document that the numbers come from, with number and date")
    sources: tuple[Source, ...] = parameter(
        "which document gives which parameter, with article and kind of source", default=()
    )
    states: tuple[str, ...] = parameter("what the source states", default=())
    fill_in: tuple[str, ...] = parameter("what the user must fill in", default=())
    effective_from: date = parameter("first day on which it applies")
    effective_to: date | None = parameter("last day on which it applies", default=None)

    base_points: BasePoints = parameter("base points of the DRGs")
    calibration: Calibration | None = parameter(
        "how base points come from history, for a policy that is made from it", default=None
    )
    stability: Stability = parameter("which groups are stable")
    rounding: Rounding = parameter("decimals")
    outliers: Outliers = parameter("high-cost and low-cost outliers")
    by_cost: ByCost = parameter("classes paid by cost")
    coefficients: Coefficients = parameter("the hospitals' coefficients")
    bed_day: tuple[BedDay, ...] = parameter(
        "bed-day rules; the first that fits applies", default=()
    )
    fixed_price: tuple[FixedPrice, ...] = parameter("fixed points; the first fits", default=())
    special_review: SpecialReview | None = parameter(
        "special review; without it a panel's decision is an error", default=None
    )
    exclusions: tuple[Exclusion, ...] = parameter("cases outside the points", default=())
    factors: Factors | None = parameter(
        "factors on the points of some cases; without it there are none", default=None
    )
    readmissions: tuple[Readmission, ...] = parameter(
        "stays that follow each other too soon, for find_readmissions", default=()
    )
    costs: Costs = parameter("which cost the rules look at")

    budget: Budget = parameter("the year's budget")
    accounts: dict[str, dict[str, Yuan]] = parameter(
        "accounts beside the budget that payments may be made from, for example the fund's balance "
        "of earlier years: what each holds for each pool at the start of the year",
        "yuan",
        default={},
    )
    violations: Violations = parameter("multiples of sanctions", default=Violations())
    quality: Quality = parameter("quality assessment")
    incentive_pool: IncentivePool = parameter("distribution of the incentive pool")
    sharing: Sharing = parameter("surplus kept and deficit shared")
    quality_money: QualityMoney | None = parameter(
        "quality money returned by the hospital's own result; without it there is none",
        default=None,
    )
    on_top: OnTop | None = parameter(
        "money on top of the points for listed items; without it there is none", default=None
    )
    outside: Outside = parameter("payment of cases outside the points")
    units: tuple[SettlementUnit, ...] = parameter("settlement units", default=())
    hospitals: dict[str, Hospital] = parameter("hospitals that every statement names", default={})
    articles: dict[str, str] = parameter(
        "the policy's article for a step of the statement: points, point_value, refused, "
        "prepayment, adjustments, bands, pool, final",
        default={},
    )
    amendments: tuple[dict[str, Any], ...] = parameter("later parameters", default=())

    @model_validator(mode="after")
    def _check(self) -> PolicyParameters:
        if self.effective_to is not None and self.effective_to < self.effective_from:
            raise wrong(("effective_to",), _("effective_to lies before effective_from"))
        members = [hospital for unit in self.units for hospital in unit.hospitals]
        twice = sorted({hospital for hospital in members if members.count(hospital) > 1})
        if twice:
            reason = _("{twice} is a member of two settlement units", twice=", ".join(twice))
            raise wrong(("units",), reason)
        for unit in self.units:
            unknown = sorted(set(unit.capitation) - set(self.budget.pools))
            if unknown:
                reason = _(
                    "unit {name} has a capitation in no pool: {unknown}",
                    name=unit.name,
                    unknown=unknown[0],
                )
                raise wrong(("units",), reason)
            for pool in unit.capitation:
                if not isinstance(self.budget.pools[pool], PoolBudget):
                    reason = _(
                        "unit {name} has a capitation in {pool}, of no budget",
                        name=unit.name,
                        pool=pool,
                    )
                    raise wrong(("units",), reason)
        for name, holds in self.accounts.items():
            if name in ("reserve", "budget", ""):
                raise wrong(("accounts",), _("an account cannot be called {name!r}", name=name))
            unknown = sorted(set(holds) - set(self.budget.pools))
            if unknown:
                reason = _(
                    "account {name} holds money of no pool: {unknown}",
                    name=name,
                    unknown=unknown[0],
                )
                raise wrong(("accounts", name), reason)
        known = {*self.violations.points, *self.violations.base_points}
        for rule in self.readmissions:
            if rule.kind not in known:
                reason = _(
                    "readmissions name {kind}, which is no kind of violations.points",
                    kind=rule.kind,
                )
                raise wrong(("readmissions",), reason)
        self._check_names()
        self._check_accounts()
        if isinstance(self.sharing.surplus, ByClass) and any(u.capitation for u in self.units):
            raise wrong(("sharing", "surplus"), _("a capitated unit's surplus has no case classes"))
        return self

    def _check_names(self) -> None:
        """Refuse rules of one name: explanations and other rules name them by it.

        Fixed prices are left out: a case's list_item may have several, by level or group.
        """
        named: dict[tuple[str, ...], tuple[Any, ...]] = {
            ("bed_day",): self.bed_day,
            ("coefficients", "components"): self.coefficients.components,
            ("base_points", "tiers"): self.base_points.tiers,
            ("quality", "indicators"): self.quality.indicators,
            ("on_top", "lists"): self.on_top.lists if self.on_top else (),
            ("units",): self.units,
        }
        for place, rules in named.items():
            names = [rule.name for rule in rules]
            twice = next((name for at, name in enumerate(names) if name in names[:at]), None)
            if twice is not None:
                raise wrong(
                    place, _("two of them have the name {twice}; each needs its own", twice=twice)
                )

    def _check_accounts(self) -> None:
        named: dict[tuple[str, ...], str] = {}
        if self.on_top:
            named["on_top", "paid_from"] = self.on_top.paid_from
        for name, pool in self.budget.pools.items():
            if isinstance(pool, PoolBudget) and pool.fund_sharing is not None:
                place = ("budget", "pools", name, "fund_sharing", "paid_from")
                named[place] = pool.fund_sharing.paid_from
            held = self.quality_money.share if self.quality_money else None
            if held is not None and held > 1 - pool.prepayment:
                reason = _("it is more than what pool {name} holds back, 1 − θ", name=name)
                raise wrong(("quality_money", "share"), reason)
        for at, account in named.items():
            own = ("reserve", "budget") if at[0] == "on_top" else ("reserve",)
            if account not in (*own, *self.accounts):
                raise wrong(
                    at, _("there is no account {account}; add it to accounts", account=account)
                )

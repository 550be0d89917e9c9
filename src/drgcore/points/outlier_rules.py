"""Outliers of cost (高倍率、低倍率): by multiples of m, by a quota, or by pieces over C/m."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from drgcore.language import _
from drgcore.points.bands import Bands
from drgcore.points.parameters import Factor, Model, Positive, Share, ask, parameter, set_to

Period = Literal["month", "quarter", "half_year", "year"]
Whole = Literal["down", "nearest", "up"]
Signed = Annotated[Decimal, Field(allow_inf_nan=False)]


class CaseQuota(Model):
    """Only the dearest share of the cases of a hospital or a DRG are high-cost, by C/m."""

    share: Share = parameter(
        "share of the cases, with 8 decimals of C/m and ties in order of case id; the cases are "
        "those that the rules for outliers look at",
        source="for example an unnamed city's rules of 2025: the dearest 5 %",
    )
    among: Literal["hospital", "drg"] = parameter(
        "whose cases are counted and ranked together: a hospital's, or a DRG's in the region"
    )
    period: Period = parameter("the period whose cases are counted, by day of discharge")
    rounding: Whole = parameter("how a part of a case is rounded")


class HighCost(Model):
    """High-cost outliers (高倍率): C > hi·m."""

    rule: Literal[
        "none", "added", "added_capped", "added_reviewed", "capped_at_hi", "by_cost", "outside"
    ] = parameter(
        "how a high-cost case is paid: none (no such class), added P·k + P·((C − U)/m − hi), "
        "the added part capped, or only as far as a review grants it, capped_at_hi "
        "P·min((C − U)/m, hi), by_cost (C − U)/mean·scale·rate, outside the points by item"
    )
    multiples: Bands | None = parameter("hi by base points", "multiple of m", default=None)
    multiples_by_level: dict[str, Bands] = parameter(
        "hi by base points for hospitals of a level; of other levels multiples hold",
        "multiple of m",
        default={},
    )
    quota: CaseQuota | None = parameter(
        "only the dearest are high-cost, the others normal; none: all above hi", default=None
    )
    cap: Factor | None = parameter("limit of the added part", "multiple of P", default=None)
    rate: Factor | None = parameter("rate for rule = by_cost", default=None)

    @model_validator(mode="after")
    def _check(self) -> HighCost:
        dearest = self.quota is not None and self.rule in ("by_cost", "outside")
        if self.rule != "none" and self.multiples is None and not dearest:
            raise ask("multiples", _("{parameter} is not none", parameter="outliers.high.rule"))
        if self.rule == "added_capped" and self.cap is None:
            raise ask("cap", set_to("outliers.high.rule", "added_capped"))
        if self.rule == "by_cost" and self.rate is None:
            raise ask("rate", set_to("outliers.high.rule", "by_cost"))
        if any(min(bands.values) <= 0 for bands in self.all_multiples):
            raise ValueError(_("a multiple hi is not positive"))
        if self.multiples_by_level and self.multiples is None:
            raise ask("multiples", _("multiples_by_level leaves other levels without"))
        if self.rule == "none" and self.quota is not None:
            raise ValueError(_("a quota needs a rule: outliers.high.rule is none"))
        return self

    @property
    def all_multiples(self) -> tuple[Bands, ...]:
        """The bands of all levels."""
        own = () if self.multiples is None else (self.multiples,)
        return (*own, *self.multiples_by_level.values())


class LowCost(Model):
    """Low-cost outliers (低倍率): C < lo·m."""

    rule: Literal["none", "proportional", "by_cost", "outside"] = parameter(
        "how a low-cost case is paid: none (no such class), proportional P·C/m and at most P·k, "
        "by_cost (C − U)/mean·scale·rate, outside the points by item"
    )
    multiples: Bands | None = parameter("lo by base points", "multiple of m", default=None)
    multiples_by_level: dict[str, Bands] = parameter(
        "lo by base points for hospitals of a level; of other levels multiples hold",
        "multiple of m",
        default={},
    )
    rate: Factor | None = parameter("rate for rule = by_cost", default=None)

    @model_validator(mode="after")
    def _check(self) -> LowCost:
        if self.rule != "none" and self.multiples is None:
            raise ask("multiples", _("{parameter} is not none", parameter="outliers.low.rule"))
        if self.rule == "by_cost" and self.rate is None:
            raise ask("rate", set_to("outliers.low.rule", "by_cost"))
        if any(min(bands.values) < 0 for bands in self.all_multiples):
            raise ValueError(_("a multiple lo is negative"))
        return self

    @property
    def all_multiples(self) -> tuple[Bands, ...]:
        """The bands of all levels."""
        own = () if self.multiples is None else (self.multiples,)
        return (*own, *self.multiples_by_level.values())


class Piece(Model):
    """One interval of C/m and its formula, P·(a + b·x), with or without k."""

    above: Factor | None = parameter(
        "lower limit, which must be the one that the piece before has as up_to",
        "multiple of m",
        default=None,
    )
    up_to: Positive | None = parameter(
        "upper limit of C/m; the last piece has none", "multiple of m", default=None
    )
    limit: Literal["this", "next"] = parameter(
        "whether a case on the upper limit belongs to this piece or to the next", default="this"
    )
    case_class: Literal["normal", "high_cost", "low_cost"] = parameter(
        "class of its cases, by which they are counted"
    )
    rule: Literal["formula", "by_cost", "outside"] = parameter(
        "formula; by_cost (C − U)/mean·scale·rate; outside the points by item", default="formula"
    )
    a: Signed | None = parameter("a of P·(a + b·x)", default=None)
    b: Signed | None = parameter("b of P·(a + b·x)", default=None)
    x: Literal["C/m", "(C − U)/m"] = parameter(
        "which cost the formula has; the limits are of C/m", default="C/m"
    )
    k: Literal["times", "plus", "none"] | None = parameter(
        "times: P·(a + b·x)·k; plus: P·k + P·(a + b·x); none: P·(a + b·x)", default=None
    )
    cap: Literal["none", "P", "P·k"] = parameter(
        "what the part with a and b is at most; it is never below 0", default="none"
    )
    cap_multiple: Factor = parameter(
        "how many times P or P·k that is", "multiple of the cap", default=Decimal(1)
    )
    rate: Factor | None = parameter("rate for rule = by_cost", default=None)

    @model_validator(mode="after")
    def _check(self) -> Piece:
        for name in ("a", "b", "k"):
            if self.rule == "formula" and getattr(self, name) is None:
                raise ask(name, set_to("rule", "formula"))
        if self.rule == "by_cost" and self.rate is None:
            raise ask("rate", set_to("rule", "by_cost"))
        return self


class Outliers(Model):
    """Outliers by multiples of the DRG's mean cost m, or pieces over C/m in their place."""

    high: HighCost = parameter("the rule for high-cost outliers (高倍率)")
    low: LowCost = parameter("the rule for low-cost outliers (低倍率)")
    pieces: tuple[Piece, ...] = parameter(
        "formulas by C/m in order, from 0 without gap; high and low are then left out",
        source="for example Zhejiang 2025: 0.4 < C/m ≤ 0.8 earns P·(C/m + 0.2)",
        default=(),
    )

    @model_validator(mode="before")
    @classmethod
    def _leave_out(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and data.get("pieces"):
            return {"high": {"rule": "none"}, "low": {"rule": "none"}, **data}
        return data

    @model_validator(mode="after")
    def _check(self) -> Outliers:
        lows = [value for bands in self.low.all_multiples for value in bands.values]
        highs = [value for bands in self.high.all_multiples for value in bands.values]
        if lows and highs and min(highs) <= max(lows):
            raise ValueError(_("the bands overlap: a multiple lo is not below every multiple hi"))
        if self.pieces:
            self._check_pieces()
        return self

    def _check_pieces(self) -> None:
        for name in ("high", "low"):
            if getattr(self, name).rule != "none":
                raise ValueError(
                    _("pieces say it all: leave {name} out, or its rule none", name=name)
                )
        first, last = self.pieces[0], self.pieces[-1]
        if first.above:
            raise ValueError(
                _("there is a gap: the first piece begins above {above}, not 0", above=first.above)
            )
        if last.up_to is not None:
            raise ValueError(_("there is a gap: no piece for C/m above {up_to}", up_to=last.up_to))
        for number, (one, two) in enumerate(pairwise(self.pieces), 1):
            if one.up_to is None:
                raise ask(
                    f"pieces.{number}.up_to", _("piece {number} is not the last", number=number)
                )
            begin = one.up_to if two.above is None else two.above
            if begin != one.up_to:
                what = _("a gap") if begin > one.up_to else _("an overlap")
                raise ValueError(
                    _(
                        "there is {what}: piece {number} ends at {up_to}, piece {row} "
                        "begins at {begin}",
                        what=what,
                        number=number,
                        up_to=one.up_to,
                        row=number + 1,
                        begin=begin,
                    )
                )
            if two.up_to is not None and two.up_to <= one.up_to:
                raise ValueError(
                    _(
                        "the pieces overlap: one up to {up_to} follows one up to {up_to_2}",
                        up_to=two.up_to,
                        up_to_2=one.up_to,
                    )
                )

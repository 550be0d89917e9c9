"""Rules of payment that only some regions have: parts of the fund's rules of a policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any, Literal

from pydantic import model_validator

from drgcore.language import _
from drgcore.points.bands import Bands
from drgcore.points.parameters import Factor, Model, Positive, Share, Yuan, ask, parameter, set_to


class Marginal(Model):
    """Marginal bands (分段累计): each part of a difference has the share of its own band.

    ``Σ sᵢ · overlap(difference, bandᵢ)``, so that a hospital never loses by earning a yuan more.
    """

    rule: Literal["marginal"] = parameter("marginal: every band's share holds for its part alone")
    of: Literal["entitlement", "cost"] = parameter(
        "what the bands' limits are shares of: entitlement E or cost by item F"
    )
    bands: Bands = parameter(
        "share of each part of the difference, by the difference as a share of E or F"
    )
    cap: Share | None = parameter(
        "limit of what all units together keep or the reserve bears, cut in proportion",
        "share of the year's budget A",
        default=None,
    )

    @model_validator(mode="after")
    def _check(self) -> Marginal:
        if not all(0 <= value <= 1 for value in self.bands.values):
            raise ValueError(_("a share is not between 0 and 1"))
        if any(limit <= 0 for limit in self.bands.limits):
            raise ValueError(_("a band ends at or below 0; the bands begin with a difference of 0"))
        return self

    def part(self, difference: Fraction, base: Fraction) -> Fraction:
        """Add up the bands' parts of a difference.

        Parameters
        ----------
        difference, base : Fraction
            The difference, and E or F [one unit of money].

        Returns
        -------
        Fraction
            The part, in the same unit.

        Examples
        --------
        >>> rule = Marginal(rule="marginal", of="entitlement",
        ...                 bands=[{"up_to": "0.1", "value": "0.6"}, {"value": 0}])
        >>> rule.part(Fraction(18000), Fraction(60000))
        Fraction(3600, 1)
        """
        return sum((share * amount for share, amount in self.parts(difference, base)), Fraction(0))

    def parts(self, difference: Fraction, base: Fraction) -> list[tuple[Fraction, Fraction]]:
        """Give each band's share and what of a difference lies in it.

        Parameters
        ----------
        difference, base : Fraction
            The difference, and E or F [one unit of money].

        Returns
        -------
        list of (share, amount)
            The bands that the difference reaches.

        Examples
        --------
        >>> rule = Marginal(rule="marginal", of="cost", bands=1)
        >>> rule.parts(Fraction(5), Fraction(100))
        [(Fraction(1, 1), Fraction(5, 1))]
        """
        found, below = [], Fraction(0)
        limits = [Fraction(repr(limit)) * base for limit in self.bands.limits]
        for share, limit in zip(self.bands.values, [*limits, difference], strict=True):
            top = min(limit, difference)
            if top > below:
                found.append((Fraction(repr(share)), top - below))
                below = top
        return found


class ByClass(Model):
    """A surplus kept by case class: its part of each class has the share of that class.

    A surplus ``E − F`` is divided over the classes that have one of their own, in proportion.
    """

    rule: Literal["by_class"] = parameter("by_class: every case class has its own share")
    classes: dict[str, Share] = parameter("share of a surplus that is kept, by case class")
    otherwise: Share = parameter("the share of the other classes")


class QualityMoney(Model):
    """Quality money (质量保证金): held back and returned by the hospital's own result ρ."""

    share: Share | None = parameter(
        "what of a month's amount is quality money, within what is held back (1 − θ); none: all "
        "that is held back",
        "share of a month's amount",
        source="国家医保局按病种付费经办规程(2025版) art. 25–27: at most 5 %",
        default=None,
    )
    rule: Literal["given", "bands", "linear"] = parameter(
        "whether ρ comes with the settlement (column result) or here per hospital, by bands of the "
        "score, or linear 1 − per_point·(full_score − score), between 0 and 1"
    )
    hospitals: dict[str, Share] = parameter("ρ of each hospital, for rule = given", default={})
    results: Bands | None = parameter("ρ by the score", default=None)
    full_score: Factor | None = parameter("s0, the score from which ρ is 1", "score", default=None)
    per_point: Factor | None = parameter("what ρ loses for a point of the score", default=None)
    rest: Literal["reserve", "shared"] = parameter(
        "where what is not returned goes: to the reserve, or by κ·E to the hospitals with ρ = 1"
    )

    @model_validator(mode="after")
    def _check(self) -> QualityMoney:
        needed = {"bands": ("results",), "linear": ("full_score", "per_point"), "given": ()}
        for name in needed[self.rule]:
            if getattr(self, name) is None:
                raise ask(name, set_to("quality_money.rule", self.rule))
        if self.results is not None and not all(0 <= v <= 1 for v in self.results.values):
            raise ValueError(_("a result ρ is not between 0 and 1"))
        return self


class FundSharing(Model):
    """Sharing with the fund before the value is formed: A' = F + s·(A − F)."""

    surplus: Share = parameter("s where A > F: what of the surplus the hospitals keep")
    deficit: Share = parameter("s where A < F: what of the deficit the hospitals bear")
    paid_from: str = parameter(
        "what pays the fund's part of a deficit: reserve, or an account of the policy",
        default="reserve",
    )


class ValuePool(Model):
    """A pool with a given point value and no budget, as for cases of other regions (异地就医)."""

    value: Positive = parameter(
        "v, the given point value; a case is paid min(v·Q, claim), of which on_top is no part",
        "yuan per point",
    )
    basis: Literal["fund", "total_cost"] = parameter(
        "what v·Q pays: fund, at most C − B; or total_cost, at most C, from which B is taken off"
    )
    prepayment: Share = parameter("θ, share of a month's amount paid at once")


class OnTopList(Model):
    """Listed items (除外支付) that are paid on top of the points while the list is in force."""

    name: str = parameter("name of the list")
    items: tuple[str, ...] = parameter("names or codes of the items", min_length=1)
    valid_from: date = parameter("first day of discharge on which the list applies")
    valid_to: date | None = parameter("last day of discharge on which it applies", default=None)
    kind: str | None = parameter(
        "kind of cost whose mean of the group is taken off, one of on_top.means; none: nothing is",
        default=None,
    )
    above_multiple: Factor | None = parameter(
        "a: only cases with C > a·m", "multiple of m", default=None
    )
    above_share: Share | None = parameter(
        "b: only items with x/C > b", "share of the case's cost", default=None
    )

    @model_validator(mode="after")
    def _check(self) -> OnTopList:
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise ValueError(_("valid_to lies before valid_from"))
        return self


class OnTop(Model):
    """Money on top of points: ``add = max(x − the group's mean of that kind of cost, 0)``."""

    paid_from: str = parameter(
        "what pays it: budget (before it is divided), reserve, or an account of the policy"
    )
    lists: tuple[OnTopList, ...] = parameter("the lists", min_length=1)
    means: dict[str, dict[str, Yuan]] = parameter(
        "the groups' means, by kind of cost and DRG", "yuan", default={}
    )

    @model_validator(mode="after")
    def _check(self) -> OnTop:
        places: dict[str, list[tuple[date, date, int]]] = {}
        for number, one in enumerate(self.lists, 1):
            if one.kind is not None and one.kind not in self.means:
                raise ValueError(
                    _(
                        "list {name} takes off means of {kind}; there are none",
                        name=one.name,
                        kind=one.kind,
                    )
                )
            for item in one.items:
                places.setdefault(item, []).append(
                    (one.valid_from, one.valid_to or date.max, number)
                )
        for item, spans in places.items():
            spans.sort()
            for (_other, end, first), (start, _other, second) in pairwise(spans):
                if start <= end:
                    raise ValueError(
                        _(
                            "the dates overlap: {item} stands in lists {first} and {second} "
                            "on {start}",
                            item=item,
                            first=first,
                            second=second,
                            start=start,
                        )
                    )
        return self


def pool_kind(data: Any) -> str:
    """Tell which kind of pool a table of a policy describes, for the union of both.

    Parameters
    ----------
    data : object
        The table, or a pool.

    Returns
    -------
    str
        The tag of `ValuePool` where there is a value, else that of a pool with a budget.

    Examples
    --------
    >>> pool_kind({"value": "64"}), pool_kind({"budget": "100"})
    ('[value]', '[budget]')
    """
    if isinstance(data, Mapping):
        return "[value]" if "value" in data and "budget" not in data else "[budget]"
    return "[value]" if isinstance(data, ValuePool) else "[budget]"


def sharing_rule(data: Any) -> str:
    """Tell which kind of rule of a surplus or deficit stands in a policy, for their union.

    Parameters
    ----------
    data : object
        What the file has, or a rule.

    Returns
    -------
    str
        A tag: of a word, marginal bands, shares by class, or bands of the whole amount.

    Examples
    --------
    >>> sharing_rule("all_kept"), sharing_rule([{"value": 1}]), sharing_rule({"rule": "marginal"})
    ('[word]', '[bands]', '[marginal]')
    """
    if isinstance(data, Marginal) or (isinstance(data, Mapping) and data.get("rule") == "marginal"):
        return "[marginal]"
    if isinstance(data, ByClass) or (isinstance(data, Mapping) and data.get("rule") == "by_class"):
        return "[by_class]"
    if isinstance(data, str):
        return "[word]"
    numbers = isinstance(data, Sequence | Mapping | Bands | int | float | Decimal)
    return "[bands]" if numbers else "[word]"

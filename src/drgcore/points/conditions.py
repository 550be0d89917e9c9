"""Which cases a rule of a policy applies to: conditions that all have to hold."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from drgcore.language import _
from drgcore.points.parameters import Days, Groups, Model, parameter

Limit = Annotated[Decimal, Field(allow_inf_nan=False)]


class ColumnTest(Model):
    """A limit of a number that stands in a column of the cases, for example `tcm_share`."""

    column: str = parameter("name of the column")
    at_least: Limit | None = parameter("the number is this or more", "the column's", default=None)
    above: Limit | None = parameter("the number is more than this", "the column's", default=None)
    at_most: Limit | None = parameter("the number is this or less", "the column's", default=None)
    below: Limit | None = parameter("the number is less than this", "the column's", default=None)

    @model_validator(mode="after")
    def _check(self) -> ColumnTest:
        if all(limit is None for _, limit in self.limits):
            raise ValueError(_("a test needs at_least, above, at_most or below"))
        low = self.at_least if self.above is None else self.above
        high = self.at_most if self.below is None else self.below
        if low is not None and high is not None and low > high:
            raise ValueError(_("no number fulfils the test: its lower limit is above its upper"))
        return self

    @property
    def limits(self) -> tuple[tuple[str, Decimal | None], ...]:
        """The four limits with the signs that they stand for."""
        return (
            ("≥", self.at_least),
            (">", self.above),
            ("≤", self.at_most),
            ("<", self.below),
        )

    def __str__(self) -> str:
        return _(" and ").join(
            f"{self.column} {sign} {limit.normalize():f}"
            for sign, limit in self.limits
            if limit is not None
        )


class Conditions(Model):
    """Conditions on a case; one that is not given holds for every case."""

    groups: Groups | Literal["all"] = parameter(
        "DRG, ADRG or MDC; all: every case, also one without a group", default=()
    )
    above_days: Days | None = parameter(
        "stays of more than this, L > above_days", "days", default=None
    )
    from_days: Days | None = parameter(
        "stays of at least this, L ≥ from_days",
        "days",
        source="for example 庆医保发〔2025〕45号 art. 2–5: at least 60 days",
        default=None,
    )
    up_to_days: Days | None = parameter(
        "stays of at most this, L ≤ up_to_days",
        "days",
        source="for example 庆医保发〔2025〕45号 art. 2–5: at most 2 days",
        default=None,
    )
    pools: tuple[str, ...] = parameter("fund pools", default=())
    hospitals: tuple[str, ...] = parameter("hospitals", default=())
    levels: tuple[str, ...] | None = parameter("hospital levels; none: all", default=None)
    flag: str | None = parameter("name of a true/false column of the cases", default=None)
    tests: tuple[ColumnTest, ...] = parameter(
        "limits of numbers in columns of the cases; all must hold", default=()
    )

    @model_validator(mode="after")
    def _check_days(self) -> Conditions:
        if self.above_days is not None and self.from_days is not None:
            raise ValueError(_("give above_days or from_days, not both"))
        low = self.from_days if self.above_days is None else self.above_days + 1
        if low is not None and self.up_to_days is not None and low > self.up_to_days:
            raise ValueError(_("no stay fulfils it: the lower limit of days is above up_to_days"))
        return self

    @property
    def uses_stay(self) -> bool:
        """Whether the length of stay is looked at."""
        days = (self.above_days, self.from_days, self.up_to_days)
        return any(limit is not None for limit in days)

    @property
    def given(self) -> bool:
        """Whether any condition is given."""
        others = (self.groups, self.pools, self.hospitals, self.flag, self.tests)
        return self.uses_stay or self.levels is not None or any(others)

    def texts(self) -> list[str]:
        """Write the conditions for a sentence.

        Returns
        -------
        list of str
            One for each condition that is given.

        Examples
        --------
        >>> Conditions(from_days=60, groups=("MDCT",), flag="bed_day").texts()
        ['L ≥ 60 days', 'the group is MDCT', 'bed_day is true']
        """
        listed: list[tuple[Any, str]] = [
            (self.above_days, _("L > {days} days", days=self.above_days)),
            (self.from_days, _("L ≥ {days} days", days=self.from_days)),
            (self.up_to_days, _("L ≤ {days} days", days=self.up_to_days)),
        ]
        found = [text for limit, text in listed if limit is not None]
        if self.groups == "all":
            found.append(_("whatever the group is"))
        named = (
            (_("group"), self.groups),
            (_("pool"), self.pools),
            (_("hospital"), self.hospitals),
        )
        for what, names in named:
            if names and names != "all":
                found.append(_("the {what} is {names}", what=what, names=", ".join(names)))
        if self.levels is not None:
            found.append(_("the hospital's level is {levels}", levels=", ".join(self.levels)))
        if self.flag:
            found.append(_("{flag} is true", flag=self.flag))
        return [*found, *map(str, self.tests)]

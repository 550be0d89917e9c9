"""The calendar month of a settlement, as a type of its own."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from drgcore.errors import BudgetError
from drgcore.language import _

_WRITTEN = re.compile(r"(\d{4})-(\d{2})")


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month (结算月).

    It compares with months only and equals no string, so that neither "2026-1" nor "2026-01-31"
    can pass for one by chance.

    Parameters
    ----------
    year : int
        The calendar year, 1900 to 2999.
    number : int
        The month of the year, 1 to 12.

    Examples
    --------
    >>> january = Month.parse("2026-01")
    >>> january.next
    Month(2026, 2)
    >>> january == "2026-01", january < Month(2026, 2)
    (False, True)
    """

    year: int
    number: int

    def __post_init__(self) -> None:
        for value in (self.year, self.number):
            if not isinstance(value, int) or isinstance(value, bool):
                raise BudgetError(
                    _("a month is made of two whole numbers, not {value!r}", value=value)
                )
        if not 1900 <= self.year <= 2999 or not 1 <= self.number <= 12:
            raise BudgetError(
                _(
                    "there is no month {number} of the year {year}",
                    number=self.number,
                    year=self.year,
                )
            )

    @classmethod
    def parse(cls, text: str) -> Month:
        """Read a month written as year, hyphen and two digits.

        Parameters
        ----------
        text : str
            For example ``2026-01``.

        Returns
        -------
        Month
            The month.

        Examples
        --------
        >>> Month.parse("2026-12").next
        Month(2027, 1)
        """
        found = _WRITTEN.fullmatch(text)
        if not found:
            raise BudgetError(
                _("{text!r} is not a month", text=text), hint=_("write it like 2026-01")
            )
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def at(cls, index: int) -> Month:
        """Give the month of an index, see `index`.

        Parameters
        ----------
        index : int
            Months counted from the year 0.

        Returns
        -------
        Month
            The month.

        Examples
        --------
        >>> Month.at(Month(2026, 5).index)
        Month(2026, 5)
        """
        return cls(index // 12, index % 12 + 1)

    @classmethod
    def of_year(cls, year: int) -> tuple[Month, ...]:
        """List the twelve months of a year.

        Parameters
        ----------
        year : int
            The calendar year.

        Returns
        -------
        tuple of Month
            January to December.

        Examples
        --------
        >>> len(Month.of_year(2026))
        12
        """
        return tuple(cls(year, number) for number in range(1, 13))

    @property
    def index(self) -> int:
        """Months counted from the year 0, so that columns of months are integers."""
        return self.year * 12 + self.number - 1

    @property
    def next(self) -> Month:
        """The month after."""
        return Month.at(self.index + 1)

    @property
    def previous(self) -> Month:
        """The month before."""
        return Month.at(self.index - 1)

    @property
    def last_day(self) -> dt.date:
        """Its last day, on which the policy in force for it is looked up."""
        return dt.date(self.next.year, self.next.number, 1) - dt.timedelta(days=1)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"

    def __repr__(self) -> str:
        return f"Month({self.year}, {self.number})"

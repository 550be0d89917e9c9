"""Which scheme holds on which day of discharge: the national calendar, and a region's own."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from drgcore.errors import SchemeError
from drgcore.language import N_, _

BY_DATE = "by-date"
"""The name of the national calendar wherever a scheme is named."""

_HINT = N_(
    'Write one [[scheme]] for each, in order: name = "chs-drg-2.0" (or the path of a compiled '
    "scheme) and from = 2025-01-01, the first day on which it holds; the first may have no from."
)


@dataclass(frozen=True, slots=True)
class Period:
    """A scheme and the first day of discharge on which it holds; None for all days before.

    `scheme` is the name of a shipped scheme or the path of one.
    """

    scheme: str
    first_day: date | None


@dataclass(frozen=True)
class SchemeCalendar:
    """Schemes one after the other; each holds until the next begins.

    Parameters
    ----------
    name : str
    periods : tuple of Period
        In the order of their first days. Only the first may have none.

    Raises
    ------
    SchemeError
        There is no period, or their days are not in order.

    Examples
    --------
    >>> [NATIONAL_CALENDAR.scheme_on(date(year, 6, 1)) for year in (2024, 2025, 2027)]
    ['chs-drg-1.1', 'chs-drg-2.0', 'chs-drg-3.0']
    >>> print(NATIONAL_CALENDAR)
    by-date
      until 2024-12-31  chs-drg-1.1
      from  2025-01-01  chs-drg-2.0
      from  2027-01-01  chs-drg-3.0
    """

    name: str
    periods: tuple[Period, ...]

    def __post_init__(self) -> None:
        if not self.periods:
            raise SchemeError(_("the calendar names no scheme"), where=self.name, hint=_(_HINT))
        days = [period.first_day or date.min for period in self.periods]
        for place, period in enumerate(self.periods[1:], 1):
            if period.first_day is None or days[place] <= days[place - 1]:
                raise SchemeError(
                    _(
                        "{scheme} has no first day after that of {before}",
                        scheme=period.scheme,
                        before=self.periods[place - 1].scheme,
                    ),
                    where=self.name,
                    hint=_(_HINT),
                )

    def scheme_on(self, day: date) -> str | None:
        """The scheme that holds on a day of discharge; None before the first."""
        held = [p.scheme for p in self.periods if p.first_day is None or p.first_day <= day]
        return held[-1] if held else None

    def __str__(self) -> str:
        first, *later = self.periods
        lines = [self.name]
        if first.first_day is None and later:
            last = date.fromordinal((later[0].first_day or date.max).toordinal() - 1)
            lines.append(f"  until {last}  {first.scheme}")
        else:
            lines.append(f"  from  {first.first_day or 'any day  '}  {first.scheme}")
        lines += [f"  from  {period.first_day}  {period.scheme}" for period in later]
        return "\n".join(lines)


NATIONAL_CALENDAR = SchemeCalendar(
    BY_DATE,
    (
        Period("chs-drg-1.1", None),
        Period("chs-drg-2.0", date(2025, 1, 1)),
        Period("chs-drg-3.0", date(2027, 1, 1)),
    ),
)
"""Version 1.1 to 2024-12-31, 2.0 from 2025-01-01 (医保办发〔2024〕9号), 3.0 from 2027-01-01
(医保发〔2026〕22号)."""


def is_calendar(scheme: object) -> bool:
    """Whether what is given as a scheme is a calendar: one, ``"by-date"``, or a .toml file.

    Examples
    --------
    >>> is_calendar("by-date"), is_calendar("city.toml"), is_calendar("chs-drg-3.0")
    (True, True, False)
    """
    if isinstance(scheme, SchemeCalendar) or scheme == BY_DATE:
        return True
    return isinstance(scheme, str | Path) and str(scheme).lower().endswith(".toml")


def load_calendar(calendar: str | Path | SchemeCalendar = BY_DATE) -> SchemeCalendar:
    """A calendar from its name, from a file, or itself.

    Parameters
    ----------
    calendar : str, Path or SchemeCalendar, default "by-date"
        ``"by-date"`` is the national calendar. A file is TOML in UTF-8 with one table
        ``[[scheme]]`` for each scheme in order: ``name``, a shipped scheme or the path of another,
        from the folder of the file, and ``from``, the first day of discharge on which it holds.
        The first may have no ``from``; with one, earlier discharges have no scheme.

    Returns
    -------
    SchemeCalendar

    Raises
    ------
    SchemeError
        The file cannot be read, has another key, or its days are not in order.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "city.toml")
    >>> _ = path.write_text('''
    ... [[scheme]]
    ... name = "suzhou-2023"
    ... from = 2023-01-01
    ... [[scheme]]
    ... name = "chs-drg-3.0"
    ... from = 2027-01-01
    ... ''')
    >>> load_calendar(path).scheme_on(date(2026, 5, 1))
    'suzhou-2023'
    """
    if isinstance(calendar, SchemeCalendar):
        return calendar
    if calendar == BY_DATE:
        return NATIONAL_CALENDAR
    path = Path(calendar)
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SchemeError(
            _("the calendar cannot be read"), where=str(path), hint=error.strerror
        ) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SchemeError(
            _("the calendar is no TOML in UTF-8: {error}", error=error),
            where=str(path),
            hint=_(_HINT),
        ) from error
    listed = entries.pop("scheme", None)
    if entries or not isinstance(listed, list):
        odd = ", ".join(map(repr, entries))
        raise SchemeError(
            _("the calendar has an unknown key {odd}", odd=odd)
            if odd
            else _("the calendar names no scheme"),
            where=str(path),
            hint=_(_HINT),
        )
    return SchemeCalendar(path.name, tuple(_period(entry, path) for entry in listed))


def _period(entry: Any, path: Path) -> Period:
    if not isinstance(entry, dict) or not entry.keys() <= {"name", "from"}:
        raise SchemeError(
            _("a [[scheme]] has a name, a from and nothing else"), where=str(path), hint=_(_HINT)
        )
    name, first = entry.get("name"), entry.get("from")
    if not isinstance(name, str) or not name:
        raise SchemeError(_("a [[scheme]] has no name"), where=str(path), hint=_(_HINT))
    # A time is a date to Python, but no first day.
    if first is not None and type(first) is not date:
        raise SchemeError(
            _("the first day of {name} is not a date such as 2027-01-01", name=name),
            where=str(path),
            hint=_(_HINT),
        )
    beside = path.parent / name
    return Period(str(beside) if beside.exists() else name, first)

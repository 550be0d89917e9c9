"""From what stands in a cell of a source to the value that is meant, with the repairs it took.

Official workbooks are typed by hand: zero-width characters, no-break and full-width spaces, Excel's
``_x000D_``, full-width brackets and a lower-case code letter all occur. A repair is made only where
one reading is possible, and is kept as data; anything else is refused with its place.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from drgcore.language import N_, _


class RepairKind(StrEnum):
    """What was put right in a source."""

    INVISIBLE = N_("invisible character")
    SPACE = N_("space")
    EXCEL_BREAK = "_x000D_"
    FULL_WIDTH = N_("full-width character")
    CASE = N_("letter case")
    NUMBER = N_("number for text")
    BLANK_ROWS = N_("blank rows")
    REPEATED_ROW = N_("repeated row")
    SORT_FROM_ORDER = N_("sort from row order")


@dataclass(frozen=True, slots=True)
class Repair:
    """One thing put right while a source was read; `row` counts as Excel does, from 1."""

    sheet: str
    row: int
    column: str
    kind: RepairKind
    before: str
    after: str


class CellError(ValueError):
    """A cell that cannot be read as what its column holds."""


Note = Callable[[RepairKind, str, str], None]
"""Takes the kind of a repair and the text before and after it."""

_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad"))
_PLAIN = re.compile(r"[!-~]*")  # printable ASCII without a space needs no repair
_EXCEL_BREAK = re.compile(r"_x000D_", re.IGNORECASE)
# A set's name in a rule has an underscore or a digit; the words of the rule language have neither.
_SET_NAME = re.compile(r"\b[A-Za-z]\w*[_\d]\w*")
_EXTENSION = re.compile(r"(?<=[\d.])X(?=\d{2})")
_INITIAL = re.compile(r"(?:^|(?<=\+))[a-z](?=\d\d)")


def text(value: object, note: Note) -> str:
    """Free text: a name. Full-width punctuation is Chinese typography and stays."""
    return _spaced(_string(value), note)


def rule(value: object, note: Note) -> str:
    """A rule of the official language on one line; a bare number 1 or 0 stands for itself."""
    if isinstance(value, int | float) and value in (0, 1):
        value = str(int(value))
    plain = _string(value)
    if _EXCEL_BREAK.search(plain):
        plain = _noted(note, RepairKind.EXCEL_BREAK, plain, _EXCEL_BREAK.sub(" ", plain))
    plain = _narrow(_spaced(plain, note), note)
    upper = _SET_NAME.sub(lambda name: name[0].upper(), plain)
    return _noted(note, RepairKind.CASE, plain, upper)


def label(value: object, note: Note) -> str:
    """The code of a group, the name of a set, a type: upper case, no space within.

    A whole number is taken as its digits: exclusion tables are numbered, and Excel keeps a number.
    """
    if isinstance(value, int | float) and not isinstance(value, bool) and value == int(value):
        value = _noted(note, RepairKind.NUMBER, str(value), str(int(value)))
    plain = _compact(_string(value), note)
    return _noted(note, RepairKind.CASE, plain, plain.upper())


def icd(value: object, note: Note) -> str:
    """A diagnosis or procedure code. A number is refused: ``55.5000`` read as 55.5 lost digits.

    Examples
    --------
    >>> icd(" a18.000X047+m49.0* ", lambda kind, before, after: print(kind))
    space
    letter case
    'A18.000x047+M49.0*'
    """
    if isinstance(value, int | float):
        raise CellError(
            _(
                "the code is stored as the number {value}, so its zeros are lost; format "
                "the column as text and enter the code again",
                value=value,
            )
        )
    plain = _compact(_string(value), note)
    proper = _EXTENSION.sub("x", _INITIAL.sub(lambda letter: letter[0].upper(), plain))
    return _noted(note, RepairKind.CASE, plain, proper)


def sort(value: object, note: Note) -> int:
    """A place in an order: a whole number, as Excel's float or as digits."""
    if isinstance(value, str):
        plain = _compact(value, note)
        try:
            value = float(plain)
        except ValueError:
            raise CellError(_("{plain!r} is not a whole number", plain=plain)) from None
    if isinstance(value, bool) or not isinstance(value, int | float) or value % 1:
        raise CellError(_("{value!r} is not a whole number", value=value))
    if not 0 <= value < 2**31:
        raise CellError(_("{value:g} is out of range for a place in an order", value=value))
    return int(value)


def is_blank(value: object) -> bool:
    """Whether nothing but spaces and invisible characters stands in a cell."""
    return value is None or (
        isinstance(value, str) and not value.translate(_INVISIBLE).replace("_x000D_", "").strip()
    )


def header(value: object) -> str:
    """A header as it is compared: without spaces and invisible characters, upper case.

    Examples
    --------
    >>> header(" 所属mdc\\u3000编码\\n")
    '所属MDC编码'
    """
    plain = unicodedata.normalize("NFKC", str(value or "")).translate(_INVISIBLE)
    return "".join(plain.split()).upper()


def _string(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(int(value)) if value % 1 == 0 else repr(value)
    raise CellError(
        _(
            "{value!r} is a {name}, not text; format the column as text",
            value=value,
            name=type(value).__name__,
        )
    )


def _spaced(value: str, note: Note) -> str:
    """Without invisible characters; every run of white space as one space, none at the ends."""
    if _PLAIN.fullmatch(value):
        return value
    visible = _noted(note, RepairKind.INVISIBLE, value, value.translate(_INVISIBLE))
    return _noted(note, RepairKind.SPACE, visible, " ".join(visible.split()))


def _compact(value: str, note: Note) -> str:
    """Without invisible characters and spaces, full-width letters as plain ones."""
    if _PLAIN.fullmatch(value):
        return value
    visible = _noted(note, RepairKind.INVISIBLE, value, value.translate(_INVISIBLE))
    return _narrow(_noted(note, RepairKind.SPACE, visible, "".join(visible.split())), note)


def _narrow(value: str, note: Note) -> str:
    plain = "".join(chr(ord(c) - 0xFEE0) if "！" <= c <= "～" else c for c in value)
    return _noted(note, RepairKind.FULL_WIDTH, value, plain)


def _noted(note: Note, kind: RepairKind, before: str, after: str) -> str:
    if before != after:
        note(kind, before, after)
    return after

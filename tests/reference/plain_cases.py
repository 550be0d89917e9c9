"""Cases read one value at a time, in plain Python: what the vectorised room must agree with."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence

MISSING, UNKNOWN = 0, 1
MISSING_NUMBER, INVALID_NUMBER = -1, -2

INVISIBLE = "\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
MARKS = {"", "-", "--", "—", "——", "/", "无", "na", "null", "nan", "none"}


def _is_outer(character: str) -> bool:
    return (
        character in INVISIBLE
        or character in "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85"
        or unicodedata.category(character) in {"Zs", "Zl", "Zp"}
    )


def tidy(text: str) -> str:
    """Fold full-width forms, drop what cannot be seen, lower the letters."""
    characters = list(unicodedata.normalize("NFKC", text))
    while characters and _is_outer(characters[0]):
        characters.pop(0)
    while characters and _is_outer(characters[-1]):
        characters.pop()
    return "".join(c for c in characters if c not in INVISIBLE).lower()


def encode(
    text: str | None, codes: Sequence[str], translate: dict[str, str] | None = None
) -> tuple[int, bool]:
    """Id of one code, and whether the translation changed it."""
    if text is None:
        return MISSING, False
    if translate:
        changing = {old: new for old, new in translate.items() if old != new}
        alike = {old: new for old, new in changing.items() if tidy(old) == tidy(text)}
        if text in alike:
            return encode(alike[text], codes)[0], True
        targets = {encode(new, codes)[0] for new in alike.values()}
        if len(targets) == 1 and tidy(text) not in MARKS:
            return targets.pop(), True
        if targets and tidy(text) not in MARKS:
            return UNKNOWN, False
    if text in codes:
        return list(codes).index(text) + 2, False
    if tidy(text) in MARKS:
        return MISSING, False
    alike_codes = [i for i, code in enumerate(codes) if tidy(code) == tidy(text)]
    return (alike_codes[0] + 2 if len(alike_codes) == 1 else UNKNOWN), False


def codes_of(values: Sequence[str | None] | None, codes: Sequence[str]) -> list[int]:
    """Ids of a list of codes, without those that are missing."""
    ids = [encode(value, codes)[0] for value in values or ()]
    return [i for i in ids if i != MISSING]


def number(value: object, units: tuple[str, ...], high: int) -> int:
    """An age or a weight; a fraction is cut off."""
    if isinstance(value, str):
        text = tidy(value)
        if text in MARKS:
            return MISSING_NUMBER
        for unit in units:
            if text.endswith(unit):
                text = text[: -len(unit)].rstrip("\t\n\f\r ")
                break
        pattern = r"[+-]?0*([0-9]{1,15}(\.[0-9]*)?|\.[0-9]+)(e[+-]?[0-9]{1,2})?"
        if not re.fullmatch(pattern, text, re.ASCII):
            return INVALID_NUMBER
        value = float(text)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return MISSING_NUMBER
    if isinstance(value, float) and math.isinf(value):
        return INVALID_NUMBER
    whole = math.floor(value)  # type: ignore[arg-type]
    return whole if 0 <= whole <= high else INVALID_NUMBER


def age_years(value: object) -> int:
    return number(value, ("岁",), 150)


def age_days(value: object) -> int:
    return number(value, ("天",), 60_000)


def newborn_weight(value: object) -> int:
    weight = number(value, ("克", "g"), 20_000)
    if 0 < weight < 100:
        return INVALID_NUMBER
    return MISSING_NUMBER if weight == 0 else weight


def length_of_stay(value: object) -> int:
    return number(value, ("天", "日"), 36_500)


def leaving_way(value: object) -> int:
    """A code from 1 to 9, whole as it stands."""
    whole = number(value, (), 9)
    if whole < 0:
        return whole
    exact = float(tidy(value)) if isinstance(value, str) else float(value)  # type: ignore[arg-type]
    return whole if exact == whole and whole >= 1 else INVALID_NUMBER


def icu_hours(value: object) -> int:
    return number(value, ("小时", "h"), 200_000)


def tcm_share(value: object) -> float:
    """A share from 0 to 1; text may give it in percent."""
    if isinstance(value, str):
        text = tidy(value)
        if text in MARKS:
            return MISSING_NUMBER
        shift = ""
        if text.endswith("%"):
            text, shift = text[:-1].rstrip("\t\n\f\r "), "e-2"
            if "e" in text:
                return INVALID_NUMBER
        if number(text, (), 10**99) == INVALID_NUMBER:
            return INVALID_NUMBER
        value = float(text + shift)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return MISSING_NUMBER
    share = float(value)  # type: ignore[arg-type]
    return share if 0 <= share <= 1 else INVALID_NUMBER


def yes_no(value: object) -> int:
    """1 yes, 0 no."""
    if isinstance(value, str):
        text = tidy(value)
        if text in {"是", "有", "y", "yes", "true", "t", "√", "✓"}:
            return 1
        if text in {"否", "无", "没有", "n", "no", "false", "f", "×"}:
            return 0
        if number(text, (), 10**9) < 0:
            return number(text, (), 10**9)
        value = float(text)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return MISSING_NUMBER
    exact = float(value)  # type: ignore[arg-type]
    return int(exact) if exact in (0.0, 1.0) else INVALID_NUMBER


def sex(value: object) -> int:
    """1 male, 2 female, 0 missing, -1 not a sex."""
    if isinstance(value, str):
        text = tidy(value)
        if text in {"男", "男性", "m", "male"}:
            return 1
        if text in {"女", "女性", "f", "female"}:
            return 2
        if text in MARKS or text in {"未知", "未知的性别", "未说明", "未说明的性别"}:
            return 0
        if number(value, (), 10**9) == INVALID_NUMBER:
            return -1
        value = float(text)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return 0
    return {1.0: 1, 2.0: 2, 0.0: 0, 9.0: 0}.get(float(value), -1)  # type: ignore[arg-type]

"""Cases read one value at a time, in plain Python: what the vectorised room must agree with."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from datetime import date

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


def codes_in(text: str | None, codes: Sequence[str]) -> list[int]:
    """Ids of the codes in one text: of itself, or of the pieces that are a list of codes."""
    whole = encode(text, codes)[0]
    if whole != UNKNOWN:
        return [whole]
    form = tidy(text or "")
    pieces = [""]
    for character in form:
        if character in ";,、|/ \t\n\r\f\v":
            pieces.append("")
        elif character not in "[](){}\"'`‘’“”=":
            pieces[-1] += character
    if pieces == [form]:
        return [UNKNOWN]
    ids = [encode(piece, codes)[0] for piece in pieces]
    for piece, i in zip(pieces, ids, strict=True):
        body = piece[1:] if piece[:1].isascii() and piece[:1].isalpha() else piece
        like = body[:1].isascii() and body[:1].isdigit()
        if i == UNKNOWN and not (
            like and set(body) <= set("0123456789abcdefghijklmnopqrstuvwxyz.+*")
        ):
            return [UNKNOWN]
    if not any(i > UNKNOWN for i in ids):
        return [UNKNOWN]
    return [i for i in ids if i != MISSING]


def codes_of(values: Sequence[str | None] | None, codes: Sequence[str]) -> list[int]:
    """Ids of a list of texts, without those that are missing."""
    ids = [i for value in values or () for i in codes_in(value, codes)]
    return [i for i in ids if i != MISSING]


def codes_of_case(
    principal: str | None, others: Sequence[str | None] | None, codes: Sequence[str]
) -> tuple[int, list[int]]:
    """The principal code, and the others; what stands behind the principal one is another one."""
    first, *further = codes_in(principal, codes)
    return first, further + codes_of(others, codes)


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


def _tokens(value: object) -> list[str]:
    """Numbers and what stands between them, blanks left out; [] for what is no text."""
    text = tidy(value) if isinstance(value, str) else ""
    tokens = re.findall(r"\d+(?:\.\d+)?|[^\d\s]+", text, re.ASCII)
    return [] if any(len(token) > 9 for token in tokens) else tokens


_YEAR = {"岁", "周岁", "岁整", "年"}
_MONTH = {"月", "个月", "月龄", "个月龄"}
_DAY = {"天", "日", "天龄", "日龄"}
_HOUR = {"小时", "个小时", "时", "h"}
_UNITS = {"year": _YEAR, "month": _MONTH, "day": _DAY, "hour": _HOUR}


def _age(value: object) -> tuple[int, int] | None:
    """Years and days of an age that is written with its units; -2 days where it gives none."""
    tokens = _tokens(value)
    if any("." in token for token in tokens):
        return None
    if tokens[-2:] == ["/", "30"]:
        numbers = tokens[:-2]
        if not 1 <= len(numbers) <= 2 or not all(t.isdigit() for t in numbers):
            return None
        if not tidy(str(value)).endswith(f"{numbers[-1]}/30"):
            return None
        months, days = (0, *map(int, numbers))[-2:]
        return (0, 30 * months + days) if days < 30 and months < 12 else None
    # 零 stands between a larger unit and days: 3岁零5天, 2月 零5天.
    joined = "\n".join(tokens)
    for larger in sorted(_YEAR | _MONTH, key=len, reverse=True):
        joined = re.sub(rf"\n{larger}\n?零\n(\d+\n[天日])(?=$)", rf"\n{larger}\n\1", joined)
    tokens = joined.split("\n")
    units, numbers = tokens[1::2], tokens[::2]
    if len(units) != len(numbers) or not all(t.isdigit() for t in numbers):
        return None
    counts = [int(token) for token in numbers]
    kinds = [next((k for k, s in _UNITS.items() if u in s), "?") for u in units]
    match kinds:
        case ["year"] | ["year", "month"] | ["year", "day"] | ["year", "month", "day"]:
            months = counts[kinds.index("month")] if "month" in kinds else 0
            days = counts[-1] if kinds[-1] == "day" else 0
            aged = units[-1].endswith("龄") and kinds[-1] == "day"
            return (counts[0], -2) if months < 12 and days <= 31 and not aged else None
        case ["month"] | ["month", "day"]:
            months, days = counts[0], sum(counts[1:])
            if days > 31 or (len(units) > 1 and units[1].endswith("龄")):
                return None
            certain = months < 12 and (months == 0 or 28 * months + days > 28)
            return months // 12, 30 * months + days if certain else -2
        case ["day"] | ["day", "hour"] if sum(counts[1:]) < 24:
            return (0 if counts[0] < 365 else -2), counts[0]
        case ["hour"]:
            days = counts[0] // 24
            return (0 if days < 365 else -2), days
    return None


def age_years(value: object) -> int:
    plainly = number(value, ("岁",), 150)
    written = _age(value)
    if plainly != INVALID_NUMBER or written is None or not 0 <= written[0] <= 150:
        return plainly
    return written[0]


def age_days(value: object) -> int:
    plainly = number(value, ("天",), 60_000)
    written = _age(value)
    if plainly != INVALID_NUMBER or written is None or not 0 <= written[1] <= 60_000:
        return plainly
    return written[1]


def ages(
    years: object, days: object, birth: date | None = None, admission: date | None = None
) -> tuple[int, int]:
    """Both ages of a case, each deduced from the other where that is certain."""
    y, d = age_years(years), age_days(days)
    if d == MISSING_NUMBER and y in (0, MISSING_NUMBER):
        if birth and admission and 0 <= (admission - birth).days <= 365:
            d = (admission - birth).days
        elif isinstance(years, str) and any(c in years for c in "天日时月hH/") and y == 0:
            d = max(age_days(years), MISSING_NUMBER)
    if y == MISSING_NUMBER and 0 <= d <= 365:
        y = 0
    return y, d


def newborn_weight(value: object) -> int:
    weight = number(value, ("克", "g"), 20_000)
    tokens = _tokens(value)
    if weight == INVALID_NUMBER and len(tokens) == 2 and tokens[1] in ("kg", "公斤", "千克"):
        weight = round(float(tokens[0]) * 1000)
        weight = weight if 0 <= weight <= 20_000 else INVALID_NUMBER
    elif weight == INVALID_NUMBER and tokens[1:2] == [","] and tokens[3:] in ([], ["g"], ["克"]):
        thousands = tokens[0].isdigit() and len(tokens[2]) == 3
        weight = int(tokens[0] + tokens[2]) if thousands else INVALID_NUMBER
        weight = weight if 0 <= weight <= 20_000 else INVALID_NUMBER
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
            # A sign of percent at no number: nothing was said, yet something was written.
            if "e" in text or text in MARKS or text != tidy(text):
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
        if text in {"1男", "1-男", "1 男", "2女", "2-女", "2 女"}:
            text = text[-1]
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

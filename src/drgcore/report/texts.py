"""The texts of a report in its language, which need not be the one spoken; numbers in sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from drgcore.audit import SIGNAL_NAMES
from drgcore.dates import axis_months, period_text
from drgcore.errors import DrgcoreError
from drgcore.language import N_, Language, Texts, _, use_language, word
from drgcore.migration import REASON_KINDS
from drgcore.migration.reasons import PARTED
from drgcore.points.records import CLASSES
from drgcore.report.columns import DASH

_TERMS = Texts({"total_cost": N_("all costs"), "fund": N_("fund's part")})
"""Words of tables that say too little in a report."""


class Words:
    """The texts of one language.

    Parameters
    ----------
    language : {"zh", "en"}
        The language.

    Attributes
    ----------
    space : str
        What stands between sentences: nothing in Chinese.

    Examples
    --------
    >>> say = Words("zh")
    >>> say("Not shown: {what}. {why}", what="盈亏", why="没有病例。")
    '未显示：盈亏。没有病例。'
    >>> say.money(123_456_789.0), Words("en").money(123_456_789.0)
    ('1.23亿元', '123.46 million yuan')
    """

    def __init__(self, language: Language) -> None:
        if language not in ("zh", "en"):
            raise DrgcoreError(
                _("there is no language {language!r}", language=language),
                hint=_("Take zh for Chinese or en for English."),
            )
        self.language = language
        self.space = "" if language == "zh" else " "

    def __call__(self, text: str, /, **values: Any) -> str:
        """Give a text with its places filled."""
        with use_language(self.language):
            return _(text, **values)

    _say = __call__

    def word(self, value: Any) -> str:
        """Give a word that the library uses in its tables, such as an item or a status.

        One that is not known, such as the name of a pool, is as it is.
        """
        text = str(value)
        if text.startswith("held back in "):
            month = self.period(text.removeprefix("held back in "))
            return self._say("held back in {month}", month=month)
        if text in SIGNAL_NAMES:
            return self(SIGNAL_NAMES[text])
        with use_language(self.language):
            for texts in (REASON_KINDS, PARTED, _TERMS):
                if text in texts:
                    return texts[text]
            plain = text.replace("_", " ")
            return plain if self.language == "en" and text in CLASSES else word(text)

    def period(self, value: object) -> str:
        """Write a day, a month or a year as the language does."""
        with use_language(self.language):
            return period_text(value)

    def months(self, values: Sequence[object]) -> list[str]:
        """Write months as they stand along an axis."""
        with use_language(self.language):
            return axis_months(values)

    def money(self, yuan: float, *, signed: bool = False) -> str:
        """Write money as the language counts it: 万元 and 亿元, or thousands and millions."""
        amount = float(yuan)
        if not math.isfinite(amount):
            return DASH
        units = (
            ((1e8, "亿元"), (1e4, "万元"), (1.0, "元"))
            if self.language == "zh"
            else ((1e6, " million yuan"), (1e3, " thousand yuan"), (1.0, " yuan"))
        )
        size, name = next((u for u in units if abs(amount) >= u[0]), units[-1])
        text = f"{amount / size:{'+' if signed else ''},.2f}".replace("-", "−")
        return text + name

    def joined(self, sentences: Sequence[str]) -> str:
        """Put sentences one after the other; Chinese ones have no space between."""
        return self.space.join(text for text in sentences if text)

    def share(self, part: float) -> str:
        """Write a share in percent."""
        return f"{part:.1%}" if math.isfinite(part) else DASH

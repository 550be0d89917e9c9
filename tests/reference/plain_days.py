"""Days and amounts of money read one at a time, in plain Python."""

from __future__ import annotations

import datetime as dt
import re

CHINA = dt.timezone(dt.timedelta(hours=8))
FORMS = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y年%m月%d日", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M%z")


def plain_day(text: str) -> dt.date:
    """The day in China of a date or time in one of the forms."""
    for form in FORMS:
        try:
            read = dt.datetime.strptime(text, form)
        except ValueError:
            continue
        return (read.astimezone(CHINA) if read.tzinfo else read).date()
    raise ValueError(text)


def plain_number(text: str) -> float:
    """An amount with its marks and commas."""
    bare = re.sub("[¥元 ]", "", text)
    return float(bare.replace(",", ""))

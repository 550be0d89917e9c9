"""Statuses of a grouped case: the project's own, and those of official results."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from drgcore.errors import CaseSchemaError
from drgcore.language import _

STATUSES = ("grouped", "ambiguous", "ungrouped", "invalid")
"""Statuses of a grouped case, as the grouper names them."""

NO_STATUS = -1
"""What stands for a case without status."""

# Groups of the national groupers: 0000 is 未入组; a letter of the MDC with QY is 歧义.
_UNGROUPED_CODES = ("0000", "000")
_AMBIGUOUS_ENDING = "QY"

_WORDS = {
    **{name: place for place, name in enumerate(STATUSES)},
    **dict.fromkeys(("入组", "已入组", "正常入组", "入组成功", "分组成功"), 0),
    **dict.fromkeys(("歧义", "歧义组", "歧义病组", "歧义病例"), 1),
    **dict.fromkeys(("未入组", "未分组", "不入组", "未入组病例"), 2),
    **dict.fromkeys(("无效", "无效病例", "无效数据"), 3),
}


def status_of(text: str) -> int:
    """Read one status.

    Parameters
    ----------
    text : str
        A name of `STATUSES`; 入组, 歧义, 未入组, 无效 and their usual variants; or a group that
        says as much: 0000 (not grouped), one that ends in QY (ambiguous).

    Returns
    -------
    int
        Place in `STATUSES`; `NO_STATUS` for a text that is none.

    Examples
    --------
    >>> [status_of(text) for text in ("grouped", "歧义", "BQY", "0000", "paid")]
    [0, 1, 1, 2, -1]
    """
    folded = unicodedata.normalize("NFKC", text).strip()
    if folded.casefold() in _WORDS:
        return _WORDS[folded.casefold()]
    return _group_status(folded)


def statuses_of(names: Sequence[str]) -> npt.NDArray[np.int8]:
    """Read the distinct statuses of a column.

    Parameters
    ----------
    names : sequence of str
        As for `status_of`.

    Returns
    -------
    ndarray of int8
        Places in `STATUSES`.

    Raises
    ------
    CaseSchemaError
        Names the texts that are no status.

    Examples
    --------
    >>> statuses_of(["入组", "未入组"]).tolist()
    [0, 2]
    """
    places = [status_of(name) for name in names]
    unknown = sorted(name for name, place in zip(names, places, strict=True) if place == NO_STATUS)
    if unknown:
        rest = len(unknown) - 5
        shown = ", ".join(unknown[:5])
        shown += _(" and {count} more", count=rest) if rest > 0 else ""
        raise CaseSchemaError(
            _(
                "the status is {shown}; it must be {statuses}",
                shown=shown,
                statuses=", ".join(STATUSES),
            ),
            where=_("column status"),
            hint=_("入组, 歧义, 未入组, 无效, 0000 and …QY are understood too."),
        )
    return np.array(places, np.int8)


def statuses_of_groups(names: Sequence[str]) -> npt.NDArray[np.int8]:
    """Tell statuses by the groups of a result that has no column of statuses.

    Parameters
    ----------
    names : sequence of str
        Distinct groups.

    Returns
    -------
    ndarray of int8
        Places in `STATUSES`.

    Examples
    --------
    >>> statuses_of_groups(["ES43", "PQY", "0000"]).tolist()
    [0, 1, 2]
    """
    return np.array([max(_group_status(name.strip()), 0) for name in names], np.int8)


def _group_status(text: str) -> int:
    if text in _UNGROUPED_CODES:
        return 2
    return 1 if text.upper().endswith(_AMBIGUOUS_ENDING) and len(text) <= 5 else NO_STATUS

"""What of pandas comes in, told without importing pandas: who gives a frame has it already."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from typing_extensions import TypeIs


def is_frame(value: Any) -> TypeIs[pd.DataFrame]:
    """Whether it is a pandas frame.

    Examples
    --------
    >>> import pandas
    >>> is_frame(pandas.DataFrame()), is_frame({"sex": [1]})
    (True, False)
    """
    kind = getattr(sys.modules.get("pandas"), "DataFrame", None)
    return kind is not None and isinstance(value, kind)


def is_series(value: Any) -> TypeIs[pd.Series]:
    """Whether it is a pandas Series.

    Examples
    --------
    >>> import pandas
    >>> is_series(pandas.Series([1])), is_series([1])
    (True, False)
    """
    kind = getattr(sys.modules.get("pandas"), "Series", None)
    return kind is not None and isinstance(value, kind)


def is_single(value: Any) -> bool:
    """Whether it is one value: a text, a number, a day, nothing; not a list or an array of them.

    Examples
    --------
    >>> [is_single(value) for value in (None, "I10", 1, ["I10"])]
    [True, True, True, False]
    """
    return isinstance(value, str | bytes) or not isinstance(value, Iterable)


def is_nothing(value: Any) -> bool:
    """Whether it is None, a NaN, or what else stands for no value.

    Examples
    --------
    >>> import pandas
    >>> [is_nothing(value) for value in (None, float("nan"), pandas.NA, pandas.NaT, "", [])]
    [True, True, True, True, False, False]
    """
    if not is_single(value):
        return False
    # Only NaN, of whatever kind, is not what it is itself; NA alone refuses to say.
    return (
        value is None
        or value is getattr(sys.modules.get("pandas"), "NA", None)
        or (bool(value != value))
    )

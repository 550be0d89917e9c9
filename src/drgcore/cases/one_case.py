"""One case as a dict of its values or as a row of a frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from drgcore.cases.columns import CANONICAL_SCHEMA, LOCAL_SCHEMA
from drgcore.cases.frames import is_nothing, is_series, is_single


def one_case(case: Any) -> dict[str, list[Any]] | None:
    """One case as columns of one row; None for what is no single case.

    Parameters
    ----------
    case : object
        A pandas Series (a row of a frame), or a mapping of which at least one value is a text, a
        number or None: a mapping of columns holds sequences only.

    Returns
    -------
    dict of str to list, or None

    Examples
    --------
    >>> one_case({"sex": 1, "other_diagnoses": ["I50.900"]})
    {'sex': [1], 'other_diagnoses': [['I50.900']]}
    >>> one_case({"sex": [1, 2]}) is None
    True
    """
    if is_series(case):
        return {str(name): [_value(value)] for name, value in case.items()}
    if isinstance(case, Mapping) and any(map(_is_scalar, case.values())):
        return {str(name): [_value(value)] for name, value in case.items()}
    return None


def whole_row(case: Any, mapping: object) -> dict[str, list[Any]]:
    """One case as columns of one row, where what is absent counts as missing.

    Parameters
    ----------
    case : pandas.Series or mapping
        Values of one case, or columns of one row.
    mapping : object
        The mapping that is asked for: only canonical columns can be told to be absent.

    Returns
    -------
    dict of str to list

    Examples
    --------
    >>> whole_row({"sex": 1, "age_years": 45}, "canonical")["other_diagnoses"]
    [None]
    """
    row = one_case(case) or {str(name): [value] for name, value in case.items()}
    if mapping == "canonical":
        for name in (*CANONICAL_SCHEMA.names, *LOCAL_SCHEMA.names, "discharge_date"):
            row.setdefault(name, [None])
    return row


def _is_scalar(value: Any) -> bool:
    return isinstance(value, pa.Scalar) or is_single(value)


def _value(value: Any) -> Any:
    if isinstance(value, pa.Scalar):
        return value.as_py()
    if is_single(value):
        return None if is_nothing(value) else value
    return list(value)

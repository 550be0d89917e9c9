"""What looks wrong with a history as a whole: several schemes, or a year grouped by another."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from drgcore.cases.attributes import Codes, some_of
from drgcore.errors import CaseSchemaError
from drgcore.language import _

# A year of at least this many cases, more than this share of which lies in groups that no other
# year has, was probably grouped by another scheme.
_YEAR_CASES, _STRANGE_SHARE = 500, 0.2


class HistoryWarning(UserWarning):
    """History that looks wrong as a whole, though each case by itself is possible."""


def refuse_several_schemes(names: Sequence[str]) -> None:
    """Refuse cases that say that they were grouped by more than one scheme.

    Parameters
    ----------
    names : sequence of str
        The schemes that the cases name.

    Raises
    ------
    CaseSchemaError
        If there are several.

    Examples
    --------
    >>> refuse_several_schemes(["chs-drg-3.0"])
    """
    if len(names) > 1:
        raise CaseSchemaError(
            _(
                "the cases were grouped by {count} schemes: {names}",
                count=len(names),
                names=some_of(sorted(names)),
            ),
            where=_("column scheme"),
            hint=_("group the cases of all years by one scheme, then calibrate"),
        )


def warn_of_strange_years(year: Codes, drg: Codes, usable: NDArray[np.bool_]) -> None:
    """Warn of a year many of whose cases lie in groups that no other year has.

    Parameters
    ----------
    year, drg : Codes
        Year and group of each case.
    usable : ndarray of bool
        Which cases count.

    Warns
    -----
    HistoryWarning
        With the number of such cases.

    Examples
    --------
    >>> one = Codes(["2026"], np.zeros(2, np.int32))
    >>> warn_of_strange_years(one, Codes(["BR13"], one.codes), np.ones(2, bool))
    """
    groups = len(drg.names)
    if len(year.names) < 2:
        return
    dated = usable & (year.codes >= 0)
    pairs = (year.codes * groups + drg.codes)[dated]
    cases = np.bincount(pairs, minlength=len(year.names) * groups).reshape(-1, groups)
    warn_of_strange_counts(year.names, cases)


def warn_of_strange_counts(years: Sequence[str], cases: NDArray[np.int64]) -> None:
    """Warn of years whose groups are not those of the others, see `warn_of_strange_years`.

    Parameters
    ----------
    years : sequence of str
        The years.
    cases : ndarray of int64, shape (years, groups)
        Usable cases.

    Warns
    -----
    HistoryWarning
        With the number of cases in groups that no other year has.

    Examples
    --------
    >>> warn_of_strange_counts(["2025", "2026"], np.array([[900, 0], [800, 10]]))
    """
    alone = (cases > 0) & ((cases > 0).sum(axis=0) == 1)
    for name, all_cases, strange in zip(
        years, cases.sum(axis=1), (cases * alone).sum(axis=1), strict=True
    ):
        if all_cases >= _YEAR_CASES and strange > _STRANGE_SHARE * all_cases:
            warnings.warn(
                _(
                    "{strange:,} of {all:,} cases of {name} are in groups that no other "
                    "year has: was that year grouped by another scheme?",
                    strange=strange,
                    all=all_cases,
                    name=name,
                ),
                HistoryWarning,
                stacklevel=4,
            )

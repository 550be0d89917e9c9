"""The complications of each unit beside its own earlier ones: who began to code more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from drgcore.audit.excess import Excess, change
from drgcore.audit.finding import Limits, Marked
from drgcore.audit.frame import AuditFrame
from drgcore.audit.rates import RATES
from drgcore.errors import CaseSchemaError
from drgcore.language import _

RISE_NEEDS = RATES["upcoding"].needs
"""Columns that are needed, of the cases and of the earlier ones."""

_LOOKED_AT = ("drg", "status", "severity", "age_years", "total_cost")
_STAMP = b"drgcore.scheme"


def rise(
    frame: AuditFrame, past: AuditFrame, limits: Limits, keys: Sequence[str]
) -> tuple[Marked, Excess, NDArray[np.int64], pd.DataFrame]:
    """More complications than before (并发症编码上升的线索).

    Counted as for `rates.upcoding`, MCC or CC among grouped cases of one ADRG and age, but each
    unit is compared with its own earlier period, and what rose everywhere is allowed for.

    Parameters
    ----------
    frame, past : AuditFrame
        The cases, and those of an earlier period, grouped by the same scheme.
    limits : Limits
    keys : sequence of str
        Columns of the unit.

    Returns
    -------
    marked : Marked
        The cases of `frame`.
    found : Excess
        See `change`.
    unit : ndarray of int64, shape (n,)
        The unit of each case of `frame`.
    names : pandas.DataFrame
        The units; those that have only earlier cases too.

    Raises
    ------
    CaseSchemaError
        The earlier cases lack a column that the cases have, or another scheme grouped them.

    Examples
    --------
    >>> def month(severe):
    ...     return AuditFrame(pa.table({"drg": ["BR13"] * 100, "hospital": ["H1"] * 100,
    ...         "severity": ["CC"] * severe + ["none"] * (100 - severe),
    ...         "total_cost": [9.0] * 100}))
    >>> _, found, _, _ = rise(month(30), month(10), Limits(), ["hospital"])
    >>> found.observed.tolist(), found.expected.tolist()
    ([30.0], [10.0])
    """
    own, earlier = ((f.table.schema.metadata or {}).get(_STAMP, b"") for f in (frame, past))
    if own and earlier and own != earlier:
        raise CaseSchemaError(
            _(
                "the earlier cases were grouped by {earlier}, these by {own}",
                earlier=earlier.decode(),
                own=own.decode(),
            ),
            where="past",
            hint=_("group both by one scheme"),
        )
    names = [name for name in dict.fromkeys([*_LOOKED_AT, *keys]) if frame.has(name)]
    lacking = past.missing(names)
    if lacking:
        raise CaseSchemaError(
            _("the earlier cases have no column {lacking}", lacking=", ".join(lacking)),
            where="past",
            hint=_("give them as the cases themselves are given"),
        )
    # Types may differ from file to file; every column is read from texts as well as from numbers.
    both = pa.concat_tables(
        [
            pa.table([f.table.column(name).cast(pa.string()) for name in names], names)
            for f in (frame, past)
        ]
    )
    joint = AuditFrame(both)
    marked = RATES["upcoding"].mark(joint, limits)
    unit, units = joint.units(keys)
    n = len(frame)
    found = change(marked.event, marked.stratum, unit, np.arange(len(joint)) < n, len(units))
    now = replace(
        marked, event=marked.event[:n], stratum=marked.stratum[:n], money=marked.money[:n]
    )
    return now, found, unit[:n], units

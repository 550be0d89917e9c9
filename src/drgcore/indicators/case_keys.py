"""The keys of cases, each as codes whose names are in order."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from drgcore.cases.attributes import Codes, text_codes
from drgcore.indicators.columns import KEYS, Encoder


def keys_of(table: pa.Table) -> dict[str, Codes]:
    """Give the keys that cases have, names in alphabetical order; MDC and ADRG follow from DRG.

    Parameters
    ----------
    table : pyarrow.Table
        n cases.

    Returns
    -------
    dict of str to Codes
        Of `KEYS` those that are there, ``month`` where there is a `discharge_date`, and ``drg`` in
        any case; -1 is the code of a case without one.

    Examples
    --------
    >>> found = keys_of(pa.table({"hospital": ["H2", "H1", None]}))
    >>> found["hospital"].names, found["hospital"].codes.tolist(), found["drg"].codes.tolist()
    (['H1', 'H2'], [1, 0, -1], [-1, -1, -1])
    """
    found: dict[str, Codes] = {}
    for name in KEYS:
        if name in table.column_names and name not in ("mdc", "adrg"):
            found[name] = text_codes(table, name, optional=True).in_order()
    if "discharge_date" in table.column_names:
        number = Encoder.months(table)
        known = np.unique(number[number >= 0])
        names = [f"{m // 12}-{m % 12 + 1:02d}" for m in known.tolist()]
        codes_of = np.where(number < 0, -1, np.searchsorted(known, number)).astype(np.int32)
        found["month"] = Codes(names, codes_of)
    found.setdefault("drg", Codes([], np.full(len(table), -1, np.int32)))
    return found

"""The same diagnoses again and again: lists of one doctor that look copied."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drgcore.audit.excess import Excess, tail
from drgcore.audit.finding import Limits, Marked
from drgcore.audit.frame import AuditFrame, strata
from drgcore.indicators.intervals import poisson_interval
from drgcore.language import _

COPIED_NEEDS = ("other_diagnoses", "doctor_id")
"""Columns that are needed."""

_LEAST_CODES = 3
_LEAST_CASES = 5


def copied_lists(
    frame: AuditFrame, limits: Limits, unit: NDArray[np.int64], units: int
) -> tuple[Marked, Excess]:
    """Copied lists of other diagnoses (诊断组合雷同的线索).

    A list is the set of a case's other diagnoses, of at least three codes. Of each unit, usually a
    doctor, the list is taken that is least likely to stand there so often.

    Parameters
    ----------
    frame : AuditFrame
    limits : Limits
    unit : ndarray of int64, shape (n,)
        The unit of each case; -1 for none.
    units : int

    Returns
    -------
    Marked, Excess
        The cases of that list, at least five; how many they are, and how many were expected.

    Notes
    -----
    In an ADRG with N cases, n of them the unit's, a list that peers have X times is expected
    ``n (X + 1) / (N − n + 1)`` times; over the unit's ADRGs this adds up to the expected number.
    The one more case is the rule of succession: a list that no peer has is not impossible. The
    chance is the Poisson tail times the number of lists that the unit has (Bonferroni), so that the
    choice of the oddest one is allowed for.
    """
    del limits
    pattern, codes = _patterns(frame)
    adrg = frame.adrg.codes.astype(np.int64)
    used = (pattern >= 0) & (unit >= 0) & (adrg >= 0)
    rows = pd.DataFrame({"unit": unit[used], "pattern": pattern[used], "adrg": adrg[used]})
    cases = np.bincount(rows["unit"], minlength=units).astype(np.float64)
    lists = rows.groupby(["unit", "pattern"]).size().rename("x").reset_index()
    number = np.bincount(lists["unit"], minlength=units)
    odd = lists[lists["x"] >= _LEAST_CASES].reset_index(drop=True)
    observed, expected = np.zeros(units), np.zeros(units)
    chance = np.where(cases > 0, 1.0, np.nan)
    worst = np.full(units, -1, np.int64)
    if len(odd):
        odd["expected"] = expected_times(rows, rows, odd, 1.0)
        odd["tail"] = tail(odd["x"], odd["expected"], odd["expected"])
        # The oddest list of each unit; of equal ones the more frequent.
        odd = odd.sort_values(["unit", "tail", "x", "pattern"], ascending=[True, True, False, True])
        first = odd.drop_duplicates("unit")
        at = first["unit"].to_numpy()
        observed[at], expected[at] = first["x"], first["expected"]
        chance[at] = np.minimum(first["tail"] * number[at], 1.0)
        worst[at] = first["pattern"]
    event = used & (pattern == np.append(worst, -2)[unit])
    low, high = poisson_interval(observed)
    over = np.where(expected > 0, expected, np.nan)

    def note(chosen: NDArray[np.int64]) -> list[str]:
        return [
            _("the same other diagnoses as in other cases of the doctor: {codes}", codes=codes(row))
            for row in chosen.tolist()
        ]

    nothing = np.full(len(frame), np.nan)
    marked = Marked(event, np.where(used, 0, -1), nothing, note)
    return marked, Excess(cases, observed, expected, low / over, high / over, chance, 0.0)


def expected_times(
    cases: pd.DataFrame, hits: pd.DataFrame, wanted: pd.DataFrame, more: float
) -> NDArray[np.float64]:
    """How often units would have something if they were like their peers, ADRG by ADRG.

    Parameters
    ----------
    cases : pandas.DataFrame
        `unit` and `adrg` of every case.
    hits : pandas.DataFrame
        `unit`, `adrg` and `pattern` of every case that has a pattern.
    wanted : pandas.DataFrame
        The pairs of `unit` and `pattern`.
    more : float
        Cases with the pattern, and cases, that peers are taken to have beside their own, in each
        ADRG; with 0 an ADRG without peers adds nothing.

    Returns
    -------
    ndarray of float64
        One entry a pair.

    Examples
    --------
    >>> cases = pd.DataFrame({"unit": [0, 0, 1, 1, 1, 1], "adrg": 0, "pattern": 9})
    >>> expected_times(cases, cases.iloc[[0, 1, 2]], pd.DataFrame({"unit": [0], "pattern": [9]}), 0)
    array([0.5])
    """
    whole = cases.groupby("adrg").size().rename("all")
    own = cases.groupby(["unit", "adrg"]).size().rename("n").reset_index()
    own = own.join(whole, on="adrg")
    peers = own["all"] - own["n"] + more
    own["share"] = np.where(peers > 0, own["n"] / np.maximum(peers, 1e-9), 0.0)
    base = own.groupby("unit")["share"].sum() * more
    some = hits[hits["pattern"].isin(wanted["pattern"])]
    everywhere = some.groupby(["pattern", "adrg"]).size().rename("hits").reset_index()
    here = some.groupby(["unit", "pattern", "adrg"]).size().rename("x_a").reset_index()
    pairs = wanted[["unit", "pattern"]].merge(everywhere, on="pattern")
    pairs = pairs.merge(own[["unit", "adrg", "share"]], on=["unit", "adrg"])
    pairs = pairs.merge(here, on=["unit", "pattern", "adrg"], how="left").fillna({"x_a": 0})
    pairs["part"] = pairs["share"] * (pairs["hits"] - pairs["x_a"])
    found = pairs.groupby(["unit", "pattern"])["part"].sum().rename("part").reset_index()
    joined = wanted[["unit", "pattern"]].merge(found, on=["unit", "pattern"], how="left")
    part = joined["part"].fillna(0.0).to_numpy(np.float64)
    return part + base.reindex(wanted["unit"]).to_numpy(np.float64)


def codes_of_cases(frame: AuditFrame) -> tuple[NDArray[np.int64], NDArray[np.int64], list[str]]:
    """Each other diagnosis of each case once: the case, the code's number, and the codes."""
    column = frame.table.column("other_diagnoses").combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks)
    if not pa.types.is_list(column.type) and not pa.types.is_large_list(column.type):
        column = pc.split_pattern(pc.fill_null(pc.cast(column, pa.string()), ""), "|")
    flat = pc.list_flatten(column)
    of = pc.list_parent_indices(column).to_numpy().astype(np.int64)
    coded = pc.dictionary_encode(pc.utf8_upper(pc.utf8_trim_whitespace(flat)))
    index = pc.fill_null(coded.indices, -1).to_numpy().astype(np.int64)
    texts = [str(text) for text in coded.dictionary.to_pylist()]
    blank = np.array([not text for text in texts] + [True])
    size = len(texts) + 1
    there = ~blank[index]
    pairs = np.unique(of[there] * size + index[there])
    return pairs // size, pairs % size, texts


def _patterns(frame: AuditFrame) -> tuple[NDArray[np.int64], Any]:
    """Number each case's set of other diagnoses; -1 for fewer than three codes."""
    case, code, texts = codes_of_cases(frame)
    size = len(texts)
    number = np.bincount(case, minlength=len(frame))
    # Two random numbers a code, added up over the set: sets that differ differ in one of them.
    rng = np.random.default_rng(0)
    marks = rng.integers(0, 1 << 62, (2, size), dtype=np.uint64)
    sums = np.zeros((2, len(frame)), np.uint64)
    for i in range(2):
        np.add.at(sums[i], case, marks[i, code])
    long = np.flatnonzero(number >= _LEAST_CODES)
    pattern = np.full(len(frame), -1, np.int64)
    first, second = (np.unique(sums[i, long], return_inverse=True)[1] for i in range(2))
    pattern[long] = strata(first, second)
    starts = np.cumsum(number) - number

    def codes(row: int) -> str:
        return " ".join(sorted(texts[c] for c in code[starts[row] : starts[row] + number[row]]))

    return pattern, codes

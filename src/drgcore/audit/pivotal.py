"""Cases with complications that one code moved: which code, and what hangs on it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from drgcore.audit.excess import tail
from drgcore.audit.frame import AuditFrame
from drgcore.audit.patterns import codes_of_cases, expected_times
from drgcore.estimate import pivotal_codes
from drgcore.language import _
from drgcore.schemes import Scheme

CODE_COLUMNS = (
    *("principal_diagnosis", "other_diagnoses", "principal_procedure", "other_procedures"),
    *("sex", "age_years"),
)
"""Columns without which no code is looked for."""

_OPTIONAL = ("age_days", "newborn_weight_g", "length_of_stay", "leaving_way")


def with_pivotal_codes(
    listed: pd.DataFrame, frame: AuditFrame, scheme: str | Path | Scheme, by: Sequence[str]
) -> pd.DataFrame:
    """Add the code that each listed case's group hangs on, and put these cases first.

    Parameters
    ----------
    listed : pandas.DataFrame
        Cases of units, with `row` from 1 and `money`.
    frame : AuditFrame
        All cases.
    scheme : str, Path or Scheme
        The scheme by which they were grouped.
    by : sequence of str
        Columns of the unit.

    Returns
    -------
    pandas.DataFrame
        With `code`, an other diagnosis without which the case would be in `drg_without`; `money` is
        then the difference of the mean costs of the two groups [yuan]. `code_observed` cases of the
        unit have the code, `code_expected` would if its rate were that of the peers, ADRG by ADRG;
        `code_chance` is the Poisson tail (of a mean of at least 0.5) times the number of the unit's
        codes. The least likely come first. A case in which two codes
        count hangs on neither and keeps the money that it had, as does a case whose group is not
        that of the scheme.
    """
    if not len(listed) or frame.missing(CODE_COLUMNS):
        return listed
    names = [name for name in (*CODE_COLUMNS, *_OPTIONAL) if frame.has(name)]
    rows = listed["row"].to_numpy(np.int64) - 1
    found = pivotal_codes(frame.table.select(names).take(rows), scheme)
    drg = frame.codes("drg")
    texts = np.array([*drg.names, ""], object)[drg.codes]
    place = found["row"].to_numpy(np.int64) - 1
    severity = {"none": 0, "CC": 1, "MCC": 2}
    fell = found["severity_without"].map(severity) < found["severity"].map(severity)
    kept = (found["kind"] == "without_diagnosis") & fell & (found["status_without"] == "grouped")
    kept &= found["drg"].to_numpy(object) == texts[rows[place]]
    found = found[kept].assign(place=place[kept.to_numpy()]).drop_duplicates("place")
    mean = dict(zip(texts, frame.mean_cost, strict=True))
    at = found["place"].to_numpy(np.int64)
    code, without = (np.full(len(listed), None, object) for _ in range(2))
    code[at], without[at] = found["code"], found["drg_without"]
    money = listed["money"].to_numpy(np.float64).copy()
    moved = [
        mean.get(one, np.nan) - mean.get(other, np.nan)
        for one, other in zip(found["drg"], found["drg_without"], strict=True)
    ]
    money[at] = np.round(moved, 2)
    notes = listed["note"].to_numpy(object).copy()
    notes[at] = [
        _("without {code} it is in {drg}", code=c, drg=d)
        for c, d in zip(code[at], without[at], strict=True)
    ]
    listed = listed.assign(code=code, drg_without=without, money=money, note=notes)
    listed = _often(listed, frame, by)
    order = listed.assign(
        _first=listed["code_chance"].fillna(2.0), _money=-listed["money"].fillna(-np.inf)
    )
    order = order.sort_values([*by, "_first", "_money", "row"], kind="stable")
    return order.drop(columns=["_first", "_money"]).reset_index(drop=True)


def _often(listed: pd.DataFrame, frame: AuditFrame, by: Sequence[str]) -> pd.DataFrame:
    """Add how often the unit has the code as other diagnosis, beside its peers."""
    unit, names = frame.units(by)
    adrg = frame.adrg.codes.astype(np.int64)
    case, number, texts = codes_of_cases(frame)
    used = (unit >= 0) & (adrg >= 0)
    cases = pd.DataFrame({"unit": unit[used], "adrg": adrg[used]})
    # The case of letters (J98.400x002) is as the file has it there and the dictionary's here.
    upper = [c.upper() if isinstance(c, str) else None for c in listed["code"]]
    listed = listed.assign(_code=pd.Series(upper, listed.index, dtype=object))
    wanted = set(listed["_code"].dropna())
    kept = used[case] & np.array([*(text in wanted for text in texts), False])[number]
    case, number = case[kept], number[kept]
    hits = pd.DataFrame({"unit": unit[case], "adrg": adrg[case], "pattern": number})
    pairs = hits.groupby(["unit", "pattern"]).size().rename("code_observed").reset_index()
    pairs["code_expected"] = expected_times(cases, hits, pairs, 0.0)
    mean = np.maximum(pairs["code_expected"].to_numpy(), 0.5)
    several = pairs.groupby("unit")["pattern"].transform("size")
    pairs["code_chance"] = np.minimum(tail(pairs["code_observed"], mean, mean) * several, 1.0)
    pairs["_code"] = np.array(texts, object)[pairs["pattern"]] if len(texts) else None
    pairs = pairs.join(names, on="unit").drop(columns=["unit", "pattern"])
    return listed.merge(pairs, on=[*by, "_code"], how="left").drop(columns="_code")

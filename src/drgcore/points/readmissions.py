"""Stays of one patient that follow each other too soon (再入院、分解住院), found in the cases."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from drgcore.cases.attributes import Codes, dates_of, refuse_rows, select_columns, text_codes
from drgcore.errors import CaseSchemaError, PolicyError
from drgcore.language import _
from drgcore.points.list_rules import Readmission
from drgcore.points.parameters import covers
from drgcore.points.policy import Policy
from drgcore.progress import step

READMISSION_COLUMNS = (
    "case_id",
    "kind",
    "points",
    "hospital",
    "drg",
    "discharge_date",
    "later_case_id",
    "later_hospital",
    "later_drg",
    "later_admission_date",
    "days",
)
"""What `find_readmissions` returns; the first three are what `sanction_points` takes."""


def find_readmissions(cases: Any, policy: Policy) -> pd.DataFrame:
    """Find stays after which the patient came again within so many days.

    Of each stay the first later one that the rule asks for is named: admitted on the day of
    discharge or up to `within_days` after it. A stay that began before the other ended is none.

    Parameters
    ----------
    cases : pandas.DataFrame or anything with the Arrow PyCapsule interface
        Grouped cases of all months that are to be looked at: `case_id`, `patient_id`, `hospital`,
        `drg`, `admission_date`, `discharge_date`.
    policy : Policy
        The policy, whose `readmissions` say what counts; those of the day of the earlier
        discharge. An ADRG is the first three characters of a DRG.

    Returns
    -------
    pandas.DataFrame
        One row an earlier stay and kind, in order of case id: `case_id`, `kind`, `points` (none,
        which stands for all points of the case), then the earlier stay's `hospital`, `drg`,
        `discharge_date`, the later stay's, and the `days` between. It is the list that
        `sanction_points` and ``drgcore ledger sanction`` take; `violations.points` of the policy
        says what share is withdrawn.

    Raises
    ------
    PolicyError
        If the policy has no `readmissions`.
    CaseSchemaError
        For a column that is not there, a case without patient or date.

    References
    ----------
    浙医保联发〔2019〕21号: the same DRG again within 15 days, the earlier stay's points halved,
    tumour chemo- and radiotherapy excepted.

    Examples
    --------
    >>> rule = {"kind": "readmission", "within_days": 15, "same": "drg", "hospital": "same"}
    >>> change = {"readmissions": [rule], "violations": {"points": {"readmission": "0.5"}}}
    >>> policy = Policy.load("example").with_changes(change)
    >>> cases = pd.DataFrame({"case_id": ["1", "2"], "patient_id": "p", "hospital": "H01",
    ...     "drg": "ES23", "admission_date": pd.to_datetime(["2027-03-01", "2027-03-20"]),
    ...     "discharge_date": pd.to_datetime(["2027-03-09", "2027-03-25"])})
    >>> find_readmissions(cases, policy)[["case_id", "kind", "later_case_id", "days"]]
      case_id         kind later_case_id  days
    0       1  readmission             2    11
    """
    periods = policy.periods()
    if not any(period.readmissions for period in periods):
        raise PolicyError(
            _("it has no readmissions"),
            where=_("policy {name}", name=policy.name),
            hint=_("say within how many days of what stays, in [[readmissions]]"),
        )
    names = ("case_id", "patient_id", "hospital", "drg", "admission_date", "discharge_date")
    table = select_columns(cases, names)
    missing = [name for name in names if name not in table.column_names]
    if missing:
        raise CaseSchemaError(
            _("the cases have no column {missing}", missing=", ".join(missing)), where="cases"
        )
    rules = sum(len(period.readmissions) for period in periods)
    with step(_("readmissions"), _("steps"), 2 + rules) as told:
        days = []
        for name in ("admission_date", "discharge_date"):
            column = dates_of(table, name)
            refuse_rows(table, column.is_null().to_numpy(), _("have no {name}", name=name), name)
            days.append(column.cast(pa.int32()).to_numpy().astype(np.int64))
        admission, discharge = days
        told.advance()
        codes = {name: text_codes(table, name) for name in ("patient_id", "hospital")}
        drg = text_codes(table, "drg", optional=True)
        told.advance()
        starts = np.array([np.datetime64(p.effective_from, "D").astype(np.int64) for p in periods])
        period = np.searchsorted(starts, discharge, side="right") - 1
        found = []
        for number, at in enumerate(periods):
            for rule in at.readmissions:
                later = _later(
                    rule, codes["patient_id"], codes["hospital"], drg, admission, discharge
                )
                gap = np.where(later >= 0, admission[later] - discharge, -1)
                rows = np.flatnonzero((period == number) & (later >= 0) & (gap <= rule.within_days))
                found.append(_rows(table, rule.kind, rows, later[rows], gap[rows]))
                told.advance()
    result = pd.concat(found, ignore_index=True)
    return result.sort_values(["case_id", "kind"], ignore_index=True)


def next_stays(
    key: NDArray[np.int64], admission: NDArray[np.int64], discharge: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Give for each stay the first later one with the same key, or -1.

    Parameters
    ----------
    key : ndarray of int64, shape (n,)
        Number of the patient, or of the patient in a hospital or group.
    admission, discharge : ndarray of int64, shape (n,)
        Days since some day, within 32 bits.

    Returns
    -------
    ndarray of int64, shape (n,)
        Row of the first stay that began on the day of discharge or after it; of stays that began
        on one day, the one that ended first.

    Examples
    --------
    >>> next_stays(np.array([7, 7, 8]), np.array([0, 9, 3]), np.array([4, 12, 5])).tolist()
    [1, -1, -1]
    """
    rows = np.arange(len(key))
    order = np.lexsort((rows, discharge, admission, key))
    _other, block = np.unique(key[order], return_inverse=True)
    # Days fit into 32 bits, so that one number orders stays by patient, then by day.
    place = (block.astype(np.int64) << 32) + (admission[order] + (1 << 31))
    wanted = (block.astype(np.int64) << 32) + (discharge[order] + (1 << 31))
    after = np.maximum(np.searchsorted(place, wanted), np.arange(len(order)) + 1)
    inside = after < len(order)
    after[~inside] = 0
    inside &= block[after] == block
    later = np.full(len(key), -1)
    later[order[inside]] = order[after[inside]]
    return later


def _later(
    rule: Readmission,
    patient: Codes,
    hospital: Codes,
    drg: Codes,
    admission: NDArray[np.int64],
    discharge: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Give for each stay the row of the first later stay of its patient that fits, or -1."""
    key = patient.codes.astype(np.int64)
    looked_at = np.ones(len(key), bool)
    if rule.exempt:
        exempt = np.array([*(covers(rule.exempt, name) for name in drg.names), False])
        looked_at &= ~exempt[drg.codes]
    if rule.hospital == "same":
        key = key * max(len(hospital.names), 1) + hospital.codes
    if rule.same != "any":
        groups = [name if rule.same == "drg" else name[:3] for name in drg.names]
        distinct = {name: code for code, name in enumerate(dict.fromkeys(groups))}
        number = np.array([*(distinct[name] for name in groups), -1], np.int64)[drg.codes]
        looked_at &= number >= 0
        key = key * max(len(distinct), 1) + number
    later = np.full(len(key), -1)
    rows = np.flatnonzero(looked_at)
    if not len(rows):
        return later
    following = next_stays(key[rows], admission[rows], discharge[rows])
    later[rows] = np.where(following >= 0, rows[following], -1)
    return later


def _rows(
    table: pa.Table,
    kind: str,
    rows: NDArray[np.int64],
    later: NDArray[np.int64],
    gap: NDArray[np.int64],
) -> pd.DataFrame:
    one, two = table.take(pa.array(rows)).to_pandas(), table.take(pa.array(later)).to_pandas()
    columns = {
        "case_id": one["case_id"].astype(str),
        "kind": kind,
        "points": np.full(len(rows), np.nan),
        "hospital": one["hospital"].astype(object),
        "drg": one["drg"].astype(object),
        "discharge_date": one["discharge_date"],
        "later_case_id": two["case_id"].astype(str),
        "later_hospital": two["hospital"].astype(object),
        "later_drg": two["drg"].astype(object),
        "later_admission_date": two["admission_date"],
        "days": gap,
    }
    return pd.DataFrame(columns, columns=list(READMISSION_COLUMNS))

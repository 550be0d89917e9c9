"""Patients who come again: the 2-to-31-day readmission (出院后2–31天再住院)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drgcore.cases.attributes import dates_of, numbers_of, text_codes
from drgcore.cases.fees import DIED
from drgcore.language import _
from drgcore.progress import step

FIRST_DAY, LAST_DAY = 2, 31


def readmissions(
    cases: pa.Table, *, same_hospital: bool = False, last: int | None = None
) -> NDArray[np.int8]:
    """Mark each stay by whether its patient was admitted again 2 to 31 days after it.

    Parameters
    ----------
    cases : pyarrow.Table
        `patient_id`, `admission_date`, `discharge_date`; `leaving_way` where deaths are known;
        `hospital` where only the same hospital counts.
    same_hospital : bool, default False
        Count only admissions to the hospital that the patient left.
    last : int, optional
        The last day of discharge of all data [days since 1970-01-01], where these are the stays of
        some of the patients only.

    Returns
    -------
    ndarray of int8, shape (n,)
        1 readmitted, 0 not, -1 unknown: without a patient or a day, died, or left within the last
        31 days of the data without having come again yet.

    Notes
    -----
    A stay counts once, however often the patient came again. Planned admissions cannot be told
    apart; leave them out of the cases before where a list of them is at hand.

    References
    ----------
    国家卫生健康委，三级公立医院绩效考核操作手册: 出院患者 2-31 天再住院.

    Examples
    --------
    >>> cases = pa.table({
    ...     "patient_id": ["a", "a", "b", "c"],
    ...     "admission_date": ["2027-01-01", "2027-01-20", "2027-01-01", "2027-03-01"],
    ...     "discharge_date": ["2027-01-05", "2027-01-28", "2027-01-03", "2027-03-09"]})
    >>> readmissions(cases).tolist()
    [1, 0, 0, -1]
    """
    with step(_("readmissions"), _("steps"), 4) as told:
        patient = _numbered(cases.column("patient_id"))
        told.advance()
        came, left = (_days(cases, name) for name in ("admission_date", "discharge_date"))
        known = (patient >= 0) & (came >= 0) & (left >= 0)
        if "leaving_way" in cases.column_names:
            known &= ~(numbers_of(cases, "leaving_way") == DIED)
        where = patient
        if same_hospital:
            hospital = text_codes(cases, "hospital", optional=True)
            where = patient * (len(hospital.names) + 1) + hospital.codes + 1
        told.advance()
        room = np.int64(1 << 20)
        stays = np.sort((where * room + came)[(patient >= 0) & (came >= 0)])
        told.advance()
        at = np.searchsorted(stays, where * room + left + FIRST_DAY)
        following = np.append(stays, np.iinfo(np.int64).max)[at]
        again = known & (following <= where * room + left + LAST_DAY)
        last = left.max(initial=-1) if last is None else last
        marks = np.where(known & (again | (left + LAST_DAY <= last)), again, -1)
        told.advance()
    return marks.astype(np.int8)


def _days(cases: pa.Table, name: str) -> NDArray[np.int64]:
    days = dates_of(cases, name).cast(pa.int32()).fill_null(-1)
    return days.to_numpy().astype(np.int64)


def _numbered(ids: pa.ChunkedArray) -> NDArray[np.int64]:
    """Number the distinct ids; -1 for none. There are nearly as many as cases, so without names."""
    if not pa.types.is_dictionary(ids.type):
        empty = pc.equal(pc.cast(ids, pa.string()), "")
        ids = pc.dictionary_encode(pc.if_else(empty, pa.scalar(None, ids.type), ids))
    indices = [chunk.indices for chunk in ids.unify_dictionaries().chunks]
    whole = pa.chunked_array(indices, ids.type.index_type)
    return pc.fill_null(whole, -1).to_numpy().astype(np.int64)

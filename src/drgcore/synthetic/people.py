"""Who treated whom, how a stay ended, what was charged for: made up, like all of a sample.

These columns have random numbers of their own, so that a sample has the same codes, days and costs
with them as without.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drgcore.cases.fees import DIED, FEE_COLUMNS
from drgcore.synthetic.templates import Templates

# Department of medical and of surgical groups of each MDC.
_DEPARTMENTS = {
    "A": ("重症医学科", "移植科"),
    "B": ("神经内科", "神经外科"),
    "C": ("眼科", "眼科"),
    "D": ("耳鼻咽喉科", "耳鼻咽喉科"),
    "E": ("呼吸内科", "胸外科"),
    "F": ("心血管内科", "心脏外科"),
    "G": ("消化内科", "普外科"),
    "H": ("消化内科", "肝胆外科"),
    "I": ("骨科", "骨科"),
    "J": ("皮肤科", "普外科"),
    "K": ("内分泌科", "普外科"),
    "L": ("肾内科", "泌尿外科"),
    "M": ("泌尿外科", "泌尿外科"),
    "N": ("妇科", "妇科"),
    "O": ("产科", "产科"),
    "P": ("新生儿科", "新生儿科"),
    "Q": ("血液科", "普外科"),
    "R": ("肿瘤科", "肿瘤科"),
    "S": ("感染科", "普外科"),
    "T": ("精神科", "精神科"),
    "U": ("精神科", "精神科"),
    "V": ("急诊科", "骨科"),
    "W": ("烧伤科", "烧伤科"),
    "X": ("康复科", "康复科"),
    "Y": ("感染科", "感染科"),
    "Z": ("急诊科", "骨科"),
}
_NAMES = sorted({name for pair in _DEPARTMENTS.values() for name in pair})
# The second letter of an ADRG says whether its cases were operated on.
_SURGICAL = "ABCDEFGHJ"
_DOCTORS_AT_MOST = 4
_READMITTED = 0.045
_WAYS = np.array([1, 2, 3, 4, 9], np.int8)
_WAY_SHARES = [0.93, 0.025, 0.015, 0.02, 0.01]
# Share of the total cost, in the order of FEE_COLUMNS, of medical and of surgical cases.
_FEES = np.array(
    [
        [0.15, 0.30, 0.08, 0.02, 0.01, 0.30, 0.01, 0.08, 0.05],
        [0.10, 0.16, 0.24, 0.01, 0.00, 0.17, 0.02, 0.28, 0.02],
    ]
)


@dataclass(frozen=True, eq=False)
class People:
    """What the cases of a scheme's groups have beside codes and costs.

    Attributes
    ----------
    department : ndarray of int64
        Index into the departments' names of each of the templates' groups.
    surgical : ndarray of bool
        Whether a group is one of operations.
    mortality : ndarray of float64
        Probability that a case of the group dies in hospital.
    hospital_mortality : ndarray of float64
        Factor on it of each hospital.
    doctors : ndarray of int64, shape (hospitals, departments)
        Number of doctors.
    """

    department: NDArray[np.int64]
    surgical: NDArray[np.bool_]
    mortality: NDArray[np.float64]
    hospital_mortality: NDArray[np.float64]
    doctors: NDArray[np.int64]


def people_of(templates: Templates, hospitals: int) -> People:
    """Draw the people of a scheme, always the same for the same scheme and number of hospitals."""
    scheme = templates.tables.scheme
    rng = np.random.default_rng([zlib.crc32(scheme.name.encode()), 1])
    adrgs = [scheme.drgs[g].adrg for g in templates.groups]
    surgical = np.array([adrg[1:2] in _SURGICAL for adrg in adrgs])
    pairs = [_DEPARTMENTS.get(adrg[:1], _DEPARTMENTS["G"]) for adrg in adrgs]
    department = [
        _NAMES.index(pair[int(cut)]) for pair, cut in zip(pairs, surgical.tolist(), strict=True)
    ]
    names = sorted(set(adrgs))
    risk = dict(zip(names, rng.lognormal(np.log(0.0025), 1.3, len(names)), strict=True))
    complicated = templates.lists("other_diagnoses")[0] > 0
    share = np.add.reduceat(complicated.astype(np.float64), templates.first) / templates.count
    mortality = np.array([risk[adrg] for adrg in adrgs]) * (1.0 + 2.0 * share)
    return People(
        np.array(department, np.int64),
        surgical,
        np.minimum(mortality, 0.25),
        rng.lognormal(0.0, 0.2, hospitals),
        rng.integers(1, _DOCTORS_AT_MOST + 1, (hospitals, len(_NAMES))),
    )


def people_columns(
    people: People,
    group: NDArray[np.int64],
    hospital: NDArray[np.int64],
    columns: dict[str, pa.Array],
    start: int,
    rng: np.random.Generator,
) -> dict[str, pa.Array]:
    """Draw the columns of a block.

    Parameters
    ----------
    people : People
        Of the scheme.
    group, hospital : ndarray of int64, shape (n,)
        Each case's group among the templates' and its hospital.
    columns : dict of str to pyarrow.Array
        The block's other columns: case_id, pool, admission_date, discharge_date, sex, age_years,
        total_cost.
    start : int
        Number of the block's first case.
    rng : numpy.random.Generator
        Of these columns alone.

    Returns
    -------
    dict of str to pyarrow.Array
        department, doctor_id, patient_id, leaving_way and the fee columns.
    """
    rows = len(group)
    department = people.department[group]
    doctor = (rng.random(rows) ** 1.5 * people.doctors[hospital, department]).astype(np.int64)
    doctors = (hospital * len(_NAMES) + department) * _DOCTORS_AT_MOST + doctor
    there, at = np.unique(doctors, return_inverse=True)
    ids = [_doctor_id(int(code)) for code in there]
    died = rng.random(rows) < people.mortality[group] * people.hospital_mortality[hospital]
    way = np.where(died, DIED, rng.choice(_WAYS, rows, p=_WAY_SHARES)).astype(np.int8)
    return {
        "department": pa.array(_NAMES, pa.string()).take(pa.array(department)),
        "doctor_id": pa.array(ids, pa.string()).take(pa.array(at)),
        "patient_id": _patients(columns, hospital, died, start, rng),
        "leaving_way": pa.array(way),
        **_fees(people.surgical[group], columns["total_cost"], rng),
    }


def _doctor_id(code: int) -> str:
    place, doctor = divmod(code, _DOCTORS_AT_MOST)
    hospital, department = divmod(place, len(_NAMES))
    return f"D{hospital + 1:02d}-{department + 1:02d}-{doctor + 1}"


def _patients(
    columns: dict[str, pa.Array],
    hospital: NDArray[np.int64],
    died: NDArray[np.bool_],
    start: int,
    rng: np.random.Generator,
) -> pa.Array:
    """Ids of patients; some stays are the second of a patient who left 2 to 31 days before."""
    rows = len(hospital)
    came, left = (
        columns[name].cast(pa.int32()).to_numpy().astype(np.int64)
        for name in ("admission_date", "discharge_date")
    )
    pool = columns["pool"].dictionary_encode().indices.to_numpy().astype(np.int64)
    age = columns["age_years"].fill_null(0).to_numpy().astype(np.int64)
    sex = columns["sex"].to_numpy().astype(np.int64)
    # The same patient has the same sex, age, pool and, mostly, hospital.
    kind = (((hospital * 2 + pool) * 4 + sex) * 200 + age) << 20
    order = np.argsort(kind + left, kind="stable")
    sorted_left = (kind + left)[order]
    again = np.flatnonzero(rng.random(rows) < _READMITTED)
    low = np.searchsorted(sorted_left, (kind + came)[again] - 31, side="left")
    high = np.searchsorted(sorted_left, (kind + came)[again] - 2, side="right")
    pick = order[
        np.minimum(low + (rng.random(len(again)) * (high - low)).astype(np.int64), rows - 1)
    ]
    second = np.zeros(rows, bool)
    second[again] = True
    fits = (high > low) & ~second[pick] & ~died[pick]
    again, pick = again[fits], pick[fits]
    first, at = np.unique(pick, return_index=True)
    patient = np.arange(start, start + rows)
    patient[again[at]] = start + first
    return pc.binary_join_element_wise(
        "P", pc.utf8_lpad(pa.array(patient).cast(pa.string()), 9, "0"), ""
    )


def _fees(
    surgical: NDArray[np.bool_], total: pa.Array, rng: np.random.Generator
) -> dict[str, pa.Array]:
    """The total cost in its categories, which add up to it to the fen."""
    fen = np.rint(total.to_numpy() * 100).astype(np.int64)
    share = _FEES[surgical.astype(np.int64)]
    share = share * np.exp(0.35 * rng.standard_normal(share.shape, np.float32))
    parts = (share / share.sum(axis=1, keepdims=True) * fen[:, None]).astype(np.int64)
    parts[:, 0] += fen - parts.sum(axis=1)
    return {name: pa.array(parts[:, i] / 100) for i, name in enumerate(FEE_COLUMNS)}

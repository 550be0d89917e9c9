"""Departments, doctors, patients, ways of leaving and fees of a sample."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from drgcore.cases.fees import DIED, FEE_COLUMNS


@pytest.fixture(scope="module")
def frame(clean: pa.Table) -> pd.DataFrame:
    return clean.to_pandas()


def test_fees_add_up_to_the_total_to_the_fen(frame: pd.DataFrame) -> None:
    fen = (frame[list(FEE_COLUMNS)] * 100).round().astype("int64")
    assert (fen >= 0).all(axis=None)
    assert (fen.sum(axis=1) == (frame["total_cost"] * 100).round().astype("int64")).all()


def test_a_doctor_works_in_one_department_of_one_hospital(frame: pd.DataFrame) -> None:
    places = frame.groupby("doctor_id")[["hospital", "department"]].nunique()
    assert places.eq(1).all(axis=None)
    assert 100 < len(places) < 12 * 27 * 4
    assert frame["department"].nunique() > 20


def test_some_patients_come_again_and_are_the_same_person(frame: pd.DataFrame) -> None:
    again = frame[frame.duplicated("patient_id", keep=False)]
    stays = again.groupby("patient_id")
    assert (stays.size() == 2).all()
    assert stays[["hospital", "pool", "sex", "age_years"]].nunique().le(1).all(axis=None)
    pairs = again.sort_values("admission_date").groupby("patient_id")
    left, came = pairs["discharge_date"].first(), pairs["admission_date"].last()
    days = (pd.to_datetime(came) - pd.to_datetime(left)).dt.days
    assert days.between(2, 31).all()
    assert 0.005 < len(days) / len(frame) < 0.05
    # Nobody comes again who died.
    assert not (pairs["leaving_way"].first() == DIED).any()


def test_some_patients_die(frame: pd.DataFrame) -> None:
    assert set(np.unique(frame["leaving_way"])) <= {1, 2, 3, 4, 5, 9}
    assert 0.002 < (frame["leaving_way"] == DIED).mean() < 0.03

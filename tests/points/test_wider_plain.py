"""The engine equals the plain calculation with every rule there is."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from drgcore.points import explain_points
from tests.points.test_plain import Region, folder, points_of, random_regions
from tests.points.wider_regions import wider_regions
from tests.reference.plain_points import plain_beyond_quota, plain_points

__all__ = ["folder"]
wider = settings(random_regions, max_examples=80)


@wider
@given(region=wider_regions())
def test_equals_the_plain_calculation(folder: Path, region: Region) -> None:
    policy, result = points_of(region, folder)
    rows = result.astype(object).where(result.notna(), None).to_dict("records")
    decided = {
        row["case_id"]: (row["decision"], None if pd.isna(row["points"]) else row["points"])
        for row in region[2].to_dict("records")
    }
    beyond = plain_beyond_quota(rows, policy, decided)
    unit = Decimal(1).scaleb(-policy.rounding.points)
    for row in rows:
        name = row["case_id"]
        plain = plain_points(row, policy, decided.get(name), name in beyond)
        assert row["case_class"] == plain.case_class, (row, plain)
        difference = abs(Decimal(repr(row["points"])) - plain.points)
        assert difference <= (3 * unit if plain.near_tie else 0), (row, plain)


@wider
@given(region=wider_regions())
def test_every_explanation_recomputes(folder: Path, region: Region) -> None:
    """What a case's explanation prints gives its points when it is computed again."""
    policy, result = points_of(region, folder)
    unit = 10.0**-policy.rounding.points
    for row in result.to_dict("records"):
        text = explain_points(row, policy)
        last = text.splitlines()[-1]
        if row["case_class"] == "outside":
            assert last == "points = 0; paid by item outside the points"
            continue
        for line in text.splitlines():
            parts = line.split(" = ")
            if parts[0] == "points" and re.search(r"\d", parts[-2]):
                value, tolerance = computed(parts[-2], unit)
                assert value == pytest.approx(float(parts[-1]), abs=tolerance), text
        assert float(last.split(" = ")[-1]) == pytest.approx(row["points"], rel=1e-11)


def computed(formula: str, unit: float) -> tuple[float, float]:
    """Evaluate a printed formula; what it adds after rounding allows a unit."""
    formula, _, cap = formula.partition(", ")
    text = formula.replace("×", "*").replace("−", "-").replace(" days", "")
    assert re.fullmatch(r"[-+*().0-9e ]+", text), formula
    limit = max if " least " in cap else min
    if cap.startswith("what is added"):
        first, _, rest = text.partition(" + ")
        value = eval(first) + limit(eval(rest), float(cap.split()[-1]))
    else:
        value = eval(text)
        value = limit(value, float(cap.split()[-1])) if cap else value
    return max(value, 0.0), 1.01 * unit + 1e-9


@wider
@given(region=wider_regions())
def test_order_changes_nothing(folder: Path, region: Region) -> None:
    change, table, decisions = region
    whole = points_of(region, folder)[1]
    order = np.random.default_rng(len(table)).permutation(len(table))
    shuffled = points_of((change, table.iloc[order], decisions), folder)[1]
    columns = ["case_class", "points", "coefficient", "multiple", "added_points"]
    pd.testing.assert_frame_equal(shuffled.sort_index()[columns], whole[columns])

"""The fictitious region: its base points follow the rule that its file states."""

from __future__ import annotations

import csv
import zlib
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from drgcore.points import CLASSES, Policy, compute_points, group_table

DRG_TABLE = Path(__file__).parents[2] / "data/grouper_tables/chs-drg-3.0/drg.parquet"


def h(text: str, n: int) -> int:
    return zlib.crc32(text.encode()) % n


def rows() -> list[dict[str, str]]:
    path = Policy.load("example").path_of("example-base-points.csv")
    lines = path.read_text("utf-8").splitlines()
    assert "FICTITIOUS" in lines[0]
    return list(csv.DictReader(lines[1:]))


def test_base_points_follow_the_stated_rule() -> None:
    assert len(rows()) == 825
    for row in rows():
        drg = row["drg"]
        adrg, kind, last = drg[:3], drg[1], drg[3]
        if drg[0] == "A":
            weight = 6 + Decimal("0.010") * h(adrg, 1000)
        elif kind <= "J":
            weight = Decimal("0.8") + Decimal("0.003") * h(adrg, 1000)
        elif kind <= "Q":
            weight = Decimal("0.5") + Decimal("0.0015") * h(adrg, 1000)
        else:
            weight = Decimal("0.3") + Decimal("0.001") * h(adrg, 1000)
        severity = {"1": "1.6", "3": "1.25", "5": "1"}.get(last)
        weight *= Decimal(severity) if severity else 1 + Decimal(h(drg, 21)) / 100
        points = (weight * 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
        assert Decimal(row["base_points"]) == points
        assert Decimal(row["mean_cost"]) == points * 100
        assert int(row["cases"]) == h(drg + "n", 400)
        assert Decimal(row["cv"]) == Decimal("0.30") + Decimal(h(drg + "cv", 75)) / 100


def test_worse_complications_earn_no_less() -> None:
    points = {row["drg"]: Decimal(row["base_points"]) for row in rows()}
    compared = 0
    for drg, earned in points.items():
        for milder in {"1": "35", "3": "5"}.get(drg[3], ""):
            if drg[:3] + milder in points:
                assert earned >= points[drg[:3] + milder]
                compared += 1
    assert compared > 200


def test_every_group_that_can_occur_has_base_points() -> None:
    if not DRG_TABLE.is_file():
        pytest.skip("the compiled tables of chs-drg-3.0 are not there")
    scheme = pd.read_parquet(DRG_TABLE)
    named = scheme[scheme["name"].fillna("") != ""]
    assert set(named["code"]) == set(group_table(Policy.load("example")).drgs)


def test_a_year_of_it_has_every_class_that_its_rules_know() -> None:
    policy = Policy.load("example")
    table = group_table(policy)
    generator = np.random.default_rng(1)
    n = 20_000
    group = generator.integers(0, len(table.drgs), n)
    hospital = generator.integers(1, 13, n)
    status = generator.choice(
        ["grouped", "ambiguous", "ungrouped", "invalid"], n, p=[0.94, 0.02, 0.02, 0.02]
    )
    cost = table.mean_cost[group] * generator.lognormal(-0.18, 0.6, n)
    names = np.array([f"H{k:02}" for k in hospital])
    cataract = group == table.drgs.index("CB69")
    cases = pd.DataFrame({
        "case_id": [f"c{i}" for i in range(n)],
        "hospital": names,
        "pool": generator.choice(["employee", "resident"], n),
        "discharge_date": pd.Timestamp("2027-01-01")
        + pd.to_timedelta(generator.integers(0, 365, n), "D"),
        "length_of_stay": np.where(cataract, 1, generator.integers(1, 200, n)),
        "total_cost": cost.round(2),
        "patient_paid": (cost * 0.3).round(2),
        "drg": np.where(status == "grouped", np.array(table.drgs)[group], None),
        "status": status,
    })  # fmt: skip
    found = compute_points(cases, policy, year=2027)
    assert set(found["case_class"].unique()) == set(CLASSES) - {
        "invalid", "no_base_points", "special_review",
    }  # fmt: skip
    assert {hospital.level for hospital in policy.hospitals.values()} == {"1", "2", "3"}
    assert not found["points"].isna().any()

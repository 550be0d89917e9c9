"""The dashboard: its numbers are those of the library over the same cases, whatever is filtered."""

from __future__ import annotations

import re

import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import drgcore
from drgcore.indicators import PARTS
from drgcore.points import Policy
from drgcore.serve import Settings
from drgcore.serve.cube import Cubes, Filters, build
from drgcore.serve.figures import Bubble, bars, bubbles, lines, scale, small

from .conftest import HTML, client_of

CASES = "year/grouped.parquet"
EVIL = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    """Grouped cases of a year in a folder; one department has an evil name."""
    folder = tmp_path_factory.mktemp("data") / "year"
    folder.mkdir()
    cases = drgcore.group(drgcore.sample_cases(3000, "chs-drg-3.0", seed=4), "chs-drg-3.0")
    place = cases.column_names.index("department")
    column = cases["department"].combine_chunks().cast("string")
    named = pc.if_else(pc.equal(column, column[0]), EVIL, column)
    cases = cases.set_column(place, "department", named)
    pq.write_table(cases, folder / "grouped.parquet")
    return folder, cases


@pytest.fixture(scope="module")
def pages(cases):
    return client_of(Settings(data=(cases[0],), lang="zh"))


@pytest.mark.parametrize("key", ["hospital", "month"])
def test_unfiltered_units_are_those_of_the_library(pages, cases, key):
    data = pages.get("/dashboard", params={"cases": CASES}).json()
    found = pd.DataFrame(data["units" if key == "hospital" else "months"]).set_index(key)
    ours = drgcore.compute_indicators(cases[1], key).table.set_index(key)
    for name in ("cases", "cmi", "cost_index", "mean_cost", "drug_share", "grouping_rate"):
        assert found[name].tolist() == pytest.approx(ours.loc[found.index, name].tolist())


def test_a_filter_counts_the_same_cases_with_the_weights_of_all(pages, cases):
    table = cases[1]
    asked = {"hospital": "H02", "drg": "MDCF", "month": "2027-05"}
    kept = [
        row
        for row in table.select(["hospital", "drg", "discharge_date", "total_cost"]).to_pylist()
        if row["hospital"] == "H02"
        and (row["drg"] or "").startswith("F")
        and row["discharge_date"].month == 5
    ]
    assert kept
    data = pages.get("/dashboard", params={"cases": CASES, **asked}).json()
    assert data["facts"]["cases"] == len(kept)
    mean = sum(row["total_cost"] for row in kept) / len(kept)
    assert data["facts"]["mean_cost"] == pytest.approx(mean)
    assert {row["drg"] for row in data["groups"]} == {row["drg"] for row in kept}
    assert data["key"] == "department"
    assert [row["month"] for row in data["months"]] == ["2027-05"]


def test_payment_and_cost_are_those_of_the_library(cases):
    policy, values = Policy.load("example"), {"employee": 190.0, "resident": 130.0}
    cube = build(cases[0] / "grouped.parquet", policy, values)
    ours = drgcore.profit_and_loss(cases[1], policy, values=values).by(["hospital", "mdc"])
    of_one = ours[ours["hospital"] == "H03"].set_index("mdc")["surplus_fen"] / 100
    found = cube.surplus("mdc", Filters(hospital="H03")).set_index("mdc")
    pd.testing.assert_series_equal(
        found["surplus"].sort_index(),
        of_one.sort_index(),
        check_names=False,
        check_index_type=False,
    )
    parts = list(PARTS)
    assert found[parts].sum(axis=1).tolist() == pytest.approx(found["surplus"].tolist())


def test_names_from_the_data_are_escaped(pages):
    page = pages.get("/dashboard", params={"cases": CASES}, headers=HTML).text
    assert "&lt;script&gt;alert(1)" in page
    assert EVIL not in page
    filtered = {"cases": CASES, "department": EVIL}
    page = pages.get("/dashboard", params=filtered, headers=HTML).text
    assert EVIL not in page
    assert "看什么" in page
    assert not re.search(r"\sstyle=", page)


def test_nothing_is_said_of_a_choice_without_cases(pages):
    page = pages.get("/dashboard", params={"cases": CASES, "drg": "QQ"}, headers=HTML).text
    assert "没有符合条件的病例" in page
    unknown = pages.get("/dashboard", params={"cases": CASES, "hospital": "H99"})
    assert unknown.status_code == 400
    assert "请选择" in pages.get("/dashboard", headers=HTML).text


def test_cases_that_are_not_grouped_are_refused_each_time(tmp_path):
    (tmp_path / "raw.csv").write_text("case_id,sex\n1,1\n")
    client = client_of(Settings(data=(tmp_path,)))
    name = f"{tmp_path.name}/raw.csv"
    for _ in range(2):
        answer = client.get("/dashboard", params={"cases": name})
        assert answer.status_code == 400
        assert "drg" in answer.json()["error"]


def test_a_large_file_is_added_up_in_the_background(cases):
    kept, path = Cubes(), cases[0] / "grouped.parquet"
    assert kept.get(path, None, {}, wait=0.0) is None
    first = kept.get(path, None, {}, wait=60.0)
    assert first is not None
    assert kept.get(path, None, {}, wait=0.0) is first


@pytest.mark.parametrize(
    "drawn",
    [
        lines({'"><x>': [None, None]}, ["a", "b"], '"><x>'),
        lines({}, [], "nothing"),
        bars(['"><x>' * 30, "b"], [-1e9, 0.0], "x"),
        bars([], [], "nothing"),
        bubbles([Bubble('"><x>', 1.0, 1.0, 0.0)], "x", "y", "one"),
        bubbles([], "x", "y", "nothing"),
        small([None, 1.0, None], '"><x>'),
        small([], "nothing"),
    ],
)
def test_a_figure_of_little_or_of_strange_names_is_sound(drawn):
    from xml.etree import ElementTree

    root = ElementTree.fromstring(str(drawn))
    assert root.get("role") == "img"
    assert root.get("aria-label")
    assert root.find(".//x") is None
    for element in root.iter():
        assert "style" not in element.attrib
        assert not any("nan" in value or "inf" in value for value in element.attrib.values())


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.0), (-3.0, 7.0), (0.979, 1.02), (1e9, 1e9 + 1)])
def test_a_scale_spans_its_values(low, high):
    ticks = scale(low, high)
    assert ticks[0] <= low <= high <= ticks[-1]
    assert 2 <= len(ticks) <= 8
    assert ticks == sorted(set(ticks))

"""Presets hold facts: each number has a source, and what is not known is asked for."""

from __future__ import annotations

import copy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from drgcore.errors import PolicyError
from drgcore.points import (
    PRESETS,
    Policy,
    check_policy,
    compute_points,
    list_presets,
    policy_sentences,
    sanction_points,
    unfinished_sentences,
)
from drgcore.points.policy import build
from drgcore.points.policy_file import find_policy, merge, read_toml
from drgcore.points.sources import (
    KINDS,
    filled_in,
    sources_of,
    sources_without_parameter,
    without_source,
)
from tests.points.regions import SMALL, cases

REGIONS = [name for name in PRESETS if name != "example"]


def preset(name: str) -> dict[str, Any]:
    return read_toml(find_policy(name))


@pytest.mark.parametrize("name", PRESETS)
def test_no_number_of_a_preset_is_without_a_source(name: str) -> None:
    """Nor is any word: rules, bases and conditions are facts as numbers are."""
    data = preset(name)
    assert without_source(data) == []
    assert sources_without_parameter(data) == []
    assert len(sources_of(data)) == len(data.get("sources", []))


def test_a_number_without_a_source_is_found() -> None:
    """The test above can fail: any one filled in, anywhere, is named."""
    for name in REGIONS:
        data = preset(name)
        data["rounding"]["points"] = 4
        data["budget"]["pools"]["employee"]["budget"] = Decimal("1.5")
        assert without_source(data) == ["rounding.points", "budget.pools.employee.budget"], name
    data = preset("jinhua-2017")
    given = len(filled_in(data))
    data["sources"] = []
    assert len(without_source(data)) == given > 10


@pytest.mark.parametrize("name", REGIONS)
def test_a_preset_names_document_and_kind(name: str) -> None:
    data = preset(name)
    for source in sources_of(data):
        assert source.document
        assert source.kind in KINDS
        assert source.of or source.states
    assert data["fill_in"]
    if "year" in data:
        assert str(data["year"]) in data["source"] + data["title"]


@pytest.mark.parametrize("name", REGIONS)
def test_presets_only_ask(name: str) -> None:
    """A preset is right but for what its source does not give."""
    report = check_policy(name)
    assert not report.ok
    assert not report.warnings
    assert all(problem.missing for problem in report.problems), report.problems
    paths = [problem.path for problem in report.problems]
    assert len(set(paths)) == len(paths)
    with pytest.raises(PolicyError, match="parameters are not filled in, 0 are wrong"):
        Policy.load(name)


def test_a_question_mark_asks_for_what_may_be_left_out() -> None:
    """An empty text says nothing of an optional parameter; "?" asks for it, once."""
    change = {"coefficients": {"same_price": "", "minimum": ""}}
    assert build(merge(SMALL, change))[1] == []
    change = {"coefficients": {"same_price": "?", "minimum": "?"},
              "budget": {"prepayment": "?"}}  # fmt: skip
    policy, problems = build(merge(SMALL, change))
    assert policy is None
    assert all(problem.missing for problem in problems)
    assert sorted(problem.path for problem in problems) == [
        "budget.prepayment",
        "coefficients.minimum",
        "coefficients.same_price",
    ]
    assert "least coefficient" in " ".join(p.message for p in problems)


def test_a_source_of_nothing_is_a_warning(tmp_path: Path) -> None:
    text = find_policy("qingyang-2025").read_text("utf-8")
    file = tmp_path / "mine.toml"
    file.write_text(text.replace('of = ["exclusions"]', 'of = ["exclusoins"]'), "utf-8")
    assert check_policy(file).warnings == (
        "a source is said to give exclusoins, which the policy does not have",
    )
    file.write_text(text.replace('kind = "document and report"', 'kind = "hearsay"'), "utf-8")
    assert any(p.path == "sources.1.kind" and not p.missing for p in check_policy(file).problems)


# What the small region has in place of what each preset asks for beside the common parameters.
K = {"components": [{"name": "k", "weight": 1, "method": "constant", "value": "1.05"}]}
DEAR = {"case_class": "high_cost", "rule": "outside"}


def completed(name: str) -> dict[str, Any]:
    """A preset with the small region's numbers for what it asks, and nothing of its own changed."""
    data = copy.deepcopy(preset(name))
    own = {k: v for k, v in SMALL.items() if k not in ("name", "source", "budget")}
    own.pop("outliers") if "pieces" in data["outliers"] else None
    data["base_points"].pop("file")
    data = fill(data, own)
    data["effective_from"] = SMALL["effective_from"]
    budget = copy.deepcopy(SMALL["budget"])
    data["budget"] = fill(data["budget"], budget)
    return data


def fill(data: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Fill what is empty; a value that is there stays."""
    result = dict(data)
    for key, value in own.items():
        old = result.get(key, "")
        if isinstance(old, dict) and isinstance(value, dict):
            result[key] = fill(old, value)
        elif old in ("", "?"):
            result[key] = value
    return result


def filled(name: str, tmp_path: Path) -> Policy:
    data = completed(name)
    pieces = data["outliers"].get("pieces", [])
    if name == "zhejiang-2019":
        pieces[0] |= {"up_to": "0.4", "limit": "this"}
        pieces[1] |= {"up_to": 3, "limit": "this"}
        pieces[2] |= DEAR
        data["coefficients"] = K
        data["bed_day"][0] |= {"groups": ["TR19"], "above_days": 30, "points_per_day": 3}
        data["special_review"] = {"without_points": "error"}
        data["readmissions"][0] |= {"hospital": "any", "exempt": ["RE1"]}
    if name == "zhejiang-2025":
        for piece in pieces[:2]:
            piece["k"] = "times"
        pieces[2] |= {"up_to": 3, "limit": "this"}
        pieces[3] |= DEAR
        data["coefficients"] |= K | {"same_price": ["ES2"]}
        data["special_review"] |= {"without_points": "error"}
        data["special_review"]["quota"] |= {"rounding": "down", "counts": "filed"}
        data["budget"]["pools"]["out_of_region"] = {
            "value": 64, "basis": "fund", "prepayment": "0.9"}  # fmt: skip
    if name == "jinhua-2017":
        pieces[0] |= {"up_to": "0.4", "limit": "this"}
        pieces[1] |= {"up_to": 3, "limit": "this"}
        pieces[2] |= DEAR
        (tmp_path / "k.csv").write_text("hospital,drg,coefficient\nH1,BR15,1.1\n", "utf-8")
        data["coefficients"]["components"][0]["file"] = "k.csv"
        data["bed_day"] = []
        data["readmissions"][0] |= {"hospital": "any", "exempt": []}
        data["violations"]["points"]["splitting"] = 1
    if name == "zigong-2023":
        one, two = data["coefficients"]["components"]
        one |= {"weight": "0.6", "method": "hospital", "hospitals": {"H9": 1}}
        two |= {"weight": "0.4", "method": "level", "levels": {"C": "1.1", "B": "1.3"}}
        data["coefficients"]["level_order"] = ["C", "B"]
    if name == "chongqing-2025":
        data["outliers"]["high"]["multiples"] = 3
        data["coefficients"]["components"][0] |= {"weight": 1, "hospitals": {"H1": "1.1"}}
        data["special_review"] = {"without_points": "error", "quota": {
            "share": "0.005", "period": "year", "rounding": "down", "counts": "filed"}}  # fmt: skip
        data["quality_money"] |= {"rule": "given", "rest": "reserve"}
    if name == "national-2025":
        data["quality_money"] = {"share": "0.05", "rule": "given", "rest": "reserve"}
        for pool in data["budget"]["pools"].values():
            pool["advances"] = {"H1": "100.00"}
    if name == "base-rate":
        data["budget"]["floor"] = "0.9"
    return Policy.from_data(data, folder=tmp_path, where=name)


@pytest.mark.parametrize("name", REGIONS)
def test_a_filled_in_preset_is_complete(name: str, tmp_path: Path) -> None:
    """What the check asks for is enough, and the policy's sentences have what the preset states."""
    policy = filled(name, tmp_path)
    sentences = dict(policy_sentences(policy))["Policy"]
    for source in policy.sources:
        assert any(source.document in text for text in sentences)
        assert all(f"It states: {text}." in sentences for text in source.states)


def points(policy: Policy, **case: Any) -> float:
    return float(compute_points(cases(case), policy)["points"][0])


def test_the_presets_earn_the_published_points(tmp_path: Path) -> None:
    """The numbers published for each region, by its preset: P of BR15 is 80, m 8,000."""
    zhejiang = filled("zhejiang-2019", tmp_path)
    assert points(zhejiang, total_cost=8000.0) == 84.0
    assert points(zhejiang, total_cost=2000.0) == 21.0
    later = filled("zhejiang-2025", tmp_path).with_changes(
        {"coefficients": {"components": [K["components"][0] | {"value": 1}]}}
    )
    for ratio, earned in ((39, 31.2), (40, 32), (41, 48.8), (60, 64), (80, 80), (81, 80)):
        assert points(later, total_cost=80.0 * ratio) == earned
    jinhua = filled("jinhua-2017", tmp_path)
    assert points(jinhua, total_cost=8800.0) == 88.0
    assert points(jinhua, total_cost=2000.0) == 20.0
    zigong = filled("zigong-2023", tmp_path)
    # (0.9 · 1.3)·0.6 + 1.1·0.4 = 1.142, and at the highest level (1.1 · 1.1)·0.6 + 1.3·0.4.
    assert points(zigong, hospital_level="C", total_cost=8000.0) == pytest.approx(80 * 1.142)
    assert points(zigong, hospital_level="B", total_cost=8000.0) == pytest.approx(80 * 1.246)


def test_shaoxing_withdraws_base_points(tmp_path: Path) -> None:
    policy = filled("zhejiang-2025", tmp_path)
    case = pd.DataFrame({"case_id": ["1"], "hospital": ["H1"], "pool": ["employee"],
        "discharge_date": pd.to_datetime(["2026-03-09"]), "drg": ["BR15"],
        "points": [110.0]})  # fmt: skip

    def withdrawn(kind: str) -> float:
        listed = pd.DataFrame({"case_id": ["1"], "kind": [kind], "points": [None]})
        found = sanction_points(case, listed, policy)
        return float(found.at[0, "points"])

    # P is 80: not counted, and minus 0, 1, 2 or 5 times P.
    kinds = ("splitting", "splitting_grave", "upcoding", "cost_shifting", "fraud")
    assert [withdrawn(kind) for kind in kinds] == [-110.0, -190.0, -270.0, -270.0, -510.0]


def test_days_outside_the_points(tmp_path: Path) -> None:
    qingyang, chongqing = (filled(f"{name}-2025", tmp_path) for name in ("qingyang", "chongqing"))
    rows = [{"length_of_stay": days, "bed_day": days == 30} for days in (2, 3, 30, 59, 60, 61)]
    found = compute_points(cases(*rows), qingyang)["case_class"].tolist()
    assert found == ["outside", "normal", "outside", "normal", "outside", "outside"]
    found = compute_points(cases(*rows), chongqing)["case_class"].tolist()
    assert found == ["normal"] * 5 + ["outside"]
    assert chongqing.quality_money is not None
    assert chongqing.quality_money.share == Decimal("0.03")


def test_the_list_says_how_much_is_stated_and_asked() -> None:
    found = {preset.name: preset for preset in list_presets()}
    assert list(found) == list(PRESETS)
    assert found["example"].asked == 0
    assert found["blank"].stated == found["blank"].sentences == 0
    assert (found["zhejiang-2025"].region, found["zhejiang-2025"].year) == (
        "Zhejiang (浙江), Shaoxing (绍兴)", 2025)  # fmt: skip
    for name in REGIONS:
        assert found[name].asked == len(check_policy(name).problems) > 20


@pytest.mark.parametrize("name", REGIONS)
def test_an_unfinished_policy_is_shown_by_source(name: str) -> None:
    report, data = check_policy(name), preset(name)
    parts = unfinished_sentences(data, report.problems)
    assert [heading for heading, _ in parts] == [*map(str, sources_of(data)), "Open"]
    open_ = parts[-1][1]
    assert open_[0].startswith(f"{len(report.problems)} to fill in: ")
    data["rounding"]["points"] = 4
    before_last = unfinished_sentences(data, report.problems)[-2]
    assert before_last == ("Filled in, and no source is named", ["rounding: points 4"])

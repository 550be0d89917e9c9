"""Subdivision of synthetic cities: known structure is found, noise is not, the overlay groups."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import drgcore
from drgcore.errors import CaseSchemaError, DrgcoreError, SchemeError
from drgcore.schemes import parse_rule
from drgcore.subdivision.coded import code_cases, regrouped
from drgcore.subdivision.hospitals import hospital_effects
from drgcore.subdivision.listed import cost_by_code, occurrences, user_lists
from drgcore.subdivision.local_scheme import local_tables
from drgcore.weights.segments import sort_by_group
from tests.grouper.helpers import assert_same, by_plain, dictionary, plain_rows, twin_of
from tests.subdivision.cities import LISTED, OLD, PROCEDURES, city

ROWS, SEED = 120_000, 11


@lru_cache
def subdivided() -> drgcore.Subdivision:
    """The subdivision of the structured city."""
    return drgcore.subdivide(city(ROWS, SEED).cases, bootstrap=50)


def conditions_of(found: drgcore.Subdivision) -> dict[str, set[str]]:
    """The conditions by which each ADRG was split."""
    splits = found.steps[found.steps["action"] == "split"]
    return {str(adrg): set(rows["condition"]) for adrg, rows in splits.groupby("adrg")}


# --- What is there is found -------------------------------------------------------------------


def test_ages_that_cost_more_are_found() -> None:
    splits = conditions_of(subdivided())
    known = city(ROWS, SEED).of_kind(OLD, least=100)
    assert len(known) >= 20
    found = {adrg for adrg in known if "NL >= 60" in splits.get(adrg, ())}
    assert len(found) >= 0.95 * len(known)


def test_procedures_that_cost_more_are_listed_and_split() -> None:
    found = subdivided()
    known = city(ROWS, SEED).of_kind(LISTED, least=150)
    assert len(known) >= 10
    listed = found.codes.groupby("adrg")["code"].agg(set).to_dict()
    whole = {adrg for adrg in known if set(PROCEDURES) <= listed.get(adrg, set())}
    assert len(whole) >= 0.9 * len(known)
    splits = conditions_of(found)
    split = {a for a in known if f"{{ZYSS, QTSS}} in OP_{a}_LOCAL" in splits.get(a, ())}
    assert len(split) >= 0.9 * len(known)


def test_nothing_else_is_split() -> None:
    splits = conditions_of(subdivided())
    known = city(ROWS, SEED)
    for adrg, conditions in splits.items():
        kind = known.kind[adrg]
        allowed = {OLD: {"NL >= 60"}, LISTED: {f"{{ZYSS, QTSS}} in OP_{adrg}_LOCAL"}}
        # In a made-up region of few patients a code may stand for an age; none does here.
        assert conditions <= allowed.get(kind, set())
    assert set(subdivided().codes["code"]) <= set(PROCEDURES)


def test_noise_is_not_split(capsys: pytest.CaptureFixture[str]) -> None:
    looked_at = false = 0
    for seed in (1, 2, 3):
        found = drgcore.subdivide(city(20_000, seed, structured=False).cases, bootstrap=0)
        looked_at += int((found.decisions["cases"] > 0).sum())
        false += int(found.decisions["action"].isin(["split", "recut"]).sum())
    with capsys.disabled():
        print(f"\nfalse splits on noise: {false} of {looked_at} ADRG")
    assert looked_at > 1000
    assert false == 0


# --- What it makes ----------------------------------------------------------------------------


def test_riv_rises_by_as_much_as_the_structure_explains() -> None:
    performance = subdivided().performance.set_index("metric")
    assert performance.loc["riv", "difference"] >= 0.02
    assert performance.loc["riv_log", "low"] > 0
    gains = subdivided().steps["riv_gain"].sum()
    assert performance.loc["riv", "difference"] == pytest.approx(gains, abs=1e-9)


def test_no_new_group_is_below_the_least_number() -> None:
    found = subdivided()
    splits = found.steps[found.steps["action"] == "split"]
    assert splits[["cases", "other_cases"]].min(axis=None) >= found.limits.min_cases
    base = set(drgcore.load_scheme().tables["drg"]["code"].to_pylist())
    made = found.groups[~found.groups["drg"].isin(base)]
    cut = made[made["rule"].str.contains("NL >= 60|LOCAL")]
    assert len(cut) > 20
    assert cut["cases"].min() >= found.limits.min_cases


def test_the_groups_are_those_that_the_search_counted() -> None:
    found = subdivided()
    grouped = drgcore.group(city(ROWS, SEED).cases, found.scheme)
    statistics = drgcore.group_statistics(grouped).set_index("drg")
    with_cases = found.groups[found.groups["cases"] > 0].set_index("drg")
    assert set(with_cases.index) <= set(statistics.index)
    there = statistics.loc[with_cases.index]
    assert (there["cases"] == with_cases["cases"]).all()
    assert np.allclose(there["mean_cost"], with_cases["mean_cost"])
    assert np.allclose(there["cv"], with_cases["cv"])


def test_a_code_never_means_two_things() -> None:
    found, base = subdivided(), drgcore.load_scheme()
    before = {d.code: (d.name, d.rule) for d in base.drgs}
    same = [d for d in found.scheme.drgs if d.code in before]
    assert all(before[d.code] == (d.name, d.rule) for d in same)
    codes = [d.code for d in found.scheme.drgs]
    assert len(set(codes)) == len(codes)
    assert all(code[:3] == adrg for code, adrg in found.groups[["drg", "adrg"]].to_numpy())


def test_mdc_and_adrg_stay_as_they_are() -> None:
    found, base = subdivided(), drgcore.load_scheme()
    for table in ("mdc", "adrg", "cc", "exclusions"):
        assert found.scheme.tables[table].equals(base.tables[table])
    cases = city(ROWS, SEED).cases
    columns = [drgcore.group(cases, s, columns=[])["adrg"] for s in (found.scheme, base)]
    assert columns[0].to_pylist() == columns[1].to_pylist()


def test_the_overlay_groups_like_the_plain_evaluators(tmp_path: Path) -> None:
    found = subdivided()
    report = found.compile(tmp_path, title="A made-up city")
    assert set(report.changes or ()) == {"drg", "sets"}
    scheme = drgcore.load_scheme(report.folder)
    assert scheme.metadata["base"] == "chs-drg-3.0"
    cases = city(ROWS, SEED).cases
    whole = drgcore.group(cases, scheme, columns=[])
    assert whole.equals(drgcore.group(cases, found.scheme, columns=[]))
    # Cases of the groups that are new.
    new = set(found.groups["drg"]) - {d.code for d in drgcore.load_scheme().drgs}
    rows = [i for i, drg in enumerate(whole["drg"].to_pylist()) if drg in new][:400]
    some = cases.take(rows)
    kernel = plain_rows(drgcore.group(some, scheme))
    listed = some.to_pylist()
    twin = twin_of(scheme, dictionary("diagnoses"), dictionary("procedures"))
    assert_same(kernel, [twin.group(row) for row in listed], listed, "reference")
    explained = [by_plain(drgcore.explain(some.slice(i, 1), scheme)) for i in range(100)]
    assert_same(kernel[:100], explained, listed[:100], "explain")


def test_rules_and_names_can_be_read() -> None:
    groups = subdivided().groups
    assert all(parse_rule(rule) is not None for rule in groups["rule"])
    old = groups[groups["rule"] == "NL >= 60"].iloc[0]
    assert old["name"].endswith("，大于等于60岁")
    listed = groups[groups["rule"].str.contains("LOCAL")].iloc[0]
    assert "伴所列手术或操作" in listed["name"]


def test_the_effect_on_hospitals_adds_up() -> None:
    found = subdivided()
    table = found.hospitals
    assert table is not None
    grouped = drgcore.group(city(ROWS, SEED).cases)
    counted = drgcore.group_statistics(grouped, "hospital").set_index("hospital")["cases"]
    assert table.set_index("hospital")["cases"].to_dict() == counted.to_dict()
    # By its own weights each grouping gives the region as much weight as it has cases.
    assert table["weight_before"].sum() == pytest.approx(counted.sum())
    assert table["weight_after"].sum() == pytest.approx(counted.sum())
    assert (table["change"] == table["weight_after"] - table["weight_before"]).all()


def test_hospitals_are_compared_on_the_same_cases() -> None:
    # All cases of BR13 were trimmed: it has no weight before, and one after it was merged.
    drg = ["BR13", "BR13", "BR15", "BR15"]
    cases = pd.DataFrame({"drg": drg, "hospital": list("abab"), "total_cost": [9.0, 9, 1, 3]})
    before = drgcore.read_history(cases)
    after = drgcore.read_history(cases.assign(drg="BR19"))
    kept = np.array([False, False, True, True])
    table = hospital_effects(before, before.only(kept), after, after.only(kept))
    assert table is not None
    assert table["cases"].tolist() == [1, 1]
    assert table["weight_before"].tolist() == table["weight_after"].tolist() == [1.0, 1.0]


def test_a_reason_says_in_how_many_hospitals_it_holds() -> None:
    found = subdivided()
    step = found.steps[found.steps["action"] == "split"].iloc[0]
    told = f"the same in {step['hospitals_agree']} of {step['hospitals']} hospitals"
    assert step["why"].endswith(told)
    decision = found.decisions.set_index("adrg").loc[step["adrg"], "why"]
    assert told in decision


def test_hospitals_agree_on_what_costs_more_everywhere() -> None:
    splits = subdivided().steps.query("action == 'split' and hospitals > 0")
    assert (splits["hospitals_agree"] <= splits["hospitals"]).all()
    assert splits["hospitals_agree"].sum() >= 0.95 * splits["hospitals"].sum()


def test_the_report_is_written(tmp_path: Path) -> None:
    subdivided().write(tmp_path / "report")
    tables = {path.stem: pd.read_csv(path) for path in (tmp_path / "report").glob("*.csv")}
    assert set(tables) == {
        "decisions", "steps", "groups", "codes", "performance", "hospitals", "left_out",
    }  # fmt: skip
    assert len(tables["decisions"]) == 492
    text = str(subdivided())
    assert "local, cut from chs-drg-3.0: of 492 ADRG" in text
    assert "yuan" in text


# --- Whatever comes in ------------------------------------------------------------------------


def test_the_order_of_rows_has_no_influence() -> None:
    cases = city(20_000, 5).cases
    first = drgcore.subdivide(cases, bootstrap=20)
    order = np.random.default_rng(0).permutation(len(cases))
    second = drgcore.subdivide(cases.take(order), bootstrap=20, threads=1)
    for name in ("decisions", "steps", "groups", "codes", "hospitals", "performance"):
        pd.testing.assert_frame_equal(getattr(first, name), getattr(second, name), check_exact=True)
    for name, table in first.scheme.tables.items():
        assert table.equals(second.scheme.tables[name])


def test_cases_may_come_as_a_stream() -> None:
    cases = city(20_000, 5).cases
    table, stream = (drgcore.subdivide(c, bootstrap=0) for c in (cases, cases.to_reader(3_000)))
    for name in ("decisions", "steps", "groups", "hospitals", "performance"):
        pd.testing.assert_frame_equal(getattr(table, name), getattr(stream, name))


def test_costs_in_another_unit_change_nothing() -> None:
    cases = city(20_000, 5).cases
    at = cases.column_names.index("total_cost")
    doubled = pa.array(cases["total_cost"].to_numpy() * 2)
    first, second = (
        drgcore.subdivide(c, bootstrap=0)
        for c in (cases, cases.set_column(at, "total_cost", doubled))
    )
    columns = ["adrg", "groups_after", "action", "riv_gain"]
    pd.testing.assert_frame_equal(first.decisions[columns], second.decisions[columns])


def test_only_what_may_be_tried_is_tried() -> None:
    cases = city(20_000, 5).cases
    nothing = drgcore.SplitCandidates(severity=False, ages=(), listed=())
    limits = drgcore.SplitLimits(merge=False)
    found = drgcore.subdivide(cases, candidates=nothing, limits=limits, bootstrap=0)
    assert set(found.decisions["action"]) == {"kept"}
    assert found.scheme.tables["drg"].equals(drgcore.load_scheme().tables["drg"])
    ages = drgcore.SplitCandidates(severity=False, ages=(60,), listed=())
    found = drgcore.subdivide(cases, candidates=ages, limits=limits, bootstrap=0)
    assert set(found.steps["condition"]) == {"NL >= 60"}


def test_a_list_of_the_user_is_tried() -> None:
    candidates = drgcore.SplitCandidates(
        severity=False, ages=(), listed=(), procedures={"OP_CITY": PROCEDURES}
    )
    limits = drgcore.SplitLimits(merge=False)
    data = city(40_000, 5)
    found = drgcore.subdivide(data.cases, candidates=candidates, limits=limits, bootstrap=0)
    known = data.of_kind(LISTED, least=150)
    split = set(found.decisions.query("action == 'split'")["adrg"])
    assert len(known & split) >= 0.9 * len(known)
    assert found.scheme.sets["OP_CITY"] == frozenset(PROCEDURES)


def test_days_in_hospital_are_tried_on_request(tmp_path: Path) -> None:
    data = city(20_000, 5, structured=False)
    cases = data.cases
    stay = cases["length_of_stay"].to_numpy()
    spread = np.random.default_rng(1).lognormal(0, 0.3, 20_000)
    cost = 1000.0 * np.where(stay > 12, 3.0, 1.0) * spread
    cases = cases.set_column(cases.column_names.index("total_cost"), "total_cost", pa.array(cost))
    candidates = drgcore.SplitCandidates(severity=False, ages=(), listed=(), stay_days=(12,))
    found = drgcore.subdivide(cases, candidates=candidates, bootstrap=0)
    assert "ZYTS > 12" in set(found.steps["condition"])
    scheme = drgcore.load_scheme(found.compile(tmp_path).folder)
    after = drgcore.group(cases, scheme)
    assert drgcore.grouping_performance(after, bootstrap=0)["value"][0] > 0.3
    with pytest.raises(CaseSchemaError, match="length_of_stay"):
        drgcore.group(cases.drop_columns(["length_of_stay"]), scheme)
    with pytest.raises(CaseSchemaError, match="length_of_stay"):
        drgcore.subdivide(cases.drop_columns(["length_of_stay"]), candidates=candidates)


def test_trimmed_cases_do_not_speak() -> None:
    cases = city(20_000, 5).cases
    found = drgcore.subdivide(cases, trim=drgcore.trim_iqr, bootstrap=0)
    kept = drgcore.trim_iqr(drgcore.group(cases)).table["kept"].sum()
    assert found.decisions["cases"].sum() == kept
    assert found.left_out["cases"].sum() + kept == len(cases)


def test_without_hospitals_there_is_no_effect_on_them(tmp_path: Path) -> None:
    cases = city(20_000, 5).cases.drop_columns(["hospital"])
    found = drgcore.subdivide(cases, bootstrap=0)
    assert found.hospitals is None
    assert (found.steps["hospitals"] == 0).all()
    found.write(tmp_path)
    assert not (tmp_path / "hospitals.csv").exists()


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (lambda t: t.drop_columns(["total_cost"]), CaseSchemaError, "no column total_cost"),
        (lambda t: t.slice(0, 0), CaseSchemaError, "no case can be used"),
        (lambda t: costs(t, -1.0), CaseSchemaError, "no case can be used"),
        (lambda t: t.drop_columns(["sex"]), CaseSchemaError, "sex"),
    ],
)
def test_bad_cases(change, error, said) -> None:
    with pytest.raises(error, match=said):
        drgcore.subdivide(change(city(20_000, 5).cases.slice(0, 500)), bootstrap=0)


def costs(table: pa.Table, value: float) -> pa.Table:
    """The cases with one cost for all."""
    column = pa.array(np.full(len(table), value))
    return table.set_column(table.column_names.index("total_cost"), "total_cost", column)


def test_constant_costs_and_single_cases_split_nothing() -> None:
    found = drgcore.subdivide(costs(city(20_000, 5).cases, 5000.0), bootstrap=0)
    assert "split" not in set(found.steps["action"])
    one = drgcore.subdivide(city(20_000, 5).cases.slice(0, 1), bootstrap=0)
    assert set(one.decisions["action"]) == {"kept"}
    assert one.decisions["cases"].sum() <= 1
    absent = one.decisions[one.decisions["cases"] == 0]
    assert set(absent["why"]) == {"no case in history: as in the base"}


def test_a_set_of_the_base_keeps_its_codes() -> None:
    base = drgcore.load_scheme()
    with pytest.raises(SchemeError, match="has another set OP_ARB"):
        local_tables(base, {}, {"OP_ARB": ["17.4100"]})


def test_a_bad_alpha_is_named() -> None:
    with pytest.raises(DrgcoreError, match="alpha"):
        drgcore.SplitLimits(alpha=2.0)


# --- Lists of the user ------------------------------------------------------------------------


def with_list(codes, name="OP_CITY", **more):
    """A subdivision that may only cut by a list of procedures."""
    candidates = drgcore.SplitCandidates(
        severity=False, ages=(), listed=(), procedures={name: codes}
    )
    limits = drgcore.SplitLimits(merge=False)
    cases = city(20_000, 5).cases
    return drgcore.subdivide(cases, candidates=candidates, limits=limits, bootstrap=0, **more)


@pytest.mark.parametrize(
    ("codes", "name", "said"),
    [
        (["17.4100", "nonsense"], "OP_CITY", "nonsense: no procedure of the insurance version or"),
        (["I10.x00x002"], "OP_CITY", "I10.x00x002: no procedure"),
        ([""], "OP_CITY", "no procedure"),
        (["17.4100"], "OP_ARB", "has another set OP_ARB"),
    ],
)
def test_a_list_that_cannot_be_is_refused(codes, name, said) -> None:
    with pytest.raises(SchemeError, match=said):
        with_list(codes, name)


def test_codes_of_a_list_may_be_written_in_any_case() -> None:
    # 33.6x00 is such a code: in capitals no rule of the new scheme would know it.
    index = code_cases(city(20_000, 5).cases.slice(0, 1), "chs-drg-3.0").tables
    lists = {"OP_CITY": ["33.6X00", " 17.4100"]}
    found = user_lists(drgcore.SplitCandidates(procedures=lists), index)
    assert set(index.procedures.decode(found["OP_CITY"]).to_pylist()) == {"33.6x00", "17.4100"}
    split = with_list([code.lower() + " " for code in PROCEDURES])
    assert split.scheme.sets["OP_CITY"] == frozenset(PROCEDURES)
    grouped = drgcore.group_statistics(drgcore.group(city(20_000, 5).cases, split.scheme))
    counted = dict(zip(grouped["drg"], grouped["cases"], strict=True))
    groups = split.groups[split.groups["cases"] > 0]
    assert len(groups) > 10
    assert [counted[drg] for drg in groups["drg"]] == groups["cases"].tolist()


@pytest.mark.parametrize(
    ("name", "said"), [("my city", "cannot be the name"), ("chs-drg-3.0", "its own base")]
)
def test_a_name_that_cannot_be_compiled_is_refused_before_the_search(name, said) -> None:
    with pytest.raises(SchemeError, match=said):
        drgcore.subdivide(pa.table({}), name=name)


def test_lists_of_clinical_cases_are_in_codes_of_the_scheme() -> None:
    base = drgcore.load_scheme()
    known = set(drgcore.schemes.load_dictionary("procedures")["code"].to_pylist())
    pairs = drgcore.schemes.load_translation("procedures").to_pylist()
    used = Counter(base.tables["sets"]["code"].to_pylist())
    # That which changes the groups of the cases least.
    pair = min(
        (p for p in pairs if p["clinical_code"] not in known and p["insurance_code"] in known),
        key=lambda p: used[p["insurance_code"]],
    )
    clinical, insurance = pair["clinical_code"], pair["insurance_code"]
    data = city(40_000, 5)
    lists = [
        [clinical if code in PROCEDURES else code for code in codes]
        for codes in data.cases["other_procedures"].to_pylist()
    ]
    at = data.cases.column_names.index("other_procedures")
    cases = data.cases.set_column(at, "other_procedures", pa.array(lists, pa.list_(pa.string())))
    candidates = drgcore.SplitCandidates(severity=False, ages=(), listed=("procedure",))
    found = drgcore.subdivide(cases, candidates=candidates, clinical_codes=True, bootstrap=0)
    assert insurance in set(found.codes["code"])
    assert clinical not in set(found.codes["code"])
    new = found.scheme.sets.keys() - base.sets.keys()
    assert {insurance} <= frozenset().union(*(found.scheme.sets[s] for s in new)) <= known


def test_a_missing_number_is_on_neither_side_of_a_limit() -> None:
    data = city(20_000, 5, structured=False)
    stay = data.cases["length_of_stay"].to_numpy().astype(float)
    unknown = np.random.default_rng(3).random(len(stay)) < 0.3
    # Those without a number cost as much as the long stays, yet belong to the rest.
    cost = np.where((stay > 12) | unknown, 3000.0, 1000.0)
    cost *= np.random.default_rng(1).lognormal(0, 0.3, len(stay))
    cases = data.cases
    for name, values in (
        ("length_of_stay", pa.array(np.where(unknown, np.nan, stay), from_pandas=True)),
        ("total_cost", pa.array(cost)),
    ):
        cases = cases.set_column(cases.column_names.index(name), name, values)
    candidates = drgcore.SplitCandidates(severity=False, ages=(), listed=(), stay_days=(12,))
    limits = drgcore.SplitLimits(merge=False)
    found = drgcore.subdivide(cases, candidates=candidates, limits=limits, bootstrap=0)
    splits = found.steps[found.steps["condition"] == "ZYTS > 12"]
    assert len(splits) > 3
    adrg = np.array(drgcore.group(cases, columns=[])["adrg"].to_pylist(), object)
    long = (stay > 12) & ~unknown
    one = found.decisions.query("groups_before == 1 and action == 'split'")["adrg"].iloc[0]
    row = splits[splits["adrg"] == one].iloc[0]
    here = adrg == one
    assert (row["cases"], row["other_cases"]) == ((here & long).sum(), (here & ~long).sum())
    statistics = drgcore.group_statistics(drgcore.group(cases, found.scheme)).set_index("drg")
    groups = found.groups[found.groups["cases"] > 0].set_index("drg")
    assert (statistics.loc[groups.index, "cases"] == groups["cases"]).all()


# --- Other bases ------------------------------------------------------------------------------

EAGER = drgcore.SplitLimits(
    min_cases=5, n_min=3, min_difference=0.02, merge_difference=0.02, max_cv=9.0, penalty=0.0,
    alpha=0.9,
)  # fmt: skip


@pytest.mark.parametrize(
    "base", ["chs-drg-3.0", "chs-drg-1.1", "chs-drg-1.0r", "wuhan-2022", "suzhou-2023"]
)
def test_the_search_and_the_scheme_agree_on_every_base(base: str, tmp_path: Path) -> None:
    cases = drgcore.sample_cases(12_000, base, seed=2)
    rng = np.random.default_rng(2)
    drg = drgcore.group(cases, base, columns=[])["drg"].to_pylist()
    names, code = np.unique([str(d) for d in drg], return_inverse=True)
    band = cases["age_years"].fill_null(0).to_numpy() // 10 % 10
    cost = np.exp(8 + rng.normal(size=len(names))[code])
    cost *= np.exp(rng.normal(size=(len(names), 10))[code, band] + rng.normal(0, 0.2, len(cost)))
    cases = cases.set_column(
        cases.column_names.index("total_cost"), "total_cost", pa.array(np.round(cost, 2))
    )
    found = drgcore.subdivide(cases, base, limits=EAGER, bootstrap=0, name="eager")
    actions = found.decisions["action"].value_counts()
    assert min(actions[a] for a in ("merged", "split", "recut")) > 2
    report = found.compile(tmp_path)
    # What no case can bring to a group stands in the base already.
    own = [w for w in report.warnings if w.code != "not-admitted"]
    assert not [w for w in own if w.where.startswith("DRG")]
    grouped = drgcore.group(cases, drgcore.load_scheme(report.folder))
    statistics = drgcore.group_statistics(grouped).set_index("drg")
    groups = found.groups[found.groups["cases"] > 0].set_index("drg")
    there = statistics.loc[groups.index]
    assert (there["cases"] == groups["cases"]).all()
    assert np.allclose(there["mean_cost"], groups["mean_cost"])
    riv = found.performance.set_index("metric").loc["riv", "difference"]
    assert riv == pytest.approx(found.steps["riv_gain"].sum(), abs=1e-9)
    assert not found.groups["name"].duplicated().any()
    after = drgcore.group(cases, found.scheme, columns=[])
    assert after["status"].equals(drgcore.group(cases, base, columns=[])["status"])


def test_last_years_scheme_can_be_the_base(tmp_path: Path) -> None:
    last = subdivided()
    cases = city(ROWS, SEED).cases
    assert any(name.startswith("OP_") and name.endswith("_LOCAL") for name in last.scheme.sets)
    at = cases.column_names.index("total_cost")
    rng = np.random.default_rng(6)
    only = np.array([PROCEDURES[0] in codes for codes in cases["other_procedures"].to_pylist()])
    cost = pa.array(rng.lognormal(9, 0.4, ROWS) * np.where(only, 2.5, 1.0))
    changed = cases.set_column(at, "total_cost", cost)
    found = drgcore.subdivide(changed, last.scheme, name="next", bootstrap=0)
    sets = {s for s in found.scheme.sets if s not in last.scheme.sets}
    assert any(name.endswith("_LOCAL2") for name in sets)
    assert all(found.scheme.sets[s] == codes for s, codes in last.scheme.sets.items())
    grouped = drgcore.group_statistics(drgcore.group(changed, found.scheme)).set_index("drg")
    groups = found.groups[found.groups["cases"] > 0]
    assert (grouped.loc[groups["drg"], "cases"].to_numpy() == groups["cases"].to_numpy()).all()
    # Cut from a scheme that was never compiled, it says so; beside its base it is an overlay.
    with pytest.raises(SchemeError, match="no scheme 'local' to be the base"):
        found.compile(tmp_path)
    last.compile(tmp_path)
    compiled = drgcore.load_scheme(found.compile(tmp_path).folder)
    assert drgcore.group(changed, compiled, columns=[]).equals(
        drgcore.group(changed, found.scheme, columns=[])
    )


def test_ids_of_codes_that_a_new_list_moves() -> None:
    # A set whose name sorts first brings codes of no dictionary before those of the base.
    base = drgcore.load_scheme()
    coded = code_cases(city(20_000, 5).cases, base)
    known = set(drgcore.schemes.load_dictionary("procedures")["code"].to_pylist())
    newer = [c for c in coded.tables.procedures.codes.to_pylist() if c not in known]
    assert len(newer) > 10
    rows = [*base.tables["sets"].to_pylist(), {"set_id": "A_LAST", "code": newer[-1]}]
    drgs = base.tables["drg"].to_pylist()
    place = next(i for i, row in enumerate(drgs) if row["code"] == "BR13")
    drgs.insert(place, {**drgs[place], "code": "BR1J", "rule": "QTSS in A_LAST", "sort": 0})
    tables = {
        **base.tables,
        "sets": pa.Table.from_pylist(rows, base.tables["sets"].schema),
        "drg": pa.Table.from_pylist(drgs, base.tables["drg"].schema),
    }
    new = drgcore.Scheme("moved", tables)
    cases = coded.cases
    # Give some cases a moved code, so that a wrong id would show.
    some = {c: coded.tables.procedures.lookup(c) for c in newer}
    cases.other_procedures[::7] = some[newer[0]]
    cases.other_procedures[3::7] = some[newer[-1]]
    after = regrouped(coded, new, threads=2)
    codes = pa.ListArray.from_arrays(
        pa.array(cases.other_procedure_offsets, pa.int32()),
        coded.tables.procedures.decode(cases.other_procedures),
    )
    table = city(20_000, 5).cases
    at = table.column_names.index("other_procedures")
    grouped = drgcore.group(table.set_column(at, "other_procedures", codes), new, columns=[])
    names = [*after.drg.names, None]
    assert "BR1J" in names
    assert [names[c] for c in after.drg.codes] == grouped["drg"].to_pylist()


# --- Listed codes against a plain count -------------------------------------------------------


@settings(max_examples=30)
@given(st.integers(0, 50), st.sampled_from(["procedure", "principal_diagnosis", "other_diagnosis"]))
def test_codes_are_compared_like_a_plain_count(seed: int, kind: str) -> None:
    table = city(20_000, 5).cases.slice(seed * 300, 300)
    coded = code_cases(table, "chs-drg-3.0")
    rng = np.random.default_rng(seed)
    rows = np.flatnonzero(coded.rows.adrg >= 0)
    residual = rng.normal(size=len(coded.history))
    # Few ADRG, so that codes meet.
    coded.rows.adrg[:] = np.where(coded.rows.adrg >= 0, rng.integers(0, 2, len(residual)), -1)
    adrg = coded.rows.adrg[rows].astype(int)
    of_adrg = sort_by_group(adrg, residual[rows], 2)
    found = cost_by_code(occurrences(coded, kind, rows), residual, of_adrg, np.array([1, 1]), 3)
    columns = {
        "procedure": ("principal_procedure", "other_procedures"),
        "principal_diagnosis": ("principal_diagnosis",),
        "other_diagnosis": ("other_diagnoses",),
    }[kind]
    plain = {}
    lists = table.select(columns).to_pylist()
    for row in rows:
        codes = set()
        for value in lists[row].values():
            codes.update(value if isinstance(value, list) else [value] if value else [])
        for code in codes:
            plain.setdefault((int(coded.rows.adrg[row]), code), []).append(row)
    index = coded.tables.procedures if kind == "procedure" else coded.tables.diagnoses
    expected = {}
    for (group, code), has in plain.items():
        others = [r for r in rows if coded.rows.adrg[r] == group and r not in set(has)]
        if min(len(has), len(others)) >= 3:
            apart = residual[has].mean() - residual[others].mean()
            expected[(group, index.lookup(code))] = (len(has), len(others), np.expm1(apart))
    got = {
        (row.adrg, row.code): (row.cases, row.others, row.difference)
        for row in found.itertuples(index=False)
    }
    assert got.keys() == expected.keys()
    for key, values in expected.items():
        assert got[key] == pytest.approx(values)

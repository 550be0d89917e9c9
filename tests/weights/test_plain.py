"""The fast statistics equal a plain calculation, on random histories with hostile rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from drgcore.errors import CaseSchemaError, DrgcoreError
from drgcore.weights import (
    Credibility,
    Trimming,
    base_points,
    group_statistics,
    grouping_performance,
    hospital_coefficients,
    level_coefficients,
    level_cost_coefficients,
    read_history,
    standardise_costs,
    trim_iqr,
    trim_multiples,
    trim_none,
    trim_norm,
    trim_percentiles,
)
from tests.reference import plain_weights as plain
from tests.weights.histories import DRGS, FORMS, LEVELS, histories, in_form

many = settings(max_examples=35, deadline=None)
forms = st.sampled_from(FORMS)
KEYS = ("drg", "adrg", "mdc", "hospital", "hospital_level", "pool", "year")


def close(fast: Any, slow: Any, what: object = None) -> None:
    if isinstance(slow, float | int) and not isinstance(slow, bool):
        # Square roots of sums that cancel are as good as the numbers that they come from.
        assert fast == pytest.approx(slow, rel=1e-9, abs=1e-9, nan_ok=True), what
    else:
        assert fast == slow, what


def same_rows(fast: pd.DataFrame, slow: Mapping[Any, Mapping[str, Any]], keys: list[str]) -> None:
    """The table has the rows of the plain one, in their order, with its columns equal."""
    fast_keys = [tuple(None if pd.isna(v) else v for v in row)
                 for row in fast[keys].astype(object).itertuples(index=False)]  # fmt: skip
    slow_keys = [key if isinstance(key, tuple) else (key,) for key in slow]
    assert fast_keys == slow_keys
    for row, expected in zip(fast.to_dict("records"), slow.values(), strict=True):
        for name, value in expected.items():
            if name in row:
                close(row[name], value, (name, row, expected))


@st.composite
def trimmings(draw: st.DrawFn) -> tuple[str, Any, Any]:
    multiple = st.sampled_from([0.0, 0.3, 0.5, 1.0, 1.5])
    method = draw(st.sampled_from(["none", "iqr", "log_iqr", "multiples", "percentiles", "norm"]))
    if method in ("iqr", "log_iqr"):
        return method, draw(multiple), draw(multiple)
    if method == "percentiles":
        low = draw(st.sampled_from([0, 1, 5, 7, 10, 25, 29]))
        return method, low, draw(st.sampled_from([50, 57, 75, 90, 95, 99, 100]))
    low, high = draw(st.sampled_from([0.0, 0.3, 0.4, 0.57])), st.sampled_from([1.1, 2.0, 2.5, 3.0])
    if method == "norm":
        return method, low, {level: draw(high) for level in LEVELS}
    return method, low, draw(high)


def fast_trim(cases: Any, method: str, low: Any, high: Any) -> Trimming:
    match method:
        case "none":
            return trim_none(cases)
        case "iqr" | "log_iqr":
            return trim_iqr(cases, low, high, log=method == "log_iqr")
        case "multiples":
            return trim_multiples(cases, low, high)
        case "percentiles":
            return trim_percentiles(cases, low, high)
    return trim_norm(cases, low, high)


def some_keep(cases: pd.DataFrame, seed: int) -> list[bool]:
    keep: list[bool] = (np.random.default_rng(seed).random(len(cases)) < 0.8).tolist()
    return keep


def as_trimming(keep: Sequence[bool]) -> Trimming:
    return Trimming("a test", np.array(keep, bool), pd.DataFrame())


@many
@given(cases=histories(), form=forms)
def test_what_is_left_out(cases: pd.DataFrame, form: str) -> None:
    history = read_history(in_form(cases, form))
    reasons = [plain.why_left_out(case) for case in plain.records(cases)]
    assert history.usable.tolist() == [reason is None for reason in reasons]
    counts = dict(history.left_out.itertuples(index=False))
    assert counts == {r: reasons.count(r) for r in set(reasons) - {None}}
    assert sum(counts.values()) + history.usable.sum() == len(cases)


@many
@given(cases=histories(), form=forms, method=trimmings())
def test_trimming(cases: pd.DataFrame, form: str, method: tuple[str, Any, Any]) -> None:
    usable = plain.prepared(cases)
    if method[0] == "norm":
        assume(len(usable) and usable["hospital_level"].notna().all())
    trimming = fast_trim(in_form(cases, form), *method)
    keep, table = plain.trimmed(cases, *method)
    assert trimming.keep.tolist() == keep
    same_rows(trimming.table, table, ["drg"])
    cut = sum(row["cut_low"] + row["cut_high"] for row in table.values())
    assert str(trimming).endswith(f": {cut:,} of {len(usable):,} cases cut")


@many
@given(
    cases=histories(),
    form=forms,
    by=st.lists(st.sampled_from(KEYS), min_size=1, max_size=4, unique=True),
    seed=st.none() | st.integers(0, 99),
    shares=st.lists(st.sampled_from([0.0, 0.07, 0.25, 0.5, 0.9, 1.0]), unique=True),
    limits=st.sampled_from([(5, 1.0), (1, 0.5), (2, 0.0), (0, 3.0)]),
)
def test_group_statistics(
    cases: pd.DataFrame,
    form: str,
    by: list[str],
    seed: int | None,
    shares: list[float],
    limits: tuple[int, float],
) -> None:
    texts = [key for key in by if key in ("hospital", "hospital_level", "pool")]
    assume(all(not plain.none(v) for t in texts for v in cases[t].tolist()[:1]) and len(cases))
    keep = None if seed is None else some_keep(cases, seed)
    table = group_statistics(
        in_form(cases, form),
        by,
        trimming=None if keep is None else as_trimming(keep),
        quantiles=shares,
        n_min=limits[0],
        cv_max=limits[1],
    )
    same_rows(table, plain.statistics(cases, by, keep, shares, *limits), by)


YEAR_WEIGHTS = st.fixed_dictionaries(
    {2024: st.sampled_from([0, 1, 0.5]), 2025: st.sampled_from([0, 2]), 2026: st.just(7)}
)


@settings(max_examples=60, deadline=None)
@given(
    cases=histories(),
    form=forms,
    seed=st.none() | st.integers(0, 99),
    limits=st.sampled_from([(5, 1.0), (1, 0.5), (2, 0.0)]),
    year_weights=st.none() | YEAR_WEIGHTS,
    year_method=st.sampled_from(["of_means", "of_cases"]),
    towards=st.sampled_from([None, "adrg", "national"]),
    k=st.sampled_from([0, 3, 50.5, math.inf, "buhlmann"]),
    national=st.dictionaries(
        st.sampled_from([*DRGS, "AA19", "ZZ99"]), st.sampled_from([0.5, 1.0, 1.25, 3.2])
    ),
    absent=st.lists(st.sampled_from(["national", "adrg"]), unique=True),
)
def test_base_points(
    cases: pd.DataFrame,
    form: str,
    seed: int | None,
    limits: tuple[int, float],
    year_weights: dict[int, float] | None,
    year_method: Any,
    towards: Any,
    k: Any,
    national: dict[str, float],
    absent: list[Any],
) -> None:
    keep = None if seed is None else some_keep(cases, seed)
    usable = plain.kept(cases, keep)
    if year_weights is not None:
        usable = usable.loc[[bool(year_weights.get(year, 1)) for year in usable["year"]]]
    assume(len(usable) and (year_weights is None or usable["year"].notna().all()))

    def fast() -> Any:
        return base_points(
            in_form(cases, form),
            scale=100,
            trimming=None if keep is None else as_trimming(keep),
            n_min=limits[0],
            cv_max=limits[1],
            year_weights=year_weights,
            year_method=year_method,
            credibility=towards and Credibility(towards, k),
            national=national,
            absent=absent,
        )

    rows, mean, expected_k = plain.weights(
        cases,
        scale=100,
        keep=keep,
        n_min=limits[0],
        cv_max=limits[1],
        year_weights=year_weights,
        year_method=year_method,
        towards=towards,
        k=k if towards else None,
        national=national,
        absent=absent,
    )
    if expected_k is not None and math.isnan(expected_k):
        with pytest.raises(DrgcoreError, match="cannot be estimated"):
            fast()
        return
    weights = fast()
    close(weights.mean_cost, mean)
    if expected_k is not None and math.isfinite(expected_k) and expected_k < 1e6:
        close(weights.k, expected_k)
    else:
        # Where the groups hardly differ, k is a number over almost nothing.
        assert weights.k is None if expected_k is None else weights.k >= 1e6 * (1 - 1e-6)
        assume(expected_k is None or expected_k == weights.k)
    # Base points are rounded; the plain ones are what was rounded.
    points = weights.table["base_points"].to_numpy()
    exact = np.array([row.pop("base_points") for row in rows.values()])
    assert np.all((np.abs(points - exact) <= 0.5e-4 + 1e-9) | np.isnan(exact))
    assert np.array_equal(np.isnan(points), np.isnan(exact))
    same_rows(weights.table, rows, ["drg"])
    assert weights.without == [drg for drg, row in rows.items() if row["source"] == "none"]
    known = [row for row in rows.values() if row["cases"]]
    of_all = sum(row["relative_weight"] * row["cases"] for row in known)
    close(weights.mean_relative_weight, of_all / sum(row["cases"] for row in known))


@many
@given(cases=histories(), form=forms, seed=st.none() | st.integers(0, 99))
def test_performance(cases: pd.DataFrame, form: str, seed: int | None) -> None:
    keep = None if seed is None else some_keep(cases, seed)
    table = grouping_performance(
        in_form(cases, form),
        trimming=None if keep is None else as_trimming(keep),
        bootstrap=0,
        n_min=3,
    )
    fast = table.set_index("metric")["value"].to_dict()
    slow = plain.performance(cases, keep, n_min=3)
    assert list(fast) == list(slow)
    for name, value in slow.items():
        close(fast[name], value, (name, fast, slow))
    assert table[["low", "high"]].isna().all(axis=None)


@many
@given(
    cases=histories(),
    form=forms,
    seed=st.none() | st.integers(0, 99),
    n_min=st.sampled_from([0, 1, 3]),
    key=st.sampled_from(["hospital_level", "hospital"]),
    with_paid=st.booleans(),
)
def test_coefficients(
    cases: pd.DataFrame, form: str, seed: int | None, n_min: int, key: str, with_paid: bool
) -> None:
    keep = None if seed is None else some_keep(cases, seed)
    trimming = None if keep is None else as_trimming(keep)
    usable = plain.kept(cases, keep)
    data = in_form(cases, form)
    if with_paid and key == "hospital":
        share = np.resize([0.0, 0.25, 0.5, 1.0], len(cases))
        with np.errstate(invalid="ignore"):
            cases = cases.assign(patient_paid=cases["total_cost"].to_numpy() * share)
        data = cases
    if not len(usable) or usable[key].isna().any():
        measure = level_coefficients if key == "hospital_level" else hospital_coefficients
        what = f"have no {key}|no column {key}" if len(usable) else "no case can be used"
        with pytest.raises(CaseSchemaError, match=what):
            measure(data, trimming=trimming)
        return
    if key == "hospital_level":
        table = level_cost_coefficients(data, n_min=n_min, trimming=trimming)
        same_rows(table, plain.level_cost(cases, n_min, keep), ["level", "drg"])
        same_rows(level_coefficients(data, trimming=trimming),
                  plain.cost_index(cases, key, keep), ["level"])  # fmt: skip
        return
    slow = plain.cost_index(cases, key, keep)
    for row in slow.values():
        row["own_history"] = row.pop("coefficient")
        row["few_cases"] = row["cases"] < n_min
    table = hospital_coefficients(data, trimming=trimming, n_min=n_min)
    assert ("patient_burden" in table) == ("patient_paid" in cases)
    same_rows(table, slow, ["hospital"])


PARTS = st.one_of(
    st.integers(0, 1_000_000).map(lambda fen: fen / 100),
    st.sampled_from([None, math.nan, math.inf, -1.0, 0.0]),
)


@many
@given(
    rows=st.lists(st.tuples(PARTS, PARTS, PARTS), max_size=20),
    target=st.sampled_from([(0.25, 0.25, 0.5), (1.0, 0.0, 0.0), (0.125, 0.5, 0.375)]),
)
def test_standardised_costs(
    rows: list[tuple[Any, Any, Any]], target: tuple[float, float, float]
) -> None:
    names = ["drugs", "nursing", "surgery"]
    cases = pd.DataFrame(rows, columns=names, dtype=float)
    shares = dict(zip(names, target, strict=True))
    good = cases[(np.isfinite(cases) & (cases >= 0)).all(axis=1)]
    if any(share and not good[name].sum() for name, share in shares.items()):
        with pytest.raises(DrgcoreError, match="shall have a share, but costs nothing"):
            standardise_costs(cases, shares)
        return
    cost, table = standardise_costs(cases, shares)
    expected, factors = plain.standardised(cases, shares)
    np.testing.assert_allclose(cost, expected, rtol=1e-12)
    np.testing.assert_allclose(table["factor"], [factors[name] for name in names], rtol=1e-12)
    # The region's cost stays what it is.
    assert np.nansum(cost) == pytest.approx(good.to_numpy().sum(), rel=1e-12)

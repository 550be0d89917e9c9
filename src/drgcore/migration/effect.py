"""What a migration does to the weights and the money of each hospital."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from drgcore.budget import allocate
from drgcore.budget.allocate import fen, yuan
from drgcore.cases.attributes import Codes, select_columns, some_of, text_codes
from drgcore.errors import BudgetError, CaseSchemaError
from drgcore.language import _
from drgcore.migration.migrate import Migration
from drgcore.migration.reasons import SIDES
from drgcore.migration.within import NO_WEIGHT as _NO_WEIGHT
from drgcore.migration.within import UNIT as _UNIT
from drgcore.migration.within import combined, money_within
from drgcore.rounding import round_half_up
from drgcore.weights import base_points, read_history

# Weights enter with that many decimals; sums of them are exact, whatever the order of the cases.
_PLACES = 4


@dataclass(frozen=True)
class MigrationEffect:
    """Weights, case-mix index and money before and after.

    Attributes
    ----------
    hospitals, levels, mdcs : pandas.DataFrame
        One row each: ``cases_before``, ``cases_after`` that have a weight, ``weight_before``,
        ``weight_after``, ``cmi_before``, ``cmi_after`` (weight by such case; NaN for none),
        ``share_before``, ``share_after`` of the weight of all cases. Every hospital is there.
    departments : pandas.DataFrame
        The same by ``hospital`` and ``department``; empty where the cases have none.
    money : pandas.DataFrame or None
        By ``pool`` and ``hospital``: ``weight_before``, ``weight_after``, the amounts
        ``before_fen`` and ``after_fen`` of the same budget, ``difference_fen``.
    money_departments, money_mdcs : pandas.DataFrame or None
        The same within each hospital by ``department`` and by ``mdc``; the parts of a hospital add
        up to its amount.
    without_weight : pandas.DataFrame
        Cases that have no weight by ``side``, ``status`` and ``drg``: groups that the table of
        weights lacks, and cases that are not in a group.
    weights : pandas.DataFrame
        The weights that were used: ``side``, ``drg``, ``relative_weight``.
    """

    hospitals: pd.DataFrame
    levels: pd.DataFrame
    mdcs: pd.DataFrame
    departments: pd.DataFrame
    money: pd.DataFrame | None
    money_departments: pd.DataFrame | None
    money_mdcs: pd.DataFrame | None
    without_weight: pd.DataFrame
    weights: pd.DataFrame = field(repr=False)

    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables by name."""
        money = {
            name: table
            for name in ("money", "money_departments", "money_mdcs")
            if (table := getattr(self, name)) is not None
        }
        return {
            "hospitals": self.hospitals,
            "levels": self.levels,
            "mdcs": self.mdcs,
            "departments": self.departments,
            **money,
            "without_weight": self.without_weight,
            "weights": self.weights,
        }

    def __str__(self) -> str:
        lines = [_("hospital: weight before → after, CMI before → after, share of all weight")]
        lines += [
            f"  {h.hospital}: {h.weight_before:,.1f} → {h.weight_after:,.1f}, "
            f"{h.cmi_before:.3f} → {h.cmi_after:.3f}, "
            f"{h.share_before:.2%} → {h.share_after:.2%}"
            for h in self.hospitals.itertuples()
        ]
        if self.money is not None:
            lines.append(_("money [yuan]"))
            amounts = ("before_fen", "after_fen", "difference_fen")
            for row in self.money.to_dict("records"):
                before, after, difference = (yuan(row[name]) for name in amounts)
                lines.append(
                    f"  {row['pool']} {row['hospital']}: {before} → {after} ({difference})"
                )
        missing = self.without_weight.groupby("side")["cases"].sum()
        lines += [
            _("cases without a weight {side}: {missing:,}", side=side, missing=missing.get(side, 0))
            for side in SIDES
        ]
        return "\n".join(lines)


def migration_effect(
    cases: Any,
    migration: Migration,
    weights_before: pd.DataFrame | None = None,
    weights_after: pd.DataFrame | None = None,
    *,
    budgets: Mapping[str, str | int | Decimal] | None = None,
    cost: str = "total_cost",
) -> MigrationEffect:
    """Compute what a migration does to the weights and the money of each hospital.

    Parameters
    ----------
    cases : pandas.DataFrame or Arrow table or stream
        The cases of the migration in the same order, with ``hospital``; ``hospital_level``,
        ``department`` and ``pool`` where there are levels, departments and budgets.
    migration : Migration
        What `migrate` gave for them.
    weights_before, weights_after : pandas.DataFrame, optional
        ``drg`` and ``relative_weight`` of the scheme before and after, used with four decimals.
        Without it, the mean cost of the DRG over the mean cost of all grouped cases, of these
        cases themselves.
    budgets : mapping of str to str, int or Decimal, optional
        Budget of each pool [yuan], which is split by weight.
    cost : str
        Column with the cost [yuan]; needed where weights are not given.

    Returns
    -------
    MigrationEffect

    Raises
    ------
    CaseSchemaError
        When the cases are not those of the migration, a column is missing, or a weight is missing,
        negative, or given twice.
    BudgetError
        When a pool has no budget, or no weight to split it by.

    Notes
    -----
    A case's weight is that of its DRG; only cases of status ``grouped`` have one. Money is
    ``budget · W_h / ΣW`` by largest remainders, W_h being the weight of a hospital's cases in the
    pool. The hospital's coefficient, outliers and prepayments are a policy's and not part of it.

    Examples
    --------
    >>> import drgcore
    >>> cases = drgcore.sample_cases(2000, "chs-drg-1.1", seed=1)
    >>> moved = drgcore.migrate(cases, "chs-drg-1.1", "chs-drg-3.0")
    >>> effect = drgcore.migration_effect(
    ...     cases, moved, budgets={"employee": "9000000", "resident": "7000000"})
    >>> int(effect.money["before_fen"].sum()), int(effect.money["difference_fen"].sum())
    (1600000000, 0)
    """
    columns = ["case_id", "hospital", "hospital_level", "department", "pool", cost]
    table = select_columns(cases, columns)
    if len(table) != len(migration.results):
        raise CaseSchemaError(
            _(
                "these are {count:,} cases, the migration has {other:,}",
                count=len(table),
                other=len(migration.results),
            ),
            hint=_("Give the cases of the migration in the same order."),
        )
    wanted = ["hospital", *(["pool"] if budgets is not None else [])]
    if weights_before is None or weights_after is None:
        wanted.append(cost)
    lacking = [name for name in wanted if name not in table.column_names]
    if lacking:
        raise CaseSchemaError(_("the cases have no column {lacking}", lacking=some_of(lacking)))
    given = dict(zip(SIDES, (weights_before, weights_after), strict=True))
    weights, used, without = {}, [], []
    for side in SIDES:
        drgs = text_codes(migration.results, f"{side}_drg", optional=True)
        statuses = text_codes(migration.results, f"{side}_status")
        grouped = np.array([n == "grouped" for n in statuses.names], np.bool_)[statuses.codes]
        frame = given[side]
        if frame is None:
            grouping = {n: migration.results[f"{side}_{n}"] for n in ("drg", "status")}
            cases_of_side = pa.table({**grouping, cost: table.column(cost)})
            table_of_side = base_points(read_history(cases_of_side, cost=cost), scale=1).table
            own = round_half_up(table_of_side["relative_weight"], _PLACES)
            frame = table_of_side.assign(relative_weight=own)
        by_drg = _units(frame, side)
        of_drg = np.array([*(by_drg.get(n, _NO_WEIGHT) for n in drgs.names), _NO_WEIGHT], np.int64)
        weights[side] = np.where(grouped, of_drg[drgs.codes], _NO_WEIGHT)
        used.append(frame.assign(side=side)[["side", "drg", "relative_weight"]])
        without.append(_without(side, drgs, statuses, weights[side]))
    hospital = text_codes(table, "hospital")
    level = text_codes(table, "hospital_level", optional=True)
    mdcs = [text_codes(migration.results, f"{side}_mdc", optional=True) for side in SIDES]
    department = text_codes(table, "department", optional=True)
    wards, told = combined(("hospital", "department"), hospital, department)
    departments = _by("ward", wards, wards, weights)
    departments = pd.concat(
        [told.loc[departments.pop("ward").astype(int)].reset_index(drop=True), departments], axis=1
    )
    money = money_departments = money_mdcs = None
    if budgets is not None:
        pool = text_codes(table, "pool")
        money = _money(pool, hospital, weights, budgets)
        money_departments, money_mdcs = (
            money_within(money, name, pool, hospital, dict(zip(SIDES, of, strict=True)), weights)
            for name, of in (("department", [department] * 2), ("mdc", mdcs))
        )
    return MigrationEffect(
        _by("hospital", hospital, hospital, weights),
        _by("hospital_level", level, level, weights),
        _by("mdc", mdcs[0], mdcs[1], weights),
        departments.sort_values(["hospital", "department"], ignore_index=True),
        money,
        money_departments,
        money_mdcs,
        pd.concat(without, ignore_index=True),
        pd.concat(used, ignore_index=True),
    )


def _units(frame: pd.DataFrame, side: str) -> dict[str, int]:
    """DRG → weight in units of the last decimal."""
    where = _("weights {side}", side=side)
    lacking = [name for name in ("drg", "relative_weight") if name not in frame.columns]
    if lacking:
        raise CaseSchemaError(
            _("the table has no column {lacking}", lacking=some_of(lacking)), where=where
        )
    drgs = frame["drg"].astype(str)
    twice = sorted(set(drgs[drgs.duplicated()]))
    if twice:
        raise CaseSchemaError(_("a DRG occurs twice: {twice}", twice=some_of(twice)), where=where)
    values = pd.to_numeric(frame["relative_weight"], errors="coerce").to_numpy(np.float64)
    wrong = drgs[~(np.isfinite(values) & (values >= 0))].tolist()
    if wrong:
        raise CaseSchemaError(
            _(
                "the relative weight of {wrong} is missing, negative or no number",
                wrong=some_of(wrong),
            ),
            where=where,
            hint=_("Leave out a group that has no weight; its cases are listed."),
        )
    units = np.rint(round_half_up(values, _PLACES) * _UNIT).astype(np.int64)
    return dict(zip(drgs, units.tolist(), strict=True))


def _without(side: str, drgs: Codes, statuses: Codes, weights: NDArray[np.int64]) -> pd.DataFrame:
    rows = weights == _NO_WEIGHT
    frame = pd.DataFrame({"status": statuses.codes[rows], "drg": drgs.codes[rows]})
    counted = frame.groupby(["status", "drg"]).size().rename("cases").reset_index()
    names = np.array([*drgs.names, None], object)
    table = pd.DataFrame(
        {
            "side": side,
            "status": np.array(statuses.names, object)[counted["status"]],
            "drg": names[counted["drg"]],
            "cases": counted["cases"],
        }
    )
    return table.sort_values(["cases", "status", "drg"], ascending=[False, True, True])


def _sums(keys: Codes, weights: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cases with a weight, and their weight in units, of each key."""
    there = (weights != _NO_WEIGHT) & (keys.codes >= 0)
    codes, size = keys.codes[there], len(keys.names)
    total = np.zeros(size, np.int64)
    np.add.at(total, codes, weights[there])
    return np.bincount(codes, minlength=size).astype(np.int64), total


def _by(
    name: str, before: Codes, after: Codes, weights: Mapping[str, NDArray[np.int64]]
) -> pd.DataFrame:
    """Cases, weight, CMI and share of each key before and after."""
    table = pd.DataFrame({name: sorted({*before.names, *after.names})})
    for side, keys in zip(SIDES, (before, after), strict=True):
        cases, total = _sums(keys, weights[side])
        of_key = pd.DataFrame({"cases": cases, "weight": total}, index=keys.names)
        of_key = of_key.reindex(table[name], fill_value=0).reset_index(drop=True)
        whole = int(weights[side][weights[side] != _NO_WEIGHT].sum())
        table[f"cases_{side}"] = of_key["cases"]
        table[f"weight_{side}"] = of_key["weight"] / _UNIT
        table[f"cmi_{side}"] = of_key["weight"] / _UNIT / of_key["cases"].where(of_key["cases"] > 0)
        table[f"share_{side}"] = of_key["weight"] / whole if whole else np.nan
    return table


def _money(
    pool: Codes,
    hospital: Codes,
    weights: Mapping[str, NDArray[np.int64]],
    budgets: Mapping[str, str | int | Decimal],
) -> pd.DataFrame:
    """The budget of each pool split by weight, before and after."""
    missing = sorted(set(pool.names) - set(budgets))
    if missing:
        raise BudgetError(_("no budget is given for the pool {missing}", missing=some_of(missing)))
    parts = []
    for name in sorted(budgets):
        inside = pool.codes == (pool.names.index(name) if name in pool.names else -2)
        here = sorted({hospital.names[c] for c in np.unique(hospital.codes[inside]).tolist()})
        part = pd.DataFrame({"pool": name, "hospital": here})
        for side in SIDES:
            of_hospital = dict(
                zip(
                    hospital.names,
                    _sums(hospital, np.where(inside, weights[side], _NO_WEIGHT))[1].tolist(),
                    strict=True,
                )
            )
            units = [of_hospital[h] for h in here]
            if not any(units):
                raise BudgetError(
                    _("the cases of the pool {name} have no weight {side}", name=name, side=side)
                )
            part[f"weight_{side}"] = [u / _UNIT for u in units]
            part[f"{side}_fen"] = allocate(fen(budgets[name]), units, here)
        part["difference_fen"] = part["after_fen"] - part["before_fen"]
        parts.append(part)
    return pd.concat(parts, ignore_index=True)

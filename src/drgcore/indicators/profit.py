"""Profit and loss (病组盈亏): payment against cost, in parts that add up exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from drgcore.cases import open_cases
from drgcore.cases.attributes import Codes, numbers_of, select_columns
from drgcore.errors import CaseSchemaError, DrgcoreError
from drgcore.indicators.case_keys import keys_of
from drgcore.indicators.columns import checked_keys
from drgcore.indicators.norms import given_norms
from drgcore.indicators.payment import Paid, paid_by_policy, paid_by_weight
from drgcore.language import _
from drgcore.points import Policy
from drgcore.progress import step, tracked

Fen = NDArray[np.int64]

PARTS = (
    *("case_mix", "coefficient", "value", "cost_per_case"),
    *("outliers", "other_rules", "deductions"),
)
"""Parts of a surplus, in the order in which a case goes from the region's cost to its own pay."""


@dataclass(frozen=True, eq=False)
class ProfitAndLoss:
    """Payment, cost and parts of every case, made by `profit_and_loss`.

    Attributes
    ----------
    payment_fen, cost_fen : ndarray of int64, shape (n,)
        After deductions; 0 for a case that is not counted.
    parts_fen : dict of str to ndarray of int64
        `PARTS`; they add up to payment − cost in every case, and so in every sum.
    counted : ndarray of bool, shape (n,)
        Cases with a payment and a cost.
    left_out : pandas.DataFrame
        Reason and number of those without.
    reference_value : float
        The value of a point that prices are set beside [yuan].
    """

    payment_fen: Fen
    cost_fen: Fen
    parts_fen: dict[str, Fen]
    counted: NDArray[np.bool_]
    left_out: pd.DataFrame
    reference_value: float
    case_class: NDArray[np.object_] = field(repr=False)
    ids: pa.ChunkedArray | None = field(repr=False)
    _keys: dict[str, Codes] = field(repr=False)

    def by(self, keys: str | Sequence[str] = ()) -> pd.DataFrame:
        """Add the cases up by keys.

        Parameters
        ----------
        keys : str or sequence of str
            As for `compute_indicators`, and ``case_class``; none gives one row.

        Returns
        -------
        pandas.DataFrame
            The keys; ``cases`` counted; ``payment_fen``, ``cost_fen``, ``surplus_fen``, and each of
            `PARTS` as ``…_fen`` [fen, whole numbers]: the parts add up to the surplus.

        Examples
        --------
        >>> cases = pd.DataFrame({"drg": ["BR13", "BR13"], "hospital": ["H1", "H2"],
        ...     "status": "grouped", "total_cost": [8000.0, 12000.0]})
        >>> found = profit_and_loss(cases, weights={"BR13": 1.0}, rate=11_000)
        >>> found.by("hospital")[["hospital", "surplus_fen", "case_mix_fen", "cost_per_case_fen"]]
          hospital  surplus_fen  case_mix_fen  cost_per_case_fen
        0       H1       300000        100000             200000
        1       H2      -100000        100000            -200000
        """
        names = [keys] if isinstance(keys, str) else list(keys)
        wanted = [n for n in names if n == "case_class"]
        found = checked_keys([n for n in names if n != "case_class"])
        order = [*found, *wanted]
        whole = np.zeros(len(self.counted), np.int64)
        columns = [self._codes(name) for name in order]
        for column in columns:
            size = len(column.names) + 1
            if len(whole) and int(whole.max()) > (1 << 62) // size:
                whole = np.unique(whole, return_inverse=True)[1].astype(np.int64)
            whole = whole * size + column.codes + 1
        whole = whole[self.counted]
        _other, first, unit = np.unique(whole, return_index=True, return_inverse=True)
        rows = np.flatnonzero(self.counted)[first]
        table = pd.DataFrame(index=range(len(first)))
        for name, column in zip(order, columns, strict=True):
            texts = np.array([*column.names, None], object)
            table[name] = pd.Series(texts[column.codes[rows]], table.index, dtype=object)
        table["cases"] = np.bincount(unit, minlength=len(first))
        amounts = {
            "payment": self.payment_fen,
            "cost": self.cost_fen,
            "surplus": self.payment_fen - self.cost_fen,
            **self.parts_fen,
        }
        for name, fen in tracked(list(amounts.items()), _("adding up"), _("amounts")):
            total = np.zeros(len(first), np.int64)
            np.add.at(total, unit, fen[self.counted])
            table[f"{name}_fen"] = total
        return table

    def cases(self) -> pd.DataFrame:
        """Give one row a case: id and class, payment, cost, surplus and parts [fen].

        Examples
        --------
        >>> cases = pd.DataFrame({"case_id": ["x"], "drg": ["A"], "total_cost": [8.0]})
        >>> found = profit_and_loss(cases, weights={"A": 1.0}, rate=11).cases()
        >>> found[["case_id", "payment_fen", "surplus_fen"]].values.tolist()
        [['x', 1100, 300]]
        """
        table = pd.DataFrame({"row": np.arange(1, len(self.counted) + 1)})
        if self.ids is not None:
            table.insert(0, "case_id", self.ids.to_pandas())
        for name, codes in self._keys.items():
            texts = np.array([*codes.names, None], object)
            table[name] = pd.Series(texts[codes.codes], dtype=object)
        table["case_class"] = self.case_class
        table["payment_fen"], table["cost_fen"] = self.payment_fen, self.cost_fen
        table["surplus_fen"] = self.payment_fen - self.cost_fen
        for name, fen in self.parts_fen.items():
            table[f"{name}_fen"] = fen
        return table[self.counted].reset_index(drop=True)

    def _codes(self, name: str) -> Codes:
        if name == "case_class":
            names, codes = np.unique(self.case_class.astype(str), return_inverse=True)
            return Codes([str(n) for n in names], codes.astype(np.int32))
        if name in ("adrg", "mdc"):
            drg = self._keys["drg"]
            parents = [d[:3] if name == "adrg" else f"MDC{d[:1]}" for d in drg.names]
            names, place = np.unique(np.array(parents, dtype=str), return_inverse=True)
            return Codes([str(n) for n in names], np.append(place, -1).astype(np.int32)[drg.codes])
        if name not in self._keys:
            raise CaseSchemaError(
                _(
                    "the cases have no column {name}",
                    name=_("discharge_date") if name == "month" else name,
                )
            )
        return self._keys[name]


def profit_and_loss(
    cases: Any,
    policy: Policy | None = None,
    values: float | Mapping[str, float] | None = None,
    *,
    weights: Any = None,
    rate: float | Mapping[str, float] | None = None,
    basis: str = "total_cost",
    cost: str = "total_cost",
    norms: Any = None,
    reference_value: float | None = None,
    decisions: Any = None,
) -> ProfitAndLoss:
    """Set what cases are paid against what they cost, and take the difference apart.

    Parameters
    ----------
    cases : path, DataFrame, Arrow table or stream
        Grouped cases of a region or a hospital: `drg`, `status`, the cost; what a policy asks for;
        `patient_paid` with basis ``fund``; `refused_amount` [yuan] where audit refused something;
        the columns of the keys.
    policy : Policy, optional
        Payment by `compute_points` and `values`. Without it payment is estimated by `weights` and
        `rate`.
    values : float or mapping of str to float, optional
        Yuan a point, by pool or one for all.
    weights : DataFrame or mapping, optional
        ``drg`` and ``base_points`` or ``relative_weight``.
    rate : float or mapping of str to float, optional
        Yuan a point, or for weight 1.
    basis : {"total_cost", "fund"}, default "total_cost"
        Of an estimate; a policy says it for each pool. With ``fund`` the patient's part is taken
        off the cost, because the price does not cover it.
    cost : str, default "total_cost"
        Column of the cost [yuan], charges or a hospital's own costing.
    norms : mapping of str to float or DataFrame, optional
        Reference cost of each DRG [yuan], or ``drg`` and ``mean_cost``, on the same basis; the mean
        of these cases by default, beside which one hospital's own costs are as dear as themselves.
    reference_value : float, optional
        Value that prices are set beside; the mean over the points of these cases by default.
    decisions : table, optional
        What panels decided, see `compute_points`.

    Returns
    -------
    ProfitAndLoss

    Raises
    ------
    CaseSchemaError, PolicyError
        As `compute_points`, and for a missing column.
    DrgcoreError
        If it is not clear how cases are paid, or a pool has no value.

    Notes
    -----
    A case of group g goes step by step from what the region spends on such a case to its own pay,
    each step a whole number of fen, m its group's mean cost, P its base, v₀ the reference value:

    ================ ================================================== ===========================
    part             from → to                                          what it says
    ================ ================================================== ===========================
    case_mix         m → P·v₀                                           groups that pay well
    coefficient      P·v₀ → P·k·v₀                                      the hospital's k
    value            P·k·v₀ → P·k·v                                     the pool's value
    outliers         P·k·v → payment, of high- and low-cost cases       outlier rules
    other_rules      P·k·v → payment, of others (additions); payment    additions, cases by cost,
                     − cost of cases that no group prices               by day, fixed price, item
    deductions       − refused amount                                   audit
    cost_per_case    own cost → m                                       dearer or cheaper than m
    ================ ================================================== ===========================

    The differences telescope, so their sum is payment − cost exactly. Payments are rounded by case:
    a settlement, which splits a budget by largest remainders, may differ by some fen a hospital.

    Examples
    --------
    >>> cases = pd.DataFrame({"drg": ["BR13", "BR23"], "status": "grouped",
    ...     "total_cost": [8000.0, 30000.0]})
    >>> table = profit_and_loss(cases, weights={"BR13": 0.5, "BR23": 1.5}, rate=19_000).by("drg")
    >>> table[["drg", "payment_fen", "cost_fen", "surplus_fen"]].values.tolist()
    [['BR13', 950000, 800000, 150000], ['BR23', 2850000, 3000000, -150000]]
    """
    table = _table(cases)
    if (policy is None) == (weights is None) or (policy is None) != (rate is not None):
        raise DrgcoreError(
            _("it is not clear how cases are paid"),
            hint=_("give a policy and the value of a point, or weights and a rate"),
        )
    if cost not in table.column_names:
        raise CaseSchemaError(_("the cases have no column {cost}", cost=cost))
    if policy is not None:
        if values is None:
            raise DrgcoreError(
                _("the value of a point is missing"),
                hint=_("`drgcore settle month` prints it; an expected one will do for an estimate"),
            )
        paid = paid_by_policy(table, policy, values, decisions)
    else:
        paid = paid_by_weight(table, weights, rate or 0.0, basis=basis)
    if norms is not None and not isinstance(norms, Mapping):
        given = given_norms(norms)
        if "mean_cost" not in given.columns:
            raise CaseSchemaError(_("the table has no column mean_cost"), where="norms")
        norms = given["mean_cost"].to_dict()
    return _compute(table, paid, cost, norms, reference_value)


def _compute(
    table: pa.Table,
    paid: Paid,
    cost: str,
    norms: Mapping[str, float] | None,
    reference_value: float | None,
) -> ProfitAndLoss:
    with step(_("profit and loss"), _("steps"), 6) as told:
        spent = numbers_of(table, cost)
        known_cost = np.isfinite(spent) & (spent >= 0)
        charged = _fen(np.where(known_cost, spent, 0.0))
        if paid.fund_only.any():
            if "patient_paid" not in table.column_names:
                raise CaseSchemaError(
                    _("the cases have no column patient_paid"),
                    hint=_("the price covers the fund's part"),
                )
            borne = numbers_of(table, "patient_paid")
            charged = charged - np.where(paid.fund_only, _fen(np.nan_to_num(borne)), 0)
        refused = np.zeros(len(table), np.int64)
        if "refused_amount" in table.column_names:
            refused = _fen(np.nan_to_num(numbers_of(table, "refused_amount")))
        priced = paid.case_class != None  # noqa: E711
        counted = priced & known_cost
        rows = [(_("no payment: no group, or none in the table"), int((~priced).sum()))]
        rows += [(_("no cost"), int((priced & ~known_cost).sum()))]
        left_out = pd.DataFrame([r for r in rows if r[1]], columns=["reason", "cases"])

        told.advance()
        keys = keys_of(table)
        mean, has_mean = _means(keys["drg"], charged, counted & ~np.isnan(paid.base), norms)
        reference = _reference(paid, counted) if reference_value is None else float(reference_value)
        told.advance()
        by_group = counted & ~np.isnan(paid.base) & has_mean
        payment = np.where(paid.outside, charged, _money(paid.points * paid.value))
        product = paid.base * paid.coefficient
        # Points of a normal case are rounded as the policy says: that is no rule of its own.
        product = np.where(np.abs(paid.points - product) <= paid.unit * 0.51, paid.points, product)
        told.advance()
        levels = [
            np.where(by_group, mean, charged),
            np.where(by_group, _money(paid.base * reference), charged),
            np.where(by_group, _money(product * reference), charged),
            np.where(by_group, _money(product * paid.value), charged),
        ]
        steps = [levels[i + 1] - levels[i] for i in range(3)]
        last = payment - levels[3]
        told.advance()
        outlier = by_group & np.isin(paid.case_class, ("high_cost", "low_cost"))
        none = np.zeros(len(table), np.int64)
        parts = dict(
            zip(
                PARTS,
                (
                    *steps,
                    levels[0] - charged,
                    np.where(outlier, last, 0),
                    np.where(outlier, 0, last),
                    -refused,
                ),
                strict=True,
            )
        )
        told.advance()
        ids = table.column("case_id") if "case_id" in table.column_names else None
        found = ProfitAndLoss(
            np.where(counted, payment - refused, none),
            np.where(counted, charged, none),
            {name: np.where(counted, part, 0) for name, part in parts.items()},
            counted,
            left_out,
            reference,
            paid.case_class,
            ids,
            keys,
        )
        told.advance()
    return found


def _table(cases: Any) -> pa.Table:
    if isinstance(cases, pa.Table):
        return cases
    if isinstance(cases, pd.DataFrame):
        return select_columns(cases, list(map(str, cases.columns)))
    with open_cases(cases) as opened:
        return pa.Table.from_batches(list(opened.batches()), opened.schema)


def _means(
    drg: Codes, charged: Fen, used: NDArray[np.bool_], norms: Mapping[str, float] | None
) -> tuple[Fen, NDArray[np.bool_]]:
    """Reference cost of each case's group [fen], and whether it has one."""
    if norms is not None:
        yuan = np.array([*(norms.get(name, np.nan) for name in drg.names), np.nan], np.float64)
        return _money(yuan)[drg.codes], np.isfinite(yuan)[drg.codes]
    size = len(drg.names) + 1
    used = used & (drg.codes >= 0)
    total, number = np.zeros(size, np.int64), np.bincount(drg.codes[used], minlength=size)
    np.add.at(total, drg.codes[used], charged[used])
    mean = (2 * total + number) // np.maximum(2 * number, 1)
    return mean[drg.codes], (number > 0)[drg.codes]


def _reference(paid: Paid, counted: NDArray[np.bool_]) -> float:
    """The mean value over the points, added in an order of its own."""
    used = counted & ~paid.outside & (paid.points > 0)
    values, at = np.unique(paid.value[used], return_inverse=True)
    if not len(values):
        return float(paid.value[0]) if len(paid.value) else 1.0
    points = [float(np.sort(paid.points[used][at == i]).sum()) for i in range(len(values))]
    return float(np.dot(values, points) / sum(points))


def _fen(yuan: NDArray[np.float64]) -> Fen:
    return np.floor(yuan * 100 + 0.5).astype(np.int64)


def _money(yuan: NDArray[np.float64]) -> Fen:
    """Yuan as fen, halves up as decimals are written; 0 for none."""
    scaled = np.nan_to_num(yuan) * 100
    return np.floor(scaled * (1 + 2.0**-50) + 0.5).astype(np.int64)

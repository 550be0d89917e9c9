"""The bureau's returned statement held against ours: to the case, to the fen, by kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa

from drgcore.budget.allocate import yuan
from drgcore.budget.frames import records
from drgcore.cases.attributes import numbers_of
from drgcore.errors import CaseSchemaError
from drgcore.language import N_, Texts, _
from drgcore.progress import starts, step

DIFFERENCE_KINDS: Mapping[str, str] = Texts(
    {
        "missing_returned": N_("ours has it, the returned statement has not"),
        "missing_ours": N_("the returned statement has it, ours has not"),
        "group": N_("another group"),
        "points": N_("the same group, other points"),
        "value": N_("another value of a point"),
        "deduction": N_("another deduction"),
        "other": N_("an amount that none of these explains"),
    }
)
"""Why an amount differs, in the language that is spoken.

A row may have several; their parts add up to the difference.
"""

_HEADINGS = {
    "case_id": ("结算ID", "结算流水号", "清单流水号", "就诊ID", "病案号"),
    "hospital": ("医疗机构编码", "机构编码", "医院编码", "定点医疗机构编码"),
    "pool": ("险种", "险种类型", "基金类型"),
    "drg": ("DRG编码", "DRG组编码", "病组编码", "DRG病组", "DRG"),
    "points": ("点数", "病例点数", "总点数", "结算点数"),
    "value": ("点值", "每点数费用", "点数单价"),
    "deduction": ("扣款", "扣款金额", "违规扣款", "审核扣款"),
    "amount": ("支付金额", "结算金额", "拨付金额", "应付金额", "DRG支付金额"),
}
_PARTS = ("group", "points", "value", "deduction", "other")
_SAME_VALUE = 0.001
Amounts: TypeAlias = "tuple[np.ndarray, np.ndarray, np.ndarray]"
_ROWS = 1 << 16
# What counts as no group.
_NO_GROUP = ("", "0000")


@dataclass(frozen=True)
class ReturnedComparison:
    """Ours beside the returned statement.

    Parameters
    ----------
    rows : pandas.DataFrame
        One row a case (or hospital and pool) of either side: the keys, `drg_ours`,
        `drg_returned`, `points_ours`, `points_returned`, `amount_ours_fen`,
        `amount_returned_fen`, `difference_fen` (returned − ours), its parts `group_fen`,
        `points_fen`, `value_fen`, `deduction_fen`, `other_fen`, which add up to it, and `kinds`,
        separated by ``;``, empty where both agree.
    by_kind : pandas.DataFrame
        `kind`, `rows`, `difference_fen`, `meaning` (in words): every difference is in exactly one
        kind's amount.
    """

    rows: pd.DataFrame
    by_kind: pd.DataFrame

    @property
    def differing(self) -> pd.DataFrame:
        """The rows that differ, the largest difference first."""
        rows = self.rows[self.rows["kinds"] != ""]
        return rows.sort_values("difference_fen", key=abs, ascending=False, kind="stable")

    @property
    def agreement(self) -> float:
        """Share of rows that agree in everything."""
        return float((self.rows["kinds"] == "").mean()) if len(self.rows) else 1.0

    def __str__(self) -> str:
        ours, theirs = self.rows["amount_ours_fen"].sum(), self.rows["amount_returned_fen"].sum()
        lines = [
            _(
                "{count:,} rows, {agreement:.2%} agree",
                count=len(self.rows),
                agreement=self.agreement,
            ),
            _("  ours     {amount:>20}", amount=yuan(int(ours))),
            _("  returned {amount:>20}", amount=yuan(int(theirs))),
            _("  returned − ours {amount:>13}", amount=yuan(int(theirs - ours))),
        ]
        for row in records(self.by_kind):
            if row["rows"]:
                money = yuan(row["difference_fen"])
                lines.append(
                    _(
                        "  {kind:<17}{rows:>9,} rows {money:>18}   {meaning}",
                        kind=row["kind"],
                        rows=row["rows"],
                        money=money,
                        meaning=DIFFERENCE_KINDS[row["kind"]],
                    )
                )
        return "\n".join(lines)


def compare_returned(ours: Any, returned: Any) -> ReturnedComparison:
    """Compare the bureau's returned statement with ours, to the case and the fen.

    The difference of an amount is taken apart in this order: points of another group, or other
    points, at our value; another value at their points; another deduction; the rest. The parts are
    whole fen and add up to the difference.

    Parameters
    ----------
    ours : table
        What `case_amounts`, `valued_cases` or `hospital_amounts` give.
    returned : table
        The bureau's: `case_id`, or else `hospital` and `pool` where both have it; `drg`, `points`,
        `value` [yuan], `deduction` [yuan], `amount` [yuan], or these under the usual Chinese
        headings (病组编码, 点数, 点值, 扣款, 支付金额 …). `amount` is needed, of the others only
        what is there is compared. Of cases without `value` it is the pool's median of
        amount ÷ points, or ours where our amounts have more in them than that.

    Returns
    -------
    ReturnedComparison
        Rows, and sums by kind.

    Raises
    ------
    CaseSchemaError
        If the key or the amount is missing, a key is empty or occurs twice, or a number cannot be
        read.

    Examples
    --------
    >>> ours = pd.DataFrame({"case_id": ["1", "2"], "drg": ["AA11", "BB11"],
    ...     "points": [100.0, 50.0], "value": 64.0, "amount_fen": [640000, 320000]})
    >>> theirs = pd.DataFrame({"case_id": ["1", "2"], "drg": ["AA11", "BB13"],
    ...     "points": [100.0, 40.0], "amount": ["6400.00", "2560.00"]})
    >>> compare_returned(ours, theirs).differing[["case_id", "kinds", "group_fen"]].values.tolist()
    [['2', 'group', -64000]]
    """
    with step(_("comparing with what was returned"), _("steps"), 5) as told:
        left, right = _side(_ours_named(ours), _("ours")), _side(returned, _("returned statement"))
        told.advance()
        keys = (
            ["case_id"] if "case_id" in right else [k for k in ("hospital", "pool") if k in right]
        )
        if not keys or not set(keys) <= set(left):
            raise CaseSchemaError(
                _(
                    "the returned statement has neither a column case_id nor hospital that ours "
                    "has too"
                ),
                hint=_(
                    "columns by name or as {headings}", headings=", ".join(_HEADINGS["case_id"])
                ),
            )
        if keys == ["hospital"] and left["hospital"].duplicated().any():
            raise CaseSchemaError(
                _("the returned statement has no column pool, but ours has several pools"),
                hint=_(
                    "add the pool (险种) to the returned statement, or compare one pool at a time"
                ),
            )
        for name, side in ((_("ours"), left), (_("returned statement"), right)):
            _check_keys(side, keys, name)
        told.advance()
        left, right = (
            side.rename(columns={name: f"{name}_{whose}" for name in side if name not in keys})
            for side, whose in ((left, "ours"), (right, "returned"))
        )
        both = left.merge(right, on=keys, how="outer", indicator=True)
        both = both.sort_values(keys, kind="stable").reset_index(drop=True)
        told.advance()
        rows = _taken_apart(both, keys)
        told.advance()
        found = ReturnedComparison(rows, _by_kind(rows))
        told.advance()
    return found


def is_by_case(returned: pa.Table) -> bool:
    """Whether a returned statement has a row a case, by its headings.

    Examples
    --------
    >>> is_by_case(pa.table({"结算ID": ["1"], "支付金额": ["1"]}))
    True
    """
    return bool({"case_id", *_HEADINGS["case_id"]} & set(returned.column_names))


def _taken_apart(both: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Every difference as the sum of its parts."""
    count = len(both)

    def numbers(name: str) -> np.ndarray:
        if name not in both:
            return np.full(count, np.nan)
        return both[name].to_numpy(np.float64)

    missing_returned = (both["_merge"] == "left_only").to_numpy()
    missing_ours = (both["_merge"] == "right_only").to_numpy()
    ours, theirs = _whole(numbers("amount_ours")), _whole(numbers("amount_returned"))
    difference = theirs - ours
    q_ours, q_theirs = numbers("points_ours"), numbers("points_returned")
    v_ours, v_theirs = numbers("value_ours"), numbers("value_returned")
    d_ours, d_theirs = numbers("deduction_ours"), numbers("deduction_returned")
    if np.isnan(v_theirs).all():
        # A hospital's amount has more in it than points × value; only of cases it is known.
        by_case = "case_id" in keys
        sides = ((ours, q_ours, d_ours), (theirs, q_theirs, d_theirs))
        v_theirs = _values_by_pool(both, sides, v_ours) if by_case else v_ours
    here = ~(missing_returned | missing_ours)
    moved = _groups_differ(both) & here
    by_points = np.where(here, _whole((q_theirs - q_ours) * v_ours * 100), 0)
    by_value = np.where(here, _whole(q_theirs * (v_theirs - v_ours) * 100), 0)
    # A value written with fewer digits is not another value: a fen of rounding is none of anybody.
    by_value = np.where(np.abs(v_theirs - v_ours) < 5e-5, 0, by_value)
    by_deduction = np.where(here & ~np.isnan(d_theirs), _whole(d_ours - d_theirs), 0)
    parts = {
        "group": np.where(moved, by_points, 0),
        "points": np.where(moved, 0, by_points),
        "value": by_value,
        "deduction": by_deduction,
    }
    rest = np.where(here, difference - sum(parts.values()), 0)
    # Rounding of the parts to whole fen belongs to the last of them that is there.
    for name in ("value", "points", "group"):
        small = (np.abs(rest) <= 1) & (rest != 0) & (parts[name] != 0)
        parts[name] = np.where(small, parts[name] + rest, parts[name])
        rest = np.where(small, 0, rest)
    parts["other"] = rest
    kinds = {"missing_returned": missing_returned, "missing_ours": missing_ours}
    kinds |= {name: part != 0 for name, part in parts.items()}
    # A group or points that differ are named also where no money moved.
    kinds["group"] |= moved
    kinds["points"] |= here & ~moved & (np.abs(q_theirs - q_ours) > 5e-9)
    begins = starts(count, _ROWS, _("naming the differences"), _("rows"))
    names = [
        ";".join(k for k, mask in kinds.items() if mask[i])
        for begin in begins
        for i in range(begin, min(begin + _ROWS, count))
    ]
    shown = {
        name: both[name]
        for name in ("drg_ours", "drg_returned", "points_ours", "points_returned")
        if name in both
    }
    if "hospital_ours" in both:
        shown = {"hospital": both["hospital_ours"], **shown}
    return pd.DataFrame(
        {
            **{key: both[key] for key in keys},
            **shown,
            "amount_ours_fen": ours,
            "amount_returned_fen": theirs,
            "difference_fen": difference,
            **{f"{name}_fen": parts[name].astype(np.int64) for name in _PARTS},
            "kinds": names,
        }
    )


def _by_kind(rows: pd.DataFrame) -> pd.DataFrame:
    listed = rows["kinds"].str.split(";")
    table = []
    for kind, meaning in DIFFERENCE_KINDS.items():
        mask = listed.map(lambda names, kind=kind: kind in names).to_numpy(bool)
        column = f"{kind}_fen" if kind in _PARTS else "difference_fen"
        table.append((kind, int(mask.sum()), int(rows.loc[mask, column].sum()), meaning))
    return pd.DataFrame(table, columns=["kind", "rows", "difference_fen", "meaning"])


def _groups_differ(both: pd.DataFrame) -> np.ndarray:
    if "drg_ours" not in both or "drg_returned" not in both:
        return np.zeros(len(both), bool)
    sides = [both[name].fillna("").replace(list(_NO_GROUP), "") for name in _SIDES_DRG]
    return (sides[0] != sides[1]).to_numpy()


_SIDES_DRG = ("drg_ours", "drg_returned")


def _values_by_pool(both: pd.DataFrame, sides: Sequence[Amounts], values: np.ndarray) -> np.ndarray:
    """The usual value of the returned statement in each pool that ours names.

    Where even our own amounts are not points × value, since what patients bore is taken off, an
    amount says nothing of the value, and ours stands for theirs.
    """
    pools = both["pool_ours"].fillna("") if "pool_ours" in both else pd.Series("", both.index)
    found = np.full(len(both), np.nan)
    for _pool, part in both.groupby(pools, sort=False, observed=True):
        at = part.index.to_numpy()
        own, theirs = (_usual_value(*(column[at] for column in side)) for side in sides)
        of_ours = np.nanmedian(values[at]) if np.isfinite(values[at]).any() else np.nan
        found[at] = values[at] if abs(own[0] - of_ours) > _SAME_VALUE * of_ours else theirs
    return found


def _usual_value(amounts: np.ndarray, points: np.ndarray, deductions: np.ndarray) -> np.ndarray:
    """The bureau's value where its statement names none: the median of amount ÷ points [yuan]."""
    with np.errstate(divide="ignore", invalid="ignore"):
        each = (amounts / 100 + np.nan_to_num(deductions) / 100) / points
    each = each[np.isfinite(each)]
    return np.full(len(amounts), np.median(each) if len(each) else np.nan)


def _ours_named(ours: Any) -> Any:
    """Our tables have amounts in fen; the returned statement is in yuan."""
    frame = ours if isinstance(ours, pd.DataFrame) else pa.table(ours).to_pandas()
    frame = frame.copy()
    for name in ("amount", "deduction"):
        if f"{name}_fen" in frame:
            frame[name] = frame.pop(f"{name}_fen") / 100
    return frame


def _side(table: Any, where: str) -> pd.DataFrame:
    """The columns that are compared: texts stripped, amounts and deductions in whole fen."""
    given = table if isinstance(table, pa.Table) else pa.Table.from_pandas(pd.DataFrame(table))
    columns: dict[str, Any] = {}
    for name, headings in _HEADINGS.items():
        there = [heading for heading in (name, *headings) if heading in given.column_names]
        if len(there) > 1:
            raise CaseSchemaError(
                _("{there} are both the {name}", there=_(" and ").join(there), name=name),
                where=where,
            )
        if not there:
            continue
        if name in ("case_id", "hospital", "pool", "drg"):
            texts = given.column(there[0]).cast(pa.string()).to_pandas().astype("string")
            columns[name] = texts.str.strip().astype(object)
        else:
            columns[name] = numbers_of(given, there[0])
    if "amount" not in columns:
        raise CaseSchemaError(
            _("there is no column amount"),
            where=where,
            hint=_("name it amount or one of {headings}", headings=", ".join(_HEADINGS["amount"])),
        )
    if np.isnan(columns["amount"]).any():
        row = int(np.flatnonzero(np.isnan(columns["amount"]))[0]) + 1
        raise CaseSchemaError(_("row {row} has no amount", row=row), where=where)
    frame = pd.DataFrame(columns)
    for name in ("amount", "deduction"):
        if name in frame:
            frame[name] = np.rint(frame[name] * 100)
    return frame


def _check_keys(side: pd.DataFrame, keys: list[str], where: str) -> None:
    empty = side[keys].isna().any(axis=1) | (side[keys] == "").any(axis=1)
    if empty.any():
        row = int(np.flatnonzero(empty.to_numpy())[0]) + 1
        raise CaseSchemaError(
            _("row {row} has no {keys}", row=row, keys=_(" or ").join(keys)), where=where
        )
    twice = side.duplicated(keys, keep=False)
    if twice.any():
        rows = ", ".join(str(at + 1) for at in np.flatnonzero(twice.to_numpy())[:5])
        raise CaseSchemaError(
            _("{keys} occur more than once: rows {rows}", keys=_(" and ").join(keys), rows=rows),
            where=where,
            hint=_("one row each; a statement with several rows of a case must be added up before"),
        )


def _whole(values: np.ndarray) -> np.ndarray:
    return np.rint(np.nan_to_num(values)).astype(np.int64)

"""What was settled, as tables: from a ledger, or from the files that a settlement wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from drgcore.budget import Ledger
from drgcore.budget.tables import plain
from drgcore.errors import DrgcoreError
from drgcore.formulas import FORMULA_STARTS
from drgcore.language import _
from drgcore.points import Policy

_KEYS = frozenset(
    {
        *("month", "pool", "hospital", "unit", "item", "basis", "limited", "case_class", "account"),
        *("department", "doctor_id", "level", "mdc", "before", "after", "codes", "set_id", "path"),
    }
)
"""Columns of settlements that are text, whatever they look like: a hospital may be called 007."""

_MONTHS = ("point_values", "statement", "reserve")


@dataclass(frozen=True, eq=False)
class Settled:
    """Tables of the settled months of a year, and of its end where it is settled.

    Parameters
    ----------
    months : mapping of str to DataFrame
        ``point_values``, ``statement`` and ``reserve`` of all months one below the other, with the
        column ``month``; amounts in yuan.
    year : mapping of str to DataFrame
        The tables of the year end; empty without one.
    policy : Policy or None
        By which it was settled, where that is known.
    policy_name, scheme : str
        Of policy and grouping scheme; empty where they are not known.
    """

    months: Mapping[str, pd.DataFrame]
    year: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    policy: Policy | None = None
    policy_name: str = ""
    scheme: str = ""

    @classmethod
    def from_ledger(cls, where: str, year: int) -> Settled:
        """Read the closed months of a year, and its end, from a ledger.

        Parameters
        ----------
        where : str
            As for `Ledger.open`; it must be there.
        year : int
            The year.

        Raises
        ------
        DrgcoreError
            If there is no such ledger.
        """
        with _opened(where) as book:
            closed = book.closed_months(year)
            periods = {entry["period"] for entry in book.entries() if entry["kind"] == "year"}
            end = book.year(year) if str(year) in periods else None
        by_month = [(str(month.month), plain(month.settlement)) for month in closed]
        last = end or (closed[-1] if closed else None)
        return cls(
            {name: _joined([(m, t[name]) for m, t in by_month]) for name in _MONTHS},
            {} if end is None else {n: _floats(t) for n, t in plain(end.settlement).items()},
            None if last is None else _policy_of(last.policy_text),
            "" if last is None else last.policy_name,
            "" if last is None else last.scheme,
        )

    @classmethod
    def from_files(cls, where: str | Path, month: str = "") -> Settled:
        """Read what ``settle month``, ``settle year`` or ``settle trial`` wrote with ``--out``.

        Parameters
        ----------
        where : str or Path
            A folder of .csv files, or a workbook.
        month : str
            Of which month it is, where it is of one.

        Raises
        ------
        DrgcoreError
            If the tables of a settlement are not there.
        """
        tables = read_tables(where)
        if "point_values" not in tables or "statement" not in tables:
            raise DrgcoreError(
                _("there is no settlement"),
                where=str(where),
                hint=_("Name what `drgcore settle … --out` wrote: a folder or a workbook."),
            )
        if "units" in tables:
            months = {n: tables[f"months_{n}"] for n in _MONTHS if f"months_{n}" in tables}
            return cls(months, {n: t for n, t in tables.items() if not n.startswith("months_")})
        return cls({n: _joined([(month, tables[n])]) for n in _MONTHS if n in tables})

    def values(self, month: str = "") -> dict[str, float]:
        """Give the value of a point by pool [yuan], of a month or of the year end.

        Parameters
        ----------
        month : str
            As ``2027-01``; the year end where it is empty.
        """
        if month:
            table = self.month("point_values", month)
        else:
            table = self.year.get("point_values", pd.DataFrame())
        if table.empty:
            return {}
        pairs = zip(table["pool"].tolist(), table["point_value"].tolist(), strict=True)
        return {str(pool): float(value) for pool, value in pairs}

    def month(self, name: str, month: str) -> pd.DataFrame:
        """Give one month's rows of a table of months; none where there is no such table."""
        table = self.months.get(name, pd.DataFrame())
        return table[table["month"] == month].reset_index(drop=True) if len(table) else table

    def until(self, name: str, period: str) -> pd.DataFrame:
        """Give the rows of a table of months of a year, or up to and with a month of it.

        Without a period all rows.
        """
        table = self.months.get(name, pd.DataFrame())
        if table.empty or not period:
            return table
        months = table["month"].astype(str)
        chosen = months.str[:4] == period[:4]
        if "-" in period:
            chosen &= months <= period
        return table[chosen].reset_index(drop=True)


def only_year(where: str) -> str:
    """Give the year of a ledger that has no other.

    Parameters
    ----------
    where : str
        As for `Settled.from_ledger`.

    Raises
    ------
    DrgcoreError
        If it has several years, or none, or is not there.
    """
    with _opened(where) as book:
        years = sorted({entry["period"][:4] for entry in book.entries()})
    if len(years) != 1:
        raise DrgcoreError(
            _("the ledger has the years {years}", years=", ".join(years) or "–"),
            where=where,
            hint=_("Say of which month or year the report is: --period 2027-01 or --period 2027."),
        )
    return years[0]


def _opened(where: str) -> Ledger:
    if "://" not in where and not Path(where).is_file():
        raise DrgcoreError(
            _("there is no ledger"), where=where, hint=_("Name the file of a ledger.")
        )
    return Ledger.open(where)


def read_tables(where: str | Path, without: Sequence[str] = ()) -> dict[str, pd.DataFrame]:
    """Read a folder of .csv files or the sheets of a workbook, as commands write them.

    Parameters
    ----------
    where : str or Path
        The folder or the workbook.
    without : sequence of str
        Tables that are not read.

    Returns
    -------
    dict of str to DataFrame
        By name of file or sheet. Keys are texts; what was guarded against formulas is as it was.

    Raises
    ------
    DrgcoreError
        If it is not there or cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "statement.csv").write_text("hospital,prepaid\\n007,1.5\\n")
    >>> read_tables(folder)["statement"].values.tolist()
    [['007', 1.5]]
    """
    path = Path(where)
    if not path.exists():
        raise DrgcoreError(_("there is no such file or folder"), where=str(path))
    try:
        if path.is_dir():
            files = {file.stem: file for file in sorted(path.glob("*.csv"))}
            files = {name: file for name, file in files.items() if name not in without}
            tables = {
                name: pd.read_csv(file, dtype=_texts(pd.read_csv(file, nrows=0)))
                for name, file in files.items()
            }
        else:
            with pd.ExcelFile(path, engine="calamine") as book:
                tables = {}
                for sheet in [name for name in map(str, book.sheet_names) if name not in without]:
                    kinds = _texts(pd.read_excel(book, sheet, nrows=0))
                    tables[sheet] = pd.read_excel(book, sheet, dtype=kinds)
    except (OSError, ValueError, ImportError) as error:
        raise DrgcoreError(_("it cannot be read: {error}", error=error), where=str(path)) from error
    except Exception as error:
        # Of a damaged workbook the reader raises an error of its own.
        if type(error).__module__.partition(".")[0] != "python_calamine":
            raise
        raise DrgcoreError(_("it cannot be read: {error}", error=error), where=str(path)) from error
    return {name: _unguarded(table) for name, table in tables.items()}


def _texts(head: pd.DataFrame) -> Any:
    return {name: str for name in head.columns if name in _KEYS or str(name).startswith("policy")}


def _unguarded(table: pd.DataFrame) -> pd.DataFrame:
    for name in table.columns:
        if not pd.api.types.is_numeric_dtype(table[name]):
            table[name] = [
                v[1:] if isinstance(v, str) and v[:1] == "'" and v[1:].startswith(FORMULA_STARTS)
                else v
                for v in table[name].tolist()
            ]  # fmt: skip
    return table


def _joined(parts: list[tuple[str, pd.DataFrame]]) -> pd.DataFrame:
    if not parts:
        return pd.DataFrame()
    whole = pd.concat([_floats(table).assign(month=month) for month, table in parts])
    return whole[["month", *whole.columns.drop("month")]].reset_index(drop=True)


def _floats(table: pd.DataFrame) -> pd.DataFrame:
    """Exact decimals as floats: a report shows them, it does not compute with them."""
    texts = _KEYS | {"kappa", "hospitals", "kind", "share", "ratio"}
    return table.assign(
        **{str(n): pd.to_numeric(table[n]) for n in table.columns if n not in texts}
    )


def _policy_of(text: str) -> Policy | None:
    """The policy that a ledger keeps with a closing; None where it names files beside it."""
    try:
        whole = json.loads(text)
        return None if whole["files"] else Policy.from_data(whole["policy"])
    except (ValueError, KeyError, TypeError):
        return None

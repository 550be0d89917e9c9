"""A year settled on trial from files of the data folders; a returned statement beside ours."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from concurrent.futures import Future
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa

from drgcore.budget import ClosedMonth, Month
from drgcore.budget.explain import explain_lines
from drgcore.cases import read_table
from drgcore.errors import BudgetError
from drgcore.language import _
from drgcore.points import PRESETS, Policy
from drgcore.serve.books import cases_of, opened, policy_of, told
from drgcore.serve.shelf import Shelf
from drgcore.serve.tables import Row, rows_of
from drgcore.trial import (
    ReturnedComparison,
    Trial,
    case_amounts,
    compare_returned,
    hospital_amounts,
    settle_trial,
)
from drgcore.trial.returned import is_by_case

LEDGERS = "ledger:"
_KEPT = 2
_MOST_ROWS = 200
_TABLES = ("point_values", "statement", "units", "reconciliation", "cases_by_class")


class Trials:
    """Trials of late, so that looking at another hospital of one does not settle the year again.

    Parameters
    ----------
    shelf : Shelf
        Cases, policies, scores and ledgers.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._kept: OrderedDict[tuple[Any, ...], Future[Trial]] = OrderedDict()
        self._lock = threading.Lock()

    def policies(self) -> list[str]:
        """Give the names of policies: presets, files, and those of closed years of the ledgers."""
        of_ledgers = []
        for name in self._shelf.names("ledger"):
            with opened(self._shelf.ledger(name)) as book:
                years = [e["period"] for e in book.entries() if e["kind"] == "year"]
            of_ledgers += [f"{LEDGERS}{name}:{year}" for year in years]
        return [*of_ledgers, *self._shelf.names("policy"), *PRESETS]

    def settle(self, cases: str, policy: str, year: int, quality: str = "") -> Trial:
        """Settle a year; nothing is entered in a ledger.

        Parameters
        ----------
        cases : str
            A table of grouped cases, by its name in the data folders.
        policy : str
            One of `policies`.
        year : int
        quality : str
            A table of κ or scores; empty with a ledger's policy: κ as that year was closed with.

        Raises
        ------
        DrgcoreError
            A name is not known, or a step refuses what it was given.
        """
        path = self._shelf.path("table", cases)
        rules, kappas = self._policy(policy)
        scores: Any = kappas
        if quality:
            scores = read_table(self._shelf.path("table", quality), lenient=True)
        state = path.stat()
        key = (cases, state.st_mtime_ns, state.st_size, rules.text, year, _digest(scores))
        # A year is settled outside the lock: who asks for another does not wait for this one.
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                mine = self._kept[key] = Future()
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
            else:
                self._kept.move_to_end(key)
        if found is not None:
            return found.result()
        try:
            mine.set_result(settle_trial(read_table(path), rules, year, scores))
        except BaseException as error:
            with self._lock:
                self._kept.pop(key, None)
            mine.set_exception(error)
        return mine.result()

    def _policy(self, name: str) -> tuple[Policy, Any]:
        if not name.startswith(LEDGERS):
            return Policy.load(name if name in PRESETS else self._shelf.path("policy", name)), None
        ledger, _colon, year = name.removeprefix(LEDGERS).rpartition(":")
        if not year.isdigit():
            raise BudgetError(_("a ledger's policy is that of a closed year"), where=LEDGERS)
        with opened(self._shelf.ledger(ledger)) as book:
            closed = book.year(int(year))
        statement = closed.settlement.statement
        kappas = {
            hospital: kappa
            for hospital, kappa in zip(statement["hospital"], statement["kappa"], strict=True)
            if kappa
        }
        rules = policy_of(closed, self._shelf)
        if not kappas:
            return rules, None
        # κ as it was found stands in place of the scores that it was found from.
        return rules.with_changes({"quality": {"rule": "given"}}), kappas


def _digest(scores: Any) -> str:
    if scores is None:
        return ""
    rows = scores.to_pylist() if isinstance(scores, pa.Table) else scores
    return json.dumps(rows, default=str, sort_keys=True)


def shown(trial: Trial) -> dict[str, list[Row]]:
    """Give the tables of a trial that a page shows, in yuan.

    Parameters
    ----------
    trial : Trial
    """
    tables = trial.tables(plain=True)
    return {name: rows_of(tables[name]) for name in _TABLES}


def explained(trial: Trial, hospital: str, month: str = "") -> Row:
    """Give a hospital's payment of a trial, explained to the fen.

    Parameters
    ----------
    trial : Trial
    hospital : str
    month : str
        ``2027-01``; the year end where it is empty.
    """
    if month:
        settled = trial.months[Month.parse(month).number - 1]
        return {"hospital": hospital, **told(explain_lines(hospital, settled, trial.policy))}
    parts = explain_lines(hospital, trial.year, trial.policy, trial.months)
    return {"hospital": hospital, **told(parts)}


def compared(shelf: Shelf, ledger: str, period: str, returned: pa.Table) -> Row:
    """Hold a returned statement against a closed period of a ledger.

    Parameters
    ----------
    shelf : Shelf
    ledger : str
        The ledger, by its name there.
    period : str
        A month, or a year, of which a statement by hospital can be compared.
    returned : pyarrow.Table
        The bureau's, by case or by hospital, see `compare_returned`.

    Returns
    -------
    dict
        ``rows``, ``agreement``, sums of both sides [yuan], ``by_kind``, and ``differing``, the
        largest differences first, at most 200 rows.
    """
    by_case = is_by_case(returned)
    with opened(shelf.ledger(ledger), with_cases=by_case) as book:
        if period.isdigit():
            if by_case:
                raise BudgetError(
                    _("a year is compared by hospital, the statement has a row a case"),
                    hint=_("Compare month by month."),
                )
            ours = hospital_amounts(book.year(int(period)).settlement)
        else:
            closed: ClosedMonth = book.month(Month.parse(period))
            settled = closed.settlement
            if by_case:
                ours = case_amounts(cases_of(closed, shelf), settled)
            else:
                ours = hospital_amounts(settled)
    found = compare_returned(ours, returned)
    return _of_comparison(found)


def _of_comparison(found: ReturnedComparison) -> Row:
    amounts = {
        side: Decimal(int(found.rows[f"amount_{side}_fen"].sum())).scaleb(-2)
        for side in ("ours", "returned")
    }
    return {
        "rows": len(found.rows),
        "agreement": found.agreement,
        **amounts,
        "difference": amounts["returned"] - amounts["ours"],
        "by_kind": rows_of(_in_yuan(found.by_kind.drop(columns="meaning"))),
        "differing_rows": len(found.differing),
        "differing": rows_of(_in_yuan(found.differing.head(_MOST_ROWS))),
    }


def _in_yuan(rows: pd.DataFrame) -> pd.DataFrame:
    columns: dict[str, Any] = {}
    for name in map(str, rows.columns):
        values = rows[name].tolist()
        if name.endswith("_fen"):
            columns[name.removesuffix("_fen")] = [Decimal(int(v)).scaleb(-2) for v in values]
        else:
            columns[name] = values
    return pd.DataFrame({n: pd.Series(v, dtype=object) for n, v in columns.items()})

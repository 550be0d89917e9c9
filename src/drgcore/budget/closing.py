"""Closing a month: its settlement with the facts that it was made from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from drgcore.budget.caserows import case_table, read_rows
from drgcore.budget.month import Month
from drgcore.budget.month_end import MonthSettlement
from drgcore.budget.policy_terms import terms_of
from drgcore.budget.tally import tally
from drgcore.budget.terms import Terms
from drgcore.errors import BudgetError
from drgcore.language import _
from drgcore.points.policy import Policy
from drgcore.points.reviews import refuse_over_quota
from drgcore.progress import step

SNAPSHOT_COLUMNS = (
    "case_id",
    "pool",
    "hospital",
    "drg",
    "case_class",
    "points",
    "patient_paid_fen",
    "refused_fen",
)


@dataclass(frozen=True)
class ClosedMonth:
    """A month that does not change any more: what was settled, and from what.

    Parameters
    ----------
    settlement : MonthSettlement
        The settlement.
    policy_name, policy_text : str
        The policy, and the text of its file.
    scheme : str
        The grouping scheme of the cases.
    cases_digest : str
        SHA-256 of the month's cases in canonical form; row order has no influence.
    cases : pyarrow.Table or None
        The month's cases as they were settled, `SNAPSHOT_COLUMNS`, sorted by id. With them the
        year end tells late, re-grouped and reviewed cases apart; without, it knows what changed
        for each hospital but not why.
    """

    settlement: MonthSettlement
    policy_name: str
    policy_text: str
    scheme: str
    cases_digest: str
    cases: pa.Table | None = None

    @property
    def month(self) -> Month:
        """The month."""
        return self.settlement.month

    def accounts(self, pool: str) -> dict[str, int]:
        """Give what other accounts hold for the pool after the month [fen]."""
        return self.settlement.accounts(pool)

    def carried(self) -> dict[tuple[str, str], int]:
        """Give the negative amounts carried to the next month, by pool and hospital [fen]."""
        return self.settlement.carried()

    def next_month(self) -> Month:
        """Give the month after."""
        return self.month.next

    def hospitals(self) -> set[str]:
        """Give the hospitals of the statement."""
        return self.settlement.hospitals()

    def reserve_closing(self, pool: str) -> int:
        """Give what the pool's reserve holds after the month [fen]."""
        return self.settlement.reserve_closing(pool)


def close_month(
    settlement: MonthSettlement, cases: Any, policy: Any, scheme: str = ""
) -> ClosedMonth:
    """Join a settled month with the facts that it was settled from.

    `Ledger.close_month` stores the result; nothing changes it afterwards.

    Parameters
    ----------
    settlement : MonthSettlement
        What `settle_month` gave.
    cases : pandas.DataFrame, pyarrow.Table or Arrow stream
        The cases that it was settled from; those of other months are left aside.
    policy : Policy or Terms
        The policy that it was settled by.
    scheme : str
        Name of the grouping scheme.

    Returns
    -------
    ClosedMonth
        The closed month.

    Raises
    ------
    BudgetError
        If the settlement was made from other cases.
    PolicyError
        If a hospital has more special reviews than the policy's quota for the month.

    Examples
    --------
    >>> from drgcore.budget.month_end import settle_month
    >>> import pandas as pd
    >>> from drgcore.budget.terms import PoolTerms
    >>> terms = Terms(2026, (PoolTerms("p", 1_200_000),))
    >>> case = {"case_id": ["1"], "hospital": ["H1"], "pool": ["p"], "case_class": ["normal"]}
    >>> case |= {"discharge_date": pd.to_datetime(["2026-01-31"]), "points": [250.0]}
    >>> case = pd.DataFrame(case)
    >>> january = settle_month(case, terms, Month(2026, 1))
    >>> close_month(january, case, terms, "chs-drg-1.1").cases.num_rows
    1
    """
    if isinstance(policy, Policy):
        refuse_over_quota(cases, policy, period=str(settlement.month))
    terms = terms_of(policy, settlement.month.year)
    with step(_("closing {month}", month=settlement.month), _("steps"), 3) as closing:
        kept = snapshot(cases, terms, settlement.month)
        closing.advance()
        _refuse_other_cases(settlement, cases, terms)
        closing.advance()
        digest = digest_of(kept)
        closing.advance()
    return ClosedMonth(settlement, terms.name, terms.text, scheme, digest, kept)


def _refuse_other_cases(settlement: MonthSettlement, cases: Any, terms: Terms) -> None:
    """Refuse cases that are not those of the settlement."""
    sums = tally(cases, terms).sums
    for pool in terms.pools:
        now = sums.get((pool.pool, settlement.month.index), {})
        then = {
            row["hospital"]: row["fingerprint"]
            for row in settlement.records("statement")
            if row["pool"] == pool.pool
        }
        prints = {hospital: f"{row['fingerprint']:016x}" for hospital, row in now.items()}
        if dict.fromkeys(then, f"{0:016x}") | prints != then:
            raise BudgetError(
                _("the settlement was made from other cases than these"),
                where=f"{pool.pool} {settlement.month}",
                hint=_("settle the month from the cases that it is to be closed with"),
            )


def snapshot(cases: Any, terms: Terms, month: Month) -> pa.Table:
    """Take a month's cases as they enter the settlement, in canonical form.

    Parameters
    ----------
    cases : pandas.DataFrame, pyarrow.Table or Arrow stream
        Cases with points.
    terms : Terms
        The parameters of the year.
    month : Month
        The month of discharge.

    Returns
    -------
    pyarrow.Table
        `SNAPSHOT_COLUMNS`, sorted by case id: the same for any order of the rows.

    Examples
    --------
    >>> import pandas as pd
    >>> from drgcore.budget.terms import PoolTerms
    >>> case = {"case_id": ["1"], "hospital": ["H1"], "pool": ["p"], "case_class": ["normal"]}
    >>> case |= {"discharge_date": pd.to_datetime(["2026-01-31"]), "points": [250.0]}
    >>> terms = Terms(2026, (PoolTerms("p", 0),))
    >>> snapshot(pd.DataFrame(case), terms, Month(2026, 1))["points"].to_pylist()
    [2500000]
    """
    parts = []
    table = case_table(cases, terms)
    with step(_("cases of {month}", month=month), _("cases"), len(table)) as taken:
        for batch in table.to_batches(max_chunksize=1 << 20):
            rows = read_rows(batch, terms)
            at = np.flatnonzero(rows.month == month.number - 1)
            columns = [rows.case_ids.take(pa.array(at))]
            for text in (rows.pool, rows.hospital, rows.drg, rows.case_class):
                codes = pa.array(text.codes[at])
                columns.append(pa.array(text.names, pa.large_string()).take(codes))
            columns += [pa.array(n[at]) for n in (rows.points, rows.patient_paid, rows.refused)]
            parts.append(pa.table(dict(zip(SNAPSHOT_COLUMNS, columns, strict=True))))
            taken.advance(len(batch))
    table = pa.concat_tables(parts) if parts else _no_cases()
    return table.take(pc.sort_indices(table, sort_keys=[("case_id", "ascending")])).combine_chunks()


def digest_of(table: pa.Table) -> str:
    """Give the SHA-256 of a table's names, types and values.

    Parameters
    ----------
    table : pyarrow.Table
        Columns of strings and integers without nulls.

    Returns
    -------
    str
        64 hexadecimal digits; how the table is chunked has no influence.

    Examples
    --------
    >>> whole, cut = pa.array([1, 2]), pa.chunked_array([[1], [2]])
    >>> digest_of(pa.table({"a": whole})) == digest_of(pa.table({"a": cut}))
    True
    """
    sha = hashlib.sha256(str(table.num_rows).encode())
    for name, column in zip(table.column_names, table.columns, strict=True):
        sha.update(f"\0{name}\0{column.type}\0".encode())
        if pa.types.is_large_string(column.type):
            # Lengths and then bytes: two columns cannot be cut differently to the same bytes.
            lengths = pc.binary_length(column).to_numpy().astype("<i8")
            sha.update(lengths.tobytes())
            for chunk in column.chunks:
                sha.update("".join(chunk.to_pylist()).encode())
        else:
            sha.update(column.to_numpy().astype("<i8").tobytes())
    return sha.hexdigest()


def _no_cases() -> pa.Table:
    types = [pa.large_string()] * 5 + [pa.int64()] * 3
    return pa.schema(list(zip(SNAPSHOT_COLUMNS, types, strict=True))).empty_table()

"""The tables of a migration."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa

from drgcore.errors import CaseSchemaError
from drgcore.language import _
from drgcore.migration.flows import LEVELS
from drgcore.migration.pairing import Pairing


@dataclass(frozen=True, eq=False)
class MigrationTables:
    """The same cases by two schemes, as tables.

    Attributes
    ----------
    pairs : Pairing
        Which group of the one scheme is which of the other, and the two schemes.
    results : pyarrow.Table
        One row a case in the order of the input: ``before_`` and ``after_`` ``mdc``, ``adrg``,
        ``drg``, ``status``, ``reason`` and ``severity``.
    changed : pyarrow.Table
        One row a changed case: its ``row`` (from 1) and ``case_id``, the groups and the status of
        both schemes, where they part (``parted``), and the reason; see Notes.
    flows : pandas.DataFrame
        Cases by ``level`` and by status and group before and after; see `count_flows`.
    groups : pandas.DataFrame
        What became of each group; see `list_groups`.
    reasons : pandas.DataFrame
        Changed cases by flow and kind of reason.
    causes : pandas.DataFrame
        Changed cases by reason: each different reason once, with the rules before and after.
    statuses : pandas.DataFrame
        Cases by status and reason before and after.
    without_cost : int or None
        Cases without a readable cost, which the flows' cost leaves out; None without that column.

    Notes
    -----
    A case *changed* when it is valid in one scheme only, when its group after is not the one that
    is paired with its group before, or when that group has another code. A reason is

    - ``kind``: one of `drgcore.REASON_KINDS`
    - ``side``: whether the reason names a group of the scheme ``before``, which the case left, or
      of the scheme ``after``, which it entered
    - ``level``: the level of the rule that differs: ``MDC``, ``ADRG``, ``DRG``; ``case`` for what
      is asked of every case
    - ``group``: the group whose rule that is
    - ``set_id``: the set, the exclusion table, ``MCC`` or ``CC``, or the number of the case
    - ``codes``: the diagnoses or procedures of the case that make the difference, joined by ``|``

    with a second reason in ``then_…`` where a case left its group for one reason and came into its
    new group for another, or where the ADRG is cut otherwise and a complication that changed as
    well decides between its new DRG.
    """

    pairs: Pairing
    results: pa.Table = field(repr=False)
    changed: pa.Table = field(repr=False)
    flows: pd.DataFrame = field(repr=False)
    groups: pd.DataFrame = field(repr=False)
    reasons: pd.DataFrame = field(repr=False)
    causes: pd.DataFrame = field(repr=False)
    statuses: pd.DataFrame = field(repr=False)
    without_cost: int | None = None

    def matrix(self, level: str = "adrg") -> pd.DataFrame:
        """Cases by group before (rows) and after (columns); ``""`` stands for no group.

        Parameters
        ----------
        level : {"mdc", "adrg", "drg"}
        """
        if level not in LEVELS:
            raise CaseSchemaError(
                _("there is no level {level!r}", level=level),
                hint=_("It is one of {levels}.", levels=LEVELS),
            )
        flows = self.flows[self.flows["level"] == level]
        return (
            flows.assign(before=flows["before"].fillna(""), after=flows["after"].fillna(""))
            .pivot_table(
                index="before", columns="after", values="cases", aggfunc="sum", fill_value=0
            )
            .astype(np.int64)
        )

    def tables(self) -> dict[str, pd.DataFrame | pa.Table]:
        """The tables by name, to be written or looked at."""
        return {
            "flows": self.flows,
            "groups": self.groups,
            "reasons": self.reasons,
            "causes": self.causes,
            "statuses": self.statuses,
            "changed": self.changed,
        }

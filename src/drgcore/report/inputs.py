"""What a report is made from: cases, what was settled, tables that other commands wrote."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from drgcore.cases.attributes import dates_of, text_codes
from drgcore.errors import CaseSchemaError, DrgcoreError
from drgcore.language import Language, _, heading
from drgcore.points import Policy
from drgcore.report.settled import Settled
from drgcore.schemes import Scheme, load_scheme


@dataclass(frozen=True, eq=False)
class ReportInputs:
    """Everything a report may be made from; each kind takes what it needs.

    Parameters
    ----------
    cases : pyarrow.Table, optional
        Grouped cases of a region or a hospital.
    settled : Settled, optional
        Months and year end.
    tables : mapping of str to DataFrame
        What ``scheme migrate``, ``audit`` or ``scenario compare`` wrote.
    period : str
        A month ``2027-01`` or a year ``2027``; empty for all cases.
    hospital, department : str
        Of what, for reports of one.
    policy : Policy, optional
        By which cases are paid; that of the ledger by default.
    values : mapping of str to float
        Yuan a point by pool; those that were settled by default.
    norms : DataFrame, optional
        The region's weights and means, see `compute_indicators`.
    scheme : str
        Name of the scheme, for the groups' names.
    before : str
        Of the scheme before, for a change of schemes.

    Examples
    --------
    >>> ReportInputs(period="2027-01").year
    2027
    """

    cases: pa.Table | None = None
    settled: Settled | None = None
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    period: str = ""
    hospital: str = ""
    department: str = ""
    policy: Policy | None = None
    values: Mapping[str, float] = field(default_factory=dict)
    norms: pd.DataFrame | None = None
    scheme: str = "chs-drg-3.0"
    before: str = "chs-drg-2.0"

    def __post_init__(self) -> None:
        if self.period and not re.fullmatch(r"\d{4}(-(0[1-9]|1[0-2]))?", self.period):
            raise DrgcoreError(
                _("{period!r} is no period", period=self.period),
                hint=_("Write a month as 2027-01 or a year as 2027."),
            )

    @property
    def year(self) -> int:
        """The year of the period."""
        return int(self.period[:4]) if self.period else 0

    @property
    def month(self) -> str:
        """The month; empty where the period is a year."""
        return self.period if "-" in self.period else ""

    def of_period(self) -> pa.Table:
        """Give the cases that were discharged in the period; all without one.

        Raises
        ------
        DrgcoreError
            Without cases.
        CaseSchemaError
            If they have no readable `discharge_date` for a period.
        """
        return _discharged(self._cases(), self.period)

    def until_period(self) -> pa.Table:
        """Give the cases of the period's year up to the period's end."""
        cases = self._cases()
        if not self.period:
            return cases
        whole = _discharged(cases, self.period[:4])
        if not self.month:
            return whole
        days = dates_of(whole, "discharge_date")
        return whole.filter(pc.less_equal(pc.month(days), int(self.month[5:])))

    def whose(self) -> dict[str, str]:
        """Give the hospital and the department that the report is of, by name of the column."""
        named = {"hospital": self.hospital, "department": self.department}
        return {name: wanted for name, wanted in named.items() if wanted}

    def own(self, cases: pa.Table) -> pa.Table:
        """Give the cases of the hospital and department that the report is of."""
        for name, wanted in self.whose().items():
            if name not in cases.column_names:
                raise CaseSchemaError(_("the cases have no column {name}", name=name))
            cases = cases.filter(pc.equal(cases.column(name).cast(pa.string()), wanted))
        return cases

    def has(self, *names: str) -> bool:
        """Tell whether the cases have all of these columns."""
        return self.cases is not None and set(names) <= set(self.cases.column_names)

    def prices(self) -> tuple[Policy, Mapping[str, float]] | None:
        """Give the policy and the value of a point by pool; None where one is not known."""
        settled = self.settled
        policy = self.policy or (settled.policy if settled else None)
        values = self.values or (settled.values(self.month) if settled else {})
        return None if policy is None or not values else (policy, values)

    def names(self) -> Scheme:
        """Give the scheme, for the names of groups."""
        return load_scheme(self.scheme)

    def _cases(self) -> pa.Table:
        if self.cases is None:
            raise DrgcoreError(_("there are no cases"), hint=_("Name a file of grouped cases."))
        return self.cases


def check_there(inputs: ReportInputs) -> None:
    """Refuse a hospital or department that no case is of.

    Parameters
    ----------
    inputs : ReportInputs
        The inputs.

    Raises
    ------
    DrgcoreError
        Names some that there are.
    """
    for name, wanted in inputs.whose().items():
        if inputs.cases is not None:
            there = text_codes(inputs.cases, name).names
            if wanted not in there:
                some = ", ".join(sorted(there)[:8])
                raise DrgcoreError(
                    _("no case is of the {column} {name!r}", column=heading(name), name=wanted),
                    hint=_("such as {some}", some=some),
                )


def group_name(scheme: Scheme, code: Any, language: Language) -> str:
    """Give a group's code and name, as figures show it.

    Examples
    --------
    >>> from drgcore.schemes import load_scheme
    >>> group_name(load_scheme("chs-drg-3.0"), "ES4", "zh")
    'ES4 呼吸系统感染/炎症'
    >>> group_name(load_scheme("chs-drg-3.0"), "nowhere", "zh")
    'nowhere'
    """
    return f"{code} {name_of(scheme, code)}".rstrip()


def name_of(scheme: Scheme, code: Any) -> str:
    """Give a group's name; empty for a code that the scheme does not have."""
    try:
        return scheme.name_of(str(code))
    except DrgcoreError:
        return ""


def _discharged(cases: pa.Table, period: str) -> pa.Table:
    if not period:
        return cases
    days = dates_of(cases, "discharge_date")
    year, _sign, month = period.partition("-")
    there = pc.equal(pc.year(days), int(year))
    if month:
        there = pc.and_(there, pc.equal(pc.month(days), int(month)))
    return cases.filter(there)

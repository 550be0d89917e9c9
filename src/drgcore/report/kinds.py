"""The kinds of reports, each composed of sections."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from drgcore.errors import DrgcoreError
from drgcore.indicators import Tally, profit_and_loss, tally_cases
from drgcore.report import activity, money, profit
from drgcore.report.columns import Language
from drgcore.report.inputs import ReportInputs, check_there
from drgcore.report.section import Report, Section
from drgcore.report.texts import Words


class _Draft:
    """A report while it is composed."""

    def __init__(self, inputs: ReportInputs, say: Words) -> None:
        self.inputs, self.say = inputs, say
        self.sections: list[Section] = []
        self.facts: list[tuple[str, str]] = []
        self.notes: list[str] = []
        self.scheme = inputs.names()

    def add(self, *sections: Section) -> None:
        """Append sections."""
        self.sections += sections

    def without(self, what: str, why: str) -> None:
        """Note what is not shown, and why."""
        self.notes.append(self.say("Not shown: {what}. {why}", what=what, why=why))

    def report(self, kind: str, title: str, subtitle: str = "") -> Report:
        """Give the report."""
        inputs, say = self.inputs, self.say
        parts = [subtitle, say("scheme {name}", name=self.scheme.name)]
        prices = inputs.prices()
        if prices is not None:
            parts.append(say("policy {name}", name=prices[0].name))
        shown = say("; ").join(part for part in parts if part)
        return Report(
            kind,
            title,
            shown,
            say.language,
            tuple(self.facts),
            tuple(self.sections),
            tuple(self.notes),
        )

    # --- What several kinds have ------------------------------------------------------------

    def case_facts(self, cases: pa.Table) -> None:
        """The number of cases, the grouping rate, the cost."""
        import pyarrow.compute as pc

        say, rows = self.say, len(cases)
        self.facts.append((say("cases"), f"{rows:,}"))
        if "status" in cases.column_names and rows:
            grouped = pc.sum(pc.equal(cases.column("status").cast(pa.string()), "grouped")).as_py()
            self.facts.append((say("grouping rate"), say.share((grouped or 0) / rows)))
        if "total_cost" in cases.column_names and rows:
            cost = pc.sum(cases.column("total_cost").cast(pa.float64())).as_py() or 0.0
            self.facts.append((say("total cost"), say.money(cost)))
            self.facts.append((say("mean cost"), f"{cost / rows:,.0f} {say('yuan')}"))

    def value_facts(self, values: dict[str, float]) -> None:
        """The value of a point in each pool."""
        for pool, value in list(values.items())[:4]:
            name = self.say("point value, {pool}", pool=self.say.word(pool))
            self.facts.append((name, f"{value:,.4f}"))

    def grouping(self, cases: pa.Table) -> None:
        """What became of the cases."""
        self.add(activity.status_funnel(self.say, cases))
        if "reason" in cases.column_names:
            self.add(activity.reasons_section(self.say, cases))

    def groups(self, tally: Tally) -> None:
        """The groups and the major categories."""
        self.add(activity.largest_groups(self.say, tally, self.scheme))
        self.add(activity.by_mdc(self.say, tally, self.scheme, self.inputs.norms))

    def units(self, cases: pa.Table, key: str, title: str) -> None:
        """Departments or doctors over the months."""
        if not self.inputs.has(key):
            self.without(title, self.say("The cases have no column {name}.", name=key))
        elif not self.inputs.has("discharge_date"):
            self.without(title, self.say("The cases have no column {name}.", name="discharge_date"))
        else:
            tally = tally_cases(cases, [key, "month"])
            self.add(activity.units_over_months(self.say, tally, key, self.inputs.norms, title))

    def profit(self, cases: pa.Table, *units: tuple[str, str]) -> None:
        """Payment against cost: in parts, by group, and by units."""
        say, prices = self.say, self.inputs.prices()
        title = say("Profit and loss")
        if prices is None:
            why = say("It needs a policy and the value of a point: --policy, --ledger or --value.")
            return self.without(title, why)
        if not len(cases):
            return self.without(title, say("There are no cases."))
        policy, values = prices
        year = self.inputs.year
        found = profit_and_loss(
            cases, policy.for_year(year) if year else policy, values, norms=self.inputs.norms
        )
        self.add(profit.why(say, found), *profit.surplus_of_groups(say, found, self.scheme))
        for key, name in units:
            if self.inputs.has(key):
                self.add(profit.surplus_of_units(say, found, key, name))
        return None


def _month(draft: _Draft) -> Report:
    say, inputs = draft.say, draft.inputs
    if not inputs.month:
        raise DrgcoreError("a report of a month needs the month", hint="add --month 2027-01")
    cases = inputs.of_period()
    draft.case_facts(cases)
    if inputs.settled is not None:
        draft.value_facts(inputs.settled.values(inputs.month))
        draft.add(
            money.point_values(say, inputs.settled.until("point_values", inputs.month)),
            money.prepayments(say, inputs.settled.month("statement", inputs.month)),
        )
    else:
        draft.without(say("point value and prepayments"), say("Nothing was given as settled."))
    _cases_of_region(draft, cases, inputs.until_period())
    return draft.report("month", say("DRG report of {month}", month=inputs.month))


def _cases_of_region(draft: _Draft, cases: pa.Table, until: pa.Table) -> None:
    """What the reports of a month and of a year have in common."""
    say, inputs = draft.say, draft.inputs
    draft.grouping(cases)
    tally = tally_cases(cases, ["hospital"] if inputs.has("hospital") else [])
    if inputs.has("hospital"):
        draft.add(activity.hospitals_by_index(say, tally, inputs.norms))
    draft.groups(tally)
    draft.units(until, "department", say("Departments by month"))
    draft.profit(cases, ("hospital", say("Profit and loss by hospital")))


KINDS: dict[str, Callable[[_Draft], Report]] = {"month": _month}
"""The reports that there are."""


def make_report(kind: str, inputs: ReportInputs, language: Language = "zh") -> Report:
    """Compose a report.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    inputs : ReportInputs
        What it is made from.
    language : {"zh", "en"}
        Of its texts.

    Returns
    -------
    Report
        To be written by `write_report`. What cannot be shown is named in its notes.

    Raises
    ------
    DrgcoreError
        If what the kind needs is not given, or cannot be read.

    Examples
    --------
    >>> import drgcore
    >>> cases = drgcore.group(drgcore.sample_cases(500, seed=1))
    >>> report = make_report("month", ReportInputs(cases=cases, period="2027-01"), "en")
    >>> report.title, report.sections[0].title
    ('DRG report of 2027-01', 'From all cases to grouped cases')
    """
    if kind not in KINDS:
        raise DrgcoreError(f"there is no report {kind!r}", hint=f"it is one of {', '.join(KINDS)}")
    check_there(inputs)
    return KINDS[kind](_Draft(inputs, Words(language)))

"""A report while it is composed: its sections, facts and notes, and what several kinds share."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from drgcore.indicators import Tally, norms_of, profit_and_loss, tally_cases
from drgcore.report import activity, profit
from drgcore.report.inputs import ReportInputs
from drgcore.report.profit import Surplus
from drgcore.report.section import Report, Section
from drgcore.report.texts import Words


class Draft:
    """A report while it is composed."""

    def __init__(self, inputs: ReportInputs, say: Words) -> None:
        self.inputs, self.say = inputs, say
        self.sections: list[Section] = []
        self.facts: list[tuple[str, str]] = []
        self.notes: list[str] = []
        self.scheme = inputs.names()
        self.norms = inputs.norms

    def add(self, *sections: Section) -> None:
        """Append sections."""
        self.sections += sections

    def without(self, what: str, why: str) -> None:
        """Note what is not shown, and why."""
        self.notes.append(self.say("Not shown: {what}. {why}", what=what, why=why))

    def report(self, kind: str, title: str, period: str = "") -> Report:
        """Give the report."""
        inputs, say = self.inputs, self.say
        parts = [say.period(period), say("scheme {name}", name=self.scheme.name)]
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
        say, rows = self.say, len(cases)
        self.facts.append((say("number of cases"), f"{rows:,}"))
        if "status" in cases.column_names and rows:
            grouped = pc.sum(pc.equal(cases.column("status").cast(pa.string()), "grouped")).as_py()
            self.facts.append((say("grouping rate"), say.share((grouped or 0) / rows)))
        if "total_cost" in cases.column_names and rows:
            cost = pc.sum(cases.column("total_cost").cast(pa.float64())).as_py() or 0.0
            self.facts.append((say("total cost"), say.money(cost)))
            self.facts.append((say("mean cost"), f"{cost / rows:,.0f} {say('yuan')}"))

    def value_facts(self, values: Mapping[str, float]) -> None:
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
        self.add(activity.by_mdc(self.say, tally, self.scheme, self.norms))

    def units(self, cases: pa.Table, key: str, title: str) -> None:
        """Departments or doctors over the months."""
        if not self.inputs.has(key):
            self.without(title, self.say("The cases have no column {name}.", name=key))
        elif not self.inputs.has("discharge_date"):
            self.without(title, self.say("The cases have no column {name}.", name="discharge_date"))
        else:
            tally = tally_cases(cases, [key, "month"])
            self.add(activity.units_over_months(self.say, tally, key, self.norms, title))

    def profit(self, cases: pa.Table, *units: tuple[str, str]) -> None:
        """Payment against cost: in parts, by group, and by units.

        The cases are the region's, beside whose means a hospital's costs are set; shown are those
        of the hospital and department that the report is of.
        """
        say, prices = self.say, self.inputs.prices()
        title = say("Profit and loss")
        if prices is None:
            why = say("It needs a policy and the value of a point: --policy, --ledger or --value.")
            return self.without(title, why)
        if not len(cases):
            return self.without(title, say("There are no cases."))
        policy, values = prices
        year = self.inputs.year
        found = Surplus(
            profit_and_loss(
                cases, policy.for_year(year) if year else policy, values, norms=self.inputs.norms
            ),
            self.inputs.whose(),
        )
        self.add(profit.why(say, found), *profit.surplus_of_groups(say, found, self.scheme))
        for key, name in units:
            if self.inputs.has(key):
                self.add(profit.surplus_of_units(say, found, key, name))
        return None

    def beside_region(self, region: pa.Table) -> Tally:
        """Add the region's cases up by hospital and take its means as norms, unless given."""
        keys = ["hospital"] if self.inputs.has("hospital") else []
        tally = tally_cases(region, keys)
        if self.norms is None:
            self.norms = norms_of(tally)
        return tally

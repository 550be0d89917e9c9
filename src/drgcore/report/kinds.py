"""The kinds of reports, each composed of sections."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from drgcore.audit.wording import CAUTION
from drgcore.errors import DrgcoreError
from drgcore.indicators import quadrants, tally_cases
from drgcore.language import Language, _
from drgcore.progress import tracked
from drgcore.report import activity, changes, money, rounds, signals
from drgcore.report.draft import Draft
from drgcore.report.inputs import ReportInputs, check_there
from drgcore.report.section import Report
from drgcore.report.texts import Words
from drgcore.schemes import load_scheme


def _month(draft: Draft) -> Report:
    say, inputs = draft.say, draft.inputs
    if not inputs.month:
        raise DrgcoreError(
            _("a report of a month needs the month"),
            hint=_("Add {option}.", option="--month 2027-01"),
        )
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
    _region(draft, cases, inputs.until_period())
    return draft.report("month", say("DRG report of {period}", period=say.period(inputs.month)))


def _year(draft: Draft) -> Report:
    say, inputs = draft.say, draft.inputs
    if not inputs.period or inputs.month:
        raise DrgcoreError(
            _("a report of a year needs the year"),
            hint=_("Add {option}.", option="--year 2027"),
        )
    cases = inputs.of_period()
    draft.case_facts(cases)
    settled = inputs.settled
    if settled is None:
        draft.without(say("point value and payments"), say("Nothing was given as settled."))
    else:
        draft.value_facts(settled.values())
        draft.add(money.point_values(say, settled.until("point_values", inputs.period)))
        if settled.year:
            draft.add(
                money.payments(say, settled.year["statement"]),
                money.unit_balances(say, settled.year["units"]),
                money.reconciliation(say, settled.year["reconciliation"]),
                money.reserve_moves(say, settled.year["reserve"]),
            )
        else:
            draft.without(say("payments of the year"), say("The year end is not settled."))
    _region(draft, cases, cases)
    return draft.report("year", say("DRG report of {period}", period=say.period(inputs.period)))


def _region(draft: Draft, cases: pa.Table, until: pa.Table) -> None:
    """What the reports of a month and of a year have in common."""
    say, inputs = draft.say, draft.inputs

    def groups() -> None:
        tally = tally_cases(cases, ["hospital"] if inputs.has("hospital") else [])
        if inputs.has("hospital"):
            draft.add(activity.hospitals_by_index(say, tally, inputs.norms))
        draft.groups(tally)

    _composed(
        lambda: draft.grouping(cases),
        groups,
        lambda: draft.units(until, "department", say("Departments by month")),
        lambda: draft.profit(cases, ("hospital", say("Profit and loss by hospital"))),
    )


def _composed(*parts: Callable[[], None]) -> None:
    """Compose the parts of a report that look at the cases, each counted."""
    for part in tracked(parts, _("composing the report"), _("parts")):
        part()


def _hospital(draft: Draft) -> Report:
    say, inputs = draft.say, draft.inputs
    if not inputs.hospital:
        raise DrgcoreError(
            _("a report of a hospital needs its name"),
            hint=_("Add {option}.", option="--hospital H01"),
        )
    region = inputs.of_period()
    own = inputs.own(region)
    draft.case_facts(own)
    settled = inputs.settled
    if settled is not None:
        statement = settled.until("statement", inputs.period)
        draft.add(money.hospital_months(say, money.of_hospital(statement, [inputs.hospital])))
        if settled.year and not inputs.month:
            mine = money.of_hospital(settled.year["statement"], [inputs.hospital])
            draft.add(money.hospital_year(say, mine))

    def beside() -> None:
        tally = draft.beside_region(region)
        draft.grouping(own)
        draft.add(activity.hospitals_by_index(say, tally, inputs.norms, inputs.hospital))
        places = quadrants(tally, "hospital", norms=inputs.norms)
        places = places[places["hospital"] == inputs.hospital].drop(columns="hospital")
        draft.add(activity.group_quadrants(say, places, draft.scheme))

    _composed(
        beside,
        lambda: draft.groups(tally_cases(own)),
        lambda: draft.units(
            inputs.own(inputs.until_period()), "department", say("Departments by month")
        ),
        lambda: draft.profit(
            region,
            ("department", say("Profit and loss by department")),
            ("doctor_id", say("Profit and loss by doctor")),
        ),
    )
    title = say("DRG report of hospital {name}", name=inputs.hospital)
    return draft.report("hospital", title, inputs.period)


def _department(draft: Draft) -> Report:
    say, inputs = draft.say, draft.inputs
    if not inputs.department:
        raise DrgcoreError(
            _("a report of a department needs its name"),
            hint=_("Add {option}.", option="--department …"),
        )
    region = inputs.of_period()
    own = inputs.own(region)
    draft.case_facts(own)

    def beside() -> None:
        draft.beside_region(region)
        draft.grouping(own)
        if inputs.has("hospital"):
            same = ReportInputs(region, department=inputs.department).own(region)
            tally = tally_cases(same, ["hospital"])
            draft.add(activity.hospitals_by_index(say, tally, draft.norms, inputs.hospital))

    _composed(
        beside,
        lambda: draft.groups(tally_cases(own)),
        lambda: draft.units(
            inputs.own(inputs.until_period()), "doctor_id", say("Doctors by month")
        ),
        lambda: draft.profit(region, ("doctor_id", say("Profit and loss by doctor"))),
    )
    name = f"{inputs.hospital} {inputs.department}".strip()
    title = say("DRG report of department {name}", name=name)
    return draft.report("department", title, inputs.period)


def _grouping(draft: Draft) -> Report:
    say, inputs = draft.say, draft.inputs
    cases = inputs.own(inputs.of_period())
    draft.case_facts(cases)

    def by(key: str, title: str) -> None:
        if inputs.has(key):
            draft.add(activity.grouping_by(say, cases, key, title))

    _composed(
        lambda: draft.grouping(cases),
        lambda: by("hospital", say("Grouping rate by hospital")),
        lambda: by("department", say("Grouping rate by department")),
        lambda: draft.groups(tally_cases(cases)),
    )
    return draft.report("grouping", say("Report of the grouping"), inputs.period)


def _migration(draft: Draft) -> Report:
    say, tables = draft.say, draft.inputs.tables
    before, after = load_scheme(draft.inputs.before), draft.scheme
    statuses = changes.status_changes(say, tables)
    draft.facts.append((say("number of cases"), f"{statuses.table['cases'].sum():,}"))
    draft.add(
        statuses,
        changes.group_flows(say, tables, before, after),
        *changes.why_moved(say, tables),
        changes.causes(say, tables),
    )
    for name, key, title in (
        ("effect_hospitals", "hospital", say("Weight of hospitals")),
        ("effect_mdcs", "mdc", say("Weight of MDC")),
        ("effect_departments", "department", say("Weight of departments")),
    ):
        if name in tables:
            draft.add(changes.effect(say, tables[name], key, title))
    title = say("From {before} to {after}", before=before.name, after=after.name)
    return draft.report("migration", title)


def _audit(draft: Draft) -> Report:
    say, tables = draft.say, draft.inputs.tables
    draft.notes.append(say(CAUTION))
    draft.add(signals.summary(say, tables), signals.units(say, tables))
    return draft.report("audit", say("Signals for auditors"), draft.inputs.period)


def _negotiation(draft: Draft) -> Report:
    say, tables = draft.say, draft.inputs.tables
    draft.add(rounds.what_differs(say, tables), rounds.pools(say, tables))
    for name, key, title in (
        ("hospitals", "hospital", say("Who gains and who loses: hospitals")),
        ("levels", "level", say("Who gains and who loses: levels")),
        ("mdcs", "mdc", say("Who gains and who loses: MDC")),
        ("classes", "case_class", say("Who gains and who loses: classes of cases")),
    ):
        draft.add(rounds.units(say, tables, name, key, title, draft.scheme))
    return draft.report("negotiation", say("Policies side by side"), draft.inputs.period)


KINDS: dict[str, Callable[[Draft], Report]] = {
    "month": _month,
    "year": _year,
    "hospital": _hospital,
    "department": _department,
    "grouping": _grouping,
    "migration": _migration,
    "audit": _audit,
    "negotiation": _negotiation,
}
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
    ('DRG report of January 2027', 'From all cases to grouped cases')
    """
    if kind not in KINDS:
        raise DrgcoreError(
            _("there is no report {kind!r}", kind=kind),
            hint=_("It is one of {names}.", names=", ".join(KINDS)),
        )
    check_there(inputs)
    return KINDS[kind](Draft(inputs, Words(language)))

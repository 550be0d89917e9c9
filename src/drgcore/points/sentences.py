"""A policy as sentences, for a person who checks it against the document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from drgcore.language import _
from drgcore.points.case_sentences import case_sentences
from drgcore.points.fund_sentences import fund_parts
from drgcore.points.policy import Policy
from drgcore.points.problems import Problem
from drgcore.points.sources import filled_in, sources_of, stated
from drgcore.points.wording import number, told


def policy_sentences(policy: Policy) -> list[tuple[str, list[str]]]:
    """Write a policy as sentences under headings.

    Parameters
    ----------
    policy : Policy
        The policy, resolved to a day.

    Returns
    -------
    list of (heading, sentences)
        Every parameter that a rule uses, with its unit.

    Examples
    --------
    >>> parts = dict(policy_sentences(Policy.load("example")))
    >>> parts["Base points"][0]
    'Base points of each DRG come from example-base-points.csv (base_points); the scale is 100 \
points for relative weight 1, the mean cost of all cases 10,000.00 yuan.'
    """
    return [
        (_("Policy"), list(_policy(policy))),
        *case_sentences(policy),
        *fund_parts(policy),
    ]


def unfinished_sentences(
    data: Mapping[str, Any], problems: Sequence[Problem]
) -> list[tuple[str, list[str]]]:
    """Write what an unfinished policy states, by source, and what it still asks for.

    Parameters
    ----------
    data : mapping
        Nested tables of the policy file.
    problems : sequence of Problem
        What `check_policy` found in it.

    Returns
    -------
    list of (heading, sentences)
        One part for each source, one for what is filled in without any, and what is open.

    Examples
    --------
    >>> data = {"rounding": {"points": 4}, "sources": [{"document": "Rules of 2025", "of": [
    ...     "rounding"], "kind": "report", "article": "3", "states": ["points have 4 decimals"]}]}
    >>> for heading, sentences in unfinished_sentences(data, [Problem("budget.months", "", True)]):
    ...     print(heading, sentences)
    Rules of 2025, art. 3 (from a report of it, or a program that implements it) \
['points have 4 decimals.', 'rounding: points 4']
    Open ['1 to fill in: budget 1. `drgcore policy check` names each.']
    """
    filled, given = filled_in(data), stated(data)
    parts = []
    for source in sources_of(data):
        own = {path: filled[path] for path in given if given[path] == source}
        parts.append(
            (str(source), [*(_("{text}.", text=told(t)) for t in source.states), *_values(own)])
        )
    others = {path: value for path, value in filled.items() if path not in given}
    if others:
        parts.append((_("Filled in, and no source is named"), list(_values(others))))
    open_ = []
    for missing, words in ((True, _("to fill in")), (False, _("wrong"))):
        where = Counter(p.path.split(".")[0] or "policy" for p in problems if p.missing is missing)
        if where:
            listed = ", ".join(f"{name} {count}" for name, count in where.items())
            open_.append(
                _(
                    "{where} {words}: {listed}. `drgcore policy check` names each.",
                    where=where.total(),
                    words=words,
                    listed=listed,
                )
            )
    return [
        *parts,
        (
            _("Open"),
            [
                *open_,
                *(_("The user fills in: {text}.", text=told(t)) for t in data.get("fill_in", [])),
            ],
        ),
    ]


def _values(filled: Mapping[str, Any]) -> Iterator[str]:
    """Parameters of one table in one line."""
    tables: dict[str, list[str]] = {}
    for path, value in filled.items():
        table, _other, name = path.rpartition(".")
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        tables.setdefault(table, []).append(f"{name} {text}")
    for table, values in tables.items():
        yield f"{table}: {'; '.join(values)}" if table else "; ".join(values)


def _policy(policy: Policy) -> Iterator[str]:
    if policy.fictitious:
        yield _("This policy is FICTITIOUS: its numbers are invented and are no region's.")
    until = _(" to {effective_to}", effective_to=policy.effective_to) if policy.effective_to else ""
    yield _(
        "{title} applies from {effective_from}{until}.",
        title=told(policy.title or policy.name),
        effective_from=policy.effective_from,
        until=until,
    )
    yield _("Source: {source}.", source=told(policy.source))
    for source in policy.sources:
        given = _(" for {of}", of=", ".join(source.of)) if source.of else ""
        yield _("Source{given}: {source}.", given=given, source=source)
        yield from (_("It states: {text}.", text=told(text)) for text in source.states)
    yield from (_("The source states: {text}.", text=told(text)) for text in policy.states)
    yield from (_("The user fills in: {text}.", text=told(text)) for text in policy.fill_in)
    if policy.calibration is not None:
        weights = ":".join(number(weight) for weight in policy.calibration.year_weights)
        parts = []
        if policy.calibration.trim:
            parts.append(_("trimmed by {rule}", rule=policy.calibration.trim))
        if weights:
            parts.append(_("weighted {weights}, the oldest year first", weights=weights))
        if parts:
            yield _("For base points, cases of past years are {parts}.", parts=_(", ").join(parts))
    yield from (
        _("Article for {step}: {text}", step=step, text=told(text))
        for step, text in policy.articles.items()
    )

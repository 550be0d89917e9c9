"""A policy as sentences, for a person who checks it against the document."""

from __future__ import annotations

from collections.abc import Iterator

from drgcore.points.case_sentences import case_sentences
from drgcore.points.fund_sentences import fund_parts
from drgcore.points.policy import Policy


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
        ("Policy", list(_policy(policy))),
        *case_sentences(policy),
        *fund_parts(policy),
    ]


def _policy(policy: Policy) -> Iterator[str]:
    if policy.fictitious:
        yield "This policy is FICTITIOUS: its numbers are invented and are no region's."
    until = f" to {policy.effective_to}" if policy.effective_to else ""
    yield f"{policy.title or policy.name} applies from {policy.effective_from}{until}."
    yield f"Source: {policy.source}."
    yield from (f"The source states: {text}." for text in policy.states)
    yield from (f"The user fills in: {text}." for text in policy.fill_in)
    yield from (f"Article for {step}: {text}" for step, text in policy.articles.items())

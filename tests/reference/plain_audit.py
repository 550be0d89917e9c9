"""Excess of events over peers, one unit and stratum at a time: what drgcore.audit must agree with.

Slow and plain on purpose; it shares no code with drgcore.audit. Numbers are exact fractions.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction


def expected(
    events: Sequence[bool], strata: Sequence[int], units: Sequence[int], unit: int
) -> tuple[int, int, Fraction, Fraction, Fraction]:
    """Cases, events, expected by the peers, and hypergeometric mean and variance of a unit."""
    rows = [r for r in zip(events, strata, units, strict=True) if r[1] >= 0 and r[2] >= 0]
    cases, seen = 0, 0
    from_peers, mean, variance = Fraction(0), Fraction(0), Fraction(0)
    for stratum in sorted({s for _, s, _ in rows}):
        own = [e for e, s, u in rows if s == stratum and u == unit]
        peers = [e for e, s, u in rows if s == stratum and u != unit]
        if not own or not peers:
            continue
        n, size, hits = len(own), len(own) + len(peers), sum(own) + sum(peers)
        cases, seen = cases + n, seen + sum(own)
        from_peers += n * Fraction(sum(peers), len(peers))
        mean += Fraction(n * hits, size)
        variance += Fraction(n * len(peers) * hits * (size - hits), size * size * (size - 1))
    return cases, seen, from_peers, mean, variance


def benjamini_hochberg(chances: Sequence[float]) -> list[float]:
    """The least level at which each is taken."""
    m = len(chances)
    found = []
    for p in chances:
        levels = [q * m / sum(1 for r in chances if r <= q) for q in chances if q >= p]
        found.append(min(1.0, *levels))
    return found


def followed(stays: Sequence[tuple[str, str, str, int, int]], days: int) -> list[bool]:
    """Whether the patient came back to the hospital and MDC within some days of each stay."""
    found = []
    for i, (patient, hospital, mdc, came, left) in enumerate(stays):
        later = [
            s[3]
            for j, s in enumerate(stays)
            if j != i
            and s[:3] == (patient, hospital, mdc)
            and s[3] >= left
            and (s[3], s[4], j) > (came, left, i)
        ]
        found.append(bool(later) and min(later) - left <= days)
    return found

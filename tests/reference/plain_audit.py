"""Signals and the excess of events over peers, case by case: what drgcore.audit must agree with.

Slow and plain on purpose; it shares no code with drgcore.audit. Numbers are exact fractions.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from fractions import Fraction

from tests.reference.plain_grouper import LOCAL_NUMBERS, NUMBERS, Case, PlainGrouper, Row

Expected = tuple[int, int, Fraction, list[tuple[int, int, int]]]


def expected(
    events: Sequence[bool], strata: Sequence[int], units: Sequence[int], unit: int
) -> Expected:
    """Cases, events, events expected by the peers; cases, events and own cases of each stratum."""
    rows = [r for r in zip(events, strata, units, strict=True) if r[1] >= 0 and r[2] >= 0]
    cases, seen, from_peers, cells = 0, 0, Fraction(0), []
    for stratum in sorted({s for _, s, _ in rows}):
        own = [e for e, s, u in rows if s == stratum and u == unit]
        peers = [e for e, s, u in rows if s == stratum and u != unit]
        if not own or not peers:
            continue
        n, size, hits = len(own), len(own) + len(peers), sum(own) + sum(peers)
        cases, seen = cases + n, seen + sum(own)
        from_peers += n * Fraction(sum(peers), len(peers))
        cells.append((size, hits, n))
    return cases, seen, from_peers, cells


def chances(cells: Sequence[tuple[int, int, int]], seen: int) -> tuple[float, float, float]:
    """Of so many events: the exact probability, its bound, and how many are expected.

    Each stratum has cases, events, and own cases. What is exact is the sum of hypergeometric
    numbers; the bound is the binomial distribution on the same range with the same mean.
    """
    ways = {0: Fraction(1)}
    for size, hits, n in cells:
        every = math.comb(size, n)
        one = {k: math.comb(hits, k) * math.comb(size - hits, n - k) for k in range(n + 1)}
        added: dict[int, Fraction] = {}
        for before, share in ways.items():
            for k, number in one.items():
                if number:
                    added[before + k] = added.get(before + k, Fraction(0)) + share * Fraction(
                        number, every
                    )
        ways = added
    least, most = min(ways), max(ways)
    mean = sum((k * share for k, share in ways.items()), Fraction(0))
    exact = sum((share for k, share in ways.items() if k >= seen), Fraction(0))
    if most == least:
        return float(exact), 1.0, float(mean)
    room, p = most - least, (mean - least) / (most - least)
    bound = sum(
        (math.comb(room, k) * p**k * (1 - p) ** (room - k) for k in range(seen - least, room + 1)),
        Fraction(0),
    )
    return float(exact), float(bound), float(mean)


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


def change(
    events: Sequence[bool],
    strata: Sequence[int],
    units: Sequence[int],
    later: Sequence[bool],
    unit: int,
) -> Expected:
    """Later cases and events, events expected by the earlier ones; the strata as `expected`."""
    cases, seen, by_past, cells = 0, 0, Fraction(0), []
    for stratum in sorted({s for s in strata if s >= 0}):
        own = [
            (e, now)
            for e, s, u, now in zip(events, strata, units, later, strict=True)
            if s == stratum and u == unit
        ]
        n, before = [e for e, now in own if now], [e for e, now in own if not now]
        if not n or not before:
            continue
        size, hits = len(own), sum(n) + sum(before)
        cases, seen = cases + len(n), seen + sum(n)
        by_past += len(n) * Fraction(sum(before), len(before))
        cells.append((size, hits, len(n)))
    return cases, seen, by_past, cells


def quantile(values: Sequence[float], level: float) -> float:
    """The least value that the share `level` of all does not exceed."""
    return sorted(values)[max(math.ceil(level * len(values)), 1) - 1]


def shifted(
    cases: Sequence[tuple[str, float, float | None, float | None]], level: float
) -> list[bool | None]:
    """Whether much of an episode's cost is outside the stay; None for what is not compared.

    Of each case its DRG, cost, and what stands before admission and in outpatients.
    """
    shares: list[float | None] = []
    for _, cost, before, beside in cases:
        stated = [part for part in (before, beside) if part is not None]
        if not stated or min(stated) < 0 or not cost > 0:
            shares.append(None)
        else:
            shares.append(sum(stated) / (sum(stated) + cost))
    found: list[bool | None] = []
    for (drg, *_), share in zip(cases, shares, strict=True):
        alike = [s for c, s in zip(cases, shares, strict=True) if c[0] == drg and s is not None]
        found.append(None if share is None else share > quantile(alike, level))
    return found


Shares = list[tuple[float, float] | None]


def shares_of_level(cases: Sequence[tuple[str, str, str, float]]) -> tuple[Shares, float]:
    """Each case's cost over the mean of DRG and level, as it is and at the region's 80 % quantile.

    Of each case its DRG, level, hospital, cost; None without one. And that quantile.
    """
    shares: list[float | None] = []
    for drg, level, _, cost in cases:
        costs = [c[3] for c in cases if c[:2] == (drg, level) and c[3] > 0]
        shares.append(cost / (sum(costs) / len(costs)) if cost > 0 else None)
    there = sorted(s for s in shares if s is not None)
    if not there:
        return [None] * len(cases), math.nan
    # The quantile of all lies between two values, that of a hospital is one of its own.
    place = 0.8 * (len(there) - 1)
    below = math.floor(place)
    above = min(below + 1, len(there) - 1)
    whole = there[below] + (place - below) * (there[above] - there[below])
    found: Shares = []
    for (_, _, hospital, _), share in zip(cases, shares, strict=True):
        if share is None:
            found.append(None)
            continue
        own = [s for c, s in zip(cases, shares, strict=True) if c[2] == hospital and s is not None]
        found.append((share, share / quantile(own, 0.8) * whole))
    return found, whole


def few_services(
    cases: Sequence[tuple[str, str, str, float]], low: float, few: float
) -> list[bool | None]:
    """Whether a case is paid in full for few services; of each its DRG, level, hospital, cost."""
    shares, _ = shares_of_level(cases)
    return [None if s is None else s[0] >= low and s[1] < few for s in shares]


def few_services_dispersion(
    cases: Sequence[tuple[str, str, str, float]], low: float, few: float
) -> float:
    """Variance of a hospital's events, one case adding e − p + c (a − 0.2), over p (1 − p)."""
    shares, whole = shares_of_level(cases)
    own = [s for s in shares if s is not None]
    events = sum(s[0] >= low and s[1] < few for s in own)
    if not 0 < events < len(own):
        return 1.0
    near = [sum(abs(math.log(s[1] / edge)) < 0.1 for s in own) for edge in (few, whole)]
    p, c = events / len(own), near[0] / max(near[1], 1)
    # Three kinds of cases: events, those above the quantile, the others.
    kinds = [(p, 1 - p - 0.2 * c), (0.2, -p + 0.8 * c), (0.8 - p, -p - 0.2 * c)]
    return max(sum(share * added**2 for share, added in kinds) / (p * (1 - p)), 1.0)


def beside_limits(
    shares: Sequence[float], limits: Sequence[float], near: float, far: float
) -> list[tuple[int, bool, bool, bool]]:
    """Of each share the nearest limit, whether it is near, whether near by, whether beyond it."""
    found = []
    for share in shares:
        away = [abs(math.log(share / limit)) for limit in limits]
        at = away.index(min(away))
        close, around = away[at] < near, near <= away[at] < far
        found.append((at, close, around, share >= limits[at]))
    return found


def edge(
    seen: Sequence[tuple[int, bool, bool, bool]],
    units: Sequence[int],
    unit: int,
    near: float,
    far: float,
) -> tuple[int, int, float, float]:
    """Cases of a unit near limits, those beyond, how many were expected there, the variance."""
    cases = beyond = 0
    expected = variance = 0.0
    for limit in {s[0] for s in seen}:
        a = sum(1 for s in seen if s[0] == limit and s[2] and not s[3])
        b = sum(1 for s in seen if s[0] == limit and s[2] and s[3])
        if a < 20 or b < 20:
            continue
        own = [
            s[3] for s, u in zip(seen, units, strict=True) if u == unit and s[0] == limit and s[1]
        ]
        # Taken two standard errors too high; the windows' centres lie near and near + far apart.
        slope = math.log(b / a) + 2 * math.sqrt(1 / a + 1 / b)
        share = 1 / (1 + math.exp(-slope * near / (near + far)))
        cases, beyond = cases + len(own), beyond + sum(own)
        expected += len(own) * share
        variance += len(own) * share * (1 - share)
    return cases, beyond, expected, variance


def copied(
    cases: Sequence[tuple[int, str, frozenset[str]]], unit: int
) -> tuple[int, dict[frozenset[str], tuple[int, Fraction]], int]:
    """Of a unit's lists of three codes and more: cases, those of five and more, how many lists.

    Of each case its unit, ADRG and other diagnoses; of each list how often it is there and how
    often it were if the unit were like its peers, of whom one case more in each ADRG has it.
    """
    used = [c for c in cases if len(c[2]) >= 3]
    own = [c for c in used if c[0] == unit]
    lists: dict[frozenset[str], tuple[int, Fraction]] = {}
    for codes in {c[2] for c in own}:
        times = sum(1 for c in own if c[2] == codes)
        if times < 5:
            continue
        expected = Fraction(0)
        for adrg in {c[1] for c in own}:
            peers = [c for c in used if c[1] == adrg and c[0] != unit]
            hits = sum(1 for c in peers if c[2] == codes) + 1
            expected += sum(1 for c in own if c[1] == adrg) * Fraction(hits, len(peers) + 1)
        lists[codes] = (times, expected)
    return len(own), lists, len({c[2] for c in own})


def fitting_mdcs(grouper: PlainGrouper, diagnosis: str) -> set[str]:
    """MDC that take a principal diagnosis for its own sake at some sex and age, or take any."""
    nothing = dict.fromkeys((*NUMBERS, *LOCAL_NUMBERS), math.nan)
    ages = [(0.0, float(d)) for d in (0, 15, 28, 29, 60, 120, 365)]
    ages += [(float(y), math.nan) for y in (1, 3, 6, 10, 18, 40, 60, 90)]
    people = [nothing | {"XB": s, "NL": y, "XSRTL": d} for s in (1.0, 2.0) for y, d in ages]

    def takes(mdc: Row, codes: list[str], numbers: dict[str, float]) -> bool:
        fields: dict[str, list[str]] = {"ZYZD": codes, "QTZD": [], "ZYSS": [], "QTSS": []}
        return bool(mdc["holds"](Case({**fields, "CYKB": []}, numbers, grouper.sets)))

    return {
        mdc["code"]
        for mdc in grouper.mdcs
        if mdc["text"] == "True"
        or any(takes(mdc, [diagnosis], p) and not takes(mdc, [], p) for p in people)
    }


def asking_mdcs(grouper: PlainGrouper, procedure: str) -> set[str]:
    """MDC of which a named group asks for a principal procedure."""
    found = set()
    for mdc, adrgs in grouper.adrgs.items():
        for adrg in adrgs:
            if adrg["last"] or adrg["code"].endswith("QY"):
                continue
            for negated, fields, names in re.findall(
                r"(not )?c\.member\(\[(.*?)\], \[(.*?)\]\)", adrg["text"]
            ):
                sets = re.findall("'(.*?)'", names)
                there = any(procedure in grouper.sets.get(name, ()) for name in sets)
                if not negated and "ZYSS" in fields and there:
                    found.add(mdc)
    return found

"""Signals that are rates: what each counts, among which cases, compared with whom."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drgcore.audit.finding import Limits, Marked, Rate, numbered
from drgcore.audit.frame import NO_DAY, AuditFrame, strata
from drgcore.cases.fees import DIED
from drgcore.language import _
from drgcore.points.readmissions import next_stays

_TRANSFERRED = (2.0, 3.0)
_SEVERE = ("MCC", "CC")
# On either side of a limit, in logarithms, the density is taken from so far.
_BAND = 0.1


def upcoding(frame: AuditFrame, limits: Limits) -> Marked:
    """Complications (疑似高套的线索): MCC or CC counts, among grouped cases of one ADRG and age.

    The money is the mean cost of the case's DRG less that of the cases of its ADRG and age band
    without complication.
    """
    del limits
    stratum = _kept(strata(frame.adrg.codes, frame.age_band), frame.grouped)
    event = frame.is_in("severity", _SEVERE)
    cost = frame.numbers("total_cost")
    plain = ~event & (stratum >= 0) & np.isfinite(cost) & (cost > 0)
    size = int(stratum.max(initial=-1)) + 1
    number = np.bincount(stratum[plain], minlength=size)
    total = np.bincount(stratum[plain], cost[plain], size)
    mean = np.divide(total, number, out=np.full(size, np.nan), where=number > 0)
    without = np.append(mean, np.nan)[stratum]
    return Marked(
        event,
        stratum,
        frame.mean_cost - without,
        numbered(_("{} {} counts as a complication"), *_texts(frame, "drg", "severity")),
    )


def split_stays(frame: AuditFrame, limits: Limits) -> Marked:
    """Stays soon followed by another (分解住院、短期再入院的线索).

    Counted is a stay after which the same patient came back to the same hospital, into the same
    MDC, on the day of discharge or within `split_days` after it; among stays of a DRG whose patient
    lived. The money is the later stay's mean cost of its DRG.
    """
    patient, hospital, mdc = frame.codes("patient_id"), frame.codes("hospital"), frame.mdc
    came, left = frame.days("admission_date"), frame.days("discharge_date")
    known = frame.grouped & (patient.codes >= 0) & (came > NO_DAY) & (left >= came)
    rows = np.flatnonzero(known)
    key = strata(patient.codes[rows], hospital.codes[rows], mdc.codes[rows])
    following = next_stays(key, came[rows], left[rows])
    later = np.full(len(frame), -1, np.int64)
    later[rows] = np.where(following >= 0, rows[following], -1)
    gap = np.where(later >= 0, came[later] - left, -1)
    event = (later >= 0) & (gap <= limits.split_days)
    lived = known & (frame.numbers("leaving_way") != DIED)
    ids = _ids(frame)
    return Marked(
        event,
        _kept(frame.codes("drg").codes.astype(np.int64), lived),
        np.where(event, frame.mean_cost[later], np.nan),
        numbered(
            _("back {} days after discharge in the same hospital and MDC; the later stay {}"),
            gap,
            ids[later],
        ),
    )


def low_indication(frame: AuditFrame, limits: Limits) -> Marked:
    """Admissions with little done (低指征入院的线索).

    Counted is a stay of at most `short_stay` days without a procedure that cost less than
    `low_cost` of its DRG's mean; among the grouped cases of a DRG whose patient neither died nor
    was transferred.
    """
    way, stay = frame.numbers("leaving_way"), frame.numbers("length_of_stay")
    cost = frame.numbers("total_cost")
    share = _share(cost, frame.mean_cost)
    usual = frame.grouped & np.isfinite(share) & ~np.isnan(stay)
    usual &= (way != DIED) & ~np.isin(way, _TRANSFERRED)
    event = (stay <= limits.short_stay) & (share < limits.low_cost)
    event &= frame.codes("principal_procedure").codes < 0
    return Marked(
        event,
        _kept(frame.codes("drg").codes.astype(np.int64), usual),
        cost,
        numbered(
            _("{:.0f} days in hospital, cost {:.0%} of the mean of the group, no procedure"),
            stay,
            share,
        ),
    )


def refusal(frame: AuditFrame, limits: Limits) -> Marked:
    """Fewer severe cases (推诿重症的线索): MCC or CC, among grouped cases of one ADRG and age.

    The list has the severe cases that were transferred to another institution (离院方式 2, 3). A
    hospital that does not code its complications looks the same.
    """
    seen = upcoding(frame, limits)
    listed = seen.event & np.isin(frame.numbers("leaving_way"), _TRANSFERRED)
    nothing = np.full(len(frame), np.nan)
    note = numbered(_("{} {} severe case, transferred"), *_texts(frame, "drg", "severity"))
    return Marked(seen.event, seen.stratum, nothing, note, listed)


def few_services(frame: AuditFrame, limits: Limits) -> Marked:
    """Full payment for few services (服务不足的线索).

    Counted is a case that cost less than `few_services` of the mean of its DRG in hospitals of its
    level, but at least `low_outlier`, so that it is paid in full; among the grouped cases of the
    DRG and level. A hospital that is cheaper or dearer throughout is not odd here (its cost index
    says it): costs are first divided by the 80 % quantile of its shares. The money is what the case
    cost less than the mean.
    """
    level = frame.codes("hospital_level").codes
    stratum = strata(frame.codes("drg").codes, np.where(level < 0, level.max(initial=0) + 1, level))
    cost, mean = frame.numbers("total_cost"), frame.means(stratum)
    share = _share(cost, mean)
    known = frame.grouped & np.isfinite(share)
    usual = _quantiles(share, frame.codes("hospital").codes.astype(np.int64), known, 0.8)
    whole = np.quantile(share[known], 0.8) if known.any() else np.nan
    own = share / usual * whole
    event = (share >= limits.low_outlier) & (own < limits.few_services)
    return Marked(
        event,
        _kept(stratum, known),
        mean - cost,
        numbered(_("cost {:.0%} of the mean of group and level, paid in full"), share),
        dispersion=_dispersion(event[known], own[known], limits.few_services, whole),
    )


def _dispersion(
    event: NDArray[np.bool_], shares: NDArray[np.float64], limit: float, usual: float
) -> float:
    """Variance of events below a limit that hangs on the 80 % quantile, over independent ones."""
    p = float(event.mean()) if len(event) else 0.0
    if not 0 < p < 1:
        return 1.0
    at_limit, at_usual = (
        float((np.abs(np.log(shares / edge)) < _BAND).sum()) for edge in (limit, usual)
    )
    c = at_limit / max(at_usual, 1.0)
    return max(1.0 + (0.16 * c * c - 0.4 * p * c) / (p * (1 - p)), 1.0)


def shifted(frame: AuditFrame, limits: Limits) -> Marked:
    """Cost shifted to before admission or outpatients (费用前移、外移的线索).

    Counted is a case of which what stands outside the stay, `pre_admission_cost` and
    `outpatient_cost` together, is a greater share of all that the episode cost than in the share
    `outside_share` of the cases of its DRG; among grouped cases that state one of them. The money
    is the cost outside.
    """
    before, beside = (frame.numbers(name) for name in _OUTSIDE)
    stated = (before >= 0) | (beside >= 0)
    # What is not stated beside the other is nothing; a negative amount is none of either.
    outside = np.nan_to_num(before) + np.nan_to_num(beside)
    stated &= ~((before < 0) | (beside < 0))
    cost = frame.numbers("total_cost")
    known = frame.grouped & stated & (cost > 0) & np.isfinite(outside + cost)
    share = np.where(known, outside, 0.0) / np.where(known, outside + cost, 1.0)
    drg = frame.codes("drg").codes.astype(np.int64)
    event = known & (share > _quantiles(share, drg, known, limits.outside_share))
    return Marked(
        event,
        _kept(drg, known),
        outside,
        numbered(_("{:.0%} of all cost before admission or as an outpatient"), share),
    )


def mismatch(frame: AuditFrame, limits: Limits) -> Marked:
    """Principal diagnosis and procedure do not fit (主要诊断与主要手术不符的线索).

    Counted is an ambiguous case (歧义), whose principal procedure no group of its principal
    diagnosis' MDC asks for; and a grouped one whose principal procedure groups of other MDC ask
    for, but none of an MDC that its principal diagnosis may be in (it was grouped by another
    procedure, or as if not operated). Among cases of the MDC with a principal procedure.
    """
    del limits
    operated = frame.codes("principal_procedure").codes >= 0
    ambiguous = frame.is_in("status", ("ambiguous",))
    event = ambiguous | (frame.grouped & frame.foreign_procedure)
    why = np.where(ambiguous, _("ambiguous"), _("not of the same MDC"))
    return Marked(
        event,
        _kept(frame.mdc.codes.astype(np.int64), operated & (ambiguous | frame.grouped)),
        frame.numbers("total_cost"),
        numbered(
            _("principal diagnosis {}, principal procedure {}: {}"),
            *_texts(frame, *_PRINCIPAL),
            why,
        ),
    )


_OUTSIDE = ("pre_admission_cost", "outpatient_cost")
_PRINCIPAL = ("principal_diagnosis", "principal_procedure")

RATES: dict[str, Rate] = {
    "upcoding": Rate(("severity", "total_cost"), upcoding),
    "split_stays": Rate(("patient_id", "admission_date", "discharge_date"), split_stays),
    "low_indication": Rate(("length_of_stay", "total_cost", "principal_procedure"), low_indication),
    "shifted": Rate((" or ".join(_OUTSIDE), "total_cost"), shifted),
    "refusal": Rate(("severity", "total_cost"), refusal, "fewer"),
    "few_services": Rate(("total_cost",), few_services),
    "mismatch": Rate(("status", *_PRINCIPAL, "total_cost"), mismatch),
}
"""The signals of this module by name."""


def _kept(stratum: NDArray[np.int64], among: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.where(among, stratum, -1)


def _share(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    there = (whole > 0) & (part > 0) & np.isfinite(part)
    return np.divide(part, whole, out=np.full(len(part), np.nan), where=there)


def _quantiles(
    values: NDArray[np.float64], group: NDArray[np.int64], among: NDArray[np.bool_], level: float
) -> NDArray[np.float64]:
    """For each case the least value of its group that the share `level` of it does not exceed."""
    rows = np.flatnonzero(among)
    order = rows[np.lexsort((values[rows], group[rows]))]
    place = group + 1
    number = np.bincount(place[order], minlength=int(place.max(initial=0)) + 1)
    some = np.flatnonzero(number)
    at = np.cumsum(number) - number + np.maximum(np.ceil(level * number), 1).astype(np.int64) - 1
    limit = np.full(len(number), np.nan)
    limit[some] = values[order[at[some]]]
    return limit[place]


def _texts(frame: AuditFrame, *names: str) -> list[NDArray[np.object_]]:
    found = [frame.codes(name) for name in names]
    return [np.array([*c.names, ""], object)[c.codes] for c in found]


def _ids(frame: AuditFrame) -> NDArray[np.object_]:
    """Ids of the cases, or their rows from 1."""
    if frame.has("case_id"):
        return _texts(frame, "case_id")[0]
    return np.array([_("row {row}", row=i + 1) for i in range(len(frame))], object)

"""What signals are called, and what they say and do not say."""

from __future__ import annotations

from drgcore.language import N_

SIGNAL_NAMES = {
    "upcoding": N_("more complications coded"),
    "rise": N_("more complications coded than before"),
    "split_stays": N_("split stays, early readmissions"),
    "low_indication": N_("low-indication admissions"),
    "shifted": N_("cost shifted before or outside"),
    "refusal": N_("severe cases refused"),
    "few_services": N_("few services"),
    "mismatch": N_("principal procedure does not fit the principal diagnosis"),
    "copied_lists": N_("same lists of diagnoses"),
    "outlier_edge": N_("cases just beyond the high-cost limit"),
    "long_stay_edge": N_("cases just below the long-stay limit"),
}
"""Name of each signal, in the order in which they are shown."""

DEFINITIONS = {
    "upcoding": N_("more MCC/CC than peers, within one ADRG and age band"),
    "rise": N_(
        "more MCC/CC than the unit's own earlier period lets expect, within one ADRG and age band, "
        "beyond the rise that all units share"
    ),
    "split_stays": N_(
        "more patients back soon in the same hospital and MDC than peers with the same groups"
    ),
    "low_indication": N_(
        "more short, cheap stays without procedure than peers with the same groups"
    ),
    "shifted": N_(
        "more cases with a high share of cost before admission or as an outpatient than peers with "
        "the same groups"
    ),
    "refusal": N_("fewer MCC/CC than peers, within one ADRG and age band"),
    "few_services": N_(
        "more cases far below the mean cost of group and level, but paid in full, than peers"
    ),
    "mismatch": N_(
        "more ambiguous cases, or principal procedures of another MDC than the principal "
        "diagnosis, than peers with the same MDC"
    ),
    "copied_lists": N_(
        "more cases of one doctor with the same other diagnoses than peers with the same ADRG"
    ),
    "outlier_edge": N_(
        "more costs just beyond the high-cost limit than the density on both sides shows"
    ),
    "long_stay_edge": N_(
        "more stays just within the long-stay limit than the density on both sides shows"
    ),
}
"""What is counted, and compared with whom."""

CAUTION = N_(
    "These are signals, not verdicts: a unit may differ from its peers for good reasons (case mix, "
    "specialisation, habits of coding); look at the records before you judge."
)
"""Said with every list: signals, not verdicts."""

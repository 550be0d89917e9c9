"""Why a case is of its class: the texts that results hold, and the same in words."""

from __future__ import annotations

from drgcore.language import _, use_language
from drgcore.points.pieces import piece_texts
from drgcore.points.policy import Policy
from drgcore.points.records import HIGH_BY_COST, HIGH_OUTSIDE, NOT_DEAREST, REASONS


def reasons_of(policy: Policy) -> list[str]:
    """Give the texts of all reasons, the policy's own last, in the order of the loop's numbers.

    Results hold them, and who reads results compares them; so they are the same in any language.

    Parameters
    ----------
    policy : Policy
        The policy.

    Returns
    -------
    list of str
        The texts.

    Examples
    --------
    >>> reasons_of(Policy.load("example"))[-2:]
    ['fixed price: day surgery, cataract', 'bed-day: long stay, psychiatric and rehabilitation']
    """
    with use_language("en"):
        return _reasons(policy)


def reason_in_words(reason: str, policy: Policy) -> str:
    """Say a reason that results hold in the language that is spoken.

    Parameters
    ----------
    reason : str
        One of `reasons_of`.
    policy : Policy
        The policy by which the case earned its points.

    Returns
    -------
    str
        The reason; one that the policy does not give, as it is.

    Examples
    --------
    >>> with use_language("zh"):
    ...     reason_in_words("C > hi·m: by cost", Policy.load("example"))
    'C > hi·m：按费用'
    """
    return dict(zip(reasons_of(policy), _reasons(policy), strict=True)).get(reason, reason)


def _reasons(policy: Policy) -> list[str]:
    reasons = [_(reason) for reason in REASONS]
    high = policy.outliers.high
    if high.quota is not None:
        share = float(high.quota.share) * 100
        if high.multiples is None:
            reasons[HIGH_BY_COST] = _("among the dearest {share:g} % by C/m: by cost", share=share)
            reasons[HIGH_OUTSIDE] = _(
                "among the dearest {share:g} % by C/m: outside the points", share=share
            )
            reasons[NOT_DEAREST] = _("not among the dearest {share:g} % by C/m: P·k", share=share)
    return [
        *reasons,
        *(_("excluded: {name}", name=rule.reason) for rule in policy.exclusions),
        *(_("fixed price: {name}", name=rule.name) for rule in policy.fixed_price),
        *(_("bed-day: {name}", name=rule.name) for rule in policy.bed_day),
        *piece_texts(policy.outliers.pieces),
    ]

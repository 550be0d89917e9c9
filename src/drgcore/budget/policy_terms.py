"""From a policy to the terms of a settlement year."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from drgcore.budget.terms import Terms, exact
from drgcore.errors import BudgetError


def terms_of(policy: Any, year: int) -> Terms:
    """Read the parameters of one year from a policy."""
    terms = policy if isinstance(policy, Terms) else None
    if terms is None:
        raise NotImplementedError
    if terms.year != year:
        raise BudgetError(f"the policy's parameters are those of {terms.year}", where=str(year))
    return terms


def kappas_of(policy: Any, quality: Any, year: int) -> dict[str, Fraction]:
    """Read every hospital's encouragement coefficient."""
    return {str(h): exact(k) for h, k in dict(quality or {}).items()}

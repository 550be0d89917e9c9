"""One case: its codes, its group by two schemes, the evidence, what-if, checks, payment."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query

from drgcore.language import N_
from drgcore.schemes import DEFAULT_SCHEME
from drgcore.serve.calls.codes import find_codes, know_codes
from drgcore.serve.calls.evidence import (
    CheckAsked,
    ExplainAsked,
    WhatIfAsked,
    case_otherwise,
    check_case_list,
    explain_case,
)
from drgcore.serve.calls.money import EstimateAsked, estimate_case
from drgcore.serve.parameters import SchemeGiven
from drgcore.serve.views import LibraryGiven, Views

views = Views()


@views.page("/case", "case.html", N_("One case"), menu=True)
def case(library: LibraryGiven) -> dict[str, Any]:
    """The page of one case: which schemes and policies there are to choose from."""
    return {
        "schemes": [
            {"name": scheme["name"], "title": scheme["title"]} for scheme in library.schemes()
        ],
        "policies": library.policies(),
        "default": DEFAULT_SCHEME,
        "before": "chs-drg-2.0",
    }


@views.fragment("/explain", "case_explain.html", N_("Explain a case"))
def explain(asked: ExplainAsked, library: LibraryGiven) -> dict[str, Any]:
    """The path of one case to its group: every rule that was tried, with the case's facts."""
    return explain_case(asked, library)


@views.fragment("/what-if", "case_what_if.html", N_("What if"), long=True)
def what_if(asked: WhatIfAsked, library: LibraryGiven) -> dict[str, Any]:
    """The groups of one case with one code otherwise. Coding follows the record, not the price."""
    return case_otherwise(asked, library)


@views.fragment("/check", "case_check.html", N_("Check cases"), long=True)
def check(asked: CheckAsked, library: LibraryGiven) -> dict[str, Any]:
    """What is wrong with the front pages of cases."""
    return check_case_list(asked, library)


@views.fragment("/estimate", "case_estimate.html", N_("Points and payment of a case"))
def estimate(asked: EstimateAsked, library: LibraryGiven) -> dict[str, Any]:
    """Points and payment of one case by a policy, with every factor."""
    return estimate_case(asked, library)


@views.router.get("/codes", tags=["codes"], summary=N_("Search codes"))
def codes(
    library: LibraryGiven,
    q: Annotated[
        str, Query(max_length=200, description="a code, a name, or pinyin initials of a name")
    ] = "",
    code: Annotated[
        list[str] | None, Query(max_length=500, description="codes that are known, in place of q")
    ] = None,
    kind: Annotated[
        Literal["diagnoses", "procedures"] | None, Query(description="only codes of this kind")
    ] = None,
    scheme: SchemeGiven = DEFAULT_SCHEME,
    principal: Annotated[
        str, Query(max_length=200, description="principal diagnosis, which may exclude MCC and CC")
    ] = "",
    limit: Annotated[int, Query(ge=1, le=100, description="at most so many codes")] = 20,
) -> list[dict[str, Any]]:
    """Codes by code, name or pinyin initials (q), or given ones (code), with MCC/CC marks."""
    if code:
        return know_codes(code, library, scheme=scheme, principal=principal)
    return find_codes(q, library, kind=kind, scheme=scheme, principal=principal, limit=limit)

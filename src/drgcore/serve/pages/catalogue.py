"""Schemes and policies: looked through, searched, compared, checked, explained."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query

from drgcore.language import N_
from drgcore.serve.calls.library import Library
from drgcore.serve.calls.policies import PolicyAsked, check_policy_file
from drgcore.serve.calls.schemes import SHEETS, Sheet, compare_schemes, scheme_sheet
from drgcore.serve.parameters import Part, SearchText
from drgcore.serve.views import LibraryGiven, Views

views = Views()

Name = Annotated[str, Query(max_length=200, description="a name of GET /schemes")]
Which = Annotated[Sheet, Query(description="a sheet of the scheme")]


@views.page("/schemes", "schemes.html", "Schemes", menu=True)
def schemes(library: LibraryGiven) -> list[dict[str, object]]:
    """The schemes that there are: name, title, base, region, year, first day, counts."""
    return library.schemes()


@views.page("/schemes/compare", "scheme_compare.html", N_("Compare schemes"))
def compare(
    library: LibraryGiven,
    before: Name = "chs-drg-2.0",
    after: Name = "chs-drg-3.0",
    sheet: Which = "adrg",
    part: Part = 1,
) -> dict[str, Any]:
    """What differs between two schemes: how much in each table, and the changes of one."""
    told = compare_schemes(before, after, library, sheet=sheet, part=part)
    return {**told, "sheets": SHEETS, "schemes": _names(library)}


@views.page("/schemes/{name}", "scheme.html", N_("A scheme"))
def scheme(
    name: Annotated[str, Path(description="a name of GET /schemes")],
    library: LibraryGiven,
    sheet: Which = "adrg",
    q: SearchText = "",
    part: Part = 1,
) -> dict[str, Any]:
    """A part of a sheet of a scheme, of the rows that hold a text (q)."""
    return {**scheme_sheet(name, library, sheet=sheet, text=q, part=part), "sheets": SHEETS}


@views.page("/policies", "policies.html", N_("Policies"), menu=True)
def policies(library: LibraryGiven) -> list[dict[str, object]]:
    """The policies that there are: name, title, region, year, whether each ships."""
    return library.policies()


@views.fragment("/policies/check", "policy_check.html", N_("Check a policy"))
def check_policy(asked: PolicyAsked, library: LibraryGiven) -> dict[str, Any]:
    """What is wrong with a policy, what it asks for, and the policy as sentences."""
    return check_policy_file(asked, library)


def _names(library: Library) -> list[str]:
    return [str(scheme["name"]) for scheme in library.schemes()]

"""The read-only calls as tools of the Model Context Protocol (extra `mcp`)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, TypeVar

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import Tool, ToolAnnotations
from pydantic import Field

from drgcore.errors import DrgcoreError
from drgcore.grouper.extras import program_version
from drgcore.language import N_, _
from drgcore.schemes import DEFAULT_SCHEME
from drgcore.schemes.store import CodeKind
from drgcore.serve.calls.cases import Case, CasesAsked
from drgcore.serve.calls.codes import find_codes
from drgcore.serve.calls.evidence import (
    CheckAsked,
    ExplainAsked,
    TextsIn,
    WhatIfAsked,
    case_otherwise,
    check_case_list,
    explain_case,
)
from drgcore.serve.calls.grouping import group_cases
from drgcore.serve.calls.library import Library
from drgcore.serve.calls.money import EstimateAsked, estimate_case
from drgcore.serve.calls.policies import PolicyAsked, check_policy_file
from drgcore.serve.calls.schemes import Sheet, scheme_sheet
from drgcore.serve.calls.schemes import compare_schemes as compare_two
from drgcore.serve.described import spoken
from drgcore.serve.logs import LOGGER, where_it_failed

_ABOUT = N_(
    "CHS-DRG grouping and point-based payment of China's health security funds (按病组付费). "
    "Codes are of the insurance version (医保版). Every tool only reads; nothing is kept. Coding "
    "follows the record, not the price: no tool advises a coding."
)
_READS = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
_MOST_CASES = 1000

_Function = TypeVar("_Function", bound=Callable[..., Any])
Cases = Annotated[
    list[Case], Field(min_length=1, max_length=_MOST_CASES, description="one or more cases")
]
OneCase = Annotated[Case, Field(description="one case")]
SchemeName = Annotated[str, Field(description="a name of list_schemes")]
SchemeOrDate = Annotated[
    str, Field(description="a name of list_schemes, or by-date for that of the day of discharge")
]
Clinical = Annotated[bool, Field(description="codes are of the clinical version (国临版)")]
Schemes = Annotated[list[str] | None, Field(description="further schemes to group by")]
Diagnoses = Annotated[list[str] | None, Field(description="diagnoses of which each is added once")]
Procedures = Annotated[
    list[str] | None, Field(description="procedures of which each is added once")
]
PolicyName = Annotated[str, Field(description="a name of list_policies")]
Value = Annotated[float | None, Field(description="value of a point [yuan], for the payment")]
Kind = Annotated[CodeKind | None, Field(description="only codes of this kind")]
Limit = Annotated[int, Field(ge=1, le=100, description="at most so many codes")]
Which = Annotated[Sheet, Field(description="a sheet of the scheme")]
Part = Annotated[int, Field(description="which part of the rows, from 1")]


class Tools(MCPServer[Any]):
    """A server whose tools are described in the language that is spoken."""

    async def list_tools(self) -> list[Tool]:
        """Give the tools."""
        return [
            tool.model_copy(
                update={
                    "description": _(tool.description or ""),
                    "input_schema": spoken(tool.input_schema),
                }
            )
            for tool in await self.list_described()
        ]

    async def list_described(self) -> list[Tool]:
        """Give the tools as the code has them, with the messages of the catalogue."""
        return await super().list_tools()


def make_tools(library: Library | None = None) -> Tools:
    """A server with the read-only calls as tools.

    Parameters
    ----------
    library : Library, optional
        What is known by name; by default what ships.

    Returns
    -------
    Tools
        Its ``run()`` speaks by standard input and output.

    Examples
    --------
    >>> import asyncio
    >>> tools = asyncio.run(make_tools().list_tools())
    >>> [tool.name for tool in tools][:3]
    ['group', 'explain', 'what_if']
    """
    known = library or Library()
    server = Tools(
        "drgcore", version=program_version(), instructions=_(_ABOUT), log_level="WARNING"
    )
    # The SDK logs what a tool raises, with values of the case; what is logged here has none.
    for name in ("mcp", "mcp.server"):
        logging.getLogger(name).setLevel(logging.CRITICAL)

    def tool(function: _Function) -> _Function:
        server.add_tool(_careful(function), annotations=_READS, structured_output=False)
        return function

    @tool
    def group(
        cases: Cases, scheme: SchemeOrDate = DEFAULT_SCHEME, clinical_codes: Clinical = False
    ) -> dict[str, Any]:
        """Group cases: MDC, ADRG, DRG, their names, status, reason and severity of each."""
        asked = CasesAsked(scheme=scheme, clinical_codes=clinical_codes, cases=cases)
        return group_cases(asked, known)

    @tool
    def explain(
        case: OneCase,
        scheme: SchemeOrDate = DEFAULT_SCHEME,
        clinical_codes: Clinical = False,
        lang: TextsIn = None,
    ) -> str:
        """The whole path of one case to its group: facts, complications, rules in their order."""
        asked = ExplainAsked(scheme=scheme, clinical_codes=clinical_codes, case=case, lang=lang)
        return str(explain_case(asked, known)["text"])

    @tool
    def what_if(
        case: OneCase,
        scheme: SchemeName = DEFAULT_SCHEME,
        clinical_codes: Clinical = False,
        schemes: Schemes = None,
        add_diagnoses: Diagnoses = None,
        add_procedures: Procedures = None,
    ) -> dict[str, Any]:
        """The groups of a case with one code otherwise; for checking, it advises no coding."""
        asked = WhatIfAsked(
            scheme=scheme,
            clinical_codes=clinical_codes,
            case=case,
            schemes=schemes or [],
            add_diagnoses=add_diagnoses or [],
            add_procedures=add_procedures or [],
        )
        return case_otherwise(asked, known)

    @tool
    def check(
        cases: Cases,
        scheme: SchemeName = DEFAULT_SCHEME,
        clinical_codes: Clinical = False,
        lang: TextsIn = None,
    ) -> dict[str, Any]:
        """What is wrong with the front pages of cases, before they are grouped."""
        asked = CheckAsked(scheme=scheme, clinical_codes=clinical_codes, cases=cases, lang=lang)
        return check_case_list(asked, known)

    @tool
    def estimate(
        case: OneCase,
        policy: PolicyName,
        value: Value = None,
        scheme: SchemeOrDate = DEFAULT_SCHEME,
        clinical_codes: Clinical = False,
    ) -> dict[str, Any]:
        """Points of one case by a policy with every factor; with the value of a point, payment."""
        asked = EstimateAsked(
            scheme=scheme, clinical_codes=clinical_codes, case=case, policy=policy, value=value
        )
        return estimate_case(asked, known)

    @tool
    def search_codes(
        text: Annotated[str, Field(description="a code, a name, or pinyin initials of a name")],
        kind: Kind = None,
        scheme: SchemeName = DEFAULT_SCHEME,
        principal: Annotated[
            str, Field(description="principal diagnosis, which may exclude MCC and CC")
        ] = "",
        limit: Limit = 20,
    ) -> list[dict[str, Any]]:
        """Codes by code, name or pinyin initials; MCC/CC, which `principal` may exclude."""
        return find_codes(text, known, kind=kind, scheme=scheme, principal=principal, limit=limit)

    @tool
    def list_schemes() -> list[dict[str, Any]]:
        """The grouping schemes that there are."""
        return known.schemes()

    @tool
    def show_scheme(
        scheme: SchemeName = DEFAULT_SCHEME,
        sheet: Which = "adrg",
        text: Annotated[
            str, Field(description="only rows that hold this text; empty for all")
        ] = "",
        part: Part = 1,
    ) -> dict[str, Any]:
        """A part of a sheet of a scheme, of the rows that hold a text: groups, rules, sets, CC."""
        return scheme_sheet(scheme, known, sheet=sheet, text=text, part=part)

    @tool
    def compare_schemes(
        before: SchemeName = "chs-drg-2.0",
        after: SchemeName = "chs-drg-3.0",
        sheet: Which = "adrg",
        part: Part = 1,
    ) -> dict[str, Any]:
        """What differs between two schemes: counts of all sheets, the changes of one."""
        return compare_two(before, after, known, sheet=sheet, part=part)

    @tool
    def list_policies() -> list[dict[str, Any]]:
        """The payment policies that there are."""
        return known.policies()

    @tool
    def check_policy(
        name: Annotated[str, Field(description="a name of list_policies")] = "",
        text: Annotated[
            str, Field(description="a policy file (TOML); tables beside it cannot be named")
        ] = "",
    ) -> dict[str, Any]:
        """What is wrong with a policy (its name, or its text as TOML), and it as sentences."""
        return check_policy_file(PolicyAsked(name=name, text=text), known)

    return server


def _careful(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose errors say what to do where they are known, and else nothing of a case."""

    @wraps(function)
    def called(*args: Any, **given: Any) -> Any:
        try:
            return function(*args, **given)
        except DrgcoreError as error:
            raise ToolError(str(error)) from None
        except Exception as error:
            LOGGER.error("tool failed", extra=where_it_failed(error))
            raise ToolError(_("an error that nobody expected")) from None

    return called

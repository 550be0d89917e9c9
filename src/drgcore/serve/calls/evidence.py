"""Why a case is in its group, what another coding would mean, what is wrong with it."""

from __future__ import annotations

from dataclasses import asdict
from functools import lru_cache
from typing import Annotated, Any

import pyarrow as pa
from pydantic import Field

from drgcore.cases import CANONICAL_SCHEMA, CaseMapping, open_cases
from drgcore.checks.catalogue import Catalogue
from drgcore.checks.check import CheckRun
from drgcore.checks.findings import FINDINGS_SCHEMA
from drgcore.estimate import what_if
from drgcore.estimate.what_if import NOTE
from drgcore.grouper import explain
from drgcore.grouper.account import account_of
from drgcore.language import _, get_language
from drgcore.serve.calls.cases import CaseAsked, CasesAsked, Code, table_of
from drgcore.serve.calls.library import Library
from drgcore.serve.settings import Language

_MOST_ADDED = 20


TextsIn = Annotated[
    Language | None, Field(description="language of the texts; by default that of the answer")
]


class ExplainAsked(CaseAsked):
    """Why is a case in its group?"""

    lang: TextsIn = None


class WhatIfAsked(CaseAsked):
    """What group would a case have if it were coded otherwise?"""

    schemes: Annotated[list[Code], Field(max_length=4)] = Field(
        [], description="further schemes to group by"
    )
    add_diagnoses: Annotated[list[Code], Field(max_length=_MOST_ADDED)] = Field(
        [], description="diagnoses of which each is added once"
    )
    add_procedures: Annotated[list[Code], Field(max_length=_MOST_ADDED)] = Field(
        [], description="procedures of which each is added once"
    )


class CheckAsked(CasesAsked):
    """What is wrong with cases?"""

    lang: TextsIn = None


def explain_case(asked: ExplainAsked, library: Library) -> dict[str, Any]:
    """The path of a case: result, complications, and every rule that was tried, as a tree.

    Examples
    --------
    >>> from drgcore.serve.calls.cases import Case
    >>> case = Case(principal_diagnosis="G11.900", other_diagnoses=["S52.804"], sex=2, age_years=69)
    >>> told = explain_case(ExplainAsked(case=case, lang="en"), Library())
    >>> told["result"]["drg"], told["complications"][0]["type"], told["complications"][0]["counts"]
    ('BU23', 'CC', True)
    """
    lang = asked.lang or get_language()
    why = explain(
        table_of([asked.case]),
        library.scheme_place(asked.scheme),
        clinical_codes=asked.clinical_codes,
        lang=lang,
    )
    account, result, scheme = account_of(why, lang), why.result, why.scheme
    groups = {"mdc": result.mdc, "adrg": result.adrg, "drg": result.drg}
    return {
        "scheme": scheme.name,
        "result": {
            **{level: group and group.code for level, group in groups.items()},
            **{
                f"{level}_name": group and scheme.name_of(group.code)
                for level, group in groups.items()
            },
            "status": result.status,
            "reason": result.reason,
            "reasons": list(result.reasons),
            "severity": result.severity,
        },
        "complications": [
            {"code": c.code, "type": c.type, "counts": c.counted, "exclusion": c.exclusion}
            for c in why.complications
        ],
        "unknown": [{"text": u.shown, "column": u.column, "near": u.near} for u in why.unknown],
        "account": asdict(account),
        "text": why.text(lang),
    }


def case_otherwise(asked: WhatIfAsked, library: Library) -> dict[str, Any]:
    """A case as it is coded and with one code otherwise, in the order of the record.

    Examples
    --------
    >>> from drgcore.serve.calls.cases import Case
    >>> case = Case(principal_diagnosis="G11.900", other_diagnoses=["S52.804"], sex=2, age_years=69)
    >>> rows = case_otherwise(WhatIfAsked(case=case), Library())["variants"]
    >>> [(row["kind"], row["code"], row["drg"]) for row in rows if row["changes"]]
    [('principal_diagnosis', 'S52.804', 'IS19'), ('without_diagnosis', 'S52.804', 'BU25')]
    """
    found = what_if(
        table_of([asked.case]),
        library.scheme(asked.scheme),
        clinical_codes=asked.clinical_codes,
        schemes=[library.scheme(name) for name in asked.schemes],
        add_diagnoses=asked.add_diagnoses,
        add_procedures=asked.add_procedures,
    )
    return {
        "note": _(NOTE),
        "variants": [
            # What a variant has not is NaN to pandas, and no value of JSON.
            {name: None if value != value else value for name, value in row.items()}
            for row in found.table.to_dict("records")
        ],
    }


def check_case_list(asked: CheckAsked, library: Library) -> dict[str, Any]:
    """What is wrong with cases before they are grouped; findings by row, the first is 1.

    Examples
    --------
    >>> from drgcore.serve.calls.cases import Case
    >>> case = Case(principal_diagnosis="N40.x00", sex=2, age_years=65)
    >>> told = check_case_list(CheckAsked(cases=[case]), Library())
    >>> [finding["check"] for finding in told["findings"]]
    ['S02', 'S05']
    """
    table = table_of(asked.cases)
    # What no case says is no column: a check of it is not run, instead of finding it empty.
    said = [n for n in table.column_names if n in _ALWAYS or table[n].null_count < len(table)]
    run = CheckRun(library.scheme(asked.scheme), _catalogue(), asked.clinical_codes)
    with open_cases(table.select(said)) as source:
        parts = list(
            run.tables(source, CaseMapping.preset("canonical"), asked.lang or get_language())
        )
    findings = pa.concat_tables([FINDINGS_SCHEMA.empty_table(), *parts])
    report = run.report()
    columns = ("row", "check", "level", "fields", "values", "message", "message_en")
    return {
        "cases": len(asked.cases),
        "findings": findings.select(columns).to_pylist(),
        "checks": report.checks.select(("check", "level", "status", "why")).to_pylist(),
    }


_ALWAYS = CANONICAL_SCHEMA.names


@lru_cache(maxsize=1)
def _catalogue() -> Catalogue:
    return Catalogue.load(None)

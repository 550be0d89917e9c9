"""What comes in: canonical columns, mappings, readers, checks of a value."""

from drgcore.cases.batch import CaseArrays, encode_cases
from drgcore.cases.codes import FIRST_CODE, MISSING, UNKNOWN, CodeIndex, TranslationCount
from drgcore.cases.columns import CANONICAL_SCHEMA, LOCAL_SCHEMA
from drgcore.cases.guessing import GuessedMapping, guess_mapping
from drgcore.cases.joining import JoinedCases, join_cases
from drgcore.cases.mapping import CaseMapping
from drgcore.cases.pseudonyms import pseudonymise
from drgcore.cases.readers import open_cases
from drgcore.cases.resolving import CodeColumns, ResolvedMapping
from drgcore.cases.source import CaseSource
from drgcore.cases.statuses import STATUSES
from drgcore.cases.values import (
    INVALID_NUMBER,
    MISSING_NUMBER,
    parse_age_days,
    parse_age_years,
    parse_icu_hours,
    parse_leaving_way,
    parse_length_of_stay,
    parse_newborn_weight,
    parse_sex,
)
from drgcore.cases.whole import read_table

__all__ = [
    "CANONICAL_SCHEMA",
    "FIRST_CODE",
    "INVALID_NUMBER",
    "LOCAL_SCHEMA",
    "MISSING",
    "MISSING_NUMBER",
    "STATUSES",
    "UNKNOWN",
    "CaseArrays",
    "CaseMapping",
    "CaseSource",
    "CodeColumns",
    "CodeIndex",
    "GuessedMapping",
    "JoinedCases",
    "ResolvedMapping",
    "TranslationCount",
    "encode_cases",
    "guess_mapping",
    "join_cases",
    "open_cases",
    "parse_age_days",
    "parse_age_years",
    "parse_icu_hours",
    "parse_leaving_way",
    "parse_length_of_stay",
    "parse_newborn_weight",
    "parse_sex",
    "pseudonymise",
    "read_table",
]

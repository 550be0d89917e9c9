"""What pydantic finds wrong with a value, in the language that is spoken."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from drgcore.language import N_, _

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

__all__ = ["words_of"]

_WORDS: Mapping[str, str] = {
    "missing": N_("it is required"),
    "extra_forbidden": N_("there is no such key"),
    "none_required": N_("it must be empty"),
    "bool_type": N_("it must be true or false"),
    "bool_parsing": N_("it must be true or false"),
    "int_type": N_("it must be a whole number"),
    "int_parsing": N_("it must be a whole number"),
    "int_from_float": N_("it must be a whole number"),
    "float_type": N_("it must be a number"),
    "float_parsing": N_("it must be a number"),
    "decimal_type": N_("it must be a number"),
    "decimal_parsing": N_("it must be a number"),
    "finite_number": N_("it must be a finite number"),
    "decimal_max_places": N_("it has at most {decimal_places} decimals"),
    "decimal_max_digits": N_("it has at most {max_digits} digits"),
    "decimal_whole_digits": N_("it has at most {whole_digits} digits before the decimal point"),
    "string_type": N_("it must be a text"),
    "string_too_short": N_("it must have at least {min_length} characters"),
    "string_too_long": N_("it must have at most {max_length} characters"),
    "string_pattern_mismatch": N_("it must match {pattern}"),
    "list_type": N_("it must be a list"),
    "tuple_type": N_("it must be a list"),
    "set_type": N_("it must be a list"),
    "frozen_set_type": N_("it must be a list"),
    "dict_type": N_("it must be a table of keys and values"),
    "mapping_type": N_("it must be a table of keys and values"),
    "model_type": N_("it must be a table of keys and values"),
    "model_attributes_type": N_("it must be a table of keys and values"),
    "too_short": N_("it must have at least {min_length} items, and has {actual_length}"),
    "too_long": N_("it must have at most {max_length} items"),
    "greater_than": N_("it must be greater than {gt}"),
    "greater_than_equal": N_("it must be at least {ge}"),
    "less_than": N_("it must be less than {lt}"),
    "less_than_equal": N_("it must be at most {le}"),
    "multiple_of": N_("it must be a multiple of {multiple_of}"),
    "enum": N_("it must be one of {expected}"),
    "literal_error": N_("it must be one of {expected}"),
    "union_tag_invalid": N_("it must be one of {expected_tags}"),
    "union_tag_not_found": N_("it must say its {discriminator}"),
    "date_type": N_("it must be a date"),
    "date_parsing": N_("it must be a date"),
    "date_from_datetime_parsing": N_("it must be a date"),
    "date_from_datetime_inexact": N_("it must be a date"),
    "datetime_type": N_("it must be a date"),
    "datetime_parsing": N_("it must be a date"),
    "json_invalid": N_("it is no JSON: {error}"),
    "json_type": N_("it is no JSON"),
}
"""Type of pydantic's finding → what is said of it, with the values of its context."""


def words_of(found: ErrorDetails | Mapping[str, Any]) -> str:
    """Say one of pydantic's findings in the language that is spoken.

    Parameters
    ----------
    found : ErrorDetails
        One of ``ValidationError.errors()``.

    Returns
    -------
    str
        What is wrong. What a validator of drgcore raises says it itself; of a type that is not
        listed it is pydantic's own English.

    Examples
    --------
    >>> from pydantic import TypeAdapter, ValidationError
    >>> try:
    ...     TypeAdapter(int).validate_python("many")
    ... except ValidationError as error:
    ...     words_of(error.errors()[0])
    'it must be a whole number'
    """
    text = _WORDS.get(found["type"])
    if text is None:
        return re.sub(r"^(Value error|Assertion failed), ", "", str(found["msg"]))
    values = {name: _shown(value) for name, value in (found.get("ctx") or {}).items()}
    return _(text, **values)


def _shown(value: Any) -> str:
    # Lists of choices come in English: 'a', 'b' or 'c'.
    return re.sub(r"(?<=') or (?=')", ", ", str(value))

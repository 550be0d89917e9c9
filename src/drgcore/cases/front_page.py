"""Where the columns of the front page stand that only checks ask for."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
from pyarrow import types

from drgcore.cases.columns import FRONT_PAGE_COSTS, FRONT_PAGE_SCHEMA
from drgcore.cases.fees import FEE_COLUMNS
from drgcore.cases.resolving import ColumnFinder, expand
from drgcore.errors import CaseSchemaError
from drgcore.language import _

_CANONICAL = {
    field.name: f"{field.name}?" for field in FRONT_PAGE_SCHEMA if not types.is_list(field.type)
} | {
    "other_procedure_dates": "other_procedure_dates or other_procedure_date_{1..500}?",
    "cost_categories": "cost_category_{1..60}?",
}

_HQMS = {
    **dict(
        zip(
            (field.name for field in FRONT_PAGE_COSTS),
            (f"D{number}?" for number in range(11, 35)),
            strict=True,
        )
    ),
    "case_id": "A48?",
    "hospital": "A01 or A02?",
    "doctor_id": "B24?",
    "external_cause": "C12C?",
    "pathology_code": "C09C?",
    "birth_date": "A13?",
    "admission_date": "B12?",
    "discharge_date": "B15?",
    "principal_procedure_date": "C16x01?",
    "other_procedure_dates": "C37x{01..40}?",
    "admission_condition": "C05C?",
    "total_cost": "D01?",
    "patient_paid": "D09?",
    "cost_physical_therapy": "D19x01?",
    "cost_anaesthesia": "D20x01?",
    "cost_operation": "D20x02?",
    "cost_antibacterials": "D23x01?",
}

FRONT_PAGE_PRESETS: Mapping[str, Mapping[str, str]] = {"canonical": _CANONICAL, "hqms": _HQMS}
"""Preset → canonical column → where it stands, written as `CaseMapping` writes it."""


def find_front_page(
    schema: pa.Schema, specs: Mapping[str, str | tuple[str, ...] | None]
) -> dict[str, tuple[str, ...]]:
    """Find the front page's columns in the data at hand.

    Parameters
    ----------
    schema : pyarrow.Schema
        Of the data.
    specs : mapping of str to str, tuple of str, or None
        Canonical column → where it stands: a name, alternatives joined by `` or ``, a pattern of
        numbered columns, or several names; what ends with ``?`` may be absent.

    Returns
    -------
    dict of str to tuple of str
        Of each canonical column that the data have, their columns; those that are absent are
        left out.

    Raises
    ------
    CaseSchemaError
        A column that must be there is not, or a name is ambiguous.

    Examples
    --------
    >>> schema = pa.schema({"B12": pa.string(), "C37x01": pa.string(), "C37x02": pa.string()})
    >>> find_front_page(schema, {"admission_date": "B12?", "birth_date": "A13?",
    ...                          "other_procedure_dates": "C37x{01..40}?"})
    {'admission_date': ('B12',), 'other_procedure_dates': ('C37x01', 'C37x02')}
    """
    finder = ColumnFinder(schema)
    found: dict[str, tuple[str, ...]] = {}
    missing = []
    for canonical, spec in specs.items():
        if spec is None:
            continue
        names = _names(finder, spec)
        if names:
            found[canonical] = names
        elif isinstance(spec, tuple) or not spec.endswith("?"):
            missing.append(f"{canonical}: {spec!r}")
    if missing:
        raise CaseSchemaError(
            _("columns are missing from the data:\n  {missing}", missing="\n  ".join(missing)),
            hint=_("Correct the mapping; a name that ends with ? may be absent."),
        )
    if "cost_categories" not in found:
        # The front page's own categories, or else its items, where all of them are there.
        categories = _names(finder, tuple(FEE_COLUMNS))
        items = [found.get(field.name, ()) for field in FRONT_PAGE_COSTS]
        if categories or all(items):
            found["cost_categories"] = categories or tuple(name for (name,) in items)
    return found


def _names(finder: ColumnFinder, spec: str | tuple[str, ...]) -> tuple[str, ...]:
    if isinstance(spec, tuple):
        names = [finder.find(name) for name in spec]
        return tuple(name for name in names if name is not None) if all(names) else ()
    for alternative in spec.removesuffix("?").split(" or "):
        names = [finder.find(name) for name in expand(alternative.strip())]
        if there := tuple(name for name in names if name is not None):
            return there
    return ()

"""`what_if`: the groups that a case would have if it were coded otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from drgcore.cases import CaseMapping, open_cases
from drgcore.cases.codes import MISSING, UNKNOWN
from drgcore.cases.guessing import mapping_for
from drgcore.cases.one_case import one_case, whole_row
from drgcore.errors import CaseSchemaError
from drgcore.estimate.prices import priced, weights_by_drg
from drgcore.estimate.variants import KINDS, Variants, variants_of
from drgcore.grouper.account import code_name
from drgcore.grouper.batch import BatchGrouper
from drgcore.language import N_, Texts, _, get_language, heading
from drgcore.points import Policy
from drgcore.schemes import Scheme

NOTE = N_(
    "Coding follows the record, not the price: this table is for checking, it advises no coding."
)
"""Stands above every table of variants; a message of the catalogue."""

VARIANT_KINDS = Texts(
    {
        "as_coded": N_("as coded"),
        "principal_diagnosis": N_("as the principal diagnosis"),
        "principal_procedure": N_("as the principal procedure"),
        "without_diagnosis": N_("without the diagnosis"),
        "without_principal_procedure": N_("without the principal procedure"),
        "without_procedure": N_("without the procedure"),
        "with_diagnosis": N_("with the diagnosis"),
        "with_procedure": N_("with the procedure"),
        "scheme": N_("by another scheme"),
    }
)
"""Kind of a variant → what it is, in the language that is spoken."""

_RESULTS = ("mdc", "adrg", "drg", "status", "reason", "severity", "reasons")
_COLUMNS = (
    *("kind", "code", "name", "scheme", "mdc", "adrg", "drg", "drg_name", "status", "reason"),
    *("reasons", "severity", "complication", "counts", "changes"),
    *("decided_by", "deciding_group", "deciding_rule"),
)
_SHOWN = ("kind", "code", "name", "drg", "drg_name", "severity", "weight", "points", "payment")


@dataclass(frozen=True)
class WhatIf:
    """The variants of one case.

    Parameters
    ----------
    table : pandas.DataFrame
        One row a variant: `kind` (`variants.KINDS`, or `scheme`), `code` that was moved, left out
        or added, its `name`, `scheme`, `mdc`, `adrg`, `drg`, `drg_name`, `status`, `reason`,
        `reasons` (a list of all of them; None where there is none), `severity`; `complication`
        (`MCC` or `CC` where a diagnosis left out is listed as one) and `counts` (whether the
        principal diagnosis lets it count); `changes` (whether the DRG or the status is another);
        `decided_by`, the rule that decides as a text, `deciding_group` and `deciding_rule` as data:
        that of the ADRG where that is another, else of the DRG; where they were asked for `weight`,
        `case_class`, `points`,
        `payment` [yuan]. The first row is the case as it is coded.
    """

    table: pd.DataFrame

    @property
    def changes(self) -> pd.DataFrame:
        """The variants that have another group."""
        return self.table[self.table["changes"]]

    def __str__(self) -> str:
        shown = self.table[[name for name in _SHOWN if name in self.table]]
        shown = shown.astype(object).fillna("")
        if get_language() == "zh":
            severities = shown["severity"].replace("none", _("none"))
            shown = shown.assign(kind=shown["kind"].map(VARIANT_KINDS), severity=severities)
            shown = shown.rename(columns=heading)
        with pd.option_context("display.unicode.east_asian_width", True):
            return f"{_(NOTE)}\n{shown.to_string(index=False)}"


def what_if(
    case: Any,
    scheme: str | Path | Scheme = "chs-drg-3.0",
    *,
    mapping: str | Path | CaseMapping = "canonical",
    clinical_codes: bool = False,
    schemes: Sequence[str | Path | Scheme] = (),
    add_diagnoses: Sequence[str] = (),
    add_procedures: Sequence[str] = (),
    weights: Any = None,
    policy: Policy | None = None,
    values: Mapping[str, Any] | None = None,
    by: Literal["record", "payment"] = "record",
) -> WhatIf:
    """Group a case as it is coded, and as it would be with one code otherwise.

    Each other diagnosis as the principal one (and likewise each other procedure), each code left
    out, each given code added, each other scheme. For every complication this says what it is worth
    that it counts.

    Coding follows the record, not the price. The order is therefore that of the record: as coded,
    then by the place of the code on the front page. Only on request (``by="payment"``) it is by
    what would be paid.

    Parameters
    ----------
    case : anything of one row that `group` takes
        The case.
    scheme, mapping, clinical_codes
        As for `group`.
    schemes : sequence, optional
        Other schemes to group the case by as it is coded.
    add_diagnoses, add_procedures : sequence of str, optional
        Codes to add, one at a time.
    weights : mapping of str to float, or table, optional
        Weights by DRG, see `weights_by_drg`.
    policy : Policy, optional
        For points; the case must then have what the policy asks for (cost, hospital, pool …).
    values : mapping of str to number, optional
        Value of a point by pool [yuan], for payments.
    by : {"record", "payment"}
        The order of the variants.

    Returns
    -------
    WhatIf

    Raises
    ------
    CaseSchemaError
        When `case` is not one row, or a code to add is in no dictionary.

    Examples
    --------
    >>> import drgcore
    >>> found = drgcore.what_if({
    ...     "principal_diagnosis": "G11.900", "other_diagnoses": ["S52.804"], "sex": 2,
    ...     "age_years": 69}, schemes=["chs-drg-1.1"])
    >>> found.table[["kind", "code", "drg", "severity", "changes"]].fillna("").values.tolist()
    ... # doctest: +NORMALIZE_WHITESPACE
    [['as_coded', '', 'BU23', 'CC', False],
     ['principal_diagnosis', 'S52.804', 'IS19', 'CC', True],
     ['without_diagnosis', 'S52.804', 'BU25', 'none', True],
     ['scheme', '', 'BU25', 'CC', True]]
    """
    grouper = BatchGrouper.of(scheme, clinical_codes)
    if one_case(case) is not None:
        case = whole_row(case, mapping)
    mapping = mapping_for(mapping, case)
    with open_cases(case) as source:
        resolved = grouper.resolve(mapping, source.schema)
        source.expect_codes(resolved.code_names())
        row = pa.Table.from_batches(list(source.batches()), source.schema)
    if len(row) != 1:
        raise CaseSchemaError(_("what_if takes one case, not {count} rows", count=len(row)))
    batch = row.combine_chunks().to_batches()[0]
    variants = variants_of(
        grouper.encode(batch, resolved),
        diagnoses=tuple(_id(grouper.diagnoses, code) for code in add_diagnoses),
        procedures=tuple(_id(grouper.procedures, code) for code in add_procedures),
    )
    rows = _grouped(grouper, variants)
    for line, code in zip(rows, codes_of(grouper, variants), strict=True):
        line["code"] = code
    _complications(rows, grouper, variants)
    used = {grouper.tables.scheme.name: grouper.tables.scheme}
    for other in schemes:
        more = BatchGrouper.of(other, clinical_codes)
        arrays = more.encode(batch, more.resolve(mapping, batch.schema))
        used[more.tables.scheme.name] = more.tables.scheme
        rows += [
            line | {"kind": "scheme", "code": None}
            for line in _grouped(more, variants_of(arrays))[:1]
        ]
    _judge(rows, used)
    table = pd.DataFrame({name: _column(rows, name) for name in _COLUMNS})
    table = _priced(table, row, weights, policy, values)
    if by == "payment":
        measure = next((m for m in ("payment", "points", "weight") if m in table), None)
        if measure is None:
            raise CaseSchemaError(_("an order by payment needs weights or a policy"))
        rest = table.iloc[1:].sort_values(measure, ascending=False, kind="stable")
        table = pd.concat([table.iloc[:1], rest], ignore_index=True)
    return WhatIf(table)


def _column(rows: list[dict[str, Any]], name: str) -> np.ndarray:
    # Not np.array of the values: lists of one length would become a second axis.
    column = np.empty(len(rows), bool if name == "changes" else object)
    for at, line in enumerate(rows):
        column[at] = line.get(name)
    return column


def codes_of(
    grouper: BatchGrouper, variants: Variants, at: np.ndarray | None = None
) -> list[str | None]:
    """The code that makes each variant (of those `at`), None as coded; unknown codes are ``?``."""
    every = np.arange(len(variants)) if at is None else at
    ids = variants.code[every]
    diagnosis = np.array(["diagnosis" in kind for kind in KINDS])[variants.kind[every]]
    texts = np.full(len(every), None, object)
    for of_field, index in ((diagnosis, grouper.diagnoses), (~diagnosis, grouper.procedures)):
        known = of_field & (ids > UNKNOWN)
        texts[known] = index.decode(ids[known]).to_numpy(zero_copy_only=False)
    texts[ids == UNKNOWN] = "?"
    found: list[str | None] = texts.tolist()
    return found


def _id(index: Any, code: str) -> int:
    found = int(index.lookup(code))
    if found in (MISSING, UNKNOWN):
        raise CaseSchemaError(_("{code!r} is in no dictionary of the insurance version", code=code))
    return found


def _grouped(grouper: BatchGrouper, variants: Variants) -> list[dict[str, Any]]:
    results = grouper.group_arrays(variants.cases).columns(grouper.tables)
    columns = [results[name].to_pylist() for name in _RESULTS]
    kinds = [KINDS[kind] for kind in variants.kind.tolist()]
    name = grouper.tables.scheme.name
    return [
        {"kind": kind, "scheme": name, **dict(zip(_RESULTS, line, strict=True))}
        for kind, *line in zip(kinds, *columns, strict=True)
    ]


def _complications(rows: list[dict[str, Any]], grouper: BatchGrouper, variants: Variants) -> None:
    """Say of each diagnosis left out whether it is a complication and whether it counts."""
    scheme = grouper.tables.scheme
    for line, first in zip(rows, variants.cases.principal_diagnosis.tolist(), strict=True):
        listed = None
        if line["kind"] == "without_diagnosis":
            listed = scheme.complications.get(line["code"])
        if listed is not None:
            known = first not in (MISSING, UNKNOWN)
            principal = grouper.diagnoses.codes[first - 2].as_py() if known else None
            line["complication"] = listed.type
            line["counts"] = principal not in scheme.exclusions.get(listed.exclusion, ())


def _judge(rows: list[dict[str, Any]], schemes: Mapping[str, Scheme]) -> None:
    """What is another group, and by which rule."""
    first = rows[0]
    for line in rows:
        scheme = schemes[line["scheme"]]
        line["changes"] = (line["drg"], line["status"]) != (first["drg"], first["status"])
        group = line["adrg"] if line["adrg"] != first["adrg"] else line["drg"]
        if line["changes"] and group is not None:
            line["deciding_group"], line["deciding_rule"] = group, str(scheme.group(group).rule)
            line["decided_by"] = f"{group}: {line['deciding_rule']}"
        line["name"] = code_name(line["code"]) if line["code"] else None
        line["drg_name"] = scheme.name_of(line["drg"]) if line["drg"] else None


def _priced(
    table: pd.DataFrame,
    row: pa.Table,
    weights: Any,
    policy: Policy | None,
    values: Mapping[str, Any] | None,
) -> pd.DataFrame:
    if weights is not None:
        known = weights_by_drg(weights)
        table = table.assign(weight=[known.get(drg, np.nan) for drg in table["drg"]])
    if policy is None:
        if values is not None:
            raise CaseSchemaError(_("values of points need a policy to compute the points by"))
        return table
    own = row.drop_columns([n for n in ("mdc", "adrg", "drg", "status") if n in row.column_names])
    repeated = own.take(pa.array(np.zeros(len(table), np.int64)))
    for name in ("drg", "status"):
        repeated = repeated.append_column(
            name, pa.array(table[name], pa.string(), from_pandas=True)
        )
    return pd.concat([table, priced(repeated, policy, values)], axis=1)

"""Why a case's official group is another: what change gives that group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from drgcore.cases import CaseMapping
from drgcore.cases.codes import MISSING, UNKNOWN
from drgcore.errors import CaseSchemaError, SchemeError
from drgcore.estimate.variants import KINDS, variants_of
from drgcore.estimate.what_if import codes_of
from drgcore.grouper.batch import BatchGrouper
from drgcore.language import N_, Texts, _
from drgcore.progress import starts, tracked
from drgcore.schemes import Scheme, list_schemes

DIFFERENCE_REASONS: Mapping[str, str] = Texts(
    {
        "version": N_("another national scheme gives the official group"),
        "local_rule": N_("a local scheme gives the official group"),
        "code_translation": N_("read as the other version of the codes it is the official group"),
        "principal_diagnosis": N_("another of its diagnoses as the principal one gives it"),
        "principal_procedure": N_("another of its procedures as the principal one gives it"),
        "missing_code": N_("without one of its codes it is the official group"),
        "exclusion": N_("an excluded complication counted gives the official group"),
        "unexplained": N_("nothing tried gives the official group"),
        "official_missing": N_("no official group was returned for the case"),
        "ours_missing": N_("the official groups have a case that we have not"),
    }
)
"""Kind of difference → what it means, in the language that is spoken; in the order of trying."""

# What a variant says; complications are tried as exclusions with another table of rules.
_OF_VARIANT = {
    "principal_diagnosis": "principal_diagnosis",
    "principal_procedure": "principal_procedure",
    "without_diagnosis": "missing_code",
    "without_principal_procedure": "missing_code",
    "without_procedure": "missing_code",
}
_ROWS = 16_384


def explain_differences(
    cases: pa.Table,
    official: Sequence[str | None],
    scheme: str | Path | Scheme,
    *,
    mapping: str | Path | CaseMapping = "canonical",
    clinical_codes: bool = False,
    schemes: Sequence[str | Path | Scheme] = (),
) -> pd.DataFrame:
    """Find for each case the first change that gives its official group.

    Parameters
    ----------
    cases : pyarrow.Table
        n cases whose official group is another than ours.
    official : sequence of str or None
        Their official DRG, n in all; None for no group.
    scheme, mapping, clinical_codes
        As for `group`.
    schemes : sequence, optional
        Other schemes to try; by default the shipped national ones.

    Returns
    -------
    pandas.DataFrame
        n rows, indexed as nothing: `kind` (`DIFFERENCE_REASONS`) and `detail`, the scheme or
        code, or in words how the codes were read.

    Examples
    --------
    >>> cases = pa.table({"principal_diagnosis": ["G11.900"], "other_diagnoses": [["S52.804"]],
    ...     "principal_procedure": pa.nulls(1, pa.string()), "other_procedures": [[]],
    ...     "sex": [2], "age_years": [69]})
    >>> explain_differences(cases, ["IS19"], "chs-drg-3.0").values.tolist()
    [['principal_diagnosis', 'S52.804']]
    """
    n = len(cases)
    wanted = np.array([drg or "" for drg in official], object)
    kinds = np.full(n, "unexplained", object)
    details = np.full(n, None, object)
    if n == 0:
        return pd.DataFrame({"kind": kinds, "detail": details})

    def settle(found: np.ndarray, kind: str, detail: Any) -> None:
        new = found & (kinds == "unexplained")
        kinds[new] = kind
        details[new] = detail[new] if isinstance(detail, np.ndarray) else detail

    batch = cases.combine_chunks().to_batches()[0]
    own = BatchGrouper.of(scheme, clinical_codes)
    others = _others(own.tables.scheme, schemes)
    for other in tracked(
        others, _("grouping the cases that differ by other schemes"), _("schemes")
    ):
        try:
            drgs = _drgs(BatchGrouper.of(other, clinical_codes), batch, mapping)
        except (SchemeError, CaseSchemaError):
            # A local scheme may ask for a column that these cases have not.
            if schemes:
                raise
            continue
        settle(drgs == wanted, "local_rule" if "base" in other.metadata else "version", other.name)
    translated = _drgs(BatchGrouper.of(own.tables.scheme, not clinical_codes), batch, mapping)
    settle(
        translated == wanted,
        "code_translation",
        _("insurance codes") if clinical_codes else _("clinical codes"),
    )
    for start in starts(n, _ROWS, _("trying other codes"), _("cases")):
        part = slice(start, min(start + _ROWS, n))
        piece = batch.slice(start, part.stop - start)
        for kind, rows, codes in _by_variant(own, piece, mapping, wanted[part]):
            found = np.zeros(n, bool)
            detail = np.full(n, None, object)
            found[rows + start] = True
            detail[rows + start] = codes
            settle(found, kind, detail)
    found, codes = _by_exclusion(own, batch, mapping, wanted)
    settle(found, "exclusion", codes)
    return pd.DataFrame({"kind": kinds, "detail": details})


def _others(own: Scheme, schemes: Sequence[str | Path | Scheme]) -> list[Scheme]:
    given: list[str | Path | Scheme] = list(schemes)
    if not given:
        given = [s.name for s in list_schemes() if s.name.startswith("chs-drg-")]
    loaded = [BatchGrouper.of(s, False).tables.scheme for s in given]
    return [scheme for scheme in loaded if scheme.name != own.name]


def _drgs(
    grouper: BatchGrouper, batch: pa.RecordBatch, mapping: str | Path | CaseMapping
) -> np.ndarray:
    rows = grouper.group(batch, grouper.resolve(mapping, batch.schema))
    return _texts(rows.columns(grouper.tables)["drg"])


def _texts(column: pa.Array) -> np.ndarray:
    texts = column.cast(pa.string()).fill_null("").to_numpy(zero_copy_only=False)
    found: np.ndarray = texts.astype(object)
    return found


def _by_variant(
    grouper: BatchGrouper,
    batch: pa.RecordBatch,
    mapping: str | Path | CaseMapping,
    wanted: np.ndarray,
) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Kind, rows and codes of the variants that have the official group, the first of each row."""
    variants = variants_of(grouper.encode(batch, grouper.resolve(mapping, batch.schema)))
    drgs = _texts(grouper.group_arrays(variants.cases).columns(grouper.tables)["drg"])
    hits = drgs == wanted[variants.case]
    found = []
    for kind, name in _OF_VARIANT.items():
        at = np.flatnonzero(hits & (variants.kind == KINDS.index(kind)))
        # Of several codes of one case the first on the front page is named.
        rows, first = np.unique(variants.case[at], return_index=True)
        codes = np.array(codes_of(grouper, variants, at[first]), object)
        found.append((name, rows, codes))
    return found


def _by_exclusion(
    grouper: BatchGrouper,
    batch: pa.RecordBatch,
    mapping: str | Path | CaseMapping,
    wanted: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Cases that would have the official group if a complication that is excluded counted."""
    scheme = grouper.tables.scheme
    # The same scheme without exclusions: what changes then changes by an exclusion.
    empty = scheme.tables["exclusions"].slice(0, 0)
    lifted = Scheme(scheme.name, {**scheme.tables, "exclusions": empty}, scheme.metadata)
    found = _drgs(BatchGrouper.of(lifted, False), batch, mapping) == wanted
    codes = np.full(len(wanted), None, object)
    arrays = grouper.encode(batch, grouper.resolve(mapping, batch.schema))
    for row in np.flatnonzero(found).tolist():
        first = int(arrays.principal_diagnosis[row])
        principal = grouper.diagnoses.codes[first - 2].as_py() if first > UNKNOWN else None
        start, stop = arrays.other_diagnosis_offsets[row : row + 2]
        for code in arrays.other_diagnoses[start:stop].tolist():
            if code in (MISSING, UNKNOWN):
                continue
            text = grouper.diagnoses.codes[code - 2].as_py()
            listed = scheme.complications.get(text)
            if listed and principal in scheme.exclusions.get(listed.exclusion, ()):
                codes[row] = text
                break
    return found, codes

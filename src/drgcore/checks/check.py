"""`check_cases`, and the pass over batches that every way in shares."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from drgcore.cases import CaseMapping, CaseSource, CodeIndex, open_cases
from drgcore.cases.guessing import mapping_for
from drgcore.checks.catalogue import Catalogue, Check
from drgcore.checks.code_sets import CodeSets
from drgcore.checks.evaluate import Evaluator
from drgcore.checks.findings import FINDINGS_SCHEMA, FindingsOf
from drgcore.checks.frame import Frame, Layout
from drgcore.checks.mdc import MdcTables
from drgcore.checks.report import CHECKS_SCHEMA, CaseChecks, Tally
from drgcore.language import _
from drgcore.schemes import Scheme, load_dictionary, load_scheme, load_translation

BATCH_ROWS = 131_072


def check_cases(
    cases: Any,
    scheme: str | Path | Scheme = "chs-drg-3.0",
    *,
    mapping: str | Path | CaseMapping = "canonical",
    checks: str | os.PathLike[str] | Catalogue | None = None,
    clinical_codes: bool = False,
) -> CaseChecks:
    """Check cases as a coder would before they are grouped and paid.

    Parameters
    ----------
    cases : pandas.DataFrame, pyarrow.Table, path, or anything that `open_cases` reads
        One row a case.
    scheme : str, Path or Scheme, default "chs-drg-3.0"
        The scheme whose rules and lists the checks ask for.
    mapping : str, Path or CaseMapping, default "canonical"
        Where the columns are: a preset, a .toml file, ``"auto"``, or a mapping.
    checks : str, path or Catalogue, optional
        A TOML file that switches checks, changes their parameters and adds new ones; the shipped
        checks by default.
    clinical_codes : bool, default False
        Whether the codes are of the clinical version (国临版), to be translated before.

    Returns
    -------
    CaseChecks
        The findings (a pandas frame for a pandas frame, else an Arrow table), the profile by
        hospital and department, and what became of each check. A check whose column the data do
        not have is "not_run".

    Raises
    ------
    CaseSchemaError
        The cases cannot be read, or lack principal diagnosis, sex or age.
    DrgcoreError
        The file of checks says something that is not known.

    Examples
    --------
    >>> import drgcore
    >>> found = drgcore.check_cases({
    ...     "principal_diagnosis": ["N40.x00"], "other_diagnoses": [["I10.x00x002"]],
    ...     "principal_procedure": [None], "other_procedures": [None],
    ...     "sex": [2], "age_years": [65]})
    >>> found.findings.select(["check", "values"]).to_pylist()[:1]
    [{'check': 'S02', 'values': 'sex=2; diagnoses=N40.x00'}]
    """
    run = CheckRun(scheme, checks, clinical_codes)
    mapping = mapping_for(mapping, cases)
    with open_cases(cases, batch_rows=BATCH_ROWS) as source:
        kind = source.kind
        tables = list(run.tables(source, mapping))
    findings: Any = pa.concat_tables([FINDINGS_SCHEMA.empty_table(), *tables])
    if kind == "pandas":
        findings = findings.to_pandas()
    return run.report(findings)


class CheckRun:
    """One run of checks over a source of cases."""

    def __init__(
        self,
        scheme: str | Path | Scheme,
        checks: str | os.PathLike[str] | Catalogue | None,
        clinical_codes: bool = False,
    ) -> None:
        self.scheme = scheme if isinstance(scheme, Scheme) else load_scheme(scheme)
        self.catalogue = checks if isinstance(checks, Catalogue) else Catalogue.load(checks)
        self.diagnoses, self.procedures, mdc = _tables(self.scheme, clinical_codes)
        self.sets = _code_sets(self.scheme, clinical_codes, self.catalogue)
        self.evaluator = Evaluator(self.sets, mdc)
        self.why: dict[str, str] = {}
        self.checks: list[Check] = []
        self.tally = Tally([])

    def layout(self, schema: pa.Schema, mapping: CaseMapping) -> Layout:
        """Where the fields stand in data of this schema; which checks can be run on them."""
        layout = Layout(
            mapping.resolve(schema),
            mapping.find_front_page(schema),
            self.diagnoses,
            self.procedures,
        )
        unknown = self.sets.unknown_lists()
        self.why = {}
        for check in self.catalogue.checks:
            absent = layout.absent(check.fields)
            lists = [name for name in check.sets if name in unknown]
            if absent:
                self.why[check.code] = _("no column {names}", names=", ".join(absent))
            elif lists:
                self.why[check.code] = _(
                    "no list {lists} for {scheme}",
                    lists=", ".join(lists),
                    scheme=self.scheme.name,
                )
        self.checks = [c for c in self.catalogue.checks if c.code not in self.why]
        self.tally = Tally(self.checks)
        return layout

    def tables(
        self, source: CaseSource, mapping: CaseMapping, labels: str = "en"
    ) -> Iterator[pa.Table]:
        """The findings of each batch."""
        layout = self.layout(source.schema, mapping)
        source.expect_codes(layout.mapping.code_names())
        maker = FindingsOf(self.checks, self.sets, labels)
        for batch in source.batches():
            frame = Frame(batch, layout, self.tally.rows)
            yield maker.table(frame, self.look(frame))

    def look(self, frame: Frame) -> dict[int, Any]:
        """The rows that each check finds in a batch; they are counted."""
        kept: dict[Any, Any] = {}
        found, left_open = {}, {}
        for number, check in enumerate(self.checks):
            truth = self.evaluator.truth(check.tree, frame, kept)
            if truth.null_count:
                left_open[number] = truth.null_count
                truth = pc.fill_null(truth, False)
            found[number] = np.flatnonzero(truth.to_numpy(zero_copy_only=False))
        self.tally.add(frame, found, left_open)
        return found

    def report(self, findings: Any = None) -> CaseChecks:
        """What was found so far."""
        counts = self.tally.found()
        place = {check.code: i for i, check in enumerate(self.checks)}
        rows = []
        for check in (*self.catalogue.checks, *self.catalogue.off):
            at = place.get(check.code)
            status = "run" if at is not None else "not_run" if check.code in self.why else "off"
            rows.append(
                {
                    "check": check.code,
                    "level": check.level,
                    "status": status,
                    "why": self.why.get(check.code),
                    "cases": None if at is None else int(counts[at]),
                    "undecided": None if at is None else int(self.tally.undecided[at]),
                    "message": check.zh,
                    "message_en": check.en,
                    "source": check.source,
                    "when": check.when,
                }
            )
        return CaseChecks(
            self.tally.rows,
            pa.Table.from_pylist(rows, CHECKS_SCHEMA),
            self.tally.profile(),
            self.tally.by_level(),
            findings,
        )


@lru_cache(maxsize=4)
def _tables(scheme: Scheme, clinical_codes: bool) -> tuple[CodeIndex, CodeIndex, MdcTables]:
    diagnoses = _index(scheme, "diagnoses", clinical_codes)
    procedures = _index(scheme, "procedures", clinical_codes)
    return diagnoses, procedures, MdcTables.of(scheme, diagnoses, procedures)


@lru_cache(maxsize=4)
def _code_sets(scheme: Scheme, clinical_codes: bool, catalogue: Catalogue) -> CodeSets:
    return CodeSets(scheme, *_tables(scheme, clinical_codes), catalogue.sets)


def _index(scheme: Scheme, kind: Any, clinical_codes: bool) -> CodeIndex:
    """Codes of the dictionary, then those that only the scheme's sets have, of this kind."""
    codes = load_dictionary(kind)["code"].combine_chunks()
    named = scheme.tables["sets"]["code"].combine_chunks()
    letter = pc.match_substring_regex(named, "^[A-Z]")
    own = named.filter(letter if kind == "diagnoses" else pc.invert(letter))
    whole = pc.unique(pa.chunked_array([codes, own.cast(codes.type)]))
    if not clinical_codes:
        return CodeIndex(whole)
    table = load_translation(kind)
    pairs = zip(
        table["clinical_code"].to_pylist(), table["insurance_code"].to_pylist(), strict=True
    )
    return CodeIndex(whole, translate=dict(pairs))

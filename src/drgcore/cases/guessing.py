"""A mapping proposed by headings and contents: `auto`, and `drgcore mapping guess`."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from drgcore.cases.columns import FRONT_PAGE_SCHEMA, LOCAL_SCHEMA, NAMED_COLUMNS
from drgcore.cases.contents import Contents, contents_of
from drgcore.cases.mapping import CaseMapping
from drgcore.cases.mapping_file import parameters_of
from drgcore.cases.presets import PRESETS
from drgcore.cases.readers import open_cases
from drgcore.cases.renaming import canonical_names, renamed
from drgcore.cases.resolving import ColumnFinder, ResolvedMapping, expand, form_of
from drgcore.cases.seen import overview, quoted, seen_in
from drgcore.cases.source import CaseSource
from drgcore.errors import CaseSchemaError
from drgcore.language import _

AUTO = "auto"

_NAMES = frozenset((*NAMED_COLUMNS, *FRONT_PAGE_SCHEMA.names, *LOCAL_SCHEMA.names))

_SAMPLE_ROWS = 20_000
_ENOUGH = 0.5
_NEARLY_ALL = 0.8

# Diagnoses that are none of discharge: outpatient, at admission, pathology, causes, Chinese ones.
_NO_DISCHARGE = re.compile(
    r"门.?诊|急诊|入院|病理|损伤|中毒|外因|外部|死因|中医|中药|outpat|admi|pathol|extern|tcm"
)
_PRINCIPAL = re.compile(r"主|第一|main|princip|primary|pdx|\bmdx")
_SEX = re.compile(r"性别|^xb$|^sex|gend")
_AGE = re.compile(r"年龄|周岁|^nl$|^age|_age$")
_NO_YEARS = re.compile(r"天|日|月|不足|不满|新生|婴|day|month|nwb|newborn|date")
_DAYS = re.compile(r"日龄|天龄|(年龄|不足|不满).*天|天.*年龄|age_?days?|days?_?age|nwb_age")
_MONTHS = re.compile(r"月龄|(年龄|不足|不满).*月|age_?months?|^bzyzsnl$")
_WEIGHT = re.compile(r"入院体重|adm\w*_?(wt|weight)|newborn_?weight")
_BIRTH_WEIGHT = re.compile(r"出生体重|bir\w*_?(wt|weight)")
# One row a diagnosis or an operation: the interface's long tables, or a naive join of them.
_LONG = re.compile(r"^main_?diag_flag$|^main_?oprn_flag$|主要?诊断标[志识]|主要?手术.*标[志识]")
_SERIES = re.compile(r"(.*?)(\d*)(\D*)", re.DOTALL)


@dataclass(frozen=True)
class GuessedMapping:
    """A mapping that was proposed, and why.

    Attributes
    ----------
    mapping : CaseMapping
    text : str
        The mapping as a file (.toml), with samples of what was understood as comments.
    """

    mapping: CaseMapping
    text: str

    def __str__(self) -> str:
        return self.text


def guess_mapping(source: Any, *, sheet: str | int | None = None) -> GuessedMapping:
    """Propose a mapping by the headings and the contents of the first 20,000 rows.

    A preset is proposed where its headings fit and the principal diagnoses are codes. Else columns
    are known by what they hold: codes of the dictionaries, sexes, ages; headings tell apart what
    contents cannot.

    Parameters
    ----------
    source : path, frame or table
        As for `open_cases`, but no stream, which can be read only once.
    sheet : str or int, optional
        The sheet of a workbook.

    Returns
    -------
    GuessedMapping

    Raises
    ------
    CaseSchemaError
        Principal diagnosis, sex or age cannot be told, or several columns may be it: with what was
        seen.

    Examples
    --------
    >>> cases = {"编码甲": ["I10.x00", "K80.101"], "性别": ["男", "女"], "岁数(年龄)": ["45", "70"]}
    >>> print(guess_mapping(cases).text)
    preset = "canonical"
    principal_diagnosis = "编码甲"  # 100% of 2 are diagnoses: I10.X00, K80.101
    other_diagnoses = ""
    principal_procedure = ""
    other_procedures = ""
    sex = "性别"  # 100% of 2 are sexes: 男, 女
    age_years = "岁数(年龄)"  # 100% of 2 are ages: 45, 70
    age_days = ""
    newborn_weight_g = ""
    <BLANKLINE>
    """
    # An Arrow stream that knows no length may be gone when it has been looked at.
    once = hasattr(source, "__arrow_c_stream__") and not hasattr(source, "__len__")
    if once or isinstance(source, pa.RecordBatchReader | CaseSource):
        raise CaseSchemaError(
            _("a mapping cannot be guessed from a stream, which is read once"),
            hint=_("Collect it into a table, or give the mapping."),
        )
    where = str(source) if isinstance(source, str | os.PathLike) else None
    with open_cases(source, sheet=sheet, batch_rows=_SAMPLE_ROWS) as opened:
        schema = opened.schema
        batch = next(iter(opened.batches()), None)
    table = pa.Table.from_batches([] if batch is None else [batch], schema)
    columns = {
        name: contents_of(name, table.column(place))
        for place, name in enumerate(schema.names)
        if schema.names.count(name) == 1
    }
    try:
        return _by_preset(schema, columns) or _by_contents(schema, columns)
    except CaseSchemaError as error:
        raise CaseSchemaError(error.message, where=where, hint=error.hint) from None


def mapping_for(
    mapping: str | os.PathLike[str] | CaseMapping, source: Any, *, sheet: str | int | None = None
) -> CaseMapping:
    """The mapping asked for; for ``"auto"`` one that is guessed and told on the error stream."""
    if mapping != AUTO:
        return CaseMapping.of(mapping)
    guessed = guess_mapping(source, sheet=sheet)
    told = _("mapping guessed; keep it in a file and correct it there")
    sys.stderr.write(f"# {told}\n{guessed}")
    return guessed.mapping


def naming_for(mapping: str | os.PathLike[str] | CaseMapping, names: Sequence[str]) -> CaseMapping:
    """The mapping asked for; for ``"auto"`` the preset that knows most columns of a table.

    A table of grouped cases, or one that stands beside them, need not have codes to guess by.

    Raises
    ------
    CaseSchemaError
        Several presets know as many columns and read them differently.

    Examples
    --------
    >>> naming_for("canonical", ["case_id"]).sex
    'sex'
    """
    if mapping != AUTO:
        return CaseMapping.of(mapping)
    there = [name for name in names if name]
    found: dict[str, list[tuple[str, str]]] = {}
    for preset in PRESETS:
        try:
            changes = canonical_names(there, CaseMapping.preset(preset), lenient=True)
        except CaseSchemaError:
            continue
        pairs = renamed(there, changes)
        found[preset] = [pair for pair in pairs if pair[1] in _NAMES]
    most = max(map(len, found.values()), default=0)
    best = [preset for preset, pairs in found.items() if len(pairs) == most]
    if not best or "canonical" in best:
        best = ["canonical"]
    if any(found[other] != found[best[0]] for other in best[1:]):
        raise CaseSchemaError(
            _(
                "several presets know {most} of the columns, and not the same: {best}",
                most=most,
                best=", ".join(best),
            ),
            hint=_("Name one of them."),
        )
    told = _(
        "columns named as preset {name!r} says: {most} of {all} known",
        name=best[0],
        most=most,
        all=len(there),
    )
    sys.stderr.write(f"# {told}\n")
    return CaseMapping.preset(best[0])


def _by_preset(schema: pa.Schema, columns: dict[str, Contents]) -> GuessedMapping | None:
    """The preset that fits headings and contents; None where there is none."""
    fitting: list[tuple[str, ResolvedMapping]] = []
    for name in PRESETS:
        try:
            found = CaseMapping.preset(name).resolve(schema)
        except CaseSchemaError:
            continue
        if _holds_diagnoses(columns.get(found.principal_diagnosis or "")):
            fitting.append((name, found))
    if not fitting:
        return None
    essentials = {(f.principal_diagnosis, f.sex, f.age_years) for _, f in fitting}
    if len(essentials) > 1:
        fit = ", ".join(name for name, _read in fitting)
        raise CaseSchemaError(
            _("several presets fit and read different columns: {fitting}", fitting=fit),
            hint=_("Name one of them."),
        )
    name, found = fitting[0]
    lines = [f'preset = "{name}"']
    for field, names, kind in (
        ("principal_diagnosis", (found.principal_diagnosis,), "diagnosis"),
        ("other_diagnoses", found.other_diagnoses.names, "diagnosis"),
        ("principal_procedure", (found.principal_procedure,), "procedure"),
        ("other_procedures", found.other_procedures.names, "procedure"),
        ("sex", (found.sex,), "sex"),
        ("age_years", (found.age_years,), "age"),
        ("age_days", (found.age_days,), "days"),
        ("age_months", (found.age_months,), ""),
        ("newborn_weight_g", (found.newborn_weight_g,), ""),
        ("birth_date", (found.birth_date,), ""),
        ("admission_date", (found.admission_date,), ""),
    ):
        there = [one for one in names if one is not None]
        number = _("{n} columns", n=len(there))
        more = f" … {quoted(there[-1])} ({number})" if len(there) > 1 else ""
        shown = f"{quoted(there[0])}{more}" if there else _("not in the file")
        seen = seen_in(columns[there[0]], kind) if there and kind else ""
        lines.append(f"# {field}: {shown}{seen}")
    return GuessedMapping(CaseMapping.preset(name), "\n".join(lines) + "\n")


def _holds_diagnoses(column: Contents | None) -> bool:
    # An empty column may be what its heading says.
    return column is not None and (not column.filled or column.shares["diagnosis"] >= _ENOUGH)


def _by_contents(schema: pa.Schema, columns: dict[str, Contents]) -> GuessedMapping:
    every = list(columns.values())
    long = [column for column in every if _LONG.search(form_of(column.name))]
    if long:
        raise CaseSchemaError(
            _(
                "{quoted} says that a row is a diagnosis or an operation, not a case",
                quoted=quoted(long[0].name),
            ),
            hint=_("Make cases of the tables first: drgcore cases join."),
        )
    comments: dict[str, str] = {}
    chosen: dict[str, Any] = {}
    for kind, whole in (("diagnosis", "diagnoses"), ("procedure", "procedures")):
        coded = [
            column
            for column in every
            if column.filled
            and column.shares[kind] >= _ENOUGH
            and not _NO_DISCHARGE.search(form_of(column.name))
        ]
        if kind == "diagnosis" and not coded:
            raise CaseSchemaError(
                _("no column of principal diagnoses can be told"),
                hint=_(
                    "Write a mapping file. What was seen:\n{overview}", overview=overview(every)
                ),
            )
        if len(coded) == 1 and coded[0].several:
            chosen[whole] = coded[0].name
            comments[whole] = seen_in(coded[0], kind) + _("; the first is the principal one")
            continue
        first = _principal(coded, whole) if coded else None
        others = [column for column in coded if column is not first]
        if len(others) > 1 and any(column.several for column in others):
            raise _ambiguous(_("several columns hold lists of {whole}", whole=whole), others)
        principal = f"principal_{kind}"
        chosen[principal] = first.name if first else ""
        joined = len(others) == 1 and others[0].several
        listed = [column.name for column in others]
        chosen[f"other_{whole}"] = listed[0] if joined else listed or ""
        if first:
            comments[principal] = seen_in(first, kind)
        if others:
            comments[f"other_{whole}"] = seen_in(others[0], kind)
    for field, pattern, unless, kind in (
        ("sex", _SEX, None, "sex"),
        ("age_years", _AGE, _NO_YEARS, "age"),
    ):
        one = _essential(every, field, pattern, unless, kind)
        chosen[field], comments[field] = one.name, seen_in(one, kind)
    for field, pattern in (
        ("age_days", _DAYS),
        ("age_months", _MONTHS),
        ("newborn_weight_g", _WEIGHT),
        ("birth_weight_g", _BIRTH_WEIGHT),
    ):
        named = [c for c in every if pattern.search(form_of(c.name))]
        if len(named) > 1:
            raise _ambiguous(_("several columns may be {field}", field=field), named)
        if named or field in ("age_days", "newborn_weight_g"):
            chosen[field] = named[0].name if named else ""
    chosen |= _by_heading(schema, {str(v) for v in chosen.values()})
    lines = ['preset = "canonical"']
    for field, value in chosen.items():
        comment = f"  # {comments[field].removeprefix(': ')}" if field in comments else ""
        lines.append(f"{field} = {quoted(value)}{comment}")
    text = "\n".join(lines) + "\n"
    return GuessedMapping(CaseMapping(**parameters_of(text, _("the guess"), CaseMapping)), text)


def _principal(coded: Sequence[Contents], whole: str) -> Contents:
    """Of several columns of codes that of the principal ones."""
    named = [column for column in coded if _PRINCIPAL.search(form_of(column.name))]
    if len(named) == 1 or len(coded) == 1:
        return (named or coded)[0]
    if not named:
        # Columns that differ by their number alone: the one without, or else the first.
        parts = [_SERIES.fullmatch(form_of(column.name)) for column in coded]
        series = [(m[1], m[3], int(m[2] or 0)) for m in parts if m is not None]
        stems, numbers = {(a + b) for a, b, _number in series}, [n for *_, n in series]
        if len(stems) == 1 and len(set(numbers)) == len(coded):
            return coded[numbers.index(min(numbers))]
    said = _("it cannot be told which column holds the principal {whole}", whole=whole)
    raise _ambiguous(said, named or coded)


def _essential(
    every: Sequence[Contents],
    field: str,
    pattern: re.Pattern[str],
    unless: re.Pattern[str] | None,
    kind: str,
) -> Contents:
    """The one column of a field that every case has."""
    right = [c for c in every if c.filled and c.shares[kind] >= _NEARLY_ALL]
    named = [
        column
        for column in right
        if pattern.search(form := form_of(column.name))
        and not (unless is not None and unless.search(form))
    ]
    if not named and kind == "sex":
        named = [column for column in right if column.words_of_sex]
    if len(named) > 1:
        raise _ambiguous(_("several columns may be {field}", field=field), named)
    if not named:
        raise CaseSchemaError(
            _("no column of {field} can be told", field=field),
            hint=_("Write a mapping file. What was seen:\n{overview}", overview=overview(every)),
        )
    return named[0]


def _by_heading(schema: pa.Schema, taken: set[str]) -> dict[str, str]:
    """The other columns that some preset knows by their heading."""
    finder = ColumnFinder.of_names(list(dict.fromkeys(schema.names)))
    found: dict[str, str] = {}
    for preset in PRESETS.values():
        wanted = {"length_of_stay": preset.get("length_of_stay")}
        wanted |= {n: preset.get(n) for n in ("leaving_way", "department")}
        wanted |= {n: preset["front_page"].get(n) for n in _DATED}
        for field, spec in wanted.items():
            for name in (spec or "").removesuffix("?").split(" or "):
                try:
                    column = finder.find(expand(name)[0]) if name else None
                except CaseSchemaError:
                    continue
                if column is not None and field not in found and column not in taken:
                    found[field] = column
                    taken.add(column)
    return found


_DATED = ("case_id", "hospital", "birth_date", "admission_date", "discharge_date", "total_cost")


def _ambiguous(message: str, columns: Sequence[Contents]) -> CaseSchemaError:
    seen = overview(columns)
    hint = _("Say which one in a mapping file. What was seen:\n{overview}", overview=seen)
    return CaseSchemaError(message, hint=hint)

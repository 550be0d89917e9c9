"""Find the columns a mapping names in the data at hand, and check their types."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa
from pyarrow import types

from drgcore.cases.columns import LOCAL_SCHEMA
from drgcore.cases.text import is_text
from drgcore.cases.values import is_number
from drgcore.errors import CaseSchemaError
from drgcore.language import N_, _

Shape = Literal["list", "joined", "numbered", "none"]

_CODE = r"[a-z][a-z0-9_]*[0-9_][a-z0-9_]*"
_CODE_IN_BRACKETS = re.compile(rf"[(\[【]\s*({_CODE})\s*[)\]】]")
_CODE_AT_START = re.compile(rf"^({_CODE})(?=[\s:、,，.-]*[^\x00-\x7f])")
_RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")

_ACCEPTED = {
    "code": N_("string, or a dictionary of strings"),
    "codes": N_("list of strings, or strings joined by the separator"),
    "numbered": N_("string, or a dictionary of strings, in each numbered column"),
    "value": N_("integer, floating, decimal or string, or a dictionary of one"),
}
_MAYBE_EMPTY = ("principal_procedure", "department")


@dataclass(frozen=True)
class CodeColumns:
    """Where several codes of one case stand.

    Attributes
    ----------
    shape : {"list", "joined", "numbered", "none"}
        One list column, one column of joined strings, one code a column, or not in the data.
    names : tuple of str
        The columns, in order.
    principal_first : bool
        Whether the first code of a case is its principal one.
    """

    shape: Shape
    names: tuple[str, ...]
    principal_first: bool = False


@dataclass(frozen=True)
class ResolvedMapping:
    """The columns of one particular table that hold the canonical columns.

    Made by `CaseMapping.resolve`. A name that is None stands for a column that the data do not
    have: all its values are missing. `local` holds the columns that were asked for by name, of
    those that only local schemes use: canonical name → column.
    """

    principal_diagnosis: str | None
    other_diagnoses: CodeColumns
    principal_procedure: str | None
    other_procedures: CodeColumns
    sex: str
    age_years: str
    age_days: str | None
    newborn_weight_g: str | None
    separator: str
    local: Mapping[str, str] = field(default_factory=dict)
    birth_date: str | None = None
    admission_date: str | None = None
    age_months: str | None = None

    def columns(self) -> tuple[str, ...]:
        """The columns of the data that grouping needs, each once."""
        single = (self.sex, self.age_years, self.age_days, self.newborn_weight_g)
        dates = (self.birth_date, self.admission_date, self.age_months)
        codes = (
            self.principal_diagnosis,
            *self.other_diagnoses.names,
            self.principal_procedure,
            *self.other_procedures.names,
        )
        every = (*codes, *single, *self.local.values(), *dates)
        return tuple(dict.fromkeys(name for name in every if name is not None))

    def code_names(self) -> tuple[str, ...]:
        """The columns of the data that hold codes, in whatever shape."""
        single = (self.principal_diagnosis, self.principal_procedure)
        several = (*self.other_diagnoses.names, *self.other_procedures.names)
        return tuple(name for name in (*single, *several) if name is not None)

    def code_columns(self) -> tuple[str, ...]:
        """Parquet leaf paths that are best read as dictionaries.

        A list column is named by its leaf, such as ``other_diagnoses.list.element``. Joined
        strings are left out: nearly each is different.
        """
        principal = (self.principal_diagnosis, self.principal_procedure)
        paths = [name for name in principal if name is not None]
        for several in (self.other_diagnoses, self.other_procedures):
            if several.shape == "list":
                paths.append(f"{several.names[0]}.list.element")
            elif several.shape == "numbered":
                paths.extend(several.names)
        if "department" in self.local:
            paths.append(self.local["department"])
        return tuple(paths)


# Columns of yes and no, of which files may make booleans.
_ANSWERS = frozenset(f.name for f in LOCAL_SCHEMA if types.is_boolean(f.type))


class ColumnFinder:
    """Look for columns of a schema by the names a mapping gives, collecting what is wrong.

    Parameters
    ----------
    schema : pyarrow.Schema
        Of the data.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._by_form: dict[str, list[str]] = {}
        self._by_code: dict[str, list[str]] = {}
        for name in schema.names:
            form = form_of(name)
            self._by_form.setdefault(form, []).append(name)
            # Headings such as 主要诊断编码（C03C） or C03C 主要诊断编码 name a code.
            for code in {*_CODE_IN_BRACKETS.findall(form), *_CODE_AT_START.findall(form)} - {form}:
                self._by_code.setdefault(code, []).append(name)
        self._missing: list[str] = []
        self._wrong: list[str] = []
        self._owner: dict[str, str] = {}

    @classmethod
    def of_names(cls, names: Sequence[str]) -> ColumnFinder:
        """A finder that asks for no types."""
        return cls(pa.schema([pa.field(name, pa.string()) for name in names]))

    def one(self, field: str, spec: str, kind: Literal["code", "value"]) -> str | None:
        """The column of a canonical column that holds one value a case."""
        optional = spec.endswith("?")
        for alternative in _alternatives(spec.removesuffix("?")):
            if (name := self.find(alternative)) is not None:
                self._take(field, name)
                found = self._schema.field(name).type
                # A file's column without any value often comes as floating: nothing but NaN.
                # Whether it really holds none is seen when it is read.
                usable = _is_code(found) if kind == "code" else _is_value(found)
                usable |= field in _MAYBE_EMPTY and types.is_floating(found)
                usable |= field in _ANSWERS and types.is_boolean(found)
                if not usable:
                    self._refuse(field, name, found, kind)
                return name
        if not optional:
            self._miss(field, spec, [spec])
        return None

    def local(self, field: str, spec: str | None) -> str | None:
        """The column of a canonical column without which a local scheme cannot group."""
        if spec is None:
            self._missing.append(
                _("{field}: the mapping names no column", field=field) + _asked(field)
            )
            return None
        # A condition that is false for want of a column would group every case wrongly.
        return self.one(field, spec.removesuffix("?"), "code" if field == "department" else "value")

    def several(self, field: str, spec: str | tuple[str, ...] | None) -> CodeColumns:
        """The columns of a canonical column that holds several codes a case."""
        if spec is None:
            return CodeColumns("none", ())
        if isinstance(spec, tuple):
            names = [(wanted, self.find(wanted)) for wanted in spec]
            absent = [wanted for wanted, name in names if name is None]
            if absent:
                self._miss(field, ", ".join(absent), absent)
            return self._numbered(field, [name for _, name in names if name is not None])
        for alternative in _alternatives(spec):
            if _RANGE.search(alternative):
                expanded = [self.find(wanted) for wanted in expand(alternative)]
                if found := [name for name in expanded if name is not None]:
                    return self._numbered(field, found)
            elif (name := self.find(alternative)) is not None:
                self._take(field, name)
                kind = self._schema.field(name).type
                if _is_list(kind):
                    if not _is_code(kind.value_type):
                        self._refuse(field, name, kind, "codes")
                    return CodeColumns("list", (name,))
                if not (_is_code(kind) or types.is_floating(kind)):
                    self._refuse(field, name, kind, "codes")
                return CodeColumns("joined", (name,))
        self._miss(field, spec, [expand(part)[0] for part in _alternatives(spec)])
        return CodeColumns("none", ())

    def check(self) -> None:
        """Raise what was found wrong.

        Raises
        ------
        CaseSchemaError
            A column is missing, ambiguous, used twice, or of a wrong type; all are named.
        """
        if self._missing:
            have = ", ".join(map(repr, self._schema.names[:20])) or "none"
            more = len(self._schema.names) - 20
            raise CaseSchemaError(
                _(
                    "columns are missing from the data:\n  {missing}",
                    missing="\n  ".join(self._missing),
                ),
                hint=(
                    _(
                        "Say which columns hold them with a preset (canonical, hqms), a "
                        "mapping file (CaseMapping.from_file) or CaseMapping(...).\nThe "
                        "data have: {have}{value}",
                        have=have,
                        value=_(" and {more} more", more=more) if more > 0 else "",
                    )
                ),
            )
        if self._wrong:
            raise CaseSchemaError(
                _(
                    "columns cannot be used as the mapping says:\n  {wrong}",
                    wrong="\n  ".join(self._wrong),
                ),
                hint=_("Convert these columns, or map other ones."),
            )

    def find(self, wanted: str) -> str | None:
        """The column of this name, in whatever case and width; None where there is none.

        Raises
        ------
        CaseSchemaError
            Several columns have it.
        """
        exact = self._schema.names.count(wanted)
        if exact == 1:
            return wanted
        form = form_of(wanted)
        alike = self._by_form.get(form) or self._by_code.get(form, [])
        if exact > 1 or len(alike) > 1:
            raise CaseSchemaError(
                _(
                    "column {wanted!r} is ambiguous: the data have {alike}",
                    wanted=wanted,
                    alike=", ".join(map(repr, alike)),
                ),
                hint=_("Rename or drop all but one of them, or map the exact name."),
            )
        return alike[0] if alike else None

    def _take(self, field: str, name: str) -> None:
        if name in self._owner:
            self._wrong.append(
                _(
                    "{field}: column {name!r} is mapped to {other} too",
                    field=field,
                    name=name,
                    other=self._owner[name],
                )
            )
        self._owner[name] = field

    def _numbered(self, field: str, names: list[str]) -> CodeColumns:
        for name in names:
            self._take(field, name)
            kind = self._schema.field(name).type
            if not (_is_code(kind) or types.is_floating(kind)):
                self._refuse(field, name, kind, "numbered")
        return CodeColumns("numbered", tuple(names))

    def _refuse(self, field: str, name: str, found: pa.DataType, kind: str) -> None:
        self._wrong.append(
            _(
                "{field}: column {name!r} is {found}; accepted: {kinds}",
                field=field,
                name=name,
                found=found,
                kinds=_(_ACCEPTED[kind]),
            )
        )

    def _miss(self, field: str, spec: str, wanted: Sequence[str]) -> None:
        near = []
        for name in wanted:
            for form in difflib.get_close_matches(form_of(name), self._by_form, n=3):
                near.extend(self._by_form[form])
        nearest = ", ".join(map(repr, dict.fromkeys(near))) or _("none alike")
        said = _("{field}: {spec!r} (nearest: {nearest})", field=field, spec=spec, nearest=nearest)
        self._missing.append(said + _asked(field))


def expand(pattern: str) -> list[str]:
    """Names that a pattern stands for.

    Parameters
    ----------
    pattern : str
        A name with one range ``{first..last}`` in it; leading zeros of `first` give the width.

    Returns
    -------
    list of str
        A name without a range stands for itself.

    Raises
    ------
    CaseSchemaError
        The range runs backwards or beyond 999 columns, or there are two ranges.

    Examples
    --------
    >>> expand("C06x{08..11}C")
    ['C06x08C', 'C06x09C', 'C06x10C', 'C06x11C']
    """
    ranges = list(_RANGE.finditer(pattern))
    if not ranges:
        return [pattern]
    first, last = int(ranges[0][1]), int(ranges[0][2])
    if len(ranges) > 1 or first > last or last - first > 998:
        raise CaseSchemaError(
            _("{pattern!r} is no pattern of numbered columns", pattern=pattern),
            hint=_("Write one range with at most 999 numbers, as in 'C06x{01..40}C'."),
        )
    width = len(ranges[0][1])
    head, tail = pattern[: ranges[0].start()], pattern[ranges[0].end() :]
    return [f"{head}{number:0{width}d}{tail}" for number in range(first, last + 1)]


def _asked(field: str) -> str:
    """Why a local column must be there, where others may be absent."""
    if field not in LOCAL_SCHEMA.names:
        return ""
    official = LOCAL_SCHEMA.field(field).metadata[b"official_name"].decode()
    return _("; rules of the scheme ask for it ({official})", official=official)


def _alternatives(spec: str) -> list[str]:
    return [part.strip() for part in spec.split(" or ")]


def form_of(name: str) -> str:
    """A column's name without regard to case, full-width forms and blanks around it.

    Examples
    --------
    >>> form_of("  Ｃ03C ")
    'c03c'
    """
    folded = unicodedata.normalize("NFKC", name).replace("\ufeff", "").replace("\u200b", "")
    return folded.strip().casefold()


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if types.is_dictionary(kind) else kind


def _is_code(kind: pa.DataType) -> bool:
    return is_text(_plain(kind)) or bool(types.is_null(_plain(kind)))


def _is_value(kind: pa.DataType) -> bool:
    return _is_code(kind) or is_number(_plain(kind))


def _is_list(kind: pa.DataType) -> bool:
    return bool(
        types.is_list(kind)
        or types.is_large_list(kind)
        or types.is_fixed_size_list(kind)
        or types.is_list_view(kind)
        or types.is_large_list_view(kind)
    )

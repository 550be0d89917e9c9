"""Which column of the user's data holds which canonical column."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any, cast

import pyarrow as pa

from drgcore.cases.columns import FRONT_PAGE_SCHEMA, LOCAL_SCHEMA
from drgcore.cases.front_page import FRONT_PAGE_PRESETS, find_front_page
from drgcore.cases.mapping_file import ALWAYS, APART, read_parameters
from drgcore.cases.presets import PRESETS
from drgcore.cases.resolving import CodeColumns, ColumnFinder, ResolvedMapping, expand
from drgcore.errors import CaseSchemaError
from drgcore.language import _

_OPTIONAL = ("age_days", "newborn_weight_g", "age_months")
_SEVERAL = ("other_diagnoses", "other_procedures", "diagnoses", "procedures")
_LOCAL = tuple(LOCAL_SCHEMA.names)


@dataclass(frozen=True)
class CaseMapping:
    """Which column of the user's data holds which canonical column.

    A name is looked for as it stands, then without regard to case, full-width forms and white
    space around it. ``"sex or 性别"`` takes the first of the alternatives that the data have.

    Parameters
    ----------
    principal_diagnosis : str or None
        Principal diagnosis (主要诊断), one code. None only with `diagnoses`.
    other_diagnoses : str, tuple of str, or None
        Other diagnoses (其他诊断): one column of lists or of joined strings; a tuple of columns
        with one code each, all of which the data must have; or a pattern of numbered columns such
        as ``"C06x{01..40}C"``, at least one of which the data must have. None: not in the data.
    principal_procedure : str or None
        Principal procedure (主要手术或操作), one code. None: not in the data.
    other_procedures : str, tuple of str, or None
        Other procedures (其他手术或操作), as `other_diagnoses`.
    sex : str
        Sex (性别).
    age_years : str
        Age [years].
    age_days : str or None
        Age [days] of patients under one year. None: not in the data. A name that ends with ``?``
        may be absent from the data.
    newborn_weight_g : str or None
        Newborn's weight on admission [g], as `age_days`.
    separator : str
        Between the codes of joined strings.
    length_of_stay, leaving_way, icu_hours, department : str or None
        Days in hospital (住院天数), way of leaving (离院方式, 1 to 9), hours in intensive care
        (重症监护时长) and department of discharge (出院科别): only local schemes ask for them, and
        only where the scheme does is the column looked for; then the data must have it. None: not
        in the data. So it is with the next two lines.
    tcm_share, birth_weight_g : str or None
        Share of treatment cost that is Chinese medicine's (中医治疗占比, 0 to 1); weight at birth
        (出生体重) [g].
    day_surgery, several_sites, new_technique, intensive_care : str or None
        Day surgery (日间手术), several sites (多部位), new technique (新技术) and intensive care
        (重症监护): yes or no.
    diagnoses, procedures : str, tuple of str, or None
        All diagnoses, or procedures, the principal one first, as `other_diagnoses`; then neither
        the principal one nor the others are mapped by themselves.
    front_page : mapping of str to str, tuple of str, or None
        The columns of `FRONT_PAGE_SCHEMA`, which only checks ask for; those that it leaves out are
        not in the data. By default the canonical names, all of which may be absent.
    age_months : str or None
        Age [months] of patients under one year as the front page writes it: whole months and days
        as a fraction of 30, ``2 15/30``. Read where the age in days is missing, as `age_days`.
    others : mapping of str to str
        Columns that grouping does not look at, by canonical name: `case_id`, `hospital`, `pool`,
        `discharge_date`, `total_cost`, `drg`, `status` and the like, or any that a policy names.

    Raises
    ------
    CaseSchemaError
        A name is of a wrong type or empty, a pattern is wrong, the separator is empty.

    Examples
    --------
    >>> from dataclasses import replace
    >>> mapping = replace(CaseMapping.preset("hqms"), age_days=None)
    >>> mapping.other_diagnoses
    'C06x{01..40}C'
    """

    principal_diagnosis: str | None
    other_diagnoses: str | tuple[str, ...] | None
    principal_procedure: str | None
    other_procedures: str | tuple[str, ...] | None
    sex: str
    age_years: str
    age_days: str | None
    newborn_weight_g: str | None
    separator: str = "|"
    length_of_stay: str | None = None
    leaving_way: str | None = None
    icu_hours: str | None = None
    department: str | None = None
    tcm_share: str | None = None
    birth_weight_g: str | None = None
    day_surgery: str | None = None
    several_sites: str | None = None
    new_technique: str | None = None
    intensive_care: str | None = None
    diagnoses: str | tuple[str, ...] | None = None
    procedures: str | tuple[str, ...] | None = None
    age_months: str | None = None
    others: Mapping[str, str] = dataclasses.field(default_factory=dict, hash=False)
    front_page: Mapping[str, str | tuple[str, ...] | None] = dataclasses.field(
        default_factory=lambda: FRONT_PAGE_PRESETS["canonical"], hash=False
    )

    def __post_init__(self) -> None:
        for field in fields(self)[:-2]:
            problem = _problem(field.name, getattr(self, field.name))
            if problem is not None:
                raise CaseSchemaError(f"{field.name} {problem}", where=_("case mapping"))
        for whole, parts in APART.items():
            if getattr(self, whole) is not None and any(getattr(self, p) for p in parts):
                raise CaseSchemaError(
                    _(
                        "{whole} and {parts} are both mapped",
                        whole=whole,
                        parts=_(" or ").join(parts),
                    ),
                    where=_("case mapping"),
                    hint=_("{whole} holds all of them, the principal one first.", whole=whole),
                )
        if self.diagnoses is None and self.principal_diagnosis is None:
            raise CaseSchemaError(
                _("principal_diagnosis must name a column"), where=_("case mapping")
            )
        for name, other in self.others.items():
            if not (isinstance(other, str) and other):
                raise CaseSchemaError(
                    _("{name} must be a column's name", name=name), where=_("case mapping")
                )
        for name, spec in self.front_page.items():
            if name not in FRONT_PAGE_SCHEMA.names:
                raise CaseSchemaError(
                    _("{name} is no column of a case", name=name), where=_("case mapping")
                )
            for part in spec if isinstance(spec, tuple) else (spec or "").split(" or "):
                expand(part)

    @classmethod
    def preset(cls, name: str) -> CaseMapping:
        """A mapping that is known by name.

        Parameters
        ----------
        name : {"canonical", "hqms", "n041", "chinese", "settlement-list"}
            "canonical": the canonical names, where codes may also stand in numbered columns
            ``other_diagnosis_1`` …; "hqms": the national front-page export (HQMS, 病案首页);
            "n041": the health statistics' front page (卫统4-1 附页: JBDM, JBDM1, SSJCZBM1 …);
            "chinese": the Chinese headings of the front page with their usual variants;
            "settlement-list": the national settlement list (医疗保障基金结算清单) as one table,
            under the list's headings or the fields of interface 4101.

        Raises
        ------
        CaseSchemaError
            There is no preset of this name.

        Examples
        --------
        >>> CaseMapping.preset("hqms").sex
        'A12C'
        """
        if name not in PRESETS:
            raise CaseSchemaError(
                _("there is no mapping preset {name!r}", name=name),
                hint=_(
                    "Presets: {presets}; or the path of a .toml file; or auto, "
                    "where a file is at hand to be looked at",
                    presets=", ".join(PRESETS),
                ),
            )
        return _preset(name)

    @classmethod
    def of(cls, mapping: str | os.PathLike[str] | CaseMapping) -> CaseMapping:
        """A mapping from itself, the name of a preset, or the path of a mapping file (.toml).

        Examples
        --------
        >>> CaseMapping.of("hqms").age_years
        'A14'
        """
        if isinstance(mapping, CaseMapping):
            return mapping
        if Path(mapping).suffix.lower() == ".toml":
            return cls.from_file(mapping)
        return cls.preset(str(mapping))

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> CaseMapping:
        """Read a mapping from a TOML file.

        Its keys are the parameters of this class. ``preset = "hqms"`` starts from a preset, which
        the other keys override. An array of names is numbered columns; an empty string says that
        the data do not have the column.

        Parameters
        ----------
        path : str or path
            A TOML file in UTF-8.

        Raises
        ------
        CaseSchemaError
            The file cannot be read, is no TOML, has an unknown key, or lacks one.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "mapping.toml")
        ...     _ = path.write_text('preset = "hqms"\\nsex = "XB"', encoding="utf-8")
        ...     CaseMapping.from_file(path).sex
        'XB'
        """
        return cls(**read_parameters(path, cls))

    @classmethod
    def parameter_names(cls) -> tuple[str, ...]:
        """The parameters that a mapping file may give beside its tables."""
        return tuple(field.name for field in fields(cls)[:-2])

    @classmethod
    def preset_parameters(cls, name: str) -> dict[str, Any]:
        """The parameters of a preset, for a mapping file to start from."""
        base = cls.preset(name)
        return {field.name: getattr(base, field.name) for field in fields(cls)}

    def find_front_page(self, schema: pa.Schema) -> dict[str, tuple[str, ...]]:
        """Find the columns of `FRONT_PAGE_SCHEMA` and `LOCAL_SCHEMA` that the data have.

        Parameters
        ----------
        schema : pyarrow.Schema
            Of the data.

        Returns
        -------
        dict of str to tuple of str
            Of each canonical column that the data have, their columns.

        Raises
        ------
        CaseSchemaError
            A column that the mapping demands is not there, or its name is ambiguous.

        Examples
        --------
        >>> schema = pa.schema({"A13": pa.string(), "B20": pa.int32()})
        >>> CaseMapping.preset("hqms").find_front_page(schema)
        {'length_of_stay': ('B20',), 'birth_date': ('A13',)}
        """
        return find_front_page(schema, {n: getattr(self, n) for n in _LOCAL} | {**self.front_page})

    def resolve(self, schema: pa.Schema, local: Iterable[str] = ()) -> ResolvedMapping:
        """Find the columns in the data at hand and check their types.

        Parameters
        ----------
        schema : pyarrow.Schema
            Of the data.
        local : iterable of str, optional
            The columns of `LOCAL_SCHEMA` that the scheme at hand asks for
            (`Scheme.local_columns`). They must be in the data; the others are not looked for.

        Returns
        -------
        ResolvedMapping

        Raises
        ------
        CaseSchemaError
            Columns are missing (all are named, with the nearest existing names), ambiguous,
            mapped twice, or of a wrong type.

        Examples
        --------
        >>> schema = pa.schema({name: pa.string() for name in (
        ...     "A12C", "A14", "C03C", "C06X01C", "C06X02C", "C14X01C", "C35X01C")})
        >>> CaseMapping.preset("hqms").resolve(schema).other_diagnoses.names
        ('C06X01C', 'C06X02C')
        """
        finder = ColumnFinder(schema)
        codes: dict[str, tuple[str | None, CodeColumns]] = {}
        for whole, (principal, others) in APART.items():
            if (all_codes := getattr(self, whole)) is not None:
                found_codes = replace(finder.several(whole, all_codes), principal_first=True)
                codes[whole] = (None, found_codes)
                continue
            spec = getattr(self, principal)
            one = None if spec is None else finder.one(principal, spec, "code")
            codes[whole] = (one, finder.several(others, getattr(self, others)))
        values: dict[str, str | None] = {}
        for name in ("sex", "age_years", *_OPTIONAL):
            spec = getattr(self, name)
            values[name] = None if spec is None else finder.one(name, spec, "value")
        found = {name: finder.local(name, getattr(self, name)) for name in local}
        finder.check()
        dates = {name: self.front_page.get(name) for name in ("birth_date", "admission_date")}
        days = find_front_page(schema, dates)
        # After the check none of the columns that every case needs is None.
        return ResolvedMapping(
            principal_diagnosis=codes["diagnoses"][0],
            other_diagnoses=codes["diagnoses"][1],
            principal_procedure=codes["procedures"][0],
            other_procedures=codes["procedures"][1],
            birth_date=days.get("birth_date", (None,))[0],
            admission_date=days.get("admission_date", (None,))[0],
            sex=cast(str, values["sex"]),
            age_years=cast(str, values["age_years"]),
            age_days=values["age_days"],
            age_months=values["age_months"],
            newborn_weight_g=values["newborn_weight_g"],
            separator=self.separator,
            local={key: name for key, name in found.items() if name is not None},
        )


def _problem(field: str, value: object) -> str | None:
    if value is None:
        return _("must name a column") if field in (*ALWAYS, "separator") else None
    names = value if isinstance(value, tuple) and field in _SEVERAL else (value,)
    if not names or not all(isinstance(name, str) and name for name in names):
        if field in _SEVERAL:
            return _("must be a column's name or several")
        return _("must be a column's name")
    if field == "separator":
        return None
    for name in names:
        if name.endswith("?") and field not in (*_OPTIONAL, *_LOCAL):
            return _(
                "cannot be optional ({name!r}); only {fields} can",
                name=name,
                fields=", ".join((*_OPTIONAL, *_LOCAL)),
            )
        if field in _SEVERAL and not isinstance(value, tuple):
            for part in name.split(" or "):
                expand(part)
    return None


@cache
def _preset(name: str) -> CaseMapping:
    # Presets are checked once, not with every single case that is looked at.
    return CaseMapping(**PRESETS[name])

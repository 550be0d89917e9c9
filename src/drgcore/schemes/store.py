"""Where schemes are kept: the shipped tables, a folder of compiled tables, a workbook."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from drgcore.cases.dictionary import CodeKind as CodeKind
from drgcore.cases.dictionary import code_table, translation_table
from drgcore.cases.dictionary import tables_folder as tables_folder
from drgcore.errors import SchemeError
from drgcore.language import _
from drgcore.schemes.checks import refuse_unsound
from drgcore.schemes.model import TABLE_SCHEMAS, Scheme
from drgcore.schemes.overlay import CHANGE_FIELD, lay_on
from drgcore.schemes.overlay_source import base_of_source, read_overlay_source
from drgcore.schemes.source import SourceTables, read_source

FORMAT_VERSION = 1
"""Of the compiled tables; a reader refuses any other."""

DEFAULT_SCHEME = "chs-drg-3.0"
MANIFEST = "scheme.json"

_MANIFEST_KEYS = frozenset(
    {"name", "title", "base", "metadata", "counts", "source_rows", "tables", "digest"}
)
# Shipped schemes by name, each read once.
_read_already: dict[str, Scheme] = {}


@dataclass(frozen=True, slots=True)
class SchemeInfo:
    """A shipped scheme as `list_schemes` tells of it.

    Parameters
    ----------
    name, title : str
        Short name, and the title of the plan.
    base : str or None
        The scheme of which it is an overlay.
    in_force_from : str or None
        ISO date, where the source states one.
    region, year : str or None
        Of a local version: the city or province, and the year.
    counts : mapping of str to int
        As `Scheme.counts` gives them.
    """

    name: str
    title: str
    base: str | None
    in_force_from: str | None
    region: str | None
    year: str | None
    counts: Mapping[str, int]


def load_scheme(name_or_path: str | Path = DEFAULT_SCHEME, *, check: bool = True) -> Scheme:
    """Load a grouping scheme (分组方案).

    Parameters
    ----------
    name_or_path : str or Path
        The name of a shipped scheme, a folder that `compile_scheme` wrote, or a source that it
        would accept: an official workbook or a folder of .csv tables.
    check : bool, default True
        Refuse a source whose scheme has errors, as `compile_scheme` does.

    Returns
    -------
    Scheme
        A shipped scheme is read once per process.

    Raises
    ------
    SchemeError
        When there is no such scheme, or it or its base cannot be read.

    Examples
    --------
    >>> scheme = load_scheme("chs-drg-3.0")
    >>> scheme.counts()["drg"]
    825
    >>> load_scheme("chs-drg-9.9")
    Traceback (most recent call last):
    drgcore.errors.SchemeError: there is no scheme 'chs-drg-9.9'
    Shipped are anyang-2021, beijing-2022, ...
    """
    if isinstance(name_or_path, str) and name_or_path in _read_already:
        return _read_already[name_or_path]
    shipped = shipped_names()
    if isinstance(name_or_path, str) and name_or_path in shipped:
        found = _read_compiled(tables_folder() / name_or_path, ())
        return _read_already.setdefault(name_or_path, found)
    path = Path(name_or_path)
    if (path / MANIFEST).is_file():
        return _read_compiled(path, ())
    if path.exists():
        source, base = read_source_beside(path, path.parent)
        name = path.name if path.is_dir() else path.stem
        metadata = {**({"base": base} if base else {}), "source": source.origin}
        scheme = Scheme(name, source.tables, metadata, source.source_rows)
        if check:
            refuse_unsound(scheme)
        return scheme
    raise SchemeError(
        _("there is no scheme {name_or_path!r}", name_or_path=str(name_or_path)),
        hint=_(
            "Shipped are {shipped}; a folder or a workbook is named by its path.",
            shipped=", ".join(shipped),
        ),
    )


def list_schemes() -> tuple[SchemeInfo, ...]:
    """The shipped schemes, by name.

    Examples
    --------
    >>> for info in list_schemes():
    ...     if info.base is None or info.region == "北京市":
    ...         print(info.name, info.base, info.counts["drg"])
    beijing-2022 chs-drg-1.1 696
    chs-drg-1.0r None 618
    chs-drg-1.1 None 628
    chs-drg-2.0 None 634
    chs-drg-3.0 None 825
    """
    folder = tables_folder()
    return tuple(_info(read_manifest(folder / name)) for name in shipped_names())


def load_dictionary(kind: CodeKind) -> pa.Table:
    """The insurance version (医保版) of a code system: a table of code and name.

    Examples
    --------
    >>> load_dictionary("diagnoses").num_rows, load_dictionary("procedures").num_rows
    (33304, 13686)
    """
    return code_table(kind)


def load_translation(kind: CodeKind) -> pa.Table:
    """Clinical (国临版) to insurance (医保版) codes: the pairs that differ.

    Some code strings stand in both versions with different meanings, so a translation is right only
    for codes that are known to be clinical.

    Examples
    --------
    >>> load_translation("procedures").column_names
    ['clinical_code', 'insurance_code']
    """
    return translation_table(kind)


def shipped_names() -> tuple[str, ...]:
    """The names of the shipped schemes, sorted."""
    return tuple(sorted(path.parent.name for path in tables_folder().glob(f"*/{MANIFEST}")))


def read_manifest(folder: Path) -> dict[str, Any]:
    """What a compiled scheme says of itself.

    Raises
    ------
    SchemeError
        When the folder holds none, or one of another format version.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SchemeError(
            _("this is no compiled scheme: {strerror}", strerror=error.strerror), where=str(path)
        ) from None
    except ValueError as error:
        raise SchemeError(_("the file is damaged: {error}", error=error), where=str(path)) from None
    version = manifest.get("format_version") if isinstance(manifest, dict) else None
    if version != FORMAT_VERSION:
        raise SchemeError(
            _(
                "the tables have format version {version}, this drgcore reads {format_version}",
                version=version,
                format_version=FORMAT_VERSION,
            ),
            where=str(path),
            hint=_("Compile the scheme again from its source with this version."),
        )
    missing = _MANIFEST_KEYS - manifest.keys()
    if missing:
        raise SchemeError(
            _("the file is damaged: it lacks {missing}", missing=", ".join(sorted(missing))),
            where=str(path),
        )
    return dict(manifest)


def read_source_beside(path: Path, beside: Path) -> tuple[SourceTables, str | None]:
    """The whole tables of a source, and the name of its base where it is the folder of an overlay.

    Raises
    ------
    SchemeError
        As `read_source`; also when the base is neither `beside` it nor shipped.
    """
    base = base_of_source(path)
    if base is None:
        return read_source(path), None
    below = _read_compiled(find_base(base, beside), ())
    return read_overlay_source(path, below.tables), base


def base_name(manifest: Mapping[str, Any]) -> str | None:
    """The name of the scheme of which a compiled scheme is an overlay."""
    return manifest["base"]["name"] if manifest["base"] else None


def find_base(name: str, beside: Path) -> Path:
    """The folder of an overlay's base: beside the overlay, else shipped.

    Raises
    ------
    SchemeError
        When it is in neither place.
    """
    for folder in (beside / name, tables_folder() / name):
        if (folder / MANIFEST).is_file():
            return folder
    raise SchemeError(
        _("there is no scheme {name!r} to be the base of an overlay", name=name),
        where=str(beside),
        hint=_(
            "A base is looked for there and among the shipped: {shipped_names}.",
            shipped_names=", ".join(shipped_names()),
        ),
    )


def _read_compiled(folder: Path, overlays: tuple[Path, ...]) -> Scheme:
    """The scheme in a folder; `overlays` are the folders that were met on the way to it."""
    folder = folder.resolve()
    if folder in overlays:
        chain = " → ".join(path.name for path in (*overlays, folder))
        raise SchemeError(
            _("the overlay is its own base: {chain}", chain=chain), where=str(overlays[0])
        )
    manifest = read_manifest(folder)
    base = manifest["base"]
    schemas = TABLE_SCHEMAS
    if base is not None:
        schemas = {name: schema.append(CHANGE_FIELD) for name, schema in schemas.items()}
    tables = {name: read_table(folder, name, schemas[name]) for name in manifest["tables"]}
    if base is not None:
        below = _read_compiled(find_base(base["name"], folder.parent), (*overlays, folder))
        if below.metadata["digest"] != base["digest"]:
            raise SchemeError(
                _("its base {base} is not the one that it was cut from", base=base["name"]),
                where=str(folder),
                hint=_("Compile the overlay again from its source."),
            )
        tables = lay_on(below.tables, tables)
    return Scheme(
        manifest["name"],
        MappingProxyType(tables),
        MappingProxyType(
            {
                "title": manifest["title"],
                **({"base": base["name"]} if base else {}),
                "digest": manifest["digest"],
                **manifest["metadata"],
            }
        ),
        MappingProxyType(manifest["source_rows"]),
    )


def read_table(folder: Path, table: str, schema: pa.Schema) -> pa.Table:
    """A shipped or compiled table.

    Raises
    ------
    SchemeError
        When it cannot be read or has other columns.
    """
    path = folder / f"{table}.parquet"
    try:
        # `read_table` would load the dataset layer first, which takes longer than all the tables.
        with pq.ParquetFile(path) as file:
            found = file.read()
    except (OSError, pa.ArrowException) as error:
        raise SchemeError(
            _("the table cannot be read: {error}", error=error), where=str(path)
        ) from None
    if found.schema != schema:
        raise SchemeError(
            _("the table has columns {column_names}", column_names=found.column_names),
            where=str(path),
        )
    return found


def _info(manifest: Mapping[str, Any]) -> SchemeInfo:
    told = manifest["metadata"]
    return SchemeInfo(
        manifest["name"],
        manifest["title"],
        base_name(manifest),
        told.get("in_force_from"),
        told.get("region"),
        told.get("year"),
        MappingProxyType(manifest["counts"]),
    )

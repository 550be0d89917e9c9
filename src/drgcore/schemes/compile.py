"""From a source to compiled tables: checked, counted, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from drgcore.errors import SchemeError
from drgcore.files import passing_folder
from drgcore.language import _
from drgcore.schemes.cells import Repair
from drgcore.schemes.checks import refuse_unsound
from drgcore.schemes.findings import Finding
from drgcore.schemes.identity import refuse_other
from drgcore.schemes.model import TABLE_SCHEMAS, Scheme
from drgcore.schemes.overlay import cut_overlay
from drgcore.schemes.overlay_source import base_of_source
from drgcore.schemes.source import SourceTables
from drgcore.schemes.store import (
    FORMAT_VERSION,
    MANIFEST,
    base_name,
    find_base,
    load_scheme,
    read_manifest,
    read_source_beside,
)

Progress = Callable[[str], None]

_MAX_BASES = 20  # of an older circle, which loading its schemes names

# What the manifest holds beside the other metadata.
_OWN_KEYS = frozenset({"title", "base", "digest"})


@dataclass(frozen=True)
class CompileReport:
    """What `compile_scheme` did.

    Parameters
    ----------
    folder : Path
        Where the tables stand.
    scheme : Scheme
        The scheme as compiled.
    digest : str
        SHA-256 of the content of the six tables, whatever the order of their rows.
    counts : mapping of str to int
        As `Scheme.counts` gives them.
    repairs : tuple of Repair
        What was put right in the source.
    warnings : tuple of Finding
        What the checks found and let pass.
    changes : mapping of str to int, or None
        Rows of each table of an overlay.
    """

    folder: Path
    scheme: Scheme = field(repr=False)
    digest: str
    counts: Mapping[str, int]
    repairs: tuple[Repair, ...] = field(repr=False)
    warnings: tuple[Finding, ...] = field(repr=False)
    changes: Mapping[str, int] | None


def compile_scheme(
    source: str | Path | SourceTables,
    out: str | Path,
    *,
    name: str,
    title: str | None = None,
    base: str | None = None,
    metadata: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> CompileReport:
    """Compile a scheme from its source into tables that `load_scheme` reads at once.

    Parameters
    ----------
    source : str, Path or SourceTables
        An official workbook, a folder of .csv tables, the folder of an overlay (``base.txt`` and
        the .csv tables of what differs), or what `read_source` made of a source.
    out : str or Path
        The folder under which the folder `name` is written, or replaced when it is there.
    name : str
        Short name of the scheme: letters, digits, dots, underscores and hyphens.
    title : str, optional
        Title of the plan; the name where none is given.
    base : str, optional
        Write an overlay: only the rows that differ from this scheme, which stands under `out` or
        is shipped. The folder of an overlay names its own.
    metadata : mapping of str to str, optional
        More to keep with the scheme: ``source`` (the documents; the file name where none is
        given), ``in_force_from`` (ISO date) and the like.
    progress : callable, optional
        Called with the name of each step as it starts.

    Returns
    -------
    CompileReport
        Counts, repairs and warnings. The same source gives the same files, byte for byte.

    Raises
    ------
    SchemeError
        When the source cannot be read or has errors (all are listed), or the tables cannot be
        written; then nothing is left behind and an older compilation stays as it was.

    Examples
    --------
    A local version that equals its base is an overlay without a row.

    >>> from tempfile import TemporaryDirectory
    >>> tables = load_scheme("chs-drg-1.1").tables
    >>> with TemporaryDirectory() as out:
    ...     source = SourceTables("city", tables, {})
    ...     report = compile_scheme(source, out, name="city", base="chs-drg-1.1")
    >>> report.changes, report.counts["drg"]
    ({}, 628)
    """
    step = progress or (lambda _: None)
    out = Path(out)
    if base is None and not isinstance(source, SourceTables):
        base = base_of_source(source)
    refuse_name(name, base)
    if base is not None:
        _refuse_circle(name, base, out)
    if not isinstance(source, SourceTables):
        step("read")
        source, _other = read_source_beside(Path(source), out)
    step("check")
    digest = content_digest(source.tables)
    scheme = Scheme(
        name,
        source.tables,
        {
            "title": title or name,
            **({"base": base} if base else {}),
            "digest": digest,
            "source": source.origin,
            **(metadata or {}),
        },
        source.source_rows,
    )
    warnings = (*refuse_other(name, base, source.tables), *refuse_unsound(scheme))
    tables, base_entry = source.tables, None
    if base is not None:
        below = load_scheme(find_base(base, out))
        base_entry = {"name": base, "digest": below.metadata["digest"]}
        tables = cut_overlay(source.tables, below.tables)
    step("write")
    manifest = {
        "format_version": FORMAT_VERSION,
        "name": name,
        "title": scheme.metadata["title"],
        "base": base_entry,
        "metadata": {
            k: v for k, v in scheme.metadata.items() if k not in ("title", "base", "digest")
        },
        "counts": scheme.counts(),
        "source_rows": dict(source.source_rows),
        "tables": list(tables),
        "repairs": source.repairs_by_kind(),
        "digest": digest,
    }
    _write_folder(out / name, tables, manifest)
    return CompileReport(
        out / name,
        scheme,
        digest,
        scheme.counts(),
        source.repairs,
        warnings,
        None if base is None else {t: changes.num_rows for t, changes in tables.items()},
    )


def content_digest(tables: Mapping[str, pa.Table]) -> str:
    """SHA-256 of the content of a scheme's tables, whatever the order of their rows."""
    whole = hashlib.sha256()
    for name, schema in TABLE_SCHEMAS.items():
        table = tables[name].select(schema.names)
        columns = [map(str, column.to_pylist()) for column in table.columns]
        # The separators cannot stand in a cell: the reader takes control characters for space.
        rows = sorted("\x1f".join(row) for row in zip(*columns, strict=True))
        whole.update("\x1e".join([name, *rows, ""]).encode())
    return whole.hexdigest()


def write_table(table: pa.Table, path: Path) -> None:
    """Write a table small: a scheme is read often and written once."""
    pq.write_table(table, path, compression="zstd", compression_level=19, write_statistics=False)


def refuse_name(name: str, base: str | None = None) -> None:
    """Refuse what cannot be the name of a scheme, or of an overlay on `base`.

    Raises
    ------
    SchemeError
        For other characters than letters, digits, dots, underscores and hyphens; for the name of
        the base.

    Examples
    --------
    >>> refuse_name("my city")
    Traceback (most recent call last):
    drgcore.errors.SchemeError: 'my city' cannot be the name of a scheme
    Use letters, digits, dots, underscores and hyphens.
    """
    plain = name.replace(".", "").replace("-", "").replace("_", "")
    if not (plain.isalnum() and name.isascii()):
        raise SchemeError(
            _("{name!r} cannot be the name of a scheme", name=name),
            hint=_("Use letters, digits, dots, underscores and hyphens."),
        )
    if base == name:
        raise SchemeError(_("scheme {name} cannot be its own base", name=name))


def _refuse_circle(name: str, base: str, out: Path) -> None:
    """Refuse a base that lies on the scheme that is to be written, directly or by others."""
    chain, folder = [name], find_base(base, out)
    while True:
        chain.append(folder.name)
        if folder.resolve() == (out / name).resolve():
            raise SchemeError(
                _("the overlay would be its own base: {chain}", chain=" → ".join(chain)),
                where=str(out / name),
            )
        below = base_name(read_manifest(folder))
        if below is None or len(chain) > _MAX_BASES:
            return
        folder = find_base(below, folder.parent)


def _write_folder(
    folder: Path, tables: Mapping[str, pa.Table], manifest: Mapping[str, object]
) -> None:
    """Write all files beside `folder`, then put them in its place in one go."""
    with ExitStack() as stack:
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            beside = stack.enter_context(passing_folder(folder.name, folder.parent))
        except OSError as error:
            raise SchemeError(
                _("cannot write there: {error}", error=error), where=str(folder.parent)
            ) from None
        whole, old = beside / "new", beside / "old"
        try:
            whole.mkdir()
            for name, table in tables.items():
                write_table(table, whole / f"{name}.parquet")
            text = json.dumps(manifest, ensure_ascii=False, indent=1)
            (whole / MANIFEST).write_text(text + "\n", encoding="utf-8")
            if folder.exists():
                os.replace(folder, old)
            try:
                os.replace(whole, folder)
            except OSError:
                if old.exists():
                    os.replace(old, folder)
                raise
        except OSError as error:
            raise SchemeError(
                _("the tables cannot be written: {error}", error=error), where=str(folder)
            ) from None

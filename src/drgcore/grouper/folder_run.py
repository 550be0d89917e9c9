"""Every file of a folder to a file of the same name in another: whole, once, resumable."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from drgcore.cases import CaseMapping
from drgcore.cases.folders import CaseFile, CaseFiles
from drgcore.errors import CaseSchemaError, DrgcoreError, UnfinishedError
from drgcore.files import sweep_parts
from drgcore.grouper.dated import DatedGrouper, Grouping
from drgcore.grouper.extras import program_version
from drgcore.grouper.folder_summary import FolderSummary, counts_of, folder_summary
from drgcore.grouper.manifest import FileRecord, Manifest, sha256_of
from drgcore.grouper.summary import GroupingSummary
from drgcore.language import _, reason_of
from drgcore.progress import step
from drgcore.schemes import load_scheme

Work = Callable[[CaseFile, Path], GroupingSummary]
"""Makes the result of one file, whole or not at all."""

_LOCK = ".drgcore.lock"
# The ending of the result by that of the input: its own where such files are written.
_WRITTEN = {
    **{own: own for own in (".parquet", ".pq", ".csv", ".xlsx")},
    ".xls": ".xlsx",
    **dict.fromkeys((".tsv", ".txt", ".dbf"), ".csv"),
}
_SHOWN = 10
_MEGABYTE = 1_000_000


def run_folder(
    cases: CaseFiles,
    folder: Path,
    work: Work,
    options: Mapping[str, Any],
    *,
    scheme: str,
    kind: str | None = None,
    fresh: bool = False,
    stop_at_first_error: bool = False,
) -> FolderSummary:
    """Work on every file whose result is not there yet.

    Parameters
    ----------
    cases : CaseFiles
    folder : Path
        Of the results; made where it is missing.
    work : callable
        Makes the result of one file.
    options : mapping of str to JSON
        All that decides what a result holds.
    scheme : str
        What the summary calls the grouping.
    kind : str, optional
        The ending of the results; by default that of each file, or of a near kind where its own is
        not written.
    fresh : bool, default False
        Make every result anew, whatever is there.
    stop_at_first_error : bool, default False
        Do not go on behind a file that cannot be read.

    Returns
    -------
    FolderSummary

    Raises
    ------
    DrgcoreError
        The folder holds results of other options, or files that are no results; another run is at
        work in it; a result cannot be written.
    UnfinishedError
        Some files cannot be read; the others are done.
    """
    targets = _targets(cases, folder, kind)
    with _alone(folder):
        manifest = _manifest(folder, options, targets, fresh)
        manifest.begin()
        for name in targets.values():
            sweep_parts(folder / name)
        failed: dict[str, str] = {}
        kept: set[str] = set()
        by_name = sorted(cases.files, key=lambda file: file.name)
        try:
            for file in _shown(by_name):
                target = folder / targets[file.name]
                try:
                    record = _standing(manifest, file, targets[file.name])
                    if record is not None:
                        manifest.done[file.name] = record
                        kept.add(file.name)
                        continue
                    # Until the new result is whole there is none: an old one would be taken for it.
                    manifest.done.pop(file.name, None)
                    target.unlink(missing_ok=True)
                    record = _worked(file, targets[file.name], folder, work)
                except (CaseSchemaError, OSError) as error:
                    failed[file.name] = _told(error)
                    if stop_at_first_error:
                        break
                    continue
                manifest.add(record)
        except KeyboardInterrupt as stop:
            done = len(manifest.done.keys() & targets.keys())
            stop.add_note(
                _(
                    "{done:,} of {all:,} files are done and whole in {folder}; the same command "
                    "goes on with the others",
                    done=done,
                    all=len(targets),
                    folder=folder,
                )
            )
            raise
        manifest.finish(complete=not failed)
    others = sorted(manifest.done.keys() - targets.keys())
    gone = [name for name in others if not (cases.root / name).exists()]
    records = [manifest.done[name] for name in sorted(manifest.done) if name in targets]
    summary = folder_summary(scheme, records, len(kept), gone)
    if failed:
        raise _unfinished(failed, len(targets), summary)
    return summary


def _shown(files: list[CaseFile]) -> Iterator[CaseFile]:
    """The files in their order, with the bytes of those before them as what is done."""
    sizes = [file.path.stat().st_size if file.path.exists() else 0 for file in files]
    with step(_("{files:,} files", files=len(files)), "MB", sum(sizes) // _MEGABYTE) as all_files:
        done = 0
        for file, size in zip(files, sizes, strict=True):
            yield file
            done += size
            all_files.update(done // _MEGABYTE)


def result_options(grouper: Grouping, mapping: CaseMapping) -> dict[str, Any]:
    """What of a scheme and a mapping decides the results, as a manifest holds it.

    Parameters
    ----------
    grouper : Grouping
    mapping : CaseMapping

    Returns
    -------
    dict of str to JSON
        ``scheme`` with the digest of its rules, or those of a calendar; ``mapping``; and
        ``drgcore``, the version of this program.
    """
    if isinstance(grouper, DatedGrouper):
        rules: Any = [
            {
                "scheme": load_scheme(period.scheme).name,
                "from": period.first_day and period.first_day.isoformat(),
                "digest": load_scheme(period.scheme).metadata.get("digest"),
            }
            for period in grouper.calendar.periods
        ]
    else:
        rules = grouper.made_by[b"drgcore.digest"].decode()
    return {
        "scheme": grouper.name,
        "rules": rules,
        "mapping": {f.name: _plain(getattr(mapping, f.name)) for f in fields(mapping)},
        "drgcore": program_version(),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _worked(file: CaseFile, target: str, folder: Path, work: Work) -> FileRecord:
    path = folder / target
    before = file.path.stat()
    _make(path.parent)
    summary = work(file, path)
    digest = sha256_of(file.path)
    after = file.path.stat()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        path.unlink()
        raise CaseSchemaError(
            _("the file changed while it was read"),
            where=str(file.path),
            hint=_("Run the command again when nobody writes to it."),
        )
    return FileRecord(
        file.name,
        target,
        after.st_size,
        after.st_mtime_ns,
        digest,
        sha256_of(path),
        summary.rows,
        counts_of(summary),
        list(summary.warnings),
        list(summary.notes),
    )


def _standing(manifest: Manifest, file: CaseFile, target: str) -> FileRecord | None:
    """What is known of a file whose result is there, of this input; None where it is to be made."""
    record = manifest.done.get(file.name)
    if record is None or record.output != target or not record.is_of(file.path):
        return None
    if not record.is_whole(manifest.folder):
        return None
    return replace(record, input_mtime_ns=file.path.stat().st_mtime_ns)


def _targets(cases: CaseFiles, folder: Path, kind: str | None) -> dict[str, str]:
    """The result of each file, by names below the two folders.

    Raises
    ------
    DrgcoreError
        Two files have the same result, or one of the two folders lies in the other.
    """
    targets: dict[str, str] = {}
    taken: dict[str, str] = {}
    inputs = {os.path.realpath(file.path) for file in cases.files}
    inside = os.path.join(os.path.realpath(folder), "")
    for file in cases.files:
        stem = file.name.removesuffix(".gz")
        bare, suffix = os.path.splitext(stem)
        target = targets[file.name] = bare + (kind or _WRITTEN.get(suffix.lower(), ".parquet"))
        other = taken.setdefault(target.casefold(), file.name)
        if other != file.name:
            raise DrgcoreError(
                _("{other} and {name} have the same result", other=other, name=file.name),
                where=str(folder / target),
                hint=_("Rename one of them, or group them into two folders."),
            )
    beside = _("Name another folder, beside that of the cases.")
    if any(path.startswith(inside) for path in inputs):
        raise DrgcoreError(
            _("cases lie in the folder of the results"), where=str(folder), hint=beside
        )
    if cases.is_folder and inside.startswith(os.path.join(os.path.realpath(cases.root), "")):
        raise DrgcoreError(
            # The next run would take them for cases.
            _("the results lie in the folder of the cases"),
            where=str(folder),
            hint=beside,
        )
    return targets


def _manifest(
    folder: Path, options: Mapping[str, Any], targets: Mapping[str, str], fresh: bool
) -> Manifest:
    found = None if fresh else Manifest.read(folder)
    if found is None:
        there = next((t for t in targets.values() if (folder / t).exists()), None)
        if there is not None and not fresh:
            raise DrgcoreError(
                _("{file} is there, and no manifest says what it was made from", file=there),
                where=str(folder),
                hint=_("Name another folder, or make every result anew with --fresh (fresh=True)."),
            )
        return Manifest(folder, options, {})
    differences = found.differences(options)
    if differences:
        raise DrgcoreError(
            _("the results there were made otherwise: {how}", how="; ".join(differences)),
            where=str(folder),
            hint=_(
                "Repeat the options, name another folder, or make every result anew with --fresh "
                "(fresh=True)."
            ),
        )
    return found


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder against other runs; a killed one does not hold it any more."""
    _make(folder)
    lock = FileLock(folder / _LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise DrgcoreError(
            _("another run is at work in this folder"),
            where=str(folder),
            hint=_("Wait until it is done, or name another folder."),
        ) from None
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        yield
    finally:
        lock.release()


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(folder: Path, error: OSError) -> DrgcoreError:
    return DrgcoreError(
        _("results cannot be written there: {reason}", reason=reason_of(error)),
        where=str(folder),
        hint=_("Check that it is a folder, its rights and the free space."),
    )


def _told(error: CaseSchemaError | OSError) -> str:
    return reason_of(error) if isinstance(error, OSError) else str(error)


def _unfinished(failed: Mapping[str, str], number: int, summary: FolderSummary) -> UnfinishedError:
    lines = [f"{name}: {text}" for name, text in list(failed.items())[:_SHOWN]]
    if len(failed) > _SHOWN:
        lines.append(_("and {more:,} more", more=len(failed) - _SHOWN))
    head = _("{failed:,} of {all:,} files cannot be grouped", failed=len(failed), all=number)
    return UnfinishedError(
        "\n".join([head, *lines]),
        failed=failed,
        summary=summary,
        hint=_("The others are done. Mend these and run the same command again."),
    )

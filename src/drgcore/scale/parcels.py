"""Schemes and policies as they travel to worker processes, each opened once in a process."""

from __future__ import annotations

import pickle
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from drgcore.errors import DrgcoreError, PolicyError, SchemeError
from drgcore.grouper.dated import Grouping, grouper_of
from drgcore.grouper.extras import Extras, program_version
from drgcore.language import _
from drgcore.points.policy import Policy
from drgcore.schemes import Scheme, load_scheme
from drgcore.schemes.calendar import SchemeCalendar, is_calendar, load_calendar
from drgcore.schemes.store import shipped_names


@dataclass(frozen=True)
class SchemeParcel:
    """A scheme or a calendar on its way to other processes.

    A shipped scheme goes as its name and the digest of its tables, any other with its tables: a
    file of the driver need not be there for the workers.

    Parameters
    ----------
    name : str
        Of the scheme or the calendar.
    digests : tuple of (str, str)
        Schemes that are loaded by name, and the digests that they must have.
    body : bytes
        Pickled tables, or a pickled calendar; empty for a shipped scheme.
    version : str
        The program that packed it: another one may group otherwise.
    """

    name: str
    digests: tuple[tuple[str, str], ...]
    body: bytes
    version: str

    @classmethod
    def of(cls, scheme: str | Path | Scheme | SchemeCalendar) -> SchemeParcel:
        """Pack a scheme.

        Parameters
        ----------
        scheme : str, Path, Scheme or SchemeCalendar
            As `drgcore.group` takes it.

        Raises
        ------
        SchemeError
            When there is no such scheme.

        Examples
        --------
        >>> parcel = SchemeParcel.of("chs-drg-3.0")
        >>> parcel.name, parcel.body, parcel.open().counts()["drg"]
        ('chs-drg-3.0', b'', 825)
        """
        version = program_version()
        if isinstance(scheme, SchemeCalendar) or is_calendar(scheme):
            assert not isinstance(scheme, Scheme)
            calendar = load_calendar(scheme)
            names = dict.fromkeys(period.scheme for period in calendar.periods)
            digests = tuple((name, _digest(load_scheme(name))) for name in names)
            return cls(calendar.name, digests, pickle.dumps(calendar), version)
        found = scheme if isinstance(scheme, Scheme) else load_scheme(scheme)
        if found.name in shipped_names() and _digest(load_scheme(found.name)) == _digest(found):
            return cls(found.name, ((found.name, _digest(found)),), b"", version)
        parts = (found.name, dict(found.tables), dict(found.metadata), dict(found.source_rows))
        return cls(found.name, (), pickle.dumps(parts), version)

    def open(self) -> Scheme | SchemeCalendar:
        """Give the scheme, in whatever process this is.

        Raises
        ------
        DrgcoreError
            When this process has another version of the program, or other tables of that name.
        """
        _same_version(self.version)
        for name, digest in self.digests:
            if _digest(load_scheme(name)) != digest:
                raise SchemeError(
                    _("a worker has another scheme of the name {name}", name=name),
                    hint=_("install one version everywhere"),
                )
        if not self.body:
            return load_scheme(self.name)
        found = pickle.loads(self.body)
        return found if isinstance(found, SchemeCalendar) else Scheme(*found)


@dataclass(frozen=True)
class PolicyParcel:
    """A policy on its way to other processes, with the files that it names.

    Parameters
    ----------
    body : bytes
        The policy, pickled.
    files : tuple of (str, bytes)
        Names relative to the policy's folder, and what they hold.
    version : str
        The program that packed it.
    """

    body: bytes
    files: tuple[tuple[str, bytes], ...]
    version: str

    @classmethod
    def of(cls, policy: Policy) -> PolicyParcel:
        """Pack a policy.

        Raises
        ------
        PolicyError
            When a file that it names is not there, or not in its folder.

        Examples
        --------
        >>> policy = Policy.load("example")
        >>> policy_in(PolicyParcel.of(policy)).text == policy.text
        True
        """
        for name in policy.files:
            # A worker puts the files into a folder of its own, and nothing beside it.
            if Path(name).is_absolute() or ".." in Path(name).parts:
                raise PolicyError(
                    _("the file {name} lies outside the policy's folder", name=name),
                    where=_("policy {name}", name=policy.name),
                    hint=_("move it beside the policy file"),
                )
        files = tuple((name, policy.path_of(name).read_bytes()) for name in policy.files)
        return cls(pickle.dumps(policy), files, program_version())


# The folders of opened policies, which go when the process ends.
_folders: list[tempfile.TemporaryDirectory[str]] = []


@lru_cache(maxsize=8)
def policy_in(parcel: PolicyParcel) -> Policy:
    """Open a parcel's policy, once in a process.

    Parameters
    ----------
    parcel : PolicyParcel

    Returns
    -------
    Policy
        Its files lie in a folder of this process.

    Raises
    ------
    DrgcoreError
        When this process has another version of the program.
    """
    _same_version(parcel.version)
    policy: Policy = pickle.loads(parcel.body)
    folder = None
    if parcel.files:
        _folders.append(tempfile.TemporaryDirectory(prefix="drgcore-"))
        folder = Path(_folders[-1].name)
        for name, content in parcel.files:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    policy._folder = folder
    return policy


def _same_version(packed: str) -> None:
    if packed != program_version():
        raise DrgcoreError(
            _(
                "the driver has drgcore {version}, a worker {other}",
                version=packed,
                other=program_version(),
            ),
            hint=_("install one version everywhere"),
        )


def _digest(scheme: Scheme) -> str:
    return scheme.metadata.get("digest", "")


@lru_cache(maxsize=4)
def grouper_in(
    parcel: SchemeParcel, clinical_codes: bool, restore_zeros: bool, extras: Extras
) -> Grouping:
    """Compile a parcel's scheme, once in a process.

    Parameters
    ----------
    parcel : SchemeParcel
    clinical_codes, restore_zeros : bool
        As for `drgcore.group`.
    extras : Extras
        The result columns on request.

    Returns
    -------
    Grouping

    Examples
    --------
    >>> grouper_in(SchemeParcel.of("chs-drg-3.0"), False, False, Extras()).name
    'chs-drg-3.0'
    """
    return grouper_of(parcel.open(), clinical_codes, restore_zeros=restore_zeros, extras=extras)

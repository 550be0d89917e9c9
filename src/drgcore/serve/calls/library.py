"""Schemes and policies by name: those that ship, and those in the server's folders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from drgcore.cases.presets import PRESETS as MAPPINGS
from drgcore.errors import CaseSchemaError, PolicyError, SchemeError
from drgcore.language import _
from drgcore.points import Policy
from drgcore.points.policy_file import PRESETS, find_policy, read_toml
from drgcore.schemes import Scheme, list_schemes, load_scheme
from drgcore.schemes.calendar import BY_DATE
from drgcore.schemes.store import MANIFEST, read_manifest, shipped_names


@dataclass(frozen=True)
class Library:
    """What a server knows by name. A name never is a path, so nobody reads files by it.

    Parameters
    ----------
    folders : tuple of Path
        Folders of the server; a compiled scheme (a folder) or a policy (.toml) that lies directly
        in one is known by its name.

    Examples
    --------
    >>> Library().scheme("chs-drg-3.0").name
    'chs-drg-3.0'
    >>> Library().scheme("../secret")
    Traceback (most recent call last):
    drgcore.errors.SchemeError: there is no scheme '../secret'
    GET /schemes lists those that there are.
    """

    folders: tuple[Path, ...] = ()

    def scheme_place(self, name: str) -> str | Path:
        """The name of a shipped scheme, ``by-date``, or the folder of another."""
        if name == BY_DATE or name in _shipped():
            return name
        for folder in self._own_schemes():
            if folder.name == name:
                return folder
        raise SchemeError(
            _("there is no scheme {name!r}", name=name),
            hint=_("GET /schemes lists those that there are."),
        )

    def scheme(self, name: str) -> Scheme:
        """A scheme in memory; ``by-date`` is none."""
        place = self.scheme_place(name)
        if place == BY_DATE:
            raise SchemeError(
                _("by-date is no single scheme"), hint=_("Name the scheme of one day.")
            )
        return load_scheme(place)

    def schemes(self) -> list[dict[str, object]]:
        """The schemes that there are: name, title, base, region, year, first day, counts."""
        found: list[dict[str, object]] = [
            {
                "name": info.name,
                "title": info.title,
                "base": info.base,
                "in_force_from": info.in_force_from,
                "region": info.region,
                "year": info.year,
                "counts": dict(info.counts),
            }
            for info in list_schemes()
        ]
        for folder in self._own_schemes():
            told = read_manifest(folder)
            more = told["metadata"]
            found.append(
                {
                    "name": folder.name,
                    "title": told["title"],
                    "base": told["base"]["name"] if told["base"] else None,
                    "in_force_from": more.get("in_force_from"),
                    "region": more.get("region"),
                    "year": more.get("year"),
                    "counts": told["counts"],
                }
            )
        return found

    def policy_place(self, name: str) -> str | Path:
        """The name of a preset, or the file of another policy."""
        for file in self._own_policies():
            if file.stem == name:
                return file
        if name in PRESETS:
            return name
        raise PolicyError(
            _("there is no policy {name!r}", name=name),
            hint=_("GET /policies lists those that there are."),
        )

    def policy(self, name: str) -> Policy:
        """A policy that can be used.

        Raises
        ------
        PolicyError
            There is none of that name, or it is not filled in.
        """
        return Policy.load(self.policy_place(name))

    def policies(self) -> list[dict[str, object]]:
        """The policies that there are: name, title, region, year, whether it ships."""
        named: list[tuple[str, bool]] = [(file.stem, False) for file in self._own_policies()]
        named += [(name, True) for name in PRESETS if (name, False) not in named]
        return [{"name": name, "ships": ships, **self._told(name)} for name, ships in named]

    def _told(self, name: str) -> dict[str, object]:
        place = self.policy_place(name)
        data = read_toml(find_policy(place))
        return {key: str(data[key]) if key in data else None for key in ("title", "region", "year")}

    def _own_schemes(self) -> Sequence[Path]:
        return [p.parent for folder in self.folders for p in sorted(folder.glob(f"*/{MANIFEST}"))]

    def _own_policies(self) -> Sequence[Path]:
        return [p for folder in self.folders for p in sorted(folder.glob("*.toml"))]


@cache
def _shipped() -> frozenset[str]:
    """The names of the shipped schemes, looked for on the disk once."""
    return frozenset(shipped_names())


def known_mapping(name: str) -> str:
    """A mapping that is known by name; a path is none.

    Raises
    ------
    CaseSchemaError

    Examples
    --------
    >>> known_mapping("hqms")
    'hqms'
    """
    if name == "auto" or name in MAPPINGS:
        return name
    raise CaseSchemaError(
        _("there is no mapping {name!r}", name=name),
        hint=_("Mappings: {names}.", names=", ".join(("auto", *MAPPINGS))),
    )

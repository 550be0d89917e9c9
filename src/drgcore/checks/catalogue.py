"""Checks as data: the files that define them, read, switched and checked before use."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from drgcore.checks.code_sets import LISTS, SCHEME_SETS, CodeSet
from drgcore.checks.fields import FIELDS
from drgcore.checks.language import (
    Call,
    Codes,
    ExpressionError,
    Name,
    Node,
    calls_of,
    names_of,
    parse,
    read_ranges,
)
from drgcore.errors import DrgcoreError
from drgcore.language import _

Level = Literal["error", "warning", "hint"]
LEVELS: tuple[Level, ...] = ("error", "warning", "hint")

_KEYS = {"parameters", "sources", "sets", "checks", "switch"}
_CHECK_KEYS = {"code", "level", "when", "zh", "en", "source", "at"}
_SET_KEYS = {"diagnoses", "procedures", "without", "source", "at"}
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,15}")


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes
    ----------
    code : str
    level : {"error", "warning", "hint"}
    when : str
        The expression that is true of a case that has the fault.
    zh, en : str
        What is wrong, in Chinese and English.
    source : str
        The kind of source and what it is.
    tree : Node
    """

    code: str
    level: Level
    when: str
    zh: str
    en: str
    source: str
    tree: Node = field(repr=False)

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that the check looks at; what follows from the scheme, by its columns."""
        names = names_of(self.tree)
        shown = [(n,) if FIELDS[n].kind != "bool" else FIELDS[n].columns for n in names]
        return tuple(dict.fromkeys(name for group in shown for name in group))

    @property
    def sets(self) -> tuple[str, ...]:
        """The named sets of codes that the check uses."""
        found = [arg.text for call in calls_of(self.tree) for arg in call.args if _is_named(arg)]  # type: ignore[union-attr]
        return tuple(dict.fromkeys(found))

    @property
    def memberships(self) -> tuple[tuple[str, Codes], ...]:
        """Every field of codes with a set that it is held against."""
        found = []
        for call in calls_of(self.tree):
            if call.op in ("in", "any", "count", "distinct"):
                of, codes = call.args
                if isinstance(of, Name) and isinstance(codes, Codes):
                    found.append((of.name, codes))
        return tuple(dict.fromkeys(found))

    def calls(self, op: str) -> tuple[Call, ...]:
        """The calls of one function."""
        return tuple(call for call in calls_of(self.tree) if call.op == op)


@dataclass(frozen=True, eq=False)
class Catalogue:
    """Checks, and the sets of codes, numbers and sources that they name.

    Attributes
    ----------
    checks : tuple of Check
        Those that are switched on, in their order.
    off : tuple of Check
        Those that are switched off.
    sets : mapping of str to CodeSet
    parameters : mapping of str to float
    sources : mapping of str to mapping
    """

    checks: tuple[Check, ...]
    off: tuple[Check, ...]
    sets: Mapping[str, CodeSet]
    parameters: Mapping[str, float]
    sources: Mapping[str, Mapping[str, str]]

    @classmethod
    def load(cls, path: str | os.PathLike[str] | None = None) -> Catalogue:
        """The shipped checks, changed and added to by a file.

        Parameters
        ----------
        path : str or path, optional
            A TOML file in UTF-8: further ``[[checks]]``, ``[sets]``, ``[sources]``; other values of
            ``[parameters]``; in ``[switch]`` a check's code with ``false`` (off), ``true`` (on) or
            another level; ``"*" = false`` turns all off that are not named.

        Returns
        -------
        Catalogue

        Raises
        ------
        DrgcoreError
            The file cannot be read, or says something that is not known; names what and where.

        Examples
        --------
        >>> len(Catalogue.load().checks) >= 35
        True
        """
        if path is None:
            return _shipped()
        return _Builder(_shipped()).add(_read(Path(path)), str(path)).build()


@cache
def _shipped() -> Catalogue:
    builder = _Builder(None)
    folder = resources.files("drgcore.checks") / "shipped"
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml"):
            builder.add(tomllib.loads(file.read_text(encoding="utf-8")), file.name)
    return builder.build()


def _read(path: Path) -> dict[str, Any]:
    where = str(path)
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise DrgcoreError(
            _("the file of checks cannot be read"), where=where, hint=error.strerror
        ) from error
    except UnicodeDecodeError as error:
        raise DrgcoreError(_("the file of checks is not UTF-8"), where=where) from error
    except tomllib.TOMLDecodeError as error:
        raise DrgcoreError(
            _("the file of checks is no TOML: {error}", error=error), where=where
        ) from error


class _Builder:
    def __init__(self, base: Catalogue | None) -> None:
        self._entries: dict[str, tuple[dict[str, str], str]] = {}
        self._sets: dict[str, CodeSet] = dict(base.sets) if base else {}
        self._sources: dict[str, Mapping[str, str]] = dict(base.sources) if base else {}
        self._parameters: dict[str, float] = dict(base.parameters) if base else {}
        self._switch: dict[str, Any] = {}
        self._where = ""
        for check in (*base.checks, *base.off) if base else ():
            # Read again, so that changed parameters and sets take effect.
            entry = {"code": check.code, "level": check.level, "when": check.when}
            self._entries[check.code] = (
                {**entry, "zh": check.zh, "en": check.en, "told": check.source},
                _("the shipped checks"),
            )

    def add(self, data: Mapping[str, Any], where: str) -> _Builder:
        """Take what a file says."""
        self._where = where
        self._only(data, _KEYS, _("the file"))
        for name, value in self._table(data, "parameters").items():
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise self._error(_("parameter {name} is no number", name=name))
            self._free(name, _("parameter"))
            self._parameters[name] = float(value)
        for name, value in self._table(data, "sources").items():
            self._only(value, {"kind", "zh", "en"}, _("source {name}", name=name))
            self._sources[name] = value
        for name, value in self._table(data, "sets").items():
            self._sets[name] = self._set(name, value)
        checks = data.get("checks", [])
        if not isinstance(checks, list) or not all(isinstance(c, dict) for c in checks):
            raise self._error(_("checks are written as [[checks]]"))
        for entry in checks:
            code = entry.get("code")
            if not isinstance(code, str) or not _CODE.fullmatch(code):
                raise self._error(
                    _("a check's code is a letter with letters and digits, not {code!r}", code=code)
                )
            self._only(entry, _CHECK_KEYS, _("check {code}", code=code))
            if code in self._entries:
                raise self._error(
                    _("there is a check {code} already", code=code),
                    _("Give it another code, or switch that one off and name yours anew."),
                )
            self._entries[code] = (entry, where)
        self._switch |= self._table(data, "switch")
        return self

    def build(self) -> Catalogue:
        """Read all expressions and apply the switches."""
        systems = {name: s.system for name, s in self._sets.items()} | {**LISTS, **SCHEME_SETS}
        on: list[Check] = []
        off: list[Check] = []
        for code, (entry, where) in self._entries.items():
            check = self._check(entry, _("{where}: check {code}", where=where, code=code), systems)
            switch = self._switch.get(code, self._switch.get("*", True))
            if switch not in (True, False, *LEVELS):
                raise self._error(
                    _("switch {code} is {switch!r}", code=code, switch=switch),
                    _("Write true, false or one of {levels}.", levels=LEVELS),
                )
            level = next((level for level in LEVELS if level == switch), check.level)
            (off if switch is False else on).append(replace(check, level=level))
        for code in self._switch:
            if code != "*" and code not in self._entries:
                near = difflib.get_close_matches(code, self._entries, n=3)
                raise self._error(
                    _("there is no check {code} to switch", code=code),
                    _("Did you mean {near}?", near=", ".join(near)) if near else "",
                )
        return Catalogue(tuple(on), tuple(off), self._sets, self._parameters, self._sources)

    def _check(self, entry: Mapping[str, Any], where: str, systems: Mapping[str, str]) -> Check:
        for key in ("level", "when", "zh", "en"):
            if not isinstance(entry.get(key), str) or not str(entry[key]).strip():
                raise DrgcoreError(_("{key} is missing or no text", key=key), where=where)
        if entry["level"] not in LEVELS:
            raise DrgcoreError(
                _("the level is {entry!r}", entry=entry["level"]),
                where=where,
                hint=_("Levels: {levels}", levels=", ".join(LEVELS)),
            )
        told = entry.get("told") or self._told(entry, where)
        when = " ".join(entry["when"].split())
        tree = parse(when, sets=systems, parameters=self._parameters, where=where)
        return Check(entry["code"], entry["level"], when, entry["zh"], entry["en"], told, tree)

    def _told(self, entry: Mapping[str, Any], where: str) -> str:
        source = entry.get("source")
        if source is None:
            return ""
        text = self._sources[source]["zh"] if source in self._sources else source
        return f"{text}：{entry['at']}" if "at" in entry else str(text)

    def _set(self, name: str, value: Any) -> CodeSet:
        if not isinstance(value, dict):
            raise self._error(_("set {name} is written as [sets.{name}]", name=name))
        self._only(value, _SET_KEYS, _("set {name}", name=name))
        self._free(name, _("set"))
        given = [kind for kind in ("diagnoses", "procedures") if kind in value]
        if len(given) != 1:
            raise self._error(_("set {name} has either diagnoses or procedures", name=name))
        where = _("{where}: set {name}", where=self._where, name=name)
        system = "diagnosis" if given == ["diagnoses"] else "procedure"
        without = value.get("without", "")
        return CodeSet(
            name,
            system,
            read_ranges(str(value[given[0]]), where),
            read_ranges(str(without), where) if without else (),
            self._told(value, where),
        )

    def _free(self, name: str, what: str) -> None:
        if name in FIELDS or name in LISTS or name in SCHEME_SETS:
            raise self._error(
                _("{what} {name}: this is a name of the language", what=what, name=name)
            )

    def _table(self, data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        table = data.get(name, {})
        if not isinstance(table, dict):
            raise self._error(_("{name} is written as [{name}]", name=name))
        return table

    def _only(self, table: Mapping[str, Any], known: set[str], what: str) -> None:
        for key in table:
            if key not in known:
                near = difflib.get_close_matches(key, known, n=1)
                raise self._error(
                    _("{what} has an unknown key {key!r}", what=what, key=key),
                    _("Did you mean {near}?", near=near[0])
                    if near
                    else _("Keys: {known}", known=", ".join(sorted(known))),
                )

    def _error(self, message: str, hint: str = "") -> DrgcoreError:
        return DrgcoreError(message, where=self._where, hint=hint or None)


def _is_named(node: Node) -> bool:
    return isinstance(node, Codes) and node.named


__all__ = ["LEVELS", "Catalogue", "Check", "ExpressionError", "Level"]

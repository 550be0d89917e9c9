"""Policies checked and explained: by name, or as the text of a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from drgcore.errors import PolicyError
from drgcore.files import passing_folder
from drgcore.language import _
from drgcore.points import check_policy, policy_sentences
from drgcore.points.policy_file import read_toml
from drgcore.points.sentences import unfinished_sentences
from drgcore.serve.calls.library import Library

_LONGEST_FILE = 1 << 20


class PolicyAsked(BaseModel):
    """A policy to check: its name, or the text of its file."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=200)] = Field("", description="a name of GET /policies")
    text: Annotated[str, Field(max_length=_LONGEST_FILE)] = Field(
        "", description="a policy file (TOML); tables beside it cannot be named"
    )


def check_policy_file(asked: PolicyAsked, library: Library) -> dict[str, Any]:
    """What is wrong with a policy, what is still asked for, and the policy as sentences.

    Returns
    -------
    dict
        ``ok``, ``title``, ``problems`` (path, message, missing), ``warnings``, ``parts`` (heading
        and sentences).

    Examples
    --------
    >>> told = check_policy_file(PolicyAsked(name="example"), Library())
    >>> told["ok"], told["parts"][0]["heading"]
    (True, 'Policy')
    >>> told = check_policy_file(PolicyAsked(text="rounding = 3"), Library())
    >>> told["ok"], len(told["problems"]) > 3
    (False, True)
    """
    if bool(asked.name) == bool(asked.text):
        raise PolicyError(_("give the name of a policy or the text of a file, one of both"))
    if asked.name:
        return _checked(library.policy_place(asked.name), asked.name)
    with passing_folder("drgcore-policy") as folder:
        file = folder / "policy.toml"
        file.write_text(asked.text, encoding="utf-8", newline="")
        try:
            _refuse_other_files(read_toml(file), folder)
            return _checked(file, "")
        except PolicyError as error:
            raise PolicyError(error.message, hint=error.hint) from None


def _checked(place: str | Path, name: str) -> dict[str, Any]:
    report = check_policy(place)
    data = read_toml(report.path)
    parts = (
        policy_sentences(next(iter(report.policy.periods())))
        if report.policy is not None
        else unfinished_sentences(data, report.problems)
    )
    return {
        "ok": report.ok,
        "name": name,
        "title": str(data.get("title", "")),
        "problems": [
            {"path": p.path, "message": p.message, "missing": p.missing} for p in report.problems
        ],
        "warnings": list(report.warnings),
        "parts": [{"heading": heading, "sentences": told} for heading, told in parts],
    }


def _refuse_other_files(data: Any, folder: Path) -> None:
    """Refuse a text that names a file of the server: who sends it must not read by it."""
    for value in _texts(data):
        try:
            there = (folder / value).exists() and (folder / value) != folder
        except (OSError, ValueError):
            continue
        if there:
            raise PolicyError(
                _("the text names the file {name!r}, which was not sent with it", name=value),
                hint=_("Put policy and tables into a data folder of the server."),
            )


def _texts(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for value in data.values():
            yield from _texts(value)
    elif isinstance(data, list):
        for value in data:
            yield from _texts(value)

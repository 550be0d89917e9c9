"""Where the numbers of a policy come from, each with its document, article and kind of source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from drgcore.language import N_, _
from drgcore.points.parameters import Model, parameter
from drgcore.points.problems import ASKED
from drgcore.points.wording import told

KINDS = {
    "document": N_("read in the document"),
    "document and report": N_("read in the document in part, the rest from a report of it"),
    "explanation": N_("from an official or press explanation"),
    "report": N_("from a report of it, or a program that implements it"),
    "known": N_("known in the field; no document at hand"),
    "computed": N_("computed from cases"),
    "invented": N_("fictitious"),
}
"""What kind of source a number has, and what that means."""

# Keys of the head of a policy, and those that only name a rule: no parameters of the payment.
_HEAD = (
    *("name", "title", "region", "year", "source", "sources", "states", "fill_in", "fictitious"),
    "articles",
)
_NAMES = ("name", "reason")


class Source(Model):
    """A document, what kind of source it is, and which parameters it gives."""

    document: str = parameter("the document, with number and date")
    article: str | None = parameter("its article; none: not known", default=None)
    kind: Literal[
        "document",
        "document and report",
        "explanation",
        "report",
        "known",
        "computed",
        "invented",
    ] = parameter("kind of source: whether it was read in the document, or where else")
    of: tuple[str, ...] = parameter(
        "what it gives: paths as `policy check` writes them; a table's stands for all in it",
        default=(),
    )
    states: tuple[str, ...] = parameter(
        "what it states that no parameter holds, for example a limit within which one lies",
        default=(),
    )

    def __str__(self) -> str:
        kind = _(KINDS[self.kind])
        if self.kind in ("computed", "invented", "known"):
            return _("{document} ({kind})", document=told(self.document), kind=kind)
        article = (
            _("art. {number}", number=self.article) if self.article else _("article not known")
        )
        return _(
            "{document}, {article} ({kind})",
            document=told(self.document),
            article=article,
            kind=kind,
        )


def filled_in(data: Mapping[str, Any]) -> dict[str, Any]:
    """List the parameters of a policy that are filled in.

    Parameters
    ----------
    data : mapping
        Nested tables of a policy file.

    Returns
    -------
    dict of str to object
        Values by path. The head of the file, names of rules, and what is empty are not among them.

    Examples
    --------
    >>> filled_in({"name": "mine", "rounding": {"points": 4, "coefficient": ""},
    ...            "exclusions": [{"reason": "long", "above_days": 60}]})
    {'rounding.points': 4, 'exclusions.1.above_days': 60}
    """
    return {
        path: value
        for path, value in _leaves(data)
        if path.split(".")[0] not in _HEAD
        and path.rsplit(".", 1)[-1] not in _NAMES
        and value not in ("", ASKED)
    }


def stated(data: Mapping[str, Any]) -> dict[str, Source]:
    """List the parameters of a policy that a source gives.

    Parameters
    ----------
    data : mapping
        Nested tables of a policy file.

    Returns
    -------
    dict of str to Source
        The first source of each parameter that has one.

    Examples
    --------
    >>> data = {"rounding": {"points": 4, "coefficient": 2},
    ...         "sources": [{"document": "a", "kind": "known", "of": ["rounding.points"]}]}
    >>> {path: str(source) for path, source in stated(data).items()}
    {'rounding.points': 'a (known in the field; no document at hand)'}
    """
    sources = sources_of(data)
    first: dict[str, int] = {}
    for number, source in enumerate(sources):
        for name in source.of:
            first.setdefault(name, number)
    found = {}
    for path in filled_in(data):
        # The path and every table that it stands in: a policy may have thousands of parameters.
        parts = path.split(".")
        names = (".".join(parts[:end]) for end in range(1, len(parts) + 1))
        numbers = [first[name] for name in names if name in first]
        if numbers:
            found[path] = sources[min(numbers)]
    return found


def without_source(data: Mapping[str, Any]) -> list[str]:
    """List the parameters of a policy that are filled in and that no source gives.

    Parameters
    ----------
    data : mapping
        Nested tables of a policy file.

    Returns
    -------
    list of str
        Their paths.

    Examples
    --------
    >>> without_source({"rounding": {"points": 4}})
    ['rounding.points']
    """
    given = stated(data)
    return [path for path in filled_in(data) if path not in given]


def sources_without_parameter(data: Mapping[str, Any]) -> list[str]:
    """List what sources are said to give and the policy does not have.

    Parameters
    ----------
    data : mapping
        Nested tables of a policy file.

    Returns
    -------
    list of str
        Paths as they stand in `of`.

    Examples
    --------
    >>> sources_without_parameter({"rounding": {"points": 4}, "sources": [
    ...     {"document": "a", "kind": "report", "of": ["rounding", "ruonding.points"]}]})
    ['ruonding.points']
    """
    there: set[str] = set()
    for path in filled_in(data):
        parts = path.split(".")
        there.update(".".join(parts[:end]) for end in range(1, len(parts) + 1))
    return [name for source in sources_of(data) for name in source.of if name not in there]


def sources_of(data: Mapping[str, Any]) -> list[Source]:
    """Read the sources of a policy file.

    Parameters
    ----------
    data : mapping
        Nested tables of a policy file.

    Returns
    -------
    list of Source
        Those that are written rightly; `policy check` names what is wrong with others.

    Examples
    --------
    >>> sources_of({"sources": [{"document": "a", "kind": "no such"}]})
    []
    """
    found = []
    for table in data.get("sources", ()):
        try:
            found.append(Source.model_validate({k: v for k, v in table.items() if v != ""}))
        except (ValueError, AttributeError):
            continue
    return found


def _leaves(data: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value, or list of values, with its path; tables of a list count from 1."""
    if isinstance(data, Mapping):
        items = [(str(key), value) for key, value in data.items()]
    elif isinstance(data, Sequence) and any(isinstance(item, Mapping) for item in data):
        items = [(str(number), value) for number, value in enumerate(data, 1)]
    else:
        yield path, data
        return
    for key, value in items:
        yield from _leaves(value, f"{path}.{key}" if path else key)

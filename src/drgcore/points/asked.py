"""Parameters that a file marks as asked for, ``"?"``, whether or not other regions have them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from drgcore.language import _
from drgcore.points.problems import ASKED, Problem, described_at


def asked_for(data: Mapping[str, Any], model: type[BaseModel]) -> list[Problem]:
    """Ask for every parameter that a file marks with ``"?"``.

    An empty text says that a parameter is not filled in, and it is asked for where the policy
    cannot do without. A preset whose source names a rule without its number asks with ``"?"`` also
    for what a policy may leave out.

    Parameters
    ----------
    data : mapping
        Nested tables of a policy file.
    model : type
        The model of the whole.

    Returns
    -------
    list of Problem
        One for each, in the order of the file.

    Examples
    --------
    >>> from drgcore.points.policy_parameters import PolicyParameters
    >>> data = {"readmissions": [{"kind": "readmission", "hospital": "?"}]}
    >>> [str(problem) for problem in asked_for(data, PolicyParameters)]
    ['readmissions.1.hospital: not filled in: whether both stays are in one hospital, or any']
    """
    problems = []
    for loc in _places(data):
        path, description = described_at(model, loc)
        words = (
            _("not filled in: {description}", description=description)
            if description
            else _("not filled in")
        )
        problems.append(Problem(path, words, True))
    return problems


def _places(data: Any, loc: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(data, Mapping):
        for key, value in data.items():
            yield from _places(value, (*loc, key))
    elif isinstance(data, Sequence) and not isinstance(data, str):
        for number, value in enumerate(data):
            yield from _places(value, (*loc, number))
    elif data == ASKED:
        yield loc

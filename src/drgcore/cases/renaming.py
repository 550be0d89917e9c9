"""The columns of grouped cases and side tables under their canonical names."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from drgcore.cases.columns import LOCAL_SCHEMA, NAMED_COLUMNS
from drgcore.cases.mapping import CaseMapping
from drgcore.cases.resolving import ColumnFinder, form_of
from drgcore.errors import CaseSchemaError
from drgcore.language import _


def canonical_names(
    names: Sequence[str], mapping: CaseMapping, *, lenient: bool = False
) -> dict[str, str]:
    """Find the columns of a table that a mapping calls something else.

    A column that stands under its canonical name but for case, full-width forms and blanks is
    found without a mapping.

    Parameters
    ----------
    names : sequence of str
        Of the table.
    mapping : CaseMapping
        Where the columns are.
    lenient : bool, default False
        Columns that the mapping names may be absent: a side table has few of them.

    Returns
    -------
    dict of str to str
        Column of the table → canonical name, where they differ.

    Raises
    ------
    CaseSchemaError
        A column that the mapping file names is not there (with the nearest ones), or is ambiguous.

    Examples
    --------
    >>> from dataclasses import replace
    >>> mapping = replace(CaseMapping.preset("canonical"), others={"drg": "病组"})
    >>> canonical_names(["Case_ID", "病组", "note"], mapping)
    {'病组': 'drg', 'Case_ID': 'case_id'}
    """
    finder = ColumnFinder.of_names(names)
    local = {name: getattr(mapping, name) for name in LOCAL_SCHEMA.names}
    single = {
        name: spec
        for name, spec in {**mapping.front_page, **local}.items()
        if isinstance(spec, str) and "{" not in spec
    }
    specs = {name: f"{name}?" for name in NAMED_COLUMNS}
    # What a preset says may be absent is looked for under its canonical name first: the file may
    # have been read under that name before.
    specs |= {n: f"{n} or {spec}" if spec.endswith("?") else spec for n, spec in single.items()}
    specs |= mapping.others
    found: dict[str, str] = {}
    for canonical, spec in specs.items():
        wanted = [part.strip() for part in spec.removesuffix("?").split(" or ")]
        name = next((n for n in map(finder.find, wanted) if n is not None), None)
        if name is None:
            if not (lenient or spec.endswith("?")):
                near = difflib.get_close_matches(form_of(wanted[0]), map(form_of, names), n=3)
                raise CaseSchemaError(
                    _(
                        "there is no column {wanted!r}, which the mapping names for {canonical}",
                        wanted=wanted[0],
                        canonical=canonical,
                    ),
                    hint=_(
                        "Nearest: {near}. The file has: {names}{value}",
                        near=", ".join(near) or _("none alike"),
                        names=", ".join(map(repr, names[:20])),
                        value=_(" and {count} more", count=len(names) - 20)
                        if len(names) > 20
                        else "",
                    ),
                )
        elif name in found and found[name] != canonical:
            raise CaseSchemaError(
                _(
                    "column {name!r} is mapped to {found} and to {canonical}",
                    name=name,
                    found=found[name],
                    canonical=canonical,
                ),
                hint=_("Map each column once."),
            )
        else:
            found[name] = canonical
    return {name: canonical for name, canonical in found.items() if name != canonical}


def renamed(names: Sequence[str], changes: Mapping[str, str]) -> list[tuple[str, str]]:
    """Name the columns of a table anew.

    Parameters
    ----------
    names : sequence of str
        Of the table.
    changes : mapping of str to str
        What `canonical_names` gives.

    Returns
    -------
    list of (str, str)
        Column of the table and its new name, in order. A column whose name another one takes is
        left out: the mapping says that it is not meant.

    Examples
    --------
    >>> renamed(["id", "cost", "total_cost"], {"cost": "total_cost"})
    [('id', 'id'), ('cost', 'total_cost')]
    """
    taken = set(changes.values())
    return [
        (name, changes.get(name, name)) for name in names if name in changes or name not in taken
    ]

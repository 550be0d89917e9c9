"""Whether tables are of the scheme that they are said to be, by its name or its base."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from drgcore.errors import SchemeError
from drgcore.language import _
from drgcore.schemes.findings import Finding, warning
from drgcore.schemes.model import TABLE_SCHEMAS
from drgcore.schemes.store import base_name, read_manifest, read_table, shipped_names, tables_folder


def shares_of_national(tables: Mapping[str, pa.Table]) -> dict[str, float]:
    """National scheme → the share of the DRG of some tables that it has, by code and name.

    Examples
    --------
    >>> from drgcore.schemes import load_scheme
    >>> shares = shares_of_national(load_scheme("yancheng-2023").tables)
    >>> max(shares, key=shares.__getitem__)
    'chs-drg-1.1'
    """
    found = _groups(tables["drg"])
    shares = {}
    for name in shipped_names():
        folder = tables_folder() / name
        if base_name(read_manifest(folder)) is None:
            there = _groups(read_table(folder, "drg", TABLE_SCHEMAS["drg"]))
            shares[name] = len(found & there) / max(1, len(found))
    return shares


def refuse_other(
    name: str, base: str | None, tables: Mapping[str, pa.Table]
) -> tuple[Finding, ...]:
    """Refuse the tables of one national scheme under the name of another.

    Parameters
    ----------
    name : str
        What the scheme is to be called.
    base : str or None
        The scheme of which it is to be an overlay.
    tables : mapping of str to pyarrow.Table
        Its six tables.

    Returns
    -------
    tuple of Finding
        A warning where the tables are nearer to another national scheme than to the base.

    Raises
    ------
    SchemeError
        When `name` is that of a national scheme and another one is nearer.
    """
    if not {name, base} & set(shipped_names()):
        return ()
    shares = shares_of_national(tables)
    nearest = max(shares, key=shares.__getitem__)
    told = _(
        "{share:.0%} of the DRG are those of {nearest}, by code and name",
        share=shares[nearest],
        nearest=nearest,
    )
    if shares.get(name, 1) < shares[nearest]:
        raise SchemeError(
            _(
                "these are not the tables of {name}: {told}, {share:.0%} those of {name}",
                name=name,
                told=told,
                share=shares[name],
            ),
            hint=_("Give the workbook of that version, or name the scheme otherwise."),
        )
    if base is not None and shares.get(base, 1) < shares[nearest]:
        message = _(
            "{told}, {share:.0%} those of the base {base}; is that the right base?",
            told=told,
            share=shares[base],
            base=base,
        )
        return (warning("other-base", f"base {base}", message),)
    return ()


def _groups(drgs: pa.Table) -> set[tuple[str, str]]:
    return set(zip(drgs["code"].to_pylist(), drgs["name"].to_pylist(), strict=True))

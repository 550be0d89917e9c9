"""Ids of people replaced by keyed hashes: the same person stays one, nobody can be named."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from drgcore.cases.frames import is_frame
from drgcore.cases.readers import open_cases
from drgcore.errors import CaseSchemaError, DrgcoreError
from drgcore.language import _

PERSONAL = ("patient_id", "doctor_id")
"""The columns that name people."""

_LEAST_KEY = 16
_DIGITS = 20


def read_key(path: str | Path) -> bytes:
    """Read the secret key from a file, without the white space around it.

    Raises
    ------
    DrgcoreError
        If it cannot be read, or has fewer than 16 bytes: a short key can be guessed.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "key"
    >>> _ = path.write_text("a long secret of the office\\n")
    >>> len(read_key(path))
    27
    """
    try:
        key = Path(path).read_bytes().strip()
    except OSError as error:
        raise DrgcoreError(
            _("the key cannot be read: {strerror}", strerror=error.strerror), where=str(path)
        ) from error
    return _checked(key)


def pseudonymise(cases: Any, key: bytes, columns: Sequence[str] = PERSONAL) -> Any:
    """Replace ids of people by keyed hashes.

    Parameters
    ----------
    cases : pandas.DataFrame, Arrow table or stream, or path
        The cases.
    key : bytes
        A secret of at least 16 bytes. The same key gives the same pseudonyms in every file, so
        that years can be joined; who does not have it cannot find out whose they are by trying
        ids.
    columns : sequence of str, default `PERSONAL`
        The columns to replace, as far as the cases have them.

    Returns
    -------
    pandas.DataFrame or pyarrow.Table
        The cases with 20 hexadecimal digits for each id; an empty id stays empty.

    Raises
    ------
    CaseSchemaError
        If the cases have none of the columns.
    DrgcoreError
        For a key that is too short.

    Notes
    -----
    HMAC-SHA-256 (RFC 2104) of the column's name and the id, cut to 80 bits: among 10⁹ persons two
    share a pseudonym with a probability below 10⁻⁶.

    Examples
    --------
    >>> cases = pa.table({"patient_id": ["110101199001011234", None], "total_cost": [1.0, 2.0]})
    >>> pseudonymise(cases, b"a long secret of the office")["patient_id"].to_pylist()
    ['50b85e7f871648b32e90', None]
    """
    _checked(key)
    if is_frame(cases):
        table = pa.table({n: pa.array(cases[n], from_pandas=True) for n in columns if n in cases})
    else:
        with open_cases(cases) as opened:
            table = opened.table()
    there = [name for name in columns if name in table.column_names]
    if not there:
        raise CaseSchemaError(_("the cases have no column {columns}", columns=", ".join(columns)))
    new = {name: _hashed(table.column(name), name, key) for name in there}
    if is_frame(cases):
        return cases.assign(**{name: column.to_pandas().array for name, column in new.items()})
    for name, column in new.items():
        table = table.set_column(table.column_names.index(name), name, column)
    return table


def _hashed(column: pa.ChunkedArray, name: str, key: bytes) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    coded = column.cast(pa.string()).dictionary_encode().unify_dictionaries()
    chunks = []
    for chunk in coded.chunks:
        names = [
            hmac.new(key, f"{name}\0{text}".encode(), hashlib.sha256).hexdigest()[:_DIGITS]
            if text
            else None
            for text in chunk.dictionary.to_pylist()
        ]
        chunks.append(pa.array(names, pa.string()).take(chunk.indices))
    return pa.chunked_array(chunks, pa.string())


def _checked(key: bytes) -> bytes:
    if len(key) < _LEAST_KEY:
        raise DrgcoreError(
            _(
                "the key has {count} bytes; it needs at least {least_key}",
                count=len(key),
                least_key=_LEAST_KEY,
            ),
            hint=_("write 32 random letters into a file that only you can read"),
        )
    return key

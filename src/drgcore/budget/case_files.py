"""The cases of closed months, kept beside the ledger as parquet files named by their digest."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from drgcore.budget.closing import digest_of
from drgcore.errors import BudgetError
from drgcore.files import whole_file
from drgcore.language import _


class CaseFiles:
    """A folder of closed months' cases.

    The ledger holds only the digest; a file that a crash left without entry does no harm, and one
    that is lost costs only the kinds of later adjustments.

    Parameters
    ----------
    folder : Path or None
        The folder, made when the first file is written; None keeps nothing.

    Examples
    --------
    >>> CaseFiles(None).get("0" * 64) is None
    True
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def keep(self, cases: pa.Table, digest: str) -> None:
        """Write cases, whole or not at all."""
        if self._folder is None:
            return
        path = self._folder / f"{digest}.parquet"
        if not path.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            with whole_file(path) as part:
                pq.write_table(cases, part, compression="zstd")

    def get(self, digest: str) -> pa.Table | None:
        """Read cases; None if they are not there, an error if they are others."""
        path = self._folder / f"{digest}.parquet" if self._folder else None
        if path is None or not path.exists():
            return None
        cases = pq.read_table(path)
        if digest_of(cases) != digest:
            raise BudgetError(
                _("the file's cases are not those that the month was closed with"),
                where=str(path),
                hint=_("restore it from a copy, or remove it and settle without the cases"),
            )
        return cases

"""Patients in house: read again and again from what the HIS writes, estimated from past cases."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from drgcore.cases import CaseMapping, read_table
from drgcore.cases.renaming import canonical_names, renamed
from drgcore.errors import CaseSchemaError, DrgcoreError
from drgcore.estimate import LikelyGroups, estimate_in_stay, fit_likely_groups
from drgcore.estimate.prices import weights_by_drg
from drgcore.language import _
from drgcore.schemes import DEFAULT_SCHEME
from drgcore.serve.tables import Row, rows_of

LEVELS = ("critical", "warning", "notice", "unknown", "none")
"""How grave what is said of a patient is, the gravest first."""

_WAIT = 15.0
_MOST_ROWS = 20_000
_BESIDE = ("department", "bed", "doctor_id")


@dataclass(frozen=True)
class InHouse:
    """Where patients in house are read, and by what they are estimated.

    Parameters
    ----------
    source : str
        A file, or the address of a database with its table: ``postgresql://user@host/his#in_house``.
        It is only read.
    history : Path
        Finished cases of the past, by which final groups are foreseen.
    payments : Path, optional
        ``drg`` and ``weight``, ``relative_weight`` or ``base_points``.
    rate : float
        Yuan for weight 1, or a point.
    high, low : float, optional
        Multiples of a group's mean cost where high-cost cases begin and low-cost ones end.
    mapping : str
        Of both, see `CaseMapping`.
    scheme : str
        By which groups are foreseen.
    clinical_codes : bool
        Whether codes are of the clinical version.
    seconds : float
        A database is read again after this time [s], a file when it changes.

    Raises
    ------
    DrgcoreError
        For an address without a table, or a multiple or a rate that is not above 0.

    Examples
    --------
    >>> InHouse("sqlite:///his.db", Path("past.parquet"))
    Traceback (most recent call last):
    drgcore.errors.DrgcoreError: the address names no table
    Add it behind a #: postgresql://user@host/his#in_house.
    """

    source: str
    history: Path
    payments: Path | None = None
    rate: float = 1.0
    high: float | None = None
    low: float | None = None
    mapping: str = "canonical"
    scheme: str = DEFAULT_SCHEME
    clinical_codes: bool = False
    seconds: float = 60.0

    def __post_init__(self) -> None:
        if self.is_database and not self.source.partition("#")[2]:
            raise DrgcoreError(
                _("the address names no table"),
                hint=_("Add it behind a #: postgresql://user@host/his#in_house."),
            )
        for name in ("rate", "high", "low"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise DrgcoreError(_("{name} must be above 0, not {value}", name=name, value=value))

    @property
    def is_database(self) -> bool:
        """Whether the source is the address of a database."""
        return "://" in self.source


class Ward:
    """The patients in house as they were read last.

    Parameters
    ----------
    given : InHouse
    clock : callable, optional
        Seconds since the epoch.
    """

    def __init__(self, given: InHouse, clock: Callable[[], float] = time.time) -> None:
        self._given, self._clock = given, clock
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="ward")
        self._learning: Future[LikelyGroups] | None = None
        self._lock = threading.Lock()
        self._state: Any = None
        self._found: Row | None = None

    def patients(self, wait: float = _WAIT) -> Row | None:
        """Give the patients with their estimates; None as long as past cases are learned from.

        Parameters
        ----------
        wait : float
            So long at most [s].

        Returns
        -------
        dict or None
            ``rows``, the gravest first: `IN_STAY_COLUMNS`, the ``name`` of the likeliest group, and
            department, bed and doctor where they are there; ``read``, when; ``problem``, why the
            source could not be read just now, with what was read before; ``accuracy`` of the
            estimates.

        Raises
        ------
        DrgcoreError
            The past cannot be learned from, or the source never could be read.
        """
        likely = self._likely(wait)
        if likely is None:
            return None
        with self._lock:
            try:
                state = self._state_of_source()
                if self._found is None or state != self._state:
                    self._found, self._state = self._estimated(likely), state
            except DrgcoreError as error:
                if self._found is None:
                    raise
                return self._found | {"problem": error.message}
            return self._found | {"problem": None}

    def _likely(self, wait: float) -> LikelyGroups | None:
        given = self._given
        with self._lock:
            if self._learning is None:
                self._learning = self._worker.submit(
                    fit_likely_groups,
                    given.history,
                    given.scheme,
                    mapping=given.mapping,
                    clinical_codes=given.clinical_codes,
                )
            learning = self._learning
        try:
            return learning.result(timeout=wait)
        except NotYet:
            return None
        except DrgcoreError:
            # The file may be mended; the next who asks has it read again.
            self._learning = None
            raise

    def _state_of_source(self) -> Any:
        """What differs when the source is to be read again."""
        if self._given.is_database:
            return int(self._clock() // self._given.seconds)
        try:
            state = Path(self._given.source).stat()
        except OSError as error:
            raise CaseSchemaError(
                _("the file of patients in house cannot be read: {why}", why=error.strerror)
            ) from None
        return state.st_mtime_ns, state.st_size

    def _estimated(self, likely: LikelyGroups) -> Row:
        given = self._given
        table = read_source(given)
        if len(table) > _MOST_ROWS:
            raise CaseSchemaError(
                _("more than {most:,} patients are in house", most=_MOST_ROWS),
                hint=_("Write only those who are in house."),
            )
        payments = None
        if given.payments is not None:
            weights = weights_by_drg(read_table(given.payments, lenient=True))
            payments = {drg: weight * given.rate for drg, weight in weights.items()}
        found = estimate_in_stay(
            table,
            likely,
            clinical_codes=given.clinical_codes,
            payments=payments,
            high=given.high,
            low=given.low,
        )
        for name in _BESIDE:
            if name in table.column_names:
                found[name] = table.column(name).cast(pa.string()).to_pylist()
        known = {drg: likely.scheme.name_of(drg) for drg in found["drg"].dropna().unique()}
        found["name"] = [known.get(drg) for drg in found["drg"]]
        grave = found["level"].map({level: at for at, level in enumerate(LEVELS)})
        order = pd.DataFrame({"grave": grave, "ratio": -found["cost_ratio"].astype(float)})
        found = found.loc[order.sort_values(["grave", "ratio"], kind="stable").index]
        return {
            "rows": rows_of(found),
            "read": datetime.fromtimestamp(self._clock()).isoformat(" ", "seconds"),
            "accuracy": {name: float(value) for name, value in likely.accuracy.items()},
            "scheme": likely.scheme.name,
        }


def read_source(given: InHouse) -> pa.Table:
    """Read the patients in house, under canonical names; nothing is written.

    Parameters
    ----------
    given : InHouse

    Raises
    ------
    CaseSchemaError
        The file or the table cannot be read, or a column that the mapping names is not there.
    """
    if not given.is_database:
        return read_table(given.source, mapping=given.mapping, lenient=True)
    address, _mark, name = given.source.partition("#")
    table = _from_database(address, name)
    changes = canonical_names(table.column_names, CaseMapping.of(given.mapping), lenient=True)
    pairs = renamed(table.column_names, changes)
    return pa.table([table.column(old) for old, _ in pairs], names=[new for _, new in pairs])


def _from_database(address: str, name: str) -> pa.Table:
    """One table or view of a database, read in a transaction that may not write."""
    try:
        import sqlalchemy as sa
    except ModuleNotFoundError:
        raise DrgcoreError(
            _("a database needs SQLAlchemy"), hint=_("pip install 'drgcore[serve]'")
        ) from None
    schema, _dot, plain = name.rpartition(".")
    try:
        url = sa.make_url(address)
        if url.get_backend_name() == "sqlite" and url.database:
            # Else SQLite would make a file that is not there.
            place = f"file:{Path(url.database).absolute().as_posix()}"
            url = url.set(database=place, query={"mode": "ro", "uri": "true"})
        if url.drivername == "postgresql":
            # Of the drivers that there are, the extra brings psycopg 3.
            url = url.set(drivername="postgresql+psycopg")
        engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
        with engine.connect() as connection:
            connection = connection.execution_options(postgresql_readonly=True)
            source = sa.Table(plain, sa.MetaData(), schema=schema or None, autoload_with=connection)
            rows = connection.execute(sa.select(source).limit(_MOST_ROWS + 1)).mappings().all()
            names = [column.name for column in source.columns]
    except ModuleNotFoundError as error:
        raise CaseSchemaError(
            _("the database needs {name}", name=error.name),
            where=plain,
            hint=_("For PostgreSQL: pip install 'drgcore[postgres]'."),
        ) from None
    except sa.exc.SQLAlchemyError as error:
        # What the driver says may hold the address with its password.
        raise CaseSchemaError(
            _("the table of patients in house cannot be read: {why}", why=type(error).__name__),
            where=plain,
            hint=_("See that the database answers, and that the server may read the table."),
        ) from None
    # Numbers with decimals come as Decimal, which the estimate reads as it reads texts.
    return pa.table({column: _column([row[column] for row in rows]) for column in names})


def _column(values: list[Any]) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([None if value is None else str(value) for value in values], pa.string())

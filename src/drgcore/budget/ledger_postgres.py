"""The ledger's tables on a PostgreSQL server, by SQLAlchemy Core (extra `postgres`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from drgcore.budget.ledger_tables import LATER, LINES, Row, all_columns, is_integer, tables
from drgcore.errors import BudgetError
from drgcore.language import _

try:
    import sqlalchemy as sa
except ModuleNotFoundError:  # the extra is not installed; asking for a server says so
    sa = None  # type: ignore[assignment]

_FUNCTIONS = """
CREATE OR REPLACE FUNCTION {schema}.append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$;
CREATE OR REPLACE FUNCTION {schema}.sealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM {schema}.entry WHERE seq = NEW.entry) THEN
    RAISE EXCEPTION 'the entry is sealed';
  END IF;
  RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION {schema}.in_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.seq <> coalesce((SELECT max(seq) FROM {schema}.entry), 0) + 1 THEN
    RAISE EXCEPTION 'entries are added in order, a closing once';
  END IF;
  RETURN NEW;
END $$;
"""


class PostgresStore:
    """A ledger in one schema of a PostgreSQL database, with the rules of `SqliteStore`.

    Parameters
    ----------
    url : str
        ``postgresql://user@host/database``; the driver is psycopg 3.
    schema : str
        The schema, made with its tables if it is not there.
    read_only : bool
        Nothing is made and nothing can be written; the ledger must be there.
    """

    def __init__(self, url: str, schema: str = "drgcore", *, read_only: bool = False) -> None:
        if sa is None:
            raise _without_driver()
        if not schema.isidentifier():
            raise BudgetError(_("{schema!r} is not the name of a schema", schema=schema))
        address = sa.make_url(url).set(drivername="postgresql+psycopg")
        try:
            self._engine = sa.create_engine(address)
        except ModuleNotFoundError:
            raise _without_driver() from None
        self._schema = schema
        self._metadata = _metadata(schema)
        try:
            self._connection = self._engine.connect()
            if read_only:
                self._connection.execution_options(postgresql_readonly=True)
                self._find(address.render_as_string())
            else:
                self._create()
        except sa.exc.SQLAlchemyError as error:
            self._engine.dispose()
            raise BudgetError(
                _("the ledger's server does not answer as it should: {error}", error=error),
                where=address.render_as_string(),
            ) from error

    def _find(self, where: str) -> None:
        with self._connection.begin():
            there = sa.inspect(self._connection)
            if all(there.has_table(name, schema=self._schema) for name in ("entry", LATER[0])):
                return
        self.close()
        raise BudgetError(
            _("there is no ledger of this version"),
            where=where,
            hint=_("It is made, or brought up to date, when a month is closed in it."),
        )

    def _create(self) -> None:
        with self._connection.begin():
            # Two processes that start at once must not both create the tables.
            self._connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('drgcore'))"))
            if sa.inspect(self._connection).has_table("entry", schema=self._schema):
                if not sa.inspect(self._connection).has_table(LATER[0], schema=self._schema):
                    later = [self._table(name) for name in LATER]
                    self._metadata.create_all(self._connection, tables=later)
                    for statement in _triggers(self._schema, LATER):
                        self._connection.execute(sa.text(statement))
                return
            self._connection.execute(sa.schema.CreateSchema(self._schema, if_not_exists=True))
            self._metadata.create_all(self._connection)
            self._connection.execute(sa.text(_FUNCTIONS.format(schema=self._schema)))
            for statement in _triggers(self._schema):
                self._connection.execute(sa.text(statement))

    @contextmanager
    def write(self) -> Iterator[None]:
        """Open a transaction that excludes other writers; all of it is kept, or nothing."""
        with self._connection.begin():
            lock = f"LOCK TABLE {self._schema}.entry IN EXCLUSIVE MODE"
            self._connection.execute(sa.text(lock))
            yield

    def insert(self, table: str, rows: Sequence[Row]) -> None:
        """Add rows within a transaction."""
        if rows:
            self._connection.execute(sa.insert(self._table(table)), list(rows))

    def select(self, table: str, **equal: Any) -> list[Row]:
        """Give rows, in the order of `seq` or `line`."""
        source = self._table(table)
        first, second = list(source.columns)[:2]
        query = sa.select(source).order_by(first, second)
        for name, value in equal.items():
            query = query.where(source.columns[name] == value)
        if self._connection.in_transaction():
            return [dict(row) for row in self._connection.execute(query).mappings()]
        with self._connection.begin():
            return [dict(row) for row in self._connection.execute(query).mappings()]

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
        self._engine.dispose()

    def _table(self, name: str) -> sa.Table:
        return self._metadata.tables[f"{self._schema}.{name}"]


def _without_driver() -> BudgetError:
    return BudgetError(
        _("a ledger on PostgreSQL needs SQLAlchemy and psycopg"),
        hint=_("pip install 'drgcore[postgres]'"),
    )


def _metadata(schema: str) -> sa.MetaData:
    metadata = sa.MetaData(schema=schema)
    for table in tables():
        sa.Table(table, metadata, *(_column(schema, table, name) for name in all_columns(table)))
    entry = metadata.tables[f"{schema}.entry"]
    kinds = entry.columns["kind"].in_(["month", "year", "adjustment"])
    entry.append_constraint(sa.CheckConstraint(kinds, name="entry_kind"))
    sa.Index(
        "one_closing",
        entry.columns["kind"],
        entry.columns["period"],
        unique=True,
        postgresql_where=entry.columns["kind"].in_(["month", "year"]),
    )
    return metadata


def _column(schema: str, table: str, name: str) -> sa.Column[Any]:
    kind: Any = sa.BigInteger() if is_integer(name) else sa.Text()
    keys: list[sa.ForeignKey] = []
    if name == "policy_digest":
        keys = [sa.ForeignKey(f"{schema}.policy_text.digest")]
    if name == "entry":
        target = f"{schema}.entry.seq"
        keys = [sa.ForeignKey(target, deferrable=True, initially="DEFERRED")]
    primary = (table, name) in (("entry", "seq"), ("policy_text", "digest"))
    primary = primary or (table in LINES and name in ("entry", "line"))
    return sa.Column(name, kind, *keys, primary_key=primary, nullable=False, autoincrement=False)


def _triggers(schema: str, only: Sequence[str] = ()) -> Iterator[str]:
    for table in only or tables():
        for event in ("UPDATE OR DELETE", "TRUNCATE"):
            each = "STATEMENT" if event == "TRUNCATE" else "ROW"
            yield (
                f"CREATE TRIGGER {table}_no_{event.split()[0].lower()} BEFORE {event} "
                f"ON {schema}.{table} FOR EACH {each} EXECUTE FUNCTION {schema}.append_only()"
            )
    for table in only or LINES:
        yield (
            f"CREATE TRIGGER {table}_sealed BEFORE INSERT ON {schema}.{table} "
            f"FOR EACH ROW EXECUTE FUNCTION {schema}.sealed()"
        )
    if only:
        return
    yield (
        f"CREATE TRIGGER entry_in_order BEFORE INSERT ON {schema}.entry "
        f"FOR EACH ROW EXECUTE FUNCTION {schema}.in_order()"
    )

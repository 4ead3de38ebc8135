"""The hottest statements: prepared once for each session, and sent by the driver's own primitives.

A cursor, Django's or psycopg's, finds out anew each time how to write its parameters and how to read the answer. Who
posts to a ledger or counts a view knows both, and what is not done counts: with eight processes on two cores each call
of a function begins with cold caches. Waiting is still psycopg's, with all that it does for signals and for green
threads. SQLite's driver keeps statements prepared by their text; what is left out there is Django's cursor.

Django's cursor is used where somebody listens to it (debug toolbars, ``assertNumQueries``, execute wrappers), where it
would refuse, where a pooler gives each transaction another session, which does not know what was prepared, and where
psycopg would have to say more than BEGIN first.
"""

from collections.abc import Callable, Sequence
from sqlite3 import Error as SqliteError
from typing import Any
from zlib import crc32

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper

try:
    from psycopg import Connection
    from psycopg import Error as PsycopgError
    from psycopg.errors import InvalidSqlStatementName, error_from_result
    from psycopg.generators import execute
    from psycopg.pq import ExecStatus, PipelineStatus, TransactionStatus
except ImportError:  # a host on SQLite need not install it
    Connection = None  # type: ignore[assignment, misc]
    PsycopgError = InvalidSqlStatementName = DatabaseError  # type: ignore[assignment, misc]

# Where psycopg's connection keeps the names of what it has prepared. Not Django's: a pool lends one session to many.
_KEPT = "holdfast_prepared"


class Statement:
    """A statement with ``%s`` for its parameters, each of them text or ``None``; on SQLite whatever it stores.

    ``read`` makes a value of each column: of its text (PostgreSQL: as bytes) or of what a cursor made of it.
    """

    def __init__(self, sql: str, *, read: Callable[[Any], Any] = int) -> None:
        self.sql = sql
        self.read = read
        self.name = b"holdfast_%x" % crc32(sql.encode())
        first, *others = sql.split("%s")
        numbered = first + "".join(f"${number}{text}" for number, text in enumerate(others, start=1))
        self.prepared = numbered.replace("%%", "%").encode()
        self.for_sqlite = "?".join((first, *others)).replace("%%", "%")

    def row(self, connection: BaseDatabaseWrapper, parameters: Sequence[Any]) -> list[Any] | None:
        """Execute it, and return the only row of the answer, if there is one; an INSERT may answer nothing.

        Raises ``django.db.DatabaseError``.
        """
        if not (connection.execute_wrappers or connection.queries_logged or connection.needs_rollback):
            _connect(connection)
            if connection.vendor == "sqlite":
                return self._from_sqlite(connection, parameters)
            session = _session(connection)
            if session is not None:
                return self._from_postgresql(connection, session, parameters)
        with connection.cursor() as cursor:
            cursor.execute(self.sql, parameters)
            row = cursor.fetchone() if cursor.description else None
        return row and [self.read(value) for value in row]

    def _from_sqlite(self, connection: BaseDatabaseWrapper, parameters: Sequence[Any]) -> list[Any] | None:
        try:
            rows = connection.connection.execute(self.for_sqlite, parameters).fetchall()
        except SqliteError:
            with connection.wrap_database_errors:
                raise
        return [self.read(value) for value in rows[0]] if rows else None

    def _from_postgresql(
        self, connection: BaseDatabaseWrapper, session: Any, parameters: Sequence[str | None]
    ) -> list[Any] | None:
        try:
            result = self._execute(session, parameters)
        except PsycopgError:
            with connection.wrap_database_errors:
                raise
        if not result.ntuples:
            return None
        return [self.read(result.get_value(0, column)) for column in range(result.nfields)]

    def _execute(self, session: Any, parameters: Sequence[str | None]) -> Any:
        pgconn = session.pgconn
        known: set[bytes] = session.__dict__.setdefault(_KEPT, set())
        encoded = [None if text is None else text.encode() for text in parameters]
        with session.lock:
            if pgconn.transaction_status == TransactionStatus.IDLE and not session.autocommit:
                pgconn.send_query(b"BEGIN")  # as psycopg does before the first statement of a transaction
                _checked(session)
            was_known = self.name in known
            if not was_known:
                pgconn.send_prepare(self.name, self.prepared)
                _checked(session)
                known.add(self.name)
            pgconn.send_query_prepared(self.name, encoded)
            try:
                return _checked(session)
            except InvalidSqlStatementName:
                known.clear()  # somebody said DISCARD ALL or DEALLOCATE ALL
                if not was_known or pgconn.transaction_status != TransactionStatus.IDLE:
                    raise
        # Nothing was executed, and no transaction is spoiled: once more, from the beginning.
        return self._execute(session, parameters)


def _connect(connection: BaseDatabaseWrapper) -> None:
    if connection.connection is None or not getattr(connection, "health_check_done", False):
        connection.close_if_health_check_failed()
        connection.ensure_connection()


def _session(connection: BaseDatabaseWrapper) -> Any:
    """Return psycopg's connection, or ``None`` where Django's cursor has to be used."""
    # The name of Django's setting for poolers that give each transaction another session.
    if Connection is None or connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"):
        return None
    session = connection.connection
    pgconn = session.pgconn
    status = pgconn.transaction_status
    ready = status == TransactionStatus.INTRANS or (status == TransactionStatus.IDLE and _begins_plainly(session))
    return session if ready and pgconn.pipeline_status == PipelineStatus.OFF else None


def _begins_plainly(session: Any) -> bool:
    return session.autocommit or (session.isolation_level, session.read_only, session.deferrable) == (None, None, None)


def _checked(session: Any) -> Any:
    """Wait for the answer, which psycopg's own cursor raises as an error or returns in the same words."""
    (result,) = session.wait(execute(session.pgconn))
    if result.status not in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
        raise error_from_result(result, encoding=session.info.encoding)
    return result

"""Writing an event: one plain INSERT in the caller's transaction, whatever the number of subscribers.

The text of each statement is constant, so that it can be prepared; what varies is a parameter. The database draws the
``id`` when the statement runs: events of one key are in commit order where the writer locked the aggregate before (an
UPDATE of its row does).
"""

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from uuid import UUID
from zlib import crc32

from django.db import connections, router
from django.db.transaction import TransactionManagementError

from holdfast import tracing
from holdfast.events import Event
from holdfast.ids import uuid7
from holdfast.outbox.dialect import postgresql, sqlite
from holdfast.outbox.models import OutboxEvent
from holdfast.outbox.wakeup import after_commit_wakeup
from holdfast.prepared import Statement

PARTITIONS = 64
KEY_LENGTH = 120

_COLUMNS = "uid, type, key, part, payload, headers, occurred_at, routed"

# One event: the cheapest form there is.
_INSERT_ONE = {
    "postgresql": Statement(
        postgresql(
            """
            INSERT INTO {event} ({columns}) VALUES (%s::uuid, %s, %s, %s, %s::jsonb, %s::jsonb, {now}, false)""",
            columns=_COLUMNS,
        )
    ),
    "sqlite": Statement(
        sqlite("INSERT INTO {event} ({columns}) VALUES (%s, %s, %s, %s, %s, %s, {now}, 0)", columns=_COLUMNS)
    ),
}

# Many events: one JSON array, so that the text does not depend on how many there are (and so that the client need not
# escape PostgreSQL's own arrays, which takes psycopg longer than everything else). WITH ORDINALITY and the key of
# json_each keep the order, so that the ids grow in the order of the caller's list.
_INSERT_MANY = {
    "postgresql": postgresql(
        """
        INSERT INTO {event} ({columns})
        SELECT (value ->> 0)::uuid, value ->> 1, value ->> 2, (value ->> 3)::smallint, (value ->> 4)::jsonb,
               (value ->> 5)::jsonb, {now}, false
        FROM jsonb_array_elements(%s::jsonb) WITH ORDINALITY AS event(value, position) ORDER BY position""",
        columns=_COLUMNS,
    ),
    "sqlite": sqlite(
        """
        INSERT INTO {event} ({columns})
        SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
               json_extract(value, '$[3]'), json_extract(value, '$[4]'), json_extract(value, '$[5]'), {now}, 0
        FROM json_each(%s) ORDER BY json_each.key""",
        columns=_COLUMNS,
    ),
}

# The INSERT for a caller's own statement; the marks are filled in by ``insertion``.
_INSERT_FROM = postgresql(
    """
    INSERT INTO {event} ({columns})
    SELECT %s::uuid, %s, %s, %s::smallint, <payload>, %s::jsonb, {now}, false FROM <source>""",
    columns=_COLUMNS,
)

# The same for many events, which come as one JSON array.
_INSERT_MANY_FROM = _INSERT_MANY["postgresql"].replace("FROM jsonb", "FROM <source>, jsonb")

_Row = tuple[str, str, str, int, str, str]

# The encoder is made once: json.dumps with options makes one for each call. NaN is not JSON, and PostgreSQL refuses it.
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def partition(key: str) -> int:
    """Return the partition of a key: computed here, so that every database and every process agree."""
    return crc32(key.encode()) % PARTITIONS


def emit(event: Event, *, using: str | None = None) -> UUID:
    """Write an event in the caller's transaction and return its id.

    Raises ``TransactionManagementError`` outside a transaction: there, the event could be told although what it tells
    did not happen, or the other way round.
    """
    alias = _alias_in_transaction(using)
    connection = connections[alias]
    uid = uuid7()
    _INSERT_ONE[connection.vendor].row(connection, _parameters(event, uid))
    after_commit_wakeup(alias)
    return uid


def emit_many(events: Iterable[Event], *, using: str | None = None) -> list[UUID]:
    """Write several events with one INSERT, in this order, and return their ids; see ``emit``."""
    alias = _alias_in_transaction(using)
    connection = connections[alias]
    uids: list[UUID] = []
    rows: list[_Row] = []
    for event in events:
        uids.append(uuid7())
        rows.append(_row(event, uids[-1]))
    if not rows:
        return uids
    with connection.cursor() as cursor:
        cursor.execute(_INSERT_MANY[connection.vendor], [_encode(rows)])
    after_commit_wakeup(alias)
    return uids


def insertion(event: Event, *, source: str, computed: Mapping[str, str] | None = None) -> tuple[str, list[str]]:
    """Return the INSERT of an event as SQL and parameters, for a caller who composes one PostgreSQL statement.

    ::

        sql, params = insertion(event, source="posted", computed={"number": "posted.number"})
        cursor.execute(f"WITH posted AS (INSERT ... RETURNING *), told AS ({sql}) SELECT * FROM posted", [..., *params])
        after_commit_wakeup(using)

    ``source`` names the CTE that makes the fact: for each of its rows there is an event, whose id is drawn after the
    row was made, and so after the locks that it took. ``computed`` gives payload fields that only the database knows,
    as SQL over the source. Both are the caller's own text, never a user's, and constant, so that the whole can be a
    prepared statement; for the same reason each parameter is text.
    """
    payload = "%s::jsonb"
    if computed:
        pairs = ", ".join(f"'{name}', {expression}" for name, expression in computed.items())
        payload = f"%s::jsonb || jsonb_build_object({pairs})"
    return _insert_from(source, payload), _parameters(event, uuid7())


def insertion_many(events: Iterable[Event], *, source: str) -> tuple[str, list[str]]:
    """Return the INSERT of several events as ``insertion`` does; ``source`` has one row, after which they are drawn."""
    rows = [_row(event, uuid7()) for event in events]
    return _INSERT_MANY_FROM.replace("<source>", source), [_encode(rows)]


@lru_cache(maxsize=64)
def _insert_from(source: str, payload: str) -> str:
    return _INSERT_FROM.replace("<payload>", payload).replace("<source>", source)


def _alias_in_transaction(using: str | None) -> str:
    alias = using or router.db_for_write(OutboxEvent)
    if not connections[alias].in_atomic_block:
        raise TransactionManagementError(
            "emit() was called outside transaction.atomic(): an event belongs to the transaction of what it tells."
        )
    return alias


def _parameters(event: Event, uid: UUID) -> list[str]:
    return [str(value) for value in _row(event, uid)]


def _row(event: Event, uid: UUID) -> _Row:
    key = event.key
    if len(key) > KEY_LENGTH:
        raise ValueError(f"The key of {event.type} is {len(key)} characters long; at most {KEY_LENGTH} are stored.")
    headers = tracing.current()
    return (
        uid.hex,
        event.type,
        key,
        partition(key),
        _encode(event.payload()),
        _encode(headers) if headers else "{}",
    )

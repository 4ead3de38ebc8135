"""Routing: which subscribers an event goes to, decided by the relay, in bulk, after the commit.

``emit`` writes one row however many subscribers there are, and no web process has a routing table that could be stale. One statement marks
up to ``ROUTE_BATCH`` events as routed and writes their deliveries: both or neither.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple
from zlib import crc32

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from holdfast.outbox.dialect import both, postgresql, sqlite

# One index range for each partition, in the order of ids; the outer LIMIT stops the loop. ``part = ANY(...) ORDER BY id`` would sort
# the whole backlog for each batch; and so would PostgreSQL by itself with a partition that it thinks will be read to its end, which is
# why none gives more than a share of the batch.
_PENDING_POSTGRESQL = postgresql("""
    SELECT event.id, event.part, event.type, event.key
    FROM unnest(%s::smallint[]) AS mine(part),
         LATERAL (
             SELECT id, part, type, key FROM {event}
             WHERE part = mine.part AND NOT routed ORDER BY id LIMIT %s
         ) AS event
    LIMIT %s""")
_PENDING_SQLITE = sqlite("""
    SELECT id, part, type, key FROM {event}
    WHERE NOT routed AND part IN (SELECT value FROM json_each(%s)) ORDER BY part, id LIMIT %s""")

# A relay that was asleep may do this a second time: it waits for the row locks of the first, finds the events routed, writes nothing.
_ROUTE_POSTGRESQL = postgresql("""
    WITH marked AS (
        UPDATE {event} SET routed = true WHERE id = ANY(%s::bigint[]) AND NOT routed RETURNING id
    )
    INSERT INTO {delivery} (subscriber_id, part, event_id, key_hash, attempts)
    SELECT route.subscriber_id, route.part, route.event_id, route.key_hash, 0
    FROM unnest(%s::bigint[], %s::smallint[], %s::bigint[], %s::bigint[])
         AS route(subscriber_id, part, event_id, key_hash)
    JOIN marked ON marked.id = route.event_id
    ON CONFLICT DO NOTHING""")
_MARK_SQLITE = sqlite("UPDATE {event} SET routed = 1 WHERE id = %s AND NOT routed")

# Also how a replay queues an event again.
INSERT_DELIVERY = both("""
    INSERT INTO {delivery} (subscriber_id, part, event_id, key_hash, attempts) VALUES (%s, %s, %s, %s, 0)
    ON CONFLICT DO NOTHING""")


WantedBy = Callable[[set[str]], Mapping[str, Sequence[int]]]


class Route(NamedTuple):
    """A delivery to be."""

    subscriber_id: int
    part: int
    event_id: int
    key_hash: int


def share_of(limit: int) -> int:
    """Return how much of a batch one partition may fill. A batch of less than that has left nothing behind."""
    return max(1, limit // 4)


def key_hash(key: str) -> int:
    """Return the number that stands for a key in the queue. Keys that share one wait for each other, which harms nobody."""
    return crc32(key.encode())


def route(
    connection: BaseDatabaseWrapper, parts: Iterable[int], limit: int, wanted_by: WantedBy
) -> tuple[int, list[Route]]:
    """Route what is pending in these partitions; return how many events that were and the deliveries written.

    ``wanted_by`` gives the numbers of the subscribers of each of these event types.
    """
    if connection.vendor == "postgresql":
        return _route_postgresql(connection, list(parts), limit, wanted_by)
    return _route_sqlite(connection, list(parts), limit, wanted_by)


def _routes(events: list[tuple[int, int, str, str]], wanted_by: WantedBy) -> list[Route]:
    subscribers = wanted_by({event_type for _id, _part, event_type, _key in events})
    return [
        Route(subscriber_id, part, event_id, key_hash(key))
        for event_id, part, event_type, key in events
        for subscriber_id in subscribers[event_type]
    ]


def _route_postgresql(
    connection: BaseDatabaseWrapper, parts: list[int], limit: int, wanted_by: WantedBy
) -> tuple[int, list[Route]]:
    with connection.cursor() as cursor:
        cursor.execute(_PENDING_POSTGRESQL, [parts, share_of(limit), limit])
        events = cursor.fetchall()
        if not events:
            return 0, []
        routes = _routes(events, wanted_by)
        columns = [list(column) for column in zip(*routes, strict=True)] or [[], [], [], []]
        cursor.execute(_ROUTE_POSTGRESQL, [[event[0] for event in events], *columns])
    return len(events), routes


def _route_sqlite(
    connection: BaseDatabaseWrapper, parts: list[int], limit: int, wanted_by: WantedBy
) -> tuple[int, list[Route]]:
    with connection.cursor() as cursor:
        cursor.execute(_PENDING_SQLITE, [str(parts), limit])
        events = cursor.fetchall()
        if not events:
            return 0, []
        routes = _routes(events, wanted_by)
        with transaction.atomic(using=connection.alias):
            cursor.executemany(_MARK_SQLITE, [(event[0],) for event in events])
            cursor.executemany(INSERT_DELIVERY["sqlite"], routes)
    return len(events), routes

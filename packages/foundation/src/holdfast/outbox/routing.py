"""Routing: which subscribers an event goes to, decided by the relay, in bulk, after the commit.

``emit`` writes one row however many subscribers there are, and no web process has a routing table that could be stale.
One statement marks up to ``ROUTE_BATCH`` events as routed and writes their deliveries: both or neither.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple
from zlib import crc32

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from holdfast.outbox.dialect import Cursor, array, both, postgresql, sqlite

# One index range for each partition, in the order of ids; the outer LIMIT stops the loop. ``part = ANY(...) ORDER BY
# id`` would sort the whole backlog for each batch; and so would PostgreSQL by itself with a partition that it thinks
# will be read to its end, which is why none gives more than a share of the batch.
# The sum of the endpoints' last changes comes with each row, which saves the question of whether one was changed.
_PENDING_POSTGRESQL = postgresql(
    """
    SELECT event.id, event.part, event.type, event.key, (SELECT {endpoints_version} FROM {endpoint})
    FROM unnest(%s::smallint[], %s::bigint[]) AS mine(part, position),
         LATERAL (
             SELECT id, part, type, key FROM {event}
             WHERE part = mine.part AND id > mine.position AND NOT routed ORDER BY id LIMIT %s
         ) AS event
    LIMIT %s""",
    endpoints_version="count(*) || '/' || coalesce(sum((extract(epoch FROM updated_at) * 1000000)::bigint), 0)",
)
# On SQLite a question costs nothing: NULL, that is, always ask.
_PENDING_SQLITE = sqlite("""
    SELECT id, part, type, key, NULL FROM {event}
    WHERE NOT routed AND part IN (SELECT value FROM json_each(%s)) ORDER BY part, id LIMIT %s""")

# A relay that was asleep may do this a second time: it waits for the row locks of the first, finds the events routed,
# writes nothing.
_ROUTE_POSTGRESQL = postgresql("""
    WITH marked AS (
        UPDATE {event} SET routed = true WHERE id = ANY(%s::bigint[]) AND NOT routed RETURNING id
    )
    INSERT INTO {delivery} (subscriber_id, part, event_id, key_hash, attempts)
    SELECT route.subscriber_id, route.part, route.event_id, route.key_hash, 0
    FROM unnest(%s::bigint[], %s::smallint[], %s::bigint[], %s::bigint[])
         AS route(subscriber_id, part, event_id, key_hash)
    JOIN marked ON marked.id = route.event_id""")
_MARK_SQLITE = sqlite("UPDATE {event} SET routed = 1 WHERE id = %s AND NOT routed")

# Also how a replay queues an event again.
INSERT_DELIVERY = both("""
    INSERT INTO {delivery} (subscriber_id, part, event_id, key_hash, attempts) VALUES (%s, %s, %s, %s, 0)
    ON CONFLICT DO NOTHING""")


# What is known of an event before it is routed: id, partition, type, key, and the version of the endpoints.
PendingEvent = tuple[int, int, str, str, str | None]

# The numbers of the subscribers of each of these event types, as of a version of the endpoints.
WantedBy = Callable[[set[str], str | None], Mapping[str, Sequence[int]]]


class Route(NamedTuple):
    """A delivery to be."""

    subscriber_id: int
    part: int
    event_id: int
    key_hash: int


def share_of(limit: int) -> int:
    """Return how much of a batch one partition may fill. A batch of less than that has left nothing behind."""
    return max(1, limit // 16)


def key_hash(key: str) -> int:
    """Return the number of a key in the queue. Keys that share one wait for each other, which harms nobody."""
    return crc32(key.encode())


class Router:
    """Routes what is pending, and remembers how far it came.

    What was routed stays in the index until vacuum comes: to walk over it each time would make a batch dearer the
    longer the backlog was. While batches come back full, the next one begins behind the last. Afterwards it begins
    where a sweep earlier ended, since an event may commit after one with a higher id; an event that is later still is
    found by the sweep itself, which begins at nothing. None of this touches the order of a key: its events commit in
    the order of their ids.
    """

    def __init__(self, connection: BaseDatabaseWrapper, wanted_by: WantedBy) -> None:
        self._connection = connection
        self._wanted_by = wanted_by
        self._routed: dict[int, int] = {}
        self._routed_before: dict[int, int] = {}
        self._settled: dict[int, int] = {}
        self._positions: dict[int, int] = {}

    def sweep(self) -> None:
        """Begin at nothing, once."""
        self._settled, self._routed_before = self._routed_before, dict(self._routed)
        self._positions = {}

    def route(self, parts: Iterable[int], limit: int) -> tuple[list[Route], bool]:
        """Route what is pending in these partitions; return the deliveries, and whether there may be more to route."""
        with self._connection.cursor() as cursor:
            events = self._pending(cursor, list(parts), limit)
            routes = self._routes(events)
            if events:
                self._write(cursor, events, routes)
        self._routed.update((part, event_id) for event_id, part, *_rest in events)
        more = len(events) >= share_of(limit)
        self._positions = self._routed if more else self._settled
        return routes, more

    def _pending(self, cursor: Cursor, parts: list[int], limit: int) -> list[PendingEvent]:
        if self._connection.vendor == "postgresql":
            positions = [self._positions.get(part, 0) for part in parts]
            cursor.execute(_PENDING_POSTGRESQL, [array(parts), array(positions), share_of(limit), limit])
        else:
            cursor.execute(_PENDING_SQLITE, [str(parts), limit])
        events: list[PendingEvent] = cursor.fetchall()
        return events

    def _routes(self, events: list[PendingEvent]) -> list[Route]:
        if not events:
            return []
        subscribers = self._wanted_by({event[2] for event in events}, events[0][4])
        return [
            Route(subscriber_id, part, event_id, key_hash(key))
            for event_id, part, event_type, key, _version in events
            for subscriber_id in subscribers[event_type]
        ]

    def _write(self, cursor: Cursor, events: list[PendingEvent], routes: list[Route]) -> None:
        ids = [event[0] for event in events]
        if self._connection.vendor == "postgresql":
            columns = map(array, zip(*routes, strict=True)) if routes else ["{}"] * 4
            cursor.execute(_ROUTE_POSTGRESQL, [array(ids), *columns])
            return
        with transaction.atomic(using=self._connection.alias):
            cursor.executemany(_MARK_SQLITE, [(event_id,) for event_id in ids])
            cursor.executemany(INSERT_DELIVERY["sqlite"], routes)

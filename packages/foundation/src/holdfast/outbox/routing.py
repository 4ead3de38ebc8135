"""Routing: which subscribers an event goes to, decided by the relay, in bulk, after the commit.

``emit`` writes one row however many subscribers there are, and no web process has a routing table that could be stale.
One statement marks up to ``ROUTE_BATCH`` events as routed and writes their deliveries: both or neither.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple
from zlib import crc32

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from holdfast.outbox.dialect import Cursor, array, both, postgresql, sqlite

# One index range for each partition: ``part = ANY(...) ORDER BY id`` would sort the whole backlog for each batch. The
# range is one of pairs, which only the index of pending events has in order: with ``part = ... ORDER BY id`` the
# planner may walk the primary key, past all other partitions' events. The version of the endpoints comes with each row,
# which saves the question of whether one was changed.
_PENDING_POSTGRESQL = postgresql(
    """
    SELECT event.id, event.part, event.type, event.key, (SELECT {endpoints_version} FROM {endpoint})
    FROM unnest(%s::smallint[], %s::bigint[]) AS mine(part, position),
         LATERAL (
             SELECT id, part, type, key FROM {event}
             WHERE NOT routed AND (part, id) > (mine.part, mine.position) AND (part, id) < (mine.part + 1, 0)
             ORDER BY part, id LIMIT %s
         ) AS event""",
    endpoints_version="count(*) || '/' || coalesce(sum((extract(epoch FROM updated_at) * 1000000)::bigint), 0)",
)
# On SQLite the loop over the partitions is Python's, and a question costs nothing: NULL, that is, always ask.
_PENDING_SQLITE = sqlite("""
    SELECT id, part, type, key, NULL FROM {event}
    WHERE NOT routed AND part = %s AND id > %s ORDER BY id LIMIT %s""")

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


def share_of(limit: int, parts: Collection[int]) -> int:
    """Return how much of a batch each of these partitions may give: all go on evenly, and one alone gives it all."""
    return -(-limit // len(parts))


def full_ones(parts: Iterable[int], share: int) -> set[int]:
    """Return the partitions that gave their whole share, of all that rows were read from. The others have no more."""
    return {part for part, count in Counter(parts).items() if count >= share}


class Route(NamedTuple):
    """A delivery to be."""

    subscriber_id: int
    part: int
    event_id: int
    key_hash: int


def key_hash(key: str) -> int:
    """Return the number of a key in the queue. Keys that share one wait for each other, which harms nobody."""
    return crc32(key.encode())


class Router:
    """Routes what is pending, and remembers how far it came.

    What was routed stays in the index until vacuum comes: to walk over it each time would make a batch dearer the
    longer the backlog was. While there is more, a batch begins behind the last. Afterwards it begins where a sweep
    earlier ended, since an event may commit after one with a higher id; an event that is later still is found by the
    sweep itself, which begins at nothing. None of this touches the order of a key: its events commit in the order of
    their ids.
    """

    def __init__(self, connection: BaseDatabaseWrapper, wanted_by: WantedBy) -> None:
        self._connection = connection
        self._wanted_by = wanted_by
        self._routed: dict[int, int] = {}
        self._routed_before: dict[int, int] = {}
        self._settled: dict[int, int] = {}
        self._positions: dict[int, int] = {}
        # Partitions that gave all they were asked for the last time, and so may have more.
        self._full: set[int] = set()

    def sweep(self) -> None:
        """Begin at nothing, once."""
        self._settled, self._routed_before = self._routed_before, dict(self._routed)
        self._positions, self._full = {}, set()

    def route(self, parts: Collection[int], limit: int) -> tuple[list[Route], bool]:
        """Route what is pending in these partitions; return the deliveries, and whether there may be more to route."""
        asked = sorted(self._full & set(parts)) or list(parts)
        share = share_of(limit, asked)
        with self._connection.cursor() as cursor:
            events = self._pending(cursor, asked, share)
            routes = self._routes(events)
            if events:
                self._write(cursor, events, routes)
        self._routed.update((part, event_id) for event_id, part, *_rest in events)
        self._full = full_ones((part for _id, part, *_rest in events), share)
        self._positions = self._routed if self._full else self._settled
        return routes, bool(self._full)

    def _pending(self, cursor: Cursor, parts: list[int], share: int) -> list[PendingEvent]:
        positions = [self._positions.get(part, 0) for part in parts]
        events: list[PendingEvent] = []
        if self._connection.vendor == "postgresql":
            cursor.execute(_PENDING_POSTGRESQL, [array(parts), array(positions), share])
            events += cursor.fetchall()
            return events
        for part, position in zip(parts, positions, strict=True):
            cursor.execute(_PENDING_SQLITE, [part, position, share])
            events += cursor.fetchall()
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

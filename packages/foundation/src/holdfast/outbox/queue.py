"""The deliveries: read in chunks, finished in chunks, each statement fenced by the lease's epoch."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from holdfast.outbox.dialect import array, as_moment, both, postgresql, sqlite


class Delivery(NamedTuple):
    """One event for one subscriber, as it was read."""

    part: int
    epoch: int
    event_id: int
    key_hash: int
    attempts: int
    uid: UUID
    type: str
    key: str
    payload: str
    headers: str
    # Seconds since 1970.
    occurred_at: float


class Setback(NamedTuple):
    """A delivery that failed: how often by now, and for how long it waits."""

    delivery: Delivery
    attempts: int
    seconds: float


_EVENT = "event.uid, event.type, event.key, event.payload, event.headers, event.occurred_at"
# A number instead of a time: Django has psycopg read times in Python, one by one.
_EVENT_POSTGRESQL = _EVENT.replace("event.occurred_at", "extract(epoch FROM event.occurred_at)::float8")

# An earlier event of the key is failing: this one waits for it.
_HELD_BACK = """EXISTS (
    SELECT 1 FROM {delivery} AS failing
    WHERE failing.subscriber_id = waiting.subscriber_id AND failing.part = waiting.part
      AND failing.key_hash = waiting.key_hash AND failing.due_at IS NOT NULL
      AND failing.event_id < waiting.event_id)"""
# OFFSET 0 keeps PostgreSQL from turning the probe into an anti-join, which would sort the whole backlog. (Below, the
# same trick keeps the look-up of the event one by primary key.)
_HELD_BACK_POSTGRESQL = _HELD_BACK.removesuffix(")") + " OFFSET 0)"

# One index range for each partition, begun behind what was read before: what it costs does not depend on the backlog,
# nor on the dead rows that vacuum has not yet taken away. The outer LIMIT stops the loop.
_WAITING_POSTGRESQL = postgresql(
    """
    SELECT waiting.part, waiting.epoch, waiting.event_id, waiting.key_hash, waiting.attempts, {columns}
    FROM (
        SELECT mine.part, mine.epoch, waiting.event_id, waiting.key_hash, waiting.attempts
        FROM unnest(%s::smallint[], %s::bigint[], %s::bigint[]) AS mine(part, epoch, position),
             LATERAL (
                 SELECT event_id, key_hash, attempts FROM {delivery} AS waiting
                 WHERE (subscriber_id, part, event_id) > (%s, mine.part, mine.position)
                   AND (subscriber_id, part, event_id) < (%s, mine.part + 1, 0)
                   AND due_at IS NULL AND NOT {held_back}
                 ORDER BY subscriber_id, part, event_id LIMIT %s
             ) AS waiting
    ) AS waiting,
    LATERAL (SELECT * FROM {event} WHERE id = waiting.event_id OFFSET 0) AS event""",
    columns=_EVENT_POSTGRESQL,
    held_back=_HELD_BACK_POSTGRESQL,
)
# On SQLite the loop over the partitions is Python's.
_WAITING_SQLITE = sqlite(
    """
    SELECT waiting.part, %s, waiting.event_id, waiting.key_hash, waiting.attempts, {columns}
    FROM {delivery} AS waiting JOIN {event} AS event ON event.id = waiting.event_id
    WHERE waiting.subscriber_id = %s AND waiting.part = %s AND waiting.event_id > %s AND waiting.due_at IS NULL
      AND NOT {held_back}
    ORDER BY waiting.event_id LIMIT %s""",
    columns=_EVENT,
    held_back=_HELD_BACK,
)

# Failing ones whose time has come. They are few, and the partial index of due times holds nothing else.
_DUE = """
    SELECT waiting.part, 0, waiting.event_id, waiting.key_hash, waiting.attempts, {columns}
    FROM {delivery} AS waiting JOIN {event} AS event ON event.id = waiting.event_id
    WHERE waiting.subscriber_id = %s AND waiting.due_at <= {now} AND waiting.part {mine} AND NOT {held_back}
    ORDER BY waiting.due_at LIMIT %s"""
_DUE_POSTGRESQL = postgresql(_DUE, columns=_EVENT_POSTGRESQL, mine="= ANY(%s::smallint[])", held_back=_HELD_BACK)
_DUE_SQLITE = sqlite(_DUE, columns=_EVENT, mine="IN (SELECT value FROM json_each(%s))", held_back=_HELD_BACK)

_DONE_POSTGRESQL = postgresql("""
    DELETE FROM {delivery} AS delivery
    USING unnest(%s::smallint[], %s::bigint[], %s::bigint[]) AS done(part, epoch, event_id), {lease} AS lease
    WHERE delivery.subscriber_id = %s AND delivery.part = done.part AND delivery.event_id = done.event_id
      AND lease.part = done.part AND lease.epoch = done.epoch""")
_DONE_SQLITE = sqlite("""
    DELETE FROM {delivery} WHERE subscriber_id = %s AND part = %s AND event_id = %s
      AND EXISTS (SELECT 1 FROM {lease} AS lease WHERE lease.part = {delivery}.part AND lease.epoch = %s)""")

_FAILED_POSTGRESQL = postgresql("""
    UPDATE {delivery} AS delivery
    SET attempts = failed.attempts, due_at = clock_timestamp() + failed.seconds * interval '1 second'
    FROM unnest(%s::smallint[], %s::bigint[], %s::bigint[], %s::smallint[], %s::float[])
         AS failed(part, epoch, event_id, attempts, seconds), {lease} AS lease
    WHERE delivery.subscriber_id = %s AND delivery.part = failed.part AND delivery.event_id = failed.event_id
      AND lease.part = failed.part AND lease.epoch = failed.epoch""")

# One failure, and an attempt that is counted before it is made: that a process dies of it must not make it an endless
# loop.
_FAILED_ONE = both("""
    UPDATE {delivery} SET attempts = %s, due_at = {later}
    WHERE subscriber_id = %s AND part = %s AND event_id = %s
      AND EXISTS (SELECT 1 FROM {lease} AS lease WHERE lease.part = {delivery}.part AND lease.epoch = %s)""")


def read_waiting(
    connection: BaseDatabaseWrapper,
    subscriber_id: int,
    positions: Mapping[int, int],
    epochs: Mapping[int, int],
    share: int,
) -> list[Delivery]:
    """Return up to ``share`` deliveries of each partition that nothing holds back, behind the given positions."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            mine = [array(positions), array(epochs[part] for part in positions), array(positions.values())]
            cursor.execute(_WAITING_POSTGRESQL, [*mine, subscriber_id, subscriber_id, share])
            return list(map(Delivery._make, cursor.fetchall()))
        rows: list[tuple[Any, ...]] = []
        for part, position in positions.items():
            cursor.execute(_WAITING_SQLITE, [epochs[part], subscriber_id, part, position, share])
            rows += cursor.fetchall()
        return [_from_sqlite(row) for row in rows]


def read_due(
    connection: BaseDatabaseWrapper, subscriber_id: int, epochs: Mapping[int, int], limit: int
) -> list[Delivery]:
    """Return failing deliveries of these partitions whose time has come."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_DUE_POSTGRESQL, [subscriber_id, array(epochs), limit])
            rows = list(map(Delivery._make, cursor.fetchall()))
        else:
            cursor.execute(_DUE_SQLITE, [subscriber_id, str(list(epochs)), limit])
            rows = list(map(_from_sqlite, cursor.fetchall()))
    return [row._replace(epoch=epochs[row.part]) for row in rows]


def finish(connection: BaseDatabaseWrapper, subscriber_id: int, done: Sequence[Delivery]) -> None:
    """Take delivered ones off the queue, unless another relay has taken the partition."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            columns = [array(d.part for d in done), array(d.epoch for d in done), array(d.event_id for d in done)]
            cursor.execute(_DONE_POSTGRESQL, [*columns, subscriber_id])
            return
        with transaction.atomic(using=connection.alias):
            cursor.executemany(_DONE_SQLITE, [(subscriber_id, d.part, d.event_id, d.epoch) for d in done])


def set_back(connection: BaseDatabaseWrapper, subscriber_id: int, setbacks: Sequence[Setback]) -> None:
    """Let failed ones wait, and with each the later events of its key."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            rows = [(s.delivery.part, s.delivery.epoch, s.delivery.event_id, s.attempts, s.seconds) for s in setbacks]
            cursor.execute(_FAILED_POSTGRESQL, [*map(array, zip(*rows, strict=True)), subscriber_id])
            return
        with transaction.atomic(using=connection.alias):
            cursor.executemany(_FAILED_ONE["sqlite"], [_failed_one(subscriber_id, setback) for setback in setbacks])


def count_attempt(connection: BaseDatabaseWrapper, subscriber_id: int, setback: Setback) -> bool:
    """Count an attempt before it is made; return whether the delivery is still this relay's to send."""
    with connection.cursor() as cursor:
        cursor.execute(_FAILED_ONE[connection.vendor], _failed_one(subscriber_id, setback))
        return bool(cursor.rowcount)


def _failed_one(subscriber_id: int, setback: Setback) -> tuple[Any, ...]:
    delivery, attempts, seconds = setback
    return attempts, seconds, subscriber_id, delivery.part, delivery.event_id, delivery.epoch


def _from_sqlite(row: Iterable[Any]) -> Delivery:
    delivery = Delivery._make(row)
    moment: Any = delivery.occurred_at
    return delivery._replace(uid=UUID(str(delivery.uid)), occurred_at=as_moment(moment).timestamp())

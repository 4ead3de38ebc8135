"""Forgetting: what was delivered is kept for replays, not for ever. What was not is kept."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import connections, router
from django.db.models import QuerySet
from django.utils import timezone

from holdfast.outbox.conf import settings
from holdfast.outbox.dialect import as_moment, both
from holdfast.outbox.models import InboxEntry, OutboxAttempt, OutboxDeadLetter, OutboxEvent, OutboxRelay, Resolution

BATCH = 5000
_FORGET_RELAYS_AFTER = dt.timedelta(days=1)

# The table is walked along its primary key in windows, so that a batch costs the same wherever it is; ids grow with
# time, so that a window in which everything is to be kept is the last one.
_WINDOW = both("""
    SELECT max(id), min(occurred_at)
    FROM (SELECT id, occurred_at FROM {event} WHERE id > %s ORDER BY id LIMIT %s) AS next""")
_PURGE = both("""
    DELETE FROM {event}
    WHERE id > %s AND id <= %s AND routed AND occurred_at < %s
      AND NOT EXISTS (
          SELECT 1 FROM {subscriber} AS subscriber JOIN {delivery} AS delivery ON delivery.subscriber_id = subscriber.id
          WHERE delivery.part = {event}.part AND delivery.event_id = {event}.id)
      AND NOT EXISTS (
          SELECT 1 FROM {dead_letter} AS letter WHERE letter.event_id = {event}.id)""")


@dataclass(frozen=True, kw_only=True)
class Purged:
    """How many rows were deleted."""

    events: int
    dead_letters: int
    attempts: int
    inbox: int


def purge(*, now: dt.datetime | None = None) -> Purged:
    """Delete what is older than its retention, in small transactions, so that no lock is held for long."""
    now = now or timezone.now()
    using = router.db_for_write(OutboxEvent)
    OutboxRelay.objects.using(using).filter(seen_at__lt=now - _FORGET_RELAYS_AFTER).delete()
    log_end = now - dt.timedelta(days=settings.ATTEMPT_RETENTION_DAYS)
    resolved = OutboxDeadLetter.objects.using(using).exclude(resolution=Resolution.OPEN)
    inbox_end = now - dt.timedelta(days=settings.INBOX_RETENTION_DAYS)
    return Purged(
        # Before the events that they hold.
        dead_letters=_purge_rows(resolved.filter(resolved_at__lt=log_end)),
        attempts=_purge_rows(OutboxAttempt.objects.using(using).filter(at__lt=log_end)),
        inbox=_purge_rows(InboxEntry.objects.using(using).filter(applied_at__lt=inbox_end)),
        events=_purge_events(using, now - dt.timedelta(days=settings.EVENT_RETENTION_DAYS)),
    )


def _purge_events(using: str, end: dt.datetime) -> int:
    connection = connections[using]
    moment = connection.ops.adapt_datetimefield_value(end)
    purged, after = 0, 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(_WINDOW[connection.vendor], [after, BATCH])
            last, oldest = cursor.fetchone()
            if last is None or as_moment(oldest) >= end:
                return purged
            cursor.execute(_PURGE[connection.vendor], [after, last, moment])
            purged += cursor.rowcount
            after = last


def _purge_rows(rows: QuerySet[Any]) -> int:
    purged = 0
    while ids := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        rows.filter(pk__in=ids).delete()
        purged += len(ids)
    return purged

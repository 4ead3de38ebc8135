"""Dead letters: deliveries that were given up, and what people do with them."""

from collections.abc import Iterable
from typing import Any

from django.db import connections, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet
from django.utils import timezone

from holdfast.outbox.dialect import both
from holdfast.outbox.models import OutboxDeadLetter, Resolution
from holdfast.outbox.queue import Delivery
from holdfast.outbox.routing import INSERT_DELIVERY, key_hash
from holdfast.outbox.wakeup import after_commit_wakeup

ERROR_LENGTH = 2000
BATCH = 500

_TAKE_OFF = both("""
    DELETE FROM {delivery} WHERE subscriber_id = %s AND part = %s AND event_id = %s
      AND EXISTS (SELECT 1 FROM {lease} AS lease WHERE lease.part = {delivery}.part AND lease.epoch = %s)""")
_BURY = both("""
    INSERT INTO {dead_letter} (event_id, subscriber_id, attempts, error, died_at, resolution)
    VALUES (%s, %s, %s, %s, {now}, 'open')""")


def bury(connection: BaseDatabaseWrapper, subscriber_id: int, delivery: Delivery, *, attempts: int, error: str) -> None:
    """Give a delivery up: the later events of its key go on."""
    fence = [subscriber_id, delivery.part, delivery.event_id, delivery.epoch]
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute(_TAKE_OFF[connection.vendor], fence)
        if cursor.rowcount:
            cursor.execute(_BURY[connection.vendor], [delivery.event_id, subscriber_id, attempts, error[:ERROR_LENGTH]])


def replay(letters: QuerySet[OutboxDeadLetter]) -> int:
    """Queue dead letters again, the attempts counted from nothing; return how many were still open."""
    return _resolve(letters, Resolution.REPLAYED)


def discard(letters: QuerySet[OutboxDeadLetter]) -> int:
    """Close dead letters without delivering them; return how many were still open."""
    return _resolve(letters, Resolution.DISCARDED)


def _resolve(letters: QuerySet[OutboxDeadLetter], resolution: Resolution) -> int:
    using = router.db_for_write(OutboxDeadLetter)
    resolved = 0
    for ids in _batches(letters.using(using).filter(resolution=Resolution.OPEN).values_list("pk", flat=True)):
        with transaction.atomic(using=using):
            # Under the lock, so that of two operators who press at once one replays it.
            open_ones = list(
                OutboxDeadLetter.objects.using(using)
                .select_for_update(of=("self",))
                .filter(pk__in=ids, resolution=Resolution.OPEN)
                .select_related("event")
                .order_by("pk")
            )
            if resolution is Resolution.REPLAYED:
                _queue_again(open_ones, using)
            OutboxDeadLetter.objects.using(using).filter(pk__in=[letter.pk for letter in open_ones]).update(
                resolution=resolution, resolved_at=timezone.now()
            )
        resolved += len(open_ones)
    return resolved


def _queue_again(letters: Iterable[OutboxDeadLetter], using: str) -> None:
    connection = connections[using]
    with connection.cursor() as cursor:
        cursor.executemany(
            INSERT_DELIVERY[connection.vendor],
            [(item.subscriber_id, item.event.part, item.event_id, key_hash(item.event.key)) for item in letters],
        )
    after_commit_wakeup(using)


def _batches(ids: QuerySet[OutboxDeadLetter, Any]) -> Iterable[list[int]]:
    all_ids = list(ids.order_by("pk"))
    return (all_ids[start : start + BATCH] for start in range(0, len(all_ids), BATCH))

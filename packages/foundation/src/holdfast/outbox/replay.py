"""Delivering kept events again: to a subscriber that was added later, or that lost what it had."""

import datetime as dt

from django.db import connections, router, transaction

from holdfast.outbox.models import OutboxDelivery, OutboxEvent, OutboxSubscriber
from holdfast.outbox.routing import INSERT_DELIVERY, Route, key_hash
from holdfast.outbox.subscriptions import matches
from holdfast.outbox.wakeup import after_commit_wakeup

BATCH = 2000


class UnknownSubscriber(LookupError):
    """No subscriber has this name."""


def replay(
    *, subscriber: str, patterns: list[str], since: dt.datetime | None = None, until: dt.datetime | None = None
) -> int:
    """Queue the kept events of these types and this time for a subscriber, in their order; return how many.

    What still waits for the subscriber is not queued twice. Raises ``UnknownSubscriber``.
    """
    using = router.db_for_write(OutboxEvent)
    try:
        subscriber_id = OutboxSubscriber.objects.using(using).get(name=subscriber).pk
    except OutboxSubscriber.DoesNotExist:
        raise UnknownSubscriber(subscriber) from None
    events = OutboxEvent.objects.using(using).filter(routed=True)
    if since is not None:
        events = events.filter(occurred_at__gte=since)
    if until is not None:
        events = events.filter(occurred_at__lt=until)
    connection = connections[using]
    queued, after = 0, 0
    while batch := list(events.filter(pk__gt=after).order_by("pk").values_list("pk", "part", "type", "key")[:BATCH]):
        after = batch[-1][0]
        routes = [
            Route(subscriber_id, part, pk, key_hash(key))
            for pk, part, event_type, key in batch
            if matches(event_type, patterns)
        ]
        with transaction.atomic(using=using), connection.cursor() as cursor:
            cursor.executemany(INSERT_DELIVERY[connection.vendor], routes)
            after_commit_wakeup(using)
        queued += len(routes)
    return queued


def forget_subscriber(name: str) -> int:
    """Drop a subscriber that the code no longer has, and what waits for it; return how many deliveries that were.

    Raises ``UnknownSubscriber``.
    """
    using = router.db_for_write(OutboxSubscriber)
    with transaction.atomic(using=using):
        subscriber = OutboxSubscriber.objects.using(using).filter(name=name).select_for_update().first()
        if subscriber is None:
            raise UnknownSubscriber(name)
        waiting = OutboxDelivery.objects.using(using).filter(subscriber=subscriber).count()
        subscriber.delete()
    return waiting

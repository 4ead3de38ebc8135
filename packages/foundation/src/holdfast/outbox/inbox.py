"""Applying an event once: the effect and the mark that it was applied commit together."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.db import connections, router, transaction
from django.utils import timezone

from holdfast.events import Envelope
from holdfast.outbox.dialect import both
from holdfast.outbox.models import InboxEntry

HandlerT = TypeVar("HandlerT", bound=Callable[[Envelope[Any]], object])

# A twin that runs at the same time waits here for the other's commit, and then finds the mark.
_MARK = both("INSERT INTO {inbox} (consumer, event_uid, applied_at) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING")


def exactly_once(handler: HandlerT) -> HandlerT:
    """Wrap a handler so that its effects in the database happen once for each event, however often it is delivered.

    The handler runs in a transaction with the inbox row. What it does outside that database is not covered. Put this
    under ``subscribe``::

        @subscribe("holdfast_wallet.transfer_posted.v1")
        @exactly_once
        def count_turnover(envelope): ...
    """
    consumer = f"{handler.__module__}.{handler.__qualname__}"

    @wraps(handler)
    def once(envelope: Envelope[Any]) -> object:
        using = router.db_for_write(InboxEntry)
        with transaction.atomic(using=using):
            return handler(envelope) if first_time(consumer, envelope, using=using) else None

    return cast("HandlerT", once)


def first_time(consumer: str, envelope: Envelope[Any], *, using: str) -> bool:
    """Mark an event as applied by a consumer; return whether it was not before. Call it inside a transaction."""
    connection = connections[using]
    uid = InboxEntry._meta.get_field("event_uid").get_db_prep_value(envelope.id, connection)
    at = connection.ops.adapt_datetimefield_value(timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(_MARK[connection.vendor], [consumer, uid, at])
        return bool(cursor.rowcount)

"""How the outbox is doing: for the health page, Prometheus and ``outbox_status``."""

import datetime as dt
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import connections, router
from django.utils import timezone

from holdfast.outbox.conf import settings
from holdfast.outbox.dialect import as_moment, both
from holdfast.outbox.models import (
    EndpointState,
    OutboxDeadLetter,
    OutboxEvent,
    OutboxRelay,
    OutboxSubscriber,
    Resolution,
    SubscriberKind,
)
from holdfast.outbox.subscriptions import subscriptions

# The oldest event of each partition, by its index: what this costs does not depend on the backlog.
_OLDEST_UNROUTED = both("""
    SELECT min(occurred_at) FROM {event} WHERE id IN (
        SELECT (SELECT min(id) FROM {event} WHERE part = lease.part AND NOT routed) FROM {lease} AS lease)""")
# The same for a subscriber. An event that failed, or waits behind one that did, is not late but in trouble: it does not
# count here.
_OLDEST_WAITING = both("""
    SELECT min(occurred_at) FROM {event} WHERE id IN (
        SELECT (
            SELECT waiting.event_id FROM {delivery} AS waiting
            WHERE waiting.subscriber_id = %s AND waiting.part = lease.part AND waiting.due_at IS NULL
              AND NOT EXISTS (
                  SELECT 1 FROM {delivery} AS failing
                  WHERE failing.subscriber_id = waiting.subscriber_id AND failing.part = waiting.part
                    AND failing.key_hash = waiting.key_hash AND failing.due_at IS NOT NULL
                    AND failing.event_id < waiting.event_id)
            ORDER BY waiting.event_id LIMIT 1
        ) FROM {lease} AS lease)""")
_UNROUTED = both("SELECT count(*) FROM {event} WHERE NOT routed")
_BY_SUBSCRIBER = both("SELECT subscriber_id, count(*), count(due_at) FROM {delivery} GROUP BY subscriber_id")


@dataclass(frozen=True, kw_only=True)
class SubscriberStatus:
    """One subscriber: what waits, what of it failed, how late it is."""

    name: str
    kind: str
    # ``active``, ``paused`` or ``disabled``; ``unknown`` if no installed code has a handler of this name.
    state: str
    pending: int
    failing: int
    dead: int
    lag_seconds: float


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The outbox at a moment.

    ``lag_seconds`` is the age of the oldest event that a handler or broker could have had by now; webhook receivers
    have a lag each.
    """

    lag_seconds: float
    oldest_pending: dt.datetime | None
    unrouted: int
    pending: int
    failing: int
    dead: int
    relays: int
    subscribers: list[SubscriberStatus] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether events reach our own handlers in time."""
        return self.lag_seconds <= settings.LAG_LIMIT_SECONDS

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        oldest = self.oldest_pending.isoformat() if self.oldest_pending else None
        return {"ok": self.ok, **asdict(self), "oldest_pending": oldest}


def snapshot() -> Snapshot:
    """Look at the outbox now."""
    using = router.db_for_write(OutboxEvent)  # a replica would add its own lag
    now = timezone.now()
    oldest_unrouted = _moment(using, _OLDEST_UNROUTED)
    statuses, oldest = _subscribers(using, now)
    moments = [moment for moment in (oldest_unrouted, oldest) if moment is not None]
    oldest_pending = min(moments, default=None)
    heard_since = now - dt.timedelta(seconds=settings.LEASE_SECONDS)
    unrouted = _rows(using, _UNROUTED)[0][0]
    return Snapshot(
        lag_seconds=_age(oldest_pending, now),
        oldest_pending=oldest_pending,
        unrouted=unrouted,
        pending=unrouted + sum(status.pending for status in statuses),
        failing=sum(status.failing for status in statuses),
        dead=sum(status.dead for status in statuses),
        relays=OutboxRelay.objects.using(using).filter(seen_at__gt=heard_since).count(),
        subscribers=statuses,
    )


def _subscribers(using: str, now: dt.datetime) -> tuple[list[SubscriberStatus], dt.datetime | None]:
    """Return the subscribers, and the oldest event that one of ours waits for."""
    counts = {subscriber_id: (pending, failing) for subscriber_id, pending, failing in _rows(using, _BY_SUBSCRIBER)}
    dead: dict[int, int] = {}
    for subscriber_id in (
        OutboxDeadLetter.objects.using(using).filter(resolution=Resolution.OPEN).values_list("subscriber_id", flat=True)
    ):
        dead[subscriber_id] = dead.get(subscriber_id, 0) + 1
    statuses = []
    ours = []
    for subscriber in OutboxSubscriber.objects.using(using).select_related("webhook_endpoint").order_by("name"):
        state = _state(subscriber)
        pending, failing = counts.get(subscriber.pk, (0, 0))
        oldest = _moment(using, _OLDEST_WAITING, subscriber.pk) if pending else None
        if oldest is not None and state == EndpointState.ACTIVE and subscriber.kind != SubscriberKind.WEBHOOK:
            ours.append(oldest)
        statuses.append(
            SubscriberStatus(
                name=_name(subscriber),
                kind=subscriber.kind,
                state=state,
                pending=pending,
                failing=failing,
                dead=dead.get(subscriber.pk, 0),
                lag_seconds=_age(oldest, now),
            )
        )
    return statuses, min(ours, default=None)


def _state(subscriber: OutboxSubscriber) -> str:
    if subscriber.kind == SubscriberKind.WEBHOOK:
        endpoint = getattr(subscriber, "webhook_endpoint", None)
        return endpoint.state if endpoint else "unknown"
    if subscriber.kind == SubscriberKind.BROKER:
        return "unknown" if settings.BROKER is None else EndpointState.ACTIVE.value
    return EndpointState.ACTIVE.value if subscriber.name in subscriptions else "unknown"


def _name(subscriber: OutboxSubscriber) -> str:
    endpoint = getattr(subscriber, "webhook_endpoint", None)
    return f"{subscriber.name} ({endpoint.name})" if endpoint else subscriber.name


def _age(moment: dt.datetime | None, now: dt.datetime) -> float:
    return max(0.0, round((now - moment).total_seconds(), 3)) if moment else 0.0


def _moment(using: str, statement: dict[str, str], *params: int) -> dt.datetime | None:
    value = _rows(using, statement, *params)[0][0]
    return None if value is None else as_moment(value)


def _rows(using: str, statement: dict[str, str], *params: int) -> list[Any]:
    connection = connections[using]
    with connection.cursor() as cursor:
        cursor.execute(statement[connection.vendor], list(params))
        rows: list[Any] = cursor.fetchall()
        return rows

"""The foundation's tables, each defined in the room that owns it."""

from holdfast.idempotency.models import IdempotencyKey
from holdfast.outbox.models import (
    InboxEntry,
    OutboxAttempt,
    OutboxDeadLetter,
    OutboxDelivery,
    OutboxEvent,
    OutboxLease,
    OutboxRelay,
    OutboxSubscriber,
    WebhookEndpoint,
)

__all__ = [
    "IdempotencyKey",
    "InboxEntry",
    "OutboxAttempt",
    "OutboxDeadLetter",
    "OutboxDelivery",
    "OutboxEvent",
    "OutboxLease",
    "OutboxRelay",
    "OutboxSubscriber",
    "WebhookEndpoint",
]

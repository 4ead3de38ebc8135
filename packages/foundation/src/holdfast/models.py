"""The foundation's tables, each defined in the room that owns it."""

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

"""The foundation's windows."""

from holdfast.outbox.admin import (
    AttemptAdmin,
    DeadLetterAdmin,
    EventAdmin,
    SubscriberAdmin,
    WebhookEndpointAdmin,
)

__all__ = ["AttemptAdmin", "DeadLetterAdmin", "EventAdmin", "SubscriberAdmin", "WebhookEndpointAdmin"]

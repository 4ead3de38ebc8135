"""A window on the outbox: events and attempts to look at, dead letters to decide on, webhook endpoints to set up."""

from holdfast.outbox.admin.endpoints import WebhookEndpointAdmin
from holdfast.outbox.admin.letters import DeadLetterAdmin
from holdfast.outbox.admin.logbook import AttemptAdmin, EventAdmin, SubscriberAdmin

__all__ = ["AttemptAdmin", "DeadLetterAdmin", "EventAdmin", "SubscriberAdmin", "WebhookEndpointAdmin"]

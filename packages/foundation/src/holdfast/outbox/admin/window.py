"""What the outbox's admin pages have in common."""

from holdfast.outbox.models import OutboxSubscriber


def named(subscriber: OutboxSubscriber) -> str:
    """Return what to call a subscriber: a webhook's stable name is an id, and its endpoint has one to read."""
    endpoint = getattr(subscriber, "webhook_endpoint", None)
    return subscriber.name if endpoint is None else f"{endpoint.name} (webhook)"

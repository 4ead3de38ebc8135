"""The foundation's tables, each defined in the room that owns it."""

from holdfast.outbox.models import OutboxEvent

__all__ = ["OutboxEvent"]

"""What carries an event to its subscriber: a handler here, a webhook and a broker in their own modules."""

from typing import Any, Protocol

from holdfast.events import Envelope
from holdfast.outbox.subscriptions import Handler


class Sink(Protocol):
    """The last step of a delivery. It returns when the subscriber has taken the event, and raises when it has not."""

    concurrency: int

    def ready(self) -> bool:
        """Whether it makes sense to read what waits; while it does not, no attempt is burnt."""

    def admit(self) -> bool:
        """Whether the next one may be sent: asked once for each."""

    def deliver(self, envelope: Envelope[Any]) -> int | None:
        """Deliver an event; return a status for the log. Raises ``DeliveryFailed``, or what else a stranger raises."""

    def close(self) -> None:
        """Let go of connections."""


class HandlerSink:
    """A subscribed function."""

    concurrency = 1

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    def ready(self) -> bool:
        """Say yes: a function is always ready."""
        return True

    def admit(self) -> bool:
        """Say yes: a function takes whatever comes."""
        return True

    def deliver(self, envelope: Envelope[Any]) -> None:
        """Call the handler."""
        self._handler(envelope)

    def close(self) -> None:
        """Do nothing: a function holds nothing."""

"""What carries an event to its subscriber: a handler here, a webhook and a broker in their own modules."""

from typing import Any, Protocol

from holdfast.events import Envelope
from holdfast.outbox.circuit import Circuit
from holdfast.outbox.conf import settings
from holdfast.outbox.retry import DeliveryFailed
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


class BreakingHandlerSink(HandlerSink):
    """A subscribed function with one receiver behind it: while that is down, no event spends its attempts on it."""

    def __init__(self, handler: Handler) -> None:
        super().__init__(handler)
        self._circuit = Circuit()

    def ready(self) -> bool:
        """Whether the circuit is closed, or it is time for a probe."""
        return self._circuit.ready()

    def admit(self) -> bool:
        """Whether this one may be sent."""
        return self._circuit.admit()

    def deliver(self, envelope: Envelope[Any]) -> None:
        """Call the handler, and draw the conclusions."""
        try:
            super().deliver(envelope)
        except DeliveryFailed as failure:
            if failure.final:  # The receiver answered: it is this event that it does not want.
                self._circuit.succeeded()
                raise
            self._circuit.failed()
            self._circuit.pause(min(failure.after_seconds or 0.0, settings.RETRY_AFTER_MAX_SECONDS))
            raise
        except BaseException:
            self._circuit.failed()
            raise
        self._circuit.succeeded()

"""Who in the code is told of what: handlers, registered under stable names.

An app declares its handlers in a module ``handlers``, which is imported when the apps are ready, as ``admin`` modules
are::

    @subscribe("holdfast_wallet.transfer_posted.v1")
    def send_receipt(envelope: Envelope[TransferPosted]) -> None: ...

A handler may run twice for an event and runs outside any transaction; it raises to be called again later. Its name is
what the deliveries that wait for it are filed under: give ``name=`` when a function with waiting deliveries moves.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, TypeVar

from holdfast.events import Envelope, Event
from holdfast.outbox.models import NAME_LENGTH

Handler = Callable[[Envelope[Any]], object]
HandlerT = TypeVar("HandlerT", bound=Handler)


@dataclass(frozen=True)
class Subscription:
    """A handler, its stable name and the patterns of the types it is told of."""

    name: str
    patterns: tuple[str, ...]
    handler: Handler
    circuit_breaker: bool = False

    def wants(self, event_type: str) -> bool:
        """Whether events of this type go to the handler."""
        return matches(event_type, self.patterns)


subscriptions: dict[str, Subscription] = {}


def subscribe(
    *what: str | type[Event], name: str | None = None, circuit_breaker: bool = False
) -> Callable[[HandlerT], HandlerT]:
    """Register a handler for event types, or for patterns of them such as ``holdfast_wallet.*``.

    The order of a key holds within one subscription, so a handler that must see several types in order takes them all.
    ``circuit_breaker`` is for a handler that passes events on to one receiver outside: after many failures in a row the
    events wait without being tried, but for a probe now and then, and when it raises ``RetryLater``, they all wait.

    Raises ``ValueError`` if another handler has the name.
    """
    patterns = tuple(one if isinstance(one, str) else one.type for one in what)

    def register(handler: HandlerT) -> HandlerT:
        stable = name or f"{handler.__module__}.{handler.__qualname__}"
        if len(stable) > NAME_LENGTH:
            raise ValueError(f"The subscriber name {stable!r} is longer than {NAME_LENGTH} characters.")
        known = subscriptions.get(stable)
        if known is not None and known.handler is not handler:
            raise ValueError(f"Two handlers are called {stable!r}: give one of them another name.")
        if known is not None and known.patterns != patterns:
            raise ValueError(f"{stable!r} has a subscription already: give the second one a name, or use a pattern.")
        subscriptions[stable] = Subscription(stable, patterns, handler, circuit_breaker)
        return handler

    return register


def matches(event_type: str, patterns: Iterable[str]) -> bool:
    """Whether an event type is one of these, or fits one of these patterns."""
    return any(fnmatchcase(event_type, pattern) for pattern in patterns)

"""Who in the code is told of what: handlers, registered under stable names.

An app declares its handlers in a module ``handlers``, which is imported when the apps are ready, as ``admin`` modules
are::

    @subscribe("holdfast_wallet.transfer_posted.v1")
    def send_receipt(envelope: Envelope[TransferPosted]) -> None: ...

A handler may run twice for an event and runs outside any transaction; it raises to be called again later. Its name is
what the deliveries that wait for it are filed under: give ``name=`` when a function with waiting deliveries moves.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, TypeVar

from holdfast.events import Envelope, Event
from holdfast.outbox.models import NAME_LENGTH

Handler = Callable[[Envelope[Any]], object]
HandlerT = TypeVar("HandlerT", bound=Handler)


@dataclass(frozen=True)
class Subscription:
    """A handler, its stable name and the pattern of the types it is told of."""

    name: str
    pattern: str
    handler: Handler

    def wants(self, event_type: str) -> bool:
        """Whether events of this type go to the handler."""
        return matches(event_type, [self.pattern])


subscriptions: dict[str, Subscription] = {}


def subscribe(what: str | type[Event], *, name: str | None = None) -> Callable[[HandlerT], HandlerT]:
    """Register a handler for an event type, or for a pattern of them such as ``holdfast_wallet.*``.

    Raises ``ValueError`` if another handler has the name.
    """
    pattern = what if isinstance(what, str) else what.type

    def register(handler: HandlerT) -> HandlerT:
        stable = name or f"{handler.__module__}.{handler.__qualname__}"
        if len(stable) > NAME_LENGTH:
            raise ValueError(f"The subscriber name {stable!r} is longer than {NAME_LENGTH} characters.")
        known = subscriptions.get(stable)
        if known is not None and known.handler is not handler:
            raise ValueError(f"Two handlers are called {stable!r}: give one of them another name.")
        if known is not None and known.pattern != pattern:
            raise ValueError(f"{stable!r} has a subscription already: give the second one a name, or use a pattern.")
        subscriptions[stable] = Subscription(stable, pattern, handler)
        return handler

    return register


def matches(event_type: str, patterns: list[str]) -> bool:
    """Whether an event type is one of these, or fits one of these patterns."""
    return any(fnmatchcase(event_type, pattern) for pattern in patterns)

"""Events in tests: which were emitted, and what happens when they are delivered."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import overload

from django.db import router
from django.db.models import Max

from holdfast.events import Event, registry
from holdfast.outbox.models import OutboxEvent
from holdfast.outbox.relay import Relay


class CapturedEvents(Sequence[Event]):
    """The events that were emitted since, read from the outbox: one that was rolled back is not among them.

    It equals a list of the same events, and is a live view inside its ``with`` block.
    """

    def __init__(self, using: str) -> None:
        self._rows = OutboxEvent.objects.using(using).order_by("pk")
        self._after = self._rows.aggregate(last=Max("pk"))["last"] or 0
        self._frozen: list[Event] | None = None

    def freeze(self) -> None:
        """Take no more."""
        self._frozen = self._read()

    def _read(self) -> list[Event]:
        if self._frozen is not None:
            return self._frozen
        rows = self._rows.filter(pk__gt=self._after).values_list("type", "payload")
        return [registry[event_type].from_payload(payload) for event_type, payload in rows]

    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: slice) -> list[Event]: ...
    def __getitem__(self, index: int | slice) -> Event | list[Event]:
        return self._read()[index]

    def __len__(self) -> int:
        return len(self._read())

    def __eq__(self, other: object) -> bool:
        return self._read() == (other._read() if isinstance(other, CapturedEvents) else other)

    __hash__ = None  # type: ignore[assignment]  # as a list

    def __repr__(self) -> str:
        return repr(self._read())


@contextmanager
def captured_events(*, using: str | None = None) -> Iterator[CapturedEvents]:
    """Capture the events that the block emits and that are not rolled back within it.

    ::

        with captured_events() as events:
            services.freeze_card(...)
        assert events == [CardFrozen(card_id=..., reason="lost")]
    """
    events = CapturedEvents(using or router.db_for_write(OutboxEvent))
    try:
        yield events
    finally:
        events.freeze()


def drain_outbox(*, using: str | None = None, raise_errors: bool = True) -> int:
    """Deliver everything that waits, and what its handlers emit, in this thread; return how many deliveries that were.

    The first error of a handler is raised at the end, unless ``raise_errors`` is off.
    """
    errors: list[Exception] = []
    delivered = Relay(using=using, inline=True, on_error=errors.append).drain()
    if errors and raise_errors:
        raise errors[0]
    return delivered

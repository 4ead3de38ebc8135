"""Subscribers that live for one test."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import transaction

from holdfast.events import Envelope, Event
from holdfast.outbox import emit_many
from holdfast.outbox.models import OutboxDelivery
from holdfast.outbox.subscriptions import subscribe, subscriptions


class Listener:
    """A handler that remembers what it was given, and fails where it is told to."""

    def __init__(self) -> None:
        self.heard: list[Envelope[Any]] = []
        self.tried: list[Envelope[Any]] = []
        self.fails: Callable[[Envelope[Any]], Exception | None] = lambda _envelope: None

    def __call__(self, envelope: Envelope[Any]) -> None:
        self.tried.append(envelope)
        error = self.fails(envelope)
        if error is not None:
            raise error
        self.heard.append(envelope)

    @property
    def numbers(self) -> list[int]:
        return [envelope.payload["number"] for envelope in self.heard]


@pytest.fixture
def listen() -> Iterator[Callable[..., Listener]]:
    """Subscribe a new listener; its subscription ends with the test."""
    before = dict(subscriptions)

    def subscribed(what: str | type[Event] = "outbox_tests.*", name: str = "listener", **options: Any) -> Listener:
        listener = Listener()
        subscribe(what, name=name, **options)(listener)
        return listener

    yield subscribed
    subscriptions.clear()
    subscriptions.update(before)


@pytest.fixture
def tell() -> Callable[..., None]:
    """Emit and commit."""

    def told(*events: Event) -> None:
        with transaction.atomic():
            emit_many(events)

    return told


@pytest.fixture
def make_due(db: None) -> Callable[[], int]:
    """Let the time of all failing deliveries come."""
    return lambda: OutboxDelivery.objects.filter(due_at__isnull=False).update(due_at="2020-01-01T00:00:00Z")

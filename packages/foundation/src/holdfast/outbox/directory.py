"""Who is told: the handlers in the code, the broker of the settings, the webhook endpoints of the database."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import connections, transaction

from holdfast.conf import load_backend
from holdfast.events import Envelope
from holdfast.outbox.conf import settings
from holdfast.outbox.models import EndpointState, OutboxSubscriber, SubscriberKind, WebhookEndpoint
from holdfast.outbox.sinks import BreakingHandlerSink, HandlerSink, Sink
from holdfast.outbox.subscriptions import Handler, Subscription, matches, subscriptions
from holdfast.outbox.webhooks.sink import WebhookSink

BROKER_NAME = "broker"


@dataclass(frozen=True)
class Entry:
    """A subscriber: its number, what it wants, how to reach it."""

    subscriber_id: int
    name: str
    patterns: list[str]
    sink: Sink
    # A paused endpoint's events wait for it.
    open: bool = True


class Directory:
    """The subscribers that this process can deliver to."""

    def __init__(self, using: str) -> None:
        self.using = using
        self._fixed = self._register()
        self._endpoints: dict[object, tuple[object, Entry]] = {}
        self._endpoints_version: str | None = None

    def entries(self) -> list[Entry]:
        """Return all subscribers as of now."""
        self._read_endpoints()
        return self._entries()

    def wanted_by(self, types: set[str], endpoints_version: str | None) -> dict[str, list[int]]:
        """Return the numbers of the subscribers of each of these types.

        Endpoints that were changed are read anew: one that was saved before an event was emitted gets the event.
        """
        if endpoints_version is None or endpoints_version != self._endpoints_version:
            self._read_endpoints()
            self._endpoints_version = endpoints_version
        entries = self._entries()
        return {
            event_type: [entry.subscriber_id for entry in entries if matches(event_type, entry.patterns)]
            for event_type in types
        }

    def close(self) -> None:
        """Let the sinks go of their connections."""
        for entry in self._entries():
            entry.sink.close()

    def _entries(self) -> list[Entry]:
        return [*self._fixed, *(entry for _version, entry in self._endpoints.values())]

    def _register(self) -> list[Entry]:
        wanted: dict[str, tuple[SubscriberKind, list[str], Callable[[], Sink]]] = {
            name: (SubscriberKind.HANDLER, list(it.patterns), partial(self._handler_sink, it))
            for name, it in subscriptions.items()
        }
        if (broker := settings.BROKER) is not None:
            wanted[BROKER_NAME] = (
                SubscriberKind.BROKER,
                settings.BROKER_PATTERNS,
                lambda: load_backend(broker),
            )
        rows = OutboxSubscriber.objects.using(self.using)
        rows.bulk_create(
            [OutboxSubscriber(name=name, kind=kind) for name, (kind, _patterns, _sink) in wanted.items()],
            ignore_conflicts=True,
        )
        numbers = dict(rows.filter(name__in=wanted).values_list("name", "pk"))
        return [Entry(numbers[name], name, patterns, sink()) for name, (_kind, patterns, sink) in wanted.items()]

    def _handler_sink(self, subscription: Subscription) -> Sink:
        handler = self._sheltered(subscription.handler)
        return BreakingHandlerSink(handler) if subscription.circuit_breaker else HandlerSink(handler)

    def _sheltered(self, handler: Handler) -> Handler:
        """Within a test's transaction, keep a handler's database error from taking the test's work with it."""
        if not connections[self.using].in_atomic_block:
            return handler

        def sheltered(envelope: Envelope[Any]) -> object:
            with transaction.atomic(using=self.using):
                return handler(envelope)

        return sheltered

    def _read_endpoints(self) -> None:
        known, self._endpoints = self._endpoints, {}
        for endpoint in WebhookEndpoint.objects.using(self.using).exclude(state=EndpointState.DISABLED):
            version, entry = known.pop(endpoint.pk, (None, None))
            if entry is None or version != endpoint.updated_at:
                if entry is not None:
                    entry.sink.close()
                entry = Entry(
                    endpoint.subscriber_id,
                    f"webhook {endpoint.name}",
                    endpoint.patterns,
                    WebhookSink(endpoint),
                    open=endpoint.state == EndpointState.ACTIVE,
                )
            self._endpoints[endpoint.pk] = (endpoint.updated_at, entry)
        for _version, gone in known.values():
            gone.sink.close()

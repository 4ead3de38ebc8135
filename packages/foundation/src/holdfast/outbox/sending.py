"""Sending what was read: the worker's side of a lane.

No transaction is open while a sink works: an idle transaction would hold back vacuum, and a rollback would send
everything again.
"""

import datetime as dt
import json
import logging
import time
from asyncio import CancelledError
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from django.db import connections
from django.utils import timezone

from holdfast import tracing
from holdfast.events import Envelope
from holdfast.outbox import queue
from holdfast.outbox.attempts import Attempt
from holdfast.outbox.conf import settings
from holdfast.outbox.leases import Leases
from holdfast.outbox.queue import Delivery, Setback
from holdfast.outbox.retry import DeliveryFailed, delay_seconds
from holdfast.outbox.sinks import Sink

# json.loads without its questions about types and byte orders.
_decode = json.JSONDecoder().decode

logger = logging.getLogger("holdfast.outbox")

# What a SIGKILL repeats at most: successes are handed over to be finished after so many, or after so long.
CHUNK = 100
CHUNK_SECONDS = 0.2


@dataclass
class Report:
    """What a worker tells the relay's thread about a unit of work."""

    subscriber_id: int
    done: list[Delivery] = field(default_factory=list)
    # Finished by the worker itself, having been counted before they were sent.
    finished: list[Delivery] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    # Units that have ended.
    units: list[Sequence[Delivery]] = field(default_factory=list)

    @classmethod
    def merged(cls, reports: Sequence["Report"]) -> "Report":
        """Return several reports of one subscriber as one, which is cheaper to write down."""
        if len(reports) == 1:
            return reports[0]
        return cls(
            reports[0].subscriber_id,
            [delivery for report in reports for delivery in report.done],
            [delivery for report in reports for delivery in report.finished],
            [attempt for report in reports for attempt in report.attempts],
            [unit for report in reports for unit in report.units],
        )


@dataclass(frozen=True)
class Desk:
    """What the relay lends its workers."""

    using: str
    leases: Leases
    hand_in: Callable[[Report], None]
    stopping: Callable[[], bool]
    # In tests, a handler's error is the test's.
    on_error: Callable[[Exception], None] = lambda _error: None


class Unit:
    """Deliveries that are sent one after the other: each in turn, but for those behind a failed one of their key."""

    def __init__(
        self,
        subscriber_id: int,
        name: str,
        sink: Sink,
        deliveries: Sequence[Delivery],
        suspects: dict[int, int],
        desk: Desk,
    ) -> None:
        self.subscriber_id = subscriber_id
        self.name = name
        self.sink = sink
        self.deliveries = deliveries
        self.suspects = suspects
        self.desk = desk
        self._report = Report(subscriber_id)
        self._held_keys: set[int] = set()
        self._log_all = settings.ATTEMPT_LOG == "all"

    def run(self) -> None:
        """Send the deliveries and report."""
        try:
            self._run()
        finally:
            self._report.units.append(self.deliveries)
            self.desk.hand_in(self._report)

    def _run(self) -> None:
        holds = self.desk.leases.holds
        hand_in_at = time.monotonic() + CHUNK_SECONDS
        for delivery in self.deliveries:
            if self.desk.stopping():
                return
            if delivery.key_hash in self._held_keys:
                continue
            if not holds(delivery.part, delivery.epoch) or not self.sink.admit():
                # Should the lease come back while we go on, a later event of the key must not be first.
                self._held_keys.add(delivery.key_hash)
            elif delivery.attempts or self.suspects.get(delivery.part):
                self._send_counted(delivery)
            elif self._send(delivery):
                self._report.done.append(delivery)
            if len(self._report.done) >= CHUNK or time.monotonic() >= hand_in_at:
                self.desk.hand_in(self._report)
                self._report = Report(self.subscriber_id)
                hand_in_at = time.monotonic() + CHUNK_SECONDS

    def _send(self, delivery: Delivery) -> bool:
        """Make one attempt; return whether it succeeded."""
        begun = time.monotonic()
        try:
            envelope = envelope_of(delivery)
            with tracing.bound(**envelope.headers) if envelope.headers else nullcontext():
                status = self.sink.deliver(envelope)
        # A stranger's code: even its exit, or the end of an event loop of its own, is a failed attempt.
        except (Exception, SystemExit, CancelledError) as error:  # noqa: BLE001 - see above
            self._failed(delivery, begun, error)
            return False
        if self._log_all:
            self._report.attempts.append(self._attempt(delivery, begun, status=status))
        return True

    def _send_counted(self, delivery: Delivery) -> None:
        """Count the attempt, make it, finish it: an event that kills the process comes to its last one nevertheless."""
        connection = connections[self.desk.using]
        number = delivery.attempts + 1
        # If this is its last one and kills us, it comes back once more after the longest wait, and is dead without
        # being sent.
        seconds = delay_seconds(number) or max(settings.RETRY_SECONDS, default=0)
        if delay_seconds(delivery.attempts) is None:
            self._report.attempts.append(
                Attempt(
                    delivery=delivery,
                    number=delivery.attempts,
                    at=timezone.now(),
                    duration_ms=0,
                    error="The relay died during the last attempt.",
                    final=True,
                )
            )
            self._held_keys.add(delivery.key_hash)
        elif not queue.count_attempt(connection, self.subscriber_id, Setback(delivery, number, seconds)):
            self._held_keys.add(delivery.key_hash)
        elif self._send(delivery):
            queue.finish(connection, self.subscriber_id, [delivery])
            self._report.finished.append(delivery)
            self.suspects[delivery.part] = max(0, self.suspects.get(delivery.part, 0) - 1)

    def _failed(self, delivery: Delivery, begun: float, error: BaseException) -> None:
        self._held_keys.add(delivery.key_hash)
        expected = isinstance(error, DeliveryFailed)
        logger.log(
            logging.WARNING if expected else logging.ERROR,
            "%s failed on event %s (%s), attempt %d: %r",
            self.name,
            delivery.uid,
            delivery.type,
            delivery.attempts + 1,
            error,
            exc_info=None if expected else error,
        )
        self._report.attempts.append(
            self._attempt(
                delivery,
                begun,
                status=error.status if isinstance(error, DeliveryFailed) else None,
                error=str(error) if expected and str(error) else f"{type(error).__name__}: {error}",
                after_seconds=error.after_seconds if isinstance(error, DeliveryFailed) else None,
                final=isinstance(error, DeliveryFailed) and error.final,
            )
        )
        # A connection that broke under the handler would break under each one after it.
        for connection in connections.all(initialized_only=True):
            if not connection.in_atomic_block:
                connection.close_if_unusable_or_obsolete()
        if isinstance(error, Exception):
            self.desk.on_error(error)

    def _attempt(self, delivery: Delivery, begun: float, **outcome: Any) -> Attempt:
        seconds = time.monotonic() - begun
        return Attempt(
            delivery=delivery,
            number=delivery.attempts + 1,
            at=timezone.now(),
            duration_ms=int(seconds * 1000),
            **outcome,
        )


def envelope_of(delivery: Delivery) -> Envelope[Any]:
    """Return what the subscriber gets."""
    return Envelope(
        id=delivery.uid,
        sequence=delivery.event_id,
        type=delivery.type,
        key=delivery.key,
        payload=_decode(delivery.payload),
        headers=_decode(delivery.headers) if delivery.headers != "{}" else {},
        occurred_at=dt.datetime.fromtimestamp(delivery.occurred_at, tz=dt.UTC),
        attempt=delivery.attempts + 1,
    )

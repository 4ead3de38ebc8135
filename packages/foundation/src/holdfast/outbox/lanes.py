"""One subscriber's deliveries within one relay: where reading goes on, what is under way, what becomes of the reports.

All of this is the relay's own thread's. The workers (``sending``) get units of deliveries and hand in reports.
"""

import time
from collections.abc import Iterable, Sequence

from django.db.backends.base.base import BaseDatabaseWrapper

from holdfast.outbox import attempts, deadletters, queue
from holdfast.outbox.conf import settings
from holdfast.outbox.leases import Leases
from holdfast.outbox.queue import Delivery, Setback
from holdfast.outbox.retry import delay_seconds
from holdfast.outbox.routing import Route, full_ones, share_of
from holdfast.outbox.sending import CHUNK, Desk, Report, Unit
from holdfast.outbox.sinks import Sink
from holdfast.outbox.workers import Workers


class Lane:
    """The deliveries of one subscriber.

    Reading goes on behind what was read before (``_positions``), and only in partitions where something may be
    (``_hungry``): that is what keeps the cost of a batch flat. ``expect`` takes a position back; ``sweep`` takes all of
    them back now and then.
    """

    def __init__(self, subscriber_id: int, name: str, sink: Sink, workers: Workers) -> None:
        self.subscriber_id = subscriber_id
        self.name = name
        self.sink = sink
        self.workers = workers
        self.open = True
        # How many were routed that have not been read, as far as is known.
        self.announced = 0
        self._in_flight: dict[int, Delivery] = {}
        self._busy_keys: dict[int, Delivery | None] = {}
        self._positions: dict[int, int] = {}
        self._hungry: set[int] = set()
        self._suspects: dict[int, int] = {}
        self._due_check_at = 0.0

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        return not self._in_flight

    def under_way(self, part: int) -> bool:
        """Whether something of a partition is under way."""
        return any(delivery.part == part for delivery in self._in_flight.values())

    def sweep(self, parts: Iterable[int]) -> None:
        """Look at everything from the start: what a replay put behind our positions, for one, is found now."""
        self._positions.clear()
        self._hungry = set(parts)
        self._due_check_at = 0.0

    def expect(self, part: int, event_id: int) -> None:
        """There is a delivery to be read: one just routed, or the one behind what was in its way."""
        self._hungry.add(part)
        if event_id <= self._positions.get(part, 0):
            self._positions[part] = event_id - 1

    def announce(self, routes: Iterable[Route]) -> None:
        """Expect what was just routed."""
        for _subscriber_id, part, event_id, _key_hash in routes:
            self.expect(part, event_id)
            self.announced += 1

    def suspect(self, part: int) -> None:
        """Send the first deliveries of a partition with care: its last owner died, and one of them may be why."""
        self._suspects[part] = CHUNK

    def hungry(self) -> bool:
        """Whether there may be something to read, and somebody to send it."""
        room = 0 if self.sink.concurrency == 1 else settings.DELIVERY_BATCH // 2
        if not self.open or len(self._in_flight) > room or not self.sink.ready():
            return False
        return bool(self._hungry) or time.monotonic() >= self._due_check_at

    def feed(self, connection: BaseDatabaseWrapper, desk: Desk) -> int:
        """Read what may be sent and hand it to the workers; return how many deliveries that were."""
        units = self._units([*self._read_due(connection, desk.leases), *self._read_waiting(connection, desk.leases)])
        for deliveries in units:
            unit = Unit(self.subscriber_id, self.name, self.sink, deliveries, self._suspects, desk)
            self.workers.submit(unit.run)
        return sum(map(len, units))

    def _read_due(self, connection: BaseDatabaseWrapper, leases: Leases) -> list[Delivery]:
        if time.monotonic() < self._due_check_at:
            return []
        due = queue.read_due(connection, self.subscriber_id, leases.epochs, settings.DELIVERY_BATCH)
        if len(due) < settings.DELIVERY_BATCH:
            self._due_check_at = time.monotonic() + settings.POLL_SECONDS
        return due

    def _read_waiting(self, connection: BaseDatabaseWrapper, leases: Leases) -> list[Delivery]:
        parts = sorted(self._hungry & leases.epochs.keys())
        if not parts:
            return []
        positions = {part: self._positions.get(part, 0) for part in parts}
        share = share_of(settings.DELIVERY_BATCH, parts)
        waiting = queue.read_waiting(connection, self.subscriber_id, positions, leases.epochs, share)
        self._hungry = full_ones((delivery.part for delivery in waiting), share)
        self.announced = max(0, self.announced - len(waiting)) if self._hungry else 0
        self._positions.update((delivery.part, delivery.event_id) for delivery in waiting)
        return waiting

    def _units(self, deliveries: Iterable[Delivery]) -> list[list[Delivery]]:
        """Split what was read into units that may run at the same time: one for each key, or all in one."""
        alone = self.sink.concurrency == 1
        units: dict[int, list[Delivery]] = {}
        for delivery in deliveries:
            if delivery.event_id in self._in_flight:
                continue
            if delivery.key_hash in self._busy_keys:
                # Its key is under way in another unit; it is read again once that has ended.
                first = self._busy_keys[delivery.key_hash]
                if first is None or delivery.event_id < first.event_id:
                    self._busy_keys[delivery.key_hash] = delivery
                continue
            self._in_flight[delivery.event_id] = delivery
            units.setdefault(0 if alone else delivery.key_hash, []).append(delivery)
        if not alone:
            self._busy_keys.update(dict.fromkeys(units))
        return list(units.values())

    def settle(self, connection: BaseDatabaseWrapper, report: Report) -> None:
        """Write down what a worker reports. May be repeated, should the database go away meanwhile."""
        if report.done:
            queue.finish(connection, self.subscriber_id, report.done)
        setbacks: list[Setback] = []
        for attempt in report.attempts:
            if attempt.succeeded:
                continue
            seconds = None if attempt.final else delay_seconds(attempt.number, attempt.after_seconds)
            if seconds is not None:
                setbacks.append(Setback(attempt.delivery, attempt.number, seconds))
                self._due_check_at = min(self._due_check_at, time.monotonic() + seconds)
                continue
            deadletters.bury(
                connection, self.subscriber_id, attempt.delivery, attempts=attempt.number, error=attempt.error
            )
            self.expect(attempt.delivery.part, attempt.delivery.event_id)
        if setbacks:
            queue.set_back(connection, self.subscriber_id, setbacks)
        if report.attempts:
            attempts.log(connection, self.subscriber_id, report.attempts)
        self._put_down(report)

    def _put_down(self, report: Report) -> None:
        for delivery in report.done:
            self._in_flight.pop(delivery.event_id, None)
        for delivery in report.finished:
            self._in_flight.pop(delivery.event_id, None)
            self.expect(delivery.part, delivery.event_id)
        for unit in report.units:
            self._give_back(unit)

    def _give_back(self, unit: Sequence[Delivery]) -> None:
        for delivery in unit:
            self._in_flight.pop(delivery.event_id, None)
        if unit and self.sink.concurrency > 1:
            passed_over = self._busy_keys.pop(unit[0].key_hash, None)
            if passed_over is not None:
                self.expect(passed_over.part, passed_over.event_id)

"""The relay: it routes what was committed and delivers it, again and again, until it is told to stop.

One thread talks to the queue: it renews leases, routes, reads, finishes. The sinks run in workers' threads and hand in
reports. Any number of relays may run at once; each leases partitions of its own.
"""

import logging
import os
import secrets
import socket
import time
from collections import deque
from collections.abc import Callable
from itertools import groupby, islice
from operator import itemgetter

from django.db import Error, connections, router

from holdfast.outbox.conf import settings
from holdfast.outbox.directory import Directory, Entry
from holdfast.outbox.lanes import Lane
from holdfast.outbox.leases import Leases
from holdfast.outbox.models import OutboxEvent
from holdfast.outbox.routing import Router
from holdfast.outbox.sending import Desk, Report
from holdfast.outbox.wakeup import AWAKE_SECONDS, LOOK_AGAIN_SECONDS, Listener
from holdfast.outbox.workers import Inline, Threads, Workers

logger = logging.getLogger("holdfast.outbox")

RECONNECT_SECONDS = 1.0
# How long routing rests while the last batch is unread.
AHEAD_SECONDS = 0.1


class Relay:
    """One relay. ``inline`` delivers in the caller's thread and on its connection."""

    def __init__(
        self,
        *,
        using: str | None = None,
        inline: bool = False,
        on_error: Callable[[Exception], None] = lambda _error: None,
    ) -> None:
        self.name = f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"
        self.delivered = 0
        using = using or router.db_for_write(OutboxEvent)
        self._connection = connections[using]
        self._inline = inline
        self._leases = Leases(self._connection, self.name, settings.LEASE_SECONDS)
        self._listener = Listener(self._connection)
        self._directory: Directory | None = None
        self._router: Router | None = None
        self._lanes: dict[int, Lane] = {}
        self._reports: deque[Report] = deque()
        self._stopping = False
        self._desk = Desk(using, self._leases, self._hand_in, lambda: self._stopping, on_error)
        self._renew_at = self._sweep_at = 0.0
        # Whether there may be events to route, and when to look again although nobody rang.
        self._look = True
        self._look_again_at = self._awake_until = float("inf")
        self._routed_lanes: list[Lane] = []
        self._routed_at = float("-inf")

    def stop(self) -> None:
        """Finish what is under way and return from ``run``; may be called from a signal handler."""
        self._stopping = True
        self._listener.interrupt()

    def run(self, *, seconds: float = float("inf")) -> int:
        """Deliver until told to stop, or for so long; return how many deliveries that were."""
        self._listener.open()
        until = time.monotonic() + seconds
        while not self._stopping and time.monotonic() < until:
            try:
                self._listener.listen()
                if not self._turn():
                    self._sleep(until)
            except Error:
                logger.exception("The relay lost its database and tries again in %g s.", RECONNECT_SECONDS)
                self._connection.close()
                time.sleep(RECONNECT_SECONDS)
        self._close()
        return self.delivered

    def drain(self, *, seconds: float = float("inf")) -> int:
        """Deliver until nothing is left to be sent now, or for so long; return how many deliveries that were."""
        if not self._inline:
            self._listener.open()
        until = time.monotonic() + seconds
        looked_after = -1
        try:
            while not self._stopping and time.monotonic() < until:
                if self._turn():
                    continue
                if not all(lane.idle for lane in self._lanes.values()):
                    self._sleep(until)
                elif looked_after != self.delivered:
                    # What was delivered may have emitted more.
                    looked_after, self._look = self.delivered, True
                else:
                    break
        finally:
            self._close()
        return self.delivered

    def _turn(self) -> bool:
        """Do a bit of everything; return whether there was anything to do."""
        if time.monotonic() >= self._renew_at:
            self._renew()
        if time.monotonic() >= self._sweep_at:
            self._sweep()
        settled = self._settle()
        routed = self._route()
        fed = 0
        for lane in list(self._lanes.values()):
            if lane.hungry():
                fed += lane.feed(self._connection, self._desk)
                settled += self._settle()
        return bool(settled or routed or fed)

    def _sleep(self, until: float) -> None:
        now = time.monotonic()
        wake_at = min(until, self._renew_at, self._sweep_at, self._look_again_at)
        if self._listener.sleep(max(0.0, wake_at - now)):
            self._look = True
            self._stay_awake()
        elif (now := time.monotonic()) >= self._look_again_at:
            self._look = True
            self._look_again_at = now + LOOK_AGAIN_SECONDS if now < self._awake_until else float("inf")

    def _stay_awake(self) -> None:
        """Look again for a while: what comes right after another event does not ring."""
        now = time.monotonic()
        self._look_again_at, self._awake_until = now + LOOK_AGAIN_SECONDS, now + AWAKE_SECONDS

    def _renew(self) -> None:
        claimed = self._leases.renew()
        for lane in self._lanes.values():
            for part, taken_from_the_dead in claimed.items():
                lane.expect(part, 1)
                if taken_from_the_dead:
                    lane.suspect(part)
        for part in [part for part in self._leases.leaving if not self._under_way(part)]:
            self._leases.hand_back(part)
        # A relay without its share asks more often: the others make room within a third of the leases' time.
        wait = settings.LEASE_SECONDS / 3 if self._leases.settled else min(1.0, settings.LEASE_SECONDS / 3)
        self._renew_at = time.monotonic() + wait

    def _sweep(self) -> None:
        """Read the directory anew, and look everywhere for what nobody told of."""
        if self._directory is None or self._router is None:
            self._directory = Directory(self._connection.alias)
            self._router = Router(self._connection, self._directory.wanted_by)
        entries = {entry.subscriber_id: entry for entry in self._directory.entries()}
        for subscriber_id, entry in entries.items():
            if subscriber_id not in self._lanes:
                self._lanes[subscriber_id] = self._open_lane(entry)
            self._lanes[subscriber_id].sink = entry.sink
        for subscriber_id, lane in list(self._lanes.items()):
            lane.open = subscriber_id in entries and entries[subscriber_id].open
            if subscriber_id not in entries and lane.idle:
                lane.workers.close(wait=True)
                del self._lanes[subscriber_id]
            lane.sweep(self._leases.epochs)
        self._router.sweep()
        self._look = True
        self._sweep_at = time.monotonic() + settings.POLL_SECONDS

    def _open_lane(self, entry: Entry) -> Lane:
        workers: Workers = Inline() if self._inline else Threads(entry.name, entry.sink.concurrency)
        lane = Lane(entry.subscriber_id, entry.name, entry.sink, workers)
        for part in self._leases.taken_from_the_dead:
            lane.suspect(part)
        return lane

    def _route(self) -> int:
        if not self._look or not self._leases.epochs or self._router is None or self._far_ahead():
            return 0
        routes, self._look = self._router.route(self._leases.epochs, settings.ROUTE_BATCH)
        self._routed_lanes = []
        for subscriber_id, announced in groupby(sorted(routes), key=itemgetter(0)):
            if lane := self._lanes.get(subscriber_id):
                lane.announce(announced)
                self._routed_lanes.append(lane)
            else:
                self._sweep_at = 0.0  # An endpoint that is newer than the last sweep.
        if routes:
            self._routed_at = time.monotonic()
            self._stay_awake()
        return len(routes) or self._look

    def _far_ahead(self) -> bool:
        """Whether all that was routed last still waits: what is routed should be delivered while it is warm.

        Not for long, since the next batch may be for somebody who is quicker.
        """
        unread = min((lane.announced for lane in self._routed_lanes), default=0)
        return unread > settings.DELIVERY_BATCH and time.monotonic() - self._routed_at < AHEAD_SECONDS

    def _settle(self) -> int:
        """Write down what the workers reported, all that there is of a lane at once."""
        taken = len(self._reports)
        by_lane: dict[int, list[Report]] = {}
        for report in islice(self._reports, taken):
            by_lane.setdefault(report.subscriber_id, []).append(report)
        for subscriber_id, reports in by_lane.items():
            report = Report.merged(reports)
            self._lanes[subscriber_id].settle(self._connection, report)
            self.delivered += len(report.done) + len(report.finished)
        # Not before: what the database did not take is written down again when it is back.
        for _report in range(taken):
            self._reports.popleft()
        return taken

    def _hand_in(self, report: Report) -> None:
        self._reports.append(report)
        if not self._inline:
            self._listener.interrupt()

    def _under_way(self, part: int) -> bool:
        return any(lane.under_way(part) for lane in self._lanes.values())

    def _close(self) -> None:
        """Wait for what has begun, then give the leases back; those of what does not end run out by themselves."""
        self._stopping = True
        until = time.monotonic() + settings.STOP_SECONDS
        try:
            while True:
                self._settle()
                left = until - time.monotonic()
                if left <= 0 or all(lane.idle for lane in self._lanes.values()):
                    break
                self._listener.sleep(left)
            self._leases.close(keep=[part for part in self._leases.epochs if self._under_way(part)])
        except Error:
            logger.exception("The relay could not give its leases back: they end within %g s.", settings.LEASE_SECONDS)
        for lane in self._lanes.values():
            lane.workers.close(wait=lane.idle)
        if self._directory is not None:
            self._directory.close()
        self._listener.close()

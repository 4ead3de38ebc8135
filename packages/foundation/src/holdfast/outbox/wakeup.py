"""Waking the relay after a commit: one NOTIFY in its own tiny transaction, and only where the relay may be asleep.

Inside the business transaction a NOTIFY would take the instance-wide notify lock through the commit (17 to 24 % of the
throughput at 8 writers), and outside it is a round trip of its own. That one is prepared, and its commit does not wait
for the disk: nobody needs the bell that was rung before a crash. A relay that found something stays awake for a while,
so a process whose events come quicker than that rings for the first of them only, and now and then for a relay that
leases other partitions and had nothing to look for. SQLite has no NOTIFY: there the relay watches the file's data
version.
"""

import selectors
import socket
import time
from contextlib import suppress
from typing import Any

from django.db import Error, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.encoding import force_str

from holdfast.prepared import Statement

CHANNEL = "holdfast_outbox"
# A relay that found something looks again and again, until it has found nothing for so long.
LOOK_AGAIN_SECONDS = 0.015
AWAKE_SECONDS = 0.045
# An event that comes so soon after the last one does not ring, and in a process whose events usually do, neither does
# one that comes within the longer time: the relay is awake. (Eight busy processes on two cores have many such pauses,
# and a bell costs a third of a transfer.)
DEBOUNCE_SECONDS = 0.010
PAUSE_SECONDS = 0.030
# How long a process that publishes without a pause leaves the bell alone.
RING_AGAIN_SECONDS = 0.100
SQLITE_POLL_SECONDS = 0.020

_NOTIFY = Statement(f"SELECT set_config('synchronous_commit', 'off', true), pg_notify('{CHANNEL}', '')", read=force_str)


class Doorbell:
    """Rings the relays of one database."""

    def __init__(self, using: str) -> None:
        self.using = using
        self._published_at = self._rung_at = float("-inf")
        self._usual_pause = PAUSE_SECONDS
        # Django names a robust callback by it when the callback fails.
        self.__qualname__ = type(self).__qualname__

    def __call__(self) -> None:
        """Ring, unless the relays are awake already; an event was just committed."""
        if self.is_due():
            self.ring()

    def ring(self) -> None:
        """Ring."""
        _NOTIFY.row(connections[self.using], ())

    def is_due(self) -> bool:
        """Tell whether the event that was just committed has to wake the relays; who asks has to ring then.

        Two threads that ask at the same moment may both ring, which harms nobody.
        """
        now = time.monotonic()
        pause = now - self._published_at
        self._published_at = now
        self._usual_pause += (min(pause, PAUSE_SECONDS) - self._usual_pause) / 8
        due = (
            pause >= PAUSE_SECONDS
            or min(pause, self._usual_pause) >= DEBOUNCE_SECONDS
            or now - self._rung_at >= RING_AGAIN_SECONDS
        )
        if due:
            self._rung_at = now
        return due


_doorbells: dict[str, Doorbell] = {}


def after_commit_wakeup(using: str) -> None:
    """Wake the relays of a database once the current transaction has committed; at once where there is none."""
    connection = connections[using]
    if connection.vendor != "postgresql":
        return
    doorbell = _doorbells.get(using) or _doorbells.setdefault(using, Doorbell(using))
    if not connection.in_atomic_block:
        # At once, and mostly not at all: without Django's way to it, which costs more than the question.
        if doorbell.is_due():
            transaction.on_commit(doorbell.ring, using=using, robust=True)
        return
    # The next of many events of one transaction finds the bell already hung. If a savepoint takes an earlier one down,
    # it was entered inside that savepoint, and then so was this one.
    if connection.run_on_commit and connection.run_on_commit[-1][1] is doorbell:
        return
    transaction.on_commit(doorbell, using=using, robust=True)


class Listener:
    """Where a relay sleeps: until a publisher rings, one of its own threads interrupts it, or the time is over."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection
        self._pipe: tuple[socket.socket, socket.socket] | None = None
        self._listening: Any = None
        self._rung = False
        self._version: int | None = None

    def open(self) -> None:
        """Make the pipe through which threads end the sleep."""
        self._pipe = socket.socketpair()
        reader, writer = self._pipe
        reader.settimeout(0)
        writer.settimeout(0)

    def interrupt(self) -> None:
        """End the sleep; may be called from any thread and from a signal handler."""
        if self._pipe is not None:
            with suppress(OSError):  # A full pipe wakes the reader too; a closed one has nobody to wake.
                self._pipe[1].send(b"\0")

    def listen(self) -> None:
        """Subscribe to the bell, once for each connection: after a loss of it there is a new one."""
        self.connection.ensure_connection()
        if self.connection.vendor == "postgresql" and self._listening is not self.connection.connection:
            with self.connection.cursor() as cursor:
                cursor.execute(f"LISTEN {CHANNEL}")
            self._listening = self.connection.connection
            self._listening.add_notify_handler(self._ring)

    def sleep(self, seconds: float) -> bool:
        """Sleep at most so long; return whether there may be new events."""
        assert self._pipe is not None, "open() comes first"  # noqa: S101 - for the type checker; no input reaches it
        reader = self._pipe[0]
        wait = self._sleep_on_socket if self.connection.vendor == "postgresql" else self._sleep_on_file
        rung = wait(reader, seconds)
        with suppress(BlockingIOError):
            while reader.recv(4096):
                pass
        return rung

    def _sleep_on_socket(self, reader: socket.socket, seconds: float) -> bool:
        # One that arrived while a statement was running was handed to the handler.
        rung, self._rung = self._rung, False
        if rung:
            return True
        bell = self.connection.connection
        if bell.fileno() in _readable(seconds, bell.fileno(), reader.fileno()):
            # libpq's own words: the generator of psycopg waits in its own way, and costs more than a statement.
            with self.connection.wrap_database_errors:
                bell.pgconn.consume_input()
            while bell.pgconn.notifies():
                rung = True
        return rung

    def _ring(self, _notify: object) -> None:
        self._rung = True

    def _sleep_on_file(self, reader: socket.socket, seconds: float) -> bool:
        """Watch SQLite's data version, which moves when another connection commits."""
        end = time.monotonic() + seconds
        while not self._moved():
            left = end - time.monotonic()
            if left <= 0:
                return False
            if _readable(min(left, SQLITE_POLL_SECONDS), reader.fileno()):
                return False
        return True

    def _moved(self) -> bool:
        with self.connection.cursor() as cursor:
            cursor.execute("PRAGMA data_version")
            before, self._version = self._version, cursor.fetchone()[0]
        return before is not None and before != self._version

    def close(self) -> None:
        """Stop listening."""
        if self._listening is not None and self._listening is self.connection.connection:
            self._listening.remove_notify_handler(self._ring)
            with suppress(Error), self.connection.cursor() as cursor:
                cursor.execute(f"UNLISTEN {CHANNEL}")
        for end in self._pipe or ():
            end.close()
        self._pipe = None


def _readable(seconds: float, *descriptors: int) -> set[int]:
    """Wait until one of these can be read; not by ``select``, which takes no descriptor above 1023."""
    with selectors.DefaultSelector() as selector:
        for descriptor in descriptors:
            selector.register(descriptor, selectors.EVENT_READ)
        return {key.fd for key, _events in selector.select(seconds)}

"""What is committed, as it comes, for those who only look on: a page that is to show what happens.

One thread of each process follows the outbox and hands every event to all who follow, so that many open pages cost one
connection and one look. It starts with the first follower and ends with the last.

This is looking on, not being told: what is committed while a page is away and many others are, it misses. Who must not
miss anything subscribes.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable
from functools import cache
from typing import Any

from django.db import Error, OperationalError, connections

from holdfast.events import Envelope
from holdfast.outbox.conf import settings
from holdfast.outbox.models import OutboxEvent
from holdfast.outbox.subscriptions import matches
from holdfast.outbox.wakeup import AWAKE_SECONDS, Listener

# How far back each look goes: an event may commit after others with higher ids.
WINDOW = 500
START_SECONDS = 10

logger = logging.getLogger("holdfast.outbox")


class Follower:
    """Somebody who looks on at events of some types. ``wake`` is called, in the feed's thread, when there is more."""

    def __init__(self, patterns: Collection[str], *, owner: object = None) -> None:
        self.owner = owner
        self.wake: Callable[[], object] = lambda: None
        self.ended = False
        self._patterns = patterns
        # Who reads too slowly loses the oldest.
        self._waiting: deque[Envelope[Any]] = deque(maxlen=WINDOW)

    def offer(self, envelopes: Iterable[Envelope[Any]]) -> None:
        """Take what is of interest."""
        self._waiting.extend(one for one in envelopes if matches(one.type, self._patterns))
        self.wake()

    def end(self) -> None:
        """There will be no more."""
        self.ended = True
        self.wake()

    def take(self) -> list[Envelope[Any]]:
        """Return what has come since the last time."""
        return [self._waiting.popleft() for _one in range(len(self._waiting))]


class Feed:
    """The events of one database, for the followers of this process."""

    def __init__(self, using: str) -> None:
        self._using = using
        self._lock = threading.Lock()
        self._followers: set[Follower] = set()
        # Of the thread, while there is one.
        self._listener: Listener | None = None
        self._seen: set[int] = set()
        # What is below has left the window; should a purge bring it back, it is not new.
        self._floor = 0

    def follow(self, follower: Follower, *, after: int | None = None, limit: int, limit_each: int) -> bool:
        """Take a follower in, unless there are ``limit`` already, or ``limit_each`` of the same owner; say whether.

        ``after`` is the position of the last event that it has seen: it begins with what came later, as far as that is
        among the newest of all. Raises ``OperationalError`` if the database does not answer.
        """
        with self._lock:
            theirs = sum(one.owner == follower.owner for one in self._followers)
            if len(self._followers) >= limit or theirs >= limit_each:
                return False
            if self._listener is None:
                self._start()
            if after is not None:
                # What the thread has seen it does not offer again, and it sees nothing while we hold the lock.
                follower.offer(_read(self._using, [number for number in self._seen if number > after]))
            self._followers.add(follower)
        return True

    def leave(self, follower: Follower) -> None:
        """Follow no longer."""
        with self._lock:
            self._followers.discard(follower)
            if not self._followers and self._listener is not None:
                self._listener.interrupt()

    def _start(self) -> None:
        started = threading.Event()
        threading.Thread(target=self._run, args=[started], name="holdfast feed", daemon=True).start()
        started.wait(START_SECONDS)
        if self._listener is None:
            raise OperationalError("The feed of events could not be started.")

    def _run(self, started: threading.Event) -> None:
        listener = Listener(connections[self._using])
        listener.open()
        try:
            listener.listen()
            self._seen, self._floor = set(_newest(self._using)), 0
            self._listener = listener
            started.set()
            while (seconds := self._look()) is not None:
                listener.sleep(seconds)
        except Error:
            logger.exception("The feed of events ends: its followers have to come again.")
            started.set()
            with self._lock:
                if self._listener is listener:
                    self._end()
        finally:
            listener.close()
            connections[self._using].close()

    def _look(self) -> float | None:
        """Offer what is new; return how long to sleep, or ``None`` when nobody looks on any more."""
        with self._lock:
            if not self._followers:
                self._end()
                return None
            newest = _newest(self._using)
            fresh = [number for number in newest if number not in self._seen and number > self._floor]
            self._seen = set(newest)
            if len(newest) == WINDOW:
                self._floor = max(self._floor, newest[-1])
            envelopes = _read(self._using, fresh)
            for follower in self._followers if envelopes else ():
                follower.offer(envelopes)
            # The bell is not rung for an event that comes right after another: who found one looks again.
            return AWAKE_SECONDS if fresh else settings.POLL_SECONDS

    def _end(self) -> None:
        self._listener = None
        for follower in self._followers:
            follower.end()
        self._followers.clear()


def _newest(using: str) -> list[int]:
    return list(OutboxEvent.objects.using(using).order_by("-id").values_list("id", flat=True)[:WINDOW])


def _read(using: str, numbers: Collection[int]) -> list[Envelope[Any]]:
    events = OutboxEvent.objects.using(using).filter(id__in=numbers).order_by("id") if numbers else ()
    return [
        Envelope(
            id=event.uid,
            sequence=event.id,
            type=event.type,
            key=event.key,
            payload=event.payload,
            headers=event.headers,
            occurred_at=event.occurred_at,
        )
        for event in events
    ]


@cache
def feed(using: str) -> Feed:
    """Return the feed of a database, one for each process."""
    return Feed(using)

"""The threads in which sinks run, apart from the thread that talks to the queue."""

import logging
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Protocol

from django.db import connections

IDLE_SECONDS = 30.0
CLOSE_SECONDS = 5.0

logger = logging.getLogger("holdfast.outbox")

Job = Callable[[], None]


class Workers(Protocol):
    """Where jobs are done."""

    def submit(self, job: Job) -> None:
        """Do a job, now or soon."""

    def close(self, *, wait: bool) -> None:
        """Take no more jobs."""


class Threads:
    """Up to ``size`` threads, started when there is work, gone with their connections when there is none for long.

    One set for each subscriber: who is slow or hangs holds up nobody else. They are daemons, so that a handler that
    never returns cannot keep the process from ending.
    """

    def __init__(self, name: str, size: int) -> None:
        self.name = name
        self.size = size
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._alive: set[threading.Thread] = set()
        # Submitted and not yet done: each of them has a thread, as long as there are threads.
        self._open = 0

    def submit(self, job: Job) -> None:
        """Do a job in the next free thread."""
        with self._lock:
            self._open += 1
            self._jobs.put(job)
            if len(self._alive) < min(self.size, self._open):
                thread = threading.Thread(target=self._work, name=self.name, daemon=True)
                self._alive.add(thread)
                thread.start()

    def close(self, *, wait: bool) -> None:
        """Let each thread end after what it is doing; wait for that where it does nothing any more."""
        with self._lock:
            alive = list(self._alive)
            for _thread in alive:
                self._jobs.put(None)
        for thread in alive:
            thread.join(CLOSE_SECONDS if wait else 0)

    def _work(self) -> None:
        try:
            while (job := self._next()) is not None:
                self._do(job)
        finally:
            connections.close_all()

    def _do(self, job: Job) -> None:
        try:
            job()
        except BaseException:
            # Its database went away, for one. The thread stays, or it would be counted although it is gone; what was
            # begun is read and sent again.
            logger.exception("A worker of %s failed.", self.name)
            connections.close_all()
        finally:
            with self._lock:
                self._open -= 1

    def _next(self) -> Job | None:
        """Return the next job, or ``None``: nothing came for a while, or nothing will come any more."""
        try:
            return self._jobs.get(timeout=IDLE_SECONDS)
        except Empty:
            pass
        with self._lock:
            if not self._jobs.empty():
                return self._jobs.get()  # It came after the time-out and counts on this thread.
            self._alive.discard(threading.current_thread())
            return None


class Inline:
    """Does each job at once, in the caller's thread and on its connection: for tests."""

    def submit(self, job: Job) -> None:
        """Do a job now."""
        job()

    def close(self, *, wait: bool) -> None:
        """Nothing is left to do."""

"""The threads in which sinks run, apart from the thread that talks to the queue."""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Protocol

from django.db import connections

IDLE_SECONDS = 30.0

Job = Callable[[], None]


class Workers(Protocol):
    """Where jobs are done."""

    def submit(self, job: Job) -> None:
        """Do a job, now or soon."""

    def close(self) -> None:
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
        self._alive = 0
        self._busy = 0

    def submit(self, job: Job) -> None:
        """Do a job in the next free thread."""
        with self._lock:
            self._jobs.put(job)
            if self._alive < self.size and self._jobs.qsize() > self._alive - self._busy:
                self._alive += 1
                threading.Thread(target=self._work, name=self.name, daemon=True).start()

    def close(self) -> None:
        """Let each thread end after what it is doing."""
        with self._lock:
            for _thread in range(self._alive):
                self._jobs.put(None)

    def _work(self) -> None:
        try:
            while (job := self._next()) is not None:
                job()
                with self._lock:
                    self._busy -= 1
        finally:
            connections.close_all()

    def _next(self) -> Job | None:
        try:
            job = self._jobs.get(timeout=IDLE_SECONDS)
        except Empty:
            job = None
        with self._lock:
            # A job that came between the time-out and the lock counted on this thread.
            if job is None and not self._jobs.empty():
                job = self._jobs.get()
            if job is None:
                self._alive -= 1
            else:
                self._busy += 1
            return job


class Inline:
    """Does each job at once, in the caller's thread and on its connection: for tests and bounded ticks."""

    def submit(self, job: Job) -> None:
        """Do a job now."""
        job()

    def close(self) -> None:
        """Nothing is left to do."""

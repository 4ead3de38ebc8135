"""One system on stage: its database, its publishers, its relays, its tally."""

import contextlib
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.clients import Clients
from benchmarks.servers import Postgres
from benchmarks.tally import Tally

OURS = "holdfast outbox"
PATTERN = "django-outbox-pattern"
CELERY = "Celery + Redis"
MODULES = {OURS: "holdfast", PATTERN: "outbox_pattern", CELERY: "celery_redis"}

PATIENCE = 20  # longer than a lease, after which another relay takes over


class Stage:
    """A system with ``publishers`` publishing processes and ``relays`` relays, which ``start`` starts."""

    def __init__(self, name: str, options: dict[str, Any], *, publishers: int, relays: int) -> None:
        self.name = name
        self.relays = relays
        self.tally = Tally(options["tally"])
        self._module = f"benchmarks.outbox.{MODULES[name]}"
        self._options = options
        self._stack = contextlib.ExitStack()
        self.publishers = self._clients(publishers)
        self._relays: list[Clients] = []
        self.publishers.one("prepare")
        self.publishers.call("connect", clients=publishers)

    def start(self) -> None:
        """Start the relays, and wait until they can work."""
        # One Celery worker holds all its processes.
        count = 1 if self.name == CELERY else self.relays
        self._relays = [self._clients(1) for _ in range(count)]
        if self._passes_on_demand():
            for relay in self._relays:
                relay.one("connect")
        else:
            self.serve()
        self.publishers.one("analyze")

    def serve(self) -> None:
        """Let the relays run for good, and wait until an event comes through each of them."""
        for relay in self._relays:
            relay.tell("relay")
        deadline = time.monotonic() + PATIENCE
        while not self.publishers.one("hears"):
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.name}: the relay does not start.")
        self.drain(self.relays * 64, keys=self.relays * 64, on_demand=False)

    def drain(self, count: int, *, keys: int, on_demand: bool = True) -> float:
        """Fill a backlog, release it, and return how many events were handled in a second."""
        self.fill(count, keys=keys)
        return self.empty(count, on_demand=on_demand)

    def fill(self, count: int, *, keys: int) -> None:
        """Make a backlog that nobody handles yet."""
        self.publishers.one("reset")
        self.tally.reset()
        self.publishers.one("fill", count=count, keys=keys)

    def empty(self, count: int, *, on_demand: bool = True) -> float:
        """Release the backlog, and return how many events were handled in a second."""
        began = self.release(on_demand=on_demand)
        if not self.tally.wait(count, patience=PATIENCE):
            raise RuntimeError(f"{self.name}: {self.tally.missing(count)} of {count} events did not come.")
        rate = count / (self.tally.last(count) - began)
        if on_demand and self._passes_on_demand():
            for relay in self._relays:
                relay.hear()
        return rate

    def release(self, *, on_demand: bool = True) -> float:
        """Let the backlog be handled from now on; return the moment."""
        began = float(self.publishers.one("release"))
        if on_demand and self._passes_on_demand():
            for relay in self._relays:
                relay.tell("drain")
        return began

    def kill_relays(self) -> None:
        """SIGKILL the relays."""
        for relay in self._relays:
            relay.kill()

    def resume(self) -> None:
        """Start new relays in place of those that were killed, on what is left."""
        self._relays = [self._clients(1) for _ in self._relays]
        for relay in self._relays:
            relay.tell("relay")

    def close(self) -> None:
        self._stack.close()

    def _clients(self, count: int) -> Clients:
        return self._stack.enter_context(Clients(self._module, count, **self._options))

    def _passes_on_demand(self) -> bool:
        # Its relay sleeps for a second between passes; a drain is measured from the begin of a pass.
        return self.name == PATTERN


class Stages:
    """Makes stages, each with a database of its own on the same server, and removes them."""

    def __init__(self, postgres: Postgres, redis: str) -> None:
        self._postgres, self._redis = postgres, redis
        self._made = 0

    @contextlib.contextmanager
    def of(self, name: str, *, publishers: int = 1, relays: int = 0, running: bool = False) -> Iterator[Stage]:
        """Make a stage; its relays are started when there are any, for good when they shall be ``running``."""
        self._made += 1
        database = f"benchmarks_outbox_{self._made}"
        with tempfile.TemporaryDirectory(prefix="benchmarks-tally-") as folder:
            options: dict[str, Any] = {
                "url": self._postgres.database(database),
                "tally": str(Path(folder) / "tally"),
                "redis": self._redis,
            }
            if name == CELERY:
                options |= {"queue": f"benchmarks-{time.time_ns()}", "concurrency": max(relays, 1)}
            stage = Stage(name, options, publishers=publishers, relays=relays)
            try:
                if relays:
                    stage.start()
                if running and name == PATTERN:
                    stage.serve()
                yield stage
            finally:
                stage.close()
                self._postgres.drop(database)

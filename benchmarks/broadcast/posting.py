"""What the broadcast costs a request: ``POST /api/defects`` while the counter server is up, down, or hangs.

One site, as the demo runs it, with its relay. One client on a kept connection. The turns rotate as in every benchmark
here (``duel``): what a turn is worth is the median of its requests, in milliseconds.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from benchmarks.broadcast.client import Api
from benchmarks.broadcast.processes import CounterProcess, Site, database, running
from benchmarks.duel import Arm, Duel
from benchmarks.machine import Watch

CELL = "POST /api/defects"
UP, DOWN, HANGING = "up", "down: refuses connections", "hangs: takes events and says nothing"
STATES = (UP, DOWN, HANGING)
HANG_SECONDS = 60


@dataclass
class Posting:
    """What was measured."""

    duel: Duel
    requests: int
    statements: int
    statements_for_the_event: int
    slow: dict[str, list[float]]


class Client:
    """Posts defects, and puts the counter server into the state that a turn is about."""

    def __init__(self, api: Api, person: dict[str, object], counter: CounterProcess, requests: int) -> None:
        self.api, self.person, self.counter, self.requests = api, person, counter, requests
        self.up = True
        self.slow: dict[str, list[float]] = {state: [] for state in STATES}

    def arm(self, state: str) -> Arm:
        """Return the arm of one state."""
        return Arm(state, lambda _seconds: self.post(state), ready=lambda: self.set(state))

    def set(self, state: str) -> None:
        """Bring the counter server into a state, whatever it was in."""
        if state == DOWN:
            self.counter.kill()
            self.up = False
            return
        if not self.up:
            self.counter.start()
            self.up = True
        self.counter.fail("hang" if state == HANGING else "", HANG_SECONDS)

    def post(self, state: str) -> float:
        """Post so many defects; return the median of their milliseconds."""
        taken = []
        for number in range(self.requests):
            began = perf_counter()
            self.api.create(self.person, f"Defect {number}")
            taken.append((perf_counter() - began) * 1000)
        self.slow[state].append(sorted(taken)[int(len(taken) * 0.95)])
        return statistics.median(taken)


def measure(server_url: str, watch: Watch, *, cycles: int, requests: int, say: Callable[[str], None]) -> Posting:
    """Measure in rotation, on a PostgreSQL server, in a database of its own."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="posting-")))
        url = stack.enter_context(database(server_url))
        site = Site(url, CounterProcess(folder / "counters.sqlite3"), folder)
        site.manage("migrate", "--verbosity", "0")
        person = json.loads(site.python("-m", "benchmarks.broadcast.client", "people", "1"))[0]
        counted = json.loads(site.python("-m", "benchmarks.broadcast.statements", str(person["id"])))
        stack.enter_context(running(site.counter, site.relay(), site.web(workers=1)))
        site.wait()
        client = Client(Api(site.port), person, site.counter, requests)
        duel = Duel(watch, {CELL: [client.arm(state) for state in STATES]})
        duel.run(cycles=cycles, seconds=0, say=say)
        client.set(UP)
    return Posting(duel, requests, counted["all"], counted["event"], client.slow)

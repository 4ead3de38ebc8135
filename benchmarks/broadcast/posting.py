"""What the broadcast costs a request: ``POST /api/defects`` while the counter server is up, down, or hangs.

One site, as the demo runs it, with its relay. One client on a kept connection. The turns rotate: up, down, hanging;
each is the median of its requests. What is reported is the median over the cycles of the ratio of turns that were
seconds apart.
"""

from __future__ import annotations

import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.broadcast.client import Api
from benchmarks.broadcast.processes import CounterProcess, Site, database, running
from benchmarks.duel import Spread

UP, DOWN, HANGING = "up", "down: refuses connections", "hangs: takes events and says nothing"
TURNS = (UP, DOWN, HANGING)
WARM_UP_REQUESTS = 50


@dataclass
class Posting:
    """The medians of the turns, in milliseconds, and how many statements a creation took."""

    turns: dict[str, list[float]] = field(default_factory=lambda: {turn: [] for turn in TURNS})
    percentiles: dict[str, list[float]] = field(default_factory=lambda: {turn: [] for turn in TURNS})
    statements: int = 0
    statements_for_the_event: int = 0

    def ratio(self, turn: str) -> Spread | None:
        """Return how many times as long a request took as with the counter server up, cycle by cycle."""
        pairs = zip(self.turns[turn], self.turns[UP], strict=True)
        return Spread.of(mine / up for mine, up in pairs)


def measure(server_url: str, *, cycles: int, requests: int, say: Callable[[str], None]) -> Posting:
    """Measure in rotation, on a PostgreSQL server, in a database of its own."""
    posting = Posting()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="posting-")))
        site = Site(stack.enter_context(database(server_url)), CounterProcess(folder / "counters.sqlite3"), folder)
        site.manage("migrate", "--verbosity", "0")
        person = json.loads(site.python("-m", "benchmarks.broadcast.client", "people", "1"))[0]
        counted = json.loads(site.python("-m", "benchmarks.broadcast.statements", str(person["id"])))
        posting.statements, posting.statements_for_the_event = counted["all"], counted["event"]
        stack.enter_context(running(site.counter, site.relay(), site.web(workers=1)))
        site.wait()
        api = Api(site.port)
        _post(api, person, WARM_UP_REQUESTS)
        for cycle in range(cycles):
            for turn in random.sample(TURNS, len(TURNS)):
                _set(site.counter, turn)
                taken = _post(api, person, requests)
                posting.turns[turn].append(statistics.median(taken))
                posting.percentiles[turn].append(sorted(taken)[int(len(taken) * 0.95)])
                say(f"cycle {cycle + 1}/{cycles}: {turn}: {statistics.median(taken):.2f} ms")
                _heal(site.counter, turn)
    return posting


def _set(counter: CounterProcess, turn: str) -> None:
    if turn == DOWN:
        counter.kill()
    elif turn == HANGING:
        counter.fail("hang", 60)


def _heal(counter: CounterProcess, turn: str) -> None:
    if turn == DOWN:
        counter.start()
    elif turn == HANGING:
        counter.fail("", 0)
    time.sleep(0.5)


def _post(api: Api, person: dict[str, object], requests: int) -> list[float]:
    taken = []
    for number in range(requests):
        began = time.perf_counter()
        api.create(person, f"Defect {number}")
        taken.append((time.perf_counter() - began) * 1000)
    return taken

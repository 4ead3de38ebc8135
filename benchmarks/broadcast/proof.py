"""The proof: whatever is killed meanwhile, the counter server ends with the history of the database.

::

    nox -s proof                                          10,000 defects, 8 clients, 10 SIGKILLs of the relay
    python -m benchmarks.broadcast.proof --defects 1000   on the server that DATABASE_URL names

Clients create and delete defects, most of them through the HTTP API, some through the verbs. Meanwhile the relay is
killed and started again, and the counter server is killed, hangs, answers 500, listens to nobody, and counts without
answering. When all is quiet, three accounts are compared for every user: what the clients were told to have happened,
what the events table says, and what the counter server has counted.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from benchmarks.broadcast.processes import PROJECT, ROOT, CounterProcess, Site, database, running

ACTION_OF = {"holdfast_defects.defect_reported.v1": "create", "holdfast_defects.defect_deleted.v1": "delete"}
DOWN_SECONDS = 2.0
QUIET_SECONDS = 600.0
PEOPLE_PER_CLIENT = 5

Account = Counter[tuple[str, str]]
"""How often (user, action) happened."""


@dataclass(frozen=True)
class Plan:
    """What is done, and what is done to it meanwhile."""

    defects: int = 10_000
    clients: int = 8
    by_verbs: int = 2
    relay_kills: int = 10
    faults: Sequence[str] = ("error", "kill", "hang", "forget", "refuse") * 2
    fault_seconds: float = 3.0

    def disturbances(self) -> list[tuple[float, str]]:
        """Return the disturbances, each with the share of the work after which it happens; a relay's end is last."""
        names: list[str] = []
        faults, kills = list(self.faults), ["relay"] * self.relay_kills
        while faults or kills:
            names += faults[:1] + kills[:1]
            faults, kills = faults[1:], kills[1:]
        return [((place + 0.5) / len(names), name) for place, name in enumerate(names)]


@dataclass
class Finding:
    """What came of it."""

    plan: Plan
    acknowledged: Account = field(default_factory=Counter)
    history: Account = field(default_factory=Counter)
    counted: Account = field(default_factory=Counter)
    deliveries: int = 0
    told_again: int = 0
    foreign_ids: int = 0
    untold_ids: int = 0
    out_of_order: int = 0
    dead: int = 0
    failed_attempts: int = 0
    milliseconds: list[float] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    work_seconds: float = 0.0
    quiet_seconds: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether the three accounts are one, and every event was told, first things first."""
        same = self.acknowledged == self.history == self.counted
        return same and not (self.foreign_ids or self.untold_ids or self.out_of_order or self.dead)

    @property
    def users(self) -> set[str]:
        """Who took part."""
        return {user for user, _action in self.acknowledged | self.history | self.counted}

    def different_users(self) -> list[str]:
        """Return the users whose accounts differ."""
        accounts = (self.acknowledged, self.history, self.counted)
        return sorted(
            user
            for user in self.users
            if any(len({account[user, action] for account in accounts}) > 1 for action in ("create", "delete"))
        )

    def rows(self) -> list[tuple[str, str]]:
        """Return the table."""
        quick = sorted(self.milliseconds)
        cuts = "  ".join(f"{share:g} % in {quick[int(len(quick) * share / 100)]:.0f} ms" for share in (50, 99))
        total = {
            action: sum(count for (_, act), count in self.counted.items() if act == action)
            for action in ("create", "delete")
        }
        api = self.plan.clients - self.plan.by_verbs
        return [
            ("defects created, then deleted", f"{self.plan.defects:,}"),
            (
                "clients",
                f"{self.plan.clients} processes: {api} through the API, {self.plan.by_verbs} through the verbs",
            ),
            ("the relay was killed by SIGKILL", f"{self.done['relay']} times"),
            ("the counter server was killed and came back", f"{self.done['kill']} times"),
            ("it answered 500", f"{self.done['error']} times for {self.plan.fault_seconds:g} s"),
            ("it took events and said nothing", f"{self.done['hang']} times for {self.plan.fault_seconds:g} s"),
            (
                "it counted, and cut the connection before its answer",
                f"{self.done['forget']} times for {self.plan.fault_seconds:g} s",
            ),
            ("it listened to nobody", f"{self.done['refuse']} times for {self.plan.fault_seconds:g} s"),
            ("requests and verbs meanwhile that failed", "0"),
            ("requests and verbs meanwhile", cuts),
            ("the work took", f"{self.work_seconds:.0f} s, and it was quiet {self.quiet_seconds:.0f} s later"),
            ("acknowledged to the clients", f"{self.acknowledged.total():,}"),
            ("events in the database", f"{self.history.total():,}"),
            ("counted by the counter server", f"{total['create']:,} created + {total['delete']:,} deleted"),
            ("users whose three accounts differ", f"{len(self.different_users())} of {len(self.users)}"),
            ("events never told", f"{self.untold_ids}"),
            ("ids told that no event has", f"{self.foreign_ids}"),
            ("told again, under the same id, and not counted again", f"{self.told_again:,}"),
            ("deletions told before their creation", f"{self.out_of_order}"),
            ("attempts that failed and were repeated", f"{self.failed_attempts:,}"),
            ("given up", f"{self.dead}"),
        ]

    def text(self) -> str:
        """Return the table for the terminal."""
        width = max(len(name) for name, _value in self.rows())
        verdict = "It holds." if self.holds else f"IT DOES NOT HOLD: {self.different_users()}"
        return "\n".join([*(f"{name:<{width}}  {value}" for name, value in self.rows()), "", verdict])

    def markdown(self) -> str:
        """Return the table for the documents."""
        lines = ["<!-- Written by `nox -s proof -- --markdown FILE`; do not edit. -->", "| | |", "|---|---|"]
        return "\n".join([*lines, *(f"| {name} | {value} |" for name, value in self.rows())]) + "\n"


class Proof:
    """One run, on a database of its own."""

    def __init__(self, plan: Plan, site: Site, say: Callable[[str], None]) -> None:
        self.plan = plan
        self.site = site
        self.say = say
        self.counter = site.counter
        self.relay = site.relay()
        self.finding = Finding(plan)

    def run(self) -> Finding:
        """Do all of it."""
        self.say("preparing the database")
        self.site.manage("migrate", "--verbosity", "0")
        people = json.loads(
            self.site.python("-m", "benchmarks.broadcast.client", "people", str(self.plan.clients * PEOPLE_PER_CLIENT))
        )
        with running(self.counter, self.relay, self.site.web()):
            self.site.wait()
            self.say("working")
            began = time.monotonic()
            with self._clients(people) as clients:
                self._disturb(clients)
            worked = time.monotonic()
            self.say("waiting for quiet")
            self._wait_for_quiet()
            self.finding.work_seconds = worked - began
            self.finding.quiet_seconds = time.monotonic() - worked
            self._ask_the_counter()
        self._ask_the_database()
        self._ask_the_clients()
        return self.finding

    # The work

    @contextmanager
    def _clients(self, people: list[dict[str, object]]) -> Iterator[list[subprocess.Popen[bytes]]]:
        environment = {**os.environ, **self.site.environment}
        environment["PYTHONPATH"] = f"{ROOT}{os.pathsep}{PROJECT}"
        clients = []
        for number in range(self.plan.clients):
            options = {
                "door": "verbs" if number < self.plan.by_verbs else "api",
                "port": self.site.port,
                "people": people[number :: self.plan.clients],
                "defects": self.plan.defects // self.plan.clients + (number < self.plan.defects % self.plan.clients),
                "log": str(self._log(number)),
            }
            command = [sys.executable, "-m", "benchmarks.broadcast.client", "work", json.dumps(options)]
            clients.append(subprocess.Popen(command, cwd=PROJECT, env=environment))
        try:
            yield clients
            if any(client.wait() for client in clients):
                raise RuntimeError("A client was refused; see above.")
        finally:
            for client in clients:
                client.kill()
                client.wait()

    def _log(self, number: int) -> Path:
        return self.site.folder / f"acknowledged-{number}"

    def _acknowledged(self) -> int:
        logs = [self._log(number) for number in range(self.plan.clients)]
        return sum(log.read_bytes().count(b"\n") for log in logs if log.exists())

    def _disturb(self, clients: list[subprocess.Popen[bytes]]) -> None:
        whole = 2 * self.plan.defects
        for share, name in self.plan.disturbances():
            while (done := self._acknowledged()) < share * whole and any(client.poll() is None for client in clients):
                time.sleep(0.05)
            self.say(f"{done:,} of {whole:,}: {name}")
            self._happen(name)
            self.finding.done[name] += 1

    def _happen(self, name: str) -> None:
        if name == "relay":
            self.relay.kill()
            self.relay.start()
        elif name == "kill":
            self.counter.kill()
            time.sleep(DOWN_SECONDS)
            self.counter.start()
        else:
            self.counter.fail(name, self.plan.fault_seconds)
            time.sleep(self.plan.fault_seconds + 0.2)

    def _wait_for_quiet(self) -> None:
        deadline = time.monotonic() + QUIET_SECONDS
        waiting = """
            SELECT (SELECT count(*) FROM holdfast_outboxevent WHERE NOT routed)
                 + (SELECT count(*) FROM holdfast_outboxdelivery)"""
        with psycopg.connect(self.site.database_url, autocommit=True) as connection:
            while (left := (connection.execute(waiting).fetchone() or (0,))[0]) and time.monotonic() < deadline:
                if not self.relay.running:
                    raise RuntimeError(f"The relay ended by itself:\n{self.relay.log.read_text()[-2000:]}")
                time.sleep(0.2)
        if left:
            raise RuntimeError(f"{left} events wait after {QUIET_SECONDS:g} s:\n{self.relay.log.read_text()[-2000:]}")

    # The three accounts

    def _ask_the_clients(self) -> None:
        for number in range(self.plan.clients):
            for line in self._log(number).read_text().splitlines():
                user, action, milliseconds = line.split()
                self.finding.acknowledged[user, action] += 1
                self.finding.milliseconds.append(float(milliseconds))

    def _ask_the_counter(self) -> None:
        summary = self.counter.counters()
        for user, counts in summary["users"].items():
            for action, count in counts.items():
                self.finding.counted[user, action] += count
        self.finding.deliveries = summary["deliveries"]
        self.finding.told_again = summary["deliveries"] - summary["events"]

    def _ask_the_database(self) -> None:
        with psycopg.connect(self.site.database_url) as connection:
            events = connection.execute(
                "SELECT uid::text, key, type, payload->>'user_id' FROM holdfast_outboxevent WHERE type = ANY(%s)",
                [list(ACTION_OF)],
            ).fetchall()
            (self.finding.dead,) = connection.execute("SELECT count(*) FROM holdfast_outboxdeadletter").fetchone() or (
                0,
            )
            (self.finding.failed_attempts,) = connection.execute(
                "SELECT count(*) FROM holdfast_outboxattempt WHERE NOT succeeded"
            ).fetchone() or (0,)
        with sqlite3.connect(self.counter.data) as counters:
            told = dict(counters.execute("SELECT id, number FROM event").fetchall())
        places: dict[str, dict[str, int]] = {}
        for uid, key, event_type, user in events:
            action = ACTION_OF[event_type]
            self.finding.history[user, action] += 1
            places.setdefault(key, {})[action] = told.get(uid, 0)
        known = {uid for uid, *_rest in events}
        self.finding.untold_ids = len(known - told.keys())
        self.finding.foreign_ids = len(told.keys() - known)
        self.finding.out_of_order = sum(
            place["delete"] < place["create"] for place in places.values() if place.keys() >= {"create", "delete"}
        )


def prove(plan: Plan, server_url: str, say: Callable[[str], None] = lambda _what: None) -> Finding:
    """Run the plan on a PostgreSQL server, in a database of its own, and return what came of it."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="broadcast-")))
        url = stack.enter_context(database(server_url))
        return Proof(plan, Site(url, CounterProcess(folder / "counters.sqlite3"), folder), say).run()


def main() -> int:
    """Prove it, as the command line says."""
    # What was started ends with it, also when it is told to end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser(prog="python -m benchmarks.broadcast.proof", description="Nothing is lost.")
    parser.add_argument("--defects", type=int, default=Plan.defects)
    parser.add_argument("--clients", type=int, default=Plan.clients)
    parser.add_argument("--relay-kills", type=int, default=Plan.relay_kills)
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table there, for the documents")
    options = parser.parse_args()
    plan = Plan(defects=options.defects, clients=options.clients, relay_kills=options.relay_kills)
    began = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {what}", file=sys.stderr, flush=True)

    finding = prove(plan, os.environ["DATABASE_URL"], say)
    print(finding.text())
    if options.markdown:
        options.markdown.write_text(finding.markdown(), encoding="utf-8")
    return 0 if finding.holds else 1


if __name__ == "__main__":
    sys.exit(main())

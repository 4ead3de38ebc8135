"""The benchmark of cards: what the guarantees of an order cost over a bare call and two rows."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks import report
from benchmarks.clients import Clients
from benchmarks.duel import Arm, Duel, Spread
from benchmarks.machine import Watch
from benchmarks.report import Report, Table
from benchmarks.servers import Postgres

CELL = "one client, one order after the other"
BARE, VERB, API = "httpx call + 2 INSERTs", "holdfast services.request_card", "holdfast POST cards/"
STATEMENTS_MAX = 12


@dataclass(frozen=True)
class Options:
    """How long to measure."""

    cycles: int
    seconds: float


@dataclass(frozen=True)
class Systems:
    """Everybody, connected for the whole run."""

    sandbox: Clients
    bare: Clients
    holdfast: Clients


def run(postgres: Postgres, options: Options, result: Report, say: Callable[[str], None]) -> None:
    """Measure and report."""
    with _systems(postgres, say) as systems:

        def arm(name: str, clients: Clients, call: str) -> Arm:
            return Arm(
                name,
                lambda seconds: clients.rate(call, clients=1, seconds=seconds),
                ready=lambda: systems.sandbox.one("reset"),
            )

        arms = [
            arm(BARE, systems.bare, "issue"),
            arm(VERB, systems.holdfast, "verb"),
            arm(API, systems.holdfast, "post"),
        ]
        duel = Duel(Watch(postgres.pids()), {CELL: arms})
        duel.run(cycles=options.cycles, seconds=options.seconds, say=say)
        _report(duel, systems.holdfast.one("statements"), result)
        result.facts["cards ordered"] = f"{systems.bare.one('cards'):,} bare, {systems.holdfast.one('cards'):,} ours"


@contextlib.contextmanager
def _systems(postgres: Postgres, say: Callable[[str], None]) -> Iterator[Systems]:
    with contextlib.ExitStack() as stack:
        sandbox = stack.enter_context(Clients("benchmarks.cards.sandbox"))
        provider = sandbox.one("address")

        def connected(name: str) -> Clients:
            say(f"preparing {name}")
            url = postgres.database(f"benchmarks_cards_{name}")
            stack.callback(postgres.drop, f"benchmarks_cards_{name}")
            clients = stack.enter_context(Clients(f"benchmarks.cards.{name}", url=url, provider=provider))
            clients.one("prepare")
            return clients

        bare, holdfast = connected("bare"), connected("holdfast")
        holdfast.one("connect")
        yield Systems(sandbox, bare, holdfast)


def _report(duel: Duel, statements: dict[str, int], result: Report) -> None:
    sent = {BARE: "2", VERB: str(statements["verb"]), API: str(statements["post"])}
    # How many times as long it takes is how many times the rate the other one has.
    rows = [
        [
            name,
            _milliseconds(duel.value(CELL, name)),
            report.times(duel.ratio(CELL, BARE, name)),
            sent[name],
            report.processor_time(duel.processor_time(CELL, name)),
        ]
        for name in (BARE, VERB, API)
    ]
    result.tables.append(
        Table(
            "An order, against a provider that answers at once",
            ["way", "ms", "× bare", "statements", "processor time, µs: client and sandbox + database"],
            rows,
            "The provider is the shipped sandbox in a process of its own, speaking the bank's dialect on loopback; "
            "its part, 0.5 to 1 ms, is in every row. A real provider takes 200 to 2,000 ms. "
            "Statements are counted without BEGIN and COMMIT. "
            "The API is called through the whole of Django and REST framework but the socket, with an Idempotency-Key.",
        )
    )
    for name, key in ((VERB, "verb"), (API, "post")):
        result.bars.append(report.at_most(f"statements: {name}", statements[key], STATEMENTS_MAX))
    result.numbers["orders"] = duel.numbers()


def _milliseconds(rate: Spread | None) -> str:
    return report.ABSENT if rate is None else f"{1000 / rate.median:.2f}"

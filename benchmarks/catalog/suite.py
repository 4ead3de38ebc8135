"""What is measured of the counting, and the bars that it is held to."""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks import report
from benchmarks.clients import Clients
from benchmarks.duel import Arm, Duel, Spread
from benchmarks.machine import Watch
from benchmarks.report import Bar, Report, Table
from benchmarks.servers import Postgres

PARTS = ("hits", "latency", "listing", "exact")
PROCESSES = 8
ONE, MANY = "1 client, one hot product", f"{PROCESSES} clients, one hot product"
HITCOUNT, UPDATE = "django-hitcount hit_count", "one UPDATE ... + 1, plain cursor"
OURS, DURABLE = "holdfast record_views", "holdfast record_views, durable=True"
FEW, MANY_PRODUCTS = 1_000, 100_000
BLOCK = 50


@dataclass(frozen=True)
class Options:
    """How long to measure."""

    cycles: int
    seconds: float
    requests: int
    blocks: int
    parts: frozenset[str]


@dataclass(frozen=True)
class Systems:
    """Everybody, connected for the whole run."""

    hitcount: Clients
    update: Clients
    holdfast: Clients
    durable: Clients


def run(postgres: Postgres, watch: Watch, options: Options, result: Report, say: Callable[[str], None]) -> None:
    """Measure everything and write it into the report."""
    with _systems(postgres, say) as systems:
        if "hits" in options.parts:
            _hits(systems, watch, options, result, say)
        if "latency" in options.parts:
            _latency(systems, options, result, say)
        if "listing" in options.parts:
            _listing(postgres, options, result, say)
        if "exact" in options.parts:
            _exact(systems.holdfast, options, result, say)


@contextlib.contextmanager
def _systems(postgres: Postgres, say: Callable[[str], None]) -> Iterator[Systems]:
    with contextlib.ExitStack() as stack:

        def connected(name: str, module: str, count: int = PROCESSES, **more: object) -> Clients:
            say(f"preparing {name}")
            url = postgres.database(f"benchmarks_catalog_{name}")
            stack.callback(postgres.drop, f"benchmarks_catalog_{name}")
            clients = stack.enter_context(Clients(f"benchmarks.catalog.{module}", count, url=url, **more))
            clients.one("prepare")
            clients.call("connect", clients=count)
            return clients

        yield Systems(
            hitcount=connected("hitcount", "hitcount"),
            update=connected("update", "one_update"),
            # One more: it rolls up while the others count.
            holdfast=connected("holdfast", "holdfast", PROCESSES + 1),
            durable=connected("durable", "holdfast", durable=True),
        )


def _hits(systems: Systems, watch: Watch, options: Options, result: Report, say: Callable[[str], None]) -> None:
    def arms(count: int) -> list[Arm]:
        named = {HITCOUNT: systems.hitcount, UPDATE: systems.update, OURS: systems.holdfast, DURABLE: systems.durable}
        return [
            Arm(name, lambda seconds, clients=clients: clients.rate("hit", clients=count, seconds=seconds))
            for name, clients in named.items()
        ]

    duel = Duel(watch, {ONE: arms(1), MANY: arms(PROCESSES)})
    duel.run(cycles=options.cycles, seconds=options.seconds, say=say)
    for cell in (ONE, MANY):
        rows = [
            [
                name,
                report.rate(duel.value(cell, name)),
                report.times(duel.ratio(cell, name, HITCOUNT)),
                report.times(duel.ratio(cell, name, UPDATE)),
                report.processor_time(duel.processor_time(cell, name)),
            ]
            for name in (HITCOUNT, UPDATE, OURS, DURABLE)
        ]
        head = ["way", "hits a second", "× hitcount", "× UPDATE", "processor time, µs: client + database"]
        result.tables.append(Table(f"Hits: {cell}", head, rows))
    result.bars.append(report.at_least("hits, 8 clients: × django-hitcount", duel.ratio(MANY, OURS, HITCOUNT), 20))
    result.bars.append(report.at_least("hits, 8 clients: × one UPDATE", duel.ratio(MANY, OURS, UPDATE), 1))
    rolled = systems.holdfast.one("drain")
    if rolled["counted"]:
        result.facts["roll-up"] = f"{rolled['counted'] / rolled['seconds']:,.0f} answers a second, one process"
    total, disturbed = duel.noise()
    result.facts["turns"] = f"{total}, of which {disturbed} were disturbed"
    result.numbers["hits"] = duel.numbers()


def _latency(systems: Systems, options: Options, result: Report, say: Callable[[str], None]) -> None:
    """Retrieve a product with counting on and off, in turns of a block each; compare the medians of neighbors."""
    rows, numbers = [], {}
    for name, clients in ((OURS, systems.holdfast), (DURABLE, systems.durable)):
        say(f"retrieving: {name}")
        clients.one("retrieve", times=200, counting=True)
        turns = []
        for block in range(options.blocks):
            order = (True, False) if block % 2 else (False, True)
            found = {on: statistics.median(clients.one("retrieve", times=BLOCK, counting=on)) for on in order}
            turns.append((found[False], found[True]))
        ratio = Spread.of(on / off for off, on in turns)
        off, on = (statistics.median(column) for column in zip(*turns, strict=True))
        rows.append([name, f"{off:.2f}", f"{on:.2f}", report.times(ratio)])
        numbers[name] = turns
        if name == OURS and ratio is not None:
            bar = "retrieving a product, p50, counting on ÷ off"
            result.bars.append(Bar(bar, "≤ 1.15", report.times(ratio), ratio.median <= 1.15))
    head = ["buffer", "counting off, ms", "on, ms", "on ÷ off"]
    note = (
        f"Medians of blocks of {BLOCK} requests through the whole of Django and REST framework but the socket, one "
        "client; the ratio is that of neighboring blocks."
    )
    result.tables.append(Table("Retrieving a product", head, rows, note))
    result.numbers["latency"] = numbers


def _listing(postgres: Postgres, options: Options, result: Report, say: Callable[[str], None]) -> None:
    """List 20 of few and 20 of many products, in turns of a block each; compare the medians of neighbors."""
    with contextlib.ExitStack() as stack:

        def filled(products: int) -> Clients:
            say(f"making {products:,} products")
            name = f"benchmarks_catalog_{products}_products"
            url = postgres.database(name)
            stack.callback(postgres.drop, name)
            clients = stack.enter_context(Clients("benchmarks.catalog.holdfast", url=url))
            clients.one("migrate")
            clients.one("fill", products=products)
            clients.one("listing", times=100)
            return clients

        few, many = filled(FEW), filled(MANY_PRODUCTS)
        say("listing")
        turns = []
        for block in range(options.blocks):
            order = (few, many) if block % 2 else (many, few)
            found = {clients: statistics.median(clients.one("listing", times=BLOCK)) for clients in order}
            turns.append((found[few], found[many]))
        statements = many.one("statements_of_listing")
    ratio = Spread.of(of_many / of_few for of_few, of_many in turns)
    of_few, of_many = (statistics.median(column) for column in zip(*turns, strict=True))
    rows = [[f"{FEW:,}", f"{of_few:.2f}"], [f"{MANY_PRODUCTS:,}", f"{of_many:.2f}"]]
    result.tables.append(Table("Listing 20 products", ["products", "p50, ms"], rows))
    result.bars.append(Bar("listing 20 of 100,000: statements", "≤ 4", str(statements), statements <= 4))
    name = "listing 20, p50, of 100,000 ÷ of 1,000"
    result.bars.append(Bar(name, "≤ 1.3", report.times(ratio), ratio is not None and ratio.median <= 1.3))
    result.numbers["listing"] = turns


def _exact(clients: Clients, options: Options, result: Report, say: Callable[[str], None]) -> None:
    """Let eight processes retrieve one product through the API while a ninth rolls up; compare the counts."""
    clients.one("drain")
    before = clients.one("counted")
    say(f"{options.requests:,} requests by {PROCESSES} processes")
    clients.tell("roll_up", index=PROCESSES, seconds=5.0)
    began = time.monotonic()
    answered = sum(clients.call("requests", clients=PROCESSES, count=options.requests // PROCESSES))
    took = time.monotonic() - began
    clients.hear(index=PROCESSES)
    clients.one("drain")
    counted = clients.one("counted") - before
    reached = f"{counted:,} of {answered:,} ({answered / took:,.0f} a second)"
    result.bars.append(
        Bar(f"{PROCESSES} processes: counted after quiet", "every request", reached, counted == answered)
    )
    result.numbers["exact"] = {"answered": answered, "counted": counted, "seconds": took}

"""Orders of two lines beside django-oscar's: in rotation, on hot products, on SQLite; and who buys what is scarce."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks import report
from benchmarks.clients import Clients
from benchmarks.duel import Arm, Duel
from benchmarks.machine import Watch
from benchmarks.market.stall import CLIENTS, HOT
from benchmarks.report import Bar, Report, Table
from benchmarks.servers import Postgres

OSCAR = "django-oscar, basket and order"
BASKET = "holdfast, basket and checkout"
ONE_CALL = "holdfast place_order"
WAYS = {OSCAR: "basket", BASKET: "basket", ONE_CALL: "one_call"}
ONE, MANY, CROWD = "1 client", f"{CLIENTS} clients", f"{CLIENTS} clients, {HOT} hot products"
SQLITE_ONE, SQLITE_MANY = "SQLite, 1 client", f"SQLite, {CLIENTS} clients"
BUYERS, SCARCE, RUSHES = 32, 10, 3


@dataclass(frozen=True)
class Systems:
    """Everybody, connected for the whole run; by the name of the way."""

    postgres: dict[str, Clients]
    sqlite: dict[str, Clients]


def measure(
    postgres: Postgres, watch: Watch, *, cycles: int, seconds: float, result: Report, say: Callable[[str], None]
) -> None:
    """Measure orders and write them into the report."""
    with _systems(postgres, say) as systems:
        _statements(systems.postgres, result)
        duel = Duel(watch, _cells(systems))
        duel.run(cycles=cycles, seconds=seconds, say=say)
        _rates(duel, result)
        _failures(systems, result)
        _rush(systems, result, say)


@contextlib.contextmanager
def _systems(postgres: Postgres, say: Callable[[str], None]) -> Iterator[Systems]:
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmarks-sqlite-"))

        def started(module: str, url: str) -> Clients:
            say(f"preparing {module} in {url.rpartition('/')[2]}")
            clients = stack.enter_context(Clients(f"benchmarks.market.{module}", CLIENTS, url=url))
            clients.tell("prepare")
            return clients

        def database(module: str) -> str:
            name = f"benchmarks_market_{module}"
            stack.callback(postgres.drop, name)
            return postgres.database(name)

        modules = ("oscar", "holdfast")
        everybody = [
            *(started(module, database(module)) for module in modules),
            *(started(module, f"sqlite://{Path(folder) / module}.sqlite3") for module in modules),
        ]
        for clients in everybody:
            clients.hear()
            clients.each("connect", [{"number": number} for number in range(CLIENTS)])
        oscar, ours, oscar_sqlite, ours_sqlite = everybody
        yield Systems(
            {OSCAR: oscar, BASKET: ours, ONE_CALL: ours},
            {OSCAR: oscar_sqlite, BASKET: ours_sqlite, ONE_CALL: ours_sqlite},
        )


def _cells(systems: Systems) -> dict[str, list[Arm]]:
    def arms(clients: dict[str, Clients], count: int, *, hot: bool = False) -> list[Arm]:
        def arm(name: str) -> Arm:
            return Arm(
                name,
                lambda seconds: clients[name].rate("order", clients=count, seconds=seconds, way=WAYS[name], hot=hot),
            )

        return [arm(name) for name in clients]

    return {
        ONE: arms(systems.postgres, 1),
        MANY: arms(systems.postgres, CLIENTS),
        CROWD: arms(systems.postgres, CLIENTS, hot=True),
        SQLITE_ONE: arms(systems.sqlite, 1),
        SQLITE_MANY: arms(systems.sqlite, CLIENTS),
    }


def _rates(duel: Duel, result: Report) -> None:
    cells = list(duel.cells)
    result.tables += [
        Table(
            "Orders of two lines per second",
            ["way", *cells],
            [[name, *(report.rate(duel.value(cell, name)) for cell in cells)] for name in WAYS],
            "Medians. oscar's SQLite is opened as ours is: WAL, IMMEDIATE, each commit flushed.",
        ),
        Table(
            "Times django-oscar",
            ["way", *cells],
            [[name, *(report.times(duel.ratio(cell, name, OSCAR)) for cell in cells)] for name in (BASKET, ONE_CALL)],
            "Medians of the ratios within a cycle, with their interquartile range.",
        ),
        Table(
            "Processor time of an order, µs: client + database",
            ["way", *cells],
            [[name, *(report.processor_time(duel.processor_time(cell, name)) for cell in cells)] for name in WAYS],
            "The steadiest figure on a machine that others use.",
        ),
    ]
    for cell, name, wanted in (
        (ONE, BASKET, 5),
        (MANY, BASKET, 4),
        (ONE, ONE_CALL, 7),
        (MANY, ONE_CALL, 9),
        (CROWD, BASKET, 4),
        (CROWD, ONE_CALL, 4),
        (SQLITE_ONE, BASKET, 6),
        (SQLITE_MANY, BASKET, 6),
    ):
        result.bars.append(report.at_least(f"{name}, {cell}: × oscar", duel.ratio(cell, name, OSCAR), wanted))
    turns, disturbed = duel.noise()
    result.facts["turns"] = f"{turns}, of which {disturbed} with more than 0.25 cores used by unrelated processes"
    result.numbers["orders"] = duel.numbers()


def _statements(systems: dict[str, Clients], result: Report) -> None:
    lines = (2, 3, 10)
    found = {
        name: [clients.one("statements", way=WAYS[name], lines=count) for count in lines]
        for name, clients in systems.items()
    }
    head = ["way", *(f"{count} lines" for count in lines)]
    rows = [[name, *map(str, counts)] for name, counts in found.items()]
    note = "The whole order, the filling of its basket included; BEGIN and COMMIT count."
    result.tables.append(Table("Statements of an order", head, rows, note))
    for name in (BASKET, ONE_CALL):
        two, *_, ten = found[name]
        result.bars.append(report.at_most(f"{name}, two lines: statements", two, 12))
        result.bars.append(report.at_most(f"{name}, each further line: statements", (ten - two) / 8, 1))


def _failures(systems: Systems, result: Report) -> None:
    """Say what went wrong in all the turns."""
    rows = []
    for where, named in (("PostgreSQL", systems.postgres), ("SQLite", systems.sqlite)):
        for side, name in (("django-oscar", OSCAR), ("holdfast", BASKET)):
            failed: Counter[str] = Counter()
            for one in named[name].call("failed", clients=CLIENTS):
                failed.update(one)
            rows.append([f"{side}, {where}", ", ".join(f"{count} {why}" for why, count in failed.items()) or "none"])
            if side == "holdfast":
                what = "orders that failed (deadlock, locked, any)"
                result.bars.append(Bar(f"{where}: {what}", "0", str(failed.total()), not failed))
    result.tables.append(Table("Orders that failed and were tried again", ["side", "how many"], rows))


def _rush(systems: Systems, result: Report, say: Callable[[str], None]) -> None:
    """Let 32 buyers order one of ten pieces at the same moment, some times."""
    rows, exact = [], {}
    for where, named in (("PostgreSQL", systems.postgres), ("SQLite", systems.sqlite)):
        for name, clients in named.items():
            say(f"{BUYERS} buyers: {where}, {name}")
            rushes = [_one_rush(clients, WAYS[name]) for _time in range(RUSHES)]
            sold = [outcomes["sold"] for outcomes, _pieces in rushes]
            refused = [outcomes["refused"] for outcomes, _pieces in rushes]
            errors = sum((outcomes for outcomes, _pieces in rushes), Counter[str]())
            del errors["sold"], errors["refused"]
            exact[where, name] = all(
                pieces == SCARCE == outcomes["sold"] and outcomes["refused"] == BUYERS - SCARCE
                for outcomes, pieces in rushes
            )
            words = ", ".join(f"{count} {how}" for how, count in errors.items()) or "none"
            rows.append([f"{name}, {where}", _listed(sold), _listed(refused), words])
    head = ["way", "sold", "refused", "errors"]
    result.tables.append(Table(f"{BUYERS} buyers at once for {SCARCE} pieces", head, rows))
    for (where, name), yes in exact.items():
        if name != OSCAR:
            what = f"{BUYERS} buyers, {SCARCE} pieces, {where}, {name}"
            result.bars.append(Bar(what, f"{SCARCE} sold", "yes" if yes else "NO", yes))


def _one_rush(clients: Clients, way: str) -> tuple[Counter[str], int]:
    product = clients.one("scarce", pieces=SCARCE)
    clients.each("connect", [{"number": number} for number in range(CLIENTS)])
    start = time.monotonic() + 0.3
    answers = clients.call("rush", clients=CLIENTS, start=start, product=product, buyers=BUYERS // CLIENTS, way=way)
    return Counter(how for answer in answers for how in answer), clients.one("sold_of", product=product)


def _listed(counts: list[int]) -> str:
    return ", ".join(map(str, counts))

"""Orders of two lines beside django-oscar's: in rotation, on hot products, on SQLite; and who buys what is scarce."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
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
POSTGRES, SQLITE = "PostgreSQL", "SQLite"
ONE, MANY, CROWD = "1 client", f"{CLIENTS} clients", f"{CLIENTS} clients, {HOT} hot products"
# How many clients, whether they want the same, and how many times oscar's rate basket and call shall reach.
CELLS = {
    POSTGRES: {ONE: (1, False, 5, 7), MANY: (CLIENTS, False, 4, 9), CROWD: (CLIENTS, True, 4, 4)},
    SQLITE: {ONE: (1, False, 6, 6), MANY: (CLIENTS, False, 6, 6)},
}
BUYERS, SCARCE, RUSHES = 32, 10, 3


def measure(
    postgres: Postgres,
    watch: Watch,
    *,
    place: str,
    cycles: int,
    seconds: float,
    result: Report,
    say: Callable[[str], None],
) -> None:
    """Measure orders on PostgreSQL or on SQLite and write them into the report."""
    with _systems(postgres, place, say) as systems:
        if place == POSTGRES:
            _statements(systems, result)
        duel = Duel(watch, {cell: _arms(systems, count, hot=hot) for cell, (count, hot, *_) in CELLS[place].items()})
        duel.run(cycles=cycles, seconds=seconds, say=say)
        _rates(duel, place, result)
        _failures(systems, place, result)
        _rush(systems, place, result, say)


@contextlib.contextmanager
def _systems(postgres: Postgres, place: str, say: Callable[[str], None]) -> Iterator[dict[str, Clients]]:
    """Prepare both at the same time; who is connected, by the name of the way."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmarks-sqlite-")))

        def database(module: str) -> str:
            if place == SQLITE:
                return f"sqlite://{folder / module}.sqlite3"
            name = f"benchmarks_market_{module}"
            stack.callback(postgres.drop, name)
            return postgres.database(name)

        def started(module: str) -> Clients:
            say(f"preparing {module} on {place}")
            clients = Clients(f"benchmarks.market.{module}", CLIENTS, url=database(module))
            clients.tell("prepare")
            return stack.enter_context(clients)

        oscar, ours = started("oscar"), started("holdfast")
        for clients in (oscar, ours):
            clients.hear()
            clients.each("connect", [{"number": number} for number in range(CLIENTS)])
        yield {OSCAR: oscar, BASKET: ours, ONE_CALL: ours}


def _arms(systems: dict[str, Clients], count: int, *, hot: bool) -> list[Arm]:
    def arm(name: str, clients: Clients) -> Arm:
        return Arm(name, lambda seconds: clients.rate("order", clients=count, seconds=seconds, way=WAYS[name], hot=hot))

    return [arm(name, clients) for name, clients in systems.items()]


def _rates(duel: Duel, place: str, result: Report) -> None:
    cells = list(duel.cells)
    options = " oscar's SQLite is opened as ours is: WAL, IMMEDIATE, each commit flushed." if place == SQLITE else ""
    result.tables += [
        Table(
            f"Orders of two lines per second, {place}",
            ["way", *cells],
            [[name, *(report.rate(duel.value(cell, name)) for cell in cells)] for name in WAYS],
            f"Medians.{options}",
        ),
        Table(
            f"Times django-oscar, {place}",
            ["way", *cells],
            [[name, *(report.times(duel.ratio(cell, name, OSCAR)) for cell in cells)] for name in (BASKET, ONE_CALL)],
            "Medians of the ratios within a cycle, with their interquartile range.",
        ),
        Table(
            f"Processor time of an order, µs: client + database, {place}",
            ["way", *cells],
            [[name, *(report.processor_time(duel.processor_time(cell, name)) for cell in cells)] for name in WAYS],
            "The steadiest figure on a machine that others use.",
        ),
    ]
    for cell, (_count, _hot, *wanted) in CELLS[place].items():
        for name, times in zip((BASKET, ONE_CALL), wanted, strict=True):
            bar = f"{name}, {place}, {cell}: × oscar"
            result.bars.append(report.at_least(bar, duel.ratio(cell, name, OSCAR), times))
    turns, disturbed = duel.noise()
    result.facts[f"turns, {place}"] = (
        f"{turns}, of which {disturbed} with more than 0.25 cores used by unrelated processes"
    )
    result.numbers[f"orders, {place}"] = duel.numbers()


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


def _failures(systems: dict[str, Clients], place: str, result: Report) -> None:
    """Say what went wrong in all the turns."""
    rows = []
    for side, name in (("django-oscar", OSCAR), ("holdfast", BASKET)):
        failed: Counter[str] = Counter()
        for one in systems[name].call("failed", clients=CLIENTS):
            failed.update(one)
        rows.append([side, ", ".join(f"{count} {why}" for why, count in failed.items()) or "none"])
        if side == "holdfast":
            what = f"{place}: orders that failed (deadlock, locked, any)"
            result.bars.append(Bar(what, "0", str(failed.total()), not failed))
    result.tables.append(Table(f"Orders that failed and were tried again, {place}", ["side", "how many"], rows))


def _rush(systems: dict[str, Clients], place: str, result: Report, say: Callable[[str], None]) -> None:
    """Let 32 buyers order one of ten pieces at the same moment, some times."""
    rows = []
    for name, clients in systems.items():
        say(f"{BUYERS} buyers: {name}")
        rushes = [_one_rush(clients, WAYS[name]) for _time in range(RUSHES)]
        sold, refused = ([outcomes[how] for outcomes, _pieces in rushes] for how in ("sold", "refused"))
        errors = sum((outcomes for outcomes, _pieces in rushes), Counter[str]())
        del errors["sold"], errors["refused"]
        words = ", ".join(f"{count} {how}" for how, count in errors.items()) or "none"
        rows.append([name, _listed(sold), _listed(refused), words])
        if name != OSCAR:
            pieces = [taken for _outcomes, taken in rushes]
            exact = sold == pieces == [SCARCE] * RUSHES and not errors
            what = f"{BUYERS} buyers, {SCARCE} pieces, {place}, {name}: sold"
            result.bars.append(Bar(what, str(SCARCE), _listed(pieces), exact))
    head = ["way", "sold", "refused", "errors"]
    result.tables.append(Table(f"{BUYERS} buyers at once for {SCARCE} pieces, {place}", head, rows))


def _one_rush(clients: Clients, way: str) -> tuple[Counter[str], int]:
    product = clients.one("scarce", pieces=SCARCE)
    clients.each("connect", [{"number": number} for number in range(CLIENTS)])
    start = time.monotonic() + 0.3
    answers = clients.call("rush", clients=CLIENTS, start=start, product=product, buyers=BUYERS // CLIENTS, way=way)
    return Counter(how for answer in answers for how in answer), clients.one("sold_of", product=product)


def _listed(counts: list[int]) -> str:
    return ", ".join(map(str, counts))

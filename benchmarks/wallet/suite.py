"""The wallet's benchmark: transfers in rotation, the race for the last of the money, reads, bytes."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks import report
from benchmarks.clients import Clients
from benchmarks.duel import Arm, Duel
from benchmarks.machine import Watch
from benchmarks.report import Report, Table
from benchmarks.servers import Postgres
from benchmarks.wallet import pgbench, race, storage

ONE_RANDOM, MANY_RANDOM = "1 client, random", "8 clients, random"
ONE_HOT, MANY_HOT = "1 client, hot", "8 clients, hot"
CELLS = {ONE_RANDOM: ("random", 1), MANY_RANDOM: ("random", 8), ONE_HOT: ("hot", 1), MANY_HOT: ("hot", 8)}
PARTS = ("transfers", "race", "bytes", "reads")

OURS = "holdfast transfer"
BATCH = "holdfast post_transfers, 50 a commit"
SPLIT = "holdfast transfer, hot account in 8 slots"
SQLITE = "holdfast transfer, SQLite"
HORDAK = "django-hordak transfer_to"
ORM = "plain ORM posting"
ORM_SQLITE = "plain ORM posting, SQLite"
LIMIT = "pgbench, one round trip (the limit)"
STEPS = "pgbench, statement by statement"
SYSTEMS = [HORDAK, ORM, OURS, SPLIT, BATCH, STEPS, LIMIT, ORM_SQLITE, SQLITE]


@dataclass(frozen=True)
class Options:
    """How long to measure."""

    cycles: int
    seconds: float
    accounts: int
    rounds: int
    entries: tuple[int, ...]
    transfers: int
    full: bool
    parts: frozenset[str]


@dataclass
class Systems:
    """Every system, prepared and connected."""

    holdfast: Clients
    holdfast_url: str
    sqlite: Clients
    hordak: Clients
    hordak_url: str
    orm: Clients
    orm_url: str
    orm_sqlite: Clients
    pgbench: pgbench.Pgbench | None
    pgbench_url: str


def run(postgres: Postgres, watch: Watch, options: Options, result: Report, say: Callable[[str], None]) -> None:
    """Measure everything and write it into the report."""
    with _systems(postgres, options, say) as systems:
        if "transfers" in options.parts:
            duel = Duel(watch, _cells(systems))
            duel.run(cycles=options.cycles, seconds=options.seconds, say=say)
            _report_transfers(duel, result)
        if "race" in options.parts:
            _report_race(systems, options, result, say)
        if "bytes" in options.parts:
            _report_bytes(systems, options, result, say)
        if "reads" in options.parts:
            _report_reads(systems, options, result, say)
        _report_soundness(systems, result, say)


@contextlib.contextmanager
def _systems(postgres: Postgres, options: Options, say: Callable[[str], None]) -> Iterator[Systems]:
    binary = pgbench.find()
    if binary is None:
        say("There is no pgbench on this machine: its rows stay empty.")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmarks-sqlite-")))

        def connected(module: str, url: str, count: int = 8) -> Clients:
            say(f"preparing {module} in {url.rpartition('/')[2]}")
            clients = stack.enter_context(Clients(f"benchmarks.wallet.{module}", count, url=url))
            clients.one("prepare", accounts=options.accounts)
            clients.call("connect", clients=count)
            return clients

        def database(name: str) -> str:
            url = postgres.database(f"benchmarks_{name}")
            stack.callback(postgres.drop, f"benchmarks_{name}")
            return url

        urls = {name: database(name) for name in ("holdfast", "hordak", "orm", "pgbench")}
        yield Systems(
            holdfast=connected("holdfast", urls["holdfast"], race.RIVALS),
            holdfast_url=urls["holdfast"],
            sqlite=connected("holdfast", f"sqlite://{folder / 'holdfast.sqlite3'}"),
            hordak=connected("hordak", urls["hordak"], race.RIVALS),
            hordak_url=urls["hordak"],
            orm=connected("plain_orm.client", urls["orm"]),
            orm_url=urls["orm"],
            orm_sqlite=connected("plain_orm.client", f"sqlite://{folder / 'orm.sqlite3'}"),
            pgbench=stack.enter_context(pgbench.Pgbench(binary, urls["pgbench"])) if binary else None,
            pgbench_url=urls["pgbench"],
        )


def _cells(systems: Systems) -> dict[str, list[Arm]]:
    def arm(name: str, clients: Clients, call: str, count: int) -> Arm:
        return Arm(name, lambda seconds: clients.rate(call, clients=count, seconds=seconds))

    def limit(name: str, way: str, pattern: str, count: int) -> list[Arm]:
        bench = systems.pgbench
        if bench is None:
            return []
        return [Arm(name, lambda seconds: bench.rate(way, pattern, clients=count, seconds=seconds))]

    cells = {
        cell: [
            arm(HORDAK, systems.hordak, pattern, count),
            arm(ORM, systems.orm, pattern, count),
            arm(OURS, systems.holdfast, pattern, count),
            arm(BATCH, systems.holdfast, f"{pattern}_batch", count),
            arm(ORM_SQLITE, systems.orm_sqlite, pattern, count),
            arm(SQLITE, systems.sqlite, pattern, count),
            *limit(STEPS, "steps", pattern, count),
            *limit(LIMIT, "one round trip", pattern, count),
        ]
        for cell, (pattern, count) in CELLS.items()
    }
    cells[MANY_HOT].append(arm(SPLIT, systems.holdfast, "hot_split", 8))
    return cells


def _report_transfers(duel: Duel, result: Report) -> None:
    turns, disturbed = duel.noise()
    result.facts["turns"] = f"{turns}, of which {disturbed} with more than 0.25 cores used by unrelated processes"
    cells = list(CELLS)
    result.tables += [
        Table(
            "Transfers per second",
            ["system", *cells],
            [[name, *(report.rate(duel.value(cell, name)) for cell in cells)] for name in SYSTEMS],
            "Medians. Absolute rates are this machine's on that day; the ratios below are what lasts.",
        ),
        Table(
            "Times django-hordak",
            ["system", *cells],
            [
                [name, *(report.times(duel.ratio(cell, name, HORDAK)) for cell in cells)]
                for name in SYSTEMS
                if name != HORDAK
            ],
            "Medians of the ratios within a cycle, with their interquartile range.",
        ),
        Table(
            "Share of the limit (pgbench, one round trip)",
            ["system", *cells],
            [
                [name, *(report.times(duel.ratio(cell, name, LIMIT)) for cell in cells)]
                for name in SYSTEMS
                if name != LIMIT
            ],
            "The C client posts the bare rows with no rule at all. Above it only batching and splitting can go.",
        ),
        Table(
            "Processor time of a transfer, µs: client + database",
            ["system", *cells],
            [[name, *(report.processor_time(duel.processor_time(cell, name)) for cell in cells)] for name in SYSTEMS],
            "The steadiest figure: it does not depend on the disk. Commits of several clients are flushed together.",
        ),
    ]
    for cell, hordak, limit in ((ONE_RANDOM, 3, 0.60), (MANY_RANDOM, 4, 0.42), (MANY_HOT, 2, 0.60)):
        result.bars.append(report.at_least(f"transfer, {cell}: × hordak", duel.ratio(cell, OURS, HORDAK), hordak))
        result.bars.append(report.at_least(f"transfer, {cell}: × the limit", duel.ratio(cell, OURS, LIMIT), limit))
    result.bars += [
        report.at_least("batches of 50, 8 clients, random: × hordak", duel.ratio(MANY_RANDOM, BATCH, HORDAK), 12),
        report.at_least("batches of 50, 8 clients, hot: × hordak", duel.ratio(MANY_HOT, BATCH, HORDAK), 18),
        report.at_least("hot account in 8 slots, 8 clients: × hordak", duel.ratio(MANY_HOT, SPLIT, HORDAK), 5),
        report.at_least(
            "SQLite, 1 client, random: × plain ORM on SQLite", duel.ratio(ONE_RANDOM, SQLITE, ORM_SQLITE), 3
        ),
        report.at_least(
            "SQLite, 8 clients, random: × plain ORM on SQLite", duel.ratio(MANY_RANDOM, SQLITE, ORM_SQLITE), 3
        ),
    ]
    result.numbers["transfers"] = duel.numbers()


def _report_race(systems: Systems, options: Options, result: Report, say: Callable[[str], None]) -> None:
    rows, outcomes = [], {}
    for name, clients in ((HORDAK, systems.hordak), (OURS, systems.holdfast)):
        say(f"race: {name}")
        outcomes[name] = outcome = race.run(clients, options.rounds)
        paid, overdrawn = sorted(outcome["paid"]), sum(left < 0 for left in outcome["left"])
        exact = sum(paid == race.UNITS for paid in outcome["paid"])
        median = paid[len(paid) // 2]
        rows.append(
            [name, f"{paid[0]} / {median} / {paid[-1]}", f"{overdrawn} of {len(paid)}", f"{exact} of {len(paid)}"]
        )
    result.tables.append(
        Table(
            f"Race: {race.RIVALS} withdrawals at once, money for {race.UNITS}",
            ["system", "paid min / median / max", "rounds overdrawn", "rounds with exactly 5"],
            rows,
            "hordak: balance read, then transfer_to, in one transaction; it has no rule of its own to use instead.",
        )
    )
    ours = outcomes[OURS]["paid"]
    exact = sum(paid == race.UNITS for paid in ours)
    result.bars.append(report.Bar("race: rounds with exactly 5 paid", f"{len(ours)}", f"{exact}", exact == len(ours)))
    result.numbers["race"] = outcomes


def _report_bytes(systems: Systems, options: Options, result: Report, say: Callable[[str], None]) -> None:
    rows, sizes = [], {}
    for name, clients, url in (
        (HORDAK, systems.hordak, systems.hordak_url),
        (ORM, systems.orm, systems.orm_url),
        (OURS, systems.holdfast, systems.holdfast_url),
    ):
        say(f"bytes: {name}")
        sizes[name] = size = storage.measure(url, clients, options.transfers)
        tables = {table: grown for table, grown in size.items() if table != "WAL" and round(grown)}
        parts = ", ".join(f"{table} {grown:,.0f}" for table, grown in sorted(tables.items(), key=lambda item: -item[1]))
        rows.append([name, f"{sum(tables.values()):,.0f}", f"{size['WAL']:,.0f}", parts])
    result.tables.append(
        Table(
            "Bytes of a transfer, with indexes",
            ["system", "stored", "write-ahead log", "stored where"],
            rows,
            "holdfast_outboxevent keeps the event until it is delivered and purged; the others tell nobody.",
        )
    )
    result.bars.append(
        report.at_most("bytes stored for a transfer", sizes[OURS].get("holdfast_wallet_transfer"), 420, " bytes")
    )
    result.numbers["bytes"] = sizes


def _report_reads(systems: Systems, options: Options, result: Report, say: Callable[[str], None]) -> None:
    found: dict[str, dict[int, dict[str, dict[str, float]]]] = {HORDAK: {}, OURS: {}, SQLITE: {}}
    # A page of 50 takes hordak seconds at 100,000 already; SQLite takes a minute to fill so many.
    most = {HORDAK: 100_000, OURS: max(options.entries), SQLITE: 100_000 if options.full else 10_000}
    for entries in options.entries:
        for name, clients in ((HORDAK, systems.hordak), (OURS, systems.holdfast), (SQLITE, systems.sqlite)):
            if entries > most[name]:
                continue
            say(f"reads: {name}: {entries:,} entries")
            found[name][entries] = clients.one("reads", account=clients.one("fill", entries=entries), times=41)
    rows = [
        [f"{name}: {read}", *(_read(found[name].get(entries), read) for entries in options.entries)]
        for name in found
        for read in ("balance", "as of", "page of 50")
    ]
    result.tables.append(
        Table(
            "Reads, median ms in the database (and for the Python caller), by entries of the account",
            ["read", *(f"{entries:,}" for entries in options.entries)],
            rows,
            "In the database: the durations that PostgreSQL logs for the statements of the call. SQLite: the caller's.",
        )
    )
    deep = found[OURS].get(100_000, {})
    for read, bar in (("balance", 0.15), ("as of", 0.4), ("page of 50", 0.5)):
        median = deep.get(read, {}).get("database")
        result.bars.append(report.at_most(f"{read} at 100,000 entries, in the database", median, bar, " ms"))
        few, many = min(options.entries), max(options.entries)
        growth = found[OURS][many][read]["database"] / found[OURS][few][read]["database"]
        result.bars.append(report.at_most(f"{read}: growth from {few:,} to {many:,} entries", growth, 1.2, "×"))
    result.numbers["reads"] = found


def _read(reads: dict[str, dict[str, float]] | None, read: str) -> str:
    if reads is None:
        return report.ABSENT
    return f"{reads[read]['database']:.3g} ({reads[read]['caller']:.3g})"


def _report_soundness(systems: Systems, result: Report, say: Callable[[str], None]) -> None:
    say("checking that the money still adds up everywhere")
    sound = {
        HORDAK: systems.hordak.one("is_sound"),
        ORM: systems.orm.one("is_sound"),
        ORM_SQLITE: systems.orm_sqlite.one("is_sound"),
        OURS: systems.holdfast.one("is_sound"),
        SQLITE: systems.sqlite.one("is_sound"),
    }
    if systems.pgbench is not None:
        sound[LIMIT] = systems.pgbench.is_sound()
    result.facts["money adds up afterwards"] = ", ".join(
        f"{name}: {'yes' if yes else 'NO'}" for name, yes in sound.items()
    )

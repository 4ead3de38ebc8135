"""The outbox's benchmark: publish, drain and latency in rotation; a SIGKILL; the order with two relays; a million."""

from __future__ import annotations

import contextlib
import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from benchmarks import report
from benchmarks.duel import Arm, Duel
from benchmarks.machine import Watch
from benchmarks.outbox.stage import CELERY, OURS, PATTERN, Stage, Stages
from benchmarks.report import Report, Table
from benchmarks.servers import Postgres

SYSTEMS = [OURS, PATTERN, CELERY]
FLOOR = "business transaction only"

PUBLISH = {"publish, 1 process": 1, "publish, 8 processes": 8}
DRAIN = {"drain, 1 relay": 1, "drain, 2 relays": 2}
LATENCY = "latency"

PENDING = 10_000
KEYS = 1_000
A_SECOND = 50

CRASH_PENDING = 20_000
ORDER_PENDING = 8_000
FEW_KEYS = 20


@dataclass(frozen=True)
class Options:
    """How long to measure."""

    cycles: int
    seconds: float
    million: bool


@dataclass
class Latencies:
    """The milliseconds of each system, turn by turn."""

    turns: dict[str, list[list[float]]] = field(default_factory=dict)

    def turn(self, stage: Stage, seconds: float) -> float:
        """Publish at a steady pace; return the median."""
        count = round(seconds * A_SECOND)
        stage.tally.reset()
        stage.publishers.one("paced", start=time.monotonic() + 0.05, count=count, first=0, a_second=A_SECOND)
        if not stage.tally.wait(count, patience=5):
            raise RuntimeError(f"{stage.name}: {stage.tally.missing(count)} of {count} events did not come.")
        found = stage.tally.latencies(range(count))
        self.turns.setdefault(stage.name, []).append(found)
        return statistics.median(found)


def run(
    postgres: Postgres, redis: str, watch: Watch, options: Options, result: Report, say: Callable[[str], None]
) -> None:
    """Measure everything and write it into the report."""
    stages = Stages(postgres, redis)
    publishing = _duel(watch, options, say, _publish_cells(stages))
    _report_publish(publishing, result)
    draining = _duel(watch, options, say, _drain_cells(stages))
    _report_drain(draining, result)
    latencies = Latencies()
    waiting = _duel(watch, options, say, _latency_cells(stages, latencies))
    _report_latency(waiting, latencies, result)
    _report_crash(stages, result, say)
    _report_order(stages, result, say)
    if options.million:
        _report_million(stages, result, say)


def _duel(
    watch: Watch,
    options: Options,
    say: Callable[[str], None],
    cells: contextlib.AbstractContextManager[dict[str, list[Arm]]],
) -> Duel:
    with cells as made:
        duel = Duel(watch, made)
        duel.run(cycles=options.cycles, seconds=options.seconds, say=say)
    return duel


@contextlib.contextmanager
def _publish_cells(stages: Stages) -> Iterator[dict[str, list[Arm]]]:
    with contextlib.ExitStack() as stack:
        made = {name: stack.enter_context(stages.of(name, publishers=8)) for name in SYSTEMS}

        def arm(name: str, stage: Stage, call: str, clients: int) -> Arm:
            return Arm(
                name,
                lambda seconds: stage.publishers.rate(call, clients=clients, seconds=seconds),
                ready=lambda: stage.publishers.one("reset"),
            )

        yield {
            cell: [arm(FLOOR, made[OURS], "business", clients)]
            + [arm(name, made[name], "publish", clients) for name in SYSTEMS]
            for cell, clients in PUBLISH.items()
        }


@contextlib.contextmanager
def _drain_cells(stages: Stages) -> Iterator[dict[str, list[Arm]]]:
    with contextlib.ExitStack() as stack:

        def arm(name: str, relays: int) -> Arm:
            stage = stack.enter_context(stages.of(name, relays=relays))
            return Arm(name, lambda _seconds: stage.empty(PENDING), ready=lambda: stage.fill(PENDING, keys=KEYS))

        yield {cell: [arm(name, relays) for name in SYSTEMS] for cell, relays in DRAIN.items()}


@contextlib.contextmanager
def _latency_cells(stages: Stages, latencies: Latencies) -> Iterator[dict[str, list[Arm]]]:
    with contextlib.ExitStack() as stack:

        def arm(name: str) -> Arm:
            stage = stack.enter_context(stages.of(name, relays=1, running=True))
            return Arm(name, lambda seconds: latencies.turn(stage, 2 * seconds))

        yield {LATENCY: [arm(name) for name in SYSTEMS]}


def _report_publish(duel: Duel, result: Report) -> None:
    cells = list(PUBLISH)
    result.tables.append(
        Table(
            "One business row and its event, transactions per second",
            ["system", *cells, *(f"× {PATTERN}, {cell}" for cell in cells), *(f"µs, {cell}" for cell in cells)],
            [
                [
                    name,
                    *(report.rate(duel.value(cell, name)) for cell in cells),
                    *(report.times(duel.ratio(cell, name, PATTERN)) for cell in cells),
                    *(report.processor_time(duel.processor_time(cell, name)) for cell in cells),
                ]
                for name in [FLOOR, *SYSTEMS]
            ],
            "µs: processor time of the clients + the servers. Celery's event is not in the database.",
        )
    )
    for cell in cells:
        result.bars.append(report.at_least(f"{cell}: × {PATTERN}", duel.ratio(cell, OURS, PATTERN), 1.7))
    result.numbers["publish"] = duel.numbers()


def _report_drain(duel: Duel, result: Report) -> None:
    cells = list(DRAIN)
    peers = [PATTERN, CELERY]
    result.tables.append(
        Table(
            f"Draining {PENDING:,} pending events with a handler that does nothing, events per second",
            ["system", *cells, *(f"holdfast ×, {cell}" for cell in cells)],
            [
                [
                    name,
                    *(report.rate(duel.value(cell, name)) for cell in cells),
                    *(report.times(duel.ratio(cell, OURS, name)) if name in peers else "" for cell in cells),
                ]
                for name in SYSTEMS
            ],
            "From the moment the backlog is committed, or the relay told to begin, to the last handler.",
        )
    )
    for cell in cells:
        result.bars.append(report.at_least(f"{cell}: × {CELERY}", duel.ratio(cell, OURS, CELERY), 20))
        result.bars.append(report.at_least(f"{cell}: × {PATTERN}", duel.ratio(cell, OURS, PATTERN), 15))
    result.numbers["drain"] = duel.numbers()


def _report_latency(duel: Duel, latencies: Latencies, result: Report) -> None:
    rows, medians = [], {}
    for name in SYSTEMS:
        # The first turn warmed up. A turn that was disturbed is dropped as everywhere.
        turns = latencies.turns[name][1:]
        found = sorted(one for cycle in duel.kept(LATENCY, name) for one in turns[cycle])
        medians[name] = statistics.median(found)
        cuts = [found[int(len(found) * share)] for share in (0.5, 0.95, 0.99)]
        rows.append([name, *(f"{milliseconds:.1f}" for milliseconds in (*cuts, found[-1])), f"{len(found):,}"])
    result.tables.append(
        Table(
            f"From the commit to the handler at {A_SECOND} events a second, ms",
            ["system", "p50", "p95", "p99", "max", "events"],
            rows,
            f"{PATTERN} polls each second.",
        )
    )
    ratio = duel.ratio(LATENCY, OURS, CELERY)
    result.bars += [
        report.at_most("p50 from commit to handler", medians[OURS], 3, " ms"),
        report.at_most(f"p50 from commit to handler: × {CELERY}", ratio and ratio.median, 1, ""),
    ]
    result.numbers["latency"] = latencies.turns


def _report_crash(stages: Stages, result: Report, say: Callable[[str], None]) -> None:
    rows, numbers = [], {}
    for name in SYSTEMS:
        say(f"SIGKILL: {name}")
        with stages.of(name, relays=1) as stage:
            numbers[name] = found = _crash(stage)
        rows.append([name, f"{found['lost']:,}", f"{found['again']:,}", f"{found['out of order']:,}"])
    result.tables.append(
        Table(
            f"A relay killed by SIGKILL half way through {CRASH_PENDING:,} pending events of {FEW_KEYS} keys",
            ["system", "not delivered", "delivered again", "out of order"],
            rows,
            "Not delivered: within 20 s of the start of a new relay. Celery's come back after its visibility timeout "
            "of an hour, but for the tasks that were running.",
        )
    )
    result.bars.append(report.at_most("SIGKILL: events lost", numbers[OURS]["lost"], 0))
    result.bars.append(report.at_most("SIGKILL: events out of order", numbers[OURS]["out of order"], 0))
    result.numbers["crash"] = numbers


def _crash(stage: Stage) -> dict[str, int]:
    stage.fill(CRASH_PENDING, keys=FEW_KEYS)
    stage.release()
    while stage.tally.missing(CRASH_PENDING) > CRASH_PENDING // 2:
        time.sleep(0.001)
    stage.kill_relays()
    stage.resume()
    stage.tally.wait(CRASH_PENDING, patience=20)
    return {
        "lost": stage.tally.missing(CRASH_PENDING),
        "again": stage.tally.again(CRASH_PENDING),
        "out of order": stage.tally.out_of_order(CRASH_PENDING, FEW_KEYS),
    }


def _report_order(stages: Stages, result: Report, say: Callable[[str], None]) -> None:
    rows, numbers = [], {}
    for name in SYSTEMS:
        say(f"order: {name}")
        with stages.of(name, relays=2) as stage:
            stage.drain(ORDER_PENDING, keys=FEW_KEYS)
            numbers[name] = wrong = stage.tally.out_of_order(ORDER_PENDING, FEW_KEYS)
        rows.append([name, f"{wrong:,} of {ORDER_PENDING:,}"])
    result.tables.append(Table(f"Order within {FEW_KEYS} keys, two relays", ["system", "out of order"], rows))
    result.bars.append(report.at_most("two relays: events out of order", numbers[OURS], 0))
    result.numbers["order"] = numbers


def _report_million(stages: Stages, result: Report, say: Callable[[str], None]) -> None:
    """The time of a batch, small backlog and large: 500 handled events, the median over the first 10,000."""
    found: dict[int, float] = {}
    for pending in (PENDING, 100_000, 1_000_000):
        say(f"batches at {pending:,} pending")
        with stages.of(OURS, relays=1) as stage:
            found[pending] = statistics.median(_batches(stage, pending) for _ in range(3 if pending == PENDING else 1))
    result.tables.append(
        Table(
            "The time of a batch by the size of the backlog (holdfast, one relay)",
            ["pending", "ms for 500 events"],
            [[f"{pending:,}", f"{milliseconds:.1f}"] for pending, milliseconds in found.items()],
            "The median over the first 10,000 events handled.",
        )
    )
    growth = found[1_000_000] / found[PENDING]
    result.bars.append(report.at_most("a batch at 1,000,000 pending: × at 10,000", growth, 1.2))
    result.numbers["million"] = found


def _batches(stage: Stage, pending: int) -> float:
    stage.fill(pending, keys=KEYS)
    stage.release()
    while stage.tally.missing(pending) > pending - PENDING:
        time.sleep(0.01)
    moments = sorted(moment for moment in stage.tally.moments(pending) if moment)[:PENDING]
    marks = [moments[0], *moments[499::500]]
    return statistics.median((later - earlier) * 1000 for earlier, later in itertools.pairwise(marks))

"""The broadcast's benchmark: what each way to tell loses, and what the broadcast costs a request."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks import report
from benchmarks.broadcast import posting, ways
from benchmarks.duel import Spread
from benchmarks.machine import Watch
from benchmarks.report import Bar, Report, Table

REQUESTS = 100


@dataclass(frozen=True)
class Options:
    """How long to measure."""

    cycles: int


def run(server_url: str, watch: Watch, options: Options, result: Report, say: Callable[[str], None]) -> None:
    """Measure both and report."""
    found = posting.measure(server_url, watch, cycles=options.cycles, requests=REQUESTS, say=say)
    _report_posting(found, result)
    _report_ways(ways.compare(server_url, say), result)


def _report_posting(found: posting.Posting, result: Report) -> None:
    rows = [
        [
            state,
            _milliseconds(found.duel.value(posting.CELL, state)),
            f"{statistics.median(found.slow[state][1:]):.2f}",
            report.times(_to_up(found, state)),
        ]
        for state in posting.STATES
    ]
    result.tables.append(
        Table(
            "POST /api/defects by what the counter server does, ms",
            ["the counter server", "p50", "p95", "× up, p50"],
            rows,
            f"Over HTTP, one client, {REQUESTS} requests a turn, the relay at work beside it. "
            f"The verb sends {found.statements} statements, {found.statements_for_the_event} of them for the event: "
            "its INSERT, and the NOTIFY that wakes the relay after the commit.",
        )
    )
    for state in (posting.DOWN, posting.HANGING):
        result.bars.append(_within(f"p50 of POST, {state.partition(':')[0]}: × up", _to_up(found, state), 1.1))
    result.bars.append(report.at_most("statements for the event", found.statements_for_the_event, 2))
    turns, disturbed = found.duel.noise()
    result.facts["turns of posting disturbed by others"] = f"{disturbed} of {turns}"
    result.numbers["posting"] = {"p50": found.duel.numbers(), "p95": found.slow}


def _report_ways(outcomes: list[ways.Outcome], result: Report) -> None:
    rows = [
        [
            ways.WAYS[one.way],
            f"{one.committed:,}",
            f"{one.told:,}",
            f"{one.lost:,}",
            f"{one.refused:,}",
            f"{one.again:,}",
            f"{one.longest_ms:,.0f}",
        ]
        for one in outcomes
    ]
    result.tables.append(
        Table(
            "The same changes, the same kills, three ways to tell",
            ["way", "committed", "told", "lost", "could not be handed over", "told again", "longest, ms"],
            rows,
            "The counter server is killed and away for 2 s, then the broker (an append-only Valkey), then the process "
            "that tells is killed and started again, then one of two publishers. "
            "Told again: under the same id. Longest: from the begin of a transaction to the end of its handing over.",
        )
    )
    outbox = next(one for one in outcomes if one.way == "outbox")
    result.bars.append(report.at_most("the outbox: changes lost", outbox.lost, 0))
    result.numbers["ways"] = [one.__dict__ | {"lost": one.lost} for one in outcomes]


def _to_up(found: posting.Posting, state: str) -> Spread | None:
    return found.duel.ratio(posting.CELL, state, posting.UP)


def _milliseconds(spread: Spread | None) -> str:
    return report.ABSENT if spread is None else f"{spread.median:.2f}"


def _within(name: str, spread: Spread | None, wanted: float) -> Bar:
    return Bar(name, f"≤ {wanted:g}", report.times(spread), None if spread is None else spread.median <= wanted)

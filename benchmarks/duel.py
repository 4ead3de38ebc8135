"""Turns in rotation: how systems are compared on a machine whose speed changes from minute to minute.

A **cell** is one workload (8 clients, random accounts). Its **arms** are the systems. In each cycle every arm of a
cell gets one turn, one after another in random order, while the others stay connected and idle. A ratio is taken
within a cycle, between neighbors in time, and the reported one is the median over the cycles; the spread is the
interquartile range.

A turn in which unrelated processes used more than ``QUIET`` cores is dropped, as long as ``ENOUGH`` quieter ones
remain.
"""

import random
import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from benchmarks.machine import Watch

QUIET = 0.25
ENOUGH = 3


@dataclass(frozen=True)
class Arm:
    """One system in one cell: ``turn(seconds)`` returns its rate, or whatever the cell measures.

    ``ready`` comes before it, unmeasured: it makes what the turn needs.
    """

    name: str
    turn: Callable[[float], float]
    ready: Callable[[], object] = lambda: None


@dataclass(frozen=True)
class Slice:
    """The result of one turn."""

    cycle: int
    value: float
    bystanders: float
    client_seconds: float
    server_seconds: float
    seconds: float


@dataclass(frozen=True)
class Spread:
    """A median with its interquartile range and the number of values behind it."""

    median: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread | None":
        ordered = sorted(values)
        if not ordered:
            return None
        if len(ordered) == 1:
            return cls(ordered[0], ordered[0], ordered[0], 1)
        low, _, high = statistics.quantiles(ordered, n=4, method="inclusive")
        return cls(statistics.median(ordered), low, high, len(ordered))


@dataclass
class Duel:
    """All cells of a benchmark and what was measured in them."""

    watch: Watch
    cells: dict[str, list[Arm]]
    slices: dict[tuple[str, str], list[Slice]] = field(default_factory=dict)

    def run(self, *, cycles: int, seconds: float, say: Callable[[str], None]) -> None:
        """Give every arm ``cycles`` turns of ``seconds``, after one short turn each to warm up."""
        for cell, arms in self.cells.items():
            for arm in arms:
                say(f"warming up: {cell}: {arm.name}")
                arm.ready()
                arm.turn(min(seconds, 0.5))
        for cycle in range(cycles):
            for cell in random.sample(list(self.cells), len(self.cells)):
                for arm in random.sample(self.cells[cell], len(self.cells[cell])):
                    arm.ready()
                    before = self.watch.usage()
                    value = arm.turn(seconds)
                    used = self.watch.since(before)
                    one = Slice(cycle, value, used.bystanders, used.clients, used.servers, used.seconds)
                    self.slices.setdefault((cell, arm.name), []).append(one)
                    others = f"others used {one.bystanders:.2f} cores"
                    say(f"cycle {cycle + 1}/{cycles}: {cell}: {arm.name}: {value:,.0f} ({others})")

    def kept(self, cell: str, name: str) -> dict[int, Slice]:
        """Return the slices that count, by cycle."""
        slices = self.slices.get((cell, name), [])
        quiet = [one for one in slices if one.bystanders <= QUIET]
        return {one.cycle: one for one in (quiet if len(quiet) >= ENOUGH else slices)}

    def value(self, cell: str, name: str) -> Spread | None:
        """Return what an arm reached."""
        return Spread.of(one.value for one in self.kept(cell, name).values())

    def ratio(self, cell: str, name: str, to: str) -> Spread | None:
        """Return how many times the value of ``to`` an arm reached, cycle by cycle."""
        mine, theirs = self.kept(cell, name), self.kept(cell, to)
        return Spread.of(mine[cycle].value / theirs[cycle].value for cycle in mine.keys() & theirs.keys())

    def processor_time(self, cell: str, name: str) -> tuple[float, float] | None:
        """Return the median microseconds that one operation cost the clients and the servers."""
        slices = self.kept(cell, name).values()
        if not slices:
            return None
        done = [(one, one.value * one.seconds / 1e6) for one in slices if one.value]
        return (
            statistics.median(one.client_seconds / millions for one, millions in done),
            statistics.median(one.server_seconds / millions for one, millions in done),
        )

    def numbers(self) -> dict[str, dict[str, list[Slice]]]:
        """Return every slice, by cell and arm: for the JSON file."""
        return {
            cell: {arm.name: self.slices.get((cell, arm.name), []) for arm in arms} for cell, arms in self.cells.items()
        }

    def noise(self) -> tuple[int, int]:
        """Return how many turns were taken and how many of them were disturbed."""
        slices = [one for several in self.slices.values() for one in several]
        return len(slices), sum(one.bystanders > QUIET for one in slices)

"""Tables, as text for the terminal and as Markdown for the documents, from the same rows."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.duel import Spread

ABSENT = "–"


@dataclass(frozen=True)
class Bar:
    """A bar that the project set itself, and what was reached."""

    name: str
    wanted: str
    reached: str
    met: bool | None


@dataclass(frozen=True)
class Table:
    """A titled table; ``note`` says how to read it."""

    title: str
    head: list[str]
    rows: list[list[str]]
    note: str = ""


@dataclass
class Report:
    """One run: its tables, its bars, what it ran on, and the numbers behind it."""

    name: str
    command: str
    facts: dict[str, str]
    tables: list[Table] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    numbers: dict[str, Any] = field(default_factory=dict)

    def text(self) -> str:
        parts = [_text(table) for table in self._all_tables()]
        return "\n\n".join(parts) + "\n"

    def markdown(self) -> str:
        parts = [f"<!-- Written by `{self.command} --markdown`; do not edit. -->"]
        parts += [_markdown(table) for table in self._all_tables()]
        return "\n\n".join(parts) + "\n"

    def write_json(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")

    def write_markdown(self, path: Path) -> None:
        path.write_text(self.markdown(), encoding="utf-8")

    def _all_tables(self) -> list[Table]:
        bars = [[bar.name, bar.wanted, bar.reached, _verdict(bar.met)] for bar in self.bars]
        facts = [[name, value] for name, value in {"command": self.command, **self.facts}.items()]
        return [
            *self.tables,
            Table("Bars", ["bar", "wanted", "reached", ""], bars),
            Table("Measured on", ["", ""], facts),
        ]


def rate(spread: Spread | None) -> str:
    """Write a rate: its median."""
    return ABSENT if spread is None else f"{spread.median:,.0f}"


def times(spread: Spread | None) -> str:
    """Write a ratio with its spread."""
    if spread is None:
        return ABSENT
    digits = 1 if spread.median >= 10 else 2
    return f"{spread.median:.{digits}f} ({spread.low:.{digits}f} to {spread.high:.{digits}f})"


def processor_time(used: tuple[float, float] | None) -> str:
    """Write microseconds of the clients and of the servers."""
    return ABSENT if used is None else f"{used[0]:,.0f} + {used[1]:,.0f}"


def at_least(name: str, spread: Spread | None, wanted: float) -> Bar:
    """Judge a ratio that should be high."""
    return Bar(name, f"≥ {wanted:g}", times(spread), None if spread is None else spread.median >= wanted)


def at_most(name: str, value: float | None, wanted: float, unit: str = "") -> Bar:
    """Judge a figure that should be low."""
    reached = ABSENT if value is None else f"{value:.3g}{unit}"
    return Bar(name, f"≤ {wanted:g}{unit}", reached, None if value is None else value <= wanted)


def _verdict(met: bool | None) -> str:  # noqa: FBT001 - the value is the subject
    return {True: "met", False: "NOT MET", None: "not measured"}[met]


def _text(table: Table) -> str:
    lines = [table.head, *table.rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(table.head))]
    rule = "  ".join("-" * width for width in widths)
    body = [
        "  ".join(
            _cell(text, width, name) for text, width, name in zip(line, widths, ["", *table.head[1:]], strict=True)
        )
        for line in lines
    ]
    note = [table.note] if table.note else []
    return "\n".join([f"# {table.title}", body[0].rstrip(), rule, *(line.rstrip() for line in body[1:]), *note])


def _cell(text: str, width: int, name: str) -> str:
    # A column without a name is words.
    return text.rjust(width) if name else text.ljust(width)


def _markdown(table: Table) -> str:
    def line(cells: list[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    rule = "|---|" + "---:|" * (len(table.head) - 1)
    note = ["", table.note] if table.note else []
    return "\n".join([f"### {table.title}", "", line(table.head), rule, *(line(row) for row in table.rows), *note])

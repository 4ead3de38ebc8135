"""The lines of the reckoning, each of which holds or not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any

import psycopg

Connection = psycopg.Connection[Any]
SHOWN = 3


@dataclass(frozen=True)
class Line:
    """One line of the reckoning."""

    name: str
    value: str
    holds: bool = True


def none(name: str, number: int, detail: str = "") -> Line:
    """Return a line of what there must not be."""
    return Line(name, f"{number} {detail}".strip(), holds=number == 0)


def no(name: str, found: Iterable[object]) -> Line:
    """Return a line of what there must not be, with the first of those that there are."""
    told = [str(one) for one in found]
    return none(name, len(told), "; ".join(told[:SHOWN]))


def same(name: str, told: object, *found: object, shown: object = None) -> Line:
    """Return a line of what must be the same by several accounts."""
    holds = all(one == told for one in found)
    if shown is not None and holds:
        return Line(name, _number(shown))
    detail = "" if holds else _difference(told, found)
    return Line(name, " = ".join(map(_number, (told, *found))) + detail, holds)


def number_of(connection: Connection, statement: str) -> int:
    """Return the number that a statement asks for."""
    (row,) = connection.execute(statement).fetchall()
    return int(row[0])


def pairs(connection: Connection, statement: str) -> dict[Any, Any]:
    """Return what a statement finds, by its first column; several others make a tuple."""
    rows = connection.execute(statement).fetchall()
    return {row[0]: row[1] if len(row) == 2 else row[1:] for row in rows}


def _number(value: object) -> str:
    if isinstance(value, (Mapping, Set)):
        return f"{len(value):,}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _difference(told: object, found: tuple[object, ...]) -> str:
    """Return what the accounts do not agree in, as far as it can be shown."""
    for other in found:
        if isinstance(told, Mapping) and isinstance(other, Mapping):
            keys = [key for key in {*told, *other} if told.get(key) != other.get(key)]
            shown = [f"{key}: {told.get(key)} and {other.get(key)}" for key in keys[:SHOWN]]
            if shown:
                return f" ({len(keys)} differ: {'; '.join(shown)})"
        if isinstance(told, Set) and isinstance(other, Set) and told != other:
            return (
                f" ({len(told ^ other)} differ: {'; '.join(str(one) for one in sorted(told ^ other, key=str)[:SHOWN])})"
            )
    return ""

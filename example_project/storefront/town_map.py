"""A map drawn by ourselves: a circle around a point, and what is in it. No tiles, nothing from elsewhere."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from storefront.places import HOME, PLACES, SHORES, WATER, WATER_AT

SIZE = 640
MARGIN = 44
APART = 36  # of the middles of two dots: a finger should hit the one that it means
BELOW, ABOVE = 34, -24  # where a name stands beside its place
LETTER, LINE = 9.5, 22  # as large as letters become where the map is drawn small
DOT = 16
KM_PER_DEGREE = 111.195
OUR_COAST = 1.5  # degrees around the town within which its water is worth drawing


@dataclass(frozen=True)
class Dot:
    """Something on the map, at its place on the paper."""

    number: int
    thing: Any
    x: float
    y: float


@dataclass(frozen=True)
class Label:
    """The name of a place, where there is room for it."""

    name: str
    x: float
    y: float


@dataclass(frozen=True)
class TownMap:
    """A circle of ``radius_km`` in the middle of the paper, with water, rings, dots and names."""

    dots: list[Dot]
    labels: list[Label]
    rings: list[tuple[float, str]]
    radius: float
    water: str
    sea: Label | None
    middle: float = SIZE / 2
    size: int = SIZE

    @property
    def across(self) -> float:
        """How wide the circle is."""
        return 2 * self.radius


def town_map(*, lat: float, lng: float, radius_km: float, things: Sequence[Any]) -> TownMap:
    """Return the map of a circle; what lies in it is numbered as the list beside it is."""
    radius = SIZE / 2 - MARGIN
    scale = radius / radius_km

    def place(north: float, east: float) -> tuple[float, float]:
        # Near the middle the earth is flat enough; east and west shrink with the latitude.
        across = (east - lng + 180) % 360 - 180
        x = SIZE / 2 + across * KM_PER_DEGREE * math.cos(math.radians(lat)) * scale
        return round(x, 1), round(SIZE / 2 - (north - lat) * KM_PER_DEGREE * scale, 1)

    dots = _apart([Dot(number, one, *place(one.lat, one.lng)) for number, one in enumerate(things, 1)])
    near = abs(lat - HOME.lat) < OUR_COAST and abs(lng - HOME.lng) < OUR_COAST
    sea = Label(WATER, *place(*WATER_AT)) if near else None
    names = [Label(known.name.split(",")[0], *place(known.lat, known.lng)) for known in PLACES.values()]
    rings = [(round(radius * part, 1), f"{radius_km * part:g} km") for part in (0.25, 0.5, 0.75, 1)]
    return TownMap(
        dots=dots,
        labels=_with_room(names, dots, radius),
        rings=rings,
        radius=radius,
        water="M" + "L".join(f"{x} {y}" for x, y in (place(*point) for point in SHORES)) + "Z" if near else "",
        sea=sea if sea and _from_middle(sea) < radius * 0.8 else None,
    )


def _from_middle(thing: Dot | Label) -> float:
    return math.dist((thing.x, thing.y), (SIZE / 2, SIZE / 2))


def _with_room(names: Sequence[Label], dots: Sequence[Dot], radius: float) -> list[Label]:
    """Return the names within the circle that stand over no dot and no other name: below their place, or above it."""
    shown: list[Label] = []
    for one in names:
        beside = [Label(one.name, one.x, round(one.y + way, 1)) for way in (BELOW, ABOVE)]
        if DOT * 2 < _from_middle(one) < radius:
            shown += [label for label in beside if _is_free(label, dots, shown)][:1]
    return shown


def _is_free(label: Label, dots: Sequence[Dot], names: Sequence[Label]) -> bool:
    half = len(label.name) * LETTER / 2
    over_dot = any(
        abs(dot.x - label.x) < half + DOT and abs(dot.y - label.y + LINE / 4) < DOT + LINE / 2 for dot in dots
    )
    over_name = any(
        abs(other.x - label.x) < half + len(other.name) * LETTER / 2 and abs(other.y - label.y) < LINE
        for other in names
    )
    return not over_dot and not over_name


def _apart(dots: list[Dot]) -> list[Dot]:
    """Move dots that would cover one another a little aside: in the old town all are neighbors."""
    placed: list[Dot] = []
    for dot in dots:
        x, y = dot.x, dot.y
        for turn in range(40):
            if all(math.dist((x, y), (other.x, other.y)) >= APART for other in placed):
                break
            way = turn * 0.9
            x, y = dot.x + (9 + 3 * turn) * math.cos(way), dot.y + (9 + 3 * turn) * math.sin(way)
        placed.append(Dot(dot.number, dot.thing, round(x, 1), round(y, 1)))
    return placed

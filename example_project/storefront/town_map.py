"""A map drawn by ourselves: a circle around a point, and what is in it. No tiles, nothing from elsewhere."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from storefront.places import PLACES

SIZE = 640
MARGIN = 44
APART = 36  # of the middles of two dots: a finger should hit the one that it means
KM_PER_DEGREE = 111.195


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
    """A circle of ``radius_km`` in the middle of the paper, with rings, dots and names."""

    dots: list[Dot]
    labels: list[Label]
    rings: list[tuple[float, str]]
    radius: float
    middle: float = SIZE / 2
    size: int = SIZE


def town_map(*, lat: float, lng: float, radius_km: float, things: Sequence[Any]) -> TownMap:
    """Return the map of a circle; what lies in it is numbered as the list beside it is."""
    radius = SIZE / 2 - MARGIN
    scale = radius / radius_km

    def place(north: float, east: float) -> tuple[float, float]:
        # Near the middle the earth is flat enough; east and west shrink with the latitude.
        across = (east - lng + 180) % 360 - 180
        x = SIZE / 2 + across * KM_PER_DEGREE * math.cos(math.radians(lat)) * scale
        return round(x, 1), round(SIZE / 2 - (north - lat) * KM_PER_DEGREE * scale, 1)

    dots = [Dot(number, one, *place(one.lat, one.lng)) for number, one in enumerate(things, 1)]
    labels = []
    for known in PLACES.values():
        x, y = place(known.lat, known.lng)
        here = math.dist((x, y), (SIZE / 2, SIZE / 2))
        apart = all(math.dist((x, y), (other.x, other.y)) > 46 for other in labels)
        if 30 < here < radius and apart:
            labels.append(Label(known.name.split(",")[0], x, y))
    rings = [(round(radius * part, 1), f"{radius_km * part:g} km") for part in (0.25, 0.5, 0.75, 1)]
    return TownMap(_apart(dots), labels, rings, radius)


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

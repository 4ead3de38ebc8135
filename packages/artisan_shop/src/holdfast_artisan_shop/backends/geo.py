"""Finding what is near, with two B-trees and no extension.

The rows carry their unit vector, so the database needs no trigonometry: the squared chord to a point orders as the
distance does. A box of latitudes and longitudes bounds what an index has to read; around it the ring is widened until
enough is found. That is exact, because whatever is nearer than the ring's edge lies inside the ring.
"""

from collections.abc import Iterator, Sequence
from typing import Any, cast
from uuid import UUID

from django.db.models import ExpressionWrapper, F, FloatField, Q, QuerySet, Value
from django.db.models.expressions import CombinedExpression

from holdfast_artisan_shop.backends import sphere
from holdfast_artisan_shop.models.places import unit_vector
from holdfast_artisan_shop.ports import Hit


class RingSearch:
    """Reads the nearest rows first: 1 km around, then 4, then 16, until there are enough or the radius is reached.

    Where a filter leaves few rows, it begins at ``selective_km``: small rings would be read in vain.
    """

    def __init__(self, *, first_km: float = 1.0, selective_km: float = 16.0, factor: float = 4.0) -> None:
        self._first_km, self._selective_km, self._factor = first_km, selective_km, factor

    def near(
        self,
        rows: QuerySet[Any],
        *,
        lat: float,
        lng: float,
        radius_km: float,
        limit: int,
        selective: bool = False,
        after: tuple[float, UUID] | None = None,
    ) -> Sequence[Hit]:
        """Return the nearest rows within the radius, nearest first, at most ``limit``, beyond ``after``."""
        ranked = rows.annotate(rank=_squared_chord_to(lat, lng))
        if after is not None:
            rank, row_id = after
            ranked = ranked.filter(Q(rank__gt=rank) | Q(rank=rank, pk__gt=row_id))
        ranked = ranked.order_by("rank", "pk")
        found: list[tuple[UUID, float]] = []
        for ring_km in self._rings(radius_km, selective=selective, beyond=after[0] if after else 0.0):
            inside = ranked.filter(_within(lat, lng, ring_km), rank__lte=sphere.squared_chord(ring_km))
            found = list(cast("QuerySet[Any, tuple[UUID, float]]", inside.values_list("pk", "rank")[:limit]))
            if len(found) >= limit:
                break
        return [Hit(id=row_id, distance_km=sphere.distance_km(rank), rank=rank) for row_id, rank in found]

    def _rings(self, radius_km: float, *, selective: bool, beyond: float) -> Iterator[float]:
        ring_km = self._selective_km if selective else self._first_km
        while ring_km < radius_km:
            if sphere.squared_chord(ring_km) > beyond:
                yield ring_km
            ring_km *= self._factor
        yield radius_km


def _within(lat: float, lng: float, radius_km: float) -> Q:
    condition = Q()
    for box in sphere.boxes(lat, lng, radius_km):
        condition |= Q(lat__range=(box.south, box.north), lng__range=(box.west, box.east))
    return condition


def _squared_chord_to(lat: float, lng: float) -> "ExpressionWrapper[CombinedExpression]":
    def square(name: str, value: float) -> CombinedExpression:
        difference = F(name) - Value(value, output_field=FloatField())
        return difference * difference

    x, y, z = unit_vector(lat, lng)
    return ExpressionWrapper(square("x", x) + square("y", y) + square("z", z), output_field=FloatField())

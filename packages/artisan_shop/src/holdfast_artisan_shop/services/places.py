"""Places: what is one, and how far apart two are."""

import math

from holdfast_artisan_shop.backends import sphere
from holdfast_artisan_shop.exceptions import LocationInvalid
from holdfast_artisan_shop.models.places import unit_vector


def check_location(lat: float, lng: float) -> None:
    """Raise ``LocationInvalid`` unless the point is on the globe; NaN is nowhere."""
    if not (-90 <= lat <= 90 and -180 <= lng <= 180):
        raise LocationInvalid(lat=str(lat)[:40], lng=str(lng)[:40])


def distance_km(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the distance of two points over the ground: by the chord, which is exact for near ones too."""
    return sphere.distance_km(math.dist(unit_vector(*one), unit_vector(*other)) ** 2)

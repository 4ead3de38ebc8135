"""Geometry of the sphere: which latitudes and longitudes a circle lies in, and what its radius is as a chord."""

import math
from dataclasses import dataclass

EARTH_RADIUS_KM = 6371.0088
HALF_WAY_KM = math.pi * EARTH_RADIUS_KM
# What rounding may cost, in degrees: a tenth of a millimeter. The chord decides; the box only must not lose a point.
_MARGIN = 1e-9


@dataclass(frozen=True)
class Box:
    """All points of some latitudes and longitudes, in degrees; the edges are in it."""

    south: float
    north: float
    west: float
    east: float

    def holds(self, lat: float, lng: float) -> bool:
        """Say whether a point is in it."""
        return self.south <= lat <= self.north and self.west <= lng <= self.east


def boxes(lat: float, lng: float, radius_km: float) -> list[Box]:
    """Return the smallest boxes that together hold all points within the radius: two where they cross 180 degrees.

    The usual ``radius / cos(latitude)`` is too narrow towards the poles, and knows nothing of the other side of the
    antimeridian. The widest place of a circle is not at its middle but nearer to the pole.
    """
    angle = radius_km / EARTH_RADIUS_KM
    reach = math.degrees(angle)
    south, north = max(lat - reach - _MARGIN, -90.0), min(lat + reach + _MARGIN, 90.0)
    if lat - reach - _MARGIN <= -90 or lat + reach + _MARGIN >= 90:
        return [Box(south, north, -180.0, 180.0)]  # a pole is inside, and all longitudes meet there
    half = math.degrees(math.asin(min(math.sin(angle) / math.cos(math.radians(lat)), 1.0))) + _MARGIN
    west, east = lng - half, lng + half
    if west < -180:
        return [Box(south, north, -180.0, east), Box(south, north, west + 360, 180.0)]
    if east > 180:
        return [Box(south, north, west, 180.0), Box(south, north, -180.0, east - 360)]
    return [Box(south, north, west, east)]


def squared_chord(radius_km: float) -> float:
    """Return the square of the straight line through the unit sphere that spans a distance over the ground."""
    return (2 * math.sin(min(radius_km / EARTH_RADIUS_KM, math.pi) / 2)) ** 2


def distance_km(squared: float) -> float:
    """Return the distance over the ground that a squared chord spans."""
    return 2 * EARTH_RADIUS_KM * math.asin(min(math.sqrt(squared) / 2, 1.0))

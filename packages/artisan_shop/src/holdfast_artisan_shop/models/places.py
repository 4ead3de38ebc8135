"""Where things are: a point on the sphere, in degrees and as a unit vector."""

import math

from django.db import models
from django.db.models import Q


class Place(models.Model):
    """A row that can be found near a point.

    The unit vector spares the database all trigonometry: the squared chord between two points orders as their distance
    does. It is filled whenever the location is.
    """

    lat = models.FloatField("latitude")
    lng = models.FloatField("longitude")
    x = models.FloatField(editable=False)
    y = models.FloatField(editable=False)
    z = models.FloatField(editable=False)

    class Meta:
        abstract = True

    def put_at(self, lat: float, lng: float) -> None:
        """Set the location, in both forms, without saving it."""
        self.lat, self.lng = lat, lng
        self.x, self.y, self.z = unit_vector(lat, lng)


def unit_vector(lat: float, lng: float) -> tuple[float, float, float]:
    """Return the point on the unit sphere."""
    north, east = math.radians(lat), math.radians(lng)
    return math.cos(north) * math.cos(east), math.cos(north) * math.sin(east), math.sin(north)


def on_the_globe(name: str) -> models.CheckConstraint:
    """Return the constraint that a latitude and a longitude are such."""
    return models.CheckConstraint(condition=Q(lat__range=(-90, 90), lng__range=(-180, 180)), name=name)

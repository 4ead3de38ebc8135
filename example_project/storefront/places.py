"""The places of the demo's town, so that nobody has to know coordinates; a host would ask his geocoder."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """Somewhere that people know by name."""

    slug: str
    name: str
    lat: float
    lng: float


PLACES = {
    place.slug: place
    for place in (
        Place("harbor", "Honfleur, old harbor", 49.4189, 0.2333),
        Place("upper-town", "Honfleur, upper town", 49.4152, 0.2304),
        Place("riviere", "La Rivière-Saint-Sauveur", 49.4083, 0.2692),
        Place("equemauville", "Équemauville", 49.3953, 0.2069),
        Place("pennedepie", "Pennedepie", 49.4107, 0.1666),
        Place("villerville", "Villerville", 49.3998, 0.1280),
        Place("trouville", "Trouville-sur-Mer", 49.3664, 0.0800),
        Place("beuzeville", "Beuzeville", 49.3447, 0.3443),
        Place("pont-l-eveque", "Pont-l'Évêque", 49.2863, 0.1876),
    )
}
HOME = PLACES["harbor"]
TIME_ZONE = "Europe/Paris"
"""The clock that all of them go by."""

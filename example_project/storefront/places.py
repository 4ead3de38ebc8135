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

WATER = "The Seine"
WATER_AT = (49.4375, 0.2330)
SHORES = (
    # Along the coast of flowers from the open sea to the river, and back along its other bank.
    *((49.290, -0.600), (49.295, -0.120), (49.305, -0.080), (49.338, 0.026), (49.362, 0.060), (49.372, 0.079)),
    *((49.388, 0.104), (49.4025, 0.126), (49.4075, 0.143), (49.4165, 0.166), (49.4235, 0.196), (49.4225, 0.2135)),
    *((49.4262, 0.228), (49.4275, 0.238), (49.4255, 0.250), (49.4275, 0.2745), (49.429, 0.300), (49.434, 0.340)),
    *((49.4395, 0.370), (49.444, 0.400), (49.470, 0.500), (49.476, 0.530), (49.480, 0.527), (49.474, 0.470)),
    *((49.452, 0.400), (49.443, 0.330), (49.442, 0.274), (49.448, 0.230), (49.457, 0.180), (49.468, 0.130)),
    *((49.483, 0.095), (49.495, 0.085), (49.512, 0.066), (49.560, 0.085), (49.660, 0.170), (49.720, -0.600)),
)
"""Where the water is, by hand: enough to know where one is, and not to sail by."""

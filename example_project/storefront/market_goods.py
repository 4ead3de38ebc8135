"""The market of the demo: who sells what, and where; the places are real ones, the shops are not."""

from dataclasses import dataclass, field

TOWN = (49.4189, 0.2333)
"""The old harbor of Honfleur."""


@dataclass(frozen=True)
class Good:
    """Something that a shop sells; ``options`` are its variants: what to choose, the words, and what each adds.

    ``stock`` is of each variant; ``None``: it is made when it is ordered, in ``days``.
    """

    name: str
    category: str
    price: str
    description: str
    stock: int | None = 12
    options: tuple[str, tuple[tuple[str, str], ...]] = ("", ())
    days: int = 0


@dataclass(frozen=True)
class Stall:
    """A shop, where it is, and what it is called in customers' notes of before (``wares``: note to product)."""

    owner: str
    name: str
    address: str
    lat: float
    lng: float
    radius_km: float | None
    description: str
    goods: tuple[Good, ...]
    wares: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Neighbor:
    """Somebody who makes things, too."""

    username: str
    first_name: str
    last_name: str


NEIGHBORS = [
    Neighbor("maya", "Maya", "Lefèvre"),
    Neighbor("noah", "Noah", "Brandt"),
    Neighbor("oda", "Oda", "Nilsen"),
    Neighbor("paul", "Paul", "Marchand"),
    Neighbor("rosa", "Rosa", "Ortega"),
    Neighbor("sven", "Sven", "Aalto"),
]
"""The artisans who came to the market after those who are in the town's ledger from its first day."""

TREE: dict[str, tuple[str, ...]] = {
    "Ceramics": ("Bowls", "Jugs and cups", "Vases"),
    "Food": ("Bread", "Cakes", "Cheese", "Honey"),
    "Textiles": ("Blankets", "Kitchen linen"),
    "Paper": ("Notebooks", "Bookbinding"),
    "Glass": ("Tumblers", "Lamps"),
    "Music": ("Strings", "Lessons"),
    "Leather": ("Bags", "Belts"),
    "Wood": ("Kitchen wood", "Stools"),
    "Home": ("Candles", "Soap"),
    "Metal": ("Knives", "Jewelry"),
}

_BLUES = ("Glaze", (("sea blue", "0"), ("oatmeal", "0"), ("iron black", "4.00")))

STALLS = [
    Stall(
        "greta",
        "Holm Stoneware",
        "14 Rue Haute, Honfleur",
        49.4213,
        0.2318,
        12,
        "Stoneware for the table, thrown on the wheel and fired in a gas kiln behind the harbor. Every piece is a "
        "little different, and all of them go into the dishwasher.",
        (
            Good("Tea bowl", "Bowls", "24.00", "Holds two deciliters, warm in both hands. Foot left bare.", 14, _BLUES),
            Good("Six tea bowls", "Bowls", "84.00", "Six of one firing, packed in straw.", 6),
            Good("Serving bowl, wide", "Bowls", "58.00", "Thirty centimeters across: a salad for six.", 5),
            Good("Stoneware jug", "Jugs and cups", "48.00", "One liter, pours without a drop.", 8, _BLUES),
            Good("Cup without a handle", "Jugs and cups", "16.00", "For coffee, or for a small plant.", 22),
            Good("Small vase", "Vases", "24.00", "For three stems from the garden.", 3),
            Good(
                "Tall vase, to order", "Vases", "110.00", "Thrown in two parts, up to fifty centimeters.", None, days=21
            ),
        ),
        {"Stoneware jug": "Stoneware jug", "Six tea bowls": "Six tea bowls", "Small vase": "Small vase"},
    ),
    Stall(
        "hugo",
        "Ferrand, Baker",
        "3 Place Hamelin, Honfleur",
        49.4206,
        0.2331,
        6,
        "Bread out of a wood-fired oven from four in the morning. Flour from the mill at Beuzeville.",
        (
            Good("Rye loaf", "Bread", "5.80", "One kilo, four days old at its best.", 30),
            Good("Bread and a brioche", "Bread", "11.50", "A country loaf and a butter brioche.", 18),
            Good("Walnut bread", "Bread", "6.90", "With walnuts from Pont-l'Évêque.", 12),
            Good("Birthday cake", "Cakes", "38.00", "Almond sponge, raspberries, your words on it.", None, days=2),
            Good("Apple tart", "Cakes", "19.50", "Thin, with a glaze of the town's own cider.", 4),
        ),
        {
            "Bread and a brioche": "Bread and a brioche",
            "Birthday cake": "Birthday cake",
            "Rye loaf": "Rye loaf",
        },
    ),
    Stall(
        "ines",
        "Duarte Weaving",
        "22 Rue de la République, Honfleur",
        49.4168,
        0.2352,
        20,
        "Two looms in a former sail loft. Wool from sheep that one can visit, linen from fields along the Seine.",
        (
            Good(
                "Wool throw",
                "Blankets",
                "112.00",
                "140 by 190 centimeters, washed twice until it is soft.",
                6,
                ("Color", (("green", "0"), ("undyed", "0"), ("rust", "6.00"))),
            ),
            Good("Cradle blanket", "Blankets", "64.00", "Lambswool, a meter square.", 4),
            Good("Tea towels", "Kitchen linen", "26.00", "Two of half-linen. They dry.", 24),
            Good("Table runner", "Kitchen linen", "49.00", "Linen, to the length of your table.", None, days=14),
        ),
        {"Wool throw": "Wool throw", "Tea towels": "Tea towels"},
    ),
    Stall(
        "jonas",
        "Weber Bindery",
        "8 Rue du Puits, Honfleur",
        49.4187,
        0.2301,
        30,
        "Books are bound, and mended, by hand: sewn on tapes, glued with paste that will still come off in two "
        "hundred years.",
        (
            Good(
                "Notebook, bound by hand",
                "Notebooks",
                "29.00",
                "160 pages that lie flat.",
                16,
                ("Pages", (("plain", "0"), ("dotted", "0"), ("lined", "0"))),
            ),
            Good("Photo album", "Notebooks", "54.00", "Forty leaves with tissue between.", 5),
            Good("Guest book", "Notebooks", "62.00", "Half linen, your name on it in gold.", None, days=10),
            Good("Repair of an atlas", "Bookbinding", "85.00", "New spine, old boards.", None, days=28),
        ),
        {"Notebook, bound by hand": "Notebook, bound by hand", "Repair of an atlas": "Repair of an atlas"},
    ),
    Stall(
        "kira",
        "Novak Glass",
        "Route de Rouen, La Rivière-Saint-Sauveur",
        49.4083,
        0.2692,
        25,
        "Blown glass, clear and colored. One may watch on Thursdays.",
        (
            Good(
                "Two tumblers",
                "Tumblers",
                "36.00",
                "No two alike, and hard to knock over.",
                10,
                ("Color", (("clear", "0"), ("smoke", "0"), ("sea green", "4.00"))),
            ),
            Good("Carafe", "Tumblers", "52.00", "A liter of water, or most of a bottle.", 7),
            Good("Lamp shade, blown", "Lamps", "128.00", "Opal over clear, with its brass fitting.", 2),
            Good("Oil lamp", "Lamps", "39.00", "Burns for eleven hours.", 9),
        ),
        {"Two tumblers": "Two tumblers", "Lamp shade, blown": "Lamp shade, blown"},
    ),
    Stall(
        "luca",
        "Bianchi Guitars",
        "Le Bourg, Équemauville",
        49.3953,
        0.2069,
        None,
        "Guitars are built, set up and consoled. Bring yours, or play one of mine.",
        (
            Good("New strings, setting up", "Strings", "48.00", "Leave it in the morning, play it at night.", None),
            Good("Strap of oak-tanned leather", "Strings", "42.00", "Made with Noah next door.", 6),
            Good("Ukulele class", "Lessons", "20.00", "An hour, four people, four ukuleles.", None, days=3),
        ),
        {"New strings, setting up": "New strings, setting up", "Ukulele class": "Ukulele class"},
    ),
    Stall(
        "maya",
        "Lefèvre Dairy",
        "Chemin des Prés, Pont-l'Évêque",
        49.2863,
        0.1876,
        25,
        "Forty cows, each with a name. Cheese from raw milk, ripened in the cellar under the house.",
        (
            Good("Washed-rind square", "Cheese", "9.80", "Four hundred grams, six weeks old.", 26),
            Good("Farm butter, salted", "Cheese", "5.20", "A quarter of a kilo in paper.", 2),
            Good("Cheese board for four", "Cheese", "28.00", "Three cheeses, a pear, a note on each.", 8),
        ),
    ),
    Stall(
        "noah",
        "Brandt Leather",
        "5 Route de Deauville, Équemauville",
        49.3941,
        0.2043,
        None,
        "Vegetable-tanned leather, saddle stitch, edges burnished by hand. Repairs for life.",
        (
            Good(
                "Satchel",
                "Bags",
                "210.00",
                "For a laptop and lunch. It will outlive both.",
                4,
                ("Leather", (("cognac", "0"), ("black", "0"))),
            ),
            Good("Belt", "Belts", "58.00", "Cut to your measure.", None, days=5),
            Good("Key fob", "Belts", "14.00", "From what is left of the satchels.", 40),
        ),
    ),
    Stall(
        "oda",
        "Nilsen Bees and Wax",
        "Rue du Phare, Pennedepie",
        49.4107,
        0.1666,
        15,
        "Sixty hives between the marsh and the orchards, and everything that comes out of them.",
        (
            Good("Orchard honey", "Honey", "8.90", "Half a kilo, apple blossom and clover.", 34),
            Good("Marsh honey", "Honey", "11.20", "Dark, a little salty. There is not much of it.", 3),
            Good("Four beeswax candles", "Candles", "18.00", "They burn for nine hours each.", 15),
            Good("Oat and honey soap", "Soap", "6.50", "Cured for two months.", 28),
        ),
    ),
    Stall(
        "paul",
        "Marchand, Turner",
        "Rue Foch, Villerville",
        49.3998,
        0.1280,
        15,
        "Beech, ash and pear from the storms of the last years, turned green and dried on the shelf.",
        (
            Good("Pear-wood bowl", "Bowls", "46.00", "Oiled with linseed. For nuts, keys, or nothing.", 5),
            Good("Chopping board", "Kitchen wood", "39.00", "End grain: kind to knives.", 9),
            Good("Three spoons", "Kitchen wood", "21.00", "To stir, to taste, to serve.", 17),
            Good("Three-legged stool", "Stools", "145.00", "Stands on every floor.", None, days=30),
        ),
    ),
    Stall(
        "rosa",
        "Ortega Silver",
        "11 Rue des Bains, Trouville-sur-Mer",
        49.3664,
        0.0800,
        None,
        "Silver that was something else before: spoons, coins, a trumpet once.",
        (
            Good(
                "Hammered ring",
                "Jewelry",
                "72.00",
                "Recycled silver, matte.",
                6,
                ("Size", (("52", "0"), ("54", "0"), ("56", "0"), ("58", "0"))),
            ),
            Good("Tide earrings", "Jewelry", "64.00", "Two curves that almost meet.", 5),
            Good("Wedding rings, a pair", "Jewelry", "480.00", "After an evening of talking.", None, days=40),
        ),
    ),
    Stall(
        "sven",
        "Aalto Forge",
        "Zone du Mieux, Beuzeville",
        49.3447,
        0.3443,
        30,
        "Kitchen knives, forged and sharpened. Old ones are welcome on the first Saturday of each month.",
        (
            Good("Paring knife", "Knives", "69.00", "Nine centimeters of carbon steel, plum-wood handle.", 7),
            Good("Chef's knife", "Knives", "165.00", "Twenty-one centimeters. Sharp for months.", 3),
            Good("Sharpening, three knives", "Knives", "18.00", "Ready the same day.", None),
        ),
    ),
]

REVIEWS = [
    (5, "Exactly what I hoped for. I drink from it every morning."),
    (5, "Beautifully made, and packed with care."),
    (4, "Lovely piece. A little smaller than I had imagined."),
    (5, "My second one. The first is still perfect."),
    (4, "Came on the day that was promised; the color is a shade darker than in my head."),
    (3, "Good, though I waited longer than I thought."),
    (5, "A present, and the best one of the evening."),
]

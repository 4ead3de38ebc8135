"""The chapter of the demo about the catalog: what the workshops buy, who changes it, and what visitors look at.

Told through the public verbs only. They know no past, so that afterwards what they wrote is dated back.
"""

import datetime as dt
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.db import transaction
from django.utils import timezone

from holdfast.money import Money
from holdfast_catalog_notify import selectors, services
from holdfast_catalog_notify.states import Door, Mode, ViewKind
from people import services as people_services
from people.models import User
from storefront import mailbox
from storefront.demo import ADMIN, PASSWORD

DAYS = 60
LABEL = "holdfast_catalog_notify"
# What was told within the last days is still unread.
UNREAD_DAYS = 3
# What they were mailed before, they threw away.
KEPT_MAILS = 7


@dataclass(frozen=True)
class Admin:
    """Somebody who keeps the catalog."""

    username: str
    first_name: str
    last_name: str


ADMINS = [Admin("mara", "Mara", "Quist"), Admin("theo", "Theo", "Brandt"), Admin("yuki", "Yuki", "Arai")]
CATEGORIES = {
    "clay": "Clay and glaze",
    "yarn": "Yarn and fiber",
    "paper": "Paper and binding",
    "glass": "Glass",
    "wood": "Tonewood and strings",
    "flour": "Flour and grain",
    "tool": "Hand tools",
    "pack": "Packaging",
}
# Category, brand, SKU, name, price, and what is said of it.
GOODS = [
    ("clay", "Quay Clay", "QC-100", "Stoneware clay, buff, 10 kg", "14.90", "Fires to 1,240 °C. Soft, with fine grog."),
    ("clay", "Quay Clay", "QC-110", "Stoneware clay, black, 10 kg", "19.80", "Stays black up to 1,200 °C."),
    ("clay", "Quay Clay", "QC-120", "Porcelain, casting slip, 5 l", "22.40", "Pours thin, releases after an hour."),
    ("clay", "Quay Clay", "QC-130", "Earthenware, red, 12 kg", "11.60", "From the pit behind the ferry."),
    ("clay", "Nordglaze", "NG-201", "Celadon glaze, 1 kg", "18.50", "Sea green over white, blue over black."),
    ("clay", "Nordglaze", "NG-202", "Tenmoku glaze, 1 kg", "17.90", "Breaks to rust at the edges."),
    ("clay", "Nordglaze", "NG-203", "Clear glaze, matt, 1 kg", "15.20", "Food safe. Brush or dip."),
    ("clay", "Nordglaze", "NG-210", "Underglaze pencils, six", "26.00", "For lines that stay lines."),
    ("yarn", "Weft & Warp", "WW-301", "Merino, undyed, 200 g", "12.80", "Two-ply, from three farms in the hills."),
    ("yarn", "Weft & Warp", "WW-302", "Merino, indigo, 200 g", "16.40", "Dyed by hand; each lot is its own."),
    ("yarn", "Weft & Warp", "WW-310", "Linen warp, 500 g", "21.50", "Wet-spun, does not fray under the beater."),
    ("yarn", "Weft & Warp", "WW-315", "Cotton string, 1 kg", "9.90", "For selvages, parcels and everything else."),
    ("yarn", "Weft & Warp", "WW-320", "Shuttle, pear wood", "34.00", "Takes two bobbins, glides by itself."),
    ("yarn", "Weft & Warp", "WW-330", "Natural dyes, five tins", "38.00", "Madder, weld, indigo, walnut, cochineal."),
    ("paper", "Lind Papers", "LP-401", "Cover board, 2 mm, 20 sheets", "18.90", "Gray board that does not warp."),
    ("paper", "Lind Papers", "LP-402", "Book cloth, sea blue, 1 m", "13.50", "Paper-backed, takes foil well."),
    ("paper", "Lind Papers", "LP-403", "Text paper, ivory, 500 sheets", "29.80", "90 g, long grain, opens flat."),
    ("paper", "Lind Papers", "LP-410", "Linen thread, waxed, 100 m", "7.40", "Sews forty books."),
    ("paper", "Lind Papers", "LP-411", "Marbled paper, ten sheets", "24.00", "No two alike."),
    ("paper", "Lind Papers", "LP-420", "Bookbinder’s glue, 1 kg", "16.80", "Dries clear, stays flexible."),
    ("glass", "Lumen", "LU-501", "Clear rods, 7 mm, 1 kg", "27.50", "Soft glass, expansion 104."),
    ("glass", "Lumen", "LU-502", "Colored rods, mixed, 1 kg", "36.90", "Twelve colors that go together."),
    ("glass", "Lumen", "LU-503", "Frit, amber, 500 g", "14.20", "Medium grain, for rolling on."),
    ("glass", "Lumen", "LU-510", "Window glass, antique, sheet", "42.00", "With the bubbles of 1920."),
    ("glass", "Lumen", "LU-515", "Copper foil, 5.6 mm", "8.60", "Black backed, 33 m."),
    ("glass", "Lumen", "LU-520", "Jacks, steel, 24 cm", "89.00", "Waxed, for the neck of a jug."),
    ("wood", "Ría Tonewoods", "RT-601", "Spruce top, bookmatched", "58.00", "Alpine, dried for eleven years."),
    ("wood", "Ría Tonewoods", "RT-602", "Koa back and sides", "124.00", "For a tenor. Curly, from a fallen tree."),
    ("wood", "Ría Tonewoods", "RT-603", "Ebony fingerboard blank", "31.00", "Quartersawn, certified."),
    ("wood", "Ría Tonewoods", "RT-610", "Strings, ukulele, set", "8.90", "Fluorocarbon, low G."),
    ("wood", "Ría Tonewoods", "RT-611", "Strings, guitar, set", "12.40", "Medium tension, silver wound."),
    (
        "wood",
        "Ría Tonewoods",
        "RT-620",
        "Tuning pegs, geared, four",
        "46.00",
        "Look like friction pegs, hold like gears.",
    ),
    ("flour", "Hearth & Mill", "HM-701", "Wheat flour, strong, 25 kg", "28.50", "13 % protein, stone milled."),
    ("flour", "Hearth & Mill", "HM-702", "Rye flour, dark, 25 kg", "24.90", "For loaves that keep a week."),
    ("flour", "Hearth & Mill", "HM-703", "Spelt, whole, 10 kg", "19.70", "This year’s, from the island."),
    ("flour", "Hearth & Mill", "HM-710", "Malt, roasted, 1 kg", "6.80", "Color and crust."),
    ("flour", "Hearth & Mill", "HM-711", "Sea salt, coarse, 5 kg", "9.40", "From the pans at the point."),
    ("flour", "Hearth & Mill", "HM-720", "Proofing baskets, five", "37.50", "Rattan, for one kilogram each."),
    ("tool", "Ferro", "FE-801", "Loop tools, set of six", "32.00", "Spring steel, beech handles."),
    ("tool", "Ferro", "FE-802", "Bone folder, 15 cm", "9.80", "Polished, for creases that last."),
    ("tool", "Ferro", "FE-803", "Block plane", "74.00", "Low angle, for end grain and tops."),
    ("tool", "Ferro", "FE-804", "Awl, pear handle", "13.20", "Thin enough for two sheets, strong for twenty."),
    ("tool", "Ferro", "FE-805", "Dough scraper, steel", "7.90", "Flexible, with a rounded back."),
    ("tool", "Ferro", "FE-806", "Glass cutter, oil fed", "24.60", "Six wheels in one life."),
    ("tool", "Ferro", "FE-807", "Weaver’s scissors", "21.00", "Blunt tips, to snip at the loom."),
    ("tool", "Ferro", "FE-810", "Sharpening stone, 1000/6000", "48.00", "Water stone, in a tray."),
    ("pack", "Harbor Pack", "HP-901", "Boxes, small, fifty", "22.50", "For a cup. Recycled, printed with a wave."),
    ("pack", "Harbor Pack", "HP-902", "Boxes, large, twenty", "26.80", "For a jug, with room for straw."),
    ("pack", "Harbor Pack", "HP-903", "Tissue paper, 480 sheets", "11.90", "Acid free, white."),
    ("pack", "Harbor Pack", "HP-904", "Honeycomb wrap, 100 m", "31.00", "Instead of bubbles."),
    ("pack", "Harbor Pack", "HP-905", "Labels, thank you, 500", "8.40", "Kraft, round."),
    ("pack", "Harbor Pack", "HP-910", "Twine, tarred, 200 m", "12.70", "Smells of boats."),
]


@dataclass(frozen=True)
class Step:
    """What one admin did so many days ago, within one change set."""

    days_ago: float
    who: str
    do: Callable[["Story"], None]


@dataclass
class Story:
    """One telling."""

    now: dt.datetime = field(default_factory=timezone.now)
    chance: random.Random = field(default_factory=lambda: random.Random(20_261_120))  # noqa: S311 - no secret
    admins: dict[str, User] = field(default_factory=dict)
    products: dict[str, Any] = field(default_factory=dict)
    brands: dict[str, Any] = field(default_factory=dict)
    categories: dict[str, Any] = field(default_factory=dict)

    def tell(self) -> None:
        """Tell all of it: what was changed is one transaction, and what was told and seen comes after its commit."""
        with transaction.atomic():
            self._gather()
            for step in STEPS:
                self._act(step)
        self._be_looked_at()
        while services.roll_up_views():
            pass
        services.Worker().run()
        self._read()
        mailbox.empty(but=KEPT_MAILS)

    def change(self, sku: str, **values: Any) -> None:
        """Change a product."""
        if "price" in values:
            values["price"] = Money(values["price"], "EUR")
        services.change_product(product_id=self.products[sku].pk, **values)

    def add(self, *rows: tuple[str, str, str, str, str, str]) -> None:
        """Put goods into the catalog, mixed as they come from a warehouse."""
        for category, brand, sku, name, price, description in self.chance.sample(rows, len(rows)):
            self.products[sku] = services.create_product(
                sku=sku,
                name=name,
                price=Money(price, "EUR"),
                brand_id=self.brands[brand].pk,
                category_id=self.categories[category].pk,
                description=description,
            )

    def raise_prices(self, percent: str, brand: str) -> None:
        """Raise a brand's prices."""
        services.change_prices(percent=Decimal(percent), brand_id=self.brands[brand].pk)

    def delete(self, sku: str) -> None:
        """Take a product out of the catalog."""
        services.delete_product(product_id=self.products.pop(sku).pk)

    def _gather(self) -> None:
        self.admins[ADMIN] = keeper = User.objects.get(username=ADMIN)
        for one in ADMINS:
            user = services.create_admin(
                actor_id=keeper.pk, username=one.username, email=f"{one.username}@example.org", password=PASSWORD
            )
            self.admins[one.username] = people_services.change_profile(
                user_id=user.pk, email=user.email, first_name=one.first_name, last_name=one.last_name
            )
        self.categories = {key: services.create_category(name=name) for key, name in CATEGORIES.items()}
        self.brands = {name: services.create_brand(name=name) for name in dict.fromkeys(row[1] for row in GOODS)}
        services.choose_channel(user_id=self.admins["theo"].pk, channel="email", mode=Mode.DIGEST)
        services.mute_brand(user_id=self.admins["yuki"].pk, brand_id=self.brands["Harbor Pack"].pk)

    def _act(self, step: Step) -> None:
        door = Door.IMPORT if step is STEPS[0] else Door.ADMIN
        actor = self.admins[step.who]
        with services.change_set(actor_id=actor.pk, door=door):
            step.do(self)
        change_set_id = selectors.changes_of(actor_id=actor.pk)[0].change_set_id
        services.notify_admins(change_set_id=change_set_id)
        self._date_back(change_set_id, self.now - dt.timedelta(days=step.days_ago))

    def _date_back(self, change_set_id: Any, at: dt.datetime) -> None:
        _rows("ChangeSet", pk=change_set_id).update(at=at)
        changes = selectors.changes_of(change_set_id=change_set_id)
        created = [change.product_id for change in changes if change.action == "created"]
        _rows("Product", pk__in=created).update(created_at=at)
        _rows("Product", pk__in=[change.product_id for change in changes]).update(updated_at=at)

    def _be_looked_at(self) -> None:
        """Tell of visitors: more by day than by night, more at the end of a week, and each week a few more."""
        products = list(selectors.products().order_by("sku"))
        liking = [1 / (rank + 3) ** 0.8 for rank in range(len(products))]
        self.chance.shuffle(liking)
        for moments in self._days():
            # The first one leaves the day's secret behind, which all within a transaction would look up again.
            for some in (moments[:1], moments[1:]):
                with transaction.atomic():
                    for at in some:
                        self._look(
                            at, [pair for pair in zip(products, liking, strict=True) if pair[0].created_at <= at]
                        )

    def _look(self, at: dt.datetime, known: list[tuple[Any, float]]) -> None:
        if not known:
            return
        found, weights = zip(*known, strict=True)
        is_bot, meta = self._visitor()
        if self.chance.random() < 0.22:
            page = self.chance.sample(found, min(24, len(found)))
            services.record_views(kind=ViewKind.LISTED, product_ids=[one.pk for one in page], meta=meta, at=at)
            return
        (product,) = self.chance.choices(found, weights)
        for _look in range(1 if is_bot else self.chance.choice((1, 1, 1, 2))):
            services.record_views(kind=ViewKind.RETRIEVED, product_ids=[product.pk], meta=meta, at=at)

    def _visitor(self) -> tuple[bool, dict[str, str]]:
        is_bot = self.chance.random() < 0.09
        agent = "Mozilla/5.0 (compatible; Googlebot/2.1)" if is_bot else "Mozilla/5.0 (X11; Linux x86_64)"
        # 192.0.2.0/24 belongs to nobody: it is for examples.
        return is_bot, {"HTTP_USER_AGENT": agent, "REMOTE_ADDR": f"192.0.2.{self.chance.randrange(1, 255)}"}

    def _days(self) -> Iterator[list[dt.datetime]]:
        for day in range(DAYS, -1, -1):
            date = (self.now - dt.timedelta(days=day)).replace(minute=0, second=0, microsecond=0)
            busy = (1.0, 0.95, 1.0, 1.1, 1.25, 1.6, 1.35)[date.weekday()]
            visits = int(busy * (14 + 0.2 * (DAYS - day)) * self.chance.uniform(0.8, 1.2))
            hours = self.chance.choices(range(24), HOURS, k=visits)
            moments = [date.replace(hour=hour) + dt.timedelta(seconds=self.chance.randrange(3600)) for hour in hours]
            yield sorted(at for at in moments if at < self.now)

    def _read(self) -> None:
        """Date back what was told, and have read what is old."""
        since = self.now - dt.timedelta(days=UNREAD_DAYS)
        told = list(_rows("Delivery", sent_at__isnull=False).select_related("change_set"))
        for delivery in told:
            delivery.created_at = delivery.change_set.at
            delivery.sent_at = delivery.change_set.at + dt.timedelta(seconds=self.chance.uniform(0.4, 3))
            if delivery.channel == "inbox" and delivery.change_set.at < since:
                delivery.read_at = delivery.sent_at + dt.timedelta(hours=self.chance.uniform(0.2, 20))
        apps.get_model(LABEL, "Delivery").objects.bulk_update(told, ["created_at", "sent_at", "read_at"])


# How the day goes: few at night, most after work.
HOURS = (2, 1, 1, 1, 1, 2, 4, 7, 10, 12, 13, 12, 14, 12, 11, 11, 12, 14, 17, 20, 22, 18, 11, 5)
_LATER = {"LU-510", "RT-620", "WW-330", "HP-904", "FE-810"}
_BY_SKU = {row[2]: row for row in GOODS}
_HOLIDAY = ("pack", "Harbor Pack", "HP-999", "Gift wrap, holiday, 50 m", "19.90", "Silver fish on blue.")

STEPS = [
    Step(58.3, "mara", lambda story: story.add(*(row for row in GOODS if row[2] not in _LATER))),
    Step(51.9, "theo", lambda story: story.change("QC-110", price="20.90")),
    Step(47.2, "yuki", lambda story: story.add(_BY_SKU["LU-510"], _BY_SKU["WW-330"])),
    Step(44.6, ADMIN, lambda story: story.raise_prices("4", "Hearth & Mill")),
    Step(40.1, "mara", lambda story: story.change("LP-402", name="Book cloth, harbor blue, 1 m")),
    Step(36.8, "theo", lambda story: story.change("RT-602", price="131.00")),
    Step(33.4, "mara", lambda story: story.add(_BY_SKU["HP-904"], _HOLIDAY)),
    Step(29.7, "yuki", lambda story: story.change("NG-201", price="17.20", description="Sea green over white clay.")),
    Step(26.2, ADMIN, lambda story: story.change("HM-703", active=False)),
    Step(21.5, "theo", lambda story: story.raise_prices("-5", "Lumen")),
    Step(17.3, "mara", lambda story: story.add(_BY_SKU["RT-620"], _BY_SKU["FE-810"])),
    Step(12.8, "yuki", lambda story: story.change("QC-100", price="15.60")),
    Step(9.1, "theo", lambda story: story.delete("HP-999")),
    Step(6.4, ADMIN, lambda story: story.change("QC-110", price="19.50")),
    Step(2.6, "mara", lambda story: story.change("WW-302", price="17.80")),
    Step(1.3, "theo", lambda story: story.change("LU-502", price="33.90", name="Colored rods, twelve, 1 kg")),
    Step(0.15, "yuki", lambda story: story.change("QC-120", price="23.90")),
]


def is_told() -> bool:
    """Tell whether the chapter is in this database."""
    return selectors.brands().exists()


def tell() -> None:
    """Tell it."""
    Story().tell()


def _rows(model: str, **filters: Any) -> Any:
    # Not by its name in Python: the tables are the domain's own, and only a story may turn back its clock.
    return apps.get_model(LABEL, model).objects.filter(**filters)

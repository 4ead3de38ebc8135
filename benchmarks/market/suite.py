"""What is measured of the marketplace, and the bars that it is held to. What reads is a function in ``READING``."""

from __future__ import annotations

import datetime as dt
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from benchmarks import django_host, report
from benchmarks.machine import Watch
from benchmarks.market import gis, orders, town
from benchmarks.report import Bar, Report, Table
from benchmarks.servers import Postgres
from benchmarks.wallet.reading import DatabaseTime

Say = Callable[[str], None]
LIMIT = 20
RADII = (10.0, 50.0, 200.0)
YEAR = (dt.date(2025, 11, 2), dt.date(2026, 11, 1))


@dataclass(frozen=True)
class Options:
    """How much, and how often."""

    products: int
    lines: int
    times: int
    cycles: int
    seconds: float
    parts: frozenset[str]


def run(postgres: Postgres, watch: Watch, options: Options, result: Report, say: Say) -> None:
    """Measure everything and write it into the report."""
    for part, place in ORDERS.items():
        if part in options.parts:
            orders.measure(
                postgres,
                watch,
                place=place,
                cycles=options.cycles,
                seconds=options.seconds,
                result=result,
                say=say,
            )
    if READING.keys() & options.parts:
        _read(postgres, options, result, say)


def _read(postgres: Postgres, options: Options, result: Report, say: Say) -> None:
    """Fill a database, read it and report."""
    name = "benchmarks_market"
    url = postgres.database(name)
    try:
        django_host.configure(url, "holdfast", "holdfast_artisan_shop")
        _fill(options, say)
        for part, measure in READING.items():
            if part in options.parts:
                measure(options, result, say)
    finally:
        from django.db import connection

        connection.close()
        postgres.drop(name)


def _fill(options: Options, say: Say) -> None:
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    users = get_user_model()
    users.objects.bulk_create([users(username=str(number)) for number in range(20_000)], batch_size=5_000)
    say(f"{options.products:,} products")
    before = time.monotonic()
    town.fill(connection, products=options.products)
    say(f"filled in {time.monotonic() - before:.0f} s")


def _geo(options: Options, result: Report, say: Say) -> None:
    """Measure the nearest twenty in a dense city, in an ordinary one and anywhere; with a category and without."""
    from django.db import connection

    from holdfast_artisan_shop.backends.geo import RingSearch
    from holdfast_artisan_shop.models import Category

    clock, search = DatabaseTime(connection), RingSearch()
    categories = list(Category.objects.values_list("pk", flat=True))
    peer = gis.is_there(connection)
    if peer:
        gis.prepare(connection)
    rows, figures, peers = [], {}, {}
    for place, points in _points(connection).items():
        for radius_km in RADII:
            for chosen in (False, True):
                only = categories if chosen else []
                measured = clock.measure(_question(search, points, radius_km, only), options.times)
                figures[place, radius_km, chosen] = measured
                name = f"{place}, {radius_km:g} km{', one category' if chosen else ''}"
                row = [name, f"{measured['database']:.2f}", f"{measured['caller']:.2f}"]
                if peer:
                    ask = gis.question(connection, points, radius_km, only, limit=LIMIT)
                    peers[place, radius_km, chosen] = theirs = clock.measure(ask, options.times)
                    row.append(f"{theirs['database']:.2f}")
                say(": ".join([row[0], " ms, ".join(row[1:])]))
                rows.append(row)
    note = (
        f"The nearest {LIMIT} of {options.products:,} products that customers see; milliseconds, median: of PostgreSQL "
        "for all rings, and of the caller."
    )
    head = ["where", "database, ms", "caller, ms", *(["PostGIS KNN, database, ms"] if peer else [])]
    result.tables.append(Table("What is near", head, rows, note))
    for chosen in (False, True):
        value = figures["a dense city", RADII[0], chosen]["database"]
        name = f"nearest {LIMIT}, dense city, p50{', one category' if chosen else ''}"
        result.bars.append(report.at_most(name, value, 1.0, " ms"))
        if peer:
            ratio = value / peers["a dense city", RADII[0], chosen]["database"]
            result.bars.append(report.at_most(f"{name}: × PostGIS KNN", ratio, 0.5, ""))
    result.numbers["geo"] = {f"{key}": value for key, value in figures.items()}
    result.numbers["geo, PostGIS"] = {f"{key}": value for key, value in peers.items()}
    _check_nearest(result, say)


def _question(
    search: Any, points: Sequence[tuple[float, float]], radius_km: float, categories: Sequence[UUID]
) -> Callable[[], Any]:
    """Return a call that asks for what is near another of these points each time."""
    from holdfast_artisan_shop.models import Product

    chance = random.Random(1)

    def ask() -> None:
        lat, lng = chance.choice(points)
        products = Product.objects.filter(active=True)
        if categories:
            products = products.filter(category_id=chance.choice(categories))
        search.near(
            products,
            lat=lat + chance.gauss(0, 0.05),
            lng=lng + chance.gauss(0, 0.05),
            radius_km=radius_km,
            limit=LIMIT,
            selective=bool(categories),
        )

    return ask


def _points(connection: Any) -> dict[str, list[tuple[float, float]]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT lat, lng FROM bench_city ORDER BY id")
        cities = cursor.fetchall()
    chance = random.Random(2)
    anywhere = [(chance.uniform(-70, 70), chance.uniform(-179, 179)) for _ in range(300)]
    return {"a dense city": cities[:3], "an ordinary city": cities[50:], "anywhere": anywhere}


def _check_nearest(result: Report, say: Say) -> None:
    """Compare some answers with those of the database without any box."""
    from django.db import connection

    from holdfast_artisan_shop import selectors
    from holdfast_artisan_shop.backends import sphere
    from holdfast_artisan_shop.backends.geo import RingSearch
    from holdfast_artisan_shop.models.places import unit_vector

    say("brute force")
    chance, wrong, asked = random.Random(3), 0, 0
    points = [point for some in _points(connection).values() for point in chance.sample(some, 3)]
    for lat, lng in [*points, (90.0, 0.0), (-90.0, 10.0), (0.0, 180.0), (12.0, -180.0)]:
        x, y, z = unit_vector(lat, lng)
        hits = RingSearch().near(selectors.shown_products(), lat=lat, lng=lng, radius_km=200, limit=LIMIT)
        with connection.cursor() as cursor:
            cursor.execute(
                """SELECT id FROM (
                    SELECT product.id, (product.x - %s) ^ 2 + (product.y - %s) ^ 2 + (product.z - %s) ^ 2 AS chord
                    FROM holdfast_artisan_shop_product AS product
                        JOIN holdfast_artisan_shop_shop AS shop ON shop.id = shop_id AND state = 'open'
                    WHERE active OFFSET 0
                ) AS everything WHERE chord <= %s ORDER BY chord, id LIMIT %s""",
                [x, y, z, sphere.squared_chord(200), LIMIT],
            )
            asked += 1
            wrong += [hit.id for hit in hits] != [row[0] for row in cursor.fetchall()]
    result.bars.append(Bar("nearest: answers other than brute force's", "0", f"{wrong} of {asked}", wrong == 0))


def _listing(options: Options, result: Report, say: Say) -> None:
    """Measure a page of the market: its statements and its milliseconds."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from holdfast_artisan_shop import selectors
    from holdfast_artisan_shop.models import Category, Product

    clock = DatabaseTime(connection)
    category = Category.objects.first()
    assert category is not None
    deep = Product.objects.order_by("-pk")[options.products // 2]
    one_of_city = _points(connection)["a dense city"][0]
    pages: dict[str, Callable[[], Any]] = {
        "the newest": lambda: list(selectors.browse()[:LIMIT]),
        "the newest, from the middle on": lambda: list(selectors.browse().filter(pk__lt=deep.pk)[:LIMIT]),
        "the cheapest": lambda: list(selectors.browse(order="price")[:LIMIT]),
        "the cheapest of a category": lambda: list(selectors.browse(order="price", category_id=category.pk)[:LIMIT]),
        "in stock, from 50 to 60": lambda: list(
            selectors.browse(in_stock=True, min_price_minor=5000, max_price_minor=6000)[:LIMIT]
        ),
        "on sale": lambda: list(selectors.browse(on_sale=True)[:LIMIT]),
        "two words": lambda: list(selectors.browse(text="bowl 77 blue", order="relevance")[:LIMIT]),
        "one word that every product has": lambda: list(selectors.browse(text="bowl", order="relevance")[:LIMIT]),
        "near": lambda: selectors.products_near(lat=one_of_city[0], lng=one_of_city[1]),
        "near, of a category": lambda: selectors.products_near(
            lat=one_of_city[0], lng=one_of_city[1], category_id=category.pk
        ),
        "a product": lambda: selectors.get_offer(product_id=deep.pk),
        "recommendations": lambda: selectors.recommendations(product_id=deep.pk),
    }
    rows, worst = [], 0
    for name, page in pages.items():
        with CaptureQueriesContext(connection) as captured:
            page()
        statements = len(captured)
        if name not in ("a product", "recommendations"):
            worst = max(worst, statements)
        measured = clock.measure(page, options.times)
        say(f"{name}: {measured['database']:.2f} ms, {statements} statements")
        rows.append([name, str(statements), f"{measured['database']:.2f}", f"{measured['caller']:.2f}"])
        result.numbers[f"listing: {name}"] = measured
    note = f"Pages of {LIMIT}, each row with its price of now, stock, picture, rating, shop and category."
    result.tables.append(Table("Pages of the market", ["page", "statements", "database, ms", "caller, ms"], rows, note))
    result.bars.append(Bar(f"a page of {LIMIT}, statements", "≤ 3", str(worst), worst <= 3))


def _dashboard(options: Options, result: Report, say: Say) -> None:
    """Measure the dashboard of a shop with a year of many orders, and compare it with the lines themselves."""
    from django.db import connection

    from holdfast_artisan_shop import selectors, services

    say(f"a year of {options.lines:,} lines")
    town.fill_year(connection, lines=options.lines)
    shop = UUID(town.SHOP)
    before = time.monotonic()
    services.rebuild_sales(shop_id=shop, days=None)
    took = time.monotonic() - before
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("SELECT count(*) FROM holdfast_artisan_shop_orderline")
        lines = cursor.fetchone()[0]
        cursor.execute("SELECT count(*) FROM holdfast_artisan_shop_salesday")
        days = cursor.fetchone()[0]
        cursor.execute("SELECT owner_id FROM holdfast_artisan_shop_shop WHERE id = %s", [town.SHOP])
        owner = cursor.fetchone()[0]
    clock = DatabaseTime(connection)

    def rolled_up() -> Any:
        return selectors.dashboard(shop_id=shop, actor_id=owner, start=YEAR[0], end=YEAR[1])

    measured = {"from the roll-up": clock.measure(rolled_up, options.times)}
    measured["live, from the lines"] = clock.measure(lambda: _live(connection), min(options.times, 10))
    rows = [[name, f"{one['database']:.1f}", f"{one['caller']:.1f}"] for name, one in measured.items()]
    note = (
        f"A year, {lines:,} lines of 200 products, {days:,} rows of the roll-up, which took {took:.0f} s to make anew."
    )
    result.tables.append(Table("The dashboard", ["way", "database, ms", "caller, ms"], rows, note))
    result.bars.append(
        report.at_most(f"dashboard, {lines:,} lines", measured["from the roll-up"]["database"], 15.0, " ms")
    )
    figures = rolled_up()
    shown = {(one.month, one.category_id): one.revenue_minor for one in figures.categories}
    equal = shown == _live(connection)
    result.bars.append(Bar("dashboard, equal to the lines", "yes", "yes" if equal else "no", equal))
    result.numbers["dashboard"] = measured


def _live(connection: Any) -> dict[tuple[dt.date, UUID], int]:
    """Return the revenue by month and category as the lines say it."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT date_trunc('month', completed_at AT TIME ZONE 'Europe/Berlin')::date, category_id,
                sum(line.total_minor)
            FROM holdfast_artisan_shop_order AS o JOIN holdfast_artisan_shop_orderline AS line ON line.order_id = o.id
                JOIN holdfast_artisan_shop_product AS product ON product.id = line.product_id
            WHERE o.shop_id = %s AND o.state = 'completed'
                AND (completed_at AT TIME ZONE 'Europe/Berlin')::date BETWEEN %s AND %s
            GROUP BY 1, 2""",
            [town.SHOP, *YEAR],
        )
        return {(month, category_id): int(revenue) for month, category_id, revenue in cursor.fetchall()}


ORDERS = {"orders": orders.POSTGRES, "sqlite": orders.SQLITE}
READING: dict[str, Callable[[Options, Report, Say], None]] = {"geo": _geo, "listing": _listing, "dashboard": _dashboard}
PARTS = (*ORDERS, *READING)

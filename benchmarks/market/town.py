"""A country in a database: a million products, most of them in cities, and one shop with a year of many orders."""

from typing import Any

SHOP = "00000000-0000-7000-8000-000000000001"
CITIES, CATEGORIES, SHOPS = 300, 200, 50_000

# Seven of ten are around a city, which are as large as cities are (Zipf); the others are anywhere on the globe.
_PLACES = """
    SELECT number, in_city, lat, lng, cos(radians(lat)) * cos(radians(lng)) AS x,
        cos(radians(lat)) * sin(radians(lng)) AS y, sin(radians(lat)) AS z
    FROM (
        SELECT number, in_city, least(greatest(CASE WHEN in_city THEN city.lat + random_normal(0, 0.15)
                ELSE degrees(asin(2 * random() - 1)) END, -90), 90) AS lat,
            least(greatest(CASE WHEN in_city THEN city.lng + random_normal(0, 0.15)
                ELSE 360 * random() - 180 END, -180), 180) AS lng
        FROM (
            SELECT number, random() < 0.7 AS in_city,
                width_bucket(random() * (SELECT max(upto) FROM bench_city),
                    (SELECT array_agg(upto ORDER BY id) FROM bench_city)) + 1 AS city_id
            FROM generate_series(1::bigint, {count}) AS number
        ) AS drawn LEFT JOIN bench_city AS city ON city.id = least(city_id, {cities})
    ) AS placed"""

_FILL = [
    "SELECT setseed(0.6)",
    """CREATE TABLE bench_city AS
        SELECT id, 110 * random() - 50 AS lat, 350 * random() - 175 AS lng,
            (sum(1.0 / id) OVER (ORDER BY id))::float8 AS upto
        FROM generate_series(1, {cities}) AS id""",
    """INSERT INTO holdfast_artisan_shop_category (id, name, path)
        SELECT {category_id}, 'Category ' || number, replace(({category_id})::text, '-', '') || '/'
        FROM generate_series(1::bigint, {categories}) AS number""",
    """INSERT INTO holdfast_artisan_shop_shop (id, owner_id, name, description, address, state, currency, time_zone,
            opening_hours, created_at, updated_at, lat, lng, x, y, z)
        SELECT {shop_id}, 1 + number % 1000, 'Shop ' || number, '', '',
            CASE WHEN number % 50 = 0 THEN 'closed' ELSE 'open' END, 'EUR', 'Europe/Berlin', '{{}}', now(), now(),
            lat, lng, x, y, z
        FROM ({shop_places}) AS place""",
    """INSERT INTO holdfast_artisan_shop_product (id, shop_id, category_id, name, description, price_minor, currency,
            made_to_order, lead_days, own_location, active, popularity, rating_sum, rating_count, created_at,
            updated_at, lat, lng, x, y, z)
        SELECT {product_id}, {shop_of}, {category_of}, 'Bowl ' || number % 9973 || ' ' ||
            (ARRAY['blue', 'red', 'green', 'oak', 'clay', 'linen', 'glass'])[1 + number % 7], 'Made by hand.',
            100 + (number * 7919) % 20000, 'EUR', number % 20 = 0, 0, true, number % 33 <> 0, (number * 31) % 500,
            0, 0, now(), now(), lat, lng, x, y, z
        FROM ({product_places}) AS place""",
    """INSERT INTO holdfast_artisan_shop_variant (id, product_id, shop_id, sku, options, extra_minor, active)
        SELECT id, id, shop_id, '', '{{}}', 0, true FROM holdfast_artisan_shop_product""",
    """INSERT INTO holdfast_artisan_shop_stock (variant_id, on_hand, held, allocated, low_at)
        SELECT id, popularity % 10, 0, 0, 3 FROM holdfast_artisan_shop_product""",
    """INSERT INTO holdfast_artisan_shop_flashsale (id, product_id, price_minor, starts_at, ends_at, sold)
        SELECT gen_random_uuid(), id, price_minor / 2, now() - interval '1 hour', now() + interval '1 day', 0
        FROM holdfast_artisan_shop_product WHERE popularity = 77 AND active""",
    """INSERT INTO holdfast_artisan_shop_productimage (product_id, url, alt, position)
        SELECT id, 'https://img.example/' || id, '', 0 FROM holdfast_artisan_shop_product WHERE popularity < 250""",
]

# What PostgreSQL has since 16 (Box and Muller).
_RANDOM_NORMAL = """
    CREATE OR REPLACE FUNCTION random_normal(mean float8, deviation float8) RETURNS float8 VOLATILE LANGUAGE sql
    AS 'SELECT mean + deviation * sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())'"""

# A year of one shop: 200 products, some of which sell much better than others; each order has one to four lines.
_YEAR = [
    "SELECT setseed(0.7)",
    """UPDATE holdfast_artisan_shop_product SET shop_id = '{shop}', active = true
        WHERE id BETWEEN {first_product} AND {last_product}""",
    """CREATE TABLE bench_order AS
        SELECT number, {order_id} AS id, 1 + floor(random() * random() * 20000)::bigint AS customer_id,
            timestamptz '2025-11-01' + random() * interval '365 days' AS at,
            CASE WHEN random() < 0.05 THEN 'cancelled' WHEN random() < 0.01 THEN 'refunded'
                ELSE 'completed' END AS state
        FROM generate_series(1::bigint, {orders}) AS number""",
    """CREATE TABLE bench_line AS
        SELECT DISTINCT ON (bench_order.id, product_id) bench_order.id AS order_id, product_id,
            1 + floor(random() * 3)::int AS quantity
        FROM bench_order, LATERAL (
            SELECT {shop_product} AS product_id
            FROM generate_series(1, 1 + (bench_order.number % 4)::int)
        ) AS picked""",
    """INSERT INTO holdfast_artisan_shop_purchase (id, customer_id, placed_at, fingerprint)
        SELECT id, customer_id, at, '' FROM bench_order""",
    """INSERT INTO holdfast_artisan_shop_order (id, purchase_id, shop_id, customer_id, state, currency, subtotal_minor,
            delivery_minor, discount_minor, total_minor, fee_minor, lead_days, note, placed_at, completed_at,
            cancelled_at, cancel_reason)
        SELECT bench_order.id, bench_order.id, '{shop}', customer_id, state, 'EUR', sum(quantity * price_minor), 0, 0,
            sum(quantity * price_minor), 0, 0, '', at, CASE WHEN state <> 'cancelled' THEN at + interval '1 day' END,
            CASE WHEN state = 'cancelled' THEN at END, ''
        FROM bench_order JOIN bench_line ON order_id = bench_order.id
            JOIN holdfast_artisan_shop_product AS product ON product.id = product_id
        GROUP BY bench_order.id, customer_id, state, at""",
    """INSERT INTO holdfast_artisan_shop_orderline (order_id, product_id, variant_id, name, sku, options, stocked,
            quantity, unit_minor, total_minor)
        SELECT order_id, product_id, product_id, name, '', '{{}}', true, quantity, price_minor, quantity * price_minor
        FROM bench_line JOIN holdfast_artisan_shop_product AS product ON product.id = product_id""",
]


def fill(connection: Any, *, products: int) -> None:
    """Fill the country; ids are made of numbers, so that nobody has to look them up."""
    words = {
        "cities": CITIES,
        "categories": CATEGORIES,
        "category_id": _id("number", "c"),
        "shop_id": _id("number", "0"),
        "product_id": _id("number", "d"),
        "shop_of": _id(f"1 + (number * 7) % {SHOPS}", "0"),
        "category_of": _id(f"1 + (number * 13 + number / 1000) % {CATEGORIES}", "c"),
        "shop_places": _PLACES.format(count=SHOPS, cities=CITIES),
        "product_places": _PLACES.format(count=products, cities=CITIES),
    }
    _run(connection, _FILL, words)


def fill_year(connection: Any, *, lines: int) -> None:
    """Give one shop a year of so many lines, of 200 products."""
    words = {
        "shop": SHOP,
        "order_id": _id("number", "e"),
        # Some sell a hundred times as often as others: the square of an evenly drawn number.
        "shop_product": _id("1 + floor(200 * random() * random())::bigint", "d"),
        "first_product": _id("1", "d"),
        "last_product": _id("200", "d"),
        "orders": round(lines / 2.42),
    }
    _run(connection, _YEAR, words)


def _id(number: str, kind: str) -> str:
    """Return the SQL of an id that is made of a number: such ids sort as their numbers do."""
    high, low = f"lpad(to_hex(({number})::bigint >> 32), 4, '0')", f"lpad(to_hex(({number}) & 4294967295), 12, '0')"
    return f"('{kind * 8}-' || {high} || '-7000-8000-' || {low})::uuid"


def _run(connection: Any, statements: list[str], words: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        if connection.pg_version < 160000:
            cursor.execute(_RANDOM_NORMAL)
        # Nothing is looked up again that is known to be there: it would take longer than all the rest.
        cursor.execute("SET session_replication_role = replica")
        for statement in statements:
            cursor.execute(statement.format(**words))
        cursor.execute("RESET session_replication_role")
        cursor.execute("VACUUM ANALYZE")

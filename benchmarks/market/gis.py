"""The peer of the radius search: PostGIS, nearest neighbors by its index, where the server has the extension."""

import random
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

# A narrow table of nothing but what is asked for: better for the peer than a column among the product's others.
_TABLE = """
    CREATE EXTENSION IF NOT EXISTS postgis;
    CREATE TABLE bench_place AS
        SELECT id, category_id, ST_SetSRID(ST_MakePoint(lng, lat), 4326)::geography AS point
        FROM holdfast_artisan_shop_product WHERE active;
    CREATE INDEX ON bench_place USING gist (point);
    CREATE INDEX ON bench_place (category_id);
    VACUUM ANALYZE bench_place"""
_NEAREST = """
    SELECT id, meters FROM (
        SELECT id, point <-> ST_SetSRID(ST_MakePoint(%(lng)s, %(lat)s), 4326)::geography AS meters
        FROM bench_place {only} ORDER BY meters LIMIT %(limit)s
    ) AS nearest WHERE meters <= %(meters)s"""


def is_there(connection: Any) -> bool:
    """Tell whether this server could load PostGIS."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'postgis')")
        return bool(cursor.fetchone()[0])


def prepare(connection: Any) -> None:
    """Give PostGIS its own table of all products that customers see."""
    with connection.cursor() as cursor:
        for statement in _TABLE.split(";"):
            cursor.execute(statement)


def question(
    connection: Any,
    points: Sequence[tuple[float, float]],
    radius_km: float,
    categories: Sequence[UUID],
    *,
    limit: int,
) -> Callable[[], Any]:
    """Return a call that asks for what is near another of these points each time, as ours is asked."""
    chance = random.Random(1)
    sql = _NEAREST.format(only="WHERE category_id = %(category)s" if categories else "")

    def ask() -> list[tuple[UUID, float]]:
        lat, lng = chance.choice(points)
        category = chance.choice(categories) if categories else None
        here = {"lat": lat + chance.gauss(0, 0.05), "lng": lng + chance.gauss(0, 0.05)}
        with connection.cursor() as cursor:
            cursor.execute(sql, {**here, "category": category, "limit": limit, "meters": radius_km * 1000})
            found: list[tuple[UUID, float]] = cursor.fetchall()
        return found

    return ask

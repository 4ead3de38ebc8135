"""What is near a point."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from holdfast.conf import load_backend
from holdfast_artisan_shop.conf import settings
from holdfast_artisan_shop.exceptions import LimitInvalid, LocationInvalid, RadiusInvalid
from holdfast_artisan_shop.models import Product, Shop
from holdfast_artisan_shop.ports import GeoSearch, Hit
from holdfast_artisan_shop.selectors.browse import ProductFilters, filtered_products
from holdfast_artisan_shop.selectors.offers import as_offers, shops, shown_products

RADIUS_KM = 10.0
LIMIT_MAX = 201
"""One more than the largest page: whoever makes pages asks for one more row to see whether there is another."""


def products_near(
    *,
    lat: float,
    lng: float,
    radius_km: float = RADIUS_KM,
    limit: int = 20,
    after: tuple[float, UUID] | None = None,
    **filters: Any,
) -> list[Product]:
    """Return the nearest offers within a radius, nearest first, each with ``distance_km`` and ``rank``.

    ``filters`` are those of ``browse``; ``after`` is the rank and the id of the last row of the page before. Raises
    ``LocationInvalid``, ``RadiusInvalid``, ``LimitInvalid`` and what ``browse`` does.
    """
    check_circle(lat, lng, radius_km)
    check_limit(limit)
    given: ProductFilters = {**filters}  # type: ignore[typeddict-item]  # checked by the call
    # Whether a product's shop is shown is looked up for those that were found, not for all that lie in the ring.
    rows = filtered_products(Product.objects.filter(active=True), **given)
    selective, found = _selective(filters), list[Product]()
    while len(found) < limit:
        wanted = limit - len(found)
        hits = _geo().near(rows, lat=lat, lng=lng, radius_km=radius_km, limit=wanted, selective=selective, after=after)
        found += _in_order(hits, as_offers(shown_products()))
        if len(hits) < wanted:
            break
        after = hits[-1].rank, hits[-1].id
    return found


def shops_near(
    *,
    lat: float,
    lng: float,
    radius_km: float = RADIUS_KM,
    limit: int = 20,
    after: tuple[float, UUID] | None = None,
) -> list[Shop]:
    """Return the nearest shops within a radius, nearest first, each with ``distance_km`` and ``rank``.

    Raises ``LocationInvalid``, ``RadiusInvalid``, ``LimitInvalid``.
    """
    check_circle(lat, lng, radius_km)
    check_limit(limit)
    hits = _geo().near(shops(), lat=lat, lng=lng, radius_km=radius_km, limit=limit, after=after)
    return _in_order(hits, Shop.objects.all())


def check_circle(lat: float, lng: float, radius_km: float) -> None:
    """Raise ``LocationInvalid`` or ``RadiusInvalid`` for what is no circle on the globe; NaN is none."""
    if not (-90 <= lat <= 90 and -180 <= lng <= 180):
        raise LocationInvalid(lat=str(lat)[:40], lng=str(lng)[:40])
    if not 0 < radius_km <= settings.RADIUS_MAX_KM:
        raise RadiusInvalid(radius_km=str(radius_km)[:40], maximum_km=settings.RADIUS_MAX_KM)


def check_limit(limit: int, maximum: int = LIMIT_MAX) -> None:
    """Raise ``LimitInvalid`` unless it is a whole number from 1 to the maximum."""
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= maximum:
        raise LimitInvalid(limit=str(limit)[:40], maximum=maximum)


def _geo() -> GeoSearch:
    backend: GeoSearch = load_backend(settings.GEO)
    return backend


def _selective(filters: dict[str, Any]) -> bool:
    return any(filters.get(name) for name in ("category_id", "shop_id", "text", "on_sale"))


def _in_order(hits: Sequence[Hit], rows: QuerySet[Any]) -> list[Any]:
    """Return the rows of the hits; one that is not among the rows is left out."""
    by_id = {row.pk: row for row in rows.filter(pk__in=[hit.id for hit in hits])}
    found = []
    for hit in hits:
        if row := by_id.get(hit.id):
            row.distance_km, row.rank = hit.distance_km, hit.rank
            found.append(row)
    return found

"""What else a customer may like."""

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet, Window
from django.db.models.functions import RowNumber

from holdfast_artisan_shop.exceptions import ProductNotFound
from holdfast_artisan_shop.models import CoBuy, Product
from holdfast_artisan_shop.selectors.near import check_limit
from holdfast_artisan_shop.selectors.offers import as_offers, buyable, running_sales, shown_products
from holdfast_artisan_shop.states import ShopState

LIMIT, LIMIT_MAX = 5, 50
OF_ONE_SHOP = 2
"""So that small makers are seen."""
CANDIDATES = 100


def recommendations(*, product_id: UUID, limit: int = LIMIT) -> list[Product]:
    """Return offers that go with a product, at most ``limit``: none of them itself or sold out.

    Those of its category come first; among them, and among the others, flash sales that run now, then what is bought
    together with it, then what is popular, then what is near to it. Where little is known there is always something
    popular; of one shop there are more than two only where others have nothing. Raises ``ProductNotFound``,
    ``LimitInvalid``.
    """
    check_limit(limit, LIMIT_MAX)
    product = shown_products().filter(pk=product_id).first()
    if product is None:
        raise ProductNotFound(product_ids=[str(product_id)])
    together = dict(CoBuy.objects.filter(product_id=product_id).values_list("other_id", "score"))
    others = shown_products().filter(shop__state=ShopState.OPEN).exclude(pk=product_id)
    alike = others.filter(category_id=product.category_id)
    ids = {*together, *_on_sale(alike), *_popular(alike)}
    found = _ranked(product, ids, others, together)
    if len(_of_many_shops(found)) < limit:
        ids |= {*_on_sale(others), *_popular_anywhere(others)}
        found = _ranked(product, ids, others, together)
    few = _of_many_shops(found)
    chosen = [*few, *(one for one in found if one not in few)][:limit]
    return [one for one in found if one in chosen]


def _ranked(
    product: Product, ids: Iterable[UUID], others: QuerySet[Product], together: dict[UUID, int]
) -> list[Product]:
    """Return what of these can be bought, the best first."""
    offers = as_offers(others.filter(buyable(), pk__in=ids))
    here = (product.x, product.y, product.z)

    def merits(other: Any) -> tuple[Any, ...]:
        return (
            other.category_id != product.category_id,
            other.sale_price_minor is None,
            -together.get(other.pk, 0),
            -other.popularity,
            math.dist((other.x, other.y, other.z), here),
            other.pk,
        )

    return sorted(offers, key=merits)


def _of_many_shops(products: Iterable[Product]) -> list[Product]:
    """Return of each shop the best two."""
    seen: Counter[UUID] = Counter()
    few = []
    for product in products:
        seen[product.shop_id] += 1
        if seen[product.shop_id] <= OF_ONE_SHOP:
            few.append(product)
    return few


def _on_sale(products: QuerySet[Product]) -> QuerySet[Any]:
    return (
        products.filter(pk__in=running_sales().values("product_id"))
        .order_by("-popularity", "-pk")
        .values_list("pk", flat=True)[:CANDIDATES]
    )


def _popular(products: QuerySet[Product]) -> QuerySet[Any]:
    """Return the most popular of each shop first: a large shop must not hide all others."""
    place = Window(RowNumber(), partition_by=F("shop_id"), order_by=(F("popularity").desc(), F("pk").desc()))
    # Twice as many of a shop as are shown: some may be sold out.
    few = products.annotate(place=place).filter(place__lte=2 * OF_ONE_SHOP)
    return few.order_by("-popularity", "-pk").values_list("pk", flat=True)[:CANDIDATES]


def _popular_anywhere(products: QuerySet[Product]) -> QuerySet[Any]:
    return products.order_by("-popularity", "-pk").values_list("pk", flat=True)[:CANDIDATES]

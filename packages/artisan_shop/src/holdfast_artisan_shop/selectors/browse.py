"""The market: products by category, price, shop, stock, sale and words, in several orders."""

from typing import Any, NotRequired, TypedDict, Unpack
from uuid import UUID

from django.db.models import QuerySet

from holdfast.conf import load_backend
from holdfast_artisan_shop.conf import settings
from holdfast_artisan_shop.exceptions import CategoryNotFound, PriceInvalid, TextInvalid
from holdfast_artisan_shop.models import Category, Product
from holdfast_artisan_shop.models.products import MAX_MINOR
from holdfast_artisan_shop.ports import TextSearch
from holdfast_artisan_shop.selectors.offers import as_offers, buyable, price_now, running_sales, shown_products

TEXT_MAX = 200
RANKED_MAX = 2_000
"""Where more products match the words, the best-selling of them are ranked."""

ORDERS = {
    "newest": ("-id",),
    "price": ("price_minor", "id"),
    "-price": ("-price_minor", "-id"),
    "popular": ("-popularity", "-id"),
    "relevance": ("-relevance", "-id"),
}
"""The orders of ``browse``, as ``keyset_page`` takes them; for the nearest first there is ``products_near``."""


class ProductFilters(TypedDict):
    """What ``browse`` filters by. Prices are what is paid now, in minor units."""

    category_id: NotRequired[UUID | None]
    shop_id: NotRequired[UUID | None]
    currency: NotRequired[str]
    min_price_minor: NotRequired[int | None]
    max_price_minor: NotRequired[int | None]
    in_stock: NotRequired[bool]
    on_sale: NotRequired[bool]
    text: NotRequired[str]


def browse(*, order: str = "newest", **filters: Unpack[ProductFilters]) -> QuerySet[Product]:
    """Return the offers that match every filter given, to be paged by ``ORDERS[order]``.

    A category is one with all below it. ``relevance`` without a text is ``newest``: say so to ``order_of`` too. Raises
    ``CategoryNotFound``, ``PriceInvalid``, ``TextInvalid``.
    """
    found = filtered_products(shown_products(), **filters)
    if filters.get("text") and order == "relevance":
        best = found.order_by("-popularity", "-pk").values("pk")[:RANKED_MAX]
        found = found.filter(pk__in=best)
    return as_offers(found).order_by(*order_of(order, **filters))


def order_of(order: str, **filters: Any) -> tuple[str, ...]:
    """Return the ordering of the pages of ``browse`` with the same arguments."""
    if order == "relevance" and not filters.get("text"):
        return ORDERS["newest"]
    return ORDERS[order]


def filtered_products(
    products: QuerySet[Product],
    *,
    category_id: UUID | None = None,
    shop_id: UUID | None = None,
    currency: str = "",
    min_price_minor: int | None = None,
    max_price_minor: int | None = None,
    in_stock: bool = False,
    on_sale: bool = False,
    text: str = "",
) -> QuerySet[Product]:
    """Return those of the products that match every filter given. Raises as ``browse`` does."""
    found = products
    if category_id is not None:
        found = found.filter(category_id__in=subtree(category_id=category_id))
    if shop_id is not None:
        found = found.filter(shop_id=shop_id)
    if currency:
        found = found.filter(currency=currency)
    if min_price_minor is not None or max_price_minor is not None:
        found = _priced(found, min_price_minor, max_price_minor)
    if in_stock:
        found = found.filter(buyable())
    if on_sale:
        found = found.filter(pk__in=running_sales().values("product_id"))
    if text:
        if len(text) > TEXT_MAX:
            raise TextInvalid(field="text", length=len(text), maximum=TEXT_MAX)
        search: TextSearch = load_backend(settings.SEARCH)
        found = search.match(found, text)  # type: ignore[assignment]  # it filters what it is given
    return found


def category_tree() -> list[dict[str, Any]]:
    """Return all categories as a tree: each with ``id``, ``name`` and ``children``, by name."""
    nodes: dict[UUID | None, list[dict[str, Any]]] = {}
    for category_id, parent_id, name in Category.objects.order_by("name", "id").values_list("id", "parent_id", "name"):
        children = nodes.setdefault(category_id, [])
        nodes.setdefault(parent_id, []).append({"id": category_id, "name": name, "children": children})
    return nodes.get(None, [])


def get_category(*, category_id: UUID) -> Category:
    """Return a category. Raises ``CategoryNotFound``."""
    category = Category.objects.filter(pk=category_id).first()
    if category is None:
        raise CategoryNotFound(category_id=str(category_id))
    return category


def subtree(*, category_id: UUID) -> list[UUID]:
    """Return the ids of a category and of all below it. Raises ``CategoryNotFound``.

    Ids, not a subquery: an index of the products is chosen by what the list holds.
    """
    found = Category.objects.filter(path__contains=f"{category_id.hex}/").values_list("pk", flat=True)
    ids = list(found)
    if not ids:
        raise CategoryNotFound(category_id=str(category_id))
    return ids


def _priced(products: QuerySet[Product], low: int | None, high: int | None) -> QuerySet[Product]:
    for price in (low, high):
        if price is not None and not 0 <= price <= MAX_MINOR:
            raise PriceInvalid(price_minor=str(price)[:40])
    found = products.alias(now_minor=price_now())
    if low is not None:
        # A sale is below the price, so the price alone rules out most rows, by its index.
        found = found.filter(price_minor__gte=low, now_minor__gte=low)
    if high is not None:
        found = found.filter(now_minor__lte=high)
    return found

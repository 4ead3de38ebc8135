"""What those who act for a shop look up while they keep it: stock and its moves, sales, coupons, patterns, closures."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from holdfast_artisan_shop.exceptions import ProductNotFound, VariantNotFound
from holdfast_artisan_shop.models import Coupon, FlashSale, Product, ShopClosure, SlotPattern, Stock, StockMove
from holdfast_artisan_shop.selectors.scopes import managed_shop, shops_of


def stock_of_shop(*, shop_id: UUID, actor_id: Any) -> QuerySet[Stock]:
    """Return the stock of all variants of a shop that a user acts for, by variant. Raises ``ShopNotFound``."""
    shop = managed_shop(shop_id=shop_id, actor_id=actor_id)
    rows = Stock.objects.filter(variant__product__shop=shop)
    return rows.select_related("variant__product").order_by("variant_id")


def get_stock(*, variant_id: UUID, actor_id: Any, using: str | None = None) -> Stock:
    """Return the stock of a variant of a shop that a user acts for; ``using`` is where it was written.

    Raises ``VariantNotFound``.
    """
    rows = Stock.objects.using(using).select_related("variant__product")
    stock = rows.filter(pk=variant_id, variant__product__shop__in=shops_of(actor_id=actor_id)).first()
    if stock is None:
        raise VariantNotFound(variant_id=str(variant_id))
    return stock


def moves_of(*, variant_id: UUID, actor_id: Any) -> QuerySet[StockMove]:
    """Return every change of the stock of a variant, the newest first. Raises ``VariantNotFound``."""
    return get_stock(variant_id=variant_id, actor_id=actor_id).moves.order_by("-id")


def flash_sales_of(*, product_id: UUID, actor_id: Any) -> QuerySet[FlashSale]:
    """Return all flash sales of a product of a shop that a user acts for, the newest first.

    Raises ``ProductNotFound``.
    """
    if not Product.objects.filter(pk=product_id, shop__in=shops_of(actor_id=actor_id)).exists():
        raise ProductNotFound(product_ids=[str(product_id)])
    return FlashSale.objects.select_related("product").filter(product_id=product_id).order_by("-id")


def coupons_of(*, shop_id: UUID, actor_id: Any) -> QuerySet[Coupon]:
    """Return the coupons of a shop that a user acts for, the newest first. Raises ``ShopNotFound``."""
    shop = managed_shop(shop_id=shop_id, actor_id=actor_id)
    return shop.coupons.select_related("shop").order_by("-id")


def slot_patterns_of(*, shop_id: UUID, actor_id: Any) -> QuerySet[SlotPattern]:
    """Return the patterns of which slots are made, in the order of the week. Raises ``ShopNotFound``."""
    shop = managed_shop(shop_id=shop_id, actor_id=actor_id)
    return shop.slot_patterns.filter(active=True).order_by("weekday", "starts", "id")


def closures_of(*, shop_id: UUID, actor_id: Any) -> QuerySet[ShopClosure]:
    """Return the days on which a shop has no slots, the latest first. Raises ``ShopNotFound``."""
    return managed_shop(shop_id=shop_id, actor_id=actor_id).closures.order_by("-first_day", "-id")

"""Rows within a scope, locked: outside it nothing exists."""

from typing import Any, Final
from uuid import UUID

from django.db import router

from holdfast_artisan_shop.exceptions import OrderNotFound, ProductNotFound, ShopNotFound, VariantNotFound
from holdfast_artisan_shop.models import Order, Product, Shop, Variant
from holdfast_artisan_shop.selectors.scopes import shops_of

# Not ``None``, which is the id of a user who is not logged in.
ANYONE: Final = object()


def using() -> str:
    """Return the alias of the database that everything of the marketplace is in."""
    return router.db_for_write(Order)


def plain(user_id: Any) -> int | str:
    """Return a user's id as JSON holds it: the host's user model may have ids of any type."""
    return user_id if isinstance(user_id, int) else str(user_id)


def lock_shop(shop_id: UUID, actor_id: Any) -> Shop:
    """Return a shop that a user acts for, locked. Raises ``ShopNotFound``."""
    shops = shops_of(actor_id=actor_id).using(using())
    shop = shops.select_for_update(no_key=True).filter(pk=shop_id).first()
    if shop is None:
        raise ShopNotFound(shop_id=str(shop_id))
    return shop


def lock_product(product_id: UUID, actor_id: Any) -> Product:
    """Return a product of a shop that a user acts for, locked. Raises ``ProductNotFound``."""
    products = Product.objects.using(using()).select_for_update(no_key=True)
    product = products.filter(pk=product_id, shop__in=shops_of(actor_id=actor_id)).first()
    if product is None:
        raise ProductNotFound(product_ids=[str(product_id)])
    return product


def managed_variant(variant_id: UUID, actor_id: Any) -> Variant:
    """Return a variant of a shop that a user acts for. Raises ``VariantNotFound``."""
    variants = Variant.objects.using(using()).select_related("product__shop", "stock")
    variant = variants.filter(pk=variant_id, product__shop__in=shops_of(actor_id=actor_id)).first()
    if variant is None:
        raise VariantNotFound(variant_id=str(variant_id))
    return variant


def lock_order(order_id: UUID, *, customer_id: Any = ANYONE, actor_id: Any = ANYONE) -> Order:
    """Return an order, locked: of a customer, of the shops that a user acts for, or any. Raises ``OrderNotFound``.

    Orders are locked before everything else of theirs.
    """
    orders = Order.objects.using(using()).select_for_update(no_key=True).filter(pk=order_id)
    if customer_id is not ANYONE:
        orders = orders.filter(customer_id=customer_id)
    if actor_id is not ANYONE:
        orders = orders.filter(shop_id__in=shops_of(actor_id=actor_id).values("pk"))
    order = orders.first()
    if order is None:
        raise OrderNotFound(order_id=str(order_id))
    return order

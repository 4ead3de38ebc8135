"""Products as customers see them: each row with its price of now, its stock, its picture and its rating."""

import datetime as dt
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import (
    BigIntegerField,
    Case,
    F,
    FloatField,
    IntegerField,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, Now
from django.db.models.lookups import GreaterThan

from holdfast_artisan_shop.exceptions import ProductNotFound, ShopNotFound
from holdfast_artisan_shop.models import FlashSale, Product, ProductImage, Review, Shop, Stock, Variant
from holdfast_artisan_shop.selectors.scopes import shops_of
from holdfast_artisan_shop.states import ShopState

SHOWN = (ShopState.OPEN, ShopState.HOLIDAY)


def shown_products() -> QuerySet[Product]:
    """Return what customers see: the active products of shops that are open or on holiday."""
    return Product.objects.filter(active=True, shop__state__in=SHOWN)


def as_offers(products: QuerySet[Product]) -> QuerySet[Product]:
    """Return products with all that a list shows of them, in the same statement.

    Each row has its ``shop`` and ``category``, and ``sale_price_minor``, ``sale_ends_at`` and ``sale_left`` of the
    flash sale that runs now, ``price_now_minor``, ``free`` pieces, ``image_url``, ``image_alt`` and ``rating``.
    """
    sale = running_sales().filter(product_id=OuterRef("pk"))
    image = ProductImage.objects.filter(product_id=OuterRef("pk")).order_by("position", "id")
    return products.select_related("shop", "category").annotate(
        sale_price_minor=Subquery(sale.values("price_minor")[:1]),
        sale_ends_at=Subquery(sale.values("ends_at")[:1]),
        sale_left=Subquery(sale.annotate(left=F("quantity") - F("sold")).values("left")[:1]),
        price_now_minor=price_now(),
        free=free_pieces(),
        image_url=Subquery(image.values("url")[:1]),
        image_alt=Subquery(image.values("alt")[:1]),
        rating=Case(
            When(rating_count__gt=0, then=Cast("rating_sum", FloatField()) / Cast("rating_count", FloatField())),
            default=Value(None),
            output_field=FloatField(null=True),
        ),
    )


def running_sales(*, at: dt.datetime | None = None) -> QuerySet[FlashSale]:
    """Return the flash sales that run now and have pieces left."""
    now = at or Now()  # the database's clock, by which orders are priced
    return FlashSale.objects.filter(Q(quantity=None) | Q(sold__lt=F("quantity")), starts_at__lte=now, ends_at__gt=now)


def price_now() -> Coalesce:
    """Return the expression of what a product costs now, in minor units."""
    sale = running_sales().filter(product_id=OuterRef("pk")).values("price_minor")[:1]
    return Coalesce(Subquery(sale), F("price_minor"), output_field=BigIntegerField())


def free_pieces() -> Coalesce:
    """Return the expression of how many pieces of a product anybody can buy; of made-to-order ones it says nothing."""
    stock = (
        Stock.objects.filter(variant__product_id=OuterRef("pk"), variant__active=True)
        .order_by()
        .values("variant__product_id")
        .annotate(pieces=Sum(F("on_hand") - F("held") - F("allocated")))
        .values("pieces")
    )
    return Coalesce(Subquery(stock), 0, output_field=IntegerField())


def buyable() -> Q:
    """Return the condition that a product can be bought: it is made to order, or pieces are free.

    Not ``Exists``, for which PostgreSQL would read the stock of all products at once, not of those that it shows.
    """
    return Q(made_to_order=True) | Q(GreaterThan(free_pieces(), 0))


def get_offer(*, product_id: UUID, actor_id: Any = None, using: str | None = None) -> Product:
    """Return a product with its variants, their stock, and its pictures; an actor sees his own hidden ones too.

    ``using`` is where it was written. Raises ``ProductNotFound``.
    """
    products = shown_products()
    if actor_id is not None:
        mine = Product.objects.filter(shop__in=shops_of(actor_id=actor_id))
        products |= mine
    # A prefetch asks the router for itself, whatever its rows were read from.
    parts = (
        Prefetch("images", ProductImage.objects.using(using)),
        Prefetch("variants", Variant.objects.using(using)),
        Prefetch("variants__stock", Stock.objects.using(using)),
    )
    found = as_offers(products).using(using).prefetch_related(*parts).filter(pk=product_id).first()
    if found is None:
        raise ProductNotFound(product_ids=[str(product_id)])
    return found


def products_of_shop(*, shop_id: UUID, actor_id: Any) -> QuerySet[Product]:
    """Return all products of a shop that a user acts for, hidden ones too; ordered by ``-id``."""
    return as_offers(Product.objects.filter(shop_id=shop_id, shop__in=shops_of(actor_id=actor_id))).order_by("-id")


def shops() -> QuerySet[Shop]:
    """Return the shops that customers see."""
    return Shop.objects.filter(state__in=SHOWN)


def get_shop(*, shop_id: UUID, actor_id: Any = None) -> Shop:
    """Return a shop that customers see, or one that the user acts for, in whatever state. Raises ``ShopNotFound``."""
    shop = shops().filter(pk=shop_id).first()
    if shop is None and actor_id is not None:
        shop = shops_of(actor_id=actor_id).filter(pk=shop_id).first()
    if shop is None:
        raise ShopNotFound(shop_id=str(shop_id))
    return shop


def reviews_by(*, customer_id: Any, product_ids: Iterable[UUID]) -> QuerySet[Review]:
    """Return what a customer has said of these products."""
    return Review.objects.filter(customer_id=customer_id, product_id__in=list(product_ids))


def reviews_of(*, product_id: UUID) -> QuerySet[Review]:
    """Return what customers say of a product, the newest first."""
    return Review.objects.filter(product_id=product_id, product__in=shown_products()).order_by("-id")

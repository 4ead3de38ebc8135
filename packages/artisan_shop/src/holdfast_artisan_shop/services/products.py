"""Products, their variants and pictures, and flash sales."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, NotRequired, TypedDict, Unpack
from uuid import UUID

from django.db import IntegrityError
from django.db.models.functions import Now
from django.utils import timezone

from holdfast.money import Money, to_minor
from holdfast.outbox import emit
from holdfast.transactions import atomic_for
from holdfast_artisan_shop.conf import settings
from holdfast_artisan_shop.events import ProductChanged
from holdfast_artisan_shop.exceptions import (
    DiscountInvalid,
    FlashSaleNotFound,
    FlashSaleOverlaps,
    LeadTimeInvalid,
    OptionsInvalid,
    PeriodInvalid,
    PriceInvalid,
    QuantityInvalid,
    SkuTaken,
    TooManyLines,
    VariantNotFound,
)
from holdfast_artisan_shop.models import FlashSale, Product, ProductImage, Shop, Stock, Variant
from holdfast_artisan_shop.models.products import LEAD_DAYS_MAX, MAX_MINOR, SKU_LENGTH, URL_LENGTH
from holdfast_artisan_shop.models.shops import DESCRIPTION_LENGTH, NAME_LENGTH
from holdfast_artisan_shop.selectors.scopes import managed_shop, shops_of
from holdfast_artisan_shop.services.categories import known_category
from holdfast_artisan_shop.services.places import check_location
from holdfast_artisan_shop.services.rows import lock_product, using
from holdfast_artisan_shop.services.stock import MAX_PIECES, Change, change_stock
from holdfast_artisan_shop.services.texts import check_moments, check_text, storable
from holdfast_artisan_shop.services.versions import check_version, stamp
from holdfast_artisan_shop.states import MoveKind

OPTIONS_MAX, VARIANTS_MAX, IMAGES_MAX = 10, 100, 20


class ProductDetails(TypedDict):
    """What can be said of a product beside its name, price and category.

    What is left out stays as it is. ``location`` ``None`` is the shop's.
    """

    description: NotRequired[str]
    made_to_order: NotRequired[bool]
    lead_days: NotRequired[int]
    location: NotRequired[tuple[float, float] | None]
    active: NotRequired[bool]


class ProductValues(ProductDetails):
    """All that can be changed of a product."""

    name: NotRequired[str]
    price: NotRequired[Money]
    category_id: NotRequired[UUID]


class VariantValues(TypedDict):
    """What can be said of a variant; ``extra`` is what it costs more than the product."""

    sku: NotRequired[str]
    options: NotRequired[dict[str, str]]
    extra: NotRequired[Money]
    active: NotRequired[bool]


@atomic_for(Product)
def create_product(
    *,
    shop_id: UUID,
    actor_id: Any,
    name: str,
    price: Money,
    category_id: UUID,
    stock: int = 0,
    sku: str = "",
    variants: Sequence[VariantValues] = (),
    **values: Unpack[ProductDetails],
) -> Product:
    """Offer a product: with ``variants``, or with one that has no options and ``stock`` pieces.

    Raises ``ShopNotFound``, ``TextInvalid``, ``PriceInvalid``, ``CategoryUnknown``, ``LeadTimeInvalid``,
    ``LocationInvalid``, ``OptionsInvalid``, ``SkuTaken``, ``QuantityInvalid``. Emits ``ProductChanged``.
    """
    shop = managed_shop(shop_id=shop_id, actor_id=actor_id, using=using())
    if not 0 <= stock <= MAX_PIECES:
        raise QuantityInvalid(quantity=str(stock)[:40], maximum=MAX_PIECES)
    product = Product(shop=shop, currency=shop.currency)
    _set(product, shop, {"name": name, "price": price, "category_id": category_id, "location": None, **values})
    product.save(force_insert=True, using=using())
    for one in variants or [VariantValues(sku=sku)]:
        _add_variant(product, one, stock=0 if variants else stock)
    return _told(product)


@atomic_for(Product)
def change_product(
    *, product_id: UUID, actor_id: Any, expected_version: int | None = None, **values: Unpack[ProductValues]
) -> Product:
    """Change what is given of a product.

    Raises ``ProductNotFound``, ``VersionOutdated`` and what ``create_product`` does. Emits ``ProductChanged``.
    """
    product = lock_product(product_id, actor_id)
    check_version(product, expected_version)
    product.shop = Shop.objects.using(using()).get(pk=product.shop_id)
    _set(product, product.shop, dict(values))
    product.save(using=using())
    return _told(product)


def retire_product(*, product_id: UUID, actor_id: Any, expected_version: int | None = None) -> Product:
    """Take a product off; what was ordered keeps it.

    Raises ``ProductNotFound``, ``VersionOutdated``. Emits ``ProductChanged``.
    """
    return change_product(product_id=product_id, actor_id=actor_id, expected_version=expected_version, active=False)


@atomic_for(Variant)
def add_variant(*, product_id: UUID, actor_id: Any, stock: int = 0, **values: Unpack[VariantValues]) -> Variant:
    """Add a variant to a product.

    Raises ``ProductNotFound`` and what ``create_product`` does. Emits ``ProductChanged``.
    """
    if not 0 <= stock <= MAX_PIECES:
        raise QuantityInvalid(quantity=str(stock)[:40], maximum=MAX_PIECES)
    product = lock_product(product_id, actor_id)
    variant = _add_variant(product, values, stock=stock)
    _changed(product)
    return variant


@atomic_for(Variant)
def change_variant(
    *, variant_id: UUID, actor_id: Any, expected_version: int | None = None, **values: Unpack[VariantValues]
) -> Variant:
    """Change what is given of a variant; its version is its product's.

    Raises ``VariantNotFound``, ``VersionOutdated``, ``OptionsInvalid``, ``PriceInvalid``, ``SkuTaken``. Emits
    ``ProductChanged``.
    """
    found = Variant.objects.using(using()).filter(pk=variant_id, product__shop__in=shops_of(actor_id=actor_id)).first()
    if found is None:
        raise VariantNotFound(variant_id=str(variant_id))
    product = lock_product(found.product_id, actor_id)
    check_version(product, expected_version)
    variant = Variant.objects.using(using()).select_related("stock").get(pk=variant_id)
    variant.product = product
    _set_variant(variant, product, values)
    _save_variant(variant)
    _changed(product)
    return variant


@atomic_for(Product)
def set_images(*, product_id: UUID, actor_id: Any, images: Sequence[tuple[str, str]]) -> Product:
    """Give a product these pictures, each an address and a text, in this order.

    Raises ``ProductNotFound``, ``TextInvalid``, ``TooManyLines``. Emits ``ProductChanged``.
    """
    product = lock_product(product_id, actor_id)
    if len(images) > IMAGES_MAX:
        raise TooManyLines(maximum=IMAGES_MAX)
    for url, alt in images:
        check_text("url", url, URL_LENGTH, required=True)
        check_text("alt", alt, NAME_LENGTH)
    pictures = ProductImage.objects.using(using())
    pictures.filter(product=product).delete()
    pictures.bulk_create(
        ProductImage(product=product, url=url, alt=alt, position=position) for position, (url, alt) in enumerate(images)
    )
    return _changed(product)


@atomic_for(FlashSale)
def schedule_flash_sale(
    *,
    product_id: UUID,
    actor_id: Any,
    price: Money,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    quantity: int | None = None,
) -> FlashSale:
    """Sell a product for less for a while, all of it or so many pieces.

    Raises ``ProductNotFound``, ``PriceInvalid``, ``DiscountInvalid``, ``PeriodInvalid``, ``QuantityInvalid``,
    ``FlashSaleOverlaps``. Emits ``ProductChanged``.
    """
    # The lock of the product lets nobody schedule another one meanwhile.
    product = lock_product(product_id, actor_id)
    price_minor = _price(price, product.currency)
    if price_minor >= product.price_minor:
        raise DiscountInvalid
    check_moments(starts_at, ends_at)
    if ends_at <= starts_at or ends_at <= timezone.now():
        raise PeriodInvalid
    if quantity is not None and not 1 <= quantity <= MAX_PIECES:
        raise QuantityInvalid(quantity=str(quantity)[:40], maximum=MAX_PIECES)
    others = FlashSale.objects.using(using()).filter(product=product)
    if others.filter(starts_at__lt=ends_at, ends_at__gt=starts_at).exists():
        raise FlashSaleOverlaps(product_id=str(product_id))
    sale = FlashSale(product=product, price_minor=price_minor, starts_at=starts_at, ends_at=ends_at, quantity=quantity)
    sale.save(force_insert=True, using=using())
    _changed(product)
    return sale


@atomic_for(FlashSale)
def end_flash_sale(*, flash_sale_id: UUID, actor_id: Any) -> None:
    """End a flash sale now, or call it off before it began. Raises ``FlashSaleNotFound``. Emits ``ProductChanged``."""
    sales = FlashSale.objects.using(using())
    sale = sales.filter(pk=flash_sale_id, product__shop__in=shops_of(actor_id=actor_id)).first()
    if sale is None:
        raise FlashSaleNotFound(flash_sale_id=str(flash_sale_id))
    product = lock_product(sale.product_id, actor_id)
    # By the database's clock, as prices are: by another the sale could be over for one of them and run for the other.
    if not sales.filter(pk=sale.pk, starts_at__gte=Now()).delete()[0]:
        sales.filter(pk=sale.pk, ends_at__gt=Now()).update(ends_at=Now())
    _changed(product)


def _set(product: Product, shop: Shop, values: dict[str, Any]) -> None:
    """Refuse what makes no sense, and set the rest."""
    if "price" in values:
        product.price_minor = _price(values.pop("price"), product.currency)
    if "category_id" in values:
        product.category = known_category(values.pop("category_id"))
    if "location" in values:
        location = values.pop("location")
        product.own_location = location is not None
        lat, lng = location or (shop.lat, shop.lng)
        check_location(lat, lng)
        product.put_at(lat, lng)
    for name, value in values.items():
        setattr(product, name, value)
    check_text("name", product.name, NAME_LENGTH, required=True)
    check_text("description", product.description, DESCRIPTION_LENGTH)
    if not 0 <= product.lead_days <= LEAD_DAYS_MAX:
        raise LeadTimeInvalid(maximum=LEAD_DAYS_MAX)
    stamp(product)


def _add_variant(product: Product, values: VariantValues, *, stock: int) -> Variant:
    variant = Variant(product=product, shop_id=product.shop_id)
    _set_variant(variant, product, values)
    _save_variant(variant, force_insert=True)
    figures = Stock(variant=variant, low_at=settings.LOW_STOCK)
    figures.save(force_insert=True, using=using())
    if stock:
        change_stock([Change(variant_id=variant.pk, kind=MoveKind.RECEIVED, on_hand=stock)])
        figures.on_hand = stock  # as it was written: nobody else knows of the variant yet
    return variant


def _set_variant(variant: Variant, product: Product, values: VariantValues) -> None:
    given: dict[str, Any] = dict(values)
    if "extra" in given:
        variant.extra_minor = _price(given.pop("extra"), product.currency)
    for name, value in given.items():
        setattr(variant, name, value)
    check_text("sku", variant.sku, SKU_LENGTH)
    options = variant.options
    if not isinstance(options, dict) or len(options) > OPTIONS_MAX:
        raise OptionsInvalid
    for one in (*options, *options.values()):
        if not isinstance(one, str) or not one.strip() or len(one) > NAME_LENGTH or not storable(one):
            raise OptionsInvalid
    active = Variant.objects.using(using()).filter(product=product, active=True)
    others = [one for one in active if one.pk != variant.pk]
    if len(others) >= VARIANTS_MAX or (variant.active and options in [one.options for one in others]):
        raise OptionsInvalid


def _save_variant(variant: Variant, *, force_insert: bool = False) -> None:
    try:
        with atomic_for(Variant):
            variant.save(force_insert=force_insert, using=using())
    except IntegrityError:
        raise SkuTaken(sku=variant.sku) from None


def _price(price: Money, currency: str) -> int:
    if str(price.currency) != currency:
        raise PriceInvalid(currency=currency, given=str(price.currency)[:16])
    minor = to_minor(price)
    if not 0 <= minor <= MAX_MINOR:
        raise PriceInvalid(price=str(price.amount)[:40])
    return minor


def _changed(product: Product) -> Product:
    """Give a locked product its next version, for something that belongs to it is different, and tell of it."""
    stamp(product)
    product.save(update_fields=["updated_at"], using=using())
    return _told(product)


def _told(product: Product) -> Product:
    emit(ProductChanged(product_id=str(product.pk), shop_id=str(product.shop_id), active=product.active), using=using())
    return product

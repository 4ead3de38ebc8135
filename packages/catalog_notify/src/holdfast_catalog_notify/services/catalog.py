"""Brands, categories and products."""

import datetime as dt
import re
from decimal import Decimal
from typing import Any, NotRequired, TypedDict, TypeVar, Unpack
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import IntegrityError
from django.db.models import Prefetch, QuerySet, prefetch_related_objects
from django.utils import timezone

from holdfast.money import InvalidAmount, Money, from_minor, to_minor
from holdfast.transactions import atomic_for
from holdfast_catalog_notify.conf import settings
from holdfast_catalog_notify.exceptions import (
    BrandNotFound,
    BrandUnknown,
    CategoryNotFound,
    CategoryUnknown,
    CurrencyNotAllowed,
    NameTaken,
    PriceNegative,
    ProductNotFound,
    SkuTaken,
    StillInUse,
    TextInvalid,
    VersionOutdated,
)
from holdfast_catalog_notify.models import Brand, Category, Product
from holdfast_catalog_notify.models.catalog import DESCRIPTION_LENGTH, NAME_LENGTH, SKU_LENGTH, URL_LENGTH
from holdfast_catalog_notify.services.changes import Snapshot, change_set
from holdfast_catalog_notify.services.rows import using
from holdfast_catalog_notify.states import Door

# What the column of the amount holds.
PRICE_LIMIT = Decimal(10) ** 15
TEXTS = {"sku": SKU_LENGTH, "name": NAME_LENGTH, "description": DESCRIPTION_LENGTH, "image_url": URL_LENGTH}
REQUIRED = ("sku", "name")

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_web_address = URLValidator(schemes=["http", "https"])

GroupT = TypeVar("GroupT", Brand, Category)


class ProductValues(TypedDict):
    """What can be said of a product; what is left out stays as it is."""

    sku: NotRequired[str]
    name: NotRequired[str]
    price: NotRequired[Money]
    brand_id: NotRequired[UUID]
    category_id: NotRequired[UUID | None]
    description: NotRequired[str]
    image_url: NotRequired[str]
    active: NotRequired[bool]


def create_product(
    *,
    sku: str,
    name: str,
    price: Money,
    brand_id: UUID,
    category_id: UUID | None = None,
    description: str = "",
    image_url: str = "",
    active: bool = True,
    actor_id: Any = None,
    door: Door = Door.SERVICE,
) -> Product:
    """Put a new product into the catalog.

    Raises ``SkuTaken``, ``TextInvalid``, ``PriceNegative``, ``CurrencyNotAllowed``, ``BrandUnknown``,
    ``CategoryUnknown``. Emits ``ProductsChanged``.
    """
    with change_set(actor_id=actor_id, door=door) as changes:
        now = timezone.now()
        product = Product(
            sku=sku,
            name=name,
            price=price,  # type: ignore[misc]  # the stubs take a price for a DecimalField
            brand=_known_brand(brand_id),
            category=_known_category(category_id),
            description=description,
            image_url=image_url,
            active=active,
            created_at=now,
            updated_at=now,
        )
        check_product(product=product)
        _save(product, force_insert=True)
        changes.add(None, Snapshot.of(product))
        return product


def change_product(
    *,
    product_id: UUID,
    expected_version: int | None = None,
    actor_id: Any = None,
    door: Door = Door.SERVICE,
    **values: Unpack[ProductValues],
) -> Product:
    """Change what is given of a product.

    Raises ``ProductNotFound``, ``VersionOutdated`` and what ``create_product`` does. Emits ``ProductsChanged``, unless
    everything is so already.
    """
    with change_set(actor_id=actor_id, door=door) as changes:
        # The brand before the product: who renames a brand locks in this order too.
        given: dict[str, Any] = dict(values)
        if "brand_id" in given:
            given["brand"] = _known_brand(given.pop("brand_id"))
        if "category_id" in given:
            given["category"] = _known_category(given.pop("category_id"))
        product = _lock_product(product_id, expected_version)
        before = Snapshot.of(product)

        for name, value in given.items():
            setattr(product, name, value)
        check_product(product=product)
        after = Snapshot.of(product)
        if after != before:
            touch(product=product)
            _save(product)
            changes.add(before, after)
        return product


def delete_product(
    *, product_id: UUID, expected_version: int | None = None, actor_id: Any = None, door: Door = Door.SERVICE
) -> None:
    """Take a product out of the catalog; its history stays.

    Raises ``ProductNotFound``, ``VersionOutdated``. Emits ``ProductsChanged``.
    """
    with change_set(actor_id=actor_id, door=door) as changes:
        product = _lock_product(product_id, expected_version)
        before = Snapshot.of(product)
        product.delete()
        changes.add(before, None)


@atomic_for(Brand)
def create_brand(*, name: str) -> Brand:
    """Add a brand. Raises ``TextInvalid``, ``NameTaken``."""
    return _create_group(Brand, name)


@atomic_for(Brand)
def rename_brand(*, brand_id: UUID, name: str) -> Brand:
    """Give a brand another name. Raises ``BrandNotFound``, ``TextInvalid``, ``NameTaken``."""
    return _rename_group(_lock_brand(brand_id), name)


@atomic_for(Brand)
def delete_brand(*, brand_id: UUID) -> None:
    """Delete a brand without products. Raises ``BrandNotFound``, ``StillInUse``."""
    _delete_group(_lock_brand(brand_id))


@atomic_for(Category)
def create_category(*, name: str) -> Category:
    """Add a category. Raises ``TextInvalid``, ``NameTaken``."""
    return _create_group(Category, name)


@atomic_for(Category)
def rename_category(*, category_id: UUID, name: str) -> Category:
    """Give a category another name. Raises ``CategoryNotFound``, ``TextInvalid``, ``NameTaken``."""
    return _rename_group(_lock_category(category_id), name)


@atomic_for(Category)
def delete_category(*, category_id: UUID) -> None:
    """Delete a category without products. Raises ``CategoryNotFound``, ``StillInUse``."""
    _delete_group(_lock_category(category_id))


def check_product(*, product: Product) -> None:
    """Refuse what the table's constraints would, and currencies that the host does not use.

    Puts the price in order, and takes the spaces around SKU and name away.
    """
    product.sku, product.name = product.sku.strip(), product.name.strip()
    for name, maximum in TEXTS.items():
        _check_text(name, getattr(product, name), maximum, required=name in REQUIRED)
    _check_image_url(product.image_url)
    currency = str(product.price.currency)
    if settings.CURRENCIES is not None and currency not in settings.CURRENCIES:
        raise CurrencyNotAllowed(currency=currency[:16], allowed=list(settings.CURRENCIES))
    price = from_minor(to_minor(product.price), currency)
    if price.amount < 0:
        raise PriceNegative(price=f"{price.amount} {currency}")
    if price.amount >= PRICE_LIMIT:
        raise InvalidAmount("The amount is too large.", currency=currency)
    product.price = price


def _check_image_url(url: str) -> None:
    # A page shows it: nothing that a browser would run, and nothing of this site's own.
    try:
        _web_address(url or "https://example.com")
    except ValidationError:
        raise TextInvalid("The address of an image begins with http:// or https://.", field="image_url") from None


def touch(*, product: Product) -> None:
    """Count a change of the product, without saving it."""
    product.version += 1
    product.updated_at = _now(product)


def _now(row: Product | Brand | Category) -> dt.datetime:
    # Never back: another machine's clock may have been ahead when the row was written last.
    return max(timezone.now(), row.updated_at)


def _save(product: Product, *, force_insert: bool = False) -> None:
    try:
        with atomic_for(Product):
            product.save(force_insert=force_insert)
    except IntegrityError:
        if Product.objects.using(using()).filter(sku=product.sku).exclude(pk=product.pk).exists():
            raise SkuTaken(sku=product.sku) from None
        raise


def lock_products(*, products: QuerySet[Product], limit: int | None = None) -> list[Product]:
    """Lock products, in the order of their ids: two who lock many wait for one another, and do not cross.

    Brands and categories are read afterwards: a lock that joins them loses a product that has moved to another brand
    while it waited, for PostgreSQL then looks at the new row beside the old brand.
    """
    locked = list(products.order_by("pk").select_for_update()[:limit])
    prefetch_related_objects(
        locked,
        Prefetch("brand", Brand.objects.using(using())),
        Prefetch("category", Category.objects.using(using())),
    )
    return locked


def _lock_product(product_id: UUID, expected_version: int | None) -> Product:
    found = lock_products(products=Product.objects.filter(pk=product_id))
    if not found:
        raise ProductNotFound(product_id=str(product_id))
    (product,) = found
    if expected_version is not None and product.version != expected_version:
        raise VersionOutdated(product_id=str(product_id), version=product.version)
    return product


def _known_brand(brand_id: UUID) -> Brand:
    # Locked, so that nobody deletes it before the product is there.
    brand = Brand.objects.select_for_update(no_key=True).filter(pk=brand_id).first()
    if brand is None:
        raise BrandUnknown(brand=str(brand_id))
    return brand


def _known_category(category_id: UUID | None) -> Category | None:
    if category_id is None:
        return None
    category = Category.objects.select_for_update(no_key=True).filter(pk=category_id).first()
    if category is None:
        raise CategoryUnknown(category=str(category_id))
    return category


def _lock_brand(brand_id: UUID) -> Brand:
    brand = Brand.objects.select_for_update().filter(pk=brand_id).first()
    if brand is None:
        raise BrandNotFound(brand_id=str(brand_id))
    return brand


def _lock_category(category_id: UUID) -> Category:
    category = Category.objects.select_for_update().filter(pk=category_id).first()
    if category is None:
        raise CategoryNotFound(category_id=str(category_id))
    return category


def _create_group(model: type[GroupT], name: str) -> GroupT:
    group = model(name=name)
    _save_group(group, force_insert=True)
    return group


def _rename_group(group: GroupT, name: str) -> GroupT:
    # Its products are not touched: there may be a hundred thousand, and who shows one looks here too.
    group.name, group.updated_at = name, _now(group)
    _save_group(group)
    return group


def _save_group(group: Brand | Category, *, force_insert: bool = False) -> None:
    group.name = group.name.strip()
    _check_text("name", group.name, NAME_LENGTH, required=True)
    try:
        with atomic_for(type(group)):
            group.save(force_insert=force_insert)
    except IntegrityError:
        raise NameTaken(name=group.name) from None


def _delete_group(group: Brand | Category) -> None:
    if products := group.products.db_manager(using()).count():
        raise StillInUse(products=products)
    group.delete()


def _check_text(field: str, text: str, maximum: int, *, required: bool) -> None:
    # What has to be said is one line: a break in a name would be a line of its own in a mail, and say what it likes.
    refused = not text.strip() or _CONTROL.search(text) if required else "\0" in text
    if refused or len(text) > maximum:
        raise TextInvalid(field=field, length=len(text), maximum=maximum)

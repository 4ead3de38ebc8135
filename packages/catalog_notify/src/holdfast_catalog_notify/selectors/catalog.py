"""Reads of the catalog."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from holdfast_catalog_notify.exceptions import BrandNotFound, CategoryNotFound, ProductNotFound
from holdfast_catalog_notify.models import Brand, Category, Product


def products(
    *,
    search: str = "",
    brand_id: UUID | None = None,
    category_id: UUID | None = None,
    currency: str | None = None,
    min_price: Decimal | None = None,
    max_price: Decimal | None = None,
    active: bool | None = None,
) -> QuerySet[Product]:
    """Return the products that match every filter given, with brand and category, the newest first.

    ``search`` is a part of the name or the beginning of the SKU.
    """
    filters: dict[str, Any] = {
        "brand_id": brand_id,
        "category_id": category_id,
        "price_currency": currency,
        "price__gte": min_price,
        "price__lte": max_price,
        "active": active,
    }
    found = Product.objects.filter(**{name: value for name, value in filters.items() if value is not None})
    if search:
        found = found.filter(Q(name__icontains=search) | Q(sku__istartswith=search))
    return found.select_related("brand", "category")


def get_product(product_id: UUID, *, active: bool | None = None) -> Product:
    """Return a product; with ``active`` only one that is, or is not. Raises ``ProductNotFound``."""
    product = products(active=active).filter(pk=product_id).first()
    if product is None:
        raise ProductNotFound(product_id=str(product_id))
    return product


def brands() -> QuerySet[Brand]:
    """Return all brands."""
    return Brand.objects.all()


def get_brand(brand_id: UUID) -> Brand:
    """Return a brand. Raises ``BrandNotFound``."""
    brand = Brand.objects.filter(pk=brand_id).first()
    if brand is None:
        raise BrandNotFound(brand_id=str(brand_id))
    return brand


def categories() -> QuerySet[Category]:
    """Return all categories."""
    return Category.objects.all()


def get_category(category_id: UUID) -> Category:
    """Return a category. Raises ``CategoryNotFound``."""
    category = Category.objects.filter(pk=category_id).first()
    if category is None:
        raise CategoryNotFound(category_id=str(category_id))
    return category

"""Many prices at once."""

from collections.abc import Collection
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any
from uuid import UUID

from holdfast.money import quantize
from holdfast_catalog_notify.conf import settings
from holdfast_catalog_notify.exceptions import PercentOutOfRange, TooManyProducts
from holdfast_catalog_notify.models import Product
from holdfast_catalog_notify.services.catalog import check_product, lock_products, touch
from holdfast_catalog_notify.services.changes import BATCH, Snapshot, change_set
from holdfast_catalog_notify.services.rows import using
from holdfast_catalog_notify.states import Door

LOWEST, HIGHEST = Decimal(-100), Decimal(1_000)


def change_prices(
    *,
    percent: Decimal,
    product_ids: Collection[UUID] | None = None,
    brand_id: UUID | None = None,
    category_id: UUID | None = None,
    actor_id: Any = None,
    door: Door = Door.SERVICE,
) -> int:
    """Raise or lower the prices of all products that match every filter given; return how many changed.

    Each price is rounded to its currency's decimals, half to even. All or none. Raises ``PercentOutOfRange``,
    ``TooManyProducts``, ``InvalidAmount``. Emits ``ProductsChanged``, one for all of them.
    """
    if not percent.is_finite() or not LOWEST < percent <= HIGHEST:
        raise PercentOutOfRange(percent=str(percent))
    given = {
        "pk__in": None if product_ids is None else list(product_ids),
        "brand_id": brand_id,
        "category_id": category_id,
    }
    filters = {name: value for name, value in given.items() if value is not None}
    with change_set(actor_id=actor_id, door=door) as changes:
        wanted = Product.objects.using(using()).filter(**filters)
        products = lock_products(products=wanted, limit=settings.BULK_MAX_PRODUCTS + 1)
        if len(products) > settings.BULK_MAX_PRODUCTS:
            raise TooManyProducts(products=wanted.count(), maximum=settings.BULK_MAX_PRODUCTS)

        changed = []
        for product in products:
            before = Snapshot.of(product)
            amount = product.price.amount * (100 + percent) / 100
            product.price = quantize(amount, product.price.currency, ROUND_HALF_EVEN)
            check_product(product=product)
            after = Snapshot.of(product)
            if after != before:
                touch(product=product)
                changes.add(before, after)
                changed.append(product)
        Product.objects.bulk_update(changed, ["price", "version", "updated_at"], batch_size=BATCH)
        return len(changed)

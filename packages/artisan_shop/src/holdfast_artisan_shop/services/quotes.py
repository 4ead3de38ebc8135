"""What things cost now: read without a lock, because the price of an order is the one of its moment."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from holdfast_artisan_shop.conf import settings
from holdfast_artisan_shop.exceptions import (
    BasketEmpty,
    NotOnSale,
    OrderEmpty,
    PriceChanged,
    ProductNotFound,
    ProductOfAnotherShop,
    ShopNotOpen,
    TooManyLines,
    VariantNotFound,
    VariantRequired,
)
from holdfast_artisan_shop.services import statements
from holdfast_artisan_shop.services.rows import using
from holdfast_artisan_shop.services.stock import check_quantity
from holdfast_artisan_shop.states import ShopState


@dataclass(frozen=True, kw_only=True)
class Item:
    """So many pieces of a variant, or of a product that has only one."""

    quantity: int
    product_id: UUID | None = None
    variant_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Quoted:
    """A variant and what it costs now.

    In a basket also how many, at which price it was put there, and whether the customer holds anything.
    """

    variant_id: UUID
    product_id: UUID
    shop_id: UUID
    name: str
    sku: str
    options: dict[str, str]
    currency: str
    made_to_order: bool
    lead_days: int
    active: bool
    shop_state: str
    unit_minor: int
    flash_sale_id: UUID | None
    quantity: int
    seen_minor: int | None
    line_id: int | None

    @classmethod
    def of(cls, row: Sequence[Any], quantity: int = 0) -> Self:
        """Return what a row of ``statements.quote`` says."""
        variant, product, shop, name, sku, options, currency, made, lead, active, state, unit, flash, *line = row
        return cls(
            UUID(variant),
            UUID(product),
            UUID(shop),
            name,
            sku,
            json.loads(options) if isinstance(options, str) else options,  # SQLite keeps JSON as text
            currency,
            bool(made),
            lead,
            bool(active),
            state,
            unit,
            UUID(flash) if flash else None,
            line[0] or quantity,
            line[1],
            line[2],
        )

    @property
    def on_sale(self) -> bool:
        """Whether it can be bought."""
        return self.active and self.shop_state == ShopState.OPEN

    @property
    def total_minor(self) -> int:
        """What all its pieces cost."""
        return self.unit_minor * self.quantity


def quote_items(shop_id: UUID, items: Sequence[Item]) -> list[Quoted]:
    """Return what items of one shop cost, each variant once.

    Raises ``OrderEmpty``, ``TooManyLines``, ``QuantityInvalid``, ``ProductNotFound``, ``VariantNotFound``,
    ``VariantRequired``, ``ProductOfAnotherShop``, ``NotOnSale``, ``ShopNotOpen``.
    """
    if not items:
        raise OrderEmpty
    if len(items) > settings.MAX_LINES:
        raise TooManyLines(maximum=settings.MAX_LINES)
    for item in items:
        check_quantity(item.quantity, settings.MAX_QUANTITY)
    rows = [*_rows_of_variants(items), *_rows_of_products(items)]
    pieces: dict[str, int] = {}
    for row, quantity in rows:
        pieces[row[0]] = pieces.get(row[0], 0) + quantity
    quoted = [Quoted.of(row, pieces[row[0]]) for row in {row[0]: row for row, _quantity in rows}.values()]
    for one in quoted:
        check_quantity(one.quantity, settings.MAX_QUANTITY)
    if strangers := {str(one.product_id) for one in quoted if one.shop_id != shop_id}:
        raise ProductOfAnotherShop(product_ids=sorted(strangers))
    check_sold(quoted)
    return quoted


def quote_variants(variant_ids: Iterable[UUID]) -> dict[UUID, Quoted]:
    """Return what variants cost now, by their ids."""
    wanted = sorted(set(variant_ids))
    rows = statements.quote(using=using(), variant_ids=wanted) if wanted else []
    return {quoted.variant_id: quoted for quoted in map(Quoted.of, rows)}


def quote_basket(customer_id: Any, *, lock: bool = True) -> list[Quoted]:
    """Return what the lines of a basket cost now; locked, in a transaction, unless they are only looked at."""
    return [Quoted.of(row) for row in statements.quote_basket(using=using(), customer_id=customer_id, lock=lock)]


def the_variant(product_id: UUID | None) -> UUID:
    """Return the only variant of a product. Raises ``ProductNotFound``, ``VariantRequired``."""
    if product_id is None:
        raise ProductNotFound(product_ids=[])
    (row, _quantity), *_others = _rows_of_products([Item(product_id=product_id, quantity=1)])
    return UUID(row[0])


def check_basket(quoted: Sequence[Quoted]) -> None:
    """Raise ``BasketEmpty``, ``ShopNotOpen``, ``NotOnSale`` or ``PriceChanged`` for a basket that cannot be ordered."""
    if not quoted:
        raise BasketEmpty
    check_sold(quoted)
    _check_prices(quoted)


def check_sold(quoted: Sequence[Quoted]) -> None:
    """Raise ``ShopNotOpen`` or ``NotOnSale`` for what cannot be bought."""
    for one in quoted:
        if one.shop_state != ShopState.OPEN:
            raise ShopNotOpen(shop_id=str(one.shop_id), state=one.shop_state)
    if gone := [str(one.variant_id) for one in quoted if not one.active]:
        raise NotOnSale(variant_ids=gone)


def _check_prices(quoted: Iterable[Quoted]) -> None:
    changed = [
        {"variant_id": str(one.variant_id), "was_minor": one.seen_minor, "is_minor": one.unit_minor}
        for one in quoted
        if one.seen_minor != one.unit_minor
    ]
    if changed:
        raise PriceChanged(lines=changed)


def _rows_of_variants(items: Sequence[Item]) -> list[tuple[list[Any], int]]:
    wanted = [(item.variant_id, item.quantity) for item in items if item.variant_id is not None]
    if not wanted:
        return []
    variant_ids = sorted({variant_id for variant_id, _quantity in wanted})
    rows = {UUID(row[0]): row for row in statements.quote(using=using(), variant_ids=variant_ids)}
    for item in items:
        row = rows.get(item.variant_id) if item.variant_id is not None else None
        if item.variant_id is not None and (row is None or item.product_id not in (None, UUID(row[1]))):
            raise VariantNotFound(variant_id=str(item.variant_id))
    return [(rows[variant_id], quantity) for variant_id, quantity in wanted]


def _rows_of_products(items: Sequence[Item]) -> list[tuple[list[Any], int]]:
    wanted = [(item.product_id, item.quantity) for item in items if item.variant_id is None]
    if not wanted:
        return []
    product_ids = sorted({product_id for product_id, _quantity in wanted if product_id is not None})
    rows: dict[UUID, list[list[Any]]] = {}
    for row in statements.quote(using=using(), product_ids=product_ids) if product_ids else ():
        rows.setdefault(UUID(row[1]), []).append(row)
    if missing := [str(product_id) for product_id, _quantity in wanted if product_id not in rows]:
        raise ProductNotFound(product_ids=missing)
    for product_id, variants in rows.items():
        if len(variants) > 1:
            raise VariantRequired(product_id=str(product_id), variant_ids=[str(UUID(row[0])) for row in variants])
    return [(rows[product_id][0], quantity) for product_id, quantity in wanted if product_id is not None]

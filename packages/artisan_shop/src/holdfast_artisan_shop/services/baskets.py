"""Baskets: a customer's lines are his basket, and nobody else sees them."""

import datetime as dt
from typing import Any
from uuid import UUID

from holdfast.transactions import atomic_for
from holdfast_artisan_shop.conf import settings
from holdfast_artisan_shop.exceptions import (
    NotOnSale,
    QuantityInvalid,
    ShopNotOpen,
    TooManyLines,
    VariantNotFound,
)
from holdfast_artisan_shop.models import BasketLine, Hold
from holdfast_artisan_shop.services import statements
from holdfast_artisan_shop.services.quotes import Quoted, check_basket, quote_basket, the_variant
from holdfast_artisan_shop.services.rows import using
from holdfast_artisan_shop.services.stock import Change, change_stock, check_quantity, hold_stock, reaping, take_holds
from holdfast_artisan_shop.states import MoveKind, ShopState


def add_to_basket(
    *, customer_id: Any, variant_id: UUID | None = None, product_id: UUID | None = None, quantity: int = 1
) -> BasketLine:
    """Put pieces into a basket, at the price of this moment; what is there already becomes more.

    Raises ``QuantityInvalid``, ``TooManyLines``, ``VariantNotFound``, ``VariantRequired``, ``ProductNotFound``,
    ``NotOnSale``, ``ShopNotOpen``.
    """
    check_quantity(quantity, settings.MAX_QUANTITY)
    if variant_id is None:
        variant_id = the_variant(product_id)
    line = statements.add_line(
        using=using(),
        customer_id=customer_id,
        variant_id=variant_id,
        quantity=quantity,
        max_lines=settings.MAX_LINES,
        max_quantity=settings.MAX_QUANTITY,
    )
    if line is None:
        raise _why_not(customer_id, variant_id)
    line_id, total, unit_minor = line
    return BasketLine(pk=line_id, customer_id=customer_id, variant_id=variant_id, quantity=total, unit_minor=unit_minor)


@atomic_for(BasketLine)
def set_basket_quantity(*, customer_id: Any, variant_id: UUID, quantity: int) -> BasketLine:
    """Say how many pieces of something in the basket it shall be. Raises ``QuantityInvalid``, ``VariantNotFound``."""
    check_quantity(quantity, settings.MAX_QUANTITY)
    lines = BasketLine.objects.using(using()).select_for_update().filter(customer_id=customer_id, variant_id=variant_id)
    line = lines.first()
    if line is None:
        raise VariantNotFound(variant_id=str(variant_id))
    line.quantity = quantity
    line.save(update_fields=["quantity"])
    return line


@atomic_for(BasketLine)
def remove_from_basket(*, customer_id: Any, variant_id: UUID) -> None:
    """Take something out of a basket. Raises ``VariantNotFound``."""
    gone, _by_model = BasketLine.objects.using(using()).filter(customer_id=customer_id, variant_id=variant_id).delete()
    if not gone:
        raise VariantNotFound(variant_id=str(variant_id))


@atomic_for(BasketLine)
def empty_basket(*, customer_id: Any) -> None:
    """Take everything out of a basket, and give back what was held for it."""
    BasketLine.objects.using(using()).filter(customer_id=customer_id).delete()
    _give_back(customer_id)


@atomic_for(BasketLine)
def accept_prices(*, customer_id: Any) -> list[Quoted]:
    """Agree to today's prices, and drop what is not on sale any more; return what is left in the basket."""
    quoted = quote_basket(customer_id)
    gone = [one for one in quoted if not one.on_sale]
    BasketLine.objects.using(using()).filter(pk__in=[one.line_id for one in gone]).delete()
    left = [one for one in quoted if one.on_sale]
    for one in left:
        if one.seen_minor != one.unit_minor:
            BasketLine.objects.using(using()).filter(pk__in=[one.line_id]).update(unit_minor=one.unit_minor)
    return left


@reaping
@atomic_for(Hold)
def hold_basket(*, customer_id: Any) -> dt.datetime:
    """Begin the checkout: hold the stock of a basket for a while; return until when. Again, it begins anew.

    Raises ``BasketEmpty``, ``NotOnSale``, ``ShopNotOpen``, ``PriceChanged``, ``SoldOut``, ``HoldLimitReached``.
    """
    quoted = quote_basket(customer_id)
    check_basket(quoted)
    return hold_stock(customer_id, {one.variant_id: one.quantity for one in quoted if not one.made_to_order})


@atomic_for(Hold)
def release_holds(*, customer_id: Any) -> None:
    """Give up a checkout: what was held for the customer is everybody's again. Emits ``BackInStock`` where it is so."""
    _give_back(customer_id)


def _give_back(customer_id: Any) -> None:
    change_stock(
        Change(variant_id=one, kind=MoveKind.RELEASED, held=-quantity)
        for one, quantity in take_holds(customer_id).items()
    )


def _why_not(customer_id: Any, variant_id: UUID) -> Exception:
    """Return the refusal: the statement only says that nothing was written."""
    found = [Quoted.of(row) for row in statements.quote(using=using(), variant_ids=[variant_id])]
    if not found:
        return VariantNotFound(variant_id=str(variant_id))
    (quoted,) = found
    if not quoted.active:
        return NotOnSale(variant_ids=[str(variant_id)])
    if quoted.shop_state != ShopState.OPEN:
        return ShopNotOpen(shop_id=str(quoted.shop_id), state=quoted.shop_state)
    line = BasketLine.objects.using(using()).filter(customer_id=customer_id, variant_id=variant_id).first()
    if line is not None:
        return QuantityInvalid(quantity=str(line.quantity), maximum=settings.MAX_QUANTITY)
    return TooManyLines(maximum=settings.MAX_LINES)

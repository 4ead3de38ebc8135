"""Orders that are about to be written, and the writing of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connections

from holdfast.outbox import after_commit_wakeup, emit_many, insertion_many
from holdfast_artisan_shop.events import OrderPlaced
from holdfast_artisan_shop.models import Coupon, Order, OrderLine, Slot
from holdfast_artisan_shop.services import statements
from holdfast_artisan_shop.services.quotes import Quoted
from holdfast_artisan_shop.services.rows import plain, using


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What a customer chooses for the order of one shop."""

    slot_id: UUID | None = None
    address: str = ""
    lat: float | None = None
    lng: float | None = None
    coupon_code: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """An order with all that it was made of."""

    order: Order
    quoted: Sequence[Quoted]
    choice: Choice
    slot: Slot | None
    coupon: Coupon | None


def record(drafts: Sequence[Draft]) -> None:
    """Write a purchase with its orders and their lines, and tell of them; in a transaction. Emits ``OrderPlaced``."""
    events = [_placed(draft) for draft in drafts]
    if connections[using()].vendor != "postgresql":
        _record_rows(drafts)
        emit_many(events, using=using())
        return
    statements.record_purchase(using=using(), document=_document(drafts), told=insertion_many(events, source="placed"))
    after_commit_wakeup(using())


def _record_rows(drafts: Sequence[Draft]) -> None:
    drafts[0].order.purchase.save(force_insert=True, using=using())
    Order.objects.using(using()).bulk_create([draft.order for draft in drafts])
    OrderLine.objects.using(using()).bulk_create(
        OrderLine(
            order_id=draft.order.pk,
            product_id=one.product_id,
            variant_id=one.variant_id,
            flash_sale_id=one.flash_sale_id,
            name=one.name,
            sku=one.sku,
            options=one.options,
            stocked=not one.made_to_order,
            quantity=one.quantity,
            unit_minor=one.unit_minor,
            total_minor=one.total_minor,
        )
        for draft in drafts
        for one in draft.quoted
    )


def _document(drafts: Sequence[Draft]) -> list[Any]:
    """Return the same rows as ``statements.record_purchase`` reads them."""
    purchase = drafts[0].order.purchase
    orders = [
        [
            order.pk.hex,
            order.shop_id.hex,
            order.currency,
            order.subtotal_minor,
            order.delivery_minor,
            order.discount_minor,
            order.total_minor,
            order.fee_minor,
            order.lead_days,
            order.note,
        ]
        for order in (draft.order for draft in drafts)
    ]
    lines = [
        [
            draft.order.pk.hex,
            one.product_id.hex,
            one.variant_id.hex,
            one.flash_sale_id and one.flash_sale_id.hex,
            one.name,
            one.sku,
            one.options,
            not one.made_to_order,
            one.quantity,
            one.unit_minor,
            one.total_minor,
        ]
        for draft in drafts
        for one in draft.quoted
    ]
    moment = purchase.placed_at.isoformat()
    return [[purchase.pk.hex, str(purchase.customer_id), purchase.key, moment, purchase.fingerprint], orders, lines]


def _placed(draft: Draft) -> OrderPlaced:
    order = draft.order
    return OrderPlaced(
        order_id=str(order.pk),
        purchase_id=str(order.purchase_id),
        shop_id=str(order.shop_id),
        customer_id=plain(order.customer_id),
        currency=order.currency,
        total_minor=order.total_minor,
        lines=[[str(one.product_id), str(one.variant_id), one.quantity, one.total_minor] for one in draft.quoted],
    )

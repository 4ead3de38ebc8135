"""Orders: placed at once or out of a basket, and moved from state to state.

A purchase is written in one transaction: his own holds, the order, the stock, then slots, flash sales and coupons.
Everything else of an order locks the order first.
"""

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.db import IntegrityError
from django.db.models import Prefetch, prefetch_related_objects
from django.utils import timezone

from holdfast.outbox import emit
from holdfast.transactions import atomic_for
from holdfast_artisan_shop.conf import settings
from holdfast_artisan_shop.events import OrderCancelled, OrderRefunded
from holdfast_artisan_shop.exceptions import (
    KeyReused,
    OrderStepNotAllowed,
    OrderTooLarge,
    ShopError,
    ShopNotInBasket,
)
from holdfast_artisan_shop.models import BasketLine, Coupon, Order, Purchase, Shop, Slot
from holdfast_artisan_shop.models.orders import KEY_LENGTH, NOTE_LENGTH, TOTAL_MAX
from holdfast_artisan_shop.services import delivery, discounts, payments, steps
from holdfast_artisan_shop.services.drafts import Choice, Draft, record
from holdfast_artisan_shop.services.quotes import Item, Quoted, check_basket, quote_basket, quote_items
from holdfast_artisan_shop.services.rows import lock_order, using
from holdfast_artisan_shop.services.stock import Change, change_stock, reaping, take_holds
from holdfast_artisan_shop.services.texts import check_text
from holdfast_artisan_shop.states import MoveKind, OrderState

# What a customer may still cancel himself.
BEFORE_WORK = (OrderState.PENDING, OrderState.PAID)
EXPIRY_BATCH = 100


def place_order(
    *, customer_id: Any, shop_id: UUID, items: Sequence[Item], choice: Choice | None = None, key: str | None = None
) -> Order:
    """Order items of one shop, without a basket; with a ``key`` that was used before, return what was ordered then.

    Raises what is refused of items (``OrderEmpty``, ``ProductNotFound``, ``ProductOfAnotherShop``, ``ShopNotOpen``,
    ``NotOnSale``, ``QuantityInvalid``, ...), ``SoldOut``, ``FlashSaleSoldOut``; of the choice ``SlotNotFound``,
    ``SlotFull``, ``SlotClosed``, ``SlotTooSoon``, ``AddressRequired``, ``OutOfRange``, ``CouponInvalid``,
    ``CouponUsed``, ``CouponExhausted``; of the key ``TextInvalid``, ``KeyReused``. Emits ``OrderPlaced``, and
    ``StockRanLow`` where it is so.
    """
    choices = {shop_id: choice or Choice()}
    asked = _asked(key, choices, items)

    @reaping
    @atomic_for(Order)
    def place() -> list[Draft]:
        return _place(Purchase(customer_id=customer_id, **asked), quote_items(shop_id, items), choices, {})

    return _once(customer_id, asked, place)[0]


def checkout(*, customer_id: Any, choices: Mapping[UUID, Choice] | None = None, key: str | None = None) -> Purchase:
    """Order everything in a basket: one purchase, with an order for each shop; the basket is empty then.

    ``choices`` are by shop. What was held for the customer is used. Raises ``BasketEmpty``, ``PriceChanged``,
    ``ShopNotInBasket`` and what ``place_order`` raises. Emits ``OrderPlaced`` for each order.
    """
    choices = choices or {}
    asked = _asked(key, choices)

    @reaping
    @atomic_for(Order)
    def check_out() -> list[Draft]:
        quoted = quote_basket(customer_id)
        _check_ordered(quoted, choices)
        # Looked for under the lock of the lines: who held them while we waited for it is seen.
        held = take_holds(customer_id)
        placed = _place(Purchase(customer_id=customer_id, **asked), quoted, choices, held)
        BasketLine.objects.using(using()).filter(pk__in=[one.line_id for one in quoted]).delete()
        return placed

    return _once(customer_id, asked, check_out)[0].purchase


def quote_checkout(*, customer_id: Any, choices: Mapping[UUID, Choice] | None = None) -> list[Draft]:
    """Return the orders that a checkout would write now, one for each shop, and write nothing.

    It promises no pieces, which ``hold_basket`` does, and no place in a slot. Raises what ``checkout`` raises, but
    ``SoldOut``.
    """
    choices = choices or {}
    quoted = quote_basket(customer_id, lock=False)
    _check_ordered(quoted, choices)
    drafts = _drafts(Purchase(customer_id=customer_id), quoted, choices)
    discounts.check_flash_sales(drafts)
    prefetch_related_objects([draft.order for draft in drafts], Prefetch("shop", Shop.objects.using(using())))
    return drafts


@atomic_for(Order)
def start_order(*, order_id: UUID, actor_id: Any) -> Order:
    """Begin to make a paid order. Raises ``OrderNotFound``, ``OrderStepNotAllowed``. Emits ``OrderMoved``."""
    return steps.move(lock_order(order_id, actor_id=actor_id), "start")


@atomic_for(Order)
def finish_order(*, order_id: UUID, actor_id: Any) -> Order:
    """Say that an order can be fetched or sent. Raises and emits as ``start_order`` does."""
    return steps.move(lock_order(order_id, actor_id=actor_id), "finish")


def complete_order(*, order_id: UUID, actor_id: Any) -> Order:
    """Hand an order over, without a slot or with one; its money is taken.

    Raises ``OrderNotFound``, ``OrderStepNotAllowed``. Emits ``OrderMoved``, ``OrderCompleted``, and ``DeliveryMoved``.
    """
    with atomic_for(Order):
        order = lock_order(order_id, actor_id=actor_id)
        steps.hand_over(order)
        delivery.follow(order, "deliver")
    payments.settle_order(order_id=order.pk)
    return order


def cancel_order(*, order_id: UUID, customer_id: Any, reason: str = "") -> Order:
    """Cancel an order of one's own, as long as nobody works on it; its stock, slot and money are free again.

    Raises ``OrderNotFound``, ``OrderStepNotAllowed``. Emits ``OrderMoved``, ``OrderCancelled``.
    """
    return _cancel(partial(lock_order, order_id, customer_id=customer_id), reason, BEFORE_WORK)


def decline_order(*, order_id: UUID, actor_id: Any, reason: str = "") -> Order:
    """Cancel an order of one's shop, until it is on its way. Raises and emits as ``cancel_order`` does."""
    return _cancel(partial(lock_order, order_id, actor_id=actor_id), reason, tuple(OrderState))


def refund_order(*, order_id: UUID, actor_id: Any, restock: bool = False) -> Order:
    """Give back the money of a completed order; ``restock`` says that the goods came back and can be sold again.

    Raises ``OrderNotFound``, ``OrderStepNotAllowed``, ``PaymentStepNotAllowed``.
    Emits ``OrderMoved``, ``OrderRefunded``.
    """
    with atomic_for(Order):
        order = lock_order(order_id, actor_id=actor_id)
        steps.move(order, "refund")
        if restock:
            change_stock(steps.changes(order, MoveKind.RETURNED, on_hand=1))
        steps.intend(order, "refund")
        emit(
            OrderRefunded(**steps.told_of(order), currency=order.currency, total_minor=order.total_minor),
            using=using(),
        )
    payments.settle_order(order_id=order.pk)
    return order


def expire_orders(*, limit: int = EXPIRY_BATCH) -> int:
    """Cancel orders that nobody has paid in time, ``limit`` at a time; return how many.

    Emits as ``cancel_order`` does.
    """
    before = timezone.now() - dt.timedelta(seconds=settings.PAYMENT_SECONDS)
    unpaid = Order.objects.using(using()).filter(state=OrderState.PENDING, placed_at__lte=before).order_by("placed_at")
    expired = 0
    while batch := list(unpaid.values_list("pk", flat=True)[:limit]):
        for order_id in batch:
            try:
                _cancel(partial(lock_order, order_id), "not paid in time", (OrderState.PENDING,))
            except OrderStepNotAllowed:
                continue  # paid or cancelled meanwhile
            expired += 1
    return expired


def _place(
    purchase: Purchase,
    quoted: Sequence[Quoted],
    choices: Mapping[UUID, Choice],
    held: Mapping[UUID, int],
) -> list[Draft]:
    """Write a purchase; in a transaction, after the own holds ``held`` were taken."""
    drafts = _drafts(purchase, quoted, choices)
    record(drafts)
    change_stock(
        [
            *(
                Change(
                    variant_id=one.variant_id,
                    kind=MoveKind.RESERVED,
                    held=-held.get(one.variant_id, 0),
                    allocated=one.quantity,
                    order_id=draft.order.pk,
                )
                for draft in drafts
                for one in draft.quoted
                if not one.made_to_order
            ),
            # Held for what is not in the basket any more, or is made to order since.
            *(
                Change(variant_id=one, kind=MoveKind.RELEASED, held=-quantity)
                for one, quantity in held.items()
                if one not in {line.variant_id for line in quoted if not line.made_to_order}
            ),
        ]
    )
    delivery.book(drafts)
    discounts.take(drafts)
    return drafts


def _check_ordered(quoted: Sequence[Quoted], choices: Mapping[UUID, Choice]) -> None:
    check_basket(quoted)
    if strangers := set(choices) - {one.shop_id for one in quoted}:
        raise ShopNotInBasket(shop_ids=sorted(map(str, strangers)))


def _drafts(purchase: Purchase, quoted: Sequence[Quoted], choices: Mapping[UUID, Choice]) -> list[Draft]:
    """Return the orders of a purchase, one for each shop, at the price at which they are written."""
    by_shop: dict[UUID, list[Quoted]] = {}
    for one in quoted:
        by_shop.setdefault(one.shop_id, []).append(one)
    slots = delivery.slots_of({choice.slot_id for choice in choices.values() if choice.slot_id is not None})
    coupons = discounts.chosen_coupons(choices, purchase.customer_id)
    return [
        _draft(purchase, lines, choices.get(shop_id) or Choice(), slots, coupons.get(shop_id))
        for shop_id, lines in by_shop.items()
    ]


def _draft(
    purchase: Purchase, quoted: Sequence[Quoted], choice: Choice, slots: Mapping[UUID, Slot], coupon: Coupon | None
) -> Draft:
    check_text("note", choice.note, NOTE_LENGTH)
    shop_id, currency = quoted[0].shop_id, quoted[0].currency
    subtotal = sum(one.total_minor for one in quoted)
    if subtotal > TOTAL_MAX:
        raise OrderTooLarge(maximum_minor=TOTAL_MAX)
    lead_days = max(one.lead_days for one in quoted)
    slot = delivery.slot_for(shop_id, choice, slots, delivery.timedelta_of(lead_days))
    if choice.coupon_code:
        discounts.check_coupon(coupon, subtotal)
    discount = discounts.discount_of(coupon, subtotal)
    fee_of_slot = slot.fee_minor if slot else 0
    order = Order(
        purchase=purchase,
        shop_id=shop_id,
        customer_id=purchase.customer_id,
        currency=currency,
        subtotal_minor=subtotal,
        delivery_minor=fee_of_slot,
        discount_minor=discount,
        total_minor=subtotal + fee_of_slot - discount,
        fee_minor=discounts.percent_of(subtotal - discount, settings.FEE_PERCENT),
        lead_days=lead_days,
        note=choice.note,
        placed_at=purchase.placed_at,
    )
    return Draft(order=order, quoted=quoted, choice=choice, slot=slot, coupon=coupon)


def _asked(key: str | None, choices: Mapping[UUID, Choice], items: Sequence[Item] | None = None) -> dict[str, str]:
    """Return a key with the fingerprint of what is asked for, items or a basket. Raises ``TextInvalid``."""
    if key is None:
        return {}
    check_text("key", key, KEY_LENGTH, required=True)
    chosen = {str(shop_id): asdict(choice) for shop_id, choice in choices.items()}
    wanted = None if items is None else [asdict(item) for item in items]
    plainly = json.dumps([chosen, wanted], sort_keys=True, default=str)
    return {"key": key, "fingerprint": sha256(plainly.encode()).hexdigest()}


def _once(customer_id: Any, asked: Mapping[str, str], place: Callable[[], list[Draft]]) -> list[Order]:
    """Place a purchase, or return the orders of the one that was placed with this key. Raises ``KeyReused``."""
    if not asked:
        return [draft.order for draft in place()]
    if known := _placed_with(customer_id, **asked):
        return known
    try:
        return [draft.order for draft in place()]
    except (IntegrityError, ShopError):
        # A twin with the same key was faster: he has emptied the basket, used the coupon or taken the last piece.
        if known := _placed_with(customer_id, **asked):
            return known
        raise


def _placed_with(customer_id: Any, key: str, fingerprint: str) -> list[Order]:
    placed = Order.objects.using(using()).select_related("purchase")
    orders = list(placed.filter(purchase__customer_id=customer_id, purchase__key=key).order_by("id"))
    if orders and orders[0].purchase.fingerprint != fingerprint:
        raise KeyReused
    return orders


def _cancel(lock: Callable[[], Order], reason: str, allowed: Sequence[OrderState]) -> Order:
    check_text("reason", reason, NOTE_LENGTH)
    with atomic_for(Order):
        order = lock()
        if order.state not in allowed:
            raise OrderStepNotAllowed(order_id=str(order.pk), state=order.state, step="cancel")
        steps.move(order, "cancel", reason=reason)
        change_stock(steps.changes(order, MoveKind.RELEASED, allocated=-1))
        delivery.follow(order, "cancel")
        discounts.give_back(order)
        steps.intend(order, "release")
        emit(OrderCancelled(**steps.told_of(order), reason=reason), using=using())
    payments.settle_order(order_id=order.pk)
    return order

"""Orders, baskets, what customers wait for, alerts and deliveries, each within the scope of who asks."""

import datetime as dt
from typing import Any
from uuid import UUID

from django.db.models import F, Prefetch, Q, QuerySet
from django.utils import timezone

from holdfast_artisan_shop.exceptions import DeliveryNotFound, OrderNotFound
from holdfast_artisan_shop.models import (
    BackInStockRequest,
    BasketLine,
    Delivery,
    Hold,
    InventoryAlert,
    Order,
    OrderLine,
    Payment,
    Purchase,
    Slot,
)
from holdfast_artisan_shop.models.places import unit_vector
from holdfast_artisan_shop.selectors.days import day_bounds
from holdfast_artisan_shop.selectors.scopes import managed_shop, shops_of
from holdfast_artisan_shop.states import DeliveryState, Fulfillment, OrderState


def orders_of_customer(*, customer_id: Any, state: OrderState | None = None) -> QuerySet[Order]:
    """Return a customer's orders with shop, lines and delivery, the newest first."""
    return _orders(Q(customer_id=customer_id), state)


def orders_of_shops(*, actor_id: Any, shop_id: UUID | None = None, state: OrderState | None = None) -> QuerySet[Order]:
    """Return the orders of the shops that a user acts for, or of one of them, the newest first.

    Raises ``ShopNotFound``.
    """
    if shop_id is not None:
        return _orders(Q(shop_id=managed_shop(shop_id=shop_id, actor_id=actor_id).pk), state)
    return _orders(Q(shop__in=shops_of(actor_id=actor_id).values("pk")), state)


def get_order(*, order_id: UUID, user_id: Any, using: str | None = None) -> Order:
    """Return an order that a user has placed, or of a shop that he acts for; ``using`` is where it was written.

    Raises ``OrderNotFound``.
    """
    mine = Q(customer_id=user_id) | Q(shop__in=shops_of(actor_id=user_id).values("pk"))
    order = _orders(mine, None, using).filter(pk=order_id).first()
    if order is None:
        raise OrderNotFound(order_id=str(order_id))
    return order


def get_purchase(*, purchase_id: UUID, customer_id: Any, using: str | None = None) -> Purchase:
    """Return a customer's purchase with its orders; ``using`` is where it was written. Raises ``OrderNotFound``."""
    orders = Prefetch("orders", _orders(Q(), None, using))
    purchases = Purchase.objects.using(using).prefetch_related(orders)
    purchase = purchases.filter(pk=purchase_id, customer_id=customer_id).first()
    if purchase is None:
        raise OrderNotFound(purchase_id=str(purchase_id))
    return purchase


def basket_of(*, customer_id: Any, using: str | None = None) -> QuerySet[BasketLine]:
    """Return the lines of a basket, in the order in which they were put there, with product, shop and stock.

    ``using`` is where they were written.
    """
    lines = BasketLine.objects.using(using).filter(customer_id=customer_id).order_by("id")
    return lines.select_related("variant__product__shop", "variant__stock")


def held_until(*, customer_id: Any) -> dt.datetime | None:
    """Return until when pieces are held for a customer's checkout, if any are."""
    holds = Hold.objects.filter(customer_id=customer_id, expires_at__gt=timezone.now())
    return holds.order_by("expires_at").values_list("expires_at", flat=True).first()


def back_in_stock_requests_of(*, customer_id: Any) -> QuerySet[BackInStockRequest]:
    """Return what a customer wants to be told of when it can be bought again, the latest request first."""
    requests = BackInStockRequest.objects.filter(customer_id=customer_id)
    return requests.select_related("variant__product__shop").order_by("-id")


def alerts_of_shops(
    *, actor_id: Any, shop_id: UUID | None = None, opened: bool | None = None
) -> QuerySet[InventoryAlert]:
    """Return the alerts of the shops that a user acts for, or of one of them, the newest first.

    ``opened``: only those that are open, or only those that are resolved. Raises ``ShopNotFound``.
    """
    alerts = InventoryAlert.objects.select_related("stock__variant__product").order_by("-id")
    if shop_id is not None:
        alerts = alerts.filter(shop_id=managed_shop(shop_id=shop_id, actor_id=actor_id).pk)
    else:
        alerts = alerts.filter(shop__in=shops_of(actor_id=actor_id).values("pk"))
    return alerts if opened is None else alerts.filter(resolved_at__isnull=opened)


def free_slots(
    *, shop_id: UUID, kind: Fulfillment | None = None, lead_days: int = 0, at: dt.datetime | None = None
) -> QuerySet[Slot]:
    """Return the slots of a shop that can still be booked for what takes so many days to make, the earliest first."""
    now = at or timezone.now()
    slots = Slot.objects.filter(shop_id=shop_id, closes_at__gt=now, booked__lt=F("capacity"))
    slots = slots.filter(starts_at__gte=now + dt.timedelta(days=lead_days))
    return (slots if kind is None else slots.filter(kind=kind)).order_by("starts_at", "id")


def slots_of_shop(*, shop_id: UUID, actor_id: Any) -> QuerySet[Slot]:
    """Return all slots of a shop that a user acts for, from today on, the earliest first. Raises ``ShopNotFound``."""
    shop = managed_shop(shop_id=shop_id, actor_id=actor_id)
    return shop.slots.filter(ends_at__gte=timezone.now()).order_by("starts_at", "id")


def tracking(*, order_id: UUID) -> Delivery:
    """Return the delivery of an order with its slot, its shop and its timeline.

    For whoever may see the order, by ``get_order`` or by a signed link. Raises ``DeliveryNotFound``.
    """
    deliveries = Delivery.objects.select_related("order__shop", "slot").prefetch_related("events")
    delivery = deliveries.filter(order_id=order_id).first()
    if delivery is None:
        raise DeliveryNotFound(order_id=str(order_id))
    return delivery


def day_plan(*, shop_id: UUID, actor_id: Any, day: dt.date) -> list[Delivery]:
    """Return what a shop brings and hands over on one of its days: by slot, and within a slot along a short way.

    Each slot's way begins at the workshop and goes on to the nearest address not visited yet; addresses without a place
    come last, and pickups have none. Raises ``ShopNotFound``.
    """
    shop = managed_shop(shop_id=shop_id, actor_id=actor_id)
    start, end = day_bounds(day, day, shop.time_zone)
    deliveries = Delivery.objects.filter(slot__shop=shop, slot__starts_at__gte=start, slot__starts_at__lt=end)
    # Who has called it off, or was not there and has not chosen another slot, is not visited.
    deliveries = deliveries.exclude(state__in=[DeliveryState.CANCELLED, DeliveryState.FAILED])
    by_slot: dict[UUID, list[Delivery]] = {}
    rows = deliveries.select_related("slot", "order").prefetch_related("order__lines")
    for delivery in rows.order_by("slot__starts_at", "slot_id", "id"):
        by_slot.setdefault(delivery.slot_id, []).append(delivery)
    return [stop for stops in by_slot.values() for stop in _along_a_short_way((shop.x, shop.y, shop.z), stops)]


def _orders(scope: Q, state: OrderState | None, using: str | None = None) -> QuerySet[Order]:
    orders = Order.objects.using(using).filter(scope).order_by("-id")
    if state is not None:
        orders = orders.filter(state=state)
    # A prefetch asks the router for itself, whatever its rows were read from.
    lines, payments = OrderLine.objects.using(using), Payment.objects.using(using)
    orders = orders.select_related("shop", "delivery__slot")
    return orders.prefetch_related(Prefetch("lines", lines), Prefetch("payments", payments))


def _along_a_short_way(here: tuple[float, float, float], stops: list[Delivery]) -> list[Delivery]:
    """Return the stops so that each is the nearest one to the one before."""
    points = {
        stop.pk: unit_vector(stop.lat, stop.lng) for stop in stops if stop.lat is not None and stop.lng is not None
    }
    waiting, way = [stop for stop in stops if stop.pk in points], []
    while waiting:
        center = here
        following = min(
            waiting, key=lambda stop: sum((a - b) ** 2 for a, b in zip(points[stop.pk], center, strict=True))
        )
        waiting.remove(following)
        way.append(following)
        here = points[following.pk]
    return [*way, *(stop for stop in stops if stop.pk not in points)]

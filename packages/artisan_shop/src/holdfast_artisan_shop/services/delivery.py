"""Delivery: the booking of slots, and what becomes of what is on its way."""

import datetime as dt
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.core import signing
from django.db.models import F
from django.utils import timezone
from django_fsm import can_proceed

from holdfast.events import Event
from holdfast.outbox import emit, emit_many
from holdfast.transactions import atomic_for
from holdfast_artisan_shop.conf import settings
from holdfast_artisan_shop.events import DeliveryMoved, DeliveryScheduled
from holdfast_artisan_shop.exceptions import (
    AddressRequired,
    DeliveryNotFound,
    DeliveryStepNotAllowed,
    LocationInvalid,
    OutOfRange,
    SlotClosed,
    SlotFull,
    SlotNotFound,
    SlotTooSoon,
    TrackingLinkInvalid,
)
from holdfast_artisan_shop.models import Delivery, DeliveryEvent, Order, Shop, Slot
from holdfast_artisan_shop.models.orders import NOTE_LENGTH
from holdfast_artisan_shop.models.shops import ADDRESS_LENGTH
from holdfast_artisan_shop.services import payments, steps
from holdfast_artisan_shop.services.drafts import Choice, Draft
from holdfast_artisan_shop.services.places import check_location, distance_km
from holdfast_artisan_shop.services.rows import lock_order, using
from holdfast_artisan_shop.services.texts import check_text
from holdfast_artisan_shop.states import DeliveryState, Fulfillment, OrderState

SALT = "holdfast_artisan_shop.tracking"


@atomic_for(Delivery)
def reschedule_delivery(*, order_id: UUID, slot_id: UUID, customer_id: Any = None, actor_id: Any = None) -> Delivery:
    """Take another slot of the same kind for a delivery that is scheduled or has failed; its fee stays as it was.

    In the scope of the customer or of who acts for the shop. Raises ``OrderNotFound``, ``DeliveryNotFound``,
    ``DeliveryStepNotAllowed``, ``SlotNotFound``, ``SlotClosed``, ``SlotTooSoon``, ``SlotFull``. Emits
    ``DeliveryScheduled``.
    """
    if (customer_id is None) == (actor_id is None):
        raise TypeError("Either the customer or the one who acts for the shop.")
    scope = {"actor_id": actor_id} if customer_id is None else {"customer_id": customer_id}
    order = lock_order(order_id, **scope)
    delivery = _lock(order)
    if not can_proceed(delivery.reschedule):
        raise DeliveryStepNotAllowed(delivery_id=str(delivery.pk), state=delivery.state, step="reschedule")
    slot = _bookable(order.shop_id, slot_id, slots_of([slot_id]), timedelta_of(order.lead_days), since=order.placed_at)
    if slot.kind != delivery.kind:
        raise SlotNotFound(slot_id=str(slot_id))
    if slot.pk == delivery.slot_id and delivery.state == DeliveryState.SCHEDULED:
        return delivery
    # A failed delivery has given its place back. Both slots in the order of their ids.
    changes = {slot.pk: 1}
    if delivery.state == DeliveryState.SCHEDULED:
        changes[delivery.slot_id] = -1
    _count(changes)
    delivery.reschedule(at=timezone.now())
    delivery.slot = slot
    delivery.save(update_fields=["state", "slot", "reminded_at"])
    _note(delivery, "rescheduled")
    emit(_scheduled(delivery, order, slot), using=using())
    return delivery


@atomic_for(Delivery)
def send_delivery(*, order_id: UUID, actor_id: Any) -> Delivery:
    """Leave the workshop with a finished order.

    Raises ``OrderNotFound``, ``DeliveryNotFound``, ``OrderStepNotAllowed``, ``DeliveryStepNotAllowed``. Emits
    ``OrderMoved``, ``DeliveryMoved``.
    """
    order = lock_order(order_id, actor_id=actor_id)
    delivery = _lock(order)
    if delivery.kind == Fulfillment.PICKUP:
        raise DeliveryStepNotAllowed(delivery_id=str(delivery.pk), state=delivery.state, step="send")
    steps.move(order, "send")
    return _move(delivery, order, "send")


def deliver(*, order_id: UUID, actor_id: Any, note: str = "") -> Delivery:
    """Hand over what was brought or fetched: the order is completed, and its money is taken.

    Raises ``OrderNotFound``, ``DeliveryNotFound``, ``OrderStepNotAllowed``, ``DeliveryStepNotAllowed``,
    ``TextInvalid``. Emits ``OrderMoved``, ``OrderCompleted``, ``DeliveryMoved``.
    """
    with atomic_for(Delivery):
        order = lock_order(order_id, actor_id=actor_id)
        delivery = _lock(order)
        steps.hand_over(order)
        _move(delivery, order, "deliver", note)
    payments.settle_order(order_id=order.pk)
    return delivery


@atomic_for(Delivery)
def fail_delivery(*, order_id: UUID, actor_id: Any, note: str = "") -> Delivery:
    """Say that nobody was there: the order is back in the workshop, and waits for another slot.

    Raises as ``send_delivery`` does, and ``TextInvalid``. Emits ``DeliveryMoved``, ``OrderMoved``.
    """
    order = lock_order(order_id, actor_id=actor_id)
    delivery = _lock(order)
    if order.state != OrderState.READY:
        steps.move(order, "bring_back")
    return _move(delivery, order, "fail", note)


def tracking_token(*, order_id: UUID) -> str:
    """Return what a tracking link shows instead of a login."""
    return signing.dumps(order_id.hex, salt=SALT)


def read_tracking_token(*, token: str) -> UUID:
    """Return the order that a tracking link is of. Raises ``TrackingLinkInvalid``."""
    try:
        return UUID(signing.loads(token, salt=SALT, max_age=dt.timedelta(days=settings.TRACKING_DAYS)))
    except (signing.BadSignature, ValueError):
        raise TrackingLinkInvalid from None


def slots_of(slot_ids: Collection[UUID]) -> dict[UUID, Slot]:
    """Return these slots, by their ids, each with its shop."""
    if not slot_ids:
        return {}
    return Slot.objects.using(using()).select_related("shop").in_bulk(slot_ids)


def slot_for(shop_id: UUID, choice: Choice, slots: Mapping[UUID, Slot], lead: dt.timedelta) -> Slot | None:
    """Return of the ``slots`` the one that a customer has chosen, if it can be booked for what he orders.

    Raises ``SlotNotFound``, ``SlotClosed``, ``SlotTooSoon``, ``SlotFull``, ``AddressRequired``, ``OutOfRange``,
    ``LocationInvalid``, ``TextInvalid``.
    """
    check_text("address", choice.address, ADDRESS_LENGTH)
    if choice.slot_id is None:
        return None
    slot = _bookable(shop_id, choice.slot_id, slots, lead, since=timezone.now())
    if slot.booked >= slot.capacity:
        raise SlotFull(slot_id=str(slot.pk))
    if slot.kind == Fulfillment.DELIVERY:
        if not choice.address.strip():
            raise AddressRequired
        _check_range(slot.shop, choice)
    return slot


def book(drafts: Sequence[Draft]) -> None:
    """Book the chosen slots, in the order of their ids; in a transaction, after the stock. Raises ``SlotFull``.

    Emits ``DeliveryScheduled``.
    """
    chosen = [(draft, draft.slot) for draft in drafts if draft.slot is not None]
    if not chosen:
        return
    changes: dict[UUID, int] = {}
    for _draft, slot in chosen:
        changes[slot.pk] = changes.get(slot.pk, 0) + 1
    _count(changes)
    events: list[Event] = []
    for draft, slot in chosen:
        brought = slot.kind == Fulfillment.DELIVERY
        delivery = Delivery(
            order=draft.order,
            slot=slot,
            kind=slot.kind,
            address=draft.choice.address if brought else "",
            lat=draft.choice.lat if brought else None,
            lng=draft.choice.lng if brought else None,
        )
        delivery.save(force_insert=True, using=using())
        _note(delivery)
        events.append(_scheduled(delivery, draft.order, slot))
    emit_many(events, using=using())


def follow(order: Order, step: str) -> None:
    """Let the delivery of a locked order, if it has one, go the way of its order."""
    delivery = Delivery.objects.using(using()).select_for_update(no_key=True).filter(order=order).first()
    if delivery is not None:
        _move(delivery, order, step)


def timedelta_of(lead_days: int) -> dt.timedelta:
    """Return how long making takes."""
    return dt.timedelta(days=lead_days)


def _move(delivery: Delivery, order: Order, step: str, note: str = "") -> Delivery:
    check_text("note", note, NOTE_LENGTH)
    take_step, source = getattr(delivery, step), delivery.state
    if not can_proceed(take_step):
        raise DeliveryStepNotAllowed(delivery_id=str(delivery.pk), state=source, step=step)
    take_step(at=timezone.now())
    delivery.save(update_fields=["state", "delivered_at"])
    _note(delivery, note)
    # A failed delivery has given its place back already when its order is cancelled.
    if step == "fail" or (step == "cancel" and source == DeliveryState.SCHEDULED):
        _count({delivery.slot_id: -1})
    emit(
        DeliveryMoved(
            order_id=str(order.pk),
            delivery_id=str(delivery.pk),
            customer_id=steps.told_of(order)["customer_id"],
            source=source,
            target=delivery.state,
        ),
        using=using(),
    )
    return delivery


def _lock(order: Order) -> Delivery:
    delivery = Delivery.objects.using(using()).select_for_update(no_key=True).filter(order=order).first()
    if delivery is None:
        raise DeliveryNotFound(order_id=str(order.pk))
    return delivery


def _note(delivery: Delivery, note: str = "") -> None:
    DeliveryEvent(delivery=delivery, state=delivery.state, note=note).save(force_insert=True, using=using())


def _count(changes: dict[UUID, int]) -> None:
    for slot_id, difference in sorted(changes.items()):
        slots = Slot.objects.using(using()).filter(pk=slot_id)
        if difference > 0:
            slots = slots.filter(booked__lte=F("capacity") - difference, closes_at__gt=timezone.now())
        if not slots.update(booked=F("booked") + difference):
            raise SlotFull(slot_id=str(slot_id))


def _bookable(
    shop_id: UUID, slot_id: UUID, slots: Mapping[UUID, Slot], lead: dt.timedelta, *, since: dt.datetime
) -> Slot:
    slot = slots.get(slot_id)
    if slot is None or slot.shop_id != shop_id:
        raise SlotNotFound(slot_id=str(slot_id))
    if slot.closes_at <= timezone.now():
        raise SlotClosed(slot_id=str(slot_id), closes_at=slot.closes_at.isoformat())
    if slot.starts_at < since + lead:
        raise SlotTooSoon(slot_id=str(slot_id), earliest=(since + lead).isoformat())
    return slot


def _check_range(shop: Shop, choice: Choice) -> None:
    if choice.lat is None and choice.lng is None:
        return
    if choice.lat is None or choice.lng is None:
        raise LocationInvalid(lat=str(choice.lat), lng=str(choice.lng))
    check_location(choice.lat, choice.lng)
    if shop.delivery_radius_km is None:
        return
    distance = distance_km((shop.lat, shop.lng), (choice.lat, choice.lng))
    if distance > shop.delivery_radius_km:
        raise OutOfRange(distance_km=math.ceil(distance * 10) / 10, radius_km=shop.delivery_radius_km)


def _scheduled(delivery: Delivery, order: Order, slot: Slot) -> DeliveryScheduled:
    return DeliveryScheduled(
        order_id=str(order.pk),
        delivery_id=str(delivery.pk),
        customer_id=steps.told_of(order)["customer_id"],
        slot_id=str(slot.pk),
        starts_at=slot.starts_at.isoformat(),
        ends_at=slot.ends_at.isoformat(),
    )

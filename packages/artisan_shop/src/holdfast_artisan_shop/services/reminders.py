"""A word about tomorrow to whoever gets something."""

import datetime as dt

from django.db.models import Q
from django.utils import timezone

from holdfast.outbox import emit_many
from holdfast.transactions import atomic_for
from holdfast_artisan_shop.events import DeliveryDue
from holdfast_artisan_shop.models import Delivery, Slot
from holdfast_artisan_shop.selectors.days import ONE_DAY, day_bounds, day_of
from holdfast_artisan_shop.services.rows import plain, using
from holdfast_artisan_shop.states import DeliveryState

BATCH = 500


def remind_of_deliveries(*, limit: int = BATCH) -> int:
    """Tell of each delivery that begins tomorrow, by the shop's own days, once; say how many. Emits ``DeliveryDue``.

    As many transactions as it takes, with at most ``limit`` of them in each.
    """
    told = 0
    while batch := _remind(limit):
        told += batch
    return told


@atomic_for(Delivery)
def _remind(limit: int) -> int:
    now = timezone.now()
    due = Delivery.objects.using(using()).filter(_tomorrow(now), state=DeliveryState.SCHEDULED, reminded_at=None)
    # Locked without a join: a delivery may be called off or given another slot while we wait for it.
    ids = list(due.order_by("pk").values_list("pk", flat=True)[:limit])
    waiting = Delivery.objects.using(using()).select_for_update(no_key=True).order_by("pk")
    locked = {one.pk for one in waiting.filter(pk__in=ids, state=DeliveryState.SCHEDULED, reminded_at=None)}
    tomorrow = list(due.filter(pk__in=locked).select_related("slot", "order").order_by("pk"))
    due.filter(pk__in=[one.pk for one in tomorrow]).update(reminded_at=now)
    emit_many(
        (
            DeliveryDue(
                order_id=str(one.order_id),
                delivery_id=str(one.pk),
                customer_id=plain(one.order.customer_id),
                starts_at=one.slot.starts_at.isoformat(),
            )
            for one in tomorrow
        ),
        using=using(),
    )
    return len(tomorrow)


def _tomorrow(now: dt.datetime) -> Q:
    """Return the condition that a delivery begins tomorrow: wherever a day is the next one, its shop has it."""
    soon = now, now + dt.timedelta(hours=50)
    slots = Slot.objects.using(using()).filter(starts_at__range=soon, booked__gt=0).order_by()
    condition = Q(pk__in=[])
    for zone in slots.values_list("shop__time_zone", flat=True).distinct():
        day = day_of(now, zone) + ONE_DAY
        begins, ends = day_bounds(day, day, zone)
        condition |= Q(slot__shop__time_zone=zone, slot__starts_at__gte=begins, slot__starts_at__lt=ends)
    return condition

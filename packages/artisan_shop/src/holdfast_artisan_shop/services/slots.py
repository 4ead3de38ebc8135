"""Slots, out of weekly patterns in the shop's own time; days off have none."""

import datetime as dt
from collections.abc import Iterable
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.utils import timezone

from holdfast.transactions import atomic_for
from holdfast_artisan_shop.conf import settings
from holdfast_artisan_shop.exceptions import CapacityInvalid, PeriodInvalid, PriceInvalid, SlotPatternNotFound
from holdfast_artisan_shop.models import Shop, ShopClosure, Slot, SlotPattern
from holdfast_artisan_shop.models.products import MAX_MINOR
from holdfast_artisan_shop.selectors.scopes import shops_of
from holdfast_artisan_shop.services.rows import lock_shop, using
from holdfast_artisan_shop.states import Fulfillment, ShopState

CAPACITY_MAX = 10_000
CLOSURE_DAYS_MAX = 366


@atomic_for(SlotPattern)
def add_slot_pattern(
    *,
    shop_id: UUID,
    actor_id: Any,
    kind: Fulfillment,
    weekday: int,
    starts: dt.time,
    ends: dt.time,
    capacity: int,
    lead_hours: int = 12,
    fee_minor: int = 0,
) -> SlotPattern:
    """Open a slot on each such weekday, in the shop's own time, and generate those of the next weeks.

    Raises ``ShopNotFound``, ``CapacityInvalid``, ``PeriodInvalid``, ``PriceInvalid``.
    """
    shop = lock_shop(shop_id, actor_id)
    if not 1 <= capacity <= CAPACITY_MAX:
        raise CapacityInvalid(capacity=capacity, maximum=CAPACITY_MAX)
    if ends <= starts or not 0 <= weekday <= 6 or not 0 <= lead_hours <= 24 * 14:
        raise PeriodInvalid
    if not 0 <= fee_minor <= MAX_MINOR:
        raise PriceInvalid
    pattern = SlotPattern(
        shop=shop,
        kind=kind,
        weekday=weekday,
        starts=starts,
        ends=ends,
        capacity=capacity,
        lead_hours=lead_hours,
        fee_minor=fee_minor,
    )
    pattern.save(force_insert=True, using=using())
    _generate(shop, [pattern])
    return pattern


@atomic_for(SlotPattern)
def remove_slot_pattern(*, pattern_id: UUID, actor_id: Any) -> None:
    """Open no more such slots; those that somebody has booked stay. Raises ``SlotPatternNotFound``."""
    patterns = SlotPattern.objects.using(using()).filter(pk=pattern_id)
    pattern = patterns.filter(shop__in=shops_of(actor_id=actor_id)).first()
    if pattern is None:
        raise SlotPatternNotFound(pattern_id=str(pattern_id))
    lock_shop(pattern.shop_id, actor_id)  # nobody generates meanwhile
    patterns.update(active=False)
    _drop_unbooked(Slot.objects.using(using()).filter(pattern_id=pattern_id))


@atomic_for(ShopClosure)
def close_days(*, shop_id: UUID, actor_id: Any, first_day: dt.date, last_day: dt.date) -> ShopClosure:
    """Say that a shop has no slots on these days; those that somebody has booked stay, to be talked over.

    Raises ``ShopNotFound``, ``PeriodInvalid``.
    """
    shop = lock_shop(shop_id, actor_id)
    # At either end of the calendar, a day of the shop begins or ends outside of it.
    if not dt.MINYEAR < first_day.year <= last_day.year < dt.MAXYEAR:
        raise PeriodInvalid
    if not 0 <= (last_day - first_day).days < CLOSURE_DAYS_MAX:
        raise PeriodInvalid(maximum_days=CLOSURE_DAYS_MAX)
    closure = ShopClosure(shop=shop, first_day=first_day, last_day=last_day)
    closure.save(force_insert=True, using=using())
    zone = ZoneInfo(shop.time_zone)
    begins = dt.datetime.combine(first_day, dt.time(), zone)
    ends = dt.datetime.combine(last_day + dt.timedelta(days=1), dt.time(), zone)
    _drop_unbooked(Slot.objects.using(using()).filter(shop=shop, starts_at__gte=begins, starts_at__lt=ends))
    return closure


def generate_slots() -> int:
    """Generate the slots of the next weeks out of all patterns; what is there already stays. Return how many."""
    wanted = SlotPattern.objects.using(using()).filter(active=True).exclude(shop__state=ShopState.CLOSED)
    return sum(
        _generate_of(shop_id)
        for shop_id in list(wanted.order_by("shop_id").values_list("shop_id", flat=True).distinct())
    )


def follow_clock(shop: Shop) -> None:
    """Make the slots of a locked shop anew, after its clock was set; those that somebody has booked stay."""
    _drop_unbooked(Slot.objects.using(using()).filter(shop=shop, pattern__isnull=False))
    _generate(shop, _patterns_of(shop))


@atomic_for(Slot)
def _generate_of(shop_id: UUID) -> int:
    # Locked, so that no pattern is removed, no day is closed and no clock is set meanwhile.
    shop = Shop.objects.using(using()).select_for_update(no_key=True).get(pk=shop_id)
    return _generate(shop, _patterns_of(shop))


def _patterns_of(shop: Shop) -> QuerySet[SlotPattern]:
    return SlotPattern.objects.using(using()).filter(shop=shop, active=True)


def _generate(shop: Shop, patterns: Iterable[SlotPattern]) -> int:
    """Write the slots of the next weeks of one shop; a day begins where the shop is."""
    zone = ZoneInfo(shop.time_zone)
    today = timezone.now().astimezone(zone).date()
    closures = list(ShopClosure.objects.using(using()).filter(shop=shop, last_day__gte=today))
    days = [today + dt.timedelta(days=ahead) for ahead in range(7 * settings.SLOT_WEEKS)]
    slots = []
    for pattern in patterns:
        for day in days:
            if day.weekday() == pattern.weekday and not any(closure.covers(day) for closure in closures):
                starts_at = dt.datetime.combine(day, pattern.starts, zone).astimezone(dt.UTC)
                ends_at = dt.datetime.combine(day, pattern.ends, zone).astimezone(dt.UTC)
                closes_at = starts_at - dt.timedelta(hours=pattern.lead_hours)
                # Where clocks go forward, an hour may be gone, and its slot with it.
                if closes_at > timezone.now() and ends_at > starts_at:
                    slots.append(_slot(pattern, starts_at, ends_at, closes_at))
    before = Slot.objects.using(using()).filter(shop=shop).count()
    Slot.objects.using(using()).bulk_create(slots, ignore_conflicts=True, batch_size=500)
    return Slot.objects.using(using()).filter(shop=shop).count() - before


def _slot(pattern: SlotPattern, starts_at: dt.datetime, ends_at: dt.datetime, closes_at: dt.datetime) -> Slot:
    return Slot(
        shop_id=pattern.shop_id,
        pattern=pattern,
        kind=pattern.kind,
        starts_at=starts_at,
        ends_at=ends_at,
        closes_at=closes_at,
        capacity=pattern.capacity,
        fee_minor=pattern.fee_minor,
    )


def _drop_unbooked(slots: QuerySet[Slot]) -> None:
    # Locked before it is known which are free: whoever books one of them meanwhile finds it gone, or keeps it.
    free = slots.select_for_update().filter(booked=0, starts_at__gt=timezone.now()).order_by("pk")
    slot_ids = list(free.values_list("pk", flat=True))
    # One that was ever booked stays, for its deliveries name it.
    Slot.objects.using(using()).filter(pk__in=slot_ids, deliveries=None).delete()

"""When goods are brought or fetched."""

import datetime as dt

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django_fsm import FSMField, transition

from holdfast.fsm import StatefulModel
from holdfast.ids import uuid7
from holdfast_artisan_shop.models.orders import NOTE_LENGTH, Order
from holdfast_artisan_shop.models.shops import ADDRESS_LENGTH, Shop
from holdfast_artisan_shop.states import DeliveryState, Fulfillment


class SlotPattern(models.Model):
    """A slot of every week, in the shop's own time, from which slots are generated."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, related_name="slot_patterns")
    kind = models.CharField(max_length=10, choices=Fulfillment.choices)
    weekday = models.PositiveSmallIntegerField(help_text="0 is Monday.")
    starts = models.TimeField()
    ends = models.TimeField()
    capacity = models.PositiveSmallIntegerField()
    lead_hours = models.PositiveSmallIntegerField(default=12, help_text="How long before its start it closes.")
    fee_minor = models.BigIntegerField(default=0)
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["weekday", "starts"]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    kind__in=Fulfillment.values, weekday__lte=6, capacity__gte=1, fee_minor__gte=0, ends__gt=F("starts")
                ),
                name="holdfast_artisan_shop_pattern_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.weekday} {self.starts:%H:%M}"


class Slot(models.Model):
    """A span of time with room for so many deliveries or pickups; ``booked`` never exceeds ``capacity``."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, related_name="slots", db_index=False)
    pattern = models.ForeignKey(
        SlotPattern, null=True, blank=True, on_delete=models.SET_NULL, related_name="slots", db_index=False
    )
    kind = models.CharField(max_length=10, choices=Fulfillment.choices)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    capacity = models.PositiveSmallIntegerField()
    booked = models.PositiveSmallIntegerField(default=0)
    fee_minor = models.BigIntegerField(default=0)

    class Meta:
        ordering = ["starts_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["pattern", "starts_at"], name="holdfast_artisan_shop_slot_once"),
            models.CheckConstraint(
                condition=Q(booked__gte=0, booked__lte=F("capacity")), name="holdfast_artisan_shop_slot_not_overbooked"
            ),
            models.CheckConstraint(
                condition=Q(
                    kind__in=Fulfillment.values,
                    ends_at__gt=F("starts_at"),
                    closes_at__lte=F("starts_at"),
                    fee_minor__gte=0,
                ),
                name="holdfast_artisan_shop_slot_in_range",
            ),
        ]
        indexes = [models.Index(fields=["shop", "starts_at"], name="holdfast_artisan_shop_s_shop")]

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d %H:%M} ({self.booked}/{self.capacity})"


class Delivery(StatefulModel):
    """How an order reaches its customer: brought to an address, or fetched at the workshop."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    order = models.OneToOneField(Order, on_delete=models.PROTECT, related_name="delivery")
    slot = models.ForeignKey(Slot, on_delete=models.PROTECT, related_name="deliveries")
    kind = models.CharField(max_length=10, choices=Fulfillment.choices)
    state = FSMField(choices=DeliveryState.choices, default=DeliveryState.SCHEDULED, protected=True, editable=False)
    address = models.CharField(max_length=ADDRESS_LENGTH, blank=True)
    lat = models.FloatField("latitude", null=True, blank=True)
    lng = models.FloatField("longitude", null=True, blank=True)
    reminded_at = models.DateTimeField(null=True, blank=True, editable=False)
    delivered_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=DeliveryState.values, kind__in=Fulfillment.values),
                name="holdfast_artisan_shop_delivery_words_known",
            ),
            models.CheckConstraint(
                condition=Q(kind=Fulfillment.PICKUP) | ~Q(address=""),
                name="holdfast_artisan_shop_delivery_has_address",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.order_id}"

    @transition(field=state, source=DeliveryState.SCHEDULED, target=DeliveryState.OUT_FOR_DELIVERY)
    def send(self, *, at: dt.datetime) -> None:
        """Leave the workshop."""

    @transition(
        field=state, source=[DeliveryState.SCHEDULED, DeliveryState.OUT_FOR_DELIVERY], target=DeliveryState.DELIVERED
    )
    def deliver(self, *, at: dt.datetime) -> None:
        """Hand it over."""
        self.delivered_at = at

    @transition(
        field=state, source=[DeliveryState.SCHEDULED, DeliveryState.OUT_FOR_DELIVERY], target=DeliveryState.FAILED
    )
    def fail(self, *, at: dt.datetime) -> None:
        """Come back: nobody was there."""

    @transition(field=state, source=[DeliveryState.SCHEDULED, DeliveryState.FAILED], target=DeliveryState.SCHEDULED)
    def reschedule(self, *, at: dt.datetime) -> None:
        """Take another slot."""
        self.reminded_at = None

    @transition(field=state, source=[DeliveryState.SCHEDULED, DeliveryState.FAILED], target=DeliveryState.CANCELLED)
    def cancel(self, *, at: dt.datetime) -> None:
        """Call it off with its order."""


class DeliveryEvent(models.Model):
    """One line of the timeline that the customer sees."""

    id = models.BigAutoField(primary_key=True)
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="events")
    state = models.CharField(max_length=20, choices=DeliveryState.choices)
    note = models.CharField(max_length=NOTE_LENGTH, blank=True)
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.state} {self.at:%Y-%m-%d %H:%M}"

"""Slots, deliveries, and their tracking."""

from typing import Any

from rest_framework import serializers

from holdfast.api.fields import MoneyField
from holdfast.api.serializers import StrictSerializer
from holdfast_artisan_shop.api.fields import (
    DayField,
    DeliveryStateField,
    FulfillmentField,
    MinorMoneyField,
    UserIdField,
    WholeNumberField,
)
from holdfast_artisan_shop.api.serializers.examples import SLOT, example
from holdfast_artisan_shop.api.serializers.shops import ShopRef
from holdfast_artisan_shop.models.orders import NOTE_LENGTH


class SpanOutput(serializers.Serializer[Any]):
    """A span of time."""

    id = serializers.UUIDField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()


class SlotOutput(SpanOutput):
    """A span of time with room for so many deliveries or pickups."""

    kind = FulfillmentField()
    closes_at = serializers.DateTimeField(help_text="Until when it can be booked.")
    capacity = serializers.IntegerField()
    booked = serializers.IntegerField()
    fee = MinorMoneyField("fee_minor", "shop.currency")


class SlotFilter(StrictSerializer):
    """Which slots to list."""

    kind = FulfillmentField(required=False)
    lead_days = serializers.IntegerField(
        required=False, min_value=0, max_value=365, help_text="For what takes so many days to make."
    )
    mine = serializers.BooleanField(default=False, help_text="All slots of a shop of mine, the full ones too.")


class PatternOutput(serializers.Serializer[Any]):
    """A slot of every week, in the shop's own time."""

    id = serializers.UUIDField()
    kind = FulfillmentField()
    weekday = serializers.IntegerField(help_text="0 is Monday.")
    starts = serializers.TimeField()
    ends = serializers.TimeField()
    capacity = serializers.IntegerField()
    lead_hours = serializers.IntegerField(help_text="How long before its start it closes.")
    fee = MinorMoneyField("fee_minor", "shop.currency")


@example({"kind": "delivery", "weekday": 4, "starts": "16:00", "ends": "18:00", "capacity": 5, "lead_hours": 24})
class PatternInput(StrictSerializer):
    """A slot of every week."""

    kind = FulfillmentField()
    weekday = WholeNumberField(help_text="0 is Monday.")
    starts = serializers.TimeField()
    ends = serializers.TimeField()
    capacity = WholeNumberField()
    lead_hours = WholeNumberField(required=False, help_text="How long before its start it closes; 12 if left out.")
    fee = MoneyField(required=False, help_text="In the currency of the shop; nothing if left out.")


@example({"first_day": "2026-12-24", "last_day": "2027-01-01"})
class ClosureInput(StrictSerializer):
    """Days on which a shop has no slots, both included."""

    first_day = DayField()
    last_day = DayField()


class ClosureOutput(serializers.Serializer[Any]):
    """Days on which a shop has no slots, both included."""

    id = serializers.IntegerField()
    first_day = serializers.DateField()
    last_day = serializers.DateField()


class OrderDeliveryOutput(serializers.Serializer[Any]):
    """How an order reaches its customer."""

    id = serializers.UUIDField()
    kind = FulfillmentField()
    state = DeliveryStateField()
    address = serializers.CharField()
    lat = serializers.FloatField(allow_null=True)
    lng = serializers.FloatField(allow_null=True)
    slot = SpanOutput()
    delivered_at = serializers.DateTimeField(allow_null=True)


class StopLineOutput(serializers.Serializer[Any]):
    """What is handed over."""

    name = serializers.CharField()
    quantity = serializers.IntegerField()


class StopOutput(OrderDeliveryOutput):
    """One stop of a day's way."""

    order = serializers.UUIDField(source="order_id")
    reference = serializers.CharField(source="order.reference")
    customer = UserIdField(source="order.customer_id", read_only=True)
    note = serializers.CharField(source="order.note")
    lines = StopLineOutput(many=True, source="order.lines.all")


class DayFilter(StrictSerializer):
    """Which day."""

    day = DayField(required=False, help_text="Of the shop; today if left out.")


@example({"note": "Left with a neighbor"})
class NoteInput(StrictSerializer):
    """What there is to say of it."""

    note = serializers.CharField(max_length=NOTE_LENGTH, required=False, allow_blank=True)


@example({"slot": SLOT})
class RescheduleInput(StrictSerializer):
    """Into which slot."""

    slot = serializers.UUIDField(source="slot_id")


class TrackingEventOutput(serializers.Serializer[Any]):
    """One line of the timeline."""

    state = DeliveryStateField()
    note = serializers.CharField()
    at = serializers.DateTimeField()


class TrackingOutput(serializers.Serializer[Any]):
    """Where an order is; without an address, for a link may be passed on."""

    reference = serializers.CharField(source="order.reference")
    shop = ShopRef(source="order.shop")
    kind = FulfillmentField()
    state = DeliveryStateField()
    slot = SpanOutput()
    delivered_at = serializers.DateTimeField(allow_null=True)
    timeline = TrackingEventOutput(many=True, source="events.all")


class MyTrackingOutput(TrackingOutput):
    """Where my order is, and the link that shows it to whoever has it."""

    link = serializers.URLField()

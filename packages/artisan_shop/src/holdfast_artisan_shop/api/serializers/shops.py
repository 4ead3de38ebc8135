"""Shops, and who acts for them."""

from typing import Any

from rest_framework import serializers

from holdfast.api.serializers import StrictSerializer
from holdfast_artisan_shop.api.fields import NumberField, ShopStateField, UserIdField
from holdfast_artisan_shop.api.serializers.examples import example
from holdfast_artisan_shop.models.shops import ADDRESS_LENGTH, DESCRIPTION_LENGTH, NAME_LENGTH

_TEXT: dict[str, Any] = {"required": False, "allow_blank": True}


class ShopRef(serializers.Serializer[Any]):
    """Which shop."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class ShopOutput(serializers.Serializer[Any]):
    """A shop."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    description = serializers.CharField()
    address = serializers.CharField()
    lat = serializers.FloatField()
    lng = serializers.FloatField()
    state = ShopStateField()
    currency = serializers.CharField()
    time_zone = serializers.CharField()
    opening_hours = serializers.DictField(
        child=serializers.ListField(child=serializers.ListField(child=serializers.CharField()))
    )
    delivery_radius_km = serializers.FloatField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class NearShopOutput(ShopOutput):
    """A shop, and how far away it is."""

    distance_km = serializers.FloatField()


class ShopDetailsInput(StrictSerializer):
    """What can be said of a shop."""

    description = serializers.CharField(max_length=DESCRIPTION_LENGTH, trim_whitespace=False, **_TEXT)
    address = serializers.CharField(max_length=ADDRESS_LENGTH, **_TEXT)
    time_zone = serializers.CharField(max_length=64, required=False, help_text="Such as Europe/Berlin; else UTC.")
    opening_hours = serializers.DictField(
        child=serializers.ListField(child=serializers.ListField(child=serializers.CharField(max_length=5))),
        required=False,
        help_text="Spans of time by weekday.",
    )
    delivery_radius_km = NumberField(required=False, allow_null=True, help_text="How far it delivers; null: anywhere.")


@example(
    {
        "name": "Ada's",
        "currency": "EUR",
        "lat": 52.52,
        "lng": 13.405,
        "time_zone": "Europe/Berlin",
        "opening_hours": {"mon": [["09:00", "12:00"], ["14:00", "18:00"]]},
    }
)
class ShopInput(ShopDetailsInput):
    """A new shop."""

    name = serializers.CharField(max_length=NAME_LENGTH)
    currency = serializers.CharField(min_length=3, max_length=3, help_text="Of all its prices; it never changes.")
    lat = NumberField()
    lng = NumberField()


@example({"description": "Bowls and cups.", "delivery_radius_km": 10})
class ShopChange(ShopDetailsInput):
    """What is to be different."""

    name = serializers.CharField(max_length=NAME_LENGTH, required=False)
    lat = NumberField(required=False)
    lng = NumberField(required=False)


class ShopFilter(StrictSerializer):
    """Which shops to list."""

    mine = serializers.BooleanField(default=False, help_text="Those that I act for, in whatever state.")


class CircleFilter(StrictSerializer):
    """A point on the globe, and how far around it to look."""

    lat = serializers.FloatField(help_text="In degrees, from -90 to 90.")
    lng = serializers.FloatField(help_text="In degrees, from -180 to 180.")
    radius = serializers.FloatField(source="radius_km", required=False, help_text="In kilometers; 10 if left out.")


@example({"user": 2})
class MemberInput(StrictSerializer):
    """Whom to invite."""

    user = UserIdField(source="user_id")


class MemberOutput(serializers.Serializer[Any]):
    """Somebody who acts for a shop."""

    user = UserIdField(source="user_id", read_only=True)
    created_at = serializers.DateTimeField()

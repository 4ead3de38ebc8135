"""Stock, its moves, and alerts."""

from typing import Any

from rest_framework import serializers

from holdfast.api.serializers import StrictSerializer
from holdfast_artisan_shop.api.fields import MoveKindField, WholeNumberField
from holdfast_artisan_shop.api.serializers.examples import example
from holdfast_artisan_shop.api.serializers.shops import ShopRef
from holdfast_artisan_shop.services.stock import NOTE_LENGTH


class StockOutput(serializers.Serializer[Any]):
    """How many pieces of a variant there are."""

    variant = serializers.UUIDField(source="variant_id")
    product = serializers.UUIDField(source="variant.product_id")
    name = serializers.CharField(source="variant.product.name")
    sku = serializers.CharField(source="variant.sku")
    options = serializers.DictField(source="variant.options", child=serializers.CharField())
    on_hand = serializers.IntegerField()
    held = serializers.IntegerField(help_text="For baskets whose checkout has begun.")
    allocated = serializers.IntegerField(help_text="Sold, and not handed over yet.")
    free = serializers.IntegerField(help_text="What anybody can buy.")
    low_at = serializers.IntegerField(help_text="At how many pieces not yet sold an alert opens.")


class MoveOutput(serializers.Serializer[Any]):
    """One change of the figures."""

    kind = MoveKindField()
    on_hand = serializers.IntegerField()
    held = serializers.IntegerField()
    allocated = serializers.IntegerField()
    order = serializers.UUIDField(source="order_id", allow_null=True)
    note = serializers.CharField()
    at = serializers.DateTimeField()


@example({"quantity": 12, "note": "From the kiln"})
class ReceiveInput(StrictSerializer):
    """Pieces that were made or bought."""

    quantity = WholeNumberField()
    note = serializers.CharField(max_length=NOTE_LENGTH, allow_blank=True, default="")


@example({"difference": -1, "note": "Broken"})
class CorrectInput(StrictSerializer):
    """By how much a count was wrong."""

    difference = WholeNumberField(help_text="Below zero: pieces are missing.")
    note = serializers.CharField(max_length=NOTE_LENGTH, allow_blank=True, default="")


@example({"low_at": 5})
class ThresholdInput(StrictSerializer):
    """At how many pieces an alert opens."""

    low_at = WholeNumberField()


class AlertOutput(serializers.Serializer[Any]):
    """A stock fell to its threshold."""

    id = serializers.IntegerField()
    shop = serializers.UUIDField(source="shop_id")
    product = serializers.UUIDField(source="stock.variant.product_id")
    variant = serializers.UUIDField(source="stock_id")
    name = serializers.CharField(source="stock.variant.product.name")
    sku = serializers.CharField(source="stock.variant.sku")
    left = serializers.IntegerField(help_text="How many pieces were not sold yet when it opened.")
    opened_at = serializers.DateTimeField()
    resolved_at = serializers.DateTimeField(allow_null=True)


class BackInStockOutput(serializers.Serializer[Any]):
    """Something that a customer waits for."""

    shop = ShopRef(source="variant.product.shop")
    product = serializers.UUIDField(source="variant.product_id")
    variant = serializers.UUIDField(source="variant_id")
    name = serializers.CharField(source="variant.product.name")
    sku = serializers.CharField(source="variant.sku")
    options = serializers.DictField(source="variant.options", child=serializers.CharField())
    requested_at = serializers.DateTimeField(source="created_at")


class AlertFilter(StrictSerializer):
    """Which alerts to list."""

    shop = serializers.UUIDField(source="shop_id", required=False, help_text="Left out: all shops that I act for.")
    open = serializers.BooleanField(
        source="opened", default=True, allow_null=True, help_text="false: those that are resolved; null: all."
    )

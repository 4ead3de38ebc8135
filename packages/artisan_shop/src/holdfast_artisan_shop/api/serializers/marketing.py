"""Reviews, coupons and payout statements."""

from typing import Any

from rest_framework import serializers

from holdfast.api.fields import MoneyField
from holdfast.api.serializers import StrictSerializer
from holdfast_artisan_shop.api.fields import (
    CouponKindField,
    DayField,
    MinorMoneyField,
    MomentField,
    WholeNumberField,
)
from holdfast_artisan_shop.api.serializers.examples import example
from holdfast_artisan_shop.models.marketing import CODE_LENGTH, REVIEW_LENGTH


@example({"rating": 5, "text": "Even lovelier than in the picture."})
class ReviewInput(StrictSerializer):
    """What a product is like."""

    rating = WholeNumberField(help_text="From 1 to 5.")
    text = serializers.CharField(max_length=REVIEW_LENGTH, required=False, allow_blank=True)


class ReviewOutput(serializers.Serializer[Any]):
    """What somebody who has received a product says of it."""

    id = serializers.UUIDField()
    rating = serializers.IntegerField()
    text = serializers.CharField()
    created_at = serializers.DateTimeField()


@example({"code": "WELCOME", "percent": 10, "max_uses": 100})
class CouponInput(StrictSerializer):
    """A code that takes either ``percent`` or ``amount`` off an order, once for each customer."""

    code = serializers.CharField(max_length=CODE_LENGTH)
    percent = WholeNumberField(required=False)
    amount = MoneyField(required=False, help_text="In the currency of the shop.")
    minimum = MoneyField(required=False, help_text="From which subtotal on it holds.")
    starts_at = MomentField(required=False, help_text="Now if left out.")
    ends_at = MomentField(required=False, allow_null=True)
    max_uses = WholeNumberField(required=False, allow_null=True)


class CouponOutput(serializers.Serializer[Any]):
    """A code that takes something off an order."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    kind = CouponKindField()
    percent = serializers.IntegerField()
    amount = MinorMoneyField("amount_minor", "shop.currency")
    minimum = MinorMoneyField("minimum_minor", "shop.currency")
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(allow_null=True)
    max_uses = serializers.IntegerField(allow_null=True)
    used = serializers.IntegerField()
    active = serializers.BooleanField()


class PayoutFilter(StrictSerializer):
    """Which days of the shop, both included."""

    start = DayField()
    end = DayField()


class PayoutOutput(serializers.Serializer[Any]):
    """What a shop has earned with the orders completed in a period: payout = gross - refunded - fee."""

    shop = serializers.UUIDField(source="shop_id")
    start = serializers.DateField()
    end = serializers.DateField()
    orders = serializers.IntegerField()
    refunded_orders = serializers.IntegerField()
    gross = MoneyField()
    refunded = MoneyField()
    fee = MoneyField()
    payout = MoneyField()

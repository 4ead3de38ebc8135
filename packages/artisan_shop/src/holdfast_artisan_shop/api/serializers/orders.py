"""Baskets, purchases and orders."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from holdfast.api.fields import MoneyField
from holdfast.api.serializers import StrictSerializer
from holdfast_artisan_shop.api.fields import (
    MinorMoneyField,
    OrderStateField,
    PaymentStateField,
    UserIdField,
    WholeNumberField,
)
from holdfast_artisan_shop.api.serializers.delivery import OrderDeliveryOutput, SpanOutput
from holdfast_artisan_shop.api.serializers.examples import PRODUCT, SHOP, SLOT, example
from holdfast_artisan_shop.api.serializers.products import PlaceInput
from holdfast_artisan_shop.api.serializers.shops import ShopRef
from holdfast_artisan_shop.models.marketing import CODE_LENGTH
from holdfast_artisan_shop.models.orders import NOTE_LENGTH
from holdfast_artisan_shop.models.shops import ADDRESS_LENGTH
from holdfast_artisan_shop.services import Choice, Item

# What is said


class ItemInput(StrictSerializer):
    """So many pieces of a product; of one with several variants, say which."""

    product_id = serializers.UUIDField(required=False)
    variant_id = serializers.UUIDField(required=False)
    quantity = WholeNumberField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse pieces of nothing."""
        if not attrs.keys() & {"product_id", "variant_id"}:
            raise serializers.ValidationError(
                {"product_id": [serializers.ErrorDetail("This field is required.", code="required")]}
            )
        return attrs


class ChoiceInput(StrictSerializer):
    """How the goods shall come, and what they shall cost less."""

    slot = serializers.UUIDField(source="slot_id", required=False, allow_null=True)
    address = serializers.CharField(max_length=ADDRESS_LENGTH, required=False, allow_blank=True)
    location = PlaceInput(required=False, allow_null=True, help_text="Where the address is, as far as it is known.")
    coupon = serializers.CharField(source="coupon_code", max_length=CODE_LENGTH, required=False, allow_blank=True)
    note = serializers.CharField(max_length=NOTE_LENGTH, required=False, allow_blank=True)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "The least",
            {"shop_id": SHOP, "items": [{"product_id": PRODUCT, "quantity": 2}]},
            request_only=True,
        ),
        OpenApiExample(
            "Brought into a slot",
            {
                "shop_id": SHOP,
                "items": [{"product_id": PRODUCT, "quantity": 2}],
                "slot": SLOT,
                "address": "Torstraße 1, Berlin",
                "coupon": "WELCOME",
            },
            request_only=True,
        ),
    ]
)
class PlaceOrderInput(ChoiceInput):
    """Items of one shop."""

    shop_id = serializers.UUIDField()
    items = ItemInput(many=True)


class ShopChoiceInput(ChoiceInput):
    """What is chosen for the order of one shop."""

    shop_id = serializers.UUIDField()


@example({"choices": [{"shop_id": SHOP, "slot": SLOT, "address": "Torstraße 1, Berlin"}]})
class CheckoutInput(StrictSerializer):
    """What is chosen for each shop of the basket; shops that are left out need nothing."""

    choices = ShopChoiceInput(many=True, required=False)

    def validate_choices(self, choices: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Refuse two choices for one shop."""
        if len({one["shop_id"] for one in choices}) < len(choices):
            raise serializers.ValidationError("A shop is named twice.", code="twice")
        return choices


@example({"reason": "Ordered twice"})
class ReasonInput(StrictSerializer):
    """Why."""

    reason = serializers.CharField(max_length=NOTE_LENGTH, required=False, allow_blank=True)


@example({"restock": True})
class RefundOrderInput(StrictSerializer):
    """Whether the goods came back."""

    restock = serializers.BooleanField(default=False, help_text="They did, and can be sold again.")


@example({"product_id": PRODUCT, "quantity": 2})
class AddInput(StrictSerializer):
    """Pieces for the basket."""

    product_id = serializers.UUIDField(required=False)
    variant_id = serializers.UUIDField(required=False)
    quantity = WholeNumberField(default=1)


@example({"quantity": 3})
class QuantityInput(StrictSerializer):
    """How many pieces it shall be."""

    quantity = WholeNumberField()


class OrderFilter(StrictSerializer):
    """Which orders to list."""

    shop = serializers.UUIDField(source="shop_id", required=False, help_text="Of this shop of mine; else mine.")
    state = OrderStateField(required=False)


# What is shown


class LineOutput(serializers.Serializer[Any]):
    """So many pieces, as they were named and priced when they were bought."""

    product = serializers.UUIDField(source="product_id")
    variant = serializers.UUIDField(source="variant_id")
    name = serializers.CharField()
    sku = serializers.CharField()
    options = serializers.DictField(child=serializers.CharField())
    quantity = serializers.IntegerField()
    unit_price = MinorMoneyField("unit_minor", None)
    total = MinorMoneyField("total_minor", None)


class OrderPaymentOutput(serializers.Serializer[Any]):
    """How far the money has come."""

    state = PaymentStateField()
    reason = serializers.CharField(help_text="Why the gateway refused.")


class OrderOutput(serializers.Serializer[Any]):
    """An order: total = subtotal + delivery - discount."""

    id = serializers.UUIDField()
    reference = serializers.CharField(help_text="What people call it.")
    purchase = serializers.UUIDField(source="purchase_id")
    shop = ShopRef()
    customer = UserIdField(source="customer_id", read_only=True)
    state = OrderStateField()
    subtotal = MinorMoneyField("subtotal_minor")
    delivery_fee = MinorMoneyField("delivery_minor")
    discount = MinorMoneyField("discount_minor")
    total = MinorMoneyField("total_minor")
    lead_days = serializers.IntegerField()
    note = serializers.CharField()
    placed_at = serializers.DateTimeField()
    paid_at = serializers.DateTimeField(allow_null=True)
    ready_at = serializers.DateTimeField(allow_null=True)
    completed_at = serializers.DateTimeField(allow_null=True)
    cancelled_at = serializers.DateTimeField(allow_null=True)
    cancel_reason = serializers.CharField()
    lines = serializers.SerializerMethodField()
    payment = serializers.SerializerMethodField()
    delivery = serializers.SerializerMethodField()

    @extend_schema_field(LineOutput(many=True))
    def get_lines(self, order: Any) -> Any:
        """Return what was bought."""
        return LineOutput(order.lines.all(), many=True, context={"currency": order.currency}).data

    @extend_schema_field(OrderPaymentOutput(allow_null=True))
    def get_payment(self, order: Any) -> Any:
        """Return the latest payment."""
        payments = order.payments.all()
        return OrderPaymentOutput(payments[0]).data if payments else None

    @extend_schema_field(OrderDeliveryOutput(allow_null=True))
    def get_delivery(self, order: Any) -> Any:
        """Return when it is brought or fetched, if a slot was chosen."""
        delivery = getattr(order, "delivery", None)
        return None if delivery is None else OrderDeliveryOutput(delivery).data


class PurchaseOutput(serializers.Serializer[Any]):
    """One checkout, with an order for each shop."""

    id = serializers.UUIDField()
    placed_at = serializers.DateTimeField()
    orders = OrderOutput(many=True, source="orders.all")


class OrderQuoteOutput(serializers.Serializer[Any]):
    """What the order of one shop would cost now: total = subtotal + delivery - discount."""

    shop = ShopRef(source="order.shop")
    slot = SpanOutput(allow_null=True)
    subtotal = MinorMoneyField("order.subtotal_minor", "order.currency")
    delivery_fee = MinorMoneyField("order.delivery_minor", "order.currency")
    discount = MinorMoneyField("order.discount_minor", "order.currency")
    total = MinorMoneyField("order.total_minor", "order.currency")
    lead_days = serializers.IntegerField(source="order.lead_days")
    lines = serializers.SerializerMethodField()

    @extend_schema_field(LineOutput(many=True))
    def get_lines(self, draft: Any) -> Any:
        """Return what would be bought."""
        return LineOutput(draft.quoted, many=True, context={"currency": draft.order.currency}).data


class CheckoutQuoteOutput(serializers.Serializer[Any]):
    """What a checkout would cost now, by shop and, for each currency, in all."""

    orders = OrderQuoteOutput(many=True)
    totals = serializers.ListField(child=MoneyField())


class BasketLineOutput(serializers.Serializer[Any]):
    """Pieces in a basket, at the price that was seen when they were put there, and at that of now."""

    shop = ShopRef(source="line.variant.product.shop")
    product = serializers.UUIDField(source="line.variant.product_id")
    variant = serializers.UUIDField(source="line.variant_id")
    name = serializers.CharField(source="line.variant.product.name")
    sku = serializers.CharField(source="line.variant.sku")
    options = serializers.DictField(source="line.variant.options", child=serializers.CharField())
    quantity = serializers.IntegerField(source="line.quantity")
    unit_price_seen = MinorMoneyField("line.unit_minor", "quoted.currency")
    unit_price = MinorMoneyField("quoted.unit_minor", "quoted.currency")
    total = MinorMoneyField("total_minor", "quoted.currency")
    on_sale = serializers.BooleanField(source="quoted.on_sale", help_text="It can be bought.")
    made_to_order = serializers.BooleanField(source="quoted.made_to_order")
    free = serializers.IntegerField(source="line.variant.stock.free", help_text="Pieces that anybody can buy.")


class BasketOutput(serializers.Serializer[Any]):
    """A basket, and what it costs now, for each currency."""

    lines = BasketLineOutput(many=True)
    totals = serializers.ListField(child=MoneyField())


class BasketHoldOutput(serializers.Serializer[Any]):
    """Until when the pieces of a basket are nobody else's."""

    held_until = serializers.DateTimeField(allow_null=True)


def choice_of(values: dict[str, Any]) -> Choice:
    """Return what was chosen."""
    place = values.get("location") or {}
    names = ("slot_id", "address", "coupon_code", "note")
    return Choice(**{name: values[name] for name in names if name in values}, **place)


def choices_of(values: dict[str, Any]) -> dict[UUID, Choice]:
    """Return what was chosen for each shop."""
    return {one["shop_id"]: choice_of(one) for one in values.get("choices", [])}


def items_of(values: list[dict[str, Any]]) -> list[Item]:
    """Return the items."""
    return [Item(**one) for one in values]

"""Baskets and what becomes of them."""

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django_fsm import FSMField, transition

from holdfast.fsm import StatefulModel
from holdfast.ids import uuid7
from holdfast.money import Money, from_minor
from holdfast_artisan_shop.models.products import SKU_LENGTH, Product, Variant
from holdfast_artisan_shop.models.shops import NAME_LENGTH, Shop
from holdfast_artisan_shop.states import OrderState

KEY_LENGTH = 255
NOTE_LENGTH = 500
TOTAL_MAX = 10**18
"""The most minor units of an order: with what is added to it, still a bigint."""


class BasketLine(models.Model):
    """What a customer has put into his basket, and the price that he saw. Whoever deletes the row buys it."""

    id = models.BigAutoField(primary_key=True)
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    variant = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="+")
    quantity = models.IntegerField()
    unit_minor = models.BigIntegerField()
    added_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["customer", "variant"], name="holdfast_artisan_shop_basket_line_once"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="holdfast_artisan_shop_basket_line_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.variant_id}"


class Purchase(models.Model):
    """One checkout of one customer, with an order for each shop. His ``key`` makes it once, however often he asks."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    key = models.CharField(max_length=KEY_LENGTH, null=True, blank=True)  # noqa: DJ001 - only keys are unique, not none
    fingerprint = models.CharField(
        max_length=64, blank=True, editable=False, help_text="SHA-256 of what was asked for with the key."
    )
    placed_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["customer", "key"], name="holdfast_artisan_shop_purchase_key")]

    def __str__(self) -> str:
        return str(self.id)


class Order(StatefulModel):
    """What a customer buys of one shop. Names and prices are frozen in its lines.

    ``fee_minor`` is what the platform keeps. The times are those at which a state was reached.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    purchase = models.ForeignKey(Purchase, on_delete=models.PROTECT, related_name="orders")
    shop = models.ForeignKey(Shop, on_delete=models.PROTECT, related_name="orders", db_index=False)
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    state = FSMField(choices=OrderState.choices, default=OrderState.PENDING, protected=True, editable=False)
    currency = models.CharField(max_length=3)
    subtotal_minor = models.BigIntegerField()
    delivery_minor = models.BigIntegerField(default=0)
    discount_minor = models.BigIntegerField(default=0)
    total_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField(default=0)
    lead_days = models.PositiveSmallIntegerField(default=0, editable=False)
    note = models.CharField(max_length=NOTE_LENGTH, blank=True)
    placed_at = models.DateTimeField(default=timezone.now, editable=False)
    paid_at = models.DateTimeField(null=True, blank=True, editable=False)
    ready_at = models.DateTimeField(null=True, blank=True, editable=False)
    completed_at = models.DateTimeField(null=True, blank=True, editable=False)
    cancelled_at = models.DateTimeField(null=True, blank=True, editable=False)
    cancel_reason = models.CharField(max_length=NOTE_LENGTH, blank=True, editable=False)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=OrderState.values), name="holdfast_artisan_shop_order_state_known"
            ),
            models.CheckConstraint(
                condition=Q(total_minor=F("subtotal_minor") + F("delivery_minor") - F("discount_minor")),
                name="holdfast_artisan_shop_order_total_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(
                    subtotal_minor__gte=0,
                    delivery_minor__gte=0,
                    discount_minor__gte=0,
                    discount_minor__lte=F("subtotal_minor"),
                    fee_minor__gte=0,
                    fee_minor__lte=F("total_minor"),
                ),
                name="holdfast_artisan_shop_order_amounts_in_range",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[OrderState.COMPLETED, OrderState.REFUNDED], completed_at__isnull=False)
                | ~Q(state__in=[OrderState.COMPLETED, OrderState.REFUNDED]) & Q(completed_at=None),
                name="holdfast_artisan_shop_order_completed_stamped",
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "id"], name="holdfast_artisan_shop_o_cust"),
            models.Index(fields=["shop", "state", "id"], name="holdfast_artisan_shop_o_shop"),
            models.Index(fields=["shop", "completed_at"], name="holdfast_artisan_shop_o_done"),
            models.Index(
                fields=["shop", "cancelled_at"],
                condition=Q(state=OrderState.CANCELLED),
                name="holdfast_artisan_shop_o_canc",
            ),
            models.Index(
                fields=["shop", "completed_at"],
                condition=Q(state=OrderState.REFUNDED),
                name="holdfast_artisan_shop_o_back",
            ),
            models.Index(
                fields=["placed_at"], condition=Q(state=OrderState.PENDING), name="holdfast_artisan_shop_o_unpaid"
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        """What people call the order: the random end of its id."""
        return self.id.hex[-10:].upper()

    @property
    def total(self) -> Money:
        """What the customer pays."""
        return from_minor(self.total_minor, self.currency)

    @property
    def fee(self) -> Money:
        """What the platform keeps of it."""
        return from_minor(self.fee_minor, self.currency)

    @transition(field=state, source=OrderState.PENDING, target=OrderState.PAID)
    def mark_paid(self, *, at: dt.datetime) -> None:
        """Set its money aside."""
        self.paid_at = at

    @transition(field=state, source=OrderState.PAID, target=OrderState.PROCESSING)
    def start(self, *, at: dt.datetime) -> None:
        """Begin to make or to pack it."""

    @transition(field=state, source=[OrderState.PAID, OrderState.PROCESSING], target=OrderState.READY)
    def finish(self, *, at: dt.datetime) -> None:
        """Have it ready to be fetched or sent."""
        self.ready_at = at

    @transition(field=state, source=OrderState.READY, target=OrderState.OUT_FOR_DELIVERY)
    def send(self, *, at: dt.datetime) -> None:
        """Bring it on its way."""

    @transition(field=state, source=OrderState.OUT_FOR_DELIVERY, target=OrderState.READY)
    def bring_back(self, *, at: dt.datetime) -> None:
        """Take it back to the workshop: nobody was there."""

    @transition(field=state, source=[OrderState.READY, OrderState.OUT_FOR_DELIVERY], target=OrderState.COMPLETED)
    def complete(self, *, at: dt.datetime) -> None:
        """Hand it over to the customer."""
        self.completed_at = at

    @transition(
        field=state,
        source=[OrderState.PENDING, OrderState.PAID, OrderState.PROCESSING, OrderState.READY],
        target=OrderState.CANCELLED,
    )
    def cancel(self, *, at: dt.datetime, reason: str) -> None:
        """Let nothing come of it."""
        self.cancelled_at = at
        self.cancel_reason = reason

    @transition(field=state, source=OrderState.COMPLETED, target=OrderState.REFUNDED)
    def refund(self, *, at: dt.datetime) -> None:
        """Give its money back."""


class OrderLine(models.Model):
    """So many pieces of a variant, as it was named and priced when it was bought."""

    id = models.BigAutoField(primary_key=True)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="lines")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="+", db_index=False)
    flash_sale = models.ForeignKey(
        "FlashSale", null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    name = models.CharField(max_length=NAME_LENGTH)
    sku = models.CharField("SKU", max_length=SKU_LENGTH, blank=True)
    options = models.JSONField(default=dict, blank=True)
    stocked = models.BooleanField(default=True, help_text="It was taken from the stock, not made to order.")
    quantity = models.IntegerField()
    unit_minor = models.BigIntegerField()
    total_minor = models.BigIntegerField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["order", "variant"], name="holdfast_artisan_shop_line_variant_once"),
            models.CheckConstraint(
                condition=Q(quantity__gte=1, unit_minor__gte=0), name="holdfast_artisan_shop_line_in_range"
            ),
            models.CheckConstraint(
                condition=Q(total_minor=F("quantity") * F("unit_minor")), name="holdfast_artisan_shop_line_adds_up"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.name}"

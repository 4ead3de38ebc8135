"""How far the money of an order has come."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django_fsm import GET_STATE, FSMField, transition

from holdfast.fsm import StatefulModel
from holdfast.ids import uuid7
from holdfast.money import Money, from_minor
from holdfast_artisan_shop.models.orders import Order
from holdfast_artisan_shop.states import PaymentState

INTENTS = (PaymentState.AUTHORIZING, PaymentState.CAPTURING, PaymentState.RELEASING, PaymentState.REFUNDING)


class Payment(StatefulModel):
    """The money of one order at the gateway.

    Each call to the gateway is an intent first, which is committed before the call, and a result afterwards. Whoever
    dies in between leaves an intent, which is asked for again, under the same id. A declined one stays as it is; the
    next try is another one.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="payments", db_index=False)
    state = FSMField(choices=PaymentState.choices, default=PaymentState.AUTHORIZING, protected=True, editable=False)
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField(default=0)
    reference = models.CharField(max_length=200, blank=True, help_text="What the gateway calls it.")
    reason = models.CharField(max_length=500, blank=True, help_text="Why the gateway refused.")
    asked_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["order"],
                condition=~Q(state=PaymentState.DECLINED),
                name="holdfast_artisan_shop_payment_one_alive",
            ),
            models.CheckConstraint(
                condition=Q(state__in=PaymentState.values), name="holdfast_artisan_shop_payment_state_known"
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__gte=0, fee_minor__gte=0, fee_minor__lte=F("amount_minor")),
                name="holdfast_artisan_shop_payment_in_range",
            ),
        ]
        indexes = [
            models.Index(fields=["order"], name="holdfast_artisan_shop_pay_ord"),
            models.Index(fields=["asked_at"], condition=Q(state__in=INTENTS), name="holdfast_artisan_shop_pay_open"),
            models.Index(fields=["id"], condition=Q(state=PaymentState.FAILED), name="holdfast_artisan_shop_pay_fail"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} ({self.state})"

    @property
    def amount(self) -> Money:
        """What the customer pays."""
        return from_minor(self.amount_minor, self.currency)

    @property
    def fee(self) -> Money:
        """What the platform keeps of it."""
        return from_minor(self.fee_minor, self.currency)

    @transition(field=state, source=PaymentState.AUTHORIZING, target=PaymentState.AUTHORIZED)
    def authorized(self, *, reference: str) -> None:
        """Know that the amount is set aside."""
        self.reference = reference

    @transition(field=state, source=PaymentState.AUTHORIZING, target=PaymentState.DECLINED)
    def declined(self, *, reason: str) -> None:
        """Know that the gateway said no."""
        self.reason = reason

    @transition(field=state, source=PaymentState.AUTHORIZED, target=PaymentState.CAPTURING)
    def capture(self) -> None:
        """Take it: the goods are handed over."""

    @transition(field=state, source=PaymentState.CAPTURING, target=PaymentState.CAPTURED)
    def captured(self) -> None:
        """Know that it is taken."""

    @transition(field=state, source=PaymentState.AUTHORIZED, target=PaymentState.RELEASING)
    def release(self) -> None:
        """Give it back: the order was cancelled."""

    @transition(field=state, source=PaymentState.RELEASING, target=PaymentState.RELEASED)
    def released(self) -> None:
        """Know that it is given back."""

    @transition(field=state, source=PaymentState.CAPTURED, target=PaymentState.REFUNDING)
    def refund(self) -> None:
        """Give back what was taken."""

    @transition(field=state, source=PaymentState.REFUNDING, target=PaymentState.REFUNDED)
    def refunded(self) -> None:
        """Know that what was taken is given back."""

    @transition(
        field=state,
        source=[PaymentState.CAPTURING, PaymentState.RELEASING, PaymentState.REFUNDING],
        target=PaymentState.FAILED,
    )
    def fail(self, *, reason: str) -> None:
        """Leave it to a person: the gateway refused what it had promised."""
        self.reason = reason

    @transition(
        field=state,
        source=PaymentState.FAILED,
        target=GET_STATE(
            lambda _self, *, intent: intent,
            states=[PaymentState.CAPTURING, PaymentState.RELEASING, PaymentState.REFUNDING],
        ),
    )
    def retry(self, *, intent: PaymentState) -> None:
        """Ask once more: a person has talked to the gateway."""
        self.reason, self.asked_at = "", None

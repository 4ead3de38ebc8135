"""Payments: money on its way between the outside and an account."""

import datetime as dt
import uuid

from django.db import models
from django.db.models import Q
from django_fsm import FSMField, transition

from holdfast.fsm import StatefulModel
from holdfast.money import Money, from_minor
from holdfast_wallet.models.accounts import MAX_AMOUNT_MINOR, Account
from holdfast_wallet.models.holds import Hold
from holdfast_wallet.models.transfers import Transfer
from holdfast_wallet.states import PaymentDirection, PaymentState


class Payment(StatefulModel):
    """A deposit or withdrawal through the payment rail.

    It is written before the rail is asked and posts its transfer when the rail says that the money has moved. A
    withdrawal sets its money aside with a hold in the meantime.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    direction = models.CharField(max_length=10, choices=PaymentDirection.choices)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="payments", db_index=False)
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    state = FSMField(choices=PaymentState.choices, default=PaymentState.PENDING, protected=True)
    reference = models.CharField(max_length=200, blank=True, help_text="What the rail calls it.")
    reason = models.CharField(
        max_length=500, blank=True, help_text="Why it failed, or why it was posted to the suspense account."
    )
    hold = models.OneToOneField(Hold, null=True, blank=True, on_delete=models.PROTECT, related_name="payment")
    transfer = models.OneToOneField(
        Transfer, null=True, blank=True, on_delete=models.PROTECT, db_constraint=False, related_name="payment"
    )
    started = models.BooleanField(default=False, help_text="Whether the rail has taken the order.")
    next_poll_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)
    metadata = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_minor__range=(1, MAX_AMOUNT_MINOR)), name="holdfast_wallet_payment_amount_in_range"
            ),
            models.CheckConstraint(
                condition=Q(direction__in=PaymentDirection.values) & Q(state__in=PaymentState.values),
                name="holdfast_wallet_payment_words_known",
            ),
            models.CheckConstraint(
                condition=Q(state=PaymentState.SETTLED, transfer__isnull=False)
                | ~Q(state=PaymentState.SETTLED) & Q(transfer=None),
                name="holdfast_wallet_payment_settled_posted",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "-created_at"], name="holdfast_wallet_pay_account"),
            models.Index(
                fields=["next_poll_at"], condition=Q(state=PaymentState.PENDING), name="holdfast_wallet_pay_pending"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.direction} {self.amount} ({self.state})"

    @property
    def amount(self) -> Money:
        """What moves."""
        return from_minor(self.amount_minor, self.currency)

    @transition(field=state, source=PaymentState.PENDING, target=PaymentState.SETTLED)
    def settle(self, *, transfer: Transfer, at: dt.datetime) -> None:
        """Its money has moved, and is posted."""
        self.transfer = transfer
        self.ended_at = at
        self.next_poll_at = None

    @transition(field=state, source=PaymentState.PENDING, target=PaymentState.FAILED)
    def fail(self, *, reason: str, at: dt.datetime) -> None:
        """Its money will not move."""
        self.reason = reason
        self.ended_at = at
        self.next_poll_at = None

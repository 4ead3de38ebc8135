"""Holds: money set aside."""

import datetime as dt
import uuid

from django.db import models
from django.db.models import F, Q
from django_fsm import FSMField, transition

from holdfast.fsm import StatefulModel
from holdfast.money import Money, from_minor
from holdfast_wallet.models.accounts import MAX_AMOUNT_MINOR, Account
from holdfast_wallet.states import HoldEventKind, HoldState


class Hold(StatefulModel):
    """Money set aside on an account until it is captured, released, or its time is over.

    What is left of it (``remaining``) is part of the account's ``held``. Captures are transfers that name the hold,
    there may be several; ending a hold releases the rest. The ledger's triggers move ``captured_minor`` and the
    account's ``held_minor``.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="holds", db_index=False)
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    captured_minor = models.BigIntegerField(default=0, editable=False)
    released_minor = models.BigIntegerField(default=0, editable=False)
    state = FSMField(choices=HoldState.choices, default=HoldState.OPEN, protected=True)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: until it is released.")
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)
    owner_may_end = models.BooleanField(
        default=False, help_text="Whether its owner placed it for himself, and may capture and release it."
    )
    metadata = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_minor__range=(1, MAX_AMOUNT_MINOR)), name="holdfast_wallet_hold_amount_in_range"
            ),
            models.CheckConstraint(
                condition=Q(captured_minor__gte=0)
                & Q(released_minor__gte=0)
                & Q(amount_minor__gte=F("captured_minor") + F("released_minor")),
                name="holdfast_wallet_hold_within_amount",
            ),
            models.CheckConstraint(condition=Q(state__in=HoldState.values), name="holdfast_wallet_hold_state_known"),
            models.CheckConstraint(
                condition=Q(state=HoldState.OPEN) | Q(amount_minor=F("captured_minor") + F("released_minor")),
                name="holdfast_wallet_hold_ended_empty",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "-created_at"], name="holdfast_wallet_hold_account"),
            models.Index(
                fields=["account", "expires_at"], condition=Q(state=HoldState.OPEN), name="holdfast_wallet_hold_open"
            ),
            models.Index(
                fields=["expires_at"],
                condition=Q(state=HoldState.OPEN, expires_at__isnull=False),
                name="holdfast_wallet_hold_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} ({self.state})"

    @property
    def amount(self) -> Money:
        """What was set aside at first."""
        return from_minor(self.amount_minor, self.currency)

    @property
    def captured(self) -> Money:
        """What was paid of it."""
        return from_minor(self.captured_minor, self.currency)

    @property
    def released(self) -> Money:
        """What was given back of it."""
        return from_minor(self.released_minor, self.currency)

    @property
    def remaining_minor(self) -> int:
        """What is still set aside, in minor units."""
        return self.amount_minor - self.captured_minor - self.released_minor

    @property
    def remaining(self) -> Money:
        """What is still set aside."""
        return from_minor(self.remaining_minor, self.currency)

    def is_due(self, now: dt.datetime) -> bool:
        """Say whether its time is over, expired by a sweep or not."""
        return self.expires_at is not None and self.expires_at <= now

    @transition(field=state, source=HoldState.OPEN, target=HoldState.CAPTURED)
    def capture(self, *, at: dt.datetime) -> None:
        """Nothing more is captured; the rest is given back."""
        self._end(at)

    @transition(field=state, source=HoldState.OPEN, target=HoldState.RELEASED)
    def release(self, *, at: dt.datetime) -> None:
        """Somebody gave the rest back."""
        self._end(at)

    @transition(field=state, source=HoldState.OPEN, target=HoldState.EXPIRED)
    def expire(self, *, at: dt.datetime) -> None:
        """Its time is over; the rest is given back."""
        self._end(at)

    def _end(self, at: dt.datetime) -> None:
        self.released_minor += self.remaining_minor
        self.ended_at = at


class HoldEvent(models.Model):
    """A step in the life of a hold, written by the ledger's triggers; append-only."""

    id = models.BigAutoField(primary_key=True)
    hold = models.ForeignKey(Hold, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=10, choices=HoldEventKind.choices)
    amount_minor = models.BigIntegerField()
    transfer = models.ForeignKey(
        "holdfast_wallet.Transfer",
        null=True,
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gte=0), name="holdfast_wallet_holdevent_amount"),
            models.CheckConstraint(
                condition=Q(kind=HoldEventKind.CAPTURED, transfer__isnull=False)
                | ~Q(kind=HoldEventKind.CAPTURED) & Q(transfer=None),
                name="holdfast_wallet_holdevent_transfer",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount_minor}"

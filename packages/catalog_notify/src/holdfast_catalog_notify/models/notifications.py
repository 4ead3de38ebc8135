"""Being told: who wants to be, how, and how far each notification has come."""

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django_fsm import FSMField, transition

from holdfast.fsm import StatefulModel
from holdfast.ids import uuid7
from holdfast_catalog_notify.models.catalog import Brand
from holdfast_catalog_notify.models.changes import ChangeSet
from holdfast_catalog_notify.states import DeliveryState, Mode

CHANNEL_LENGTH = 40
ADDRESS_LENGTH = 500
ERROR_LENGTH = 1_000
PROVIDER_ID_LENGTH = 255

OPEN = (DeliveryState.PENDING, DeliveryState.FAILED)


class ChannelPreference(models.Model):
    """How an admin wants to be told over a channel; without one the host's default holds.

    The row is also what a worker locks while it gathers a digest, so that two workers make one digest, not two.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False, editable=False
    )
    channel = models.CharField(max_length=CHANNEL_LENGTH, editable=False)
    mode = models.CharField(max_length=10, choices=Mode.choices, default=Mode.IMMEDIATE)
    address = models.CharField(max_length=ADDRESS_LENGTH, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "channel"], name="holdfast_catalog_notify_preference_once"),
            models.CheckConstraint(
                condition=Q(mode__in=Mode.values), name="holdfast_catalog_notify_preference_mode_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel}: {self.get_mode_display()}"


class MutedBrand(models.Model):
    """A brand whose changes an admin is not told of."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False, editable=False
    )
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "brand"], name="holdfast_catalog_notify_mutedbrand_once")
        ]

    def __str__(self) -> str:
        return str(self.brand)


class Delivery(StatefulModel):
    """A change set on its way to one admin over one channel.

    ``via`` is the channel that tries at present, another than ``channel`` after a failover. ``message_id`` is given
    when a worker first takes it, and then stays: the deliveries of one digest share it. A worker that takes a delivery
    writes its ``lease`` on it; only who holds the lease may write down the outcome.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    change_set = models.ForeignKey(
        ChangeSet, on_delete=models.CASCADE, related_name="deliveries", db_index=False, editable=False
    )
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False, editable=False
    )
    channel = models.CharField(max_length=CHANNEL_LENGTH, editable=False)
    via = models.CharField(max_length=CHANNEL_LENGTH, editable=False)
    digest = models.BooleanField(default=False, editable=False)
    state = FSMField(choices=DeliveryState.choices, default=DeliveryState.PENDING, protected=True, editable=False)
    due_at = models.DateTimeField(default=timezone.now, editable=False)
    message_id = models.UUIDField(null=True, editable=False)
    lease = models.UUIDField(null=True, editable=False)
    leased_until = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False, help_text="Tries via the present channel.")
    provider_id = models.CharField(max_length=PROVIDER_ID_LENGTH, blank=True, editable=False)
    error = models.CharField(max_length=ERROR_LENGTH, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    sent_at = models.DateTimeField(null=True, editable=False)
    read_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "deliveries"
        constraints = [
            # What makes "once": however often the event is delivered, and by however many relays.
            models.UniqueConstraint(
                fields=["change_set", "recipient", "channel"], name="holdfast_catalog_notify_delivery_once"
            ),
            models.CheckConstraint(
                condition=Q(state__in=DeliveryState.values), name="holdfast_catalog_notify_delivery_state_known"
            ),
            models.CheckConstraint(
                condition=Q(lease__isnull=True, leased_until__isnull=True)
                | Q(lease__isnull=False, leased_until__isnull=False, message_id__isnull=False),
                name="holdfast_catalog_notify_delivery_lease_whole",
            ),
            models.CheckConstraint(
                condition=Q(state=DeliveryState.SENT, sent_at__isnull=False) | ~Q(state=DeliveryState.SENT),
                name="holdfast_catalog_notify_delivery_sent_at",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at", "id"], condition=Q(state__in=OPEN), name="holdfast_catalog_notify_due"),
            models.Index(fields=["recipient", "via", "change_set", "id"], name="holdfast_catalog_notify_inbox"),
            models.Index(fields=["state", "id"], name="holdfast_catalog_notify_state"),
            models.Index(
                fields=["message_id"], condition=Q(message_id__isnull=False), name="holdfast_catalog_notify_messag"
            ),
            models.Index(fields=["provider_id"], condition=~Q(provider_id=""), name="holdfast_catalog_notify_provid"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} to {self.recipient_id}: {self.get_state_display()}"

    @transition(field=state, source=OPEN, target=DeliveryState.SENT)
    def confirm(self, *, at: dt.datetime, provider_id: str) -> None:
        """Note that the receiver has taken it."""
        self.sent_at, self.provider_id, self.error = at, provider_id, ""

    @transition(field=state, source=OPEN, target=DeliveryState.FAILED)
    def postpone(self, *, until: dt.datetime, error: str) -> None:
        """Note that it failed, and when it is to be tried again."""
        self.due_at, self.error = until, error

    @transition(field=state, source=OPEN, target=DeliveryState.DEAD)
    def give_up(self, *, error: str) -> None:
        """Try it no more, until a person replays it."""
        self.error = error

    @transition(field=state, source=DeliveryState.SENT, target=DeliveryState.DEAD)
    def bounce(self, *, error: str) -> None:
        """Note that it was taken, but came back."""
        self.error = error

    @transition(field=state, source=DeliveryState.DEAD, target=DeliveryState.PENDING)
    def replay(self, *, at: dt.datetime) -> None:
        """Begin again, over the channel that the admin chose."""
        self.via, self.due_at, self.attempts, self.sent_at = self.channel, at, 0, None


class DeliveryAttempt(models.Model):
    """One try of a delivery, and how it ended."""

    delivery = models.ForeignKey(
        Delivery, on_delete=models.CASCADE, related_name="tries", db_index=False, editable=False
    )
    number = models.PositiveSmallIntegerField(editable=False)
    via = models.CharField(max_length=CHANNEL_LENGTH, editable=False)
    at = models.DateTimeField(default=timezone.now, editable=False)
    provider_id = models.CharField(max_length=PROVIDER_ID_LENGTH, blank=True, editable=False)
    error = models.CharField(max_length=ERROR_LENGTH, blank=True, editable=False)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["delivery", "id"], name="holdfast_catalog_notify_tries")]

    def __str__(self) -> str:
        return f"{self.via}, {self.number}"


class Suppression(models.Model):
    """An e-mail address that bounced or complained: nothing is sent to it until somebody lifts it."""

    address = models.CharField(max_length=254, primary_key=True, editable=False, help_text="In lower case.")
    reason = models.CharField(max_length=200, editable=False)
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["address"]

    def __str__(self) -> str:
        return self.address

"""The inbox: verified webhooks, stored once, applied after."""

from django.db import models
from django.db.models import Q

from holdfast.ids import uuid7
from holdfast_cards.states import NoticeState


class Notice(models.Model):
    """A verified webhook, or an event read from the provider's log; what it holds was taken by allow-list."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    provider = models.CharField(max_length=40)
    event_id = models.CharField(max_length=255)
    type = models.CharField(max_length=100, blank=True)
    provider_card_id = models.CharField(max_length=255, blank=True)
    reference = models.CharField(max_length=100, blank=True, help_text="Of the order, where the webhook tells.")
    card = models.JSONField(null=True, blank=True, help_text="The card as told; believed where there is no other way.")
    occurred_at = models.DateTimeField(null=True, blank=True, help_text="By the provider's clock.")
    state = models.CharField(max_length=10, choices=NoticeState.choices, default=NoticeState.NEW)
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=60, blank=True)
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-received_at", "-id"]
        verbose_name = "webhook"
        constraints = [
            models.UniqueConstraint(fields=["provider", "event_id"], name="holdfast_cards_notice_once"),
            models.CheckConstraint(condition=Q(state__in=NoticeState.values), name="holdfast_cards_notice_state_known"),
            models.CheckConstraint(
                condition=~Q(state__in=[NoticeState.NEW, NoticeState.DEFERRED]) | Q(next_at__isnull=False),
                name="holdfast_cards_notice_never_stuck",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_at"],
                condition=Q(state__in=[NoticeState.NEW, NoticeState.DEFERRED]),
                name="holdfast_cards_notice_due",
            ),
            models.Index(fields=["received_at"], name="holdfast_cards_notice_age"),
        ]

    def __str__(self) -> str:
        return f"{self.type or 'event'} {self.event_id} ({self.state})"


class Feed(models.Model):
    """How far a provider's own log of events was read."""

    provider = models.CharField(primary_key=True, max_length=40)
    cursor = models.CharField(max_length=255, blank=True)
    next_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.provider} to {self.cursor or 'nothing yet'}"

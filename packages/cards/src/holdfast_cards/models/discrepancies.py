"""Discrepancies: in what the provider and we do not agree."""

from django.db import models
from django.db.models import Q

from holdfast.ids import uuid7
from holdfast_cards.models.cards import Card
from holdfast_cards.states import DiscrepancyKind, DiscrepancyState


class Discrepancy(models.Model):
    """Something that is not as it should be, until the worker or a person has resolved it.

    An ``extra_card`` is written before anything is done about it; the worker then cancels it at the provider.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=15, choices=DiscrepancyKind.choices)
    state = models.CharField(max_length=10, choices=DiscrepancyState.choices, default=DiscrepancyState.OPEN)
    provider = models.CharField(max_length=40)
    provider_card_id = models.CharField(max_length=255, blank=True)
    card = models.ForeignKey(Card, null=True, blank=True, on_delete=models.PROTECT, related_name="discrepancies")
    detail = models.CharField(max_length=200, blank=True)
    note = models.CharField(max_length=500, blank=True, help_text="How it was resolved.")
    attempts = models.PositiveIntegerField(default=0, editable=False)
    next_attempt_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    resolved_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name_plural = "discrepancies"
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "provider_card_id", "kind"],
                condition=Q(state=DiscrepancyState.OPEN),
                name="holdfast_cards_discrepancy_open_once",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=DiscrepancyKind.values) & Q(state__in=DiscrepancyState.values),
                name="holdfast_cards_discrepancy_words_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.state})"

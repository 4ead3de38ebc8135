"""Cards, and the log of their lives."""

import datetime as dt
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django_fsm import FSMField, transition

from holdfast.fsm import StatefulModel
from holdfast.ids import uuid7
from holdfast_cards.states import FINAL, LIVE, CardKind, CardState, Source

_MAKING = (CardState.REQUESTED, CardState.ORDERED, CardState.SENT)


class Card(StatefulModel):
    """One wish of a holder for a card of a color, and the card that came of it.

    The provider's word for its state, its color there and what could not be read of it are kept beside ours.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    holder = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    holder_reference = models.CharField(max_length=255, help_text="Under which the provider knows the holder.")
    color = models.CharField(max_length=30, help_text="As the holder wished it.")
    kind = models.CharField(max_length=10, choices=CardKind.choices, default=CardKind.PHYSICAL)
    state = FSMField(choices=CardState.choices, default=CardState.REQUESTED, protected=True)
    provider = models.CharField(max_length=40)
    provider_card_id = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001 - NULL: none yet, unique
    provider_status = models.CharField(max_length=60, blank=True, help_text="The provider's own word.")
    actual_color = models.CharField(max_length=30, blank=True, help_text="As the provider has it; empty: untold.")
    last4 = models.CharField(max_length=4, blank=True)
    expires_on = models.DateField(null=True, blank=True)
    carrier = models.CharField(max_length=60, blank=True)
    tracking_number = models.CharField(max_length=100, blank=True)
    anomalies = models.JSONField(default=list, blank=True, help_text="What is not as it should be, in short words.")
    replaces = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="replacements", db_index=False
    )
    request_key = models.CharField(  # noqa: DJ001 - NULL: no key was given, unique
        max_length=255, null=True, blank=True, editable=False, help_text="The holder's name for his request."
    )
    version = models.PositiveIntegerField(default=0, editable=False, help_text="Grows with each look at the provider.")
    told_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="The newest webhook applied, by the provider's clock."
    )
    next_refresh_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now_add=True, help_text="Since when it is in its state.")

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "provider_card_id"], name="holdfast_cards_card_made_once"),
            # One open request for each holder: what makes a card found in a list the answer to this request.
            models.UniqueConstraint(
                fields=["holder"], condition=Q(state=CardState.REQUESTED), name="holdfast_cards_card_one_request"
            ),
            models.UniqueConstraint(fields=["holder", "request_key"], name="holdfast_cards_card_key_once"),
            models.UniqueConstraint(
                fields=["replaces"],
                condition=Q(replaces__isnull=False) & ~Q(state=CardState.FAILED),
                name="holdfast_cards_card_replaced_once",
            ),
            models.CheckConstraint(
                condition=Q(state__in=CardState.values) & Q(kind__in=CardKind.values),
                name="holdfast_cards_card_words_known",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[CardState.REQUESTED, CardState.FAILED]) | Q(provider_card_id__isnull=False),
                name="holdfast_cards_card_made_has_id",
            ),
        ]
        indexes = [
            models.Index(fields=["holder", "-created_at", "-id"], name="holdfast_cards_card_holder"),
            models.Index(
                fields=["next_refresh_at"],
                condition=Q(state__in=sorted(LIVE)),
                name="holdfast_cards_card_refresh",
            ),
            models.Index(fields=["expires_on"], condition=Q(state__in=sorted(LIVE)), name="holdfast_cards_card_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.color} {self.get_kind_display().lower()} card ({self.state})"

    @property
    def is_final(self) -> bool:
        """Whether its life is over."""
        return self.state in FINAL

    @property
    def shown_color(self) -> str:
        """The color that it has, as far as we know."""
        return self.actual_color or self.color

    @transition(field=state, source=CardState.REQUESTED, target=CardState.ORDERED)
    def order(self, *, at: dt.datetime) -> None:
        """Let it be known as ordered: the provider is making it."""
        self.changed_at = at

    @transition(field=state, source=[CardState.REQUESTED, CardState.ORDERED], target=CardState.SENT)
    def send(self, *, at: dt.datetime) -> None:
        """Let it be on its way."""
        self.changed_at = at

    @transition(field=state, source=list(_MAKING), target=CardState.ACTIVATED)
    def activate(self, *, at: dt.datetime) -> None:
        """Let it authorize."""
        self.changed_at = at

    @transition(field=state, source=[*_MAKING, CardState.ACTIVATED], target=CardState.FROZEN)
    def freeze(self, *, at: dt.datetime) -> None:
        """Let it authorize nothing for now, also where we missed that it did."""
        self.changed_at = at

    @transition(field=state, source=CardState.FROZEN, target=CardState.ACTIVATED)
    def unfreeze(self, *, at: dt.datetime) -> None:
        """Let it authorize again."""
        self.changed_at = at

    @transition(field=state, source=[CardState.REQUESTED, *sorted(LIVE)], target=CardState.CANCELLED)
    def cancel(self, *, at: dt.datetime) -> None:
        """End it for good."""
        self._end(at)

    @transition(field=state, source=[CardState.REQUESTED, *sorted(LIVE)], target=CardState.EXPIRED)
    def expire(self, *, at: dt.datetime) -> None:
        """End it: its time is over."""
        self._end(at)

    @transition(field=state, source=[CardState.REQUESTED, *sorted(LIVE)], target=CardState.OPPOSED)
    def oppose(self, *, at: dt.datetime) -> None:
        """End it: it was lost or stolen."""
        self._end(at)

    @transition(field=state, source=list(_MAKING), target=CardState.FAILED)
    def fail(self, *, at: dt.datetime) -> None:
        """End it: it was not made, or did not arrive."""
        self._end(at)

    def _end(self, at: dt.datetime) -> None:
        self.changed_at = at
        self.next_refresh_at = None


class CardTransition(models.Model):
    """A step in the life of a card, and where we learned of it; append-only."""

    id = models.BigAutoField(primary_key=True)
    card = models.ForeignKey(Card, on_delete=models.PROTECT, related_name="transitions")
    source_state = models.CharField(max_length=10, choices=CardState.choices)
    target_state = models.CharField(max_length=10, choices=CardState.choices)
    source = models.CharField(max_length=10, choices=Source.choices)
    operation = models.ForeignKey(
        "holdfast_cards.Operation", null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    notice_id = models.UUIDField(null=True, blank=True, help_text="The webhook; it is forgotten earlier than this row.")
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(source_state__in=CardState.values)
                & Q(target_state__in=CardState.values)
                & Q(source__in=Source.values),
                name="holdfast_cards_transition_words_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source_state} to {self.target_state}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add a row; none is ever changed."""
        kwargs["force_insert"] = True
        super().save(*args, **kwargs)

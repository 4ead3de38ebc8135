"""Operations: what the provider is to do, and what came of each call."""

import datetime as dt
from uuid import UUID, uuid5

from django.db import models
from django.db.models import Q
from django_fsm import FSMField, transition

from holdfast.fsm import StatefulModel
from holdfast.ids import uuid7
from holdfast_cards.models.cards import Card
from holdfast_cards.states import MAKING, OPEN, OperationState, Outcome, Verb

_WORKED = [OperationState.PENDING, OperationState.UNKNOWN, OperationState.IN_FLIGHT]
_OPEN = sorted(OPEN)


class Operation(StatefulModel):
    """Something that the provider is to do, committed before it is asked.

    ``id`` is our reference for the order, and the provider's idempotency key of the first ``generation``; a later one
    has another ``key``, and begins only when the card of the earlier is provably absent. ``sends`` counts the calls
    that may have arrived: while it is 0, certainly nothing was made.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    card = models.ForeignKey(Card, on_delete=models.PROTECT, related_name="operations")
    verb = models.CharField(max_length=10, choices=Verb.choices)
    reason = models.CharField(max_length=20, blank=True, help_text="Why the card is opposed or replaced.")
    state = FSMField(choices=OperationState.choices, default=OperationState.PENDING, protected=True)
    provider = models.CharField(max_length=40)
    payload = models.JSONField(null=True, blank=True, help_text="What is sent to make the card; never changed.")
    generation = models.PositiveSmallIntegerField(default=0, editable=False)
    key = models.UUIDField(default=uuid7, editable=False)
    attempts = models.PositiveIntegerField(default=0, editable=False)
    sends = models.PositiveIntegerField(default=0, editable=False)
    server_errors = models.PositiveIntegerField(default=0, editable=False, help_text="In this generation.")
    baseline = models.JSONField(
        null=True, blank=True, editable=False, help_text="The cards that the provider had for the holder before."
    )
    trying_since = models.DateTimeField(editable=False, help_text="After too long it is left to a person.")
    first_sent_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="In this generation.")
    last_sent_at = models.DateTimeField(null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    lease_token = models.UUIDField(null=True, blank=True, editable=False)
    next_attempt_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_outcome = models.CharField(max_length=15, choices=Outcome.choices, blank=True)
    last_reason = models.CharField(max_length=60, blank=True)
    version = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["card"], condition=Q(verb__in=sorted(MAKING)), name="holdfast_cards_operation_makes_once"
            ),
            models.UniqueConstraint(
                fields=["card", "verb"],
                condition=Q(state__in=_OPEN),
                name="holdfast_cards_operation_open_once",
            ),
            models.CheckConstraint(
                condition=Q(state__in=OperationState.values)
                & Q(verb__in=Verb.values)
                & (Q(last_outcome="") | Q(last_outcome__in=Outcome.values)),
                name="holdfast_cards_operation_words_known",
            ),
            models.CheckConstraint(
                condition=~Q(verb__in=sorted(MAKING)) | Q(payload__isnull=False),
                name="holdfast_cards_operation_payload_frozen",
            ),
            # What is open has a time at which it goes on, or waits for a person: nothing is forgotten.
            models.CheckConstraint(
                condition=Q(state__in=[OperationState.PENDING, OperationState.UNKNOWN], next_attempt_at__isnull=False)
                | Q(state=OperationState.IN_FLIGHT, lease_until__isnull=False, lease_token__isnull=False)
                | Q(state=OperationState.NEEDS_REVIEW)
                | Q(state__in=[OperationState.SUCCEEDED, OperationState.REJECTED], ended_at__isnull=False),
                name="holdfast_cards_operation_never_stuck",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(state__in=[OperationState.PENDING, OperationState.UNKNOWN]),
                name="holdfast_cards_operation_due",
            ),
            models.Index(
                fields=["lease_until"],
                condition=Q(state=OperationState.IN_FLIGHT),
                name="holdfast_cards_operation_lease",
            ),
            models.Index(
                fields=["created_at"],
                condition=Q(state=OperationState.NEEDS_REVIEW),
                name="holdfast_cards_op_review",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.card_id} ({self.state})"

    @property
    def makes_a_card(self) -> bool:
        """Whether asking twice may make two cards."""
        return self.verb in MAKING

    @property
    def is_open(self) -> bool:
        """Whether its outcome is still to come."""
        return self.state in OPEN

    @transition(field=state, source=_WORKED, target=OperationState.IN_FLIGHT)
    def claim(self, *, token: UUID, until: dt.datetime) -> None:
        """Let somebody work on it, until his lease ends."""
        self.attempts += 1
        self.lease_token = token
        self.lease_until = until
        self.next_attempt_at = None

    def mark_sent(self, *, at: dt.datetime, generation: int) -> None:
        """Write down that a call may arrive from now on; a new generation has a key of its own."""
        if generation != self.generation:
            self.generation, self.server_errors, self.first_sent_at = generation, 0, None
            self.key = uuid5(self.id, str(generation))
        self.sends += 1
        self.first_sent_at = self.first_sent_at or at
        self.last_sent_at = at

    def start_over(self) -> None:
        """Begin the next generation, as if nothing was ever sent: somebody knows that nothing was made."""
        self.generation += 1
        self.server_errors = 0
        self.key = uuid5(self.id, str(self.generation))
        self.unmark_sent()

    def unmark_sent(self) -> None:
        """Take the mark back: the first call certainly did not arrive."""
        self.sends, self.first_sent_at, self.last_sent_at = 0, None, None

    @transition(field=state, source=[*_WORKED, OperationState.NEEDS_REVIEW], target=OperationState.PENDING)
    def put_back(self, *, until: dt.datetime) -> None:
        """Write down that certainly nothing was done yet; it goes on later."""
        self._rest(until)

    @transition(field=state, source=[*_WORKED, OperationState.NEEDS_REVIEW], target=OperationState.UNKNOWN)
    def lose(self, *, until: dt.datetime) -> None:
        """Write down that nobody knows what came of it; it goes on later."""
        self._rest(until)

    @transition(field=state, source=_OPEN, target=OperationState.NEEDS_REVIEW)
    def park(self, *, reason: str) -> None:
        """Leave it to a person, or a webhook, to tell what came of it."""
        self.last_reason = reason
        self._free()

    @transition(field=state, source=_OPEN, target=OperationState.SUCCEEDED)
    def succeed(self, *, at: dt.datetime) -> None:
        """End it: it was done."""
        self._end(at)

    @transition(field=state, source=_OPEN, target=OperationState.REJECTED)
    def reject(self, *, at: dt.datetime) -> None:
        """End it: it was certainly not done, and will not be."""
        self._end(at)

    def _rest(self, until: dt.datetime) -> None:
        self._free()
        self.next_attempt_at = until

    def _end(self, at: dt.datetime) -> None:
        self._free()
        self.ended_at = at

    def _free(self) -> None:
        # The token stays: by it, who comes late with an answer is known to be late.
        self.lease_until = None
        self.next_attempt_at = None


class Attempt(models.Model):
    """One call of the provider for an operation; append-only, without bodies."""

    id = models.BigAutoField(primary_key=True)
    operation = models.ForeignKey(Operation, on_delete=models.PROTECT, related_name="log")
    number = models.PositiveIntegerField()
    call = models.CharField(max_length=10, help_text="What was called: create, change, or a look-up.")
    started_at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField()
    outcome = models.CharField(max_length=15, choices=Outcome.choices)
    reason = models.CharField(max_length=60, blank=True)
    http_status = models.PositiveSmallIntegerField(null=True, blank=True)
    request_id = models.CharField(max_length=100, blank=True, help_text="The provider's.")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome__in=Outcome.values), name="holdfast_cards_attempt_outcome_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.call} {self.number}: {self.outcome}"

"""Operations: what the provider was asked, and the review queue."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from holdfast.windows import Panel, Step, SureForm, WindowAdmin, link_to
from holdfast_cards import services
from holdfast_cards.models import Card, Operation
from holdfast_cards.states import OPEN, CardState, OperationState

PERMISSION = "holdfast_cards.change_operation"


class AdoptForm(forms.Form):
    """Asks which card of the provider it is."""

    provider_card_id = forms.CharField(
        max_length=255, label=_("The provider's id of the card"), help_text=_("As its own pages or its staff tell.")
    )


def _adopt(operation: Operation, values: dict[str, Any]) -> str:
    card = services.adopt_card(operation_id=operation.pk, provider_card_id=values["provider_card_id"])
    return _("The card is %(state)s.") % {"state": card.get_state_display().lower()}


def _decided(verb: Callable[..., Card], done: str) -> Callable[[Operation, dict[str, Any]], str]:
    def run(operation: Operation, _values: dict[str, Any]) -> str:
        verb(operation_id=operation.pk)
        return done

    return run


def _waits(operation: Operation) -> bool:
    return operation.is_open and operation.state != OperationState.IN_FLIGHT


def _may_have_made(operation: Operation) -> bool:
    return _waits(operation) and operation.makes_a_card and operation.card.state == CardState.REQUESTED


def _may_lack_effect(operation: Operation) -> bool:
    return _waits(operation) and (not operation.makes_a_card or operation.card.state == CardState.REQUESTED)


ADOPT = Step(
    name="adopt",
    label="It made this card",
    question="The provider has told you which card this order has made. It becomes the holder's.",
    permission=PERMISSION,
    form=AdoptForm,
    run=_adopt,
    offered=_may_have_made,
)
WITHOUT_EFFECT = Step(
    name="without-effect",
    label="It had no effect",
    question="The provider has told you that it has done nothing, and will not. An order fails; its holder may order "
    "again. If the card is made after all, it is a card too many.",
    permission=PERMISSION,
    form=SureForm,
    run=_decided(services.declare_without_effect, "The operation has ended."),
    offered=_may_lack_effect,
)
SEND_AGAIN = Step(
    name="send-again",
    label="Send again",
    question="The provider has told you that it has done nothing. The order is sent anew, under a new key. If the "
    "first was carried out after all, there will be two cards.",
    permission=PERMISSION,
    form=SureForm,
    run=_decided(services.send_again, "The worker sends it in a moment."),
    offered=_may_lack_effect,
)
RETRY_NOW = Step(
    name="retry-now",
    label="Go on now",
    question="The worker goes on at once, as far as it may by itself: it never orders twice.",
    permission=PERMISSION,
    form=SureForm,
    run=_decided(services.retry_now, "The worker goes on in a moment."),
    offered=_waits,
)


class QueueFilter(admin.SimpleListFilter):
    """What is to be looked at."""

    title = "queue"
    parameter_name = "queue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer the review, and everything open."""
        return [("review", "Waits for a person"), ("open", "Open"), ("overdue", "Overdue")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Operation]) -> QuerySet[Operation]:
        """Narrow the list."""
        match self.value():
            case "review":
                return queryset.filter(state=OperationState.NEEDS_REVIEW)
            case "open":
                return queryset.filter(state__in=sorted(OPEN))
            case "overdue":
                return queryset.filter(state__in=sorted(OPEN), next_attempt_at__lt=timezone.now())
        return queryset


@admin.register(Operation)
class OperationAdmin(WindowAdmin):
    """What the provider was to do, how often it was asked, and what a person has to decide."""

    steps: ClassVar[Sequence[Step]] = (ADOPT, WITHOUT_EFFECT, SEND_AGAIN, RETRY_NOW)
    list_display = ("id", "verb", "its_card", "state", "last_outcome", "last_reason", "attempts", "created_at")
    list_filter = (QueueFilter, "state", "verb", "last_outcome", "provider")
    list_select_related = ("card",)
    fields: ClassVar = (
        ("id", "verb", "reason", "its_card"),
        ("state", "last_outcome", "last_reason"),
        ("attempts", "sends", "server_errors", "generation"),
        ("key", "first_sent_at", "last_sent_at"),
        ("next_attempt_at", "lease_until", "created_at", "ended_at"),
        ("provider", "payload"),
        "baseline",
    )
    readonly_fields = ("its_card",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Operation]:
        """Bring the card along."""
        queryset: QuerySet[Operation] = super().get_queryset(request)
        return queryset.select_related("card")

    def matching_id(self, wanted: UUID) -> Q:
        """Find an operation, by its own id, its key or its card's id."""
        return Q(pk=wanted) | Q(key=wanted) | Q(card=wanted)

    def panels(self, request: HttpRequest, obj: Operation) -> Iterable[Panel]:
        """Show each call."""
        rows = [
            (one.started_at, one.call, one.outcome, one.reason, one.http_status or "-", one.duration_ms, one.request_id)
            for one in obj.log.order_by("id")
        ]
        yield Panel("Calls", ("When", "Call", "Outcome", "Why", "HTTP", "ms", "Their request"), rows)

    @admin.display(description="card")
    def its_card(self, operation: Operation) -> SafeString | str:
        """Return which card it is about."""
        return link_to(Card, operation.card_id, operation.card)

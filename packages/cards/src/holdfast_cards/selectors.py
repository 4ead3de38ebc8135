"""Reads with a name. As the verbs do, they take the scope: outside it nothing exists."""

import datetime as dt
from uuid import UUID

from django.db.models import Min, Prefetch, Q, QuerySet

from holdfast.conf import load_backend
from holdfast.health.figures import Figure, counted, counted_by, seconds_since
from holdfast_cards.conf import settings
from holdfast_cards.exceptions import CardNotFound
from holdfast_cards.models import Card, CardTransition, Discrepancy, Notice, Operation
from holdfast_cards.ports import Capabilities, HolderId
from holdfast_cards.states import LIVE, OPEN, CardState, DiscrepancyState, NoticeState, OperationState

_RESTING = [OperationState.PENDING, OperationState.UNKNOWN]
_WAITING = [NoticeState.NEW, NoticeState.DEFERRED]


def get_card(*, card_id: UUID, holder_id: HolderId) -> Card:
    """Return one of the holder's cards. Raises ``CardNotFound``."""
    card = cards_of(holder_id=holder_id).filter(id=card_id).first()
    if card is None:
        raise CardNotFound(card_id=str(card_id))
    return card


def cards_of(*, holder_id: HolderId) -> QuerySet[Card]:
    """Return the holder's cards, the newest first; ``open_operations`` of each are what is under way with it."""
    under_way = Operation.objects.filter(state__in=sorted(OPEN)).order_by("id")
    cards = Card.objects.filter(holder_id=holder_id).order_by("-created_at", "-id")
    return cards.prefetch_related(Prefetch("operations", queryset=under_way, to_attr="open_operations"))


def show(card: Card, operation: Operation | None) -> Card:
    """Return a card as ``cards_of`` would, of which only one operation is of interest."""
    card.open_operations = [operation] if operation is not None and operation.is_open else []  # type: ignore[attr-defined]  # as Prefetch sets it
    return card


def history(*, card_id: UUID, holder_id: HolderId) -> QuerySet[CardTransition]:
    """Return the steps in the life of one of the holder's cards, the first first. Raises ``CardNotFound``."""
    get_card(card_id=card_id, holder_id=holder_id)
    return CardTransition.objects.filter(card_id=card_id).order_by("id")


def offered() -> Capabilities:
    """Return what the provider can do: which colors and kinds there are, and what a holder may do with a card."""
    capabilities: Capabilities = load_backend(settings.PROVIDER).capabilities
    return capabilities


def due_operations(*, now: dt.datetime, provider: str) -> QuerySet[Operation]:
    """Return the operations whose turn it is, the longest waiting first; those of a former provider rest."""
    return Operation.objects.filter(
        Q(state__in=_RESTING, next_attempt_at__lte=now) | Q(state=OperationState.IN_FLIGHT, lease_until__lt=now),
        provider=provider,
    ).order_by("next_attempt_at", "id")


def due_notices(*, now: dt.datetime, provider: str) -> QuerySet[Notice]:
    """Return the webhooks that wait to be applied, in the order in which they came."""
    return Notice.objects.filter(state__in=_WAITING, next_at__lte=now, provider=provider).order_by("next_at", "id")


def due_cards(*, now: dt.datetime, provider: str) -> QuerySet[Card]:
    """Return the live cards that were not compared with the provider's for too long."""
    return Card.objects.filter(state__in=sorted(LIVE), next_refresh_at__lte=now, provider=provider).order_by(
        "next_refresh_at"
    )


def open_reviews() -> QuerySet[Operation]:
    """Return the operations that wait for a person, the oldest first."""
    return Operation.objects.filter(state=OperationState.NEEDS_REVIEW).select_related("card").order_by("created_at")


def open_discrepancies() -> QuerySet[Discrepancy]:
    """Return in what the provider and we do not agree, the oldest first."""
    return Discrepancy.objects.filter(state=DiscrepancyState.OPEN).select_related("card").order_by("created_at")


def figures() -> list[Figure]:
    """Return what whoever watches should know: where cards are, and what waits for the provider or for a person."""
    resting, waiting = Operation.objects.filter(state__in=_RESTING), Notice.objects.filter(state__in=_WAITING)
    return [
        Figure(
            name="cards",
            description="Cards by state, the newest ten thousand.",
            value=counted_by("state", CardState.values, Card.objects.all()),
            label="state",
        ),
        Figure(
            name="operations",
            description="What the provider is to do, by how far it has come.",
            value={state: counted(Operation.objects.filter(state=state)) for state in sorted(OPEN)},
            label="state",
        ),
        Figure(
            name="operations_late_seconds",
            description="How long it is an operation's turn.",
            value=seconds_since(resting.aggregate(first=Min("next_attempt_at"))["first"]),
        ),
        Figure(name="webhooks", description="Webhooks that are not applied yet.", value=counted(waiting)),
        Figure(
            name="webhooks_late_seconds",
            description="How long it is a webhook's turn.",
            value=seconds_since(waiting.aggregate(first=Min("next_at"))["first"]),
        ),
        Figure(
            name="discrepancies",
            description="In what the provider and we do not agree.",
            value=counted(open_discrepancies()),
        ),
    ]

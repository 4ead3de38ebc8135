"""What a person decides where nothing else can; each decision is the staff's, and is made once.

He has asked the provider, by telephone or in its own pages, what became of an operation.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from holdfast_cards.exceptions import CardTaken, DiscrepancyNotFound, NotInReview, OperationNotFound
from holdfast_cards.models import Card, Discrepancy, Operation
from holdfast_cards.ports import NoAnswer, ProviderCard
from holdfast_cards.services.gate import Gate
from holdfast_cards.services.lives import COLOR_MISMATCH
from holdfast_cards.services.operations import conclude, give_up
from holdfast_cards.services.rows import lock_card, save_if_unchanged, using
from holdfast_cards.states import CardState, DiscrepancyKind, DiscrepancyState, OperationState, Source

_WAITING = (OperationState.PENDING, OperationState.UNKNOWN, OperationState.NEEDS_REVIEW)


def adopt_card(*, operation_id: UUID, provider_card_id: str) -> Card:
    """Say which card of the provider an operation has made.

    Where the provider lets us look, the card must be there and be the holder's; otherwise the staff is believed. Must
    not be called inside a transaction. Raises ``OperationNotFound``, ``NotInReview``, ``CardTaken``. Emits what the
    card's step tells.
    """
    with transaction.atomic(using=using(), durable=True):  # nobody's transaction is to wait on the provider
        operation = _load(operation_id)
    theirs = _look(operation, provider_card_id.strip())
    with _decision(operation_id) as operation:
        card = operation.card
        if not operation.makes_a_card or card.provider_card_id is not None or _is_taken(card, theirs.id):
            raise CardTaken(provider_card_id=theirs.id)
        conclude(card=card, operation=operation, theirs=theirs, source=Source.OPERATOR, at=timezone.now())
    return card


def declare_without_effect(*, operation_id: UUID) -> Card:
    """Say that an operation certainly had no effect; a card that was to be made has failed.

    Raises ``OperationNotFound``, ``NotInReview``. Emits ``CardFailed`` for a card that was to be made.
    """
    with _decision(operation_id) as operation:
        _must_be_unmade(operation)
        ended = give_up(card=operation.card, operation=operation, source=Source.OPERATOR, at=timezone.now())
        if ended is not operation:
            raise _overtaken(operation)
    return operation.card


def send_again(*, operation_id: UUID) -> Card:
    """Say that an operation certainly had no effect so far, and let it be sent anew, under a new key.

    Raises ``OperationNotFound``, ``NotInReview``.
    """
    with _decision(operation_id) as operation:
        _must_be_unmade(operation)
        operation.start_over()
        _let_go_on(operation, operation.put_back)
    return operation.card


def retry_now(*, operation_id: UUID) -> Card:
    """Let the worker go on with an operation at once, as far as it may by itself.

    For one that waits: the provider accepts us again, or there is a way to look now that there was not before. Raises
    ``OperationNotFound``, ``NotInReview``.
    """
    with _decision(operation_id) as operation:
        if operation.last_reason == COLOR_MISMATCH:
            raise NotInReview(operation_id=str(operation_id), state=str(operation.state))
        _let_go_on(operation, operation.lose if operation.sends else operation.put_back)
    return operation.card


def resolve_discrepancy(*, discrepancy_id: UUID, note: str) -> Discrepancy:
    """Say how a discrepancy was resolved; with the color of a card, its operation has succeeded.

    Raises ``DiscrepancyNotFound``.
    """
    now = timezone.now()
    with transaction.atomic(using=using()):
        rows = Discrepancy.objects.using(using()).select_for_update(no_key=True, of=("self",))
        found = rows.filter(id=discrepancy_id, state=DiscrepancyState.OPEN).first()
        if found is None:
            raise DiscrepancyNotFound(discrepancy_id=str(discrepancy_id))
        found.state, found.note, found.resolved_at = DiscrepancyState.RESOLVED, note[:500], now
        found.save(using=using(), update_fields=["state", "note", "resolved_at"])
        if found.kind == DiscrepancyKind.COLOR and found.card_id is not None:
            _accept_color(found.card_id)
    return found


def _accept_color(card_id: UUID) -> None:
    parked = Operation.objects.using(using()).filter(
        card_id=card_id, state=OperationState.NEEDS_REVIEW, last_reason=COLOR_MISMATCH
    )
    for operation in parked:
        operation.succeed(at=timezone.now())
        _save(operation)


def _load(operation_id: UUID) -> Operation:
    operation = Operation.objects.using(using()).select_related("card").filter(id=operation_id).first()
    if operation is None:
        raise OperationNotFound(operation_id=str(operation_id))
    return operation


@contextmanager
def _decision(operation_id: UUID) -> Iterator[Operation]:
    """Lock the card of an operation that waits, and yield the operation as it is then."""
    card_id = _load(operation_id).card_id
    with transaction.atomic(using=using()):
        card = lock_card(card_id=card_id)
        operation = _load(operation_id)
        operation.card = card
        if operation.state not in _WAITING:
            raise NotInReview(operation_id=str(operation_id), state=str(operation.state))
        yield operation


def _must_be_unmade(operation: Operation) -> None:
    if operation.makes_a_card and operation.card.state != CardState.REQUESTED:
        raise NotInReview(operation_id=str(operation.id), state=str(operation.state))


def _let_go_on(operation: Operation, step: Callable[..., None]) -> None:
    now = timezone.now()
    step(until=now)
    operation.trying_since = now  # who decides on what was given up gives it as long again
    _save(operation)


def _save(operation: Operation) -> None:
    if not save_if_unchanged(operation=operation):
        raise _overtaken(operation)


def _overtaken(operation: Operation) -> NotInReview:
    """Return the refusal where a worker has just begun with it."""
    return NotInReview(operation_id=str(operation.id), state=str(OperationState.IN_FLIGHT))


def _look(operation: Operation, provider_card_id: str) -> ProviderCard:
    gate = Gate()
    holder = operation.card.holder_reference
    if not gate.fetches or gate.name != operation.provider:
        return ProviderCard(id=provider_card_id, status="", state=CardState.ORDERED)
    try:
        theirs = gate.fetch(provider_card_id, holder=holder)
    except NoAnswer:
        theirs = None
    if theirs is None or theirs.holder not in ("", holder):
        raise CardTaken(provider_card_id=provider_card_id)
    return theirs


def _is_taken(card: Card, provider_card_id: str) -> bool:
    taken = Card.objects.using(using()).filter(provider=card.provider, provider_card_id=provider_card_id)
    return not provider_card_id or taken.exists()

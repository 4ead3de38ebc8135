"""Lives of cards: what the provider shows is taken over, forward only, and told."""

import datetime as dt
from functools import partial
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django_fsm import can_proceed

from holdfast.events import Event
from holdfast.outbox import emit
from holdfast_cards import events
from holdfast_cards.conf import settings
from holdfast_cards.models import Card, CardTransition, Discrepancy, Operation
from holdfast_cards.ports import ProviderCard
from holdfast_cards.services.gate import Gate
from holdfast_cards.services.rows import change_operation, using
from holdfast_cards.states import (
    ENDING,
    FINAL,
    LIVE,
    MAKING,
    OPEN,
    CardState,
    DiscrepancyKind,
    DiscrepancyState,
    Source,
    Verb,
)

COLOR_MISMATCH = "color_mismatch"
UNRECOGNIZED_STATUS = "unrecognized_status"

_TARGETS = {
    Verb.ACTIVATE: CardState.ACTIVATED,
    Verb.FREEZE: CardState.FROZEN,
    Verb.UNFREEZE: CardState.ACTIVATED,
    Verb.CANCEL: CardState.CANCELLED,
    Verb.OPPOSE: CardState.OPPOSED,
}
_STEPS = {
    CardState.ORDERED: ("order",),
    CardState.SENT: ("send",),
    CardState.ACTIVATED: ("activate", "unfreeze"),
    CardState.FROZEN: ("freeze",),
    CardState.CANCELLED: ("cancel",),
    CardState.EXPIRED: ("expire",),
    CardState.OPPOSED: ("oppose",),
    # A card that worked did not fail to arrive: its provider has ended it.
    CardState.FAILED: ("fail", "cancel"),
}
_FACTS: dict[str, type[Event]] = {
    "send": events.CardSent,
    "activate": events.CardActivated,
    "freeze": events.CardFrozen,
    "unfreeze": events.CardUnfrozen,
    "cancel": events.CardCancelled,
    "expire": events.CardExpired,
    "oppose": events.CardOpposed,
    "fail": events.CardFailed,
}


def has_reached(*, verb: str, card: Card) -> bool:
    """Return whether a card is where a verb was to bring it; for one that ends it, any end will do."""
    target = _TARGETS[Verb(verb)]
    return card.state in FINAL if target in FINAL else card.state == target


def observe(
    *,
    card: Card,
    theirs: ProviderCard,
    source: Source,
    at: dt.datetime,
    operation: Operation | None = None,
    notice_id: UUID | None = None,
) -> None:
    """Take over what the provider shows of a locked card, and save it.

    States only go forward; one that is over stays over, whatever is shown. Emits the event of the step that it took.
    """
    _take_over_details(card, theirs)
    target = _target(card, theirs)
    if target is not None and target != card.state:
        if card.is_final:
            if target in LIVE:
                report(kind=DiscrepancyKind.RESURRECTION, provider_card_id=theirs.id, card=card, detail=theirs.status)
        elif name := _step_to(card, target):
            move(card=card, step=name, source=source, at=at, operation=operation, notice_id=notice_id)
    card.next_refresh_at = _next_refresh(card, at)
    save(card=card)


def save(*, card: Card) -> None:
    """Save a locked card; its version tells those who looked at the provider meanwhile to look again."""
    card.version += 1
    card.save(using=using())


def move(
    *,
    card: Card,
    step: str,
    source: Source,
    at: dt.datetime,
    operation: Operation | None = None,
    notice_id: UUID | None = None,
) -> None:
    """Let a locked card take a step, write it down and tell it; the caller saves the card."""
    before = card.state
    getattr(card, step)(at=at)
    CardTransition.objects.using(using()).create(
        card=card,
        source_state=before,
        target_state=card.state,
        source=source,
        operation=operation,
        notice_id=notice_id,
        at=at,
    )
    emit(_fact(card, step, source), using=using())
    if card.is_final:
        _close_changes(card, at, but=operation)
    if step == "activate" and card.replaces_id is not None:
        _cancel_replaced(card.replaces_id, at)


def report(
    *, kind: DiscrepancyKind, provider_card_id: str, card: Card | None, detail: str = "", provider: str = ""
) -> None:
    """Write down that the provider and we do not agree, once. Emits ``DiscrepancyFound``."""
    found = Discrepancy(
        kind=kind,
        provider=provider or (card.provider if card else ""),
        provider_card_id=provider_card_id,
        card=card,
        detail=detail[:200],
    )
    known = Discrepancy.objects.using(using()).filter(
        kind=kind, provider=found.provider, provider_card_id=provider_card_id, state=DiscrepancyState.OPEN
    )
    if known.exists():
        return
    try:
        with transaction.atomic(using=using()):
            found.save(using=using(), force_insert=True)
    except IntegrityError:  # somebody else has just written it down
        return
    told = events.DiscrepancyFound(
        discrepancy_id=str(found.id), kind=str(kind), card_id="" if card is None else str(card.id)
    )
    emit(told, using=using())


def _target(card: Card, theirs: ProviderCard) -> CardState | None:
    if theirs.state is None:
        # Made it is, whatever the word for it: without this the holder's request would stay open.
        return CardState.ORDERED if card.state == CardState.REQUESTED else None
    if theirs.inactive and card.state in (CardState.ACTIVATED, CardState.FROZEN):
        return CardState.FROZEN
    return theirs.state


def _step_to(card: Card, target: CardState) -> str | None:
    return next((name for name in _STEPS[target] if can_proceed(getattr(card, name))), None)


def _take_over_details(card: Card, theirs: ProviderCard) -> None:
    anomalies = set(theirs.anomalies)
    if theirs.state is None:
        anomalies.add(UNRECOGNIZED_STATUS)
    if theirs.color and theirs.color != card.color:
        anomalies.add(COLOR_MISMATCH)
    card.anomalies = sorted(anomalies)
    card.provider_status = _printable(theirs.status, 60)
    card.actual_color = _printable(theirs.color, 30) or card.actual_color
    card.last4 = theirs.last4 if _is_last4(theirs.last4) else card.last4
    card.expires_on = theirs.expires_on or card.expires_on
    card.carrier = _printable(theirs.carrier, 60) or card.carrier
    card.tracking_number = _printable(theirs.tracking_number, 100) or card.tracking_number


def _is_last4(text: str) -> bool:
    # Not a digit more, whatever an adapter hands over: a card number never gets here.
    return len(text) == 4 and text.isascii() and text.isdigit()


def _printable(text: str, length: int) -> str:
    return "".join(character for character in text if character.isprintable())[:length]


def _next_refresh(card: Card, at: dt.datetime) -> dt.datetime | None:
    if card.state not in LIVE:
        return None
    on_its_way = card.state in (CardState.ORDERED, CardState.SENT)
    return at + dt.timedelta(seconds=settings.REFRESH_SOON_SECONDS if on_its_way else settings.REFRESH_SECONDS)


def _fact(card: Card, step: str, source: Source) -> Event:
    fields: dict[str, Any] = {"card_id": str(card.id), "holder_id": str(card.holder_id), "source": str(source)}
    if step == "order":
        replaces = None if card.replaces_id is None else str(card.replaces_id)
        return events.CardOrdered(**fields, color=card.shown_color, kind=card.kind, replaces=replaces)
    return _FACTS[step](**fields)


def _close_changes(card: Card, at: dt.datetime, *, but: Operation | None) -> None:
    """End what was still to be done with a card that is over: it is done, or has lost its sense."""
    waiting = Operation.objects.using(using()).filter(card=card, state__in=sorted(OPEN)).exclude(verb__in=MAKING)
    for operation in waiting:
        if but is not None and operation.id == but.id:
            continue  # whoever brought the news ends his own
        operation.card = card
        end = Operation.succeed if has_reached(verb=operation.verb, card=card) else Operation.reject
        change_operation(operation=operation, change=partial(end, at=at))


def _cancel_replaced(card_id: UUID, at: dt.datetime) -> None:
    """Have a card ended, now that the one in its place works."""
    gate = Gate()
    mine = Card.objects.using(using()).filter(id=card_id, state__in=sorted(LIVE), provider=gate.name)
    replaced = mine.first()
    open_already = Operation.objects.using(using()).filter(
        card_id=card_id, verb__in=sorted(ENDING), state__in=sorted(OPEN)
    )
    if replaced is not None and Verb.CANCEL in gate.capabilities.verbs and not open_already.exists():
        queue(card=replaced, verb=Verb.CANCEL, reason="replaced", at=at)


def queue(*, card: Card, verb: Verb, at: dt.datetime, reason: str = "") -> Operation:
    """Write down a change that the provider is to make."""
    operation = Operation(
        card=card, verb=verb, reason=reason, provider=card.provider, next_attempt_at=at, trying_since=at
    )
    operation.key = operation.id
    operation.save(using=using(), force_insert=True)
    return operation

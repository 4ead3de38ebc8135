"""Operations, carried out: claim (committed), call outside any transaction, settle (committed).

Whoever dies between two of these steps leaves a row that says how far he may have come. ``decide`` says what follows
from it; everything here may be run again by anybody, at any time.
"""

import datetime as dt
import logging
import math
from dataclasses import replace
from uuid import UUID, uuid4

from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import F
from django.utils import timezone

from holdfast.outbox import emit
from holdfast_cards import events
from holdfast_cards.conf import settings
from holdfast_cards.models import Attempt, Card, Operation
from holdfast_cards.ports import Answer, CardChange, NoAnswer, ProviderCard
from holdfast_cards.services.gate import PROBE_SECONDS, Gate
from holdfast_cards.services.lives import COLOR_MISMATCH, has_reached, move, observe, report, save
from holdfast_cards.services.recovery import LookUp, Review, Send, Wait, after_another, decide, pause_seconds
from holdfast_cards.services.rows import change_operation, load_operation, lock_card, save_if_unchanged, using
from holdfast_cards.states import (
    ENDING,
    FINAL,
    MAKING,
    OPEN,
    CardState,
    DiscrepancyKind,
    OperationState,
    OpposeReason,
    Outcome,
    Source,
    Verb,
)

logger = logging.getLogger("holdfast_cards")

_NOTHING_DONE = (Outcome.NOT_SENT, Outcome.LIMITED, Outcome.MISCONFIGURED)


def advance(*, operation: Operation, queue_when_down: bool = True) -> Operation:
    """Take the next step of an operation and return it as it is then; its card is on it.

    Must not be called inside a transaction. With ``queue_when_down=False`` a first call that cannot be made ends the
    operation. Emits what the cards' steps tell, and ``ReviewNeeded``.
    """
    gate = Gate()
    now = timezone.now()
    if not operation.is_open or operation.provider != gate.name:
        return operation  # it has ended, or rests: it was begun with a former provider
    if _waits_for_another(operation):
        return _rest(operation, until=after_another(operation=operation, now=now), reason="waits")
    step = decide(operation=operation, capabilities=gate.capabilities, now=now)
    match step:
        case Send(generation):
            return _send(gate, operation, generation, queue_when_down=queue_when_down)
        case LookUp():
            return _look_up(gate, operation)
        case Wait(until):
            return _rest(operation, until=until)
        case Review(reason):
            return park(operation=operation, reason=reason)


def is_due(*, operation: Operation, now: dt.datetime) -> bool:
    """Return whether it is an operation's turn."""
    if operation.state == OperationState.IN_FLIGHT:
        return operation.lease_until is not None and operation.lease_until < now
    return operation.next_attempt_at is not None and operation.next_attempt_at <= now


def retry_after_seconds(*, operation: Operation, now: dt.datetime) -> int:
    """Return when it is worth asking what became of an operation."""
    at = operation.next_attempt_at or operation.lease_until
    if at is None:
        return int(settings.RETRY_MAX_SECONDS)  # a person is to look at it
    return max(1, math.ceil((at - now).total_seconds()))


def conclude(
    *,
    card: Card,
    operation: Operation,
    theirs: ProviderCard,
    source: Source,
    at: dt.datetime,
    notice_id: UUID | None = None,
) -> Operation:
    """Take over the card that an operation has made; the caller has locked ours.

    Whoever comes second finds it done. If he brings another card, that one is too many: it is written down before
    anything is done about it.
    """
    if card.provider_card_id is None and card.state == CardState.REQUESTED:
        card.provider_card_id = theirs.id
    elif card.provider_card_id != theirs.id:
        report(kind=DiscrepancyKind.EXTRA_CARD, provider_card_id=theirs.id, card=card, detail=theirs.status)
        return operation
    else:  # the card may have moved on since
        return _as_it_is(card, operation)
    observe(card=card, theirs=theirs, source=source, at=at, operation=operation, notice_id=notice_id)
    if operation.attempts > 1 or source != Source.ANSWER:
        _wake_changes(card, at)  # the holder may have wished for more while this was open
    if COLOR_MISMATCH in card.anomalies and operation.is_open:
        report(kind=DiscrepancyKind.COLOR, provider_card_id=theirs.id, card=card, detail=theirs.color)
        return change_operation(operation=operation, change=lambda one: one.park(reason=COLOR_MISMATCH))
    return change_operation(operation=operation, change=lambda one: one.succeed(at=at))


def give_up(*, card: Card, operation: Operation, source: Source, at: dt.datetime) -> Operation:
    """End an operation that certainly has no effect; a card that was to be made has failed. The card is locked."""
    operation.reject(at=at)
    if not save_if_unchanged(operation=operation):
        return load_operation(operation_id=operation.id)  # somebody else has taken it over
    if operation.makes_a_card and card.state == CardState.REQUESTED:
        move(card=card, step="fail", source=source, at=at, operation=operation)
        save(card=card)
    return operation


def park(*, operation: Operation, reason: str) -> Operation:
    """Leave an operation to the review queue. Emits ``ReviewNeeded``."""
    with transaction.atomic(using=using(), durable=True):
        operation.park(reason=reason)
        if not save_if_unchanged(operation=operation):
            return load_operation(operation_id=operation.id)
        told = events.ReviewNeeded(
            card_id=str(operation.card_id), operation_id=str(operation.id), verb=operation.verb, reason=reason
        )
        emit(told, using=using())
    return operation


def _send(gate: Gate, operation: Operation, generation: int, *, queue_when_down: bool) -> Operation:
    first = operation.sends == 0
    # The look comes first: behind an open circuit it is the probe, and lets the call pass that follows it.
    answer = _take_baseline(gate, operation) if first and operation.makes_a_card else None
    if answer is None and not gate.admits():
        answer = Answer(outcome=Outcome.NOT_SENT, reason="circuit_open")
    if answer is not None:
        # Nothing was sent, and no attempt is spent on it.
        if first and not queue_when_down:
            return _settle(operation, answer, call="none", started_at=timezone.now(), queue_when_down=False)
        seconds = PROBE_SECONDS if answer.reason == "circuit_open" else _pause(operation, answer)
        return _rest(operation, until=timezone.now() + dt.timedelta(seconds=seconds), reason=answer.reason)
    if not _claim(operation, generation=generation):
        return load_operation(operation_id=operation.id)

    started_at = timezone.now()
    if operation.makes_a_card:
        answer, call = gate.create(operation.payload or {}, key=str(operation.key)), "create"
    else:
        change = CardChange(verb=Verb(operation.verb), reason=_oppose_reason(operation))
        answer, call = gate.change(str(operation.card.provider_card_id), change, key=str(operation.key)), "change"
    return _settle(operation, answer, call=call, started_at=started_at, queue_when_down=queue_when_down)


def _take_baseline(gate: Gate, operation: Operation) -> Answer | None:
    """Note which cards the holder has already, where only a list will tell the new one; an answer if it cannot be.

    It is stored by the claim, in one statement with the mark that the order may have been sent: a baseline that
    somebody else took after his call would hide the very card that we look for.
    """
    capabilities = gate.capabilities
    if capabilities.find_by_reference or not capabilities.list_by_holder:
        return None
    try:
        operation.baseline = [card.id for card in gate.list(holder=operation.card.holder_reference)]
    except NoAnswer as error:
        return Answer(outcome=Outcome.NOT_SENT, reason=error.reason, retry_after_seconds=error.retry_after_seconds)
    return None


def _claim(operation: Operation, *, generation: int | None) -> bool:
    """Take an operation for the length of a lease; with a generation, also mark that a call may arrive from now on."""
    now = timezone.now()
    with transaction.atomic(using=using(), durable=True):
        operation.claim(token=uuid4(), until=now + dt.timedelta(seconds=settings.LEASE_SECONDS))
        if generation is not None:
            operation.mark_sent(at=now, generation=generation)
        return save_if_unchanged(operation=operation)


def _settle(
    operation: Operation, answer: Answer, *, call: str, started_at: dt.datetime, queue_when_down: bool = True
) -> Operation:
    """Write down what came of a call."""
    try:
        return _settle_in_transaction(operation, answer, call, started_at, queue_when_down=queue_when_down)
    except IntegrityError:
        # The provider gave us a card that another row has: no retry can make that right.
        logger.exception("The answer to operation %s contradicts what we have.", operation.id)
        return park(operation=load_operation(operation_id=operation.id), reason="card_taken")
    except (OperationalError, InterfaceError):
        # The claim stays, and its lease ends: then the worker finds out what the log says here.
        made = answer.card.id if answer.card is not None else None
        logger.critical(
            "The outcome of operation %s cannot be written down: %s, card %s.",
            operation.id,
            answer.outcome,
            made,
            exc_info=True,
        )
        return operation


def _settle_in_transaction(
    operation: Operation, answer: Answer, call: str, started_at: dt.datetime, *, queue_when_down: bool
) -> Operation:
    now = timezone.now()
    with transaction.atomic(using=using(), durable=True):
        card = lock_card(card_id=operation.card_id)
        is_news = card.version == operation.card.version
        operation.card = card
        _log(operation, answer, call, started_at, now)
        operation.last_outcome, operation.last_reason = answer.outcome, answer.reason[:60]
        if answer.outcome == Outcome.DONE and answer.card is not None:
            if operation.makes_a_card:
                return conclude(card=card, operation=operation, theirs=answer.card, source=Source.ANSWER, at=now)
            return _conclude_change(card, operation, answer.card, is_news=is_news, at=now)
        if _is_refused(operation, answer):
            return give_up(card=card, operation=operation, source=Source.ANSWER, at=now)
        if answer.outcome == Outcome.NOT_SENT and operation.sends <= 1 and not queue_when_down:
            # Certainly not ordered, and the holder is told so: his key is free for another try.
            card.request_key = None
            return give_up(card=card, operation=operation, source=Source.ANSWER, at=now)
        return _set_back(operation, answer, until=now + dt.timedelta(seconds=_pause(operation, answer)))


def _set_back(operation: Operation, answer: Answer, *, until: dt.datetime) -> Operation:
    if answer.outcome in _NOTHING_DONE and operation.sends <= 1:
        operation.unmark_sent()
        operation.put_back(until=until)
    else:
        # Of a repetition, "not sent" says nothing about the first call.
        operation.server_errors += answer.server_error
        operation.lose(until=until)
    # If the lease was lost, where the operation stands is for its new holder to say.
    return operation if save_if_unchanged(operation=operation) else load_operation(operation_id=operation.id)


def _is_refused(operation: Operation, answer: Answer) -> bool:
    """Whether a rejection is about everything that was sent, not only about the repetition."""
    if answer.outcome != Outcome.REJECTED:
        return False
    capabilities = Gate().capabilities
    if operation.makes_a_card:
        return operation.sends <= 1 or capabilities.idempotency_key
    # A card that was frozen by the lost call may refuse to be frozen again: look before believing it.
    return operation.sends <= 1 or not capabilities.get


def _look_up(gate: Gate, operation: Operation) -> Operation:
    if not _claim(operation, generation=None):
        return load_operation(operation_id=operation.id)
    started_at = timezone.now()
    try:
        found = _candidates(gate, operation) if operation.makes_a_card else _itself(gate, operation)
    except NoAnswer as error:
        answer = Answer(outcome=Outcome.UNKNOWN, reason=error.reason, retry_after_seconds=error.retry_after_seconds)
        return _settle(operation, answer, call="look_up", started_at=started_at)
    answer = Answer(outcome=Outcome.DONE, reason="found" if found else "absent")
    _log(operation, answer, "look_up", started_at, timezone.now())
    if operation.makes_a_card:
        return _believe_cards(gate, operation, found)
    return _believe_state(gate, operation, found)


def _itself(gate: Gate, operation: Operation) -> list[ProviderCard]:
    theirs = gate.fetch(str(operation.card.provider_card_id), holder=operation.card.holder_reference)
    return [] if theirs is None else [theirs]


def _candidates(gate: Gate, operation: Operation) -> list[ProviderCard]:
    """Return the cards at the provider that this operation may have made."""
    holder = operation.card.holder_reference
    if gate.capabilities.find_by_reference:
        return gate.find(reference=str(operation.id), holder=holder)
    before = set(operation.baseline or ())
    cards = [card for card in gate.list(holder=holder) if card.id not in before]
    ours = Card.objects.using(using()).filter(provider=gate.name, provider_card_id__in=[card.id for card in cards])
    taken = set(ours.exclude(id=operation.card_id).values_list("provider_card_id", flat=True))
    return [card for card in cards if card.id not in taken]


def _believe_cards(gate: Gate, operation: Operation, found: list[ProviderCard]) -> Operation:
    if not found:
        # Provably absent: the next call is a new one.
        return _send_again(gate, operation)
    by_reference = gate.capabilities.find_by_reference
    fits = all(card.color in ("", operation.card.color) for card in found)
    if not by_reference and (len(found) > 1 or not fits):
        return park(operation=operation, reason="ambiguous")
    # Several under one reference: one that lives is the card, the others are too many.
    found = sorted(found, key=lambda card: (card.state in FINAL, card.id))
    with transaction.atomic(using=using(), durable=True):
        card = lock_card(card_id=operation.card_id)
        operation.card = card
        at = timezone.now()
        for theirs in found:
            operation = conclude(card=card, operation=operation, theirs=theirs, source=Source.LOOKUP, at=at)
    return operation


def _believe_state(gate: Gate, operation: Operation, found: list[ProviderCard]) -> Operation:
    with transaction.atomic(using=using(), durable=True):
        card = lock_card(card_id=operation.card_id)
        is_news = card.version == operation.card.version
        operation.card = card
        at = timezone.now()
        if is_news:
            for theirs in found:
                observe(card=card, theirs=theirs, source=Source.LOOKUP, at=at, operation=operation)
            if not found:
                report(kind=DiscrepancyKind.MISSING, provider_card_id=str(card.provider_card_id), card=card)
        if has_reached(verb=operation.verb, card=card):
            return change_operation(operation=operation, change=lambda one: one.succeed(at=at))
        if not is_news:
            return _look_once_more(operation, at)
        if not found or card.is_final or operation.last_outcome == Outcome.REJECTED:
            return give_up(card=card, operation=operation, source=Source.LOOKUP, at=at)
    return _send_again(gate, operation)


def _send_again(gate: Gate, operation: Operation) -> Operation:
    return _send(gate, operation, operation.generation + 1, queue_when_down=True)


def _conclude_change(
    card: Card, operation: Operation, theirs: ProviderCard, *, is_news: bool, at: dt.datetime
) -> Operation:
    """Take over the card as an operation has changed it; the card is locked.

    It ``is_news`` unless somebody else has written the card since the call began. Then what the answer shows may be
    older, and is not believed.
    """
    if is_news:
        if operation.verb == Verb.OPPOSE and theirs.state == CardState.CANCELLED:
            # A provider that knows only one end: why it was ended, we know.
            theirs = replace(theirs, state=CardState.OPPOSED)
        observe(card=card, theirs=theirs, source=Source.ANSWER, at=at, operation=operation)
    if has_reached(verb=operation.verb, card=card):
        return change_operation(operation=operation, change=lambda one: one.succeed(at=at))
    if not is_news:
        return _look_once_more(operation, at)
    until = at + dt.timedelta(seconds=pause_seconds(attempts=operation.attempts))
    operation.last_reason = "not_in_effect"
    return change_operation(operation=operation, change=lambda one: one.lose(until=until))


def _look_once_more(operation: Operation, at: dt.datetime) -> Operation:
    """Leave it to the next look, unless somebody else is at it already, or has ended it."""
    operation.last_reason = "overtaken"
    operation.lose(until=at)
    return operation if save_if_unchanged(operation=operation) else _as_it_is(operation.card, operation)


def _as_it_is(card: Card, operation: Operation) -> Operation:
    """Return an operation as somebody else has left it, on the card that the caller has locked."""
    operation = load_operation(operation_id=operation.id)
    operation.card = card
    return operation


def _rest(operation: Operation, *, until: dt.datetime, reason: str = "") -> Operation:
    """Let an operation wait, as what it is: never sent, or of unknown outcome."""
    with transaction.atomic(using=using(), durable=True):
        operation.last_reason = reason[:60] or operation.last_reason
        if operation.sends:
            operation.lose(until=until)
        else:
            operation.baseline = None  # whatever was seen before the wait is too old
            operation.put_back(until=until)
        if save_if_unchanged(operation=operation):
            return operation
    return load_operation(operation_id=operation.id)


def _waits_for_another(operation: Operation) -> bool:
    """Whether a lost card must be opposed before its replacement is ordered, or another change comes first."""
    others = Operation.objects.using(using()).filter(state__in=sorted(OPEN))
    if operation.verb == Verb.REPLACE and operation.card.replaces_id is not None:
        return others.filter(card_id=operation.card.replaces_id, verb=Verb.OPPOSE).exists()
    if operation.makes_a_card:
        return False
    earlier = others.filter(card_id=operation.card_id, id__lt=operation.id).exclude(verb__in=sorted(MAKING))
    if operation.verb in ENDING:
        earlier = earlier.filter(verb__in=sorted(ENDING))
    # What waits for a person sends nothing by itself.
    return earlier.exclude(state=OperationState.NEEDS_REVIEW).exists()


def _wake_changes(card: Card, at: dt.datetime) -> None:
    """Let what waited for the card to be made go on at once."""
    waiting = Operation.objects.using(using()).filter(card=card, state=OperationState.PENDING)
    waiting.exclude(verb__in=sorted(MAKING)).update(next_attempt_at=at, version=F("version") + 1)


def _log(operation: Operation, answer: Answer, call: str, started_at: dt.datetime, now: dt.datetime) -> None:
    Attempt.objects.using(using()).create(
        operation=operation,
        number=operation.attempts,
        call=call,
        started_at=started_at,
        duration_ms=max(0, round((now - started_at).total_seconds() * 1000)),
        outcome=answer.outcome,
        reason=answer.reason[:60],
        http_status=answer.http_status,
        request_id="".join(filter(str.isprintable, answer.request_id))[:100],
    )


def _pause(operation: Operation, answer: Answer) -> float:
    return pause_seconds(attempts=operation.attempts, asked=answer.retry_after_seconds)


def _oppose_reason(operation: Operation) -> OpposeReason | None:
    return OpposeReason(operation.reason) if operation.verb == Verb.OPPOSE else None

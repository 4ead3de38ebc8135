"""Webhooks: verified, stored once, answered; then applied.

A webhook is a hint. What it is about is fetched anew where the provider lets us, and only what was fetched is believed.
So it does not matter whether it comes twice, late, early, or behind a newer one.
"""

import dataclasses
import datetime as dt
import logging
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date

from holdfast.conf import load_backend
from holdfast.outbox import emit
from holdfast_cards.conf import settings
from holdfast_cards.events import WebhookStored
from holdfast_cards.exceptions import InvalidSignature, ProviderNotFound
from holdfast_cards.models import Card, Notice, Operation
from holdfast_cards.ports import CardProvider, InvalidWebhook, NoAnswer, ProviderCard, WebhookNotice
from holdfast_cards.services.gate import Gate
from holdfast_cards.services.lives import observe, report, save
from holdfast_cards.services.operations import conclude
from holdfast_cards.services.recovery import pause_seconds
from holdfast_cards.services.rows import lock_card, using
from holdfast_cards.states import (
    FINAL,
    MAKING,
    OPEN,
    CardState,
    DiscrepancyKind,
    NoticeState,
    Source,
)

logger = logging.getLogger("holdfast_cards")

LEASE_SECONDS = 60
_LOOKS = 3

# Of two webhooks of the same moment, the later state counts.
_RANKS = [CardState.REQUESTED, CardState.ORDERED, CardState.SENT, CardState.ACTIVATED, CardState.FROZEN]


def receive_webhook(*, provider: str, headers: Mapping[str, str], body: bytes) -> Notice | None:
    """Verify a webhook on its raw bytes and store it; ``None`` if it is stored already.

    Raises ``ProviderNotFound``, ``InvalidSignature``; what is not verified leaves no trace but a line in the log.
    Emits ``WebhookStored``.
    """
    backend: CardProvider = load_backend(settings.PROVIDER)
    if provider != backend.name or not backend.capabilities.webhooks:
        raise ProviderNotFound
    try:
        told = backend.read_webhook(headers, body)
    except InvalidWebhook as error:
        logger.warning("A webhook for %s was refused: %s", provider, error)
        raise InvalidSignature from error
    return store_notice(provider=provider, told=told)


def store_notice(*, provider: str, told: WebhookNotice) -> Notice | None:
    """Store what the provider told, once for each of its event ids; ``None`` if it is stored already.

    Emits ``WebhookStored``.
    """
    notice = Notice(
        provider=provider,
        event_id=told.event_id[:255],
        type=told.type[:100],
        provider_card_id=told.card_id[:255],
        reference=told.reference[:100],
        occurred_at=told.occurred_at,
        card=None if told.card is None else _packed(told.card),
        next_at=timezone.now(),
    )
    try:
        with transaction.atomic(using=using()):
            notice.save(using=using(), force_insert=True)
            emit(WebhookStored(notice_id=str(notice.id)), using=using())
    except IntegrityError:
        return None
    return notice


def apply_notice(*, notice_id: UUID) -> None:
    """Apply a stored webhook; one that was applied changes nothing.

    Must not be called inside a transaction. Emits what the card's step tells.
    """
    notice = _claim(notice_id)
    if notice is None:
        return
    try:
        state, reason = _apply(notice)
    except NoAnswer as error:
        state, reason = NoticeState.DEFERRED, error.reason
    except Exception:
        # Written down as what it is, so that it is not tried for ever.
        logger.exception("Webhook %s cannot be applied.", notice.id)
        state, reason = NoticeState.DEFERRED, "error"
    if state == NoticeState.DEFERRED and _has_waited_enough(notice):
        state = NoticeState.FAILED
        if notice.provider_card_id:
            with transaction.atomic(using=using()):
                _report_unknown(notice)
    _finish(notice, state, reason)


def _claim(notice_id: UUID) -> Notice | None:
    """Take a webhook for a while; who dies meanwhile leaves it to the next."""
    now = timezone.now()
    waiting = Notice.objects.using(using()).filter(
        id=notice_id, state__in=[NoticeState.NEW, NoticeState.DEFERRED], next_at__lte=now
    )
    with transaction.atomic(using=using(), durable=True):
        notice = waiting.first()
        if notice is None:
            return None
        until = now + dt.timedelta(seconds=LEASE_SECONDS)
        if not waiting.filter(attempts=notice.attempts).update(next_at=until, attempts=notice.attempts + 1):
            return None
    notice.attempts += 1
    return notice


def _apply(notice: Notice) -> tuple[NoticeState, str]:
    gate = Gate()
    if not notice.provider_card_id and not notice.reference:
        return NoticeState.IGNORED, "about_no_card"
    known = Card.objects.using(using()).filter(provider=notice.provider, provider_card_id=notice.provider_card_id)
    card = known.first() if notice.provider_card_id else None
    if card is None:
        return _apply_to_unknown(gate, notice)
    if gate.fetches:
        return compare(gate=gate, card=card, source=Source.WEBHOOK, notice_id=notice.id)
    return _apply_as_told(notice, card.id)


def compare(*, gate: Gate, card: Card, source: Source, notice_id: UUID | None = None) -> tuple[NoticeState, str]:
    """Fetch a card and take over what is shown; look again if somebody else was faster. Raises ``NoAnswer``."""
    for _ in range(_LOOKS):
        theirs = gate.fetch(str(card.provider_card_id), holder=card.holder_reference)
        with transaction.atomic(using=using(), durable=True):
            locked = lock_card(card_id=card.id)
            if locked.version == card.version:
                if theirs is None:
                    report(kind=DiscrepancyKind.MISSING, provider_card_id=str(card.provider_card_id), card=locked)
                    locked.next_refresh_at = _later()
                    save(card=locked)
                    return NoticeState.DONE, "missing_at_provider"
                observe(card=locked, theirs=theirs, source=source, at=timezone.now(), notice_id=notice_id)
                return NoticeState.DONE, ""
        # What was fetched may be older than what was written meanwhile.
        card = locked
    return NoticeState.DEFERRED, "busy"


def _apply_as_told(notice: Notice, card_id: UUID) -> tuple[NoticeState, str]:
    """Believe the webhook, since there is no other way: in the order of the provider's own clock, and only forward."""
    if notice.card is None:
        return NoticeState.IGNORED, "tells_nothing"
    theirs = _unpacked(notice.card)
    with transaction.atomic(using=using(), durable=True):
        card = lock_card(card_id=card_id)
        if not _is_news(card, theirs, notice.occurred_at):
            return NoticeState.DONE, "old"
        card.told_at = notice.occurred_at or card.told_at
        observe(card=card, theirs=theirs, source=Source.WEBHOOK, at=timezone.now(), notice_id=notice.id)
    return NoticeState.DONE, ""


def _is_news(card: Card, theirs: ProviderCard, occurred_at: dt.datetime | None) -> bool:
    if card.told_at is None or occurred_at is None or occurred_at > card.told_at:
        return True
    return occurred_at == card.told_at and _rank(theirs.state) > _rank(card.state)


def _rank(state: str | None) -> int:
    if state in FINAL:
        return len(_RANKS)
    return _RANKS.index(CardState(state)) if state else -1


def _apply_to_unknown(gate: Gate, notice: Notice) -> tuple[NoticeState, str]:
    """Find the order that made the card, or wait: the webhook may be faster than the answer."""
    theirs = _theirs(gate, notice)
    if theirs is None:
        return NoticeState.DEFERRED, "unknown_card"
    operation = _by_reference(notice.reference or theirs.reference, gate.name)
    if operation is None:
        open_orders = _open_orders(gate.name)
        operation = _by_holder(open_orders, theirs, by_reference=gate.capabilities.find_by_reference)
        if operation is None and not open_orders.exists():
            # Nobody waits for a card: it was made outside, or is an orphan.
            with transaction.atomic(using=using()):
                _report_unknown(notice)
            return NoticeState.DONE, "unknown_card"
        if operation is None:
            return NoticeState.DEFERRED, "unknown_card"
    with transaction.atomic(using=using(), durable=True):
        card = lock_card(card_id=operation.card_id)
        operation = Operation.objects.using(using()).get(id=operation.id)
        operation.card = card
        if card.provider_card_id == theirs.id:
            return NoticeState.DEFERRED, "busy"  # the answer has just come: compare it with that card
        card.told_at = notice.occurred_at or card.told_at
        conclude(
            card=card,
            operation=operation,
            theirs=theirs,
            source=Source.WEBHOOK,
            at=timezone.now(),
            notice_id=notice.id,
        )
    return NoticeState.DONE, ""


def _theirs(gate: Gate, notice: Notice) -> ProviderCard | None:
    if gate.capabilities.get and notice.provider_card_id:
        return gate.fetch(notice.provider_card_id, holder="")
    return None if notice.card is None else _unpacked(notice.card)


def _by_reference(reference: str, provider: str) -> Operation | None:
    try:
        wanted = UUID(reference)
    except ValueError:
        return None
    return Operation.objects.using(using()).filter(id=wanted, provider=provider, verb__in=sorted(MAKING)).first()


def _open_orders(provider: str) -> QuerySet[Operation]:
    return Operation.objects.using(using()).filter(
        provider=provider, verb__in=sorted(MAKING), state__in=sorted(OPEN), card__state=CardState.REQUESTED
    )


def _by_holder(open_orders: QuerySet[Operation], theirs: ProviderCard, *, by_reference: bool) -> Operation | None:
    """Return the only open order of the holder, if it may have been sent, for a card of this color.

    Where the provider keeps our reference, a card without it is not of an order.
    """
    if by_reference or not theirs.holder:
        return None
    sent = open_orders.filter(card__holder_reference=theirs.holder, sends__gt=0).select_related("card")
    fitting = [one for one in sent if theirs.color in ("", one.card.color) and theirs.id not in (one.baseline or ())]
    return fitting[0] if len(fitting) == 1 else None


def _report_unknown(notice: Notice) -> None:
    report(
        kind=DiscrepancyKind.UNKNOWN_CARD,
        provider_card_id=notice.provider_card_id,
        card=None,
        detail=notice.type,
        provider=notice.provider,
    )


def _has_waited_enough(notice: Notice) -> bool:
    return timezone.now() - notice.received_at > dt.timedelta(seconds=settings.WEBHOOK_PATIENCE_SECONDS)


def _finish(notice: Notice, state: NoticeState, reason: str) -> None:
    waits = state == NoticeState.DEFERRED
    pause = max(1.0, min(pause_seconds(attempts=notice.attempts), 60.0))
    Notice.objects.using(using()).filter(id=notice.id, attempts=notice.attempts).update(
        state=state,
        reason=reason[:60],
        next_at=timezone.now() + dt.timedelta(seconds=pause) if waits else None,
    )


def _later() -> dt.datetime:
    return timezone.now() + dt.timedelta(seconds=settings.REFRESH_SECONDS)


def _packed(card: ProviderCard) -> dict[str, Any]:
    values = dataclasses.asdict(card)
    values["expires_on"] = None if card.expires_on is None else card.expires_on.isoformat()
    values["anomalies"] = list(card.anomalies)
    return values


def _unpacked(values: dict[str, Any]) -> ProviderCard:
    state = values["state"]
    return ProviderCard(
        **{
            **values,
            "state": None if state is None else CardState(state),
            "expires_on": parse_date(values["expires_on"]) if values["expires_on"] else None,
            "anomalies": tuple(values["anomalies"]),
        }
    )

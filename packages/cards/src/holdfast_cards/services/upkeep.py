"""Upkeep: what nobody told us of is found by looking."""

import datetime as dt
import logging

from django.db import transaction
from django.utils import timezone

from holdfast_cards.conf import settings
from holdfast_cards.models import Card, Discrepancy, Feed, Notice
from holdfast_cards.ports import CardChange, NoAnswer
from holdfast_cards.selectors import due_cards
from holdfast_cards.services.gate import Gate
from holdfast_cards.services.inbox import compare, store_notice
from holdfast_cards.services.lives import move, save
from holdfast_cards.services.recovery import pause_seconds
from holdfast_cards.services.rows import lock_card, using
from holdfast_cards.states import (
    LIVE,
    DiscrepancyKind,
    DiscrepancyState,
    NoticeState,
    Outcome,
    Source,
    Verb,
)

logger = logging.getLogger("holdfast_cards")

PAGES_AT_ONCE = 10
BATCH = 1_000


def refresh_cards(*, limit: int = 100) -> int:
    """Compare live cards with the provider's, the longest unseen first; return how many were compared.

    Must not be called inside a transaction. Emits what the cards' steps tell, and ``DiscrepancyFound`` for a card that
    the provider does not know.
    """
    gate = Gate()
    if not gate.fetches:
        return 0
    now = timezone.now()
    compared = 0
    for card in due_cards(now=now, provider=gate.name).using(using())[:limit]:
        later = now + dt.timedelta(seconds=settings.REFRESH_SOON_SECONDS)
        mine = Card.objects.using(using()).filter(id=card.id, next_refresh_at=card.next_refresh_at)
        # Taken by moving its time: several workers compare different cards, and one that dies delays one card.
        with transaction.atomic(using=using(), durable=True):
            taken = mine.update(next_refresh_at=later)
        if not taken:
            continue
        try:
            compare(gate=gate, card=card, source=Source.REFRESH)
        except NoAnswer:
            break  # whatever is wrong, it is wrong for the others, too
        compared += 1
    return compared


def expire_cards(*, limit: int = 100) -> int:
    """End the cards whose last day is over, and was over yesterday in every time zone; return how many.

    Emits ``CardExpired``.
    """
    now = timezone.now()
    yesterday = now.date() - dt.timedelta(days=1)
    over = Card.objects.using(using()).filter(state__in=sorted(LIVE), expires_on__lt=yesterday).order_by("expires_on")
    ended = 0
    for card_id in list(over.values_list("id", flat=True)[:limit]):
        with transaction.atomic(using=using()):
            card = lock_card(card_id=card_id)
            if card.state in LIVE and card.expires_on is not None and card.expires_on < yesterday:
                move(card=card, step="expire", source=Source.EXPIRY, at=now)
                save(card=card)
                ended += 1
    return ended


def read_feed() -> int:
    """Read the provider's log of events from where we stopped, for webhooks that were lost; return how many were new.

    Must not be called inside a transaction. Emits ``WebhookStored``.
    """
    gate = Gate()
    if not gate.capabilities.events:
        return 0
    now = timezone.now()
    with transaction.atomic(using=using(), durable=True):
        feed, _ = Feed.objects.using(using()).get_or_create(provider=gate.name, defaults={"next_at": now})
        mine = Feed.objects.using(using()).filter(provider=gate.name, next_at=feed.next_at)
        later = now + dt.timedelta(seconds=settings.FEED_SECONDS)
        if feed.next_at > now or not mine.update(next_at=later):
            return 0
    new = 0
    try:
        for _ in range(PAGES_AT_ONCE):
            page = gate.events(after=feed.cursor)
            new += sum(store_notice(provider=gate.name, told=told) is not None for told in page.notices)
            # Only when its notices are stored: a cursor that is ahead of them would lose them.
            feed.cursor = page.cursor
            Feed.objects.using(using()).filter(provider=gate.name).update(cursor=page.cursor)
            if not page.more:
                break
    except NoAnswer as error:
        logger.warning("The events of %s cannot be read: %s", gate.name, error.reason)
    return new


def cancel_extra_cards(*, limit: int = 10) -> int:
    """Cancel the cards that are too many at the provider; return how many were.

    They were written down before: who dies after the card was made and before it is cancelled leaves it to the next.
    Must not be called inside a transaction.
    """
    gate = Gate()
    if Verb.CANCEL not in gate.capabilities.verbs:
        return 0
    now = timezone.now()
    extra = Discrepancy.objects.using(using()).filter(
        kind=DiscrepancyKind.EXTRA_CARD, state=DiscrepancyState.OPEN, provider=gate.name
    )
    due = extra.filter(next_attempt_at=None) | extra.filter(next_attempt_at__lte=now)
    cancelled = 0
    for found in due.order_by("created_at")[:limit]:
        mine = extra.filter(id=found.id, attempts=found.attempts)
        pause = settings.LEASE_SECONDS + pause_seconds(attempts=found.attempts)
        with transaction.atomic(using=using(), durable=True):
            taken = mine.update(attempts=found.attempts + 1, next_attempt_at=now + dt.timedelta(seconds=pause))
        if not taken or not gate.admits():
            continue
        key = f"{found.id}-{found.attempts}"
        answer = gate.change(found.provider_card_id, CardChange(verb=Verb.CANCEL), key=key)
        if answer.outcome == Outcome.DONE:
            extra.filter(id=found.id).update(
                state=DiscrepancyState.RESOLVED, note="Cancelled at the provider.", resolved_at=timezone.now()
            )
            cancelled += 1
    return cancelled


def forget_webhooks(*, limit: int = 10_000) -> int:
    """Delete webhooks that were applied long ago; return how many. No sender repeats one after that time."""
    before = timezone.now() - dt.timedelta(days=settings.WEBHOOK_RETENTION_DAYS)
    applied = [NoticeState.DONE, NoticeState.IGNORED, NoticeState.FAILED]
    old = Notice.objects.using(using()).filter(received_at__lt=before, state__in=applied).order_by("received_at")
    deleted = 0
    while deleted < limit:
        ids = list(old.values_list("id", flat=True)[: min(BATCH, limit - deleted)])
        if not ids:
            break
        deleted += Notice.objects.using(using()).filter(id__in=ids).delete()[0]
    return deleted

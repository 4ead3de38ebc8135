"""The worker: whatever was left behind is taken up, by anybody, at any time."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone

from holdfast_cards.selectors import due_notices, due_operations
from holdfast_cards.services.gate import Gate
from holdfast_cards.services.inbox import apply_notice
from holdfast_cards.services.operations import advance, is_due
from holdfast_cards.services.rows import load_operation, using
from holdfast_cards.services.upkeep import cancel_extra_cards, expire_cards, forget_webhooks, read_feed, refresh_cards

logger = logging.getLogger("holdfast_cards")


@dataclass(frozen=True, kw_only=True)
class Work:
    """What one run of the worker has done."""

    operations: int
    webhooks: int
    refreshed: int
    expired: int
    events: int
    cancelled: int

    def __bool__(self) -> bool:
        return any(vars(self).values())


def work(*, limit: int = 100) -> Work:
    """Do what is due, at most ``limit`` of each kind, and say what was done.

    Operations first (leases that ran out, unknown outcomes, orders not sent yet), then stored webhooks, the provider's
    log of events, stale cards, cards past their date, cards that are too many. Several workers may run at once. Must
    not be called inside a transaction. Emits what the cards' steps tell.
    """
    provider = Gate().name
    now = timezone.now()
    operations = list(due_operations(now=now, provider=provider).using(using()).values_list("id", flat=True)[:limit])
    done = sum(_safely(_advance, operation_id) for operation_id in operations)
    events = read_feed()
    notices = list(
        due_notices(now=timezone.now(), provider=provider).using(using()).values_list("id", flat=True)[:limit]
    )
    applied = sum(_safely(lambda notice_id: apply_notice(notice_id=notice_id), notice_id) for notice_id in notices)
    forget_webhooks(limit=limit)
    return Work(
        operations=done,
        webhooks=applied,
        events=events,
        refreshed=refresh_cards(limit=limit),
        expired=expire_cards(limit=limit),
        cancelled=cancel_extra_cards(limit=limit),
    )


def _advance(operation_id: UUID) -> None:
    operation = load_operation(operation_id=operation_id)
    if is_due(operation=operation, now=timezone.now()):
        advance(operation=operation)


def _safely(do: Callable[[UUID], None], row_id: UUID) -> bool:
    """Do it; what breaks on one row does not keep the worker from the next, and is tried again later."""
    try:
        do(row_id)
    except Exception:
        logger.exception("The worker could not deal with %s.", row_id)
        return False
    return True

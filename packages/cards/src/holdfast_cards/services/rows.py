"""Rows: where they are written, how a card is locked, how an operation is saved without a lock."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import router

from holdfast_cards.exceptions import CardNotFound
from holdfast_cards.models import Card, Operation

_TRIES = 5


def using() -> str:
    """Return the alias of the database that cards are written to."""
    return router.db_for_write(Card)


def lock_card(*, card_id: UUID, **scope: Any) -> Card:
    """Return a card within a scope (``holder_id=...``), locked until the transaction ends. Raises ``CardNotFound``."""
    card = Card.objects.using(using()).select_for_update(no_key=True).filter(id=card_id, **scope).first()
    if card is None:
        raise CardNotFound(card_id=str(card_id))
    return card


def load_operation(*, operation_id: UUID) -> Operation:
    """Return an operation with its card, as they are now where they are written."""
    return Operation.objects.using(using()).select_related("card").get(id=operation_id)


def save_if_unchanged(*, operation: Operation) -> bool:
    """Save an operation if nobody else has saved it since it was read; return whether that was so.

    One conditional UPDATE: it needs no lock, works on both databases, and of several who claim an operation lets one.
    """
    read, operation.version = operation.version, operation.version + 1
    values = {
        field.attname: getattr(operation, field.attname)
        for field in Operation._meta.concrete_fields
        if field.name not in ("id", "card", "verb", "reason", "provider", "payload", "created_at")
    }
    return bool(Operation.objects.using(using()).filter(id=operation.id, version=read).update(**values))


def change_operation(*, operation: Operation, change: Callable[[Operation], None]) -> Operation:
    """Change an operation as it is now, however often somebody else is faster; an ended one stays as it ended.

    The instance in hand is tried first, which is nearly always right and costs no look.
    """
    for _ in range(_TRIES):
        if not operation.is_open:
            return operation
        change(operation)
        if save_if_unchanged(operation=operation):
            return operation
        card, operation = operation.card, load_operation(operation_id=operation.id)
        operation.card = card  # the one that the caller has locked
    raise RuntimeError(f"Operation {operation.id} is changed by somebody else all the time.")

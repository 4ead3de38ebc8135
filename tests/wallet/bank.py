"""What the tests of the ledger share: money in a word, the invariants, refused SQL."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from holdfast.money import Money
from holdfast_wallet import services
from holdfast_wallet.models import Account, Hold, HoldEvent, Payment, Seal, Transfer

LEDGER = (Account, Transfer, Hold, HoldEvent, Payment, Seal)


def eur(amount: object) -> Money:
    """Euros."""
    return Money(str(amount), "EUR")


def key() -> uuid.UUID:
    """A new key."""
    return uuid.uuid4()


def fresh(row: Any) -> Any:
    """The row as the database has it now."""
    return type(row)._base_manager.get(pk=row.pk)


def findings() -> list[services.Finding]:
    """What the audit finds."""
    return [step for step in services.verify() if isinstance(step, services.Finding)]


def everything() -> list[list[dict[str, Any]]]:
    """All rows of the ledger, to compare."""
    return [list(model._base_manager.order_by("pk").values()) for model in LEDGER]


def assert_refused(refused: type[Exception], verb: Callable[..., Any], /, **arguments: Any) -> Any:
    """The verb raises this refusal, and nothing has changed."""
    before = everything()
    with pytest.raises(refused) as refusal:
        verb(**arguments)
    assert everything() == before
    return refusal.value


def assert_against_the_law(statement: Callable[[], Any]) -> None:
    """The database refuses the statement, and nothing has changed."""
    before = everything()
    with pytest.raises(DatabaseError), transaction.atomic():
        statement()
    assert everything() == before

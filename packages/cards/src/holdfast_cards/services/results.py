"""What a verb answers: how far it has come by now, or why it will not."""

import time
from dataclasses import dataclass

from django.utils import timezone

from holdfast_cards.conf import settings
from holdfast_cards.exceptions import (
    ProviderMisconfigured,
    ProviderRejected,
    ProviderUnavailable,
    TransitionNotAllowed,
)
from holdfast_cards.models import Card, Operation
from holdfast_cards.services.gate import Gate
from holdfast_cards.services.operations import advance, retry_after_seconds
from holdfast_cards.services.recovery import Send, decide
from holdfast_cards.states import CardState, OperationState, Outcome

_BREATH_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True)
class Result:
    """A card and the operation on it; ``operation`` is ``None`` where there was nothing to do."""

    card: Card
    operation: Operation | None = None
    replayed: bool = False
    """Whether the key's first request had done it already."""

    @property
    def is_open(self) -> bool:
        """Whether the outcome is still to come: ask again, order nothing new."""
        if self.operation is None:
            return False
        if self.operation.makes_a_card:
            return bool(self.card.state == CardState.REQUESTED)
        return self.operation.is_open

    @property
    def retry_after_seconds(self) -> int | None:
        """When it is worth asking again; ``None`` where nothing is open."""
        if not self.is_open or self.operation is None:
            return None
        return retry_after_seconds(operation=self.operation, now=timezone.now())


def carry_out(*, operation: Operation, queue_when_down: bool = True) -> Operation:
    """Take the step of an operation, and one more if the first failed at once and the next may follow at once."""
    started = time.monotonic()
    operation = advance(operation=operation, queue_when_down=queue_when_down)
    wait = _second_try_in(operation)
    if wait is None or time.monotonic() - started + wait > settings.SECOND_TRY_SECONDS:
        return operation
    time.sleep(wait)
    return advance(operation=operation, queue_when_down=queue_when_down)


def answer(*, operation: Operation, replayed: bool = False) -> Result:
    """Return the result of an operation as it stands.

    Raises ``ProviderRejected``, ``ProviderMisconfigured``, ``ProviderUnavailable``, ``TransitionNotAllowed``.
    """
    card = operation.card
    if operation.state == OperationState.REJECTED:
        if card.is_final and not operation.makes_a_card:  # it was ended meanwhile
            raise TransitionNotAllowed(card_id=str(card.id), state=str(card.state), verb=operation.verb)
        if operation.last_outcome == Outcome.NOT_SENT:
            raise ProviderUnavailable(card_id=str(card.id), retryable=True)
        raise ProviderRejected(card_id=str(card.id), retryable=False)
    if operation.state == OperationState.PENDING and operation.last_outcome == Outcome.MISCONFIGURED:
        raise ProviderMisconfigured(card_id=str(card.id), retryable=True)
    return Result(card=card, operation=operation, replayed=replayed)


def _second_try_in(operation: Operation) -> float | None:
    """Return after how many seconds a second try makes sense while the holder waits; ``None``: not at all."""
    now = timezone.now()
    if operation.attempts != 1:
        return None  # the breaker held it back, or somebody else tries
    if operation.state == OperationState.PENDING and operation.last_outcome == Outcome.NOT_SENT:
        return _BREATH_SECONDS
    if operation.state == OperationState.PENDING and operation.last_outcome == Outcome.LIMITED:
        return max(0.0, (operation.next_attempt_at - now).total_seconds()) if operation.next_attempt_at else None
    if operation.state == OperationState.UNKNOWN and operation.makes_a_card:
        step = decide(operation=operation, capabilities=Gate().capabilities, now=now)
        return _BREATH_SECONDS if isinstance(step, Send) else None
    return None

"""The log of attempts, as far as ``ATTEMPT_LOG`` asks for it."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper

from holdfast.outbox.conf import settings
from holdfast.outbox.models import OutboxAttempt
from holdfast.outbox.queue import Delivery

DETAIL_LENGTH = 2000


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What became of one attempt. ``error`` is empty for a success; ``final`` asks to give up at once."""

    delivery: Delivery
    number: int
    at: dt.datetime
    duration_ms: int
    status: int | None = None
    error: str = ""
    after_seconds: float | None = None
    final: bool = False

    @property
    def succeeded(self) -> bool:
        """Whether the subscriber took the event."""
        return not self.error


def log(connection: BaseDatabaseWrapper, subscriber_id: int, attempts: Sequence[Attempt]) -> None:
    """Write attempts to the log."""
    policy = settings.ATTEMPT_LOG
    if policy == "none":
        return
    OutboxAttempt.objects.using(connection.alias).bulk_create(
        [
            OutboxAttempt(
                event_id=attempt.delivery.event_id,
                subscriber_id=subscriber_id,
                number=attempt.number,
                at=attempt.at,
                duration_ms=attempt.duration_ms,
                succeeded=attempt.succeeded,
                status=attempt.status,
                detail=attempt.error[:DETAIL_LENGTH],
            )
            for attempt in attempts
            if policy == "all" or not attempt.succeeded
        ]
    )

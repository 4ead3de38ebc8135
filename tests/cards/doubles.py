"""Stand-ins at the ports: a provider in memory that watches when it is called, and a clock to turn."""

import datetime as dt
import json
import time
from collections.abc import Callable
from typing import Any

from django.db import connection

from holdfast.outbox.webhooks.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, key_of, sign
from holdfast_cards import services
from holdfast_cards.backends.dummy import DummyProvider
from holdfast_cards.models import Notice, Operation
from holdfast_cards.ports import ProviderCard
from holdfast_cards.states import OPEN, NoticeState, OperationState

SECRET = "whsec_" + "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"

KEY = {"idempotency_key": True}
KEY_AND_REFERENCE = {"idempotency_key": True, "find_by_reference": True, "get": True}
REFERENCE = {"idempotency_key": False, "find_by_reference": True, "get": True}
LIST = {"idempotency_key": False, "list_by_holder": True}
NONE = {"idempotency_key": False}
CLASSES = {"key": KEY, "key and reference": KEY_AND_REFERENCE, "reference": REFERENCE, "list": LIST, "none": NONE}


class CalledInTransaction(BaseException):
    """Not an ``Exception``: what an adapter raises is taken for a lost answer, and this must not be."""


def assert_no_transaction() -> None:
    """Fail the test if a transaction is open in this thread."""
    if connection.in_atomic_block:
        raise CalledInTransaction


class WatchfulProvider(DummyProvider):
    """Refuses to be called inside a transaction; lets something happen while a call is under way."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"webhook_secrets": [SECRET], **options})
        self.meanwhile: Callable[[], object] | None = None

    def create(self, payload: dict[str, Any], *, key: str) -> Any:
        assert_no_transaction()
        answer = super().create(payload, key=key)
        self._let_happen()
        return answer

    def change(self, card_id: str, change: Any, *, key: str) -> Any:
        assert_no_transaction()
        answer = super().change(card_id, change, key=key)
        self._let_happen()
        return answer

    def _read(self, call: str, about: str) -> None:
        assert_no_transaction()
        super()._read(call, about)

    def _let_happen(self) -> None:
        happening, self.meanwhile = self.meanwhile, None
        if happening is not None:
            happening()

    @property
    def posts(self) -> int:
        """How often it was asked for a card."""
        return sum(call == "create" for call, _about in self.calls)


class Clock:
    """Our clock; the provider's is none of its business."""

    def __init__(self) -> None:
        self.moment = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.moment

    def turn(self, **ahead: float) -> None:
        """Turn it on: ``clock.turn(hours=1)``."""
        self.moment += dt.timedelta(**ahead)


def until_quiet(clock: Clock, *, rounds: int = 300, patience_seconds: float = 0) -> None:
    """Let the worker repair what it can, turning the clock to whatever is due next.

    With patience, what is under way at a real provider has so much real time before our clock is turned far.
    """
    for _ in range(rounds):
        services.work()
        due = next_due()
        if due is None:
            return
        if due - clock.moment > dt.timedelta(seconds=20):
            time.sleep(patience_seconds)
        clock.moment = max(clock.moment + dt.timedelta(seconds=1), due + dt.timedelta(seconds=1))
    raise AssertionError(f"Still something to do: {list(Operation.objects.filter(state__in=OPEN))}")


def next_due() -> dt.datetime | None:
    """When the worker has something to do of itself; cards to refresh are no end in themselves."""
    waiting = Operation.objects.filter(state__in=OPEN).exclude(state=OperationState.NEEDS_REVIEW)
    times = [one.next_attempt_at or one.lease_until for one in waiting]
    times += Notice.objects.filter(state__in=[NoticeState.NEW, NoticeState.DEFERRED]).values_list("next_at", flat=True)
    return min(filter(None, times), default=None)


def webhook(
    card: ProviderCard, *, event_id: str = "event-1", occurred_at: dt.datetime | None = None, secret: str = SECRET
) -> tuple[dict[str, str], bytes]:
    """Return a webhook of the dummy's, signed now by the real clock as its sender would."""
    told: dict[str, Any] = {"id": card.id, "status": card.status, "color": card.color, "holder": card.holder}
    if card.reference:
        told["reference"] = card.reference
    body = json.dumps({"card": told, "occurred_at": occurred_at and occurred_at.isoformat()}).encode()
    timestamp = int(time.time())
    headers = {
        "webhook-id": event_id,
        TIMESTAMP_HEADER: str(timestamp),
        SIGNATURE_HEADER: sign([key_of(secret)], event_id, timestamp, body),
    }
    return headers, body


def tell(card: ProviderCard, **options: Any) -> Notice | None:
    """Let the provider send a webhook of a card."""
    headers, body = webhook(card, **options)
    return services.receive_webhook(provider="dummy", headers=headers, body=body)

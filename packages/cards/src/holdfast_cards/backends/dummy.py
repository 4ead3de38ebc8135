"""A provider in memory: for development, and for the tests of hosts, whose failures it can play.

It answers at once and makes no cards. Nothing needs to be remembered for the ordinary case, so that several processes
may each have one: the card's id follows from the key.
"""

import dataclasses
import datetime as dt
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime

from holdfast.outbox.webhooks import verifier
from holdfast_cards.ports import (
    Answer,
    Capabilities,
    CardChange,
    CardOrder,
    EventPage,
    InvalidWebhook,
    NoAnswer,
    Payload,
    ProviderCard,
    WebhookNotice,
)
from holdfast_cards.states import LIVE, CardKind, CardState, Outcome, Verb

FAULTS = ("lost", "cut", "down", "rejected", "limited", "misconfigured", "error", "error_after", "in_use")

_AFTER = {
    Verb.ACTIVATE: CardState.ACTIVATED,
    Verb.FREEZE: CardState.FROZEN,
    Verb.UNFREEZE: CardState.ACTIVATED,
    Verb.CANCEL: CardState.CANCELLED,
    Verb.OPPOSE: CardState.OPPOSED,
}


class DummyProvider:
    """Makes cards out of nothing.

    Each fault in ``faults`` is played by one call that would change something: ``lost`` does it and loses the answer,
    ``cut`` loses the call, ``down`` cannot be reached, ``error`` and ``error_after`` answer 500 before and after doing
    it (and save that answer for the key, as Stripe does), ``limited`` is 429, ``in_use`` is 409, ``rejected`` is 400,
    ``misconfigured`` is 401. With ``unreadable`` set, reads fail.
    """

    name = "dummy"

    def __init__(
        self,
        *,
        colors: Iterable[str] = ("pink", "black"),
        verbs: Iterable[str] = tuple(Verb.values),
        webhook_secrets: Iterable[str] = (),
        idempotency_key: bool = True,
        key_retention_seconds: int = 86_400,
        find_by_reference: bool = False,
        list_by_holder: bool = False,
        get: bool = False,
        events: bool = False,
    ) -> None:
        self._secrets = list(webhook_secrets)
        self.capabilities = Capabilities(
            colors=tuple(colors),
            kinds=(CardKind.PHYSICAL, CardKind.VIRTUAL),
            verbs=frozenset(map(Verb, verbs)),
            idempotency_key=idempotency_key,
            key_retention_seconds=key_retention_seconds,
            find_by_reference=find_by_reference,
            list_by_holder=list_by_holder,
            get=get,
            webhooks=bool(self._secrets),
            events=events,
        )
        self.faults: deque[str] = deque()
        self.unreadable = False
        self.cards: dict[str, ProviderCard] = {}
        self.log: list[WebhookNotice] = []
        self.calls: list[tuple[str, str]] = []
        """What was called, with the key or the id: for the assertions of tests."""
        self._keys: dict[str, Answer | str] = {}
        self._lock = threading.Lock()

    def compose(self, order: CardOrder) -> Payload:
        """Return the order as it is sent. Raises ``ValueError`` for a color that there is not."""
        if order.color not in self.capabilities.colors:
            raise ValueError(f"There are no {order.color} cards.")
        return {
            "reference": order.reference,
            "holder": order.holder.external_id,
            "color": order.color,
            "kind": str(order.kind),
            "replaces": order.replaces,
        }

    def create(self, payload: Payload, *, key: str) -> Answer:
        """Make the card, or play the next fault."""
        with self._lock:
            self.calls.append(("create", key))
            fault = self._fault()
            saved = self._keys.get(key) if self.capabilities.idempotency_key else None
            # What it once began it does not reject: a key that it knows is answered before the order is looked at.
            if (answer := _before(fault)) is not None and not (saved and fault == "rejected"):
                return answer
            if isinstance(saved, Answer):
                return saved
            if fault == "error":
                return self._saved(key, _ERROR)
            card = self.cards[saved] if saved else self._make(payload, key)
            self._keys[key] = card.id
            if fault == "error_after":
                return self._saved(key, _ERROR)
            return _LOST if fault == "lost" else Answer(outcome=Outcome.DONE, card=card, http_status=201)

    def change(self, card_id: str, change: CardChange, *, key: str) -> Answer:
        """Change the card, or play the next fault."""
        with self._lock:
            self.calls.append((change.verb, key))
            fault = self._fault()
            if (answer := _before(fault)) is not None:
                return answer
            if fault == "error":
                return _ERROR
            known = self.cards.get(card_id) or ProviderCard(id=card_id, status="", state=CardState.ORDERED)
            if known.state not in LIVE and known.state != _AFTER[change.verb]:
                return Answer(outcome=Outcome.REJECTED, reason="http_400", http_status=400)
            card = self.put(known, state=_AFTER[change.verb])
            if fault == "error_after":
                return _ERROR
            return _LOST if fault == "lost" else Answer(outcome=Outcome.DONE, card=card, http_status=200)

    def get(self, card_id: str) -> ProviderCard | None:
        """Return the card."""
        self._read("get", card_id)
        return self.cards.get(card_id)

    def find_by_reference(self, *, reference: str, holder: str) -> list[ProviderCard]:
        """Return the cards of the reference."""
        self._read("find", reference)
        return [card for card in self.cards.values() if card.reference == reference]

    def list_by_holder(self, *, holder: str) -> list[ProviderCard]:
        """Return the holder's cards, which do not tell what order they are of."""
        self._read("list", holder)
        return [dataclasses.replace(card, reference="") for card in self.cards.values() if card.holder == holder]

    def events(self, *, after: str) -> EventPage:
        """Return what was logged since."""
        self._read("events", after)
        start = int(after) if after else len(self.log)
        return EventPage(notices=tuple(self.log[start : start + 50]), cursor=str(min(start + 50, len(self.log))))

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> WebhookNotice:
        """Return a webhook that was signed as Standard Webhooks has it. Raises ``InvalidWebhook``."""
        try:
            webhook = verifier.verify(headers, body, secrets=self._secrets)
            return _notice(webhook.id, webhook.payload)
        except (verifier.InvalidWebhook, ValueError, TypeError, KeyError, AttributeError) as error:
            raise InvalidWebhook(str(error)) from error

    def put(self, card: ProviderCard, **changes: Any) -> ProviderCard:
        """Let something happen to a card at the provider: ``provider.put(card, state=CardState.SENT)``."""
        if "state" in changes and "status" not in changes:
            changes["status"] = changes["state"].upper()
        card = dataclasses.replace(card, **changes)
        self.cards[card.id] = card
        self.log.append(
            WebhookNotice(
                event_id=f"event-{len(self.log)}", type="card.changed", card_id=card.id, reference=card.reference
            )
        )
        return card

    def _make(self, payload: Payload, key: str) -> ProviderCard:
        # Without keys every call makes another card: that is what there is to test.
        number = key if self.capabilities.idempotency_key else f"{key}-{len(self.cards)}"
        card = ProviderCard(
            id=f"dummy-{number}",
            status="ORDERED",
            state=CardState.ORDERED,
            color=str(payload["color"]),
            holder=str(payload["holder"]),
            reference=str(payload["reference"]),
            last4="4242",
        )
        return self.put(card)

    def _saved(self, key: str, answer: Answer) -> Answer:
        if self.capabilities.idempotency_key:
            self._keys[key] = answer
        return answer

    def _fault(self) -> str:
        return self.faults.popleft() if self.faults else ""

    def _read(self, call: str, about: str) -> None:
        self.calls.append((call, about))
        if self.unreadable:
            raise NoAnswer("read_timeout")


_LOST = Answer(outcome=Outcome.UNKNOWN, reason="read_timeout")
_ERROR = Answer(outcome=Outcome.UNKNOWN, reason="http_500", http_status=500, server_error=True)
_REFUSALS = {
    "cut": Answer(outcome=Outcome.UNKNOWN, reason="cut"),
    "down": Answer(outcome=Outcome.NOT_SENT, reason="connect_refused"),
    "rejected": Answer(outcome=Outcome.REJECTED, reason="http_400", http_status=400),
    "limited": Answer(outcome=Outcome.LIMITED, reason="http_429", http_status=429, retry_after_seconds=7.0),
    "misconfigured": Answer(outcome=Outcome.MISCONFIGURED, reason="http_401", http_status=401),
    "in_use": Answer(outcome=Outcome.UNKNOWN, reason="http_409", http_status=409, retry_after_seconds=2.0),
}


def _before(fault: str) -> Answer | None:
    """Return what a fault answers before anything is done."""
    if fault and fault not in FAULTS:
        raise ValueError(f"{fault!r} is none of {', '.join(FAULTS)}.")
    return _REFUSALS.get(fault)


def _notice(event_id: str, payload: Mapping[str, Any]) -> WebhookNotice:
    told = payload["card"]
    state = CardState(told["status"].lower()) if told["status"].lower() in CardState.values else None
    expires_on = told.get("expires_on")
    card = ProviderCard(
        id=_text(told["id"]),
        status=_text(told["status"]),
        state=state,
        color=_text(told.get("color", "")),
        holder=_text(told.get("holder", "")),
        reference=_text(told.get("reference", "")),
        expires_on=parse_date(expires_on) if expires_on else None,
    )
    occurred_at: dt.datetime | None = parse_datetime(payload["occurred_at"]) if payload.get("occurred_at") else None
    if occurred_at is not None and occurred_at.tzinfo is None:
        raise ValueError("The time has no zone.")
    return WebhookNotice(
        event_id=event_id,
        type=_text(payload.get("type", "card.changed")),
        card_id=card.id,
        reference=card.reference,
        occurred_at=occurred_at,
        card=card,
    )


def _text(value: object) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError("A field is not text.")
    return value

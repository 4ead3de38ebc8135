"""Lithic over its REST API: the operation's id in a card's ``memo``, by which it can be found again.

The holder's external id is the token of a Lithic account; colors are product ids. Answers hold a card's number and
code for customers that may see them: they are read by allow-list, and these two are not on it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from holdfast_cards.backends import reading
from holdfast_cards.backends.countries import ALPHA_3
from holdfast_cards.backends.cursors import Feed
from holdfast_cards.backends.http import Document, HttpProvider
from holdfast_cards.backends.signatures import standard_secrets, verify_standard
from holdfast_cards.ports import (
    Answer,
    Capabilities,
    CardChange,
    CardOrder,
    EventPage,
    Payload,
    ProviderCard,
    WebhookNotice,
)
from holdfast_cards.states import CardKind, CardState, OpposeReason, ReplaceReason, Verb

CARDS, EVENTS = "/v1/cards", "/v1/events"
EVENT_TYPES = ("card.created", "card.updated", "card.shipped", "card.converted", "card.reissued", "card.renewed")
REFERENCE = "cards_operation"
PAGE_SIZE = "50"
# What a card has room for: first and last name together.
NAMES_LENGTH = 25

STATES = {
    "PENDING_FULFILLMENT": CardState.ORDERED,
    "PENDING_ACTIVATION": CardState.SENT,
    "OPEN": CardState.ACTIVATED,
    "PAUSED": CardState.FROZEN,
    "CLOSED": CardState.CANCELLED,
}
CLOSED = {
    "LOST": CardState.OPPOSED,
    "COMPROMISED": CardState.OPPOSED,
    "SUSPICIOUS_ACTIVITY": CardState.OPPOSED,
    "EXPIRED": CardState.EXPIRED,
    "UNDELIVERABLE": CardState.FAILED,
}
CHANGES = {
    Verb.ACTIVATE: {"state": "OPEN"},
    Verb.UNFREEZE: {"state": "OPEN"},
    Verb.FREEZE: {"state": "PAUSED"},
    Verb.CANCEL: {"state": "CLOSED", "substatus": "END_USER_REQUEST"},
}
OPPOSED = {OpposeReason.LOST: "LOST", OpposeReason.STOLEN: "COMPROMISED"}
REPLACED = {
    ReplaceReason.DAMAGED: "DAMAGED",
    ReplaceReason.EXPIRED: "EXPIRED",
    ReplaceReason.LOST: "LOST",
    ReplaceReason.STOLEN: "COMPROMISED",
}


class LithicProvider(HttpProvider):
    """Orders cards from Lithic."""

    name = "lithic"

    def __init__(
        self,
        *,
        api_key: str,
        products: Mapping[str, str],
        digital_art: Mapping[str, str] | None = None,
        webhook_secrets: Sequence[str] = (),
        shipping_method: str = "STANDARD",
        base_url: str = "https://api.lithic.com",
        limits: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(base_url=base_url, headers={"Authorization": api_key}, limits=limits)
        self._products = dict(products)
        self._art = dict(digital_art or {})
        self._colors = {design: color for designs in (self._art, self._products) for color, design in designs.items()}
        self._shipping_method = shipping_method
        self._secrets = standard_secrets(webhook_secrets)
        self._feed = Feed(
            self,
            EVENTS,
            params=[("event_types", ",".join(EVENT_TYPES)), ("with_content", "true")],
            id_field="token",
            size_parameter="page_size",
        )
        self.capabilities = Capabilities(
            colors=tuple(self._products),
            kinds=(CardKind.PHYSICAL, CardKind.VIRTUAL),
            verbs=frozenset(Verb),
            idempotency_key=True,
            find_by_reference=True,
            list_by_holder=True,
            get=True,
            webhooks=bool(self._secrets),
            events=True,
        )

    # --- Requests

    def compose(self, order: CardOrder) -> Payload:
        """Return the document. Raises ``ValueError`` where the color, or a physical card's address, is missing."""
        if order.color not in self._products:
            raise ValueError(f"There is no product id for {order.color}.")
        payload: Payload = {
            "type": order.kind.upper(),
            "account_token": order.holder.external_id,
            "memo": order.reference,
            "tags": {REFERENCE: order.reference},
        }
        if order.kind == CardKind.PHYSICAL:
            payload["product_id"] = self._products[order.color]
            payload["shipping_address"] = _shipping_address(order)
            payload["shipping_method"] = self._shipping_method
        elif order.color in self._art:
            payload["digital_card_art_token"] = self._art[order.color]
        if order.replaces:
            payload["replacement_for"] = order.replaces
            if order.replace_reason is not None:
                payload["replacement_substatus"] = REPLACED[order.replace_reason]
        return payload

    def create(self, payload: Payload, *, key: str) -> Answer:
        """Order a card."""
        return self.ask("POST", CARDS, json=payload, headers={"Idempotency-Key": key})

    def change(self, card_id: str, change: CardChange, *, key: str) -> Answer:
        """Set the card's state."""
        wanted = CHANGES.get(change.verb) or {
            "state": "CLOSED",
            "substatus": OPPOSED[change.reason or OpposeReason.LOST],
        }
        return self.ask("PATCH", f"{CARDS}/{reading.quoted(card_id)}", json=wanted)

    def get(self, card_id: str) -> ProviderCard | None:
        """Return a card."""
        return self.fetch_card(f"{CARDS}/{reading.quoted(card_id)}")

    def find_by_reference(self, *, reference: str, holder: str) -> list[ProviderCard]:
        """Return the cards whose memo is the reference: Lithic's filter also finds those of which it is a part."""
        return [card for card in self._listed(account_token=holder, memo=reference) if card.reference == reference]

    def list_by_holder(self, *, holder: str) -> list[ProviderCard]:
        """Return an account's cards."""
        return self._listed(account_token=holder)

    def _listed(self, **filters: str) -> list[ProviderCard]:
        params = [*filters.items(), ("page_size", PAGE_SIZE)]
        return list(self.fetch_cards(CARDS, params=params, cursor="starting_after", following=_following))

    def events(self, *, after: str) -> EventPage:
        """Return what Lithic told about cards after the cursor."""
        return self._feed.read(after, _listed_notice)

    # --- Answers

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> WebhookNotice:
        """Return a webhook, which says of the card hardly more than its token."""
        webhook = verify_standard(headers, body, secrets=self._secrets)
        return _notice(webhook.id, webhook.payload)

    def is_about_a_thing(self, document: Any) -> bool:
        """Whether a 404 is Lithic's own: what may stand between it and us answers otherwise."""
        return bool(reading.text(reading.mapping(document), "message"))

    def read_card(self, document: Document) -> ProviderCard | None:
        """Return a card; all but its id may be unreadable."""
        card_id = reading.text(document, "token")
        if not card_id:
            return None
        status, substatus = reading.text(document, "state"), reading.text(document, "substatus")
        state = CLOSED.get(substatus, CardState.CANCELLED) if status == "CLOSED" else STATES.get(status)
        design = reading.text(document, "product_id") or reading.text(document, "digital_card_art_token")
        expires_on = reading.end_of_month(document.get("exp_year"), document.get("exp_month"))
        return ProviderCard(
            id=card_id,
            status=status,
            state=state,
            color=self._colors.get(design, ""),
            expires_on=expires_on,
            last4=reading.last4(document, "last_four"),
            holder=reading.text(document, "account_token"),
            reference=reading.text(document, "memo"),
            anomalies=reading.anomalies(
                unrecognized_status=status not in STATES,
                unrecognized_color=bool(design) and design not in self._colors,
                unreadable_expiry=expires_on is None,
            ),
        )


def _shipping_address(order: CardOrder) -> Payload:
    address = order.holder.address
    first, _, last = order.holder.name.strip().rpartition(" ")
    if address is None or not first:
        raise ValueError("Lithic posts a card to a first name, a last name and an address.")
    if len(first + last) > NAMES_LENGTH:
        raise ValueError(f"A card of Lithic's has room for {NAMES_LENGTH} letters of a name.")
    if address.country not in ALPHA_3:
        raise ValueError(f"{address.country!r} is no country of ISO 3166-1.")
    fields = {
        "first_name": first,
        "last_name": last,
        "address1": address.line1,
        "address2": address.line2,
        "city": address.city,
        # Lithic asks for one also where addresses have none.
        "state": address.state or address.city[:24],
        "postal_code": address.postal_code,
        "country": ALPHA_3[address.country],
    }
    return {name: value for name, value in fields.items() if value}


def _notice(event_id: str, payload: Document) -> WebhookNotice:
    return WebhookNotice(
        event_id=event_id,
        type=reading.text(payload, "event_type"),
        card_id=reading.text(payload, "card_token"),
    )


def _listed_notice(event: Document) -> WebhookNotice:
    payload = {"event_type": event.get("event_type"), **reading.mapping(event, "payload")}
    return _notice(reading.text(event, "token"), payload)


def _following(page: Document) -> str:
    listed = page.get("data")
    return reading.text(listed[-1], "token") if page.get("has_more") and listed else ""

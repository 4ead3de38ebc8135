"""Stripe Issuing over its REST API: keys for every POST, and lists in which our reference can be found.

The holder's external id is the id of a Stripe cardholder; colors are personalization designs. Numbers and codes are
never asked for.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from holdfast_cards.backends import reading
from holdfast_cards.backends.cursors import Feed
from holdfast_cards.backends.http import Document, HttpProvider
from holdfast_cards.backends.signatures import verify_stripe
from holdfast_cards.ports import (
    Answer,
    Capabilities,
    CardChange,
    CardOrder,
    EventPage,
    InvalidWebhook,
    Payload,
    ProviderCard,
    WebhookNotice,
)
from holdfast_cards.states import CardKind, CardState, Verb

API_VERSION = "2026-09-30.endive"
CARDS, EVENTS = "/v1/issuing/cards", "/v1/events"
EVENT_TYPES = ("issuing_card.created", "issuing_card.updated")
REFERENCE = "cards_operation"
# A card may take several KiB; a page has to stay under the transport's cap.
PAGE_SIZE = "20"

CANCELED = {
    "lost": CardState.OPPOSED,
    "stolen": CardState.OPPOSED,
    "design_rejected": CardState.FAILED,
    "fulfillment_error": CardState.FAILED,
}
SHIPPED = frozenset({"shipped", "delivered"})
NOT_ARRIVING = frozenset({"returned", "failure", "canceled"})
SHIPPING = SHIPPED | NOT_ARRIVING | {"pending", "submitted"}
STATUSES = {Verb.ACTIVATE: "active", Verb.UNFREEZE: "active", Verb.FREEZE: "inactive", Verb.CANCEL: "canceled"}


class StripeProvider(HttpProvider):
    """Orders cards from Stripe."""

    name = "stripe"

    def __init__(
        self,
        *,
        api_key: str,
        designs: Mapping[str, str],
        currency: str = "eur",
        webhook_secrets: Sequence[str] = (),
        shipping_service: str = "standard",
        base_url: str = "https://api.stripe.com",
        limits: Mapping[str, Any] | None = None,
    ) -> None:
        headers = {"Authorization": f"Bearer {api_key}", "Stripe-Version": API_VERSION}
        super().__init__(base_url=base_url, headers=headers, limits=limits)
        self._designs = dict(designs)
        self._colors = {design: color for color, design in designs.items()}
        self._currency = currency.lower()
        self._shipping_service = shipping_service
        self._secrets = tuple(webhook_secrets)
        self._feed = Feed(self, EVENTS, params=[("types[]", each) for each in EVENT_TYPES], id_field="id")
        self.capabilities = Capabilities(
            colors=tuple(self._designs),
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
        """Return the form's fields. Raises ``ValueError`` where the color, or a physical card's address, is missing."""
        if order.color not in self._designs:
            raise ValueError(f"There is no personalization design for {order.color}.")
        payload: Payload = {
            "type": str(order.kind),
            "currency": self._currency,
            "cardholder": order.holder.external_id,
            "personalization_design": self._designs[order.color],
            "metadata": {REFERENCE: order.reference},
        }
        if order.kind == CardKind.PHYSICAL:
            payload["shipping"] = self._shipping(order)
        if order.replaces:
            payload["replacement_for"] = order.replaces
            payload["replacement_reason"] = str(order.replace_reason)
        return payload

    def _shipping(self, order: CardOrder) -> Payload:
        holder, address = order.holder, order.holder.address
        if address is None or not holder.name:
            raise ValueError("Stripe posts a card to a name and an address.")
        lines = {
            "line1": address.line1,
            "line2": address.line2,
            "city": address.city,
            "state": address.state,
            "postal_code": address.postal_code,
            "country": address.country,
        }
        return {
            "name": holder.name,
            "service": self._shipping_service,
            "address": {name: line for name, line in lines.items() if line},
        }

    def create(self, payload: Payload, *, key: str) -> Answer:
        """Order a card."""
        return self.ask("POST", CARDS, form=dict(flat(payload)), headers={"Idempotency-Key": key})

    def change(self, card_id: str, change: CardChange, *, key: str) -> Answer:
        """Set the card's status."""
        form = {"status": STATUSES.get(change.verb, "canceled")}
        if change.reason is not None:
            form["cancellation_reason"] = str(change.reason)
        return self.ask("POST", f"{CARDS}/{reading.quoted(card_id)}", form=form, headers={"Idempotency-Key": key})

    def get(self, card_id: str) -> ProviderCard | None:
        """Return a card."""
        return self.fetch_card(f"{CARDS}/{reading.quoted(card_id)}")

    def find_by_reference(self, *, reference: str, holder: str) -> list[ProviderCard]:
        """Return the holder's cards with the reference: Stripe has no filter for it."""
        return [card for card in self.list_by_holder(holder=holder) if card.reference == reference]

    def list_by_holder(self, *, holder: str) -> list[ProviderCard]:
        """Return a cardholder's cards."""
        params = [("cardholder", holder), ("limit", PAGE_SIZE)]
        return list(self.fetch_cards(CARDS, params=params, cursor="starting_after", following=_following))

    def events(self, *, after: str) -> EventPage:
        """Return what Stripe told about cards after the cursor; it remembers 30 days."""
        return self._feed.read(after, self._notice)

    # --- Answers

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> WebhookNotice:
        """Return a webhook by Stripe's scheme."""
        notice = self._notice(verify_stripe(headers, body, secrets=self._secrets))
        if not notice.event_id:
            raise InvalidWebhook("The event has no id, by which it could be told from others.")
        return notice

    def _notice(self, event: Document) -> WebhookNotice:
        thing = reading.mapping(event, "data", "object")
        card = self.read_card(thing) if thing.get("object") == "issuing.card" else None
        return WebhookNotice(
            event_id=reading.text(event, "id"),
            type=reading.text(event, "type"),
            card_id=card.id if card else "",
            reference=card.reference if card else "",
            occurred_at=reading.moment(event.get("created")),
            card=card,
        )

    def is_about_a_thing(self, document: Any) -> bool:
        """Whether a 404 is for a card or a cardholder."""
        return reading.text(reading.mapping(document, "error"), "code") == "resource_missing"

    def read_card(self, document: Document) -> ProviderCard | None:
        """Return a card; all but its id may be unreadable."""
        card_id = reading.text(document, "id")
        if not card_id:
            return None
        status, shipping = reading.text(document, "status"), reading.mapping(document, "shipping")
        shipped = reading.text(shipping, "status")
        color = self._colors.get(_id(document.get("personalization_design")), "")
        expires_on = reading.end_of_month(document.get("exp_year"), document.get("exp_month"))
        return ProviderCard(
            id=card_id,
            status=status,
            state=_state(status, reading.text(document, "cancellation_reason"), shipped),
            inactive=status == "inactive",
            color=color,
            expires_on=expires_on,
            last4=reading.last4(document, "last4"),
            holder=_id(document.get("cardholder")),
            reference=reading.text(reading.mapping(document, "metadata"), REFERENCE),
            carrier=reading.text(shipping, "carrier"),
            tracking_number=reading.text(shipping, "tracking_number"),
            anomalies=reading.anomalies(
                unrecognized_status=status not in {"active", "inactive", "canceled"},
                unrecognized_shipping=bool(shipped) and shipped not in SHIPPING,
                not_arriving=shipped in NOT_ARRIVING and status != "canceled",
                unrecognized_color=not color,
                unreadable_expiry=expires_on is None,
            ),
        )


def _state(status: str, reason: str, shipped: str) -> CardState | None:
    match status:
        case "canceled":
            return CANCELED.get(reason, CardState.CANCELLED)
        case "active":
            return CardState.ACTIVATED
        case "inactive":
            return CardState.SENT if shipped in SHIPPED else CardState.ORDERED
    return None


def _id(value: Any) -> str:
    """Return an id, which Stripe may have expanded to the object that it names."""
    return reading.text(value if isinstance(value, dict) else {"id": value}, "id")


def _following(page: Document) -> str:
    listed = page.get("data")
    return reading.text(listed[-1], "id") if page.get("has_more") and listed else ""


def flat(fields: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, str]]:
    """Yield ``{"a": {"b": "c"}}`` as ``("a[b]", "c")``, as Stripe's forms have it."""
    for name, value in fields.items():
        full = f"{within}[{name}]" if within else name
        if isinstance(value, Mapping):
            yield from flat(value, full)
        else:
            yield full, str(value)

"""Lithic: JSON both ways, a number and a code in its answers, thin webhooks by Standard Webhooks."""

import datetime as dt
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from holdfast_cards.testing.sandbox.books import (
    CANARY_CVV,
    CANARY_PAN,
    Happening,
    Rejected,
    SandboxCard,
    SandboxEvent,
    SeenRequest,
)
from holdfast_cards.testing.sandbox.clock import SandboxClock, moment
from holdfast_cards.testing.sandbox.dialects.bank import standard_webhook
from holdfast_cards.testing.sandbox.dialects.base import Dialect, Request, json_object, token
from holdfast_cards.testing.sandbox.faults import On

TYPES = frozenset({"MERCHANT_LOCKED", "PHYSICAL", "SINGLE_USE", "VIRTUAL", "UNLOCKED", "DIGITAL_WALLET"})
ADDRESS = ("address1", "city", "country", "first_name", "last_name", "postal_code", "state")
NAMES_LENGTH = 25
SUBSTATUSES = frozenset({
    "LOST", "COMPROMISED", "DAMAGED", "END_USER_REQUEST", "ISSUER_REQUEST", "NOT_ACTIVE", "SUSPICIOUS_ACTIVITY",
    "INTERNAL_REVIEW", "EXPIRED", "UNDELIVERABLE", "OTHER",
})  # fmt: skip
SHIPPED = "card.shipped"


class LithicDialect(Dialect):
    """``/v1/cards`` and ``/v1/events``, by Lithic's SDK."""

    name = "lithic"
    title = "Lithic"
    api_key = "lithic-sandbox"
    designs = {"1": "pink", "2": "black"}
    routes = (
        ("POST", r"/v1/cards", On.CREATE),
        ("GET", r"/v1/cards", On.LIST),
        ("GET", r"/v1/cards/(?P<id>[^/]+)", On.GET),
        ("PATCH", r"/v1/cards/(?P<id>[^/]+)", On.UPDATE),
        ("GET", r"/v1/events", On.EVENTS),
    )
    page_size_default = 50
    page_size_parameter = "page_size"
    happenings = tuple(each for each in Happening if each != Happening.DELIVER)
    created_event = "card.created"
    updated_event = "card.updated"

    def __init__(self, clock: SandboxClock) -> None:
        super().__init__(clock)
        # As the real one does for customers that may see them.
        self.leaky = True

    def authenticate(self, headers: Mapping[str, str]) -> None:
        """Raise ``Rejected`` unless the key is the sandbox's."""
        if headers.get("authorization") != self.api_key:
            raise self.rejected(401, "Please provide a valid API key in the Authorization header.", "unauthorized")

    def params(self, request: Request, operation: On) -> dict[str, Any]:
        """Return the parameters. Raises ``Rejected``."""
        try:
            params = json_object(request.body)
        except ValueError:
            raise self.rejected(400, "The request body is not a JSON object.", "invalid") from None
        if operation == On.CREATE:
            self._check_new(params)
        elif params.get("state", "OPEN") not in {"OPEN", "PAUSED", "CLOSED"}:
            raise self.rejected(400, "state is invalid.", "invalid")
        if params.get("substatus", "OTHER") not in SUBSTATUSES:
            raise self.rejected(400, "substatus is invalid.", "invalid")
        return params

    def _check_new(self, params: dict[str, Any]) -> None:
        if params.get("type") not in TYPES:
            raise self.rejected(400, "type is required.", "invalid")
        if params["type"] == "PHYSICAL":
            if params.get("product_id") not in self.designs:
                raise self.rejected(400, "product_id is not configured.", "invalid")
            address = params.get("shipping_address")
            if not isinstance(address, dict) or any(not address.get(name) for name in ADDRESS):
                raise self.rejected(400, "shipping_address is incomplete.", "invalid")
            if len(address["country"]) != 3:
                raise self.rejected(400, "country is not an ISO 3166-1 alpha-3 code.", "invalid")
            if len(address["first_name"] + address["last_name"]) > NAMES_LENGTH:
                raise self.rejected(400, "first_name and last_name are too long together.", "invalid")

    def counter_params(self, *, owner: str, color: str, reference: str) -> dict[str, Any]:
        """Return parameters."""
        return {"account_token": owner, "type": "PHYSICAL", "product_id": self.design(color), "memo": reference}

    def make(self, params: dict[str, Any], number: str) -> SandboxCard:
        """Return a new card."""
        physical = params["type"] == "PHYSICAL"
        design = params.get("product_id") if physical else params.get("digital_card_art_token")
        return SandboxCard(
            id=token("card", number),
            owner=params.get("account_token", ""),
            color=self.designs.get(str(design), next(iter(self.designs.values()))),
            kind=params["type"].lower(),
            status="PENDING_FULFILLMENT" if physical else params.get("state", "OPEN"),
            created_at=self.clock.now(),
            expires_on=self.expiry(),
            reference=params.get("memo", ""),
            replaces=params.get("replacement_for", ""),
            params=params,
        )

    def change(self, card: SandboxCard, params: dict[str, Any]) -> None:
        """Change a card as asked. Raises ``Rejected``."""
        state = params.get("state", card.status)
        if card.status == "CLOSED" and state != "CLOSED":
            raise self.rejected(400, "A closed card cannot be opened again.", "invalid")
        card.status = state
        card.detail = params.get("substatus", card.detail if state == "CLOSED" else "")

    def befall(self, card: SandboxCard, happening: Happening) -> str:
        """Change a card as life does."""
        match happening:
            case Happening.SHIP:
                card.status, card.tracking_number = "PENDING_ACTIVATION", f"TRACK-{card.id[:8]}"
                return SHIPPED
            case Happening.DELIVER:
                return ""
            case Happening.ACTIVATE:
                card.status = "OPEN"
            case Happening.FREEZE:
                card.status, card.detail = "PAUSED", "INTERNAL_REVIEW"
            case Happening.CANCEL:
                card.status, card.detail = "CLOSED", "ISSUER_REQUEST"
            case Happening.OPPOSE:
                card.status, card.detail = "CLOSED", "COMPROMISED"
            case Happening.FAIL:
                card.status, card.detail = "CLOSED", "UNDELIVERABLE"
            case Happening.EXPIRE:
                card.status, card.detail = "CLOSED", "EXPIRED"
                card.expires_on = self.last_month()
        return self.updated_event

    def card(self, card: SandboxCard) -> dict[str, Any]:
        """Return a card, its number and code included."""
        physical = card.kind == "physical"
        design = self.design(card.color)
        document = {
            "token": card.id,
            "account_token": card.owner,
            "card_program_token": token("program"),
            "created": moment(card.created_at).isoformat().replace("+00:00", "Z"),
            "digital_card_art_token": None if physical else card.params.get("digital_card_art_token"),
            "exp_month": f"{card.expires_on.month:02d}",
            "exp_year": str(card.expires_on.year),
            "last_four": card.last4,
            "memo": card.reference,
            "pin_status": "NOT_SET",
            "product_id": design if physical else None,
            "replacement_for": card.replaces or None,
            "spend_limit": 0,
            "spend_limit_duration": "FOREVER",
            "state": card.status,
            "substatus": card.detail or None,
            "tags": card.params.get("tags", {}),
            "type": card.kind.upper(),
        }
        return {**document, "pan": CANARY_PAN, "cvv": CANARY_CVV} if self.leaky else document

    def listed(self, cards: list[SandboxCard], arguments: dict[str, str]) -> list[SandboxCard]:
        """Return the cards that fit, newest first; a part of the memo is enough."""
        return [
            card
            for card in reversed(cards)
            if arguments.get("account_token", card.owner) == card.owner
            and arguments.get("state", card.status) == card.status
            and arguments.get("memo", "") in card.reference
        ]

    def is_final(self, card: SandboxCard) -> bool:
        """Whether nothing can become of the card any more."""
        return card.status == "CLOSED"

    def page(self, items: list[dict[str, Any]], *, more: bool, request: Request) -> Any:
        """Return a page."""
        return {"data": items, "has_more": more}

    def rejected(self, status: int, message: str, code: str, param: str = "") -> Rejected:
        """Return an error."""
        return Rejected(status, {"debugging_request_id": token(message), "message": message})

    def event(self, event_type: str, card: SandboxCard, number: str, seen: SeenRequest | None) -> SandboxEvent:
        """Return an event: it names the card, and says little of it."""
        payload: dict[str, Any] = {"event_type": event_type, "card_token": card.id}
        if event_type == self.created_event:
            payload["replacement_for"] = card.replaces or None
        elif event_type == SHIPPED:
            payload |= {"shipping_method": "USPS with tracking", "tracking_number": card.tracking_number}
        else:
            payload |= {"state": card.status, "previous_fields": {}}
        return SandboxEvent(f"msg_{number}", event_type, self.clock.now(), card.id, payload)

    def event_in_list(self, event: SandboxEvent) -> dict[str, Any]:
        """Return an event and its payload."""
        created = moment(event.created_at).isoformat().replace("+00:00", "Z")
        return {"token": event.id, "created": created, "event_type": event.type, "payload": event.payload}

    def events_listed(self, events: list[SandboxEvent], request: Request) -> list[SandboxEvent]:
        """Return the events that fit, newest first."""
        arguments = parse_qs(request.query)
        types = set(filter(None, ",".join(arguments.get("event_types", [])).split(",")))
        begin = dt.datetime.fromisoformat(arguments.get("begin", ["1970-01-01T00:00:00Z"])[0]).timestamp()
        wanted = [event for event in reversed(events) if not types or event.type in types]
        return [event for event in wanted if event.created_at > begin]

    def sign(self, event: SandboxEvent, body: bytes, *, secret: str, at: float) -> dict[str, str]:
        """Return the headers of Standard Webhooks."""
        return standard_webhook(event.id, body, secret=secret, at=at)

"""The bank: one POST, and what it does not say is not so."""

from collections.abc import Mapping
from typing import Any

from holdfast.outbox.webhooks import signing
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
from holdfast_cards.testing.sandbox.dialects.base import Dialect, Request, Route, json_object
from holdfast_cards.testing.sandbox.faults import On

FINAL = frozenset({"CANCELLED", "EXPIRED", "OPPOSED", "FAILED"})
HAPPENINGS = {
    Happening.SHIP: "SENT",
    Happening.ACTIVATE: "ACTIVATED",
    Happening.CANCEL: "CANCELLED",
    Happening.OPPOSE: "OPPOSED",
    Happening.EXPIRE: "EXPIRED",
    Happening.FAIL: "FAILED",
}


class BankDialect(Dialect):
    """``POST /api/v2/card/`` alone, unless it is told to be a better bank than its contract promises."""

    name = "bank"
    title = "Bank"
    api_key = "bank-sandbox"
    designs = {"COLOR_1": "pink", "COLOR_2": "black"}
    routes = (
        ("POST", r"/api/v2/card/", On.CREATE),
        ("GET", r"/api/v2/card/", On.LIST),
        ("GET", r"/api/v2/card/(?P<id>[^/]+)/", On.GET),
    )
    created_status = 201
    page_size_default = 50
    page_size_parameter = "page_size"
    cursor_parameter = "after"
    happenings = tuple(HAPPENINGS)
    options = ("leaky", "reads", "keys", "authorization")
    created_event = "card.created"
    updated_event = "card.updated"

    def __init__(self, clock: SandboxClock) -> None:
        super().__init__(clock)
        self.reads = False
        """Whether cards can be read and listed."""
        self.keys = False
        """Whether the Idempotency-Key header is obeyed."""
        self.authorization = ""
        """What the Authorization header has to say; nothing: nobody is asked."""

    def route(self, request: Request) -> Route:
        """Return what is asked for. Raises ``Rejected``."""
        route = super().route(request)
        if route.operation != On.CREATE and not self.reads:
            raise self.rejected(405, "Method not allowed", "method_not_allowed")
        return route

    def authenticate(self, headers: Mapping[str, str]) -> None:
        """Raise ``Rejected`` unless the caller says the word, if there is one."""
        if self.authorization and headers.get("authorization") != self.authorization:
            raise self.rejected(401, "Unauthorized", "unauthorized")

    def key(self, headers: Mapping[str, str]) -> str:
        """Return the key, if this bank knows what it is."""
        return super().key(headers) if self.keys else ""

    def params(self, request: Request, operation: On) -> dict[str, Any]:
        """Return the parameters. Raises ``Rejected``."""
        try:
            document = json_object(request.body)
        except ValueError:
            raise self.rejected(400, "Invalid input", "invalid_input") from None
        user_id, color = document.get("user_id"), document.get("color")
        if not isinstance(user_id, (str, int)) or isinstance(user_id, bool) or not user_id:
            raise self.rejected(400, "Invalid input", "invalid_input")
        if color not in self.designs:
            raise self.rejected(400, "Invalid input", "invalid_input")
        return {"user_id": str(user_id), "color": color}

    def counter_params(self, *, owner: str, color: str, reference: str) -> dict[str, Any]:
        """Return parameters; this bank keeps no reference."""
        return {"user_id": owner, "color": self.design(color)}

    def make(self, params: dict[str, Any], number: str) -> SandboxCard:
        """Return a new card."""
        return SandboxCard(
            id=f"card-{number}",
            owner=params["user_id"],
            color=self.color(params["color"]),
            kind="physical",
            status="ORDERED",
            created_at=self.clock.now(),
            expires_on=self.expiry(),
            params=params,
        )

    def change(self, card: SandboxCard, params: dict[str, Any]) -> None:
        """Raise ``Rejected``: this bank changes nothing for us."""
        raise self.rejected(405, "Method not allowed", "method_not_allowed")

    def befall(self, card: SandboxCard, happening: Happening) -> str:
        """Change a card as life does."""
        if happening not in HAPPENINGS:
            return ""
        card.status = HAPPENINGS[happening]
        return self.updated_event

    def card(self, card: SandboxCard) -> dict[str, Any]:
        """Return a card as the contract has it."""
        document = {
            "expiration_date": card.expires_on.isoformat(),
            "id": card.id,
            "color": self.design(card.color),
            "status": card.status,
        }
        return {**document, "pan": CANARY_PAN, "cvv": CANARY_CVV} if self.leaky else document

    def listed(self, cards: list[SandboxCard], arguments: dict[str, str]) -> list[SandboxCard]:
        """Return a user's cards. Raises ``Rejected`` where no user is named."""
        if not arguments.get("user_id"):
            raise self.rejected(400, "Invalid input", "invalid_input")
        return [card for card in cards if card.owner == arguments["user_id"]]

    def is_final(self, card: SandboxCard) -> bool:
        """Whether nothing can become of the card any more."""
        return card.status in FINAL

    def page(self, items: list[dict[str, Any]], *, more: bool, request: Request) -> Any:
        """Return a page; ``next`` is the last id of this one."""
        return {"results": items, "next": items[-1]["id"] if more else None}

    def rejected(self, status: int, message: str, code: str, param: str = "") -> Rejected:
        """Return an error."""
        return Rejected(status, {"error": message})

    def event(self, event_type: str, card: SandboxCard, number: str, seen: SeenRequest | None) -> SandboxEvent:
        """Return an event, in the shape that Standard Webhooks recommends."""
        now = self.clock.now()
        data = {**self.card(card), "user_id": card.owner}
        payload = {"type": event_type, "timestamp": moment(now).isoformat(), "data": data}
        return SandboxEvent(f"msg_{number}", event_type, now, card.id, payload)

    def event_in_list(self, event: SandboxEvent) -> dict[str, Any]:
        """Return an event; nobody can ask for it."""
        return event.payload

    def events_listed(self, events: list[SandboxEvent], request: Request) -> list[SandboxEvent]:
        """Return nothing: this bank keeps no list of them."""
        return []

    def sign(self, event: SandboxEvent, body: bytes, *, secret: str, at: float) -> dict[str, str]:
        """Return the headers of Standard Webhooks."""
        return standard_webhook(event.id, body, secret=secret, at=at)


def standard_webhook(message_id: str, body: bytes, *, secret: str, at: float) -> dict[str, str]:
    """Return the headers of Standard Webhooks."""
    timestamp = int(at)
    return {
        signing.ID_HEADER: message_id,
        signing.TIMESTAMP_HEADER: str(timestamp),
        signing.SIGNATURE_HEADER: signing.sign([signing.key_of(secret)], message_id, timestamp, body),
    }

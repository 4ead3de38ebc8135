"""Stripe Issuing: forms in, JSON out, saved answers, and lists that begin with the newest."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from holdfast_cards.testing.sandbox.books import (
    CANARY_CVV,
    CANARY_PAN,
    Happening,
    Rejected,
    SandboxCard,
    SandboxEvent,
    SeenRequest,
)
from holdfast_cards.testing.sandbox.dialects.base import Dialect, Request
from holdfast_cards.testing.sandbox.faults import On

API_VERSION = "2026-09-30.endive"
CREATE = frozenset({
    "cardholder", "currency", "exp_month", "exp_year", "expand", "financial_account", "lifecycle_controls", "metadata",
    "personalization_design", "pin", "replacement_for", "replacement_reason", "second_line", "shipping",
    "spending_controls", "status", "type",
})  # fmt: skip
UPDATE = frozenset({
    "cancellation_reason", "expand", "financial_account", "metadata", "personalization_design", "pin", "shipping",
    "spending_controls", "status",
})  # fmt: skip
CHOICES = {
    "type": {"physical", "virtual"},
    "status": {"active", "inactive"},
    "replacement_reason": {"damaged", "expired", "lost", "stolen"},
}
UPDATE_CHOICES = {"status": {"active", "inactive", "canceled"}, "cancellation_reason": {"lost", "stolen"}}


class StripeDialect(Dialect):
    """``/v1/issuing/cards`` and ``/v1/events``, by Stripe's OpenAPI document."""

    name = "stripe"
    title = "Stripe Issuing"
    api_key = "sk_test_sandbox"
    designs = {"pd_pink": "pink", "pd_black": "black"}
    routes = (
        ("POST", r"/v1/issuing/cards", On.CREATE),
        ("GET", r"/v1/issuing/cards", On.LIST),
        ("GET", r"/v1/issuing/cards/(?P<id>[^/]+)", On.GET),
        ("POST", r"/v1/issuing/cards/(?P<id>[^/]+)", On.UPDATE),
        ("GET", r"/v1/events", On.EVENTS),
    )
    page_size_parameter = "limit"
    created_event = "issuing_card.created"
    updated_event = "issuing_card.updated"

    def authenticate(self, headers: Mapping[str, str]) -> None:
        """Raise ``Rejected`` unless the key is the sandbox's."""
        if headers.get("authorization") != f"Bearer {self.api_key}":
            raise self.rejected(401, "Invalid API Key provided.", "api_key_invalid")

    def params(self, request: Request, operation: On) -> dict[str, Any]:
        """Return the form's parameters, nested as their names say. Raises ``Rejected``."""
        content_type = request.headers.get("content-type", "").partition(";")[0].strip()
        if request.body and content_type != "application/x-www-form-urlencoded":
            raise self.rejected(400, "The request body is not a form.", "invalid_request")
        params = nested(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
        creating = operation == On.CREATE
        for name in params.keys() - (CREATE if creating else UPDATE):
            raise self.rejected(400, f"Received unknown parameter: {name}", "parameter_unknown", name)
        for name in ("currency", "type") if creating else ():
            if not params.get(name):
                raise self.rejected(400, f"Missing required param: {name}.", "parameter_missing", name)
        for name, choices in (CHOICES if creating else UPDATE_CHOICES).items():
            if name in params and params[name] not in choices:
                raise self.rejected(400, f"Invalid {name}", "parameter_invalid", name)
        self._check_design(params)
        self._check_shipping(params)
        return params

    def _check_design(self, params: dict[str, Any]) -> None:
        design = params.get("personalization_design")
        if design is not None and design not in self.designs:
            message = f"No such personalization design: '{design}'"
            raise self.rejected(400, message, "resource_missing", "personalization_design")

    def _check_shipping(self, params: dict[str, Any]) -> None:
        shipping = params.get("shipping")
        if shipping is None:
            return
        required = [("shipping", "name", shipping), ("shipping", "address", shipping)]
        address = shipping.get("address") if isinstance(shipping, dict) else None
        required += [("shipping[address]", name, address) for name in ("line1", "city", "country", "postal_code")]
        for where, name, values in required:
            if not isinstance(values, dict) or not values.get(name):
                param = f"{where}[{name}]"
                raise self.rejected(400, f"Missing required param: {param}.", "parameter_missing", param)

    def counter_params(self, *, owner: str, color: str, reference: str) -> dict[str, Any]:
        """Return parameters."""
        params = {"cardholder": owner, "type": "physical", "personalization_design": self.design(color)}
        return {**params, "currency": "eur", "metadata": {"cards_operation": reference} if reference else {}}

    def make(self, params: dict[str, Any], number: str) -> SandboxCard:
        """Return a new card."""
        physical = params["type"] == "physical"
        return SandboxCard(
            id=f"ic_{number}",
            owner=params.get("cardholder", ""),
            color=self.designs.get(params.get("personalization_design", ""), next(iter(self.designs.values()))),
            kind=params["type"],
            status=params.get("status", "inactive"),
            created_at=self.clock.now(),
            expires_on=self.expiry(),
            reference=str(params.get("metadata", {}).get("cards_operation", "")),
            shipping="pending" if physical else "",
            replaces=params.get("replacement_for", ""),
            params=params,
        )

    def change(self, card: SandboxCard, params: dict[str, Any]) -> None:
        """Change a card as asked. Raises ``Rejected``."""
        status = params.get("status", card.status)
        if card.status == "canceled" and status != "canceled":
            raise self.rejected(400, "You cannot update a canceled card.", "card_canceled", "status")
        card.status = status
        card.detail = params.get("cancellation_reason", card.detail) if status == "canceled" else ""

    def befall(self, card: SandboxCard, happening: Happening) -> str:
        """Change a card as life does."""
        match happening:
            case Happening.SHIP:
                card.shipping, card.tracking_number = "shipped", f"TRACK-{card.id}"
            case Happening.DELIVER:
                card.shipping = "delivered"
            case Happening.ACTIVATE:
                card.status = "active"
            case Happening.FREEZE:
                card.status = "inactive"
            case Happening.CANCEL:
                card.status, card.detail = "canceled", ""
            case Happening.OPPOSE:
                card.status, card.detail = "canceled", "stolen"
            case Happening.FAIL:
                card.status, card.detail = "canceled", "design_rejected"
            case Happening.EXPIRE:
                # It has no status for that: the month tells, and no event does.
                card.expires_on = self.last_month()
                return ""
        return self.updated_event

    def card(self, card: SandboxCard) -> dict[str, Any]:
        """Return a card: with number and code only if the sandbox is told to leak, as they have to be asked for."""
        document = {
            "id": card.id,
            "object": "issuing.card",
            "brand": "Visa",
            "cancellation_reason": card.detail or None,
            "cardholder": {"id": card.owner, "object": "issuing.cardholder", "name": "Held by a test"},
            "created": int(card.created_at),
            "currency": card.params.get("currency", "eur"),
            "exp_month": card.expires_on.month,
            "exp_year": card.expires_on.year,
            "last4": card.last4,
            "livemode": False,
            "metadata": card.params.get("metadata", {}),
            "personalization_design": self.design(card.color),
            "replaced_by": None,
            "replacement_for": card.replaces or None,
            "replacement_reason": card.params.get("replacement_reason"),
            "second_line": card.params.get("second_line"),
            "shipping": self._shipping(card),
            "spending_controls": {"allowed_categories": None, "blocked_categories": None, "spending_limits": []},
            "status": card.status,
            "type": card.kind,
            "wallets": None,
        }
        return {**document, "number": CANARY_PAN, "cvc": CANARY_CVV} if self.leaky else document

    @staticmethod
    def _shipping(card: SandboxCard) -> dict[str, Any] | None:
        asked = card.params.get("shipping")
        if not asked:
            return None
        return {
            "address": {"line2": None, "state": None, **asked["address"]},
            "carrier": "dhl" if card.tracking_number else None,
            "eta": int(card.created_at) + 10 * 86_400,
            "name": asked["name"],
            "phone_number": asked.get("phone_number"),
            "require_signature": None,
            "service": asked.get("service", "standard"),
            "status": card.shipping,
            "tracking_number": card.tracking_number or None,
            "tracking_url": None,
            "type": asked.get("type", "individual"),
        }

    def listed(self, cards: list[SandboxCard], arguments: dict[str, str]) -> list[SandboxCard]:
        """Return the cards that fit, newest first."""
        since, until = float(arguments.get("created[gte]", 0)), float(arguments.get("created[lt]", "inf"))
        return [
            card
            for card in reversed(cards)
            if arguments.get("cardholder", card.owner) == card.owner
            and arguments.get("status", card.status) == card.status
            and arguments.get("type", card.kind) == card.kind
            and since <= card.created_at < until
        ]

    def is_final(self, card: SandboxCard) -> bool:
        """Whether nothing can become of the card any more."""
        return card.status == "canceled"

    def page(self, items: list[dict[str, Any]], *, more: bool, request: Request) -> Any:
        """Return a page."""
        return {"object": "list", "url": request.path, "has_more": more, "data": items}

    def rejected(self, status: int, message: str, code: str, param: str = "") -> Rejected:
        """Return an error."""
        kind = {401: "invalid_request_error", 429: "rate_limit_error"}.get(status)
        kind = kind or ("api_error" if status >= 500 else "invalid_request_error")
        kind = "idempotency_error" if code in {"idempotency_key_in_use", "idempotency_key_mismatch"} else kind
        error = {"type": kind, "code": code, "message": message, **({"param": param} if param else {})}
        return Rejected(status, {"error": error})

    def event(self, event_type: str, card: SandboxCard, number: str, seen: SeenRequest | None) -> SandboxEvent:
        """Return an event with the whole card, and with the request that caused it."""
        now = self.clock.now()
        event_id = f"evt_{number}"
        payload = {
            "id": event_id,
            "object": "event",
            "api_version": API_VERSION,
            "created": int(now),
            "data": {"object": self.card(card)},
            "livemode": False,
            "pending_webhooks": 1,
            "request": {
                "id": f"req_{seen.number:06d}" if seen else None,
                "idempotency_key": seen.key or None if seen else None,
            },
            "type": event_type,
        }
        return SandboxEvent(event_id, event_type, now, card.id, payload)

    def event_in_list(self, event: SandboxEvent) -> dict[str, Any]:
        """Return an event as its webhook had it."""
        return event.payload

    def events_listed(self, events: list[SandboxEvent], request: Request) -> list[SandboxEvent]:
        """Return the events that fit, newest first."""
        pairs = parse_qsl(request.query)
        types = {value for name, value in pairs if re.fullmatch(r"types\[\d*\]", name)}
        since = max([float(value) for name, value in pairs if name == "created[gte]"], default=0.0)
        wanted = [event for event in reversed(events) if not types or event.type in types]
        return [event for event in wanted if int(event.created_at) >= since]

    def sign(self, event: SandboxEvent, body: bytes, *, secret: str, at: float) -> dict[str, str]:
        """Return Stripe's header."""
        timestamp = int(at)
        signature = hmac.digest(secret.encode(), b"%d.%s" % (timestamp, body), hashlib.sha256).hex()
        return {"Stripe-Signature": f"t={timestamp},v1={signature}"}


def nested(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """Return ``[("a[b]", "c")]`` as ``{"a": {"b": "c"}}``."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        *path, last = re.findall(r"[^\[\]]+", name) or [name]
        inner = found
        for step in path:
            deeper = inner.setdefault(step, {})
            inner = deeper if isinstance(deeper, dict) else {}
        inner[last] = value
    return found

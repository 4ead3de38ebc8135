"""The bank: ``POST {base}/api/v2/card/`` and nothing else, unless settings say that the real bank has more.

As it stands it takes no key, shows no card and tells nothing afterwards: a lost answer cannot be recovered by any
program, and is left to a person. Each of ``idempotency_header``, ``reads`` and ``webhook_secrets`` that the real bank
supports moves the recovery up a class.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.http import Reply
from holdfast_cards.backends import reading
from holdfast_cards.backends.http import Document, HttpProvider
from holdfast_cards.backends.signatures import standard_secrets, verify_standard
from holdfast_cards.ports import Answer, Capabilities, CardOrder, Payload, ProviderCard, WebhookNotice
from holdfast_cards.states import CardState, Outcome

PATH = "/api/v2/card/"
COLORS = {"pink": "COLOR_1", "black": "COLOR_2"}
STATES = {
    "ORDERED": CardState.ORDERED,
    "SENT": CardState.SENT,
    "ACTIVATED": CardState.ACTIVATED,
    "CANCELLED": CardState.CANCELLED,
    "EXPIRED": CardState.EXPIRED,
    "OPPOSED": CardState.OPPOSED,
    "FAILED": CardState.FAILED,
}


class BankProvider(HttpProvider):
    """Orders cards from the bank."""

    name = "bank"

    def __init__(
        self,
        *,
        base_url: str,
        authorization: str = "",
        colors: Mapping[str, str] = COLORS,
        idempotency_header: str = "",
        reads: bool = False,
        webhook_secrets: Sequence[str] = (),
        error_500_means_not_created: bool = False,
        limits: Mapping[str, Any] | None = None,
    ) -> None:
        headers = {"Authorization": authorization} if authorization else {}
        super().__init__(base_url=base_url, headers=headers, limits=limits)
        self._colors = dict(colors)
        self._names = {code: name for name, code in colors.items()}
        self._idempotency_header = idempotency_header
        self._secrets = standard_secrets(webhook_secrets)
        self._error_500_means_not_created = error_500_means_not_created
        self.capabilities = Capabilities(
            colors=tuple(self._colors),
            idempotency_key=bool(idempotency_header),
            list_by_holder=reads,
            get=reads,
            webhooks=bool(self._secrets),
        )

    def compose(self, order: CardOrder) -> Payload:
        """Return the two fields that the contract has."""
        if order.color not in self._colors:
            raise ValueError(f"The bank has no {order.color} cards.")
        return {"user_id": order.holder.external_id, "color": self._colors[order.color]}

    def create(self, payload: Payload, *, key: str) -> Answer:
        """Order a card."""
        headers = {self._idempotency_header: key} if self._idempotency_header else {}
        return self.ask("POST", PATH, json=payload, headers=headers)

    def outcome_of(self, reply: Reply) -> Outcome:
        """Return what an error means: a 500 promises nothing, unless the real bank does; a 404 is the address."""
        if reply.status == 500 and self._error_500_means_not_created:
            return Outcome.LIMITED
        return Outcome.MISCONFIGURED if reply.status == 404 else super().outcome_of(reply)

    def is_about_a_thing(self, document: Any) -> bool:
        """Whether a 404 is the bank's own: what may stand between it and us answers otherwise."""
        return bool(reading.text(reading.mapping(document), "error"))

    def get(self, card_id: str) -> ProviderCard | None:
        """Return a card."""
        return self.fetch_card(f"{PATH}{reading.quoted(card_id)}/")

    def list_by_holder(self, *, holder: str) -> list[ProviderCard]:
        """Return a holder's cards."""
        params = [("user_id", holder)]
        return list(self.fetch_cards(PATH, params=params, items="results", cursor="after", following=_next))

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> WebhookNotice:
        """Return a webhook, which has the card in its ``data`` as the contract has it, with the ``user_id``."""
        webhook = verify_standard(headers, body, secrets=self._secrets)
        data = reading.mapping(webhook.payload, "data")
        card = self.read_card(data)
        return WebhookNotice(
            event_id=webhook.id,
            type=reading.text(webhook.payload, "type"),
            card_id=card.id if card else "",
            occurred_at=reading.iso_moment(webhook.payload.get("timestamp")),
            card=card,
        )

    def read_card(self, document: Document) -> ProviderCard | None:
        """Return a card; all but its id may be unreadable."""
        card_id = reading.identifier(document, "id")
        if not card_id:
            return None
        status, color = reading.text(document, "status"), reading.text(document, "color")
        expires_on = reading.day(document.get("expiration_date"))
        return ProviderCard(
            id=card_id,
            status=status,
            state=STATES.get(status),
            color=self._names.get(color, ""),
            expires_on=expires_on,
            holder=reading.identifier(document, "user_id"),
            anomalies=reading.anomalies(
                unrecognized_status=status not in STATES,
                unrecognized_color=color not in self._names,
                unreadable_expiry=expires_on is None,
            ),
        )


def _next(page: Document) -> str:
    return reading.identifier(page, "next")

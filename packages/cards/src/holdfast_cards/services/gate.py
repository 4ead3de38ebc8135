"""The gate to the provider: every call goes through here, and none that its circuit breaker holds back.

Whatever an adapter does, a call that may have changed something comes back as one of the six outcomes, and a read as a
value or ``NoAnswer``. The breaker is for each process and provider; what the provider itself refuses (4xx, and 429
above all) is a sign of life and never opens it.
"""

import logging
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

from django.core.signals import setting_changed

from holdfast.conf import load_backend
from holdfast.outbox.circuit import Circuit
from holdfast_cards.conf import settings
from holdfast_cards.ports import (
    Answer,
    Capabilities,
    CardChange,
    CardOrder,
    CardProvider,
    EventPage,
    NoAnswer,
    Payload,
    ProviderCard,
)
from holdfast_cards.states import Outcome

logger = logging.getLogger("holdfast_cards")

OPENS_AFTER = 5
PROBE_SECONDS = 30.0

T = TypeVar("T")

_circuits: dict[str, Circuit] = {}


def _forget(**_kwargs: Any) -> None:
    _circuits.clear()


setting_changed.connect(_forget, dispatch_uid="holdfast_cards.gate")


class Gate:
    """The provider of the settings, behind its circuit breaker."""

    def __init__(self) -> None:
        self._provider: CardProvider = load_backend(settings.PROVIDER)
        self.name: str = self._provider.name
        self.capabilities: Capabilities = self._provider.capabilities
        self._circuit = _circuits.setdefault(self.name, Circuit(opens_after=OPENS_AFTER, probe_seconds=PROBE_SECONDS))

    def admits(self) -> bool:
        """Whether a call may be made now; who asks while the circuit is half open is the probe."""
        return self._circuit.admit()

    def compose(self, order: CardOrder) -> Payload:
        """Return what ``create`` will send. Raises ``ValueError``."""
        return self._provider.compose(order)

    def create(self, payload: Payload, *, key: str) -> Answer:
        """Make a card."""
        return self._ask(lambda: self._provider.create(payload, key=key))

    def change(self, card_id: str, change: CardChange, *, key: str) -> Answer:
        """Change a card."""
        return self._ask(lambda: self._provider.change(card_id, change, key=key))

    def fetch(self, card_id: str, *, holder: str) -> ProviderCard | None:
        """Return a card by whatever way there is, or ``None`` if there is none. Raises ``NoAnswer``."""
        if self.capabilities.get:
            return self._read(lambda: self._provider.get(card_id))
        cards = self._read(lambda: self._provider.list_by_holder(holder=holder))
        return next((card for card in cards if card.id == card_id), None)

    @property
    def fetches(self) -> bool:
        """Whether there is a way to look at a card."""
        return self.capabilities.get or self.capabilities.list_by_holder

    def find(self, *, reference: str, holder: str) -> list[ProviderCard]:
        """Return every card made with a reference. Raises ``NoAnswer``."""
        return self._read(lambda: self._provider.find_by_reference(reference=reference, holder=holder))

    def list(self, *, holder: str) -> "list[ProviderCard]":
        """Return every card of a holder. Raises ``NoAnswer``."""
        return self._read(lambda: self._provider.list_by_holder(holder=holder))

    def events(self, *, after: str) -> EventPage:
        """Return what came after a cursor. Raises ``NoAnswer``."""
        return self._read(lambda: self._provider.events(after=after))

    def _ask(self, call: Callable[[], Answer]) -> Answer:
        try:
            answer = call()
        except Exception as error:  # noqa: BLE001 - whatever a host's adapter may raise
            # It may have failed before or after the provider heard of it: nothing better can be said of it.
            self._tell(error)
            answer = Answer(outcome=Outcome.UNKNOWN, reason="adapter_error")
        if answer.outcome in (Outcome.NOT_SENT, Outcome.UNKNOWN) and _is_outage(answer.http_status):
            self._circuit.failed()
        else:
            self._circuit.succeeded()
        return answer

    def _read(self, call: Callable[[], T]) -> T:
        if not self.admits():
            raise NoAnswer("circuit_open", retry_after_seconds=PROBE_SECONDS)
        try:
            value = call()
        except NoAnswer as error:
            if _is_outage(error.http_status):
                self._circuit.failed()
            raise
        except Exception as error:  # noqa: BLE001 - likewise
            self._tell(error)
            self._circuit.failed()
            raise NoAnswer("adapter_error") from None
        self._circuit.succeeded()
        return value

    def _tell(self, error: Exception) -> None:
        """Log where an adapter broke, but not on what: its words, and the values of its frames, may be a card's."""
        where = "".join(traceback.format_tb(error.__traceback__))
        logger.error("The adapter of %s broke with %s:\n%s", self.name, type(error).__name__, where)


def _is_outage(http_status: int | None) -> bool:
    return http_status is None or http_status >= 500

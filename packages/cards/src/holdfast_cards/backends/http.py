"""What adapters over HTTP have in common: a call becomes one of the port's outcomes, and never an exception.

A provider of one's own says how its requests look and how its cards are read; see ``bank`` for the shortest.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar

from holdfast.http import Limits, Lost, NotSent, Reply, Transport
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
from holdfast_cards.states import Outcome

MAX_PAGES = 50
Document = Mapping[str, Any]
Read = Callable[[Document], ProviderCard | None]

_OUTCOMES = {
    **dict.fromkeys((400, 402, 404, 422), Outcome.REJECTED),
    **dict.fromkeys((401, 403, 405), Outcome.MISCONFIGURED),
    429: Outcome.LIMITED,
}


class HttpProvider(ABC):
    """The half of an adapter that is the same for all of them; what a provider cannot do may stay as it is here."""

    name: ClassVar[str]
    capabilities: Capabilities

    def __init__(self, *, base_url: str, headers: Mapping[str, str], limits: Mapping[str, Any] | None = None) -> None:
        self._transport = Transport(base_url.rstrip("/"), headers=headers, limits=Limits(**(limits or {})))

    # --- What an adapter says

    @abstractmethod
    def compose(self, order: CardOrder) -> Payload:
        """Return what ``create`` will send. Raises ``ValueError``."""

    @abstractmethod
    def create(self, payload: Payload, *, key: str) -> Answer:
        """Make the card."""

    @abstractmethod
    def read_card(self, document: Document) -> ProviderCard | None:
        """Return the card that a document describes; ``None`` if it has no readable id."""

    def is_about_a_thing(self, document: Any) -> bool:
        """Whether a 404 says that there is no such card or holder, rather than no such address."""
        return False

    # --- What it may be unable to do

    def change(self, card_id: str, change: CardChange, *, key: str) -> Answer:
        """Refuse: nothing was sent, and nothing ever will be."""
        return Answer(outcome=Outcome.REJECTED, reason="not_supported")

    def get(self, card_id: str) -> ProviderCard | None:
        """Raise ``NoAnswer``."""
        raise NoAnswer("not_supported")

    def find_by_reference(self, *, reference: str, holder: str) -> list[ProviderCard]:
        """Raise ``NoAnswer``."""
        raise NoAnswer("not_supported")

    def list_by_holder(self, *, holder: str) -> list[ProviderCard]:
        """Raise ``NoAnswer``."""
        raise NoAnswer("not_supported")

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> WebhookNotice:
        """Raise ``InvalidWebhook``."""
        raise InvalidWebhook("This provider sends no webhooks.")

    def events(self, *, after: str) -> EventPage:
        """Raise ``NoAnswer``."""
        raise NoAnswer("not_supported")

    # --- Calls that change something

    def ask(self, method: str, path: str, *, read: Read | None = None, **request: Any) -> Answer:
        """Ask for a change, once, and say what is certain afterwards."""
        try:
            reply = self._transport.send(method, path, **request)
        except NotSent as not_sent:
            return Answer(outcome=Outcome.NOT_SENT, reason=not_sent.reason)
        except Lost as lost:
            return Answer(outcome=Outcome.UNKNOWN, reason=lost.reason)
        if 200 <= reply.status < 300:
            return self._done(reply, read or self.read_card)
        return Answer(
            outcome=self.outcome_of(reply),
            reason=f"http_{reply.status}",
            http_status=reply.status,
            request_id=reply.request_id,
            retry_after_seconds=reply.retry_after_seconds,
            server_error=reply.status >= 500,
        )

    def outcome_of(self, reply: Reply) -> Outcome:
        """Return what an error means for what was asked."""
        if reply.status == 404 and not self._is_of_a_thing(reply):
            return Outcome.MISCONFIGURED
        return _OUTCOMES.get(reply.status, Outcome.UNKNOWN)

    def _done(self, reply: Reply, read: Read) -> Answer:
        about: dict[str, Any] = {"http_status": reply.status, "request_id": reply.request_id}
        try:
            document = reply.document()
        except Lost as lost:
            return Answer(outcome=Outcome.UNKNOWN, reason=lost.reason, **about)
        card = read(document) if isinstance(document, dict) else None
        if card is None:
            return Answer(outcome=Outcome.UNKNOWN, reason="no_id", **about)
        return Answer(outcome=Outcome.DONE, card=card, reason=f"http_{reply.status}", **about)

    # --- Calls that only read

    def fetch(self, path: str, *, params: Iterable[tuple[str, str]] = ()) -> Document | None:
        """Return a JSON object, or ``None`` if there is no such thing. Raises ``NoAnswer``."""
        try:
            reply = self._transport.send("GET", path, params=params)
            document = reply.document() if reply.status == 200 else None
        except (NotSent, Lost) as error:
            raise NoAnswer(error.reason) from None
        if isinstance(document, dict):
            return document
        if reply.status == 404 and self._is_of_a_thing(reply):
            return None
        reason = "not_an_object" if reply.status == 200 else f"http_{reply.status}"
        raise NoAnswer(reason, retry_after_seconds=reply.retry_after_seconds, http_status=reply.status)

    def fetch_card(self, path: str) -> ProviderCard | None:
        """Return a card, or ``None`` if there is no such card. Raises ``NoAnswer``."""
        document = self.fetch(path)
        if document is None:
            return None
        card = self.read_card(document)
        if card is None:
            raise NoAnswer("no_id")
        return card

    def fetch_page(
        self, path: str, *, params: Iterable[tuple[str, str]], items: str = "data"
    ) -> tuple[Document, list[Document]]:
        """Return a page of a list, and the objects in it. Raises ``NoAnswer``."""
        page = self.fetch(path, params=params)
        if page is None:
            raise NoAnswer("no_such_thing")
        listed = page.get(items)
        if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
            raise NoAnswer("not_a_list")
        return page, listed

    def fetch_cards(
        self,
        path: str,
        *,
        params: Iterable[tuple[str, str]],
        cursor: str,
        following: Callable[[Document], str],
        items: str = "data",
    ) -> Iterator[ProviderCard]:
        """Yield every card of a list, page by page: all of them, or ``NoAnswer``.

        ``items`` is where a page has its cards; ``following`` returns what the parameter ``cursor`` has to say for the
        next page, and nothing on the last one.
        """
        after = ""
        for _ in range(MAX_PAGES):
            page, listed = self.fetch_page(path, params=[*params, (cursor, after)] if after else params, items=items)
            for document in listed:
                card = self.read_card(document)
                if card is None:
                    # To overlook a card is to make a second one.
                    raise NoAnswer("no_id")
                yield card
            after = following(page)
            if not after:
                return
        raise NoAnswer("too_many_pages")

    def _is_of_a_thing(self, reply: Reply) -> bool:
        try:
            return self.is_about_a_thing(reply.document())
        except Lost:
            return False

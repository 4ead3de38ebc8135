"""A provider's log of events, read from where we were: newest first as it is listed, oldest first as we need it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from holdfast_cards.backends import reading
from holdfast_cards.backends.http import MAX_PAGES, Document, HttpProvider
from holdfast_cards.ports import EventPage, NoAnswer, WebhookNotice

PAGE_SIZE = "50"
# The cursor of a log in which there was nothing yet.
BEGINNING = "-"
_FORGOTTEN = frozenset({"http_400", "http_404", "no_such_thing"})


@dataclass(frozen=True)
class Feed:
    """A list of events with ``starting_after``, ``ending_before`` and ``has_more``, as Stripe and Lithic have it."""

    provider: HttpProvider
    path: str
    params: Sequence[tuple[str, str]]
    id_field: str
    size_parameter: str = "limit"

    def read(self, after: str, notice: Callable[[Document], WebhookNotice]) -> EventPage:
        """Return what came after the cursor. Raises ``NoAnswer``."""
        if not after:
            return EventPage(notices=(), cursor=self._newest())
        if after == BEGINNING:
            events = self._all()
            more = False
        else:
            try:
                page, events = self._page(("ending_before", after))
            except NoAnswer as refused:
                if refused.reason not in _FORGOTTEN:
                    raise
                # The log no longer goes back to where we were. What is lost with it, the refresh of cards finds.
                return EventPage(notices=(), cursor=self._newest())
            more = bool(page.get("has_more"))
        notices = tuple(notice(event) for event in reversed(events))
        return EventPage(notices=notices, cursor=self._id(events[0]) if events else after, more=more)

    def _newest(self) -> str:
        _, events = self._page(size="1")
        return self._id(events[0]) if events else BEGINNING

    def _all(self) -> list[Document]:
        """Return all events of a log that was empty when it was first read: there cannot be many."""
        found: list[Document] = []
        for _ in range(MAX_PAGES):
            page, events = self._page(*([("starting_after", self._id(found[-1]))] if found else []))
            found += events
            if not page.get("has_more") or not events:
                return found
        raise NoAnswer("too_many_pages")

    def _page(self, *cursor: tuple[str, str], size: str = PAGE_SIZE) -> tuple[Document, list[Document]]:
        return self.provider.fetch_page(self.path, params=[*self.params, (self.size_parameter, size), *cursor])

    def _id(self, event: Document) -> str:
        found = reading.text(event, self.id_field)
        if not found:
            raise NoAnswer("no_id")
        return found

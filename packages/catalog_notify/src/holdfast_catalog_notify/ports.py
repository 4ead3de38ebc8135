"""What the catalog asks of the outside: ways to tell an admin something, and a place where views wait.

Both come by dotted path: ``CHANNELS`` and ``VIEW_BUFFER``.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from holdfast_catalog_notify.states import ViewKind


@dataclass(frozen=True, kw_only=True)
class Recipient:
    """An admin, as a channel may know him. ``address`` is the one that he gave for this channel, or empty."""

    user_id: int | str
    name: str
    email: str
    address: str = ""


@dataclass(frozen=True, kw_only=True)
class Message:
    """One notification for one admin, ready to be sent.

    ``id`` is the same each time it is sent: whoever can tell repetitions apart, tells them apart by it.
    ``change_sets`` has the facts behind the text: each ``{"id", "at", "actor", "changes"}``.
    """

    id: UUID
    recipient: Recipient
    subject: str
    text: str
    html: str
    change_sets: Sequence[Mapping[str, Any]]
    created_at: dt.datetime
    unsubscribe_url: str = ""


class Channel(Protocol):
    """A way to tell an admin.

    ``digests``: whether several changes may come in one message. ``needs_address``: whether nothing can be sent to an
    admin who has not given an address of his own. ``at_most_once``: whether a message whose fate is unknown, because
    the worker died on it, waits for a person instead of being sent again.
    """

    digests: bool
    needs_address: bool
    at_most_once: bool

    def send(self, message: Message) -> str:
        """Return the receiver's id of the message once it was taken; raise for it to be tried again.

        Called by a worker, outside any transaction. The same message may come twice, with the same ``id``. Everything
        takes a time limit. ``holdfast.outbox.GiveUp`` says that no repetition will help, ``RetryLater`` when to come
        again, anything else is tried again on the outbox's schedule.
        """


@dataclass(frozen=True, kw_only=True)
class Views:
    """One answer that showed products to an anonymous visitor: one product, or a page of them.

    ``hour`` is the beginning of its hour; ``visitor`` is a hash of the visitor and of his window of time, or empty.
    """

    kind: ViewKind
    product_ids: tuple[UUID, ...]
    hour: dt.datetime
    is_bot: bool = False
    visitor: str = ""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What is taken from a buffer to be counted; ``id`` where the same batch can come a second time."""

    views: Sequence[Views]
    id: UUID | None = None


class ViewBuffer(Protocol):
    """Keeps views until they are counted. A request waits for ``add``; the roll-up calls the others."""

    def add(self, views: Views) -> None:
        """Keep the views as safely as the buffer promises, without waiting for another request."""

    def claim(self, *, limit: int) -> Batch | None:
        """Take at most ``limit`` answers, the oldest first, that nobody else has taken; ``None`` if there are none.

        Called within the transaction that counts them. If that fails, they come again: under the same ``id``, or
        because the transaction took them.
        """

    def settle(self, batch: Batch) -> None:
        """Forget a batch; called when the transaction that counted it is committed."""

    def pending(self) -> int:
        """Return how many answers wait to be counted."""

"""What the catalog asks of the outside: ways to tell an admin something, by dotted path in ``CHANNELS``."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID


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

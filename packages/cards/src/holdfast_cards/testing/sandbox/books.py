"""What the provider believes: its cards, its events, the requests that it saw, the answers that it saved."""

import datetime as dt
import itertools
import json
import secrets
import zlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

# A number and a code that no test data contains by chance: whatever keeps or logs them can be found.
CANARY_PAN = "4929731604817253"
CANARY_CVV = "CVV-CANARY-739"


class Happening(StrEnum):
    """What befalls a card on the provider's side, without a request of ours."""

    SHIP = "ship"
    DELIVER = "deliver"
    ACTIVATE = "activate"
    FREEZE = "freeze"
    CANCEL = "cancel"
    OPPOSE = "oppose"
    EXPIRE = "expire"
    FAIL = "fail"


@dataclass
class SandboxCard:
    """A card as the provider has it; ``status`` and ``detail`` are in the words of its dialect."""

    id: str
    owner: str
    color: str
    """``pink``, ``black``: what people see."""
    kind: str
    status: str
    created_at: float
    expires_on: dt.date
    reference: str = ""
    """Of the order that made it, where the dialect carries one."""
    detail: str = ""
    """Why it is in this status: Stripe's ``cancellation_reason``, Lithic's ``substatus``."""
    shipping: str = ""
    """Stripe's status of the parcel."""
    tracking_number: str = ""
    replaces: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    """What was asked for, to be echoed."""

    @property
    def last4(self) -> str:
        """By which people tell cards apart, although the number in all leaky answers is the same one."""
        return f"{zlib.crc32(self.id.encode()) % 10_000:04d}"

    def as_json(self) -> dict[str, Any]:
        """Return what the page shows."""
        shown = {name: value for name, value in vars(self).items() if name != "params"}
        return {**shown, "expires_on": self.expires_on.isoformat(), "last4": self.last4}


@dataclass
class Delivery:
    """One attempt to deliver a webhook."""

    at: float
    note: str
    """The status that the receiver answered, or why there was none."""


@dataclass
class SandboxEvent:
    """Something that the provider tells: by webhook, and to those who ask for its events."""

    id: str
    type: str
    created_at: float
    card_id: str
    payload: dict[str, Any]
    """The webhook's body."""
    deliveries: list[Delivery] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return what the page shows."""
        return {
            "id": self.id,
            "type": self.type,
            "at": self.created_at,
            "card_id": self.card_id,
            "deliveries": [vars(delivery) for delivery in self.deliveries],
        }


@dataclass
class SeenRequest:
    """A request that arrived, what befell it, and what was answered: without credentials."""

    number: int
    at: float
    method: str
    path: str
    operation: str
    key: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    fault: str = ""
    status: int | None = None
    """The status answered; ``None`` while it runs, and where the line was cut."""
    replayed: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return what the page shows."""
        return dict(vars(self))


@dataclass(frozen=True)
class Reply:
    """What the provider answers."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, status: int, document: Any, **headers: str) -> "Reply":
        """Return a JSON document."""
        body = json.dumps(document, separators=(",", ":")).encode()
        return cls(status, body, {"Content-Type": "application/json", **headers})


class Rejected(Exception):
    """The provider refuses a request; nothing was begun, so nothing is saved for its key."""

    def __init__(self, status: int, document: Any) -> None:
        super().__init__(f"{status}: {document}")
        self.reply = Reply.of(status, document)


class KeyInUse(Exception):
    """A request with the same key is being worked on."""


class KeyMismatch(Exception):
    """The key came before with other parameters."""


@dataclass
class Saved:
    """The answer to a key; none while the request is worked on."""

    fingerprint: str
    since: float
    reply: Reply | None = None


class SavedAnswers:
    """The idempotency layer: the first answer to a key is the answer, a server's error too, until it is forgotten."""

    def __init__(self, *, retention_seconds: float) -> None:
        self.retention_seconds = retention_seconds
        self.by_key: dict[str, Saved] = {}

    def begin(self, key: str, fingerprint: str, *, now: float) -> Reply | None:
        """Return the saved answer, or take the key for a request that begins. Raises ``KeyInUse``, ``KeyMismatch``."""
        saved = self.by_key.get(key)
        if saved is None or now - saved.since >= self.retention_seconds:
            self.by_key[key] = Saved(fingerprint, now)
            return None
        if saved.fingerprint != fingerprint:
            raise KeyMismatch
        if saved.reply is None:
            raise KeyInUse
        return saved.reply

    def save(self, key: str, reply: Reply) -> None:
        """Keep the answer."""
        if key in self.by_key:
            self.by_key[key].reply = reply

    def abandon(self, key: str) -> None:
        """Forget a request that came to nothing."""
        self.by_key.pop(key, None)


class Numbers:
    """Ids that come once: neither a reset nor another run of the sandbox gives one of them again.

    Whoever plugs the provider in keeps them in a database that outlives it.
    """

    def __init__(self) -> None:
        self._run = secrets.token_hex(4)
        self._next = itertools.count(1)

    def next(self) -> str:
        """Return the next one."""
        return f"{self._run}{next(self._next):06d}"

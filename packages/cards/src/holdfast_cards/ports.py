"""What cards ask of the outside; each is filled by dotted path in ``HOLDFAST_CARDS``.

A provider adapter turns requests into the provider's dialect and its answers into the few values below. It decides
nothing: whether to send again, to look the card up or to call a person follows from its declared ``Capabilities``.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from holdfast_cards.states import CardKind, CardState, OpposeReason, Outcome, ReplaceReason, Verb

# The primary key of the host's user model, of whatever type.
HolderId: TypeAlias = Any
# What JSON can hold, under text names.
Payload: TypeAlias = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a physical card is posted."""

    line1: str
    city: str
    postal_code: str
    country: str
    """Two letters, as ISO 3166-1 has them."""
    line2: str = ""
    state: str = ""


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A holder as the provider knows him: by its own id for him and, where it posts cards, name and address."""

    external_id: str
    name: str = ""
    address: Address | None = None


class HolderUnknown(LookupError):
    """The provider has no id for this holder (yet): he can have no card."""


class HolderReference(Protocol):
    """Knows under which id the provider knows a holder. Called outside any transaction."""

    def of(self, holder_id: HolderId) -> Holder:
        """Return the holder. Raises ``HolderUnknown``."""


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What a provider can do; how a lost answer is recovered is a pure function of it.

    Never promise what the provider does not: a look-up that overlooks a card makes a second one.
    """

    colors: tuple[str, ...]
    kinds: tuple[CardKind, ...] = (CardKind.PHYSICAL,)
    verbs: frozenset[Verb] = frozenset({Verb.ISSUE})
    idempotency_key: bool = False
    """``create`` with the same key and payload makes one card, however often it is sent."""
    key_retention_seconds: int = 86_400
    """For how long that holds at least."""
    find_by_reference: bool = False
    """``find_by_reference`` returns every card made with a reference of ours."""
    list_by_holder: bool = False
    """``list_by_holder`` returns every card of a holder, without telling which order made it."""
    get: bool = False
    webhooks: bool = False
    events: bool = False
    """``events`` repeats what webhooks may have lost."""


@dataclass(frozen=True, kw_only=True)
class CardOrder:
    """A card to be made; ``reference`` names the order, and a provider that can keeps it with the card."""

    reference: str
    holder: Holder
    color: str
    kind: CardKind = CardKind.PHYSICAL
    replaces: str = ""
    """The provider's id of the card that this one replaces."""
    replace_reason: ReplaceReason | None = None


@dataclass(frozen=True, kw_only=True)
class CardChange:
    """A change of a card; it names the state wanted, so that asking twice does no harm."""

    verb: Verb
    reason: OpposeReason | None = None


@dataclass(frozen=True, kw_only=True)
class ProviderCard:
    """A card as the provider has it, read by allow-list: no number, no code, nothing that we did not ask for."""

    id: str
    status: str
    """The provider's own word."""
    state: CardState | None
    """What that word means here; ``None`` where we do not know it."""
    inactive: bool = False
    """The provider has one word for not yet activated and for frozen; our own history tells which."""
    color: str = ""
    """Our name of its color; empty where the provider does not tell or we do not know it."""
    expires_on: dt.date | None = None
    """The last day on which it can be used."""
    last4: str = ""
    holder: str = ""
    reference: str = ""
    carrier: str = ""
    tracking_number: str = ""
    anomalies: tuple[str, ...] = ()
    """What could not be read or is not as it should be, in words like ``unreadable_expiry``."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came of a call that was to change something. An adapter never raises instead.

    ============= =============================================================================================
    DONE          the provider has done it; ``card`` is set. Also where all but the card's id is unreadable.
    REJECTED      it certainly has not, and will not: 400, 402, 422, and 404 where that is about a card or a holder.
    NOT_SENT      nothing left us: no address, no connection, no TLS, no free connection in the pool.
    LIMITED       it certainly has not, since we ask too often: 429.
    MISCONFIGURED it certainly has not, since it does not take us for whom we are: 401, 403, 405, any other 404.
    UNKNOWN       anything else: timeouts, cuts, 3xx, 408, 409, 5xx, a success without a readable id.
    ============= =============================================================================================
    """

    outcome: Outcome
    card: ProviderCard | None = None
    reason: str = ""
    """A short stable word for people and logs, as ``read_timeout`` or ``http_500``: never the provider's text."""
    http_status: int | None = None
    request_id: str = ""
    retry_after_seconds: float | None = None
    server_error: bool = False
    """The provider itself answered with an error of its own (5xx), which it may have saved for the key."""


class NoAnswer(Exception):
    """A read that failed: nothing is known, and nothing was changed."""

    def __init__(
        self, reason: str, *, retry_after_seconds: float | None = None, http_status: int | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.http_status = http_status
        self.retry_after_seconds = retry_after_seconds


class InvalidWebhook(Exception):
    """A webhook that is not what the provider signed, or not from now; the only error for whatever a stranger sends."""


@dataclass(frozen=True, kw_only=True)
class WebhookNotice:
    """A webhook, verified and read by allow-list: a hint that a card may have changed."""

    event_id: str
    type: str
    card_id: str = ""
    reference: str = ""
    """Of the order that made the card, where the webhook tells."""
    occurred_at: dt.datetime | None = None
    """By the provider's clock; compared with other times of the same clock only."""
    card: ProviderCard | None = None
    """The card as the webhook has it; only believed where the provider has no ``get``."""


@dataclass(frozen=True, kw_only=True)
class EventPage:
    """Notices that came after a cursor, oldest first, and where to go on."""

    notices: tuple[WebhookNotice, ...]
    cursor: str
    more: bool = False


class CardProvider(Protocol):
    """Makes cards. Every call but ``compose`` and ``read_webhook`` may use the network, outside any transaction.

    What ``capabilities`` does not promise is never called.
    """

    name: str
    """The word under which its cards and webhooks are kept, as ``stripe``."""
    capabilities: Capabilities

    def compose(self, order: CardOrder) -> Payload:
        """Return what ``create`` will send. Pure: it is stored before the first send, and later sends repeat it.

        Raises ``ValueError`` where the order lacks what the provider needs.
        """

    def create(self, payload: Payload, *, key: str) -> Answer:
        """Make the card; ``key`` is a UUID, the same for each repetition of the same attempt."""

    def change(self, card_id: str, change: CardChange, *, key: str) -> Answer:
        """Bring the card into the state that the change names; the answer's card is the card after it."""

    def get(self, card_id: str) -> ProviderCard | None:
        """Return the card, or ``None`` if there is none of that id. Raises ``NoAnswer``."""

    def find_by_reference(self, *, reference: str, holder: str) -> list[ProviderCard]:
        """Return every card made with the reference, which belongs to the holder. Raises ``NoAnswer``."""

    def list_by_holder(self, *, holder: str) -> list[ProviderCard]:
        """Return every card of the holder, all pages of them. Raises ``NoAnswer``."""

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> WebhookNotice:
        """Return a webhook after verifying its signature on the raw bytes. Raises ``InvalidWebhook``, nothing else."""

    def events(self, *, after: str) -> EventPage:
        """Return what came after the cursor; after ``""`` no notices, but the cursor of now. Raises ``NoAnswer``."""

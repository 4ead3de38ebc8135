"""What cards tell: frozen, versioned facts of plain values, one for each state that a card can come to.

``card_id`` is ours, never the provider's. ``source`` says where we learned it: an answer, a webhook, a refresh ...
"""

from holdfast.events import Event


class CardOrdered(Event, type="holdfast_cards.card_ordered.v1", key="card_id"):
    """The provider is making a card; ``color`` is the color that it has, ``replaces`` the card that it replaces."""

    card_id: str
    holder_id: str
    source: str
    color: str
    kind: str
    replaces: str | None = None


class CardSent(Event, type="holdfast_cards.card_sent.v1", key="card_id"):
    """A card is on its way to its holder."""

    card_id: str
    holder_id: str
    source: str


class CardActivated(Event, type="holdfast_cards.card_activated.v1", key="card_id"):
    """A card authorizes for the first time."""

    card_id: str
    holder_id: str
    source: str


class CardFrozen(Event, type="holdfast_cards.card_frozen.v1", key="card_id"):
    """A card authorizes nothing until it is unfrozen."""

    card_id: str
    holder_id: str
    source: str


class CardUnfrozen(Event, type="holdfast_cards.card_unfrozen.v1", key="card_id"):
    """A frozen card authorizes again."""

    card_id: str
    holder_id: str
    source: str


class CardCancelled(Event, type="holdfast_cards.card_cancelled.v1", key="card_id"):
    """A card was ended for good."""

    card_id: str
    holder_id: str
    source: str


class CardExpired(Event, type="holdfast_cards.card_expired.v1", key="card_id"):
    """The time of a card is over."""

    card_id: str
    holder_id: str
    source: str


class CardOpposed(Event, type="holdfast_cards.card_opposed.v1", key="card_id"):
    """A card was reported lost or stolen, and ended for good."""

    card_id: str
    holder_id: str
    source: str


class CardFailed(Event, type="holdfast_cards.card_failed.v1", key="card_id"):
    """A card was not made, or did not arrive."""

    card_id: str
    holder_id: str
    source: str


class ReviewNeeded(Event, type="holdfast_cards.review_needed.v1", key="card_id"):
    """Nobody but a person can find out what became of an operation; ``reason`` says why."""

    card_id: str
    operation_id: str
    verb: str
    reason: str


class DiscrepancyFound(Event, type="holdfast_cards.discrepancy_found.v1", key="discrepancy_id"):
    """The provider and we do not agree about a card; ``card_id`` is empty where we know of none."""

    discrepancy_id: str
    kind: str
    card_id: str


class WebhookStored(Event, type="holdfast_cards.webhook_stored.v1", key="notice_id"):
    """A verified webhook waits to be applied."""

    notice_id: str

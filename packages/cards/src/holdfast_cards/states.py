"""The words of cards."""

from django.db.models import TextChoices


class CardState(TextChoices):
    """How far a card has come; the last four are final."""

    REQUESTED = "requested", "Requested"
    ORDERED = "ordered", "Ordered"
    SENT = "sent", "Sent"
    ACTIVATED = "activated", "Activated"
    FROZEN = "frozen", "Frozen"
    CANCELLED = "cancelled", "Cancelled"
    EXPIRED = "expired", "Expired"
    OPPOSED = "opposed", "Opposed"
    FAILED = "failed", "Failed"


FINAL = frozenset({CardState.CANCELLED, CardState.EXPIRED, CardState.OPPOSED, CardState.FAILED})
LIVE = frozenset({CardState.ORDERED, CardState.SENT, CardState.ACTIVATED, CardState.FROZEN})


class CardKind(TextChoices):
    """What a card is made of."""

    PHYSICAL = "physical", "Physical"
    VIRTUAL = "virtual", "Virtual"


class Verb(TextChoices):
    """What a provider is asked to do with a card."""

    ISSUE = "issue", "Issue"
    REPLACE = "replace", "Replace"
    ACTIVATE = "activate", "Activate"
    FREEZE = "freeze", "Freeze"
    UNFREEZE = "unfreeze", "Unfreeze"
    CANCEL = "cancel", "Cancel"
    OPPOSE = "oppose", "Oppose"


MAKING = frozenset({Verb.ISSUE, Verb.REPLACE})
"""The verbs that make a card: asked twice, there may be two. Every other verb names a state, and may be repeated."""

ENDING = frozenset({Verb.CANCEL, Verb.OPPOSE})
"""The verbs that end a card. What ends it does not wait for what else is done to it."""


class OpposeReason(TextChoices):
    """Why a holder opposes a card."""

    LOST = "lost", "Lost"
    STOLEN = "stolen", "Stolen"


class ReplaceReason(TextChoices):
    """Why a holder needs another card in place of one."""

    DAMAGED = "damaged", "Damaged"
    EXPIRED = "expired", "Expired"
    LOST = "lost", "Lost"
    STOLEN = "stolen", "Stolen"


class Outcome(TextChoices):
    """What is known of a call that was to change something at the provider."""

    DONE = "done", "Done"
    REJECTED = "rejected", "Rejected"
    NOT_SENT = "not_sent", "Not sent"
    LIMITED = "limited", "Asked to wait"
    MISCONFIGURED = "misconfigured", "Misconfigured"
    UNKNOWN = "unknown", "Unknown"


class OperationState(TextChoices):
    """How far an operation has come; the last two are final."""

    PENDING = "pending", "Pending"
    IN_FLIGHT = "in_flight", "In flight"
    UNKNOWN = "unknown", "Outcome unknown"
    NEEDS_REVIEW = "needs_review", "Needs review"
    SUCCEEDED = "succeeded", "Succeeded"
    REJECTED = "rejected", "Rejected"


OPEN = frozenset(set(OperationState) - {OperationState.SUCCEEDED, OperationState.REJECTED})


class Source(TextChoices):
    """Where we learned that a card is in another state."""

    REQUEST = "request", "The holder's request"
    ANSWER = "answer", "The provider's answer"
    LOOKUP = "lookup", "A look-up at the provider"
    WEBHOOK = "webhook", "A webhook"
    REFRESH = "refresh", "A refresh"
    EXPIRY = "expiry", "The date on the card"
    OPERATOR = "operator", "An operator"


class NoticeState(TextChoices):
    """How far a stored webhook has come."""

    NEW = "new", "New"
    DEFERRED = "deferred", "Deferred"
    DONE = "done", "Done"
    IGNORED = "ignored", "Ignored"
    FAILED = "failed", "Failed"


class DiscrepancyKind(TextChoices):
    """In what the provider and we do not agree."""

    UNKNOWN_CARD = "unknown_card", "A card that we do not know"
    EXTRA_CARD = "extra_card", "A second card for one order"
    COLOR = "color", "A card of another color"
    RESURRECTION = "resurrection", "A final card lives"
    MISSING = "missing", "A card that the provider does not know"


class DiscrepancyState(TextChoices):
    """Whether somebody still has to look at it."""

    OPEN = "open", "Open"
    RESOLVED = "resolved", "Resolved"

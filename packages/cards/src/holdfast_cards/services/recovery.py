"""What to do about an operation next: a pure function of what we know and of what the provider can do.

No time here is the provider's. What was sent, when, and which cards the holder had before, we wrote down ourselves; a
clock of ours that runs a minute ahead of the provider's changes nothing.
"""

import datetime as dt
import secrets
from dataclasses import dataclass

from holdfast_cards.conf import settings
from holdfast_cards.models import Operation
from holdfast_cards.ports import Capabilities

SAVED_AFTER = 2
"""After so many errors of the provider for one key, the error may be what it has saved for that key."""

_random = secrets.SystemRandom()


@dataclass(frozen=True)
class Send:
    """Call the provider: a repetition within a generation, a new call in the next one."""

    generation: int


@dataclass(frozen=True)
class LookUp:
    """Ask the provider what there is."""


@dataclass(frozen=True)
class Wait:
    """It is too early to tell."""

    until: dt.datetime


@dataclass(frozen=True)
class Review:
    """Only a person, or a webhook, can tell."""

    reason: str


Step = Send | LookUp | Wait | Review


def decide(*, operation: Operation, capabilities: Capabilities, now: dt.datetime) -> Step:
    """Return the next step of an operation whose turn it is."""
    if now - operation.trying_since > dt.timedelta(seconds=settings.GIVE_UP_SECONDS):
        return Review("too_old")
    if operation.makes_a_card:
        return _of_making(operation, capabilities, now)
    return _of_change(operation, capabilities, now)


def after_another(*, operation: Operation, now: dt.datetime) -> dt.datetime:
    """Return when an operation that waits for another one looks again: after as long again as it has waited.

    The other one may take a person.
    """
    waited = (now - operation.created_at).total_seconds()
    seconds = min(max(waited, settings.RETRY_SECONDS, 1.0), max(settings.RETRY_MAX_SECONDS, 1.0))
    return now + dt.timedelta(seconds=seconds)


def pause_seconds(*, attempts: int, asked: float | None = None) -> float:
    """Return how long to wait after so many attempts: as asked, or else anything up to a bound that doubles.

    With all of the wait at random (full jitter), what failed together does not return together.
    """
    longest: float = settings.RETRY_MAX_SECONDS
    if asked is not None:
        return min(max(asked, 0.0), longest)
    bound: float = min(settings.RETRY_SECONDS * 2 ** min(attempts, 30), longest)
    return _random.uniform(0, bound)


def _of_making(operation: Operation, capabilities: Capabilities, now: dt.datetime) -> Step:
    if operation.first_sent_at is None or operation.last_sent_at is None:
        return Send(operation.generation)  # certainly never sent
    if capabilities.idempotency_key and operation.server_errors < SAVED_AFTER:
        # The provider counts from the key's first use, as we do, with an hour to spare.
        kept = capabilities.key_retention_seconds - settings.KEY_MARGIN_SECONDS
        if now < operation.first_sent_at + dt.timedelta(seconds=kept):
            return Send(operation.generation)
    if capabilities.find_by_reference or (capabilities.list_by_holder and operation.baseline is not None):
        # A call that was cut may still be on its way to the provider: for a while, "there is none" proves nothing.
        believable = operation.last_sent_at + dt.timedelta(seconds=settings.SETTLE_SECONDS)
        return LookUp() if now >= believable else Wait(believable)
    return Review("outcome_unknown")


def _of_change(operation: Operation, capabilities: Capabilities, now: dt.datetime) -> Step:
    if operation.card.provider_card_id is None:
        return Wait(after_another(operation=operation, now=now))  # the card is still being made: that comes first
    if operation.sends == 0:
        return Send(operation.generation)
    # A change names the state wanted, so that sent twice it does no harm. Each time it has a key of its own: an error
    # that the provider saved for the last key is not heard again.
    return LookUp() if capabilities.get else Send(operation.generation + 1)

"""Two subscribers: one that counts what arrives, one whose effect must happen once."""

from holdfast.events import Envelope
from holdfast.outbox import exactly_once, subscribe
from tests.foundation.outbox.campaign.events import StepTaken
from tests.foundation.outbox.campaign.models import Receipt


@subscribe(StepTaken, name="campaign.watch")
def watch(envelope: Envelope[StepTaken]) -> None:
    """Note each arrival."""
    _note("watch", envelope)


@subscribe(StepTaken, name="campaign.apply")
@exactly_once
def apply(envelope: Envelope[StepTaken]) -> None:
    """Note each event once."""
    _note("apply", envelope)


def _note(consumer: str, envelope: Envelope[StepTaken]) -> None:
    event = envelope.event
    Receipt.objects.create(consumer=consumer, walker=event.walker, step=event.step, event_uid=envelope.id)

"""The facts of the campaign: numbered for each key, so that order and loss can be told."""

from holdfast.events import Event


class StepTaken(Event, type="outbox_campaign.step_taken.v1", key="walker"):
    """A walker took its next step."""

    walker: str
    step: int

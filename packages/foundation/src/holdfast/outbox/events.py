"""What the outbox tells of itself."""

from holdfast.events import Event


class WebhookDisabled(Event, type="holdfast.webhook_disabled.v1", key="endpoint_id"):
    """A webhook endpoint was disabled, by itself or because its receiver said that it is gone."""

    endpoint_id: str
    name: str
    url: str
    reason: str


class WebhookTested(Event, type="holdfast.webhook_tested.v1", key="endpoint_id"):
    """Somebody pressed the test button: sent to that endpoint and to nobody else."""

    endpoint_id: str
    name: str

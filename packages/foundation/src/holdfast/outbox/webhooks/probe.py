"""The test button: one signed webhook, at once, to one endpoint, outside the outbox."""

from dataclasses import dataclass
from http.client import HTTPException

from django.utils import timezone

from holdfast.events import Envelope
from holdfast.ids import uuid7
from holdfast.outbox.events import WebhookTested
from holdfast.outbox.models import WebhookEndpoint
from holdfast.outbox.webhooks.addresses import Refused
from holdfast.outbox.webhooks.sink import WebhookSink
from holdfast.outbox.webhooks.vault import SealBroken


@dataclass(frozen=True)
class Probe:
    """What came of it."""

    succeeded: bool
    detail: str


def send_test(endpoint: WebhookEndpoint) -> Probe:
    """Send a test event and say in words what the receiver did with it. Do not call this inside a transaction."""
    event = WebhookTested(endpoint_id=str(endpoint.pk), name=endpoint.name)
    envelope: Envelope[WebhookTested] = Envelope(
        id=uuid7(),
        sequence=0,
        type=event.type,
        key=event.key,
        payload=event.payload(),
        headers={},
        occurred_at=timezone.now(),
    )
    sink = WebhookSink(endpoint)
    try:
        answer = sink.send(envelope)
    except (Refused, OSError, HTTPException, SealBroken) as error:
        return Probe(succeeded=False, detail=f"{type(error).__name__}: {error}")
    finally:
        sink.close()
    return Probe(succeeded=200 <= answer.status < 300, detail=f"The receiver answered {answer.status}.")

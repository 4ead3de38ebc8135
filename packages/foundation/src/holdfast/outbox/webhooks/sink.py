"""Delivering an event to a webhook endpoint, and drawing the conclusions."""

import datetime as dt
import http.client
import json
import time
from email.utils import parsedate_to_datetime
from typing import Any

from django.utils import timezone

from holdfast.events import Envelope
from holdfast.outbox.circuit import Circuit
from holdfast.outbox.conf import settings
from holdfast.outbox.models import WebhookEndpoint
from holdfast.outbox.retry import DeliveryFailed
from holdfast.outbox.webhooks import endpoints, vault
from holdfast.outbox.webhooks.addresses import Refused
from holdfast.outbox.webhooks.sender import Answer, Sender
from holdfast.outbox.webhooks.signing import ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, key_of, sign

GONE = 410
# The receiver, or what stands before it, has too much to do.
BUSY = frozenset({429, 502, 503, 504})
EXCERPT_LENGTH = 500
NOTE_SECONDS = 60.0
KEYS_SECONDS = 60.0

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


class WebhookSink:
    """One endpoint, as of its last change."""

    def __init__(self, endpoint: WebhookEndpoint) -> None:
        self.endpoint_id = endpoint.pk
        self.concurrency: int = settings.WEBHOOK_ENDPOINT_CONCURRENCY
        self._sender = Sender(endpoint.url)
        self._circuit = Circuit()
        self._endpoint = endpoint
        self._noted_at = self._opened_at = float("-inf")
        self._opened: list[bytes] = []
        self._failing = endpoint.failing_since is not None

    def ready(self) -> bool:
        """Whether the circuit is closed, or it is time for a probe."""
        return self._circuit.ready()

    def admit(self) -> bool:
        """Whether this one may be sent."""
        return self._circuit.admit()

    def deliver(self, envelope: Envelope[Any]) -> int:
        """Post an event, signed; return the status. Raises ``DeliveryFailed``."""
        try:
            answer = self.send(envelope)
        except Refused as refused:
            raise self._failure(str(refused)) from refused
        except (OSError, http.client.HTTPException, vault.SealBroken) as error:
            raise self._failure(f"{type(error).__name__}: {error}") from error
        if not 200 <= answer.status < 300:
            raise self._rejection(answer)
        self._succeeded()
        return answer.status

    def send(self, envelope: Envelope[Any]) -> Answer:
        """Post an event, signed, and return whatever the receiver answers."""
        body = body_of(envelope)
        message_id, timestamp = str(envelope.id), int(time.time())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Holdfast-Webhooks/1",
            ID_HEADER: message_id,
            TIMESTAMP_HEADER: str(timestamp),
            SIGNATURE_HEADER: sign(self._keys(), message_id, timestamp, body),
        }
        return self._sender.post(body, headers)

    def close(self) -> None:
        """Close the kept connections."""
        self._sender.close()

    def _keys(self) -> list[bytes]:
        # Opening the seal costs more than signing; an old secret's end may be this much late.
        if time.monotonic() - self._opened_at > KEYS_SECONDS:
            self._opened = [key_of(secret) for secret in vault.active_secrets(self._endpoint)]
            self._opened_at = time.monotonic()
        return self._opened

    def _rejection(self, answer: Answer) -> DeliveryFailed:
        excerpt = answer.body[:EXCERPT_LENGTH].decode(errors="replace").replace("\0", "")
        detail = f"HTTP {answer.status}: {excerpt}"
        if answer.status == GONE:
            endpoints.disable_endpoint(endpoint_id=self.endpoint_id, reason="The receiver answered 410 Gone.")
            return DeliveryFailed(detail, status=GONE, final=True)
        after = retry_after_seconds(answer.retry_after)
        if answer.status in BUSY and after:
            self._circuit.pause(min(after, settings.RETRY_AFTER_MAX_SECONDS))
        return self._failure(detail, status=answer.status, after_seconds=after)

    def _failure(self, detail: str, *, status: int | None = None, after_seconds: float | None = None) -> DeliveryFailed:
        self._circuit.failed()
        self._failing = True
        endpoints.note_failure(endpoint_id=self.endpoint_id)
        return DeliveryFailed(detail, status=status, after_seconds=after_seconds)

    def _succeeded(self) -> None:
        self._circuit.succeeded()
        # Another relay may have noted a failure that we know nothing of: now and then we look.
        if self._failing or time.monotonic() - self._noted_at > NOTE_SECONDS:
            self._failing = False
            self._noted_at = time.monotonic()
            endpoints.note_success(endpoint_id=self.endpoint_id)


def body_of(envelope: Envelope[Any]) -> bytes:
    """Return the body: type, time of the event, its fields."""
    return _encode(
        {"type": envelope.type, "timestamp": envelope.occurred_at.isoformat(), "data": envelope.payload}
    ).encode()


def retry_after_seconds(value: str | None) -> float | None:
    """Read a ``Retry-After`` header: seconds or a date; what is neither says nothing."""
    if value is None:
        return None
    if value.isascii() and value.isdigit() and len(value) < 10:
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return max(0.0, (moment - timezone.now()).total_seconds())

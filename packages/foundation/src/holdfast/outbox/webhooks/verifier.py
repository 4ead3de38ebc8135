"""The receiver's side: whether a webhook is from who it says, new, and whole.

::

    def receive(request):
        try:
            webhook = verify(request.headers, request.body, secrets=[settings.SENDER_SECRET])
        except InvalidWebhook:
            return HttpResponse(status=400)

Whatever a stranger sends, there is one error. Use ``webhook.id`` to apply each event once.
"""

import base64
import binascii
import datetime as dt
import hmac
import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from holdfast.outbox.webhooks.signing import ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, key_of, sign

TOLERANCE_SECONDS = 300
MAX_SIGNATURES = 16
MAX_HEADER_LENGTH = 4096

_ID = re.compile(r"[\x21-\x7e]{1,256}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


class InvalidWebhook(Exception):
    """The webhook is not what its sender signed, or not from now."""


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """A webhook that was verified: ``id`` is the same each time the event is sent, ``sent_at`` is not."""

    id: str
    sent_at: dt.datetime
    payload: dict[str, Any]


def verify(
    headers: Mapping[str, str],
    body: bytes,
    *,
    secrets: Sequence[str],
    tolerance_seconds: float = TOLERANCE_SECONDS,
    now: float | None = None,
) -> Webhook:
    """Return a webhook that one of these secrets signed, not longer ago (or ahead) than the tolerance.

    Header names are found in any case. Raises ``InvalidWebhook`` on any hostile input, and ``BadSecret`` if a secret of
    ours is none.
    """
    keys = [key_of(secret) for secret in secrets]
    message_id, timestamp, signatures = _read(headers)
    if abs((time.time() if now is None else now) - timestamp) > tolerance_seconds:
        raise InvalidWebhook("The timestamp is too old or too new.")
    expected = [_decode(one) for one in sign(keys, message_id, timestamp, body).split(" ") if one]
    # All pairs, so that the time it takes does not tell which one was near.
    if not any([hmac.compare_digest(ours, theirs) for ours in expected for theirs in signatures]):  # noqa: C419 - as it says
        raise InvalidWebhook("No signature fits.")
    return Webhook(id=message_id, sent_at=dt.datetime.fromtimestamp(timestamp, tz=dt.UTC), payload=_payload(body))


def _read(headers: Mapping[str, str]) -> tuple[str, int, list[bytes]]:
    wanted = dict.fromkeys((ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER), "")
    for name, value in headers.items():
        if isinstance(name, str) and isinstance(value, str) and name.lower() in wanted:
            wanted[name.lower()] = value
    message_id, timestamp, signature = wanted.values()
    if not _ID.fullmatch(message_id):
        raise InvalidWebhook("The webhook-id header is missing or malformed.")
    if not _TIMESTAMP.fullmatch(timestamp) or int(timestamp) > _LAST_TIMESTAMP:
        raise InvalidWebhook("The webhook-timestamp header is missing or malformed.")
    if len(signature) > MAX_HEADER_LENGTH:
        raise InvalidWebhook("The webhook-signature header is too long.")
    signatures = [_decode(one) for one in signature.split(" ")[:MAX_SIGNATURES] if one.startswith("v1,")]
    if not signatures:
        raise InvalidWebhook("The webhook-signature header has no signature of version 1.")
    return message_id, int(timestamp), signatures


def _decode(signature: str) -> bytes:
    try:
        return base64.b64decode(signature.removeprefix("v1,"), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidWebhook("A signature is not base64.") from None


def _payload(body: bytes) -> dict[str, Any]:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidWebhook("The body is not JSON.") from None
    if not isinstance(payload, dict):
        raise InvalidWebhook("The body is not a JSON object.")
    return payload


# The end of the calendar: what is beyond it is no moment.
_LAST_TIMESTAMP = int(dt.datetime.max.replace(tzinfo=dt.UTC).timestamp())

"""Signatures of webhooks: the foundation's verifier for Standard Webhooks, and Stripe's own scheme.

Both look at the raw bytes, before anything is parsed, and have one error for whatever a stranger sends.
"""

import hashlib
import hmac
import json
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.outbox.webhooks import signing, verifier
from holdfast_cards.ports import InvalidWebhook

STRIPE_HEADER = "stripe-signature"
TOLERANCE_SECONDS = 300
MAX_HEADER_LENGTH = 4_096
MAX_SIGNATURES = 16

_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_SIGNATURE = re.compile(r"[0-9a-f]{64}")


def standard_secrets(secrets: Sequence[str]) -> tuple[str, ...]:
    """Return secrets of Standard Webhooks, found well-formed. Raises ``ValueError``."""
    for secret in secrets:
        signing.key_of(secret)
    return tuple(secrets)


def verify_standard(headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str]) -> verifier.Webhook:
    """Return a webhook that one of the secrets signed, by Standard Webhooks. Raises ``InvalidWebhook``."""
    try:
        return verifier.verify(headers, body, secrets=secrets, tolerance_seconds=TOLERANCE_SECONDS)
    except verifier.InvalidWebhook as error:
        raise InvalidWebhook(str(error)) from None


def verify_stripe(
    headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str], now: float | None = None
) -> dict[str, Any]:
    """Return the JSON object that one of the secrets signed, not longer ago (or ahead) than the tolerance.

    ``t=<seconds>,v1=<hex of HMAC-SHA256 over t.body>``, the secret taken as the text that it is. Raises
    ``InvalidWebhook``.
    """
    timestamp, signatures = _read_stripe(headers)
    if abs((time.time() if now is None else now) - int(timestamp)) > TOLERANCE_SECONDS:
        raise InvalidWebhook("The timestamp is too old or too new.")
    signed = timestamp.encode() + b"." + body
    expected = [hmac.digest(secret.encode(), signed, hashlib.sha256).hex() for secret in secrets]
    # All pairs, so that the time it takes does not tell which one was near.
    if not any([hmac.compare_digest(ours, theirs) for ours in expected for theirs in signatures]):  # noqa: C419 - as it says
        raise InvalidWebhook("No signature fits.")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidWebhook("The body is not JSON.") from None
    if not isinstance(document, dict):
        raise InvalidWebhook("The body is not a JSON object.")
    return document


def _read_stripe(headers: Mapping[str, str]) -> tuple[str, list[str]]:
    header = next((value for name, value in headers.items() if name.lower() == STRIPE_HEADER), "")
    if not header or len(header) > MAX_HEADER_LENGTH:
        raise InvalidWebhook("The Stripe-Signature header is missing or too long.")
    parts = [part.strip().partition("=") for part in header.split(",")]
    timestamps = [value for name, _, value in parts if name == "t"]
    signatures = [value for name, _, value in parts if name == "v1" and _SIGNATURE.fullmatch(value)]
    if len(timestamps) != 1 or not _TIMESTAMP.fullmatch(timestamps[0]):
        raise InvalidWebhook("The Stripe-Signature header has no timestamp.")
    if not signatures:
        raise InvalidWebhook("The Stripe-Signature header has no signature of version 1.")
    return timestamps[0], signatures[:MAX_SIGNATURES]

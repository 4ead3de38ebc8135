"""Signatures of Standard Webhooks 1.0: HMAC-SHA256 over id, timestamp and the body's very bytes."""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable

PREFIX = "whsec_"
SECRET_BYTES = 32
# What the specification allows a secret to have.
SECRET_BYTES_RANGE = range(24, 65)

ID_HEADER = "webhook-id"
TIMESTAMP_HEADER = "webhook-timestamp"
SIGNATURE_HEADER = "webhook-signature"


class BadSecret(ValueError):
    """The secret is not ``whsec_`` and 24 to 64 bytes in base64."""


def generate_secret() -> str:
    """Return a new secret."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """Return the key that a secret stands for. Raises ``BadSecret``."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise BadSecret("A webhook secret is whsec_ and base64.") from None
    if len(key) not in SECRET_BYTES_RANGE:
        raise BadSecret(f"A webhook secret has 24 to 64 bytes, not {len(key)}.")
    return key


def sign(keys: Iterable[bytes], message_id: str, timestamp: int, body: bytes) -> str:
    """Return the signature header: one signature for each key, so that secrets can be rotated without a pause."""
    content = b"%s.%d.%s" % (message_id.encode(), timestamp, body)
    return " ".join("v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode() for key in keys)

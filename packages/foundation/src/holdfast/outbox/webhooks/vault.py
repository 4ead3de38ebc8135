"""Secrets at rest: sealed under ``SECRET_KEY`` and its fallbacks, so that a leaked backup signs nothing.

A rotation of ``SECRET_KEY`` needs the old key among the fallbacks until each endpoint was saved once more, as sessions
do.
"""

import base64
import datetime as dt
import json
from typing import TypedDict

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils import timezone
from django.utils.crypto import salted_hmac

from holdfast.outbox.models import WebhookEndpoint
from holdfast.outbox.webhooks.signing import key_of

_SALT = "holdfast.outbox.webhooks.vault"


class Sealed(TypedDict):
    """A secret, and until when it signs: ``None`` for the newest."""

    secret: str
    until: str | None


class SealBroken(Exception):
    """The secrets cannot be opened: they were sealed under another SECRET_KEY that is not among the fallbacks."""


def put(endpoint: WebhookEndpoint, secret: str, *, overlap: dt.timedelta) -> None:
    """Make a secret the endpoint's first; those before it go on signing for the overlap. Does not save.

    Raises ``BadSecret``.
    """
    key_of(secret)
    now = timezone.now()
    kept = [
        {"secret": old["secret"], "until": old["until"] or (now + overlap).isoformat()}
        for old in _open(endpoint)
        if _lives(old, now)
    ]
    text = json.dumps([{"secret": secret, "until": None}, *kept])
    endpoint.sealed_secrets = _box().encrypt(text.encode()).decode()


def active_secrets(endpoint: WebhookEndpoint) -> list[str]:
    """Return the secrets that sign now, the newest first. Raises ``SealBroken``."""
    now = timezone.now()
    return [item["secret"] for item in _open(endpoint) if _lives(item, now)]


def _lives(item: Sealed, now: dt.datetime) -> bool:
    return item["until"] is None or dt.datetime.fromisoformat(item["until"]) > now


def _open(endpoint: WebhookEndpoint) -> list[Sealed]:
    if not endpoint.sealed_secrets:
        return []
    try:
        opened: list[Sealed] = json.loads(_box().decrypt(endpoint.sealed_secrets.encode()))
    except InvalidToken:
        raise SealBroken(f"The secrets of {endpoint.name!r} cannot be opened: rotate them.") from None
    return opened


def _box() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet(
        [
            Fernet(base64.urlsafe_b64encode(salted_hmac(_SALT, "", secret=key, algorithm="sha256").digest()))
            for key in keys
        ]
    )

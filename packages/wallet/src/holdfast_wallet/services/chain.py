"""What a link of the hash chain is made of."""

import datetime as dt
import json
from hashlib import sha256
from typing import Any

from holdfast_wallet.models import Transfer

_COLUMNS = (
    "number",
    "id",
    "source_id",
    "target_id",
    "amount_minor",
    "currency",
    "source_balance_minor",
    "target_balance_minor",
    "source_version",
    "target_version",
    "kind",
    "journal_id",
    "reverses_id",
    "hold_id",
    "effective_at",
    "recorded_at",
    "metadata",
    # Whose accounts they were, for good: money could change hands without a transfer otherwise.
    "source__owner_id",
    "source__role",
    "target__owner_id",
    "target__role",
)


def digest_of(previous: str, *, first: int, last: int, using: str) -> tuple[str, int]:
    """Return the digest over the link before and the transfers of some numbers, and how many they are."""
    digest = sha256(previous.encode())
    count = 0
    rows = Transfer.objects.using(using).filter(number__range=(first, last)).order_by("number").values_list(*_COLUMNS)
    for row in rows.iterator(chunk_size=2_000):
        digest.update(b"\n" + canonical(row))
        count += 1
    return digest.hexdigest(), count


def canonical(row: tuple[Any, ...]) -> bytes:
    """Return a transfer's columns as bytes: the same on every database and in every time zone."""
    return json.dumps(row, default=_plain, sort_keys=True, separators=(",", ":")).encode()


def _plain(value: object) -> str:
    return value.astimezone(dt.UTC).isoformat(timespec="microseconds") if isinstance(value, dt.datetime) else str(value)

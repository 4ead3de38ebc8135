"""Writing an event: one plain INSERT in the caller's transaction, whatever the number of subscribers."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zlib import crc32

from django.db import connections, router, transaction

from holdfast import tracing
from holdfast.events import Event
from holdfast.ids import uuid7
from holdfast.outbox.models import OutboxEvent

PARTITIONS = 64

_COLUMNS = "uid, type, key, part, payload, headers, occurred_at, routed"


def partition(key: str) -> int:
    """Return the partition of a key: computed here, so that every database and every process agree."""
    return crc32(key.encode()) % PARTITIONS


def emit(event: Event, *, using: str | None = None) -> UUID:
    """Write an event in the caller's transaction and return its id.

    Raises ``TransactionManagementError`` outside a transaction: there, the event could be told although what it tells did not
    happen, or the other way round.
    """
    return emit_many([event], using=using)[0]


def emit_many(events: Sequence[Event], *, using: str | None = None) -> list[UUID]:
    """Write several events with one INSERT; see ``emit``."""
    ...

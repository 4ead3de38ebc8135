"""Identifiers that sort by the time they were made (UUID version 7, RFC 9562, section 5.7)."""

import secrets
import threading
import time
from uuid import UUID

_lock = threading.Lock()
_last = 0


def uuid7() -> UUID:
    """Return a new UUIDv7, greater than each one that this process made before.

    The 12 bits behind the millisecond hold its fraction (RFC 9562, section 6.2, method 3), so that ids made within one
    millisecond still sort by time; 62 random bits make them unguessable enough to be unique, not to be a secret.
    """
    global _last  # noqa: PLW0603 - the counter is what makes the ids of one process monotonic
    with _lock:
        moment = (time.time_ns() << 12) // 1_000_000
        _last = moment = max(moment, _last + 1)
    milliseconds, fraction = moment >> 12, moment & 0xFFF
    return UUID(int=milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | secrets.randbits(62))

"""What the counter server has counted: for the pages and the health check, which read what the relay tells it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from django.conf import settings

from holdfast.http import Limits, Lost, NotSent, Transport

LIMITS = Limits(connect_seconds=0.5, read_seconds=0.5, total_seconds=0.5, max_bytes=4 * 1024 * 1024)


class CounterServerSilent(Exception):
    """The counter server did not answer in time, or with something else than counters."""


@dataclass(frozen=True)
class Counted:
    """What was counted: of each user, by the id that the events name."""

    users: Mapping[str, Mapping[str, int]]
    total: Mapping[str, int]


def read_counters() -> Counted:
    """Ask the counter server, and do not wait for long. Raises ``CounterServerSilent``."""
    transport = Transport(urljoin(settings.COUNTER_URL, "counters"), headers={}, limits=LIMITS)
    try:
        reply = transport.send("GET")
        # Whatever else it says, has no counters in it.
        document: dict[str, Any] = reply.document()
        return Counted(users=document["users"], total=document["total"])
    except (NotSent, Lost, KeyError, TypeError) as error:
        raise CounterServerSilent from error
    finally:
        transport.close()

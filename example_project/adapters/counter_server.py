"""What the counter server has counted: for the pages and the health check, which read what the relay tells it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import httpx
from django.conf import settings

ANSWER_SECONDS = 0.5


class CounterServerSilent(Exception):
    """The counter server did not answer in time, or with something else than counters."""


@dataclass(frozen=True)
class Counted:
    """What was counted: of each user, by the id that the events name."""

    users: Mapping[str, Mapping[str, int]]
    total: Mapping[str, int]


def read_counters() -> Counted:
    """Ask the counter server, and do not wait for long. Raises ``CounterServerSilent``."""
    try:
        answer = httpx.get(urljoin(settings.COUNTER_URL, "counters"), timeout=ANSWER_SECONDS, trust_env=False)
        answer.raise_for_status()
        document: dict[str, Any] = answer.json()
        return Counted(users=document["users"], total=document["total"])
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        raise CounterServerSilent from error

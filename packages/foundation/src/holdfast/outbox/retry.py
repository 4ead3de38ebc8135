"""When a failed delivery is tried again, and when it is given up."""

import secrets

from holdfast.outbox.conf import settings

JITTER = 0.2

_random = secrets.SystemRandom()


class DeliveryFailed(Exception):
    """An attempt failed; raised by sinks, and by handlers that know more than that they failed."""

    def __init__(
        self, detail: str = "", *, status: int | None = None, after_seconds: float | None = None, final: bool = False
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.after_seconds = after_seconds
        self.final = final


class RetryLater(DeliveryFailed):
    """Raise this in a handler to be called again after so many seconds, an expected delay instead of a bug."""

    def __init__(self, after_seconds: float, detail: str = "") -> None:
        super().__init__(detail or f"Asked to be called again after {after_seconds:g} s.", after_seconds=after_seconds)


class GiveUp(DeliveryFailed):
    """Raise this in a handler for an event that no repetition will make succeed: it is dead at once."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail, final=True)


def delay_seconds(attempts: int, asked_seconds: float | None = None) -> float | None:
    """Return how long to wait after so many failed attempts, or ``None``: give it up.

    What the receiver asked for counts where it is longer than the schedule, up to ``RETRY_AFTER_MAX_SECONDS``. Jitter
    keeps what failed together from returning together.
    """
    schedule = settings.RETRY_SECONDS
    if attempts > len(schedule):
        return None
    seconds = float(schedule[attempts - 1]) * _random.uniform(1 - JITTER, 1 + JITTER)
    return max(seconds, min(asked_seconds or 0.0, settings.RETRY_AFTER_MAX_SECONDS))

"""The provider's clock: the machine's, moved by hand."""

import datetime as dt
import threading
import time


class SandboxClock:
    """Runs as the machine's clock does, from wherever it was set; ours need not agree with it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ahead = 0.0

    @property
    def ahead_seconds(self) -> float:
        """How far it is ahead of the machine's clock."""
        return self._ahead

    def now(self) -> float:
        """Return the seconds since the epoch, as the provider counts them."""
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Move it on (or back)."""
        with self._lock:
            self._ahead += seconds


def moment(timestamp: float) -> dt.datetime:
    """Return a timestamp as a moment of UTC."""
    return dt.datetime.fromtimestamp(timestamp, tz=dt.UTC)

"""A circuit breaker: who is down is asked seldom, and nothing spends its attempts on him."""

import threading
import time

OPENS_AFTER = 20
PROBE_SECONDS = 30.0


class Circuit:
    """Opens after so many failures in a row; then one probe for each interval, until one succeeds."""

    def __init__(self, *, opens_after: int = OPENS_AFTER, probe_seconds: float = PROBE_SECONDS) -> None:
        self._opens_after = opens_after
        self._probe_seconds = probe_seconds
        self._lock = threading.Lock()
        self._failures = 0
        self._silent_until = 0.0

    def ready(self) -> bool:
        """Whether something may be sent."""
        return time.monotonic() >= self._silent_until

    def admit(self) -> bool:
        """Whether this one may be sent; with an open circuit, who asks first when the time has come is the probe."""
        with self._lock:
            if not self.ready():
                return False
            if self._failures >= self._opens_after:
                self._silent_until = time.monotonic() + self._probe_seconds
            return True

    def succeeded(self) -> None:
        """Close the circuit."""
        with self._lock:
            self._failures = 0
            self._silent_until = 0.0

    def failed(self) -> None:
        """Count a failure, and open the circuit if it is one too many."""
        with self._lock:
            self._failures += 1
            if self._failures >= self._opens_after:
                self._silent_until = time.monotonic() + self._probe_seconds

    def pause(self, seconds: float) -> None:
        """Send nothing for so long: the receiver asked for it."""
        with self._lock:
            self._silent_until = max(self._silent_until, time.monotonic() + seconds)

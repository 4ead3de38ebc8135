"""How the provider tells: signed, in order, again where nobody listened; unless a fault says otherwise."""

import contextlib
import heapq
import http.client
import itertools
import json
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from holdfast.outbox.webhooks.signing import generate_secret
from holdfast_cards.testing.sandbox.books import Delivery, SandboxEvent
from holdfast_cards.testing.sandbox.clock import SandboxClock
from holdfast_cards.testing.sandbox.dialects import Dialect
from holdfast_cards.testing.sandbox.faults import Fault, FaultKind, Faults, On

TIMEOUT_SECONDS = 10.0
# When a webhook is sent again that nobody took, by the provider's clock.
RETRY_SECONDS = (5.0, 30.0, 300.0, 3600.0)
STALE_SECONDS = 3600.0


@dataclass(order=True)
class _Due:
    at: float
    number: int
    event: SandboxEvent = field(compare=False)
    attempt: int = field(compare=False, default=0)
    fault: FaultKind | None = field(compare=False, default=None)


class Webhooks:
    """The sender of one provider; nothing is sent while there is no ``url``."""

    def __init__(self, dialect: Dialect, clock: SandboxClock, faults: Faults) -> None:
        self.url = ""
        self.secret = generate_secret()
        self._dialect = dialect
        self._clock = clock
        self._faults = faults
        self._changed = threading.Condition()
        self._waiting: list[_Due] = []
        self._behind: list[_Due] = []
        self._numbers = itertools.count()
        self._sending = False
        self._closed = False
        self._thread: threading.Thread | None = None

    def strike(self) -> Fault | None:
        """Return the fault that befalls the next webhook."""
        return self._faults.strike(On.WEBHOOK)

    def signed(
        self, event: SandboxEvent, *, secret: str | None = None, at: float | None = None
    ) -> tuple[dict[str, str], bytes]:
        """Return a webhook's headers and body, for a test that delivers it by hand."""
        body = json.dumps(event.payload, separators=(",", ":")).encode()
        moment = self._clock.now() if at is None else at
        headers = self._dialect.sign(event, body, secret=secret or self.secret, at=moment)
        return {"Content-Type": "application/json", **headers}, body

    def send_now(self, event: SandboxEvent, fault: FaultKind | None = None) -> bool:
        """Deliver once, and tell whether the receiver took it."""
        if not self.url:
            return True
        secret = generate_secret() if fault == FaultKind.WEBHOOK_FORGED else None
        at = self._clock.now() - STALE_SECONDS if fault == FaultKind.WEBHOOK_STALE else None
        headers, body = self.signed(event, secret=secret, at=at)
        try:
            status = _post(self.url, headers, body)
        except (OSError, http.client.HTTPException) as error:
            event.deliveries.append(Delivery(self._clock.now(), type(error).__name__))
            return False
        event.deliveries.append(Delivery(self._clock.now(), str(status)))
        return 200 <= status < 300

    def enqueue(self, event: SandboxEvent, fault: Fault | None = None) -> None:
        """Deliver soon, by the thread that does so in order."""
        kind = fault.kind if fault else None
        if kind == FaultKind.WEBHOOK_NEVER:
            event.deliveries.append(Delivery(self._clock.now(), "never sent"))
            return
        now = self._clock.now()
        with self._changed:
            self._run()
            if kind == FaultKind.WEBHOOK_REORDERED:
                self._behind.append(self._due(now, event))
                return
            delay = fault.seconds if fault and kind == FaultKind.WEBHOOK_LATE else 0.0
            heapq.heappush(self._waiting, self._due(now + delay, event, kind))
            if kind == FaultKind.WEBHOOK_TWICE:
                heapq.heappush(self._waiting, self._due(now, event))
            while self._behind:
                heapq.heappush(self._waiting, self._due(now, self._behind.pop(0).event))
            self._changed.notify_all()

    def look_at_the_clock(self) -> None:
        """Deliver what has come due because the clock was moved."""
        with self._changed:
            self._changed.notify_all()

    def flush(self, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        """Return when all that is due has been delivered, or was tried."""
        deadline = time.monotonic() + timeout_seconds
        with self._changed:
            while self._sending or (self._waiting and self._waiting[0].at <= self._clock.now()):
                if not self._changed.wait(max(0.0, deadline - time.monotonic())):
                    raise TimeoutError("Webhooks are still due.")

    def clear(self) -> None:
        """Forget what has not been delivered."""
        with self._changed:
            self._waiting.clear()
            self._behind.clear()

    def close(self) -> None:
        """Send nothing more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(TIMEOUT_SECONDS)

    def _due(self, at: float, event: SandboxEvent, fault: FaultKind | None = None) -> _Due:
        return _Due(at, next(self._numbers), event, fault=fault)

    def _run(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._deliver, name=f"{self._dialect.name}-webhooks", daemon=True)
            self._thread.start()

    def _deliver(self) -> None:
        while (due := self._next()) is not None:
            taken = self.send_now(due.event, due.fault)
            with self._changed:
                self._sending = False
                if not taken and due.attempt < len(RETRY_SECONDS):
                    at = self._clock.now() + RETRY_SECONDS[due.attempt]
                    # A forged webhook is somebody else's: its sender does not come back with a better one.
                    if due.fault not in {FaultKind.WEBHOOK_FORGED, FaultKind.WEBHOOK_STALE}:
                        heapq.heappush(self._waiting, _Due(at, next(self._numbers), due.event, due.attempt + 1))
                self._changed.notify_all()

    def _next(self) -> _Due | None:
        with self._changed:
            while not self._closed:
                left = self._waiting[0].at - self._clock.now() if self._waiting else None
                if left is not None and left <= 0:
                    self._sending = True
                    return heapq.heappop(self._waiting)
                self._changed.wait(left)
        return None


def _post(url: str, headers: dict[str, str], body: bytes) -> int:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    with contextlib.closing(kind(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)) as connection:
        connection.request("POST", f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}", body, headers)
        return connection.getresponse().status

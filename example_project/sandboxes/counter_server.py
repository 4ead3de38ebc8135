"""The counter server: is told of defects, counts each event once, and shows what it has counted.

::

    python -m sandboxes.counter_server --port 8001 --data counters.sqlite3

    POST /events     {"user": 7, "action": "create"} with a webhook-id: on the disk before it is answered; or POST /
    GET  /counters   what was counted, as JSON
    GET  /           the same as a page
    POST /faults     {"fault": "error", "seconds": 10}: misbehave for so long, for whoever wants to see what happens

Whoever tells it something at least once has it counted exactly once: an event's id and its count are one commit. It may
be killed at any moment. With ``COUNTER_SECRET`` in the environment it takes signed events only.

``counters_server.js`` beside it is the same for deno, but for the faults and the signatures.
"""

import argparse
import os
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from sandboxes.answering import AnsweringHandler, Refused, read_json, verifier

ACTIONS = ("create", "delete")
MAX_ID_LENGTH = 256
MAX_FAULT_SECONDS = 60
PAGE = Path(__file__).with_name("counters.html")

FAULTS = {
    "error": "answer 500",
    "hang": "take the event and say nothing",
    "forget": "count the event, then cut the connection before the answer",
    "refuse": "listen to nobody",
}

_TABLES = """
    CREATE TABLE IF NOT EXISTS event (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, user TEXT NOT NULL, action TEXT NOT NULL,
        deliveries INTEGER NOT NULL DEFAULT 1
    );
    CREATE TABLE IF NOT EXISTS counter (
        user TEXT NOT NULL, action TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (user, action)
    ) WITHOUT ROWID;
"""
_RECEIVE = """
    INSERT INTO event (id, user, action) VALUES (?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET deliveries = deliveries + 1 RETURNING deliveries, user, action"""
_COUNT = """
    INSERT INTO counter (user, action, count) VALUES (?, ?, 1)
    ON CONFLICT (user, action) DO UPDATE SET count = count + 1"""


@dataclass(frozen=True)
class Told:
    """One event: whose defect it was and what became of it, under the id by which it is counted once."""

    id: str
    user: str
    action: str


class Counters:
    """What was counted, in an SQLite file."""

    def __init__(self, file: str) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        # FULL: a commit is on the disk when it returns, so that what we have answered survives anything.
        self._connection.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; {_TABLES}")

    def count(self, told: Told) -> bool:
        """Count an event, unless its id was counted before; return whether it was new.

        Raises ``Refused`` where the id stands for another event.
        """
        with self._transaction() as connection:
            ((deliveries, user, action),) = connection.execute(_RECEIVE, [told.id, told.user, told.action]).fetchall()
            if (user, action) != (told.user, told.action):
                raise Refused(HTTPStatus.CONFLICT, "This id was used for another event.")
            if deliveries == 1:
                connection.execute(_COUNT, [told.user, told.action])
            return bool(deliveries == 1)

    def summary(self) -> dict[str, Any]:
        """Return what was counted: in all, for each user, and how often it was told."""
        with self._transaction() as connection:
            counts = connection.execute("SELECT user, action, count FROM counter").fetchall()
            events, deliveries = connection.execute("SELECT count(*), total(deliveries) FROM event").fetchone()
        users: dict[str, dict[str, int]] = {}
        for user, action, count in counts:
            users.setdefault(user, dict.fromkeys(ACTIONS, 0))[action] = count
        total = {action: sum(user[action] for user in users.values()) for action in ACTIONS}
        return {"total": total, "users": users, "events": events, "deliveries": int(deliveries)}

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        # One connection for all threads: a file has one writer anyway, and this one waits in memory.
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")


class Faults:
    """How the server misbehaves at the moment."""

    def __init__(self) -> None:
        self._now = ("", 0.0)

    def begin(self, name: str, seconds: float) -> None:
        """Misbehave for so long."""
        self._now = (name, time.monotonic() + seconds)

    @property
    def now(self) -> str:
        """The fault that lasts, or nothing."""
        name, until = self._now
        return name if time.monotonic() < until else ""

    @property
    def seconds_left(self) -> float:
        """How long it lasts yet."""
        return max(0.0, self._now[1] - time.monotonic()) if self.now else 0.0


class CounterServer(ThreadingHTTPServer):
    """Listens, and lends its handlers the counters."""

    daemon_threads = True  # one that hangs must not keep the process alive
    request_queue_size = 128

    def __init__(
        self, address: tuple[str, int], counters: Counters, faults: Faults, verify: Callable[[Any, bytes], None]
    ) -> None:
        super().__init__(address, Handler)
        self.counters = counters
        self.faults = faults
        self.verify = verify


class Handler(AnsweringHandler):
    """One connection."""

    server: CounterServer
    server_version = "CounterServer"

    def doors(self) -> Mapping[str, Callable[[bytes], None]]:
        """Return who takes an event, and the wish for a fault."""
        return {"/events": self._take_event, "/": self._take_event, "/faults": self._take_fault}

    def show(self, path: str) -> None:
        """Show what was counted."""
        if path == "/":
            self.answer(HTTPStatus.OK, PAGE.read_bytes(), "text/html; charset=utf-8")
        elif path == "/counters":
            faults = self.server.faults
            now = {"fault": faults.now, "fault_seconds_left": round(faults.seconds_left, 1), "faults": FAULTS}
            self.answer_json(HTTPStatus.OK, self.server.counters.summary() | now)
        else:
            self.answer_json(HTTPStatus.NOT_FOUND, {"detail": "There is /, /counters, /events and /faults."})

    def _take_event(self, body: bytes) -> None:
        fault = self.server.faults.now
        if fault == "error":
            self.answer_json(HTTPStatus.INTERNAL_SERVER_ERROR, {"detail": "Broken, as it was asked to be."})
        elif fault == "hang":
            time.sleep(self.server.faults.seconds_left)
            self.close_connection = True
        elif fault == "refuse":
            self.close_connection = True  # one that was open before the listener closed
        else:
            self.server.verify(self.headers, body)
            new = self.server.counters.count(read_event(self.headers, body))
            if fault == "forget":
                self.close_connection = True
            else:
                self.answer_json(HTTPStatus.CREATED if new else HTTPStatus.OK, {"counted": new})

    def _take_fault(self, body: bytes) -> None:
        wanted = read_json(body)
        name, seconds = wanted.get("fault", ""), wanted.get("seconds", 10)
        if name not in ("", *FAULTS) or not isinstance(seconds, int | float) or not 0 <= seconds <= MAX_FAULT_SECONDS:
            raise Refused(
                HTTPStatus.BAD_REQUEST, f"A fault is one of {', '.join(FAULTS)}, for up to {MAX_FAULT_SECONDS} seconds."
            )
        self.server.faults.begin(name, seconds)
        self.answer_json(HTTPStatus.OK, {"fault": name, "seconds": seconds})
        if name == "refuse":
            # From another thread: the one that serves would wait for itself.
            threading.Thread(target=self.server.shutdown, daemon=True).start()


def read_event(headers: Any, body: bytes) -> Told:
    """Return the event of a request. Raises ``Refused``."""
    event_id = headers.get("webhook-id") or headers.get("Idempotency-Key") or ""
    if not 0 < len(event_id) <= MAX_ID_LENGTH:
        raise Refused(HTTPStatus.BAD_REQUEST, "An event has an id, in webhook-id or Idempotency-Key.")
    document = read_json(body)
    user, action = document.get("user"), document.get("action")
    if document.keys() != {"user", "action"} or action not in ACTIONS or type(user) not in (int, str):
        raise Refused(HTTPStatus.BAD_REQUEST, 'An event is {"user": <id>, "action": "create" or "delete"}.')
    return Told(event_id, str(user), action)


def serve(host: str, port: int, data: str, *, secret: str = "") -> None:
    """Serve until told to stop, with a pause whenever nobody shall be listened to."""
    counters, faults, verify = Counters(data), Faults(), verifier(secret)
    while True:
        with CounterServer((host, port), counters, faults, verify) as server:
            sys.stdout.write(f"The counter server listens at http://{host}:{server.server_port}/.\n")
            sys.stdout.flush()
            server.serve_forever(poll_interval=0.05)
        time.sleep(faults.seconds_left)


def main() -> None:
    """Serve as the command line says."""
    parser = argparse.ArgumentParser(description="The counter server.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--data", default="counters.sqlite3", metavar="FILE", help="where the counts are kept")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        serve(options.host, options.port, options.data, secret=os.environ.get("COUNTER_SECRET", ""))
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()

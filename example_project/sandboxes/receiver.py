"""The receiver: a room for chat and a receiver of webhooks, in one, with a page that shows what came.

::

    python -m sandboxes.receiver --port 8003

    POST /chat       {"text": "..."}, as an incoming webhook of Slack takes it
    POST /webhook    a signed webhook (Standard Webhooks); what the secret has not signed is refused, and shown
    GET  /           what came, the newest first
    GET  /messages   the same as JSON

The secret is ``CATALOG_WEBHOOK_SECRET`` of the environment; without one everything passes, and the page says so. It
keeps the newest messages in memory: it stands for systems that are somebody else's.
"""

import argparse
import datetime as dt
import json
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from html import escape
from http import HTTPStatus
from http.server import ThreadingHTTPServer
from pathlib import Path
from string import Template

from sandboxes.answering import AnsweringHandler, Refused, read_json, verifier

KEPT = 200
PAGE = Path(__file__).with_name("receiver.html")
# What came from elsewhere can do nothing here.
POLICY = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:"}
SIGNED = ("webhook-id", "webhook-timestamp", "webhook-signature")


@dataclass
class Message:
    """What came in one request, and how often: whoever tells at least once may tell again."""

    id: str
    door: str
    at: str
    text: str
    verdict: str
    accepted: bool
    headers: dict[str, str]
    times: int = 1


class Messages:
    """The newest messages, each id once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: deque[Message] = deque(maxlen=KEPT)

    def add(self, message: Message) -> bool:
        """Keep a message; return whether it is new."""
        with self._lock:
            known = [one for one in self._kept if message.id and (one.id, one.accepted) == (message.id, True)]
            if message.accepted and known:
                known[0].times += 1
                return False
            self._kept.append(message)
            return True

    def newest(self) -> list[Message]:
        """Return them, the newest first."""
        with self._lock:
            return list(reversed(self._kept))


class Receiver(ThreadingHTTPServer):
    """Listens, and lends its handlers the messages."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], *, secret: str = "") -> None:
        super().__init__(address, Handler)
        self.messages = Messages()
        self.verify = verifier(secret)
        self.is_signed = bool(secret)


class Handler(AnsweringHandler):
    """One connection."""

    server: Receiver
    server_version = "Receiver"
    max_body_bytes = 1024 * 1024

    def doors(self) -> Mapping[str, Callable[[bytes], None]]:
        """Return who takes a message."""
        return {"/chat": self._take_chat, "/webhook": self._take_webhook}

    def show(self, path: str) -> None:
        """Show what came."""
        newest = self.server.messages.newest()
        if path == "/":
            self.answer(HTTPStatus.OK, page(newest).encode(), "text/html; charset=utf-8", POLICY)
        elif path == "/messages":
            self.answer_json(HTTPStatus.OK, {"messages": [asdict(message) for message in newest]})
        else:
            self.answer_json(HTTPStatus.NOT_FOUND, {"detail": "There is /, /messages, /chat and /webhook."})

    def _take_chat(self, body: bytes) -> None:
        text = read_json(body).get("text")
        if not isinstance(text, str) or not text:
            raise Refused(HTTPStatus.BAD_REQUEST, "A chat message has a text.")
        self._keep("", "chat", text, "An incoming webhook has no signature: its address is the secret.", accepted=True)
        self.answer(HTTPStatus.OK, b"ok", "text/plain")  # Slack's own answer

    def _take_webhook(self, body: bytes) -> None:
        message_id = self.headers.get("webhook-id", "")
        try:
            self.server.verify(self.headers, body)
        except Refused as refusal:
            self._keep(message_id, "webhook", body.decode(errors="replace"), str(refusal), accepted=False)
            raise
        document = read_json(body)
        verdict = "The signature fits." if self.server.is_signed else "There is no secret here: nothing was verified."
        new = self._keep(message_id, "webhook", json.dumps(document, indent=2), verdict, accepted=True)
        self.answer_json(HTTPStatus.OK, {"new": new})

    def _keep(self, message_id: str, door: str, text: str, verdict: str, *, accepted: bool) -> bool:
        at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        headers = {name: self.headers[name] for name in SIGNED if name in self.headers}
        return self.server.messages.add(Message(message_id, door, at, text, verdict, accepted, headers))


def page(messages: list[Message]) -> str:
    """Return the messages as a page."""
    shown = "\n".join(_article(message) for message in messages)
    empty = "<p>Nothing has come yet. Change a price in the catalog: who chose chat or webhook is told here.</p>"
    return Template(PAGE.read_text()).substitute(messages=shown or empty)


def _article(message: Message) -> str:
    headers = "\n".join(f"{name}: {value}" for name, value in message.headers.items())
    again = f", told {message.times} times" if message.times > 1 else ""
    return f"""
    <article>
      <h2>{escape(message.door)} <small><time>{escape(message.at)}</time>{again}</small></h2>
      <p class="{"fits" if message.accepted else "refused"}">{escape(message.verdict)}</p>
      <pre>{escape(headers)}</pre>
      <pre>{escape(message.text)}</pre>
    </article>"""


def main() -> None:
    """Serve as the command line says."""
    parser = argparse.ArgumentParser(description="The receiver of chat messages and webhooks.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8003)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with Receiver((options.host, options.port), secret=os.environ.get("CATALOG_WEBHOOK_SECRET", "")) as server:
        sys.stdout.write(f"The receiver listens at http://{options.host}:{server.server_port}/.\n")
        sys.stdout.flush()
        try:
            server.serve_forever(poll_interval=0.1)
        except KeyboardInterrupt:
            sys.exit(0)


if __name__ == "__main__":
    main()

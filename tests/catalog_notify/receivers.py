"""Receivers on loopback: a mail server and HTTP servers, real ones."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Posted:
    """A request that an HTTP receiver got."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Answering = Callable[[Posted], tuple[int, dict[str, str], bytes]]


def taken(_posted: Posted) -> tuple[int, dict[str, str], bytes]:
    return 200, {}, b"ok"


@dataclass
class HttpReceiver:
    """Keeps what it gets, and answers as it is told to."""

    url: str = ""
    posted: list[Posted] = field(default_factory=list)
    answer: Answering = taken


@contextmanager
def http_receiver() -> Iterator[HttpReceiver]:
    receiver = HttpReceiver()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            posted = Posted("POST", self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            with lock:
                receiver.posted.append(posted)
            status, headers, answer = receiver.answer(posted)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(answer)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Mail:
    """A mail that the mail server took."""

    sender: str
    recipients: list[str]
    content: bytes


@dataclass
class MailReceiver:
    """A mail server; ``refuse`` answers RCPT for some addresses."""

    host: str = "127.0.0.1"
    port: int = 0
    mails: list[Mail] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)


@contextmanager
def mail_receiver() -> Iterator[MailReceiver]:
    from aiosmtpd.controller import Controller

    receiver = MailReceiver()

    class Handler:
        async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd's name
            if address in receiver.refuse:
                return receiver.refuse[address]
            envelope.rcpt_tos.append(address)
            return "250 OK"

        async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
            receiver.mails.append(Mail(envelope.mail_from, list(envelope.rcpt_tos), envelope.content))
            return "250 taken"

    class AnyPort(Controller):
        """Listens where there is room: the port is known when it listens."""

        def _trigger_server(self):
            self.port = self.server.sockets[0].getsockname()[1]
            super()._trigger_server()

    controller = AnyPort(Handler(), hostname="127.0.0.1", port=0)
    controller.start()
    receiver.port = controller.port
    try:
        yield receiver
    finally:
        controller.stop(no_assert=True)

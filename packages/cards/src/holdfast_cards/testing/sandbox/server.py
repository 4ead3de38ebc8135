"""The sandbox as an HTTP server: real sockets, a thread for each connection, one folder of paths for each provider."""

import contextlib
import os
import select
import socket
import struct
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from holdfast_cards.testing.sandbox import control
from holdfast_cards.testing.sandbox.books import Reply
from holdfast_cards.testing.sandbox.clock import SandboxClock
from holdfast_cards.testing.sandbox.dialects import DIALECTS
from holdfast_cards.testing.sandbox.dialects.base import Request
from holdfast_cards.testing.sandbox.provider import Sandbox

HOST = "127.0.0.1"
BODY_MAX_BYTES = 1_048_576
POLL_SECONDS = 0.02
REASONS = BaseHTTPRequestHandler.responses


class SandboxServer:
    """Listens on a port and speaks all dialects: ``/bank``, ``/stripe``, ``/lithic``; the page and its API at ``/``."""

    def __init__(self, *, host: str = HOST, port: int = 0, clock: SandboxClock | None = None) -> None:
        self.clock = clock or SandboxClock()
        self._host = host
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._http = self._bound(port)
        self.port: int = self._http.server_address[1]
        self.url = f"http://{host}:{self.port}"
        self.providers = {name: Sandbox(name, server=self) for name in DIALECTS}
        self.released = threading.Event()
        """Set, nothing hangs any longer."""
        self._thread: threading.Thread | None = None

    # --- Listening

    @property
    def listening(self) -> bool:
        """Whether connections are accepted."""
        return self._thread is not None

    def listen(self) -> None:
        """Accept connections."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._http.serve_forever, args=[POLL_SECONDS], name="cards-sandbox", daemon=True
                )
                self._thread.start()

    def refuse(self) -> None:
        """Stop listening and end what is connected: the next caller is refused, as by a host that is down."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is None:
            return
        self._http.shutdown()
        thread.join()
        self._http.server_close()
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        # Bound, and not listening: nobody else gets the port, and nobody gets through.
        self._http = self._bound(self.port, activate=False)

    def accept(self) -> None:
        """Listen again on the same port."""
        if not self.listening:
            self._http.server_activate()
            self.listen()

    @contextlib.contextmanager
    def refusing(self) -> Iterator[None]:
        """Refuse connections for the length of a block."""
        self.refuse()
        try:
            yield
        finally:
            self.accept()

    def release(self) -> None:
        """Let go of whatever hangs."""
        self.released.set()
        self.released = threading.Event()

    def advance(self, seconds: float) -> None:
        """Move the clock of all providers on."""
        self.clock.advance(seconds)
        for provider in self.providers.values():
            provider.webhooks.look_at_the_clock()

    def close(self) -> None:
        """End it all."""
        self.released.set()
        self.refuse()
        self._http.server_close()
        for provider in self.providers.values():
            provider.close()

    def _bound(self, port: int, *, activate: bool = True) -> "_HTTPServer":
        server = _HTTPServer((self._host, port), _Handler, bind_and_activate=False)
        server.sandbox = self
        server.server_bind()
        if activate:
            server.server_activate()
        return server

    # --- Connections and requests

    def connected(self, connection: socket.socket) -> None:
        """Remember a connection."""
        self._connections.add(connection)

    def disconnected(self, connection: socket.socket) -> None:
        """Forget a connection."""
        self._connections.discard(connection)

    def answer(self, request: Request, line: "SocketLine") -> None:
        """Hand a request to the provider whose path it is, or to the page's own API."""
        name, _, rest = request.path.lstrip("/").partition("/")
        provider = self.providers.get(name)
        if provider is None:
            line.send(control.answer(self, request))
        else:
            provider.answer(Request(request.method, f"/{rest}", request.query, request.headers, request.body), line)


class _HTTPServer(ThreadingHTTPServer):
    sandbox: SandboxServer
    daemon_threads = True
    # Threads that hang at the end are told so; nobody has to wait for them.
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: that callers hang up is what this is for."""


class SocketLine:
    """A caller's connection."""

    def __init__(self, connection: socket.socket, server: SandboxServer) -> None:
        self._connection = connection
        self._released = server.released
        self.closed = False

    def send(self, reply: Reply) -> None:
        """Answer."""
        self._write(encoded(reply))

    def send_half(self, reply: Reply) -> None:
        """Answer the first half of it, and cut."""
        whole = encoded(reply)
        self._write(whole[: len(whole) - len(reply.body) // 2 - 1])
        self.cut()

    def send_raw(self, data: bytes) -> None:
        """Send what is no HTTP, and cut."""
        self._write(data)
        self.cut()

    def drip(self, reply: Reply, *, seconds: float) -> None:
        """Answer so slowly that each byte comes in time and the whole does not."""
        head, _, _ = encoded(reply).partition(b"\r\n\r\n")
        self._write(head + b"\r\n\r\n")
        for byte in reply.body:
            if self._released.wait(seconds / len(reply.body)) or self.closed:
                break
            self._write(bytes([byte]))
        self.cut()

    def cut(self) -> None:
        """Close, with no further answer."""
        self.closed = True
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def reset(self) -> None:
        """Close with RST."""
        self.closed = True
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # Detached, since close() would wait for the handler's files on the socket, and say goodbye first.
        os.close(self._connection.detach())

    def hang(self, seconds: float) -> None:
        """Say nothing, for so long or until the caller has gone."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self._released.wait(POLL_SECONDS):
            readable, _, _ = select.select([self._connection], [], [], 0)
            if readable and not self._connection.recv(1, socket.MSG_PEEK):
                return

    def dawdle(self, seconds: float) -> None:
        """Say nothing for so long."""
        self._released.wait(seconds)

    def _write(self, data: bytes) -> None:
        try:
            self._connection.sendall(data)
        except OSError:
            self.closed = True


def encoded(reply: Reply) -> bytes:
    """Return an answer as it goes over the line, in one piece."""
    reason = REASONS[reply.status][0] if reply.status in REASONS else "Whatever"
    headers = {**reply.headers, "Content-Length": str(len(reply.body))}
    lines = [f"HTTP/1.1 {reply.status} {reason}", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1") + reply.body


class _Handler(BaseHTTPRequestHandler):
    """Reads requests from one connection, one after the other."""

    protocol_version = "HTTP/1.1"
    server: _HTTPServer

    def setup(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.server.sandbox.connected(self.request)
        super().setup()

    def finish(self) -> None:
        self.server.sandbox.disconnected(self.request)
        with contextlib.suppress(OSError, ValueError):
            super().finish()

    def _answer(self) -> None:
        length = self.headers.get("Content-Length", "0")
        line = SocketLine(self.request, self.server.sandbox)
        if not length.isdecimal() or int(length) > BODY_MAX_BYTES:
            line.send(Reply.of(413, {"error": "The body is too large."}))
            line.cut()
        else:
            body = self.rfile.read(int(length))
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.server.sandbox.answer(Request(self.command, parts.path, parts.query, headers, body), line)
        self.close_connection = self.close_connection or line.closed

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _answer  # noqa: N815 - what the standard library looks for

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in the standard library
        """Say nothing: the page shows every request."""

"""A port and the connections to it, down to the sockets: what a fault needs, and a web framework would not give."""

import contextlib
import os
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from holdfast_cards.testing.sandbox.books import Reply
from holdfast_cards.testing.sandbox.dialects.base import Request

HOST = "127.0.0.1"
BODY_MAX_BYTES = 1_048_576
POLL_SECONDS = 0.02
REASONS = BaseHTTPRequestHandler.responses

Answering = Callable[[Request, "Line"], None]


class Listener:
    """Listens on a port, reads requests, and hands each with its line to whoever answers; a thread for each caller."""

    def __init__(self, answer: Answering, *, host: str = HOST, port: int = 0) -> None:
        self.answer = answer
        self.released = threading.Event()
        """Set, nothing hangs any longer."""
        self.connections: set[socket.socket] = set()
        self._host = host
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._http = self._bound(port)
        self.port: int = self._http.server_address[1]
        self.url = f"http://{host}:{self.port}"

    @property
    def listening(self) -> bool:
        """Whether connections are accepted."""
        return self._thread is not None

    def listen(self) -> None:
        """Accept connections."""
        with self._lock:
            if self._thread is None:
                self._http.server_activate()
                self._thread = threading.Thread(
                    target=self._http.serve_forever, args=[POLL_SECONDS], name=f"listener-{self.port}", daemon=True
                )
                self._thread.start()

    def refuse(self) -> None:
        """Stop listening and end what is connected: the next caller is refused, as by a host that is down."""
        with self._lock:
            if self._thread is None:
                return
            self._http.shutdown()
            self._thread.join()
            self._thread = None
            self._http.server_close()
            # Bound, and not listening: nobody else gets the port, and nobody gets through.
            self._http = self._bound(self.port)
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    @contextlib.contextmanager
    def refusing(self) -> Iterator[None]:
        """Refuse connections for the length of a block."""
        self.refuse()
        try:
            yield
        finally:
            self.listen()

    def release(self) -> None:
        """Let go of whatever hangs."""
        self.released.set()
        self.released = threading.Event()

    def close(self) -> None:
        """End it all."""
        self.released.set()
        self.refuse()
        self._http.server_close()

    def _bound(self, port: int) -> "_HTTPServer":
        server = _HTTPServer((self._host, port), _Handler, bind_and_activate=False)
        server.listener = self
        try:
            server.server_bind()
        except OSError:
            server.server_close()
            raise
        return server


class Line:
    """A caller's connection, and the ways to treat it."""

    def __init__(self, connection: socket.socket, listener: Listener) -> None:
        self._connection = connection
        self._released = listener.released
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

    def drip(self, reply: Reply, *, seconds: float, head: bool = False) -> None:
        """Answer so slowly that each byte comes in time and the whole does not; ``head``: the headers too."""
        whole = encoded(reply)
        at_once = 0 if head else len(whole) - len(reply.body)
        self._write(whole[:at_once])
        for byte in whole[at_once:]:
            if self._released.wait(seconds / (len(whole) - at_once)) or self.closed:
                break
            self._write(bytes([byte]))
        self.cut()

    def cut(self) -> None:
        """Close, with no further answer."""
        self.closed = True
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def reset(self) -> None:
        """Close with RST, as a machine does that knows of no connection."""
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
        """Say nothing for so long, whoever listens."""
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


class _HTTPServer(ThreadingHTTPServer):
    listener: Listener
    daemon_threads = True
    # Threads that hang at the end are told so; nobody has to wait for them.
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: that callers hang up is what this is for."""


class _Handler(BaseHTTPRequestHandler):
    """Reads requests from one connection, one after the other."""

    protocol_version = "HTTP/1.1"
    server: _HTTPServer

    def setup(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.server.listener.connections.add(self.request)
        super().setup()

    def finish(self) -> None:
        self.server.listener.connections.discard(self.request)
        with contextlib.suppress(OSError, ValueError):
            super().finish()

    def _answer(self) -> None:
        length = self.headers.get("Content-Length", "0")
        line = Line(self.request, self.server.listener)
        if not length.isdecimal() or int(length) > BODY_MAX_BYTES:
            line.send(Reply.of(413, {"error": "The body is too large."}))
            line.cut()
        else:
            body = self.rfile.read(int(length))
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.server.listener.answer(Request(self.command, parts.path, parts.query, headers, body), line)
        self.close_connection = self.close_connection or line.closed

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _answer  # noqa: N815 - what the standard library looks for

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in the standard library
        """Say nothing: the page shows every request."""

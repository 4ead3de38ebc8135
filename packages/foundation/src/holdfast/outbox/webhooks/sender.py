"""One HTTP POST over a kept connection.

Plain ``http.client``, which costs a fifth of ``requests`` and a twentieth of ``httpx`` for such a request, and which
can be told the address to connect to. Every step is under one deadline: connecting, sending, each read of the answer.
"""

import http.client
import io
import socket
import ssl
import time
from collections import deque
from dataclasses import dataclass

from holdfast.outbox.conf import settings
from holdfast.outbox.webhooks.addresses import Target, parse, resolve


@dataclass(frozen=True)
class Answer:
    """What a receiver said, as far as it was read."""

    status: int
    body: bytes
    retry_after: str | None


class _Deadline:
    """A moment, as the time-out of whatever comes next."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds left. Raises ``TimeoutError`` if there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("The webhook took longer than it may in total.")
        return left


class _Reader(io.RawIOBase):
    """A socket's bytes, under the deadline: the time-out of a socket is for one read, and a drip never meets it."""

    def __init__(self, sock: socket.socket, deadline: _Deadline) -> None:
        self._sock = sock
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed asks for any writable buffer
        self._sock.settimeout(self._deadline.left())
        return self._sock.recv_into(buffer)


class _Wire:
    """What ``http.client`` needs of a socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.deadline = _Deadline(0)

    def sendall(self, data: bytes) -> None:
        self._sock.settimeout(self.deadline.left())
        self._sock.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._sock, self.deadline))

    def close(self) -> None:
        self._sock.close()


class _Connection(http.client.HTTPConnection):
    """A connection that was made already."""

    # Once closed it must not open itself again, past the look at the address.
    auto_open = 0

    def __init__(self, target: Target, wire: _Wire) -> None:
        super().__init__(target.host, target.port)
        self.sock = self.wire = wire


class Sender:
    """Posts to one URL and keeps its connections. Safe to be used by several threads."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._idle: deque[_Connection] = deque(maxlen=settings.WEBHOOK_ENDPOINT_CONCURRENCY)
        self._context: ssl.SSLContext | None = None
        self._closed = False

    def post(self, body: bytes, headers: dict[str, str]) -> Answer:
        """Post once and return the answer, whatever its status; redirects are not followed.

        Raises ``Refused``, ``OSError`` (time-outs and TLS errors included) or ``http.client.HTTPException``.
        """
        target = parse(self.url)
        deadline = _Deadline(settings.WEBHOOK_TOTAL_SECONDS)
        connection = self._kept()
        if connection is not None:
            try:
                return self._exchange(connection, target, body, headers, deadline)
            except (http.client.RemoteDisconnected, ConnectionError):
                # The receiver closed the kept connection, which is its right: once more on a new one.
                connection.close()
        return self._exchange(self._connect(target, deadline), target, body, headers, deadline)

    def close(self) -> None:
        """Close the kept connections, and keep no more."""
        self._closed = True
        while (connection := self._kept()) is not None:
            connection.close()

    def _kept(self) -> _Connection | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _connect(self, target: Target, deadline: _Deadline) -> _Connection:
        sock = self._dial(target, deadline)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if target.scheme == "https":
            sock.settimeout(deadline.left())
            try:
                sock = self._tls().wrap_socket(sock, server_hostname=target.host)
            except BaseException:
                sock.close()
                raise
        return _Connection(target, _Wire(sock))

    @staticmethod
    def _dial(target: Target, deadline: _Deadline) -> socket.socket:
        error: OSError | None = None
        for address in resolve(target):
            try:
                timeout = min(settings.WEBHOOK_CONNECT_SECONDS, deadline.left())
                return socket.create_connection((address, target.port), timeout)
            except OSError as failed:
                error = failed
        raise error or OSError(f"{target.host} has no address.")

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = ssl.create_default_context()
        return self._context

    def _exchange(
        self,
        connection: _Connection,
        target: Target,
        body: bytes,
        headers: dict[str, str],
        deadline: _Deadline,
    ) -> Answer:
        keep = False
        try:
            connection.wire.deadline = deadline
            connection.request("POST", target.path, body, {"Host": target.netloc, **headers})
            response = connection.getresponse()
            excerpt = response.read(settings.WEBHOOK_RESPONSE_BYTES)
            keep = response.isclosed() and not response.will_close
            return Answer(response.status, excerpt, response.headers.get("Retry-After"))
        finally:
            if keep and not self._closed and len(self._idle) < settings.WEBHOOK_ENDPOINT_CONCURRENCY:
                self._idle.append(connection)
            else:
                connection.close()

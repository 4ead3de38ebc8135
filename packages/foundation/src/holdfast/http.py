"""One HTTP call to a server that the settings name, and what is certain after it. Needs httpx: ``holdfast[http]``.

::

    transport = Transport("https://api.example", headers={"Authorization": f"Bearer {key}"})
    reply = transport.send("POST", "/v1/cards", json={"color": "blue"})

Every step is under one deadline, which httpx does not have (a byte a second keeps it reading for ever): each read of
the connection may take no longer than what is left. Only the resolution of names is the system's own, and as long as
that takes. Redirects are not followed, proxies of the environment not used, and nothing that was sent or received is
logged.
"""

import contextlib
import datetime as dt
import email.utils
import json
import math
import os
import re
import ssl
import threading
import time
import weakref
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpcore
import httpx

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,100}")
_REQUEST_ID_HEADERS = ("request-id", "x-request-id")
MAX_BYTES = 262_144


class NotSent(Exception):
    """Nothing left us: whatever was asked for has not been done."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Lost(Exception):
    """The answer was lost, or is none: nobody knows what has been done."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class AnswerTooLarge(Lost):
    """Of the answer only the beginning was read; its status is known."""

    def __init__(self, status: int) -> None:
        super().__init__("answer_too_large")
        self.status = status


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How long a call may take, and how much it may answer."""

    connect_seconds: float = 2.0
    pool_seconds: float = 1.0
    write_seconds: float = 5.0
    read_seconds: float = 8.0
    total_seconds: float = 10.0
    max_bytes: int = MAX_BYTES

    @property
    def timeout(self) -> httpx.Timeout:
        """What httpx asks for: each is for one step, as often as it is taken."""
        return httpx.Timeout(
            connect=self.connect_seconds, read=self.read_seconds, write=self.write_seconds, pool=self.pool_seconds
        )


@dataclass(frozen=True)
class Reply:
    """A complete answer. Its body is not shown: it may hold what nobody may see."""

    status: int
    body: bytes = field(repr=False)
    request_id: str = ""
    retry_after_seconds: float | None = None

    def document(self) -> Any:
        """Return the body as JSON. Raises ``Lost`` where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise Lost("malformed_json") from None


class Transport:
    """A server's address, and the connections kept to it. Safe to be used by several threads, and across a fork."""

    def __init__(self, base_url: str, *, headers: Mapping[str, str], limits: Limits | None = None) -> None:
        self.base_url = base_url
        self.limits = limits or Limits()
        for name, value in headers.items():
            if not (value.isascii() and value.isprintable()):
                raise ValueError(f"What was given for the {name} header cannot be sent in one.")
        self._headers = {"Accept": "application/json", "Accept-Encoding": "identity", **headers}
        self._lock = threading.Lock()
        self._client: httpx.Client | None = None
        self._pid = 0
        self._deadline = _Deadline()

    def send(
        self,
        method: str,
        path: str = "",
        *,
        params: Iterable[tuple[str, str]] = (),
        json: Any = None,
        form: Mapping[str, str] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send one request, once, and return the whole answer, whatever its status. Raises ``NotSent``, ``Lost``.

        ``path`` is put behind the address as it is. The body is one of ``json``, ``form`` and ``content``.
        """
        client = self._kept_client()
        try:
            request = client.build_request(
                method,
                self.base_url + path,
                params=list(params) or None,
                json=json,
                data=form,
                content=content,
                headers=headers,
            )
        except (httpx.InvalidURL, TypeError, ValueError) as error:
            # Of the settings' making: an address that is none.
            raise NotSent(_word(error)) from None
        try:
            with self._deadline.within(self.limits.total_seconds):
                return self._exchange(client, request)
        except _NOT_SENT as error:
            raise NotSent(_word(error)) from None
        except Lost:
            raise
        except Exception as error:  # noqa: BLE001 - from here on the request may have arrived, whatever the exception
            raise Lost(_word(error)) from None

    def close(self) -> None:
        """Close the kept connections; the next request opens one again."""
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    def _exchange(self, client: httpx.Client, request: httpx.Request) -> Reply:
        response = client.send(request, stream=True)
        with contextlib.closing(response):
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > self.limits.max_bytes:
                    raise AnswerTooLarge(response.status_code)
            return Reply(
                response.status_code, bytes(body), _request_id(response.headers), _retry_after(response.headers)
            )

    def _kept_client(self) -> httpx.Client:
        with self._lock:
            # A connection of the parent's is not a child's to use: their answers would mix.
            if self._client is None or self._pid != os.getpid():
                self._client, self._pid = self._new_client(), os.getpid()
                # Settings may change, and the adapter with them: its connections end with it.
                weakref.finalize(self, self._client.close)
            return self._client

    def _new_client(self) -> httpx.Client:
        transport = httpx.HTTPTransport(trust_env=False)
        # httpx has no total deadline (encode/httpx#1450) and no parameter for a network of one's own.
        pool = transport._pool  # noqa: SLF001 - there is no other door
        pool._network_backend = _Network(pool._network_backend, self._deadline)  # noqa: SLF001 - as above
        return httpx.Client(
            transport=transport,
            headers=self._headers,
            timeout=self.limits.timeout,
            follow_redirects=False,
            trust_env=False,
        )


class _Deadline(threading.local):
    """When the call that this thread makes has to be over."""

    end = math.inf

    @contextlib.contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        self.end = time.monotonic() + seconds
        try:
            yield
        finally:
            self.end = math.inf

    def shorten(self, timeout: float | None, error: type[Exception]) -> float | None:
        left = self.end - time.monotonic()
        if left <= 0:
            raise error("The call took longer than it may in total.")
        return timeout if timeout is not None and timeout < left else (None if math.isinf(left) else left)


class _Network(httpcore.NetworkBackend):
    """The network, under the deadline."""

    def __init__(self, network: httpcore.NetworkBackend, deadline: _Deadline) -> None:
        self._network = network
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        timeout = self._deadline.shorten(timeout, httpcore.ConnectTimeout)
        stream = self._network.connect_tcp(host, port, timeout, local_address, socket_options)
        return _Stream(stream, self._deadline)


class _Stream(httpcore.NetworkStream):
    """A connection, under the deadline: the time-out of a socket is for one read, and a drip never meets it."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: _Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.shorten(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.shorten(timeout, httpcore.WriteTimeout))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        timeout = self._deadline.shorten(timeout, httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, timeout), self._deadline)

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _word(error: Exception) -> str:
    """Return ``read_timeout`` for ``ReadTimeout``: a word that stays the same, and holds nothing of anybody's text."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__).lower()


def _request_id(headers: httpx.Headers) -> str:
    found = next((headers[name] for name in _REQUEST_ID_HEADERS if name in headers), "")
    return found if _REQUEST_ID.fullmatch(found) else ""


def _retry_after(headers: httpx.Headers) -> float | None:
    """Return the seconds that the server asks for; a date counts from its own clock, not from ours."""
    asked = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", asked):
        return float(asked)
    then, now = _date(asked), _date(headers.get("date", "")) or dt.datetime.now(dt.UTC)
    return max(0.0, (then - now).total_seconds()) if then else None


def _date(text: str) -> dt.datetime | None:
    try:
        found = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)

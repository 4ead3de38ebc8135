"""What belongs to one request from door to handler: its id, its trace, who acts.

The middleware (or a task) binds them; ``emit`` writes them into the event's headers; the relay binds them again around
each handler, so that a log line of the handler carries the id of the request that caused it.
"""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from holdfast.ids import uuid7

_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+=-]{0,99}")
# W3C Trace Context: a version that is not ff, and neither of the ids all zeros.
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_TRACESTATE = re.compile(r"[ -~]{1,512}")

_headers: ContextVar[dict[str, str]] = ContextVar("holdfast_headers", default={})  # noqa: B039 - never mutated


def current() -> dict[str, str]:
    """Return the bound headers (``request_id``, ``traceparent``, ``tracestate``, ``actor_id``); do not change them."""
    return _headers.get()


@contextmanager
def bound(**headers: str | None) -> Iterator[None]:
    """Bind headers for the duration of the block; ``None`` leaves one as it is."""
    token = _headers.set({**_headers.get(), **{name: value for name, value in headers.items() if value is not None}})
    try:
        yield
    finally:
        _headers.reset(token)


def bind(**headers: str) -> None:
    """Bind headers until the surrounding ``bound`` block ends."""
    _headers.set({**_headers.get(), **headers})


@contextmanager
def request_scope(request: Any) -> Iterator[str]:
    """Bind the id and the trace of a request, and yield the id; within the scope of the same request, only that.

    They are the caller's (``X-Request-ID``, ``traceparent``) or new. What a caller sends is written into logs and
    events, so only what is short and harmless is taken over.
    """
    if (known := getattr(request, "_holdfast_request_id", None)) is not None:
        yield known
        return
    headers = request.headers
    request_id = _taken(_REQUEST_ID, headers.get("X-Request-ID")) or str(uuid7())
    trace = _taken(_TRACEPARENT, headers.get("traceparent"))
    state = _taken(_TRACESTATE, headers.get("tracestate")) if trace else None
    request._holdfast_request_id = request.request_id = request_id  # noqa: SLF001 - ours, on Django's object
    started = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00"
    with bound(request_id=request_id, traceparent=trace or started, tracestate=state):
        yield request_id


def _taken(form: re.Pattern[str], value: str | None) -> str | None:
    return value if value is not None and form.fullmatch(value) else None

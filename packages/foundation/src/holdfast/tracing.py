"""What belongs to one request from door to handler: its id, its trace, who acts.

The middleware (or a task) binds them; ``emit`` writes them into the event's headers; the relay binds them again around
each handler, so that a log line of the handler carries the id of the request that caused it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

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

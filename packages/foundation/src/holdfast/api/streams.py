"""Events as they come, for a browser's ``EventSource`` (server-sent events).

::

    def get(self, request):
        return event_stream(request, "holdfast_defects.*")

It works the same under a threaded server, of which it takes a thread, and under an asynchronous one. Each message is
``{"type": ..., "timestamp": ..., "data": {...}}``, as a webhook's body is, and its id the event's position, with which
a browser that comes again says how far it got.
"""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import suppress

from django.core.handlers.asgi import ASGIRequest
from django.db import connections, router
from django.http import HttpRequest, StreamingHttpResponse
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from holdfast.conf import settings
from holdfast.errors import Unavailable
from holdfast.outbox.feed import Follower, feed
from holdfast.outbox.models import OutboxEvent
from holdfast.outbox.webhooks.sink import body_of

MEDIA_TYPE = "text/event-stream"
RECONNECT_MS = 1000
# Writing is how a server learns that the browser has gone.
HEARTBEAT_SECONDS = 15.0
HEARTBEAT = ":\n\n"


class TooManyStreams(Unavailable):
    """As many pages are looking on as this server has room for, or as many of yours as it keeps for one user."""

    code = "holdfast.too_many_streams"
    retry_after_seconds = 10


class EventStreamRenderer(JSONRenderer):
    """Lets a view take a browser that accepts nothing but a stream; its problems are JSON all the same."""

    media_type = MEDIA_TYPE
    format = "event-stream"


class EventStream(StreamingHttpResponse):
    """What a follower sees, until its time is over or the browser leaves."""

    def __init__(self, follower: Follower, using: str, *, asynchronous: bool) -> None:
        self._follower = follower
        self._using = using
        parts = _as_they_come_async(follower) if asynchronous else _as_they_come(follower)
        # X-Accel-Buffering: nginx would collect messages before it passes them on.
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(parts, content_type=MEDIA_TYPE, headers=headers)

    def close(self) -> None:
        """Follow no longer; servers call this however the exchange has ended."""
        feed(self._using).leave(self._follower)
        super().close()


def event_stream(request: HttpRequest | Request, *patterns: str) -> EventStream:
    """Return the stream of the events of these types, or of patterns of them; who may see them is the caller's to say.

    Raises ``TooManyStreams``.
    """
    using = router.db_for_write(OutboxEvent)
    follower = _follower(request, patterns, using)
    if not connections[using].in_atomic_block:
        connections[using].close()  # A stream lives long, and has no more questions.
    http_request = request._request if isinstance(request, Request) else request  # noqa: SLF001 - DRF's wrapper
    return EventStream(follower, using, asynchronous=isinstance(http_request, ASGIRequest))


def _follower(request: HttpRequest | Request, patterns: Collection[str], using: str) -> Follower:
    user = getattr(request, "user", None)
    # Who has not signed in shares the places of one user.
    follower = Follower(patterns, owner=user.pk if user is not None else None)
    if request.method == "HEAD":
        # Nothing is ever written, so that no server would notice that the browser has gone: it gets no place.
        follower.end()
        return follower
    seen = request.headers.get("Last-Event-ID", "")
    after = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 19 else None
    limits = {"limit": settings.STREAMS_MAX, "limit_each": settings.STREAMS_PER_USER_MAX}
    if not feed(using).follow(follower, after=after, **limits):
        raise TooManyStreams
    return follower


def _as_they_come(follower: Follower) -> Iterator[str]:
    woken = threading.Event()
    follower.wake = woken.set
    end = time.monotonic() + settings.STREAM_SECONDS
    yield f"retry: {RECONNECT_MS}\n\n"
    while (left := end - time.monotonic()) > 0 and not follower.ended:
        yield from _messages(follower)
        if not woken.wait(min(left, HEARTBEAT_SECONDS)):
            yield HEARTBEAT
        woken.clear()


async def _as_they_come_async(follower: Follower) -> AsyncIterator[str]:
    loop, woken = asyncio.get_running_loop(), asyncio.Event()

    def wake() -> None:
        with suppress(RuntimeError):  # the loop has ended, and nobody is left to be woken
            loop.call_soon_threadsafe(woken.set)

    follower.wake = wake
    end = time.monotonic() + settings.STREAM_SECONDS
    yield f"retry: {RECONNECT_MS}\n\n"
    while (left := end - time.monotonic()) > 0 and not follower.ended:
        for message in _messages(follower):
            yield message
        try:
            async with asyncio.timeout(min(left, HEARTBEAT_SECONDS)):
                await woken.wait()
        except TimeoutError:
            yield HEARTBEAT
        woken.clear()


def _messages(follower: Follower) -> Iterator[str]:
    for envelope in follower.take():
        yield f"id: {envelope.sequence}\ndata: {body_of(envelope).decode()}\n\n"

"""One id for one request, from the load balancer's log to the handler of an event."""

import re
import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from holdfast import tracing
from holdfast.ids import uuid7

_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+=-]{0,99}")
# W3C Trace Context: a version that is not ff, and neither id all zeros.
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_TRACESTATE = re.compile(r"[ -~]{1,512}")


class RequestTraceMiddleware:
    """Take over ``X-Request-ID`` and the trace of the caller, or start new ones; bind them and send the id back.

    What a caller sends is written into logs and events, so only what is short and harmless is taken over.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Answer the request, with everything below it bound to its id."""
        if self.is_async:
            return self._call_async(request)
        with _bound(request) as request_id:
            response = self.get_response(request)
            assert isinstance(response, HttpResponseBase)  # noqa: S101 - a synchronous chain answers at once
            response.headers["X-Request-ID"] = request_id
            return response

    async def _call_async(self, request: HttpRequest) -> HttpResponseBase:
        with _bound(request) as request_id:
            response = self.get_response(request)
            answer = response if isinstance(response, HttpResponseBase) else await response
            answer.headers["X-Request-ID"] = request_id
            return answer


@contextmanager
def _bound(request: HttpRequest) -> Iterator[str]:
    request_id = _taken(_REQUEST_ID, request.headers.get("X-Request-ID")) or str(uuid7())
    trace = _taken(_TRACEPARENT, request.headers.get("traceparent"))
    state = _taken(_TRACESTATE, request.headers.get("tracestate")) if trace else None
    request.request_id = request_id  # type: ignore[attr-defined]  # ours, for problems and for the host's own logs
    started = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00"
    with tracing.bound(request_id=request_id, traceparent=trace or started, tracestate=state):
        yield request_id


def _taken(form: re.Pattern[str], value: str | None) -> str | None:
    return value if value is not None and form.fullmatch(value) else None

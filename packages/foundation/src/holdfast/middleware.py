"""One id for one request, from the load balancer's log to the handler of an event."""

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from holdfast import tracing


class RequestTraceMiddleware:
    """Take over the caller's ``X-Request-ID`` and trace, or start new ones; bind them and send the id back.

    Put it first: what stands above it knows no id. Without it a ``DomainAPIView`` does the same for itself.
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
        with tracing.request_scope(request) as request_id:
            response = self.get_response(request)
            assert isinstance(response, HttpResponseBase)  # noqa: S101 - a synchronous chain answers at once
            response.headers["X-Request-ID"] = request_id
            return response

    async def _call_async(self, request: HttpRequest) -> HttpResponseBase:
        with tracing.request_scope(request) as request_id:
            response = self.get_response(request)
            answer = response if isinstance(response, HttpResponseBase) else await response
            answer.headers["X-Request-ID"] = request_id
            return answer

"""One id from the caller to the handler; what a caller sends is taken over only if it is harmless."""

import asyncio
import re

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model
from django.http import HttpResponse
from django.test import AsyncClient, RequestFactory
from rest_framework.test import APIClient, APIRequestFactory, force_authenticate

from holdfast import tracing
from holdfast.middleware import RequestTraceMiddleware
from tests.foundation.host.views import TraceView

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def call(**headers):
    """Send a request through the middleware; return the answer and what was bound meanwhile."""
    seen = {}

    def view(request):
        seen.update(tracing.current(), on_request=request.request_id)
        return HttpResponse()

    return RequestTraceMiddleware(view)(RequestFactory().get("/", headers=headers)), seen


def test_the_callers_id_and_trace_are_taken_over():
    response, seen = call(x_request_id="gw-1/a.b:c", traceparent=TRACE, tracestate="vendor=1")

    assert response.headers["X-Request-ID"] == "gw-1/a.b:c"
    assert seen == {
        "request_id": "gw-1/a.b:c",
        "traceparent": TRACE,
        "tracestate": "vendor=1",
        "on_request": "gw-1/a.b:c",
    }


@pytest.mark.parametrize("sent", ["", " ", "a" * 101, "a b", "a\tb", "<script>", "ü", "-a", 'a"b', "${jndi:x}"])
def test_an_id_that_is_not_harmless_is_replaced(sent):
    response, seen = call(x_request_id=sent)

    assert UUID7.fullmatch(response.headers["X-Request-ID"])
    assert seen["request_id"] == response.headers["X-Request-ID"]


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "00",
        TRACE.upper(),
        TRACE + "-00",
        TRACE.replace("00-4", "ff-4", 1),
        "00-" + "0" * 32 + "-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-" + "0" * 16 + "-01",
    ],
)
def test_a_trace_that_is_none_is_replaced_and_its_state_forgotten(sent):
    _response, seen = call(traceparent=sent, tracestate="vendor=1")

    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", seen["traceparent"])
    assert "tracestate" not in seen


def test_a_request_binds_nothing_beyond_itself():
    before = tracing.current()
    call(x_request_id="one")

    assert tracing.current() == before


def test_bound_headers_nest_and_none_leaves_one_as_it_is():
    with tracing.bound(request_id="outer", actor_id="7"):
        with tracing.bound(request_id="inner", actor_id=None):
            assert tracing.current() == {"request_id": "inner", "actor_id": "7"}
            tracing.bind(actor_id="8")
            assert tracing.current()["actor_id"] == "8"
        assert tracing.current() == {"request_id": "outer", "actor_id": "7"}
    assert tracing.current() == {}


def test_an_asynchronous_chain_is_traced_too():
    async def view(request):
        await asyncio.sleep(0)
        return HttpResponse(tracing.current()["request_id"])

    async def two():
        handler = RequestTraceMiddleware(view)
        requests = [RequestFactory().get("/", headers={"X-Request-ID": name}) for name in ("one", "two")]
        return await asyncio.gather(*map(handler, requests))

    first, second = asyncio.run(two())
    assert (first.content, first.headers["X-Request-ID"]) == (b"one", "one")
    assert (second.content, second.headers["X-Request-ID"]) == (b"two", "two")


@pytest.mark.django_db
def test_under_asgi_a_synchronous_view_sees_the_same_id():
    user = get_user_model().objects.create_user("anna")
    client = AsyncClient()
    client.force_login(user)
    # Not asyncio.run: there the view would get a thread, and a connection that nobody closes.
    response = async_to_sync(client.get)("/api/trace", headers={"X-Request-ID": "async"})

    assert response.json()["request_id"] == "async"
    assert response.headers["X-Request-ID"] == "async"


@pytest.mark.django_db
def test_who_acts_is_bound_while_the_view_runs():
    user = get_user_model().objects.create_user("anna")
    client = APIClient()
    client.force_authenticate(user)

    assert client.get("/api/trace").json()["actor_id"] == str(user.pk)
    assert tracing.current() == {}


@pytest.mark.django_db
def test_without_the_middleware_a_view_traces_itself():
    request = APIRequestFactory().get("/", headers={"X-Request-ID": "alone"})
    force_authenticate(request, get_user_model().objects.create_user("anna"))
    response = TraceView.as_view()(request)

    assert (response.data["request_id"], response.headers["X-Request-ID"]) == ("alone", "alone")
    assert tracing.current() == {}

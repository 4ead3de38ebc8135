"""Streams: what is committed reaches a browser that looks on, under either kind of server."""

import asyncio
import json

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import transaction
from django.test import AsyncClient, Client, RequestFactory

from holdfast.api import streams
from holdfast.outbox import emit
from holdfast.outbox.models import OutboxEvent
from tests.foundation.outbox.facts import Noted

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]

URL = "/api/stream"
BROWSER = {"Accept": "text/event-stream"}


def tell(number):
    with transaction.atomic():
        emit(Noted(topic="a", number=number))


@pytest.fixture
def open_stream(user):
    opened = []

    def stream(**headers):
        client = Client()
        client.force_login(user)
        opened.append(client.get(URL, headers=BROWSER | headers))
        return opened[-1]

    yield stream
    for response in opened:
        response.close()


def numbers(parts, count):
    found = []
    for part in parts:
        lines = dict(line.split(": ", 1) for line in part.decode().splitlines() if ": " in line)
        if "data" in lines:
            found.append((int(lines["id"]), json.loads(lines["data"])["data"]["number"]))
        if len(found) == count:
            return found
    raise AssertionError(f"The stream ended after {found}.")


def test_a_browser_sees_what_is_committed_while_it_looks_on(open_stream):
    tell(0)
    response = open_stream()
    parts = iter(response)
    assert (response.status_code, response["Content-Type"]) == (200, "text/event-stream")
    assert next(parts) == b"retry: 1000\n\n"

    tell(1)
    tell(2)

    position = OutboxEvent.objects.order_by("-pk").first().pk
    assert numbers(parts, 2) == [(position - 1, 1), (position, 2)]


def test_a_browser_that_comes_again_goes_on_where_it_was(open_stream):
    watching = open_stream()
    for number in range(3):
        tell(number)
    first = numbers(iter(watching), 1)[0]

    again = open_stream(**{"Last-Event-ID": str(first[0])})

    assert [number for _position, number in numbers(iter(again), 2)] == [1, 2]


@pytest.mark.parametrize("nonsense", ["", "x", "-1", "9" * 40, "٣"])
def test_a_position_that_is_none_is_no_position(open_stream, nonsense):
    tell(0)
    parts = iter(open_stream(**{"Last-Event-ID": nonsense.encode().decode("latin-1")}))
    tell(1)
    assert [number for _position, number in numbers(parts, 1)] == [1]


def test_a_stream_ends_when_its_time_is_over(open_stream, settings):
    settings.HOLDFAST = {"STREAM_SECONDS": 0.05}
    (first, *_heartbeats) = open_stream()
    assert first == b"retry: 1000\n\n"


def test_a_quiet_stream_shows_that_it_lives(open_stream, monkeypatch):
    monkeypatch.setattr(streams, "HEARTBEAT_SECONDS", 0.01)
    parts = iter(open_stream())
    assert [next(parts), next(parts)] == [b"retry: 1000\n\n", b":\n\n"]


def test_there_is_room_for_so_many_streams_and_again_when_one_was_closed(open_stream, settings):
    settings.HOLDFAST = {"STREAMS_MAX": 1, "STREAMS_PER_USER_MAX": 9}
    first = open_stream()

    refused = open_stream()
    assert (refused.status_code, refused["Content-Type"]) == (503, "application/problem+json")
    assert refused.json()["code"] == "holdfast.too_many_streams"
    assert refused["Retry-After"] == "10"

    first.close()
    assert open_stream().status_code == 200


def test_one_user_does_not_take_all_the_room(open_stream, settings, django_user_model):
    settings.HOLDFAST = {"STREAMS_MAX": 3, "STREAMS_PER_USER_MAX": 2}
    assert [open_stream().status_code for _page in range(3)] == [200, 200, 503]

    other = Client()
    other.force_login(django_user_model.objects.create_user("another"))
    response = other.get(URL, headers=BROWSER)
    assert response.status_code == 200
    response.close()


def test_who_asks_for_the_headers_only_takes_no_place(settings):
    settings.HOLDFAST = {"STREAMS_MAX": 0}
    assert list(streams.event_stream(RequestFactory().head(URL), "outbox_tests.*")) == [b"retry: 1000\n\n"]


def test_a_stranger_sees_nothing():
    response = Client().get(URL, headers=BROWSER)
    assert (response.status_code, response.json()["code"]) == (403, "holdfast.not_authenticated")


def test_under_an_asynchronous_server_it_is_the_same(user):
    async def look():
        client = AsyncClient()
        await client.aforce_login(user)
        response = await client.get(URL, headers=BROWSER)
        parts = aiter(response)
        assert await anext(parts) == b"retry: 1000\n\n"
        await sync_to_async(tell)(1)
        part = await asyncio.wait_for(anext(parts), 30)
        await sync_to_async(response.close)()
        return part

    assert b'"number":1' in async_to_sync(look)()

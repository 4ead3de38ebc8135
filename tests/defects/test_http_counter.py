"""The counter server over HTTP: what it is sent, and what becomes of each way in which it can fail."""

import json
import socket
import time
import uuid

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from holdfast.outbox import DeliveryFailed
from holdfast.outbox.webhooks.signing import generate_secret
from holdfast.outbox.webhooks.verifier import InvalidWebhook, verify
from holdfast_defects.backends.http import HttpCounter
from holdfast_defects.states import Action
from tests.foundation.outbox.receiver import receiving

pytestmark = pytest.mark.any_database

EVENT = uuid.UUID("01936b2a-0000-7000-8000-000000000001")


@pytest.fixture
def server():
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def counting(server):
    """Make a counter of the server; its connection ends with the test."""
    made = []

    def make(**options):
        made.append(HttpCounter(**{"url": server.url, **options}))
        return made[-1]

    yield make
    for counter in made:
        counter.close()


def count(counter, event_id=EVENT):
    counter.count(event_id=event_id, user_id=7, action=Action.CREATE)


def failure_of(counter):
    with pytest.raises(DeliveryFailed) as failure:
        count(counter)
    return failure.value


# What is sent


@pytest.mark.parametrize("user_id", [7, "0b9f3c5e-7a10-4cc1-b1a2-3b5d0c9e4f01"])
@pytest.mark.parametrize("action", Action)
def test_the_body_is_the_user_and_the_action_and_the_id_is_in_the_headers(server, counting, user_id, action):
    counting().count(event_id=EVENT, user_id=user_id, action=action)

    (request,) = server.received
    assert json.loads(request.body) == {"user": user_id, "action": str(action)}
    headers = {name.lower(): value for name, value in request.headers.items()}
    assert headers["webhook-id"] == headers["idempotency-key"] == str(EVENT)
    assert headers["content-type"] == "application/json"
    assert "webhook-signature" not in headers


def test_with_a_secret_it_is_signed_as_standard_webhooks_are(server, counting):
    secret = generate_secret()
    count(counting(secret=secret))

    (request,) = server.received
    webhook = verify(request.headers, request.body, secrets=[secret])
    assert (webhook.id, webhook.payload) == (str(EVENT), {"user": 7, "action": "create"})
    for body, known in ((request.body + b" ", secret), (request.body, generate_secret())):
        with pytest.raises(InvalidWebhook):
            verify(request.headers, body, secrets=[known])


def test_one_connection_is_kept_for_many_events(server, counting):
    counter = counting()
    for _event in range(3):
        count(counter)
    assert len({request.connection for request in server.received}) == 1


def test_a_proxy_of_the_environment_is_not_asked(server, counting, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and not listening
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{taken.getsockname()[1]}")
        count(counting())
    assert len(server.received) == 1


# How it fails


@pytest.mark.parametrize(
    ("status", "final"),
    [
        (400, True),
        (422, True),
        (401, False),
        (404, False),
        (409, False),
        (410, False),
        (429, False),
        (500, False),
        (503, False),
        (302, False),
        (304, False),
    ],
)
def test_only_an_event_that_is_not_wanted_is_given_up(server, counting, status, final):
    server.status, server.body = status, b"" if status == 304 else b"the reason"
    failure = failure_of(counting())
    assert (failure.status, failure.final) == (status, final)
    assert status == 304 or "the reason" in str(failure)


@pytest.mark.parametrize(("header", "seconds"), [("120", 120), ("soon", None), ("Thu, 01 Jan 1970 00:00:00 GMT", 0)])
def test_the_server_may_say_when_to_come_again(server, counting, header, seconds):
    server.status, server.headers = 429, {"Retry-After": header}
    assert failure_of(counting()).after_seconds == seconds


def test_a_redirect_is_not_followed(server, counting):
    server.status, server.headers = 307, {"Location": server.url}
    assert failure_of(counting()).status == 307
    assert len(server.received) == 1


def test_a_server_that_is_not_there_fails(counting):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and not listening
        assert "connect_error" in str(failure_of(counting(url=f"http://127.0.0.1:{taken.getsockname()[1]}")))


def test_a_server_that_says_nothing_meets_the_deadline_of_a_read(server, counting):
    server.answer = lambda _handler: time.sleep(1)
    assert "read_timeout" in str(failure_of(counting(read_seconds=0.05)))


def drip(handler):
    """Send a header that never ends, each byte in time."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Patience: ")
    while True:
        handler.wfile.write(b"x")
        time.sleep(0.01)


def drip_body(handler):
    """Send a body that never ends, each byte in time."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        handler.wfile.write(b"x")
        time.sleep(0.01)


@pytest.mark.parametrize("answer", [drip, drip_body])
def test_a_server_that_drips_meets_the_deadline_of_the_whole_and_the_next_event_goes_through(server, counting, answer):
    counter = counting(total_seconds=1)
    server.answer = answer
    assert "read_timeout" in str(failure_of(counter))

    server.answer = None
    count(counter)


def cut(handler):
    handler.connection.shutdown(socket.SHUT_RDWR)


def cut_in_the_middle(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
    handler.connection.shutdown(socket.SHUT_RDWR)


def speak_nonsense(handler):
    handler.wfile.write(b"220 mail.example ESMTP\r\n")


@pytest.mark.parametrize("answer", [cut, cut_in_the_middle, speak_nonsense])
def test_an_answer_that_is_cut_or_none_is_a_failure_and_the_next_event_goes_through(server, counting, answer):
    counter = counting()
    server.answer = answer
    assert not failure_of(counter).final

    server.answer = None
    count(counter)
    assert len(server.received) == 2


def test_of_an_answer_without_end_only_the_beginning_is_read(server, counting):
    sent = []

    def flood(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        try:
            while True:
                sent.append(handler.wfile.write(b"x" * 65_536))
        except OSError:
            sent.append(None)

    server.answer = flood
    counter = counting(max_answer_bytes=1000)
    count(counter)  # the status has said that it is counted

    server.answer = None
    count(counter)
    assert len({request.connection for request in server.received}) == 2
    assert sum(filter(None, sent)) < 100_000_000


# What the settings may say


@pytest.mark.django_db  # Django 6.1 asks SQLite whether it has JSON
@pytest.mark.parametrize("url", ["", "counter", "ftp://counter.example", "http://", "//counter.example"])
def test_an_address_that_is_none_is_found_at_start_up(settings, url):
    settings.HOLDFAST_DEFECTS = {
        "COUNTER": {"BACKEND": "holdfast_defects.backends.http.HttpCounter", "OPTIONS": {"url": url}}
    }
    with pytest.raises(SystemCheckError, match=r"holdfast_defects\.E004"):
        call_command("check")


@pytest.mark.django_db  # as above
def test_a_secret_that_is_none_is_found_at_start_up(settings):
    options = {"url": "https://counter.example", "secret": "whsec_short"}
    settings.HOLDFAST_DEFECTS = {
        "COUNTER": {"BACKEND": "holdfast_defects.backends.http.HttpCounter", "OPTIONS": options}
    }
    with pytest.raises(SystemCheckError, match="A webhook secret is"):
        call_command("check")

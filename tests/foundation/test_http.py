"""Calls to others: one deadline over everything, connections that are kept, and nothing sent twice."""

import logging
import socket
import threading
import time

import pytest

pytest.importorskip("httpx", reason="httpx is an extra.")

from holdfast.http import AnswerTooLarge, Limits, Lost, NotSent, Transport
from tests.foundation.outbox.receiver import receiving

pytestmark = pytest.mark.any_database

SHORT = Limits(connect_seconds=1, read_seconds=1, total_seconds=2)  # long enough for what does come on a busy machine
SECRETS = ("4929731604817253", "sk_secret", "secret-pin")


@pytest.fixture
def server():
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def transport(server):
    transport = Transport(server.url, headers={}, limits=SHORT)
    yield transport
    transport.close()


# What is certain afterwards


def drip_headers(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Patience: ")
    drip(handler)


def drip_body(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    drip(handler)


def drip(handler):
    while True:
        handler.wfile.write(b"x")
        time.sleep(0.01)


@pytest.mark.parametrize("answer", [drip_headers, drip_body])
def test_a_drip_ends_at_the_deadline_however_fast_each_byte_comes(server, transport, answer):
    # httpx alone reads on for as long as bytes keep coming.
    server.answer = answer
    with pytest.raises(Lost, match="read_timeout"):
        transport.send("POST", json={})

    server.answer = None
    assert transport.send("POST", json={}).status == 200


def test_a_host_that_never_accepts_is_not_sent():
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))

        with pytest.raises(NotSent, match="connect_timeout"):
            Transport(f"http://127.0.0.1:{port}", headers={}, limits=SHORT).send("POST", "/", json={})

        for filler in fillers:
            filler.close()


@pytest.mark.parametrize("address", ["gopher://127.0.0.1", "http://[broken", "http://no-such-host.invalid", "nowhere"])
def test_an_address_that_is_none_is_not_sent(address):
    with pytest.raises(NotSent):
        Transport(address, headers={}, limits=SHORT).send("POST", "/", json={})


def test_tls_that_fails_is_not_sent(server):
    with pytest.raises(NotSent):
        Transport(server.url.replace("http:", "https:"), headers={}, limits=SHORT).send("POST", json={})

    assert server.received == []


def test_a_full_pool_is_not_sent(server):
    let_go = threading.Event()
    server.answer = lambda handler: let_go.wait(5) and handler.connection.shutdown(socket.SHUT_RDWR)
    transport = Transport(server.url, headers={}, limits=Limits(pool_seconds=0.1, read_seconds=5, total_seconds=5))
    transport._kept_client()._transport._pool._max_connections = 1
    first = threading.Thread(target=lose, args=[transport])
    first.start()
    while not server.received:
        time.sleep(0.01)

    with pytest.raises(NotSent, match="pool_timeout"):
        transport.send("POST", json={})

    let_go.set()
    first.join()
    assert len(server.received) == 1


def lose(transport):
    with pytest.raises(Lost):
        transport.send("POST", json={})


def test_an_answer_is_read_up_to_the_cap_and_no_further(server):
    transport = Transport(server.url, headers={}, limits=Limits(max_bytes=1000))
    server.body = b"x" * 1000
    assert len(transport.send("POST", json={}).body) == 1000

    server.status, server.body = 422, b"x" * 1001
    with pytest.raises(AnswerTooLarge) as lost:
        transport.send("POST", json={})
    assert (lost.value.reason, lost.value.status) == ("answer_too_large", 422)


@pytest.mark.parametrize(
    "body", [b"", b"<h1>Hello</h1>", b"[" * 100_000, b"\xff"], ids=["nothing", "HTML", "deep", "bytes"]
)
def test_a_document_that_is_none_is_lost(server, transport, body):
    server.body = body
    reply = transport.send("POST", json={})
    with pytest.raises(Lost, match="malformed_json"):
        reply.document()


# What is sent


def test_the_address_is_taken_as_it_is_and_a_path_is_put_behind(server):
    address = server.url.partition("/hooks")[0]
    transport = Transport(address, headers={"X-Always": "1"}, limits=SHORT)
    transport.send("POST", "/cards/?page=1", content=b"as it is", headers={"X-Once": "2"})

    (request,) = server.received
    assert request.body == b"as it is"
    assert (request.headers["X-Always"], request.headers["X-Once"]) == ("1", "2")


def test_connections_are_kept_until_they_are_closed(server, transport):
    for _ in range(3):
        transport.send("POST", json={})
    assert len({request.connection for request in server.received}) == 1

    transport.close()
    transport.send("POST", json={})
    assert len({request.connection for request in server.received}) == 2


def test_a_child_does_not_use_its_parents_connection(server, transport):
    transport.send("POST", json={})
    parents = transport._client
    transport._pid -= 1  # as it looks to a child

    transport.send("POST", json={})

    assert transport._client is not parents


def test_threads_have_deadlines_of_their_own(server):
    server.answer = answer_late
    transport = Transport(server.url, headers={}, limits=Limits(read_seconds=5, total_seconds=5))
    replies = []
    threads = [threading.Thread(target=lambda: replies.append(transport.send("POST", json={}))) for _ in range(3)]
    for thread in threads:
        thread.start()
        time.sleep(0.1)
    for thread in threads:
        thread.join()

    assert [reply.status for reply in replies] == [200] * 3


def answer_late(handler):
    time.sleep(0.5)
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def test_redirects_are_not_followed(server, transport):
    server.status, server.headers = 307, {"Location": server.url}
    assert transport.send("POST", json={}).status == 307
    assert len(server.received) == 1


def test_the_proxies_of_the_environment_are_not_used(server, transport, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    transport.send("POST", json={})
    assert len(server.received) == 1


def test_neither_bodies_nor_credentials_are_logged(server, caplog):
    caplog.set_level(logging.DEBUG)
    server.status, server.body = 400, b'{"pan": "4929731604817253"}'
    transport = Transport(server.url, headers={"Authorization": "Bearer sk_secret"}, limits=SHORT)
    reply = transport.send("POST", form={"pin": "secret-pin"})

    assert reply.status == 400
    for secret in SECRETS:
        assert secret not in caplog.text
        assert secret not in repr(reply)


@pytest.mark.parametrize("value", ["key\r\nX-Other: 1", "schlüssel", "\0"])
def test_a_header_that_cannot_be_sent_is_refused_at_once_and_not_shown(value):
    with pytest.raises(ValueError, match="the Authorization header") as refusal:
        Transport("http://127.0.0.1", headers={"Authorization": value})
    assert value not in str(refusal.value)


# What is read of the answer's headers


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        ({"Request-Id": "req_1"}, "req_1"),
        ({"X-Request-Id": "abc"}, "abc"),
        ({"Request-Id": "a" * 200}, ""),
        ({"Request-Id": "with space"}, ""),
        ({}, ""),
    ],
)
def test_a_request_id_is_kept_if_it_is_one(server, transport, headers, wanted):
    server.headers = headers
    assert transport.send("POST", json={}).request_id == wanted


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("soon", None),
        ("-1", None),
        ("9" * 30, None),
        ("", None),
    ],
)
def test_the_server_may_say_when_to_come_again(server, transport, value, seconds):
    server.status, server.headers = 429, {"Retry-After": value}
    assert transport.send("POST", json={}).retry_after_seconds == seconds

"""The transport: one deadline over everything, connections that are kept, and nothing sent twice."""

import logging
import os
import socket
import threading
import time

import pytest

from holdfast_cards.backends.transport import Limits, Lost, NotSent, Transport
from holdfast_cards.testing.contract import answers, misbehaving
from holdfast_cards.testing.sandbox.books import Reply

SHORT = Limits(connect_seconds=0.3, read_seconds=0.3, total_seconds=0.6)


def test_connections_are_kept():
    with misbehaving(answers(200)) as (url, seen):
        transport = Transport(url, headers={}, limits=SHORT)
        ports = set()
        for _ in range(5):
            transport.send("GET", "/")
            ports |= {
                connection._connection._network_stream.get_extra_info("client_addr")
                for connection in transport._client._transport._pool.connections
            }

        assert len(seen) == 5
        assert len(ports) == 1


@pytest.mark.parametrize("head", [False, True], ids=["of the body", "of the headers"])
def test_a_drip_ends_at_the_deadline_however_fast_each_byte_comes(head):
    # httpx alone reads on for as long as bytes keep coming.
    with misbehaving(lambda line: line.drip(Reply(200, b"x" * 100), seconds=8, head=head)) as (url, _):
        began = time.monotonic()

        with pytest.raises(Lost, match="read_timeout"):
            Transport(url, headers={}, limits=SHORT).send("POST", "/", json={})

        assert time.monotonic() - began < 4


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


def test_tls_that_fails_is_not_sent():
    with misbehaving(answers(200)) as (url, seen):
        with pytest.raises(NotSent):
            Transport(url.replace("http:", "https:"), headers={}, limits=SHORT).send("POST", "/", json={})

        assert seen == []


def test_a_full_pool_is_not_sent():
    hanging = Limits(pool_seconds=0.1, read_seconds=5, total_seconds=5)
    with misbehaving(lambda line: line.hang(0.5) or line.cut()) as (url, seen):
        transport = Transport(url, headers={}, limits=hanging)
        client = transport._kept_client()
        client._transport._pool._max_connections = 1
        first = threading.Thread(target=lose, args=[transport])
        first.start()
        while not seen:
            time.sleep(0.01)

        with pytest.raises(NotSent, match="pool_timeout"):
            transport.send("POST", "/", json={})

        first.join()
        assert len(seen) == 1


def test_redirects_are_not_followed():
    with misbehaving(answers(307, Location="/elsewhere")) as (url, seen):
        reply = Transport(url, headers={}, limits=SHORT).send("POST", "/", json={})

    assert (reply.status, len(seen)) == (307, 1)


def test_the_proxies_of_the_environment_are_not_used(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    with misbehaving(answers(200)) as (url, seen):
        Transport(url, headers={}, limits=SHORT).send("GET", "/")

    assert len(seen) == 1


def test_an_answer_is_read_up_to_the_cap_and_no_further():
    limits = Limits(max_bytes=1000)
    with misbehaving(answers(200, b"x" * 1000)) as (url, _):
        assert len(Transport(url, headers={}, limits=limits).send("GET", "/").body) == 1000
    with misbehaving(answers(200, b"x" * 1001)) as (url, _), pytest.raises(Lost, match="answer_too_large"):
        Transport(url, headers={}, limits=limits).send("GET", "/")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_does_not_use_its_parents_connection():
    with misbehaving(answers(200)) as (url, _):
        transport = Transport(url, headers={}, limits=SHORT)
        transport.send("GET", "/")
        parents = transport._client
        transport._pid -= 1  # as it looks to a child

        transport.send("GET", "/")

        assert transport._client is not parents


def test_threads_have_deadlines_of_their_own():
    patient = Limits(read_seconds=5, total_seconds=5)
    with misbehaving(lambda line: line.hang(1.0) or line.send(Reply(200, b"{}"))) as (url, _):
        replies = []
        threads = [
            threading.Thread(target=lambda: replies.append(Transport(url, headers={}, limits=patient).send("GET", "/")))
            for _ in range(3)
        ]
        for thread in threads:
            thread.start()
            time.sleep(0.1)
        for thread in threads:
            thread.join()

    assert [reply.status for reply in replies] == [200] * 3


def test_neither_bodies_nor_credentials_are_logged(caplog):
    caplog.set_level(logging.DEBUG)
    with misbehaving(answers(400, b'{"pan": "4929731604817253"}')) as (url, _):
        reply = Transport(url, headers={"Authorization": "Bearer sk_secret"}, limits=SHORT).send(
            "POST", "/", form={"pin": "secret-pin"}
        )

    assert reply.status == 400
    assert not {"4929731604817253", "sk_secret", "secret-pin"} & set(caplog.text.split())
    for secret in ("4929731604817253", "sk_secret", "secret-pin"):
        assert secret not in caplog.text
        assert secret not in repr(reply)


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
def test_a_request_id_is_kept_if_it_is_one(headers, wanted):
    with misbehaving(lambda line: line.send(Reply(200, b"{}", headers))) as (url, _):
        assert Transport(url, headers={}, limits=SHORT).send("GET", "/").request_id == wanted


def lose(transport):
    with pytest.raises(Lost):
        transport.send("GET", "/")

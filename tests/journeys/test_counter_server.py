"""The counter servers: what is told at least once is counted once, whatever happens to them."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.broadcast.processes import CounterProcess
from holdfast.outbox.webhooks.signing import generate_secret, key_of, sign
from tests.journeys.counting import counter_server, counter_server_of_deno, deno

# It keeps what it counts in a file of its own.
pytestmark = pytest.mark.any_database

SERVERS = {"python": counter_server, "deno": counter_server_of_deno}


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CounterProcess]:
    """Each counter server in turn."""
    if request.param == "deno" and deno() is None:
        pytest.skip("There is no deno: install it, or the package of that name (npm, PyPI).")
    with SERVERS[request.param](tmp_path / "counted") as running:
        yield running


@pytest.fixture
def faulty(tmp_path: Path) -> Iterator[CounterProcess]:
    """The one that misbehaves when it is asked to."""
    with counter_server(tmp_path / "counted") as running:
        yield running


def test_each_event_is_counted_once_however_often_it_is_told(server: CounterProcess):
    first = [server.tell(event_id) for event_id in ("a", "b")]
    again = [server.tell("a") for _ in range(3)]
    server.tell("c", action="delete")
    server.tell("d", user="0192f3a0-5f5e-7c1d-9b1e-6b6f7a646d6f")

    assert [(answer.status, answer.document) for answer in first] == [(201, {"counted": True})] * 2
    assert [(answer.status, answer.document) for answer in again] == [(200, {"counted": False})] * 3
    counted = server.counters()
    assert counted["users"] == {
        "7": {"create": 2, "delete": 1},
        "0192f3a0-5f5e-7c1d-9b1e-6b6f7a646d6f": {"create": 1, "delete": 0},
    }
    assert counted["total"] == {"create": 3, "delete": 1}
    assert (counted["events"], counted["deliveries"]) == (4, 7)


def test_what_was_answered_survives_a_sigkill_and_is_known_again(server: CounterProcess):
    for number in range(20):
        assert server.tell(f"event-{number}").status == 201
    server.kill()
    server.start()

    assert server.counters()["total"] == {"create": 20, "delete": 0}
    assert server.tell("event-19").document == {"counted": False}
    assert server.tell("event-20").document == {"counted": True}
    assert server.counters()["total"] == {"create": 21, "delete": 0}


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        ({"user": 7, "action": "create"}, {}, 400),
        ({"user": 7, "action": "create"}, {"webhook-id": "i" * 257}, 400),
        ({"user": 7, "action": "explode"}, {"webhook-id": "x"}, 400),
        ({"user": 7}, {"webhook-id": "x"}, 400),
        ({"user": True, "action": "create"}, {"webhook-id": "x"}, 400),
        ({"user": 7, "action": "create", "more": 1}, {"webhook-id": "x"}, 400),
        ([], {"webhook-id": "x"}, 400),
        (b"{", {"webhook-id": "x"}, 400),
        (b" " * 2000, {"webhook-id": "x"}, 413),
    ],
)
def test_what_is_no_event_is_refused_and_counts_for_nothing(server: CounterProcess, body, headers, status):
    assert server.post("/events", body, **headers).status == status
    assert server.counters()["events"] == 0


def test_an_id_that_stands_for_another_event_is_refused(server: CounterProcess):
    server.tell("a", user=7)

    assert server.tell("a", user=8).status == 409
    assert server.tell("a", action="delete").status == 409
    assert server.counters()["users"] == {"7": {"create": 1, "delete": 0}}


def test_the_other_header_names_an_event_too(server: CounterProcess):
    server.post("/events", {"user": 7, "action": "create"}, **{"Idempotency-Key": "a"})

    assert server.tell("a").document == {"counted": False}


def test_whoever_names_no_path_is_heard_too(server: CounterProcess):
    assert server.post("/", {"user": 7, "action": "create"}, **{"webhook-id": "a"}).document == {"counted": True}


def test_there_is_a_page_and_nothing_else(server: CounterProcess):
    assert "The counter server" in server.get("/").document
    assert server.get("/nowhere").status == 404


def test_a_line_that_was_cut_by_a_power_failure_is_forgotten(tmp_path: Path):
    if deno() is None:
        pytest.skip("There is no deno: install it, or the package of that name (npm, PyPI).")
    kept = tmp_path / "counted"
    kept.write_text('["a","7","create"]\n["b","7","cre')

    with counter_server_of_deno(kept) as server:
        assert server.counters()["events"] == 1
        server.tell("b")

    assert kept.read_text() == '["a","7","create"]\n["b","7","create"]\n'


@pytest.mark.parametrize(
    ("fault", "happens"),
    [
        ("error", lambda server: server.tell("a").status == 500),
        ("refuse", lambda server: _cut(lambda: server.tell("a"))),
        ("hang", lambda server: _cut(lambda: server.tell("a"))),
    ],
)
def test_it_fails_as_it_is_asked_to_and_recovers_by_itself(
    faulty: CounterProcess, fault: str, happens: Callable[[CounterProcess], bool]
):
    faulty.post("/faults", {"fault": fault, "seconds": 1})
    if fault == "refuse":
        _until(lambda: _cut(faulty.counters))

    assert happens(faulty)
    _until(lambda: not _cut(faulty.counters) and faulty.counters()["fault"] == "")
    assert faulty.tell("a").document == {"counted": True}


def test_it_can_count_and_lose_its_answer_which_is_why_events_have_ids(faulty: CounterProcess):
    faulty.post("/faults", {"fault": "forget", "seconds": 30})
    assert _cut(lambda: faulty.tell("a"))
    faulty.post("/faults", {"fault": ""})

    assert faulty.tell("a").document == {"counted": False}
    assert faulty.counters()["total"]["create"] == 1


@pytest.mark.parametrize("wanted", [{"fault": "explode"}, {"fault": "hang", "seconds": 3600}, {"fault": 1}, []])
def test_it_does_not_fail_in_other_ways_or_for_long(faulty: CounterProcess, wanted):
    assert faulty.post("/faults", wanted).status == 400


def test_with_a_secret_it_takes_signed_events_only(tmp_path: Path):
    secret = generate_secret()
    body = json.dumps({"user": 7, "action": "create"}).encode()
    now = int(time.time())
    signed = {
        "webhook-id": "a",
        "webhook-timestamp": str(now),
        "webhook-signature": sign([key_of(secret)], "a", now, body),
    }

    with counter_server(tmp_path / "counted", COUNTER_SECRET=secret) as server:
        assert server.tell("a").status == 401
        assert server.post("/events", body, **signed | {"webhook-id": "b"}).status == 401
        assert server.post("/events", body, **signed).document == {"counted": True}


def _cut(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except OSError:  # http.client's RemoteDisconnected is one
        return True
    return False


def _until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not reached():
        assert time.monotonic() < deadline, "It did not happen in time."
        time.sleep(0.05)

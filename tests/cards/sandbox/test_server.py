"""The sandbox as a server: its page and buttons, its layers, its lists, its command."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import httpx
import pytest
from django.core.management import CommandError, call_command

from holdfast.ids import uuid7
from holdfast_cards.testing.sandbox import FaultKind, SandboxServer, running_sandbox
from tests.cards.adapters.providers import HOLDER, create, order, provider_of


@pytest.fixture
def http(sandbox):
    with httpx.Client(base_url=sandbox.server.url, timeout=30) as client:
        yield client


# --- Layers


def test_the_rate_limiter_stands_before_the_idempotency_layer(stripe_sandbox):
    provider, key = provider_of(stripe_sandbox), str(uuid7())
    payload = provider.compose(order(provider))
    stripe_sandbox.arm("rate_limited")

    limited, made = provider.create(payload, key=key), provider.create(payload, key=key)

    assert (limited.http_status, made.http_status) == (429, 200)
    assert [seen.replayed for seen in stripe_sandbox.requests] == [False, False]


def test_what_fails_validation_is_not_saved_for_its_key(stripe_sandbox):
    provider, key = provider_of(stripe_sandbox), str(uuid7())
    payload = provider.compose(order(provider))

    assert provider.create({**payload, "currency": ""}, key=key).http_status == 400
    assert provider.create(payload, key=key).http_status == 200


def test_a_replay_says_that_it_is_one(stripe_sandbox):
    headers = {"Authorization": "Bearer sk_test_sandbox", "Idempotency-Key": "key-1"}
    form = {"type": "virtual", "currency": "eur"}
    with httpx.Client(base_url=stripe_sandbox.base_url, headers=headers) as client:
        first, again = (client.post("/v1/issuing/cards", data=form) for _ in range(2))

    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert first.json() == again.json()
    assert first.headers["Request-Id"] != again.headers["Request-Id"]


def test_of_many_at_once_with_one_key_one_makes_a_card(stripe_sandbox):
    provider, key = provider_of(stripe_sandbox), str(uuid7())
    payload, answers = provider.compose(order(provider)), []
    threads = [threading.Thread(target=lambda: answers.append(provider.create(payload, key=key))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(stripe_sandbox.cards) == 1
    assert {answer.http_status for answer in answers} <= {200, 409}


def test_a_fault_waits_for_its_turn(sandbox):
    sandbox.arm("status", status=418, skip=1, times=2)
    provider = provider_of(sandbox)

    assert [create(provider).http_status == 418 for _ in range(4)] == [False, True, True, False]
    assert [seen.fault for seen in sandbox.requests] == ["", "status", "status", ""]
    assert sandbox.faults.armed() == []


@pytest.mark.parametrize(
    ("kind", "options"), [("cut_after", {"on": "webhook"}), ("nonsense", {}), ("status", {"on": "?"})]
)
def test_a_fault_that_there_is_not_cannot_be_armed(sandbox, kind, options):
    with pytest.raises(ValueError):
        sandbox.arm(kind, **options)


def test_the_bank_is_what_its_contract_says_until_it_is_told_otherwise(http):
    card = {"user_id": "u", "color": "COLOR_1"}
    with running_sandbox("bank") as sandbox, httpx.Client(base_url=sandbox.base_url) as bank:
        made = bank.post("/api/v2/card/", json=card, headers={"Idempotency-Key": "1"})
        again = bank.post("/api/v2/card/", json=card, headers={"Idempotency-Key": "1"})

        assert (made.status_code, sorted(made.json())) == (201, ["color", "expiration_date", "id", "status"])
        assert made.json()["id"] != again.json()["id"]
        assert bank.get("/api/v2/card/").status_code == 405
        assert bank.get(f"/api/v2/card/{made.json()['id']}/").status_code == 405
        for wrong in (b"", b"[]", b"{", b'{"user_id": "u", "color": "COLOR_3"}', b'{"color": "COLOR_1"}'):
            refused = bank.post("/api/v2/card/", content=wrong)
            assert (refused.status_code, refused.json()) == (400, {"error": "Invalid input"})
        sandbox.arm("error_500_before")
        failed = bank.post("/api/v2/card/", json=card)
        assert (failed.status_code, failed.json()) == (500, {"error": "Provider internal error"})


@pytest.mark.parametrize("size", ["0", "101", "many", "-1"])
def test_a_page_has_its_size(stripe_sandbox, size):
    headers = {"Authorization": "Bearer sk_test_sandbox"}

    answer = httpx.get(f"{stripe_sandbox.base_url}/v1/issuing/cards?limit={size}", headers=headers)

    assert answer.status_code == 400


def test_a_body_without_end_is_not_read(sandbox):
    head = b"POST /_sandbox/release HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", sandbox.server.port), timeout=30) as connection:
        connection.sendall(head)

        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


# --- The page and its buttons


def test_there_is_a_page_that_loads_nothing_from_elsewhere(http):
    page = http.get("/")

    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page.text)


def test_the_state_tells_everything_but_secrets(sandbox, http):
    provider = provider_of(sandbox)
    card = create(provider).card
    sandbox.arm("cut_after")

    state = http.get("/_sandbox/state").json()
    shown = next(each for each in state["providers"] if each["name"] == sandbox.name)

    assert [each["id"] for each in shown["cards"]] == [card.id]
    assert [each["operation"] for each in shown["requests"]] == ["create"]
    assert [each["kind"] for each in shown["faults"]] == ["cut_after"]
    assert shown["posts"] == 1
    assert {each["kind"] for each in state["faults"]} == set(FaultKind)
    assert sandbox.webhooks.secret not in json.dumps(state)


def test_every_button_does_what_the_method_does(sandbox, http):
    def press(path, /, **values):
        assert http.post(f"/_sandbox/{path}", json=values).status_code == 200, path

    name, provider = sandbox.name, provider_of(sandbox)
    press(f"{name}/faults", kind="status", status=418)
    assert create(provider).http_status == 418
    press(f"{name}/cards", owner="somebody", color="black")
    card = sandbox.cards_of("somebody")[0]
    press(f"{name}/cards/{card.id}", happening="ship")
    assert len(sandbox.events) == 2
    press(f"{name}/events/{sandbox.events[0].id}")
    press("clock", advance_seconds=60)
    assert sandbox.clock.ahead_seconds == 60
    press(f"{name}/options", list_lag_seconds=5, leaky=True)
    assert sandbox.options()["list_lag_seconds"] == 5
    press(f"{name}/faults", kind="cut_after")
    assert http.request("DELETE", f"/_sandbox/{name}/faults", json={}).status_code == 200
    assert sandbox.faults.armed() == []
    press("release")
    press(f"{name}/reset")
    assert (sandbox.cards, sandbox.events, sandbox.requests) == ([], [], [])


def test_the_provider_can_be_switched_off_for_a_while(sandbox, http):
    http.post("/_sandbox/refuse", json={"seconds": 2})
    deadline = time.monotonic() + 30
    while sandbox.server.listening:
        assert time.monotonic() < deadline
        time.sleep(0.01)

    assert create(provider_of(sandbox)).reason == "connect_error"

    while not sandbox.server.listening:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert create(provider_of(sandbox)).http_status in {200, 201}


@pytest.mark.parametrize(
    ("path", "values", "status"),
    [
        ("nothing", {}, 404),
        ("bank/nothing", {}, 404),
        ("bank/cards/none", {"happening": "ship"}, 404),
        ("nobody/faults", {"kind": "cut_after"}, 404),
        ("bank/faults", {"kind": "nonsense"}, 400),
        ("bank/faults", {"kind": "cut_after", "colour": "blue"}, 400),
        ("bank/faults", {}, 404),
        ("bank/options", {"nonsense": 1}, 400),
        ("clock", {}, 404),
    ],
)
def test_a_button_that_there_is_not_is_said_to_be_none(http, path, values, status):
    assert http.post(f"/_sandbox/{path}", json=values).status_code == status


def test_no_other_sites_page_can_press_a_button(sandbox, http):
    path = f"/_sandbox/{sandbox.name}/faults"

    as_a_form = http.post(path, content=b'{"kind": "cut_after"}', headers={"Content-Type": "text/plain"})
    from_elsewhere = http.post(path, json={"kind": "cut_after"}, headers={"Origin": "https://evil.example"})
    own_page = http.post(path, json={"kind": "cut_after"}, headers={"Origin": sandbox.server.url})

    assert (as_a_form.status_code, from_elsewhere.status_code, own_page.status_code) == (403, 403, 200)
    assert len(sandbox.faults.armed()) == 1


# --- The command


COMMAND = [sys.executable, "-m", "django", "cards_sandbox"]
ENVIRONMENT = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.cards.settings", "PYTHONPATH": os.pathsep.join(sys.path)}


@pytest.mark.slow
def test_the_command_runs_it_until_it_is_told_to_stop():
    command = [*COMMAND, "--port", "0", "--webhook-url", "http://127.0.0.1:1/{name}/"]
    with subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = process.stdout.readline().split()[-1]
            state = httpx.get(f"{url}_sandbox/state").json()
        finally:
            process.send_signal(signal.SIGTERM)

    assert process.returncode == 0
    assert [each["options"]["webhook_url"] for each in state["providers"]] == [
        f"http://127.0.0.1:1/{name}/" for name in ("bank", "stripe", "lithic")
    ]


@pytest.mark.parametrize(
    ("options", "complaint"), [(["--webhook-secret", "short"], "secret"), (["--port", "{taken}"], "Cannot listen")]
)
def test_the_command_says_what_is_wrong(sandbox, options, complaint):
    with pytest.raises(CommandError, match=complaint):
        call_command("cards_sandbox", *(each.format(taken=sandbox.server.port) for each in options))


def test_lists_show_a_holders_cards_newest_first(stripe_sandbox):
    provider = provider_of(stripe_sandbox)
    made = [create(provider).card.id for _ in range(3)]

    assert [card.id for card in provider.list_by_holder(holder=HOLDER.external_id)] == list(reversed(made))


def test_a_sandbox_that_keeps_books_remembers_its_cards_and_its_answers(tmp_path):
    key, keep = str(uuid7()), tmp_path / "books"
    first = SandboxServer(keep=keep)
    first.listen()
    provider = provider_of(first.providers["stripe"])
    payload = provider.compose(order(provider))
    card = provider.create(payload, key=key).card
    first.providers["stripe"].befall(card.id, "ship")
    cursor = provider.events(after="").cursor
    first.close()

    again = SandboxServer(keep=keep)
    again.listen()
    provider = provider_of(again.providers["stripe"])

    assert provider.get(card.id).tracking_number == f"TRACK-{card.id}"
    assert provider.create(payload, key=key).card.id == card.id
    assert provider.events(after=cursor).notices == ()
    assert create(provider).card.id != card.id
    assert len(again.providers["stripe"].cards) == 2
    again.close()

"""The receiver of the demo: chat messages and signed webhooks, as the catalog's own channels send them."""

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from holdfast.outbox import GiveUp
from holdfast.outbox.webhooks.signing import generate_secret, key_of, sign
from holdfast_catalog_notify.backends.slack import SlackChannel
from holdfast_catalog_notify.backends.webhook import WebhookChannel
from holdfast_catalog_notify.testing import make_message
from sandboxes import receiver as sandbox

pytestmark = pytest.mark.any_database


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch, settings: Any) -> str:
    """What both ends know; the receiver's own Django is the tests'."""
    settings.HOLDFAST_OUTBOX = {"WEBHOOK_ALLOW_HTTP": True, "WEBHOOK_ALLOWED_NETWORKS": ["127.0.0.0/8"]}
    return generate_secret()


@pytest.fixture
def receiver(secret: str) -> Iterator[sandbox.Receiver]:
    with sandbox.Receiver(("127.0.0.1", 0), secret=secret) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def address(receiver: sandbox.Receiver, path: str) -> str:
    return f"http://127.0.0.1:{receiver.server_port}{path}"


def ask(receiver: sandbox.Receiver, path: str, body: bytes | None = None, **headers: str) -> tuple[int, str]:
    request = urllib.request.Request(
        address(receiver, path), data=body, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_chat_message_is_shown_and_its_markup_is_none(receiver):
    SlackChannel(url=address(receiver, "/chat")).send(make_message(subject="A price has changed"))
    _status, page = ask(receiver, "/")

    assert "A price has changed" in page
    assert "its address is the secret" in page
    assert "<small> &" not in page.partition("<article>")[2]


def test_a_signed_webhook_is_verified_and_shown_once_however_often_it_comes(receiver, secret):
    channel = WebhookChannel(url=address(receiver, "/webhook"), secret=secret)
    message = make_message()
    for _ in range(3):
        channel.send(message)
    (shown,) = json.loads(ask(receiver, "/messages")[1])["messages"]
    page = ask(receiver, "/")[1]

    assert (shown["id"], shown["times"], shown["verdict"]) == (str(message.id), 3, "The signature fits.")
    assert set(shown["headers"]) == {"webhook-id", "webhook-timestamp", "webhook-signature"}
    assert "told 3 times" in page
    assert "The signature fits." in page


def test_what_another_has_signed_is_refused_and_shown_as_that(receiver):
    message = make_message()
    with pytest.raises(Exception, match="401"):
        WebhookChannel(url=address(receiver, "/webhook"), secret=generate_secret()).send(message)
    (shown,) = json.loads(ask(receiver, "/messages")[1])["messages"]

    assert (shown["accepted"], shown["verdict"]) == (False, "No signature fits.")


def test_a_signature_of_yesterday_is_refused(receiver, secret):
    body, yesterday = b"{}", int(time.time()) - 86_400
    signature = sign([key_of(secret)], "msg", yesterday, body)
    signed = {"webhook_id": "msg", "webhook_timestamp": str(yesterday), "webhook_signature": signature}

    assert ask(receiver, "/webhook", body, **signed)[0] == 401


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [("/chat", b"{}", 400), ("/chat", b"no", 400), ("/elsewhere", b"{}", 404), ("/webhook", b"{}", 401)],
)
def test_what_is_no_message_is_refused(receiver, path: str, body: bytes, status: int):
    assert ask(receiver, path, body)[0] == status


def test_without_a_secret_the_page_says_that_nothing_was_verified(secret):
    with sandbox.Receiver(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        WebhookChannel(url=address(server, "/webhook")).send(make_message())
        assert "nothing was verified" in ask(server, "/")[1]
        assert ask(server, "/nothing")[0] == 404
        server.shutdown()
        thread.join()


def test_a_webhook_to_this_machine_is_refused_where_the_host_has_not_allowed_it(receiver, secret, settings):
    settings.HOLDFAST_OUTBOX = {"WEBHOOK_ALLOW_HTTP": True}
    with pytest.raises(GiveUp):
        WebhookChannel(url=address(receiver, "/webhook"), secret=secret).send(make_message())

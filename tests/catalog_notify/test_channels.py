"""The channels, against receivers that really listen."""

import email
import email.policy

import pytest

from holdfast.outbox import DeliveryFailed
from holdfast.outbox.webhooks.signing import generate_secret, key_of, sign
from holdfast_catalog_notify.backends.console import ConsoleChannel
from holdfast_catalog_notify.backends.dummy import DummyChannel
from holdfast_catalog_notify.backends.email import EmailChannel
from holdfast_catalog_notify.backends.inbox import InboxChannel
from holdfast_catalog_notify.backends.slack import SlackChannel
from holdfast_catalog_notify.backends.webhook import WebhookChannel
from holdfast_catalog_notify.ports import Recipient
from holdfast_catalog_notify.testing import ChannelContract, make_message
from tests.catalog_notify.receivers import http_receiver

SMTP = "django.core.mail.backends.smtp.EmailBackend"


class TestDummyChannel(ChannelContract):
    @pytest.fixture
    def channel(self):
        return DummyChannel()


class TestConsoleChannel(ChannelContract):
    @pytest.fixture
    def channel(self):
        return ConsoleChannel()


class TestInboxChannel(ChannelContract):
    @pytest.fixture
    def channel(self):
        return InboxChannel()


@pytest.mark.usefixtures("loopback")
class TestSlackChannel(ChannelContract):
    @pytest.fixture
    def channel(self, receiver):
        return SlackChannel(url=receiver.url)


@pytest.mark.usefixtures("loopback")
class TestWebhookChannel(ChannelContract):
    @pytest.fixture
    def channel(self, receiver):
        return WebhookChannel(url=receiver.url, secret=generate_secret())


class TestEmailChannel(ChannelContract):
    @pytest.fixture
    def channel(self, mailbox):
        return smtp(mailbox)


def smtp(mailbox, **options):
    backend_options = {"host": mailbox.host, "port": mailbox.port, "timeout": 5}
    return EmailChannel(backend=SMTP, backend_options=backend_options, from_email="shop@example.com", **options)


def parsed(mail):
    return email.message_from_bytes(mail.content, policy=email.policy.default)


def test_a_mail_has_one_recipient_both_bodies_a_stable_id_and_the_one_click_headers(mailbox):
    message = make_message(subject="Changed: Лампа")
    channel = smtp(mailbox, domain="shop.example")
    assert channel.send(message) == channel.send(message) == f"<{message.id}@shop.example>"

    first, second = map(parsed, mailbox.mails)
    assert mailbox.mails[0].recipients == ["bob@example.com"]
    assert first["Message-ID"] == second["Message-ID"] == f"<{message.id}@shop.example>"
    assert (first["To"], first["From"], first["Subject"]) == ("bob@example.com", "shop@example.com", "Changed: Лампа")
    assert first["List-Unsubscribe"] == f"<{message.unsubscribe_url}>"
    assert first["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "10.00 EUR -> 12.00 EUR" in first.get_body(("plain",)).get_content()
    assert "<p>ada</p>" in first.get_body(("html",)).get_content()


def test_an_address_of_the_admins_own_goes_before_his_accounts(mailbox):
    recipient = Recipient(user_id=7, name="bob", email="bob@example.com", address="b@example.org")
    smtp(mailbox).send(make_message(recipient=recipient))
    assert mailbox.mails[0].recipients == ["b@example.org"]


@pytest.mark.parametrize(("answer", "final"), [("550 no such user", True), ("451 come back", False)])
def test_what_the_mail_server_says_of_a_recipient_decides_whether_to_try_again(mailbox, answer, final):
    mailbox.refuse["bob@example.com"] = answer
    with pytest.raises(DeliveryFailed) as failure:
        smtp(mailbox).send(make_message())
    assert failure.value.final is final
    assert mailbox.mails == []


def test_a_mail_server_that_is_down_is_tried_again():
    channel = EmailChannel(backend=SMTP, backend_options={"host": "127.0.0.1", "port": 1, "timeout": 5})
    with pytest.raises(DeliveryFailed) as failure:
        channel.send(make_message())
    assert not failure.value.final


def test_nobody_mails_to_nobody(mailbox):
    recipient = Recipient(user_id=7, name="bob", email="")
    with pytest.raises(DeliveryFailed) as failure:
        smtp(mailbox).send(make_message(recipient=recipient))
    assert failure.value.final


@pytest.mark.usefixtures("loopback")
def test_slack_gets_text_in_which_nothing_is_markup(receiver):
    SlackChannel(url=receiver.url).send(make_message())

    (posted,) = receiver.posted
    assert posted.headers["content-type"] == "application/json"
    assert posted.json.keys() == {"text", "mrkdwn", "unfurl_links"}
    assert posted.json["text"].startswith("Changed: Lamp &lt;small&gt; &amp; bright\n")
    assert "10.00 EUR -&gt; 12.00 EUR" in posted.json["text"]


@pytest.mark.usefixtures("loopback")
def test_a_webhook_is_signed_and_has_the_messages_id_each_time(receiver):
    secret = generate_secret()
    message = make_message()
    channel = WebhookChannel(url=receiver.url, secret=secret)
    channel.send(message)
    channel.send(message)

    for posted in receiver.posted:
        assert posted.headers["webhook-id"] == posted.headers["idempotency-key"] == str(message.id)
        timestamp = int(posted.headers["webhook-timestamp"])
        signature = sign([key_of(secret)], str(message.id), timestamp, posted.body)
        assert posted.headers["webhook-signature"] == signature
        assert posted.json["type"] == "holdfast_catalog_notify.notification.v1"
        assert posted.json["data"]["recipient"] == {"user_id": 7, "name": "bob"}
        (change,) = posted.json["data"]["change_sets"][0]["changes"]
        assert change["values"] == {"price": {"old": "10.00 EUR", "new": "12.00 EUR"}}


@pytest.mark.usefixtures("loopback")
@pytest.mark.parametrize(
    ("status", "headers", "final", "after"),
    [
        (500, {}, False, None),
        (429, {"Retry-After": "17"}, False, 17.0),
        (302, {"Location": "http://127.0.0.1/"}, False, None),
        (401, {}, False, None),
        (404, {}, True, None),
        (410, {}, True, None),
    ],
)
def test_what_a_receiver_answers_decides_whether_to_try_again(receiver, status, headers, final, after):
    receiver.answer = lambda _posted: (status, headers, b"no")
    with pytest.raises(DeliveryFailed) as failure:
        SlackChannel(url=receiver.url).send(make_message())
    assert (failure.value.status, failure.value.final, failure.value.after_seconds) == (status, final, after)
    assert len(receiver.posted) == 1


@pytest.mark.usefixtures("loopback")
def test_an_admins_own_address_goes_before_the_hosts(receiver):
    with http_receiver() as own:
        recipient = Recipient(user_id=7, name="bob", email="", address=own.url)
        SlackChannel(url=receiver.url).send(make_message(recipient=recipient))
        assert (len(own.posted), len(receiver.posted)) == (1, 0)


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:9/", "https://127.0.0.1/", "https://[::1]/", "file:///etc/hosts"]
)
def test_no_admin_sends_the_server_to_its_neighbors(address):
    recipient = Recipient(user_id=7, name="bob", email="", address=address)
    with pytest.raises(DeliveryFailed) as failure:
        SlackChannel().send(make_message(recipient=recipient))
    assert failure.value.final

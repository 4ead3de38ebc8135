"""SendGrid and Amazon SES through Anymail, against loopback servers that check the shape of the providers' requests."""

import base64
import email
import email.policy
import json

import pytest

from holdfast.outbox import DeliveryFailed
from holdfast_catalog_notify.backends.email import EmailChannel
from holdfast_catalog_notify.testing import ChannelContract, make_message

pytest.importorskip("anymail")

pytestmark = pytest.mark.any_database

# Anymail says so each time; the shape of the request is what these tests are for.
unsupported = pytest.mark.filterwarnings("ignore:django-anymail has dropped official support for SendGrid")
SENDGRID_FIELDS = {"personalizations", "from", "subject", "content", "headers", "custom_args"}


def sendgrid_server(posted):
    """Answer as SendGrid's v3 mail/send does: https://www.twilio.com/docs/sendgrid/api-reference/mail-send."""
    if posted.headers.get("authorization") != "Bearer SG.key":
        return 401, {"Content-Type": "application/json"}, b'{"errors": [{"message": "The authorization is wrong"}]}'
    body = posted.json
    right = (
        posted.path.endswith("/v3/mail/send")
        and body.keys() <= SENDGRID_FIELDS
        and {"personalizations", "from", "subject", "content"} <= body.keys()
        and [part["type"] for part in body["content"]] == ["text/plain", "text/html"]
        and len(body["personalizations"]) == 1
        and len(body["personalizations"][0]["to"]) == 1
        and "@" in body["from"]["email"]
    )
    if not right:
        return 400, {"Content-Type": "application/json"}, b'{"errors": [{"message": "Bad Request"}]}'
    return 202, {"X-Message-Id": "sendgrid-1"}, b""


def sendgrid(receiver, key="SG.key"):
    return EmailChannel(
        backend="anymail.backends.sendgrid.EmailBackend",
        backend_options={"api_key": key, "api_url": receiver.url.replace("/hook", "/v3/")},
        from_email="shop@example.com",
        domain="shop.example",
    )


def ses_server(posted):
    """Answer as SES's v2 SendEmail does: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html."""
    right = (
        posted.path == "/v2/email/outbound-emails"
        and posted.headers.get("authorization", "").startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
        and "x-amz-date" in posted.headers
        and base64.b64decode(posted.json["Content"]["Raw"]["Data"], validate=True)
    )
    if not right:
        answer = {"message": "The request is not right."}
        return 400, {"Content-Type": "application/json", "x-amzn-ErrorType": "BadRequestException"}, encoded(answer)
    return 200, {"Content-Type": "application/json"}, encoded({"MessageId": "ses-1"})


def encoded(document):
    return json.dumps(document).encode()


def ses(receiver):
    return EmailChannel(
        backend="anymail.backends.amazon_ses.EmailBackend",
        backend_options={
            "client_params": {
                "endpoint_url": receiver.url.removesuffix("/hook"),
                "region_name": "eu-central-1",
                "aws_access_key_id": "AKIDEXAMPLE",
                "aws_secret_access_key": "secret",
                "config": {"retries": {"total_max_attempts": 1}},
            }
        },
        from_email="shop@example.com",
        domain="shop.example",
    )


@unsupported
class TestSendGrid(ChannelContract):
    @pytest.fixture
    def channel(self, receiver):
        receiver.answer = sendgrid_server
        return sendgrid(receiver)


class TestSes(ChannelContract):
    @pytest.fixture
    def channel(self, receiver):
        receiver.answer = ses_server
        return ses(receiver)


@unsupported
def test_sendgrid_gets_the_mail_and_gives_its_id(receiver):
    receiver.answer = sendgrid_server
    message = make_message()
    receipt = sendgrid(receiver).send(message)

    (posted,) = receiver.posted
    body = posted.json
    assert body["personalizations"][0]["to"] == [{"email": "bob@example.com"}]
    headers = {**body.get("headers", {}), **body["personalizations"][0].get("headers", {})}
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert headers["List-Unsubscribe"] == f"<{message.unsubscribe_url}>"
    assert "10.00 EUR -> 12.00 EUR" in body["content"][0]["value"]
    assert receipt


@unsupported
@pytest.mark.parametrize(("status", "final"), [(400, True), (413, True), (401, False), (429, False), (500, False)])
def test_what_sendgrid_answers_decides_whether_to_try_again(receiver, status, final):
    receiver.answer = lambda _posted: (status, {"Content-Type": "application/json"}, b'{"errors": []}')
    with pytest.raises(DeliveryFailed) as failure:
        sendgrid(receiver).send(make_message())
    assert (failure.value.status, failure.value.final) == (status, final)


@unsupported
def test_a_wrong_key_is_seen_and_tried_again_when_somebody_has_put_it_right(receiver):
    receiver.answer = sendgrid_server
    with pytest.raises(DeliveryFailed) as failure:
        sendgrid(receiver, key="SG.wrong").send(make_message())
    assert (failure.value.status, failure.value.final) == (401, False)
    assert "SG.wrong" not in str(failure.value)


def test_ses_gets_the_mail_whole_and_gives_its_id(receiver):
    receiver.answer = ses_server
    message = make_message()
    assert ses(receiver).send(message) == "ses-1"

    (posted,) = receiver.posted
    raw = email.message_from_bytes(base64.b64decode(posted.json["Content"]["Raw"]["Data"]), policy=email.policy.default)
    assert posted.json["Destination"]["ToAddresses"] == ["bob@example.com"]
    assert raw["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert raw["Message-ID"] == f"<{message.id}@shop.example>"
    assert [part.get_content_type() for part in raw.iter_parts()] == ["text/plain", "text/html"]


def test_what_ses_refuses_is_a_failed_attempt(receiver):
    receiver.answer = lambda _posted: (
        400,
        {"Content-Type": "application/json", "x-amzn-ErrorType": "MessageRejected"},
        encoded({"message": "Email address is not verified."}),
    )
    with pytest.raises(DeliveryFailed, match="not verified"):
        ses(receiver).send(make_message())

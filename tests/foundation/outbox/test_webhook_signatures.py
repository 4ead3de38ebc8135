"""Standard Webhooks: the specification's vector, and hostile input for the verifier."""

import base64
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.outbox.webhooks.signing import BadSecret, generate_secret, key_of, sign
from holdfast.outbox.webhooks.verifier import InvalidWebhook, verify

pytestmark = pytest.mark.any_database

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
TIMESTAMP = 1614265330
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
HEADERS = {"webhook-id": MESSAGE_ID, "webhook-timestamp": str(TIMESTAMP), "webhook-signature": SIGNATURE}


def check(headers=HEADERS, body=BODY, secrets=(SECRET,), now=TIMESTAMP, **options):
    return verify(headers, body, secrets=secrets, now=now, **options)


def test_the_vector_of_the_specification_is_signed_and_verified():
    assert sign([key_of(SECRET)], MESSAGE_ID, TIMESTAMP, BODY) == SIGNATURE
    webhook = check()
    assert (webhook.id, webhook.sent_at.timestamp(), webhook.payload) == (MESSAGE_ID, TIMESTAMP, {"test": 2432232314})


def test_header_names_are_found_in_any_case():
    assert check({name.title(): value for name, value in HEADERS.items()}).id == MESSAGE_ID


def test_during_a_rotation_each_secret_is_enough():
    other = generate_secret()
    both = sign([key_of(other), key_of(SECRET)], MESSAGE_ID, TIMESTAMP, BODY)
    headers = {**HEADERS, "webhook-signature": both}
    assert check(headers, secrets=[SECRET]) == check(headers, secrets=[other]) == check(secrets=[other, SECRET])


def test_signatures_of_other_versions_are_passed_over():
    check({**HEADERS, "webhook-signature": f"v1a,bm90aGluZw== {SIGNATURE}"})


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": ""},
        {"webhook-id": "msg_other"},
        {"webhook-id": "a b"},
        {"webhook-id": "x" * 300},
        {"webhook-timestamp": ""},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": "-1"},
        {"webhook-timestamp": "1e9"},
        {"webhook-timestamp": "\N{FULLWIDTH DIGIT NINE}" * 10},
        {"webhook-timestamp": "9" * 12},
        {"webhook-timestamp": "9" * 5000},
        {"webhook-timestamp": str(TIMESTAMP + 1)},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,%%%"},
        {"webhook-signature": "v1,é"},
        {"webhook-signature": SIGNATURE.removeprefix("v1,")},
        {"webhook-signature": SIGNATURE[:-2]},
        {"webhook-signature": " ".join(["v1,bm90aGluZw=="] * 400)},
        {"webhook-signature": SIGNATURE.replace("v1,", "v2,")},
    ],
)
def test_a_changed_header_is_refused(change):
    with pytest.raises(InvalidWebhook):
        check({**HEADERS, **change})


@pytest.mark.parametrize("missing", HEADERS)
def test_a_missing_header_is_refused(missing):
    with pytest.raises(InvalidWebhook):
        check({name: value for name, value in HEADERS.items() if name != missing})


@pytest.mark.parametrize("seconds", [-301, 301, 10**9])
def test_a_webhook_from_another_time_is_refused(seconds):
    with pytest.raises(InvalidWebhook):
        check(now=TIMESTAMP + seconds)


def test_without_a_given_time_it_is_now():
    with pytest.raises(InvalidWebhook):
        verify(HEADERS, BODY, secrets=[SECRET])
    now = int(time.time())
    headers = {
        **HEADERS,
        "webhook-timestamp": str(now),
        "webhook-signature": sign([key_of(SECRET)], MESSAGE_ID, now, BODY),
    }
    assert verify(headers, BODY, secrets=[SECRET]).id == MESSAGE_ID


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b"\xff", b'{"a":' * 100_000, b"{]", b"1" * 10_000])
def test_a_signed_body_that_is_no_json_object_is_refused(body):
    headers = {**HEADERS, "webhook-signature": sign([key_of(SECRET)], MESSAGE_ID, TIMESTAMP, body)}
    with pytest.raises(InvalidWebhook):
        check(headers, body)


def test_no_secrets_verify_nothing():
    with pytest.raises(InvalidWebhook):
        check(secrets=[])


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_é", "whsec_%%", "whsec_" + base64.b64encode(b"short").decode()]
)
def test_a_secret_of_ours_that_is_none_is_our_error(secret):
    with pytest.raises(BadSecret):
        check(secrets=[secret])


def test_generated_secrets_are_secrets():
    assert len(key_of(generate_secret())) == 32
    assert generate_secret() != generate_secret()


anything = st.text(max_size=60) | st.sampled_from([*HEADERS.values(), "v1,", "0", "\x00"])


@given(
    headers=st.dictionaries(
        st.sampled_from([*HEADERS, "Webhook-Id", "x"]) | st.text(max_size=20), anything, max_size=6
    ),
    body=st.binary(max_size=200) | st.just(BODY),
)
def test_whatever_a_stranger_sends_there_is_one_error(headers, body):
    try:
        webhook = check(headers, body)
    except InvalidWebhook:
        return
    assert webhook.payload == json.loads(BODY)


@given(body=st.binary(max_size=400), position=st.integers(min_value=0, max_value=10_000), bit=st.integers(0, 7))
def test_a_body_with_one_bit_changed_is_refused(body, position, bit):
    signed = {**HEADERS, "webhook-signature": sign([key_of(SECRET)], MESSAGE_ID, TIMESTAMP, body)}
    changed = bytearray(body or b"\0")
    changed[position % len(changed)] ^= 1 << bit
    with pytest.raises(InvalidWebhook):
        check(signed, bytes(changed))

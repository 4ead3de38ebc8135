"""Who a webhook is from: agreement with the official verifiers, and one error for whatever a stranger sends.

``HOSTILE=400000`` tries so many hostile webhooks; without it a small part of them.
"""

import base64
import dataclasses
import json
import os
import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.outbox.webhooks.verifier import verify
from holdfast_cards.backends.signatures import verify_stripe
from holdfast_cards.ports import InvalidWebhook, WebhookNotice
from holdfast_cards.testing.sandbox import SandboxClock, SandboxEvent
from holdfast_cards.testing.sandbox.dialects import DIALECTS
from holdfast_cards.testing.sandbox.dialects.bank import standard_webhook
from tests.cards.adapters.providers import MAKERS, SECRET, bank, create, lithic, provider_of

HOSTILE = int(os.environ.get("HOSTILE", "9000"))
OTHER_SECRET = "whsec_" + base64.b64encode(b"another secret of thirty-two by.").decode()
NOW = time.time()

LANGUAGES = {name: dialect(SandboxClock()) for name, dialect in DIALECTS.items()}

# In full 2,000 valid messages, of which each verifier has to think the same.
agreeing = settings(max_examples=max(100, HOSTILE // 200), deadline=None)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def signed(name, body, *, secret=SECRET, at=None):
    """Return the headers with which a provider of that name signs a body."""
    event = SandboxEvent("msg_1", "x", 0.0, "", {})
    return LANGUAGES[name].sign(event, body, secret=secret, at=time.time() if at is None else at)


# --- Valid ones


@agreeing
@given(payload=st.dictionaries(st.text(), json_values, max_size=5))
def test_what_stripes_own_code_signs_is_accepted_and_what_it_accepts_too(payload):
    module = pytest.importorskip("stripe")
    text = json.dumps({"object": "event", **payload})
    header = module.WebhookSignature.generate_signature_header(text, SECRET)

    ours = verify_stripe({"stripe-signature": header}, text.encode(), secrets=[SECRET])

    assert module.WebhookSignature.verify_header(text, header, SECRET, 300)
    assert json.dumps(ours) == json.dumps(json.loads(text))


@agreeing
@given(
    payload=st.dictionaries(st.text(), json_values, max_size=5),
    message_id=st.from_regex(r"msg_[A-Za-z0-9]{1,30}", fullmatch=True),
)
def test_the_reference_verifier_of_standard_webhooks_agrees(payload, message_id):
    standardwebhooks = pytest.importorskip("standardwebhooks")
    body = json.dumps(payload).encode()
    headers = standard_webhook(message_id, body, secret=SECRET, at=time.time())

    ours = verify(headers, body, secrets=[SECRET])

    assert json.dumps(standardwebhooks.Webhook(SECRET).verify(body, headers)) == json.dumps(ours.payload)


def test_lithics_sdk_takes_what_the_sandbox_signs(lithic_sandbox):
    module = pytest.importorskip("lithic")
    provider = provider_of(lithic_sandbox)
    create(provider)
    headers, body = lithic_sandbox.webhooks.signed(lithic_sandbox.events[0])
    client = module.Lithic(api_key="k", webhook_secret=SECRET)

    parsed = client.webhooks.parse(body.decode(), headers=headers)

    assert parsed.event_type == "card.created"
    assert parsed.card_token == lithic_sandbox.cards[0].id == provider.read_webhook(headers, body).card_id


def test_stripes_sdk_takes_what_the_sandbox_signs(stripe_sandbox):
    module = pytest.importorskip("stripe")
    provider = provider_of(stripe_sandbox)
    create(provider)
    headers, body = stripe_sandbox.webhooks.signed(stripe_sandbox.events[0])

    event = module.Webhook.construct_event(body, headers["Stripe-Signature"], SECRET)

    notice = provider.read_webhook(headers, body)
    assert (event.id, event.type, event.data.object.id) == (notice.event_id, notice.type, notice.card_id)
    assert notice.reference == stripe_sandbox.cards[0].reference
    assert notice.occurred_at.timestamp() == event.created


def test_a_secret_can_be_rotated(sandbox):
    provider = provider_of(sandbox, webhook_secrets=[OTHER_SECRET, SECRET])
    create(provider)

    for secret in (SECRET, OTHER_SECRET):
        headers, body = sandbox.webhooks.signed(sandbox.events[0], secret=secret)
        assert provider.read_webhook(headers, body).card_id == sandbox.cards[0].id


def test_names_of_headers_are_found_in_any_case(sandbox):
    provider = provider_of(sandbox)
    create(provider)
    headers, body = sandbox.webhooks.signed(sandbox.events[0])

    for change in (str.lower, str.upper, str.title):
        provider.read_webhook({change(name): value for name, value in headers.items()}, body)


# --- Others


@pytest.mark.parametrize("seconds", [-301, 302], ids=["too old", "from the future"])
def test_the_tolerance_holds_both_ways(sandbox, seconds):
    provider = provider_of(sandbox)
    create(provider)
    headers, body = sandbox.webhooks.signed(sandbox.events[0], at=time.time() + seconds)

    with pytest.raises(InvalidWebhook):
        provider.read_webhook(headers, body)


def test_another_secret_or_another_body_is_refused(sandbox):
    provider = provider_of(sandbox)
    create(provider)
    forged, body = sandbox.webhooks.signed(sandbox.events[0], secret=OTHER_SECRET)
    headers, _ = sandbox.webhooks.signed(sandbox.events[0])

    for wrong_headers, wrong_body in ((forged, body), (headers, body + b" "), (headers, b"")):
        with pytest.raises(InvalidWebhook):
            provider.read_webhook(wrong_headers, wrong_body)


def test_without_a_secret_nobody_is_believed(sandbox):
    provider = provider_of(sandbox, webhook_secrets=[])
    create(provider)

    assert not provider.capabilities.webhooks
    with pytest.raises(InvalidWebhook):
        provider.read_webhook(*sandbox.webhooks.signed(sandbox.events[0]))


@pytest.mark.parametrize("make", [bank, lithic], ids=["bank", "lithic"])
def test_a_secret_that_is_none_is_refused_at_the_start(make):
    with pytest.raises(ValueError, match="secret"):
        make("http://127.0.0.1", webhook_secrets=["not base64!"])


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=1",
        "v1=" + "0" * 64,
        "t=1,t=1,v1=" + "0" * 64,
        "t=+1,v1=" + "0" * 64,
        "t=1.0,v1=" + "0" * 64,
        "t=\u0661,v1=" + "0" * 64,
        f"t={'9' * 13},v1=" + "0" * 64,
        f"t={int(NOW)},v1=\u00e9",
        f"t={int(NOW)},v0=" + "0" * 64,
        f"t={int(NOW)}," + ",".join(["v1=" + "0" * 64] * 200),
    ],
    # By names: the processes of a test run would make others of the time of day.
    ids=[
        "empty",
        "no signature",
        "no time",
        "two times",
        "a sign",
        "a fraction",
        "other digits",
        "too many digits",
        "not hexadecimal",
        "another scheme",
        "too many signatures",
    ],
)
def test_a_malformed_header_of_stripes_is_refused(header):
    with pytest.raises(InvalidWebhook):
        verify_stripe({"Stripe-Signature": header}, b"{}", secrets=[SECRET])


@given(headers=st.dictionaries(st.text(), st.text()), body=st.binary())
def test_any_text_and_any_bytes_give_one_error(headers, body):
    for name, make in MAKERS.items():
        named = "Stripe-Signature" if name == "stripe" else "webhook-signature"
        provider = make("http://127.0.0.1", webhook_secrets=[SECRET])
        for given_headers in (headers, {**headers, named: next(iter(headers.values()), "")}):
            with pytest.raises(InvalidWebhook):
                provider.read_webhook(given_headers, body)


@given(payload=json_values)
def test_what_is_signed_and_still_hostile_gives_plain_values_or_the_same_error(payload):
    body = json.dumps(payload).encode()
    for name, make in MAKERS.items():
        try:
            notice = make("http://127.0.0.1", webhook_secrets=[SECRET]).read_webhook(signed(name, body), body)
        except InvalidWebhook:
            continue
        assert_storable(notice)


def test_hostile_webhooks_have_one_error():
    chance = random.Random(20261120)
    providers = {name: make("http://127.0.0.1", webhook_secrets=[SECRET]) for name, make in MAKERS.items()}
    verdicts = {"refused": 0, "read": 0}
    for number in range(HOSTILE):
        name = ("bank", "stripe", "lithic")[number % 3]
        headers, body = hostile(chance, name)
        try:
            notice = providers[name].read_webhook(headers, body)
        except InvalidWebhook:
            verdicts["refused"] += 1
        else:
            verdicts["read"] += 1
            assert_storable(notice)

    assert sum(verdicts.values()) == HOSTILE
    assert verdicts["refused"] > verdicts["read"] > 0


# --- Makers of hostility

CARDS = {
    "bank": {"type": "card.updated", "timestamp": "2026-11-20T12:00:00+00:00", "data": {"id": "c", "status": "SENT"}},
    "stripe": {"id": "evt_1", "type": "x", "created": 1, "data": {"object": {"object": "issuing.card", "id": "ic_1"}}},
    "lithic": {"event_type": "card.updated", "card_token": "token"},
}
NASTY = (
    None, True, -1, 1e308, float("nan"), float("inf"), 10**40, "", "\x00", "\ud800", "\u202e", "a" * 10_000, [], {},
    [[]], "2026-13-45", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "99/99", {"id": {"id": {}}},
)  # fmt: skip
BODIES = (
    b"", b"null", b"[]", b"{", b"\xff\xfe\x00", b"[" * 50_000, b"1" * 5_000, b'{"a":' * 2_000, b"NaN",
    b"\xef\xbb\xbf{}",    b'{"id": "\\ud800"}', b'"text"', b'{"data": {"object": []}}',
)  # fmt: skip


def hostile(chance, name):
    """Return headers and a body that somebody thought of who means no good; now and then with the right signature."""
    kind = chance.randrange(4)
    payload = disturbed(chance, json.loads(json.dumps(CARDS[name])))
    body = json.dumps(payload).encode()
    if kind == 0:
        body = chance.choice(BODIES)
    elif kind == 1:
        body = chance.randbytes(chance.randrange(200))
    secret = SECRET if chance.random() < 0.4 else OTHER_SECRET
    at = chance.choice([time.time(), 0, 10**11, time.time() - 10_000])
    headers = signed(name, body, secret=secret, at=at)
    if kind == 3:
        headers = {each: damaged(chance, value) for each, value in headers.items() if chance.random() < 0.9}
        headers[damaged(chance, "webhook-id")] = damaged(chance, "x")
    return headers, body


def disturbed(chance, value):
    if isinstance(value, dict):
        return {name: disturbed(chance, inner) for name, inner in value.items() if chance.random() < 0.95}
    return chance.choice(NASTY) if chance.random() < 0.3 else value


def damaged(chance, text):
    position = chance.randrange(len(text) + 1)
    noise = chance.choice(
        ["", ",", "=", " ", "v1,", "\x00", "\r\n", "\u0661", "\udcff", "é", "t=", "A" * 5_000, "=" * 9]
    )
    return text[:position] + noise + text[position + chance.randrange(4) :]


def assert_storable(notice):
    """Check that a notice holds plain, printable, short text and nothing else that a database would refuse."""
    assert isinstance(notice, WebhookNotice)
    assert notice.event_id
    things = [notice, *([notice.card] if notice.card else [])]
    for thing in things:
        for field in dataclasses.fields(thing):
            value = getattr(thing, field.name)
            if isinstance(value, str):
                assert len(value) <= 256, field.name
                value.encode()
                assert "\x00" not in value

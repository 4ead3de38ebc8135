"""Webhooks out: signed, guarded, limited, and given up where nobody listens any more."""

import datetime as dt
import ipaddress
import json
import socket
import ssl
import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.test import override_settings
from django.utils import timezone

from holdfast.outbox.circuit import OPENS_AFTER, PROBE_SECONDS, Circuit
from holdfast.outbox.models import (
    EndpointState,
    OutboxAttempt,
    OutboxDeadLetter,
    OutboxDelivery,
    OutboxEvent,
    WebhookEndpoint,
)
from holdfast.outbox.relay import Relay
from holdfast.outbox.webhooks import addresses, endpoints, vault
from holdfast.outbox.webhooks.addresses import Refused, allowed, parse
from holdfast.outbox.webhooks.probe import send_test
from holdfast.outbox.webhooks.sender import Sender
from holdfast.outbox.webhooks.signing import BadSecret, generate_secret
from holdfast.outbox.webhooks.sink import retry_after_seconds
from holdfast.outbox.webhooks.verifier import verify
from holdfast.testing import captured_events, drain_outbox
from tests.foundation.outbox.facts import Mentioned, Noted
from tests.foundation.outbox.receiver import receiving

LOCAL = {"WEBHOOK_ALLOW_HTTP": True, "WEBHOOK_ALLOWED_NETWORKS": ["127.0.0.0/8"]}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _local_receivers_are_allowed():
    with override_settings(HOLDFAST_OUTBOX=LOCAL):
        yield


@pytest.fixture
def receiver():
    with receiving() as one:
        yield one


@pytest.fixture
def endpoint(receiver):
    return endpoints.create_endpoint(name="shop", url=receiver.url, patterns=["outbox_tests.noted.*"])


def numbers(receiver):
    return [json.loads(request.body)["data"]["number"] for request in receiver.received]


def test_an_event_is_posted_signed_and_in_the_standard_envelope(receiver, endpoint, tell):
    tell(Noted(topic="ü", number=1), Mentioned(topic="not for it"))

    assert drain_outbox() == 1

    (request,) = receiver.received
    event = OutboxEvent.objects.get(type=Noted.type)
    webhook = verify(request.headers, request.body, secrets=vault.active_secrets(endpoint))
    assert webhook.id == str(event.uid)
    assert webhook.payload == {
        "type": "outbox_tests.noted.v1",
        "timestamp": event.occurred_at.isoformat(),
        "data": {"topic": "ü", "number": 1},
    }
    assert request.headers["Content-Type"] == "application/json"
    assert not OutboxDelivery.objects.exists()


def test_connections_are_kept(receiver, endpoint, tell):
    tell(*[Noted(topic=str(number)) for number in range(20)])
    drain_outbox()
    assert len(receiver.received) == 20
    assert len({request.connection for request in receiver.received}) == 1


def test_a_kept_connection_that_the_receiver_closed_is_no_failure(receiver, endpoint, tell):
    def answer_and_hang_up(handler):
        handler.send_response(204)
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        handler.close_connection = True

    receiver.answer = answer_and_hang_up
    tell(Noted(topic="a"), Noted(topic="b"), Noted(topic="c"))
    drain_outbox()
    assert len(receiver.received) == 3


def test_a_refusal_is_tried_again_with_the_same_id_and_a_new_time(receiver, endpoint, tell, make_due):
    receiver.status, receiver.body = 500, b"out\0 of order"
    tell(Noted(topic="a", number=1), Noted(topic="a", number=2), Noted(topic="b", number=3))

    drain_outbox(raise_errors=False)
    assert sorted(numbers(receiver)) == [1, 3]
    attempt = OutboxAttempt.objects.order_by("pk").first()
    assert (attempt.status, attempt.detail, attempt.succeeded) == (500, "HTTP 500: out of order", False)
    assert WebhookEndpoint.objects.get().failing_since is not None

    receiver.status = 200
    make_due()
    drain_outbox()
    assert [number for number in numbers(receiver) if number < 3] == [1, 1, 2]
    first, again = [it for it in receiver.received if json.loads(it.body)["data"]["number"] == 1]
    assert first.headers["webhook-id"] == again.headers["webhook-id"]
    assert WebhookEndpoint.objects.get().failing_since is None


@pytest.mark.parametrize("status", [301, 302, 307, 404])
def test_redirects_are_not_followed_and_count_as_failures(receiver, endpoint, tell, status):
    receiver.status, receiver.headers = status, {"Location": receiver.url}
    tell(Noted(topic="a"))
    drain_outbox(raise_errors=False)
    assert len(receiver.received) == 1
    assert OutboxDelivery.objects.get().attempts == 1


def test_retry_after_is_honored_and_nothing_else_is_sent_meanwhile(receiver, endpoint, tell):
    receiver.status, receiver.headers = 429, {"Retry-After": "3600"}
    tell(*[Noted(topic=str(number)) for number in range(5)])

    drain_outbox(raise_errors=False)

    assert len(receiver.received) == 1
    due_at = OutboxDelivery.objects.exclude(due_at=None).get().due_at
    assert due_at > timezone.now() + dt.timedelta(minutes=55)


def test_who_is_gone_is_disabled_and_it_is_told(receiver, endpoint, tell):
    receiver.status = 410
    tell(Noted(topic="a"))
    with captured_events() as events:
        drain_outbox(raise_errors=False)

    endpoint.refresh_from_db()
    assert endpoint.state == EndpointState.DISABLED
    assert "410" in endpoint.state_reason
    assert [event.endpoint_id for event in events] == [str(endpoint.pk)]
    assert OutboxDeadLetter.objects.count() == 1
    tell(Noted(topic="b"))
    drain_outbox()
    assert len(receiver.received) == 1


def test_after_days_of_nothing_but_failure_an_endpoint_is_disabled(receiver, endpoint, tell):
    receiver.status = 500
    WebhookEndpoint.objects.update(failing_since=timezone.now() - dt.timedelta(days=6))
    tell(Noted(topic="a"))
    with captured_events() as events:
        drain_outbox(raise_errors=False)
    endpoint.refresh_from_db()
    assert endpoint.state == EndpointState.DISABLED
    assert len(events) == 1


def test_a_paused_endpoint_is_told_everything_once_it_goes_on(receiver, endpoint, tell):
    endpoints.pause_endpoint(endpoint_id=endpoint.pk, reason="maintenance")
    tell(Noted(topic="a", number=1))
    assert drain_outbox() == 0
    assert OutboxDelivery.objects.count() == 1

    endpoints.enable_endpoint(endpoint_id=endpoint.pk)
    drain_outbox()
    assert len(receiver.received) == 1


def test_a_circuit_opens_after_failures_in_a_row_and_burns_no_attempts(receiver, endpoint, tell):
    receiver.status = 503
    tell(*[Noted(topic=str(number)) for number in range(OPENS_AFTER + 30)])
    drain_outbox(raise_errors=False)
    assert len(receiver.received) == OPENS_AFTER
    assert OutboxDelivery.objects.filter(attempts=0).count() == 30


@pytest.mark.parametrize(
    ("options", "opens_after", "probe_seconds"),
    [({}, OPENS_AFTER, PROBE_SECONDS), ({"opens_after": 5, "probe_seconds": 7.0}, 5, 7.0)],
)
def test_a_circuit_lets_one_probe_through_at_a_time(monkeypatch, options, opens_after, probe_seconds):
    circuit = Circuit(**options)
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    for _ in range(opens_after):
        assert circuit.admit()
        circuit.failed()
    assert not circuit.ready()
    now[0] += probe_seconds
    assert circuit.ready()
    assert [circuit.admit(), circuit.admit()] == [True, False]
    circuit.succeeded()
    assert [circuit.admit(), circuit.admit()] == [True, True]


def test_a_secret_is_rotated_without_a_pause(receiver, endpoint, tell):
    (old,) = vault.active_secrets(endpoint)
    new = endpoints.rotate_secret(endpoint_id=endpoint.pk)
    tell(Noted(topic="a"))
    drain_outbox()

    (request,) = receiver.received
    for secret in (old, new):
        assert verify(request.headers, request.body, secrets=[secret])
    endpoint.refresh_from_db()
    assert vault.active_secrets(endpoint) == [new, old]
    assert old not in endpoint.sealed_secrets
    assert new not in endpoint.sealed_secrets


def test_a_replaced_secret_ends_with_the_overlap(endpoint, monkeypatch):
    new = endpoints.rotate_secret(endpoint_id=endpoint.pk)
    endpoint.refresh_from_db()
    later = timezone.now() + dt.timedelta(days=2)
    monkeypatch.setattr(vault.timezone, "now", lambda: later)
    assert vault.active_secrets(endpoint) == [new]


def test_secrets_survive_a_rotation_of_the_secret_key_and_not_its_loss(endpoint):
    secrets = vault.active_secrets(endpoint)
    from django.conf import settings

    with override_settings(SECRET_KEY="another", SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
        assert vault.active_secrets(endpoint) == secrets
    with override_settings(SECRET_KEY="another", SECRET_KEY_FALLBACKS=[]):
        with pytest.raises(vault.SealBroken):
            vault.active_secrets(endpoint)
        assert send_test(endpoint).succeeded is False
        new = endpoints.rotate_secret(endpoint_id=endpoint.pk)
        endpoint.refresh_from_db()
        assert vault.active_secrets(endpoint) == [new]


def test_a_receiver_may_give_the_secret(receiver):
    secret = generate_secret()
    endpoint = endpoints.create_endpoint(name="theirs", url=receiver.url, patterns=["*"], secret=secret)
    assert vault.active_secrets(endpoint) == [secret]
    with pytest.raises(BadSecret):
        endpoints.create_endpoint(name="bad", url=receiver.url, patterns=["*"], secret="secret")


def test_the_test_button_sends_one_signed_webhook(receiver, endpoint):
    probe = send_test(endpoint)
    (request,) = receiver.received
    assert probe.succeeded
    assert (
        verify(request.headers, request.body, secrets=vault.active_secrets(endpoint))
        .payload["type"]
        .endswith("tested.v1")
    )
    receiver.status = 404
    assert "404" in send_test(endpoint).detail


# Limits


def drip(handler):
    """Answer a byte now and then: no single read takes long, the whole does."""
    handler.connection.sendall(b"HTTP/1.1 200 OK\r\nX-Drip: ")
    for _ in range(200):
        time.sleep(0.05)
        handler.connection.sendall(b"x")


@pytest.mark.parametrize("answer", [drip, lambda _handler: time.sleep(3)])
def test_a_receiver_that_never_ends_meets_the_total_deadline(receiver, endpoint, tell, answer):
    receiver.answer = answer
    tell(Noted(topic="a"))
    with override_settings(HOLDFAST_OUTBOX={**LOCAL, "WEBHOOK_TOTAL_SECONDS": 0.4}):
        drain_outbox(raise_errors=False)
    assert "TimeoutError" in OutboxAttempt.objects.get().detail


def test_of_a_big_answer_only_the_beginning_is_read_and_the_connection_is_not_kept(receiver, endpoint, tell):
    receiver.body = b"x" * 300_000
    tell(Noted(topic="a"), Noted(topic="b"))
    with override_settings(HOLDFAST_OUTBOX={**LOCAL, "WEBHOOK_RESPONSE_BYTES": 1000}):
        drain_outbox()
    assert len({request.connection for request in receiver.received}) == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 999999 What\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 5000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"",
    ],
)
def test_a_hostile_answer_is_a_failed_attempt(receiver, endpoint, tell, answer):
    def misbehave(handler):
        handler.connection.sendall(answer)
        handler.close_connection = True

    receiver.answer = misbehave
    tell(Noted(topic="a"))
    drain_outbox(raise_errors=False)
    assert OutboxDelivery.objects.get().attempts == 1


@pytest.fixture
def certificate(tmp_path):
    """A certificate for 127.0.0.1 that nobody but us trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "receiver")])
    now = timezone.now()
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "certificate.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


@pytest.mark.parametrize("trusted", [True, False])
def test_a_certificate_is_verified(tell, certificate, monkeypatch, trusted):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with receiving(context) as receiver:
        endpoints.create_endpoint(name="safe", url=receiver.url, patterns=["*"])
        tell(Noted(topic="a"))
        drain_outbox(raise_errors=False)

        assert len(receiver.received) == trusted
    assert OutboxAttempt.objects.exists() is not trusted


def test_a_receiver_that_is_not_there_is_a_failed_attempt(tell):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        endpoints.create_endpoint(name="away", url=f"http://127.0.0.1:{port}/", patterns=["*"])
        tell(Noted(topic="a"))
        drain_outbox(raise_errors=False)
    assert "ConnectionRefusedError" in OutboxAttempt.objects.get().detail


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_many_webhooks_are_under_way_at_once_and_each_key_keeps_its_order(receiver, endpoint, tell):
    """While the first ones are answered slowly the rest is read, by small batches that meet keys under way."""
    barrier = threading.Barrier(4)

    def answer_together(handler):
        if len(receiver.received) <= 4:
            # Nobody gets past this unless four are under way at the same time.
            barrier.wait(30)
        handler.send_response(204)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    receiver.answer = answer_together
    tell(*[Noted(topic=str(number % 4), number=number) for number in range(80)])
    with override_settings(HOLDFAST_OUTBOX={**LOCAL, "DELIVERY_BATCH": 16}):
        assert Relay().drain(seconds=60) == 80

    for key in range(4):
        assert [number for number in numbers(receiver) if number % 4 == key] == list(range(key, 80, 4))


# The guard


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://example.com/",
        "//example.com/",
        "https://",
        "https:///path",
        "https://user:secret@example.com/",
        "https://user@example.com/",
        "https://example.com:99999/",
        "https://example.com:0/",
        "https://example.com/a b",
        "https://example.com/\r\nHost: evil",
        "https://[::1/",
        "https://" + "a" * 70 + ".com/",
        "file:///etc/passwd",
    ],
)
def test_a_url_that_no_webhook_may_have_is_refused(url):
    with pytest.raises(Refused):
        parse(url)


def test_http_is_refused_unless_it_is_allowed():
    assert parse("http://example.com").path == "/"
    with override_settings(HOLDFAST_OUTBOX={}), pytest.raises(Refused):
        parse("http://example.com")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "64:ff9b:1::a9fe:a9fe",
        "::ffff:0:10.0.0.1",
        "::127.0.0.1",
        "fec0::1",
        "192.88.99.1",
        "2002:7f00:1::",
        "fe80::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
    ],
)
@override_settings(HOLDFAST_OUTBOX={})
def test_addresses_of_the_neighborhood_are_refused(address):
    assert not allowed(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::1111", "64:ff9b::5db8:d822", "::ffff:93.184.216.34"])
def test_public_addresses_are_allowed(address):
    assert allowed(ipaddress.ip_address(address))


@override_settings(HOLDFAST_OUTBOX={"WEBHOOK_ALLOWED_NETWORKS": ["10.1.0.0/16"]})
def test_a_network_of_ones_own_can_be_allowed():
    assert allowed(ipaddress.ip_address("10.1.2.3"))
    assert not allowed(ipaddress.ip_address("10.2.2.3"))


@override_settings(HOLDFAST_OUTBOX={"WEBHOOK_ALLOW_HTTP": True})
def test_a_name_that_leads_home_is_a_failed_attempt_and_no_connection(receiver, tell, monkeypatch):
    url = receiver.url.replace("127.0.0.1", "localhost")
    endpoints.create_endpoint(name="home", url=url, patterns=["*"])
    tell(Noted(topic="a"))
    drain_outbox(raise_errors=False)
    assert receiver.received == []
    assert "not a public address" in OutboxAttempt.objects.get().detail


@override_settings(HOLDFAST_OUTBOX={"WEBHOOK_ALLOW_HTTP": True})
def test_a_name_with_one_private_address_among_public_ones_is_refused(monkeypatch):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: found)
    with pytest.raises(Refused):
        addresses.resolve(parse("http://example.com"))


def test_the_connection_goes_to_the_address_that_was_looked_at(receiver, monkeypatch):
    """The name is resolved once: a second answer, which a hostile name server would give, is never asked for."""
    answers = []

    def resolve_once(host, port, **_options):
        answers.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    original = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, port, *rest, **options: (
            resolve_once(host, port) if host == "shop.example" else original(host, port, *rest, **options)
        ),
    )
    sender = Sender(receiver.url.replace("127.0.0.1", "shop.example"))
    assert sender.post(b"{}", {}).status == 200
    sender.close()
    assert answers == ["shop.example"]
    assert receiver.received[0].headers["Host"].startswith("shop.example:")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("120", 120),
        ("-1", None),
        ("soon", None),
        ("9" * 30, None),
        ("\N{FULLWIDTH DIGIT ONE}2", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
    ],
)
def test_retry_after_is_seconds_or_a_date(value, seconds):
    assert retry_after_seconds(value) == seconds


def test_retry_after_a_date_to_come():
    from email.utils import format_datetime

    assert 50 < retry_after_seconds(format_datetime(timezone.now() + dt.timedelta(seconds=60))) <= 60

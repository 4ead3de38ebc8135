"""The admin: what staff sees, and what its buttons do."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone

from holdfast import windows
from holdfast.outbox import GiveUp
from holdfast.outbox.models import (
    EndpointState,
    OutboxAttempt,
    OutboxDeadLetter,
    OutboxEvent,
    OutboxSubscriber,
    Resolution,
    WebhookEndpoint,
)
from holdfast.outbox.webhooks import vault
from holdfast.outbox.webhooks.signing import generate_secret
from holdfast.testing import drain_outbox
from tests.foundation.outbox.facts import Noted
from tests.foundation.outbox.receiver import receiving

pytestmark = pytest.mark.django_db

LOCAL = {"WEBHOOK_ALLOW_HTTP": True, "WEBHOOK_ALLOWED_NETWORKS": ["127.0.0.0/8"]}


def page(model, name="changelist", *args):
    return reverse(f"admin:holdfast_{model._meta.model_name}_{name}", args=args)


def messages(response):
    return [str(message) for message in response.context["messages"]]


@pytest.fixture
def dead(listen, tell):
    listen().fails = lambda _envelope: GiveUp("never")
    tell(Noted(topic="a", number=1), Noted(topic="b", number=2))
    drain_outbox(raise_errors=False)
    return listen


@pytest.mark.parametrize("model", [OutboxEvent, OutboxSubscriber, OutboxAttempt, OutboxDeadLetter, WebhookEndpoint])
def test_every_list_opens(admin_client, dead, model):
    assert admin_client.get(page(model)).status_code == 200


@pytest.mark.parametrize("model", [OutboxEvent, OutboxSubscriber, OutboxAttempt, OutboxDeadLetter])
def test_rows_are_looked_at_and_not_changed(admin_client, dead, model):
    row = model.objects.first()
    assert admin_client.get(page(model, "change", row.pk)).status_code == 200
    assert admin_client.post(page(model, "change", row.pk), {}).status_code == 403
    assert admin_client.post(page(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert admin_client.get(page(model, "add")).status_code == 403


def test_an_event_says_where_it_is(admin_client, dead):
    event = OutboxEvent.objects.first()
    content = admin_client.get(page(OutboxEvent, "change", event.pk)).content.decode()
    assert "dead for listener (open)" in content
    assert "refused by listener: never" in content


def test_an_event_is_found_by_its_id_and_by_nothing_else(admin_client, dead):
    event = OutboxEvent.objects.last()
    for term, found in [(str(event.uid), 1), (str(event.pk), 1), ("", 2), ("noted", 0), ("9" * 30, 0)]:
        response = admin_client.get(page(OutboxEvent), {"q": term})
        assert response.context["cl"].result_count == found


def test_a_list_counts_no_further_than_anybody_pages(admin_client, dead, monkeypatch):
    monkeypatch.setattr(windows, "COUNTED_AT_MOST", 1)
    assert admin_client.get(page(OutboxEvent)).context["cl"].result_count == 1


def decide(client, action, **values):
    chosen = list(OutboxDeadLetter.objects.values_list("pk", flat=True))
    return client.post(page(OutboxDeadLetter), {"action": action, "_selected_action": chosen, **values}, follow=True)


def test_dead_letters_are_replayed(admin_client, dead):
    assert messages(decide(admin_client, "replay")) == ["2 events are delivered again."]
    assert set(OutboxDeadLetter.objects.values_list("resolution", flat=True)) == {Resolution.REPLAYED}


def test_dead_letters_are_discarded_when_somebody_has_confirmed_and_said_why(admin_client, dead):
    assert "This cannot be undone." in decide(admin_client, "discard").content.decode()
    assert decide(admin_client, "discard", confirmed="Discard").context["form"].errors.keys() == {"reason"}
    assert set(OutboxDeadLetter.objects.values_list("resolution", flat=True)) == {Resolution.OPEN}

    answer = decide(admin_client, "discard", confirmed="Discard", reason="sent by hand")

    assert messages(answer) == ["2 events were discarded."]
    assert set(OutboxDeadLetter.objects.values_list("resolution", flat=True)) == {Resolution.DISCARDED}
    history = admin_client.get(page(OutboxDeadLetter, "history", OutboxDeadLetter.objects.first().pk))
    assert "Discarded: sent by hand" in history.content.decode()


def test_who_may_only_look_decides_on_nothing(client, dead):
    user = get_user_model().objects.create_user("looker", password="pass", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_outboxdeadletter"))
    client.force_login(user)
    chosen = OutboxDeadLetter.objects.values_list("pk", flat=True)
    client.post(page(OutboxDeadLetter), {"action": "replay", "_selected_action": list(chosen)})
    assert not OutboxDeadLetter.objects.exclude(resolution=Resolution.OPEN).exists()


@pytest.fixture
def receiver():
    with override_settings(HOLDFAST_OUTBOX=LOCAL), receiving() as one:
        yield one


def form(receiver, **changes):
    return {"name": "shop", "url": receiver.url, "patterns": "outbox_tests.*\nholdfast.*", "secret": "", **changes}


@pytest.fixture
def endpoint(admin_client, receiver):
    admin_client.post(page(WebhookEndpoint, "add"), form(receiver))
    return WebhookEndpoint.objects.get()


def test_a_new_endpoint_gets_a_secret_that_is_shown_once(admin_client, receiver):
    response = admin_client.post(page(WebhookEndpoint, "add"), form(receiver), follow=True)
    endpoint = WebhookEndpoint.objects.get()
    (secret,) = vault.active_secrets(endpoint)
    assert any(secret in message for message in messages(response))
    assert endpoint.patterns == ["outbox_tests.*", "holdfast.*"]
    shown = admin_client.get(page(WebhookEndpoint, "change", endpoint.pk)).content.decode()
    assert secret not in shown
    assert "outbox_tests.*\nholdfast.*" in shown


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "https://user:pass@example.com/"},
        {"url": "nonsense"},
        {"patterns": "holdfast_walet.*"},
        {"patterns": ""},
        {"secret": "not a secret"},
    ],
)
def test_a_form_that_makes_no_sense_is_refused(admin_client, receiver, changes):
    response = admin_client.post(page(WebhookEndpoint, "add"), form(receiver, **changes))
    assert response.status_code == 200
    assert response.context["adminform"].form.errors.keys() == changes.keys()
    assert not WebhookEndpoint.objects.exists()


def test_an_endpoint_is_edited(admin_client, receiver, endpoint):
    old, given = vault.active_secrets(endpoint)[0], generate_secret()
    admin_client.post(
        page(WebhookEndpoint, "change", endpoint.pk), form(receiver, name="renamed", patterns="*", secret=given)
    )
    endpoint.refresh_from_db()
    assert (endpoint.name, endpoint.patterns) == ("renamed", ["*"])
    assert vault.active_secrets(endpoint) == [given, old]
    assert admin_client.post(page(WebhookEndpoint, "delete", endpoint.pk), {"post": "yes"}).status_code == 403


def test_the_buttons_test_pause_enable_and_rotate(admin_client, receiver, endpoint):
    def press(button):
        response = admin_client.post(page(WebhookEndpoint, "press", endpoint.pk, button), follow=True)
        endpoint.refresh_from_db()
        return messages(response)[-1]

    assert "answered 200" in press("test")
    assert len(receiver.received) == 1
    assert "paused" in press("pause")
    assert endpoint.state == EndpointState.PAUSED
    assert "told again" in press("enable")
    assert endpoint.state == EndpointState.ACTIVE
    assert vault.active_secrets(endpoint)[0] not in press("rotate")
    assert len(vault.active_secrets(endpoint)) == 2


def test_a_webhook_is_called_by_the_name_of_its_endpoint(admin_client, endpoint):
    OutboxDeadLetter.objects.create(
        event=OutboxEvent.objects.create(
            type="outbox_tests.noted.v1", key="a", part=0, payload={}, occurred_at=timezone.now()
        ),
        subscriber=endpoint.subscriber,
        attempts=1,
        error="no",
        died_at=timezone.now(),
    )

    for model in (OutboxSubscriber, OutboxDeadLetter):
        assert "shop (webhook)" in admin_client.get(page(model)).content.decode()


def test_each_button_names_the_form_that_it_sends(admin_client, endpoint):
    shown = admin_client.get(page(WebhookEndpoint, "change", endpoint.pk)).content.decode()
    buttons = re.findall(r"<input[^>]*formaction=[^>]*>", shown)
    assert len(buttons) == 3
    assert all('form="webhookendpoint_form"' in button for button in buttons)
    assert 'id="webhookendpoint_form"' in shown


def test_a_button_is_pressed_by_who_may_and_only_by_a_post(admin_client, client, endpoint):
    address = page(WebhookEndpoint, "press", endpoint.pk, "pause")
    assert admin_client.get(address).status_code == 404
    assert admin_client.post(page(WebhookEndpoint, "press", endpoint.pk, "explode")).status_code == 404
    client.force_login(get_user_model().objects.create_user("staff", password="pass", is_staff=True))
    assert client.post(address).status_code in (403, 404)
    endpoint.refresh_from_db()
    assert endpoint.state == EndpointState.ACTIVE


@pytest.mark.parametrize(
    ("action", "state"),
    [("pause", EndpointState.PAUSED), ("enable", EndpointState.ACTIVE), ("test", EndpointState.ACTIVE)],
)
def test_the_actions_of_the_list_do_the_same(admin_client, receiver, endpoint, action, state):
    admin_client.post(page(WebhookEndpoint), {"action": action, "_selected_action": [str(endpoint.pk)]})
    endpoint.refresh_from_db()
    assert endpoint.state == state
    assert len(receiver.received) == (1 if action == "test" else 0)

"""The outbox lives where the router says that events are written: what lags behind on a replica decides nothing."""

import datetime as dt
import inspect

import pytest
from django.core.management import call_command
from django.db.utils import ConnectionDoesNotExist
from django.test import override_settings
from django.utils import timezone

from holdfast.ids import uuid7
from holdfast.outbox import GiveUp, exactly_once, subscribe
from holdfast.outbox.metrics import snapshot
from holdfast.outbox.models import EndpointState, OutboxDeadLetter, WebhookEndpoint
from holdfast.outbox.relay import Relay
from holdfast.outbox.webhooks import endpoints
from holdfast.testing import captured_events, drain_outbox
from tests.foundation.outbox.facts import Noted
from tests.foundation.routers import PrimaryIsElsewhere, ReplicaIsDown, a_primary_elsewhere

pytestmark = pytest.mark.django_db

CREATE = (endpoints.create_endpoint, {"name": "shop", "url": "https://shop.example/", "patterns": ["*"]})
# What is done to an endpoint, in an order in which all of it has an effect.
LIFE = [
    (endpoints.rotate_secret, {}),
    (endpoints.pause_endpoint, {"reason": "Holidays."}),
    (endpoints.enable_endpoint, {}),
    (endpoints.note_failure, {}),
    (endpoints.note_success, {}),
    (endpoints.disable_endpoint, {"reason": "Gone."}),
]
PURE = {endpoints.secrets_of}  # it opens what the endpoint in hand has sealed


def test_no_verb_of_endpoints_is_left_out_here():
    verbs = {
        verb
        for name, verb in inspect.getmembers(endpoints, inspect.isfunction)
        if verb.__module__ == endpoints.__name__ and not name.startswith("_")
    }
    assert {verb for verb, _given in [CREATE, *LIFE]} == verbs - PURE


def test_no_verb_of_endpoints_asks_a_replica():
    with override_settings(DATABASE_ROUTERS=[ReplicaIsDown("holdfast")]):
        create, given = CREATE
        endpoint = create(**given)
        for verb, given in LIFE:
            verb(endpoint_id=endpoint.pk, **given)


def test_an_endpoint_that_failed_for_too_long_is_disabled_without_a_replica():
    endpoint = endpoints.create_endpoint(**CREATE[1])
    WebhookEndpoint.objects.update(failing_since=timezone.now() - dt.timedelta(days=99))
    with override_settings(DATABASE_ROUTERS=[ReplicaIsDown("holdfast")]):
        endpoints.note_failure(endpoint_id=endpoint.pk)
    assert WebhookEndpoint.objects.get().state == EndpointState.DISABLED


@pytest.mark.parametrize(
    ("verb", "given"),
    [CREATE, *((verb, {"endpoint_id": uuid7(), **given}) for verb, given in LIFE)],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_no_verb_of_endpoints_begins_a_transaction_in_another_database_than_it_writes(verb, given):
    with a_primary_elsewhere("holdfast"):
        verb(**given)


def test_events_are_told_again_given_up_and_forgotten_without_a_replica(listen, tell, capsys):
    dead, heard = listen(name="dead"), []
    dead.fails = lambda _envelope: GiveUp("never")

    @subscribe("outbox_tests.*", name="once")
    @exactly_once
    def hear(envelope):
        heard.append(envelope)

    with override_settings(DATABASE_ROUTERS=[ReplicaIsDown("holdfast")]):
        with captured_events() as events:
            tell(Noted(topic="a"))
        assert len(events) == 1
        drain_outbox(raise_errors=False)
        assert (snapshot().dead, OutboxDeadLetter.objects.using("default").count()) == (1, 1)
        dead.fails = lambda _envelope: None
        call_command("outbox_replay")
        call_command("outbox_replay", "--subscriber", "once", "--events", "outbox_tests.*")
        call_command("outbox_status")
        drain_outbox()
        assert (len(dead.heard), len(heard)) == (1, 1)
        call_command("outbox_purge", "--subscriber", "once")
    assert "Dropped 'once' and 0 deliveries." in capsys.readouterr().out


@pytest.mark.parametrize(
    "look",
    [Relay, drain_outbox, snapshot, lambda: call_command("outbox_relay", "--once")],
    ids=["relay", "drain", "snapshot", "command"],
)
def test_who_looks_for_events_looks_where_they_are_written(look):
    with (
        override_settings(DATABASE_ROUTERS=[PrimaryIsElsewhere("holdfast")]),
        pytest.raises(ConnectionDoesNotExist, match="elsewhere"),
    ):
        look()

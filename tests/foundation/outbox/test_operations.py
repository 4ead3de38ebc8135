"""Running the outbox: how it is doing, what is kept, what is delivered again."""

import datetime as dt
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings
from django.utils import timezone

from holdfast.checks import check_database, check_outbox
from holdfast.ids import uuid7
from holdfast.outbox import GiveUp, exactly_once, retention
from holdfast.outbox.metrics import snapshot
from holdfast.outbox.models import (
    InboxEntry,
    OutboxAttempt,
    OutboxDeadLetter,
    OutboxDelivery,
    OutboxEvent,
    OutboxRelay,
    OutboxSubscriber,
    Resolution,
)
from holdfast.outbox.subscriptions import subscriptions
from holdfast.outbox.webhooks import endpoints
from holdfast.testing import drain_outbox
from tests.foundation.outbox.facts import Mentioned, Noted

pytestmark = pytest.mark.django_db


def age(days=0, **more):
    return timezone.now() - dt.timedelta(days=days, **more)


def status():
    return {it.name: it for it in snapshot().subscribers}


# Metrics


def test_an_empty_outbox_is_well():
    now = snapshot()
    assert (now.ok, now.lag_seconds, now.oldest_pending, now.pending, now.dead) == (True, 0.0, None, 0, 0)


def test_what_nobody_has_routed_makes_it_late(tell, capsys):
    tell(Noted(topic="a"))
    drain_outbox()
    OutboxEvent.objects.update(routed=False, occurred_at=age(seconds=90))

    now = snapshot()

    assert not now.ok
    assert now.unrouted == now.pending == 1
    assert 85 < now.lag_seconds < 200
    assert now.oldest_pending == OutboxEvent.objects.get().occurred_at
    with pytest.raises(CommandError, match="relay"):
        call_command("outbox_status")
    assert "unrouted 1" in capsys.readouterr().out


def test_what_fails_is_counted_and_is_not_lateness(listen, tell, capsys):
    listener = listen()
    listener.fails = lambda envelope: RuntimeError("boom") if envelope.key == "bad" else None
    tell(Noted(topic="bad"), Noted(topic="bad"), Noted(topic="good"))
    drain_outbox(raise_errors=False)
    OutboxEvent.objects.update(occurred_at=age(days=1))

    mine = status()["listener"]

    assert (mine.state, mine.pending, mine.failing, mine.lag_seconds) == ("active", 2, 1, 0.0)
    call_command("outbox_status", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is True
    assert told["failing"] == 1


def test_a_subscriber_that_the_code_no_longer_has_is_reported_and_can_be_dropped(listen, tell, capsys):
    listener = listen(name="gone")
    listener.fails = lambda _envelope: RuntimeError("boom")
    tell(Noted(topic="a"))
    drain_outbox(raise_errors=False)
    del subscriptions["gone"]

    assert (status()["gone"].state, status()["gone"].pending) == ("unknown", 1)
    assert snapshot().ok
    call_command("outbox_purge", "--subscriber", "gone")
    assert "1 deliveries" in capsys.readouterr().out
    assert "gone" not in status()
    assert not OutboxDelivery.objects.exists()
    with pytest.raises(CommandError, match="no subscriber"):
        call_command("outbox_purge", "--subscriber", "gone")


def test_an_endpoint_has_its_own_state_and_lag(tell):
    endpoint = endpoints.create_endpoint(name="shop", url="https://example.com/", patterns=["*"])
    endpoints.pause_endpoint(endpoint_id=endpoint.pk, reason="")
    tell(Noted(topic="a"))
    drain_outbox()
    OutboxEvent.objects.update(occurred_at=age(seconds=500))

    (mine,) = [it for it in status().values() if it.kind == "webhook"]

    assert mine.name == f"webhook:{endpoint.pk} (shop)"
    assert (mine.state, mine.pending) == ("paused", 1)
    assert mine.lag_seconds > 400
    assert snapshot().ok


def test_dead_letters_of_an_endpoint_that_is_gone_are_counted():
    OutboxSubscriber.objects.create(name="webhook:gone", kind="webhook")
    OutboxDeadLetter.objects.create(
        event=OutboxEvent.objects.create(type="t", key="a", part=1, payload={}, occurred_at=age(), routed=True),
        subscriber=OutboxSubscriber.objects.get(),
        attempts=1,
        error="boom",
        died_at=age(),
    )
    assert (status()["webhook:gone"].state, status()["webhook:gone"].dead) == ("unknown", 1)


def test_relays_are_counted_while_they_are_heard_of():
    OutboxRelay.objects.create(name="alive", started_at=timezone.now(), seen_at=timezone.now())
    OutboxRelay.objects.create(name="dead", started_at=age(1), seen_at=age(1))
    assert snapshot().relays == 1


# Retention


def test_only_what_was_delivered_long_ago_is_deleted(listen, tell, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    listener = listen()
    listener.fails = lambda envelope: (
        GiveUp("never") if envelope.key == "dead" else RuntimeError("boom") if envelope.key == "failing" else None
    )
    tell(*[Noted(topic=f"old {number}") for number in range(5)], Noted(topic="dead"), Noted(topic="failing"))
    drain_outbox(raise_errors=False)
    OutboxEvent.objects.update(occurred_at=age(20))
    tell(Noted(topic="young"))
    drain_outbox()
    tell(Noted(topic="unrouted"))
    OutboxEvent.objects.filter(key="unrouted").update(occurred_at=age(19))
    OutboxRelay.objects.create(name="dead", started_at=age(2), seen_at=age(2))

    assert retention.purge().events == 5

    assert set(OutboxEvent.objects.values_list("key", flat=True)) == {"dead", "failing", "young", "unrouted"}
    assert not OutboxRelay.objects.exists()


def test_the_log_resolved_letters_and_the_inbox_are_forgotten_too(listen, tell, capsys):
    listen().fails = lambda _envelope: GiveUp("never")
    tell(Noted(topic="a"))
    drain_outbox(raise_errors=False)
    InboxEntry.objects.create(consumer="someone", event_uid=uuid7())
    OutboxDeadLetter.objects.update(resolution=Resolution.DISCARDED, resolved_at=age(31))
    OutboxAttempt.objects.update(at=age(31))
    OutboxEvent.objects.update(occurred_at=age(31))
    InboxEntry.objects.update(applied_at=age(91))

    call_command("outbox_purge")

    assert "Deleted 1 events, 1 dead letters, 1 attempts, 1 inbox." in capsys.readouterr().out
    assert not OutboxEvent.objects.exists()
    assert not InboxEntry.objects.exists()


# Replay


def test_dead_letters_are_replayed_by_command(listen, tell, capsys):
    listener = listen()
    listener.fails = lambda _envelope: GiveUp("never")
    tell(Noted(topic="a", number=1), Noted(topic="b", number=2))
    drain_outbox(raise_errors=False)
    listener.fails = lambda _envelope: None

    call_command("outbox_replay", "--until", "2020-01-01T00:00:00")
    call_command("outbox_replay", "--subscriber", "nobody")
    drain_outbox()
    assert listener.numbers == []

    call_command("outbox_replay", "--subscriber", "listener", "--since", "2020-01-01")
    drain_outbox()
    assert sorted(listener.numbers) == [1, 2]
    assert "Queued 2 dead letters again." in capsys.readouterr().out


def test_kept_events_are_replayed_to_a_subscriber_that_came_later(listen, tell, capsys):
    tell(*[Noted(topic=str(number % 3), number=number) for number in range(9)], Mentioned(topic="a"))
    drain_outbox()
    listener = listen(Noted, "late")
    drain_outbox()
    assert listener.heard == []

    call_command("outbox_replay", "--subscriber", "late", "--events", "outbox_tests.noted.*", "--until", "2999-01-01")
    drain_outbox()

    assert "Queued 9 events again." in capsys.readouterr().out
    for key in range(3):
        assert [number for number in listener.numbers if number % 3 == key] == list(range(key, 9, 3))
    call_command("outbox_replay", "--subscriber", "late", "--events", "*", "--since", "2999-01-01")
    assert drain_outbox() == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--events", "*"], "--subscriber"),
        (["--events", "*", "--subscriber", "nobody"], "no subscriber"),
        (["--since", "yesterday"], "not a time"),
    ],
)
def test_a_replay_that_makes_no_sense_says_so(options, message):
    with pytest.raises(CommandError, match=message):
        call_command("outbox_replay", *options)


# Checks


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({}, []),
        ("nonsense", ["holdfast.outbox.E001"]),
        ({"RETRY_SECOND": [1]}, ["holdfast.outbox.E002"]),
        ({"RETRY_SECONDS": ["soon"]}, ["holdfast.outbox.E003"]),
        ({"ATTEMPT_LOG": "some"}, ["holdfast.outbox.E003"]),
        ({"BROKER": {"BACKEND": "nowhere.Broker"}}, ["holdfast.outbox.E004"]),
        ({"WEBHOOK_ALLOWED_NETWORKS": ["10.1.2.3/8"]}, ["holdfast.outbox.E011"]),
    ],
)
def test_settings_are_checked_at_start_up(values, found):
    with override_settings(HOLDFAST_OUTBOX=values):
        assert [message.id for message in check_outbox()] == found


def test_a_subscription_to_an_event_that_nobody_declares_is_a_warning(listen):
    listen("outbox_test.noted.v1", "slip of the pen")
    assert [message.id for message in check_outbox()] == ["holdfast.outbox.W001"]


def test_the_database_speaks_the_outboxs_language():
    assert check_database(databases=["default"]) == []
    assert check_database() == []


def test_another_database_is_an_error(monkeypatch):
    monkeypatch.setattr("holdfast.checks.VENDORS", ("oracle",))
    assert [message.id for message in check_database(databases=["default"])] == ["holdfast.outbox.E010"]


# Celery's doors


def test_the_tasks_do_what_the_commands_do(listen, tell, monkeypatch):
    pytest.importorskip("celery", reason="the tasks are an extra: holdfast[celery]")
    from holdfast import tasks

    OutboxEvent.objects.create(
        type=Noted.type, key="a", part=1, payload={}, occurred_at=age(99), routed=True, uid=uuid7()
    )
    tasks.purge_outbox()
    assert not OutboxEvent.objects.exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_bounded_tick_delivers_what_is_there(listen, tell):
    pytest.importorskip("celery", reason="the tasks are an extra: holdfast[celery]")
    from holdfast import tasks

    listener = listen()
    tell(*[Noted(topic=str(number), number=number) for number in range(50)])
    assert tasks.drain_outbox(seconds=30) == 50
    assert sorted(listener.numbers) == list(range(50))
    assert not OutboxRelay.objects.exists()


# A broker


class DummyBroker:
    """A host's own broker."""

    concurrency = 1
    published: list = []

    def ready(self):
        return True

    def admit(self):
        return True

    def deliver(self, envelope):
        self.published.append(envelope.event)

    def close(self):
        """Nothing is held."""


def test_a_host_may_bring_its_own_broker(tell):
    spec = {"BACKEND": f"{__name__}.DummyBroker"}
    with override_settings(HOLDFAST_OUTBOX={"BROKER": spec, "BROKER_PATTERNS": ["outbox_tests.noted.*"]}):
        tell(Noted(topic="a", number=1), Mentioned(topic="a"))
        drain_outbox()
        assert status()["broker"].state == "active"
    assert DummyBroker.published == [Noted(topic="a", number=1)]
    assert status()["broker"].state == "unknown"
    assert OutboxSubscriber.objects.get(name="broker").kind == "broker"


def test_exactly_once_and_subscribe_agree_on_the_name_of_a_function(listen):
    @exactly_once
    def handler(_envelope): ...

    assert handler.__qualname__.endswith("handler")


# SQLite, as a demo runs it


@pytest.mark.slow
@pytest.mark.any_database  # it brings its own
def test_on_sqlite_a_relay_process_sees_the_commits_of_others(tmp_path):
    """A file, a relay process, a publisher process: woken by the file's data version."""
    environment = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{tmp_path}/demo.sqlite3",
        "DJANGO_SETTINGS_MODULE": "tests.foundation.outbox.campaign.settings",
        "PYTHONPATH": str(Path.cwd()),
    }
    publish = (
        "import django; django.setup()\n"
        "from django.db import transaction\n"
        "from holdfast.outbox import emit\n"
        "from tests.foundation.outbox.campaign.events import StepTaken\n"
        "for step in range(1, 31):\n"
        "    with transaction.atomic(): emit(StepTaken(walker='a', step=step))\n"
    )
    count = (
        "import django; django.setup()\n"
        "from tests.foundation.outbox.campaign.models import Receipt\n"
        "print(list(Receipt.objects.filter(consumer='apply').order_by('pk').values_list('step', flat=True)))\n"
    )

    def python(*arguments):
        return subprocess.run(
            [sys.executable, *arguments], env=environment, check=True, capture_output=True, text=True, timeout=300
        ).stdout

    python("-m", "django", "migrate", "--run-syncdb", "-v0")
    relay = subprocess.Popen(
        [sys.executable, "-m", "django", "outbox_relay"], env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        assert "has started" in relay.stderr.readline()
        python("-c", publish)
        end = time.monotonic() + 180
        while python("-c", count).strip() != str(list(range(1, 31))):
            assert time.monotonic() < end, "it did not come about in time"
    finally:
        relay.terminate()
        _out, said = relay.communicate(timeout=30)
    assert relay.returncode == 0
    assert "has ended after 60 deliveries" in said

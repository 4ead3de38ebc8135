"""The relay as it runs: processes, signals, kills, interleavings."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test import override_settings

from holdfast.outbox import emit
from holdfast.outbox.models import OutboxDeadLetter, OutboxDelivery, OutboxEvent, OutboxLease, OutboxRelay
from holdfast.outbox.relay import Relay
from tests.foundation.outbox.campaign.events import StepTaken
from tests.foundation.outbox.campaign.models import Receipt, Walker
from tests.foundation.outbox.facts import Noted

CAMPAIGN_SETTINGS = "tests.foundation.outbox.campaign.settings"
PATIENCE_SECONDS = 180


def environment():
    """The environment of a child that works on this test's database."""
    url = urlsplit(os.environ["DATABASE_URL"])
    database = urlunsplit(url._replace(path=f"/{connection.settings_dict['NAME']}"))
    return {
        **os.environ,
        "DATABASE_URL": database,
        "DJANGO_SETTINGS_MODULE": CAMPAIGN_SETTINGS,
        "PYTHONPATH": str(Path.cwd()),
    }


def start_relay(*options):
    return subprocess.Popen(
        [sys.executable, "-m", "django", "outbox_relay", *options],
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def take_steps(steps, names):
    """Be a publisher: each step is one transaction that locks the walker, moves it and emits."""
    try:
        for _step in range(steps):
            with transaction.atomic():
                walker = Walker.objects.select_for_update().get(name=random.choice(names))
                walker.steps += 1
                walker.save()
                emit(StepTaken(walker=walker.name, step=walker.steps))
            time.sleep(random.uniform(0, 0.05))
    finally:
        connection.close()


def at_work(relays):
    """Which of these relays have leases."""
    owners = {owner.split(":")[1] for owner in OutboxLease.objects.exclude(owner="").values_list("owner", flat=True)}
    return [number for number, relay in enumerate(relays) if str(relay.pid) in owners]


def wait_until(condition, seconds=PATIENCE_SECONDS):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.02)


def nothing_is_left():
    return not OutboxEvent.objects.filter(routed=False).exists() and not OutboxDelivery.objects.exists()


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_relays_killed_at_random_lose_nothing_and_keep_the_order_of_each_key():
    """Eight publishers, two relays, a SIGKILL now and then: chance is the point, each run is another campaign."""
    names = [f"walker-{number}" for number in range(12)]
    steps, publishers_count, kills_wanted = 80, 8, 4
    Walker.objects.bulk_create(Walker(name=name) for name in names)
    relays = [start_relay(), start_relay()]
    publishers = [threading.Thread(target=take_steps, args=(steps, names)) for _ in range(publishers_count)]
    try:
        for publisher in publishers:
            publisher.start()
        for _kill in range(kills_wanted):
            time.sleep(random.uniform(0.05, 0.5))
            wait_until(lambda: at_work(relays))
            victim = random.choice(at_work(relays))
            relays[victim].send_signal(signal.SIGKILL)
            relays[victim].communicate()
            relays[victim] = start_relay()
        for publisher in publishers:
            publisher.join(PATIENCE_SECONDS)
        wait_until(nothing_is_left)
    finally:
        for relay in relays:
            relay.send_signal(signal.SIGTERM)
            relay.communicate(timeout=30)

    heard = defaultdict(list)
    for consumer, walker, step in Receipt.objects.order_by("pk").values_list("consumer", "walker", "step"):
        heard[consumer, walker].append(step)
    for name in names:
        taken = Walker.objects.get(name=name).steps
        assert heard["apply", name] == list(range(1, taken + 1))
        # A kill repeats what was in flight; what comes for the first time comes in order.
        assert list(dict.fromkeys(heard["watch", name])) == list(range(1, taken + 1))
    assert sum(Walker.objects.values_list("steps", flat=True)) == steps * publishers_count
    assert not OutboxDeadLetter.objects.exists()


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_relay_that_is_told_to_stop_gives_its_leases_back_and_says_goodbye():
    relay = start_relay()
    wait_until(lambda: OutboxLease.objects.exclude(owner="").count() == 64)
    Walker.objects.create(name="a")
    with transaction.atomic():
        emit(StepTaken(walker="a", step=1))
    wait_until(nothing_is_left)

    relay.send_signal(signal.SIGTERM)
    _out, said = relay.communicate(timeout=30)

    assert relay.returncode == 0
    assert "has ended after 2 deliveries" in said
    assert not OutboxLease.objects.exclude(owner="").exists()
    assert not OutboxRelay.objects.exists()


@pytest.fixture
def start_relay_thread():
    """Run a relay in a thread of this process, with its own connection, as the command does."""
    started = []

    def start():
        ready = threading.Event()

        def run():
            relay = Relay()
            started.append((relay, threading.current_thread()))
            ready.set()
            try:
                relay.run()
            finally:
                connection.close()

        threading.Thread(target=run).start()
        ready.wait(PATIENCE_SECONDS)
        wait_until(lambda: OutboxLease.objects.exclude(owner="").count() == 64)

    yield start
    for relay, thread in started:
        relay.stop()
        thread.join(timeout=30)
        assert not thread.is_alive()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_events_that_are_committed_late_or_crosswise_are_delivered_in_the_order_of_their_keys(
    listen, start_relay_thread
):
    """A cursor over ids would lose the first, a cursor over transaction ids would turn the second around."""
    listener = listen()
    start_relay_thread()
    first_is_written, second_is_delivered = threading.Event(), threading.Event()

    def commit_late():
        with transaction.atomic():
            emit(Noted(topic="late", number=1))
            first_is_written.set()
            second_is_delivered.wait(PATIENCE_SECONDS)
            # The transaction with the lower xid writes the later event of the other key.
            emit(Noted(topic="crossed", number=2))
        connection.close()

    thread = threading.Thread(target=commit_late)
    thread.start()
    first_is_written.wait(PATIENCE_SECONDS)
    with transaction.atomic():
        emit(Noted(topic="crossed", number=1))
        emit(Noted(topic="early", number=3))
    wait_until(lambda: len(listener.heard) == 2)
    second_is_delivered.set()
    thread.join()
    wait_until(lambda: len(listener.heard) == 4)

    by_key = defaultdict(list)
    for envelope in listener.heard:
        by_key[envelope.key].append(envelope.payload["number"])
    assert by_key == {"crossed": [1, 2], "early": [3], "late": [1]}


def shares():
    return sorted(Counter(OutboxLease.objects.exclude(owner="").values_list("owner", flat=True)).values())


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@override_settings(HOLDFAST_OUTBOX={"LEASE_SECONDS": 1.5})
def test_a_second_relay_gets_its_share_while_events_flow_and_the_first_gets_it_back(listen, start_relay_thread):
    listener = listen()
    start_relay_thread()
    number = iter(range(10_000))

    def flow_until(condition):
        def met():
            with transaction.atomic():
                count = next(number)
                emit(Noted(topic=str(count % 20), number=count))
            return condition()

        wait_until(met)

    relays = []

    def run_second():
        relays.append(Relay())
        relays[0].run()
        connection.close()

    thread = threading.Thread(target=run_second)
    thread.start()
    flow_until(lambda: shares() == [32, 32])
    relays[0].stop()
    thread.join(30)
    flow_until(lambda: shares() == [64])
    wait_until(nothing_is_left)

    told = next(number)
    for key in range(20):
        assert [it for it in listener.numbers if it % 20 == key] == list(range(key, told, 20))


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@override_settings(HOLDFAST_OUTBOX={"POLL_SECONDS": 3600, "LEASE_SECONDS": 3600})
def test_a_notify_wakes_the_relay_and_what_the_debounce_swallows_is_found_soon(listen, start_relay_thread):
    """With a poll of an hour only the bell, and the further looks behind it, can deliver these."""
    listener = listen()
    start_relay_thread()
    for number in range(60):
        if number >= 40:  # pauses that whoever publishes without any does not ring after
            time.sleep(0.02)
        with transaction.atomic():
            emit(Noted(topic=str(number), number=number))
    wait_until(lambda: len(listener.heard) == 60)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_relay_whose_connection_is_cut_connects_again(listen, start_relay_thread):
    listener = listen()
    start_relay_thread()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    with transaction.atomic():
        emit(Noted(topic="a", number=1))
    wait_until(lambda: listener.numbers == [1])


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_once_delivers_what_is_there_in_threads_and_ends(listen, capsys):
    listener = listen()
    with transaction.atomic():
        for number in range(300):
            emit(Noted(topic=str(number % 5), number=number))

    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        call_command("outbox_relay", "--once")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

    assert sorted(listener.numbers) == list(range(300))
    assert nothing_is_left()
    assert "has ended after 300 deliveries" in capsys.readouterr().err

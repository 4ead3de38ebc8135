"""Delivering: in order for each key, at least once, and a failure holds back nothing but its key."""

import datetime as dt
from asyncio import CancelledError

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, connection
from django.test import override_settings
from django.utils import timezone

from holdfast import tracing
from holdfast.events import Event, registry
from holdfast.outbox import GiveUp, RetryLater, deadletters, exactly_once, subscribe
from holdfast.outbox.circuit import OPENS_AFTER
from holdfast.outbox.models import (
    InboxEntry,
    OutboxAttempt,
    OutboxDeadLetter,
    OutboxDelivery,
    OutboxEvent,
    OutboxLease,
    OutboxRelay,
    OutboxSubscriber,
    Resolution,
)
from holdfast.outbox.relay import Relay
from holdfast.outbox.retry import JITTER, delay_seconds
from holdfast.outbox.subscriptions import subscriptions
from holdfast.testing import drain_outbox
from tests.foundation.outbox.facts import Mentioned, Noted

pytestmark = pytest.mark.django_db


def test_each_event_reaches_each_subscriber_that_wants_it(listen, tell):
    everything, notes = listen("outbox_tests.*", "everything"), listen(Noted, "notes")

    tell(Noted(topic="a", number=1), Mentioned(topic="a"))

    assert drain_outbox() == 3
    assert [envelope.type for envelope in everything.heard] == [Noted.type, Mentioned.type]
    assert [envelope.event for envelope in notes.heard] == [Noted(topic="a", number=1)]
    assert not OutboxDelivery.objects.exists()
    assert not OutboxEvent.objects.filter(routed=False).exists()


def test_a_handler_gets_the_event_with_its_id_and_the_headers_of_its_request(listen, tell):
    listener = listen()
    bound = []
    listener.fails = lambda _envelope: bound.append(tracing.current())
    with tracing.bound(request_id="request-1"):
        tell(Noted(topic="a", number=1))

    drain_outbox()

    row = OutboxEvent.objects.get()
    envelope = listener.heard[0]
    assert (envelope.id, envelope.sequence, envelope.key, envelope.attempt) == (row.uid, row.pk, "a", 1)
    assert envelope.occurred_at == row.occurred_at
    assert envelope.headers == bound[0] == {"request_id": "request-1"}


def test_order_is_kept_for_each_key(listen, tell):
    listener = listen()
    tell(*[Noted(topic=str(number % 10), number=number) for number in range(300)])

    drain_outbox()

    for key in range(10):
        assert [it.payload["number"] for it in listener.heard if it.key == str(key)] == list(range(key, 300, 10))


def test_order_is_kept_across_the_types_that_one_handler_takes(listen, tell):
    heard = []
    subscribe(Noted, Mentioned, name="both")(lambda envelope: heard.append(envelope.type))

    tell(Noted(topic="a"), Mentioned(topic="a"), Noted(topic="a"))

    assert drain_outbox() == 3
    assert heard == [Noted.type, Mentioned.type, Noted.type]


def test_a_failing_event_holds_back_its_own_key_and_nothing_else(listen, tell, make_due):
    listener = listen()
    listener.fails = lambda envelope: RuntimeError("boom") if envelope.payload["number"] == 0 else None
    tell(*[Noted(topic="bad" if number % 2 == 0 else "good", number=number) for number in range(6)])

    drain_outbox(raise_errors=False)
    assert listener.numbers == [1, 3, 5]
    tell(Noted(topic="bad", number=6))
    drain_outbox(raise_errors=False)
    assert listener.numbers == [1, 3, 5]

    listener.fails = lambda _envelope: None
    make_due()
    drain_outbox()
    assert listener.numbers == [1, 3, 5, 0, 2, 4, 6]
    assert listener.heard[3].attempt == 2


@pytest.mark.parametrize("end", [SystemExit(1), CancelledError()], ids=["exit", "end of an event loop"])
def test_a_handler_that_ends_more_than_itself_has_failed_like_any_other(listen, tell, end):
    listener = listen()
    listener.fails = lambda _envelope: end

    tell(Noted(topic="a", number=1))
    drain_outbox(raise_errors=False)

    assert OutboxDelivery.objects.get().attempts == 1


def test_a_failure_of_one_subscriber_is_nothing_to_another(listen, tell):
    bad, good = listen(name="bad"), listen(name="good")
    bad.fails = lambda _envelope: RuntimeError("boom")
    tell(Noted(topic="a", number=1), Noted(topic="a", number=2))

    drain_outbox(raise_errors=False)

    assert (bad.numbers, good.numbers) == ([], [1, 2])
    assert [envelope.payload["number"] for envelope in bad.tried] == [1]


def test_in_a_test_the_error_of_a_handler_is_the_tests(listen, tell):
    listen().fails = lambda _envelope: ZeroDivisionError("boom")
    tell(Noted(topic="a"))
    with pytest.raises(ZeroDivisionError):
        drain_outbox()


def test_an_error_is_logged_with_its_traceback(listen, tell, caplog):
    listen().fails = lambda _envelope: RuntimeError("boom")
    tell(Noted(topic="a"))

    drain_outbox(raise_errors=False)

    (record,) = [record for record in caplog.records if record.name == "holdfast.outbox"]
    assert record.exc_info is not None
    attempt = OutboxAttempt.objects.get()
    assert (attempt.number, attempt.succeeded, attempt.detail) == (1, False, "RuntimeError: boom")


def test_a_database_error_in_a_handler_leaves_the_tests_transaction_usable(listen, tell):
    def clash(_envelope):
        Group.objects.create(name="same")
        Group.objects.create(name="same")

    subscribe("outbox_tests.*", name="clash")(clash)
    listen()
    tell(Noted(topic="a"))
    with pytest.raises(IntegrityError):
        drain_outbox()
    assert not Group.objects.exists()


def test_what_handlers_emit_is_delivered_too(listen, tell):
    listener = listen(Mentioned)
    noted = listen(Noted, "chain")
    noted.fails = lambda envelope: tell(Mentioned(topic=envelope.key))
    tell(Noted(topic="a"))

    assert drain_outbox() == 2
    assert [envelope.key for envelope in listener.heard] == ["a"]


@override_settings(HOLDFAST_OUTBOX={"RETRY_SECONDS": [10, 20]})
def test_after_the_last_attempt_it_is_dead_and_its_key_goes_on(listen, tell, make_due):
    listener = listen()
    listener.fails = lambda envelope: RuntimeError("boom") if envelope.payload["number"] == 0 else None
    tell(Noted(topic="a", number=0), Noted(topic="a", number=1))

    for _attempt in range(3):
        drain_outbox(raise_errors=False)
        make_due()
    drain_outbox()

    letter = OutboxDeadLetter.objects.get()
    assert (letter.attempts, letter.error, letter.resolution) == (3, "RuntimeError: boom", Resolution.OPEN)
    assert listener.numbers == [1]
    assert [attempt.number for attempt in OutboxAttempt.objects.order_by("pk")] == [1, 2, 3]


def test_a_dead_letter_is_replayed_once_however_often_it_is_asked_for(listen, tell):
    listener = listen()
    listener.fails = lambda _envelope: GiveUp("never")
    tell(Noted(topic="a", number=1))
    drain_outbox(raise_errors=False)
    assert OutboxDeadLetter.objects.get().attempts == 1

    listener.fails = lambda _envelope: None
    assert deadletters.replay(OutboxDeadLetter.objects.all()) == 1
    assert deadletters.replay(OutboxDeadLetter.objects.all()) == 0
    drain_outbox()

    assert listener.numbers == [1]
    assert OutboxDeadLetter.objects.get().resolution == Resolution.REPLAYED


def test_a_dead_letter_is_discarded(listen, tell):
    listener = listen()
    listener.fails = lambda _envelope: GiveUp("never")
    tell(Noted(topic="a"))
    drain_outbox(raise_errors=False)

    assert deadletters.discard(OutboxDeadLetter.objects.all()) == 1
    assert drain_outbox() == 0
    assert OutboxDeadLetter.objects.get().resolution == Resolution.DISCARDED


def test_a_handler_may_ask_to_be_called_later(listen, tell):
    listen().fails = lambda _envelope: RetryLater(3600)
    tell(Noted(topic="a"))

    drain_outbox(raise_errors=False)

    due_at = OutboxDelivery.objects.get().due_at
    assert due_at > timezone.now() + dt.timedelta(minutes=55)


def test_behind_a_breaker_a_receiver_that_is_down_costs_few_events_an_attempt(listen, tell):
    listener = listen(circuit_breaker=True)
    listener.fails = lambda _envelope: ConnectionError("down")
    tell(*(Noted(topic=str(number)) for number in range(OPENS_AFTER + 10)))

    drain_outbox(raise_errors=False)

    assert len(listener.tried) == OPENS_AFTER
    assert OutboxDelivery.objects.filter(attempts=0).count() == 10


def test_behind_a_breaker_an_event_that_is_not_wanted_is_dead_and_the_others_go_on(listen, tell):
    listener = listen(circuit_breaker=True)
    listener.fails = lambda envelope: GiveUp("no") if envelope.payload["number"] else None
    tell(*(Noted(topic=str(number), number=1) for number in range(OPENS_AFTER)), Noted(topic="last"))

    drain_outbox(raise_errors=False)

    assert listener.numbers == [0]
    assert OutboxDeadLetter.objects.count() == OPENS_AFTER


def test_behind_a_breaker_all_wait_when_the_receiver_asks_for_it(listen, tell):
    listener = listen(circuit_breaker=True)
    listener.fails = lambda _envelope: RetryLater(60)
    tell(Noted(topic="a"), Noted(topic="b"), Noted(topic="c"))

    drain_outbox(raise_errors=False)

    assert len(listener.tried) == 1
    assert sorted(OutboxDelivery.objects.values_list("attempts", flat=True)) == [0, 0, 1]


def test_the_schedule_is_that_of_standard_webhooks_within_jitter():
    expected = [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
    for attempts, seconds in enumerate(expected, start=1):
        assert all(abs(delay_seconds(attempts) - seconds) <= JITTER * seconds for _ in range(50))
    assert delay_seconds(len(expected) + 1) is None
    assert delay_seconds(1, asked_seconds=3000) == 3000
    assert delay_seconds(1, asked_seconds=10**9) == 86400


def test_an_event_of_a_type_that_nobody_declares_any_more_is_kept_and_tried_again(listen, tell):
    class Forgotten(Event, type="outbox_tests.forgotten.v1", key="topic"):
        topic: str

    listener = listen()
    listener.fails = lambda envelope: envelope.event and None
    tell(Forgotten(topic="a"))
    del registry[Forgotten.type]

    drain_outbox(raise_errors=False)

    assert OutboxDelivery.objects.get().attempts == 1


def test_deliveries_of_a_handler_that_the_code_no_longer_has_are_kept(listen, tell):
    listen(name="gone")
    tell(Noted(topic="a", number=1))
    relay = Relay(inline=True)
    relay._renew()
    relay._sweep()
    relay._route()
    relay._leases.close()
    del subscriptions["gone"]

    assert drain_outbox() == 0
    assert OutboxDelivery.objects.get().subscriber.name == "gone"
    listener = listen(name="gone")
    drain_outbox()
    assert listener.numbers == [1]


def test_exactly_once_applies_an_event_once_however_often_it_is_delivered(listen, tell):
    applied = []

    @exactly_once
    def apply(envelope):
        applied.append(envelope.sequence)
        Group.objects.create(name=str(envelope.sequence))

    listen()
    subscriptions.pop("listener")
    subscribe("outbox_tests.*", name="apply")(apply)
    tell(Noted(topic="a"), Noted(topic="b"))
    drain_outbox()
    OutboxDelivery.objects.bulk_create(
        OutboxDelivery(subscriber=OutboxSubscriber.objects.get(name="apply"), part=it.part, event=it, key_hash=1)
        for it in OutboxEvent.objects.all()
    )

    assert drain_outbox() == 2
    assert len(applied) == Group.objects.count() == InboxEntry.objects.count() == 2


def test_exactly_once_forgets_what_failed(listen, tell, make_due):
    fails = [True]

    @exactly_once
    def apply(envelope):
        Group.objects.create(name=envelope.key)
        if fails:
            raise RuntimeError(fails.pop())

    subscribe("outbox_tests.*", name="apply")(apply)
    listen()
    tell(Noted(topic="a"))
    drain_outbox(raise_errors=False)
    assert not Group.objects.exists()
    assert not InboxEntry.objects.exists()
    make_due()
    drain_outbox()
    assert Group.objects.count() == InboxEntry.objects.count() == 1


@override_settings(HOLDFAST_OUTBOX={"ATTEMPT_LOG": "all"})
def test_all_attempts_are_logged_where_it_is_asked_for(listen, tell):
    listen()
    tell(Noted(topic="a"))
    drain_outbox()
    assert OutboxAttempt.objects.get().succeeded is True


@override_settings(HOLDFAST_OUTBOX={"ATTEMPT_LOG": "none"})
def test_no_attempts_are_logged_where_it_is_asked_for(listen, tell):
    listen().fails = lambda _envelope: RuntimeError("boom")
    tell(Noted(topic="a"))
    drain_outbox(raise_errors=False)
    assert not OutboxAttempt.objects.exists()


def test_small_batches_deliver_the_same(listen, tell):
    listener = listen()
    tell(*[Noted(topic=str(number % 3), number=number) for number in range(50)])
    with override_settings(HOLDFAST_OUTBOX={"ROUTE_BATCH": 7, "DELIVERY_BATCH": 3}):
        assert drain_outbox() == 50
    assert sorted(listener.numbers) == list(range(50))


def test_two_handlers_must_not_share_a_name(listen):
    listen(name="twice")
    with pytest.raises(ValueError, match="twice"):
        listen(name="twice")


def test_a_handler_is_named_after_its_function_and_registered_once(listen):
    listen()

    def handler(_envelope): ...

    subscribe(Noted)(handler)
    subscribe(Noted)(handler)
    name = f"{__name__}.{handler.__qualname__}"
    assert subscriptions[name].handler is handler
    with pytest.raises(ValueError, match="has a subscription already"):
        subscribe(Mentioned)(handler)
    with pytest.raises(ValueError, match="longer"):
        subscribe(Noted, name="x" * 201)(handler)


# Leases


def test_an_event_that_kills_the_process_ends_dead(listen, tell):
    """Each relay counts the attempt, sends, and dies before it can say anything, until nobody sends it any more."""
    listener = listen()
    tell(Noted(topic="killer", number=0), Noted(topic="innocent", number=1))

    class Killed(BaseException):
        pass

    killing = [True]

    def kill(envelope):
        if killing and envelope.key == "killer":
            raise Killed

    listener.fails = kill
    with override_settings(HOLDFAST_OUTBOX={"RETRY_SECONDS": [1, 1]}):
        for _life in range(8):
            relay = Relay(inline=True)
            relay._close = lambda: None  # A SIGKILL lets nobody clean up.
            try:
                relay.drain()
            except Killed:
                OutboxRelay.objects.all().delete()
                OutboxLease.objects.update(until="2020-01-01T00:00:00Z")
                OutboxDelivery.objects.filter(due_at__isnull=False).update(due_at="2020-01-01T00:00:00Z")
                continue
            break
        relay._leases.close()

    letter = OutboxDeadLetter.objects.get()
    assert letter.event.key == "killer"
    assert "died" in letter.error
    # Once unsuspected, then three times counted.
    assert [envelope.key for envelope in listener.tried].count("killer") == 4
    assert set(listener.numbers) == {1}


def test_a_relay_that_lost_its_lease_finishes_nothing(listen, tell):
    listener = listen()
    tell(Noted(topic="a", number=1))

    def taken_over(_envelope):
        OutboxLease.objects.update(owner="somebody else", epoch=1000)

    listener.fails = taken_over
    relay = Relay(inline=True)
    relay.drain()

    assert OutboxDelivery.objects.count() == 1
    assert set(OutboxLease.objects.values_list("owner", flat=True)) == {"somebody else"}


def test_leases_are_shared_fairly_and_handed_back(listen):
    listen()
    first, second = Relay(inline=True), Relay(inline=True)
    first._renew()
    assert len(first._leases.epochs) == 64
    second._renew()
    assert len(second._leases.epochs) == 0
    first._renew()
    second._renew()
    assert len(first._leases.epochs) == len(second._leases.epochs) == 32
    assert not first._leases.epochs.keys() & second._leases.epochs.keys()
    first._close()
    second._renew()
    assert len(second._leases.epochs) == 64
    second._close()
    assert set(OutboxLease.objects.values_list("owner", flat=True)) == {""}


def test_a_dead_relays_partitions_are_taken_when_its_leases_have_ended(listen):
    listen()
    dead, heir = Relay(inline=True), Relay(inline=True)
    dead._renew()
    heir._renew()
    assert heir._leases.epochs == {}
    OutboxLease.objects.update(until="2020-01-01T00:00:00Z")
    OutboxRelay.objects.filter(name=dead.name).update(seen_at="2020-01-01T00:00:00Z")
    heir._renew()
    assert len(heir._leases.epochs) == len(heir._leases.taken_from_the_dead) == 64
    assert set(heir._leases.epochs.values()) == {2}
    heir._close()


# PostgreSQL's plans


PLANNED = """
    INSERT INTO holdfast_outboxevent (uid, type, key, part, payload, headers, occurred_at, routed)
    SELECT gen_random_uuid(), 'outbox_tests.noted.v1', n::text, n % 64, '{}', '{}', now(), routed
    FROM generate_series(1, 100000) AS n, unnest(ARRAY[true, false]) AS routed"""


@pytest.mark.postgres
def test_with_a_hundred_thousand_pending_no_statement_of_the_relay_scans_a_table(listen):
    """Not the time but the plan: what reads by index reads a million as it reads a hundred."""
    listen()
    relay = Relay(inline=True)
    relay._renew()
    relay._sweep()
    subscriber = OutboxSubscriber.objects.get(name="listener")
    with connection.cursor() as cursor:
        cursor.execute(PLANNED)
        cursor.execute(
            """INSERT INTO holdfast_outboxdelivery (subscriber_id, part, event_id, key_hash, attempts)
               SELECT %s, part, id, id, 0 FROM holdfast_outboxevent WHERE routed""",
            [subscriber.pk],
        )
        cursor.execute("ANALYZE holdfast_outboxevent, holdfast_outboxdelivery")

    plans = []

    def explain(execute, sql, params, many, context):
        if (
            sql.lstrip().startswith(("SELECT", "WITH", "DELETE", "UPDATE"))
            and "holdfast_outboxe" in sql + "holdfast_outboxd"
        ):
            with connection.cursor() as cursor:
                plans.append((sql, "\n".join(line for (line,) in _explained(cursor, sql, params))))
        return execute(sql, params, many, context)

    def _explained(cursor, sql, params):
        cursor.cursor.execute("EXPLAIN " + sql, params)
        return cursor.cursor.fetchall()

    with connection.execute_wrapper(explain):
        relay._turn()
        relay._turn()
    relay._close()

    assert all("holdfast_event_pending" in plan for sql, plan in plans if "WHERE NOT routed" in sql)
    assert all("holdfast_outboxdelivery_pkey" in plan for sql, plan in plans if "mine.position AND due_at" in sql)
    assert len([sql for sql, _plan in plans if "LATERAL" in sql]) >= 4
    for sql, plan in plans:
        assert "Seq Scan on holdfast_outboxevent" not in plan, f"{sql}\n{plan}"
        assert "Seq Scan on holdfast_outboxdelivery" not in plan, f"{sql}\n{plan}"
        assert "Sort" not in plan or "due_at <=" in plan, f"{sql}\n{plan}"

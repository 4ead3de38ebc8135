"""Writing events: in the caller's transaction, with one statement, or not at all."""

from types import SimpleNamespace

import pytest
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from holdfast import tracing
from holdfast.outbox import after_commit_wakeup, emit, emit_many, insertion, insertion_many, wakeup
from holdfast.outbox.emission import KEY_LENGTH, partition
from holdfast.outbox.models import OutboxEvent
from holdfast.testing import captured_events
from tests.foundation.outbox.facts import Mentioned, Noted


@pytest.mark.django_db
def test_an_event_is_one_statement_and_one_row():
    with (
        CaptureQueriesContext(
            connection,
        ) as queries,
        tracing.bound(request_id="request-1"),
    ):
        uid = emit(Noted(topic="a", number=7))

    row = OutboxEvent.objects.get(uid=uid)
    assert len(queries) == 1
    assert (row.type, row.key, row.payload) == ("outbox_tests.noted.v1", "a", {"topic": "a", "number": 7})
    assert row.part == partition("a")
    assert row.headers == {"request_id": "request-1"}
    assert row.routed is False
    assert row.occurred_at.tzinfo is not None


@pytest.mark.django_db
def test_many_events_are_one_statement_and_keep_their_order():
    events = [Noted(topic=str(number % 7), number=number) for number in range(500)]

    with CaptureQueriesContext(connection) as queries:
        uids = emit_many(events)

    rows = list(OutboxEvent.objects.order_by("id").values_list("uid", "payload__number"))
    assert len(queries) == 1
    assert rows == [(uid, number) for number, uid in enumerate(uids)]


@pytest.mark.django_db
def test_no_events_are_no_statement():
    with CaptureQueriesContext(connection) as queries:
        assert emit_many([]) == []
    assert len(queries) == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("write", [lambda: emit(Noted(topic="a")), lambda: emit_many([Noted(topic="a")])])
def test_outside_a_transaction_it_is_refused(write):
    with pytest.raises(TransactionManagementError):
        write()
    assert not OutboxEvent.objects.exists()


def emit_and_fail(event):
    with transaction.atomic():
        emit(event)
        raise RuntimeError


@pytest.mark.django_db
def test_a_rollback_tells_nothing():
    with captured_events() as events:
        with pytest.raises(RuntimeError):
            emit_and_fail(Noted(topic="rolled back"))
        emit(Mentioned(topic="kept"))

    assert events == [Mentioned(topic="kept")]


@pytest.mark.django_db
def test_captured_events_are_visible_within_the_block():
    with captured_events() as events:
        assert events == []
        emit(Mentioned(topic="a"))
        assert events == [Mentioned(topic="a")]
        assert events[0].topic == "a"
    emit(Mentioned(topic="b"))
    assert len(events) == 1


@pytest.mark.django_db
def test_a_key_that_is_too_long_is_refused_before_the_database_sees_it():
    with pytest.raises(ValueError, match="at most 120"):
        emit(Noted(topic="x" * (KEY_LENGTH + 1)))


@pytest.mark.django_db
def test_what_json_cannot_hold_is_refused():
    with pytest.raises(ValueError, match="JSON"):
        emit(Noted(topic="a", number=float("nan")))
    with pytest.raises(TypeError):
        emit(Noted(topic="a", number=object()))


@pytest.mark.django_db
def test_any_text_survives():
    emit(Noted(topic="ключ '\"%s\\ \N{SNOWMAN}\t\n"))
    assert OutboxEvent.objects.get().key == "ключ '\"%s\\ \N{SNOWMAN}\t\n"


@pytest.mark.postgres
@pytest.mark.django_db
def test_an_insertion_composes_one_statement_with_what_only_the_database_knows():
    event = Noted(topic="a", number=0)
    sql, params = insertion(event, source="posted", computed={"number": "posted.number"})

    with connection.cursor() as cursor:
        cursor.execute(f"WITH posted AS (SELECT 41 + 1 AS number), told AS ({sql}) SELECT number FROM posted", params)
        assert cursor.fetchone() == (42,)

    row = OutboxEvent.objects.get()
    assert row.payload == {"topic": "a", "number": 42}
    assert (row.type, row.key, row.part, row.routed) == (event.type, "a", partition("a"), False)
    assert insertion(Noted(topic="b", number=9), source="posted", computed={"number": "posted.number"})[0] == sql


def notifies(queries):
    return [query["sql"] for query in queries if "pg_notify" in query["sql"]]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_relay_is_woken_after_the_commit_once_for_a_burst(monkeypatch):
    # Times that do not end within the test, however slow it runs.
    for name in ("DEBOUNCE_SECONDS", "PAUSE_SECONDS", "RING_AGAIN_SECONDS"):
        monkeypatch.setattr(wakeup, name, 3600.0)
    monkeypatch.setattr(wakeup, "_doorbells", {})

    with CaptureQueriesContext(connection) as queries:
        for number in range(5):
            with transaction.atomic():
                emit(Noted(topic="a", number=number))
                emit(Noted(topic="a", number=number))
                assert len(connection.run_on_commit) == 1

    statements = [query["sql"] for query in queries]
    assert len(notifies(queries)) == 1
    assert statements.index("COMMIT") < statements.index(notifies(queries)[0])


@pytest.fixture
def rung_after(monkeypatch):
    """Publish an event after each of these pauses, in seconds; return for which of them the bell was rung."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(wakeup.time, "monotonic", lambda: clock.now)
    bell = wakeup.Doorbell("default")

    def publish(*pauses):
        rung = []
        for number, pause in enumerate(pauses):
            clock.now += pause
            if bell.is_due():
                rung.append(number)
        return rung

    return publish


def test_who_publishes_without_a_pause_rings_now_and_then_only(rung_after):
    assert 3 <= len(rung_after(*[0.001] * 350)) <= 4


def test_who_publishes_now_and_then_rings_each_time(rung_after):
    assert rung_after(*[0.015] * 50) == list(range(50))


def test_a_short_pause_of_who_hardly_pauses_finds_the_relay_awake(rung_after):
    assert rung_after(*[0.006] * 36)[-1] >= 34
    assert rung_after(0.006, 0.020, 0.006, 0.006, 0.020) == []
    assert rung_after(wakeup.PAUSE_SECONDS + 0.001) == [0], "by now the relays may be asleep"
    assert wakeup.PAUSE_SECONDS + wakeup.LOOK_AGAIN_SECONDS <= wakeup.AWAKE_SECONDS


@pytest.mark.postgres
@pytest.mark.django_db
def test_many_events_are_inserted_after_one_row_of_the_callers_statement():
    events = [Noted(topic="a", number=number) for number in range(3)]
    sql, params = insertion_many(events, source="posted")
    with connection.cursor() as cursor:
        cursor.execute(f"WITH posted AS (SELECT 1), told AS ({sql}) SELECT FROM posted", params)
        cursor.execute(f"WITH posted AS (SELECT 1 WHERE false), told AS ({sql}) SELECT FROM posted", params)

    assert [row.payload for row in OutboxEvent.objects.order_by("id")] == [event.payload() for event in events]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_wakes_nobody(monkeypatch):
    monkeypatch.setattr(wakeup, "_doorbells", {})
    with CaptureQueriesContext(connection) as queries, pytest.raises(RuntimeError):
        emit_and_fail(Noted(topic="a"))
    assert notifies(queries) == []


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_statement_that_commits_by_itself_wakes_at_once(monkeypatch):
    monkeypatch.setattr(wakeup, "_doorbells", {})
    with CaptureQueriesContext(connection) as queries:
        after_commit_wakeup("default")
    assert len(notifies(queries)) == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_an_event_outside_a_savepoint_that_was_rolled_back_still_rings(monkeypatch):
    monkeypatch.setattr(wakeup, "_doorbells", {})
    with CaptureQueriesContext(connection) as queries, transaction.atomic():
        with pytest.raises(RuntimeError):
            emit_and_fail(Noted(topic="inside"))
        emit(Noted(topic="outside"))
    assert len(notifies(queries)) == 1


@pytest.mark.postgres
@pytest.mark.django_db
def test_an_event_is_found_by_its_id_without_a_btree():
    uid = emit(Noted(topic="a"))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN SELECT id FROM holdfast_outboxevent WHERE uid = %s", [uid])
        assert "holdfast_event_uid" in "\n".join(line for (line,) in cursor.fetchall())

"""The verbs: what they do, what they refuse, what they tell."""

import datetime as dt

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from holdfast.ids import uuid7
from holdfast.outbox.models import OutboxEvent
from holdfast.testing import captured_events, transition_table
from holdfast_defects import selectors, services
from holdfast_defects.events import DefectChanged, DefectDeleted, DefectMoved, DefectReported
from holdfast_defects.exceptions import (
    CommentInvalid,
    DefectNotFound,
    NotTheReporter,
    StepNotAllowed,
    TimestampOutOfRange,
    VersionOutdated,
)
from holdfast_defects.models import COMMENT_LENGTH, EARLIEST, Defect
from holdfast_defects.states import DefectState, Severity
from holdfast_defects.testing import make_defect

pytestmark = pytest.mark.django_db

VERBS = {
    "triage": services.triage_defect,
    "start_repair": services.start_repair,
    "resolve": services.resolve_defect,
    "close": services.close_defect,
    "reject": services.reject_defect,
    "reopen": services.reopen_defect,
}
LAW = {
    ("reported", "reject"): "rejected",
    ("reported", "triage"): "triaged",
    ("triaged", "reject"): "rejected",
    ("triaged", "start_repair"): "in_repair",
    ("in_repair", "resolve"): "resolved",
    ("resolved", "close"): "closed",
    ("resolved", "reopen"): "reported",
    ("closed", "reopen"): "reported",
    ("rejected", "reopen"): "reported",
}


def in_a_minute_and_more():
    return timezone.now() + dt.timedelta(seconds=61)


# Report


def test_a_report_is_kept_and_told(ada):
    seen = timezone.now() - dt.timedelta(days=2)

    with captured_events() as events:
        defect = services.report_defect(user_id=ada.pk, comment="It leaks.", timestamp=seen, severity=Severity.HIGH)

    kept = selectors.get_defect(defect_id=defect.pk)
    assert (kept.user, kept.comment, kept.timestamp, kept.severity) == (ada, "It leaks.", seen, Severity.HIGH)
    assert (kept.state, kept.version, kept.created_at) == (DefectState.REPORTED, 1, kept.updated_at)
    assert events == [DefectReported(defect_id=str(defect.pk), user_id=ada.pk)]


def test_who_names_no_time_has_seen_it_now(ada):
    before = timezone.now()
    assert before <= services.report_defect(user_id=ada.pk, comment="It leaks.").timestamp <= timezone.now()


def test_the_event_adds_one_statement_to_a_report(ada):
    services.report_defect(user_id=ada.pk, comment="warm")
    with CaptureQueriesContext(connection) as queries:
        services.report_defect(user_id=ada.pk, comment="It leaks.")

    table = OutboxEvent._meta.db_table
    words = [query["sql"].split()[0] for query in queries if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert words == ["INSERT", "INSERT"]
    assert sum(table in query["sql"] for query in queries) == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_with_the_bell_after_the_commit_it_adds_two(ada):
    with CaptureQueriesContext(connection) as queries:
        services.report_defect(user_id=ada.pk, comment="It leaks.")

    outbox = (OutboxEvent._meta.db_table, "pg_notify")
    told = [query["sql"] for query in queries if any(word in query["sql"] for word in outbox)]
    assert len(told) <= 2  # one, if the bell was rung a moment ago
    assert len(queries) - len(told) <= 3  # BEGIN, the defect, COMMIT


# Change


def test_a_change_is_kept_and_told_with_its_version(ada):
    defect = make_defect(user=ada)

    with captured_events() as events:
        changed = services.change_defect(defect_id=defect.pk, comment="It floods.", severity=Severity.CRITICAL)

    kept = selectors.get_defect(defect_id=defect.pk)
    assert (kept.comment, kept.severity, kept.timestamp) == ("It floods.", Severity.CRITICAL, defect.timestamp)
    assert (kept.version, changed.version) == (2, 2)
    assert kept.updated_at > defect.updated_at
    assert events == [DefectChanged(defect_id=str(defect.pk), user_id=ada.pk, version=2)]


def test_what_is_so_already_is_no_change():
    defect = make_defect()
    with captured_events() as events:
        same = services.change_defect(defect_id=defect.pk, comment=defect.comment, severity=defect.severity)
        services.change_defect(defect_id=defect.pk)
    assert (same.version, events) == (1, [])


def test_the_clock_of_another_machine_may_be_behind(ada, monkeypatch):
    defect = make_defect(user=ada, timestamp=timezone.now() + dt.timedelta(seconds=50))
    earlier = timezone.now() - dt.timedelta(seconds=30)
    monkeypatch.setattr(timezone, "now", lambda: earlier)

    assert services.triage_defect(defect_id=defect.pk).updated_at == defect.updated_at


# Delete


def test_a_reporter_deletes_and_it_is_told(ada):
    defect = make_defect(user=ada)
    with captured_events() as events:
        services.delete_defect(defect_id=defect.pk, user_id=ada.pk)
    assert not Defect.objects.exists()
    assert events == [DefectDeleted(defect_id=str(defect.pk), user_id=ada.pk)]


def test_nobody_else_deletes(ada, bob):
    defect = make_defect(user=ada)
    with captured_events() as events, pytest.raises(NotTheReporter) as refusal:
        services.delete_defect(defect_id=defect.pk, user_id=bob.pk)
    assert refusal.value.context == {"defect_id": str(defect.pk)}
    assert (Defect.objects.count(), events) == (1, [])


# Steps


def test_the_law_of_the_states():
    assert transition_table(Defect) == LAW


@pytest.mark.parametrize("state", DefectState)
@pytest.mark.parametrize("step", VERBS)
def test_a_step_is_taken_where_the_law_says_so_and_refused_everywhere_else(ada, state, step):
    defect = make_defect(user=ada, state=state)

    with captured_events() as events:
        if target := LAW.get((state, step)):
            assert VERBS[step](defect_id=defect.pk).state == target
        else:
            with pytest.raises(StepNotAllowed) as refusal:
                VERBS[step](defect_id=defect.pk)
            assert refusal.value.context == {"defect_id": str(defect.pk), "state": state, "step": step}

    version = defect.version + 1
    moved = DefectMoved(
        defect_id=str(defect.pk), user_id=ada.pk, version=version, source=str(state), target=str(target)
    )
    assert events == ([moved] if target else [])
    assert selectors.get_defect(defect_id=defect.pk).state == (target or state)


# What every verb refuses

EVERY = {
    "change": lambda **scope: services.change_defect(comment="It floods.", **scope),
    "delete": services.delete_defect,
    "triage": services.triage_defect,
}


def call(verb, ada, **scope):
    return EVERY[verb](**scope, **({"user_id": ada.pk} if verb == "delete" else {}))


@pytest.mark.parametrize("verb", EVERY)
def test_a_defect_that_is_not_there_is_not_found(ada, verb):
    with pytest.raises(DefectNotFound):
        call(verb, ada, defect_id=uuid7())


@pytest.mark.parametrize("verb", EVERY)
def test_a_version_that_somebody_has_changed_since_is_refused(ada, verb):
    defect = make_defect(user=ada)
    services.change_defect(defect_id=defect.pk, severity=Severity.LOW, expected_version=1)

    with captured_events() as events, pytest.raises(VersionOutdated) as refusal:
        call(verb, ada, defect_id=defect.pk, expected_version=1)
    assert refusal.value.context == {"defect_id": str(defect.pk), "version": 2}
    assert (selectors.get_defect(defect_id=defect.pk).version, events) == (2, [])

    call(verb, ada, defect_id=defect.pk, expected_version=2)


@pytest.mark.parametrize(
    "verb",
    [
        lambda defect: services.report_defect(user_id=defect.user_id, comment="It leaks."),
        lambda defect: services.change_defect(defect_id=defect.pk, comment="It floods."),
        lambda defect: services.delete_defect(defect_id=defect.pk, user_id=defect.user_id),
        lambda defect: services.triage_defect(defect_id=defect.pk),
    ],
    ids=["report", "change", "delete", "move"],
)
def test_what_cannot_be_told_does_not_happen(monkeypatch, verb):
    def broken(_event):
        raise ConnectionError

    defect = make_defect()
    before = list(Defect.objects.values())
    monkeypatch.setattr(services, "emit", broken)

    with pytest.raises(ConnectionError):
        verb(defect)
    assert list(Defect.objects.values()) == before


# The rules, said twice

BAD = {
    "no comment": ({"comment": ""}, CommentInvalid),
    "a blank comment": ({"comment": " \n\t "}, CommentInvalid),
    "a comment that is too long": ({"comment": "x" * (COMMENT_LENGTH + 1)}, CommentInvalid),
    "the future": ({"timestamp": in_a_minute_and_more}, TimestampOutOfRange),
    "the past of others": ({"timestamp": EARLIEST - dt.timedelta(microseconds=1)}, TimestampOutOfRange),
}


def values_of(case):
    return {name: value() if callable(value) else value for name, value in BAD[case][0].items()}


@pytest.mark.parametrize("case", BAD)
def test_what_no_defect_is_is_refused_and_nothing_changes(ada, case):
    defect = make_defect(user=ada)
    before = list(Defect.objects.values())

    with captured_events() as events:
        with pytest.raises(BAD[case][1]):
            services.report_defect(user_id=ada.pk, **{"comment": "x"} | values_of(case))
        with pytest.raises(BAD[case][1]):
            services.change_defect(defect_id=defect.pk, **values_of(case))

    assert list(Defect.objects.values()) == before
    assert events == []


@pytest.mark.parametrize(
    "values",
    [
        {"comment": ""},
        {"comment": "   "},
        {"comment": "x" * (COMMENT_LENGTH + 1)},
        {"timestamp": EARLIEST - dt.timedelta(days=1)},
        {"severity": "awful"},
        {"state": "lost"},
    ],
    ids=str,
)
def test_the_database_refuses_it_too(values):
    defect = make_defect()
    with pytest.raises(IntegrityError), transaction.atomic():
        Defect.objects.filter(pk=defect.pk).update(**values)


def test_the_database_refuses_the_future_too():
    defect = make_defect()
    with pytest.raises(IntegrityError), transaction.atomic():
        Defect.objects.filter(pk=defect.pk).update(timestamp=in_a_minute_and_more())
    Defect.objects.filter(pk=defect.pk).update(timestamp=defect.updated_at + dt.timedelta(seconds=60))


@pytest.mark.parametrize("length", [1, COMMENT_LENGTH])
def test_the_shortest_and_the_longest_comment_are_kept(length):
    assert len(selectors.get_defect(defect_id=make_defect(comment="é" * length).pk).comment) == length


def test_whoever_has_reported_defects_cannot_be_deleted_behind_the_back_of_the_counter(ada):
    make_defect(user=ada)
    with pytest.raises(ProtectedError):
        ada.delete()


# Reads


def test_defects_are_found_by_each_filter(ada, bob):
    day = dt.timedelta(days=1)
    now = timezone.now()
    old = make_defect(user=ada, comment="The lift stops.", timestamp=now - 3 * day, state=DefectState.TRIAGED)
    new = make_defect(user=bob, comment="The LIFT squeaks.", timestamp=now - day, severity=Severity.LOW)

    def found(**filters):
        return list(selectors.defects(**filters))

    assert found() == [new, old]
    assert found(user_id=ada.pk) == [old]
    assert found(state=DefectState.TRIAGED) == [old]
    assert found(severity=Severity.LOW) == [new]
    assert found(since=now - day) == [new]
    assert found(until=now - day) == [old]
    assert found(since=now - 3 * day, until=now) == [new, old]
    assert found(search="lift") == [new, old]
    assert found(search="squeak", user_id=ada.pk) == []
    assert found(search="%") == []

"""From each door to the counter server: every creation and every deletion, in order, whatever fails."""

import datetime as dt
import json

import pytest
from django.utils import timezone

from holdfast.outbox.models import OutboxAttempt, OutboxDeadLetter, OutboxDelivery
from holdfast.testing import drain_outbox
from holdfast_defects import services
from holdfast_defects.testing import make_defect, make_user
from tests.defects.conftest import client_of
from tests.foundation.outbox.receiver import receiving

pytestmark = pytest.mark.django_db


@pytest.fixture
def counter(settings):
    """A counter server that listens, and is the one of the settings."""
    with receiving() as receiver:
        settings.HOLDFAST_DEFECTS = {
            "COUNTER": {
                "BACKEND": "holdfast_defects.backends.http.HttpCounter",
                "OPTIONS": {"url": receiver.url, "read_seconds": 0.2},
            }
        }
        yield receiver
        del settings.HOLDFAST_DEFECTS  # closes the connection


def told(counter):
    return [tuple(json.loads(request.body).values()) for request in counter.received]


def ids(counter):
    return [request.headers["webhook-id"] for request in counter.received]


def make_due():
    OutboxDelivery.objects.filter(due_at__isnull=False).update(due_at=timezone.now() - dt.timedelta(seconds=1))


def test_a_creation_and_a_deletion_are_told_in_order_and_nothing_else_is(ada, client, counter):
    one = f"/api/defects/{client.post('/api/defects', {'comment': 'It leaks.'}, format='json').json()['id']}"
    client.patch(one, {"comment": "It floods."}, format="json")
    client.post(f"{one}/triage")
    client.delete(one)
    assert counter.received == []  # no request waits for it

    drain_outbox()

    assert told(counter) == [(ada.pk, "create"), (ada.pk, "delete")]
    assert len(set(ids(counter))) == 2


def test_a_refused_request_is_not_told(ada, bob, counter):
    defect = make_defect(user=ada)
    client_of(bob).delete(f"/api/defects/{defect.pk}")
    client_of(bob).post("/api/defects", {"comment": ""}, format="json")

    drain_outbox()

    assert told(counter) == [(ada.pk, "create")]


def test_the_user_is_the_reporter_whoever_changes_it(ada, bob, counter):
    defect = make_defect(user=ada)
    client_of(bob).patch(f"/api/defects/{defect.pk}", {"comment": "It floods."}, format="json")
    services.delete_defect(defect_id=defect.pk, user_id=ada.pk)
    drain_outbox()
    assert told(counter) == [(ada.pk, "create"), (ada.pk, "delete")]


def test_while_the_counter_is_down_requests_succeed_and_it_is_told_afterwards_with_the_same_ids(ada, client, counter):
    counter.status = 500
    assert client.post("/api/defects", {"comment": "It leaks."}, format="json").status_code == 201
    drain_outbox(raise_errors=False)
    assert OutboxAttempt.objects.get().status == 500

    counter.status = 200
    make_due()
    drain_outbox()

    assert told(counter) == [(ada.pk, "create")] * 2
    assert len(set(ids(counter))) == 1
    assert not OutboxDelivery.objects.exists()


def test_a_deletion_waits_for_its_creation_and_for_no_other_defect(ada, bob, counter):
    def of_ada(handler):
        request = counter.received[-1]
        status = 500 if json.loads(request.body)["user"] == ada.pk else 200
        handler.send_response(status)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    counter.answer = of_ada
    stuck, free = make_defect(user=ada), make_defect(user=bob)
    services.delete_defect(defect_id=stuck.pk, user_id=ada.pk)
    services.delete_defect(defect_id=free.pk, user_id=bob.pk)

    drain_outbox(raise_errors=False)
    assert [one for one in told(counter) if one[0] == bob.pk] == [(bob.pk, "create"), (bob.pk, "delete")]
    assert [one for one in told(counter) if one[0] == ada.pk] == [(ada.pk, "create")]

    counter.answer = None
    make_due()
    drain_outbox()
    assert told(counter)[3:] == [(ada.pk, "create"), (ada.pk, "delete")]


def test_when_the_counter_asks_for_a_pause_nothing_is_sent_and_retry_after_is_kept(counter):
    counter.status, counter.headers = 429, {"Retry-After": "600"}
    for _defect in range(3):
        make_defect()

    drain_outbox(raise_errors=False)

    assert len(counter.received) == 1
    due_at = OutboxDelivery.objects.get(due_at__isnull=False).due_at
    assert due_at > timezone.now() + dt.timedelta(seconds=590)


def test_an_event_that_is_not_wanted_is_a_dead_letter_at_once_and_the_others_go_on(ada, bob, counter):
    counter.status = 422
    make_defect(user=ada)
    drain_outbox(raise_errors=False)
    assert OutboxDeadLetter.objects.get().attempts == 1

    counter.status = 200
    make_defect(user=bob)
    drain_outbox()
    assert told(counter)[1:] == [(bob.pk, "create")]


def test_without_a_counter_everything_works_and_nobody_is_told(client):
    assert client.post("/api/defects", {"comment": "It leaks."}, format="json").status_code == 201
    assert drain_outbox() == 1


def test_the_console_shows_what_the_counter_would_get(settings, capsys):
    settings.HOLDFAST_DEFECTS = {"COUNTER": {"BACKEND": "holdfast_defects.backends.console.ConsoleCounter"}}
    user = make_user()
    make_defect(user=user)
    drain_outbox()
    event_id, _, body = capsys.readouterr().out.partition(" ")
    assert len(event_id) == 36
    assert json.loads(body) == {"user": user.pk, "action": "create"}

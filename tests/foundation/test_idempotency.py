"""A request that is sent twice has one effect and one answer: in turn, at once, and after a crash."""

import datetime as dt
import os
import signal
import subprocess
import sys
import threading
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from holdfast.idempotency import purge_keys
from holdfast.idempotency.models import IdempotencyKey
from holdfast.testing import race
from tests.foundation.host import views
from tests.foundation.host.models import Note
from tests.foundation.routers import ReplicaIsDown

pytestmark = pytest.mark.django_db


@pytest.fixture
def user(db):
    return get_user_model().objects.create_user("anna")


@pytest.fixture
def client(user):
    return client_of(user)


def client_of(user):
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(user)
    return client


def write(client, text="a", key="key-1", path="/api/notes", **body):
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post(path, {"text": text, **body}, format="json", headers=headers)


def notes():
    return list(Note.objects.order_by("id").values_list("text", flat=True))


def test_a_repeated_request_has_one_effect_and_the_same_answer(client):
    first, second = write(client), write(client)

    assert notes() == ["a"]
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert second.headers["Location"] == first.headers["Location"]
    assert second.headers["Content-Type"] == "application/json"
    assert second.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers


def test_without_a_key_each_request_is_its_own(client):
    write(client, key=None)
    write(client, key=None)

    assert notes() == ["a", "a"]
    assert not IdempotencyKey.objects.exists()


def test_names_in_another_order_are_the_same_request(client):
    client.post("/api/notes", {"text": "a", "refuse": False}, format="json", headers={"Idempotency-Key": "k"})
    again = client.generic(
        "POST", "/api/notes", b'{ "refuse":false, "text":"a" }', "application/json", headers={"Idempotency-Key": "k"}
    )

    assert again.headers["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize("change", [{"text": "b"}, {"refuse": True}, {"path": "/api/notes?x=1"}])
def test_the_key_of_another_request_is_refused(client, change):
    write(client)
    response = write(client, **change)

    assert (response.status_code, response.json()["code"]) == (422, "holdfast.idempotency_key_reused")
    assert notes() == ["a"]


def test_a_key_belongs_to_one_user_and_one_route(client, db):
    bob = client_of(get_user_model().objects.create_user("bob"))
    write(client)

    assert "Idempotency-Replayed" not in write(bob).headers
    assert "Idempotency-Replayed" not in write(client, path="/api/notes/slow").headers
    assert notes() == ["a", "a", "a"]


def test_a_refusal_is_kept_although_its_effect_is_rolled_back(client):
    first, second = write(client, refuse=True), write(client, refuse=True)

    assert notes() == []
    assert (first.status_code, second.status_code) == (409, 409)
    assert first.content == second.content
    assert second.headers["Content-Type"] == "application/problem+json"
    assert second.headers["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize("status", [500, 503, 412, 428, 429])
def test_an_answer_that_may_change_is_not_kept_and_has_no_effect(client, status, monkeypatch):
    post = views.NotesView.post

    def once_broken(self, request):
        response = post(self, request)
        response.status_code = status
        return response

    with monkeypatch.context() as broken:
        broken.setattr(views.NotesView, "post", once_broken)
        assert write(client).status_code == status
    assert notes() == []

    assert write(client).status_code == 201
    assert notes() == ["a"]


def test_a_crash_is_not_kept_and_has_no_effect(client, monkeypatch):
    post = views.NotesView.post

    def crash(self, request):
        post(self, request)
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(views.NotesView, "post", crash)
        assert write(client).status_code == 500
    assert (notes(), IdempotencyKey.objects.count()) == ([], 0)
    assert write(client).status_code == 201


def test_what_never_reached_the_verb_is_not_kept(client):
    malformed = client.generic("POST", "/api/notes", b"{", "application/json", headers={"Idempotency-Key": "k"})
    stranger = APIClient().post("/api/notes", {"text": "a"}, format="json", headers={"Idempotency-Key": "k"})

    assert (malformed.status_code, stranger.status_code) == (400, 403)
    assert not IdempotencyKey.objects.exists()


def test_other_methods_take_no_notice_of_a_key(client):
    assert client.get("/api/notes", headers={"Idempotency-Key": "k"}).status_code == 200
    assert client.patch("/api/notes", {}, format="json", headers={"Idempotency-Key": "k"}).status_code == 405
    assert not IdempotencyKey.objects.exists()


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        ('"8e03978e"', "8e03978e"),
        (r'"a\"b\\c"', r'a"b\c'),
        (" spaced ", "spaced"),
        ("!", "!"),
        ("x" * 255, "x" * 255),
        ('"' + "x" * 255 + '"', "x" * 255),
    ],
)
def test_a_key_may_be_quoted_or_bare(client, header, key):
    assert write(client, key=header).status_code == 201
    assert IdempotencyKey.objects.get().key == key


@pytest.mark.parametrize(
    "header", ["", " ", '""', '"', '"a', '"a"b', '"a";b=1', '"a b"', "a b", "x" * 256, "ü", "a\tb", r'"\a"']
)
def test_a_key_that_is_none_is_refused(client, header):
    response = write(client, key=header)

    assert (response.status_code, response.json()["code"]) == (400, "holdfast.idempotency_key_invalid")
    assert notes() == []


def test_a_view_may_insist_on_a_key(client):
    response = write(client, key=None, path="/api/notes/twice")

    assert (response.status_code, response.json()["code"]) == (400, "holdfast.idempotency_key_required")


def test_a_key_costs_two_statements(client):
    def statements(key):
        with CaptureQueriesContext(connection) as queries:
            assert write(client, text=f"of {key}", key=key).status_code == 201
        return [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]

    assert len(statements("key-1")) - len(statements(None)) == 2


def test_a_host_with_atomic_requests_keeps_refusals_too(client, settings, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    assert write(client, refuse=True).status_code == 409

    assert write(client, refuse=True).headers["Idempotency-Replayed"] == "true"
    assert (write(client, key="key-2").status_code, notes()) == (201, ["a"])


@pytest.mark.django_db(transaction=True)
def test_a_verb_may_commit_durably_under_atomic_requests(client, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)

    assert write(client, path="/api/notes/twice").status_code == 201


# Twins


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_sixteen_twins_one_has_the_effect_and_nobody_waits_for_it(user):
    responses = race(lambda: write(client_of(user), path="/api/notes/slow"), times=16)

    assert notes() == ["a"]
    statuses = sorted(response.status_code for response in responses)
    assert statuses.count(201) >= 1
    assert set(statuses) == {201, 409}
    for response in responses:
        if response.status_code == 409:
            assert response.json()["code"] == "holdfast.request_still_running"
            assert response.headers["Retry-After"] == "1"
    assert len({response.content for response in responses if response.status_code == 201}) == 1
    assert write(client_of(user), path="/api/notes/slow").headers["Idempotency-Replayed"] == "true"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_sixteen_refused_twins_all_get_the_one_refusal_that_is_kept(user):
    responses = race(lambda: write(client_of(user), refuse=True), times=16)
    kept = write(client_of(user), refuse=True)

    assert notes() == []
    refusals = [response for response in responses if response.json()["code"] == "host.door_jammed"]
    assert len(refusals) >= 1
    assert {response.json()["code"] for response in responses} <= {"host.door_jammed", "holdfast.request_still_running"}
    assert kept.headers["Idempotency-Replayed"] == "true"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_other_keys_do_not_wait_for_one_another(user):
    responses = race(*(lambda key=key: write(client_of(user), key=key, path="/api/notes/slow") for key in "abcdefgh"))

    assert [response.status_code for response in responses] == [201] * 8


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_if_a_twin_succeeds_while_a_refusal_is_rolled_back_its_answer_is_the_keys(user, monkeypatch):
    twin = []
    monkeypatch.setattr(views.FickleNotesView, "moods", ["bad"])
    monkeypatch.setattr(
        views.FickleNotesView,
        "meanwhile",
        staticmethod(lambda: twin.extend(race(lambda: write(client_of(user), path="/api/notes/fickle"), times=1))),
    )
    response = write(client_of(user), path="/api/notes/fickle")

    assert twin[0].status_code == 201
    assert (response.status_code, response.content) == (201, twin[0].content)
    assert response.headers["Idempotency-Replayed"] == "true"
    assert notes() == ["a"]


# Crashes


KILLED = """
import os, signal, django
django.setup()
from django.contrib.auth import get_user_model
from django.core.management import call_command
from rest_framework.test import APIClient
from tests.foundation.host import views
post = views.{view}.post
def die(self, request):
    {before}
    os.kill(os.getpid(), signal.SIGKILL)
views.{view}.post = die
client = APIClient()
client.force_authenticate(get_user_model().objects.get(username="anna"))
client.post("{path}", {{"text": "a"}}, format="json", headers={{"Idempotency-Key": "key-1"}})
"""


def kill_during(view, path, before):
    """Run a request in a process of its own that is killed within it."""
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.foundation.settings",
        "DATABASE_URL": _url_of_the_test_database(),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    code = KILLED.format(view=view, path=path, before=before)
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


def _url_of_the_test_database():
    database = connection.settings_dict
    host = f"{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}"
    return f"postgres://{host}/{database['NAME']}"


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_process_that_is_killed_between_effect_and_answer_leaves_neither(user):
    kill_during("NotesView", "/api/notes", before="post(self, request)")

    assert (notes(), IdempotencyKey.objects.count()) == ([], 0)
    response = write(client_of(user))
    assert (response.status_code, notes()) == (201, ["a"])
    assert "Idempotency-Replayed" not in response.headers


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_lease_of_a_killed_process_is_waited_for_and_then_taken_over(user):
    kill_during("TwiceCommittingView", "/api/notes/twice", before="pass")
    client = client_of(user)

    assert write(client, path="/api/notes/twice").json()["code"] == "holdfast.request_still_running"
    _expire_leases()
    assert write(client, path="/api/notes/twice").status_code == 201
    assert write(client, path="/api/notes/twice").headers["Idempotency-Replayed"] == "true"
    assert notes() == ["key-1: a"]


# Leases


@pytest.mark.django_db(transaction=True)
def test_a_verb_that_commits_twice_is_replayed_too(client):
    first, second = (write(client, path="/api/notes/twice") for _ in range(2))

    assert (first.content, second.headers["Idempotency-Replayed"]) == (second.content, "true")
    assert write(client, "b", path="/api/notes/twice").json()["code"] == "holdfast.idempotency_key_reused"
    assert notes() == ["key-1: a"]


@pytest.mark.django_db(transaction=True)
def test_a_refusal_under_a_lease_is_kept_and_a_crash_frees_the_key(client, monkeypatch):
    write(client, path="/api/notes/twice", refuse=True)
    assert write(client, path="/api/notes/twice", refuse=True).headers["Idempotency-Replayed"] == "true"

    with monkeypatch.context() as broken:
        broken.setattr(views.TwiceCommittingView, "between", staticmethod(lambda: 1 / 0))
        assert write(client, key="key-2", path="/api/notes/twice").status_code == 500
    assert write(client, key="key-2", path="/api/notes/twice").status_code == 201


@pytest.mark.django_db(transaction=True)
def test_a_crash_that_a_developer_sees_frees_the_key_too(client, monkeypatch, settings):
    settings.DEBUG_PROPAGATE_EXCEPTIONS = True
    with monkeypatch.context() as broken:
        broken.setattr(views.TwiceCommittingView, "between", staticmethod(lambda: 1 / 0))
        with pytest.raises(ZeroDivisionError):
            write(client, path="/api/notes/twice")

    assert write(client, path="/api/notes/twice").status_code == 201


@pytest.mark.django_db(transaction=True)
def test_while_a_lease_runs_its_twin_is_told_to_wait(client, user, monkeypatch):
    inside, leave = threading.Event(), threading.Event()

    def wait():
        inside.set()
        leave.wait(timeout=30)

    def twin():
        inside.wait(timeout=30)
        monkeypatch.setattr(views.TwiceCommittingView, "between", staticmethod(lambda: None))
        try:
            return write(client_of(user), path="/api/notes/twice")
        finally:
            leave.set()

    monkeypatch.setattr(views.TwiceCommittingView, "between", staticmethod(wait))
    first, second = race(lambda: write(client_of(user), path="/api/notes/twice"), twin)

    assert first.status_code == 201
    assert (second.status_code, second.json()["code"]) == (409, "holdfast.request_still_running")


@pytest.mark.django_db(transaction=True)
def test_who_lost_his_lease_stores_no_answer(client, monkeypatch):
    answers = []

    def be_overtaken():
        monkeypatch.setattr(views.TwiceCommittingView, "between", staticmethod(lambda: None))
        _expire_leases()
        answers.append(write(client, path="/api/notes/twice"))
        IdempotencyKey.objects.update(body=b"of the one who took over")

    monkeypatch.setattr(views.TwiceCommittingView, "between", staticmethod(be_overtaken))
    assert write(client, path="/api/notes/twice").status_code == 201

    assert answers[0].status_code == 201
    assert write(client, path="/api/notes/twice").content == b"of the one who took over"
    assert notes() == ["key-1: a"]


def _expire_leases():
    IdempotencyKey.objects.filter(status=None).update(claimed_until=timezone.now() - dt.timedelta(seconds=1))


# Forgetting


def test_old_keys_are_forgotten_and_young_ones_kept(client, settings):
    settings.HOLDFAST = {"IDEMPOTENCY_RETENTION_HOURS": 24}
    for hours, key in [(23, "young"), (25, "old"), (99, "older")]:
        write(client, key=key)
        IdempotencyKey.objects.filter(key=key).update(created_at=timezone.now() - dt.timedelta(hours=hours))

    assert purge_keys(limit=1) == 1
    assert set(IdempotencyKey.objects.values_list("key", flat=True)) == {"young", "old"}
    out = StringIO()
    call_command("idempotency_purge", stdout=out)
    assert out.getvalue() == "Deleted 1 idempotency keys.\n"
    assert IdempotencyKey.objects.get().key == "young"
    assert purge_keys() == 0


def test_celery_forgets_too(client):
    pytest.importorskip("celery", reason="an extra of the package")
    from holdfast.tasks import purge_idempotency_keys

    write(client)
    IdempotencyKey.objects.update(created_at=timezone.now() - dt.timedelta(days=9))
    assert purge_idempotency_keys() == 1


def test_a_running_lease_is_not_forgotten(client):
    write(client)
    IdempotencyKey.objects.update(
        status=None,
        created_at=timezone.now() - dt.timedelta(days=9),
        claimed_until=timezone.now() + dt.timedelta(hours=1),
    )

    assert purge_keys() == 0


def test_a_verb_that_keeps_the_key_itself_is_given_it_and_nothing_is_stored_for_it(client):
    assert write(client, key='"quoted"', path="/api/notes/keys").json() == {"key": "quoted"}
    assert write(client, key='"quoted"', path="/api/notes/keys").json() == {"key": "quoted"}
    assert not IdempotencyKey.objects.exists()
    assert client.get("/api/notes/keys").json() == {"key": None}


def test_a_verb_that_keeps_the_key_itself_may_demand_it(client):
    refused = client.post("/api/notes/keys", {}, format="json")

    assert (refused.status_code, refused.json()["code"]) == (400, "holdfast.idempotency_key_required")
    assert write(client, key="a b", path="/api/notes/keys").json()["code"] == "holdfast.idempotency_key_invalid"


def test_a_key_is_looked_up_where_it_is_written_and_not_on_a_replica_that_lags_behind(client):
    with override_settings(DATABASE_ROUTERS=[ReplicaIsDown("holdfast")]):
        first, again, other = write(client), write(client), write(client, text="b")
        leased = [write(client, path="/api/notes/twice", key="key-2") for _time in range(2)]
        assert purge_keys() == 0

    assert [first.status_code, again.status_code, other.status_code] == [201, 201, 422]
    assert again.content == first.content
    assert leased[0].content == leased[1].content

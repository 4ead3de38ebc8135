"""The API as its clients know it: at both addresses, with and without a slash at the end."""

import datetime as dt
import uuid

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from holdfast.testing import captured_events
from holdfast_defects.models import Defect
from holdfast_defects.states import DefectState, Severity
from holdfast_defects.testing import make_defect
from tests.defects.conftest import client_of

pytestmark = pytest.mark.django_db

ADDRESSES = ["/api/defects", "/api/defects/", "/api/v1/defects", "/api/v1/defects/"]
URL = ADDRESSES[0]


def comments(response):
    assert response.status_code == 200, response.content
    return [defect["comment"] for defect in response.json()["results"]]


# Reporting


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_defect_is_reported_listed_changed_and_deleted(ada, client, address):
    reported = client.post(address, {"comment": "It leaks."}, format="json")
    assert reported.status_code == 201
    one = f"{address.rstrip('/')}/{reported.json()['id']}{'/' if address.endswith('/') else ''}"

    assert comments(client.get(address)) == ["It leaks."]
    assert client.get(one).json() == reported.json()
    assert client.put(one, {"comment": "It floods.", "severity": "high"}, format="json").json()["severity"] == "high"
    assert client.patch(one, {"comment": "It burns."}, format="json").json()["comment"] == "It burns."
    assert client.delete(one).status_code == 204
    assert comments(client.get(address)) == []


def test_a_defect_says_all_that_is_known_of_it(ada, client):
    answer = client.post(URL, {"comment": " It leaks. ", "timestamp": "2026-01-02T03:04:05Z"}, format="json").json()
    defect = Defect.objects.get()

    times = {name: parse_datetime(answer.pop(name)) for name in ("timestamp", "created_at", "updated_at")}
    assert answer == {
        "id": str(defect.pk),
        "user": ada.pk,
        "comment": "It leaks.",
        "severity": "medium",
        "state": "reported",
        "version": 1,
    }
    assert times["timestamp"] == dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    assert times["created_at"] == times["updated_at"] == defect.created_at


def test_a_report_that_is_sent_twice_is_one_defect(client):
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first, second = (client.post(URL, {"comment": "It leaks."}, format="json", headers=key) for _time in range(2))

    assert (first.json(), first.headers["ETag"]) == (second.json(), second.headers["ETag"])
    assert second.headers["Idempotency-Replayed"] == "true"
    assert Defect.objects.count() == 1


# Who may do what


def test_everybody_who_is_known_sees_and_changes_every_defect_and_its_user_stays(ada, bob):
    defect = make_defect(user=ada)
    others = client_of(bob)

    assert comments(others.get(URL)) == ["It is broken."]
    changed = others.patch(f"{URL}/{defect.pk}", {"comment": "It floods."}, format="json")
    assert (changed.status_code, changed.json()["user"]) == (200, ada.pk)
    assert others.post(f"{URL}/{defect.pk}/triage").json()["state"] == "triaged"


def test_a_stranger_sees_and_does_nothing(db):
    defect = make_defect()
    stranger = client_of(None)

    for answer in (
        stranger.get(URL),
        stranger.post(URL, {"comment": "x"}, format="json"),
        stranger.get(f"{URL}/events"),
        stranger.delete(f"{URL}/{defect.pk}"),
        stranger.post(f"{URL}/{defect.pk}/triage"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "holdfast.not_authenticated")


# Preconditions


def test_of_two_editors_the_second_is_told(client):
    one = f"{URL}/{make_defect().pk}"
    tag = client.get(one).headers["ETag"]
    assert tag == '"1"'

    first = client.patch(one, {"comment": "It floods."}, format="json", headers={"If-Match": tag})
    second = client.patch(one, {"comment": "It burns."}, format="json", headers={"If-Match": tag})

    assert (first.status_code, first.headers["ETag"]) == (200, '"2"')
    assert (second.status_code, second.json()["code"]) == (412, "holdfast_defects.version_outdated")
    assert second.json()["context"]["version"] == 2
    assert Defect.objects.get().comment == "It floods."


@pytest.mark.parametrize("header", [None, "*", '"1"'])
def test_who_names_no_version_or_the_right_one_is_not_asked(ada, client, header):
    one = f"{URL}/{make_defect(user=ada).pk}"
    assert client.delete(one, headers={"If-Match": header} if header else {}).status_code == 204


# Steps


def test_each_step_has_an_address(client):
    one = f"{URL}/{make_defect().pk}"
    steps = ["triage", "start-repair", "resolve", "close", "reopen", "reject", "reopen"]
    states = [client.post(f"{one}/{step}").json()["state"] for step in steps]
    assert states == ["triaged", "in_repair", "resolved", "closed", "reported", "rejected", "reported"]


# Lists


@pytest.fixture
def three(ada, bob):
    now, day = timezone.now(), dt.timedelta(days=1)
    make_defect(user=ada, comment="first", timestamp=now - day, severity=Severity.LOW)
    make_defect(user=bob, comment="second", timestamp=now - 3 * day, state=DefectState.TRIAGED)
    make_defect(user=ada, comment="third", timestamp=now - 2 * day, severity=Severity.HIGH)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["third", "second", "first"]),
        ({"ordering": "-created_at"}, ["third", "second", "first"]),
        ({"ordering": "created_at"}, ["first", "second", "third"]),
        ({"ordering": "-timestamp"}, ["first", "third", "second"]),
        ({"ordering": "timestamp"}, ["second", "third", "first"]),
        ({"state": "triaged"}, ["second"]),
        ({"severity": "low"}, ["first"]),
        ({"search": "IR"}, ["third", "first"]),
        ({"severity": "low", "state": "triaged"}, []),
    ],
)
def test_defects_are_filtered_and_ordered(client, three, query, expected):
    assert comments(client.get(URL, query)) == expected


def test_defects_are_filtered_by_user_and_time(ada, client, three):
    at = (timezone.now() - dt.timedelta(days=2, hours=12)).isoformat()
    assert comments(client.get(URL, {"user": ada.pk})) == ["third", "first"]
    assert comments(client.get(URL, {"since": at})) == ["third", "first"]
    assert comments(client.get(URL, {"until": at})) == ["second"]
    assert comments(client.get(URL, {"user": 2**31 - 1})) == []


@pytest.mark.parametrize("ordering", ["created_at", "-created_at", "timestamp", "-timestamp"])
def test_pages_hold_each_defect_once_and_lead_back(ada, client, ordering):
    at = timezone.now() - dt.timedelta(days=1)
    for number in range(7):  # some were seen at the same moment
        make_defect(user=ada, comment=str(number), timestamp=at + dt.timedelta(hours=number // 2))

    pages, link = [], f"{URL}?ordering={ordering}&page_size=3"
    while link:
        pages.append(client.get(link))
        link = pages[-1].json()["next"]

    expected = [str(number) for number in range(7)]
    listed = [comment for page in pages for comment in comments(page)]
    assert listed == (expected[::-1] if ordering.startswith("-") else expected)
    assert comments(client.get(pages[-1].json()["previous"])) == comments(pages[1])


def test_a_page_has_200_defects_and_takes_one_statement(ada, client):
    Defect.objects.bulk_create(Defect(user=ada, comment=str(number)) for number in range(201))

    with CaptureQueriesContext(connection) as queries:
        page = client.get(URL).json()

    assert len(page["results"]) == 200
    assert len(queries) == 1
    assert len(client.get(page["next"]).json()["results"]) == 1


def test_with_the_session_and_the_user_a_page_takes_three_statements(ada, db):
    make_defect(user=ada)
    client = client_of(None)
    client.force_login(ada)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(URL).status_code == 200
    assert len(queries) == 3


# The document


def test_the_document_is_valid_and_has_each_operation_once(tmp_path):
    target = tmp_path / "openapi.yaml"
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(target))

    text = target.read_text()
    for path in ("/api/defects:", "/api/v1/defects:", "/api/defects/{defect_id}/start-repair:"):
        assert text.count(f"\n  {path}\n") == 1
    assert "/api/defects/:" not in text


def test_nothing_is_told_of_what_was_only_read(client, three):
    with captured_events() as events:
        client.get(URL)
        client.get(f"{URL}/{Defect.objects.first().pk}")
    assert events == []

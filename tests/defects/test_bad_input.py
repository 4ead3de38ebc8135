"""Whatever is wrong with a request: a problem with a stable code, and nothing has changed."""

import datetime as dt

import pytest
from django.utils import timezone

from holdfast.ids import uuid7
from holdfast.outbox.models import OutboxEvent
from holdfast_defects.models import Defect
from holdfast_defects.testing import make_defect
from tests.defects.conftest import client_of

pytestmark = pytest.mark.django_db

URL = "/api/defects"
FUTURE = (timezone.now() + dt.timedelta(days=1)).isoformat()

# What is wrong with a body: status, code of the problem, where, code of the value.
BODIES = {
    "a blank comment": ({"comment": " "}, 400, "holdfast.invalid", "#/comment", "blank"),
    "null as a comment": ({"comment": None}, 400, "holdfast.invalid", "#/comment", "null"),
    "a list as a comment": ({"comment": ["x"]}, 400, "holdfast.invalid", "#/comment", "invalid"),
    "10,001 characters": ({"comment": "x" * 10_001}, 400, "holdfast.invalid", "#/comment", "max_length"),
    "the future": ({"comment": "x", "timestamp": FUTURE}, 422, "holdfast_defects.timestamp_out_of_range"),
    "1969": ({"comment": "x", "timestamp": "1969-12-31T23:59:59Z"}, 422, "holdfast_defects.timestamp_out_of_range"),
    "no time": ({"comment": "x", "timestamp": "yesterday"}, 400, "holdfast.invalid", "#/timestamp", "invalid"),
    "a number as a time": ({"comment": "x", "timestamp": 5}, 400, "holdfast.invalid", "#/timestamp", "invalid"),
    "null as a time": ({"comment": "x", "timestamp": None}, 400, "holdfast.invalid", "#/timestamp", "null"),
    "no severity": ({"comment": "x", "severity": "bad"}, 400, "holdfast.invalid", "#/severity", "invalid_choice"),
    "a user": ({"comment": "x", "user": 1}, 400, "holdfast.invalid", "#/user", "unknown_field"),
    "a state": ({"comment": "x", "state": "closed"}, 400, "holdfast.invalid", "#/state", "unknown_field"),
    "an unknown field": ({"comment": "x", "colour": "red"}, 400, "holdfast.invalid", "#/colour", "unknown_field"),
    "a list": ([], 400, "holdfast.invalid", "#", "invalid"),
}  # fmt: skip


def assert_problem(response, status, code, pointer=None, error=None):
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert (response.status_code, problem["code"]) == (status, code)
    if pointer is not None:
        assert [(found["pointer"], found["code"]) for found in problem["errors"]] == [(pointer, error)]


@pytest.fixture
def unchanged(ada):
    """A defect of Ada's; in the end it and the outbox are as they were."""
    defect = make_defect(user=ada)
    before = list(Defect.objects.values()), OutboxEvent.objects.count()
    yield defect
    assert (list(Defect.objects.values()), OutboxEvent.objects.count()) == before


@pytest.mark.parametrize("case", BODIES)
def test_a_bad_body_changes_nothing(client, unchanged, case):
    body, *problem = BODIES[case]
    assert_problem(client.post(URL, body, format="json"), *problem)
    assert_problem(client.put(f"{URL}/{unchanged.pk}", body, format="json"), *problem)
    assert_problem(client.patch(f"{URL}/{unchanged.pk}", body, format="json"), *problem)


def test_a_report_and_a_replacement_need_a_comment(client, unchanged):
    problem = 400, "holdfast.invalid", "#/comment", "required"
    assert_problem(client.post(URL, {}, format="json"), *problem)
    assert_problem(client.put(f"{URL}/{unchanged.pk}", {"severity": "low"}, format="json"), *problem)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"comment": ', "holdfast.parse_error"),
        (b'{"comment": "a", "comment": "b"}', "holdfast.parse_error"),
        (b'{"comment": "\\u0000"}', "holdfast.parse_error"),
        (b'{"comment": "\xff"}', "holdfast.parse_error"),
    ],
)
def test_what_is_no_strict_json_changes_nothing(client, unchanged, body, code):
    assert_problem(client.put(f"{URL}/{unchanged.pk}", body, content_type="application/json"), 400, code)
    assert_problem(client.post(URL, body, content_type="application/json"), 400, code)


def test_a_form_is_no_json(client, unchanged):
    answer = client.post(URL, {"comment": "x"}, format="multipart")
    assert_problem(answer, 415, "holdfast.unsupported_media_type")


def test_somebody_elses_defect_is_not_deleted(bob, unchanged):
    answer = client_of(bob).delete(f"{URL}/{unchanged.pk}")
    assert_problem(answer, 403, "holdfast_defects.not_the_reporter")


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_a_defect_that_is_not_there_is_not_found(client, unchanged, method):
    answer = getattr(client, method)(f"{URL}/{uuid7()}", {"comment": "x"}, format="json")
    assert_problem(answer, 404, "holdfast_defects.defect_not_found")


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ('"7"', "holdfast_defects.version_outdated"),
        ('W/"1"', "holdfast.precondition_failed"),
        ("1", "holdfast.precondition_failed"),
    ],
)
def test_a_stale_version_changes_nothing(client, unchanged, header, code):
    one, headers = f"{URL}/{unchanged.pk}", {"If-Match": header}
    for answer in (
        client.put(one, {"comment": "x"}, format="json", headers=headers),
        client.patch(one, {"comment": "x"}, format="json", headers=headers),
        client.delete(one, headers=headers),
        client.post(f"{one}/triage", headers=headers),
    ):
        assert_problem(answer, 412, code)


def test_a_step_that_the_state_does_not_allow_changes_nothing(client, unchanged):
    answer = client.post(f"{URL}/{unchanged.pk}/close")
    assert_problem(answer, 409, "holdfast_defects.step_not_allowed")
    assert answer.json()["context"] == {"defect_id": str(unchanged.pk), "state": "reported", "step": "close"}


def test_a_step_takes_no_body(client, unchanged):
    answer = client.post(f"{URL}/{unchanged.pk}/triage", {"comment": "x"}, format="json")
    assert_problem(answer, 400, "holdfast.invalid", "#/comment", "unknown_field")


@pytest.mark.parametrize(
    ("query", "code", "where"),
    [
        ("page_size=100000", "holdfast.invalid_page_size", None),
        ("page_size=0", "holdfast.invalid_page_size", None),
        ("cursor=nonsense", "holdfast.invalid_cursor", None),
        ("ordering=comment", "holdfast.invalid", "#/ordering"),
        ("state=lost", "holdfast.invalid", "#/state"),
        ("severity=awful", "holdfast.invalid", "#/severity"),
        ("user=nobody", "holdfast.invalid", "#/user"),
        ("user=99999999999999999999", "holdfast.invalid", "#/user"),
        ("since=yesterday", "holdfast.invalid", "#/since"),
        ("until=0001-01-01T00:00:00%2B14:00", "holdfast.invalid", "#/until"),
        ("state=closed&state=triaged", "holdfast.invalid", "#/state"),
        ("colour=red", "holdfast.invalid", "#/colour"),
        ("search=" + "x" * 201, "holdfast.invalid", "#/search"),
        ("search=%00", "holdfast.invalid", "#/search"),
    ],
)
def test_a_bad_question_is_answered_with_a_problem(client, unchanged, query, code, where):
    answer = client.get(f"{URL}?{query}")
    assert_problem(answer, 400, code)
    if where:
        assert [error["pointer"] for error in answer.json()["errors"]] == [where]


def test_a_key_that_was_used_for_another_report_makes_no_second_one(client):
    headers = {"Idempotency-Key": "a-key"}
    client.post(URL, {"comment": "first"}, format="json", headers=headers)
    answer = client.post(URL, {"comment": "second"}, format="json", headers=headers)
    assert_problem(answer, 422, "holdfast.idempotency_key_reused")
    assert [defect.comment for defect in Defect.objects.all()] == ["first"]

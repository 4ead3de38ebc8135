"""Every way in which a request can be refused is one shape of answer with a stable code."""

import json
import logging
from decimal import Decimal

import pytest
from django.db import OperationalError
from rest_framework import serializers
from rest_framework.test import APIClient

from holdfast.api import problems
from holdfast.api.fields import MoneyField
from holdfast.api.serializers import StrictSerializer
from holdfast.money import Money
from tests.foundation.host import views
from tests.foundation.host.models import Note

MEMBERS = ["type", "title", "status", "detail", "instance", "code", "context", "errors", "request_id"]


def problem(response):
    """Return the problem document of an answer, which must be one."""
    assert response.headers["Content-Type"] == "application/problem+json"
    document = json.loads(response.content)
    assert list(document) == MEMBERS
    assert document["status"] == response.status_code
    assert document["type"] == f"urn:problem:{document['code']}"
    assert document["title"]
    assert document["detail"]
    assert document["request_id"] == response.headers["X-Request-ID"]
    return document


def send(client, body, content_type="application/json", **headers):
    return client.generic("POST", "/api/notes", body, content_type=content_type, headers=headers)


BAD_BODIES = {
    "cut off": (b'{"text": "a', 400, "holdfast.parse_error"),
    "not JSON": (b"text=a", 400, "holdfast.parse_error"),
    "not UTF-8": (b'{"text": "\xff"}', 400, "holdfast.parse_error"),
    "a name twice": (b'{"text": "a", "text": "b"}', 400, "holdfast.parse_error"),
    "a name twice, deeper": (b'{"lines": [{"text": "a", "text": "b"}]}', 400, "holdfast.parse_error"),
    "NaN": (b'{"text": NaN}', 400, "holdfast.parse_error"),
    "Infinity": (b'{"text": -Infinity}', 400, "holdfast.parse_error"),
    "a number no float holds": (b'{"text": 1e999}', 400, "holdfast.parse_error"),
    "an integer of 5,000 digits": (b'{"text": ' + b"9" * 5000 + b"}", 400, "holdfast.parse_error"),
    "nested 100,000 deep": (b"[" * 100_000, 400, "holdfast.parse_error"),
    "nested 100,000 deep and closed": (b"[" * 100_000 + b"]" * 100_000, 400, "holdfast.parse_error"),
    "a NUL in text": (b'{"text": "a\\u0000b"}', 400, "holdfast.parse_error"),
    "a NUL in a name": (b'{"a\\u0000": 1}', 400, "holdfast.parse_error"),
    "half of a surrogate pair": (b'{"text": "\\ud800"}', 400, "holdfast.parse_error"),
    "a NUL in a list": (b'{"lines": ["\\u0000"]}', 400, "holdfast.parse_error"),
    "a list": (b"[]", 400, "holdfast.invalid"),
    "a number": (b"7", 400, "holdfast.invalid"),
    "null": (b"null", 400, "holdfast.invalid"),
    "nothing": (b"", 400, "holdfast.invalid"),
    "an unknown field": (b'{"text": "a", "txet": "b"}', 400, "holdfast.invalid"),
    "too large": (b'{"text": "' + b"a" * 1_048_576 + b'"}', 413, "holdfast.too_large"),
}


@pytest.mark.parametrize(("body", "status", "code"), BAD_BODIES.values(), ids=BAD_BODIES)
def test_a_bad_body_is_a_problem_and_nothing_changes(client, body, status, code):
    document = problem(send(client, body))

    assert (document["status"], document["code"]) == (status, code)
    assert Note.objects.count() == 0


def test_the_largest_body_is_a_setting(client, settings):
    settings.HOLDFAST = {"MAX_BODY_BYTES": 20}

    assert send(client, b'{"text": "abcdefgh"}').status_code == 201
    assert problem(send(client, b'{"text": "abcdefghi"}'))["detail"] == "The body has more than 20 bytes."


def test_every_wrong_value_is_named_by_a_pointer(client):
    body = {
        "text": "a" * 201,
        "price": {"amount": 1.5, "currency": "EUR", "vat": 1},
        "lines": [{"text": "ok"}, {"text": "", "a/b~c": 1}],
        "other": 1,
    }
    document = problem(client.post("/api/notes", body, format="json"))

    assert document["code"] == "holdfast.invalid"
    assert document["detail"] == "6 values are not allowed."
    assert {(error["pointer"], error["code"]) for error in document["errors"]} == {
        ("#/text", "max_length"),
        ("#/price/amount", "float"),
        ("#/price/vat", "unknown_field"),
        ("#/lines/1/text", "blank"),
        ("#/lines/1/a~1b~0c", "unknown_field"),
        ("#/other", "unknown_field"),
    }


def test_what_is_wrong_with_the_whole_points_at_the_whole(client):
    document = problem(client.post("/api/notes", {"text": "contradiction"}, format="json"))

    assert document["detail"] == "This contradicts itself."
    assert document["errors"] == [{"pointer": "#", "code": "contradiction", "detail": "This contradicts itself."}]


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("12.3", "EUR", "12.30"),
        (12, "EUR", "12.00"),
        ("1.500", "KWD", "1.500"),
        ("7", "JPY", "7"),
        (Decimal("0.0015"), "EUR", "0.0015"),
    ],
)
def test_money_goes_out_as_text_with_all_its_decimals(amount, currency, shown):
    assert MoneyField().to_representation(Money(amount, currency)) == {"amount": shown, "currency": currency}


BAD_AMOUNTS = {
    "a float": (1.5, "EUR", "amount", "float"),
    "text that is no number": ("abc", "EUR", "amount", "holdfast.invalid_amount"),
    "an exponent": ("1e3", "EUR", "amount", "holdfast.invalid_amount"),
    "NaN as text": ("NaN", "EUR", "amount", "holdfast.invalid_amount"),
    "true": (True, "EUR", "amount", "holdfast.invalid_amount"),
    "null": (None, "EUR", "amount", "holdfast.invalid_amount"),
    "a list": ([1], "EUR", "amount", "holdfast.invalid_amount"),
    "too many decimals": ("1.005", "EUR", "amount", "holdfast.invalid_amount"),
    "decimals of the yen": ("1.5", "JPY", "amount", "holdfast.invalid_amount"),
    "10^30": (10**30, "EUR", "amount", "holdfast.invalid_amount"),
    "an unknown currency": ("1", "EUX", "currency", "holdfast.unknown_currency"),
    "no currency": ("1", "XXX", "currency", "holdfast.unknown_currency"),
    "a lower-case currency": ("1", "eur", "currency", "holdfast.unknown_currency"),
    "a number as currency": ("1", 978, "currency", "not_text"),
}


@pytest.mark.parametrize(("amount", "currency", "member", "code"), BAD_AMOUNTS.values(), ids=BAD_AMOUNTS)
def test_a_bad_amount_is_named(client, amount, currency, member, code):
    body = {"text": "a", "price": {"amount": amount, "currency": currency}}
    errors = problem(client.post("/api/notes", body, format="json"))["errors"]

    assert [(error["pointer"], error["code"]) for error in errors] == [(f"#/price/{member}", code)]


@pytest.mark.parametrize(
    ("price", "found"),
    [
        ("12.30 EUR", {("#/price", "not_an_object")}),
        ({}, {("#/price/amount", "required"), ("#/price/currency", "required")}),
        (None, {("#/price", "null")}),
    ],
)
def test_a_price_is_an_object_of_two(client, price, found):
    errors = problem(client.post("/api/notes", {"text": "a", "price": price}, format="json"))["errors"]

    assert {(error["pointer"], error["code"]) for error in errors} == found


ENDINGS = {
    "refused": (409, "host.door_jammed", "The door is jammed."),
    "busy": (503, "host.busy", "Everybody is busy."),
    "http404": (404, "holdfast.not_found", "There is nothing here."),
    "forbidden": (403, "holdfast.permission_denied", "You may not do this."),
    "model": (400, "holdfast.invalid", "The request has values that are not allowed."),
    "teapot": (418, "holdfast.teapot", "I am a teapot."),
    "bug": (500, "holdfast.server_error", "Something broke on our side."),
}


@pytest.mark.parametrize(("ending", "status", "code", "title"), [(name, *rest) for name, rest in ENDINGS.items()])
def test_every_exception_is_a_problem(client, ending, status, code, title):
    response = client.get(f"/api/endings/{ending}")
    document = problem(response)

    assert (document["status"], document["code"], document["title"]) == (status, code, title)
    assert document["instance"] == f"/api/endings/{ending}"
    assert b"secrets" not in response.content
    assert b"hunter2" not in response.content


def test_a_refusal_says_what_to_act_on(client):
    document = problem(client.get("/api/endings/refused"))

    assert document["detail"] == "It was hit too hard."
    assert document["context"] == {"hits": 3, "by": ["anna"]}


def test_a_refusal_may_say_when_to_come_again(client):
    assert client.get("/api/endings/busy").headers["Retry-After"] == "7"


def test_a_model_that_refuses_names_its_field(client):
    errors = problem(client.get("/api/endings/model"))["errors"]

    assert errors == [{"pointer": "#/text", "code": "dull", "detail": "Too dull."}]


def test_the_context_is_plain():
    import datetime as dt

    from holdfast.errors import Conflict

    refusal = Conflict(
        day=dt.date(2026, 1, 2), amount=Decimal("1E+2"), price=Money("1.20", "EUR"), deep={1: [None, 1.5]}
    )
    request = type("Request", (), {"path": "/"})()

    context = problems.problem_of(refusal).document(request)["context"]
    assert context == {
        "day": "2026-01-02",
        "amount": "100",
        "price": str(Money("1.20", "EUR")),
        "deep": {"1": [None, 1.5]},
    }


def test_a_bug_is_logged_with_its_trace_and_raised_to_the_test_client(client, caplog):
    client.get("/api/endings/bug")
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.name == "django.request"
    assert record.exc_info[0] is ZeroDivisionError

    strict = APIClient()
    with pytest.raises(ZeroDivisionError):
        strict.get("/api/endings/bug")


@pytest.mark.parametrize("setting", ["DEBUG", "DEBUG_PROPAGATE_EXCEPTIONS"])
def test_a_developer_sees_the_bug_itself(setting, settings, db):
    setattr(settings, setting, True)

    with pytest.raises(ZeroDivisionError):
        APIClient().get("/api/endings/bug")


def test_who_is_unknown_is_asked_who_he_is(db):
    document = problem(APIClient().get("/api/notes"))

    assert (document["status"], document["code"]) == (403, "holdfast.not_authenticated")


def test_a_failed_login_names_the_challenge(db, monkeypatch):
    from rest_framework.authentication import BasicAuthentication

    monkeypatch.setattr(views.NotesView, "authentication_classes", [BasicAuthentication])
    response = APIClient().get("/api/notes", headers={"Authorization": "Basic Ym9iOndyb25n"})

    assert (response.status_code, problem(response)["code"]) == (401, "holdfast.authentication_failed")
    assert response.headers["WWW-Authenticate"].startswith("Basic")


def test_a_session_without_a_csrf_token_writes_nothing(user):
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(user)
    document = problem(client.post("/api/notes", {"text": "a"}, format="json"))

    assert (document["status"], document["code"]) == (403, "holdfast.permission_denied")
    assert Note.objects.count() == 0


def test_a_method_that_is_not_there_is_a_problem(client):
    response = client.patch("/api/notes", {}, format="json")

    assert (response.status_code, problem(response)["code"]) == (405, "holdfast.method_not_allowed")
    assert response.headers["Allow"] == "GET, POST, HEAD, OPTIONS"
    assert problem(response)["title"] == "Method not allowed."
    assert problem(response)["detail"] == 'Method "PATCH" not allowed.'


def test_another_media_type_is_a_problem(client):
    assert (
        problem(send(client, b"text=a", "application/x-www-form-urlencoded"))["code"]
        == "holdfast.unsupported_media_type"
    )


def test_an_answer_that_nobody_accepts_is_a_problem(client):
    response = client.get("/api/notes", headers={"Accept": "image/png"})

    assert (response.status_code, problem(response)["code"]) == (406, "holdfast.not_acceptable")


def test_a_throttled_request_is_told_when_to_come_again(client):
    response = client.get("/api/throttled")

    assert (response.status_code, problem(response)["code"]) == (429, "holdfast.throttled")
    assert response.headers["Retry-After"] == "42"


@pytest.mark.postgres
def test_a_value_that_the_database_cannot_hold_is_a_bad_request(client, caplog):
    document = problem(client.get("/api/notes/raw?text=a%00b"))

    assert (document["status"], document["code"]) == (400, "holdfast.unstorable")
    assert "refused a value" in caplog.text


def test_a_database_that_does_not_answer_is_said_so(client, monkeypatch):
    monkeypatch.setitem(views.ENDINGS, "gone", OperationalError("connection to db-1.internal failed"))
    response = client.get("/api/endings/gone")

    assert (response.status_code, problem(response)["code"]) == (503, "holdfast.database_unavailable")
    assert response.headers["Retry-After"] == "1"
    assert b"internal" not in response.content


def test_a_query_is_read_as_strictly_as_a_body(client):
    assert client.get("/api/notes/search?text=a&page_size=3").status_code == 200

    errors = problem(client.get("/api/notes/search?txet=a"))["errors"]
    assert {error["pointer"] for error in errors} == {"#/text", "#/txet"}


def test_the_type_of_a_problem_is_the_hosts(client, settings):
    settings.HOLDFAST = {"PROBLEM_TYPE": "https://docs.example.com/problems/{code}"}
    document = json.loads(client.get("/api/endings/refused").content)

    assert document["type"] == "https://docs.example.com/problems/host.door_jammed"


def test_a_hosts_own_view_stays_as_it_was(client):
    response = client.get("/hosts/own")

    assert response.json() == {"detail": "Not found."}


def test_a_host_may_take_the_handler_for_all_its_views(client, monkeypatch):
    monkeypatch.setattr(views.HostsOwnView, "get_exception_handler", lambda self: problems.exception_handler)

    assert problem(client.get("/hosts/own"))["code"] == "holdfast.not_found"


# Django's own doors


@pytest.mark.parametrize(("path", "accept"), [("/api/nothing", "text/html"), ("/nothing", "application/json")])
def test_a_path_that_leads_nowhere_is_a_problem_to_programs(client, path, accept):
    document = problem(client.get(path, headers={"Accept": accept}))

    assert (document["status"], document["code"]) == (404, "holdfast.not_found")


@pytest.mark.parametrize(("path", "status"), [("/nothing", 404), ("/pages/crash", 500), ("/pages/forbidden", 403)])
def test_people_get_pages(client, path, status):
    response = client.get(path, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})

    assert response.status_code == status
    assert response.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/crash", 500, "holdfast.server_error"),
        ("/pages/forbidden", 403, "holdfast.permission_denied"),
    ],
)
def test_what_breaks_outside_of_our_views_is_a_problem_to_programs(client, path, status, code):
    response = client.get(path, headers={"Accept": "application/json"})

    assert (response.status_code, problem(response)["code"]) == (status, code)
    assert b"hunter2" not in response.content


def test_a_suspicious_request_is_a_problem_to_programs_and_a_page_to_people(client, settings):
    settings.ALLOWED_HOSTS = ["good.example"]
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.middleware.common.CommonMiddleware"]

    assert problem(client.get("/api/notes"))["code"] == "holdfast.bad_request"
    assert client.get("/pages/page", headers={"Accept": "text/html"}).headers["Content-Type"].startswith("text/html")


def test_who_acts_is_bound_for_events_and_logs(client, user):
    assert client.get("/api/trace").json()["actor_id"] == str(user.pk)


def test_the_instance_is_a_reference_whatever_the_path_has():
    answer = APIClient().get("/api/nowhere/%C3%A4 %01")

    assert answer.json()["instance"] == "/api/nowhere/%C3%A4%20%01"


@pytest.mark.parametrize("value", [7, 1.5, True])
def test_text_is_text_and_no_number_is_made_into_it(value):
    class Input(StrictSerializer):
        name = serializers.CharField()

    serializer = Input(data={"name": value})

    assert not serializer.is_valid()
    assert serializer.errors["name"][0].code == "invalid"

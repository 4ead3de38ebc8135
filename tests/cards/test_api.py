"""The API: who may, what it answers, how a "no" looks."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import patched_settings
from drf_spectacular.validation import validate_schema
from rest_framework.test import APIClient

from holdfast_cards.models import Card
from holdfast_cards.states import CardState
from holdfast_cards.testing import make_card, run_worker
from holdfast_cards.urls import urlpatterns
from tests.cards.doubles import KEY, NONE

pytestmark = pytest.mark.django_db(transaction=True)

CARDS = "/api/v1/cards/"


def post(client, path="", body=None, **headers):
    return client.post(CARDS + path, body if body is not None else {}, format="json", headers=headers)


def test_a_color_is_all_that_is_needed(provider, client, holder):
    response = post(client, body={"color": "pink"})

    assert response.status_code == 201
    card = Card.objects.get()
    assert response.headers["Location"] == f"http://testserver{CARDS}{card.id}/"
    assert "Retry-After" not in response.headers
    body = response.json()
    assert (body["state"], body["color"], body["kind"], body["under_way"]) == ("ordered", "pink", "physical", [])
    assert set(body) == {
        "id",
        "state",
        "color",
        "actual_color",
        "kind",
        "last4",
        "expires_on",
        "carrier",
        "tracking_number",
        "replaces",
        "anomalies",
        "under_way",
        "created_at",
        "changed_at",
    }
    assert client.get(response.headers["Location"]).json() == body


def test_an_open_outcome_is_202_with_where_and_when_to_ask(use, client):
    provider = use(**NONE)
    provider.faults.append("lost")
    response = post(client, body={"color": "pink"})

    assert response.status_code == 202
    assert response.headers["Location"].endswith(f"{Card.objects.get().id}/")
    assert int(response.headers["Retry-After"]) >= 1
    assert (response.json()["state"], response.json()["under_way"]) == ("requested", ["issue"])
    assert client.get(response.headers["Location"]).json() == response.json()


def test_who_does_not_want_to_wait_gets_202(provider, client):
    response = post(client, body={"color": "pink"}, Prefer="respond-async")

    assert response.status_code == 202
    assert provider.calls == []
    run_worker()
    assert client.get(response.headers["Location"]).json()["state"] == "ordered"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "#/color"),
        ({"color": None}, "#/color"),
        ({"color": ["pink"]}, "#/color"),
        ({"color": "pink", "user_id": 7}, "#/user_id"),
        ({"color": "pink", "kind": "wooden"}, "#/kind"),
        ({"color": "x" * 31}, "#/color"),
    ],
    ids=str,
)
def test_a_body_that_makes_no_sense_is_told_where(provider, client, body, pointer):
    response = post(client, body=body)

    assert (response.status_code, response.json()["code"]) == (400, "holdfast.invalid")
    assert pointer in [error["pointer"] for error in response.json()["errors"]]
    assert not Card.objects.exists()


def test_a_color_that_there_is_not_is_told_with_those_that_there_are(provider, client):
    response = post(client, body={"color": "green"})

    assert (response.status_code, response.json()["code"]) == (422, "holdfast_cards.invalid_color")
    assert response.json()["context"] == {"color": "green", "colors": ["pink", "black"]}


def test_the_problem_is_a_document_and_never_repeats_the_provider(provider, client):
    provider.faults.append("rejected")
    response = post(client, body={"color": "pink"})

    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["detail"] == "The provider refused, and would refuse again."


@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_enters_without_a_login(provider, method):
    response = getattr(APIClient(), method)(CARDS)

    assert response.status_code in (401, 403)
    assert response.json()["code"] == "holdfast.not_authenticated"


@pytest.mark.parametrize(
    "path", ["", "history/", "activate/", "freeze/", "unfreeze/", "cancel/", "oppose/", "replace/"]
)
def test_somebody_elses_card_is_not_there(provider, client, path):
    card = make_card(state="activated")
    body = {"reason": "lost"} if path in ("oppose/", "replace/") else {}
    response = (
        client.get(f"{CARDS}{card.id}/{path}") if path in ("", "history/") else post(client, f"{card.id}/{path}", body)
    )

    assert (response.status_code, response.json()["code"]) == (404, "holdfast_cards.card_not_found")


def test_my_cards_are_listed_newest_first_in_pages_at_the_cost_of_two_queries(provider, client, holder):
    cards = [make_card(holder=holder) for _ in range(5)]
    make_card()
    with CaptureQueriesContext(connection) as queries:
        page = client.get(f"{CARDS}?page_size=3").json()
        assert len(queries) == 2
    rest = client.get(page["next"]).json()

    assert [one["id"] for one in page["results"] + rest["results"]] == [str(card.id) for card in reversed(cards)]
    assert client.get(f"{CARDS}?state=frozen").json()["results"] == []
    assert client.get(f"{CARDS}?state=melted").status_code == 400


def test_the_life_of_a_card_is_told(provider, client):
    card_id = post(client, body={"color": "pink"}).json()["id"]
    for step in ("activate", "freeze", "unfreeze", "cancel"):
        assert post(client, f"{card_id}/{step}/").status_code == 200
    steps = client.get(f"{CARDS}{card_id}/history/").json()["results"]

    assert [(step["from_state"], step["to_state"]) for step in steps] == [
        ("requested", "ordered"),
        ("ordered", "activated"),
        ("activated", "frozen"),
        ("frozen", "activated"),
        ("activated", "cancelled"),
    ]
    assert {step["source"] for step in steps} == {"answer"}


def test_a_lost_card_is_opposed_and_replaced(provider, client):
    card_id = post(client, body={"color": "pink"}).json()["id"]
    assert post(client, f"{card_id}/oppose/", {"reason": "eaten"}).status_code == 400
    opposed = post(client, f"{card_id}/oppose/", {"reason": "lost"})
    assert (opposed.status_code, opposed.json()["state"]) == (200, "opposed")

    response = post(client, f"{card_id}/replace/", {"reason": "lost"}, **{"Idempotency-Key": "k"})
    again = post(client, f"{card_id}/replace/", {"reason": "lost"}, **{"Idempotency-Key": "k"})

    assert (response.status_code, response.json()["replaces"]) == (201, card_id)
    assert again.json()["id"] == response.json()["id"]


def test_what_the_provider_cannot_do_is_501(use, client, holder):
    use(**NONE, verbs=["issue"])
    card = make_card(holder=holder, state="activated")
    response = post(client, f"{card.id}/freeze/")

    assert (response.status_code, response.json()["code"]) == (501, "holdfast_cards.not_supported_by_provider")


def test_a_change_that_is_open_is_202(use, client, holder):
    provider = use(**KEY)
    card = make_card(holder=holder, state="activated")
    provider.faults.append("lost")
    response = post(client, f"{card.id}/freeze/")

    assert (response.status_code, response.json()["under_way"]) == (202, ["freeze"])
    assert response.headers["Location"].endswith(f"{card.id}/")
    assert int(response.headers["Retry-After"]) >= 1


def test_what_there_is_to_order_is_told(use, client):
    use(colors=["teal", "sand"], verbs=["issue", "freeze"])

    assert client.get(f"{CARDS}offer/").json() == {
        "colors": ["teal", "sand"],
        "kinds": ["physical", "virtual"],
        "verbs": ["freeze", "issue"],
    }


def test_an_issue_takes_at_most_twelve_statements(provider, client):
    with CaptureQueriesContext(connection) as queries:
        assert post(client, body={"color": "pink"}, **{"Idempotency-Key": "k"}).status_code == 201

    statements = [one["sql"] for one in queries if not one["sql"].startswith(("BEGIN", "COMMIT"))]
    # The wish: 2. The claim: 1. The result: the card's lock, attempt, transition, event, card, operation; and on
    # PostgreSQL the event's NOTIFY.
    assert len(statements) == (10 if connection.vendor == "postgresql" else 9)


def test_the_document_describes_every_door():
    with patched_settings({"OAS_VERSION": "3.1.1", "TITLE": "Cards"}), GENERATOR_STATS.silence():
        GENERATOR_STATS.reset()
        schema = SchemaGenerator(patterns=urlpatterns).get_schema(request=None, public=True)
        warnings = [*GENERATOR_STATS._warn_cache, *GENERATOR_STATS._error_cache]
        validate_schema(schema)

    assert warnings == []
    assert len(schema["paths"]) == len(urlpatterns) - 1, "all but the provider's door"
    for path, methods in schema["paths"].items():
        for operation in methods.values():
            assert operation["summary"], path
            assert operation["tags"] == ["holdfast_cards"]
    order = schema["paths"]["/cards/"]["post"]
    assert {"201", "409", "422", "502", "503"} <= order["responses"].keys()
    assert "request_already_open" in order["responses"]["409"]["description"]
    assert [one["name"] for one in order["parameters"]] == ["Idempotency-Key"]


def test_a_card_in_the_making_is_a_state_like_any_other(use, client):
    use(MODE="deferred")
    card_id = post(client, body={"color": "pink"}).json()["id"]
    run_worker()

    assert Card.objects.get(id=card_id).state == CardState.ORDERED

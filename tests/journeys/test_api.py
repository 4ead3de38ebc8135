"""Stories of programs at the API."""

import json
import uuid
from typing import Any

import pytest
from django.test import Client
from rest_framework.throttling import ScopedRateThrottle

from holdfast.testing import drain_outbox
from people.models import User

pytestmark = pytest.mark.django_db

PASSWORD = "correct-horse-battery"


class Program:
    """A client that sends JSON and a token."""

    def __init__(self, username: str) -> None:
        self.client = Client()
        self.headers: dict[str, str] = {}
        self.post("people/", username=username, email=f"{username}@example.org", password=PASSWORD, expect=201)
        drain_outbox()
        tokens = self.post("auth/jwt/", username=username, password=PASSWORD)
        self.headers = {"Authorization": f"Bearer {tokens['access']}"}
        self.tokens = tokens
        self.account = self.get("wallet/accounts/")["results"][0]["id"]

    def get(self, path: str, *, expect: int = 200) -> Any:
        answer = self.client.get(f"/api/v1/{path}", headers=self.headers)
        assert answer.status_code == expect, answer.content
        return answer.json()

    def post(self, path: str, *, key: str | None = None, expect: int = 200, **body: Any) -> Any:
        return self.send(path, body, key=key, expect=expect).json()

    def send(self, path: str, body: Any, *, key: str | None = None, expect: int | None = None) -> Any:
        headers = self.headers | ({"Idempotency-Key": key} if key else {})
        data = body if isinstance(body, str) else json.dumps(body)
        answer = self.client.post(f"/api/v1/{path}", data, content_type="application/json", headers=headers)
        assert expect is None or answer.status_code == expect, answer.content
        return answer


def euros(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


def key() -> str:
    return str(uuid.uuid4())


def test_from_registering_to_a_statement():
    ada, ben = Program("ada"), Program("ben")

    deposit = ada.post("wallet/deposits/", key=key(), account=ada.account, amount=euros("100.00"), expect=201)
    assert deposit["state"] == "settled"
    ada.post("wallet/transfers/", key=key(), source=ada.account, target=ben.account, amount=euros("30.50"), expect=201)
    hold = ada.post("wallet/holds/", key=key(), account=ada.account, amount=euros("20.00"), expect=201)
    ada.post(f"wallet/holds/{hold['id']}/capture/", key=key(), target=ben.account, amount=euros("15.00"), expect=201)

    account = ada.get(f"wallet/accounts/{ada.account}/")
    assert (account["balance"], account["held"], account["available"]) == (
        euros("54.50"),
        euros("0.00"),
        euros("54.50"),
    )
    amounts = [line["amount"]["amount"] for line in ada.get(f"wallet/accounts/{ada.account}/entries/")["results"]]
    assert amounts == ["-15.00", "-30.50", "100.00"]


def test_a_request_that_is_repeated_gets_the_same_answer_and_moves_nothing():
    ada, ben = Program("ada"), Program("ben")
    ada.post("wallet/deposits/", key=key(), account=ada.account, amount=euros("100.00"), expect=201)
    again = key()
    body = {"source": ada.account, "target": ben.account, "amount": euros("30.00")}

    first, second = (ada.send("wallet/transfers/", body, key=again, expect=201) for _ in range(2))

    assert first.json() == second.json()
    assert second.headers["Idempotency-Replayed"] == "true"
    assert ben.get(f"wallet/accounts/{ben.account}/")["balance"] == euros("30.00")
    other = ada.send("wallet/transfers/", body | {"amount": euros("31.00")}, key=again)
    assert other.status_code == 422


def test_what_belongs_to_somebody_else_is_not_there():
    ada, ben = Program("ada"), Program("ben")

    assert ben.get(f"wallet/accounts/{ada.account}/", expect=404)["code"] == "holdfast_wallet.account_not_found"
    body = {"source": ada.account, "target": ben.account, "amount": euros("1.00")}
    assert (
        ben.send("wallet/transfers/", body, key=key(), expect=404).json()["code"] == "holdfast_wallet.account_not_found"
    )


def test_every_no_of_the_entrance_is_a_problem_document():
    program = Program("ada")
    program.headers = {}
    cases: list[tuple[str, Any, int, str]] = [
        ("auth/jwt/", {"username": "ada", "password": "wrong"}, 401, "holdfast.credentials_wrong"),
        ("auth/token/", {"username": "ada", "password": "wrong"}, 401, "holdfast.credentials_wrong"),
        ("auth/jwt/refresh/", {"refresh": "nonsense"}, 401, "holdfast.token_not_valid"),
        ("auth/jwt/", {"username": "ada"}, 400, "holdfast.invalid"),
        ("auth/jwt/", "{", 400, "holdfast.parse_error"),
        ("auth/jwt/", [], 400, "holdfast.invalid"),
        ("people/", {"username": "ada", "email": "a@example.org", "password": PASSWORD}, 409, "people.username_taken"),
        ("people/", {"username": "b", "email": "ADA@example.org", "password": PASSWORD}, 409, "people.email_taken"),
        (
            "people/",
            {"username": "b", "email": "b@example.org", "password": "12345678"},
            422,
            "people.password_too_weak",
        ),
        ("people/", {"username": "b\0", "email": "b@example.org", "password": PASSWORD}, 400, "holdfast.parse_error"),
        (
            "people/",
            {"username": "b", "email": "b@example.org", "password": PASSWORD, "is_staff": True},
            400,
            "holdfast.invalid",
        ),
        ("nowhere/", {}, 404, "holdfast.not_found"),
    ]
    for path, body, status, code in cases:
        answer = program.send(path, body)
        assert answer.headers["Content-Type"] == "application/problem+json", path
        problem = answer.json()
        assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code), (path, body)
        assert problem["request_id"] == answer.headers["X-Request-ID"]


def test_each_way_to_sign_in_says_who_it_is():
    ada = Program("ada")

    identity = {"user_id": ada.get("me/")["id"], "username": "ada", "is_staff": False}
    assert ada.tokens | identity == ada.tokens
    for address in ["/api/token/", "/api/v1/auth/token/"]:
        answer = (
            Client().post(address, {"username": "Ada", "password": PASSWORD}, content_type="application/json").json()
        )
        assert answer | identity == answer
        mine = Client().get("/api/v1/me/", headers={"Authorization": f"Token {answer['token']}"})
        assert mine.json()["username"] == "ada"
    refreshed = ada.post("auth/jwt/refresh/", refresh=ada.tokens["refresh"])
    assert Client().get("/api/v1/me/", headers={"Authorization": f"Bearer {refreshed['access']}"}).status_code == 200


def test_a_profile_can_be_changed_in_parts():
    ada = Program("ada")

    answer = ada.client.patch(
        "/api/v1/me/", {"first_name": "Ada"}, content_type="application/json", headers=ada.headers
    )

    assert answer.status_code == 200
    assert (answer.json()["first_name"], answer.json()["email"]) == ("Ada", "ada@example.org")
    assert Client().get("/api/v1/me/").status_code == 401


def test_who_knocks_too_often_is_told_when_to_come_back(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ScopedRateThrottle, "THROTTLE_RATES", {"sign_in": "2/min"})
    body = {"username": "nobody", "password": "wrong"}

    answers = [Client().post("/api/v1/auth/jwt/", body, content_type="application/json") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert answers[-1].json()["code"] == "holdfast.throttled"
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60


def test_a_caller_does_not_get_a_new_name_by_saying_who_sent_him(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ScopedRateThrottle, "THROTTLE_RATES", {"sign_in": "2/min"})
    body = {"username": "nobody", "password": "wrong"}

    answers = [
        Client().post(
            "/api/v1/auth/jwt/",
            body,
            content_type="application/json",
            headers={"X-Forwarded-For": f"203.0.113.{number}"},
        )
        for number in range(3)
    ]

    assert [answer.status_code for answer in answers] == [401, 401, 429]


def test_guesses_end_for_a_name_whatever_the_caller_says_of_himself(settings):
    Program("ada")
    settings.SIGN_IN_ATTEMPTS = 2
    body = {"username": "ada", "password": "wrong"}
    for number in range(2):
        headers = {"X-Forwarded-For": f"203.0.113.{number}"}
        Client().post("/api/v1/auth/jwt/", body, content_type="application/json", headers=headers)

    answer = Client().post(
        "/api/v1/auth/jwt/", body | {"password": PASSWORD}, content_type="application/json", headers=headers
    )

    assert (answer.status_code, answer.json()["code"]) == (401, "holdfast.attempts_exhausted")


def test_a_client_with_a_session_shows_where_it_comes_from():
    ada = Program("ada")
    browser = Client(enforce_csrf_checks=True)
    credentials = {"username": "ada", "password": PASSWORD}

    def send(method: str, path: str, body: Any = None) -> Any:
        token = browser.get("/api/v1/auth/csrf/").json()["csrf_token"]
        ask = getattr(browser, method)
        return ask(f"/api/v1/{path}", body, content_type="application/json", headers={"X-CSRFToken": token})

    stranger = browser.post("/api/v1/auth/session/", credentials, content_type="application/json")
    assert (stranger.status_code, stranger.json()["code"]) == (403, "holdfast.permission_denied")
    assert send("post", "auth/session/", credentials | {"password": "wrong"}).status_code == 401
    assert send("post", "auth/session/", credentials).json() == {
        "user_id": ada.tokens["user_id"],
        "username": "ada",
        "is_staff": False,
    }
    assert browser.get("/api/v1/me/").json()["username"] == "ada"
    forged = browser.patch("/api/v1/me/", {"first_name": "Eve"}, content_type="application/json")
    assert forged.status_code == 403
    assert send("patch", "me/", {"first_name": "Ada"}).status_code == 200
    assert send("delete", "auth/session/").status_code == 204
    assert browser.get("/api/v1/me/").status_code == 401


def test_a_new_password_ends_the_tokens_of_the_old_one():
    ada = Program("ada")
    user = User.objects.get(username="ada")
    user.set_password("another-horse-battery")
    user.save()

    ada.get("me/", expect=401)
    refreshed = ada.post("auth/jwt/refresh/", refresh=ada.tokens["refresh"])
    assert Client().get("/api/v1/me/", headers={"Authorization": f"Bearer {refreshed['access']}"}).status_code == 401


@pytest.mark.parametrize("role", ["customer", "artisan"])
def test_people_say_what_they_came_for_when_they_register(role: str):
    body = {"username": "ada", "email": "ada@example.org", "password": PASSWORD, "role": role}

    answer = Client().post("/api/v1/people/", body, content_type="application/json")

    assert (answer.status_code, answer.json()["role"]) == (201, role)


def test_nobody_registers_as_staff():
    for extra in ({"role": "staff"}, {"is_staff": True}, {"is_superuser": True}, {"external_id": "ops-1"}):
        body = {"username": "eve", "email": "eve@example.org", "password": PASSWORD, **extra}
        answer = Client().post("/api/v1/people/", body, content_type="application/json")
        assert answer.status_code == 400, extra

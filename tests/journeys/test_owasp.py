"""The ten risks of the OWASP API Security Top 10 (2023), each tried on all operations of the OpenAPI document."""

import ast
import base64
import re
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.throttling import SimpleRateThrottle
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from holdfast.testing import drain_outbox
from holdfast_catalog_notify import services as catalog
from holdfast_catalog_notify.testing import make_product
from tests.journeys import access
from tests.journeys.calling import bearer, call, choosing, document, everything, ids_of, make_operator, make_person
from tests.journeys.objects import KINDS, PUBLIC_NAMES, Kind, name_id
from tests.journeys.openapi import JSON, Operation, Schema

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

REFUSED = {403, 404}
UNKNOWN = {401, *REFUSED}
STREAM = "text/event-stream"


def each(chosen: list[Operation]) -> Any:
    return pytest.mark.parametrize("operation", chosen, ids=str)


def streams(operation: Operation) -> bool:
    """Tell whether the answer is a stream, which a test would have to follow to its end."""
    return STREAM in operation.body["responses"].get("200", {}).get("content", {})


def problem(answer: Any) -> dict[str, Any]:
    assert answer.headers["Content-Type"] == "application/problem+json", answer.content
    return answer.json()


def read(answer: Any) -> Any:
    return (answer.status_code, answer.content if not answer.streaming else None)


EVERYTHING = [operation for operation in everything() if not streams(operation)]
WITH_AN_ID = [operation for operation in EVERYTHING if ids_of(operation)]
WITH_A_BODY = [operation for operation in EVERYTHING if operation.request]
CLOSED = [operation for operation in EVERYTHING if not operation.open]


# --- API1: object-level authorization ---------------------------------------------------------------------------------


@each(WITH_AN_ID)
def test_api1_what_each_id_names_is_known_here(operation: Operation):
    assert set(ids_of(operation)) <= set(KINDS), "Say in tests/journeys/objects.py what it names, and whose it is."


def test_api1_nothing_is_known_here_that_is_not_there():
    assert set(KINDS) == {one for operation in everything() for one in ids_of(operation)}


@each([operation for operation in WITH_AN_ID if set(ids_of(operation)) <= set(KINDS)])
def test_api1_an_object_of_somebody_else_is_not_there(operation: Operation):
    kind = KINDS[ids_of(operation)[-1]]
    owner, stranger = kind.owner(), kind.stranger()
    path, body = _object(operation, kind, owner), _body(operation, stranger)
    before = _seen(operation, path, owner)

    refused = call(operation, person=stranger, path=path, body=body)

    if kind.is_open(operation):
        assert refused.status_code < 500
    else:
        assert refused.status_code in REFUSED, refused.content
        assert _seen(operation, path, owner) == before
    allowed = call(operation, person=owner, path=path, body=_body(operation, owner))
    assert allowed.status_code not in UNKNOWN, allowed.content
    assert allowed.status_code < 500, allowed.content


@each(EVERYTHING)
def test_api1_an_id_in_the_body_or_the_query_is_no_way_around(operation: Operation):
    for name in sorted(_named_ids(operation) - set(PUBLIC_NAMES)):
        owner, stranger = make_person(), make_person()
        theirs = name_id(operation, name, owner)
        assert theirs, f"Say in tests/journeys/objects.py what {name!r} names, and whose it is."
        mine = {other: name_id(operation, other, stranger) for other in _named_ids(operation) if other != name}
        if name in operation.parameters("query"):
            answer = call(operation, person=stranger, query={name: theirs})
            assert answer.status_code in REFUSED or answer.json()["results"] == [], answer.content
            continue
        path = _object(operation, KINDS[ids_of(operation)[-1]], stranger) if ids_of(operation) else {}
        answer = call(operation, person=stranger, path=path, body=operation.example(choosing({**mine, name: theirs})))
        assert answer.status_code in REFUSED, answer.content


def _object(operation: Operation, kind: Kind, owner: Any) -> dict[str, Any]:
    name = ids_of(operation)[-1].rpartition("{")[2].rstrip("}")
    return kind.path_of(owner, name)


def _body(operation: Operation, person: Any) -> Any:
    names = {name: name_id(operation, name, person) for name in _named_ids(operation)}
    return operation.example(choosing(names)) if operation.request else None


def _seen(operation: Operation, path: dict[str, Any], owner: Any) -> Any:
    """Return what the owner sees of the object, where there is an address to look at."""
    own = operation.path[: operation.path.rindex("}") + 1]
    looks = [one for one in EVERYTHING if one.method == "get" and one.path.rstrip("/") == own]
    return [read(call(look, person=owner, path=path)) for look in looks]


def _named_ids(operation: Operation) -> set[str]:
    """Return the names of the ids in the body and in the query."""
    found = {name for name, one in operation.parameters("query").items() if one["schema"].get("format") == "uuid"}

    def look(name: str, given: Schema) -> None:
        schema = operation.resolve(given)
        if schema.get("format") == "uuid":
            found.add(name)
        for inner, one in schema.get("properties", {}).items():
            look(inner, one)
        if "items" in schema:
            look(name, schema["items"])

    if operation.request:
        look("", operation.request)
    return found


# --- API2: authentication ---------------------------------------------------------------------------------------------


def forged_tokens() -> dict[str, str]:
    """Return headers that say who one is and do not hold, by what is wrong with them."""
    person, closed, changed = make_person(), make_person(), make_person()
    expired, unsigned = AccessToken.for_user(person), str(AccessToken.for_user(person)).split(".")
    expired.set_exp(lifetime=-timedelta(seconds=1))
    header = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    of_closed, of_changed = bearer(closed)["Authorization"], bearer(changed)["Authorization"]
    closed.is_active = False
    closed.save()
    changed.set_password("another-horse-battery")
    changed.save()
    return {
        "nothing": "",
        "nonsense": "Bearer nonsense",
        "a token of nobody": f"Token {'0' * 40}",
        "a password": f"Basic {base64.b64encode(f'{person.username}:x'.encode()).decode()}",
        "over": f"Bearer {expired}",
        "without a signature": f"Bearer {header}.{unsigned[1]}.",
        "of another key": f"Bearer {unsigned[0]}.{unsigned[1]}.{'A' * 43}",
        "for refreshing": f"Bearer {RefreshToken.for_user(person)}",
        "of a closed account": of_closed,
        "of an old password": of_changed,
    }


@each(CLOSED)
def test_api2_nobody_enters_who_cannot_show_who_he_is(operation: Operation):
    for fault, header in forged_tokens().items():
        answer = call(operation, headers={"Authorization": header} if header else {})
        assert answer.status_code == 401, (fault, answer.content)
        assert answer.headers["WWW-Authenticate"], fault
        assert problem(answer)["status"] == 401


# --- API3: properties -------------------------------------------------------------------------------------------------

PRIVILEGED = (
    "id",
    "is_staff",
    "is_superuser",
    "is_active",
    "owner",
    "owner_id",
    "user_id",
    "holder_id",
    "state",
    "role",
)
SECRET = re.compile(r"password|secret|hash|private|cvc|cvv|^pan$|card_number|last_login|is_superuser|permissions")


@each([operation for operation in EVERYTHING if operation.method in ("post", "put", "patch")])
def test_api3_nothing_is_taken_that_was_not_asked_for(operation: Operation):
    operator = make_operator()
    kind = KINDS[ids_of(operation)[-1]] if ids_of(operation) else None
    path = _object(operation, kind, operator) if kind else {}
    names = {name for name in PRIVILEGED if name not in (operation.request or {}).get("properties", {})}
    if JSON not in operation.body.get("requestBody", {}).get("content", {JSON: {}}) or "token" in path:
        pytest.skip("It reads no JSON: a file, or whatever form a mailbox sends.")

    before = _seen(operation, path, operator) if path else None
    answer = call(
        operation, person=operator, path=path, body=(_body(operation, operator) or {}) | dict.fromkeys(names, 1)
    )

    assert answer.status_code == 400, answer.content
    told = {error["pointer"] for error in problem(answer)["errors"] if error["code"] == "unknown_field"}
    assert told == {f"#/{name}" for name in names}
    assert before == (_seen(operation, path, operator) if path else None)


@each(EVERYTHING)
def test_api3_no_answer_has_a_property_that_is_nobodys_business(operation: Operation):
    def look(given: Schema, seen: frozenset[int]) -> Iterator[str]:
        schema = operation.resolve(given)
        if id(schema) in seen:
            return
        for name, one in schema.get("properties", {}).items():
            yield name
            yield from look(one, seen | {id(schema)})
        if "items" in schema:
            yield from look(schema["items"], seen | {id(schema)})

    names = {name for status in operation.statuses for name in look(operation.answers(status) or {}, frozenset())}
    assert {name for name in names if SECRET.search(name)} == set()


# --- API4: consumption ------------------------------------------------------------------------------------------------

PAGED = [operation for operation in EVERYTHING if "page_size" in operation.parameters("query")]
LARGE = 2 * 1024 * 1024


@each(PAGED)
def test_api4_no_page_is_larger_than_the_largest(operation: Operation):
    operator = make_operator()
    kind = KINDS[ids_of(operation)[-1]] if ids_of(operation) else None
    path = _object(operation, kind, operator) if kind else {}

    for size in ("1000000", "0", "-1", "1e9", "9" * 400):
        answer = call(operation, person=operator, path=path, query={"page_size": size})
        assert (answer.status_code, problem(answer)["code"]) == (400, "holdfast.invalid_page_size"), size


@each([operation for operation in EVERYTHING if operation.method == "get"])
def test_api4_each_list_that_grows_has_pages_or_an_end(operation: Operation):
    properties = (operation.answers("200") or {}).get("properties", {})
    if "results" in properties:
        assert {"page_size", "limit", "interval"} & set(operation.parameters("query"))


@each([operation for operation in EVERYTHING if operation.method in ("post", "put", "patch")])
def test_api4_no_body_is_read_that_is_too_large_or_too_deep(operation: Operation):
    operator = make_operator()
    large = call(operation, person=operator, body=b'{"text":"' + b"x" * LARGE + b'"}')
    deep = call(operation, person=operator, body="[" * 100_000)

    if operation.request:
        assert (large.status_code, deep.status_code) == (413, 400)
    else:
        assert max(large.status_code, deep.status_code) < 500  # what reads no JSON may leave it unread


@each(EVERYTHING)
def test_api4_who_asks_without_end_is_told_to_wait(operation: Operation, monkeypatch: pytest.MonkeyPatch):
    rates = dict.fromkeys(django_settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], "1/min")
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", rates)
    person = None if operation.open else make_operator()

    call(operation, person=person)
    answer = call(operation, person=person)

    assert (answer.status_code, problem(answer)["code"]) == (429, "holdfast.throttled")
    assert int(answer.headers["Retry-After"]) > 0


# --- API5: functions --------------------------------------------------------------------------------------------------


@each(everything())
def test_api5_an_operation_lets_in_whom_the_page_of_access_says(operation: Operation):
    assert access.row(operation) in access.PAGE.read_text().splitlines(), (
        "nox -s access writes the page again; read it."
    )


# --- API6: business flows ---------------------------------------------------------------------------------------------


@each([operation for operation in EVERYTHING if "Idempotency-Key" in operation.parameters("header")])
def test_api6_what_must_happen_once_does_not_happen_without_a_name(operation: Operation):
    if not operation.parameters("header")["Idempotency-Key"]["required"]:
        pytest.skip("It may be told twice.")
    answer = call(operation, person=make_operator(), headers={"Idempotency-Key": ""})
    assert answer.status_code == 400, answer.content


@each([operation for operation in EVERYTHING if operation.open and operation.method == "post"])
def test_api6_the_doors_for_strangers_open_slowly(operation: Operation, monkeypatch: pytest.MonkeyPatch):
    # Without the general limits: each has a narrower one of its own, or takes a signature that cannot be guessed.
    if any("{token}" in one for one in ids_of(operation)):
        pytest.skip("Whoever comes has a signed link.")
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", {"anon": None, "user": None, "sign_in": "1/min"})

    assert [call(operation).status_code for _ in range(2)][1] == 429


# --- API7: requests of ours -------------------------------------------------------------------------------------------


class Neighbor:
    """A server beside ours that nobody outside may reach; it counts who knocks."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.listener.getsockname()[1]}/inner"
        self.knocks = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.knocks += 1
            connection.close()


@pytest.fixture
def neighbor() -> Iterator[Neighbor]:
    made = Neighbor()
    yield made
    made.listener.close()


def test_api7_no_address_that_somebody_writes_anywhere_is_called(neighbor: Neighbor):
    operator = make_operator()
    for operation in WITH_A_BODY:
        kind = KINDS[ids_of(operation)[-1]] if ids_of(operation) else None
        for address in (neighbor.address, neighbor.address.replace("http:", "https:")):
            path = _object(operation, kind, operator) if kind else {}
            # A channel is chosen by name: each that there is.
            for name in catalog_channels() if "channel" in path else [None]:
                body = operation.example(partial(_in_each_text, address), whole=True)
                call(operation, person=operator, path=path | ({"channel": name} if name else {}), body=body)
    # What was written is followed: a change that every admin is told of, over the channels that were chosen above.
    make_product()
    drain_outbox(raise_errors=False)
    catalog.Worker().run()

    assert neighbor.knocks == 0


def catalog_channels() -> list[str]:
    return list(django_settings.HOLDFAST_CATALOG_NOTIFY["CHANNELS"])


def _in_each_text(address: str, _name: str, schema: Schema) -> str | None:
    free = schema.get("type") == "string" and "enum" not in schema and schema.get("format") in (None, "uri")
    return address if free else None


# --- API8: configuration ----------------------------------------------------------------------------------------------

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@each(EVERYTHING)
def test_api8_each_answer_is_dressed(operation: Operation):
    for person in (None, make_person(), make_operator()):
        answer = call(operation, person=person, headers={"Origin": "https://evil.example"})
        for name, value in HEADERS.items():
            assert answer.headers.get(name) in {value, "no-referrer"}, name
        assert re.search(r"default-src '(self|none)'", answer.headers["Content-Security-Policy"])
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Request-ID"]
        assert not {"Access-Control-Allow-Origin", "Server", "X-Powered-By"} & set(answer.headers)


@each(EVERYTHING)
def test_api8_a_method_that_is_not_there_is_refused(operation: Operation):
    item = document()["paths"][operation.path]
    values = dict.fromkeys(operation.parameters("path"), "00000000-0000-7000-8000-000000000000")
    for method in {"get", "post", "put", "patch", "delete", "trace"} - set(item):
        answer = Client().generic(method.upper(), operation.address(values), headers=bearer(make_operator()))
        assert (answer.status_code, problem(answer)["code"]) == (405, "holdfast.method_not_allowed"), method


def test_api8_a_crash_tells_nothing_of_what_broke(monkeypatch: pytest.MonkeyPatch):
    from people.api.views import ProfileView

    def crash(*_args: Any) -> None:
        raise RuntimeError("postgres://somebody:secret@database/")

    monkeypatch.setattr(ProfileView, "get", crash)
    profile = next(operation for operation in EVERYTHING if str(operation) == "GET /api/v1/me/")
    answer = call(profile, person=make_person())
    assert (answer.status_code, problem(answer)["code"]) == (500, "holdfast.server_error")
    assert "secret" not in answer.content.decode()
    assert "Traceback" not in answer.content.decode()


# --- API9: inventory --------------------------------------------------------------------------------------------------

UNDOCUMENTED = {
    "holdfast_cards.api.webhooks.WebhookView": "for the card provider, who has a document of his own",
}


def routes(patterns: list[Any], prefix: str = "/") -> Iterator[tuple[str, Any]]:
    """Return each route below a prefix, and its view."""
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route), pattern.callback


def test_api9_each_route_of_the_api_is_documented_and_nothing_else_is():
    there = {path: view for path, view in routes(get_resolver().url_patterns) if path.startswith("/api/")}
    told = set(document()["paths"])
    # The same operation with a slash at its end is documented without it.
    silent = {path: view for path, view in there.items() if not {path, path.rstrip("/")} & told}

    assert {f"{view.cls.__module__}.{view.cls.__qualname__}" for view in silent.values()} <= set(UNDOCUMENTED)
    assert told <= set(there)


def test_api9_each_operation_says_what_it_is_for_and_whom_it_belongs_to():
    names = [operation.body["operationId"] for operation in everything()]

    assert len(names) == len(set(names))
    for operation in everything():
        assert operation.body.get("summary") or operation.body.get("description"), operation
        assert operation.tag, operation


# --- API10: answers of others -----------------------------------------------------------------------------------------

ROOT = Path(__file__).parents[2]
# The two doors to others: each has deadlines, a cap and no redirects, and tests that break them.
DOORS = {"packages/foundation/src/holdfast/http.py", "packages/foundation/src/holdfast/outbox/webhooks/sender.py"}
# A guide through the demo, on somebody's own machine: it is a client of the API, and no part of what answers.
GUIDE = {"example_project/storefront/management/commands/tour.py", "example_project/storefront/tour/calls.py"}
CLIENTS = {"aiohttp", "httpx", "requests", "urllib.request", "urllib3"}
CALLS = {"HTTPConnection", "HTTPSConnection", "create_connection", "urlopen"}


def called_in(module: Path) -> set[str]:
    """Return the clients that a module imports, and what it calls that opens a connection."""
    nodes = list(ast.walk(ast.parse(module.read_text())))
    names = {alias.name for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom)) for alias in node.names}
    names |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    calls = {getattr(node.func, "attr", getattr(node.func, "id", "")) for node in nodes if isinstance(node, ast.Call)}
    return (names & CLIENTS) | (calls & CALLS)


def test_api10_others_are_called_through_the_doors_that_bound_what_they_answer():
    shipped = [*ROOT.glob("packages/*/src/**/*.py"), *ROOT.glob("example_project/**/*.py")]
    callers = {str(module.relative_to(ROOT)): called_in(module) for module in shipped}

    assert {name for name, found in callers.items() if found and "/testing/" not in name} - GUIDE == DOORS


@pytest.mark.parametrize("provider", ["bank", "stripe", "lithic", "nobody"])
def test_api10_what_a_provider_tells_counts_only_with_his_signature(provider: str, settings: Any):
    told = {"id": "evt_1", "type": "issuing_card.updated", "data": {"object": {"id": "ic_1", "status": "canceled"}}}
    headers = {
        "webhook-id": "evt_1",
        "webhook-timestamp": "0",
        "webhook-signature": "v1,AAAA",
        "Stripe-Signature": "t=0",
    }

    answer = Client(raise_request_exception=False).post(
        f"/api/v1/cards/webhooks/{provider}/", told, content_type=JSON, headers=headers
    )

    assert answer.status_code in (400, 401, 404), answer.content
    assert problem(answer)["code"]

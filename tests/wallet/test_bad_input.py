"""Whatever is wrong with a request: a problem with a stable code, and the ledger is as it was."""

import uuid
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from django.test import override_settings

from holdfast_wallet import services
from holdfast_wallet.models import Account
from holdfast_wallet.testing import make_account, make_hold
from tests.wallet.doors import Door, World, assert_problem, digest, eur, make_world, url

pytestmark = pytest.mark.django_db

NOBODYS = "018f0000-0000-7000-8000-000000000000"
RATES = {"RATES": {"BACKEND": "holdfast_wallet.backends.rates.FixedRates", "OPTIONS": {"rates": {"EUR/USD": "1.1"}}}}


@pytest.fixture(scope="module", autouse=True)
def made(rows_of_the_module):
    return make_world()


@pytest.fixture
def world(made):
    return deepcopy(made)


@pytest.fixture(autouse=True)
def _rates():
    with override_settings(HOLDFAST_WALLET=RATES):
        yield


def my_hold(world: World) -> str:
    placed = world.door.post(url("holds"), {"account": str(world.wallet.pk), "amount": eur("5.00")})
    return str(placed.json()["id"])


# Every door that takes an amount: its path, and a body that would be good.
AMOUNTS: dict[str, Callable[[World], tuple[str, dict[str, Any]]]] = {
    "deposits": lambda w: (url("deposits"), {"account": str(w.wallet.pk), "amount": eur("1.00")}),
    "withdrawals": lambda w: (url("withdrawals"), {"account": str(w.wallet.pk), "amount": eur("1.00")}),
    "transfers": lambda w: (
        url("transfers"),
        {"source": str(w.wallet.pk), "target": str(w.others.pk), "amount": eur("1.00")},
    ),
    "refunds": lambda w: (url("refund", w.received.pk), {"amount": eur("1.00")}),
    "holds": lambda w: (url("holds"), {"account": str(w.wallet.pk), "amount": eur("1.00")}),
    "captures": lambda w: (
        url("capture-hold", my_hold(w)),
        {"target": str(w.others.pk), "amount": eur("1.00")},
    ),
    "exchanges": lambda w: (
        url("exchanges"),
        {"source": str(w.wallet.pk), "target": str(w.dollars.pk), "amount": eur("1.00")},
    ),
}

# What is no amount: as the body says it, and the code of the problem.
BAD_AMOUNTS = {
    "zero": (eur("0.00"), 422, "holdfast_wallet.amount_not_positive"),
    "negative": (eur("-1.00"), 422, "holdfast_wallet.amount_not_positive"),
    "too many decimals": (eur("1.001"), 400, "holdfast.invalid"),
    "NaN as text": (eur("NaN"), 400, "holdfast.invalid"),
    "infinity as text": (eur("Infinity"), 400, "holdfast.invalid"),
    "10^30": (eur("1" + "0" * 30), 400, "holdfast.invalid"),
    "10^30 by exponent": (eur("1e30"), 400, "holdfast.invalid"),
    "more than the ledger keeps": (eur("90000000000000000.00"), 422, "holdfast_wallet.amount_too_large"),
    "garbage": (eur("twelve"), 400, "holdfast.invalid"),
    "empty": (eur(""), 400, "holdfast.invalid"),
    "float": (eur(1.5), 400, "holdfast.invalid"),
    "boolean": (eur(True), 400, "holdfast.invalid"),
    "null": (eur(None), 400, "holdfast.invalid"),
    "list": (eur(["1.00"]), 400, "holdfast.invalid"),
    "no object": ("1.00", 400, "holdfast.invalid"),
    "no currency": ({"amount": "1.00"}, 400, "holdfast.invalid"),
    "unknown currency": ({"amount": "1.00", "currency": "XYZ"}, 400, "holdfast.invalid"),
    "gold": ({"amount": "1", "currency": "XAU"}, 400, "holdfast.invalid"),
    "another currency": ({"amount": "1.00", "currency": "USD"}, 422, "holdfast_wallet.currency_mismatch"),
}


# What is too much for the ledger is too much for what is given back, first of all.
ELSEWHERE = {("refunds", "more than the ledger keeps"): (409, "holdfast_wallet.reversal_exceeds_original")}


@pytest.mark.parametrize("door", AMOUNTS)
def test_a_bad_amount_changes_nothing(world, subtests, door):
    path, body = AMOUNTS[door](world)
    before = digest()

    for case, (amount, *answer) in BAD_AMOUNTS.items():
        status, code = ELSEWHERE.get((door, case), answer)
        with subtests.test(case):
            assert_problem(world.door.post(path, {**body, "amount": amount}), status, code)
            assert digest() == before


PAYING = [door for door in AMOUNTS if door != "deposits"]


@pytest.mark.parametrize("door", PAYING)
def test_more_than_there_is_changes_nothing(world, door):
    path, body = AMOUNTS[door](world)
    codes = {"refunds": "reversal_exceeds_original", "captures": "capture_exceeds_hold"}
    amount = "50.00" if door in codes else "100000.00"  # what the account has, and more than the original or the hold
    before = digest()

    answer = world.door.post(path, {**body, "amount": eur(amount)})
    assert_problem(answer, 409, f"holdfast_wallet.{codes.get(door, 'insufficient_funds')}")
    assert digest() == before


# Every body that names an account: door and field.
ACCOUNT_FIELDS = [
    ("deposits", "account"),
    ("withdrawals", "account"),
    ("transfers", "source"),
    ("transfers", "target"),
    ("holds", "account"),
    ("captures", "target"),
    ("exchanges", "source"),
    ("exchanges", "target"),
]


@pytest.mark.parametrize(("door", "field"), ACCOUNT_FIELDS)
def test_an_unknown_account_changes_nothing(world, subtests, door, field):
    path, body = AMOUNTS[door](world)
    before = digest()

    for account in (NOBODYS, 12):  # an integer is a UUID to Django REST framework
        with subtests.test(account):
            answer = world.door.post(path, {**body, field: account})
            assert_problem(answer, 404, "holdfast_wallet.account_not_found")
            assert digest() == before
    for account in ("not-a-uuid", "", None, ["x"], {"id": NOBODYS}):
        with subtests.test(str(account)):
            assert_problem(world.door.post(path, {**body, field: account}), 400, "holdfast.invalid")
            assert digest() == before


@pytest.mark.parametrize(("door", "field"), [(door, field) for door, field in ACCOUNT_FIELDS if field != "target"])
def test_somebody_elses_account_is_not_there(world, door, field):
    path, body = AMOUNTS[door](world)
    before = digest()

    mine = {"target": str(world.savings.pk)} if door == "transfers" else {}
    answer = world.door.post(path, {**body, **mine, field: str(world.others.pk)})
    assert_problem(answer, 404, "holdfast_wallet.account_not_found")
    assert digest() == before


@pytest.mark.parametrize("door", PAYING)
def test_a_frozen_account_pays_nothing(world, door):
    path, body = AMOUNTS[door](world)
    services.freeze_account(account_id=world.wallet.pk, owner_id=world.ada.pk)
    before = digest()

    assert_problem(world.door.post(path, body), 409, "holdfast_wallet.account_frozen")
    assert digest() == before


def test_a_frozen_account_that_may_not_receive_gets_nothing(world):
    services.freeze_account(account_id=world.wallet.pk, owner_id=world.ada.pk, block_credits=True)
    path, body = AMOUNTS["deposits"](world)
    before = digest()

    assert_problem(world.door.post(path, body), 409, "holdfast_wallet.account_frozen")
    assert digest() == before


@pytest.mark.parametrize(("door", "field"), ACCOUNT_FIELDS)
def test_a_closed_account_takes_no_part(world, door, field):
    path, body = AMOUNTS[door](world)
    currency = "USD" if (door, field) == ("exchanges", "target") else "EUR"
    closed = make_account(owner=world.ada, currency=currency)
    services.close_account(account_id=closed.pk, owner_id=world.ada.pk)
    before = digest()

    assert_problem(world.door.post(path, {**body, field: str(closed.pk)}), 409, "holdfast_wallet.account_closed")
    assert digest() == before


# Every door with a body: what is wrong with the body as a whole.
BODIES = {
    **AMOUNTS,
    "accounts": lambda w: (url("accounts"), {"currency": "EUR"}),
    "batch": lambda w: (url("transfer-batch"), {"transfers": [AMOUNTS["transfers"](w)[1]]}),
    "close": lambda w: (url("close-account", w.savings.pk), {}),
    "default": lambda w: (url("make-default", w.savings.pk), {}),
    "release": lambda w: (url("release-hold", my_hold(w)), {}),
}
RAW = {
    "cut off": (b'{"amount": ', 400, "holdfast.parse_error"),
    "no JSON at all": (b"amount=1.00", 400, "holdfast.parse_error"),
    "NaN": (b'{"amount": {"amount": NaN, "currency": "EUR"}}', 400, "holdfast.parse_error"),
    "a name twice": (b'{"amount": 1, "amount": 2}', 400, "holdfast.parse_error"),
    "not UTF-8": (b'{"name": "\xff"}', 400, "holdfast.parse_error"),
    "nested deeply": (b"[" * 100_000, 400, "holdfast.parse_error"),
    "too large": (b'{"name": "' + b"x" * 3_000_000 + b'"}', 413, "holdfast.too_large"),
    "a list": (b"[]", 400, "holdfast.invalid"),
    "a text": (b'"transfer"', 400, "holdfast.invalid"),
    "an unknown field": (b'{"ammount": "1.00"}', 400, "holdfast.invalid"),
}


@pytest.mark.parametrize("door", BODIES)
def test_a_body_that_cannot_be_read_changes_nothing(world, subtests, door):
    path, _good = BODIES[door](world)
    before = digest()

    for case, (body, status, code) in RAW.items():
        with subtests.test(case):
            answer = world.door.client.post(
                path, body, content_type="application/json", headers={"Idempotency-Key": str(uuid.uuid4())}
            )
            assert_problem(answer, status, code)
            assert digest() == before


@pytest.mark.parametrize("door", BODIES)
def test_a_form_is_not_read(world, door):
    path, _good = BODIES[door](world)

    answer = world.door.client.post(path, {"amount": "1"}, headers={"Idempotency-Key": "k"}, format="multipart")
    assert_problem(answer, 415, "holdfast.unsupported_media_type")


KEYED = [door for door in BODIES if door not in ("accounts", "close", "default", "release")]


@pytest.mark.parametrize("door", BODIES)
def test_a_bad_key_changes_nothing(world, subtests, door):
    path, good = BODIES[door](world)
    before = digest()

    for key in ("", "x" * 256, "ключ", "two words", '"open'):
        with subtests.test(key[:20]):
            answer = world.door.client.post(path, good, format="json", headers={"Idempotency-Key": key})
            assert_problem(answer, 400, "holdfast.idempotency_key_invalid")
            assert digest() == before


@pytest.mark.parametrize("door", KEYED)
def test_where_money_moves_a_key_is_needed(world, door):
    path, good = BODIES[door](world)
    before = digest()

    assert_problem(world.door.post(path, good, key=None), 400, "holdfast.idempotency_key_required")
    assert digest() == before


@pytest.mark.parametrize("door", AMOUNTS)
def test_a_key_that_was_used_for_another_request_changes_nothing(world, door):
    path, good = AMOUNTS[door](world)
    assert world.door.post(path, {**good, "amount": eur("0.50")}, key="k").status_code == 201
    before = digest()

    assert_problem(world.door.post(path, good, key="k"), 422, "holdfast.idempotency_key_reused")
    assert digest() == before


METADATA = {
    "a text": "text",
    "a list": ["list"],
    "nested": {"a": {"b": "c"}},
    "a long value": {"a": "x" * 501},
    "a name of nothing": {"": "x"},
    "a long name": {"x" * 41: "x"},
    "too many": {str(n): "x" for n in range(21)},
    "a reserved name": {"holdfast_wallet.placed_by": "owner"},
    "a NUL in a value": {"a": "\x00"},
    "a NUL in a name": {"a\x00": "a"},
}


@pytest.mark.parametrize("door", ["transfers", "holds", "deposits", "withdrawals", "exchanges", "captures"])
def test_bad_metadata_changes_nothing(world, subtests, door):
    path, good = AMOUNTS[door](world)
    before = digest()

    for case, metadata in METADATA.items():
        with subtests.test(case):
            answer = world.door.post(path, {**good, "metadata": metadata})
            assert_problem(answer, 400, "holdfast.parse_error" if "NUL" in case else "holdfast.invalid")
            assert digest() == before


def test_a_hold_ends_in_the_future(world, subtests):
    path, good = AMOUNTS["holds"](world)
    before = digest()

    for moment in ("2020-01-01", "2020-01-01T00:00:00Z", "soon", "", 1, None, "9999-12-31T23:59:59Z"):
        with subtests.test(str(moment)):
            assert_problem(world.door.post(path, {**good, "expires_at": moment}), 400, "holdfast.invalid")
            assert digest() == before


@pytest.mark.parametrize("size", [0, 101])
def test_a_batch_is_neither_empty_nor_endless(world, size):
    one = AMOUNTS["transfers"](world)[1]
    before = digest()

    assert_problem(world.door.post(url("transfer-batch"), {"transfers": [one] * size}), 400, "holdfast.invalid")
    assert digest() == before


@pytest.mark.parametrize("currency", ["", "EU", "EURO", "eur", "XYZ", "XAU", 978, None, {}])
def test_an_account_has_a_currency_that_exists(world, currency):
    before = digest()

    answer = world.door.post(url("accounts"), {"currency": currency})
    assert answer.status_code in (400, 422)
    assert_problem(answer, answer.status_code, answer.json()["code"])
    assert digest() == before


# Every list and read.
LISTS = {
    "accounts": lambda w: url("accounts"),
    "entries": lambda w: url("entries", w.wallet.pk),
    "statement": lambda w: url("statement", w.wallet.pk),
    "deposits": lambda w: url("deposits"),
    "withdrawals": lambda w: url("withdrawals"),
    "transfers": lambda w: url("transfers"),
    "transactions": lambda w: url("transactions"),
    "holds": lambda w: url("holds"),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_page_has_a_bounded_size(world, subtests, name):
    for size in ("100000", "201", "0", "-1", "x", "", "1.5", "9" * 400):
        with subtests.test(size[:20]):
            assert_problem(world.door.get(LISTS[name](world), page_size=size), 400, "holdfast.invalid_page_size")


@pytest.mark.parametrize("name", LISTS)
def test_a_bad_cursor_is_refused(world, subtests, name):
    for cursor in ("", "x", "AAAA", "WzAsbnVsbF0", "\x00", "é", "W" * 5000, "WzAsIjEiLCIyIiwiMyJd"):
        with subtests.test(cursor[:20]):
            assert_problem(world.door.get(LISTS[name](world), cursor=cursor), 400, "holdfast.invalid_cursor")


@pytest.mark.parametrize("name", LISTS)
def test_an_unknown_parameter_is_refused_not_ignored(world, name):
    assert_problem(world.door.get(LISTS[name](world), colour="red"), 400, "holdfast.invalid")


@pytest.mark.parametrize(("route", "name"), [("balance", "at"), ("statement", "start"), ("statement-csv", "end")])
def test_a_moment_is_a_moment(world, subtests, route, name):
    for at in ("yesterday", "", "2026-13-01", "2026-02-30T12:00:00Z", "0001-01-01", "9999-12-31", "\x00", "9" * 50):
        with subtests.test(at):
            assert_problem(world.door.get(url(route, world.wallet.pk), **{name: at}), 400, "holdfast.invalid")


def test_a_statement_does_not_end_before_it_begins(world):
    answer = world.door.get(url("statement", world.wallet.pk), start="2026-02-01", end="2026-01-01")
    assert_problem(answer, 400, "holdfast.invalid")


def his_payment(world: World, route: str) -> str:
    body = {"account": str(world.others.pk), "amount": eur("1.00")}
    return str(Door(world.bob).post(url(route), body).json()["id"])


def his_transfer(world: World) -> str:
    second = make_account(owner=world.bob)
    body = {"source": str(world.others.pk), "target": str(second.pk), "amount": eur("1.00")}
    return str(Door(world.bob).post(url("transfers"), body).json()["id"])


# Two users: whatever carries an id in its path.
THINGS: dict[str, tuple[str, str, Callable[[World], Any], str]] = {
    "account": ("get", "account", lambda w: w.others.pk, "account"),
    "rename": ("patch", "account", lambda w: w.others.pk, "account"),
    "default": ("post", "make-default", lambda w: w.others.pk, "account"),
    "close": ("post", "close-account", lambda w: w.others.pk, "account"),
    "balance": ("get", "balance", lambda w: w.others.pk, "account"),
    "entries": ("get", "entries", lambda w: w.others.pk, "account"),
    "statement": ("get", "statement", lambda w: w.others.pk, "account"),
    "statement as a file": ("get", "statement-csv", lambda w: w.others.pk, "account"),
    "statement as a page": ("get", "statement-html", lambda w: w.others.pk, "account"),
    "deposit": ("get", "deposit", lambda w: his_payment(w, "deposits"), "payment"),
    "withdrawal": ("get", "withdrawal", lambda w: his_payment(w, "withdrawals"), "payment"),
    "transfer": ("get", "transfer", his_transfer, "transfer"),
    "refund": ("post", "refund", his_transfer, "transfer"),
    "transaction": ("get", "transaction", his_transfer, "transfer"),
    "hold": ("get", "hold", lambda w: make_hold(account=w.others).pk, "hold"),
    "capture": ("post", "capture-hold", lambda w: make_hold(account=w.others).pk, "hold"),
    "release": ("post", "release-hold", lambda w: make_hold(account=w.others).pk, "hold"),
}


@pytest.mark.parametrize("thing", THINGS)
def test_what_is_somebody_elses_is_not_there_for_me(world, thing):
    method, route, make, noun = THINGS[thing]
    path = url(route, make(world))
    bodies = {"rename": {"name": "mine"}, "capture": {"target": str(world.wallet.pk)}}
    before = digest()

    send = getattr(world.door, method)
    answer = send(path) if method == "get" else send(path, bodies.get(thing, {}))
    assert_problem(answer, 404, f"holdfast_wallet.{noun}_not_found")
    assert digest() == before


@pytest.mark.parametrize("thing", THINGS)
def test_what_is_not_there_is_not_there(world, thing):
    method, route, _make, noun = THINGS[thing]
    bodies = {"rename": {"name": "mine"}, "capture": {"target": str(world.wallet.pk)}}

    send = getattr(world.door, method)
    path = url(route, uuid.UUID(NOBODYS))
    answer = send(path) if method == "get" else send(path, bodies.get(thing, {}))
    assert_problem(answer, 404, f"holdfast_wallet.{noun}_not_found")


@pytest.mark.parametrize("name", [*LISTS, *THINGS])
def test_nobody_passes_without_saying_who_he_is(world, name):
    if name in LISTS:
        answer = Door().get(LISTS[name](world))
    else:
        method, route, make, _noun = THINGS[name]
        send = getattr(Door(), method)
        path = url(route, make(world))
        answer = send(path) if method == "get" else send(path, {})
    assert answer.status_code in (401, 403)
    assert_problem(answer, answer.status_code, "holdfast.not_authenticated")


def test_a_path_that_is_no_uuid_leads_nowhere(world):
    assert world.door.get("/api/v1/wallet/accounts/1/").status_code == 404
    assert Account.objects.exists()

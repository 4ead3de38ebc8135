"""Stories of people at the pages."""

import csv
import re
import uuid
from collections.abc import Callable

import pytest
from django.test import Client, RequestFactory

from holdfast.api.problems import handler500 as server_error
from holdfast.ids import uuid7
from holdfast.money import Money
from holdfast.testing import drain_outbox
from holdfast_wallet import selectors, services
from people.selectors import find_person
from tests.journeys.visitor import Visitor

pytestmark = pytest.mark.django_db

Newcomer = Callable[..., Visitor]


def account_of(visitor: Visitor, currency: str = "EUR"):
    return selectors.default_account(owner_id=find_person(visitor.username).pk, currency=currency)


def top_up(visitor: Visitor, amount: str) -> None:
    visitor.open("/wallet/top-up/").submit(amount=amount)


def send(visitor: Visitor, recipient: str, amount: str, note: str = "") -> None:
    visitor.open("/wallet/send/").submit(recipient=recipient, amount=amount, note=note)
    visitor.submit(action="/wallet/send/confirm/")


def test_from_registering_to_a_statement(newcomer: Newcomer):
    greta = newcomer("greta", role="artisan")
    ada = newcomer("ada", first_name="Ada")

    assert "Hello, Ada" in ada.open("/wallet/").text
    assert "100.00 EUR arrived." in ada.open("/wallet/top-up/").submit(amount="100").text

    ada.open("/wallet/send/").submit(recipient="greta", amount="30,50", note="A small vase")
    assert "Is this right?" in ada.text
    assert "@greta" in ada.text
    assert account_of(ada).balance_minor == 100_00
    assert "You sent 30.50 EUR to greta." in ada.submit(action="/wallet/send/confirm/").text
    assert account_of(ada).balance_minor == 69_50

    ada.open("/wallet/holds/new/").submit(amount="20", note="Tea bowls", days="7")
    assert "20.00 EUR are set aside." in ada.text
    assert account_of(ada).available.amount == 49.50
    pay = re.search(r'href="(/wallet/holds/[^"]+/pay/)"', ada.text)[1]
    assert "You paid 15.00 EUR to greta." in ada.open(pay).submit(recipient="greta", amount="15").text
    assert account_of(ada).balance_minor == account_of(ada).available.amount * 100 == 54_50

    ada.open(f"/wallet/accounts/{account_of(ada).id}/statement.csv")
    rows = list(csv.DictReader(ada.text.splitlines()))
    assert [(row["what"], row["note"], row["amount"], row["balance"]) for row in rows] == [
        ("Opening balance", "", "", "0.00"),
        ("Top up", "From your bank", "100.00", "100.00"),
        ("To greta", "A small vase", "-30.50", "69.50"),
        ("To greta", "From money set aside", "-15.00", "54.50"),
        ("Closing balance", "", "", "54.50"),
    ]

    drain_outbox()
    assert "ada sent you 30.50 EUR" in greta.open("/activity/").text.replace("Ada", "ada")
    assert account_of(greta).balance_minor == 45_50


def test_a_form_that_is_sent_twice_moves_the_money_once(newcomer: Newcomer):
    ben, ada = newcomer("ben"), newcomer("ada")
    top_up(ada, "50.00")
    ada.open("/wallet/send/").submit(recipient="ben", amount="20")
    form = ada.form("/wallet/send/confirm/")["fields"]

    first, second = (ada.client.post("/wallet/send/confirm/", form) for _ in range(2))

    assert first.status_code == second.status_code == 302
    assert first.url == second.url
    assert account_of(ben).balance_minor == 20_00


def test_a_key_that_was_used_for_something_else_is_refused(newcomer: Newcomer):
    newcomer("ben")
    ada = newcomer("ada")
    top_up(ada, "50.00")
    ada.open("/wallet/send/").submit(recipient="ben", amount="20")
    form = ada.form("/wallet/send/confirm/")["fields"]
    ada.client.post("/wallet/send/confirm/", form)

    again = ada.client.post("/wallet/send/confirm/", form | {"amount": "25"})

    assert again.status_code == 422
    assert b"holdfast_wallet.key_reused" in again.content


@pytest.mark.parametrize(
    ("values", "status", "code"),
    [
        ({"amount": "0"}, 422, "holdfast_wallet.amount_not_positive"),
        ({"amount": "-5"}, 422, "holdfast_wallet.amount_not_positive"),
        ({"amount": "5000"}, 409, "holdfast_wallet.insufficient_funds"),
        ({"recipient": "nobody"}, 404, "people.person_not_found"),
        ({"recipient": "ada"}, 422, "holdfast_wallet.same_account"),
        ({"recipient": str(uuid.uuid4())}, 404, "holdfast_wallet.account_not_found"),
    ],
)
def test_a_refusal_is_shown_with_its_code_and_nothing_moves(newcomer: Newcomer, values, status, code):
    newcomer("ben")
    ada = newcomer("ada")
    top_up(ada, "50.00")
    ada.open("/wallet/send/")
    form = ada.form()["fields"] | {"recipient": "ben", "amount": "5"} | values

    answer = ada.client.post("/wallet/send/confirm/", form)

    assert answer.status_code == status
    assert code in answer.content.decode()
    assert account_of(ada).balance_minor == 50_00


@pytest.mark.parametrize("amount", ["", "NaN", "1e3", "12.345", "1,250", "a lot", "1" * 29, "0x10"])
def test_an_amount_that_is_none_is_explained_at_its_field(newcomer: Newcomer, amount):
    ada = newcomer("ada")

    ada.open("/wallet/top-up/").submit(amount=amount, status=422)

    assert 'aria-invalid="true"' in ada.text
    assert account_of(ada).balance_minor == 0


def test_money_for_somebody_without_an_account_in_the_currency_is_refused(newcomer: Newcomer):
    newcomer("ben")
    ada = newcomer("ada")
    ada.open("/wallet/open/").submit(currency="USD", name="Travel")
    dollars = account_of(ada, "USD")

    ada.open(f"/wallet/send/?account={dollars.id}").submit(recipient="ben", amount="5", status=409)

    assert "ben has no account in USD." in ada.text
    assert "storefront.no_account_in_currency" in ada.text


def test_an_exchange_happens_at_the_rate_that_was_shown(newcomer: Newcomer):
    ada = newcomer("ada")
    top_up(ada, "201")
    ada.open("/wallet/open/").submit(currency="JPY", name="Tokyo")
    yen = account_of(ada, "JPY")

    ada.open("/wallet/exchange/").submit(amount="200", target=str(yen.id))
    assert "1 EUR = 163.25 JPY" in ada.text
    ada.submit(action="/wallet/exchange/confirm/")

    assert "200.00 EUR became 32,650 JPY." in ada.text
    assert account_of(ada, "JPY").balance_minor == 32_650
    assert account_of(ada).balance_minor == 0  # 200 and the fee of half a percent


@pytest.mark.parametrize(
    ("values", "status", "words"),
    [
        ({"amount": "999999"}, 409, "You can spend 3,050.00 EUR from it."),
        ({"recipient": "ada"}, 422, "Choose somebody else."),
        ({"amount": "0"}, 422, "greater than zero"),
        ({"amount": "1,000"}, 422, "Write the amount in figures alone, such as 1000 or 12.50"),
        ({"amount": "1,000.50"}, 422, "Write the amount in figures alone"),
        ({"amount": "1e3"}, 422, "Write the amount in figures alone"),
    ],
)
def test_what_cannot_be_sent_is_said_before_the_question(newcomer: Newcomer, values, status, words):
    newcomer("ben")
    ada = newcomer("ada")
    top_up(ada, "3050")

    ada.open("/wallet/send/").submit(**{"recipient": "ben", "amount": "5"} | values, status=status)

    assert words in ada.text
    assert "Is this right?" not in ada.text


def test_more_than_is_set_aside_is_refused_in_words_for_people(newcomer: Newcomer):
    newcomer("ben")
    ada = newcomer("ada")
    top_up(ada, "3000")
    ada.open("/wallet/holds/new/").submit(amount="2000", note="Boat")
    pay = re.search(r'href="(/wallet/holds/[^"]+/pay/)"', ada.text)[1]

    ada.open(pay).submit(recipient="ben", amount="2500", status=409)

    assert "That is more than is set aside." in ada.text
    assert "There are 2,000.00 EUR left in it." in ada.text


def test_an_exchange_never_proposes_the_account_that_the_money_comes_from(newcomer: Newcomer):
    ada = newcomer("ada")
    assert ada.open("/wallet/exchange/").form()["fields"]["target"] == ""

    ada.open("/wallet/open/").submit(currency="JPY", name="Tokyo")
    euro, yen = str(account_of(ada).id), str(account_of(ada, "JPY").id)

    assert ada.open("/wallet/exchange/").form()["fields"]["target"] == yen
    assert ada.open(f"/wallet/exchange/?account={yen}").form()["fields"]["target"] == euro


def test_a_rate_of_ones_own_making_is_no_quote(newcomer: Newcomer):
    ada = newcomer("ada")
    top_up(ada, "201")
    ada.open("/wallet/open/").submit(currency="JPY", name="Tokyo")
    ada.open("/wallet/exchange/")
    form = ada.form()["fields"] | {"amount": "200", "target": str(account_of(ada, "JPY").id)}

    answer = ada.client.post("/wallet/exchange/confirm/", form | {"quote": "EUR/JPY/9999:1u0abc:forged"})

    assert answer.status_code == 409
    assert b"storefront.quote_expired" in answer.content
    assert account_of(ada).balance_minor == 201_00


def test_what_was_set_aside_for_a_shop_is_not_freed_by_the_buyer(newcomer: Newcomer):
    ada = newcomer("ada")
    top_up(ada, "50")
    account = account_of(ada)
    hold = services.place_hold(key=uuid7(), account_id=account.id, amount=Money("20", "EUR"), owner_id=account.owner_id)

    assert "Whom it was set aside for ends it" in ada.open("/wallet/holds/").text
    assert ada.client.post(f"/wallet/holds/{hold.id}/free/").status_code == 403
    assert ada.client.get(f"/wallet/holds/{hold.id}/pay/").status_code == 403
    assert account_of(ada).held_minor == 20_00


def test_what_belongs_to_somebody_else_is_not_there(newcomer: Newcomer):
    ben, ada = newcomer("ben"), newcomer("ada")
    top_up(ada, "50")
    ada.open("/wallet/holds/new/").submit(amount="20", note="Mine")
    account = account_of(ada)
    hold = selectors.holds_of(owner_id=account.owner_id).get()
    entry = selectors.entries(account_id=account.id, owner_id=account.owner_id)[0]

    for address in [
        f"/wallet/accounts/{account.id}/",
        f"/wallet/accounts/{account.id}/statement/",
        f"/wallet/accounts/{account.id}/statement.csv",
        f"/wallet/transfers/{entry.transfer_id}/",
        f"/wallet/holds/{hold.id}/pay/",
    ]:
        ada.open(address)
        assert "There is nothing here" in ben.open(address, status=404).text
    assert ben.client.post(f"/wallet/holds/{hold.id}/free/").status_code == 404
    ben.open("/wallet/send/").submit(account=str(account.id), recipient="ben", amount="5", status=422)


def test_who_is_not_signed_in_is_led_to_the_door_and_back(newcomer: Newcomer):
    ada = newcomer("ada")
    ada.client.logout()

    ada.open("/wallet/top-up/")
    assert ada.address == "/login/"
    ada.submit(username="ADA", password="correct-horse-battery")

    assert ada.address == "/wallet/top-up/"


def test_after_too_many_wrong_passwords_the_right_one_does_not_help_either(newcomer: Newcomer):
    ada = newcomer("ada")
    ada.client.logout()
    for _ in range(10):
        ada.open("/login/").submit(username="ada", password="wrong")

    ada.submit(username="ada", password="correct-horse-battery", status=429)

    assert "too many attempts" in ada.text


def test_a_taken_name_in_any_case_is_refused(newcomer: Newcomer):
    newcomer("ada")

    assert (
        "people.username_taken"
        in Visitor("x")
        .open("/register/")
        .submit(username="Ada", email="x@example.org", password="correct-horse-battery", status=409)
        .text
    )
    assert (
        "people.email_taken"
        in Visitor("x")
        .open("/register/")
        .submit(username="x", email="ADA@example.org", password="correct-horse-battery", status=409)
        .text
    )


def test_a_weak_password_is_refused():
    visitor = Visitor("ada").open("/register/")

    visitor.submit(username="ada", email="ada@example.org", password="password", status=422)

    assert "people.password_too_weak" in visitor.text


def test_long_histories_are_read_in_pages(newcomer: Newcomer):
    ada = newcomer("ada")
    for amount in range(1, 31):
        top_up(ada, str(amount))
    ada.open(f"/wallet/accounts/{account_of(ada).id}/")
    assert "+30<" in ada.text
    older = re.search(r'href="(\?before=\d+)"', ada.text)[1]

    ada.open(ada.address + older)

    assert ada.text.count("/wallet/transfers/") == 5
    assert "Newest" in ada.text


def test_a_note_cannot_become_a_formula_in_the_statement(newcomer: Newcomer):
    newcomer("ben")
    ada = newcomer("ada")
    top_up(ada, "50")
    send(ada, "ben", "5", note="=HYPERLINK(1)")

    ada.open(f"/wallet/accounts/{account_of(ada).id}/statement.csv")

    assert "'=HYPERLINK(1)" in ada.text


def test_a_frozen_account_says_so_and_pays_nothing(newcomer: Newcomer):
    newcomer("ben")
    ada = newcomer("ada")
    top_up(ada, "50")
    account = account_of(ada)
    services.freeze_account(account_id=account.id, owner_id=account.owner_id, reason="Lost phone")

    assert "This account is frozen." in ada.open(f"/wallet/accounts/{account.id}/").text
    assert "Frozen, cannot be spent" in ada.text
    assert "Can be spent" not in ada.text
    ada.open("/wallet/send/").submit(recipient="ben", amount="5", status=409)

    assert "holdfast_wallet.account_frozen" in ada.text


def test_pages_that_are_not_there_have_a_page():
    assert "There is nothing here" in Visitor("x").open("/nowhere/", status=404).text


def test_a_form_from_elsewhere_is_refused_with_a_page():
    answer = Client(enforce_csrf_checks=True).post("/login/", {"username": "ada", "password": "x"})

    assert answer.status_code == 403
    assert b"This form was open for too long" in answer.content


def test_a_program_whose_form_is_refused_gets_a_problem():
    program = Client(enforce_csrf_checks=True, headers={"Accept": "application/json"})

    answer = program.post("/login/", {"username": "ada", "password": "x"})

    assert (answer.status_code, answer["Content-Type"]) == (403, "application/problem+json")
    assert answer.json()["code"] == "holdfast.permission_denied"


def test_a_crash_has_a_page_that_asks_nothing_of_the_database(django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = server_error(RequestFactory().get("/wallet/", headers={"Accept": "text/html"}))

    assert answer.status_code == 500
    assert b"Something broke on our side" in answer.content

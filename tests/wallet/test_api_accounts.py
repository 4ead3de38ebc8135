"""Accounts over HTTP."""

import datetime as dt
import time

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from holdfast_wallet import services
from holdfast_wallet.models import Account
from holdfast_wallet.testing import make_account, make_transfer
from tests.wallet.doors import Door, assert_problem, eur, make_world, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    return make_world()


def test_a_user_opens_an_account_and_the_first_of_a_currency_is_its_default():
    door = Door(get_user_model().objects.create_user("carol"))

    first = door.post(url("accounts"), {"currency": "EUR", "name": "Rent"})
    second = door.post(url("accounts"), {"currency": "EUR"})

    assert first.status_code == second.status_code == 201
    assert first.json() | {"id": "", "created_at": ""} == {
        "id": "",
        "owner": str(get_user_model().objects.get().pk),
        "role": "",
        "name": "Rent",
        "currency": "EUR",
        "state": "active",
        "is_default": True,
        "balance": eur("0.00"),
        "held": eur("0.00"),
        "available": eur("0.00"),
        "overdraft_limit": eur("0.00"),
        "maximum_balance": None,
        "version": 0,
        "created_at": "",
    }
    assert second.json()["is_default"] is False


def test_a_user_cannot_give_himself_an_overdraft(world):
    answer = world.door.post(url("accounts"), {"currency": "EUR", "overdraft_limit": eur("1000.00")})

    assert assert_problem(answer, 400, "holdfast.invalid")["errors"][0]["pointer"] == "#/overdraft_limit"


def test_the_list_has_my_accounts_and_nobody_elses(world):
    answer = world.door.get(url("accounts"))

    assert [one["id"] for one in answer.json()["results"]] == [
        str(a.pk) for a in (world.wallet, world.savings, world.dollars)
    ]


@pytest.mark.parametrize(
    ("query", "names"),
    [({"currency": "USD"}, [""]), ({"is_default": "true"}, ["Wallet", ""]), ({"state": "closed"}, [])],
)
def test_the_list_can_be_narrowed(world, query, names):
    assert [one["name"] for one in world.door.get(url("accounts"), **query).json()["results"]] == names


def test_an_account_is_renamed_made_default_and_closed(world):
    renamed = world.door.patch(url("account", world.savings.pk), {"name": "Holidays"})
    default = world.door.post(url("make-default", world.savings.pk))
    closed = world.door.post(url("close-account", world.savings.pk))

    assert renamed.json()["name"] == "Holidays"
    assert default.json()["is_default"] is True
    assert Account.objects.get(pk=world.wallet.pk).is_default is False
    assert closed.json()["state"] == "closed"


def test_an_account_with_money_is_not_closed(world):
    assert_problem(world.door.post(url("close-account", world.wallet.pk)), 409, "holdfast_wallet.account_not_empty")


def test_the_balance_is_told_as_of_a_moment(world):
    before = timezone.now()
    time.sleep(0.005)  # SQLite's clock has milliseconds
    make_transfer(source=world.wallet, target=world.others, amount="40.00")

    now = world.door.get(url("balance", world.wallet.pk)).json()
    then = world.door.get(url("balance", world.wallet.pk), at=before.isoformat()).json()
    first = world.door.get(url("balance", world.wallet.pk), at="1999-12-31").json()

    assert (now["balance"], then["balance"], first["balance"]) == (eur("60.00"), eur("100.00"), eur("0.00"))


def test_an_effective_balance_counts_what_was_recorded_later(world):
    yesterday = timezone.now() - dt.timedelta(days=1)
    make_transfer(
        source=world.wallet, target=world.others, amount="40.00", effective_at=yesterday - dt.timedelta(days=1)
    )

    path = url("balance", world.wallet.pk)
    assert world.door.get(path, at=yesterday.isoformat()).json()["balance"] == eur("0.00")
    assert world.door.get(path, at=yesterday.isoformat(), effective="true").json()["balance"] == eur("-40.00")


def test_entries_come_in_pages_with_the_running_balance_newest_first(world):
    for _ in range(5):
        make_transfer(source=world.wallet, target=world.others, amount="10.00")

    page = world.door.get(url("entries", world.wallet.pk), page_size=4)
    rest = world.door.client.get(page.json()["next"])

    lines = page.json()["results"] + rest.json()["results"]
    assert [line["version"] for line in lines] == [8, 7, 6, 5, 4, 3, 2, 1]
    assert [line["balance"]["amount"] for line in lines[:3]] == ["50.00", "60.00", "70.00"]
    assert lines[0]["amount"] == eur("-10.00")
    assert lines[0]["counterparty"] == str(world.others.pk)
    assert rest.json()["next"] is None


def test_lists_of_any_length_cost_the_same_number_of_queries(world, django_assert_num_queries):
    def cost(path: str, expected: int) -> None:
        with django_assert_num_queries(expected):
            assert world.door.get(path).status_code == 200

    for _ in range(2):
        cost(url("accounts"), 1)
        cost(url("entries", world.wallet.pk), 2)
        cost(url("transfers"), 2)
        cost(url("transactions"), 3)
        cost(url("holds"), 1)
        cost(url("deposits"), 1)
        for _more in range(5):
            account = make_account(owner=world.ada, funds="5.00")
            make_transfer(source=account, target=world.wallet)
            key = make_transfer(source=world.wallet, target=account).pk
            services.place_hold(key=key, account_id=account.pk, amount=world.paid.amount, owner_id=world.ada.pk)


def test_an_account_that_is_frozen_is_still_readable(world):
    services.freeze_account(account_id=world.wallet.pk, owner_id=world.ada.pk, reason="lost")

    assert world.door.get(url("account", world.wallet.pk)).json()["state"] == "frozen"

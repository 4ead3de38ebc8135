"""Moving money over HTTP: transfers, batches, refunds, holds, payments, exchange."""

import uuid

import pytest
from django.contrib.auth import get_user_model
from django.test import override_settings

from holdfast.money import Money
from holdfast.testing import race
from holdfast_wallet import services
from holdfast_wallet.models import Account, Hold, Payment, Transfer
from tests.wallet.doors import Door, assert_problem, balance, digest, eur, make_world, url

pytestmark = pytest.mark.django_db

RATES = {"RATES": {"BACKEND": "holdfast_wallet.backends.rates.FixedRates", "OPTIONS": {"rates": {"EUR/USD": "1.0837"}}}}
FEES = {"FEES": {"BACKEND": "holdfast_wallet.backends.fees.FlatAndPercent", "OPTIONS": {"percent": "1"}}}


@pytest.fixture
def world():
    return make_world()


def order(world, amount="12.30", **more):
    return {"source": str(world.wallet.pk), "target": str(world.others.pk), "amount": eur(amount), **more}


# Transfers


def test_a_transfer_moves_money_and_tells_nothing_of_the_other_side(world):
    answer = world.door.post(url("transfers"), order(world, metadata={"order": "4711"}))

    assert answer.status_code == 201, answer.content
    told = answer.json()
    assert told == {
        "id": told["id"],
        "kind": "transfer",
        "amount": eur("12.30"),
        "source": str(world.wallet.pk),
        "target": str(world.others.pk),
        "journal": told["id"],
        "reverses": None,
        "hold": None,
        "effective_at": told["effective_at"],
        "recorded_at": told["recorded_at"],
        "metadata": {"order": "4711"},
    }
    assert (balance(world.wallet), balance(world.others)) == ("87.70", "62.30")
    assert world.door.get(url("transfer", told["id"])).json() == told
    assert Door(world.bob).get(url("transfer", told["id"])).json() == told


def test_the_same_key_moves_money_once_and_says_so(world):
    first = world.door.post(url("transfers"), order(world), key="pay-rent")
    again = world.door.post(url("transfers"), order(world), key="pay-rent")

    assert again.status_code == 201
    assert again.json() == first.json()
    assert again["Idempotency-Replayed"] == "true"
    assert balance(world.wallet) == "87.70"


def test_the_same_key_is_remembered_by_the_ledger_when_the_stored_answer_is_gone(world):
    from holdfast.idempotency.models import IdempotencyKey

    first = world.door.post(url("transfers"), order(world), key="pay-rent")
    IdempotencyKey.objects.all().delete()
    again = world.door.post(url("transfers"), order(world), key="pay-rent")
    IdempotencyKey.objects.all().delete()
    other = world.door.post(url("transfers"), order(world, "99.00"), key="pay-rent")

    assert again.json() == first.json()
    assert_problem(other, 422, "holdfast_wallet.key_reused")
    assert balance(world.wallet) == "87.70"


def test_the_same_key_of_two_users_is_two_keys_even_if_it_is_the_id_of_a_transfer(world):
    key = str(world.paid.pk)
    mine = world.door.post(url("transfers"), order(world), key=key)
    his = Door(world.bob).post(
        url("transfers"),
        {"source": str(world.others.pk), "target": str(world.wallet.pk), "amount": eur("12.30")},
        key=key,
    )

    assert mine.status_code == his.status_code == 201
    assert len({key, mine.json()["id"], his.json()["id"]}) == 3


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_twins_with_one_key_one_moves_money_and_nobody_is_told_two_things():
    world = make_world()

    answers = race(lambda: world.door.post(url("transfers"), order(world), key="twins"), times=6)
    told = {answer.json()["id"] for answer in answers if answer.status_code == 201}
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len(told) == 1
    assert balance(world.wallet) == "87.70"


def test_money_does_not_move_without_a_key(world):
    before = digest()

    assert_problem(world.door.post(url("transfers"), order(world), key=None), 400, "holdfast.idempotency_key_required")
    assert digest() == before


def test_a_batch_is_posted_whole_or_not_at_all(world):
    body = {"transfers": [order(world, "10.00"), order(world, "1000.00")]}
    before = digest()

    assert_problem(world.door.post(url("transfer-batch"), body), 409, "holdfast_wallet.insufficient_funds")
    assert digest() == before

    answer = world.door.post(url("transfer-batch"), {"transfers": [order(world, "10.00"), order(world, "5.00")]})
    assert [one["transfer"]["amount"]["amount"] for one in answer.json()["results"]] == ["10.00", "5.00"]
    assert balance(world.wallet) == "85.00"


def test_a_batch_of_single_transfers_has_a_result_for_each_and_can_be_repeated(world):
    body = {"atomic": False, "transfers": [order(world, "10.00"), order(world, "1000.00"), order(world, "5.00")]}
    first = world.door.post(url("transfer-batch"), body, key="run-7")
    again = world.door.post(url("transfer-batch"), body, key="run-7")

    results = first.json()["results"]
    assert [one["refusal"] and one["refusal"]["code"] for one in results] == [
        None,
        "holdfast_wallet.insufficient_funds",
        None,
    ]
    assert [one["transfer"] is None for one in results] == [False, True, False]
    assert again.json() == first.json()
    assert balance(world.wallet) == "85.00"


@pytest.mark.parametrize("atomic", [True, False])
@override_settings(HOLDFAST_WALLET=FEES)
def test_a_batch_is_no_way_around_the_fees(world, atomic):
    world.door.post(
        url("transfer-batch"), {"atomic": atomic, "transfers": [order(world, "10.00"), order(world, "20.00")]}
    )

    assert balance(world.wallet) == "69.70"


def test_transfers_are_listed_newest_first_and_by_account(world):
    mine = world.door.get(url("transfers")).json()["results"]
    savings = world.door.get(url("transfers"), account=str(world.savings.pk)).json()["results"]

    assert [one["id"] for one in mine[:2]] == [str(world.received.pk), str(world.paid.pk)]
    assert len(mine) == 4
    assert savings == []


# Refunds


def test_who_received_money_gives_it_back_in_parts_and_never_more_than_it_was(world):
    path = url("refund", world.received.pk)

    part = world.door.post(path, {"amount": eur("0.40"), "reason": "late"})
    rest = world.door.post(path)
    more = world.door.post(path)

    assert (part.status_code, rest.status_code) == (201, 201)
    assert part.json()["reverses"] == str(world.received.pk)
    assert part.json()["metadata"] == {"reason": "late"}
    assert rest.json()["amount"] == eur("0.60")
    assert_problem(more, 409, "holdfast_wallet.reversal_exceeds_original")


def test_who_paid_cannot_take_it_back(world):
    before = digest()

    assert_problem(world.door.post(url("refund", world.paid.pk)), 404, "holdfast_wallet.transfer_not_found")
    assert digest() == before


def test_money_from_the_house_is_not_refunded_by_its_receiver(world):
    deposit = Transfer.objects.get(kind="deposit", target=world.wallet)

    assert_problem(world.door.post(url("refund", deposit.pk)), 409, "holdfast_wallet.not_reversible")


# Holds


def test_a_hold_is_placed_captured_in_parts_and_released(world):
    placed = world.door.post(url("holds"), {"account": str(world.wallet.pk), "amount": eur("30.00")}).json()
    part = {"target": str(world.others.pk), "amount": eur("10.00"), "final": False}
    captured = world.door.post(url("capture-hold", placed["id"]), part)
    account = world.door.get(url("account", world.wallet.pk)).json()
    released = world.door.post(url("release-hold", placed["id"]))

    assert captured.status_code == 201
    assert captured.json()["hold"] == placed["id"]
    assert (account["balance"], account["held"], account["available"]) == (eur("90.00"), eur("20.00"), eur("70.00"))
    assert released.json()["state"] == "released"
    assert released.json()["captured"] == eur("10.00")
    assert_problem(world.door.post(url("release-hold", placed["id"])), 409, "holdfast_wallet.hold_not_open")


@pytest.mark.parametrize("route", ["release-hold", "capture-hold"])
def test_a_hold_that_the_host_placed_is_not_the_users_to_end(world, route):
    hold = services.place_hold(
        key=uuid.uuid4(), account_id=world.wallet.pk, amount=Money("5.00", "EUR"), owner_id=world.ada.pk
    )
    body = {"target": str(world.savings.pk)} if route == "capture-hold" else {}
    before = digest()

    assert world.door.get(url("hold", hold.pk)).status_code == 200
    assert_problem(world.door.post(url(route, hold.pk), body), 403, "holdfast.permission_denied")
    assert digest() == before


def test_a_client_cannot_pass_a_hold_off_as_his_own_by_metadata(world):
    body = {"account": str(world.wallet.pk), "amount": eur("1.00"), "metadata": {"holdfast_wallet.placed_by": "owner"}}

    assert_problem(world.door.post(url("holds"), body), 400, "holdfast.invalid")


# Money from and to the outside


def test_a_deposit_is_on_the_account_when_the_rail_says_so(world):
    answer = world.door.post(url("deposits"), {"account": str(world.wallet.pk), "amount": eur("25.00")})

    assert answer.status_code == 201
    assert answer.json()["state"] == "settled"
    assert balance(world.wallet) == "125.00"
    assert world.door.client.get(answer["Location"]).json() == answer.json()
    assert world.door.get(url("withdrawal", answer.json()["id"])).status_code == 404


@override_settings(
    HOLDFAST_WALLET={
        "PAYMENT_RAIL": {"BACKEND": "holdfast_wallet.backends.dummy.DummyRail", "OPTIONS": {"outcome": "pending"}}
    }
)
def test_money_does_not_appear_because_somebody_posted_a_number(world):
    deposit = world.door.post(url("deposits"), {"account": str(world.wallet.pk), "amount": eur("25.00")}).json()
    withdrawal = world.door.post(url("withdrawals"), {"account": str(world.wallet.pk), "amount": eur("60.00")}).json()

    account = world.door.get(url("account", world.wallet.pk)).json()
    assert (deposit["state"], withdrawal["state"]) == ("pending", "pending")
    assert (account["balance"], account["held"], account["available"]) == (eur("100.00"), eur("60.00"), eur("40.00"))

    services.settle_payment(payment_id=deposit["id"])
    services.fail_payment(payment_id=withdrawal["id"], reason="No such bank account.")
    assert balance(world.wallet) == "125.00"
    assert world.door.get(url("withdrawal", withdrawal["id"])).json()["reason"] == "No such bank account."
    assert [one["id"] for one in world.door.get(url("deposits"), state="settled").json()["results"]] == [deposit["id"]]


@override_settings(
    HOLDFAST_WALLET={
        "PAYMENT_RAIL": {"BACKEND": "holdfast_wallet.backends.dummy.DummyRail", "OPTIONS": {"outcome": "pending"}}
    }
)
def test_a_withdrawal_under_way_cannot_be_released_through_its_hold(world):
    withdrawal = world.door.post(url("withdrawals"), {"account": str(world.wallet.pk), "amount": eur("60.00")}).json()
    hold = Hold.objects.get(account=world.wallet)

    assert_problem(world.door.post(url("release-hold", hold.pk)), 403, "holdfast.permission_denied")
    assert Payment.objects.get(pk=withdrawal["id"]).state == "pending"


def test_a_repeated_deposit_is_one_payment(world):
    body = {"account": str(world.wallet.pk), "amount": eur("25.00")}
    first = world.door.post(url("deposits"), body, key="top-up")
    again = world.door.post(url("deposits"), body, key="top-up")

    assert again.json() == first.json()
    assert balance(world.wallet) == "125.00"


# Exchange and transactions


@override_settings(HOLDFAST_WALLET=RATES | FEES)
def test_an_exchange_is_at_the_houses_rate_and_its_transaction_adds_up(world):
    body = {"source": str(world.wallet.pk), "target": str(world.dollars.pk), "amount": eur("10.00")}
    before = digest()
    quote = world.door.post(url("quote"), body, key=None)
    assert digest() == before
    answer = world.door.post(url("exchanges"), body)

    assert answer.status_code == 201, answer.content
    told = answer.json()
    assert told | {"id": ""} == {
        "id": "",
        "rate": "1.0837",
        "sold": eur("10.00"),
        "bought": {"amount": "10.83", "currency": "USD"},
        "fee": eur("0.10"),
    }
    assert quote.json() | {"id": told["id"]} == told

    transaction = world.door.get(url("transaction", told["id"])).json()
    by_currency = {}
    for leg in transaction["legs"]:
        by_currency.setdefault(leg["amount"]["currency"], []).append(float(leg["amount"]["amount"]))
    assert {currency: sum(legs) for currency, legs in by_currency.items()} == {"EUR": 0, "USD": 0}
    assert len(transaction["legs"]) == 6
    assert world.door.get(url("transactions")).json()["results"][0] == transaction


def test_the_client_does_not_choose_the_rate(world):
    body = {"source": str(world.wallet.pk), "target": str(world.dollars.pk), "amount": eur("10.00"), "rate": "100"}

    assert_problem(world.door.post(url("exchanges"), body), 400, "holdfast.invalid")


def test_without_a_rate_there_is_no_exchange(world):
    body = {"source": str(world.wallet.pk), "target": str(world.dollars.pk), "amount": eur("10.00")}
    before = digest()

    assert_problem(world.door.post(url("exchanges"), body), 503, "holdfast_wallet.rate_unavailable")
    assert digest() == before


@override_settings(HOLDFAST_WALLET=FEES)
def test_transactions_come_in_pages_each_once_and_whole(world):
    paid = [world.door.post(url("transfers"), order(world, "10.00")).json()["id"] for _ in range(3)]
    world.door.post(url("refund", world.received.pk), {"amount": eur("0.40")})
    world.door.post(url("refund", world.received.pk), {"amount": eur("0.60")})

    pages = [world.door.get(url("transactions"), page_size=2).json()]
    while pages[-1]["next"]:
        pages.append(world.door.client.get(pages[-1]["next"]).json())
    told = [one for page in pages for one in page["results"]]
    first = [str(world.received.pk), str(world.paid.pk)]
    deposits = [
        str(one.pk) for one in Transfer.objects.filter(kind="deposit", target__owner=world.ada).order_by("-number")
    ]
    assert [one["id"] for one in told] == [*reversed(paid), *first, *deposits]
    assert [len(one["legs"]) for one in told] == [4, 4, 4, 6, 2, 2, 2]


@override_settings(HOLDFAST_WALLET=FEES)
def test_a_fee_is_a_leg_that_only_its_payer_sees(world):
    told = world.door.post(url("transfers"), order(world, "10.00")).json()

    mine = world.door.get(url("transaction", told["journal"])).json()["legs"]
    his = Door(world.bob).get(url("transaction", told["journal"])).json()["legs"]
    assert [leg["kind"] for leg in mine] == ["transfer", "transfer", "fee", "fee"]
    assert [leg["kind"] for leg in his] == ["transfer", "transfer"]


# Staff


def test_staff_read_for_others_by_saying_so_and_change_nothing(world):
    door = Door(get_user_model().objects.create_user("clerk", is_staff=True))
    before = digest()

    assert door.get(url("account", world.wallet.pk)).status_code == 404
    assert door.get(url("account", world.wallet.pk), owner=world.ada.pk).json()["name"] == "Wallet"
    assert len(door.get(url("accounts"), owner="all").json()["results"]) == Account.objects.filter(slot_of=None).count()
    assert {one["role"] for one in door.get(url("accounts"), owner="house").json()["results"]} == {"cash_in"}
    assert len(door.get(url("transfers"), owner="all").json()["results"]) == Transfer.objects.count()
    assert len(door.get(url("transactions"), owner="all").json()["results"]) == Transfer.objects.count()
    for route in ("holds", "deposits", "withdrawals"):
        assert door.get(url(route), owner="all").status_code == 200
    body = order(world)
    assert_problem(door.post(url("transfers"), body), 404, "holdfast_wallet.account_not_found")
    assert digest() == before


@pytest.mark.parametrize("owner", ["all", "house", "1000000"])
@pytest.mark.parametrize("route", ["accounts", "transfers", "transactions", "holds", "deposits", "withdrawals"])
def test_nobody_else_reads_for_others(world, route, owner):
    assert_problem(world.door.get(url(route), owner=owner), 403, "holdfast.permission_denied")


@pytest.mark.parametrize("owner", ["x", "1.5", "9" * 30, "\x00"])
def test_staff_name_an_owner_that_can_be(world, owner):
    door = Door(get_user_model().objects.create_user("clerk", is_staff=True))

    assert_problem(door.get(url("accounts"), owner=owner), 400, "holdfast.invalid")


# What it costs


@pytest.mark.parametrize(
    ("route", "at_most"),
    [("transfers", 9), ("holds", 12), ("deposits", 24), ("withdrawals", 40), ("refund", 20)],
)
def test_a_post_takes_a_handful_of_queries(world, django_assert_max_num_queries, route, at_most):
    body = {
        "transfers": order(world),
        "refund": {},
    }.get(route, {"account": str(world.wallet.pk), "amount": eur("1.00")})
    path = url(route, world.received.pk) if route == "refund" else url(route)
    # Once, so that the house's accounts are there.
    Door(world.bob).post(url("withdrawals"), {"account": str(world.others.pk), "amount": eur("1.00")})

    with django_assert_max_num_queries(at_most):
        assert world.door.post(path, body).status_code == 201

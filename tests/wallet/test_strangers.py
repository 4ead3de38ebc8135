"""What a stranger learns of somebody else's account by paying to it: nothing."""

import pytest

from holdfast.money import Money
from holdfast_wallet import exceptions, services
from holdfast_wallet.testing import make_account, make_hold, make_owner, make_transfer
from tests.wallet.bank import assert_refused, eur, key
from tests.wallet.doors import Door, assert_problem, url
from tests.wallet.doors import eur as told

pytestmark = pytest.mark.django_db


def full():
    return make_account(funds="15.00", maximum_balance=eur("20.00"))


def frozen():
    account = make_account()
    return services.freeze_account(account_id=account.id, owner_id=account.owner_id, block_credits=True)


def closed():
    account = make_account()
    return services.close_account(account_id=account.id, owner_id=account.owner_id)


def in_dollars():
    return make_account(currency="USD")


@pytest.mark.parametrize("make_target", [full, frozen, closed, in_dollars])
def test_whatever_a_strangers_account_has_against_it_the_answer_is_the_same(make_target):
    target, payer = make_target(), make_account(funds="100.00")
    refusal = assert_refused(exceptions.TargetRefuses, make_transfer, source=payer, target=target, amount="5.01")
    assert refusal.context == {"account_id": str(target.id)}
    hold = make_hold(account=payer, amount="5.01")
    capture = {"key": key(), "hold_id": hold.id, "target_id": target.id, "owner_id": payer.owner_id}
    assert assert_refused(exceptions.TargetRefuses, services.capture_hold, **capture).context == refusal.context


@pytest.mark.parametrize("make_target", [full, frozen, closed, in_dollars])
@pytest.mark.parametrize("first", ["payer", "target"])
def test_whoever_cannot_pay_hears_of_himself_only(make_target, first):
    # The law looks at the accounts in the order of their ids.
    if first == "payer":
        payer, target = make_account(funds="1.00"), make_target()
    else:
        target, payer = make_target(), make_account(funds="1.00")
    refusal = assert_refused(exceptions.InsufficientFunds, make_transfer, source=payer, target=target, amount="9999")
    assert refusal.context == {"account_id": str(payer.id), "available": "1.00", "currency": "EUR"}


def test_of_ones_own_accounts_one_is_told_the_reason():
    owner = make_owner()
    payer = make_account(owner=owner, funds="100.00")
    target = make_account(owner=owner, funds="15.00", maximum_balance=eur("20.00"))
    refusal = assert_refused(exceptions.BalanceLimitExceeded, make_transfer, source=payer, target=target, amount="6")
    assert refusal.context == {"account_id": str(target.id), "room": "5.00", "currency": "EUR"}
    deposit = {"key": key(), "account_id": target.id, "amount": Money(6, "EUR"), "owner_id": owner.pk}
    assert assert_refused(exceptions.BalanceLimitExceeded, services.deposit, **deposit).context == refusal.context


def test_the_api_says_nothing_of_a_strangers_balance():
    target, stranger = full(), make_owner()
    payer = make_account(owner=stranger, funds="100.00")
    body = {"source": str(payer.id), "target": str(target.id), "amount": told("5.01")}
    problem = assert_problem(Door(stranger).post(url("transfers"), body), 409, "holdfast_wallet.target_refuses")
    assert problem["context"] == {"account_id": str(target.id)}


def test_who_repeats_a_key_from_outside_the_scope_is_not_told_what_it_stands_for():
    payer, target = make_account(funds="100.00"), make_account()
    first = make_transfer(source=payer, target=target, amount="5.00")
    stranger = make_owner()
    refusal = assert_refused(
        exceptions.AccountNotFound,
        services.transfer,
        key=first.id,
        source_id=payer.id,
        target_id=target.id,
        amount=eur("5.00"),
        owner_id=stranger.pk,
    )
    assert refusal.context == {"account_id": str(payer.id)}

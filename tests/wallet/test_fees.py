"""Fees: every way for money to leave costs what the policy says, once, and a repeated request costs nothing more."""

import pytest

from holdfast_wallet import exceptions, selectors, services
from holdfast_wallet.models import Transfer
from holdfast_wallet.services import TransferRequest
from holdfast_wallet.states import SystemRole
from holdfast_wallet.testing import make_account, make_hold
from tests.wallet.bank import assert_refused, eur, findings, fresh, key
from tests.wallet.doors import Door, url
from tests.wallet.doors import eur as told

pytestmark = pytest.mark.django_db


def flat(amount):
    return {
        "FEES": {
            "BACKEND": "holdfast_wallet.backends.fees.FlatAndPercent",
            "OPTIONS": {"percent": "0", "flat": {"EUR": amount}},
        }
    }


@pytest.fixture
def ada():
    return make_account(funds="100.00")


@pytest.fixture
def bob(ada):
    return make_account()


def order(source, target, amount="10.00"):
    return {
        "key": key(),
        "source_id": source.id,
        "target_id": target.id,
        "amount": eur(amount),
        "owner_id": source.owner_id,
    }


def fees():
    return selectors.system_account(role=SystemRole.FEES, currency="EUR").balance


def test_a_repeated_transfer_costs_what_its_first_time_cost(ada, bob, settings):
    free, charged = order(ada, bob), order(ada, bob)
    first = services.transfer(**free)
    settings.HOLDFAST_WALLET = flat("1.00")
    assert services.transfer(**free) == first
    assert fresh(ada).balance == eur("90.00")
    second = services.transfer(**charged)
    settings.HOLDFAST_WALLET = flat("2.00")
    assert services.transfer(**charged) == second
    assert fresh(ada).balance == eur("79.00")
    assert_refused(exceptions.KeyReused, services.transfer, **{**charged, "amount": eur(11)})
    assert services.post_transfers(requests=[TransferRequest(**charged)], charge_fees=True) == [second]
    assert fees() == eur("1.00")


def test_a_key_says_nothing_to_whom_it_does_not_belong(ada, bob, settings):
    settings.HOLDFAST_WALLET = flat("1.00")
    asked = order(ada, bob)
    services.transfer(**asked)
    assert_refused(exceptions.AccountNotFound, services.transfer, **{**asked, "owner_id": bob.owner_id})


def test_a_capture_costs_a_fee_once_and_its_hold_can_pay_it(ada, bob, settings):
    settings.HOLDFAST_WALLET = flat("1.00")
    hold = make_hold(account=ada, amount="100.00")
    asked = {"key": key(), "hold_id": hold.id, "target_id": bob.id, "owner_id": ada.owner_id}
    assert_refused(exceptions.InsufficientFunds, services.capture_hold, **asked)
    captured = services.capture_hold(**asked, amount=eur("99.00"))
    assert services.capture_hold(**asked, amount=eur("99.00")) == captured
    assert (fresh(ada).balance, fresh(bob).balance, fees()) == (eur(0), eur(99), eur(1))
    assert [line.kind for line in selectors.journal(journal_id=hold.id)] == ["capture", "fee"]
    assert findings() == []


def test_a_withdrawal_through_the_rail_sets_its_fee_aside_and_pays_it(ada, settings):
    pending = {"BACKEND": "holdfast_wallet.backends.dummy.DummyRail", "OPTIONS": {"outcome": "pending"}}
    settings.HOLDFAST_WALLET = flat("1.00") | {"PAYMENT_RAIL": pending}
    asked = {"key": key(), "account_id": ada.id, "owner_id": ada.owner_id}
    assert_refused(exceptions.InsufficientFunds, services.request_withdrawal, **asked, amount=eur("99.01"))
    payment = services.request_withdrawal(**asked, amount=eur("99.00"))
    assert (payment.amount, fresh(ada).available) == (eur(99), eur(0))
    assert findings() == []
    settings.HOLDFAST_WALLET = flat("2.00") | {"PAYMENT_RAIL": pending}
    assert services.request_withdrawal(**asked, amount=eur("99.00")) == payment
    settled = services.settle_payment(payment_id=payment.id)
    assert (settled.transfer.amount, fresh(ada).balance, fees()) == (eur(99), eur(0), eur(1))
    assert findings() == []


def test_a_withdrawal_that_fails_costs_nothing(ada, settings):
    failing = {"BACKEND": "holdfast_wallet.backends.dummy.DummyRail", "OPTIONS": {"outcome": "failed"}}
    settings.HOLDFAST_WALLET = flat("1.00") | {"PAYMENT_RAIL": failing}
    services.request_withdrawal(key=key(), account_id=ada.id, owner_id=ada.owner_id, amount=eur(99))
    assert fresh(ada).available == eur(100)


@pytest.mark.parametrize("atomic", [True, False])
def test_each_transfer_of_a_batch_costs_what_it_costs_alone(ada, bob, settings, atomic):
    settings.HOLDFAST_WALLET = flat("1.00")
    requests = [TransferRequest(**order(ada, bob)) for _ in range(3)]
    posted = services.post_transfers(requests=requests, atomic=atomic, charge_fees=True)
    assert [one.id for one in posted] == [request.key for request in requests]
    assert services.post_transfers(requests=requests, atomic=atomic, charge_fees=True) == posted
    assert (fresh(ada).balance, fresh(bob).balance, fees()) == (eur(67), eur(30), eur(3))
    services.post_transfers(requests=[TransferRequest(**order(ada, bob))], atomic=atomic)
    assert fees() == eur(3)


def test_a_transfer_of_a_batch_whose_fee_cannot_be_paid_is_not_posted_and_the_others_are(ada, bob, settings):
    settings.HOLDFAST_WALLET = flat("1.00")
    requests = [TransferRequest(**order(ada, bob, amount)) for amount in ("50.00", "49.00", "48.00")]
    results = services.post_transfers(requests=requests, charge_fees=True)
    assert [type(one) for one in results] == [Transfer, exceptions.InsufficientFunds, Transfer]
    assert (fresh(ada).balance, fees()) == (eur(0), eur(2))
    assert findings() == []


def test_an_impossible_amount_is_refused_by_itself(ada, bob):
    requests = [TransferRequest(**order(ada, bob, amount)) for amount in ("1.00", "1.005", "0", "2.00")]
    results = services.post_transfers(requests=requests)
    assert [getattr(one, "code", "") for one in results] == [
        "",
        "holdfast.invalid_amount",
        "holdfast_wallet.amount_not_positive",
        "",
    ]
    assert fresh(ada).balance == eur(97)


def test_a_batch_through_the_api_charges_fees(ada, bob, settings):
    settings.HOLDFAST_WALLET = flat("1.00")
    line = {"source": str(ada.id), "target": str(bob.id), "amount": told("10.00")}
    answer = Door(ada.owner).post(url("transfer-batch"), {"atomic": False, "transfers": [line, line]})
    assert answer.status_code == 200, answer.content
    assert (fresh(ada).balance, fees()) == (eur(78), eur(2))

"""What a verb reads it reads where it writes: a replica that lags behind must not say that something is not there."""

from decimal import Decimal

import pytest
from django.db import transaction
from django.test import override_settings

from holdfast_wallet import exceptions, services
from holdfast_wallet.services import TransferRequest, slots
from holdfast_wallet.testing import make_account, make_owner
from tests.foundation.routers import ReplicaIsDown
from tests.wallet.bank import eur, key

pytestmark = pytest.mark.django_db

PENDING = {"BACKEND": "holdfast_wallet.backends.dummy.DummyRail", "OPTIONS": {"outcome": "pending"}}
FEES = {"BACKEND": "holdfast_wallet.backends.fees.FlatAndPercent", "OPTIONS": {"percent": "1"}}


def twice(verb, **asked):
    first = verb(**asked)
    assert verb(**asked).pk == first.pk
    return first


@pytest.mark.parametrize("options", [{}, {"FEES": FEES}, {"SYSTEM_ACCOUNT_SLOTS": 3}])
def test_no_verb_asks_a_replica(settings, options):
    settings.HOLDFAST_WALLET = {"PAYMENT_RAIL": PENDING, **options}
    owner = make_owner()
    scope = {"owner_id": owner.pk}
    mine, dollars = make_account(owner=owner, funds="100.00"), make_account(owner=owner, currency="USD")
    other = make_account()
    with override_settings(DATABASE_ROUTERS=[ReplicaIsDown("holdfast_wallet")]):
        services.open_account(currency="EUR", **scope)
        services.open_system_account(role="reserve", currency="EUR")
        services.open_system_account(role="reserve", currency="EUR")
        services.make_default(account_id=mine.id, **scope)
        services.rename_account(account_id=mine.id, name="x", **scope)
        twice(services.deposit, key=key(), account_id=mine.id, amount=eur(1), **scope)
        twice(services.withdraw, key=key(), account_id=mine.id, amount=eur(1), **scope)
        paid = twice(services.transfer, key=key(), source_id=mine.id, target_id=other.id, amount=eur(2), **scope)
        twice(services.reverse, key=key(), transfer_id=paid.id, amount=eur(1), owner_id=other.owner_id)
        request = TransferRequest(key=key(), source_id=mine.id, target_id=other.id, amount=eur(1), **scope)
        services.post_transfers(requests=[request, request], charge_fees=True)
        hold = twice(services.place_hold, key=key(), account_id=mine.id, amount=eur(3), **scope)
        capture = {"key": key(), "hold_id": hold.id, "target_id": other.id, "amount": eur(1), **scope}
        twice(services.capture_hold, final=False, **capture)
        services.release_hold(hold_id=hold.id, **scope)
        asked = {"source_id": mine.id, "target_id": dollars.id, "amount": eur(1), **scope}
        services.exchange(key=key(), rate=Decimal(1), **asked)
        for verb in (services.request_deposit, services.request_withdrawal):
            for end in (services.settle_payment, services.fail_payment):
                end(payment_id=twice(verb, key=key(), account_id=mine.id, amount=eur(1), **scope).pk)
        services.sync_payments()
        services.expire_holds()
        services.freeze_account(account_id=mine.id, **scope)
        services.unfreeze_account(account_id=mine.id, **scope)
        with pytest.raises(exceptions.InsufficientFunds):
            services.transfer(key=key(), source_id=mine.id, target_id=other.id, amount=eur(9999), **scope)


@pytest.mark.parametrize("count", [1, 3])
def test_a_house_account_that_was_rolled_back_with_its_caller_is_opened_anew(settings, count):
    settings.HOLDFAST_WALLET = {"SYSTEM_ACCOUNT_SLOTS": count}
    account = make_account()
    deposit = {"account_id": account.id, "amount": eur(5), "owner_id": account.owner_id}
    with transaction.atomic():
        services.deposit(key=key(), **deposit)
        services.deposit(key=key(), **deposit)
        transaction.set_rollback(True)
    assert slots.remembered(role="cash_in", currency="EUR", using="default") is not None
    for number in (1, 2, 3):
        assert services.deposit(key=key(), **deposit).target_balance_minor == number * 500

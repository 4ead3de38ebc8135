"""What the wallet tells whoever watches."""

import datetime as dt

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.utils import timezone

from holdfast_wallet import selectors, services
from holdfast_wallet.models import Hold, Payment
from holdfast_wallet.services import Finding
from holdfast_wallet.states import PaymentDirection
from holdfast_wallet.testing import make_account, make_hold, make_transfer, unlocked_ledger
from tests.wallet.bank import key

pytestmark = pytest.mark.django_db

LONG_AGO = timezone.now() - dt.timedelta(hours=1)


@pytest.fixture(autouse=True)
def fresh_cache():
    cache.clear()
    yield
    cache.clear()


def told():
    return {figure.name: figure.value for figure in selectors.figures()}


def test_of_an_empty_ledger_nothing_waits():
    assert [name for name, value in told().items() if value] == []


def test_what_the_customers_have_is_told_without_reading_their_accounts():
    ada, bob = make_account(funds="100.00"), make_account(funds="2.50")
    make_account(funds="700", currency="JPY")
    make_transfer(source=ada, target=bob, amount="5.00")

    assert told()["customers_amount"] == {"EUR": 102.5, "JPY": 700}


def test_what_waits_for_its_seal_is_told_until_it_is_sealed():
    make_account(funds="1.00")
    assert told()["unsealed"] == 1
    assert told()["unsealed_seconds"] > 0

    services.seal()

    assert told()["unsealed"] == told()["unsealed_seconds"] == 0


def test_a_payment_and_a_hold_that_nobody_cares_for_are_late():
    account = make_account(funds="10.00")
    make_hold(account=account, amount="1.00", expires_at=timezone.now() + dt.timedelta(hours=1))
    assert told()["holds_late_seconds"] == 0
    with unlocked_ledger():
        Hold.objects.update(expires_at=LONG_AGO)
    Payment.objects.create(
        id=key(),
        account=account,
        currency="EUR",
        amount_minor=100,
        direction=PaymentDirection.DEPOSIT,
        next_poll_at=LONG_AGO,
    )

    now = told()
    assert now["payments_pending"] == 1
    assert now["payments_late_seconds"] >= 3600
    assert now["holds_late_seconds"] >= 3600


def test_what_an_audit_found_is_remembered_once_it_has_ended(monkeypatch):
    make_account(funds="1.00")
    assert "findings" not in told()

    call_command("wallet_verify")
    assert told()["findings"] == 0
    assert told()["verified_seconds"] < 3600

    wrong = Finding(check="line_balance", message="Wrong.")
    monkeypatch.setattr("holdfast_wallet.services.audit._verify_chain", lambda *_: iter([wrong]))
    with pytest.raises(CommandError):
        call_command("wallet_verify")
    assert told()["findings"] == 1


def test_an_audit_that_was_broken_off_has_found_nothing():
    make_account(funds="1.00")
    next(services.verify())

    assert selectors.last_verification() is None


def test_without_a_cache_the_ledger_is_verified_all_the_same(monkeypatch, caplog):
    def away(*_args, **_options):
        raise ConnectionError

    monkeypatch.setattr(selectors.cache, "set", away)
    monkeypatch.setattr(selectors.cache, "get", away)
    call_command("wallet_verify")

    assert selectors.last_verification() is None
    assert "The cache does not answer." in caplog.text
    assert "findings" not in told()


def test_money_in_suspense_waits_for_a_person():
    suspense = services.open_system_account(role="suspense", currency="EUR")
    make_transfer(source=make_account(funds="3.00"), target=suspense, amount="3.00")

    assert told()["suspense_amount"] == {"EUR": 3}
    assert told()["customers_amount"] == {"EUR": 0}

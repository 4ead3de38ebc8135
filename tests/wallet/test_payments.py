"""Payments: the intent is committed, the rail is asked outside any transaction, its answer is committed."""

import datetime as dt
import logging

import pytest
from django.db import connection, transaction
from django.utils import timezone

from holdfast.money import Money
from holdfast.testing import captured_events, transition_table
from holdfast_wallet import events, exceptions, selectors, services
from holdfast_wallet.backends.dummy import DummyRail
from holdfast_wallet.models import Payment, Transfer
from holdfast_wallet.ports import PaymentOutcome
from holdfast_wallet.states import PaymentDirection, PaymentState
from holdfast_wallet.testing import PaymentRailContract, make_account, make_owner
from tests.wallet.bank import assert_refused, eur, findings, fresh, key

pytestmark = pytest.mark.django_db


class Rail:
    """A rail that says what the test tells it to, and notes what it was asked."""

    answer = PaymentState.PENDING
    broken = False
    asked: list[tuple[str, object]] = []

    def start(self, order):
        return self._answer("start", order)

    def poll(self, order):
        return self._answer("poll", order)

    def _answer(self, verb, order):
        Rail.asked.append((verb, order))
        if Rail.broken:
            raise TimeoutError("The rail does not answer.")
        return PaymentOutcome(state=Rail.answer, reference="r-1", reason="no cover")


@pytest.fixture
def rail(settings):
    settings.HOLDFAST_WALLET = {
        "PAYMENT_RAIL": {"BACKEND": f"{__name__}.Rail"},
        "PAYMENT_POLL_SECONDS": 0,
    }
    Rail.answer, Rail.broken, Rail.asked = PaymentState.PENDING, False, []
    return Rail


@pytest.fixture
def ada():
    return make_account(funds="100.00")


class TestDummyRail(PaymentRailContract):
    @pytest.fixture(params=list(PaymentState))
    def rail(self, request):
        return DummyRail(outcome=request.param)


def ask(account, amount="40.00", **options):
    money = amount if isinstance(amount, Money) else eur(amount)
    return {"key": key(), "account_id": account.id, "amount": money, "owner_id": account.owner_id, **options}


def test_the_states_of_a_payment():
    assert transition_table(Payment) == {
        (PaymentState.PENDING, "settle"): PaymentState.SETTLED,
        (PaymentState.PENDING, "fail"): PaymentState.FAILED,
    }


def test_a_deposit_that_settles_at_once_is_on_the_account(ada):
    with captured_events() as told:
        payment = services.request_deposit(**ask(ada))
    assert (payment.state, payment.reference) == (PaymentState.SETTLED, f"dummy-{payment.id}")
    assert fresh(ada).balance == eur(140)
    assert fresh(payment).transfer.amount == eur(40)
    assert [type(event) for event in told] == [
        events.PaymentRequested,
        events.TransferPosted,
        events.PaymentSettled,
    ]
    assert findings() == []


def test_a_pending_deposit_is_not_money(ada, rail):
    payment = services.request_deposit(**ask(ada))
    assert (payment.state, payment.started, payment.reference) == (PaymentState.PENDING, True, "r-1")
    assert fresh(ada).balance == eur(100)
    rail.answer = PaymentState.SETTLED
    assert services.sync_payments() == 1
    assert [verb for verb, _ in rail.asked] == ["start", "poll"]
    assert rail.asked[1][1].reference == "r-1"
    assert fresh(ada).balance == eur(140)
    assert services.sync_payments() == 0


def test_a_pending_withdrawal_sets_its_money_aside_until_it_is_paid(ada, rail):
    payment = services.request_withdrawal(**ask(ada))
    assert (fresh(ada).balance, fresh(ada).available) == (eur(100), eur(60))
    assert fresh(payment).hold.expires_at is None
    rail.answer = PaymentState.SETTLED
    services.sync_payments()
    assert (fresh(ada).balance, fresh(ada).held) == (eur(60), eur(0))
    assert fresh(payment).state == PaymentState.SETTLED
    assert findings() == []


def test_a_failed_withdrawal_gives_its_money_back(ada, rail):
    rail.answer = PaymentState.FAILED
    payment = services.request_withdrawal(**ask(ada))
    assert (payment.state, payment.reason) == (PaymentState.FAILED, "no cover")
    assert fresh(ada).available == eur(100)
    assert services.fail_payment(payment_id=payment.id) == payment
    assert_refused(exceptions.PaymentNotPending, services.settle_payment, payment_id=payment.id)


def test_a_settled_payment_stays_settled(ada):
    payment = services.request_deposit(**ask(ada))
    assert services.settle_payment(payment_id=payment.id) == payment
    assert fresh(ada).balance == eur(140)
    assert_refused(exceptions.PaymentNotPending, services.fail_payment, payment_id=payment.id)
    assert_refused(exceptions.PaymentNotFound, services.settle_payment, payment_id=key())


@pytest.mark.parametrize("verb", [services.request_deposit, services.request_withdrawal])
def test_the_same_request_twice_is_one_payment(ada, rail, verb):
    asked = ask(ada, metadata={"a": 1})
    first = verb(**asked)
    again = verb(**asked)
    assert again == first
    assert len(rail.asked) == 1
    assert_refused(exceptions.KeyReused, verb, **{**asked, "amount": eur(41)})
    other = make_account(funds="100.00")
    assert_refused(exceptions.KeyReused, verb, **{**ask(other), "key": first.id})


def test_a_rail_that_does_not_answer_leaves_the_payment_pending(ada, rail, caplog):
    rail.broken = True
    with caplog.at_level(logging.CRITICAL, logger="holdfast_wallet.services.payments"):
        payment = services.request_deposit(**ask(ada))
        assert services.sync_payments() == 0
    assert (payment.state, payment.started) == (PaymentState.PENDING, False)
    rail.broken, rail.answer = False, PaymentState.SETTLED
    assert services.sync_payments() == 1
    # It never answered, so it is told the order again, by the same id.
    assert {verb for verb, _ in rail.asked} == {"start"}
    assert {order.id for _, order in rail.asked} == {payment.id}


def test_a_payment_rests_before_its_rail_is_asked_again(ada, rail, settings):
    settings.HOLDFAST_WALLET = {**settings.HOLDFAST_WALLET, "PAYMENT_POLL_SECONDS": 3600}
    services.request_deposit(**ask(ada))
    assert services.sync_payments() == 0
    assert len(rail.asked) == 1
    assert not selectors.due_payments(now=timezone.now()).exists()
    assert selectors.due_payments(now=timezone.now() + dt.timedelta(hours=2)).exists()


def test_a_deposit_that_its_account_does_not_take_stays_pending_for_the_staff(rail, caplog):
    ada = make_account(maximum_balance=eur(10))
    payment = services.request_deposit(**ask(ada))
    rail.answer = PaymentState.SETTLED
    with caplog.at_level(logging.CRITICAL, logger="holdfast_wallet.services.payments"):
        assert services.sync_payments() == 0
    assert fresh(payment).state == PaymentState.PENDING
    services.change_limits(account_id=ada.id, owner_id=ada.owner_id, overdraft_limit=eur(0), maximum_balance=None)
    assert services.settle_payment(payment_id=payment.id, reference="by hand").reference == "by hand"


@pytest.mark.parametrize(
    ("refusal", "change"),
    [
        (exceptions.AccountNotFound, {"owner_id": None}),
        (exceptions.AmountNotPositive, {"amount": eur(0)}),
        (exceptions.CurrencyMismatch, {"amount": Money(1, "USD")}),
        (exceptions.MalformedRequest, {"key": "k"}),
        (exceptions.MalformedRequest, {"metadata": {"x": "y" * 5000}}),
    ],
)
@pytest.mark.parametrize("verb", [services.request_deposit, services.request_withdrawal])
def test_a_request_that_makes_no_sense_never_reaches_the_rail(ada, rail, verb, refusal, change):
    assert_refused(refusal, verb, **ask(ada, **change))
    assert rail.asked == []


def test_frozen_and_closed_accounts_and_missing_money_are_refused_before_the_rail(ada, rail):
    assert_refused(exceptions.InsufficientFunds, services.request_withdrawal, **ask(ada, "100.01"))
    services.freeze_account(account_id=ada.id, owner_id=ada.owner_id, block_credits=True)
    assert_refused(exceptions.AccountIsFrozen, services.request_withdrawal, **ask(ada))
    assert_refused(exceptions.AccountIsFrozen, services.request_deposit, **ask(ada))
    closed = make_account()
    services.close_account(account_id=closed.id, owner_id=closed.owner_id)
    assert_refused(exceptions.AccountIsClosed, services.request_deposit, **ask(closed))
    assert rail.asked == []


def test_somebody_elses_payment_does_not_exist(ada):
    payment = services.request_deposit(**ask(ada))
    assert selectors.get_payment(payment_id=payment.id, owner_id=ada.owner_id) == payment
    assert list(selectors.payments_of(owner_id=ada.owner_id)) == [payment]
    with pytest.raises(exceptions.PaymentNotFound):
        selectors.get_payment(payment_id=payment.id, owner_id=make_owner().pk)


@pytest.mark.django_db(transaction=True)
def test_the_rail_is_never_asked_inside_a_transaction(rail, monkeypatch):
    ada = make_account()
    inside = []
    monkeypatch.setattr(
        Rail, "start", lambda self, order: inside.append(connection.in_atomic_block) or self.poll(order)
    )
    services.request_deposit(**ask(ada))
    assert inside == [False]
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        services.request_deposit(**ask(ada))
    assert Payment.objects.count() == 1
    assert Transfer.objects.count() == 0
    assert PaymentDirection(Payment.objects.get().direction) == PaymentDirection.DEPOSIT

"""Payments: the intent is committed, the rail is asked outside any transaction, its answer is committed."""

import datetime as dt
import logging

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from holdfast.money import Money
from holdfast.testing import captured_events, transition_table
from holdfast_wallet import events, exceptions, selectors, services
from holdfast_wallet.backends.dummy import DummyRail
from holdfast_wallet.models import Payment, Transfer
from holdfast_wallet.ports import PaymentOutcome
from holdfast_wallet.services import payments
from holdfast_wallet.states import PaymentDirection, PaymentState, SystemRole
from holdfast_wallet.testing import PaymentRailContract, make_account, make_owner, unlocked_ledger
from tests.wallet.bank import assert_refused, eur, findings, fresh, key

pytestmark = pytest.mark.django_db


class Rail:
    """A rail that says what the test tells it to, and notes what it was asked."""

    answer = PaymentState.PENDING
    broken = False
    reference, reason = "r-1", "no cover"
    asked: list[tuple[str, object]] = []

    def start(self, order):
        return self._answer("start", order)

    def poll(self, order):
        return self._answer("poll", order)

    def _answer(self, verb, order):
        Rail.asked.append((verb, order))
        if Rail.broken:
            raise TimeoutError("The rail does not answer.")
        return PaymentOutcome(state=Rail.answer, reference=Rail.reference, reason=Rail.reason)


@pytest.fixture
def rail(settings):
    settings.HOLDFAST_WALLET = {
        "PAYMENT_RAIL": {"BACKEND": f"{__name__}.Rail"},
        "PAYMENT_POLL_SECONDS": 0,
    }
    Rail.answer, Rail.broken, Rail.asked = PaymentState.PENDING, False, []
    Rail.reference, Rail.reason = "r-1", "no cover"
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


def suspense():
    return selectors.system_account(role=SystemRole.SUSPENSE, currency="EUR").balance


def full():
    return make_account(maximum_balance=eur(10)), "holdfast_wallet.balance_limit_exceeded"


def shut():
    account = make_account()
    return account, "holdfast_wallet.account_frozen"


@pytest.mark.parametrize("make", [full, shut])
def test_a_deposit_that_its_account_does_not_take_waits_in_the_suspense_account(rail, make):
    account, code = make()
    payment = services.request_deposit(**ask(account))
    if make is shut:
        services.freeze_account(account_id=account.id, owner_id=account.owner_id, block_credits=True)
    rail.answer = PaymentState.SETTLED
    with captured_events() as told:
        assert services.sync_payments() == 1
    payment = fresh(payment)
    assert (payment.state, payment.reason, payment.transfer.journal_id) == (PaymentState.SETTLED, code, payment.id)
    assert (fresh(account).balance, suspense()) == (eur(0), eur(40))
    assert [event.reason for event in told if isinstance(event, events.PaymentSuspended)] == [code]
    assert not [event for event in told if isinstance(event, events.PaymentSettled)]
    assert services.settle_payment(payment_id=payment.id) == payment
    assert findings() == []


def test_a_withdrawal_whose_money_is_not_set_aside_any_more_is_accounted_for(ada, rail):
    payment = services.request_withdrawal(**ask(ada))
    with unlocked_ledger():
        Payment.objects.filter(id=payment.id).update(hold=None)
    services.release_hold(hold_id=payment.id, owner_id=ada.owner_id)
    assert services.settle_payment(payment_id=payment.id).reason == "holdfast_wallet.hold_not_found"
    assert (fresh(ada).balance, suspense()) == (eur(100), eur(-40))
    assert findings() == []


def test_what_is_set_aside_for_a_withdrawal_ends_with_it_and_not_before(ada, rail):
    payment = services.request_withdrawal(**ask(ada))
    scope = {"hold_id": payment.hold_id, "owner_id": ada.owner_id}
    assert_refused(exceptions.HoldInUse, services.release_hold, **scope)
    assert_refused(exceptions.HoldInUse, services.capture_hold, key=key(), target_id=make_account().id, **scope)
    services.settle_payment(payment_id=payment.id)
    assert_refused(exceptions.HoldNotOpen, services.release_hold, **scope)
    assert fresh(ada).balance == eur(60)


@pytest.mark.parametrize("verb", [services.request_deposit, services.request_withdrawal])
def test_an_account_with_a_payment_under_way_is_not_closed(rail, verb):
    account = make_account(overdraft_limit=eur(50))
    payment = verb(**ask(account))
    scope = {"account_id": account.id, "owner_id": account.owner_id}
    expected = exceptions.PaymentsPending if verb is services.request_deposit else exceptions.AccountNotEmpty
    assert_refused(expected, services.close_account, **scope)
    services.fail_payment(payment_id=payment.id)
    services.close_account(**scope)


@pytest.mark.parametrize("block_credits", [True, False])
def test_a_withdrawal_that_was_paid_is_posted_although_its_account_was_frozen_since(ada, rail, block_credits):
    payment = services.request_withdrawal(**ask(ada))
    services.freeze_account(account_id=ada.id, owner_id=ada.owner_id, block_credits=block_credits)
    services.open_system_account(role=SystemRole.CASH_OUT, currency="EUR")
    before = fresh(ada)
    with captured_events() as told:
        assert services.settle_payment(payment_id=payment.id).reason == ""
    assert [type(event) for event in told] == [events.TransferPosted, events.HoldCaptured, events.PaymentSettled]
    after = fresh(ada)
    assert (after.balance, after.held) == (eur(60), eur(0))
    assert (after.state, after.frozen_at, after.credits_blocked) == (
        before.state,
        before.frozen_at,
        before.credits_blocked,
    )
    assert findings() == []


@pytest.mark.parametrize("state", list(PaymentState))
@pytest.mark.parametrize("text", ["x" * 5000, "a\0b", "\ud800", "two\nlines"])
def test_however_a_rail_talks_its_answer_is_written_down(ada, rail, state, text):
    rail.answer, rail.reference, rail.reason = state, text, text
    payment = fresh(services.request_withdrawal(**ask(ada)))
    assert (payment.state, payment.started) == (state, state == PaymentState.PENDING)
    said = payment.reason if state == PaymentState.FAILED else payment.reference
    assert said.isprintable()
    assert len(said) <= 500


def test_one_payment_that_cannot_be_written_down_does_not_stop_the_others(ada, rail, caplog, monkeypatch):
    first, second = services.request_deposit(**ask(ada)), services.request_deposit(**ask(ada))
    settle = payments.settle_payment

    def broken_for_the_first(*, payment_id, **options):
        if payment_id == first.id:
            raise DatabaseError("The disk is full.")
        return settle(payment_id=payment_id, **options)

    monkeypatch.setattr(payments, "settle_payment", broken_for_the_first)
    rail.answer = PaymentState.SETTLED
    with caplog.at_level(logging.CRITICAL, logger="holdfast_wallet.services.payments"):
        assert services.sync_payments() == 1
    assert (fresh(first).state, fresh(second).state) == (PaymentState.PENDING, PaymentState.SETTLED)


def test_a_payment_rests_twice_as_long_each_time_up_to_a_limit(ada, rail, settings):
    settings.HOLDFAST_WALLET = {
        **settings.HOLDFAST_WALLET,
        "PAYMENT_POLL_SECONDS": 60,
        "PAYMENT_POLL_MAX_SECONDS": 1000,
    }
    payment = services.request_deposit(**ask(ada))
    for age, rest in ((30, 60), (120, 120), (240, 240), (90_000, 1000)):
        now = timezone.now()
        with unlocked_ledger():
            Payment.objects.filter(id=payment.id).update(created_at=now - dt.timedelta(seconds=age), next_poll_at=now)
        services.sync_payments()
        assert round((fresh(payment).next_poll_at - now).total_seconds(), -1) == rest // 10 * 10


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

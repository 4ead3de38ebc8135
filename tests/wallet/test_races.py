"""Everything at once, on PostgreSQL with a connection for each: each lock has a race that would show its absence."""

import datetime as dt
import threading
import time
from collections import Counter
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.utils import timezone

from holdfast.testing import race
from holdfast_wallet import exceptions, selectors, services
from holdfast_wallet.models import Account, Hold, Payment, Seal, Transfer
from holdfast_wallet.services import law, posting
from holdfast_wallet.states import HoldState, PaymentState
from holdfast_wallet.testing import make_account, make_hold, make_owner, make_transfer, unlocked_ledger
from tests.wallet.bank import eur, findings, fresh, key
from tests.wallet.doors import Door, url
from tests.wallet.doors import eur as told

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

ROUNDS = 30


@pytest.fixture(autouse=True)
def nothing_is_lost_or_made():
    yield
    assert findings() == []


def kinds(outcomes):
    return Counter(type(outcome) for outcome in outcomes)


def test_of_16_withdrawals_with_money_for_5_exactly_5_are_paid_each_time():
    for _ in range(ROUNDS):
        account = make_account(funds="5.00")

        def withdraw(account=account):
            return services.withdraw(key=key(), account_id=account.id, amount=eur(1), owner_id=account.owner_id)

        outcomes = race(withdraw, times=16)
        assert kinds(outcomes) == {Transfer: 5, exceptions.InsufficientFunds: 11}
        assert fresh(account).balance == eur(0)


def test_of_16_deposits_with_room_for_5_exactly_5_arrive():
    account = make_account(maximum_balance=eur(5))
    services.open_system_account(role="cash_in", currency="EUR")

    def deposit():
        return services.deposit(key=key(), account_id=account.id, amount=eur(1), owner_id=account.owner_id)

    assert kinds(race(deposit, times=16)) == {Transfer: 5, exceptions.BalanceLimitExceeded: 11}


def test_twins_of_one_key_all_get_the_one_transfer():
    for funds in ("100.00", "1.00"):  # with money for all, and with money for one
        source, target = make_account(funds=funds), make_account()
        first_key = key()
        outcomes = race(lambda s=source, t=target, k=first_key: make_transfer(source=s, target=t, key=k), times=12)
        assert {outcome.id for outcome in outcomes} == {first_key}
        assert fresh(target).balance == eur(1)


def test_twins_of_one_key_with_different_requests_are_one_transfer_and_refusals():
    source, target, first_key = make_account(funds="100.00"), make_account(), key()
    outcomes = race(
        *(
            lambda amount=amount: make_transfer(source=source, target=target, key=first_key, amount=amount)
            for amount in ("1.00", "2.00", "3.00", "4.00")
        )
    )
    assert kinds(outcomes) == {Transfer: 1, exceptions.KeyReused: 3}


def test_a_journal_posted_by_twins_is_posted_once():
    ada, bob = make_account(funds="100.00"), make_account()
    requests = [
        services.TransferRequest(key=key(), source_id=ada.id, target_id=bob.id, amount=eur(1), owner_id=ada.owner_id)
        for _ in range(5)
    ]
    journal_id = key()
    outcomes = race(lambda: services.post(journal_id=journal_id, transfers=requests), times=6)
    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert fresh(bob).balance == eur(5)


def test_opposite_transfers_do_not_deadlock():
    ada, bob = make_account(funds="100.00"), make_account(funds="100.00")

    def move(source, target):
        return [make_transfer(source=source, target=target) for _ in range(40)]

    outcomes = race(*([lambda: move(ada, bob), lambda: move(bob, ada)] * 4))
    assert kinds(outcomes) == {list: 8}
    assert fresh(ada).balance == eur(100)


def test_batches_over_the_same_accounts_in_any_order_do_not_deadlock():
    accounts = [make_account(funds="100.00") for _ in range(6)]

    def batch(order):
        return services.post_transfers(
            requests=[
                services.TransferRequest(
                    key=key(), source_id=source.id, target_id=target.id, amount=eur(1), owner_id=source.owner_id
                )
                for source, target in zip(order, order[1:] + order[:1], strict=True)
            ]
        )

    rolled = [accounts[n:] + accounts[:n] for n in range(6)]
    outcomes = race(*(lambda order=order: batch(order) for order in rolled + [order[::-1] for order in rolled]))
    assert all(type(item) is Transfer for outcome in outcomes for item in outcome)


def test_two_who_transfer_and_hold_and_capture_on_the_same_accounts_do_not_deadlock():
    ada, bob = make_account(funds="100.00"), make_account(funds="100.00")

    def reserve(source, target):
        for _ in range(10):
            hold = make_hold(account=source)
            services.capture_hold(key=key(), hold_id=hold.id, target_id=target.id, owner_id=source.owner_id)

    def pay(source, target):
        for _ in range(10):
            paid = make_transfer(source=source, target=target)
            services.reverse(key=key(), transfer_id=paid.id, owner_id=target.owner_id)

    outcomes = race(lambda: reserve(ada, bob), lambda: reserve(bob, ada), lambda: pay(ada, bob), lambda: pay(bob, ada))
    assert outcomes == [None] * 4


def test_of_many_who_capture_a_whole_hold_one_does():
    account, shop = make_account(funds="10.00"), make_account()
    hold = make_hold(account=account, amount="10.00")
    outcomes = race(
        lambda: services.capture_hold(key=key(), hold_id=hold.id, target_id=shop.id, owner_id=account.owner_id), times=8
    )
    assert kinds(outcomes) == {Transfer: 1, exceptions.HoldNotOpen: 7}
    assert fresh(shop).balance == eur(10)


def test_captures_of_parts_never_exceed_the_hold():
    account, shop = make_account(funds="10.00"), make_account()
    hold = make_hold(account=account, amount="5.00")
    outcomes = race(
        lambda: services.capture_hold(
            key=key(), hold_id=hold.id, target_id=shop.id, owner_id=account.owner_id, amount=eur(2), final=False
        ),
        times=8,
    )
    assert kinds(outcomes) == {Transfer: 2, exceptions.CaptureExceedsHold: 6}


def test_a_hold_is_captured_or_released_or_expired_and_only_one_of_them():
    shop = make_account()
    ends = Counter()
    for _ in range(10):
        account = make_account(funds="10.00")
        hold = make_hold(account=account, amount="10.00")
        with unlocked_ledger():
            Hold.objects.filter(id=hold.id).update(expires_at=timezone.now() + dt.timedelta(milliseconds=15))

        def capture(hold=hold):
            time.sleep(0.01)
            return services.capture_hold(key=key(), hold_id=hold.id, target_id=shop.id, owner_id=hold.account.owner_id)

        def sweep():
            time.sleep(0.012)
            return services.expire_holds()

        def release(hold=hold):
            time.sleep(0.012)
            return services.release_hold(hold_id=hold.id, owner_id=hold.account.owner_id)

        race(capture, capture, sweep, sweep, release)
        services.expire_holds()
        end = fresh(hold)
        ends[end.state] += 1
        assert end.state != HoldState.OPEN
        assert fresh(account).held == eur(0)
        assert fresh(account).balance == (eur(0) if end.state == HoldState.CAPTURED else eur(10))
    assert sum(ends.values()) == 10


def test_holds_that_compete_for_the_same_money_never_exceed_it():
    account = make_account(funds="5.00")
    outcomes = race(lambda: make_hold(account=account, amount="1.00"), times=12)
    assert kinds(outcomes) == {Hold: 5, exceptions.InsufficientFunds: 7}
    assert fresh(account).available == eur(0)


def test_all_who_remember_slots_that_were_rolled_back_look_again(settings):
    settings.HOLDFAST_WALLET = {"SYSTEM_ACCOUNT_SLOTS": 4}
    account = make_account()

    def deposit():
        return services.deposit(key=key(), account_id=account.id, amount=eur(1), owner_id=account.owner_id)

    with transaction.atomic():
        deposit()
        transaction.set_rollback(True)

    assert kinds(race(deposit, times=8)) == {Transfer: 8}


def test_holds_and_withdrawals_compete_for_the_same_money():
    account = make_account(funds="5.00")

    def withdraw():
        return services.withdraw(key=key(), account_id=account.id, amount=eur(1), owner_id=account.owner_id)

    outcomes = race(*([lambda: make_hold(account=account), withdraw] * 6))
    assert kinds(outcomes)[exceptions.InsufficientFunds] == 7
    assert fresh(account).available == eur(0)


def test_of_many_whole_reversals_one_gives_back():
    source, target = make_account(funds="10.00"), make_account(funds="100.00")
    paid = make_transfer(source=source, target=target, amount="10.00")
    outcomes = race(lambda: services.reverse(key=key(), transfer_id=paid.id, owner_id=target.owner_id), times=8)
    assert kinds(outcomes) == {Transfer: 1, exceptions.ReversalExceedsOriginal: 7}


def test_reversals_of_parts_never_exceed_the_original():
    source, target = make_account(funds="10.00"), make_account(funds="100.00")
    paid = make_transfer(source=source, target=target, amount="10.00")
    outcomes = race(
        lambda: services.reverse(key=key(), transfer_id=paid.id, owner_id=target.owner_id, amount=eur(3)), times=8
    )
    assert kinds(outcomes) == {Transfer: 3, exceptions.ReversalExceedsOriginal: 5}


def test_reversals_inserted_by_hand_at_once_never_exceed_the_original_either():
    source, target = make_account(funds="10.00"), make_account(funds="100.00")
    paid = make_transfer(source=source, target=target, amount="10.00")

    def by_hand():
        row = Transfer(
            source=target, target=source, amount_minor=400, currency="EUR", journal_id=paid.id, reverses=paid
        )
        row.save(force_insert=True)
        return row

    outcomes = race(by_hand, times=8)
    assert kinds(outcomes)[Transfer] == 2


def test_an_account_is_closed_or_paid_into_never_both():
    source = make_account(funds="100.00")
    for _ in range(10):
        target = make_account()
        outcomes = race(
            lambda t=target: services.close_account(account_id=t.id, owner_id=t.owner_id),
            lambda t=target: make_transfer(source=source, target=t),
        )
        assert kinds(outcomes) in (
            {Account: 1, exceptions.TargetRefuses: 1},
            {exceptions.AccountNotEmpty: 1, Transfer: 1},
        )


def test_nothing_leaves_an_account_after_it_was_frozen():
    target = make_account()
    for _ in range(5):
        source = make_account(funds="100.00")
        frozen_at = []

        def freeze(source=source, frozen_at=frozen_at):
            services.freeze_account(account_id=source.id, owner_id=source.owner_id)
            with connection.cursor() as cursor:
                cursor.execute("SELECT clock_timestamp()")
                frozen_at.append(cursor.fetchone()[0])

        def pay(source=source):
            return [make_transfer(source=source, target=target) for _ in range(10)]

        race(freeze, pay, pay)
        last = source.debits.order_by("-number").first()
        assert last is None or last.recorded_at < frozen_at[0]


def test_a_system_account_is_opened_once():
    outcomes = race(lambda: services.open_system_account(role="race", currency="EUR", slots=4), times=8)
    assert len({outcome.id for outcome in outcomes}) == 1
    assert Account.objects.filter(role="race").count() == 5


def test_an_owner_has_one_default_account_whoever_is_first():
    owner = make_owner()
    race(lambda: services.open_account(owner_id=owner.pk, currency="EUR"), times=8)
    assert Account.objects.filter(owner=owner).count() == 8
    assert Account.objects.filter(owner=owner, is_default=True).count() == 1


def test_a_payment_settled_by_many_is_posted_once():
    account = make_account(funds="10.00")
    payment = Payment.objects.create(account=account, direction="deposit", currency="EUR", amount_minor=500)
    outcomes = race(lambda: services.settle_payment(payment_id=payment.id), times=8)
    assert kinds(outcomes) == {Payment: 8}
    assert fresh(account).balance == eur(15)


def test_a_payment_is_settled_or_has_failed_never_both():
    account = make_account(funds="10.00")
    for _ in range(6):
        payment = services.request_withdrawal(
            key=key(), account_id=account.id, amount=eur(1), owner_id=account.owner_id
        )
        assert payment.state == PaymentState.SETTLED
        pending = Payment.objects.create(account=account, direction="deposit", currency="EUR", amount_minor=100)
        outcomes = race(
            lambda p=pending: services.settle_payment(payment_id=p.id),
            lambda p=pending: services.fail_payment(payment_id=p.id),
        )
        assert kinds(outcomes) == {Payment: 1, exceptions.PaymentNotPending: 1}


def test_exchanges_by_twins_are_one():
    owner = make_owner()
    euros, dollars = make_account(owner=owner, funds="10.00"), make_account(owner=owner, currency="USD")
    first_key = key()
    outcomes = race(
        lambda: services.exchange(
            key=first_key,
            source_id=euros.id,
            target_id=dollars.id,
            amount=eur(2),
            owner_id=owner.pk,
            rate=Decimal("1.25"),
        ),
        times=6,
    )
    assert {outcome.debit.id for outcome in outcomes} == {first_key}
    assert fresh(euros).balance == eur(8)


def test_seals_made_at_once_form_one_chain_over_every_transfer():
    source, target = make_account(funds="100.00"), make_account()

    def pay():
        for _ in range(20):
            make_transfer(source=source, target=target)

    race(pay, pay, services.seal, services.seal, services.seal)
    services.seal()
    assert sum(Seal.objects.values_list("transfer_count", flat=True)) == Transfer.objects.count()


def test_a_seal_waits_for_a_lower_number_that_is_not_committed_yet(settings):
    """Numbers are drawn before their transactions commit: sealing up to the highest visible one would lose this one."""
    settings.HOLDFAST_WALLET = {"SEAL_WAIT_SECONDS": 0.2}
    first, second = make_account(funds="10.00"), make_account(funds="10.00")
    target, other = make_account(), make_account()
    posted, finish = threading.Event(), threading.Event()

    def slowly():
        with transaction.atomic():
            transfer = make_transfer(source=first, target=target)
            posted.set()
            finish.wait(timeout=30)
        return transfer

    def meanwhile():
        posted.wait(timeout=30)
        later = make_transfer(source=second, target=other)
        held_back = services.seal()
        finish.set()
        return later, held_back

    slow, (later, held_back) = race(slowly, meanwhile)
    assert slow.number < later.number
    assert held_back == 0
    assert services.seal() == Transfer.objects.count()


def test_time_and_versions_do_not_run_back_within_a_hot_account():
    hot = make_account()
    sources = [make_account(funds="100.00") for _ in range(8)]

    def pay(source):
        for _ in range(15):
            make_transfer(source=source, target=hot)

    race(*(lambda source=source: pay(source) for source in sources))
    lines = list(selectors.entries(account_id=hot.id, owner_id=hot.owner_id).order_by("version"))
    assert [line.version for line in lines] == list(range(1, 121))
    assert [line.recorded_at for line in lines] == sorted(line.recorded_at for line in lines)
    assert [line.number for line in lines] == sorted(line.number for line in lines)


def test_the_switch_of_one_connection_opens_no_other():
    account = make_account(funds="1.00")

    def forge():
        with law.unlocked(mode="off"):
            return Account.objects.filter(id=account.id).update(balance_minor=5)

    with unlocked_ledger():
        outcome, _ = race(forge, lambda: None)
    assert isinstance(outcome, Exception)


def test_a_callers_transactions_that_post_through_post_do_not_deadlock():
    ada, bob, carol = (make_account(funds="100.00") for _ in range(3))

    def ring(*accounts):
        for _ in range(8):
            services.post(
                journal_id=key(),
                transfers=[
                    services.TransferRequest(
                        key=key(), source_id=source.id, target_id=target.id, amount=eur(1), owner_id=source.owner_id
                    )
                    for source, target in zip(accounts, accounts[1:] + accounts[:1], strict=True)
                ],
            )

    assert (
        race(lambda: ring(ada, bob, carol), lambda: ring(carol, bob, ada), lambda: ring(bob, ada, carol)) == [None] * 3
    )


def test_opposite_batches_through_the_api_do_not_deadlock():
    first, second = make_owner(), make_owner()
    mine = [make_account(owner=first, funds="50.00") for _ in range(2)]
    yours = [make_account(owner=second, funds="50.00") for _ in range(2)]

    def line(source, target):
        return {"source": str(source.id), "target": str(target.id), "amount": told("0.01")}

    there = [line(mine[0], yours[0]), line(mine[1], yours[1])] * 3
    back = [line(yours[1], mine[1]), line(yours[0], mine[0])] * 3

    def send(owner, lines):
        body = {"atomic": False, "transfers": lines}
        return [Door(owner).post(url("transfer-batch"), body).status_code for _ in range(ROUNDS)]

    outcomes = race(lambda: send(first, there), lambda: send(second, back))
    assert outcomes == [[200] * ROUNDS] * 2


def test_a_transfer_that_expires_holds_on_its_way_has_both_accounts_locked(monkeypatch):
    target, source = make_account(funds="10.00"), make_account(funds="10.00")
    hold = make_hold(account=source, amount="8.00")
    with unlocked_ledger():
        Hold.objects.filter(id=hold.id).update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    expire, free = posting.expire_due_holds_of, []

    def expire_and_look(*arguments, **options):
        expired = expire(*arguments, **options)
        skipping = Account.objects.select_for_update(skip_locked=True).filter(id__in=[source.id, target.id])

        def look():
            with transaction.atomic():
                return list(skipping.values_list("id", flat=True))

        free.extend(race(look, times=1))
        return expired

    monkeypatch.setattr(posting, "expire_due_holds_of", expire_and_look)
    with transaction.atomic():
        make_transfer(source=source, target=target, amount="5.00")
    assert free == [[]]

"""Posting: one transfer moves two balances, once, within every limit."""

import datetime as dt
import uuid
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from holdfast.money import InvalidAmount, Money, UnknownCurrency
from holdfast.testing import captured_events
from holdfast_wallet import exceptions, selectors, services
from holdfast_wallet.events import TransferPosted
from holdfast_wallet.models import Account, Transfer
from holdfast_wallet.models.accounts import MAX_AMOUNT_MINOR
from holdfast_wallet.services import slots
from holdfast_wallet.states import SystemRole, TransferKind
from holdfast_wallet.testing import make_account, make_owner
from tests.wallet.bank import assert_refused, eur, findings, fresh, key

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    return make_account(funds="100.00")


@pytest.fixture
def bob():
    return make_account()


def pay(source, target, amount="12.34", **options):
    return services.transfer(
        **{
            "key": key(),
            "source_id": source.id,
            "target_id": target.id,
            "amount": eur(amount),
            "owner_id": source.owner_id,
            **options,
        }
    )


def test_a_transfer_moves_money_and_says_what_was_there_afterwards(ada, bob):
    transfer = pay(ada, bob, "12.34")

    assert (fresh(ada).balance, fresh(bob).balance) == (eur("87.66"), eur("12.34"))
    stored = fresh(transfer)
    assert (stored.source_balance_minor, stored.target_balance_minor) == (8766, 1234)
    assert (stored.source_version, stored.target_version) == (2, 1)
    assert stored.journal_id == stored.id
    assert stored.effective_at == stored.recorded_at


def test_what_a_transfer_returns_is_what_was_stored(ada, bob):
    transfer = pay(ada, bob, metadata={"order": "A-1", "lines": [1, 2]}, kind="order")
    stored = fresh(transfer)
    for field in Transfer._meta.concrete_fields:
        assert getattr(transfer, field.attname) == getattr(stored, field.attname), field.attname
    assert transfer == stored
    assert not transfer._state.adding


def test_a_transfer_is_told_once_with_what_happened(ada, bob):
    with captured_events() as events:
        transfer = pay(ada, bob, "5.00")

    assert events == [
        TransferPosted(
            transfer_id=str(transfer.id),
            journal_id=str(transfer.id),
            kind="transfer",
            source_id=str(ada.id),
            target_id=str(bob.id),
            amount_minor=500,
            currency="EUR",
        )
    ]


def test_the_same_key_answers_with_the_first_transfer_and_moves_nothing_again(ada, bob):
    first_key = key()
    first = pay(ada, bob, "60.00", key=first_key, metadata={"a": 1})
    with captured_events() as events:
        again = pay(ada, bob, "60.00", key=first_key, metadata={"a": 1})

    assert again == first
    assert again.recorded_at == first.recorded_at
    assert events == []
    # There is no money left for a second one, and it is still the first that answers.
    assert fresh(ada).balance == eur("40.00")


@pytest.mark.parametrize(
    "difference",
    [
        {"amount": eur("60.01")},
        {"kind": "other"},
        {"journal_id": uuid.UUID(int=7)},
        {"metadata": {"a": 2}},
        {"effective_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)},
    ],
    ids=lambda difference: next(iter(difference)),
)
def test_the_same_key_for_another_request_is_refused(ada, bob, difference):
    first_key = key()
    pay(ada, bob, "60.00", key=first_key, metadata={"a": 1})
    arguments = {
        "key": first_key,
        "source_id": ada.id,
        "target_id": bob.id,
        "amount": eur("60.00"),
        "owner_id": ada.owner_id,
        "metadata": {"a": 1},
        **difference,
    }
    assert_refused(exceptions.KeyReused, services.transfer, **arguments)


def test_a_key_between_other_accounts_is_refused(ada, bob):
    first_key = key()
    pay(ada, bob, key=first_key)
    carol = make_account()
    assert_refused(exceptions.KeyReused, pay, source=ada, target=carol, key=first_key)


def test_somebody_elses_key_tells_nothing(ada, bob):
    first_key = key()
    pay(ada, bob, key=first_key)
    eve = make_owner()
    assert_refused(exceptions.AccountNotFound, pay, source=ada, target=bob, key=first_key, owner_id=eve.pk)


@pytest.mark.parametrize(
    ("refusal", "change"),
    [
        (exceptions.InsufficientFunds, {"amount": eur("100.01")}),
        (exceptions.AmountNotPositive, {"amount": eur("0")}),
        (exceptions.AmountNotPositive, {"amount": eur("-1")}),
        (InvalidAmount, {"amount": eur("1.001")}),
        (InvalidAmount, {"amount": Money(Decimal("NaN"), "EUR")}),
        (InvalidAmount, {"amount": Money(Decimal("Infinity"), "EUR")}),
        (InvalidAmount, {"amount": Money(Decimal("1e30"), "EUR")}),
        (exceptions.AmountTooLarge, {"amount": Money(Decimal(MAX_AMOUNT_MINOR + 1) / 100, "EUR")}),
        (exceptions.CurrencyMismatch, {"amount": Money("1", "USD")}),
        (UnknownCurrency, {"amount": Money("1", "XTS")}),
        (exceptions.AccountNotFound, {"source_id": uuid.UUID(int=1)}),
        (exceptions.AccountNotFound, {"target_id": uuid.UUID(int=1)}),
        (exceptions.AccountNotFound, {"owner_id": None}),
        (exceptions.AccountNotFound, {"owner_id": 987654}),
        (exceptions.MalformedRequest, {"kind": ""}),
        (exceptions.MalformedRequest, {"kind": "k" * 41}),
        (exceptions.MalformedRequest, {"kind": "a\x00b"}),
        (exceptions.MalformedRequest, {"key": "not a uuid"}),
        (exceptions.MalformedRequest, {"metadata": {"x": "y" * 5000}}),
        (exceptions.MalformedRequest, {"metadata": {"x": object()}}),
        (exceptions.MalformedRequest, {"metadata": {"x": float("nan")}}),
        (exceptions.MalformedRequest, {"metadata": {"x": "a\x00b"}}),
        (exceptions.MalformedRequest, {"metadata": {"x": "\ud800"}}),
        (exceptions.MalformedRequest, {"metadata": ["not an object"]}),
        (exceptions.MalformedRequest, {"effective_at": dt.datetime(2026, 1, 1)}),  # noqa: DTZ001 - naive is the point
    ],
)
def test_a_refusal_changes_nothing(ada, bob, refusal, change):
    arguments = {
        "key": key(),
        "source_id": ada.id,
        "target_id": bob.id,
        "amount": eur("1"),
        "owner_id": ada.owner_id,
        **change,
    }
    assert_refused(refusal, services.transfer, **arguments)


def test_an_account_cannot_pay_itself(ada):
    assert_refused(exceptions.SameAccount, pay, source=ada, target=ada)


def test_insufficient_funds_says_what_is_available(ada, bob):
    refusal = assert_refused(exceptions.InsufficientFunds, pay, source=ada, target=bob, amount="100.01")
    assert refusal.context == {"account_id": str(ada.id), "available": "100.00", "currency": "EUR"}


def test_a_maximum_balance_refuses_and_says_how_much_room_there_is(ada):
    bob = make_account(owner=ada.owner, maximum_balance=eur("20.00"))
    pay(ada, bob, "15.00")
    refusal = assert_refused(exceptions.BalanceLimitExceeded, pay, source=ada, target=bob, amount="5.01")
    assert refusal.context == {"account_id": str(bob.id), "room": "5.00", "currency": "EUR"}
    pay(ada, bob, "5.00")


def test_an_overdraft_is_used_to_the_cent_and_no_further(bob):
    ada = make_account(overdraft_limit=eur("50.00"))
    pay(ada, bob, "50.00")
    assert fresh(ada).balance == eur("-50.00")
    assert_refused(exceptions.InsufficientFunds, pay, source=ada, target=bob, amount="0.01")


def test_an_unlimited_overdraft_has_no_end_but_the_integers(bob):
    ada = make_account(overdraft_limit=None)
    assert ada.available is None
    large = Money(Decimal(MAX_AMOUNT_MINOR) / 100, "EUR")
    pay(ada, bob, amount=large.amount)
    pay(ada, bob, amount=large.amount)
    for _ in range(20):
        try:
            pay(ada, bob, amount=large.amount)
        except exceptions.AmountTooLarge:
            break
    else:
        pytest.fail("The balance grew beyond all integers.")
    assert findings() == []


def test_currencies_without_cents_and_with_three_decimals_are_counted_in_their_own_units():
    for currency, amount, minor in (("JPY", "1200", 1200), ("KWD", "1.234", 1234)):
        account = make_account(currency=currency, funds=amount)
        assert account.balance_minor == minor
        assert account.balance == Money(amount, currency)


def test_a_refusal_inside_a_callers_transaction_leaves_it_usable(ada, bob):
    with transaction.atomic():
        pay(ada, bob, "10.00")
        with pytest.raises(exceptions.InsufficientFunds):
            pay(ada, bob, "1000.00")
        pay(ada, bob, "20.00")
    assert fresh(bob).balance == eur("30.00")


def test_a_rolled_back_transaction_leaves_no_trace_and_its_key_is_free(ada, bob):
    first_key = key()
    with transaction.atomic():
        pay(ada, bob, "10.00", key=first_key)
        transaction.set_rollback(True)
    assert fresh(bob).version == 0
    pay(ada, bob, "11.00", key=first_key)
    assert findings() == []


def test_a_refusal_uses_no_key_up(ada, bob):
    first_key = key()
    with pytest.raises(exceptions.InsufficientFunds):
        pay(ada, bob, "101.00", key=first_key)
    services.deposit(key=key(), account_id=ada.id, amount=eur("1.00"), owner_id=ada.owner_id)
    assert pay(ada, bob, "101.00", key=first_key).id == first_key


def test_money_comes_from_the_house_and_goes_to_it(ada):
    services.withdraw(key=key(), account_id=ada.id, amount=eur("30.00"), owner_id=ada.owner_id)
    assert selectors.system_account(role=SystemRole.CASH_IN, currency="EUR").balance == eur("-100.00")
    assert selectors.system_account(role=SystemRole.CASH_OUT, currency="EUR").balance == eur("30.00")
    assert findings() == []


def test_the_house_moves_its_own_money_and_nobody_elses(ada, bob):
    cash = selectors.system_account(role=SystemRole.CASH_IN, currency="EUR")
    services.transfer(key=key(), source_id=cash.id, target_id=bob.id, amount=eur(1), owner_id=None)
    assert_refused(exceptions.AccountNotFound, pay, source=ada, target=bob, owner_id=None)
    assert_refused(exceptions.AccountNotFound, pay, source=cash, target=bob, owner_id=ada.owner_id)


def test_a_remembered_system_account_that_was_rolled_back_is_opened_again(ada):
    with transaction.atomic():
        make_account(currency="CHF", funds="1.00")
        transaction.set_rollback(True)
    assert slots.remembered(role=SystemRole.CASH_IN, currency="CHF", using="default")
    other = make_account(currency="CHF", funds="2.00")
    assert other.balance == Money("2.00", "CHF")


def test_a_journal_groups_transfers_and_is_found_by_its_id_or_by_a_lonely_transfers(ada, bob):
    journal_id = key()
    requests = [
        services.TransferRequest(
            key=key(), source_id=ada.id, target_id=bob.id, amount=eur(n), owner_id=ada.owner_id, kind="order"
        )
        for n in (1, 2, 3)
    ]
    posted = services.post(journal_id=journal_id, transfers=requests)
    alone = pay(ada, bob, "4.00")
    assert list(selectors.journal(journal_id=journal_id)) == posted
    assert list(selectors.journal(journal_id=alone.id)) == [alone]
    assert services.post(journal_id=journal_id, transfers=requests) == posted
    assert fresh(bob).balance == eur("10.00")


def test_a_journal_is_all_or_nothing(ada, bob):
    requests = [
        services.TransferRequest(
            key=key(), source_id=ada.id, target_id=bob.id, amount=eur(amount), owner_id=ada.owner_id
        )
        for amount in ("50.00", "50.01")
    ]
    assert_refused(exceptions.InsufficientFunds, services.post, journal_id=key(), transfers=requests)
    assert_refused(exceptions.BatchTooLarge, services.post, journal_id=key(), transfers=[])
    assert_refused(exceptions.BatchTooLarge, services.post, journal_id=key(), transfers=requests * 501)


def test_a_batch_answers_for_each_item_with_one_commit(ada, bob):
    eve = make_owner()
    ask = {"source_id": ada.id, "target_id": bob.id, "owner_id": ada.owner_id}
    first = pay(ada, bob, "1.00")
    with captured_events() as events:
        results = services.post_transfers(
            requests=[
                services.TransferRequest(**ask, key=key(), amount=eur("10.00")),
                services.TransferRequest(**ask, key=key(), amount=eur("90.00")),
                services.TransferRequest(**{**ask, "owner_id": eve.pk}, key=key(), amount=eur("1.00")),
                services.TransferRequest(**ask, key=key(), amount=eur("-1.00")),
                services.TransferRequest(**ask, key=first.id, amount=eur("1.00")),
                services.TransferRequest(**ask, key=key(), amount=eur("5.00")),
            ]
        )
    assert [type(result) for result in results] == [
        Transfer,
        exceptions.InsufficientFunds,
        exceptions.AccountNotFound,
        exceptions.AmountNotPositive,
        Transfer,
        Transfer,
    ]
    assert results[4] == first
    assert [event.amount_minor for event in events] == [1000, 500]
    assert fresh(bob).balance == eur("16.00")
    assert findings() == []


def test_a_batch_in_which_all_is_well_returns_what_was_stored(ada, bob):
    asked = [
        services.TransferRequest(
            key=key(),
            source_id=source.id,
            target_id=target.id,
            amount=eur(1),
            owner_id=source.owner_id,
            metadata={"n": 1} if source is ada else {},
        )
        for source, target in ((ada, bob), (bob, ada), (ada, bob))
    ]
    posted = services.post_transfers(requests=asked, atomic=True)
    for transfer, request in zip(posted, asked, strict=True):
        assert transfer.id == request.key
        stored = fresh(transfer)
        for field in Transfer._meta.concrete_fields:
            assert getattr(transfer, field.attname) == getattr(stored, field.attname), field.attname
    assert [transfer.source_version for transfer in posted] == [2, 2, 4]


def test_a_batch_that_is_atomic_raises_and_posts_nothing(ada, bob):
    ask = {"source_id": ada.id, "target_id": bob.id, "owner_id": ada.owner_id}
    requests = [services.TransferRequest(**ask, key=key(), amount=eur(amount)) for amount in ("1.00", "1000.00")]
    assert_refused(exceptions.InsufficientFunds, services.post_transfers, requests=requests, atomic=True)


def test_a_split_account_takes_postings_in_its_slots_and_adds_them_up(ada):
    hot = services.open_system_account(role="shop", currency="EUR", slots=4)
    for _ in range(12):
        pay(ada, hot, "1.00")
    services.post_transfers(
        requests=[
            services.TransferRequest(
                key=key(), source_id=ada.id, target_id=hot.id, amount=eur(1), owner_id=ada.owner_id
            )
            for _ in range(8)
        ]
    )
    assert fresh(hot).balance == eur("20.00")
    assert fresh(hot).version == 0
    assert sum(slot.balance.amount for slot in hot.slot_accounts.all()) == 20
    assert selectors.balance_at(account_id=hot.id, owner_id=None, at=timezone.now()) == eur("20.00")
    assert findings() == []


def test_a_key_on_a_split_account_is_found_whatever_slot_it_went_to(ada):
    hot = services.open_system_account(role="shop", currency="EUR", slots=8)
    first_key = key()
    first = pay(ada, hot, "1.00", key=first_key)
    assert {pay(ada, hot, "1.00", key=first_key).id for _ in range(10)} == {first.id}
    assert fresh(hot).balance == eur("1.00")


def test_a_transfer_is_one_statement_and_none_before_it(ada, bob):
    arguments = {
        "key": key(),
        "source_id": ada.id,
        "target_id": bob.id,
        "amount": eur(1),
        "owner_id": ada.owner_id,
    }
    with CaptureQueriesContext(connection) as captured:
        services.transfer(**arguments)
    said = [query["sql"] for query in captured if "SAVEPOINT" not in query["sql"]]
    # SQLite looks at what its triggers made of the row, and tells in a statement of its own.
    assert len(said) == (1 if connection.vendor == "postgresql" else 3)


def test_entries_are_the_two_sides_of_transfers_with_running_balances(ada, bob):
    pay(ada, bob, "12.00")
    pay(bob, ada, "2.00")
    lines = selectors.entries(account_id=ada.id, owner_id=ada.owner_id)
    assert [(line.version, line.amount, line.balance) for line in lines] == [
        (3, eur("2.00"), eur("90.00")),
        (2, eur("-12.00"), eur("88.00")),
        (1, eur("100.00"), eur("100.00")),
    ]
    assert lines[0].counterparty == bob
    assert lines[0].transfer.kind == TransferKind.TRANSFER


def test_a_balance_at_any_recorded_moment_is_that_of_the_last_line_before_it(ada, bob):
    transfers = [pay(ada, bob, "1.00") for _ in range(9)]
    for count, transfer in enumerate(transfers, start=1):
        later = transfers[count].recorded_at if count < len(transfers) else timezone.now()
        if later == transfer.recorded_at:
            continue  # SQLite's clock ticks in milliseconds
        at = selectors.balance_at(account_id=bob.id, owner_id=bob.owner_id, at=transfer.recorded_at)
        assert at == eur(count)
    long_ago = timezone.now() - dt.timedelta(days=1)
    assert selectors.balance_at(account_id=bob.id, owner_id=bob.owner_id, at=long_ago) == eur(0)
    with pytest.raises(exceptions.MalformedRequest):
        selectors.balance_at(account_id=bob.id, owner_id=bob.owner_id, at=dt.datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(exceptions.AccountNotFound):
        selectors.balance_at(account_id=bob.id, owner_id=ada.owner_id, at=long_ago)


def test_backdated_and_postdated_transfers_count_from_when_they_are_effective(ada, bob):
    now = timezone.now()
    yesterday, tomorrow = now - dt.timedelta(days=1), now + dt.timedelta(days=1)
    pay(ada, bob, "5.00", effective_at=yesterday)
    pay(ada, bob, "3.00", effective_at=tomorrow)
    pay(ada, bob, "2.00")

    def at(moment, *, effective):
        return selectors.balance_at(account_id=bob.id, owner_id=bob.owner_id, at=moment, effective=effective)

    assert at(yesterday, effective=False) == eur(0)
    assert at(yesterday, effective=True) == eur(5)
    assert at(timezone.now(), effective=False) == eur(10)
    assert at(timezone.now(), effective=True) == eur(7)
    assert at(tomorrow, effective=True) == eur(10)
    source = selectors.balance_at(account_id=ada.id, owner_id=ada.owner_id, at=yesterday, effective=True)
    assert source == eur(-5)


def test_a_statement_adds_up_and_its_periods_meet(ada, bob):
    transfers = [pay(ada, bob, "1.00") for _ in range(7)]
    middle = transfers[3].recorded_at
    start, end = transfers[0].recorded_at - dt.timedelta(days=1), timezone.now() + dt.timedelta(seconds=1)
    ask = {"account_id": bob.id, "owner_id": bob.owner_id}
    first = selectors.statement(**ask, start=start, end=middle)
    second = selectors.statement(**ask, start=middle, end=end)
    assert first.opening == eur(0)
    assert first.closing == second.opening
    assert second.closing == eur(7)
    assert first.line_count + second.line_count == 7
    for part in (first, second):
        lines = list(part.lines(chunk_size=2))
        assert len(lines) == part.line_count
        assert part.opening.amount + sum(line.amount.amount for line in lines) == part.closing.amount
        assert [line.version for line in lines] == sorted(line.version for line in lines)
    with pytest.raises(exceptions.MalformedRequest):
        selectors.statement(**ask, start=end, end=start)


def test_a_transfer_is_seen_by_both_sides_and_by_nobody_else(ada, bob):
    transfer = pay(ada, bob)
    for account in (ada, bob):
        assert selectors.get_transfer(transfer_id=transfer.id, owner_id=account.owner_id) == transfer
        assert transfer in selectors.transfers_of(owner_id=account.owner_id)
    with pytest.raises(exceptions.TransferNotFound):
        selectors.get_transfer(transfer_id=transfer.id, owner_id=make_owner().pk)


def test_a_plain_insert_by_the_orm_is_a_safe_transfer_too(ada, bob):
    Transfer.objects.create(source=ada, target=bob, amount_minor=1000, currency="EUR", journal_id=key())
    assert (fresh(ada).balance, fresh(bob).balance) == (eur("90.00"), eur("10.00"))
    assert findings() == []


def test_all_accounts_of_the_house_are_opened_once():
    first = services.open_system_account(role="rent", currency="EUR")
    assert services.open_system_account(role="rent", currency="EUR", slots=3) == first
    assert Account.objects.filter(role="rent").count() == 1


def test_a_batch_learns_of_slots_before_it_locks_anything(ada):
    hot = services.open_system_account(role="shop", currency="EUR", slots=4)
    requests = [
        services.TransferRequest(key=key(), source_id=ada.id, target_id=hot.id, amount=eur(1), owner_id=ada.owner_id)
        for _ in range(8)
    ]
    first = services.post_transfers(requests=requests)
    assert {transfer.target_id for transfer in first} <= {slot.id for slot in hot.slot_accounts.all()}
    assert services.post_transfers(requests=requests) == first
    assert fresh(hot).balance == eur(8)

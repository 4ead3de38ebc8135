"""Reversals: money goes back, in whole or in part, never more than was."""

import pytest

from holdfast.money import Money
from holdfast.testing import captured_events
from holdfast_wallet import exceptions, selectors, services
from holdfast_wallet.testing import make_account, make_hold, make_owner, make_transfer
from tests.wallet.bank import assert_refused, eur, findings, fresh, key

pytestmark = pytest.mark.django_db


@pytest.fixture
def paid():
    return make_transfer(source=make_account(funds="100.00"), target=make_account(), amount="30.00")


def reverse(transfer, amount=None, **options):
    return services.reverse(
        **{
            "key": key(),
            "transfer_id": transfer.id,
            "owner_id": transfer.target.owner_id,
            "amount": amount if amount is None or isinstance(amount, Money) else eur(amount),
            **options,
        }
    )


def test_a_whole_reversal_gives_everything_back_in_the_same_journal(paid):
    with captured_events() as told:
        back = reverse(paid, reason="damaged")
    assert (back.amount, back.reverses_id, back.journal_id, back.kind) == (eur(30), paid.id, paid.id, "reversal")
    assert back.metadata == {"reason": "damaged"}
    assert (fresh(paid.source).balance, fresh(paid.target).balance) == (eur(100), eur(0))
    assert [event.reverses_id for event in told] == [str(paid.id)]
    assert list(selectors.journal(journal_id=paid.id)) == [paid, back]
    assert findings() == []


def test_parts_add_up_to_the_whole_and_no_further(paid):
    reverse(paid, "10.00")
    reverse(paid, "15.00")
    refused = assert_refused(exceptions.ReversalExceedsOriginal, lambda: reverse(paid, "5.01"))
    assert refused.context == {"transfer_id": str(paid.id), "reversible": "5.00", "currency": "EUR"}
    assert reverse(paid).amount == eur(5)
    assert_refused(exceptions.ReversalExceedsOriginal, lambda: reverse(paid))
    assert_refused(exceptions.ReversalExceedsOriginal, lambda: reverse(paid, "0.01"))
    assert findings() == []


def test_the_same_reversal_twice_is_one(paid):
    first_key = key()
    first = reverse(paid, key=first_key)
    assert reverse(paid, key=first_key) == first
    assert reverse(paid, "30.00", key=first_key) == first
    assert_refused(exceptions.KeyReused, lambda: reverse(paid, "29.00", key=first_key))
    assert_refused(exceptions.KeyReused, lambda: reverse(paid, key=first_key, reason="other"))
    assert_refused(exceptions.KeyReused, lambda: reverse(paid, key=paid.id))


def test_a_reversal_is_not_reversed(paid):
    back = reverse(paid)
    assert_refused(exceptions.NotReversible, lambda: reverse(back))


def test_who_received_gives_back_and_nobody_else(paid):
    for owner_id in (paid.source.owner_id, make_owner().pk, None):
        assert_refused(exceptions.TransferNotFound, lambda owner_id=owner_id: reverse(paid, owner_id=owner_id))
    assert_refused(
        exceptions.TransferNotFound,
        services.reverse,
        key=key(),
        transfer_id=key(),
        owner_id=paid.target.owner_id,
    )


def test_money_that_was_spent_cannot_be_given_back(paid):
    make_transfer(source=paid.target, target=make_account(), amount="20.00")
    assert_refused(exceptions.InsufficientFunds, lambda: reverse(paid))
    reverse(paid, "10.00")


def test_amounts_that_make_no_sense_are_refused(paid):
    assert_refused(exceptions.AmountNotPositive, lambda: reverse(paid, "0"))
    assert_refused(exceptions.CurrencyMismatch, lambda: reverse(paid, Money(1, "USD")))
    assert_refused(exceptions.MalformedRequest, lambda: reverse(paid, key="k"))


def test_deposits_withdrawals_and_captures_are_reversed_as_well():
    ada, shop = make_account(funds="50.00"), make_account()
    deposited = selectors.transfers_of(owner_id=ada.owner_id).get()
    out = services.withdraw(key=key(), account_id=ada.id, amount=eur(10), owner_id=ada.owner_id)
    hold = make_hold(account=ada, amount="20.00")
    paid = services.capture_hold(key=key(), hold_id=hold.id, target_id=shop.id, owner_id=ada.owner_id)
    for transfer in (out, paid, deposited):
        reverse(transfer)
    assert (fresh(ada).balance, fresh(shop).balance) == (eur(0), eur(0))
    assert findings() == []


def test_a_reversal_goes_back_to_the_slot_that_the_money_came_from():
    hot = services.open_system_account(role="float", currency="EUR", slots=4)
    ada = make_account()
    for _ in range(6):
        paid = services.transfer(key=key(), source_id=hot.id, target_id=ada.id, amount=eur(1), owner_id=None)
        reverse(paid)
    assert all(slot.balance == eur(0) for slot in hot.slot_accounts.all())
    assert findings() == []

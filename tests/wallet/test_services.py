"""Accounts: open, name, limit, freeze, close; every wrong state tried."""

import pytest

from holdfast.money import Money, UnknownCurrency
from holdfast.testing import captured_events, transition_table
from holdfast_wallet import events, exceptions, selectors, services
from holdfast_wallet.models import Account
from holdfast_wallet.states import AccountState
from holdfast_wallet.testing import make_account, make_hold, make_owner, make_transfer
from tests.wallet.bank import assert_refused, eur, fresh, key

pytestmark = pytest.mark.django_db


def scope(account):
    return {"account_id": account.id, "owner_id": account.owner_id}


def test_the_states_of_an_account():
    assert transition_table(Account) == {
        (AccountState.ACTIVE, "freeze"): AccountState.FROZEN,
        (AccountState.FROZEN, "unfreeze"): AccountState.ACTIVE,
        (AccountState.ACTIVE, "close"): AccountState.CLOSED,
    }


def test_an_account_is_opened_empty_and_told():
    owner = make_owner()
    with captured_events() as told:
        account = services.open_account(owner_id=owner.pk, currency="EUR", name="Holidays")
    stored = fresh(account)
    assert (stored.balance, stored.held, stored.available) == (eur(0), eur(0), eur(0))
    assert (stored.name, stored.state, stored.overdraft_limit, stored.maximum_balance) == (
        "Holidays",
        AccountState.ACTIVE,
        eur(0),
        None,
    )
    assert told == [events.AccountOpened(account_id=str(account.id), owner_id=str(owner.pk), role="", currency="EUR")]


def test_the_first_account_in_a_currency_is_the_default_until_another_takes_over():
    owner = make_owner()
    first = services.open_account(owner_id=owner.pk, currency="EUR")
    second = services.open_account(owner_id=owner.pk, currency="EUR")
    dollars = services.open_account(owner_id=owner.pk, currency="USD")
    assert selectors.default_account(owner_id=owner.pk, currency="EUR") == first
    assert selectors.default_account(owner_id=owner.pk, currency="USD") == dollars
    services.make_default(**scope(second))
    assert selectors.default_account(owner_id=owner.pk, currency="EUR") == second
    third = services.open_account(owner_id=owner.pk, currency="EUR", is_default=True)
    assert selectors.default_account(owner_id=owner.pk, currency="EUR") == third
    services.close_account(**scope(third))
    with pytest.raises(exceptions.AccountNotFound):
        selectors.default_account(owner_id=owner.pk, currency="EUR")
    assert_refused(exceptions.AccountIsClosed, services.make_default, **scope(third))
    assert list(selectors.accounts_of(owner_id=owner.pk)) == [first, second, dollars, third]


@pytest.mark.parametrize(
    ("refusal", "change"),
    [
        (UnknownCurrency, {"currency": "XXX"}),
        (UnknownCurrency, {"currency": "euro"}),
        (exceptions.MalformedRequest, {"name": "n" * 121}),
        (exceptions.MalformedRequest, {"name": "two\nlines"}),
        (exceptions.MalformedRequest, {"owner_id": None}),
        (exceptions.LimitInvalid, {"overdraft_limit": Money("1", "USD")}),
        (exceptions.LimitInvalid, {"overdraft_limit": eur("-1")}),
        (exceptions.LimitInvalid, {"maximum_balance": eur("30000000000000000")}),
        (exceptions.LimitInvalid, {"maximum_balance": 5}),
    ],
)
def test_an_account_that_makes_no_sense_is_not_opened(refusal, change):
    assert_refused(refusal, services.open_account, **{"owner_id": make_owner().pk, "currency": "EUR", **change})


@pytest.mark.parametrize("slots", [0, 65, -1])
def test_an_account_is_kept_in_a_sensible_number_of_slots(slots):
    assert_refused(exceptions.MalformedRequest, services.open_system_account, role="x", currency="EUR", slots=slots)


def test_a_system_account_has_a_role_and_a_currency():
    assert_refused(exceptions.MalformedRequest, services.open_system_account, role="", currency="EUR")
    assert_refused(exceptions.MalformedRequest, services.open_system_account, role="r" * 41, currency="EUR")
    with pytest.raises(exceptions.AccountNotFound):
        selectors.system_account(role="nobody", currency="EUR")


@pytest.mark.parametrize(
    "verb",
    [
        services.freeze_account,
        services.unfreeze_account,
        services.close_account,
        services.make_default,
        lambda **scope: services.rename_account(**scope, name="mine"),
        lambda **scope: services.change_limits(**scope, overdraft_limit=None, maximum_balance=None),
        selectors.get_account,
        selectors.entries,
    ],
)
def test_somebody_elses_account_does_not_exist(verb):
    account = make_account()
    for owner_id in (make_owner().pk, None):
        refusal = assert_refused(exceptions.AccountNotFound, verb, account_id=account.id, owner_id=owner_id)
        assert refusal.context == {"account_id": str(account.id)}


def test_a_frozen_account_pays_nothing_but_receives():
    ada, bob = make_account(funds="10.00"), make_account(funds="10.00")
    with captured_events() as told:
        services.freeze_account(**scope(ada), reason="lost phone")
    assert told == [events.AccountFrozen(account_id=str(ada.id), credits_blocked=False, reason="lost phone")]
    assert_refused(exceptions.AccountIsFrozen, make_transfer, source=ada, target=bob)
    assert_refused(exceptions.AccountIsFrozen, make_hold, account=ada)
    make_transfer(source=bob, target=ada)
    with captured_events() as told:
        services.unfreeze_account(**scope(ada))
    assert told == [events.AccountUnfrozen(account_id=str(ada.id))]
    make_transfer(source=ada, target=bob)
    assert fresh(ada).frozen_at is None


def test_a_frozen_account_receives_nothing_either_where_that_is_asked_for(settings):
    ada, bob = make_account(), make_account(funds="10.00")
    services.freeze_account(**scope(ada), block_credits=True)
    refusal = assert_refused(exceptions.TargetRefuses, make_transfer, source=bob, target=ada)
    assert refusal.context == {"account_id": str(ada.id)}
    services.unfreeze_account(**scope(ada))
    settings.HOLDFAST_WALLET = {"FROZEN_ACCOUNTS_RECEIVE": False}
    services.freeze_account(**scope(ada))
    assert_refused(exceptions.TargetRefuses, make_transfer, source=bob, target=ada)


def test_a_closed_account_is_closed_for_good():
    ada, bob = make_account(), make_account(funds="10.00")
    with captured_events() as told:
        services.close_account(**scope(ada))
    assert told == [events.AccountClosed(account_id=str(ada.id))]
    refusal = assert_refused(exceptions.TargetRefuses, make_transfer, source=bob, target=ada)
    assert refusal.context == {"account_id": str(ada.id)}
    assert_refused(exceptions.AccountIsClosed, make_transfer, source=ada, target=bob)
    assert_refused(exceptions.AccountIsClosed, make_hold, account=ada)
    assert_refused(exceptions.AccountIsClosed, services.close_account, **scope(ada))
    assert_refused(exceptions.AccountIsClosed, services.freeze_account, **scope(ada))
    assert_refused(exceptions.AccountNotFrozen, services.unfreeze_account, **scope(ada))


def test_an_account_with_money_or_a_hold_is_not_closed():
    ada = make_account(funds="1.00")
    refusal = assert_refused(exceptions.AccountNotEmpty, services.close_account, **scope(ada))
    assert refusal.context == {"account_id": str(ada.id), "balance": "1.00", "held": "0.00", "currency": "EUR"}
    overdrawn = make_account(overdraft_limit=eur(10))
    make_hold(account=overdrawn)
    assert_refused(exceptions.AccountNotEmpty, services.close_account, **scope(overdrawn))


def test_a_frozen_account_is_unfrozen_before_it_is_closed_or_frozen_again():
    ada = make_account()
    services.freeze_account(**scope(ada))
    assert_refused(exceptions.AccountIsFrozen, services.freeze_account, **scope(ada))
    assert_refused(exceptions.AccountIsFrozen, services.close_account, **scope(ada))
    services.unfreeze_account(**scope(ada))
    assert_refused(exceptions.AccountNotFrozen, services.unfreeze_account, **scope(ada))


def test_a_split_account_cannot_be_frozen_closed_or_limited():
    hot = services.open_system_account(role="hot", currency="EUR", slots=2)
    for account in (hot, hot.slot_accounts.first()):
        assert_refused(exceptions.AccountIsSplit, services.freeze_account, **scope(account))
        assert_refused(exceptions.AccountIsSplit, services.close_account, **scope(account))
        assert_refused(
            exceptions.AccountIsSplit,
            services.change_limits,
            **scope(account),
            overdraft_limit=eur(0),
            maximum_balance=None,
        )
    assert_refused(exceptions.AccountIsSplit, services.place_hold, key=key(), amount=eur(1), **scope(hot))


def test_limits_change_where_what_is_there_fits():
    ada, bob = make_account(funds="10.00", overdraft_limit=eur(5)), make_account()
    make_transfer(source=ada, target=bob, amount="12.00")
    limits = {"overdraft_limit": eur("1.99"), "maximum_balance": None}
    refusal = assert_refused(exceptions.InsufficientFunds, services.change_limits, **scope(ada), **limits)
    assert refusal.context["available"] == "-0.01"
    limits = {"overdraft_limit": eur(0), "maximum_balance": eur("11.99")}
    refusal = assert_refused(exceptions.BalanceLimitExceeded, services.change_limits, **scope(bob), **limits)
    assert refusal.context["room"] == "-0.01"
    changed = services.change_limits(**scope(ada), overdraft_limit=eur(2), maximum_balance=eur(100))
    assert (changed.overdraft_limit, changed.maximum_balance) == (eur(2), eur(100))
    assert fresh(ada).available == eur(0)
    assert services.change_limits(**scope(ada), overdraft_limit=None, maximum_balance=None).available is None


def test_an_account_gets_another_name():
    ada = make_account(name="old")
    assert services.rename_account(**scope(ada), name="new").name == "new"
    assert fresh(ada).name == "new"
    assert str(fresh(ada)) == "new (EUR)"


def test_the_house_scope_is_the_accounts_without_an_owner():
    make_account(funds="1.00")
    house = selectors.accounts_of(owner_id=None)
    assert [account.role for account in house] == ["cash_in"]
    assert selectors.get_account(account_id=house[0].id, owner_id=None) == house[0]


def test_reading_a_balance_is_one_query(django_assert_num_queries):
    ada = make_account(funds="1.00")
    with django_assert_num_queries(1):
        assert selectors.get_account(**scope(ada)).available == eur(1)

"""Holds: set money aside, pay with it, give it back; to the second, and to the cent."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from holdfast.money import Money
from holdfast.testing import captured_events, transition_table
from holdfast_wallet import events, exceptions, selectors, services
from holdfast_wallet.models import Hold
from holdfast_wallet.states import HoldState
from holdfast_wallet.testing import make_account, make_hold, make_owner, make_transfer, unlocked_ledger
from tests.wallet.bank import assert_refused, eur, findings, fresh, key

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    return make_account(funds="100.00")


@pytest.fixture
def shop():
    return make_account()


def capture(hold, target, amount=None, **options):
    return services.capture_hold(
        **{
            "key": key(),
            "hold_id": hold.id,
            "target_id": target.id,
            "owner_id": hold.account.owner_id,
            "amount": eur(amount) if isinstance(amount, str) else amount,
            **options,
        }
    )


def release(hold):
    return services.release_hold(hold_id=hold.id, owner_id=hold.account.owner_id)


def let_time_pass(hold):
    """Its end is a minute ago: the ledger lets nobody change that, so it takes the switch."""
    with unlocked_ledger():
        Hold.objects.filter(id=hold.id).update(expires_at=timezone.now() - dt.timedelta(minutes=1))


def history(hold):
    return list(hold.events.values_list("kind", "amount_minor"))


def test_the_states_of_a_hold():
    assert transition_table(Hold) == {
        (HoldState.OPEN, "capture"): HoldState.CAPTURED,
        (HoldState.OPEN, "release"): HoldState.RELEASED,
        (HoldState.OPEN, "expire"): HoldState.EXPIRED,
    }


def test_a_hold_keeps_money_back_without_moving_it(ada, shop):
    with captured_events() as told:
        hold = make_hold(account=ada, amount="60.00")
    account = fresh(ada)
    assert (account.balance, account.held, account.available) == (eur(100), eur(60), eur(40))
    assert told == [
        events.HoldPlaced(
            hold_id=str(hold.id),
            account_id=str(ada.id),
            amount_minor=6000,
            currency="EUR",
            expires_at=hold.expires_at.isoformat(),
        )
    ]
    refusal = assert_refused(exceptions.InsufficientFunds, make_transfer, source=ada, target=shop, amount="40.01")
    assert refusal.context["available"] == "40.00"
    assert_refused(exceptions.InsufficientFunds, make_hold, account=ada, amount="40.01")
    make_transfer(source=ada, target=shop, amount="40.00")
    assert history(hold) == [("placed", 6000)]


def test_a_whole_capture_pays_and_ends_the_hold(ada, shop):
    hold = make_hold(account=ada, amount="60.00")
    with captured_events() as told:
        transfer = capture(hold, shop)
    assert (transfer.amount, transfer.hold_id, transfer.journal_id, transfer.kind) == (
        eur(60),
        hold.id,
        hold.id,
        "capture",
    )
    hold = fresh(hold)
    assert (hold.state, hold.captured, hold.released, hold.remaining) == (HoldState.CAPTURED, eur(60), eur(0), eur(0))
    assert (fresh(ada).balance, fresh(ada).held, fresh(shop).balance) == (eur(40), eur(0), eur(60))
    assert history(hold) == [("placed", 6000), ("captured", 6000)]
    assert [type(event) for event in told] == [events.TransferPosted, events.HoldCaptured]
    assert told[1].final
    assert findings() == []


def test_several_captures_and_the_last_gives_the_rest_back(ada, shop):
    hold = make_hold(account=ada, amount="60.00")
    capture(hold, shop, "10.00", final=False)
    capture(hold, shop, "20.00", final=False)
    assert fresh(ada).held == eur(30)
    capture(hold, shop, "5.00")
    hold = fresh(hold)
    assert (hold.state, hold.captured, hold.released) == (HoldState.CAPTURED, eur(35), eur(25))
    assert (fresh(ada).balance, fresh(ada).available) == (eur(65), eur(65))
    assert history(hold) == [
        ("placed", 6000),
        ("captured", 1000),
        ("captured", 2000),
        ("captured", 500),
        ("released", 2500),
    ]
    assert list(selectors.journal(journal_id=hold.id)) == list(hold.captures.order_by("number"))
    assert findings() == []


def test_a_capture_that_takes_the_last_cent_ends_the_hold_even_if_it_is_not_final(ada, shop):
    hold = make_hold(account=ada, amount="60.00")
    capture(hold, shop, "60.00", final=False)
    assert fresh(hold).state == HoldState.CAPTURED


def test_a_capture_is_never_more_than_what_is_left(ada, shop):
    hold = make_hold(account=ada, amount="60.00")
    capture(hold, shop, "10.00", final=False)
    with pytest.raises(exceptions.CaptureExceedsHold) as refused:
        capture(hold, shop, "50.01")
    assert refused.value.context == {"hold_id": str(hold.id), "remaining": "50.00", "currency": "EUR"}
    with pytest.raises(exceptions.CurrencyMismatch):
        capture(hold, shop, amount=Money(1, "USD"))
    for amount in ("0", "-1"):
        with pytest.raises(exceptions.AmountNotPositive):
            capture(hold, shop, amount)
    assert fresh(hold).captured == eur(10)


def test_the_same_capture_twice_is_one(ada, shop):
    hold = make_hold(account=ada, amount="60.00")
    first_key = key()
    first = capture(hold, shop, key=first_key)
    assert capture(hold, shop, key=first_key) == first
    assert capture(hold, shop, "60.00", key=first_key) == first
    with pytest.raises(exceptions.KeyReused):
        capture(hold, shop, "59.00", key=first_key)
    with pytest.raises(exceptions.KeyReused):
        capture(hold, make_account(), key=first_key)
    assert fresh(shop).balance == eur(60)


def test_the_same_hold_twice_is_one(ada):
    first_key = key()
    ask = {"account_id": ada.id, "amount": eur(60), "owner_id": ada.owner_id, "key": first_key}
    first = services.place_hold(**ask)
    with captured_events() as told:
        assert services.place_hold(**ask) == first
    assert told == []
    assert_refused(exceptions.KeyReused, services.place_hold, **{**ask, "amount": eur(61)})
    assert_refused(exceptions.KeyReused, services.place_hold, **{**ask, "amount": eur(1), "metadata": {"a": 1}})
    assert_refused(
        exceptions.KeyReused, services.place_hold, **{**ask, "expires_at": timezone.now() + dt.timedelta(days=1)}
    )
    assert fresh(ada).held == eur(60)


def test_a_released_hold_gives_everything_back(ada):
    hold = make_hold(account=ada, amount="60.00")
    with captured_events() as told:
        release(hold)
    assert told == [
        events.HoldReleased(hold_id=str(hold.id), account_id=str(ada.id), amount_minor=6000, currency="EUR")
    ]
    assert fresh(ada).available == eur(100)
    assert fresh(hold).state == HoldState.RELEASED
    assert history(hold) == [("placed", 6000), ("released", 6000)]
    assert findings() == []


@pytest.mark.parametrize("end", ["captured", "released", "expired"])
def test_a_hold_that_is_over_can_do_nothing_more(ada, shop, end):
    hold = make_hold(account=ada, amount="60.00")
    if end == "captured":
        capture(hold, shop)
    elif end == "released":
        release(hold)
    else:
        let_time_pass(hold)
        assert services.expire_holds() == 1
    for verb in (lambda: capture(hold, shop, "1.00"), lambda: release(hold)):
        refusal = assert_refused(exceptions.HoldNotOpen, verb)
        assert refusal.context == {"hold_id": str(hold.id), "state": end}


def test_a_hold_whose_time_is_over_is_not_captured_swept_or_not(ada, shop):
    hold = make_hold(account=ada, amount="60.00")
    let_time_pass(hold)
    assert_refused(exceptions.HoldLapsed, lambda: capture(hold, shop))


def test_the_sweep_expires_what_is_due_and_nothing_else(ada):
    due, later = make_hold(account=ada, amount="10.00"), make_hold(account=ada, amount="20.00")
    endless = make_hold(account=ada, amount="5.00")
    with unlocked_ledger():
        Hold.objects.filter(id=endless.id).update(expires_at=None)
    let_time_pass(due)
    with captured_events() as told:
        assert services.expire_holds(limit=10) == 1
    assert told == [events.HoldExpired(hold_id=str(due.id), account_id=str(ada.id), amount_minor=1000, currency="EUR")]
    assert fresh(due).state == HoldState.EXPIRED
    assert fresh(later).state == HoldState.OPEN
    assert fresh(ada).held == eur(25)
    assert services.expire_holds() == 0
    assert history(due) == [("placed", 1000), ("expired", 1000)]
    assert findings() == []


def test_money_that_only_a_due_hold_keeps_back_is_there_without_a_sweep(ada, shop):
    first = make_hold(account=ada, amount="60.00")
    let_time_pass(first)
    make_transfer(source=ada, target=shop, amount="70.00")
    assert fresh(first).state == HoldState.EXPIRED
    second = make_hold(account=ada, amount="30.00")
    let_time_pass(second)
    make_hold(account=ada, amount="20.00")
    assert fresh(second).state == HoldState.EXPIRED
    assert findings() == []


def test_how_long_a_hold_lasts_is_a_setting(ada, settings):
    settings.HOLDFAST_WALLET = {"HOLD_SECONDS": 60}
    hold = make_hold(account=ada)
    assert dt.timedelta(seconds=50) < hold.expires_at - timezone.now() <= dt.timedelta(seconds=60)
    settings.HOLDFAST_WALLET = {"HOLD_SECONDS": None}
    assert make_hold(account=ada).expires_at is None


@pytest.mark.parametrize(
    ("refusal", "change"),
    [
        (exceptions.AmountNotPositive, {"amount": eur(0)}),
        (exceptions.CurrencyMismatch, {"amount": Money(1, "USD")}),
        (exceptions.InsufficientFunds, {"amount": eur("100.01")}),
        (exceptions.MalformedRequest, {"expires_at": dt.datetime(2030, 1, 1)}),  # noqa: DTZ001 - naive is the point
        (exceptions.MalformedRequest, {"metadata": {"x": "y" * 5000}}),
        (exceptions.MalformedRequest, {"key": "k"}),
        (exceptions.AccountNotFound, {"owner_id": None}),
    ],
)
def test_a_hold_that_makes_no_sense_is_refused(ada, refusal, change):
    ask = {"key": key(), "account_id": ada.id, "amount": eur(1), "owner_id": ada.owner_id, **change}
    assert_refused(refusal, services.place_hold, **ask)


def test_somebody_elses_hold_does_not_exist(ada, shop):
    hold = make_hold(account=ada)
    eve = make_owner().pk
    for verb, arguments in (
        (services.capture_hold, {"key": key(), "hold_id": hold.id, "target_id": shop.id, "owner_id": eve}),
        (services.release_hold, {"hold_id": hold.id, "owner_id": eve}),
        (services.release_hold, {"hold_id": key(), "owner_id": ada.owner_id}),
        (selectors.get_hold, {"hold_id": hold.id, "owner_id": eve}),
    ):
        assert_refused(exceptions.HoldNotFound, verb, **arguments)
    assert selectors.get_hold(hold_id=hold.id, owner_id=ada.owner_id) == hold
    assert list(selectors.holds_of(owner_id=ada.owner_id)) == [hold]
    assert list(selectors.holds_of(owner_id=ada.owner_id, account_id=shop.id)) == []


def test_a_capture_goes_to_a_split_account_too(ada):
    hot = services.open_system_account(role="shop", currency="EUR", slots=4)
    hold, first_key = make_hold(account=ada, amount="60.00"), key()
    first = capture(hold, hot, key=first_key)
    assert capture(hold, hot, key=first_key) == first
    assert fresh(hot).balance == eur(60)


def test_frozen_money_is_not_captured_and_not_lost(ada, shop):
    hold = make_hold(account=ada, amount="60.00")
    services.freeze_account(account_id=ada.id, owner_id=ada.owner_id)
    assert_refused(exceptions.AccountIsFrozen, lambda: capture(hold, shop))
    services.unfreeze_account(account_id=ada.id, owner_id=ada.owner_id)
    capture(hold, shop)
    assert findings() == []


METADATA = {"items": (1, 2)}


@pytest.mark.parametrize("verb", ["place_hold", "reverse", "request_deposit", "request_withdrawal", "capture_hold"])
def test_a_repeated_request_is_compared_as_what_was_stored(verb):
    ada, shop = make_account(funds="100.00"), make_account()
    hold = make_hold(account=ada)
    paid = make_transfer(source=ada, target=shop)
    asked = {
        "place_hold": {"account_id": ada.id, "amount": eur(1)},
        "request_deposit": {"account_id": ada.id, "amount": eur(1)},
        "request_withdrawal": {"account_id": ada.id, "amount": eur(1)},
        "reverse": {"transfer_id": paid.id, "amount": eur(1)},
        "capture_hold": {"hold_id": hold.id, "target_id": shop.id},
    }[verb]
    owner = shop.owner_id if verb == "reverse" else ada.owner_id
    asked |= {"key": key(), "owner_id": owner, "metadata": METADATA}
    assert getattr(services, verb)(**asked) == getattr(services, verb)(**asked)


def test_a_repeated_capture_must_end_its_hold_or_not_as_its_first_time_did():
    ada, shop = make_account(funds="100.00"), make_account()
    hold = make_hold(account=ada, amount="10.00")
    asked = {"hold_id": hold.id, "target_id": shop.id, "owner_id": ada.owner_id, "amount": eur(1)}
    part, last = key(), key()
    services.capture_hold(key=part, final=False, **asked)
    assert_refused(exceptions.KeyReused, services.capture_hold, key=part, final=True, **asked)
    services.capture_hold(key=last, final=True, **asked)
    assert_refused(exceptions.KeyReused, services.capture_hold, key=last, final=False, **asked)
    assert_refused(exceptions.KeyReused, services.capture_hold, key=part, final=True, **asked)
    assert services.capture_hold(key=part, final=False, **asked).id == part
    assert services.capture_hold(key=last, final=True, **asked).id == last


def test_who_may_end_a_hold_is_part_of_the_request():
    ada = make_account(funds="100.00")
    asked = {"key": key(), "account_id": ada.id, "amount": eur(1), "owner_id": ada.owner_id}
    assert services.place_hold(**asked, owner_may_end=True).owner_may_end
    assert_refused(exceptions.KeyReused, services.place_hold, **asked)


def test_expiring_on_the_way_locks_both_accounts_in_everybodys_order():
    shop, ada = make_account(), make_account(funds="10.00")
    make_hold(account=ada, amount="8.00", expires_at=timezone.now() + dt.timedelta(days=1))
    with unlocked_ledger():
        Hold.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    with CaptureQueriesContext(connection) as queries:
        make_transfer(source=ada, target=shop, amount="5.00")
    accounts = [
        query["sql"]
        for query in queries
        if query["sql"].startswith("SELECT") and '"holdfast_wallet_account"."id" IN' in query["sql"]
    ]
    assert len(accounts) == 1
    assert "ORDER BY" in accounts[0]
    assert all(account.id.hex in accounts[0].replace("-", "") for account in (shop, ada))

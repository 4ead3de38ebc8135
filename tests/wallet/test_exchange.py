"""Exchange and fees: four balanced legs, rounding in favor of the house, each cent accounted for."""

from decimal import ROUND_DOWN, Decimal

import pytest
from django.db import connection
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from holdfast.money import Money, quantize
from holdfast_wallet import exceptions, selectors, services
from holdfast_wallet.backends.fees import FlatAndPercent, NoFees
from holdfast_wallet.backends.rates import FixedRates
from holdfast_wallet.models import Transfer
from holdfast_wallet.states import SystemRole
from holdfast_wallet.testing import FeesContract, RatesContract, make_account, make_owner, make_transfer
from tests.wallet.bank import assert_refused, eur, findings, fresh, key
from tests.wallet.doors import Door, url

RATES = {"BACKEND": "holdfast_wallet.backends.rates.FixedRates", "OPTIONS": {"rates": {"EUR/USD": "1.0837"}}}
FEES = {
    "BACKEND": "holdfast_wallet.backends.fees.FlatAndPercent",
    "OPTIONS": {"percent": "1.5", "flat": {"EUR": "0.25"}},
}


class TestFixedRates(RatesContract):
    @pytest.fixture
    def rates(self):
        return FixedRates(rates={"EUR/USD": "1.0837"})


class TestNoFees(FeesContract):
    @pytest.fixture
    def fees(self):
        return NoFees()


class TestFlatAndPercent(FeesContract):
    @pytest.fixture
    def fees(self):
        return FlatAndPercent(percent="1.5", flat={"EUR": "0.25"})


@pytest.fixture
def owner(db):
    return make_owner()


@pytest.fixture
def euros(owner):
    return make_account(owner=owner, funds="100.00")


@pytest.fixture
def dollars(owner):
    return make_account(owner=owner, currency="USD")


def ask(source, target, amount="10.00", **options):
    return {
        "key": key(),
        "source_id": source.id,
        "target_id": target.id,
        "amount": amount if isinstance(amount, Money) else Money(amount, source.currency),
        "owner_id": source.owner_id,
        **options,
    }


def test_the_house_buys_one_currency_and_sells_the_other(euros, dollars):
    done = services.exchange(**ask(euros, dollars, rate=Decimal("1.0837")))
    assert (fresh(euros).balance, fresh(dollars).balance) == (eur("90.00"), Money("10.83", "USD"))
    assert selectors.system_account(role=SystemRole.FX, currency="EUR").balance == eur("10.00")
    assert selectors.system_account(role=SystemRole.FX, currency="USD").balance == Money("-10.83", "USD")
    assert (done.rate, done.fee) == (Decimal("1.0837"), None)
    assert list(selectors.journal(journal_id=done.debit.id)) == [done.debit, done.credit]
    assert done.debit.metadata == done.credit.metadata == {"rate": "1.0837"}
    assert findings() == []


def test_the_rate_comes_from_the_rate_source_where_none_is_given(euros, dollars, settings):
    assert_refused(exceptions.RateUnavailable, services.exchange, **ask(euros, dollars))
    settings.HOLDFAST_WALLET = {"RATES": RATES}
    assert services.exchange(**ask(euros, dollars)).credit.amount == Money("10.83", "USD")
    assert services.exchange(**ask(dollars, euros, "10.00")).credit.amount == eur("9.22")


def test_the_same_exchange_twice_is_one_whatever_the_rate_is_by_then(euros, dollars, settings):
    settings.HOLDFAST_WALLET = {"RATES": RATES}
    asked = ask(euros, dollars)
    first = services.exchange(**asked)
    settings.HOLDFAST_WALLET = {"RATES": {**RATES, "OPTIONS": {"rates": {"EUR/USD": "2"}}}}
    assert services.exchange(**asked) == first
    assert services.exchange(**asked, rate=Decimal("1.0837")) == first
    assert_refused(exceptions.KeyReused, services.exchange, **asked, rate=Decimal(2))
    assert_refused(exceptions.KeyReused, services.exchange, **{**asked, "amount": eur(11)})
    assert_refused(exceptions.KeyReused, services.exchange, **{**asked, "metadata": {"a": 1}})
    assert fresh(euros).balance == eur("90.00")


def test_a_key_of_another_verb_is_not_an_exchange(euros, dollars):
    transfer = make_transfer(source=euros, target=make_account())
    assert_refused(
        exceptions.KeyReused, services.exchange, **ask(euros, dollars, "1.00", key=transfer.id, rate=Decimal(1))
    )


@pytest.mark.parametrize(
    ("refusal", "change"),
    [
        (exceptions.RateInvalid, {"rate": Decimal(0)}),
        (exceptions.RateInvalid, {"rate": Decimal(-1)}),
        (exceptions.RateInvalid, {"rate": Decimal("NaN")}),
        (exceptions.RateInvalid, {"rate": Decimal("Infinity")}),
        (exceptions.AmountTooSmall, {"amount": eur("0.01"), "rate": Decimal("0.5")}),
        (exceptions.AmountNotPositive, {"amount": eur(0)}),
        (exceptions.CurrencyMismatch, {"amount": Money(1, "USD")}),
        (exceptions.InsufficientFunds, {"amount": eur("100.01")}),
        (exceptions.AccountNotFound, {"owner_id": None}),
        (exceptions.AccountNotFound, {"target_id": key()}),
        (exceptions.MalformedRequest, {"key": 7}),
    ],
)
def test_an_exchange_that_makes_no_sense_is_refused(euros, dollars, refusal, change):
    services.open_system_account(role=SystemRole.FX, currency="EUR")
    services.open_system_account(role=SystemRole.FX, currency="USD")
    assert_refused(refusal, services.exchange, **ask(euros, dollars, **{"rate": Decimal("1.1"), **change}))


def test_accounts_of_one_currency_have_nothing_to_exchange(euros, owner):
    other = make_account(owner=owner)
    assert_refused(exceptions.CurrencyMismatch, services.exchange, **ask(euros, other, rate=Decimal(1)))


@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    cents=st.integers(1, 10_000),
    rate=st.decimals("0.0001", "999", places=6),
    currencies=st.sampled_from([("EUR", "USD"), ("EUR", "JPY"), ("JPY", "KWD"), ("KWD", "JPY")]),
)
def test_the_house_never_gives_more_than_the_rate_says(db, cents, rate, currencies):
    source_currency, target_currency = currencies
    owner = make_owner()
    source = make_account(owner=owner, currency=source_currency, overdraft_limit=None)
    target = make_account(owner=owner, currency=target_currency)
    amount = quantize(Decimal(cents) / 100, source_currency, ROUND_DOWN)
    if not amount.amount:
        return
    try:
        done = services.exchange(**ask(source, target, amount.amount, rate=rate))
    except exceptions.AmountTooSmall:
        return
    exact = amount.amount * rate
    step = Decimal(1).scaleb(done.credit.amount.amount.as_tuple().exponent)
    assert exact - step < done.credit.amount.amount <= exact


def test_a_fee_is_a_transfer_of_its_own_in_the_same_journal(euros, settings):
    settings.HOLDFAST_WALLET = {"FEES": FEES}
    bob = make_account()
    paid = make_transfer(source=euros, target=bob, amount="10.00")
    fee = Transfer.objects.get(journal_id=paid.id, kind="fee")
    # 1.5 % of 10.00 and 0.25
    assert (fee.amount, fee.source_id) == (eur("0.40"), euros.id)
    assert selectors.system_account(role=SystemRole.FEES, currency="EUR").balance == eur("0.40")
    assert (fresh(euros).balance, fresh(bob).balance) == (eur("89.60"), eur("10.00"))
    again = make_transfer(source=euros, target=bob, amount="10.00", key=paid.id)
    assert again == paid
    assert fresh(euros).balance == eur("89.60")


def test_a_transfer_whose_fee_cannot_be_paid_is_refused_whole(euros, settings):
    settings.HOLDFAST_WALLET = {"FEES": FEES}
    services.open_system_account(role=SystemRole.FEES, currency="EUR")
    bob = make_account()
    assert_refused(exceptions.InsufficientFunds, make_transfer, source=euros, target=bob, amount="99.00")


def test_withdrawals_and_exchanges_pay_fees_and_other_kinds_do_not(euros, dollars, settings):
    settings.HOLDFAST_WALLET = {"FEES": FEES, "RATES": RATES}
    services.withdraw(key=key(), account_id=euros.id, amount=eur(10), owner_id=euros.owner_id)
    assert fresh(euros).balance == eur("89.60")
    asked = ask(euros, dollars)
    done = services.exchange(**asked)
    assert done.fee.amount == eur("0.40")
    assert services.exchange(**asked) == done
    assert fresh(euros).balance == eur("79.20")
    make_transfer(source=euros, target=make_account(), amount="1.00", kind="gift")
    assert fresh(euros).balance == eur("78.20")
    assert findings() == []


def test_percentages_are_rounded_up_for_the_house():
    fees = FlatAndPercent(percent="1.5")
    assert fees.fee(kind="transfer", amount=eur("0.01")) == eur("0.01")
    assert fees.fee(kind="transfer", amount=Money(101, "JPY")) == Money(2, "JPY")
    assert fees.fee(kind="gift", amount=eur(1)) is None
    assert NoFees().fee(kind="transfer", amount=eur(1)) is None


class Spy:
    """A rate source that notes whether it was asked inside a transaction."""

    inside: list[bool] = []

    def rate(self, source, target):
        Spy.inside.append(connection.in_atomic_block)
        return Decimal("1.1")


@pytest.mark.django_db(transaction=True)
def test_the_api_asks_the_rate_source_outside_of_any_transaction(settings):
    settings.HOLDFAST_WALLET = {"RATES": {"BACKEND": f"{__name__}.Spy"}}
    Spy.inside = []
    owner = make_owner()
    euros, dollars = make_account(owner=owner, funds="10.00"), make_account(owner=owner, currency="USD")
    body = {"source": str(euros.id), "target": str(dollars.id), "amount": {"amount": "1.00", "currency": "EUR"}}
    door = Door(owner)
    assert door.post(url("quote"), body, key=None).status_code == 200
    first = door.post(url("exchanges"), body, key="once")
    assert first.status_code == 201
    assert door.post(url("exchanges"), body, key="once").json() == first.json()
    assert Spy.inside == [False, False]


@pytest.mark.parametrize("amount", ["0.01", "0.05", "9.99", "12345.67"])
def test_a_quote_says_what_the_exchange_will(owner, dollars, settings, amount):
    settings.HOLDFAST_WALLET = {"RATES": RATES, "FEES": FEES}
    euros = make_account(owner=owner, funds="20000.00")
    asked = ask(euros, dollars, amount)
    quoted = services.quote(**{name: asked[name] for name in asked if name != "key"})
    done = services.exchange(**asked)
    assert (quoted.rate, quoted.sold, quoted.bought, quoted.fee) == (done.rate, done.sold, done.bought, done.fee.amount)


def test_nobody_exchanges_into_a_strangers_account(euros, settings):
    settings.HOLDFAST_WALLET = {"RATES": RATES}
    asked = ask(euros, make_account(currency="USD"))
    refusal = assert_refused(exceptions.AccountNotFound, services.exchange, **asked)
    del asked["key"]
    assert assert_refused(exceptions.AccountNotFound, services.quote, **asked).context == refusal.context

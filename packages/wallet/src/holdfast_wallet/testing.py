"""For the tests of a host: makers, the switch of the ledger's law, and contracts for the adapters of our ports.

::

    def test_a_customer_pays(client):
        account = make_account(funds="50.00")
        ...

    class TestOurBank(PaymentRailContract):
        @pytest.fixture
        def rail(self):
            return OurBank(sandbox=True)
"""
# ruff: noqa: S101 - tests, shipped

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model

from holdfast.ids import uuid7
from holdfast.money import Money, parse_amount, to_minor
from holdfast_wallet import services
from holdfast_wallet.models import Account, Hold, Transfer
from holdfast_wallet.ports import FeePolicy, PaymentOrder, PaymentOutcome, PaymentRail, RateSource
from holdfast_wallet.services import law
from holdfast_wallet.states import PaymentDirection, PaymentState, TransferKind

__all__ = [
    "FeesContract",
    "PaymentRailContract",
    "RatesContract",
    "allow_flush",
    "make_account",
    "make_hold",
    "make_owner",
    "make_transfer",
    "unlocked_ledger",
]

unlocked_ledger = law.unlocked
allow_flush = law.allow_flush


def make_owner(**fields: Any) -> Any:
    """Return a new user of the host's model, with a login of its own; ``fields`` for what the model demands beside."""
    model = get_user_model()
    return model._default_manager.create(  # noqa: SLF001 - what Django documents for models not one's own
        **{model.USERNAME_FIELD: f"owner-{uuid7()}", **fields}
    )


def make_account(*, owner: Any = None, currency: str = "EUR", funds: str | None = None, **options: Any) -> Account:
    """Return a new account with ``funds`` on it, paid in by the house; ``options`` go to ``open_account``."""
    owner_id = make_owner().pk if owner is None else owner.pk
    account = services.open_account(owner_id=owner_id, currency=currency, **options)
    if funds is not None:
        amount = parse_amount(funds, currency)
        services.deposit(key=uuid7(), account_id=account.pk, amount=amount, owner_id=owner_id)
        account = Account.objects.get(pk=account.pk)
    return account


def make_transfer(
    *, source: Account, target: Account, amount: str = "1.00", key: UUID | None = None, **options: Any
) -> Transfer:
    """Return a new transfer in the name of the source's owner."""
    return services.transfer(
        key=key or uuid7(),
        source_id=source.pk,
        target_id=target.pk,
        amount=parse_amount(amount, source.currency),
        owner_id=source.owner_id,
        **options,
    )


def make_hold(*, account: Account, amount: str = "1.00", key: UUID | None = None, **options: Any) -> Hold:
    """Return a new hold in the name of the account's owner."""
    return services.place_hold(
        key=key or uuid7(),
        account_id=account.pk,
        amount=parse_amount(amount, account.currency),
        owner_id=account.owner_id,
        **options,
    )


class PaymentRailContract:
    """What every payment rail keeps; inherit it, give a fixture ``rail``, and name what money its sandbox takes."""

    currency = "EUR"
    amount = "12.30"

    def order(self, direction: PaymentDirection) -> PaymentOrder:
        """Return a new order."""
        return PaymentOrder(
            id=uuid7(), direction=direction, account_id=uuid7(), amount=parse_amount(self.amount, self.currency)
        )

    def test_each_direction_gets_an_outcome(self, rail: PaymentRail) -> None:
        """The rail takes deposits and withdrawals."""
        for direction in PaymentDirection:
            assert_outcome(rail.start(self.order(direction)))

    def test_the_same_order_started_twice_is_one_payment(self, rail: PaymentRail) -> None:
        """A repeated order finds the first one: we repeat it whenever we do not know whether it arrived."""
        order = self.order(PaymentDirection.DEPOSIT)
        assert rail.start(order).reference == rail.start(order).reference

    def test_two_orders_are_two_payments(self, rail: PaymentRail) -> None:
        """Two orders of the same amount are not taken for one."""
        first, second = (rail.start(self.order(PaymentDirection.DEPOSIT)) for _ in range(2))
        assert not first.reference or first.reference != second.reference

    def test_a_started_order_can_be_polled_and_an_ended_one_stays_as_it_ended(self, rail: PaymentRail) -> None:
        """What has settled or failed does not change its mind."""
        order = self.order(PaymentDirection.WITHDRAWAL)
        started, polled = rail.start(order), rail.poll(order)
        assert_outcome(polled)
        if started.state != PaymentState.PENDING:
            assert polled.state == started.state


class RatesContract:
    """What every source of rates keeps; inherit it, give a fixture ``rates`` and name a pair that it knows."""

    pair = ("EUR", "USD")

    def test_a_known_pair_has_a_positive_exact_rate(self, rates: RateSource) -> None:
        """A rate is a finite, positive decimal, never a float."""
        rate = rates.rate(*self.pair)
        assert isinstance(rate, Decimal)
        assert rate.is_finite()
        assert rate > 0

    def test_an_unknown_pair_has_none(self, rates: RateSource) -> None:
        """Not knowing is an answer, not a crash."""
        assert rates.rate("XXX", "XTS") is None


class FeesContract:
    """What every fee policy keeps; inherit it and give a fixture ``fees``."""

    amounts = (("0.01", "EUR"), ("12.30", "EUR"), ("99999999.99", "EUR"), ("1", "JPY"), ("0.001", "KWD"))

    def test_a_fee_is_none_or_money_in_whole_minor_units_of_the_same_currency(self, fees: FeePolicy) -> None:
        """A fee can be posted as it is."""
        for kind in TransferKind.values:
            for value, currency in self.amounts:
                fee = fees.fee(kind=kind, amount=parse_amount(value, currency))
                if fee is not None:
                    assert isinstance(fee, Money)
                    assert fee.currency.code == currency
                    assert to_minor(fee) >= 0

    def test_the_same_question_has_the_same_answer(self, fees: FeePolicy) -> None:
        """A repeated request costs what the first one cost."""
        for kind in TransferKind.values:
            amount = parse_amount("12.30", "EUR")
            assert fees.fee(kind=kind, amount=amount) == fees.fee(kind=kind, amount=amount)


def assert_outcome(outcome: PaymentOutcome) -> None:
    """Check what a rail answered: a known state, and a reason where it failed."""
    assert isinstance(outcome, PaymentOutcome)
    assert outcome.state in PaymentState.values
    assert outcome.state != PaymentState.FAILED or outcome.reason

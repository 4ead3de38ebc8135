"""Our own adapters keep the contracts that we ship, and what keeps none of them is caught."""

from decimal import Decimal

import pytest
from moneyed import Money

from holdfast_wallet.backends.dummy import DummyRail
from holdfast_wallet.backends.fees import FlatAndPercent, NoFees
from holdfast_wallet.backends.rates import FixedRates
from holdfast_wallet.ports import PaymentOutcome
from holdfast_wallet.testing import FeesContract, PaymentRailContract, RatesContract


class TestDummyRail(PaymentRailContract):
    @pytest.fixture(params=["settled", "pending", "failed"])
    def rail(self, request):
        return DummyRail(outcome=request.param)


class TestFixedRates(RatesContract):
    @pytest.fixture(params=["EUR/USD", "USD/EUR"])
    def rates(self, request):
        return FixedRates(rates={request.param: "1.0837"})


class TestFees(FeesContract):
    @pytest.fixture(params=["none", "percent", "flat"])
    def fees(self, request):
        return {
            "none": NoFees(),
            "percent": FlatAndPercent(percent="1.5"),
            "flat": FlatAndPercent(percent="0.1", flat={"EUR": "0.25", "JPY": "30"}, kinds=["transfer", "exchange"]),
        }[request.param]


class ForgetfulRail:
    """Takes each repetition for a new payment, and fails without a reason."""

    def __init__(self):
        self.count = 0

    def start(self, order):
        self.count += 1
        return PaymentOutcome(state="failed" if self.count > 1 else "settled", reference=str(self.count))

    def poll(self, order):
        return self.start(order)


def test_a_rail_that_repeats_payments_is_caught():
    contract = PaymentRailContract()
    for check in (
        contract.test_each_direction_gets_an_outcome,
        contract.test_the_same_order_started_twice_is_one_payment,
        contract.test_a_started_order_can_be_polled_and_an_ended_one_stays_as_it_ended,
    ):
        with pytest.raises(AssertionError):
            check(ForgetfulRail())


class SloppyRates:
    def rate(self, source, target):
        return 1.08


class SloppyFees:
    def __init__(self):
        self.count = 0

    def fee(self, *, kind, amount):
        self.count += 1
        return Money(Decimal("-0.01") * self.count, "EUR")


def test_rates_and_fees_that_are_sloppy_are_caught():
    rates, fees = RatesContract(), FeesContract()
    for check, adapter in (
        (rates.test_a_known_pair_has_a_positive_exact_rate, SloppyRates()),
        (rates.test_an_unknown_pair_has_none, SloppyRates()),
        (fees.test_a_fee_is_none_or_money_in_whole_minor_units_of_the_same_currency, SloppyFees()),
        (fees.test_the_same_question_has_the_same_answer, SloppyFees()),
    ):
        with pytest.raises(AssertionError):
            check(adapter)

"""Amounts are exact: what would round, overflow or is no amount is refused."""

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moneyed import CURRENCIES

from holdfast.money import InvalidAmount, Money, UnknownCurrency, exponent, from_minor, parse_amount, quantize, to_minor

LARGEST = 2**63 - 1


@pytest.mark.parametrize(
    ("currency", "decimals"), [("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("MGA", 2), ("ISK", 0), ("IQD", 3)]
)
def test_each_currency_has_its_own_decimals(currency, decimals):
    assert exponent(currency) == decimals
    assert exponent(CURRENCIES[currency]) == decimals


@pytest.mark.parametrize("currency", ["", "eur", "EURO", "XXX", "XAU", "XTS", None, 978, "EUR ", "E" * 1000])
def test_what_is_no_currency_is_refused(currency):
    with pytest.raises(UnknownCurrency) as refusal:
        exponent(currency)
    assert len(refusal.value.context["currency"]) <= 16
    with pytest.raises(UnknownCurrency):
        parse_amount("1", currency)


@pytest.mark.parametrize(
    ("value", "currency", "minor"),
    [
        ("12.30", "EUR", 1230),
        ("12.3", "EUR", 1230),
        ("12.3000", "EUR", 1230),
        ("007", "EUR", 700),
        ("+1", "EUR", 100),
        ("-1.01", "EUR", -101),
        ("0", "EUR", 0),
        (12, "EUR", 1200),
        (Decimal("12.30"), "EUR", 1230),
        (Decimal("1E+2"), "EUR", 10000),
        ("100", "JPY", 100),
        ("1.234", "KWD", 1234),
        ("92233720368547758.07", "EUR", LARGEST),
        (LARGEST, "JPY", LARGEST),
        (-LARGEST, "JPY", -LARGEST),
    ],
)
def test_an_amount_is_read_exactly(value, currency, minor):
    money = parse_amount(value, currency)

    assert to_minor(money) == minor
    assert money == from_minor(minor, currency)
    assert str(money.currency) == currency


@pytest.mark.parametrize(
    "value",
    [
        1.5,
        float("nan"),
        float("inf"),
        True,
        None,
        [],
        {},
        b"1",
        "",
        " ",
        "1 ",
        " 1",
        "1\n",
        "1,5",
        "1_000",
        "1.",
        ".5",
        "--1",
        "0x10",
        "1e3",
        "1E+2",
        "NaN",
        "sNaN",
        "Infinity",
        "-inf",
        "\u0661\u0662",
        "\uff11\uff12",
        "12.30 EUR",
        "1.005",
        "0.001",
        "1" * 41,
        "1" * 10_000,
        "0." + "0" * 39 + "1",
        10**30,
        10**5000,
        -(10**30),
        "92233720368547758.08",
        LARGEST // 100 + 1,
        LARGEST - 1,
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("-Infinity"),
        Decimal("1E+999999"),
        Decimal("1E-999999"),
        Decimal("1.0000000000000000000000000000000000001"),
        Decimal("1." + "0" * 120 + "1"),
        Money("1", "EUR"),
    ],
    ids=lambda value: repr(value)[:40] if not isinstance(value, int) or value < 10**40 else "10**5000",
)
def test_what_is_no_amount_is_refused(value):
    with pytest.raises(InvalidAmount) as refusal:
        parse_amount(value, "EUR")
    assert refusal.value.code == "holdfast.invalid_amount"


def test_yen_have_no_decimals():
    with pytest.raises(InvalidAmount) as refusal:
        parse_amount("1.5", "JPY")
    assert refusal.value.context == {"currency": "JPY", "decimals": 0}


def test_counting_refuses_to_round():
    with pytest.raises(InvalidAmount):
        to_minor(Money("1.005", "EUR"))


@pytest.mark.parametrize(("rounding", "rounded"), [(ROUND_HALF_EVEN, "1.00"), (ROUND_UP, "1.01"), (ROUND_DOWN, "1.00")])
def test_rounding_is_said_aloud(rounding, rounded):
    assert quantize(Decimal("1.005"), "EUR", rounding) == Money(rounded, "EUR")
    assert quantize(Money("1.005", "EUR"), "EUR", rounding) == Money(rounded, "EUR")


@pytest.mark.parametrize(
    "value", [Decimal("NaN"), Decimal("Infinity"), Decimal("1E+200"), Money("1", "USD"), Decimal(10**20)]
)
def test_what_cannot_be_rounded_is_refused(value):
    with pytest.raises(InvalidAmount):
        quantize(value, "EUR", ROUND_UP)


@given(st.integers(-LARGEST, LARGEST), st.sampled_from(["JPY", "EUR", "KWD", "CLF"]))
def test_counting_and_naming_are_each_others_inverse(minor, currency):
    money = from_minor(minor, currency)

    assert to_minor(money) == minor
    assert parse_amount(str(money.amount), currency) == money
    assert -int(money.amount.as_tuple().exponent) == exponent(currency)

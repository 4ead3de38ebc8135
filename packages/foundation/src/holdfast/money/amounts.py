"""Amounts: reading them exactly, counting them in minor units, rounding them when told to.

The value type is django-money's ``Money``. Whatever comes from outside goes through ``parse_amount``; whatever must be
counted goes through ``to_minor``. Nothing here rounds but ``quantize``, which is told how.
"""

import re
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow

from djmoney.money import Money
from moneyed import CURRENCIES

from holdfast import errors

__all__ = [
    "InvalidAmount",
    "Money",
    "UnknownCurrency",
    "exponent",
    "from_minor",
    "parse_amount",
    "quantize",
    "to_minor",
]

MINOR_LIMIT = 2**63 - 1
"""The most minor units that one amount may have: what a ``bigint`` column holds."""

_PLAIN = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{1,40})?")
_EXACT = Context(prec=100, traps=[Inexact, InvalidOperation, Overflow])
# Metals, bond units, funds and the codes for tests and for "no currency": ISO 4217 gives them no minor unit.
_UNCOUNTABLE = frozenset(
    (
        "XAG",
        "XAU",
        "XBA",
        "XBB",
        "XBC",
        "XBD",
        "XDR",
        "XEU",
        "XFO",
        "XFU",
        "XPD",
        "XPT",
        "XRE",
        "XSU",
        "XTS",
        "XUA",
        "XXX",
    )
)


class InvalidAmount(errors.Invalid):
    """This is not an amount of that currency."""

    code = "holdfast.invalid_amount"


class UnknownCurrency(errors.Invalid):
    """There is no such currency."""

    code = "holdfast.unknown_currency"


def exponent(currency: object) -> int:
    """Return how many decimals the currency has: 2 for EUR, 0 for JPY, 3 for KWD.

    Raises ``UnknownCurrency``, also for what cannot be counted (gold, ``XXX``).
    """
    code = str(currency)
    known = CURRENCIES.get(code)
    if known is None or code in _UNCOUNTABLE:
        raise UnknownCurrency(currency=code[:16])
    return len(str(known.sub_unit)) - 1


def parse_amount(value: object, currency: object) -> Money:
    """Return the money that text, an ``int`` or a ``Decimal`` names exactly.

    Raises ``UnknownCurrency``; ``InvalidAmount`` for floats, NaN, infinities, exponents ("1e3"), more decimals than
    the currency has, and more minor units than a ``bigint`` holds.
    """
    exponent(currency)  # the currency is what to complain of first
    readable = _PLAIN.fullmatch(value) if isinstance(value, str) else type(value) in (int, Decimal)
    if not readable:
        raise InvalidAmount("An amount is a plain decimal number as text, or a whole number.", currency=str(currency))
    return from_minor(_minor(Decimal(value), currency), currency)  # type: ignore[arg-type]  # one of the three


def to_minor(money: Money) -> int:
    """Return the money in whole minor units: 1230 for 12.30 EUR. Raises ``InvalidAmount`` where that would round."""
    return _minor(money.amount, money.currency)


def from_minor(minor: int, currency: object) -> Money:
    """Return the money of so many minor units, with the decimals of its currency: 12.30 EUR for 1230."""
    return Money(Decimal(minor).scaleb(-exponent(currency), _EXACT), str(currency))


def quantize(value: Decimal | Money, currency: object, rounding: str) -> Money:
    """Return the value rounded to the currency's decimals, as the caller says (``decimal.ROUND_HALF_EVEN``)."""
    if isinstance(value, Money):
        if str(value.currency) != str(currency):
            raise InvalidAmount("The money is of another currency.", currency=str(currency), given=str(value.currency))
        value = value.amount
    step = Decimal(1).scaleb(-exponent(currency))
    try:
        rounded = value.quantize(step, rounding=rounding, context=Context(prec=100, traps=[InvalidOperation]))
    except DecimalException:
        raise InvalidAmount("The amount is not a finite number of this size.", currency=str(currency)) from None
    return from_minor(_minor(rounded, currency), currency)


def _minor(amount: Decimal, currency: object) -> int:
    decimals = exponent(currency)
    if not amount.is_finite():
        raise InvalidAmount("An amount is a finite number.", currency=str(currency))
    if abs(amount) > MINOR_LIMIT:  # before anything is scaled: Decimal("1e999999") has no business in memory
        raise InvalidAmount("The amount is too large.", currency=str(currency))
    try:
        minor = amount.scaleb(decimals, _EXACT)
        exact = minor == minor.to_integral_value()
    except DecimalException:
        exact = False
    if not exact:
        raise InvalidAmount(
            f"An amount in {currency} has at most {decimals} decimals.", currency=str(currency), decimals=decimals
        )
    if abs(minor) > MINOR_LIMIT:
        raise InvalidAmount("The amount is too large.", currency=str(currency))
    return int(minor)

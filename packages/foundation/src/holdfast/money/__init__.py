"""Money without a rounding error: exact decimals, the currency's own exponent, minor units, a field for prices."""

from holdfast.money.amounts import (
    InvalidAmount,
    Money,
    UnknownCurrency,
    exponent,
    from_minor,
    parse_amount,
    quantize,
    to_minor,
)
from holdfast.money.fields import MoneyField

__all__ = [
    "InvalidAmount",
    "Money",
    "MoneyField",
    "UnknownCurrency",
    "exponent",
    "from_minor",
    "parse_amount",
    "quantize",
    "to_minor",
]

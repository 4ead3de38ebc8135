"""The languages that the sandbox speaks."""

from holdfast_cards.testing.sandbox.dialects.bank import BankDialect
from holdfast_cards.testing.sandbox.dialects.base import Dialect
from holdfast_cards.testing.sandbox.dialects.lithic import LithicDialect
from holdfast_cards.testing.sandbox.dialects.stripe import StripeDialect

__all__ = ["DIALECTS", "BankDialect", "Dialect", "LithicDialect", "StripeDialect"]

DIALECTS: dict[str, type[Dialect]] = {"bank": BankDialect, "stripe": StripeDialect, "lithic": LithicDialect}

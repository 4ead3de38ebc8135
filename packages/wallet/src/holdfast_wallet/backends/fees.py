"""Fee policies."""

from collections.abc import Sequence
from decimal import ROUND_UP, Decimal

from holdfast.money import Money, quantize


class NoFees:
    """Everything is free."""

    def fee(self, *, kind: str, amount: Money) -> Money | None:
        """Return no fee."""
        return None


class FlatAndPercent:
    """A fixed part plus a percentage, for some kinds of transfer.

    ``OPTIONS: {"percent": "1.5", "flat": {"EUR": "0.25"}, "kinds": ["withdrawal"]}``. A currency without a flat part
    pays the percentage alone; the sum is rounded up to a whole minor unit, in favor of the house.
    """

    def __init__(
        self,
        *,
        percent: str = "0",
        flat: dict[str, str] | None = None,
        kinds: Sequence[str] = ("transfer", "capture", "withdrawal", "exchange"),
    ) -> None:
        self.share = Decimal(percent) / 100
        self.flat = {currency: Decimal(amount) for currency, amount in (flat or {}).items()}
        self.kinds = frozenset(kinds)

    def fee(self, *, kind: str, amount: Money) -> Money | None:
        """Return the fee for one transfer."""
        if kind not in self.kinds:
            return None
        currency = amount.currency.code
        exact = amount.amount * self.share + self.flat.get(currency, Decimal(0))
        return quantize(exact, currency, ROUND_UP) if exact else None

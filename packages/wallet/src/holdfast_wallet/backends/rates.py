"""Exchange rates from the settings."""

from collections.abc import Mapping
from decimal import Decimal


class FixedRates:
    """Rates that do not move: ``OPTIONS: {"rates": {"EUR/USD": "1.08"}}``.

    The inverse of a pair is worked out where it is not given itself.
    """

    def __init__(self, *, rates: Mapping[str, str] | None = None) -> None:
        self.rates = {pair: Decimal(rate) for pair, rate in (rates or {}).items()}

    def rate(self, source: str, target: str) -> Decimal | None:
        """Return the rate of the pair, or one over that of the inverse pair."""
        direct, inverse = self.rates.get(f"{source}/{target}"), self.rates.get(f"{target}/{source}")
        if direct is None and inverse:
            return 1 / inverse
        return direct

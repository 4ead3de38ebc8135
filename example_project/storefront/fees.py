"""What a verb would cost, before it is run."""

from django.conf import settings

from holdfast.conf import load_backend
from holdfast.money import Money


def fee_of(kind: str, amount: Money) -> Money | None:
    """Return the fee that the project's policy takes on top of an amount; ``None`` if there is none."""
    fee: Money | None = load_backend(settings.HOLDFAST_WALLET["FEES"]).fee(kind=kind, amount=amount)
    return fee or None

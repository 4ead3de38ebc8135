"""What the wallet asks of the outside; each is filled by dotted path in ``HOLDFAST_WALLET``."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol, TypeAlias
from uuid import UUID

from holdfast.money import Money
from holdfast_wallet.states import PaymentDirection, PaymentState

# The primary key of the host's user model, of whatever type; None is the house.
OwnerId: TypeAlias = Any


@dataclass(frozen=True, kw_only=True)
class PaymentOrder:
    """A payment as the rail sees it; ``id`` stays the same however often the order is repeated."""

    id: UUID
    direction: PaymentDirection
    account_id: UUID
    amount: Money
    reference: str = ""


@dataclass(frozen=True, kw_only=True)
class PaymentOutcome:
    """What the rail says of a payment: still pending, settled, or failed for a reason."""

    state: PaymentState
    reference: str = ""
    reason: str = ""


class PaymentRail(Protocol):
    """Moves money between the outside and us: a card acquirer, a bank, a mobile money provider.

    Both calls happen outside any transaction, may raise anything while the rail does not answer, and may be repeated:
    the rail must take the same ``order.id`` for the same payment.
    """

    def start(self, order: PaymentOrder) -> PaymentOutcome:
        """Ask for the payment."""

    def poll(self, order: PaymentOrder) -> PaymentOutcome:
        """Say how far the payment has come."""


class RateSource(Protocol):
    """Knows what one unit of a currency is worth in another."""

    def rate(self, source: str, target: str) -> Decimal | None:
        """Return how many units of ``target`` one unit of ``source`` buys; ``None`` if that is not known now."""


class FeePolicy(Protocol):
    """Says what a verb costs its payer. Pure: no I/O, the same answer for the same question."""

    def fee(self, *, kind: str, amount: Money) -> Money | None:
        """Return the fee, in the currency of ``amount`` and paid on top of it; ``None`` or zero if there is none."""

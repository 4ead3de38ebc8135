"""What the marketplace asks of the outside; each is filled by dotted path in ``HOLDFAST_ARTISAN_SHOP``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias
from uuid import UUID

from django.db.models import Model, QuerySet

from holdfast.money import Money

# The primary key of the host's user model, of whatever type.
UserId: TypeAlias = Any


@dataclass(frozen=True, kw_only=True)
class Charge:
    """What a customer pays for one order; ``id`` is the payment's, and stays the same however often it is asked for.

    ``fee`` is what the platform keeps of ``amount``; the rest is the artisan's, who is ``seller_id``. ``reference`` is
    what the gateway called the charge when it authorized it.
    """

    id: UUID
    order_id: UUID
    shop_id: UUID
    buyer_id: UserId
    seller_id: UserId
    amount: Money
    fee: Money
    reference: str = ""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The gateway's definite answer: done, under its own ``reference``, or refused for a ``reason``."""

    accepted: bool
    reference: str = ""
    reason: str = ""


class PaymentGateway(Protocol):
    """Moves the customers' money to the artisans.

    Each call happens outside any transaction, takes a time limit of its own, may raise anything while the gateway does
    not answer, and may be repeated: the same ``charge.id`` is the same charge. Nothing is captured, released or
    refunded twice.
    """

    def authorize(self, charge: Charge) -> Answer:
        """Set the amount aside."""

    def capture(self, charge: Charge) -> Answer:
        """Take what was set aside: the fee for the platform, the rest for the seller."""

    def release(self, charge: Charge) -> Answer:
        """Give back what was set aside and not taken."""

    def refund(self, charge: Charge) -> Answer:
        """Give back what was taken."""


class Artisans(Protocol):
    """Knows who is an artisan."""

    def may_open_shop(self, user_id: UserId) -> bool:
        """Say whether this user may open a shop."""


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A row that was found near a point; ``rank`` is whatever orders as the distance does."""

    id: UUID
    distance_km: float
    rank: float


class GeoSearch(Protocol):
    """Finds what is near. The rows have ``lat``, ``lng`` and the unit vector ``x``, ``y``, ``z``."""

    def near(
        self,
        rows: QuerySet[Any],
        *,
        lat: float,
        lng: float,
        radius_km: float,
        limit: int,
        selective: bool = False,
        after: tuple[float, UUID] | None = None,
    ) -> Sequence[Hit]:
        """Return the nearest rows within the radius, by rank and id, at most ``limit``.

        ``after`` is the rank and the id of the last row of the page before. ``selective``: a filter leaves so few rows
        that narrow rings would be read in vain.
        """


class TextSearch(Protocol):
    """Finds products by words."""

    def match(self, products: QuerySet[Model], text: str) -> QuerySet[Model]:
        """Return the products that match, annotated with ``relevance`` (a float, greater is better)."""

"""What is done now and then, by whatever clock the host has. Nothing is wrong where it is late."""

import datetime as dt
from dataclasses import dataclass

from django.utils import timezone

from holdfast_artisan_shop.services.analytics import rebuild_sales, refresh_popularity, refresh_together
from holdfast_artisan_shop.services.orders import expire_orders
from holdfast_artisan_shop.services.payments import settle_payments
from holdfast_artisan_shop.services.stock import expire_holds
from holdfast_artisan_shop.services.vocabulary import refresh_vocabulary

TOGETHER_DAYS = 2


@dataclass(frozen=True, kw_only=True)
class Tidied:
    """How many there were of each."""

    holds: int
    orders: int
    payments: int


@dataclass(frozen=True, kw_only=True)
class RolledUp:
    """How many rows were touched of each; ``wrong_days`` should be none."""

    wrong_days: int
    together: int
    popular: int
    words: int


def tidy() -> Tidied:
    """Let expired holds and unpaid orders go, and ask the gateway again where it has not answered."""
    return Tidied(holds=expire_holds(), orders=expire_orders(), payments=settle_payments())


def roll_up(*, days: int = 3) -> RolledUp:
    """Count the last days again, compare, and refresh what is bought together, is popular and can be searched for."""
    since = timezone.now() - dt.timedelta(days=TOGETHER_DAYS)
    return RolledUp(
        wrong_days=rebuild_sales(days=days),
        together=refresh_together(since=since),
        popular=refresh_popularity(),
        words=refresh_vocabulary(),
    )

"""What a shop has earned: the amounts. Moving the money is the payment gateway's."""

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum

from holdfast.money import Money, from_minor
from holdfast_artisan_shop.models import Order, Shop
from holdfast_artisan_shop.selectors.days import day_bounds, period
from holdfast_artisan_shop.selectors.scopes import managed_shop
from holdfast_artisan_shop.states import OrderState


@dataclass(frozen=True, kw_only=True)
class Payout:
    """The orders that a shop completed in a period, on its own days, as they stand now.

    Of an order that was refunded since, neither the shop nor the platform keeps anything.
    """

    shop_id: UUID
    currency: str
    start: dt.date
    end: dt.date
    orders: int
    refunded_orders: int
    gross: Money
    refunded: Money
    fee: Money
    payout: Money
    """``gross`` less ``refunded`` less ``fee``."""


def payout(*, shop_id: UUID, actor_id: Any, start: dt.date, end: dt.date) -> Payout:
    """Return the payout statement of a shop, both days included. Raises ``ShopNotFound``, ``PeriodInvalid``."""
    shop = managed_shop(shop_id=shop_id, actor_id=actor_id)
    gone = Q(state=OrderState.REFUNDED)
    sums = _orders(shop, start, end).aggregate(
        orders=Count("pk"),
        refunded_orders=Count("pk", filter=gone),
        gross=Sum("total_minor", default=0),
        refunded=Sum("total_minor", filter=gone, default=0),
        fee=Sum("fee_minor", filter=~gone, default=0),
    )
    amounts = {name: from_minor(sums[name], shop.currency) for name in ("gross", "refunded", "fee")}
    return Payout(
        shop_id=shop.pk,
        currency=shop.currency,
        start=start,
        end=end,
        orders=sums["orders"],
        refunded_orders=sums["refunded_orders"],
        payout=amounts["gross"] - amounts["refunded"] - amounts["fee"],
        **amounts,
    )


def payout_orders(*, shop_id: UUID, actor_id: Any, start: dt.date, end: dt.date) -> QuerySet[Order]:
    """Return the orders that a payout statement is made of. Raises ``ShopNotFound``, ``PeriodInvalid``."""
    return _orders(managed_shop(shop_id=shop_id, actor_id=actor_id), start, end)


def _orders(shop: Shop, start: dt.date, end: dt.date) -> QuerySet[Order]:
    days = period(start=start, end=end)
    begins, ends = day_bounds(days.start, days.end, shop.time_zone)
    return Order.objects.filter(shop=shop, completed_at__gte=begins, completed_at__lt=ends)

"""Our own events to our own roll-ups and caches."""

from typing import Any
from uuid import UUID

from holdfast.events import Envelope
from holdfast.outbox import subscribe
from holdfast_artisan_shop import selectors, services
from holdfast_artisan_shop.events import (
    CategoryChanged,
    OrderCompleted,
    OrderRefunded,
    ProductChanged,
    ReviewWritten,
    ShopChanged,
    StockRanLow,
    StockRecovered,
)


@subscribe(OrderCompleted, OrderRefunded)
def roll_up_sales(envelope: Envelope[Any]) -> None:
    """Count the day on which an order was completed; counting it twice changes nothing."""
    services.roll_up_order(order_id=UUID(envelope.event.order_id))


@subscribe(ShopChanged, ProductChanged, ReviewWritten, StockRanLow, StockRecovered)
def forget_pages(envelope: Envelope[Any]) -> None:
    """Let pages of a shop and of the market be made anew."""
    selectors.forget(shop_id=UUID(envelope.event.shop_id))


@subscribe(CategoryChanged)
def forget_all_pages(_envelope: Envelope[CategoryChanged]) -> None:
    """Let every page be made anew: categories are named, and looked through, everywhere."""
    selectors.forget_all()

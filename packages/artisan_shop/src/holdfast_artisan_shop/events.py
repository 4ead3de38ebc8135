"""What is told of the marketplace: frozen, versioned facts of plain values.

Amounts are whole minor units. An order's key is the order, a product's the product, and so on: each subscriber learns
of one in order, and a failure of one holds up no other.
"""

from typing import Any

from holdfast.events import Event


class ShopChanged(Event, type="holdfast_artisan_shop.shop_changed.v1", key="shop_id"):
    """A shop was opened, changed, or went from one state to another."""

    shop_id: str
    owner_id: int | str
    state: str


class CategoryChanged(Event, type="holdfast_artisan_shop.category_changed.v1", key="category_id"):
    """A category was created, renamed or moved, or is ``removed``; ``parent_id`` is the one that it is in, if any.

    What is below a category moves with it, and is not told of by itself.
    """

    category_id: str
    parent_id: str | None
    name: str
    removed: bool


class ProductChanged(Event, type="holdfast_artisan_shop.product_changed.v1", key="product_id"):
    """A product, one of its variants or a flash sale of it was made, changed or taken off."""

    product_id: str
    shop_id: str
    active: bool


class OrderPlaced(Event, type="holdfast_artisan_shop.order_placed.v1", key="order_id"):
    """An order was placed, and its stock is reserved. ``lines`` are ``[product_id, variant_id, quantity, total]``."""

    order_id: str
    purchase_id: str
    shop_id: str
    customer_id: int | str
    currency: str
    total_minor: int
    lines: list[Any]


class OrderPaid(Event, type="holdfast_artisan_shop.order_paid.v1", key="order_id"):
    """An order's money is set aside, so that it can be made."""

    order_id: str
    shop_id: str
    customer_id: int | str
    currency: str
    total_minor: int


class OrderMoved(Event, type="holdfast_artisan_shop.order_moved.v1", key="order_id"):
    """An order went from one state to another, by any step."""

    order_id: str
    shop_id: str
    customer_id: int | str
    source: str
    target: str


class OrderCompleted(Event, type="holdfast_artisan_shop.order_completed.v1", key="order_id"):
    """The customer has his goods; ``fee_minor`` of the total is the platform's."""

    order_id: str
    shop_id: str
    customer_id: int | str
    currency: str
    total_minor: int
    fee_minor: int


class OrderCancelled(Event, type="holdfast_artisan_shop.order_cancelled.v1", key="order_id"):
    """An order was cancelled; its stock and its slot are free again."""

    order_id: str
    shop_id: str
    customer_id: int | str
    reason: str


class OrderRefunded(Event, type="holdfast_artisan_shop.order_refunded.v1", key="order_id"):
    """A completed order's money goes back."""

    order_id: str
    shop_id: str
    customer_id: int | str
    currency: str
    total_minor: int


class PaymentFailed(Event, type="holdfast_artisan_shop.payment_failed.v1", key="order_id"):
    """The gateway refused to take, give back or set aside an order's money."""

    order_id: str
    payment_id: str
    reason: str


class DeliveryScheduled(Event, type="holdfast_artisan_shop.delivery_scheduled.v1", key="order_id"):
    """A delivery or a pickup was booked into a slot, for the first time or anew."""

    order_id: str
    delivery_id: str
    customer_id: int | str
    slot_id: str
    starts_at: str
    ends_at: str


class DeliveryMoved(Event, type="holdfast_artisan_shop.delivery_moved.v1", key="order_id"):
    """A delivery went from one state to another."""

    order_id: str
    delivery_id: str
    customer_id: int | str
    source: str
    target: str


class DeliveryDue(Event, type="holdfast_artisan_shop.delivery_due.v1", key="order_id"):
    """A delivery is due tomorrow: its customer is to be reminded."""

    order_id: str
    delivery_id: str
    customer_id: int | str
    starts_at: str


class StockRanLow(Event, type="holdfast_artisan_shop.stock_ran_low.v1", key="variant_id"):
    """A variant's stock fell to its threshold, and an alert was opened."""

    variant_id: str
    product_id: str
    shop_id: str
    owner_id: int | str
    left: int


class StockRecovered(Event, type="holdfast_artisan_shop.stock_recovered.v1", key="variant_id"):
    """A variant's stock is above its threshold again, and its alert was resolved."""

    variant_id: str
    product_id: str
    shop_id: str
    left: int


class BackInStock(Event, type="holdfast_artisan_shop.back_in_stock.v1", key="variant_id"):
    """What customers asked to be told of can be bought again."""

    variant_id: str
    product_id: str
    customer_ids: list[int | str]


class CouponChanged(Event, type="holdfast_artisan_shop.coupon_changed.v1", key="coupon_id"):
    """A coupon was given, or taken back."""

    coupon_id: str
    shop_id: str
    code: str
    active: bool


class ReviewWritten(Event, type="holdfast_artisan_shop.review_written.v1", key="product_id"):
    """A customer reviewed a product that he has received."""

    review_id: str
    product_id: str
    shop_id: str
    rating: int

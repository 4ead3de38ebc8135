"""The verbs of the marketplace: the only writers; ``quote_checkout`` says what a checkout would write.

``customer_id`` and ``actor_id`` are scopes: a customer sees his own baskets and orders, an actor what belongs to the
shops that he owns or is a member of; outside nothing exists. Who may write categories is the door's business.

Whatever is locked is locked in this order: basket lines, own holds, the order and its payment and delivery, stock by
id, slots by id, flash sales by id, coupons by id. Nobody calls the payment gateway while he holds any of them.

Each verb is one transaction, or part of the caller's, but for ``pay_order``, ``pay_purchase``, ``settle_payment`` and
``settle_payments``: they commit what they are going to ask the gateway for, ask, and commit its answer.
"""

from holdfast_artisan_shop.services.analytics import (
    rebuild_sales,
    refresh_popularity,
    refresh_together,
    roll_up_order,
)
from holdfast_artisan_shop.services.baskets import (
    accept_prices,
    add_to_basket,
    empty_basket,
    hold_basket,
    release_holds,
    remove_from_basket,
    set_basket_quantity,
)
from holdfast_artisan_shop.services.categories import (
    CategoryValues,
    change_category,
    create_category,
    delete_category,
)
from holdfast_artisan_shop.services.coupons import create_coupon, end_coupon
from holdfast_artisan_shop.services.delivery import (
    deliver,
    fail_delivery,
    read_tracking_token,
    reschedule_delivery,
    send_delivery,
    tracking_token,
)
from holdfast_artisan_shop.services.drafts import Choice, Draft
from holdfast_artisan_shop.services.orders import (
    cancel_order,
    checkout,
    complete_order,
    decline_order,
    expire_orders,
    finish_order,
    place_order,
    quote_checkout,
    refund_order,
    start_order,
)
from holdfast_artisan_shop.services.payments import (
    pay_order,
    pay_purchase,
    retry_payment,
    settle_payment,
    settle_payments,
)
from holdfast_artisan_shop.services.products import (
    ProductDetails,
    ProductValues,
    VariantValues,
    add_variant,
    change_product,
    change_variant,
    create_product,
    end_flash_sale,
    retire_product,
    schedule_flash_sale,
    set_images,
)
from holdfast_artisan_shop.services.quotes import Item
from holdfast_artisan_shop.services.reminders import remind_of_deliveries
from holdfast_artisan_shop.services.reviews import write_review
from holdfast_artisan_shop.services.shops import (
    ShopDetails,
    ShopValues,
    change_shop,
    close_shop,
    go_on_holiday,
    invite_member,
    open_shop,
    publish_shop,
    remove_member,
)
from holdfast_artisan_shop.services.slots import (
    add_slot_pattern,
    close_days,
    generate_slots,
    remove_slot_pattern,
)
from holdfast_artisan_shop.services.stock import (
    correct_stock,
    expire_holds,
    receive_stock,
    request_back_in_stock,
    set_threshold,
    withdraw_back_in_stock,
)
from holdfast_artisan_shop.services.upkeep import RolledUp, Tidied, roll_up, tidy
from holdfast_artisan_shop.services.vocabulary import refresh_vocabulary

__all__ = [
    "CategoryValues",
    "Choice",
    "Draft",
    "Item",
    "ProductDetails",
    "ProductValues",
    "RolledUp",
    "ShopDetails",
    "ShopValues",
    "Tidied",
    "VariantValues",
    "accept_prices",
    "add_slot_pattern",
    "add_to_basket",
    "add_variant",
    "cancel_order",
    "change_category",
    "change_product",
    "change_shop",
    "change_variant",
    "checkout",
    "close_days",
    "close_shop",
    "complete_order",
    "correct_stock",
    "create_category",
    "create_coupon",
    "create_product",
    "decline_order",
    "delete_category",
    "deliver",
    "empty_basket",
    "end_coupon",
    "end_flash_sale",
    "expire_holds",
    "expire_orders",
    "fail_delivery",
    "finish_order",
    "generate_slots",
    "go_on_holiday",
    "hold_basket",
    "invite_member",
    "open_shop",
    "pay_order",
    "pay_purchase",
    "place_order",
    "publish_shop",
    "quote_checkout",
    "read_tracking_token",
    "rebuild_sales",
    "receive_stock",
    "refresh_popularity",
    "refresh_together",
    "refresh_vocabulary",
    "refund_order",
    "release_holds",
    "remind_of_deliveries",
    "remove_from_basket",
    "remove_member",
    "remove_slot_pattern",
    "request_back_in_stock",
    "reschedule_delivery",
    "retire_product",
    "retry_payment",
    "roll_up",
    "roll_up_order",
    "schedule_flash_sale",
    "send_delivery",
    "set_basket_quantity",
    "set_images",
    "set_threshold",
    "settle_payment",
    "settle_payments",
    "start_order",
    "tidy",
    "tracking_token",
    "withdraw_back_in_stock",
    "write_review",
]

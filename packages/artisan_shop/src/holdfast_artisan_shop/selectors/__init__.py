"""Reads with a name."""

from holdfast_artisan_shop.selectors.browse import (
    ORDERS,
    ProductFilters,
    browse,
    category_tree,
    get_category,
    order_of,
    subtree,
)
from holdfast_artisan_shop.selectors.cached import forget, forget_all, remembered
from holdfast_artisan_shop.selectors.dashboard import Dashboard, dashboard, dashboard_as_csv, low_stock
from holdfast_artisan_shop.selectors.days import Period, day_bounds, day_of, period
from holdfast_artisan_shop.selectors.near import products_near, shops_near
from holdfast_artisan_shop.selectors.offers import (
    as_offers,
    get_offer,
    get_shop,
    products_of_shop,
    reviews_by,
    reviews_of,
    shops,
    shown_products,
)
from holdfast_artisan_shop.selectors.orders import (
    alerts_of_shops,
    back_in_stock_requests_of,
    basket_of,
    day_plan,
    free_slots,
    get_order,
    get_purchase,
    held_until,
    orders_of_customer,
    orders_of_shops,
    slots_of_shop,
    tracking,
)
from holdfast_artisan_shop.selectors.payouts import Payout, payout, payout_orders
from holdfast_artisan_shop.selectors.recommendations import recommendations
from holdfast_artisan_shop.selectors.scopes import managed_shop, shops_of

__all__ = [
    "ORDERS",
    "Dashboard",
    "Payout",
    "Period",
    "ProductFilters",
    "alerts_of_shops",
    "as_offers",
    "back_in_stock_requests_of",
    "basket_of",
    "browse",
    "category_tree",
    "dashboard",
    "dashboard_as_csv",
    "day_bounds",
    "day_of",
    "day_plan",
    "forget",
    "forget_all",
    "free_slots",
    "get_category",
    "get_offer",
    "get_order",
    "get_purchase",
    "get_shop",
    "held_until",
    "low_stock",
    "managed_shop",
    "order_of",
    "orders_of_customer",
    "orders_of_shops",
    "payout",
    "payout_orders",
    "period",
    "products_near",
    "products_of_shop",
    "recommendations",
    "remembered",
    "reviews_by",
    "reviews_of",
    "shops",
    "shops_near",
    "shops_of",
    "shown_products",
    "slots_of_shop",
    "subtree",
    "tracking",
]

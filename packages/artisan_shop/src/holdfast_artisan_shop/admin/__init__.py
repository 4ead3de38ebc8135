"""A window on the market: look, follow, help out; whoever acts, acts through the services, in a shop's name."""

from holdfast_artisan_shop.admin.delivery import DeliveryAdmin, SlotAdmin
from holdfast_artisan_shop.admin.marketing import CouponAdmin, FlashSaleAdmin, ReviewAdmin
from holdfast_artisan_shop.admin.orders import OrderAdmin, PaymentAdmin
from holdfast_artisan_shop.admin.products import CategoryAdmin, ProductAdmin
from holdfast_artisan_shop.admin.shops import ShopAdmin
from holdfast_artisan_shop.admin.stock import InventoryAlertAdmin, StockAdmin

__all__ = [
    "CategoryAdmin",
    "CouponAdmin",
    "DeliveryAdmin",
    "FlashSaleAdmin",
    "InventoryAlertAdmin",
    "OrderAdmin",
    "PaymentAdmin",
    "ProductAdmin",
    "ReviewAdmin",
    "ShopAdmin",
    "SlotAdmin",
    "StockAdmin",
]

"""The tables of the marketplace.

- ``Shop``, ``ShopMember``, ``ShopClosure``: who sells, who may act for him, and the days on which nobody works.
- ``Category``, ``Product``, ``Variant``, ``ProductImage``: what is sold. Every product has at least one variant.
- ``Stock``: how many pieces of a variant there are (``on_hand``), how many of them are held for baskets (``held``) and
  sold but not handed over (``allocated``). Narrow, and apart from the product, so that an editor waits for no buyer.
- ``StockMove``: every change of these figures; their sums are the figures. ``Hold``: pieces held for a customer.
- ``BasketLine``: what a customer has put aside; his lines are his basket.
- ``Purchase``, ``Order``, ``OrderLine``: one checkout, an order for each shop in it, and what was bought at what price.
- ``Payment``: how far the money of an order has come.
- ``SlotPattern``, ``Slot``, ``Delivery``, ``DeliveryEvent``: when goods are brought or fetched.
- ``FlashSale``, ``Coupon``, ``CouponUse``, ``Review``: what makes customers buy.
- ``InventoryAlert``, ``BackInStockRequest``: who is told of too little, and who of enough.
- ``SalesDay``, ``SalesMonth``, ``ShopDay``, ``CoBuy``: roll-ups, made again from the orders at any time. ``Word``: what
  products are called, made again from their names.

Amounts are whole minor units of the shop's currency (``*_minor``), so that sums are exact on every database. Only
``services`` write.
"""

from holdfast_artisan_shop.models.alerts import BackInStockRequest, InventoryAlert
from holdfast_artisan_shop.models.analytics import CoBuy, SalesDay, SalesMonth, ShopDay
from holdfast_artisan_shop.models.delivery import Delivery, DeliveryEvent, Slot, SlotPattern
from holdfast_artisan_shop.models.marketing import Coupon, CouponUse, FlashSale, Review
from holdfast_artisan_shop.models.orders import BasketLine, Order, OrderLine, Purchase
from holdfast_artisan_shop.models.payments import Payment
from holdfast_artisan_shop.models.products import Category, Product, ProductImage, Variant
from holdfast_artisan_shop.models.search import Word
from holdfast_artisan_shop.models.shops import Shop, ShopClosure, ShopMember
from holdfast_artisan_shop.models.stock import Hold, Stock, StockMove

__all__ = [
    "BackInStockRequest",
    "BasketLine",
    "Category",
    "CoBuy",
    "Coupon",
    "CouponUse",
    "Delivery",
    "DeliveryEvent",
    "FlashSale",
    "Hold",
    "InventoryAlert",
    "Order",
    "OrderLine",
    "Payment",
    "Product",
    "ProductImage",
    "Purchase",
    "Review",
    "SalesDay",
    "SalesMonth",
    "Shop",
    "ShopClosure",
    "ShopDay",
    "ShopMember",
    "Slot",
    "SlotPattern",
    "Stock",
    "StockMove",
    "Variant",
    "Word",
]

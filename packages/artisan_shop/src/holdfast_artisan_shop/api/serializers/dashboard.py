"""The figures of a shop."""

from typing import Any

from rest_framework import serializers

from holdfast.api.serializers import StrictSerializer
from holdfast_artisan_shop.api.fields import DayField, MinorMoneyField


class PeriodFilter(StrictSerializer):
    """Which days, both included."""

    start = DayField(required=False, help_text="A year before the end if left out.")
    end = DayField(required=False, help_text="Today, where the shop is, if left out.")


class DashboardFileFilter(PeriodFilter):
    """Which days, and which of the lists."""

    listing = serializers.ChoiceField(choices=["months", "categories", "products"], default="categories")


class MonthOutput(serializers.Serializer[Any]):
    """What was sold in a month, as far as the period covers it."""

    month = serializers.DateField()
    units = serializers.IntegerField()
    revenue = MinorMoneyField("revenue_minor", None)
    change = serializers.FloatField(allow_null=True, help_text="To the month before, as a share of it.")


class CategorySalesOutput(serializers.Serializer[Any]):
    """What was sold of a category in a month."""

    month = serializers.DateField()
    category = serializers.UUIDField(source="category_id")
    name = serializers.CharField()
    units = serializers.IntegerField()
    revenue = MinorMoneyField("revenue_minor", None)


class ProductSalesOutput(serializers.Serializer[Any]):
    """One of the best-selling products."""

    rank = serializers.IntegerField()
    product = serializers.UUIDField(source="product_id")
    name = serializers.CharField()
    orders = serializers.IntegerField()
    units = serializers.IntegerField()
    revenue = MinorMoneyField("revenue_minor", None)
    share = serializers.FloatField()
    running_share = serializers.FloatField(help_text="Of this product and all before it.")


class LowStockOutput(serializers.Serializer[Any]):
    """What is running out."""

    product = serializers.UUIDField(source="product_id")
    variant = serializers.UUIDField(source="variant_id")
    name = serializers.CharField()
    sku = serializers.CharField()
    left = serializers.IntegerField()
    low_at = serializers.IntegerField()
    since = serializers.DateTimeField()


class DashboardOutput(serializers.Serializer[Any]):
    """What a shop sold: completed orders, by the day on which they were completed."""

    shop = serializers.UUIDField(source="shop_id")
    currency = serializers.CharField()
    start = serializers.DateField()
    end = serializers.DateField()
    orders = serializers.IntegerField()
    units = serializers.IntegerField()
    revenue = MinorMoneyField("revenue_minor", help_text="What the lines came to.")
    total = MinorMoneyField("total_minor", help_text="What customers paid, with delivery and less discounts.")
    fees = MinorMoneyField("fee_minor", help_text="What the platform keeps of it.")
    average_order = MinorMoneyField("average_order_minor", allow_null=True)
    new_customers = serializers.IntegerField()
    returning_orders = serializers.IntegerField()
    returning_share = serializers.FloatField(allow_null=True)
    deliveries = serializers.IntegerField()
    deliveries_on_time = serializers.IntegerField()
    on_time_share = serializers.FloatField(allow_null=True)
    months = MonthOutput(many=True)
    categories = CategorySalesOutput(many=True)
    top_products = ProductSalesOutput(many=True)
    orders_by_state = serializers.DictField(
        child=serializers.IntegerField(), help_text="Open orders as they are now, all others by when they ended."
    )
    low_stock = LowStockOutput(many=True)

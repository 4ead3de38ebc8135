"""Roll-ups: what a dashboard would otherwise count anew. Each can be made again from the completed orders."""

from django.db import models

from holdfast_artisan_shop.models.products import Product
from holdfast_artisan_shop.models.shops import Shop


class SalesDay(models.Model):
    """What a shop sold of a product on one of its own days, by when the orders were completed."""

    id = models.BigAutoField(primary_key=True)
    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+", db_index=False)
    orders = models.PositiveIntegerField()
    units = models.PositiveBigIntegerField()
    revenue_minor = models.BigIntegerField(help_text="The sum of the lines.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shop", "day", "product"], name="holdfast_artisan_shop_sales_day_once"),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} on {self.day}"


class SalesMonth(models.Model):
    """The sums of ``SalesDay`` over a month, which is named by its first day: a year is not read day by day."""

    id = models.BigAutoField(primary_key=True)
    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, related_name="+", db_index=False)
    month = models.DateField()
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+", db_index=False)
    orders = models.PositiveIntegerField()
    units = models.PositiveBigIntegerField()
    revenue_minor = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shop", "month", "product"], name="holdfast_artisan_shop_sales_month_once"),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} in {self.month:%Y-%m}"


class ShopDay(models.Model):
    """What a shop's completed orders of one of its own days came to.

    ``returning_orders`` are those of customers who had had one before; all others are somebody's first.
    """

    id = models.BigAutoField(primary_key=True)
    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()
    orders = models.PositiveIntegerField()
    total_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField()
    returning_orders = models.PositiveIntegerField(default=0)
    deliveries = models.PositiveIntegerField(default=0)
    deliveries_on_time = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "day"], name="holdfast_artisan_shop_shop_day_once")]

    def __str__(self) -> str:
        return f"{self.shop_id} on {self.day}"


class CoBuy(models.Model):
    """How often a product was bought together with another; for each only the most frequent are kept."""

    id = models.BigAutoField(primary_key=True)
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+", db_index=False)
    other = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    score = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["product", "other"], name="holdfast_artisan_shop_cobuy_once"),
        ]
        indexes = [models.Index(fields=["product", "-score"], name="holdfast_artisan_shop_c_prod")]

    def __str__(self) -> str:
        return f"{self.product_id} with {self.other_id}"

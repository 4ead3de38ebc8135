"""What makes customers buy: flash sales, coupons, reviews."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from holdfast.ids import uuid7
from holdfast_artisan_shop.models.orders import Order
from holdfast_artisan_shop.models.products import MAX_MINOR, Product
from holdfast_artisan_shop.models.shops import Shop, not_blank
from holdfast_artisan_shop.states import CouponKind

CODE_LENGTH = 40
REVIEW_LENGTH = 5_000


class FlashSale(models.Model):
    """A lower price of a product from a moment to another, for so many pieces or for all. Two never overlap."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="flash_sales", db_index=False)
    price_minor = models.BigIntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    quantity = models.PositiveIntegerField(null=True, blank=True, help_text="How many pieces; empty: all there are.")
    sold = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        ordering = ["starts_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(price_minor__range=(0, MAX_MINOR), ends_at__gt=F("starts_at")),
                name="holdfast_artisan_shop_flash_in_range",
            ),
            models.CheckConstraint(
                condition=Q(sold__gte=0) & (Q(quantity=None) | Q(sold__lte=F("quantity"))),
                name="holdfast_artisan_shop_flash_not_oversold",
            ),
        ]
        indexes = [models.Index(fields=["product", "ends_at"], name="holdfast_artisan_shop_f_prod")]

    def __str__(self) -> str:
        return f"{self.product_id} from {self.starts_at:%Y-%m-%d %H:%M}"


class Coupon(models.Model):
    """A code that takes something off an order of its shop, once for each customer. Codes are kept in capitals."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, related_name="coupons", db_index=False)
    code = models.CharField(max_length=CODE_LENGTH)
    kind = models.CharField(max_length=10, choices=CouponKind.choices)
    percent = models.PositiveSmallIntegerField(default=0)
    amount_minor = models.BigIntegerField(default=0)
    minimum_minor = models.BigIntegerField(default=0, help_text="From which subtotal on it holds.")
    starts_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField(null=True, blank=True)
    max_uses = models.PositiveIntegerField(null=True, blank=True)
    used = models.PositiveIntegerField(default=0, editable=False)
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(fields=["shop", "code"], name="holdfast_artisan_shop_coupon_code_once"),
            not_blank("code", "holdfast_artisan_shop_coupon_code_not_blank"),
            models.CheckConstraint(
                condition=Q(kind=CouponKind.PERCENT, percent__range=(1, 100), amount_minor=0)
                | Q(kind=CouponKind.AMOUNT, amount_minor__range=(1, MAX_MINOR), percent=0),
                name="holdfast_artisan_shop_coupon_takes_off",
            ),
            models.CheckConstraint(
                condition=Q(minimum_minor__gte=0) & (Q(ends_at=None) | Q(ends_at__gt=F("starts_at"))),
                name="holdfast_artisan_shop_coupon_in_range",
            ),
            models.CheckConstraint(
                condition=Q(used__gte=0) & (Q(max_uses=None) | Q(used__lte=F("max_uses"))),
                name="holdfast_artisan_shop_coupon_not_overused",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class CouponUse(models.Model):
    """A customer has used a coupon, for one order; cancelled, the order gives it back."""

    id = models.BigAutoField(primary_key=True)
    coupon = models.ForeignKey(Coupon, on_delete=models.PROTECT, related_name="uses", db_index=False)
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    order = models.OneToOneField(Order, on_delete=models.PROTECT, related_name="coupon_use")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["coupon", "customer"], name="holdfast_artisan_shop_coupon_use_once"),
        ]

    def __str__(self) -> str:
        return f"{self.coupon_id} by {self.customer_id}"


class Review(models.Model):
    """What a customer says of a product that he has received, once."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="reviews", db_index=False)
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="+", db_index=False)
    rating = models.PositiveSmallIntegerField()
    text = models.TextField(max_length=REVIEW_LENGTH, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["product", "customer"], name="holdfast_artisan_shop_review_once"),
            models.CheckConstraint(
                condition=Q(rating__range=(1, 5)), name="holdfast_artisan_shop_review_rating_in_range"
            ),
        ]
        indexes = [models.Index(fields=["product", "id"], name="holdfast_artisan_shop_r_prod")]

    def __str__(self) -> str:
        return f"{self.rating} of 5"

"""What is sold."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from holdfast.ids import uuid7
from holdfast.money import Money, from_minor
from holdfast_artisan_shop.models.places import Place, on_the_globe
from holdfast_artisan_shop.models.shops import DESCRIPTION_LENGTH, NAME_LENGTH, Shop, not_blank

SKU_LENGTH = 64
URL_LENGTH = 500
LEAD_DAYS_MAX = 365
MAX_MINOR = 10**13
"""The most minor units of a price: with the largest quantity and all lines of an order, a sum still is a bigint."""


class Category(models.Model):
    """A node of the tree of categories. ``path`` has the ids from its root down to itself, each ended by a slash."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children")
    name = models.CharField(max_length=NAME_LENGTH)
    path = models.CharField(max_length=1_000, unique=True, editable=False)

    class Meta:
        ordering = ["name", "id"]
        verbose_name_plural = "categories"
        constraints = [
            models.UniqueConstraint(fields=["parent", "name"], name="holdfast_artisan_shop_category_name_once"),
            models.UniqueConstraint(
                fields=["name"], condition=Q(parent=None), name="holdfast_artisan_shop_category_root_once"
            ),
            not_blank("name", "holdfast_artisan_shop_category_name_not_blank"),
        ]

    def __str__(self) -> str:
        return self.name


class Product(Place):
    """Something that a shop makes.

    It is at the shop's place, which is copied, unless it has its own. ``popularity`` and the ratings' sums are kept by
    services, for orders of lists. ``price_minor`` is what its cheapest variant costs.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    shop = models.ForeignKey(Shop, on_delete=models.PROTECT, related_name="products", db_index=False)
    category = models.ForeignKey(Category, on_delete=models.PROTECT, related_name="products", db_index=False)
    name = models.CharField(max_length=NAME_LENGTH)
    description = models.TextField(max_length=DESCRIPTION_LENGTH, blank=True)
    price_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3, editable=False, help_text="The shop's.")
    made_to_order = models.BooleanField(default=False, help_text="It is made when it is ordered, and has no stock.")
    lead_days = models.PositiveSmallIntegerField(default=0, help_text="How many days making it takes.")
    own_location = models.BooleanField(default=False, help_text="It is somewhere else than its shop.")
    active = models.BooleanField(default=True, help_text="Customers see only active products.")
    popularity = models.PositiveIntegerField(default=0, editable=False)
    rating_sum = models.PositiveIntegerField(default=0, editable=False)
    rating_count = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-id"]
        constraints = [
            not_blank("name", "holdfast_artisan_shop_product_name_not_blank"),
            on_the_globe("holdfast_artisan_shop_product_on_the_globe"),
            models.CheckConstraint(
                condition=Q(price_minor__range=(0, MAX_MINOR)), name="holdfast_artisan_shop_product_price_in_range"
            ),
            models.CheckConstraint(
                condition=Q(lead_days__lte=LEAD_DAYS_MAX), name="holdfast_artisan_shop_product_lead_in_range"
            ),
        ]
        # Each order, and each filter under the usual order, is one range of an index, wherever the page lies.
        indexes = [
            models.Index(fields=["shop", "id"], name="holdfast_artisan_shop_p_shop"),
            models.Index(fields=["category", "id"], condition=Q(active=True), name="holdfast_artisan_shop_p_cat"),
            models.Index(
                fields=["category", "price_minor", "id"],
                condition=Q(active=True),
                name="holdfast_artisan_shop_p_catpr",
            ),
            models.Index(fields=["price_minor", "id"], condition=Q(active=True), name="holdfast_artisan_shop_p_price"),
            models.Index(fields=["popularity", "id"], condition=Q(active=True), name="holdfast_artisan_shop_p_pop"),
            models.Index(fields=["lat", "lng"], condition=Q(active=True), name="holdfast_artisan_shop_p_near"),
            models.Index(
                fields=["category", "lat", "lng"], condition=Q(active=True), name="holdfast_artisan_shop_p_nearc"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def price(self) -> Money:
        """What its cheapest variant costs, without any flash sale."""
        return from_minor(self.price_minor, self.currency)


class Variant(models.Model):
    """What is bought: a product with its options chosen, at the product's price and ``extra_minor``."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="variants")
    # The shop's id once more, without a relation: so that a SKU is unique within its shop.
    shop_id = models.UUIDField(editable=False)
    sku = models.CharField("SKU", max_length=SKU_LENGTH, blank=True)
    options = models.JSONField(default=dict, blank=True, help_text='Such as {"color": "blue"}.')
    extra_minor = models.BigIntegerField(default=0, help_text="What it costs more than the product.")
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["shop_id", "sku"], condition=~Q(sku=""), name="holdfast_artisan_shop_variant_sku_once"
            ),
            models.CheckConstraint(
                condition=Q(extra_minor__range=(0, MAX_MINOR)), name="holdfast_artisan_shop_variant_extra_in_range"
            ),
        ]

    def __str__(self) -> str:
        return self.sku or str(self.id)


class ProductImage(models.Model):
    """A picture of a product, wherever the host keeps it."""

    id = models.BigAutoField(primary_key=True)
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="images")
    url = models.URLField("URL", max_length=URL_LENGTH)
    alt = models.CharField("alternative text", max_length=NAME_LENGTH, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.url

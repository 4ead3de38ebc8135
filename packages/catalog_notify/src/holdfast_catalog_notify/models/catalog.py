"""What the catalog shows."""

import datetime as dt
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length, Trim
from django.db.models.lookups import GreaterThan
from django.utils import timezone

from holdfast.ids import uuid7
from holdfast.money import MoneyField

NAME_LENGTH = 200
SKU_LENGTH = 64
DESCRIPTION_LENGTH = 20_000
URL_LENGTH = 500


def not_blank(field: str, name: str) -> models.CheckConstraint:
    """Return the constraint that a text has more than spaces."""
    return models.CheckConstraint(condition=GreaterThan(Length(Trim(field)), 0), name=name)


class Brand(models.Model):
    """Who makes products."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=NAME_LENGTH, unique=True)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [not_blank("name", "holdfast_catalog_notify_brand_name_not_blank")]

    def __str__(self) -> str:
        return self.name


class Category(models.Model):
    """What kind of products they are."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=NAME_LENGTH, unique=True)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "categories"
        constraints = [not_blank("name", "holdfast_catalog_notify_category_name_not_blank")]

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    """Something that the catalog shows.

    ``version`` counts its changes. What it is called by, its brand and its category, changes by itself: a new name of a
    brand is one row, however many products it has.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    sku = models.CharField("SKU", max_length=SKU_LENGTH, unique=True)
    name = models.CharField(max_length=NAME_LENGTH)
    description = models.TextField(max_length=DESCRIPTION_LENGTH, blank=True)
    # The stubs take django-money's descriptor for the amount alone.
    price: Any = MoneyField()
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="products", db_index=False)
    category = models.ForeignKey(
        Category, on_delete=models.PROTECT, related_name="products", null=True, blank=True, db_index=False
    )
    image_url = models.URLField("image URL", max_length=URL_LENGTH, blank=True)
    active = models.BooleanField(default=True, help_text="Visitors see only active products.")
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    # Named for the type checker, to which the price's own manager is unknown.
    objects: ClassVar[models.Manager["Product"]] = models.Manager()

    class Meta:
        ordering = ["-id"]
        permissions = [("manage_admins", "Can manage the other admins")]
        constraints = [
            not_blank("sku", "holdfast_catalog_notify_product_sku_not_blank"),
            not_blank("name", "holdfast_catalog_notify_product_name_not_blank"),
            models.CheckConstraint(
                condition=Q(price__gte=0), name="holdfast_catalog_notify_product_price_not_negative"
            ),
            models.CheckConstraint(
                condition=GreaterThan(Length("price_currency"), 2),
                name="holdfast_catalog_notify_product_price_has_currency",
            ),
            models.CheckConstraint(
                condition=Q(updated_at__gte=F("created_at")), name="holdfast_catalog_notify_product_updated_after"
            ),
        ]
        # Each order, and each filter under the usual order, is one range of an index, wherever the page lies.
        indexes = [
            models.Index(fields=["name", "id"], name="holdfast_catalog_notify_name"),
            models.Index(fields=["price", "id"], name="holdfast_catalog_notify_price"),
            models.Index(fields=["brand", "id"], name="holdfast_catalog_notify_brands"),
            models.Index(fields=["category", "id"], name="holdfast_catalog_notify_categ"),
            models.Index(fields=["active", "id"], name="holdfast_catalog_notify_active"),
        ]

    def __str__(self) -> str:
        return f"{self.sku} {self.name}"

    @property
    def names_updated_at(self) -> dt.datetime:
        """When its brand or its category, whichever was later, got the name that it has."""
        return max(group.updated_at for group in (self.brand, self.category) if group is not None)

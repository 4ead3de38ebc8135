"""What was changed: the audit log of the catalog, and the history of its prices."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from holdfast.ids import uuid7
from holdfast_catalog_notify.models.catalog import NAME_LENGTH, SKU_LENGTH
from holdfast_catalog_notify.states import Action, Door


class ChangeSet(models.Model):
    """What one transaction changed: one notification for each other admin."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # Who goes leaves his name.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", editable=False
    )
    actor_name = models.CharField(max_length=254, blank=True, editable=False)
    door = models.CharField(max_length=10, choices=Door.choices, editable=False)
    at = models.DateTimeField(default=timezone.now, editable=False)
    total = models.PositiveIntegerField(default=0, editable=False, help_text="How many products.")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(door__in=Door.values), name="holdfast_catalog_notify_changeset_door_known"
            )
        ]

    def __str__(self) -> str:
        return f"{self.actor_name or '-'}, {self.at:%Y-%m-%d %H:%M}"


class Change(models.Model):
    """What happened to one product in a change set; it outlives the product.

    ``values`` has for each field what it was and what it is:
    ``{"price": {"old": "10.00 EUR", "new": "12.00 EUR"}}``. ``price_changed`` picks out the history of the prices.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    change_set = models.ForeignKey(
        ChangeSet, on_delete=models.CASCADE, related_name="changes", db_index=False, editable=False
    )
    product_id = models.UUIDField(editable=False)
    brand_id = models.UUIDField(editable=False, help_text="The brand then; no key, for it may be deleted.")
    sku = models.CharField("SKU", max_length=SKU_LENGTH, editable=False)
    name = models.CharField(max_length=NAME_LENGTH, editable=False)
    action = models.CharField(max_length=10, choices=Action.choices, editable=False)
    values = models.JSONField(default=dict, editable=False)
    price_changed = models.BooleanField(default=False, editable=False)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["change_set", "product_id"], name="holdfast_catalog_notify_change_once_in_set"
            ),
            models.CheckConstraint(
                condition=Q(action__in=Action.values), name="holdfast_catalog_notify_change_action_known"
            ),
        ]
        indexes = [models.Index(fields=["product_id", "id"], name="holdfast_catalog_notify_histor")]

    def __str__(self) -> str:
        return f"{self.sku} {self.get_action_display()}"

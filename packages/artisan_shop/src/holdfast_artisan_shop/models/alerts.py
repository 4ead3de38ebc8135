"""Who is told of too little, and who of enough."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from holdfast_artisan_shop.models.products import Variant
from holdfast_artisan_shop.models.shops import Shop
from holdfast_artisan_shop.models.stock import Stock


class InventoryAlert(models.Model):
    """A stock fell to its threshold. At most one is open for each; it is resolved when there is enough again."""

    id = models.BigAutoField(primary_key=True)
    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, related_name="inventory_alerts", db_index=False)
    stock = models.ForeignKey(Stock, on_delete=models.CASCADE, related_name="alerts", db_index=False)
    left = models.IntegerField(help_text="How many pieces were not sold yet when it opened.")
    opened_at = models.DateTimeField(default=timezone.now, editable=False)
    resolved_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["stock"], condition=Q(resolved_at=None), name="holdfast_artisan_shop_alert_one_open"
            ),
        ]
        indexes = [models.Index(fields=["shop", "id"], name="holdfast_artisan_shop_a_shop")]

    def __str__(self) -> str:
        return f"{self.left} left"


class BackInStockRequest(models.Model):
    """A customer wants to be told when a variant can be bought again. Told, the row is gone."""

    id = models.BigAutoField(primary_key=True)
    variant = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="+", db_index=False)
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["variant", "customer"], name="holdfast_artisan_shop_request_once"),
        ]

    def __str__(self) -> str:
        return f"{self.variant_id} for {self.customer_id}"

"""How many pieces there are, and why."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from holdfast_artisan_shop.models.products import Variant
from holdfast_artisan_shop.states import MoveKind


class Stock(models.Model):
    """The pieces of a variant: ``on_hand``, of which some are ``held`` for baskets and some ``allocated`` to orders.

    No column but the key is indexed, and on PostgreSQL pages have room left (fillfactor 70): updates stay in the page.
    """

    variant = models.OneToOneField(Variant, primary_key=True, on_delete=models.CASCADE, related_name="stock")
    on_hand = models.IntegerField(default=0)
    held = models.IntegerField(default=0)
    allocated = models.IntegerField(default=0)
    low_at = models.IntegerField(default=3, help_text="At how many pieces not yet sold an alert opens.")

    class Meta:
        verbose_name_plural = "stock"
        constraints = [
            models.CheckConstraint(
                condition=Q(on_hand__gte=0, held__gte=0, allocated__gte=0, low_at__gte=0),
                name="holdfast_artisan_shop_stock_not_negative",
            ),
            # The law of the marketplace: nothing is sold or held twice.
            models.CheckConstraint(
                condition=Q(on_hand__gte=F("held") + F("allocated")), name="holdfast_artisan_shop_stock_never_oversold"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.free} of {self.on_hand}"

    @property
    def free(self) -> int:
        """How many pieces can be bought by anybody."""
        return self.on_hand - self.held - self.allocated


class StockMove(models.Model):
    """One change of the figures, never changed itself: the sums of all moves of a stock are its figures."""

    id = models.BigAutoField(primary_key=True)
    # Plain ids, without constraints or the database would look up each for each line sold; services write what exists.
    stock = models.ForeignKey(
        Stock, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="moves"
    )
    order_id = models.UUIDField(null=True, editable=False)
    kind = models.CharField(max_length=10, choices=MoveKind.choices)
    on_hand = models.IntegerField(default=0)
    held = models.IntegerField(default=0)
    allocated = models.IntegerField(default=0)
    note = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=MoveKind.values), name="holdfast_artisan_shop_move_kind_known"),
        ]
        indexes = [models.Index(fields=["stock", "id"], name="holdfast_artisan_shop_mv_stock")]

    def __str__(self) -> str:
        return f"{self.kind} {self.on_hand:+}"


class Hold(models.Model):
    """Pieces set aside for a customer's basket, until a time. Whoever deletes the row owns its pieces."""

    id = models.BigAutoField(primary_key=True)
    stock = models.ForeignKey(Stock, on_delete=models.CASCADE, related_name="holds", db_index=False)
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    quantity = models.IntegerField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "stock"], name="holdfast_artisan_shop_hold_once"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="holdfast_artisan_shop_hold_positive"),
        ]
        indexes = [
            models.Index(fields=["stock", "expires_at"], name="holdfast_artisan_shop_h_stock"),
            models.Index(fields=["expires_at"], name="holdfast_artisan_shop_h_ends"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} until {self.expires_at:%H:%M}"

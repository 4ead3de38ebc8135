"""What whoever watches the marketplace should know."""

from django.db.models import Min
from django.db.models.functions import Coalesce
from django.utils import timezone

from holdfast.health.figures import Figure, counted, counted_by, seconds_since
from holdfast_artisan_shop.models import Hold, InventoryAlert, Order, Payment
from holdfast_artisan_shop.models.payments import INTENTS
from holdfast_artisan_shop.states import OrderState, PaymentState


def figures() -> list[Figure]:
    """Return how orders and their money come along, and what runs out."""
    asked, expired = Payment.objects.filter(state__in=INTENTS), Hold.objects.filter(expires_at__lte=timezone.now())
    return [
        Figure(
            name="orders",
            description="Orders by state, the newest ten thousand.",
            value=counted_by("state", OrderState.values, Order.objects.all()),
            label="state",
        ),
        Figure(
            name="alerts",
            description="Variants of which too little is left.",
            value=counted(InventoryAlert.objects.filter(resolved_at=None)),
        ),
        Figure(
            name="payments_asked",
            description="Payments that the gateway has not answered yet.",
            value=counted(asked),
        ),
        Figure(
            name="payments_late_seconds",
            description="How long ago the gateway was last asked for what it has not answered.",
            value=seconds_since(asked.aggregate(first=Min(Coalesce("asked_at", "created_at")))["first"]),
        ),
        Figure(
            name="payments_refused",
            description="Payments that the gateway has refused although it had promised them: for a person.",
            value=counted(Payment.objects.filter(state=PaymentState.FAILED)),
        ),
        Figure(
            name="holds_expired",
            description="Pieces held for baskets whose time is over, and not given back yet.",
            value=counted(expired),
        ),
        Figure(
            name="holds_late_seconds",
            description="How long pieces are held for a basket whose time is over.",
            value=seconds_since(expired.aggregate(first=Min("expires_at"))["first"]),
        ),
    ]

"""Stock: the figures, and every change of them."""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from holdfast.windows import LookAdmin, Panel, Step, WindowAdmin, link_to
from holdfast_artisan_shop import services
from holdfast_artisan_shop.models import InventoryAlert, Order, Stock
from holdfast_artisan_shop.services.stock import MAX_PIECES

PERMISSION = "holdfast_artisan_shop.change_stock"
MOVES = 50


class ReceiveForm(forms.Form):
    """Asks how many pieces have come."""

    quantity = forms.IntegerField(min_value=1, max_value=MAX_PIECES)
    note = forms.CharField(max_length=200, required=False)


class CorrectForm(forms.Form):
    """Asks how many pieces more, or less, there are than the figures say."""

    difference = forms.IntegerField(min_value=-MAX_PIECES, max_value=MAX_PIECES)
    note = forms.CharField(max_length=200)


class ThresholdForm(forms.Form):
    """Asks at how many pieces an alert opens."""

    low_at = forms.IntegerField(min_value=0, max_value=MAX_PIECES)


def _in_the_shops_name(verb: Callable[..., Stock], done: str) -> Callable[[Stock, dict[str, Any]], str]:
    def run(stock: Stock, values: dict[str, Any]) -> str:
        owner_id = stock.variant.product.shop.owner_id
        return done % vars(verb(variant_id=stock.pk, actor_id=owner_id, **values))

    return run


RECEIVE = Step(
    name="receive",
    label=_("Receive"),
    question=_("So many pieces have come; customers who waited for them are told."),
    permission=PERMISSION,
    form=ReceiveForm,
    run=_in_the_shops_name(services.receive_stock, "There are %(on_hand)d pieces now."),
    offered=lambda _stock: True,
)
CORRECT = Step(
    name="correct",
    label=_("Correct"),
    question=_("So many pieces more, or with a minus fewer, are on the shelf than the figures say."),
    permission=PERMISSION,
    form=CorrectForm,
    run=_in_the_shops_name(services.correct_stock, "There are %(on_hand)d pieces now."),
    offered=lambda _stock: True,
)
THRESHOLD = Step(
    name="threshold",
    label=_("Threshold"),
    question=_("An alert opens when so many pieces are left that are not sold yet."),
    permission=PERMISSION,
    form=ThresholdForm,
    run=_in_the_shops_name(services.set_threshold, "An alert opens at %(low_at)d pieces."),
    offered=lambda _stock: True,
)


@admin.register(Stock)
class StockAdmin(WindowAdmin):
    """How many pieces there are of what, and why."""

    steps: ClassVar = (RECEIVE, CORRECT, THRESHOLD)
    list_display = ("product", "variant", "shop", "on_hand", "held", "allocated", "free", "low_at")
    list_select_related = ("variant__product__shop",)
    search_help_text = "An id of a variant, a product or a shop."
    fields: ClassVar = (("product", "variant", "shop"), ("on_hand", "held", "allocated", "free"), "low_at")
    readonly_fields = ("product", "shop", "free")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Stock]:
        """Bring the product and its shop along."""
        queryset: QuerySet[Stock] = super().get_queryset(request)
        return queryset.select_related("variant__product__shop")

    def matching_id(self, wanted: UUID) -> Q:
        """Find the stock of a variant, a product or a shop."""
        return Q(pk=wanted) | Q(variant__product=wanted) | Q(variant__product__shop=wanted)

    def panels(self, request: HttpRequest, obj: Stock) -> Iterable[Panel]:
        """Show for whom pieces are held, and the newest changes of the figures."""
        held = obj.holds.select_related("customer").order_by("expires_at")[:MOVES]
        yield Panel(
            _("Reservations"),
            (_("Customer"), _("Pieces"), _("Until")),
            [(one.customer, one.quantity, one.expires_at) for one in held],
        )
        rows = [
            (
                move.at,
                move.get_kind_display(),
                f"{move.on_hand:+}",
                f"{move.held:+}",
                f"{move.allocated:+}",
                link_to(Order, move.order_id),
                move.note or "-",
            )
            for move in obj.moves.order_by("-id")[:MOVES]
        ]
        columns = (_("When"), _("Why"), _("On hand"), _("Held"), _("Allocated"), _("Order"), _("Note"))
        yield Panel(_("Movements"), columns, rows)

    @admin.display(description="product")
    def product(self, stock: Stock) -> str:
        """Return what it is."""
        return str(stock.variant.product)

    @admin.display(description="shop")
    def shop(self, stock: Stock) -> str:
        """Return whose it is."""
        return str(stock.variant.product.shop)

    @admin.display(description="free")
    def free(self, stock: Stock) -> int:
        """Return how many can be bought."""
        return stock.free


@admin.register(InventoryAlert)
class InventoryAlertAdmin(LookAdmin):
    """Where little is left, and where it was."""

    list_display = ("shop", "its_stock", "left", "opened_at", "resolved_at")
    list_filter = (("resolved_at", admin.EmptyFieldListFilter),)
    list_select_related = ("shop", "stock__variant__product")

    @admin.display(description="product")
    def its_stock(self, alert: InventoryAlert) -> SafeString | str:
        """Return what there is too little of."""
        return link_to(Stock, alert.stock_id, alert.stock.variant.product)

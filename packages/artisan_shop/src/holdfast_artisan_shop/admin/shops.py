"""Shops, with what they sell."""

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from holdfast.money import from_minor
from holdfast.windows import Panel, Step, SureForm, WindowAdmin, link_to
from holdfast_artisan_shop import selectors, services
from holdfast_artisan_shop.admin.charts import bars
from holdfast_artisan_shop.admin.orders import login_of
from holdfast_artisan_shop.models import Product, Shop
from holdfast_artisan_shop.states import OrderState, ShopState

PERMISSION = "holdfast_artisan_shop.change_shop"


def _in_its_name(verb: Callable[..., Shop], done: str) -> Callable[[Shop, dict[str, Any]], str]:
    def run(shop: Shop, _values: dict[str, Any]) -> str:
        verb(shop_id=shop.pk, actor_id=shop.owner_id)
        return done

    return run


PUBLISH = Step(
    name="publish",
    label=_("Publish"),
    question=_("Customers see the shop, and can order."),
    permission=PERMISSION,
    form=SureForm,
    run=_in_its_name(services.publish_shop, "The shop is open."),
    offered=lambda shop: shop.state != ShopState.OPEN,
)
HOLIDAY = Step(
    name="holiday",
    label=_("On holiday"),
    question=_("Customers see the shop, and cannot order until it is published again."),
    permission=PERMISSION,
    form=SureForm,
    run=_in_its_name(services.go_on_holiday, "The shop is on holiday."),
    offered=lambda shop: shop.state == ShopState.OPEN,
)
CLOSE = Step(
    name="close",
    label=_("Close"),
    question=_("Customers do not see the shop any more. What they have ordered is still to be delivered."),
    permission=PERMISSION,
    form=SureForm,
    run=_in_its_name(services.close_shop, "The shop is closed."),
    offered=lambda shop: shop.state in (ShopState.OPEN, ShopState.HOLIDAY),
)


@admin.register(Shop)
class ShopAdmin(WindowAdmin):
    """Who sells, and how it goes: the dashboard of a shop is on its page."""

    steps: ClassVar = (PUBLISH, HOLIDAY, CLOSE)
    list_display = ("name", "owner", "state", "currency", "address", "created_at")
    list_filter = ("state", "currency")
    list_select_related = ("owner",)
    fields: ClassVar = (
        ("name", "owner", "state"),
        ("currency", "time_zone", "delivery_radius_km"),
        ("address", "lat", "lng"),
        "description",
        "opening_hours",
        ("id", "created_at", "updated_at"),
        "revenue",
    )
    readonly_fields = ("revenue",)

    def matching_login(self, login: str) -> Q:
        """Find a shop by its name or by its owner's login."""
        return Q(name__iexact=login) | login_of("owner", login)

    def panels(self, request: HttpRequest, obj: Shop) -> Iterable[Panel]:
        """Show how the last year went, and what the shop has earned this month and in the one before."""
        figures = selectors.dashboard(shop_id=obj.pk, actor_id=obj.owner_id)
        yield Panel(
            _("Best sellers"),
            (_("Rank"), _("Product"), _("Orders"), _("Pieces"), _("Revenue")),
            [
                (
                    one.rank,
                    link_to(Product, one.product_id, one.name),
                    one.orders,
                    one.units,
                    from_minor(one.revenue_minor, obj.currency),
                )
                for one in figures.top_products
            ],
        )
        yield Panel(
            _("Orders"),
            (_("State"), _("Orders")),
            [(OrderState(state).label, count) for state, count in figures.orders_by_state.items()],
        )
        yield Panel(
            _("Little left"),
            (_("Product"), _("SKU"), _("Pieces left")),
            [(one.name, one.sku, one.left) for one in figures.low_stock],
        )

        earned = [selectors.payout(shop_id=obj.pk, actor_id=obj.owner_id, start=a, end=b) for a, b in _months(obj)]
        yield Panel(
            _("Payout"),
            (_("Month"), _("Orders"), _("Gross"), _("Refunded"), _("Fee"), _("Payout")),
            [(f"{one.start:%Y-%m}", one.orders, one.gross, one.refunded, one.fee, one.payout) for one in earned],
        )

    @admin.display(description="revenue by month")
    def revenue(self, shop: Shop) -> SafeString | str:
        """Return a bar for each month of the last year."""
        months = selectors.dashboard(shop_id=shop.pk, actor_id=shop.owner_id).months
        named = [(f"{one.month:%Y-%m}: {from_minor(one.revenue_minor, shop.currency)}", one) for one in months]
        return bars([(name, one.revenue_minor) for name, one in named], label=_("Revenue by month"))


def _months(shop: Shop) -> list[tuple[dt.date, dt.date]]:
    """Return the first and the last day of this month, until today, and of the one before."""
    today = selectors.day_of(timezone.now(), shop.time_zone)
    first = today.replace(day=1)
    last = first - dt.timedelta(days=1)
    return [(first, today), (last.replace(day=1), last)]

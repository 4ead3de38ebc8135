"""The artisan's side: shops, products and stock, orders to prepare, the plan of a day, alerts, figures."""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property

from holdfast.money import Money, from_minor, to_minor
from holdfast_artisan_shop import selectors, services
from holdfast_artisan_shop.exceptions import OrderNotFound, ProductNotFound
from holdfast_artisan_shop.selectors import keeping
from holdfast_artisan_shop.states import DeliveryState, Fulfillment, OrderState, PaymentState
from people.selectors import names_of
from storefront.charts import Counted, bar_chart
from storefront.context import Door
from storefront.forms.market import span
from storefront.forms.workshop import (
    WEEKDAYS,
    ChangeShopForm,
    ChangeWareForm,
    CorrectForm,
    NewWareForm,
    OpenShopForm,
    PatternForm,
    ReceiveForm,
    SaleForm,
    ThresholdForm,
)
from storefront.pages import FormPage, Page, leaf
from storefront.templatetags.storefront import plain_money
from storefront.town_map import town_map
from storefront.views.buying import DoingPage, delivery_of, timeline

PAGE_ROWS = 25
PERIODS = {"30": "30 days", "90": "90 days", "180": "Half a year", "365": "A year"}
OPEN_STATES = (OrderState.PAID, OrderState.PROCESSING, OrderState.READY, OrderState.OUT_FOR_DELIVERY)
# What an artisan finds within a shop.
ROOMS = [
    Door("Orders", "box", "shop-orders", frozenset({"shop-order"})),
    Door(
        "Products",
        "catalog",
        "shop-wares",
        frozenset({f"shop-ware{page}" for page in ("", "-new", "-change", "-pictures", "-choice", "-choice-new")}),
    ),
    Door("Day plan", "once", "shop-plan"),
    Door("Slots", "hold", "shop-slots", frozenset({"shop-days-off"})),
    Door("Alerts", "alert", "shop-alerts"),
    Door("Coupons", "flash", "shop-coupons"),
    Door("Figures", "chart", "shop-figures"),
    Door("Payouts", "statement", "shop-payouts", frozenset({"shop-payout"})),
    Door("The shop", "edit", "shop-change", frozenset({"shop-hours", "shop-members"})),
]


@dataclass(frozen=True)
class Step:
    """A verb that takes an order on: what its button says, what is said when it is done, and what it asks before."""

    name: str
    verb: Callable[..., Any]
    label: str
    done: str
    look: str = ""
    asks: str = ""


STEPS = {
    step.name: step
    for step in (
        Step("start", services.start_order, "Begin with it", "You are working on it."),
        Step("finish", services.finish_order, "It is ready", "The customer can see that it is ready."),
        Step("send", services.send_delivery, "On my way", "The customer sees that it is on its way."),
        Step("deliver", services.deliver, "Handed over", "Handed over. The money is on your account."),
        Step("complete", services.complete_order, "Handed over", "Handed over. The money is on your account."),
        Step("fail", services.fail_delivery, "Nobody was there", "It waits for another slot.", "quiet"),
        Step("decline", services.decline_order, "Decline", "Declined. The customer has his money.", "danger", "reason"),
        Step(
            "refund", services.refund_order, "Give the money back", "The money is on its way back.", "danger", "restock"
        ),
        Step("retry", services.retry_payment, "Ask for the money again", "It was asked for: see what came of it."),
    )
}


def steps_of(order: Any, payments: Iterable[Any] = ()) -> list[Step]:
    """Return what can be done with an order now, the likely thing first; a payment that the gateway refused before."""
    delivery = getattr(order, "delivery", None)
    brought = delivery is not None and delivery.kind == "delivery"
    waits = delivery is not None and delivery.state == DeliveryState.FAILED
    names: dict[str, list[str]] = {
        OrderState.PAID: ["start", "finish", "decline"],
        OrderState.PROCESSING: ["finish", "decline"],
        OrderState.READY: ["decline"] if waits else ["send", "decline"] if brought else ["complete", "decline"],
        OrderState.OUT_FOR_DELIVERY: ["deliver", "fail"],
        OrderState.COMPLETED: ["refund"],
    }
    failed = any(payment.state == PaymentState.FAILED for payment in payments)
    return [STEPS[name] for name in [*(["retry"] if failed else []), *names.get(order.state, [])]]


class WorkshopView(Page):
    """My shops."""

    template_name = "storefront/workshop/shops.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Gather them, each with what waits there."""
        shops: list[Any] = list(selectors.shops_of(actor_id=self.owner_id).order_by("name"))
        for shop in shops:
            orders = selectors.orders_of_shops(actor_id=self.owner_id, shop_id=shop.pk)
            shop.waiting = orders.filter(state__in=OPEN_STATES).order_by().count()
            shop.low = (
                selectors.alerts_of_shops(actor_id=self.owner_id, shop_id=shop.pk, opened=True).order_by().count()
            )
        return super().get_context_data(shops=shops, **kwargs)


class OpenShopView(FormPage):
    """A new shop; nobody sees it before it is published."""

    template_name = "storefront/workshop/open.html"
    form_class = OpenShopForm
    done = "Your shop is there. Put something on its shelves, then publish it."

    def run(self, form: Any) -> Any:
        """Open it."""
        return services.open_shop(owner_id=self.owner_id, **form.values)

    def where_to(self, result: Any) -> str:
        """Go in."""
        return reverse("storefront:shop-wares", args=[result.pk])


class InShop:
    """A page within a shop that one acts for; for others it is not there."""

    owner_id: int
    request: HttpRequest
    kwargs: dict[str, Any]

    @property
    def shop(self) -> Any:
        """The shop."""
        if not hasattr(self, "_shop"):
            self._shop = selectors.managed_shop(shop_id=self.kwargs["shop_id"], actor_id=self.owner_id)
        return self._shop

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the shop and its rooms."""
        here = self.request.resolver_match.url_name if self.request.resolver_match else ""
        rooms = [
            (room, reverse(f"storefront:{room.name}", args=[self.shop.pk]), here == room.name or here in room.names)
            for room in ROOMS
        ]
        alerts = selectors.alerts_of_shops(actor_id=self.owner_id, shop_id=self.shop.pk, opened=True)
        values = {"shop": self.shop, "rooms": rooms, "low": alerts.order_by().count()}
        found: dict[str, Any] = super().get_context_data(**values, **kwargs)  # type: ignore[misc]  # a page has it
        return found


class ShopPage(InShop, Page):
    """A page within a shop."""


class ShopFormPage(InShop, FormPage):
    """A page with a form within a shop."""


class InShopDoingPage(InShop, DoingPage):
    """A button within a shop."""


class ShopOrdersView(ShopPage):
    """Orders to prepare, and those that are done."""

    template_name = "storefront/workshop/orders.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Gather one page."""
        chosen = self.request.GET.get("state", "")
        found = selectors.orders_of_shops(actor_id=self.owner_id, shop_id=self.shop.pk)
        if chosen in OrderState.values:
            found = found.filter(state=chosen)
        elif chosen != "all":
            chosen, found = "", found.filter(state__in=OPEN_STATES)
        page = leaf(self.request, found, ordering=("-id",), size=PAGE_ROWS)
        names = names_of([order.customer_id for order in page.rows])
        for order in page.rows:
            _dress(order, self.shop, names)
        states = [
            ("", "To do"),
            ("all", "All"),
            *((state.value, str(state.label).capitalize()) for state in OrderState),
        ]
        return super().get_context_data(page=page, states=states, chosen=chosen, **kwargs)


def _who(booked: Any) -> str:
    return "They fetch it" if booked.kind == Fulfillment.PICKUP else "You bring it"


def _dress(order: Any, shop: Any, names: dict[int, str]) -> None:
    delivery = getattr(order, "delivery", None)
    order.customer_name = names.get(order.customer_id, "Somebody")
    order.slot_words = f"{_who(delivery)} {span(delivery.slot, shop)}" if delivery else "No slot: they call for it"
    order.steps = steps_of(order, order.payments.all())


class ShopOrderView(ShopPage):
    """One order of the shop."""

    template_name = "storefront/workshop/order.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Show it."""
        order = selectors.get_order(order_id=kwargs["order_id"], user_id=self.owner_id)
        if order.shop_id != self.shop.pk:
            raise OrderNotFound(order_id=str(order.pk))
        _dress(order, self.shop, names_of([order.customer_id]))
        delivery = delivery_of(order.pk)
        events = list(delivery.events.all()) if delivery else []
        return super().get_context_data(
            order=order,
            delivery=delivery,
            payment=next(iter(order.payments.all()), None),
            timeline=timeline(order, events),
            **kwargs,
        )


class StepOrderView(InShopDoingPage):
    """Take an order on."""

    def act(self, **kwargs: Any) -> None:
        """Run the step's verb."""
        step = STEPS.get(kwargs["step"])
        if step is None:
            raise Http404
        posted = self.request.POST
        said = {"reason": posted.get("reason", "")[:500], "restock": "restock" in posted}
        asked = {step.asks: said[step.asks]} if step.asks else {}
        step.verb(order_id=kwargs["order_id"], actor_id=self.owner_id, **asked)
        messages.success(self.request, step.done)

    def back(self, **kwargs: Any) -> str:
        """Return to where the button was."""
        if self.request.POST.get("from") == "plan":
            return reverse("storefront:shop-plan", args=[kwargs["shop_id"]])
        return reverse("storefront:shop-order", args=[kwargs["shop_id"], kwargs["order_id"]])


class ShopWaresView(ShopPage):
    """Everything that the shop has, hidden things too."""

    template_name = "storefront/workshop/wares.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Gather one page."""
        found = selectors.products_of_shop(shop_id=self.shop.pk, actor_id=self.owner_id)
        page = leaf(self.request, found, ordering=("-id",), size=PAGE_ROWS)
        return super().get_context_data(page=page, **kwargs)


class OneWare(InShop):
    """Something about one product of the shop; what another shop has is not there."""

    @cached_property
    def product(self) -> Any:
        """Return the product."""
        product = selectors.get_offer(product_id=self.kwargs["product_id"], actor_id=self.owner_id)
        if product.shop_id != self.shop.pk:
            raise ProductNotFound(product_ids=[str(product.pk)])
        return product


class ShopWareView(OneWare, ShopPage):
    """One product: its stock, its sales, its words."""

    template_name = "storefront/workshop/ware.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Show it with the small forms that change it."""
        product = self.product
        variants = list(product.variants.all())
        for one in variants:
            one.moves_shown = one.stock.moves.all()[:6]
        sales = product.flash_sales.filter(ends_at__gt=timezone.now())
        return super().get_context_data(
            product=product,
            variants=variants,
            sales=sales,
            sale_form=SaleForm(currency=self.shop.currency, auto_id="sale_%s"),
            now=timezone.now(),
            **kwargs,
        )


class StockView(InShopDoingPage):
    """Receive, correct, or set the threshold of a variant."""

    VERBS: dict[str, tuple[Any, Callable[..., Any], str]] = {
        "receive": (ReceiveForm, services.receive_stock, "They are on the shelf."),
        "correct": (CorrectForm, services.correct_stock, "The figure is right now."),
        "threshold": (ThresholdForm, services.set_threshold, "You are told at that."),
    }

    def act(self, **kwargs: Any) -> None:
        """Run the verb."""
        if kwargs["verb"] not in self.VERBS:
            raise Http404
        make_form, verb, done = self.VERBS[kwargs["verb"]]
        form = make_form(self.request.POST)
        if not form.is_valid():
            messages.error(self.request, "Write a whole number.")
            return
        verb(variant_id=kwargs["variant_id"], actor_id=self.owner_id, **form.cleaned_data)
        messages.success(self.request, done)

    def back(self, **kwargs: Any) -> str:
        """Return to the product."""
        return reverse("storefront:shop-ware", args=[kwargs["shop_id"], kwargs["product_id"]])


class SaleView(StockView):
    """Begin a flash sale, or end one."""

    def act(self, **kwargs: Any) -> None:
        """Run the verb."""
        if "flash_sale_id" in kwargs:
            services.end_flash_sale(flash_sale_id=kwargs["flash_sale_id"], actor_id=self.owner_id)
            messages.success(self.request, "The flash sale is over.")
            return
        form = SaleForm(self.request.POST, currency=self.shop.currency)
        if not form.is_valid():
            messages.error(self.request, "Write the price in figures alone, such as 12.50.")
            return
        services.schedule_flash_sale(product_id=kwargs["product_id"], actor_id=self.owner_id, **form.values)
        messages.success(self.request, "The flash sale has begun.")


class NewWareView(ShopFormPage):
    """A new product."""

    template_name = "storefront/workshop/form.html"
    form_class: type[forms.Form] = NewWareForm
    done = "It is on the shelf."
    extra_context = {"title": "A new product", "verb": "Put it on the shelf"}

    def get_form_kwargs(self) -> dict[str, Any]:
        """Read prices in the shop's currency."""
        return super().get_form_kwargs() | {"currency": self.shop.currency}

    def run(self, form: Any) -> Any:
        """Offer it; with choices, each gets the stock that was said."""
        product = services.create_product(shop_id=self.shop.pk, actor_id=self.owner_id, **form.values)
        stock = form.cleaned_data["stock"]
        if form.values["variants"] and stock:
            for variant in product.variants.all():
                services.receive_stock(variant_id=variant.pk, actor_id=self.owner_id, quantity=stock)
        return product

    def where_to(self, result: Any) -> str:
        """Show it."""
        return reverse("storefront:shop-ware", args=[self.shop.pk, result.pk])


class ChangeWareView(OneWare, NewWareView):
    """Other words, another price."""

    form_class = ChangeWareForm
    done = "Changed. What was ordered before keeps its price."
    extra_context = {"verb": "Save"}

    def get_initial(self) -> dict[str, Any]:
        """Show what is there."""
        product = self.product
        same = ("name", "description", "made_to_order", "lead_days", "active")
        return {name: getattr(product, name) for name in same} | {
            "price": str(product.price.amount),
            "category": str(product.category_id),
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Name it."""
        product = self.product
        return super().get_context_data(title=f"Change: {product.name}", product=product, **kwargs)

    def run(self, form: Any) -> Any:
        """Change it."""
        return services.change_product(product_id=self.kwargs["product_id"], actor_id=self.owner_id, **form.values)


class ShopPlanView(ShopPage):
    """What is brought and handed over on a day, along a short way."""

    template_name = "storefront/workshop/plan.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Plan the day that was asked for, or the next one on which there is something to do."""
        today = timezone.now().astimezone(ZoneInfo(self.shop.time_zone)).date()
        day = self._asked() or self._next(today)
        stops: list[Any] = selectors.day_plan(shop_id=self.shop.pk, actor_id=self.owner_id, day=day)
        names = names_of([stop.order.customer_id for stop in stops])
        for stop in stops:
            stop.customer_name = names.get(stop.order.customer_id, "Somebody")
            stop.slot_words = span(stop.slot, self.shop)
            stop.order.delivery = stop
            stop.steps = [step for step in steps_of(stop.order) if step.name not in ("decline", "refund")]
        brought: list[Any] = [stop for stop in stops if stop.lat is not None and stop.state != DeliveryState.DELIVERED]
        for number, stop in enumerate(brought, 1):
            stop.number = number
        reach = max((self._far(stop) for stop in brought), default=1.0)
        return super().get_context_data(
            day=day,
            today=today,
            before=day - dt.timedelta(days=1),
            after=day + dt.timedelta(days=1),
            stops=stops,
            map=town_map(lat=self.shop.lat, lng=self.shop.lng, radius_km=reach, things=brought) if brought else None,
            **kwargs,
        )

    def _asked(self) -> dt.date | None:
        try:
            return dt.date.fromisoformat(self.request.GET.get("day", ""))
        except ValueError:
            return None

    def _next(self, today: dt.date) -> dt.date:
        booked = selectors.slots_of_shop(shop_id=self.shop.pk, actor_id=self.owner_id).filter(booked__gt=0).first()
        return booked.starts_at.astimezone(ZoneInfo(self.shop.time_zone)).date() if booked else today

    def _far(self, stop: Any) -> float:
        """Return how far to draw: a round number of kilometers around the way."""
        across, up = (stop.lng - self.shop.lng) * 72, (stop.lat - self.shop.lat) * 111
        far = (across**2 + up**2) ** 0.5 * 1.15
        return next((reach for reach in (0.5, 1.0, 2.0, 5.0, 10.0, 25.0) if far <= reach), 50.0)


class ShopSlotsView(ShopFormPage):
    """When the shop brings things, and when one may fetch them."""

    template_name = "storefront/workshop/slots.html"
    form_class = PatternForm
    done = "The slots of the next weeks are open."

    def get_form_kwargs(self) -> dict[str, Any]:
        """Read fees in the shop's currency."""
        return super().get_form_kwargs() | {"currency": self.shop.currency}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Show the week, and how full the next slots are."""
        slots: list[Any] = list(selectors.slots_of_shop(shop_id=self.shop.pk, actor_id=self.owner_id)[:14])
        for slot in slots:
            slot.words, slot.how = span(slot, self.shop), _who(slot)
        patterns: list[Any] = list(keeping.slot_patterns_of(shop_id=self.shop.pk, actor_id=self.owner_id))
        for pattern in patterns:
            pattern.how = _who(pattern)
        week = [(name, [one for one in patterns if one.weekday == day]) for day, name in enumerate(WEEKDAYS)]
        return super().get_context_data(slots=slots, week=week if patterns else [], **kwargs)

    @transaction.atomic
    def run(self, form: Any) -> Any:
        """Open it on each of the days, or on none."""
        values = dict(form.cleaned_data)
        fee, weekdays = values.pop("fee"), values.pop("weekdays")
        values["fee_minor"] = to_minor(fee) if isinstance(fee, Money) else 0
        for weekday in weekdays:
            services.add_slot_pattern(shop_id=self.shop.pk, actor_id=self.owner_id, weekday=weekday, **values)

    def where_to(self, result: Any) -> str:
        """Stay."""
        return reverse("storefront:shop-slots", args=[self.shop.pk])


class RemovePatternView(InShopDoingPage):
    """No more of these slots."""

    done = "No more of these are opened. What is booked stays."

    def act(self, **kwargs: Any) -> None:
        """Remove it."""
        services.remove_slot_pattern(pattern_id=kwargs["pattern_id"], actor_id=self.owner_id)

    def back(self, **kwargs: Any) -> str:
        """Return to the slots."""
        return reverse("storefront:shop-slots", args=[kwargs["shop_id"]])


class ShopAlertsView(ShopPage):
    """What runs out, and what has."""

    template_name = "storefront/workshop/alerts.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Gather them: the open ones all, of the others the last."""
        alerts = selectors.alerts_of_shops(actor_id=self.owner_id, shop_id=self.shop.pk)
        return super().get_context_data(
            opened=list(alerts.filter(resolved_at=None)[:50]),
            resolved=list(alerts.exclude(resolved_at=None)[:10]),
            **kwargs,
        )


class ShopFiguresView(ShopPage):
    """What was sold, of what, to whom, and how it goes."""

    template_name = "storefront/workshop/figures.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Draw the figures of the chosen days."""
        days = self.request.GET.get("days", "")
        days = days if days in PERIODS else "180"
        figures = self._figures(int(days))
        money = {month.month: from_minor(month.revenue_minor, figures.currency) for month in figures.months}
        chart = bar_chart(
            [
                Counted(
                    f"{month.month:%b %Y}",
                    month.revenue_minor // 100 or 0,
                    month.revenue_minor // 100 or 0,
                    f"{month.month:%B %Y}: {plain_money(money[month.month])}, {month.units} pieces",
                )
                for month in figures.months
            ]
        )
        by_category: dict[str, int] = {}
        for one in figures.categories:
            by_category[one.name] = by_category.get(one.name, 0) + one.revenue_minor
        states = [(OrderState(state).label, count) for state, count in figures.orders_by_state.items() if count]
        return super().get_context_data(
            figures=figures,
            chart=chart,
            months=[(month, money[month.month]) for month in figures.months],
            categories=_ranked(list(by_category.items()), figures.currency),
            products=_ranked([(row.name, row.revenue_minor) for row in figures.top_products], figures.currency),
            states=[(label, count, 100 * count / max(n for _label, n in states)) for label, count in states],
            periods=[(value, label, value == days) for value, label in PERIODS.items()],
            days=days,
            **kwargs,
        )

    def _figures(self, days: int) -> Any:
        end = timezone.now().astimezone(ZoneInfo(self.shop.time_zone)).date()
        start = end - dt.timedelta(days=days - 1)
        return selectors.dashboard(shop_id=self.shop.pk, actor_id=self.owner_id, start=start, end=end)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Show them, or give them as a file."""
        listing = request.GET.get("csv", "")
        if listing not in ("months", "categories", "products"):
            return super().get(request, *args, **kwargs)
        days = request.GET.get("days", "")
        lines = selectors.dashboard_as_csv(
            self._figures(int(days) if days in PERIODS else 180),
            listing=listing,  # type: ignore[arg-type]  # one of the three
        )
        headers = {"Content-Disposition": f'attachment; filename="{listing}.csv"'}
        return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)


def _ranked(rows: list[tuple[str, int]], currency: str) -> list[tuple[str, Money, float]]:
    """Return what came in of each, the most first, in proportion to the first."""
    ordered = sorted(rows, key=lambda row: -row[1])
    most = max((minor for _name, minor in ordered), default=0) or 1
    return [(name, from_minor(minor, currency), 100 * minor / most) for name, minor in ordered]


class ChangeShopView(ShopFormPage):
    """The shop itself: its words, its place, and whether it is open."""

    template_name = "storefront/workshop/shop.html"
    form_class = ChangeShopForm
    done = "Changed."

    def get_initial(self) -> dict[str, Any]:
        """Show what is there."""
        same = ("name", "description", "address", "delivery_radius_km")
        return {name: getattr(self.shop, name) for name in same}

    def run(self, form: Any) -> Any:
        """Change it."""
        return services.change_shop(shop_id=self.shop.pk, actor_id=self.owner_id, **form.values)

    def where_to(self, result: Any) -> str:
        """Stay."""
        return reverse("storefront:shop-change", args=[self.shop.pk])


class ShopStateView(InShopDoingPage):
    """Publish, go on holiday, close."""

    VERBS: dict[str, tuple[Callable[..., Any], str]] = {
        "publish": (services.publish_shop, "Your shop is open."),
        "holiday": (services.go_on_holiday, "Have a good time. Customers see your shop, but cannot order."),
        "close": (services.close_shop, "Your shop is closed. What was ordered is still delivered."),
    }

    def act(self, **kwargs: Any) -> None:
        """Run the verb."""
        if kwargs["step"] not in self.VERBS:
            raise Http404
        verb, done = self.VERBS[kwargs["step"]]
        verb(shop_id=kwargs["shop_id"], actor_id=self.owner_id)
        messages.success(self.request, done)

    def back(self, **kwargs: Any) -> str:
        """Return to where the button was."""
        room = "shop-days-off" if self.request.POST.get("from") == "days-off" else "shop-change"
        return reverse(f"storefront:{room}", args=[kwargs["shop_id"]])

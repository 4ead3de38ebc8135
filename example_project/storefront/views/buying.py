"""From the basket to the door: basket, checkout, orders, and the way of a delivery."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from holdfast import errors
from holdfast.money import Money, from_minor
from holdfast_artisan_shop import selectors, services
from holdfast_artisan_shop.exceptions import DeliveryNotFound, OrderNotFound
from holdfast_artisan_shop.states import DeliveryState, OrderState
from holdfast_wallet import selectors as wallet
from holdfast_wallet.exceptions import AccountNotFound
from storefront.forms.market import CheckoutForm, QuantityForm, SlotForm, how, span
from storefront.pages import FormPage, OpenPage, Page, leaf
from storefront.places import HOME
from storefront.templatetags.storefront import refusal_words

PAGE_ORDERS = 20
# The way of an order that comes well, to show how far it is; one that is fetched is never on its way.
WAY = (OrderState.PAID, OrderState.PROCESSING, OrderState.READY, OrderState.OUT_FOR_DELIVERY, OrderState.COMPLETED)
BEFORE_WORK = (OrderState.PENDING, OrderState.PAID)


@dataclass
class Group:
    """What a basket has of one shop."""

    shop: Any
    lines: list[Any] = field(default_factory=list)

    @property
    def lead_days(self) -> int:
        """How long making takes."""
        return max(int(line.variant.product.lead_days) for line in self.lines)

    @property
    def total(self) -> Money:
        """What its lines cost now."""
        return from_minor(sum(line.total_minor for line in self.lines), self.shop.currency)


@dataclass
class Basket:
    """A basket as it stands now: prices of now, and what has changed since something was put there."""

    groups: list[Group]
    changed: bool
    missing: bool

    @property
    def totals(self) -> list[Money]:
        """What it comes to, in each currency."""
        sums: dict[str, Money] = {}
        for group in self.groups:
            currency = group.shop.currency
            sums[currency] = sums.get(currency, Money(0, currency)) + group.total
        return list(sums.values())


def basket_now(customer_id: int) -> Basket:
    """Return a customer's basket."""
    lines: list[Any] = list(selectors.basket_of(customer_id=customer_id))  # each with what the page shows of it
    products = selectors.as_offers(selectors.shown_products())
    offers: dict[Any, Any] = products.in_bulk([line.variant.product_id for line in lines])
    groups: dict[Any, Group] = {}
    for line in lines:
        offer = offers.get(line.variant.product_id)
        line.product = offer or line.variant.product
        line.gone = offer is None or not line.variant.active
        now_minor = line.unit_minor if offer is None or line.gone else offer.price_now_minor + line.variant.extra_minor
        line.changed, line.now_minor = now_minor != line.unit_minor, now_minor
        line.total_minor = now_minor * line.quantity
        line.short = not line.gone and not line.product.made_to_order and line.variant.stock.on_hand < line.quantity
        groups.setdefault(line.variant.shop_id, Group(line.variant.product.shop)).lines.append(line)
    return Basket(
        list(groups.values()),
        changed=any(line.changed for line in lines),
        missing=any(line.gone or line.short for line in lines),
    )


def spendable(customer_id: int, currency: str) -> Money | None:
    """Return what a customer can spend in a currency; ``None`` where he has no account."""
    try:
        return wallet.default_account(owner_id=customer_id, currency=currency).available
    except AccountNotFound:
        return None


class BasketView(Page):
    """What I have put aside, shop by shop."""

    template_name = "storefront/market/basket.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Show it at today's prices."""
        return super().get_context_data(basket=basket_now(self.owner_id), **kwargs)


class DoingPage(Page):
    """A button: it runs a verb and leads back."""

    http_method_names = ["post"]
    done = ""

    def post(self, request: HttpRequest, *_args: Any, **kwargs: Any) -> HttpResponseBase:
        """Run the verb, or say why not."""
        try:
            self.act(**kwargs)
        except errors.NotFound:
            raise
        except errors.Refusal as refusal:
            messages.error(request, refusal_words(refusal))
            return HttpResponseRedirect(self.back(**kwargs))
        if self.done:
            messages.success(request, self.done)
        return HttpResponseRedirect(self.where_to(**kwargs))

    def act(self, **kwargs: Any) -> None:
        """Run the verb."""
        raise TypeError("Each button has a verb of its own.")

    def back(self, **_kwargs: Any) -> str:
        """Return where the person came from."""
        return reverse("storefront:basket")

    def where_to(self, **kwargs: Any) -> str:
        """Return where the person goes."""
        return self.back(**kwargs)


class BasketLineView(DoingPage):
    """Another number of something, or none of it."""

    def act(self, **kwargs: Any) -> None:
        """Set it, or take it out."""
        form = QuantityForm(self.request.POST)
        if not form.is_valid():
            messages.error(self.request, "Say how many it shall be.")
            return
        mine = {"customer_id": self.owner_id, "variant_id": kwargs["variant_id"]}
        quantity = 0 if "remove" in self.request.POST else form.cleaned_data["quantity"]
        if quantity:
            services.set_basket_quantity(**mine, quantity=quantity)
        else:
            services.remove_from_basket(**mine)


class AcceptPricesView(DoingPage):
    """Agree to today's prices."""

    done = "The basket has today's prices."

    def act(self, **_kwargs: Any) -> None:
        """Agree."""
        services.accept_prices(customer_id=self.owner_id)


class BeginCheckoutView(DoingPage):
    """Begin the checkout: what is in the basket is held for a while."""

    def act(self, **_kwargs: Any) -> None:
        """Hold it."""
        services.hold_basket(customer_id=self.owner_id)

    def where_to(self, **_kwargs: Any) -> str:
        """Go on."""
        return reverse("storefront:checkout")


@dataclass
class Quote:
    """What a checkout comes to now, or why it cannot be said; ``funds`` is what the wallet has for each total."""

    orders: list[Any]
    totals: list[Money]
    refusal: errors.Refusal | None = None
    funds: list[tuple[Money, Money | None]] = field(default_factory=list)

    @property
    def short(self) -> list[tuple[Money, Money | None]]:
        """What is missing in each currency in which the wallet has too little, and what it has."""
        return [(total - (has or total * 0), has) for total, has in self.funds if has is None or has < total]


def quote_now(customer_id: int, form: CheckoutForm, goods: list[Money]) -> Quote:
    """Return what the choices of a form come to; where that cannot be said, what the goods do."""
    valid = not form.is_bound or form.is_valid()
    try:
        drafts = services.quote_checkout(customer_id=customer_id, choices=form.priced()) if valid else []
        quote = Quote(drafts, _totals(drafts) or goods)
    except errors.Refusal as refusal:
        quote = Quote([], goods, refusal)
    for draft in quote.orders:
        draft.order.slot_words = f"{how(draft.slot.kind)}, {span(draft.slot, draft.order.shop)}" if draft.slot else ""
    quote.funds = [(total, spendable(customer_id, str(total.currency))) for total in quote.totals]
    return quote


def _totals(drafts: list[Any]) -> list[Money]:
    sums: dict[str, Money] = {}
    for draft in drafts:
        currency = draft.order.currency
        sums[currency] = sums.get(currency, Money(0, currency)) + draft.order.total
    return list(sums.values())


class CheckoutView(FormPage):
    """When, where to, what it comes to, and pay.

    Its form has two buttons: one orders, the other only says what the choices come to. A script presses that one by
    itself whenever something else is chosen, and takes the sum alone.
    """

    template_name = "storefront/market/checkout.html"
    form_class = CheckoutForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Lead back who has nothing in his basket."""
        if request.user.is_authenticated:
            self.basket = basket_now(request.user.pk)
            if request.method == "GET" and not self.basket.groups:
                return HttpResponseRedirect(reverse("storefront:basket"))
        return super().dispatch(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        """Ask for each shop."""
        return super().get_form_kwargs() | {"groups": self.basket.groups}

    def get_initial(self) -> dict[str, Any]:
        """Remember where the customer had something brought to."""
        initial = super().get_initial() | {"place": HOME.slug}
        orders = selectors.orders_of_customer(customer_id=self.owner_id)
        before = orders.exclude(delivery__address="").filter(delivery__isnull=False).first()
        return initial | ({"address": before.delivery.address} if before else {})

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Order, or only say what it comes to."""
        if "quote" not in request.POST:
            return super().post(request, *args, **kwargs)
        form = self.get_form()
        if "X-Part" in request.headers:
            quote = quote_now(self.owner_id, form, self.basket.totals)
            return render(request, "storefront/market/sum.html", {"quote": quote, "form": form})
        return self.render_to_response(self.get_context_data(form=form), status=200 if form.is_valid() else 422)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Say what it comes to, and whether the wallet has it."""
        context = super().get_context_data(basket=self.basket, **kwargs)
        return context | {"quote": quote_now(self.owner_id, context["form"], self.basket.totals)}

    def run(self, form: Any) -> Any:
        """Order, then pay each order; what cannot be paid now waits for its payment on its own page."""
        key = str(form.cleaned_data["key"])
        purchase = services.checkout(customer_id=self.owner_id, choices=form.choices(), key=key)
        try:
            services.pay_purchase(purchase_id=purchase.pk, customer_id=self.owner_id)
        except errors.Refusal as refusal:
            messages.error(self.request, _why_unpaid(refusal))
        else:
            messages.success(self.request, "Thank you! The money is set aside, and paid when you have your goods.")
        return purchase

    def where_to(self, result: Any) -> str:
        """Show the order, or all orders where there are several."""
        orders = list(result.orders.all())
        if len(orders) == 1:
            return reverse("storefront:order", args=[orders[0].pk])
        return reverse("storefront:orders")


def _why_unpaid(refusal: errors.Refusal) -> str:
    reason = refusal.context.get("reason") or refusal_words(refusal)
    return f"{reason} Your order is kept for half an hour: top up, then pay it here."


class OrdersView(Page):
    """My orders, the newest first."""

    template_name = "storefront/market/orders.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Gather one page."""
        found = selectors.orders_of_customer(customer_id=self.owner_id)
        page = leaf(self.request, found, ordering=("-id",), size=PAGE_ORDERS)
        return super().get_context_data(page=page, **kwargs)


@dataclass(frozen=True)
class Moment:
    """One line of a timeline."""

    at: Any
    words: str
    note: str = ""


DELIVERY_WORDS = {
    DeliveryState.SCHEDULED: "A slot is booked",
    DeliveryState.OUT_FOR_DELIVERY: "It has left the workshop",
    DeliveryState.DELIVERED: "Handed over",
    DeliveryState.FAILED: "Nobody was there",
    DeliveryState.CANCELLED: "Called off",
}


def timeline(order: Any, events: Any) -> list[Moment]:
    """Return what has happened, the newest first."""
    found = [Moment(order.placed_at, "Ordered")]
    if order.paid_at:
        found.append(Moment(order.paid_at, "The money is set aside"))
    if order.ready_at:
        found.append(Moment(order.ready_at, "Ready at the workshop"))
    if order.cancelled_at:
        found.append(Moment(order.cancelled_at, "Cancelled", order.cancel_reason))
    found += [
        Moment(event.at, DELIVERY_WORDS[DeliveryState(event.state)], event.note.capitalize())
        for event in events
        if event.state != DeliveryState.CANCELLED
    ]
    if order.completed_at and not any(event.state == DeliveryState.DELIVERED for event in events):
        found.append(Moment(order.completed_at, "Handed over"))
    return sorted(found, key=lambda moment: moment.at, reverse=True)


def tracked(order: Any, delivery: Any) -> dict[str, Any]:
    """Return how far an order has come, for the page and for the signed link."""
    fetched = delivery is None or delivery.kind == "pickup"
    way = [state for state in WAY if not (fetched and state == OrderState.OUT_FOR_DELIVERY)]
    reached = way.index(order.state) if order.state in way else -1
    events = list(delivery.events.all()) if delivery else []
    return {
        "delivery": delivery,
        "slot_words": span(delivery.slot, order.shop) if delivery else "",
        "how_words": how(delivery.kind) if delivery else "",
        "way": [(state, index <= reached) for index, state in enumerate(way)] if reached >= 0 else [],
        "timeline": timeline(order, events),
        "under_way": order.state not in (OrderState.COMPLETED, OrderState.CANCELLED, OrderState.REFUNDED),
    }


def delivery_of(order_id: Any) -> Any:
    """Return the delivery of an order with its timeline, if it has one."""
    try:
        return selectors.tracking(order_id=order_id)
    except DeliveryNotFound:
        return None


class OrderView(Page):
    """One of my orders: how far it is, what it was, and what can be done."""

    template_name = "storefront/market/order.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Show it to who has placed it; the workshop has a page of its own."""
        order = selectors.get_order(order_id=kwargs["order_id"], user_id=self.owner_id)
        if order.customer_id != self.owner_id:
            raise OrderNotFound(order_id=str(order.pk))
        delivery = delivery_of(order.pk)
        payment = next(iter(order.payments.all()), None)
        may_spend = spendable(self.owner_id, order.currency) if order.state == OrderState.PENDING else None
        return super().get_context_data(
            order=order,
            payment=payment,
            may_spend=may_spend,
            lacks=order.state == OrderState.PENDING and (may_spend is None or may_spend < order.total),
            may_cancel=order.state in BEFORE_WORK,
            may_reschedule=delivery is not None
            and delivery.state in (DeliveryState.SCHEDULED, DeliveryState.FAILED)
            and order.state not in (OrderState.COMPLETED, OrderState.CANCELLED, OrderState.REFUNDED),
            token=services.tracking_token(order_id=order.pk),
            said=self._said(order) if order.state == OrderState.COMPLETED else [],
            **tracked(order, delivery),
            **kwargs,
        )

    def _said(self, order: Any) -> list[tuple[Any, Any]]:
        """Return the order's products, each once, with what the customer has said of it."""
        lines = {line.product_id: line for line in order.lines.all()}
        mine = selectors.reviews_by(customer_id=self.owner_id, product_ids=lines)
        said = {review.product_id: review for review in mine}
        return [(line, said.get(key)) for key, line in lines.items()]


class OrderLifeView(OrderView):
    """The part of the page that moves, for a page that is open."""

    template_name = "storefront/market/life.html"


class PayView(DoingPage):
    """Pay an order that waits for it."""

    done = "The money is set aside, and paid when you have your goods."

    def act(self, **kwargs: Any) -> None:
        """Set it aside."""
        services.pay_order(order_id=kwargs["order_id"], customer_id=self.owner_id)

    def back(self, **kwargs: Any) -> str:
        """Return to the order."""
        return reverse("storefront:order", args=[kwargs["order_id"]])


class CancelView(PayView):
    """Cancel an order, as long as nobody works on it."""

    done = "The order is cancelled. What was set aside is yours again."

    def act(self, **kwargs: Any) -> None:
        """Cancel it."""
        reason = self.request.POST.get("reason", "")[:500]
        services.cancel_order(order_id=kwargs["order_id"], customer_id=self.owner_id, reason=reason)


class RescheduleView(FormPage):
    """Another slot."""

    template_name = "storefront/market/reschedule.html"
    form_class = SlotForm
    done = "The workshop knows."

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Find the order first: its shop has the slots."""
        if request.user.is_authenticated:
            try:
                self.order = selectors.get_order(order_id=kwargs["order_id"], user_id=request.user.pk)
                self.delivery = selectors.tracking(order_id=self.order.pk)
            except errors.NotFound as refusal:
                raise Http404(refusal.message) from refusal
        return super().dispatch(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        """Offer the slots of the same kind."""
        return super().get_form_kwargs() | {"order": self.order, "kind": self.delivery.kind}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Say of what, and when it is now."""
        slot_words = span(self.delivery.slot, self.order.shop)
        return super().get_context_data(order=self.order, delivery=self.delivery, slot_words=slot_words, **kwargs)

    def run(self, form: Any) -> Any:
        """Book it."""
        slot_id = UUID(form.cleaned_data["slot"])
        return services.reschedule_delivery(order_id=self.order.pk, slot_id=slot_id, customer_id=self.owner_id)

    def where_to(self, result: Any) -> str:
        """Show the order."""
        return reverse("storefront:order", args=[self.order.pk])


class TrackView(OpenPage):
    """The way of an order for who has the signed link; no login, no prices, no name."""

    template_name = "storefront/market/track.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Show how far it is."""
        order_id = services.read_tracking_token(token=kwargs["token"])
        delivery = selectors.tracking(order_id=order_id)
        return super().get_context_data(
            order=delivery.order, now=timezone.now(), **tracked(delivery.order, delivery), **kwargs
        )

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        """Keep the link out of other people's logs."""
        response = super().render_to_response(context, **kwargs)
        response["Referrer-Policy"] = "no-referrer"
        return response


class TrackLifeView(TrackView):
    """The part of the page that moves."""

    template_name = "storefront/market/way.html"

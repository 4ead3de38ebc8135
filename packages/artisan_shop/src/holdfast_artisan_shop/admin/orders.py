"""Orders and their money."""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django_fsm import can_proceed

from holdfast.money import from_minor
from holdfast.windows import Panel, ReasonForm, Step, SureForm, WindowAdmin, link_to
from holdfast_artisan_shop import services
from holdfast_artisan_shop.admin.delivery import timeline
from holdfast_artisan_shop.models import Delivery, Order, Payment, Product
from holdfast_artisan_shop.models.payments import INTENTS

PERMISSION = "holdfast_artisan_shop.change_order"


def login_of(user_field: str, login: str) -> Q:
    """Return which rows are of the user with a login."""
    return Q(**{f"{user_field}__{get_user_model().USERNAME_FIELD}": login})


def _in_the_shops_name(verb: Callable[..., Order], done: str) -> Callable[[Order, dict[str, Any]], str]:
    def run(order: Order, values: dict[str, Any]) -> str:
        verb(order_id=order.pk, actor_id=order.shop.owner_id, **values)
        return done

    return run


def _step(name: str, label: str, question: str, *, allowed: str, verb: Callable[..., Order], done: str) -> Step:
    return Step(
        name=name,
        label=label,
        question=question,
        permission=PERMISSION,
        form=ReasonForm if allowed == "cancel" else SureForm,
        run=_in_the_shops_name(verb, done),
        offered=lambda order: can_proceed(getattr(order, allowed)),
    )


START = _step(
    "start",
    _("Start"),
    _("The artisan begins to make or to pack it."),
    allowed="start",
    verb=services.start_order,
    done="The order is being prepared.",
)
FINISH = _step(
    "finish",
    _("Ready"),
    _("It can be fetched or sent."),
    allowed="finish",
    verb=services.finish_order,
    done="The order is ready.",
)
COMPLETE = _step(
    "complete",
    _("Complete"),
    _("The customer has it: its pieces leave the shelf, and the money is taken."),
    allowed="complete",
    verb=services.complete_order,
    done="The order is completed.",
)
DECLINE = _step(
    "decline",
    _("Decline"),
    _("Nothing comes of it: its pieces, its slot and its money come back."),
    allowed="cancel",
    verb=services.decline_order,
    done="The order is cancelled.",
)
REFUND = _step(
    "refund",
    _("Refund"),
    _("The customer gets his money back. The goods stay where they are."),
    allowed="refund",
    verb=services.refund_order,
    done="The order is refunded.",
)


@admin.register(Order)
class OrderAdmin(WindowAdmin):
    """What was bought of whom, and how far it has come."""

    steps: ClassVar = (START, FINISH, COMPLETE, DECLINE, REFUND)
    list_display = ("reference", "shop", "customer", "state", "shown_total", "placed_at")
    list_filter = ("state", "currency", "placed_at")
    list_select_related = ("shop", "customer")
    search_help_text = "An id of an order, a purchase or a shop, or a customer's login."
    fields: ClassVar = (
        ("reference", "state", "shop", "customer"),
        ("shown_subtotal", "shown_delivery", "shown_discount", "shown_total", "shown_fee"),
        ("placed_at", "paid_at", "ready_at", "completed_at", "cancelled_at"),
        ("note", "cancel_reason", "lead_days"),
        ("id", "purchase"),
    )
    readonly_fields = ("reference", "shown_subtotal", "shown_delivery", "shown_discount", "shown_total", "shown_fee")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        """Bring the shop along."""
        queryset: QuerySet[Order] = super().get_queryset(request)
        return queryset.select_related("shop", "customer")

    def matching_id(self, wanted: UUID) -> Q:
        """Find an order, and those of a purchase or a shop."""
        return Q(pk=wanted) | Q(purchase=wanted) | Q(shop=wanted)

    def matching_login(self, login: str) -> Q:
        """Find a customer's orders."""
        return login_of("customer", login)

    def panels(self, request: HttpRequest, obj: Order) -> Iterable[Panel]:
        """Show what was bought, what was paid, and the way it takes."""
        lines = [
            (
                link_to(Product, line.product_id, line.name),
                line.sku or "-",
                line.quantity,
                from_minor(line.unit_minor, obj.currency),
                from_minor(line.total_minor, obj.currency),
            )
            for line in obj.lines.all()
        ]
        yield Panel(_("Lines"), (_("Product"), _("SKU"), _("Pieces"), _("Each"), _("Total")), lines)
        paid = [(link_to(Payment, one.pk), one.amount, one.state, one.reason or "-") for one in obj.payments.all()]
        yield Panel(_("Payments"), (_("Payment"), _("Amount"), _("State"), _("Why")), paid)
        delivery = Delivery.objects.filter(order=obj).first()
        if delivery is not None:
            yield timeline(delivery)

    @admin.display(description="goods")
    def shown_subtotal(self, order: Order) -> str:
        """Return what the lines come to."""
        return str(from_minor(order.subtotal_minor, order.currency))

    @admin.display(description="delivery")
    def shown_delivery(self, order: Order) -> str:
        """Return what bringing it costs."""
        return str(from_minor(order.delivery_minor, order.currency))

    @admin.display(description="discount")
    def shown_discount(self, order: Order) -> str:
        """Return what a coupon took off."""
        return str(from_minor(order.discount_minor, order.currency))

    @admin.display(description="total", ordering="total_minor")
    def shown_total(self, order: Order) -> str:
        """Return what the customer pays."""
        return str(order.total)

    @admin.display(description="fee")
    def shown_fee(self, order: Order) -> str:
        """Return what the platform keeps."""
        return str(order.fee)


def _ask_again(payment: Payment, _values: dict[str, Any]) -> str:
    return f"The payment is {services.settle_payment(payment_id=payment.pk).get_state_display().lower()}."


ASK_AGAIN = Step(
    name="ask-again",
    label=_("Ask again"),
    question=_("The gateway is asked again for what it has not answered; it never does it twice."),
    permission="holdfast_artisan_shop.change_payment",
    form=SureForm,
    run=_ask_again,
    offered=lambda payment: payment.state in INTENTS,
)


def _retry(payment: Payment, _values: dict[str, Any]) -> str:
    services.retry_payment(order_id=payment.order_id, actor_id=payment.order.shop.owner_id)
    return "The gateway is asked once more."


RETRY = Step(
    name="retry",
    label=_("Try again"),
    question=_("The gateway has refused what it had promised. Talk to it first; then it is asked once more."),
    permission="holdfast_artisan_shop.change_payment",
    form=SureForm,
    run=_retry,
    offered=lambda payment: can_proceed(payment.retry),
)


@admin.register(Payment)
class PaymentAdmin(WindowAdmin):
    """What the gateway was asked for, and what waits for its answer."""

    steps: ClassVar = (ASK_AGAIN, RETRY)
    list_display = ("id", "its_order", "amount", "fee", "state", "reason", "asked_at")
    list_filter = ("state", "currency")
    list_select_related = ("order",)
    search_help_text = "An id of a payment or an order."
    fields: ClassVar = (
        ("id", "its_order"),
        ("state", "amount", "fee"),
        ("reference", "reason"),
        ("created_at", "asked_at"),
    )
    readonly_fields = ("its_order", "amount", "fee")

    def matching_id(self, wanted: UUID) -> Q:
        """Find a payment, and those of an order."""
        return Q(pk=wanted) | Q(order=wanted)

    @admin.display(description="order")
    def its_order(self, payment: Payment) -> SafeString | str:
        """Return what it pays."""
        return link_to(Order, payment.order_id, payment.order.reference)

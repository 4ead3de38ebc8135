"""The way of orders to their customers: slots, and who gets what, when and where."""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django_fsm import can_proceed

from holdfast.money import from_minor
from holdfast.windows import LookAdmin, Panel, ReasonForm, Step, SureForm, WindowAdmin, link_to
from holdfast_artisan_shop import services
from holdfast_artisan_shop.models import Delivery, Order, Slot
from holdfast_artisan_shop.states import DeliveryState, OrderState


def _of_delivery(verb: Callable[..., Delivery], done: str) -> Callable[[Delivery, dict[str, Any]], str]:
    def run(delivery: Delivery, values: dict[str, Any]) -> str:
        note = {"note": values["reason"]} if "reason" in values else {}
        verb(order_id=delivery.order_id, actor_id=delivery.order.shop.owner_id, **note)
        return done

    return run


SEND = Step(
    name="send",
    label=_("Send"),
    question=_("It leaves the workshop."),
    permission="holdfast_artisan_shop.change_delivery",
    form=SureForm,
    run=_of_delivery(services.send_delivery, "It is on its way."),
    offered=lambda delivery: can_proceed(delivery.send) and delivery.order.state == OrderState.READY,
)
DELIVER = Step(
    name="deliver",
    label=_("Delivered"),
    question=_("The customer has it: the order is completed."),
    permission="holdfast_artisan_shop.change_delivery",
    form=SureForm,
    run=_of_delivery(services.deliver, "It is delivered."),
    offered=lambda delivery: (
        can_proceed(delivery.deliver) and delivery.order.state in (OrderState.READY, OrderState.OUT_FOR_DELIVERY)
    ),
)
FAIL = Step(
    name="fail",
    label=_("Nobody there"),
    question=_("It comes back to the workshop, and waits for another slot."),
    permission="holdfast_artisan_shop.change_delivery",
    form=ReasonForm,
    run=_of_delivery(services.fail_delivery, "It is back in the workshop."),
    offered=lambda delivery: (
        can_proceed(delivery.fail) and delivery.order.state in (OrderState.READY, OrderState.OUT_FOR_DELIVERY)
    ),
)


def timeline(delivery: Delivery) -> Panel:
    """Return what the customer sees of a delivery."""
    rows = [(one.at, DeliveryState(one.state).label, one.note or "-") for one in delivery.events.all()]
    return Panel(_("Delivery"), (_("When"), _("What"), _("Note")), rows)


@admin.register(Delivery)
class DeliveryAdmin(WindowAdmin):
    """The day's plan of all shops: who gets what, when and where."""

    steps: ClassVar = (SEND, DELIVER, FAIL)
    list_display = ("slot_starts", "its_order", "shop", "kind", "state", "address")
    list_filter = ("state", "kind", ("slot__starts_at", admin.DateFieldListFilter))
    list_select_related = ("slot", "order__shop")
    ordering = ("slot__starts_at", "id")
    search_help_text = "An id of a delivery, an order or a shop."
    fields: ClassVar = (
        ("its_order", "shop", "state"),
        ("kind", "slot_starts", "address"),
        ("delivered_at", "reminded_at"),
        "id",
    )
    readonly_fields = ("its_order", "shop", "slot_starts")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        """Bring the order and its shop along."""
        queryset: QuerySet[Delivery] = super().get_queryset(request)
        return queryset.select_related("slot", "order__shop")

    def matching_id(self, wanted: UUID) -> Q:
        """Find a delivery, that of an order, and those of a shop."""
        return Q(pk=wanted) | Q(order=wanted) | Q(order__shop=wanted)

    def panels(self, request: HttpRequest, obj: Delivery) -> Iterable[Panel]:
        """Show its timeline."""
        yield timeline(obj)

    @admin.display(description="slot", ordering="slot__starts_at")
    def slot_starts(self, delivery: Delivery) -> Any:
        """Return when it is expected."""
        return delivery.slot.starts_at

    @admin.display(description="order")
    def its_order(self, delivery: Delivery) -> SafeString | str:
        """Return what is delivered."""
        return link_to(Order, delivery.order_id, delivery.order.reference)

    @admin.display(description="shop")
    def shop(self, delivery: Delivery) -> str:
        """Return whose workshop it leaves."""
        return str(delivery.order.shop)


@admin.register(Slot)
class SlotAdmin(LookAdmin):
    """When customers can be served, and how much room is left."""

    list_display = ("starts_at", "ends_at", "shop", "kind", "booked", "capacity", "shown_fee", "closes_at")
    list_filter = ("kind", ("starts_at", admin.DateFieldListFilter))
    list_select_related = ("shop",)
    ordering = ("-starts_at", "id")
    fields: ClassVar = (
        ("shop", "kind"),
        ("starts_at", "ends_at", "closes_at"),
        ("booked", "capacity", "shown_fee"),
        "id",
    )
    readonly_fields = ("shown_fee",)

    @admin.display(description="fee")
    def shown_fee(self, slot: Slot) -> str:
        """Return what it costs."""
        return str(from_minor(slot.fee_minor, slot.shop.currency))

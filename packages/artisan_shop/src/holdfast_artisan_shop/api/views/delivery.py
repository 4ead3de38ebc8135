"""Delivery: slots to choose from, what artisans bring and hand over, and where an order is."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from holdfast.api.schema import document
from holdfast.api.views import DomainAPIView
from holdfast.idempotency import IdempotencyMixin
from holdfast.money import InvalidAmount, to_minor
from holdfast_artisan_shop import exceptions as no
from holdfast_artisan_shop import selectors, services
from holdfast_artisan_shop.api.paging import page
from holdfast_artisan_shop.api.serializers import delivery as shapes
from holdfast_artisan_shop.api.serializers.orders import OrderOutput
from holdfast_artisan_shop.api.views.base import MarketView, UserView, created, no_content
from holdfast_artisan_shop.api.views.orders import MOVING, OrderDoor
from holdfast_artisan_shop.selectors import keeping
from holdfast_artisan_shop.services.rows import using

BRINGING = (*MOVING, no.DeliveryNotFound, no.DeliveryStepNotAllowed)


class SlotsView(MarketView):
    """When goods can be brought or fetched."""

    @document(
        summary="List the slots of a shop",
        query=shapes.SlotFilter,
        response=shapes.SlotOutput,
        page=True,
        refusals=[no.ShopNotFound],
    )
    def get(self, request: Request, shop_id: UUID) -> Response:
        """Return a page of the slots that can be booked, or of all slots of a shop of mine, the earliest first."""
        wanted = self.parse(shapes.SlotFilter, request.query_params)
        if wanted.pop("mine"):
            slots = selectors.slots_of_shop(shop_id=shop_id, actor_id=self.user_id)
        else:
            shop = selectors.get_shop(shop_id=shop_id, actor_id=self.visitor_id)
            slots = selectors.free_slots(shop_id=shop.pk, **wanted)
        return page(request, slots.select_related("shop"), shapes.SlotOutput, ordering=("starts_at", "id"))


class PatternsView(IdempotencyMixin, UserView):
    """The slots of every week."""

    @document(
        summary="List the slot patterns of a shop", response=shapes.PatternOutput, page=True, refusals=[no.ShopNotFound]
    )
    def get(self, request: Request, shop_id: UUID) -> Response:
        """Return a page of the patterns of a shop of mine, in the order of the week."""
        patterns = keeping.slot_patterns_of(shop_id=shop_id, actor_id=self.user_id).select_related("shop")
        return page(request, patterns, shapes.PatternOutput, ordering=("weekday", "starts", "id"))

    @document(
        summary="Add a slot pattern",
        request=shapes.PatternInput,
        response=shapes.PatternOutput,
        status=201,
        refusals=[no.ShopNotFound, no.CapacityInvalid, no.PeriodInvalid, no.PriceInvalid, InvalidAmount],
    )
    def post(self, request: Request, shop_id: UUID) -> Response:
        """Open a slot of every week, and those of the next weeks at once."""
        values = self.parse(shapes.PatternInput)
        if (fee := values.pop("fee", None)) is not None:
            currency = selectors.managed_shop(shop_id=shop_id, actor_id=self.user_id, using=using()).currency
            if str(fee.currency) != currency:
                raise no.PriceInvalid(currency=currency, given=str(fee.currency))
            values["fee_minor"] = to_minor(fee)
        pattern = services.add_slot_pattern(shop_id=shop_id, actor_id=self.user_id, **values)
        return created(shapes.PatternOutput(pattern).data)


class PatternView(UserView):
    """One slot of every week."""

    @document(summary="Remove a slot pattern", status=204, refusals=[no.SlotPatternNotFound])
    def delete(self, request: Request, pattern_id: UUID) -> Response:
        """Open no more such slots; those that somebody has booked stay."""
        services.remove_slot_pattern(pattern_id=pattern_id, actor_id=self.user_id)
        return no_content()


class ClosuresView(IdempotencyMixin, UserView):
    """Days off."""

    @document(
        summary="List the closures of a shop", response=shapes.ClosureOutput, page=True, refusals=[no.ShopNotFound]
    )
    def get(self, request: Request, shop_id: UUID) -> Response:
        """Return a page of the days on which a shop of mine has no slots, the latest first."""
        closures = keeping.closures_of(shop_id=shop_id, actor_id=self.user_id)
        return page(request, closures, shapes.ClosureOutput, ordering=("-first_day", "-id"))

    @document(
        summary="Close a shop for days",
        request=shapes.ClosureInput,
        response=shapes.ClosureOutput,
        status=201,
        refusals=[no.ShopNotFound, no.PeriodInvalid],
    )
    def post(self, request: Request, shop_id: UUID) -> Response:
        """Have no slots on these days; those that somebody has booked stay, to be talked over."""
        closure = services.close_days(shop_id=shop_id, actor_id=self.user_id, **self.parse(shapes.ClosureInput))
        return created(shapes.ClosureOutput(closure).data)


class DayPlanView(UserView):
    """A day's way."""

    @document(
        summary="Read the plan of a day",
        query=shapes.DayFilter,
        response=shapes.StopOutput(many=True),
        refusals=[no.ShopNotFound],
    )
    def get(self, request: Request, shop_id: UUID) -> Response:
        """Return what a shop of mine brings and hands over on a day: by slot, and in a slot along a short way."""
        day = self.parse(shapes.DayFilter, request.query_params).get("day")
        if day is None:
            shop = selectors.managed_shop(shop_id=shop_id, actor_id=self.user_id)
            day = selectors.day_of(timezone.now(), shop.time_zone)
        stops = selectors.day_plan(shop_id=shop_id, actor_id=self.user_id, day=day)
        return Response(shapes.StopOutput(stops, many=True).data)


class SendView(OrderDoor):
    """An order leaves the workshop."""

    @document(summary="Send an order", response=OrderOutput, refusals=BRINGING)
    def post(self, request: Request, order_id: UUID) -> Response:
        """Leave with a finished order of a shop of mine."""
        self.parse_nothing()
        services.send_delivery(order_id=order_id, actor_id=self.user_id)
        return self.shown(order_id)


class DeliverView(OrderDoor):
    """An order arrives."""

    @document(
        summary="Deliver an order",
        request=shapes.NoteInput,
        response=OrderOutput,
        refusals=[*BRINGING, no.PaymentStepNotAllowed, no.TextInvalid],
    )
    def post(self, request: Request, order_id: UUID) -> Response:
        """Hand over what was brought or fetched; the order is completed, and its money is taken."""
        services.deliver(order_id=order_id, actor_id=self.user_id, **self.parse(shapes.NoteInput))
        return self.shown(order_id)


class FailDeliveryView(OrderDoor):
    """Nobody was there."""

    @document(
        summary="Report a failed delivery",
        request=shapes.NoteInput,
        response=OrderOutput,
        refusals=[*BRINGING, no.TextInvalid],
    )
    def post(self, request: Request, order_id: UUID) -> Response:
        """Take an order of a shop of mine back to the workshop, where it waits for another slot."""
        services.fail_delivery(order_id=order_id, actor_id=self.user_id, **self.parse(shapes.NoteInput))
        return self.shown(order_id)


class RescheduleView(OrderDoor):
    """Another slot."""

    @document(
        summary="Reschedule a delivery",
        request=shapes.RescheduleInput,
        response=OrderOutput,
        refusals=[*BRINGING, no.SlotNotFound, no.SlotFull, no.SlotClosed, no.SlotTooSoon],
    )
    def post(self, request: Request, order_id: UUID) -> Response:
        """Take another slot for an order of mine, or of a shop of mine."""
        values = self.parse(shapes.RescheduleInput)
        order = selectors.get_order(order_id=order_id, user_id=self.user_id, using=using())
        scope = "customer_id" if order.customer_id == self.user_id else "actor_id"
        services.reschedule_delivery(order_id=order_id, **{scope: self.user_id}, **values)
        return self.shown(order_id)


class TrackingView(UserView):
    """Where an order is, for who has placed it and who makes it."""

    @document(
        summary="Track an order", response=shapes.MyTrackingOutput, refusals=[no.OrderNotFound, no.DeliveryNotFound]
    )
    def get(self, request: Request, order_id: UUID) -> Response:
        """Return the timeline of an order, and a link that shows it without a login."""
        selectors.get_order(order_id=order_id, user_id=self.user_id)
        delivery: Any = selectors.tracking(order_id=order_id)
        token = services.tracking_token(order_id=order_id)
        delivery.link = reverse("holdfast_artisan_shop:tracking-link", kwargs={"token": token}, request=request)
        return Response(shapes.MyTrackingOutput(delivery).data)


class TrackingLinkView(DomainAPIView):
    """Where an order is, for whoever has the link."""

    permission_classes = [AllowAny]

    @document(
        summary="Track an order by its link",
        response=shapes.TrackingOutput,
        refusals=[no.TrackingLinkInvalid, no.DeliveryNotFound],
    )
    def get(self, request: Request, token: str) -> Response:
        """Return the timeline of the order that the link was made for; without its address and its goods."""
        order_id = services.read_tracking_token(token=token)
        return Response(shapes.TrackingOutput(selectors.tracking(order_id=order_id)).data)

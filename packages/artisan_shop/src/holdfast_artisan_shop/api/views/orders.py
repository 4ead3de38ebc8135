"""Orders: placed by customers, made by artisans; each sees his own."""

from uuid import UUID

from django.http.response import HttpResponseBase
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from holdfast.api.schema import document
from holdfast_artisan_shop import exceptions as no
from holdfast_artisan_shop import selectors, services
from holdfast_artisan_shop.api.paging import page
from holdfast_artisan_shop.api.serializers import orders as shapes
from holdfast_artisan_shop.api.views.base import OnceMixin, UserView, conditional
from holdfast_artisan_shop.services.rows import using

CHOOSING = (
    no.SlotNotFound,
    no.SlotFull,
    no.SlotClosed,
    no.SlotTooSoon,
    no.AddressRequired,
    no.OutOfRange,
    no.LocationInvalid,
    no.CouponInvalid,
    no.CouponUsed,
    no.CouponExhausted,
    no.TextInvalid,
)
PRICING = (no.ShopNotOpen, no.NotOnSale, no.FlashSaleSoldOut, no.OrderTooLarge, *CHOOSING)
BUYING = (*PRICING, no.SoldOut, no.KeyReused)
MOVING = (no.OrderNotFound, no.OrderStepNotAllowed)
PAYING = (*MOVING, no.PaymentDeclined, no.PaymentUnavailable)


class OrderDoor(OnceMixin, UserView):
    """A door to one order, which is shown as it is after the step; under a key each step is taken once."""

    def shown(self, order_id: UUID, code: int = status.HTTP_200_OK) -> Response:
        """Return an order of mine, or of a shop of mine."""
        order = selectors.get_order(order_id=order_id, user_id=self.user_id, using=using())
        headers = {}
        if code == status.HTTP_201_CREATED:
            where = reverse("holdfast_artisan_shop:order", kwargs={"order_id": order_id}, request=self.request)
            headers["Location"] = where
        return Response(shapes.OrderOutput(order).data, status=code, headers=headers)


class OrdersView(OrderDoor):
    """Orders, and a new one."""

    @document(
        summary="List orders",
        query=shapes.OrderFilter,
        response=shapes.OrderOutput,
        page=True,
        refusals=[no.ShopNotFound],
    )
    def get(self, request: Request) -> Response:
        """Return a page of the orders that I have placed, or of a shop of mine, the newest first."""
        wanted = self.parse(shapes.OrderFilter, request.query_params)
        if "shop_id" in wanted:
            orders = selectors.orders_of_shops(actor_id=self.user_id, **wanted)
        else:
            orders = selectors.orders_of_customer(customer_id=self.user_id, **wanted)
        return page(request, orders, shapes.OrderOutput)

    @document(
        summary="Place an order",
        request=shapes.PlaceOrderInput,
        response=shapes.OrderOutput,
        status=201,
        refusals=[
            no.OrderEmpty,
            no.TooManyLines,
            no.QuantityInvalid,
            no.ProductNotFound,
            no.VariantNotFound,
            no.VariantRequired,
            no.ProductOfAnotherShop,
            *BUYING,
        ],
    )
    def post(self, request: Request) -> Response:
        """Order items of one shop; their pieces are reserved until the order is paid, or too old."""
        values = self.parse(shapes.PlaceOrderInput)
        order = services.place_order(
            customer_id=self.user_id,
            shop_id=values["shop_id"],
            items=shapes.items_of(values["items"]),
            choice=shapes.choice_of(values),
            key=self.idempotency_key,
        )
        return self.shown(order.pk, status.HTTP_201_CREATED)


class OrderView(OrderDoor):
    """One order."""

    @document(summary="Read an order", response=shapes.OrderOutput, refusals=[no.OrderNotFound])
    def get(self, request: Request, order_id: UUID) -> HttpResponseBase:
        """Return an order of mine, or of a shop of mine; 304 if it is still what the ``ETag`` sent along was of."""
        order = selectors.get_order(order_id=order_id, user_id=self.user_id)
        return conditional(request, shapes.OrderOutput(order).data)


class PayOrderView(OrderDoor):
    """Its money is set aside."""

    @document(summary="Pay an order", response=shapes.OrderOutput, refusals=PAYING)
    def post(self, request: Request, order_id: UUID) -> Response:
        """Set the money of an order of mine aside; after a decline it may be tried again."""
        self.parse_nothing()
        services.pay_order(order_id=order_id, customer_id=self.user_id)
        return self.shown(order_id)


class RetryPaymentView(OrderDoor):
    """Its money is asked for once more."""

    @document(
        summary="Retry the payment of an order",
        response=shapes.OrderOutput,
        refusals=[no.OrderNotFound, no.PaymentStepNotAllowed],
    )
    def post(self, request: Request, order_id: UUID) -> Response:
        """Ask the gateway once more for what it has refused to take or to give back of an order of a shop of mine."""
        self.parse_nothing()
        services.retry_payment(order_id=order_id, actor_id=self.user_id)
        return self.shown(order_id)


class CancelOrderView(OrderDoor):
    """The customer does not want it any more."""

    @document(
        summary="Cancel an order",
        request=shapes.ReasonInput,
        response=shapes.OrderOutput,
        refusals=[*MOVING, no.TextInvalid],
    )
    def post(self, request: Request, order_id: UUID) -> Response:
        """Cancel an order of mine, as long as nobody works on it."""
        services.cancel_order(order_id=order_id, customer_id=self.user_id, **self.parse(shapes.ReasonInput))
        return self.shown(order_id)


class StartOrderView(OrderDoor):
    """Work begins."""

    @document(summary="Start an order", response=shapes.OrderOutput, refusals=MOVING)
    def post(self, request: Request, order_id: UUID) -> Response:
        """Begin to make a paid order of a shop of mine."""
        self.parse_nothing()
        services.start_order(order_id=order_id, actor_id=self.user_id)
        return self.shown(order_id)


class FinishOrderView(OrderDoor):
    """Work ends."""

    @document(summary="Finish an order", response=shapes.OrderOutput, refusals=MOVING)
    def post(self, request: Request, order_id: UUID) -> Response:
        """Say that an order of a shop of mine can be fetched or sent."""
        self.parse_nothing()
        services.finish_order(order_id=order_id, actor_id=self.user_id)
        return self.shown(order_id)


class CompleteOrderView(OrderDoor):
    """The customer has his goods."""

    @document(summary="Complete an order", response=shapes.OrderOutput, refusals=[*MOVING, no.PaymentStepNotAllowed])
    def post(self, request: Request, order_id: UUID) -> Response:
        """Hand an order of a shop of mine over; its money is taken."""
        self.parse_nothing()
        services.complete_order(order_id=order_id, actor_id=self.user_id)
        return self.shown(order_id)


class DeclineOrderView(OrderDoor):
    """The shop cannot make it."""

    @document(
        summary="Decline an order",
        request=shapes.ReasonInput,
        response=shapes.OrderOutput,
        refusals=[*MOVING, no.TextInvalid],
    )
    def post(self, request: Request, order_id: UUID) -> Response:
        """Cancel an order of a shop of mine, until it is on its way."""
        services.decline_order(order_id=order_id, actor_id=self.user_id, **self.parse(shapes.ReasonInput))
        return self.shown(order_id)


class RefundOrderView(OrderDoor):
    """The money goes back."""

    @document(
        summary="Refund an order",
        request=shapes.RefundOrderInput,
        response=shapes.OrderOutput,
        refusals=[*MOVING, no.PaymentStepNotAllowed],
    )
    def post(self, request: Request, order_id: UUID) -> Response:
        """Give back the money of a completed order of a shop of mine."""
        services.refund_order(order_id=order_id, actor_id=self.user_id, **self.parse(shapes.RefundOrderInput))
        return self.shown(order_id)

"""The basket, and its checkout over several shops."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from holdfast.api.schema import document
from holdfast.idempotency import IdempotencyMixin
from holdfast.money import Money, from_minor
from holdfast_artisan_shop import exceptions as no
from holdfast_artisan_shop import selectors, services
from holdfast_artisan_shop.api.serializers import orders as shapes
from holdfast_artisan_shop.api.views.base import OnceMixin, UserView, no_content
from holdfast_artisan_shop.api.views.orders import BUYING, PAYING, PRICING
from holdfast_artisan_shop.services.quotes import quote_variants
from holdfast_artisan_shop.services.rows import using


class BasketDoor(UserView):
    """A door to the basket of who asks, which is shown as it is afterwards."""

    def shown(self) -> Response:
        """Return my basket."""
        lines = list(selectors.basket_of(customer_id=self.user_id, using=using()))
        quotes = quote_variants(line.variant_id for line in lines)
        rows: list[dict[str, Any]] = []
        for line in lines:
            quoted = quotes[line.variant_id]
            rows.append({"line": line, "quoted": quoted, "total_minor": quoted.unit_minor * line.quantity})
        totals = totals_of((row["quoted"].currency, row["total_minor"]) for row in rows if row["quoted"].on_sale)
        return Response(shapes.BasketOutput({"lines": rows, "totals": totals}).data)


class BasketView(IdempotencyMixin, BasketDoor):
    """My basket."""

    @document(summary="Read my basket", response=shapes.BasketOutput, operation_id="basket_retrieve")
    def get(self, request: Request) -> Response:
        """Return what I have put aside, at the prices of now."""
        return self.shown()

    @document(
        summary="Add to my basket",
        operation_id="basket_add",
        request=shapes.AddInput,
        response=shapes.BasketOutput,
        refusals=[
            no.QuantityInvalid,
            no.TooManyLines,
            no.VariantNotFound,
            no.VariantRequired,
            no.ProductNotFound,
            no.NotOnSale,
            no.ShopNotOpen,
        ],
    )
    def post(self, request: Request) -> Response:
        """Put pieces into my basket, at the price of this moment; what is there already becomes more."""
        services.add_to_basket(customer_id=self.user_id, **self.parse(shapes.AddInput))
        return self.shown()

    @document(summary="Empty my basket", status=204, operation_id="basket_empty")
    def delete(self, request: Request) -> Response:
        """Take everything out, and give up what was held for me."""
        services.empty_basket(customer_id=self.user_id)
        return no_content()


class BasketLineView(BasketDoor):
    """One line of my basket."""

    @document(
        summary="Set a quantity in my basket",
        request=shapes.QuantityInput,
        response=shapes.BasketOutput,
        refusals=[no.QuantityInvalid, no.VariantNotFound],
    )
    def put(self, request: Request, variant_id: UUID) -> Response:
        """Say how many pieces it shall be."""
        quantity = self.parse(shapes.QuantityInput)["quantity"]
        services.set_basket_quantity(customer_id=self.user_id, variant_id=variant_id, quantity=quantity)
        return self.shown()

    @document(
        summary="Remove from my basket",
        response=shapes.BasketOutput,
        refusals=[no.VariantNotFound],
        operation_id="basket_remove",
    )
    def delete(self, request: Request, variant_id: UUID) -> Response:
        """Take something out."""
        services.remove_from_basket(customer_id=self.user_id, variant_id=variant_id)
        return self.shown()


class AcceptPricesView(BasketDoor):
    """Prices have changed meanwhile."""

    @document(summary="Accept the prices of now", response=shapes.BasketOutput)
    def post(self, request: Request) -> Response:
        """Agree to today's prices, and drop what is not on sale any more."""
        self.parse_nothing()
        services.accept_prices(customer_id=self.user_id)
        return self.shown()


class QuoteView(UserView):
    """What my basket would cost."""

    @document(
        summary="Quote a checkout",
        request=shapes.CheckoutInput,
        response=shapes.CheckoutQuoteOutput,
        refusals=[no.BasketEmpty, no.PriceChanged, no.ShopNotInBasket, *PRICING],
    )
    def post(self, request: Request) -> Response:
        """Say what a checkout with these choices would charge now, by shop and in all; nothing is ordered or held."""
        choices = shapes.choices_of(self.parse(shapes.CheckoutInput))
        drafts = services.quote_checkout(customer_id=self.user_id, choices=choices)
        totals = totals_of((draft.order.currency, draft.order.total_minor) for draft in drafts)
        return Response(shapes.CheckoutQuoteOutput({"orders": drafts, "totals": totals}).data)


class HoldView(UserView):
    """The pieces of my basket, while I check out."""

    @document(summary="Read until when pieces are held for me", response=shapes.BasketHoldOutput)
    def get(self, request: Request) -> Response:
        """Return until when the pieces of my basket are nobody else's; null if none are held."""
        return Response(shapes.BasketHoldOutput({"held_until": selectors.held_until(customer_id=self.user_id)}).data)

    @document(
        summary="Hold the pieces of my basket",
        response=shapes.BasketHoldOutput,
        refusals=[no.BasketEmpty, no.NotOnSale, no.ShopNotOpen, no.PriceChanged, no.SoldOut, no.HoldLimitReached],
    )
    def post(self, request: Request) -> Response:
        """Begin the checkout: nobody else gets the pieces of my basket for a while; again, it begins anew."""
        self.parse_nothing()
        until = services.hold_basket(customer_id=self.user_id)
        return Response(shapes.BasketHoldOutput({"held_until": until}).data)

    @document(summary="Let go of the pieces of my basket", status=204)
    def delete(self, request: Request) -> Response:
        """Give up the checkout: what was held for me is everybody's again."""
        services.release_holds(customer_id=self.user_id)
        return no_content()


class PurchaseDoor(OnceMixin, UserView):
    """A door to one purchase, which is shown as it is afterwards; under a key it is made, and paid, once."""

    def shown(self, purchase_id: UUID, code: int = status.HTTP_200_OK) -> Response:
        """Return a purchase of mine."""
        purchase = selectors.get_purchase(purchase_id=purchase_id, customer_id=self.user_id, using=using())
        return Response(shapes.PurchaseOutput(purchase).data, status=code)


class CheckoutView(PurchaseDoor):
    """My basket becomes orders."""

    @document(
        summary="Check out",
        request=shapes.CheckoutInput,
        response=shapes.PurchaseOutput,
        status=201,
        refusals=[no.BasketEmpty, no.PriceChanged, no.ShopNotInBasket, *BUYING],
    )
    def post(self, request: Request) -> Response:
        """Order everything in my basket: one purchase, with an order for each shop; the basket is empty then."""
        choices = shapes.choices_of(self.parse(shapes.CheckoutInput))
        purchase = services.checkout(customer_id=self.user_id, choices=choices, key=self.idempotency_key)
        return self.shown(purchase.pk, status.HTTP_201_CREATED)


class PurchaseView(PurchaseDoor):
    """One purchase."""

    @document(summary="Read a purchase", response=shapes.PurchaseOutput, refusals=[no.OrderNotFound])
    def get(self, request: Request, purchase_id: UUID) -> Response:
        """Return a purchase of mine with its orders."""
        return self.shown(purchase_id)


class PayPurchaseView(PurchaseDoor):
    """The money of all its orders is set aside."""

    @document(summary="Pay a purchase", response=shapes.PurchaseOutput, refusals=PAYING)
    def post(self, request: Request, purchase_id: UUID) -> Response:
        """Pay each order of a purchase of mine that is not paid yet."""
        self.parse_nothing()
        services.pay_purchase(purchase_id=purchase_id, customer_id=self.user_id)
        return self.shown(purchase_id)


def totals_of(amounts: Iterable[tuple[str, int]]) -> list[Money]:
    """Return the sum of minor units for each currency."""
    totals: dict[str, int] = {}
    for currency, minor in amounts:
        totals[currency] = totals.get(currency, 0) + minor
    return [from_minor(minor, currency) for currency, minor in sorted(totals.items())]

"""Stock: kept by artisans; customers may ask to be told when something is back."""

from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from holdfast.api.schema import document
from holdfast.idempotency import IdempotencyMixin
from holdfast_artisan_shop import exceptions as no
from holdfast_artisan_shop import selectors, services
from holdfast_artisan_shop.api.paging import page
from holdfast_artisan_shop.api.serializers import stock as shapes
from holdfast_artisan_shop.api.views.base import UserView, no_content
from holdfast_artisan_shop.selectors import keeping
from holdfast_artisan_shop.services.rows import using


class AlertsView(UserView):
    """What is running out."""

    @document(
        summary="List inventory alerts",
        query=shapes.AlertFilter,
        response=shapes.AlertOutput,
        page=True,
        refusals=[no.ShopNotFound],
    )
    def get(self, request: Request) -> Response:
        """Return a page of the alerts of my shops, the newest first; of one shop with ``?shop=``."""
        wanted = self.parse(shapes.AlertFilter, request.query_params)
        alerts = selectors.alerts_of_shops(actor_id=self.user_id, **wanted)  # refused here, before any is remembered

        def make() -> dict[str, Any]:
            return dict(page(request, alerts, shapes.AlertOutput).data)

        shop_id = wanted.get("shop_id")
        about = request.build_absolute_uri()
        return Response(make() if shop_id is None else selectors.remembered(make, about=about, shop_id=shop_id))


class ShopStockView(UserView):
    """The stock of a shop."""

    @document(summary="List the stock of a shop", response=shapes.StockOutput, page=True, refusals=[no.ShopNotFound])
    def get(self, request: Request, shop_id: UUID) -> Response:
        """Return a page of the stock of a shop of mine, one row for each variant."""
        rows = keeping.stock_of_shop(shop_id=shop_id, actor_id=self.user_id)
        return page(request, rows, shapes.StockOutput, ordering=("variant",))


class FiguresView(UserView):
    """A door to the stock of one variant."""

    def shown(self, variant_id: UUID) -> dict[str, Any]:
        """Return the figures as they are now."""
        stock = keeping.get_stock(variant_id=variant_id, actor_id=self.user_id, using=using())
        shown: dict[str, Any] = shapes.StockOutput(stock).data
        return shown


class StockView(FiguresView):
    """The stock of one variant."""

    @document(summary="Read the stock of a variant", response=shapes.StockOutput, refusals=[no.VariantNotFound])
    def get(self, request: Request, variant_id: UUID) -> Response:
        """Return the figures of a variant of mine."""
        return Response(self.shown(variant_id))

    @document(
        summary="Set the threshold of a variant",
        request=shapes.ThresholdInput,
        response=shapes.StockOutput,
        refusals=[no.VariantNotFound, no.ThresholdInvalid],
    )
    def patch(self, request: Request, variant_id: UUID) -> Response:
        """Say at how many pieces an alert opens; it does so, or is resolved, at once where that is so now."""
        services.set_threshold(variant_id=variant_id, actor_id=self.user_id, **self.parse(shapes.ThresholdInput))
        return Response(self.shown(variant_id))


class ReceiveView(IdempotencyMixin, FiguresView):
    """Pieces that came in."""

    @document(
        summary="Receive stock",
        request=shapes.ReceiveInput,
        response=shapes.StockOutput,
        refusals=[no.VariantNotFound, no.QuantityInvalid],
    )
    def post(self, request: Request, variant_id: UUID) -> Response:
        """Add pieces that were made or bought."""
        services.receive_stock(variant_id=variant_id, actor_id=self.user_id, **self.parse(shapes.ReceiveInput))
        return Response(self.shown(variant_id))


class CorrectView(IdempotencyMixin, FiguresView):
    """Pieces that were counted anew."""

    @document(
        summary="Correct stock",
        request=shapes.CorrectInput,
        response=shapes.StockOutput,
        refusals=[no.VariantNotFound, no.CorrectionInvalid, no.StockInUse],
    )
    def post(self, request: Request, variant_id: UUID) -> Response:
        """Put a figure right: some pieces are broken, or were found."""
        services.correct_stock(variant_id=variant_id, actor_id=self.user_id, **self.parse(shapes.CorrectInput))
        return Response(self.shown(variant_id))


class MovesView(UserView):
    """Why the figures are what they are."""

    @document(summary="List the moves of a stock", response=shapes.MoveOutput, page=True, refusals=[no.VariantNotFound])
    def get(self, request: Request, variant_id: UUID) -> Response:
        """Return a page of every change of a stock of mine, the newest first; their sums are its figures."""
        return page(request, keeping.moves_of(variant_id=variant_id, actor_id=self.user_id), shapes.MoveOutput)


class BackInStockView(UserView):
    """A customer waits for something."""

    @document(summary="Ask to be told when a variant is back", status=204, refusals=[no.VariantNotFound])
    def post(self, request: Request, variant_id: UUID) -> Response:
        """Remember that I want to be told when a variant can be bought again; asking twice is asking once."""
        self.parse_nothing()
        services.request_back_in_stock(variant_id=variant_id, customer_id=self.user_id)
        return no_content()

    @document(summary="Wait for a variant no more", status=204, refusals=[no.BackInStockRequestNotFound])
    def delete(self, request: Request, variant_id: UUID) -> Response:
        """Forget that I want to be told."""
        services.withdraw_back_in_stock(variant_id=variant_id, customer_id=self.user_id)
        return no_content()


class BackInStockRequestsView(UserView):
    """All that a customer waits for."""

    @document(summary="List what I wait for", response=shapes.BackInStockOutput, page=True)
    def get(self, request: Request) -> Response:
        """Return a page of what I want to be told of when it can be bought again, the latest request first."""
        requests = selectors.back_in_stock_requests_of(customer_id=self.user_id)
        return page(request, requests, shapes.BackInStockOutput)

"""The figures of a shop, as JSON and as CSV."""

from typing import Any, Literal, cast
from uuid import UUID

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from holdfast.api.schema import document
from holdfast.api.views import DomainAPIView
from holdfast_artisan_shop import exceptions as no
from holdfast_artisan_shop import selectors
from holdfast_artisan_shop.api.serializers import dashboard as shapes
from holdfast_artisan_shop.api.views.base import CSVRenderer, UserView


class DashboardView(UserView):
    """What a shop sold."""

    @document(
        summary="Read the dashboard of a shop",
        query=shapes.PeriodFilter,
        response=shapes.DashboardOutput,
        refusals=[no.ShopNotFound, no.PeriodInvalid],
    )
    def get(self, request: Request, shop_id: UUID) -> Response:
        """Return the figures of a shop of mine, over any days."""
        wanted = self.parse(shapes.PeriodFilter, request.query_params)
        figures = selectors.dashboard(shop_id=shop_id, actor_id=self.user_id, **wanted)
        return Response(shapes.DashboardOutput(figures, context={"currency": figures.currency}).data)


class DashboardFileView(UserView):
    """One of the lists of a dashboard, as a file."""

    renderer_classes = [CSVRenderer, *DomainAPIView.renderer_classes]

    @document(
        summary="Download a list of the dashboard as CSV",
        query=shapes.DashboardFileFilter,
        response={"type": "string"},
        status=(200, "text/csv"),
        operation_id="shops_dashboard_download",
        refusals=[no.ShopNotFound, no.PeriodInvalid],
    )
    def get(self, request: Request, shop_id: UUID) -> HttpResponse:
        """Send one of the lists of a shop of mine: its months, its categories or its best products."""
        wanted: dict[str, Any] = self.parse(shapes.DashboardFileFilter, request.query_params)
        listing = cast("Literal['months', 'categories', 'products']", wanted.pop("listing"))
        figures = selectors.dashboard(shop_id=shop_id, actor_id=self.user_id, **wanted)
        name = f"{listing}-{figures.start:%Y%m%d}-{figures.end:%Y%m%d}.csv"
        return HttpResponse(
            "".join(selectors.dashboard_as_csv(figures, listing=listing)),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"},
        )

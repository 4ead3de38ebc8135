"""Exchange: money of one currency into another, at the house's rate."""

from holdfast.api.schema import document
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from holdfast_wallet import services
from holdfast_wallet.api import serializers as shapes
from holdfast_wallet.api.views.base import PostingView


class ExchangesView(PostingView):
    """A new exchange."""

    @document(summary="Exchange money", request=shapes.ExchangeInput, response=shapes.ExchangeOutput, status=201)
    def post(self, request: Request) -> Response:  # noqa: ARG002 - the signature of a handler
        """Sell money of one of my accounts for money on another; the rate is the house's, never the client's."""
        order = self.parse(shapes.ExchangeInput)
        exchange = services.exchange(key=self.posting_key("exchange"), owner_id=self.owner_id, **order)
        return Response(shapes.ExchangeOutput(exchange).data, status=status.HTTP_201_CREATED)

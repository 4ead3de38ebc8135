"""Exchange: money of one currency into another, at the house's rate."""

from django.db import router, transaction
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from holdfast.api.schema import document
from holdfast.ids import uuid7
from holdfast_wallet import services
from holdfast_wallet.api import serializers as shapes
from holdfast_wallet.api.views.base import POSTING, PostingView, WalletView
from holdfast_wallet.exceptions import AmountTooSmall, RateUnavailable
from holdfast_wallet.models import Transfer


class ExchangesView(PostingView):
    """A new exchange."""

    @document(
        summary="Exchange money",
        request=shapes.ExchangeInput,
        response=shapes.ExchangeOutput,
        status=201,
        refusals=[RateUnavailable, AmountTooSmall, *POSTING],
    )
    def post(self, request: Request) -> Response:
        """Sell money of one of my accounts for money on another; the rate is the house's, never the client's."""
        order = self.parse(shapes.ExchangeInput)
        exchange = services.exchange(key=self.posting_key("exchange"), owner_id=self.owner_id, **order)
        return Response(shapes.ExchangeOutput(exchange).data, status=status.HTTP_201_CREATED)


class QuoteView(WalletView):
    """What an exchange would bring now."""

    @document(
        summary="Quote an exchange",
        request=shapes.ExchangeInput,
        response=shapes.QuoteOutput,
        refusals=[RateUnavailable, AmountTooSmall, *POSTING],
    )
    def post(self, request: Request) -> Response:
        """Try the exchange and take it back: what it says, or why it refuses, is what the exchange itself would now."""
        order = self.parse(shapes.ExchangeInput)
        with transaction.atomic(using=router.db_for_write(Transfer)):
            exchange = services.exchange(key=uuid7(), owner_id=self.owner_id, **order)
            transaction.set_rollback(True, using=router.db_for_write(Transfer))
        return Response(shapes.QuoteOutput(exchange).data)

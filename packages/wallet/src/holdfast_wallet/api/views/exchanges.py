"""Exchange: money of one currency into another, at the house's rate."""

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from holdfast.api.schema import document
from holdfast_wallet import services
from holdfast_wallet.api import serializers as shapes
from holdfast_wallet.api.views.base import POSTING, PostingView, WalletView
from holdfast_wallet.exceptions import (
    AccountNotFound,
    AmountNotPositive,
    AmountTooLarge,
    AmountTooSmall,
    CurrencyMismatch,
    RateUnavailable,
)


class ExchangesView(PostingView):
    """A new exchange."""

    # The rate source, which may be far away, is asked outside any transaction; a run that died may be taken over after
    # this time, and finds its own transfers by their key.
    idempotency_lease_seconds = 60

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
        refusals=[
            AccountNotFound,
            AmountNotPositive,
            AmountTooLarge,
            AmountTooSmall,
            CurrencyMismatch,
            RateUnavailable,
        ],
    )
    def post(self, request: Request) -> Response:
        """Say what the exchange would bring and cost at the rate of now, whether there is money for it or not."""
        order = self.parse(shapes.ExchangeInput)
        order.pop("metadata")
        return Response(shapes.QuoteOutput(services.quote(owner_id=self.owner_id, **order)).data)

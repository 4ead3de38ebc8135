"""Transfers: one, many at once, and back."""

from uuid import UUID

from django.db import router
from django.db.models import Q
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from holdfast.api.pagination import keyset_page
from holdfast.api.schema import document
from holdfast.errors import Refusal
from holdfast_wallet import selectors, services
from holdfast_wallet.api import serializers as shapes
from holdfast_wallet.api.views.base import POSTING, PostingView, WalletView
from holdfast_wallet.exceptions import BatchTooLarge, NotReversible, ReversalExceedsOriginal, TransferNotFound
from holdfast_wallet.models import Transfer


class TransfersView(PostingView):
    """The transfers that touch my accounts, and a new one."""

    @document(summary="List transfers", query=shapes.TransferFilter, response=shapes.TransferOutput, page=True)
    def get(self, request: Request) -> Response:
        """Return a page of transfers from and to my accounts, newest first."""
        wanted = self.parse(shapes.TransferFilter, request.query_params)
        owner = wanted.pop("owner", None)
        if self.reads_everybody(owner):
            transfers = Transfer.objects.all()
        else:
            transfers = selectors.transfers_of(owner_id=self.reader_id(owner))
        if account_id := wanted.pop("account", None):
            transfers = transfers.filter(Q(source_id=account_id) | Q(target_id=account_id))
        return keyset_page(request, transfers.filter(**wanted), ordering=("-number",), serializer=shapes.TransferOutput)

    @document(
        summary="Transfer money",
        request=shapes.TransferInput,
        response=shapes.TransferOutput,
        status=201,
        refusals=[*POSTING],
    )
    def post(self, request: Request) -> Response:
        """Move money from one of my accounts to any other account of the same currency."""
        order = self.parse(shapes.TransferInput)
        transfer = services.transfer(key=self.posting_key("transfer"), owner_id=self.owner_id, **order)
        return Response(shapes.TransferOutput(transfer).data, status=status.HTTP_201_CREATED)


class TransferBatchView(PostingView):
    """Several transfers in one request."""

    @document(
        summary="Post a batch of transfers",
        request=shapes.BatchInput,
        response=shapes.BatchOutput,
        refusals=[BatchTooLarge, *POSTING],
    )
    def post(self, request: Request) -> Response:
        """Post all or none of them (``atomic``), or each by itself with a result of its own; the order is kept.

        Each costs the fee that it would cost alone. All of it is one transaction, that of the idempotency key.
        """
        batch = self.parse(shapes.BatchInput)
        requests = [
            services.TransferRequest(key=self.posting_key("batch", place), owner_id=self.owner_id, **order)
            for place, order in enumerate(batch["transfers"])
        ]
        done = services.post_transfers(requests=requests, atomic=batch["atomic"], charge_fees=True)
        results = [
            {"transfer": None, "refusal": shapes.refusal(one)}
            if isinstance(one, Refusal)
            else {"transfer": one, "refusal": None}
            for one in done
        ]
        return Response(shapes.BatchOutput({"results": results}).data)


class TransferView(WalletView):
    """One transfer."""

    @document(
        summary="Read a transfer", query=shapes.ReadAs, response=shapes.TransferOutput, refusals=[TransferNotFound]
    )
    def get(self, request: Request, transfer_id: UUID) -> Response:
        """Return a transfer from or to one of my accounts."""
        wanted = self.parse(shapes.ReadAs, request.query_params)
        transfer = selectors.get_transfer(transfer_id=transfer_id, owner_id=self.reader_id(wanted.get("owner")))
        return Response(shapes.TransferOutput(transfer).data)


class RefundView(PostingView):
    """Money back to who sent it."""

    @document(
        summary="Refund a transfer",
        request=shapes.RefundInput,
        response=shapes.TransferOutput,
        status=201,
        refusals=[TransferNotFound, NotReversible, ReversalExceedsOriginal, *POSTING],
    )
    def post(self, request: Request, transfer_id: UUID) -> Response:
        """Give back all or a part of what I received, never more than it was.

        Only who received the money may do so, and only towards another owner: what came from the house (a deposit, an
        exchange) is the house's to reverse.
        """
        order = self.parse(shapes.RefundInput)
        # Where it was written: it may have come a moment ago.
        using = router.db_for_write(Transfer)
        original = selectors.get_transfer(transfer_id=transfer_id, owner_id=self.owner_id, using=using)
        if original.source.owner_id is None:
            raise NotReversible(
                "What came from the house is not refunded; ask for a reversal.", transfer_id=str(transfer_id)
            )
        key = self.posting_key("refund", transfer_id)
        transfer = services.reverse(key=key, transfer_id=transfer_id, owner_id=self.owner_id, **order)
        return Response(shapes.TransferOutput(transfer).data, status=status.HTTP_201_CREATED)

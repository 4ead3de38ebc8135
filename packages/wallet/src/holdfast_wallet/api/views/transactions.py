"""Transactions: the transfers of one business event, as legs that add up to zero."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from holdfast.api.pagination import keyset_page
from holdfast.api.schema import document
from holdfast_wallet import selectors
from holdfast_wallet.api import serializers as shapes
from holdfast_wallet.api.views.base import WalletView
from holdfast_wallet.exceptions import TransferNotFound
from holdfast_wallet.models import Transfer

# The condition of the index over journals: a transfer that is alone carries its own id, and is not in it.
NOT_ALONE = ~Q(journal_id=F("id"))


class TransactionsView(WalletView):
    """The transactions that touch my accounts."""

    @document(summary="List transactions", query=shapes.ReadAs, response=shapes.TransactionOutput, page=True)
    def get(self, request: Request) -> Response:
        """Return a page of transactions, newest first, each with those of its legs that touch my accounts."""
        owner = self.parse(shapes.ReadAs, request.query_params).get("owner")
        if self.reads_everybody(owner):
            seen = Transfer.objects.all()
        else:
            seen = selectors.transfers_of(owner_id=self.reader_id(owner))
        # A page of the first transfers that the reader sees of each journal, then the others of these in one query.
        earlier = seen.order_by().filter(number__lt=OuterRef("number"))
        # Two look-ups, each in an index of its own.
        alone = Exists(earlier.filter(id=OuterRef("journal_id")))
        among = Exists(earlier.filter(NOT_ALONE, journal_id=OuterRef("journal_id")))
        first = seen.exclude(alone | among)
        page = keyset_page(request, first, ordering=("-number",), serializer=shapes.TransactionHead)
        page.data["results"] = _with_legs(page.data["results"], seen)
        return page


class TransactionView(WalletView):
    """One transaction."""

    @document(
        summary="Read a transaction",
        query=shapes.ReadAs,
        response=shapes.TransactionOutput,
        refusals=[TransferNotFound],
    )
    def get(self, request: Request, journal_id: UUID) -> Response:
        """Return those of its legs that touch my accounts."""
        wanted = self.parse(shapes.ReadAs, request.query_params)
        seen = selectors.transfers_of(owner_id=self.reader_id(wanted.get("owner")))
        first = seen.filter(_in_journals([journal_id])).order_by("number").first()
        if first is None:
            raise TransferNotFound(journal_id=str(journal_id))
        (transaction,) = _with_legs([shapes.TransactionHead(first).data], seen)
        return Response(transaction)


def _with_legs(heads: Iterable[dict[str, Any]], seen: QuerySet[Transfer]) -> list[dict[str, Any]]:
    legs: dict[str, list[dict[str, object]]] = defaultdict(list)
    heads = list(heads)
    for transfer in seen.filter(_in_journals([head["id"] for head in heads])).order_by("number"):
        side = {"transfer": transfer.pk, "kind": transfer.kind}
        legs[str(transfer.journal_id)] += [
            {**side, "account": transfer.source_id, "amount": -transfer.amount},
            {**side, "account": transfer.target_id, "amount": transfer.amount},
        ]
    return [{**head, "legs": shapes.LegOutput(legs[head["id"]], many=True).data} for head in heads]


def _in_journals(ids: Sequence[UUID | str]) -> Q:
    return Q(id__in=ids, journal_id=F("id")) | NOT_ALONE & Q(journal_id__in=ids)

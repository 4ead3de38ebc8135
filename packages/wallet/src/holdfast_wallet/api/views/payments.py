"""Deposits and withdrawals: money from and to the outside, through the payment rail.

A POST orders a payment. The money is on the account, or gone from it, when the rail says so, and not before.
"""

from typing import ClassVar
from uuid import UUID

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from holdfast.api.pagination import keyset_page
from holdfast.api.schema import document
from holdfast_wallet import selectors, services
from holdfast_wallet.api import serializers as shapes
from holdfast_wallet.api.views.base import POSTING, PostingView, WalletView
from holdfast_wallet.exceptions import PaymentNotFound
from holdfast_wallet.models import Payment
from holdfast_wallet.states import PaymentDirection


class PaymentsView(PostingView):
    """The payments of one direction, and a new one."""

    # The rail is asked between two commits; a run that died may be taken over after this time.
    idempotency_lease_seconds = 60
    direction: ClassVar[PaymentDirection]

    def page(self, request: Request) -> Response:
        """Return a page of the payments, newest first."""
        wanted = self.parse(shapes.PaymentFilter, request.query_params)
        owner = wanted.pop("owner", None)
        if self.reads_everybody(owner):
            payments = Payment.objects.all()
        else:
            payments = selectors.payments_of(owner_id=self.reader_id(owner))
        return keyset_page(
            request, payments.filter(direction=self.direction, **wanted), serializer=shapes.PaymentOutput
        )

    def answer(self, payment: Payment, *, route: str) -> Response:
        """Render the order and say where it can be followed."""
        where = reverse(f"holdfast_wallet:{route}", kwargs={"payment_id": payment.pk}, request=self.request)
        data = shapes.PaymentOutput(payment).data
        return Response(data, status=status.HTTP_201_CREATED, headers={"Location": where})


class DepositsView(PaymentsView):
    """Money from the outside."""

    direction = PaymentDirection.DEPOSIT

    @document(summary="List my deposits", query=shapes.PaymentFilter, response=shapes.PaymentOutput, page=True)
    def get(self, request: Request) -> Response:
        """Return a page of deposits, newest first."""
        return self.page(request)

    @document(
        summary="Order a deposit",
        request=shapes.PaymentInput,
        response=shapes.PaymentOutput,
        status=201,
        refusals=[*POSTING],
    )
    def post(self, request: Request) -> Response:
        """Ask the payment rail to bring money in; it is posted when the rail says that it has come."""
        order = self.parse(shapes.PaymentInput)
        payment = services.request_deposit(key=self.posting_key("deposit"), owner_id=self.owner_id, **order)
        return self.answer(payment, route="deposit")


class WithdrawalsView(PaymentsView):
    """Money to the outside."""

    direction = PaymentDirection.WITHDRAWAL

    @document(summary="List my withdrawals", query=shapes.PaymentFilter, response=shapes.PaymentOutput, page=True)
    def get(self, request: Request) -> Response:
        """Return a page of withdrawals, newest first."""
        return self.page(request)

    @document(
        summary="Order a withdrawal",
        request=shapes.PaymentInput,
        response=shapes.PaymentOutput,
        status=201,
        refusals=[*POSTING],
    )
    def post(self, request: Request) -> Response:
        """Set the money aside and ask the payment rail to pay it out."""
        order = self.parse(shapes.PaymentInput)
        payment = services.request_withdrawal(key=self.posting_key("withdrawal"), owner_id=self.owner_id, **order)
        return self.answer(payment, route="withdrawal")


class PaymentView(WalletView):
    """One payment."""

    direction: ClassVar[PaymentDirection]

    def read(self, request: Request, payment_id: UUID) -> Response:
        """Return the payment, if it goes this way."""
        wanted = self.parse(shapes.ReadAs, request.query_params)
        payment = selectors.get_payment(payment_id=payment_id, owner_id=self.reader_id(wanted.get("owner")))
        if payment.direction != self.direction:
            raise PaymentNotFound(payment_id=str(payment_id))
        return Response(shapes.PaymentOutput(payment).data)


class DepositView(PaymentView):
    """One deposit."""

    direction = PaymentDirection.DEPOSIT

    @document(summary="Read a deposit", query=shapes.ReadAs, response=shapes.PaymentOutput, refusals=[PaymentNotFound])
    def get(self, request: Request, payment_id: UUID) -> Response:
        """Return how far the deposit has come."""
        return self.read(request, payment_id)


class WithdrawalView(PaymentView):
    """One withdrawal."""

    direction = PaymentDirection.WITHDRAWAL

    @document(
        summary="Read a withdrawal", query=shapes.ReadAs, response=shapes.PaymentOutput, refusals=[PaymentNotFound]
    )
    def get(self, request: Request, payment_id: UUID) -> Response:
        """Return how far the withdrawal has come."""
        return self.read(request, payment_id)

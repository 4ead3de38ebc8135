"""Accounts: open, look, name, choose, close; their balance and their lines."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from holdfast.api.pagination import keyset_page
from holdfast.api.schema import document
from holdfast.idempotency import IdempotencyMixin
from holdfast.money import UnknownCurrency
from holdfast_wallet import selectors, services
from holdfast_wallet.api import serializers as shapes
from holdfast_wallet.api.views.base import WalletView
from holdfast_wallet.exceptions import (
    AccountIsClosed,
    AccountIsFrozen,
    AccountIsSplit,
    AccountNotEmpty,
    AccountNotFound,
    PaymentsPending,
)
from holdfast_wallet.models import Account


class AccountsView(IdempotencyMixin, WalletView):
    """My accounts, and a new one."""

    @document(summary="List my accounts", query=shapes.AccountFilter, response=shapes.AccountOutput, page=True)
    def get(self, request: Request) -> Response:
        """Return a page of the accounts, oldest first."""
        wanted = self.parse(shapes.AccountFilter, request.query_params)
        owner = wanted.pop("owner", None)
        if self.reads_everybody(owner):
            accounts = Account.objects.filter(slot_of=None)
        else:
            accounts = selectors.accounts_of(owner_id=self.reader_id(owner))
        return keyset_page(request, accounts.filter(**wanted), ordering=("id",), serializer=shapes.AccountOutput)

    @document(
        summary="Open an account",
        request=shapes.OpenAccountInput,
        response=shapes.AccountOutput,
        status=201,
        refusals=[UnknownCurrency],
    )
    def post(self, request: Request) -> Response:
        """Open an account; the first of a currency becomes its default."""
        account = services.open_account(owner_id=self.owner_id, **self.parse(shapes.OpenAccountInput))
        return Response(shapes.AccountOutput(account).data, status=status.HTTP_201_CREATED)


class AccountView(WalletView):
    """One account."""

    @document(summary="Read an account", query=shapes.ReadAs, response=shapes.AccountOutput, refusals=[AccountNotFound])
    def get(self, request: Request, account_id: UUID) -> Response:
        """Return the account with its balances as they are now."""
        wanted = self.parse(shapes.ReadAs, request.query_params)
        account = selectors.get_account(account_id=account_id, owner_id=self.reader_id(wanted.get("owner")))
        return Response(shapes.AccountOutput(account).data)

    @document(
        summary="Rename an account",
        request=shapes.RenameAccountInput,
        response=shapes.AccountOutput,
        refusals=[AccountNotFound],
    )
    def patch(self, request: Request, account_id: UUID) -> Response:
        """Give one of my accounts another name."""
        values = self.parse(shapes.RenameAccountInput)
        account = services.rename_account(account_id=account_id, owner_id=self.owner_id, **values)
        return Response(shapes.AccountOutput(account).data)


class AccountActionView(IdempotencyMixin, WalletView):
    """A step in the life of one of my accounts, without a body."""

    def answer(self, account: Account) -> Response:
        """Render the account after the step."""
        return Response(shapes.AccountOutput(account).data)


class MakeDefaultView(AccountActionView):
    """The account that pays when none is named."""

    @document(
        summary="Make an account the default of its currency",
        response=shapes.AccountOutput,
        refusals=[AccountNotFound, AccountIsClosed],
    )
    def post(self, request: Request, account_id: UUID) -> Response:
        """Make it the default of its currency, in place of the former one."""
        self.parse(shapes.Nothing)
        return self.answer(services.make_default(account_id=account_id, owner_id=self.owner_id))


class CloseAccountView(AccountActionView):
    """The end of an account."""

    @document(
        summary="Close an account",
        response=shapes.AccountOutput,
        refusals=[AccountNotFound, AccountNotEmpty, PaymentsPending, AccountIsFrozen, AccountIsClosed],
    )
    def post(self, request: Request, account_id: UUID) -> Response:
        """Close it for good; only without money and without open holds."""
        self.parse(shapes.Nothing)
        return self.answer(services.close_account(account_id=account_id, owner_id=self.owner_id))


class BalanceView(WalletView):
    """The balance at a moment."""

    @document(
        summary="Read a balance as of a moment",
        query=shapes.AtInput,
        response=shapes.BalanceOutput,
        refusals=[AccountNotFound],
    )
    def get(self, request: Request, account_id: UUID) -> Response:
        """Return the balance as it was recorded at ``at``; as it counts by effective times with ``effective``."""
        wanted = self.parse(shapes.AtInput, request.query_params)
        at = wanted.get("at") or timezone.now()
        balance = selectors.balance_at(
            account_id=account_id,
            owner_id=self.reader_id(wanted.get("owner")),
            at=at,
            effective=wanted["effective"],
        )
        found: dict[str, Any] = {"account": account_id, "at": at, "balance": balance}
        return Response(shapes.BalanceOutput(found).data)


class EntriesView(WalletView):
    """The lines of an account."""

    @document(
        summary="List the entries of an account",
        query=shapes.ReadAs,
        response=shapes.EntryOutput,
        page=True,
        refusals=[AccountNotFound, AccountIsSplit],
    )
    def get(self, request: Request, account_id: UUID) -> Response:
        """Return a page of lines with the running balance, newest first."""
        wanted = self.parse(shapes.ReadAs, request.query_params)
        lines = selectors.entries(account_id=account_id, owner_id=self.reader_id(wanted.get("owner")))
        return keyset_page(request, lines, ordering=("-version",), serializer=shapes.EntryOutput)

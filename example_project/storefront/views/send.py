"""Sending money: say how much to whom, see it once more, confirm."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from holdfast.errors import Refusal
from holdfast.money import Money
from holdfast_wallet import services
from holdfast_wallet.exceptions import AccountIsFrozen, AmountNotPositive, InsufficientFunds, SameAccount
from holdfast_wallet.states import AccountState, TransferKind
from storefront.fees import fee_of
from storefront.forms.wallet import NotedMoneyForm
from storefront.pages import metadata
from storefront.recipients import Recipient, find_recipient
from storefront.templatetags.storefront import plain_money
from storefront.views.money import MoneyPage


def refuse_what_cannot_be(account: Any, recipient: Recipient, amount: Money) -> None:
    """Say before the question what the ledger would say after it; the ledger stays the judge.

    Raises ``SameAccount``, ``AmountNotPositive``, ``AccountIsFrozen``, ``InsufficientFunds``.
    """
    if recipient.account_id == account.id:
        raise SameAccount(account_id=str(account.id))
    if amount.amount <= 0:
        raise AmountNotPositive
    if account.state == AccountState.FROZEN:
        raise AccountIsFrozen(account_id=str(account.id))
    if account.available is not None and amount > account.available:
        raise InsufficientFunds(
            account_id=str(account.id), available=str(account.available.amount), currency=account.currency
        )


class SendView(MoneyPage):
    """The first step; nothing moves yet."""

    template_name = "storefront/wallet/send.html"
    form_class = NotedMoneyForm

    def get_initial(self) -> dict[str, Any]:
        """Take over the recipient that a link names."""
        return super().get_initial() | {"recipient": self.request.GET.get("to", "")}

    def form_valid(self, form: Any) -> HttpResponse:
        """Show what would happen."""
        values = form.cleaned_data
        try:
            recipient = find_recipient(values["recipient"], currency=values["account"].currency)
            refuse_what_cannot_be(values["account"], recipient, values["amount"])
        except Refusal as refusal:
            context = self.get_context_data(form=form, refusal=refusal)
            return self.render_to_response(context, status=refusal.status)
        fee = fee_of(TransferKind.TRANSFER, values["amount"])
        context = values | {"form": form, "recipient": recipient, "fee": fee}
        return render(self.request, "storefront/wallet/send_confirm.html", context)


class ConfirmSendView(SendView):
    """The second step: the same form once more, and now it counts."""

    def run(self, form: Any) -> Any:
        """Send the money."""
        values = form.cleaned_data
        recipient = find_recipient(values["recipient"], currency=values["account"].currency)
        transfer = services.transfer(
            key=values["key"],
            source_id=values["account"].id,
            target_id=recipient.account_id,
            amount=values["amount"],
            owner_id=self.owner_id,
            metadata=metadata(note=values["note"]),
        )
        messages.success(self.request, f"You sent {plain_money(transfer.amount)} to {recipient.name}.")
        return transfer

    def form_valid(self, form: Any) -> HttpResponse:
        """Run the verb instead of asking again."""
        return MoneyPage.form_valid(self, form)

    def where_to(self, result: Any) -> str:
        """Show the receipt."""
        return reverse("storefront:transfer", args=[result.id])

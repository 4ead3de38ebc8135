"""Money from and to the outside, through the payment rail."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.urls import reverse

from holdfast_wallet import services
from holdfast_wallet.states import PaymentState
from storefront.templatetags.storefront import plain_money
from storefront.views.money import MoneyPage


class PaymentPage(MoneyPage):
    """Asks the rail, and says how far it came: settled at once, under way, or failed."""

    template_name = "storefront/wallet/payment.html"
    request_payment: Callable[..., Any]
    settled: str

    def run(self, form: Any) -> Any:
        """Ask for the payment, and tell how it went."""
        values = form.cleaned_data
        payment = self.request_payment(
            key=values["key"], account_id=values["account"].id, amount=values["amount"], owner_id=self.owner_id
        )
        if payment.state == PaymentState.SETTLED:
            messages.success(self.request, f"{plain_money(payment.amount)} {self.settled}")
        elif payment.state == PaymentState.FAILED:
            messages.error(self.request, f"The bank refused the payment. {payment.reason}")
        else:
            messages.info(self.request, "The payment is under way. We tell you when it has arrived.")
        return payment

    def where_to(self, result: Any) -> str:
        """Go to the account."""
        return reverse("storefront:account", args=[result.account_id])


class TopUpView(PaymentPage):
    """Money in."""

    extra_context = {"title": "Top up", "lead": "Bring money in from your bank.", "verb": "Top up"}
    request_payment = staticmethod(services.request_deposit)
    settled = "arrived."


class PayOutView(PaymentPage):
    """Money out."""

    extra_context = {"title": "Pay out", "lead": "Send money to your bank.", "verb": "Pay out"}
    request_payment = staticmethod(services.request_withdrawal)
    settled = "are on their way to your bank."

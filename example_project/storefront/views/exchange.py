"""Exchange: ask for a rate, which is then held for a minute."""

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core import signing
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from holdfast.conf import load_backend
from holdfast.errors import Refusal
from holdfast.money import Money, quantize
from holdfast_wallet import services
from holdfast_wallet.exceptions import RateUnavailable
from holdfast_wallet.states import TransferKind
from storefront.exceptions import QuoteExpired
from storefront.fees import fee_of
from storefront.forms.wallet import ExchangeForm
from storefront.templatetags.storefront import plain_money
from storefront.views.money import MoneyPage

QUOTE_SECONDS = 60
_signer = signing.TimestampSigner(salt="storefront.quote")


@dataclass(frozen=True)
class Quote:
    """What an amount becomes, at which rate, for which fee."""

    rate: Decimal
    credit: Money
    fee: Money | None
    token: str

    @classmethod
    def of(cls, amount: Money, currency: str) -> "Quote":
        """Ask the rate source. Raises ``RateUnavailable``."""
        pair = str(amount.currency), currency
        rate = load_backend(settings.HOLDFAST_WALLET["RATES"]).rate(*pair)
        if rate is None:
            raise RateUnavailable(source=pair[0], target=pair[1])
        # The rate travels through the browser and back; signed, so that it stays ours.
        token = _signer.sign("/".join([*pair, str(rate)]))
        credit = quantize(amount.amount * rate, currency, ROUND_DOWN)
        return cls(rate=rate, credit=credit, fee=fee_of(TransferKind.EXCHANGE, amount), token=token)


def quoted_rate(token: str, amount: Money, currency: str) -> Decimal:
    """Return the rate that a quote holds for this pair. Raises ``QuoteExpired``, also for what is no quote of ours."""
    try:
        source, target, rate = _signer.unsign(token, max_age=QUOTE_SECONDS).split("/")
    except (signing.BadSignature, ValueError):
        raise QuoteExpired from None
    if (source, target) != (str(amount.currency), currency):
        raise QuoteExpired
    return Decimal(rate)


class ExchangeView(MoneyPage):
    """The first step: a quote."""

    template_name = "storefront/wallet/exchange.html"
    form_class = ExchangeForm

    def form_valid(self, form: Any) -> HttpResponse:
        """Show what it would become."""
        values = form.cleaned_data
        try:
            quote = Quote.of(values["amount"], values["target"].currency)
        except Refusal as refusal:
            context = self.get_context_data(form=form, refusal=refusal)
            return self.render_to_response(context, status=refusal.status)
        context = values | {"form": form, "quote": quote, "seconds": QUOTE_SECONDS}
        return render(self.request, "storefront/wallet/exchange_confirm.html", context)


class ConfirmExchangeView(ExchangeView):
    """The second step, at the rate that was shown."""

    def run(self, form: Any) -> Any:
        """Exchange the money."""
        values = form.cleaned_data
        rate = quoted_rate(values["quote"], values["amount"], values["target"].currency)
        exchange = services.exchange(
            key=values["key"],
            source_id=values["account"].id,
            target_id=values["target"].id,
            amount=values["amount"],
            owner_id=self.owner_id,
            rate=rate,
        )
        messages.success(self.request, f"{plain_money(values['amount'])} became {plain_money(exchange.credit.amount)}.")
        return exchange

    def form_valid(self, form: Any) -> HttpResponse:
        """Run the verb instead of asking again."""
        return MoneyPage.form_valid(self, form)

    def where_to(self, result: Any) -> str:
        """Go to the account that received."""
        return reverse("storefront:account", args=[result.credit.target_id])

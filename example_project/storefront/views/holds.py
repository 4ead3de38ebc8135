"""Money set aside: place a hold, pay from it, free it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse, reverse_lazy

from holdfast.errors import Conflict
from holdfast_wallet import selectors, services
from holdfast_wallet.states import HoldState
from storefront.exceptions import HoldOfSomebodyElse
from storefront.forms.wallet import CaptureForm, SetAsideForm
from storefront.pages import FormPage, Page, metadata
from storefront.recipients import find_recipient
from storefront.templatetags.storefront import plain_money
from storefront.views.money import MoneyPage

PAST_HOLDS = 30


def hold_to_end(*, hold_id: UUID, owner_id: Any) -> Any:
    """Return a hold that its owner placed himself. Raises ``HoldOfSomebodyElse`` for one that a shop relies on."""
    hold = selectors.get_hold(hold_id=hold_id, owner_id=owner_id)
    if not hold.owner_may_end:
        raise HoldOfSomebodyElse(hold_id=str(hold_id))
    return hold


class HoldsView(Page):
    """What is set aside now, and what was."""

    template_name = "storefront/wallet/holds.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Gather both."""
        holds = selectors.holds_of(owner_id=self.owner_id).select_related("account")
        return super().get_context_data(
            open_holds=holds.filter(state=HoldState.OPEN).order_by("expires_at"),
            past_holds=holds.exclude(state=HoldState.OPEN).order_by("-created_at")[:PAST_HOLDS],
            **kwargs,
        )


class SetAsideView(MoneyPage):
    """Set money aside."""

    template_name = "storefront/wallet/set_aside.html"
    form_class = SetAsideForm
    success_url = reverse_lazy("storefront:holds")

    def run(self, form: Any) -> Any:
        """Place the hold."""
        values = form.cleaned_data
        hold = services.place_hold(
            key=values["key"],
            account_id=values["account"].id,
            amount=values["amount"],
            owner_id=self.owner_id,
            expires_at=form.expires_at,
            metadata=metadata(note=values["note"]),
            owner_may_end=True,
        )
        messages.success(self.request, f"{plain_money(hold.amount)} are set aside.")
        return hold


class PayFromHoldView(FormPage):
    """Pay from what is set aside: all of it, or a part."""

    template_name = "storefront/wallet/hold_pay.html"
    form_class = CaptureForm

    def get_form_kwargs(self) -> dict[str, Any]:
        """Tell the form which hold it is about."""
        hold = hold_to_end(hold_id=self.kwargs["hold_id"], owner_id=self.owner_id)
        return super().get_form_kwargs() | {"hold": hold}

    def run(self, form: Any) -> Any:
        """Capture the hold."""
        values = form.cleaned_data
        recipient = find_recipient(values["recipient"], currency=form.hold.account.currency)
        transfer = services.capture_hold(
            key=values["key"],
            hold_id=form.hold.id,
            target_id=recipient.account_id,
            owner_id=self.owner_id,
            amount=values["amount"],
            final=values["final"],
        )
        messages.success(self.request, f"You paid {plain_money(transfer.amount)} to {recipient.name}.")
        return transfer

    def where_to(self, result: Any) -> str:
        """Show the receipt."""
        return reverse("storefront:transfer", args=[result.id])


class FreeHoldView(Page):
    """Free what is set aside."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, *_args: Any, **kwargs: Any) -> HttpResponseBase:
        """Release the hold."""
        hold = hold_to_end(hold_id=kwargs["hold_id"], owner_id=self.owner_id)
        try:
            services.release_hold(hold_id=hold.id, owner_id=self.owner_id)
        except Conflict as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(request, "The money is free again.")
        return HttpResponseRedirect(reverse("storefront:holds"))

"""The pages' base for moving money."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect

from holdfast_wallet import selectors
from storefront.forms.wallet import MoneyForm
from storefront.pages import FormPage, chosen_uuid


class MoneyPage(FormPage):
    """A page that moves money from or to one of my accounts; who has none is led to open one."""

    form_class = MoneyForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Lead who has no account to where they open one."""
        if request.user.is_authenticated and not selectors.accounts_of(owner_id=request.user.pk).exists():
            messages.info(request, "Open an account first.")
            return redirect("storefront:open-account")
        return super().dispatch(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        """Tell the form whose accounts it may offer."""
        return super().get_form_kwargs() | {"owner_id": self.owner_id}

    def get_initial(self) -> dict[str, Any]:
        """Choose the account that the link came from."""
        return super().get_initial() | {"account": chosen_uuid(self.request, "account")}
